#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The whole vector file through the Perl implementation: vectors.pl [FILE]
# A test for each entry; uapi/derivation.md, Annex B, says what is in the file.
use strict;
use warnings;
use FindBin;
use JSON::PP;
use Test::More;

use lib $FindBin::Bin;
use DMAcc;

my $file = $ARGV[0] // "$FindBin::Bin/../../uapi/vectors.json";
open my $in, '<:raw', $file or die "$file: $!\n";
my $vectors = JSON::PP->new->utf8->decode(do { local $/; <$in> });
my $sections = 0;

sub bytes_of { return defined $_[0] ? pack 'H*', $_[0] : undef }

# JSON text as the bytes it stands for
sub text_of { my ($text) = @_; utf8::encode($text); return $text }

# The word of the refusal; '' if there is none
sub refusal_of {
	my ($code) = @_;
	return '' if eval { $code->(); 1 };
	my $error = $@;
	die $error unless ref $error eq 'DMAcc::Refusal';
	return $error->{reason};
}

# $code for each entry of a section, which is not to be empty
sub each_of {
	my ($name, $code) = @_;
	my $entries = $vectors;
	$entries = $entries->{$_} for split /\./, $name;
	die "$name is empty\n" unless ref $entries eq 'ARRAY' && @$entries;
	$sections++;
	$code->($entries->[$_], "$name $_") for 0 .. $#$entries;
}

sub same_credentials {
	my ($got, $e, $name) = @_;
	is_deeply($got, {
		(map { $_ => $e->{$_} } qw(user_name server_pw client_pw)),
		(map { $_ => bytes_of($e->{"${_}_hex"}) } qw(server_nonce client_nonce)),
	}, $name);
}

each_of('identifiers.accepted', sub {
	my ($e, $name) = @_;
	is(DMAcc::read_identifier(text_of($e->{input}), $e->{spare_digit}), $e->{devid}, $name);
});
each_of('identifiers.refused', sub {
	my ($e, $name) = @_;
	is(refusal_of(sub { DMAcc::read_identifier(bytes_of($e->{input_hex}), $e->{spare_digit}) }),
		$e->{reason}, $name);
});
each_of('identifiers.canonical', sub {
	my ($e, $name) = @_;
	is(refusal_of(sub { DMAcc::check_identifier(bytes_of($e->{devid_hex})) }), $e->{reason} // '',
		$name);
});
for my $which (qw(accepted refused)) {
	each_of("servers.$which", sub {
		my ($e, $name) = @_;
		is(refusal_of(sub { DMAcc::check_server($e->{kind}, bytes_of($e->{server_hex})) }),
			$e->{reason} // '', $name);
	});
}
each_of('kdf', sub {
	my ($e, $name) = @_;
	my @input = ($e->{label}, bytes_of($e->{context_hex}), $e->{bits});
	is(unpack('H*', DMAcc::kdf_input(@input)), $e->{input_hex}, "$name input");
	is(unpack('H*', DMAcc::kdf(bytes_of($e->{key_hex}), @input)), $e->{output_hex}, "$name output");
});
each_of('base32', sub {
	my ($e, $name) = @_;
	is(DMAcc::base32(bytes_of($e->{data_hex})), $e->{text}, $name);
});
each_of('vendor_keys', sub {
	my ($e, $name) = @_;
	is(refusal_of(sub { DMAcc::check_vendor_key(bytes_of($e->{kv_hex})) }), $e->{reason} // '', $name);
});
each_of('key_ids', sub {
	my ($e, $name) = @_;
	is(DMAcc::key_id(bytes_of($e->{kv_hex}), $e->{key_version}), $e->{key_id}, $name);
});
each_of('credentials', sub {
	my ($e, $name) = @_;
	my $kd = DMAcc::device_key(bytes_of($e->{kv_hex}), $e->{key_version}, $e->{devid});
	is(unpack('H*', $kd), $e->{kd_hex}, "$name Kd");
	same_credentials(DMAcc::credentials($kd, $e->{devid}, $e->{kind}, bytes_of($e->{server_hex}),
		$e->{generation}), $e, $name);
});
each_of('credentials_refused', sub {
	my ($e, $name) = @_;
	is(refusal_of(sub {
		my $kd = DMAcc::device_key(bytes_of($e->{kv_hex}), $e->{key_version}, $e->{devid});
		DMAcc::credentials($kd, $e->{devid}, $e->{kind}, bytes_of($e->{server_hex}),
			$e->{generation});
	}), $e->{reason}, $name);
});
each_of('unkeyed.credentials', sub {
	my ($e, $name) = @_;
	same_credentials(DMAcc::unkeyed($e->{profile}, $e->{devid}, 'server-id', bytes_of($e->{server_hex})),
		$e, $name);
});
each_of('unkeyed.refused', sub {
	my ($e, $name) = @_;
	is(refusal_of(sub {
		DMAcc::unkeyed($e->{profile}, $e->{devid}, $e->{kind}, bytes_of($e->{server_hex}));
	}), $e->{reason}, $name);
});
each_of('logins', sub {
	my ($e, $name) = @_;
	my $stored = DMAcc::stored(text_of($e->{name}), text_of($e->{password}));
	is($stored, $e->{stored}, "$name stored");
	is(DMAcc::digest($stored, bytes_of($e->{nonce_hex})), $e->{digest}, "$name digest");
});

# a section that this does not know would go by untested
my $there = 0;
for my $value (values %$vectors) {
	$there += ref $value eq 'ARRAY' ? 1 : ref $value eq 'HASH' ? keys %$value : 0;
}
is($sections, $there, 'every section of the file was run');
done_testing();
