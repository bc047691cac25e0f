# epermit-verify, which has no server, says what verify_offline() says in a database that has nothing
# but the public keys; and nothing that is presented, or named as a file, confuses it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";

use Epermit;
use IPC::Run qw(run start pump finish timeout);
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = "$FindBin::RealBin/../..";
my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Epermit->start('gate');

# The same program with AddressSanitizer and UndefinedBehaviorSanitizer.
my $sanitized = "$root/build/core/epermit-verify";
my $build_log = '';
run([ 'make', '-s', '-C', "$root/test/core", 'gate' ], '&>', \$build_log)
  or die "epermit-verify with sanitizers cannot be built: $build_log";

sub spew
{
	my ($name, $bytes) = @_;
	open(my $file, '>:raw', "$dir/$name") or die "$dir/$name: $!";
	print $file $bytes;
	close($file) or die "$dir/$name: $!";
	return "$dir/$name";
}

# What a build prints, what it complains of, and its exit status.
sub run_gate
{
	my ($program, $input, @arguments) = @_;
	my ($out, $err);
	run([ $program, @arguments ], '<', $input, '>', \$out, '2>', \$err);
	my $status = $? >> 8;
	$err =~ s/^\S*epermit-verify: //;
	return ($out, $err, $status);
}

# Output lines and exit status.  Where the build with sanitizers differs, that is held against us.
my @disagreements;

sub judge
{
	my ($bytes, @arguments) = @_;
	my $input = spew('input', $bytes);
	my ($out, $err, $status) = run_gate('epermit-verify', $input, @arguments);
	my @sanitized = run_gate($sanitized, $input, @arguments);
	push @disagreements, \@sanitized if "@sanitized" ne "$out $err $status";
	return { lines => [ map { decode_json($_) } split /\n/, $out ], status => $status, err => $err };
}

sub verdicts
{
	return join ' ', map { $_->{verdict} } @{ judge(@_)->{lines} };
}

# ---------------------------------------------------------------- the stage

my %no;
$no{$_} = $issuer->issue($_) foreach sort keys %Epermit::people;
$no{portrait} = $issuer->issue('hong_kong', portrait_digest => '5a' x 32);
my %token = map { $_ => $issuer->token($no{$_}) } keys %no;
my $linkage = $issuer->token($issuer->link_documents('macao'));
my $attestation = $issuer->sql("SELECT epermit.attest('H12345678')");
$issuer->sql(q{SELECT epermit.rotate_signing_key('permit')});
$no{rotated} = $issuer->issue('macao');
$token{rotated} = $issuer->token($no{rotated});

my $keys = spew('keys.json', $issuer->sql('SELECT epermit.jwks()'));

# Another party: its own database, public keys only; and a forger with the same software.
my $node = $issuer->node;
$node->safe_psql('postgres', "CREATE DATABASE checkpoint; CREATE DATABASE forger");
my $checkpoint = Epermit->at($node, 'checkpoint');
$checkpoint->sql('CREATE EXTENSION epermit');
$checkpoint->sql(sprintf(q{SELECT epermit.import_jwks('%s', 'permit')}, slurp_file($keys)));
my $forger = Epermit->at($node, 'forger')->furnish;
my $forged = $forger->token($forger->issue('hong_kong'));

# ---------------------------------------------------------------- the same verdicts

