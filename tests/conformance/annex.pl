#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Annex A of uapi/derivation.md through the Perl implementation: what the page gives, and every
# value that it shows by name, are read from the page.
use v5.36;

use FindBin      qw($Bin);
use MIME::Base64 qw(decode_base64);
use Test::More;

use lib $Bin;
use DMAcc;

my $page = do {
	open my $in, '<:raw', "$Bin/../../uapi/derivation.md" or die "derivation.md: $!\n";
	local $/ = undef;
	<$in>;
};

keyed();
unkeyed();
done_testing();

sub section ($title) {
	my ($text) = $page =~ /^### \Q$title\E (.*?)^##/ms or die "$title is not there\n";
	return $text;
}

# NAME = VALUE in a block of its own
sub named ($text) {
	return $text =~ /^    (\w[\w ]*?) += (\S+)/mg;
}

sub keyed () {
	my %given = named(section('A.1'));
	my %of = (
		kv          => pack('H*', $given{Kv}),
		key_version => $given{'key version'},
		devid       => $given{DevId},
		kind        => { '01' => 'server-id', '02' => 'addr' }->{ $given{kind} },
		server      => $given{Server},
		generation  => $given{generation},
	);
	my %shown = map { named(section($_)) } qw(A.3 A.4);
	my $values = DMAcc::derive('dmacc-1', %of);
	my $row    = DMAcc::table_row($given{ServerID}, %of);
	my %got = (
		UserName     => $values->{user_name},
		ServerPW     => $values->{server_pw},
		ClientPW     => $values->{client_pw},
		ServerNonce  => unpack('H*', $values->{server_nonce}),
		ClientNonce  => unpack('H*', $values->{client_nonce}),
		ClientHash   => $row->{client_hash},
		ServerHash   => $row->{server_hash},
		ClientDigest => DMAcc::login_digest($row->{client_hash}, $values->{client_nonce}),
		ServerDigest => DMAcc::login_digest($row->{server_hash}, $values->{server_nonce}),
	);
	is_deeply(\%got, \%shown, 'values, hashes and digests of A.3 and A.4');
	my $keys = section('A.2');
	like($keys, qr/^    \Q@{[ unpack 'H*', $values->{kd} ]}\E$/m, 'Kd of A.2');
	is(DMAcc::key_id(@of{qw(kv key_version)}), { named($keys) }->{KeyId}, 'KeyId of A.2');
	spellings($of{devid});
}

sub spellings ($devid) {
	my ($text) = section('A.1') =~ /(People may have written .*)/s;
	my @written = $text =~ /`(.*?)`/g;
	is(scalar @written, 4, 'spellings of A.1');
	is(DMAcc::read_identifier($_), $devid, "written as $_") for @written;
}

sub unkeyed () {
	my %member = (UserName => 'user_name', ServerPW => 'server_pw', ClientPW => 'client_pw');
	my ($imei, $server, $checked);
	for my $part (split /^(?=\*\*|The inputs)/m, section('A.5')) {
		my %named = named($part);
		($imei, $server) = @named{qw(IMEI ServerID)} if $named{IMEI};
		my ($name, $profiles) = $part =~ /\A\*\*(\w+)\*\* \((.*?)\)/ or next;
		for my $profile (split /, /, $profiles) {
			my $got = DMAcc::derive($profile, devid => "IMEI:$imei", server => $server);
			is($got->{ $member{$name} }, $named{$name}, "$name of $profile");
			$checked++;
		}
	}
	is($checked, 8, 'values of A.5');
}
