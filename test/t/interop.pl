# What epermit signs is read by stacks nobody here wrote, and what they sign is judged as the wire format
# says.  The stacks are in test/interop; those that are not installed are skipped, each by name.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";

use Epermit;
use IPC::Run qw(run);
use JSON::PP;
use MIME::Base64 qw(encode_base64url);
use PostgreSQL::Test::Utils;
use Test::More;

my $stacks = "$FindBin::RealBin/../interop";
my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Epermit->start('interop');
my $node = $issuer->node;
my $now = $issuer->sql('SELECT extract(epoch FROM clock_timestamp())::bigint');

# ---------------------------------------------------------------- who is there

sub works
{
	my ($command, @arguments) = @_;
	return eval { run([ $command, @arguments ], '<', \undef, '>', \my $out, '2>', \my $err) };
}

# The first of them may be somebody's own, without Debian's packages.
sub python
{
	my (@modules) = @_;
	my ($python) = grep { works($_, '-c', 'import ' . join ',', @modules) } qw(python3 /usr/bin/python3);
	return $python;
}

sub has_packages
{
	return !grep { !works('node', '-e', "require.resolve('$_', { paths: ['$stacks'] })") } @_;
}

my %python = (nacl => python(qw(cbor2 nacl)), cryptography => python(qw(cbor2 cryptography)));
my %packages = (
	'auth0'     => [qw(@auth0/cose cbor-x jose)],
	'cbor-x'    => [qw(cbor-x jose)],
	'jose'      => [qw(cbor-x jose)],
	'pixelpass' => [qw(@mosip/pixelpass cbor-x)],
	'jsqr'      => [qw(jsqr pngjs)]);
my %has_node = map { $_ => has_packages(@{ $packages{$_} }) } keys %packages;
my $zbar = works('zbarimg', '--version');

# Why a stack cannot be tried, or nothing.
sub why_not
{
	my ($stack) = @_;
	return if $python{$stack} || $has_node{$stack};
	return exists $python{$stack}
	  ? "python3-cbor2 and python3-$stack are not installed"
	  : "not installed in test/interop (npm ci): @{ $packages{$stack} }";
}

# A subtest about a stack, or its absence told loudly.
sub with_stack
{
	my ($stack, $title, $code) = @_;
	my $why = why_not($stack);
	diag("skipped: $title: $why") if $why;
	subtest $title => sub {
		plan(skip_all => $why) if $why;
		$code->($stack);
	};
	return;
}

# Run one of the programs of test/interop; what it prints, decoded.
sub ask
{
	my ($program, $stack, $input, @arguments) = @_;
	my @command = $python{$stack} ? ($python{$stack}, "$stacks/$program.py") : ('node', "$stacks/$program.mjs");
	my ($out, $err);
	run([ @command, $stack, @arguments ], '<', \$input, '>', \$out, '2>', \$err)
	  or BAIL_OUT("$program $stack: $err");
	return decode_json($out);
}

sub spew
{
	my ($name, $bytes) = @_;
	open(my $file, '>:raw', "$dir/$name") or die "$dir/$name: $!";
	print $file $bytes;
	close($file) or die "$dir/$name: $!";
	return "$dir/$name";
}

# ---------------------------------------------------------------- what we sign

$issuer->issue($_) foreach sort keys %Epermit::people;
my $with_portrait = $issuer->issue('taiwan', portrait_digest => 'a5' x 32);
my $revoked = $issuer->issue('macao');
my $suspended = $issuer->link_documents('hong_kong');
$issuer->link_documents($_) foreach qw(macao taiwan);
$issuer->sql("SELECT epermit.revoke_permit('$revoked', 'test'); SELECT epermit.suspend_linkage('$suspended', 'test')");

# By the rows, not by our own decoder.
my $common = q{'kid', encode(c.kid, 'hex'), 'iss', i.iss, 'exp', extract(epoch FROM c.valid_until)::bigint,
	'nbf', extract(epoch FROM c.issued_at)::bigint, 'iat', extract(epoch FROM c.issued_at)::bigint,
	'cti', encode(epermit.credential_no_send(c.credential_no), 'hex'), 'idx', c.status_idx,
	'uri', i.status_list_base || c.status_list_id};