my $good = $token{hong_kong};
my @presented = (
	values %token, values %no, $linkage, $attestation, $forged,
	'', ' ', 'A', 'AB', 'hello', '{}', 'null', 'https://epermit.invalid/#', '12345678901234567890',
	"https://epermit.invalid/v#$good", "HTTPS://EPERMIT.INVALID/V#$good", "http://epermit.invalid/#$good",
	"https://a#https://b#$good", lc $good, " $good", "$good ", "$good$good", "HC1:$good", scalar(reverse $good),
	map({ (lc, tr/-//dr, s/-/ /gr, "$_-", "https://epermit.invalid/#$_") } $no{taiwan}),
	map({ my $no = $no{taiwan}; substr($no, $_, 1) = substr($no, $_, 1) eq '7' ? '8' : '7'; $no } 2 .. 24),
	'0' x 4296, '0' x 4297, ':' x 4296, "https://epermit.invalid/#" . '0' x 4271, "陳大文", "\x{1}\x{7f}");

# Every character changed once; every length.
foreach my $i (0 .. length($good) - 1)
{
	my $changed = $good;
	substr($changed, $i, 1) = substr($good, $i, 1) eq '0' ? '1' : '0';
	push @presented, $changed, substr($good, 0, $i);
}

# Answers of the SQL function in the shape that epermit-verify prints.
sub ask_sql
{
	my ($at, $purpose, @presented) = @_;
	my $texts = join ',', map { "\$t\$$_\$t\$" } @presented;
	my $out = $checkpoint->sql(qq{
		SELECT jsonb_strip_nulls(jsonb_build_object('ok', ok, 'verdict', verdict, 'credential_no', credential_no,
			'valid_from', extract(epoch FROM valid_from)::bigint,
			'valid_until', extract(epoch FROM valid_until)::bigint,
			'holder_name', holder_name, 'name_romanised', name_romanised,
			'birth_date', to_char(birth_date, 'YYYYMMDD'), 'document_no', document_no,
			'portrait_digest', encode(portrait_digest, 'hex')))
		  FROM unnest(ARRAY[$texts]) WITH ORDINALITY AS p (presented, n),
			   epermit.verify_offline(presented, '$purpose', to_timestamp($at))
		 ORDER BY n});
	return [ map { decode_json($_) } split /\n/, $out ];
}

my $issued = $issuer->sql("SELECT extract(epoch FROM min(issued_at))::bigint FROM epermit.permit");
my ($from, $until) = split /\|/, $issuer->sql(
	qq{SELECT extract(epoch FROM issued_at)::bigint, extract(epoch FROM valid_until)::bigint
	     FROM epermit.permit WHERE credential_no::text = '$no{hong_kong}'});
my %valid;
foreach my $case (
	(map { [ $_, $issued + 3600 ] } qw(rail air finance lodging government border)),
	(map { [ 'rail', $_ ] } 0, $from - 301, $from - 300, $from, $until - 1, $until, 253402300799))
{
	my ($purpose, $at) = @$case;
	my $gate = judge(join("\n", @presented), '--keys', $keys, '--purpose', $purpose, '--at', $at);
	is_deeply($gate->{lines}, ask_sql($at, $purpose, @presented),
		scalar(@presented) . " things presented for $purpose at $at are judged as verify_offline() does");
	$valid{"$purpose $at"} = grep { $_->{ok} } @{ $gate->{lines} };
}

# Or else all of them could be wrong alike.
is($valid{"rail " . ($issued + 3600)}, 7, 'every permit is valid for rail, and the prefixed ones');
is($valid{"finance " . ($issued + 3600)}, 0, 'and none for finance');
cmp_ok($valid{'rail ' . ($from - 301)}, '<', $valid{'rail ' . ($from - 300)}, 'a clock may lag by 300 seconds');
cmp_ok($valid{"rail $until"}, '<', $valid{'rail ' . ($until - 1)}, 'and not run ahead by one');

is(verdicts($good, '--keys', $keys), 'valid', 'without a purpose none is asked for');
is(verdicts("$good\n$forged\n$linkage\n$attestation", '--keys', $keys), 'valid unknown_key malformed malformed',
	'a forgery is of an unknown key, other messages are no permits');

# A linkage key is no permit key, whatever it signed.
{
	my $set = slurp_file($keys) =~ s/"permit"/"linkage"/gr;
	is(judge($good, '--keys', spew('usage.json', $set))->{status}, 2, 'a set without permit keys is no set for a gate');
	$set = decode_json(slurp_file($keys));
	$_->{epermit_usage} = $_->{epermit_usage} eq 'permit' ? 'status' : 'permit' foreach @{ $set->{keys} };
	is(verdicts($good, '--keys', spew('usage.json', encode_json($set))), 'unknown_key', 'a key of another usage verifies no permit');
	delete $_->{epermit_usage} foreach @{ $set->{keys} };
	is(verdicts($good, '--keys', spew('usage.json', encode_json($set))), 'valid', 'a set that does not tell usages is taken for permits');
}

# ---------------------------------------------------------------- status lists

# Everything is still good when the first list is signed.
my $all_good = spew('all_good.cwt', status_list($issuer));
$issuer->sql('SELECT pg_sleep(1.1)');    # lists are dated to the second
$issuer->sql("SELECT epermit.revoke_permit('$no{macao}', 'test')");
$issuer->sql("SELECT epermit.suspend_permit('$no{taiwan}', 'test')");
my $list = spew('list.cwt', status_list($issuer));
my @with_lists = ('--keys', $keys, '--status-list');

sub status_list
{
	my ($db) = @_;
	return pack 'H*', $db->sql(q{SELECT encode(epermit.status_list(0), 'hex')});
}

my @permits = @token{qw(hong_kong macao taiwan portrait rotated)};
my $permits = join "\n", @permits;
is(verdicts($permits, @with_lists, $all_good), 'valid valid valid valid valid', 'a list that says nothing against anybody');
is(verdicts($permits, @with_lists, $list), 'valid revoked suspended valid valid', 'a list tells who is revoked and suspended');
is(verdicts($permits, '--keys', $keys), 'valid valid valid valid valid', 'without a list no revocation is known');
is(verdicts($permits, @with_lists, $list, '--status-list', $all_good), 'valid revoked suspended valid valid',
	'an older list after a newer one undoes nothing');
is(verdicts($permits, @with_lists, $all_good, '--status-list', $list), 'valid revoked suspended valid valid', 'nor before it');

$checkpoint->sql(sprintf(q{SELECT epermit.import_jwks('%s', 'status')}, slurp_file($keys)));
$checkpoint->sql(sprintf(q{SELECT epermit.import_status_list('\x%s')}, unpack('H*', slurp_file($list))));
my $signed = $checkpoint->sql('SELECT extract(epoch FROM iat)::bigint FROM epermit.imported_status_list');
foreach my $at ($signed, $signed + 86399, $signed + 86400, $until)
{
	my $gate = judge("$permits\n$forged", @with_lists, $list, '--purpose', 'air', '--at', $at);
	is_deeply($gate->{lines}, ask_sql($at, 'air', @permits, $forged),
		'with a list, ' . ($at - $signed) . ' s after it was signed, verdicts are those of verify_offline()');
}
is(verdicts($permits, @with_lists, $list, '--at', $signed + 86400),
	join(' ', ('undetermined') x 5), 'a list that has expired leaves its permits undetermined');

# Lists that are not to be trusted end the program.
my $bytes = slurp_file($list);
my %list = (
	"a forger's"         => [ spew('forged.cwt', status_list($forger)), qr/signed by no status key/ ],
	'a bit changed'      => [ spew('bit.cwt', substr($bytes, 0, -1) . chr(ord(substr($bytes, -1)) ^ 1)), qr/bad signature/ ],
	'cut short'          => [ spew('cut.cwt', substr($bytes, 0, -1)), qr/is no status list/ ],
	'with a byte more'   => [ spew('more.cwt', "$bytes\0"), qr/is no status list/ ],
	'in hexadecimal'     => [ spew('hex.cwt', unpack 'H*', $bytes), qr/is no status list/ ],
	'a permit'           => [ spew('permit.cwt', pack 'H*', $issuer->sql("SELECT encode(epermit.cose('$good'), 'hex')")),
							  qr/is no status list/ ]);
foreach my $name (sort keys %list)
{
	my ($path, $why) = @{ $list{$name} };
	my $answer = judge($permits, @with_lists, $path);
	ok($answer->{status} == 2 && @{ $answer->{lines} } == 0 && $answer->{err} =~ $why, "list refused: $name");
}
{
	my $set = slurp_file($keys) =~ s/"status"/"permit"/gr;
	like(judge($permits, '--keys', spew('usage.json', $set), '--status-list', $list)->{err}, qr/signed by no status key/,
		'a permit key signs no lists');
}

# ---------------------------------------------------------------- exit status

is(judge("$good\n$token{taiwan}\n", '--keys', $keys)->{status}, 0, 'status 0: all valid');
is(judge("$good\nx\n", '--keys', $keys)->{status}, 1, 'status 1: some not');
is(judge('', '--keys', $keys)->{status}, 0, 'nothing presented, nothing invalid');
is(judge("$good\n", '--keys', $keys, '--purpose', 'border')->{status}, 1, 'status 1: border');

my %wrong = (
	'no keys'                => [],
	'a file too many'        => [ '--keys', $keys, 'tokens' ],
	'an unknown option'      => [ '--keys', $keys, '--force' ],
	'no such purpose'        => [ '--keys', $keys, '--purpose', 'Rail' ],
	'no instant'             => [ '--keys', $keys, '--at', 'now' ],
	'an instant with a unit' => [ '--keys', $keys, '--at', '1s' ],
	'before 1970'            => [ '--keys', $keys, '--at', '-1' ],
	'after 9999'             => [ '--keys', $keys, '--at', '253402300800' ],
	'beyond all numbers'     => [ '--keys', $keys, '--at', '9' x 30 ],
	'an empty instant'       => [ '--keys', $keys, '--at', '' ],
	'an absent file'         => [ '--keys', "$dir/absent" ],
	'a directory'            => [ '--keys', $dir ],
	'an absent list'         => [ '--keys', $keys, '--status-list', "$dir/absent" ],
	'a directory as list'    => [ '--keys', $keys, '--status-list', $dir ],
	'a key set as list'      => [ '--keys', $keys, '--status-list', $keys ],
	'an empty list'          => [ '--keys', $keys, '--status-list', '/dev/null' ],
	'an endless list'        => [ '--keys', $keys, '--status-list', '/dev/zero' ]);
foreach my $name (sort keys %wrong)
{
	my $answer = judge("$good\n", @{ $wrong{$name} });
	ok($answer->{status} == 2 && @{ $answer->{lines} } == 0 && $answer->{err} ne '', "status 2, and why: $name");
}
{
	run([ 'epermit-verify', '--help' ], '>', \my $help);
	ok($? == 0 && $help =~ /--status-list FILE/, 'status 0, and all options: help');
}

# ---------------------------------------------------------------- key sets

my ($jwk) = $issuer->sql("SELECT epermit.jwks('permit') -> 'keys' -> 0");
my %jwk = %{ decode_json($jwk) };
my $other_x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';    # RFC 8037 appendix A
my %set = (
	'an empty file'           => [ '', undef ],
	'half a file'             => [ substr($jwk, 0, 40), undef ],
	'no object'               => [ '[]', undef ],
	'no set'                  => [ $jwk, undef ],
	'no array'                => [ '{"keys":{}}', undef ],
	'an empty set'            => [ '{"keys":[]}', undef ],
	'members twice'           => [ qq({"keys":[$jwk],"keys":[$jwk]}), undef ],
	'a private key'           => [ encode_json({ keys => [ { %jwk, d => $jwk{x} } ] }), undef ],
	'a key cut short'         => [ encode_json({ keys => [ { %jwk, x => substr($jwk{x}, 0, 40) } ] }), undef ],
	'a key in plain base64'   => [ encode_json({ keys => [ { %jwk, x => "$jwk{x}=" } ] }), undef ],
	'a number for a key'      => [ encode_json({ keys => [ { %jwk, x => 1 } ] }), undef ],
	'the neutral element'     => [ encode_json({ keys => [ { %jwk, x => 'AQ' . 'A' x 41 } ] }), undef ],
	'a point of order 4'      => [ encode_json({ keys => [ { %jwk, x => 'A' x 43 } ] }), undef ],
	'not canonical'           => [ encode_json({ keys => [ { %jwk, x => '_' x 42 . '8' } ] }), undef ],
	'only other kinds'        => [ '{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB"},{"kty":"OKP","crv":"X25519","x":"AA"},7,null]}', undef ],
	'for encryption'          => [ encode_json({ keys => [ { %jwk, use => 'enc' } ] }), undef ],
	'for another algorithm'   => [ encode_json({ keys => [ { %jwk, alg => 'ES256' } ] }), undef ],
	'among other kinds'       => [ qq({"keys":[{"kty":"EC"},$jwk,null]}), 'valid' ],
	'without what may lack'   => [ encode_json({ keys => [ { map { $_ => $jwk{$_} } qw(kty crv x) } ] }), 'valid' ],
	'with what is not known'  => [ encode_json({ keys => [ { %jwk, x5c => [], note => 'x' } ] }), 'valid' ],
	'with a kid of theirs'    => [ encode_json({ keys => [ { %jwk, kid => 'key-1' } ] }), 'valid' ],
	'alg of RFC 9864'         => [ encode_json({ keys => [ { %jwk, alg => 'Ed25519' } ] }), 'valid' ],
	'that trusts it no more'  => [ encode_json({ keys => [ { %jwk, x => $other_x } ], epermit_compromised => [ 7, $jwk{kid} ] }), 'key_compromised' ],
	'that trusts another no more' => [ encode_json({ keys => [ \%jwk ], epermit_compromised => ['AAAAAAAAAAA'] }), 'valid' ]);
foreach my $name (sort keys %set)
{
	my ($text, $verdict) = @{ $set{$name} };
	my $answer = judge("$good\n", '--keys', spew('set.json', $text));
	if (defined $verdict)
	{
		is($answer->{lines}[0]{verdict}, $verdict, "key set accepted: $name");
	}
	else
	{
		ok($answer->{status} == 2 && $answer->{err} =~ /set\.json: ./, "key set refused: $name");
	}
}

# ---------------------------------------------------------------- hostile lines

my %lines = (
	'no newline at the end'     => [ $good,                                'valid' ],
	'carriage returns'          => [ "$good\r\n$good\r\n",                 'valid valid' ],
	'two carriage returns'      => [ "$good\r\r\n",                        'malformed' ],
	'empty lines'               => [ "\n\n$good\n\n",                      'malformed malformed valid malformed' ],
	'NUL in front'              => [ "\0$good\n$good\n",                   'malformed valid' ],
	'NUL after'                 => [ "$good\0\n$good\n",                   'malformed valid' ],
	'NUL alone'                 => [ "\0\n\0",                             'malformed malformed' ],
	'NUL in a number'           => [ substr($no{taiwan}, 0, 9) . "\0" . substr($no{taiwan}, 10), 'mistyped' ],
	'bytes that are no UTF-8'   => [ "\xff\xfe\x80\n\xc0\xaf\n",           'malformed malformed' ],
	'a line of 4,296'           => [ 'https://' . 'x' x (4296 - 9 - length $good) . "#$good\n", 'valid' ],
	'a line of 4,296 and a return' => [ 'https://' . 'x' x (4296 - 9 - length $good) . "#$good\r\n", 'valid' ],
	'a line of 4,297'           => [ 'https://' . 'x' x (4297 - 9 - length $good) . "#$good\n", 'malformed' ],
	'returns where it is cut'   => [ $good . "\r" x 5000 . "\n",           'malformed' ],
	'a line of 3 MB, then one'  => [ 'A' x 3_000_000 . "\n$good\n",        'malformed valid' ],
	'1 MB of NUL without end'   => [ "\0" x 1_000_000,                     'malformed' ]);
foreach my $name (sort keys %lines)
{
	my ($input, $verdicts) = @{ $lines{$name} };
	is(verdicts($input, '--keys', $keys), $verdicts, "lines: $name");
}

# Noise: random bytes, and mutations of what is genuine.
srand(20261201);
my $noise = '';
foreach my $n (1 .. 4000)
{
	my $line = $n % 4 ? (values %token, $linkage, $no{taiwan})[ rand(7) ] : join '', map { chr rand 256 } 0 .. rand 600;
	substr($line, rand(length $line), rand(4)) = join '', map { chr rand 256 } 1 .. rand 4 foreach 0 .. rand 3;
	$noise .= $line =~ tr/\n//dr . "\n";
}
my $answer = judge($noise, '--keys', $keys);
is(scalar @{ $answer->{lines} }, 4000, 'noise: every line gets its verdict');
is(scalar(grep { $_->{verdict} !~ /^(valid|malformed|mistyped|undetermined|unknown_key|bad_signature|out_of_scope)$/ } @{ $answer->{lines} }),
	0, 'noise: verdicts are those of the contract');
ok(!(grep { !$_->{ok} && exists $_->{holder_name} } @{ $answer->{lines} }), 'noise: nobody is told about who is not valid');

is_deeply(\@disagreements, [], 'with sanitizers all of this goes the same way');

# ---------------------------------------------------------------- at the gate

# Whoever waits for a verdict gets it before the next passenger comes.
{
	my ($in, $out) = ('', '');
	my $gate = start([ 'epermit-verify', '--keys', $keys ], '<', \$in, '>', \$out, timeout(20));
	my $answered = eval {
		foreach my $n (1 .. 3)
		{
			$in .= "$good\n";
			pump $gate until ($out =~ tr/\n//) == $n;
		}
		finish $gate;
	};
	ok($answered, 'each line is answered before the next is read') or $gate->kill_kill;
}
{
	my $full = -w '/dev/full' ? '/dev/full' : undef;
	SKIP:
	{
		skip '/dev/full is not there', 1 unless $full;
		run([ 'epermit-verify', '--keys', $keys ], '<', \"$good\n", '>', $full, '2>', \my $err);
		is($? >> 8, 2, 'a verdict that cannot be written is no success');
	}
}

# ---------------------------------------------------------------- speed

# The signature is nearly all of the work.  The bound is loose: other tests run beside this one.
$issuer->sql(q{
	DO $$ BEGIN FOR i IN 1 .. 500 LOOP
		PERFORM epermit.register_holder('H' || lpad(i::text, 8, '0'), '2040-01-01', '陳大文', 'CHAN TAI MAN', '1985-06-01', 'male', 'HKG');
	END LOOP; END $$;
	INSERT INTO epermit.permit (holder_id, travel_permit_no, reason, request_id)
	SELECT holder_id, travel_permit_no, 'lost', gen_random_uuid() FROM epermit.travel_permit WHERE travel_permit_no::text < 'H00000501'
	   AND travel_permit_no::text >= 'H00000001';});
my $now = $issuer->sql("SELECT epermit.jwks('permit')");
my $active = $issuer->sql(q{SELECT translate(encode(kid, 'base64'), '+/=', '-_') FROM epermit.signing_keys() WHERE usage = 'permit' AND state = 'active'});
my ($active_key) = grep { $_->{kid} eq $active } @{ decode_json($now)->{keys} };
my $active_keys = spew('active.json', encode_json({ keys => [$active_key] }));
my $tokens = spew('tokens', $issuer->sql(q{SELECT token FROM epermit.permit WHERE travel_permit_no::text BETWEEN 'H00000001' AND 'H00000500'}) . "\n");
my ($speed, $speed_err) = ('', '');
run([ "$root/test/bench/gate", $active_keys, $tokens ], '>', \$speed, '2>', \$speed_err) or diag($speed_err);
note($speed);
my ($ratio) = $speed =~ /^ratio\s+(\S+)/m;
diag("epermit-verify does $ratio of what bare libsodium does");
cmp_ok($ratio // 0, '>=', 0.75, 'it is nearly as fast as libsodium alone');

$node->stop;
done_testing();
