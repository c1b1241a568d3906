#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The whole vector file through the Perl implementation: vectors.pl [FILE]
# A test for each entry; uapi/derivation.md, Annex B, says what is in the file. A section that
# is empty, absent or has no test here fails.
use v5.36;

use FindBin  qw($Bin);
use JSON::PP ();
use Test::More;

use lib $Bin;

use DMAcc;

my %TEST = (
	'identifiers.accepted'  => \&identifier_accepted,
	'identifiers.refused'   => \&identifier_refused,
	'identifiers.canonical' => \&identifier_canonical,
	'identifiers.several'   => \&several,
	'servers.accepted'      => \&server,
	'servers.refused'       => \&server,
	'kdf'                   => \&kdf,
	'base32'                => \&base32,
	'numbers'               => \&number,
	'vendor_keys'           => \&vendor_key,
	'key_ids'               => \&key_id,
	'credentials'           => \&credentials,
	'credentials_refused'   => \&credentials_refused,
	'unkeyed.credentials'   => \&unkeyed_credentials,
	'unkeyed.refused'       => \&unkeyed_refused,
	'hashes'                => \&hashes,
	'logins'                => \&login,
);

main(shift // "$Bin/../../uapi/vectors.json");

sub main ($path) {
	my $file = read_json($path);
	is("$file->{format} $file->{algorithm}", '1 dmacc-1', 'format and algorithm');
	my %sections = sections($file);
	for my $name (sort keys %{ { %TEST, %sections } }) {
		run_section($name, $sections{ $name });
	}
	done_testing();
}

sub read_json ($path) {
	open my $in, '<:raw', $path or die "$path: $!\n";
	local $/ = undef;
	return JSON::PP->new->utf8->decode(scalar <$in>);
}

# Arrays are sections; an object holds sections one level down.
sub sections ($object, $above = '') {
	my %found;
	for my $member (keys %$object) {
		my $value = $object->{ $member };
		$found{"$above$member"} = $value if ref $value eq 'ARRAY';
		%found = (%found, sections($value, "$member.")) if ref $value eq 'HASH';
	}
	return %found;
}

sub run_section ($name, $entries) {
	my $test = $TEST{ $name };
	if (!$test || !$entries || !@$entries) {
		fail("$name: no test, or no entries");
		return;
	}
	my $passed = 0;
	for my $i (0 .. $#$entries) {
		$passed += run_entry("$name $i", $test, $entries->[$i]);
	}
	note(sprintf '%-22s %3d of %3d', $name, $passed, scalar @$entries);
}

# A test returns [what came, what was to come]; an exception is a failure.
sub run_entry ($title, $test, $entry) {
	my $pair = eval { $test->($entry) };
	if (!$pair) {
		diag("$title: $@");
		return fail($title);
	}
	return is_deeply(@$pair, $title) || diag(JSON::PP->new->canonical->ascii->encode($entry)) && 0;
}

sub reason_of ($code) {
	return DMAcc::reason_of($code);
}

sub unhex ($hex) {
	return defined $hex ? pack('H*', $hex) : undef;
}

# Text of JSON is characters, what the module takes is bytes.
sub bytes ($text) {
	utf8::encode($text);
	return $text;
}

sub hex_of ($bytes) {
	return defined $bytes ? unpack('H*', $bytes) : undef;
}

sub identifier_accepted ($e) {
	return [ DMAcc::read_identifier(bytes($e->{input}), $e->{spare_digit}), $e->{devid} ];
}

sub identifier_refused ($e) {
	my $input = unhex($e->{input_hex});
	return [ reason_of(sub { DMAcc::read_identifier($input, $e->{spare_digit}) }), $e->{reason} ];
}

sub identifier_canonical ($e) {
	my $devid = unhex($e->{devid_hex});
	return [ reason_of(sub { DMAcc::strict_identifier($devid) }), $e->{reason} ];
}

sub several ($e) {
	my $devid;
	my $reason = reason_of(sub { $devid = DMAcc::choose_devid(map { bytes($_) } @{ $e->{inputs} }) });
	return [ [ $devid, $reason ], [ @$e{qw(devid reason)} ] ];
}

sub server ($e) {
	my $server = unhex($e->{server_hex});
	return [ reason_of(sub { DMAcc::check_server($e->{kind}, $server) }), $e->{reason} ];
}

sub kdf ($e) {
	my ($key, $context) = map { unhex($e->{$_}) } qw(key_hex context_hex);
	my $input  = DMAcc::kdf_input($e->{label}, $context, $e->{bits});
	my $output = DMAcc::kdf($key, $e->{label}, $context, $e->{bits});
	return [ [ hex_of($input), hex_of($output) ], [ @$e{qw(input_hex output_hex)} ] ];
}

sub base32 ($e) {
	return [ DMAcc::base32(unhex($e->{data_hex})), $e->{text} ];
}

sub number ($e) {
	my %check = (key_version => \&DMAcc::check_key_version, generation => \&DMAcc::check_generation);
	return [ reason_of(sub { $check{ $e->{name} }->($e->{value}) }), $e->{reason} ];
}

sub vendor_key ($e) {
	return [ reason_of(sub { DMAcc::check_key(unhex($e->{kv_hex})) }), $e->{reason} ];
}

sub key_id ($e) {
	return [ DMAcc::key_id(unhex($e->{kv_hex}), $e->{key_version}), $e->{key_id} ];
}

sub request ($e) {
	return (
		kv     => unhex($e->{kv_hex}),
		server => unhex($e->{server_hex}),
		map { $_ => $e->{$_} } qw(key_version devid kind generation),
	);
}

sub credentials ($e) {
	my $got = DMAcc::derive('dmacc-1', request($e));
	$got->{$_ . '_hex'} = hex_of(delete $got->{$_}) for qw(kd server_nonce client_nonce);
	my @members = qw(kd_hex user_name server_pw client_pw server_nonce_hex client_nonce_hex);
	return [ $got, { map { $_ => $e->{$_} } @members } ];
}

sub credentials_refused ($e) {
	return [ reason_of(sub { DMAcc::derive('dmacc-1', request($e)) }), $e->{reason} ];
}

sub unkeyed_credentials ($e) {
	my $got = DMAcc::derive($e->{profile}, devid => $e->{devid}, server => unhex($e->{server_hex}));
	$got->{$_ . '_hex'} = hex_of(delete $got->{$_}) for qw(server_nonce client_nonce);
	my @members = qw(user_name server_pw client_pw server_nonce_hex client_nonce_hex);
	return [ $got, { map { $_ => $e->{$_} } @members } ];
}

sub unkeyed_refused ($e) {
	my $server = unhex($e->{server_hex});
	return [ reason_of(sub { DMAcc::unkeyed(@$e{qw(profile devid kind)}, $server) }), $e->{reason} ];
}

sub hashes ($e) {
	my $row = DMAcc::table_row(bytes($e->{server_id}), request($e));
	my @members = qw(devid key_version generation client_hash server_hash);
	return [ [ @$row{@members} ], [ @$e{@members} ] ];
}

sub login ($e) {
	my $stored = DMAcc::stored_hash(bytes($e->{name}), bytes($e->{password}));
	my $digest = DMAcc::login_digest($stored, unhex($e->{nonce_hex}));
	return [ [ $stored, $digest ], [ @$e{qw(stored digest)} ] ];
}