my $rank = q{array_position(enum_range(NULL::epermit.%s), %s)};
my $region = sprintf($rank, 'region', 'h.region');
my %query = (
	permit => qq{SELECT jsonb_object_agg(c.credential_no::text, jsonb_build_object(
			'token', c.token::text, 'claims', jsonb_build_object($common, 'typ', NULL,
			'number', c.credential_no, 'name_zh', h.name_zh, 'name_romanised', h.name_romanised,
			'birth_date', to_char(h.birth_date, 'YYYYMMDD'), 'sex', @{[sprintf($rank, 'sex', 'h.sex')]},
			'nationality', h.nationality, 'region', $region, 'document_no', epermit.masked(c.travel_permit_no),
			'purposes', (SELECT sum(1 << p.bit) FROM epermit.purpose p WHERE p.code = ANY (c.purposes)),
			'portrait', encode(substr(c.portrait_digest, 1, 16), 'hex'))))
		FROM epermit.permit c JOIN epermit.holder h USING (holder_id), epermit.issuer i},
	linkage => qq{SELECT jsonb_object_agg(c.credential_no::text, jsonb_build_object(
			'token', c.token::text,
			'documents', ARRAY[c.travel_permit_no::text, c.residence_permit_no::text, to_char(h.birth_date, 'YYYYMMDD')],
			'claims', jsonb_build_object($common, 'typ', 'application/vnd.epermit.linkage+cwt',
			'travel_kind', @{[sprintf($rank, 'document_kind', 'epermit.kind(c.travel_permit_no)')]},
			'residence_kind', $region, 'travel_no', epermit.masked(c.travel_permit_no),
			'residence_no', epermit.masked(c.residence_permit_no))))
		FROM epermit.linkage c JOIN epermit.holder h USING (holder_id), epermit.issuer i});

my (%items, %expected);
foreach my $kind (sort keys %query)
{
	my $rows = decode_json($issuer->sql($query{$kind}));
	foreach my $no (keys %$rows)
	{
		my $row = $rows->{$no};
		$items{$no} = { kind => $kind, text => $row->{token}, documents => $row->{documents} };
		$expected{$no} = { %{ $row->{claims} }, $kind eq 'linkage' ? (linked => JSON::PP::true) : () };
	}
}
is(scalar keys %items, 8, 'there are permits and linkage results to read');
$items{list} = { kind => 'list', hex => $issuer->sql("SELECT encode(epermit.status_list(0), 'hex')") };
$expected{list} = decode_json($issuer->sql(q{
	SELECT jsonb_build_object('kid', (SELECT encode(kid, 'hex') FROM epermit.signing_key WHERE usage = 'status'),
			'typ', 'application/statuslist+cwt', 'sub', i.status_list_base || 0, 'ttl', 3600, 'entries', 131072,
			'said', (SELECT jsonb_object_agg(status_idx, CASE status WHEN 'revoked' THEN 1 ELSE 2 END)
					   FROM epermit.credential_event))
	  FROM epermit.issuer i}));
my $bundle = encode_json({
		items       => \%items,
		jwks        => decode_json($issuer->sql('SELECT epermit.jwks()')),
		cose_keyset => $issuer->sql("SELECT encode(epermit.cose_keyset(), 'hex')") });

foreach my $stack (qw(nacl cryptography auth0 cbor-x jose pixelpass))
{
	with_stack($stack, "$stack reads what is signed here", sub {
		my $found = ask('read', $stack, $bundle);
		my %wanted = %expected;
		delete $wanted{list} if $stack eq 'pixelpass';    # reads QR texts only
		if (my $list = $found->{list})
		{
			my ($iat, $exp) = (delete $list->{iat}, delete $list->{exp});
			is($exp - $iat, 86400, 'a status list is good for a day');
			cmp_ok(abs($iat - $now), '<', 300, 'from now');
		}
		is_deeply($found->{$_}, $wanted{$_}, "$items{$_}{kind} $_") foreach sort keys %wanted;
		is_deeply([ sort keys %$found ], [ sort keys %wanted ], 'and nothing else');
	});
}

