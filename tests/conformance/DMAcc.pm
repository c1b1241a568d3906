# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The derivation a third time, in Perl, from the text of uapi/derivation.md and nothing
# else: what a stranger makes of that page. Section numbers are the page's. A refusal dies
# with a DMAcc::Refusal, whose text is the word in brackets.
package DMAcc;

use strict;
use warnings;
use Digest::MD5 qw(md5);
use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(encode_base64);

sub refuse {
	my ($reason) = @_;
	die bless { reason => $reason }, 'DMAcc::Refusal';
}

# 1.1 Reading what people write

sub all_same {
	my ($digits) = @_;
	return $digits =~ /\A(.)\1*\z/;
}

sub luhn_digit {
	my ($digits, $base) = @_;
	my $sum = 0;
	for my $place (1 .. length $digits) {
		my $value = hex substr($digits, $place - 1, 1);
		if ($place % 2 == 0) {
			$value *= 2;
			$value = int($value / $base) + $value % $base;
		}
		$sum += $value;
	}
	return sprintf '%X', (-$sum) % $base;
}

# The decimal form of a MEID or ESN, in hexadecimal
sub two_numbers {
	my ($digits, $first_len, $first_max, $first_width) = @_;
	my ($first, $last) = (substr($digits, 0, $first_len), substr($digits, $first_len));
	refuse('range') if $first > $first_max || $last > 16777215;
	return sprintf "%0${first_width}X%06X", $first, $last;
}

# 14 digits and, perhaps empty, the 15th one
sub imei_of {
	my ($significant, $check, $spare_digit) = @_;
	my $luhn = luhn_digit($significant, 10);
	refuse('all-same') if all_same($significant);
	refuse('check-digit')
		if $check ne '' && $check ne $luhn && !($spare_digit && $check eq '0');
	return "IMEI:$significant$luhn";
}

sub read_imei {
	my ($digits, $spare_digit) = @_;
	refuse('length') unless length($digits) =~ /\A1[456]\z/;
	my $check = length $digits == 15 ? substr($digits, 14) : '';
	return imei_of(substr($digits, 0, 14), $check, $spare_digit);
}

sub read_urn {
	my ($digits) = @_;
	refuse('length') unless length $digits == 15;
	return imei_of(substr($digits, 0, 14), '', 0);
}

sub read_meid {
	my ($digits, $spare_digit) = @_;
	refuse('length') unless length($digits) =~ /\A1[458]\z/;
	if (length $digits == 18) {
		refuse('character') if $digits =~ /[A-F]/;
		$digits = two_numbers($digits, 10, 4294967295, 8);
	}
	my ($significant, $check) = (substr($digits, 0, 14), substr($digits, 14));
	return imei_of($significant, $check, $spare_digit) unless $significant =~ /[A-F]/;
	refuse('first-digit') unless $significant =~ /\A[A-F]/;
	refuse('all-same') if all_same($significant);
	refuse('check-digit') if $check ne '' && $check ne luhn_digit($significant, 16);
	return "MEID:$significant";
}

sub read_esn {
	my ($digits) = @_;
	refuse('length') unless length $digits == 8 || length $digits == 11;
	if (length $digits == 11) {
		refuse('character') if $digits =~ /[A-F]/;
		$digits = two_numbers($digits, 3, 255, 2);
	}
	refuse('all-same') if all_same($digits);
	refuse('pesn') if $digits =~ /\A80/;
	return "ESN:$digits";
}

# Step 5
sub kind_of {
	my ($digits) = @_;
	my $length = length $digits;
	my $decimal = $digits !~ /[A-F]/;
	return 'imei:' if $decimal && $length >= 14 && $length <= 16;
	return 'meid:' if $decimal ? $length == 18 : $length == 14 || $length == 15;
	refuse('prefix') if $length == 8 || $decimal && $length == 11;
	refuse('length');
}

my %readers = (
	'imei:' => \&read_imei,
	'meid:' => \&read_meid,
	'esn:' => \&read_esn,
	'urn:gsma:imei:' => \&read_urn,
);

