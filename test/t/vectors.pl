# Published test vectors, read by src/core with AddressSanitizer and UndefinedBehaviorSanitizer.
#
# They are not part of this tree: EPERMIT_VECTORS names the folder that holds them.  Most are of what we accept a
# part of, or nothing: then it is told why, and what of it does hold.
use strict;
use warnings;
use FindBin;

use IPC::Run qw(run);
use JSON::PP;
use MIME::Base64 qw(decode_base64url);
use Test::More;

my $vectors = $ENV{EPERMIT_VECTORS} // '';
plan(skip_all => 'EPERMIT_VECTORS names no folder with test vectors') unless -d $vectors;

my $root = "$FindBin::RealBin/../..";
my $log = '';
run([ 'make', '-s', '-C', "$root/test/core", 'vectors' ], '&>', \$log) or die "vectors cannot be built: $log";

# Questions are gathered and asked at once; each has the answer wanted.
my @questions;

# wanted: "yes", "no", hexadecimal, or a pattern.
sub expect
{
	my ($title, $wanted, $word, @arguments) = @_;
	push @questions, [ $title, $wanted, join ' ', $word, map { $_ eq '' ? '-' : lc } @arguments ];
	return;
}

# Answers are needed at once.
sub answers
{
	my $input = join '', map { join(' ', $_->[0], map { $_ eq '' ? '-' : lc } @$_[ 1 .. $#$_ ]) . "\n" } @_;
	my ($out, $err);
	run([ "$root/build/core/vectors" ], '<', \$input, '>', \$out, '2>', \$err) or die "vectors: $err";
	return split /\n/, $out;
}

# One test for all questions since the last: which were answered otherwise.
sub settle
{
	my ($promise) = @_;
	my @answers = answers(map { [ split / /, $_->[2] ] } @questions);
	my @wrong;
	foreach my $question (@questions)
	{
		my ($title, $wanted) = @$question;
		my $answer = shift @answers // 'nothing';
		next if ref $wanted ? $answer =~ $wanted : $answer eq $wanted;
		push @wrong, sprintf('%s: %s, not %s', $title, substr($answer, 0, 80), ref $wanted ? $wanted : substr($wanted, 0, 80));
	}
	die "no vectors: $promise" unless @questions;
	is_deeply(\@wrong, [], "$promise (" . @questions . ')');
	@questions = ();
	return;
}

sub vectors
{
	my ($path) = @_;
	open(my $file, '<:raw', "$vectors/$path") or die "$vectors/$path: $!";
	local $/;
	return decode_json(scalar <$file>);
}

sub hex_of_text
{
	my ($text) = @_;
	utf8::encode($text);
	return unpack 'H*', $text;
}

# Take the head of an item from the front of bytes: its major type and its number, undef for an indefinite length.
sub cbor_head
{
	my ($bytes) = @_;
	my $first = ord substr($$bytes, 0, 1, '');
	my ($major, $n) = ($first >> 5, $first & 31);
	my ($width, $template) = @{ { 24 => [ 1, 'C' ], 25 => [ 2, 'n' ], 26 => [ 4, 'N' ], 27 => [ 8, 'Q>' ] }->{$n} // [] };
	$n = unpack $template, substr($$bytes, 0, $width, '') if $width;
	return ($major, !$width && $n > 27 ? undef : $n);
}

# Take an item that is a number or a string, and that in hexadecimal.
sub cbor_item
{
	my ($bytes) = @_;
	my ($major, $n) = cbor_head($bytes);
	return ($major == 2 || $major == 3) ? unpack('H*', substr($$bytes, 0, $n, '')) : $n;
}

# Take an item.  Is it of our subset, that is without floats, simple values and indefinite lengths?
sub in_subset
{
	my ($bytes) = @_;
	my ($major, $n) = cbor_head($bytes);
	return 0 if $major == 7 || !defined $n;
	substr($$bytes, 0, $n, '') if $major == 2 || $major == 3;
	my $inner = $major == 4 ? $n : $major == 5 ? 2 * $n : $major == 6 ? 1 : 0;
	in_subset($bytes) || return 0 foreach 1 .. $inner;
	return 1;
}

# ---------------------------------------------------------------- Ed25519

foreach my $group (@{ vectors('ed25519/wycheproof_ed25519_test.json')->{testGroups} })
{
	foreach my $test (@{ $group->{tests} })
	{
		expect("$test->{tcId} $test->{comment}", $test->{result} eq 'valid' ? 'yes' : 'no',
			'ed25519', $group->{publicKey}{pk}, $test->{msg}, $test->{sig});
	}
}
settle('Wycheproof, Ed25519: the function that verifies our tokens agrees with each');

expect("test $_->{public}", 'yes', 'ed25519', $_->{public}, $_->{msg}, $_->{sig}) foreach @{ vectors('ed25519/rfc8032.json')->{vectors} };
settle('RFC 8032 section 7.1');

# Signatures that implementations disagree about.  A verifier in batches, or with a cofactor, takes more of
# them; of keys, none that made such a case is let in but the sound ones.
{
	my @cases = @{ vectors('ed25519/speccheck_cases.json') };
	my @accepted = (3);
	foreach my $n (0 .. $#cases)
	{
		expect("case $n", (grep { $_ == $n } @accepted) ? 'yes' : 'no',
			'ed25519', @{ $cases[$n] }{qw(pub_key message signature)});
	}
	settle('cases on which implementations differ: the strict answer');

	# Keys of small or mixed order are not imported at all.
	expect("key of case $_", 'no', 'point', $cases[$_]{pub_key}) foreach 0 .. 5, 9 .. 11;
	settle('and keys of small or mixed order are no keys');
}

# ---------------------------------------------------------------- CBOR

foreach my $hex (map { $_->{hex} } @{ vectors('cbor/appendix_a.json') })
{
	my $bytes = pack 'H*', $hex;
	expect($hex, in_subset(\$bytes) ? 'yes' : 'no', 'cbor', $hex);
}
settle('RFC 8949 appendix A: the subset is accepted, the rest refused');

# ---------------------------------------------------------------- base45

{
	my $base45 = vectors('base45/rfc9285.json');
	foreach my $vector (@{ $base45->{valid} })
	{
		expect("decode $vector->{b45}", $vector->{bytes_hex} || '-', 'base45', hex_of_text($vector->{b45}));
		expect("encode $vector->{b45}", hex_of_text($vector->{b45}) || '-', 'base45-encode', $vector->{bytes_hex});
	}
	expect($_->{why}, 'no', 'base45', hex_of_text($_->{b45})) foreach @{ $base45->{invalid} };
	settle('RFC 9285, and what it warns of');
}

# ---------------------------------------------------------------- COSE and CWT

# protected, payload, signature in hexadecimal; unprotected must be {} or { 4: kid }.
sub parts
{
	my ($hex) = @_;
	my $bytes = pack 'H*', $hex;
	cbor_item(\$bytes) while (ord($bytes) >> 5) == 6;
	cbor_item(\$bytes);
	my $protected = cbor_item(\$bytes);
	cbor_item(\$bytes) foreach 1 .. 2 * cbor_item(\$bytes);
	my $payload = cbor_item(\$bytes);
	return ($protected, $payload, cbor_item(\$bytes));
}

{
	my $example = vectors('cose/eddsa-sig-01.json');
	my ($protected, $payload, $signature) = parts($example->{output}{cbor});
	my $key = $example->{input}{sign0}{key}{x_hex};
	expect('its signature holds', 'yes', 'sign1', $protected, $payload, $signature, $key);
	expect('not with another payload', 'no', 'sign1', $protected, "${payload}00", $signature, $key);
	expect('nor another header', 'no', 'sign1', 'a10127', $payload, $signature, $key);

	# kid "11" stands in the unprotected header, and a content type is protected.
	expect('the message is none of ours', 'no', 'cose', $example->{output}{cbor});
	settle('COSE working group, eddsa-sig-01: the signature, in a message of another shape');
}

# COSE_Sign, Ed448, ES256, external data, no tag, changed tags: none is a message of ours.
foreach my $name (qw(eddsa-01 eddsa-sig-02 sign-fail-01 sign-fail-02 sign-fail-03 sign-fail-04 sign-fail-06
	sign-fail-07 sign-pass-01 sign-pass-02 sign-pass-03))
{
	expect($name, 'no', 'cose', vectors("cose/$name.json")->{output}{cbor});
}
expect($_, 'no', 'cose', vectors("cwt/rfc8392_$_.json")->{output}{cbor}) foreach qw(A_3 A_4 A_5 A_6 A_7);
settle('COSE working group and RFC 8392: messages of other kinds are refused');

{
	my $cwt = vectors('cwt/rfc8392_A_3.json');
	my $claims = $cwt->{input}{plaintext_hex};
	expect('is CBOR of the subset', 'yes', 'cbor', $claims);
	expect("is no $_", 'no', $_, $claims) foreach qw(permit linkage attestation list);
	settle('RFC 8392: the example claims set is read, and is none of ours');
}

# ---------------------------------------------------------------- Claim 169

# All of them lack a kid, so none is a token here; most have no signature at all.
foreach my $vector (@{ vectors('claim169/ALL.json')->{vectors} })
{
	my $name = $vector->{name};
	my $text = vectors("claim169/$vector->{category}-$name.json")->{qr_data};
	my $cose = $vector->{decoded}{cose_hex};

	# As far as the text is sound, and not longer than we read, it is read to the message.
	my $long = length($text) > 4296 || length($cose // '') > 2 * 8192;
	my $inflates = $vector->{decoded}{zlib} && !$long;
	expect("$name: text", $inflates ? ($cose || qr/^[0-9a-f]+$/) : 'no', 'text', hex_of_text($text));
	next unless $cose;
	expect("$name: message", 'no', 'cose', $cose);
	next unless $name eq 'ed25519-signed';

	my ($protected, $payload, $signature) = parts($cose);
	my $key = vectors("claim169/valid-$name.json")->{signing_key}{public_key_hex};
	expect("$name: signature", 'yes', 'sign1', $protected, $payload, $signature, $key);
	expect("$name: claims are CBOR", 'yes', 'cbor', $payload);
	expect("$name: claims are not those of a permit", 'no', 'permit', $payload);
}
settle('Claim 169: texts are read, Ed25519 holds where there is a key, and unsigned ones are refused');

foreach my $vector (@{ vectors('claim169/pixelpass.json')->{vectors} })
{
	my $wanted = defined $vector->{decoded_text} ? hex_of_text($vector->{decoded_text}) : qr/^a1/;
	expect($vector->{b45}, $wanted, 'text', hex_of_text($vector->{b45}));
}
{
	my $spec = vectors('claim169/mosip-spec-3.2.1.json');
	expect('the payload of the specification', 'yes', 'cbor', $spec->{payload_hex});
	expect('is not that of a permit', 'no', 'permit', $spec->{payload_hex});
}
settle('PixelPass and the MOSIP specification');

# ---------------------------------------------------------------- status lists

{
	my $tsl = vectors('tsl/token_status_list_draft20.json');
	my %lst;
	foreach my $list (@{ $tsl->{encodings} })
	{
		# The draft's lists of a million entries are longer than an issuer of ours has: here they are only read.
		my $hex = $list->{cbor_hex};
		my ($lst) = $hex =~ /636c7374(.*)$/ or die $list->{name};
		my $bytes = pack 'H*', $lst;
		$lst = cbor_item(\$bytes);
		$lst{ $list->{name} } = $lst;
		my $bits = sprintf '%02x', $list->{bits};
		foreach my $idx (sort { $a <=> $b } keys %{ $list->{statuses} })
		{
			expect("$list->{name}: $idx", sprintf('%02x', $list->{statuses}{$idx}), 'status', $bits, $lst, sprintf('%08x', $idx));
		}
		my ($unlisted) = grep { !exists $list->{statuses}{$_} } 0 .. 1_000_000;
		expect("$list->{name}: $unlisted", sprintf('%02x', $list->{unlisted}), 'status', $bits, $lst, sprintf('%08x', $unlisted))
		  if $unlisted < $list->{size};
		settle("Token Status List, $list->{name}: every entry as the draft has it");
	}

	# Signed with ES256 under a kid of two bytes: the claims are read, the message is not.
	my $message = $tsl->{tokens}{status_list_cwt};
	my ($protected, $payload) = parts($message);
	expect('the claims of the status list', $lst{status_list_encoding_cbor}, 'list', $payload);
	expect('its message', 'no', 'cose', $message);
	(undef, $payload) = parts($tsl->{tokens}{referenced_token_cwt});
	expect('the token that refers to it is CBOR', 'yes', 'cbor', $payload);
	expect('and no list', 'no', 'list', $payload);
	settle('Token Status List: the CWT of the draft');
}

# ---------------------------------------------------------------- EU certificates

# Signed with ES256 and PS256: none is a token here, broken or not.
foreach my $path (sort glob("$vectors/hcert/*.json"))
{
	my ($name) = $path =~ m{(\w+)\.json$};
	my $vector = vectors("hcert/$name.json");
	my $results = $vector->{EXPECTEDRESULTS};
	if ($vector->{PREFIX} =~ /^H\w\d:/)
	{
		expect("$name: prefix", 'no', 'text', hex_of_text($vector->{PREFIX}));
	}
	else
	{
		my ($message) = answers([ 'text', hex_of_text($vector->{PREFIX}) ]);
		expect("$name: without a prefix", 'no', 'cose', $message);
	}
	if (defined $results->{EXPECTEDB45DECODE})
	{
		expect("$name: base45", $results->{EXPECTEDB45DECODE} ? lc $vector->{COMPRESSED} : 'no', 'base45', hex_of_text($vector->{BASE45}));
	}
	if (defined $results->{EXPECTEDCOMPRESSION})
	{
		expect("$name: zlib", $results->{EXPECTEDCOMPRESSION} ? lc $vector->{COSE} : 'no', 'inflate', $vector->{COMPRESSED});
	}
	expect("$name: message", 'no', 'cose', $vector->{COSE}) if $vector->{COSE};
	expect("$name: claims", 'no', 'permit', $vector->{CBOR}) if $vector->{CBOR};
}
settle('EU certificates: sound and broken ones are refused where they are said to be, and none is ours');

# ---------------------------------------------------------------- of this wire format

{
	my $own = vectors('own/samples.json');
	my $key = $own->{public_key_hex};
	my %tokens = %{ $own->{tokens} };
	expect('kid', $own->{kid_hex}, 'kid', $key);
	foreach my $name (sort keys %tokens)
	{
		my $token = $tokens{$name};
		next unless $token->{cose_hex} && $token->{base45};

		# Two are not as we read them: no tag, and a kid that is not protected.
		my $read = $name !~ /untagged|kid-unprotected/;
		expect("$name: message", $read ? qr/^[0-9a-f]+$/ : 'no', 'cose', $token->{cose_hex});
		expect("$name: signature", 'yes', 'cose-verify', $token->{cose_hex}, $key) if $read;
		expect("$name: text", $token->{compressed} ? $token->{cose_hex} : 'no', 'text', hex_of_text($token->{base45}));
	}
	settle('samples: each is read, and its signature holds');

	my $negatives = vectors('own/negatives.json');
	foreach my $name (sort keys %$negatives)
	{
		my ($message) = answers([ 'text', hex_of_text($negatives->{$name}) ]);
		my $text_refused = $name =~ /base45|zlib/;
		expect("$name: text", $text_refused ? 'no' : qr/^[0-9a-f]+$/, 'text', hex_of_text($negatives->{$name}));
		next if $text_refused;
		expect("$name: structure", $name =~ /trailing|alg-none/ ? 'no' : qr/^[0-9a-f]+$/, 'cose', $message);
		if ($name =~ /dup-claim/)
		{
			my (undef, $payload) = parts($message);
			expect("$name: claims", 'no', 'cbor', $payload);
		}
		else
		{
			expect("$name: signature", 'no', 'cose-verify', $message, $key);
		}
	}
	settle('negatives: each is refused, and where it should be');
}

done_testing();
