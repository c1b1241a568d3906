# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The derivation a third time, and what a server does with it: written from the page
# uapi/derivation.md alone. Numbers in comments are its sections. All strings are bytes. A
# refusal is an exception of class DMAcc::Refused with the page's word in brackets.
package DMAcc;

use v5.36;

use Digest::MD5  ();
use Digest::SHA  ();
use Exporter     qw(import);
use MIME::Base64 ();

our @EXPORT_OK = qw(
	read_identifier strict_identifier choose_devid luhn_digit
	check_server check_key check_key_version check_generation
	kdf kdf_input base32 device_key key_id values_of_kd credentials
	unkeyed derive announce
	stored_hash login_digest same_digest
	table_row rotate login find_device
	nodes replace_generation
);

my $MAX_U32 = 4294967295;
my $MAX_U24 = 16777215;

# 0: a word in brackets names the reason of a refusal.

sub refuse ($reason) {
	die DMAcc::Refused->new($reason);
}

# A wide character would silently change what HMAC and MD5 see, or kill them.
sub bytes_only ($text) {
	utf8::downgrade($text, 1) or die "not a byte string\n";
	return $text;
}

# 1.1 What people write

sub read_identifier ($input, $spare_digit = 0) {
	my $text = bytes_only($input // '');
	refuse('length') if length $text > 128;
	$text =~ s/\A[ \t]+//;
	$text =~ s/[ \t]+\z//;
	refuse('missing') if $text eq '';
	my ($prefix, $rest) = split_prefix($text);
	my $digits = digits_of($prefix, $rest);
	return by_kind($prefix, $digits, $spare_digit);
}

# Step 2. Returns the prefix in lower case, '' for none, and the rest.
sub split_prefix ($text) {
	return ('', $text) if index($text, ':') < 0;
	$text =~ s/\A(urn:gsma:imei|imei|meid|esn)://iaa or refuse('prefix');
	my $prefix = lc $1;
	$text =~ s/;.*//s if $prefix eq 'urn:gsma:imei';
	return ($prefix, $text);
}

# Steps 3 and 4
sub digits_of ($prefix, $rest) {
	$rest =~ tr/ \t\-//d;
	refuse('missing') if $rest eq '';
	my $bad = $prefix =~ /imei\z/ ? qr/[^0-9]/ : qr/[^0-9A-Fa-f]/;
	refuse('character') if $rest =~ $bad;
	return uc $rest;
}

# Step 5, for digits without a prefix
sub guess_kind ($digits) {
	my $length  = length $digits;
	my $decimal = $digits !~ /[A-F]/;
	return 'imei' if $decimal && $length >= 14 && $length <= 16;
	return 'meid' if $decimal && $length == 18;
	return 'meid' if !$decimal && ($length == 14 || $length == 15);
	refuse('prefix') if $length == 8 || ($decimal && $length == 11);
	refuse('length');
}

# Step 6
sub by_kind ($prefix, $digits, $spare_digit) {
	my $kind = $prefix || guess_kind($digits);
	return read_urn($digits) if $kind eq 'urn:gsma:imei';
	return read_imei($digits, $spare_digit) if $kind eq 'imei';
	return read_meid($digits, $spare_digit) if $kind eq 'meid';
	return read_esn($digits);
}

# The 15th digit of RFC 7254 is a spare: it is not looked at.
sub read_urn ($digits) {
	refuse('length') if length $digits != 15;
	return judge_imei(substr($digits, 0, 14), '', 0);
}

sub read_imei ($digits, $spare_digit) {
	my $length = length $digits;
	refuse('length') if $length < 14 || $length > 16;
	# Of an IMEISV the last two are the software version, no check digit.
	my $check = $length == 15 ? substr($digits, 14) : '';
	return judge_imei(substr($digits, 0, 14), $check, $spare_digit);
}

sub judge_imei ($digits, $check, $spare_digit) {
	refuse('all-same') if all_same($digits);
	my $luhn = luhn_digit($digits, 10);
	my $good = $check eq '' || $check eq $luhn || ($spare_digit && $check eq '0');
	refuse('check-digit') if !$good;
	return "IMEI:$digits$luhn";
}

sub read_meid ($digits, $spare_digit) {
	my $hex    = meid_digits($digits);
	my $check  = substr($hex, 14);
	my $digits14 = substr($hex, 0, 14);
	# Whatever its prefix, an identifier of decimal digits is an IMEI.
	return judge_imei($digits14, $check, $spare_digit) if $digits14 !~ /[A-F]/;
	judge_meid($digits14);
	refuse('check-digit') if $check ne '' && $check ne luhn_digit($digits14, 16);
	return "MEID:$digits14";
}

# 14 or 15 hexadecimal digits stay, 18 decimal ones become 14.
sub meid_digits ($digits) {
	my $length = length $digits;
	return $digits if $length == 14 || $length == 15;
	refuse('length')    if $length != 18;
	refuse('character') if $digits =~ /[A-F]/;
	my ($maker, $serial) = unpack 'A10 A8', $digits;
	refuse('range') if $maker > $MAX_U32 || $serial > $MAX_U24;
	return sprintf '%08X%06X', $maker, $serial;
}

sub judge_meid ($digits) {
	refuse('first-digit') if $digits !~ /\A[A-F]/;
	refuse('all-same')    if all_same($digits);
	return;
}

sub read_esn ($digits) {
	my $hex = esn_digits($digits);
	judge_esn($hex);
	return "ESN:$hex";
}

# 8 hexadecimal digits stay, 11 decimal ones become 8.
sub esn_digits ($digits) {
	my $length = length $digits;
	return $digits if $length == 8;
	refuse('length')    if $length != 11;
	refuse('character') if $digits =~ /[A-F]/;
	my ($maker, $serial) = unpack 'A3 A8', $digits;
	refuse('range') if $maker > 255 || $serial > $MAX_U24;
	return sprintf '%02X%06X', $maker, $serial;
}

sub judge_esn ($digits) {
	refuse('all-same') if all_same($digits);
	# A pseudo-ESN is a hash of a MEID and not unique.
	refuse('pesn') if $digits =~ /\A80/;
	return;
}

sub all_same ($digits) {
	return $digits =~ /\A(.)\1*\z/s;
}

# The sum in base b of two digits is quotient plus remainder; a doubled value of
# one digit has quotient 0, so that no case is needed.
sub luhn_digit ($digits, $base) {
	my $sum = 0;
	for my $i (0 .. length($digits) - 1) {
		my $value = hex(substr($digits, $i, 1)) * ($i % 2 ? 2 : 1);
		$sum += int($value / $base) + $value % $base;
	}
	return sprintf '%X', -$sum % $base;
}

# 1.2 Canonical forms only: \z, since $ would let a line feed pass.

sub strict_identifier ($devid) {
	my $text = bytes_only($devid // '');
	my ($kind, $digits) = $text =~ /\A(IMEI|MEID|ESN):([0-9A-F]+)\z/
		or refuse('not-canonical');
	return strict_imei($digits) if $kind eq 'IMEI';
	return strict_meid($digits) if $kind eq 'MEID';
	return strict_esn($digits);
}

sub strict_imei ($digits) {
	refuse('not-canonical') if $digits !~ /\A[0-9]{15}\z/;
	return judge_imei(substr($digits, 0, 14), substr($digits, 14), 0);
}

sub strict_meid ($digits) {
	refuse('not-canonical') if length $digits != 14 || $digits !~ /[A-F]/;
	judge_meid($digits);
	return "MEID:$digits";
}

sub strict_esn ($digits) {
	refuse('not-canonical') if length $digits != 8;
	judge_esn($digits);
	return "ESN:$digits";
}

# The reason of a refusal, undef where there is none
sub reason_of ($code) {
	return undef if eval { $code->(); 1 };
	die $@ if !ref $@;
	return $@->reason;
}

# 1.3 Takes what a device has, lowest slot first. What is refused is not there; the kind is
# that of the canonical form.
sub choose_devid (@inputs) {
	my @devids;
	for my $input (@inputs) {
		my $devid;
		push @devids, $devid if !defined reason_of(sub { $devid = read_identifier($input) });
	}
	for my $kind (qw(IMEI MEID ESN)) {
		my ($first) = grep { /\A$kind:/ } @devids;
		return $first if defined $first;
	}
	refuse('missing');
}

# 2 Server

my %KIND_BYTE = ('server-id' => "\x01", addr => "\x02");

# RFC 3629 section 4, the grammar, since decoders differ in what they let pass.
my $UTF8_CHARACTER = qr/
	[\x00-\x7F]
	| [\xC2-\xDF] [\x80-\xBF]
	| \xE0 [\xA0-\xBF] [\x80-\xBF]
	| [\xE1-\xEC\xEE\xEF] [\x80-\xBF]{2}
	| \xED [\x80-\x9F] [\x80-\xBF]
	| \xF0 [\x90-\xBF] [\x80-\xBF]{2}
	| [\xF1-\xF3] [\x80-\xBF]{3}
	| \xF4 [\x80-\x8F] [\x80-\xBF]{2}
/x;

my $BLANK = qr/[\x{00}-\x{20}\x{7F}-\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}]
	| [\x{202F}\x{205F}\x{3000}\x{FEFF}]/x;

sub check_server ($kind, $server) {
	$KIND_BYTE{ $kind } or die "no kind of server: $kind\n";
	my $text = bytes_only($server // '');
	refuse('missing') if $text eq '';
	refuse('length')  if length $text > 255;
	refuse('utf-8')   if $text !~ /\A$UTF8_CHARACTER*+\z/;
	utf8::decode($text);
	check_character($kind, $_) for split //, $text;
	return $server;
}

sub check_character ($kind, $character) {
	refuse('blank') if $character =~ $BLANK;
	refuse('acl-character') if $kind eq 'server-id' && $character =~ /[=&*+]/;
	return;
}

# 3 Key derivation function

sub kdf ($key, $label, $context, $bits) {
	my $input = kdf_input($label, $context, $bits);
	return substr Digest::SHA::hmac_sha256($input, $key), 0, $bits / 8;
}

# Bits out of range are a mistake of the caller, which the page has no reason for.
sub kdf_input ($label, $context, $bits) {
	die "bits: $bits\n" if $bits < 8 || $bits > 256 || $bits % 8;
	return pack('N', 1) . $label . "\0" . $context . pack('N', $bits);
}

sub lp ($text) {
	die "lp: 1 to 255 bytes\n" if length $text < 1 || length $text > 255;
	return pack 'C/a*', $text;
}

# RFC 4648 section 6, of lengths that need no padding
sub base32 ($data) {
	die "base32: a multiple of 5 bytes\n" if length($data) % 5;
	return join '', map { base32_digit($_) } unpack('B*', $data) =~ /(.{5})/g;
}

# Arithmetic and no table: no memory access depends on what is encoded (10.6).
sub base32_digit ($five_bits) {
	my $value  = oct "0b$five_bits";
	my $letter = 65 + $value;
	# From 26 on '2' follows 'Z': 41 less.
	return chr($letter - 41 * (($value + 6) >> 5));
}

# 4 Values

# A Kv, or a Kd that comes from elsewhere
sub check_key ($given) {
	my $key = bytes_only($given // '');
	refuse('length')   if length $key != 32;
	refuse('all-zero') if ($key =~ tr/\0//) == 32;
	return $key;
}

sub check_u32 ($number, $lowest) {
	my $good = defined $number && $number =~ /\A(?:0|[1-9][0-9]{0,9})\z/
		&& $number >= $lowest && $number <= $MAX_U32;
	refuse('range') if !$good;
	return $number;
}

sub check_key_version ($key_version) {
	return check_u32($key_version, 1);
}

sub check_generation ($generation) {
	return check_u32($generation, 0);
}

sub device_key ($kv, $key_version, $devid) {
	check_key($kv);
	check_key_version($key_version);
	strict_identifier($devid);
	my $context = lp($devid) . pack 'N', $key_version;
	return kdf($kv, 'DMAcc-1:DeviceKey', $context, 256);
}

sub key_id ($kv, $key_version) {
	check_key($kv);
	check_key_version($key_version);
	return unpack 'H*', kdf($kv, 'DMAcc-1:KeyId', pack('N', $key_version), 64);
}

# C of section 4
sub account_context ($devid, $kind, $server, $generation) {
	strict_identifier($devid);
	check_server($kind, $server);
	check_generation($generation);
	return lp($devid) . $KIND_BYTE{ $kind } . lp($server) . pack 'N', $generation;
}

sub values_of_kd ($kd, $devid, $kind, $server, $generation) {
	check_key($kd);
	my $context = account_context($devid, $kind, $server, $generation);
	return {
		user_name    => base32(kdf($kd, 'DMAcc-1:UserName', lp($devid), 120)),
		server_pw    => base32(kdf($kd, 'DMAcc-1:ServerPW', $context, 160)),
		client_pw    => base32(kdf($kd, 'DMAcc-1:ClientPW', $context, 160)),
		server_nonce => kdf($kd, 'DMAcc-1:ServerNonce', $context, 128),
		client_nonce => kdf($kd, 'DMAcc-1:ClientNonce', $context, 128),
	};
}

# Takes kv, key_version, devid, kind, server and generation by name. Kind and
# generation have the defaults of sections 2 and 5.1.
sub credentials (%of) {
	my $kd = device_key(@of{qw(kv key_version devid)});
	my $values = values_of_kd($kd, $of{devid}, $of{kind} // 'server-id',
		$of{server}, $of{generation} // 0);
	return { kd => $kd, %$values };
}

# An unknown profile is refused before all else, another one never taken for it.
sub derive ($profile, %of) {
	return credentials(%of) if $profile eq 'dmacc-1';
	return unkeyed($profile, $of{devid}, $of{kind} // 'server-id', $of{server});
}

# 8 Unkeyed profiles

my %UNKEYED = (
	'fcs11384'        => sub (@of) { fcs11384(@of, 'UserName') },
	'fcs11384-device' => sub (@of) { fcs11384(@of, 'Name') },
	'fcs14345'        => sub (@of) { fcs14345(@of) },
);

# What an implementation has to say wherever it uses one; undef for dmacc-1.
sub announce ($profile) {
	return if !$UNKEYED{ $profile };
	return "profile $profile: the passwords can be guessed by who knows the IMEI";
}

sub unkeyed ($profile, $devid, $kind, $server) {
	my $compute = $UNKEYED{ $profile } or refuse('profile');
	strict_identifier($devid);
	check_server($kind, $server);
	my ($imei) = $devid =~ /\AIMEI:(.*)/ or refuse('profile');
	my $fits = $kind eq 'server-id' && $server !~ /:/ && length $server <= 135;
	refuse('profile') if !$fits;
	return $compute->($imei, $server);
}

# 8.1
sub fcs11384 ($imei, $server, $node) {
	return {
		server_pw    => b64_md5("$server:$imei"),
		client_pw    => b64_md5("$imei:$server"),
		user_name    => b64_md5("$imei:$server:$node"),
		server_nonce => '14YJ55NI65RS25WA',
		client_nonce => '53LI62MI23HE33ST',
	};
}

# 8.2
my @CLIENT_WEIGHTS = unpack 'C*', pack 'H*', '0e06100c0a0e050c120a0b060d0e05';
my @SERVER_WEIGHTS = unpack 'C*', pack 'H*', '0a060e0e0a0b060e0b040407110c0c';

sub fcs14345 ($imei, $server) {
	return {
		server_pw    => fcs14345_password($imei, $server, @SERVER_WEIGHTS),
		client_pw    => fcs14345_password($imei, $server, @CLIENT_WEIGHTS),
		user_name    => $imei,
		server_nonce => undef,
		client_nonce => undef,
	};
}

# Steps 2 and 3; unpack 'h*' has the low four bits first.
sub fcs14345_password ($imei, $server, @weights) {
	my $key = fcs14345_key($imei, @weights);
	my $hex = unpack 'h*', Digest::MD5::md5("$imei$key$server");
	my $picked = join '', map { substr $hex, $_, 1 } 2, 7, 8, 12, 25, 30;
	return shuffle($picked . base36($imei, 10));
}

# Step 1
sub fcs14345_key ($imei, @weights) {
	my @code = unpack 'C*', $imei;
	my ($s1, $s2) = (0, 0);
	for my $i (0 .. 11) {
		$s1 += $code[$i + 3] * $weights[$i];
		$s2 += $code[$i + 3] * $code[$i + 2] * $weights[$i];
	}
	return "$s1-$s2";
}

# 15 decimal digits need 50 bits.
sub base36 ($number, $width) {
	my $text = '';
	while ($number > 0) {
		$text   = substr('0123456789abcdefghijklmnopqrstuvwxyz', $number % 36, 1) . $text;
		$number = int($number / 36);
	}
	return '0' x ($width - length $text) . $text;
}

# Step 4
sub shuffle ($text) {
	my @characters = split //, $text;
	for my $i ((8 .. 15) x 3) {
		my $moved = splice @characters, $i, 1;
		splice @characters, 15 - $i, 0, $moved;
	}
	return join '', @characters;
}

# 6 Logins

sub b64_md5 ($text) {
	return MIME::Base64::encode_base64(Digest::MD5::md5($text), '');
}

# 6.1 ClientHash of UserName and ClientPW, ServerHash of ServerID and ServerPW
sub stored_hash ($name, $password) {
	return b64_md5("$name:$password");
}

# 6.2 The nonce is raw bytes, not its base64.
sub login_digest ($hash, $nonce) {
	return b64_md5("$hash:$nonce");
}

# In constant time: tr counts over the whole string, only the length is seen.
# ^. since v5.36 takes ^ for numbers.
sub same_digest ($one, $other) {
	return 0 if length $one != length $other;
	my $difference = $one ^. $other;
	return ($difference =~ tr/\0//c) == 0;
}

# 6.1 A server's row. ServerHash is of the ServerID, also where Server is an Addr.
sub table_row ($server_id, %of) {
	my $values = credentials(%of);
	return {
		devid       => $of{devid},
		user_name   => $values->{user_name},
		key_version => $of{key_version},
		generation  => $of{generation} // 0,
		client_hash => stored_hash($values->{user_name}, $values->{client_pw}),
		server_hash => stored_hash($server_id, $values->{server_pw}),
	};
}

# 6.1 The rows to try: by UserName, which is the index; without one by Source/LocURI, highest
# key version first. Where both are there they have to name the same device. A LocURI that is
# no identifier is not there.
sub find_device ($rows, $user_name, $loc_uri) {
	my $devid;
	reason_of(sub { $devid = read_identifier($loc_uri, 1) }) if defined $loc_uri;
	return if !defined $user_name && !defined $devid;
	my @found = grep { !defined $user_name || $_->{user_name} eq $user_name } @$rows;
	@found = grep { !defined $devid || $_->{devid} eq $devid } @found;
	return sort { $b->{key_version} <=> $a->{key_version} } @found;
}

# 5 Rotation

# 5.1, a server: the row of the new generation keeps both old hashes until the new one has
# worked, and the highest generation for good.
sub rotate ($row, $new_row) {
	my $same = $row->{devid} eq $new_row->{devid} && $row->{key_version} == $new_row->{key_version};
	die "another device or key version\n" if !$same;
	my $highest = $row->{highest} // $row->{generation};
	die "a generation is raised\n" if $new_row->{generation} <= $highest;
	return { %$new_row, highest => $new_row->{generation},
		old_client_hash => $row->{client_hash}, old_server_hash => $row->{server_hash} };
}

# 5.1 Returns the ServerHash to answer with, undef for no login, and the generation to name
# again, undef for none. The first login with the new pair ends the old one.
sub login ($row, $digest, $nonce) {
	my ($old, $old_server) = @$row{qw(old_client_hash old_server_hash)};
	if (same_digest($digest, login_digest($row->{client_hash}, $nonce))) {
		delete @$row{qw(old_client_hash old_server_hash)};
		return ($row->{server_hash}, undef);
	}
	return ($old_server, $row->{generation})
		if defined $old && same_digest($digest, login_digest($old, $nonce));
	return;
}

# 5.1 and 7, a device at $$at: the status that answers a Replace of Ext/dmacc/Generation
sub replace_generation ($at, $text) {
	return 400 if $text !~ /\A(?:0|[1-9][0-9]{0,9})\z/ || $text > 2147483647;
	return 403 if $text < $$at;
	$$at = $text;
	return 200;
}

# 7 Encodings: value => [node below the account, format]. 1.1.2 has no generation.

my %NODES = (
	'1.1.2' => {
		user_name    => [ 'UserName',    'chr' ],
		client_pw    => [ 'ClientPW',    'chr' ],
		client_nonce => [ 'ClientNonce', 'bin' ],
		server_id    => [ 'ServerId',    'chr' ],
		server_pw    => [ 'ServerPW',    'chr' ],
		server_nonce => [ 'ServerNonce', 'bin' ],
	},
	'1.2' => {
		user_name    => [ 'AppAuth/CLCRED/AAuthName',    'chr' ],
		client_pw    => [ 'AppAuth/CLCRED/AAuthSecret',  'chr' ],
		client_nonce => [ 'AppAuth/CLCRED/AAuthData',    'bin' ],
		server_id    => [ 'ServerID',                    'chr' ],
		server_name  => [ 'AppAuth/SRVCRED/AAuthName',   'chr' ],
		server_pw    => [ 'AppAuth/SRVCRED/AAuthSecret', 'chr' ],
		server_nonce => [ 'AppAuth/SRVCRED/AAuthData',   'bin' ],
		generation   => [ 'Ext/dmacc/Generation',        'int' ],
	},
);

# <X> below AppAuth is free on a device: CLCRED and SRVCRED stand for the node whose
# AAuthLevel is that.
sub nodes ($layout) {
	return $NODES{ $layout } // die "no such layout: $layout\n";
}

package DMAcc::Refused;

use overload '""' => sub ($self, @) { 'refused [' . $self->{reason} . "]\n" }, fallback => 1;

sub new ($class, $reason) {
	return bless { reason => $reason }, $class;
}

sub reason ($self) {
	return $self->{reason};
}

1;
