#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What uapi/derivation.md has both sides do beyond computing, sections 5 to 7: the window of a
# rotation, whose row a login is, how digests are compared, which generation a device takes.
use v5.36;

use FindBin qw($Bin);
use Test::More;

use lib $Bin;
use DMAcc;

my $server_id = 'com.example.dm';
my %device = (
	kv          => pack('C*', 0 .. 31),
	key_version => 1,
	devid       => 'IMEI:490154203237518',
	server      => $server_id,
);

the_window_of_a_rotation();
a_rotation_never_goes_back();
a_login_leads_to_a_row();
digests_are_compared_as_bytes();
a_device_answers_a_generation();
base32_has_its_alphabet();
a_key_from_elsewhere_is_judged();
unkeyed_profiles_are_announced();
done_testing();

sub row (%more) {
	return DMAcc::table_row($server_id, %device, %more);
}

sub the_window_of_a_rotation () {
	my ($before, $after) = (row(), row(generation => 3));
	my $row = DMAcc::rotate($before, $after);
	my ($old, $new) = map { DMAcc::login_digest($_->{client_hash}, 'nonce') } $before, $after;
	is_deeply([ DMAcc::login($row, $old, 'other') ], [], 'the old password over another nonce');
	is_deeply([ DMAcc::login($row, $old, 'nonce') ], [ $before->{server_hash}, 3 ],
		'to the old password the old one answers, and the generation is named again');
	is_deeply([ DMAcc::login($row, $new, 'nonce') ], [ $after->{server_hash}, undef ],
		'the new password');
	is_deeply([ DMAcc::login($row, $old, 'nonce') ], [], 'which ends the old one');
	is_deeply([ DMAcc::login($row, $new, 'nonce') ], [ $after->{server_hash}, undef ], 'and goes on');
}

sub a_rotation_never_goes_back () {
	my $row = DMAcc::rotate(row(), row(generation => 3));
	for my $generation (0, 2, 3) {
		ok(!eval { DMAcc::rotate($row, row(generation => $generation)); 1 }, "from 3 to $generation");
	}
	$row->{generation} = 0;
	ok(!eval { DMAcc::rotate($row, row(generation => 3)); 1 }, 'to one that was named before a reset');
	ok(!eval { DMAcc::rotate($row, row(generation => 4, key_version => 2)); 1 }, 'to that of another Kd');
	is(DMAcc::rotate($row, row(generation => 4))->{highest}, 4, 'from 3 to 4');
}

sub found ($rows, @login) {
	return join ' ', map { "$_->{devid}/$_->{key_version}" } DMAcc::find_device($rows, @login);
}

sub a_login_leads_to_a_row () {
	my ($one, $two) = (row(), row(key_version => 2));
	my $other = row(devid => 'MEID:A0000000002329');
	my $rows = [ $one, $two, $other ];
	my ($devid, $meid) = ($one->{devid}, $other->{devid});
	is(found($rows, $one->{user_name}, undef), "$devid/1", 'by UserName');
	is(found($rows, $two->{user_name}, '49-015420-323751'), "$devid/2", 'by both');
	is(found($rows, undef, $devid), "$devid/2 $devid/1", 'by LocURI, highest key version first');
	is(found($rows, undef, 'IMEI:490154203237510'), "$devid/2 $devid/1",
		'by LocURI with a spare digit');
	is(found($rows, $one->{user_name}, $meid), '', 'by two that differ');
	is(found($rows, $one->{user_name}, 'urn:uuid:1'), "$devid/1",
		'by UserName and a LocURI that is no identifier');
	is(found($rows, undef, 'urn:uuid:1'), '', 'by a LocURI that is no identifier');
	is(found($rows, undef, undef), '', 'by nothing');
}

sub digests_are_compared_as_bytes () {
	my $digest = DMAcc::login_digest(row()->{client_hash}, 'nonce');
	ok(DMAcc::same_digest($digest, "$digest"), 'itself');
	for my $place (0, 11, length($digest) - 1) {
		my $other = $digest;
		substr($other, $place, 1) =~ tr/A-Za-z0-9+=\//B-ZAb-za1-90\/A+/;
		ok(!DMAcc::same_digest($digest, $other), "another one at $place");
	}
	ok(!DMAcc::same_digest($digest, substr($digest, 0, -1)), 'a shorter one');
	ok(!DMAcc::same_digest($digest, ''), 'nothing');
}

sub a_device_answers_a_generation () {
	my @cases = ([ '5', 200, 5 ], [ '6', 200, 6 ], [ '2147483647', 200, 2147483647 ], [ '4', 403, 5 ],
		[ '0', 403, 5 ], map { [ $_, 400, 5 ] } '2147483648', '4294967296', '-1', '+6', '06', ' 6', "6\n",
		'6.0', '0x6', '');
	for my $case (@cases) {
		my ($text, $status, $then) = @$case;
		my $at = 5;
		my $got = DMAcc::replace_generation(\$at, $text);
		is("$got $at", "$status $then", "'" . ($text =~ s/\n/LF/r) . "' at 5");
	}
}

sub base32_has_its_alphabet () {
	my $alphabet = join '', map { DMAcc::base32_digit(sprintf '%05b', $_) } 0 .. 31;
	is($alphabet, join('', 'A' .. 'Z', 2 .. 7), 'base32');
	ok(!eval { DMAcc::base32('abcd'); 1 }, 'base32 of what would need padding');
}

sub a_key_from_elsewhere_is_judged () {
	my @rest = (@device{qw(devid)}, 'server-id', $server_id, 0);
	my @cases = ([ "\0" x 32, 'all-zero' ], [ "\1" x 31, 'length' ], [ "\1" x 33, 'length' ],
		[ "\1" x 32, undef ]);
	for my $case (@cases) {
		my ($kd, $reason) = @$case;
		is(DMAcc::reason_of(sub { DMAcc::values_of_kd($kd, @rest) }), $reason,
			'Kd: ' . ($reason // 'taken'));
	}
}

sub unkeyed_profiles_are_announced () {
	like(DMAcc::announce($_), qr/guessed/, $_) for qw(fcs11384 fcs11384-device fcs14345);
	is(DMAcc::announce('dmacc-1'), undef, 'dmacc-1');
}