# ---------------------------------------------------------------- what they sign

# Verdicts of verify_offline() at $now, in a JSON array.
sub verify_all
{
	my ($db, @texts) = @_;
	my $array = JSON::PP->new->encode(\@texts);    # characters: psql's text is UTF-8
	utf8::encode($array);
	return @{ decode_json($db->sql(qq{
		SELECT jsonb_agg(v.verdict ORDER BY n)
		  FROM jsonb_array_elements_text(\$json\$$array\$json\$) WITH ORDINALITY p (presented, n),
			   epermit.verify_offline(presented, 'rail', to_timestamp($now)) v})) };
}

# Where any refusal will do, which one does not matter.
sub as_expected
{
	my ($permit, $verdict) = @_;
	return $permit->{verdict} eq 'refused' && $verdict =~ /^(malformed|unknown_key|bad_signature)$/
	  ? 'refused'
	  : $verdict;
}

foreach my $stack (qw(nacl cryptography auth0 cbor-x))
{
	with_stack($stack, "what $stack signs", sub {
		my $made = ask('make', $stack, '', $now);
		(my $dbname = "other_$stack") =~ tr/-/_/;
		$node->safe_psql('postgres', "CREATE DATABASE $dbname");
		my $db = Epermit->at($node, $dbname)->furnish;
		foreach my $usage (sort keys %{ $made->{jwks} })
		{
			my $jwks = $made->{jwks}{$usage};
			is($db->sql(sprintf(q{SELECT epermit.import_jwks('%s', '%s')}, encode_json($jwks), $usage)),
				scalar @{ $jwks->{keys} }, "its $usage keys are imported");
		}

		my @permits = @{ $made->{permits} };
		my %wanted = map { $_->{name} => $_->{verdict} } @permits;
		is(scalar keys %wanted, scalar @permits, scalar(@permits) . ' permits');

		my %found;
		my @verdicts = verify_all($db, map { $_->{text} } @permits);
		$found{ $_->{name} } = as_expected($_, shift @verdicts) foreach @permits;
		is_deeply(\%found, \%wanted, 'verify_offline() judges them as the wire format says');

		# The gate takes lines.
		@permits = grep { $_->{text} !~ /\n/ } @permits;
		my $keys = spew('keys.json', encode_json($made->{jwks}{permit}));
		my $lines = join '', map { "$_->{text}\n" } @permits;
		utf8::encode($lines);
		run([ 'epermit-verify', '--keys', $keys, '--purpose', 'rail', '--at', $now ], '<', spew('lines', $lines), '>', \my $out);
		my @answers = map { decode_json($_) } split /\n/, $out;
		%found = map { $_->{name} => as_expected($_, (shift @answers)->{verdict}) } @permits;
		delete @wanted{ grep { !exists $found{$_} } keys %wanted };
		is_deeply(\%found, \%wanted, 'and so does epermit-verify');

		foreach my $linkage (@{ $made->{linkages} // [] })
		{
			my ($travel, $residence, $birth) = @{ $made->{documents} };
			my @arguments = ("'$travel'", "'$residence'", "'$birth'", "'finance'", "to_timestamp($now)");
			my $verify = sub {
				return $db->sql(sprintf(q{SELECT verdict FROM epermit.verify_linkage_offline('%s', %s)},
						$linkage->{text}, join(', ', @_)));
			};
			is($verify->(@arguments), $linkage->{verdict}, "linkage $linkage->{name}");
			next unless $linkage->{verdict} eq 'valid';
			is($verify->("'H22222222'", @arguments[ 1 .. 4 ]), 'not_linked', 'not with another permit');
			is($verify->(@arguments[ 0, 1 ], "'1985-06-02'", @arguments[ 3, 4 ]), 'not_linked', 'nor another birth date');
		}

		foreach my $attestation (@{ $made->{attestations} // [] })
		{
			my $answer = $db->issue('hong_kong', attestation => $attestation->{text});
			if ($attestation->{code} eq 'none')
			{
				like($answer, qr/^T-/, "attestation $attestation->{name}");
				like($db->issue('hong_kong', attestation => $attestation->{text}), qr/attestation\.reused/, 'but once only');
			}
			else
			{
				like($answer, qr/\Q$attestation->{code}\E/, "attestation $attestation->{name}");
			}
		}

		foreach my $list (@{ $made->{lists} // [] })
		{
			$db->sql("SELECT epermit.import_status_list('\\x$list->{hex}')");
			is_deeply([ verify_all($db, map { $_->{text} } @{ $list->{permits} }) ],
				[ map { $_->{verdict} } @{ $list->{permits} } ], "a status list of $list->{bits} bits");
		}
		$node->safe_psql('postgres', "DROP DATABASE $dbname");
	});
}

# ---------------------------------------------------------------- keys that are none

# All points of small order, canonical and not, and what is no point.
my $zeros = '00' x 31;
my $ones = 'ff' x 30;
my %bad_key = (
	'the neutral element'            => '01' . $zeros,
	'neutral, sign set'              => '01' . '00' x 30 . '80',
	'order 2'                        => 'ec' . $ones . '7f',
	'order 2, sign set'              => 'ec' . $ones . 'ff',
	'order 4'                        => '00' . $zeros,
	'order 4, sign set'              => '00' . '00' x 30 . '80',
	'order 8'                        => '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
	'order 8, sign set'              => '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
	'order 8, the other'             => 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
	'order 8, the other, sign set'   => 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
	'p'                              => 'ed' . $ones . '7f',
	'p, sign set'                    => 'ed' . $ones . 'ff',
	'p + 1'                          => 'ee' . $ones . '7f',
	'p + 1, sign set'                => 'ee' . $ones . 'ff',
	'all ones'                       => 'ff' x 32,
	'no point of the curve'          => '02' . $zeros);
foreach my $name (sort keys %bad_key)
{
	my $jwks = encode_json({ keys => [ { kty => 'OKP', crv => 'Ed25519', x => encode_base64url(pack 'H*', $bad_key{$name}) } ] });
	is($issuer->try("SELECT epermit.import_jwks('$jwks', 'permit')"), '22023', "no key: $name");
	run([ 'epermit-verify', '--keys', spew('bad.json', $jwks) ], '<', \undef, '>', \my $out, '2>', \my $err);
	is($? >> 8, 2, "nor for epermit-verify: $name");
}

# ---------------------------------------------------------------- QR images

# jsqr does not find a small symbol that is slanted, nor each that stands on its head.
my @views = (
	# pixels a module, degrees, readers
	[ 2, 0, qw(zbar jsqr) ], [ 2, 90, qw(zbar jsqr) ], [ 2, 5, 'zbar' ],
	(map { [ 4, $_, qw(zbar jsqr) ] } 0, 5, 12, 90), [ 4, 180, 'zbar' ]);

diag('skipped: QR images as zbar reads them: zbar-tools is not installed') unless $zbar;
with_stack('jsqr', 'QR images, slightly blurred and turned', sub {
	my @credentials = ($with_portrait, $suspended);
	foreach my $view (@views)
	{
		my ($px, $degrees, @readers) = @$view;
		foreach my $no (@credentials)
		{
			my $png = spew('symbol.png', pack 'H*',
				$issuer->sql("SELECT encode(epermit.qr_png(\$t\$$items{$no}{text}\$t\$::text, $px), 'hex')"));
			foreach my $blur (0, 0.25)
			{
				my $seen = "$dir/seen.png";
				run([ 'node', "$stacks/scan.mjs", $png, $seen, $degrees, $blur * $px ], '>', \my $jsqr);
				run([ qw(zbarimg --nodbus --quiet --raw -Sdisable -Sqrcode.enable), $seen ], '>', \my $zbar_read, '2>', \my $err)
				  if $zbar;
				my %read = (jsqr => $jsqr, zbar => ($zbar_read // '') =~ s/\n$//r);
				foreach my $reader (@readers)
				{
					SKIP:
					{
						skip 'zbar-tools is not installed', 1 if $reader eq 'zbar' && !$zbar;
						is($read{$reader}, $items{$no}{text},
							"$reader: " . substr($no, 0, 1) . ", $px px a module, $degrees degrees, blur of $blur modules");
					}
				}
			}
		}
	}
});

$node->stop;
done_testing();