sub read_identifier {
	my ($input, $spare_digit) = @_;
	my $prefix;

	refuse('length') if length $input > 128;
	$input =~ s/\A[ \t]+//;
	$input =~ s/[ \t]+\z//;
	refuse('missing') if $input eq '';
	if ($input =~ /:/) {
		refuse('prefix') unless $input =~ s/\A(imei:|meid:|esn:|urn:gsma:imei:)//i;
		$prefix = lc $1;
		$input =~ s/;.*\z//s if $prefix eq 'urn:gsma:imei:';
	}
	$input =~ s/[ \t-]//g;
	refuse('missing') if $input eq '';
	refuse('character') if $input =~ /[^0-9A-Fa-f]/;
	refuse('character') if defined $prefix && $prefix =~ /imei/ && $input =~ /[^0-9]/;
	$input = uc $input;
	return $readers{ $prefix // kind_of($input) }->($input, $spare_digit);
}

# 1.2 Reading canonical forms only

sub check_identifier {
	my ($devid) = @_;
	if ($devid =~ /\AIMEI:([0-9]{14})([0-9])\z/) {
		refuse('all-same') if all_same($1);
		refuse('check-digit') if $2 ne luhn_digit($1, 10);
	} elsif ($devid =~ /\AMEID:([0-9A-F]{14})\z/) {
		my $digits = $1;
		refuse('not-canonical') if $digits !~ /[A-F]/;
		refuse('first-digit') if $digits !~ /\A[A-F]/;
		refuse('all-same') if all_same($digits);
	} elsif ($devid =~ /\AESN:([0-9A-F]{8})\z/) {
		my $digits = $1;
		refuse('all-same') if all_same($digits);
		refuse('pesn') if $digits =~ /\A80/;
	} else {
		refuse('not-canonical');
	}
}

# 2. Server

my $utf8 = qr/
	  [\x00-\x7f]
	| [\xc2-\xdf][\x80-\xbf]
	| \xe0[\xa0-\xbf][\x80-\xbf]
	| [\xe1-\xec\xee\xef][\x80-\xbf]{2}
	| \xed[\x80-\x9f][\x80-\xbf]
	| \xf0[\x90-\xbf][\x80-\xbf]{2}
	| [\xf1-\xf3][\x80-\xbf]{3}
	| \xf4[\x80-\x8f][\x80-\xbf]{2}
/x;

my $blank = qr/[\x{0000}-\x{0020}\x{007f}-\x{00a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}
	\x{202f}\x{205f}\x{3000}\x{feff}]/xx;

sub check_server {
	my ($kind, $server) = @_;
	refuse('missing') if $server eq '';
	refuse('length') if length $server > 255;
	refuse('utf-8') unless $server =~ /\A$utf8*\z/;
	utf8::decode($server);
	for my $character (split //, $server) {
		refuse('blank') if $character =~ $blank;
		refuse('acl-character') if $kind eq 'server-id' && $character =~ /[=&*+]/;
	}
}

# 3. Key derivation function

sub be32 { return pack 'N', $_[0] }
sub lp { return pack 'C/a*', $_[0] }

sub kdf_input {
	my ($label, $context, $bits) = @_;
	return be32(1) . $label . "\0" . $context . be32($bits);
}

sub kdf {
	my ($key, $label, $context, $bits) = @_;
	return substr hmac_sha256(kdf_input($label, $context, $bits), $key), 0, $bits / 8;
}

sub base32 {
	my ($data) = @_;
	my $bits = unpack 'B*', $data;
	return join '', map { substr 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', oct "0b$_", 1 }
		$bits =~ /(.{5})/g;
}

# 4. Values

sub check_vendor_key {
	my ($kv) = @_;
	refuse('length') if length $kv != 32;
	refuse('all-zero') if $kv !~ /[^\0]/;
}

sub check_key_version {
	my ($version) = @_;
	refuse('range') if $version < 1 || $version > 4294967295;
}

sub key_id {
	my ($kv, $version) = @_;
	check_vendor_key($kv);
	check_key_version($version);
	return unpack 'H*', kdf($kv, 'DMAcc-1:KeyId', be32($version), 64);
}

sub device_key {
	my ($kv, $version, $devid) = @_;
	check_vendor_key($kv);
	check_key_version($version);
	check_identifier($devid);
	return kdf($kv, 'DMAcc-1:DeviceKey', lp($devid) . be32($version), 256);
}

sub credentials {
	my ($kd, $devid, $kind, $server, $generation) = @_;
	check_identifier($devid);
	check_server($kind, $server);
	my $c = lp($devid) . ($kind eq 'server-id' ? "\x01" : "\x02") . lp($server) . be32($generation);
	return {
		user_name => base32(kdf($kd, 'DMAcc-1:UserName', lp($devid), 120)),
		server_pw => base32(kdf($kd, 'DMAcc-1:ServerPW', $c, 160)),
		client_pw => base32(kdf($kd, 'DMAcc-1:ClientPW', $c, 160)),
		server_nonce => kdf($kd, 'DMAcc-1:ServerNonce', $c, 128),
		client_nonce => kdf($kd, 'DMAcc-1:ClientNonce', $c, 128),
	};
}

# 6. What each side keeps, and a login

sub b64 { return encode_base64($_[0], '') }
sub stored { my ($name, $password) = @_; return b64(md5("$name:$password")) }
sub digest { my ($hash, $nonce) = @_; return b64(md5("$hash:$nonce")) }

# 8. Unkeyed profiles

sub check_unkeyed {
	my ($devid, $kind, $server) = @_;
	check_identifier($devid);
	check_server($kind, $server);
	refuse('profile') if $devid !~ /\AIMEI:/ || $kind ne 'server-id';
	refuse('profile') if $server =~ /:/ || length $server > 135;
}

sub fcs11384 {
	my ($imei, $server, $name) = @_;
	return {
		server_pw => b64(md5("$server:$imei")),
		client_pw => b64(md5("$imei:$server")),
		user_name => b64(md5("$imei:$server:$name")),
		server_nonce => '14YJ55NI65RS25WA',
		client_nonce => '53LI62MI23HE33ST',
	};
}

sub base36 {
	my ($number) = @_;
	my $text = '';
	while (length $text < 10) {
		$text = substr('0123456789abcdefghijklmnopqrstuvwxyz', $number % 36, 1) . $text;
		$number = int($number / 36);
	}
	return $text;
}

sub fcs14345_password {
	my ($imei, $server, @w) = @_;
	my @c = map { ord } split //, $imei;
	my ($s1, $s2) = (0, 0);
	for my $i (0 .. 11) {
		$s1 += $c[$i + 3] * $w[$i];
		$s2 += $c[$i + 3] * $c[$i + 2] * $w[$i];
	}
	my @hex = split //, unpack 'h*', md5("$imei$s1-$s2$server");
	my @text = split //, join('', @hex[2, 7, 8, 12, 25, 30]) . base36($imei);
	for (1 .. 3) {
		for my $i (8 .. 15) {
			my ($taken) = splice @text, $i, 1;
			splice @text, 15 - $i, 0, $taken;
		}
	}
	return join '', @text;
}

sub fcs14345 {
	my ($imei, $server) = @_;
	my @client = map { hex } qw(0e 06 10 0c 0a 0e 05 0c 12 0a 0b 06 0d 0e 05);
	my @server = map { hex } qw(0a 06 0e 0e 0a 0b 06 0e 0b 04 04 07 11 0c 0c);
	return {
		user_name => $imei,
		client_pw => fcs14345_password($imei, $server, @client),
		server_pw => fcs14345_password($imei, $server, @server),
		server_nonce => undef,
		client_nonce => undef,
	};
}

sub unkeyed {
	my ($profile, $devid, $kind, $server) = @_;
	check_unkeyed($devid, $kind, $server);
	my $imei = substr $devid, 5;
	return fcs11384($imei, $server, 'UserName') if $profile eq 'fcs11384';
	return fcs11384($imei, $server, 'Name') if $profile eq 'fcs11384-device';
	return fcs14345($imei, $server) if $profile eq 'fcs14345';
	refuse('profile');
}

1;
