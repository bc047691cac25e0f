# Another party's database, with the issuer's public keys and nothing else of it, judges what people show:
# by published keys and status lists, as of a given instant, and it can issue nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";

use Compress::Zlib qw(compress);
use Epermit;
use IPC::Run qw(run);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $issuer = Epermit->start('issuer', streaming => 1);
my $node = Epermit::new_cluster('party');
$node->start;
my $party = Epermit->at($node);
$party->sql('CREATE EXTENSION epermit; CREATE ROLE keeper IN ROLE epermit_keeper; CREATE ROLE gate');

sub import_keys
{
	my ($usage) = @_;
	my $jwks = $issuer->sql("SET ROLE bank; SELECT epermit.jwks('$usage')");
	return $party->sql("SET ROLE keeper; SELECT epermit.import_jwks('$jwks', '$usage')");
}

sub published
{
	my ($list) = @_;
	return $issuer->sql("SET ROLE bank; SELECT epermit.status_list($list)");
}

# The URI, or the SQLSTATE.
sub import_list
{
	my ($list, $into) = @_;
	return ($into // $party)->try("SET ROLE keeper; SELECT epermit.import_status_list('$list')");
}

# Verdicts, by anybody, in transactions that write nothing.
sub judged
{
	my ($token, %at) = @_;
	my $purpose = $at{purpose} // 'rail';
	my $after = $at{after} // '0';
	return ($at{in} // $party)->sql(
		qq{SET ROLE gate; SET default_transaction_read_only = on;
		SELECT verdict FROM epermit.verify_offline('$token', '$purpose', now() + interval '$after')});
}

sub linked
{
	my ($token) = @_;
	return $party->verify_linkage_offline('hong_kong', $token);
}

# ---------------------------------------------------------------- keys

my %no = (
	good      => $issuer->issue('hong_kong'),
	revoked   => $issuer->issue('hong_kong'),
	suspended => $issuer->issue('macao'));
my %token = map { $_ => $issuer->token($no{$_}) } keys %no;
my $linkage_no = $issuer->link_documents('hong_kong');
my $linkage = $issuer->token($linkage_no);

is(judged($token{good}), 'unknown_key', 'without keys nothing is known');
is(import_keys('permit'), '1', 'keys for permits');
is(judged($token{good}), 'valid', 'tell a permit');
is(linked($linkage), 'unknown_key', 'but no linkage result');
is(import_keys('linkage'), '1', 'keys for linkage results');
is(linked($linkage), 'valid', 'tell one');
is(judged($token{revoked}), 'valid', 'without any status list nothing is known of revocations');

# ---------------------------------------------------------------- nothing of its own

$party->register('hong_kong');
is( $party->try(
		q{INSERT INTO epermit.permit (holder_id, travel_permit_no, reason, request_id)
		SELECT holder_id, travel_permit_no, 'lost', gen_random_uuid() FROM epermit.travel_permit}),
	'TP003', 'public keys sign no permit');
is($party->try(q{SELECT epermit.attest('H12345678')}), 'TP003', 'nor an attestation');
is($party->try('SELECT epermit.status_list(0)'), '42704', 'nor a status list');

# ---------------------------------------------------------------- status lists

my $old = published(0);
is(import_list($old), '22023', 'a list of a key that is not known is refused');
is(import_keys('status'), '1', 'keys for status lists');
is(import_list($old), 'https://epermit.invalid/s/0', 'a list');
is(judged($token{$_}), 'valid', "$_: nothing has happened yet") foreach sort keys %token;

$issuer->sql("SELECT pg_sleep(1.1), epermit.revoke_permit('$no{revoked}', 'found'), epermit.suspend_permit('$no{suspended}', 'doubts'),
	epermit.revoke_linkage('$linkage_no', 'wrong person')");
is(judged($token{revoked}), 'valid', 'what happened since is not known yet');
my $new = published(0);
is(import_list($new), 'https://epermit.invalid/s/0', 'the next list');

is(judged($token{good}), 'valid', 'valid');
is(judged($token{revoked}), 'revoked', 'revoked');
is(judged($token{suspended}), 'suspended', 'suspended');
is(linked($linkage), 'revoked', 'a linkage result, revoked');

is(judged($token{good}, purpose => 'finance'), 'out_of_scope', 'out of scope');
is(judged($token{good}, purpose => 'border'), 'out_of_scope', 'the border, always');
is(judged($token{good}, after => '-1 day'), 'not_yet_valid', 'before its time');
is(judged($token{good}, after => '25 hours'), 'undetermined', 'when the list has expired');
is(judged($token{good}, after => '25 hours', purpose => 'finance'), 'out_of_scope', 'out of scope, whatever a list would say');
is(judged($token{good}, after => '8 days'), 'expired', 'when the permit has expired');
is(judged($no{good}), 'undetermined', 'a printed number proves nothing');
is(judged(substr($token{good}, 0, -2)), 'malformed', 'half a token');

is(import_list($old), '55000', 'an older list, replayed, is refused');
is(judged($token{revoked}), 'revoked', 'and changes nothing');
is(import_list($new), 'https://epermit.invalid/s/0', 'the same list again is none');

$issuer->sql("SELECT pg_sleep(1.1), epermit.reinstate_permit('$no{suspended}', 'cleared')");
import_list(published(0));
is(judged($token{suspended}), 'valid', 'reinstated');

# the next list
$issuer->sql("SELECT setval('epermit.status_seq', 131072)");
my $second = $issuer->token($issuer->issue('macao'));
is(judged($second), 'undetermined', 'a list that was never imported');
is(import_list(published(1)), 'https://epermit.invalid/s/1', 'the second list');
is(judged($second), 'valid', 'a permit of the second list');

# ---------------------------------------------------------------- rotation

$issuer->sql("SELECT epermit.rotate_signing_key('permit'), epermit.rotate_signing_key('status')");
my $rotated = $issuer->token($issuer->issue('taiwan'));
is(judged($rotated), 'unknown_key', 'a permit of the next key');
is(judged($token{good}), 'valid', 'one of the retired key');
is(import_list(published(1)), '22023', 'a list of the next key');
is(import_keys('permit') . import_keys('status'), '11', 'the next keys');
is(import_list(published($_)), "https://epermit.invalid/s/$_", "list $_ of the next key") foreach 0, 1;
is(judged($rotated), 'valid', 'are known then');

# ---------------------------------------------------------------- many at once, in parallel workers

$party->sql('CREATE TABLE shown (token text, verdict text)');
my $n = 0;
foreach my $name (sort keys %token)
{
	my $verdict = judged($token{$name});
	$party->sql("INSERT INTO shown SELECT '$token{$name}', '$verdict' FROM generate_series(1, 2000)");
}
my $parallel = q{SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;};
my $question = q{SELECT count(*) FROM shown WHERE (epermit.verify_offline(token, 'rail')).verdict::text = verdict};
like($party->sql("$parallel EXPLAIN $question"), qr/Parallel Seq Scan/, 'parallel workers verify');
is($party->sql("$parallel $question"), '6000', 'and say the same');

# ---------------------------------------------------------------- lists that others make

my @python = ('/usr/bin/python3', "$FindBin::RealBin/lib/foreign_status_list.py");

sub python
{
	run([ @python, @_ ], '>', \my $out, '2>', \my $err) or return;
	chomp $out;
	return $out;
}

SKIP:
{
	my $seed = '11' x 32;
	my $jwks = python('key', $seed);
	skip('python3 with cbor2 and nacl is not installed', 1) unless defined $jwks;

	my $foreign = Epermit->at($node, 'elsewhere');
	$node->safe_psql('postgres', 'CREATE DATABASE elsewhere');
	$foreign->sql("CREATE EXTENSION epermit; SELECT epermit.import_jwks('" . $issuer->sql("SELECT epermit.jwks('permit')") . "', 'permit')");

	my $now = time();
	my ($good, $revoked) = map { $issuer->sql("SELECT epermit.claims('$token{$_}') -> 'status' ->> 'idx'") } qw(good revoked);
	my $uri = 'https://epermit.invalid/s/0';

	my $second = $now - 100;    # each list a second younger than the one before
	my $foreign_list = sub {
		my (%wish) = @_;
		my $by = delete $wish{seed} // $seed;
		return '\x' . python('list', $by, encode_json({ sub => $uri, iat => ++$second, exp => $now + 3600, %wish }));
	};
	my $taken = sub { return import_list($foreign_list->(@_), $foreign) };
	my $verdict = sub { return judged($token{ $_[0] }, in => $foreign) };

	is($taken->(), '22023', 'of a stranger');
	$foreign->sql("SELECT epermit.import_jwks('$jwks', 'status')");

	# what is no list to trust
	my $permit_seed = '22' x 32;
	my $permit_jwks = python('key', $permit_seed);
	$foreign->sql("SELECT epermit.import_jwks('$permit_jwks', 'permit')");
	my $garbage = compress('x' x 32768, 9) . 'x';
	my %refused = (
		'signed by a key of another usage'     => { seed => $permit_seed },
		'expired'                              => { exp => $now },
		'signed in the future'                 => { iat => $now + 360 },
		'without a URI'                        => { sub => '' },
		'with a URI that is too long'          => { sub => 'https://foreign.invalid/' . 'x' x 1000 },
		'of another typ'                       => { typ => 'application/vnd.epermit.linkage+cwt' },
		'with entries of three bits'           => { bits => 3, size => 131072 },
		'that inflates to 64 MiB'              => { lst => unpack('H*', compress("\0" x (1 << 26), 9)) },
		'that inflates to a byte too many'     => { lst => unpack('H*', compress("\0" x 32769, 9)) },
		'of no entries'                        => { size => 0 },
		'that is no zlib stream'               => { lst => '00' x 100 },
		'with bytes after its zlib stream'     => { lst => unpack('H*', $garbage) },
		'of more entries than a list may have' => { bits => 1, size => 131080 });
	is($taken->(%{ $refused{$_} }), '22023', "a list $_") foreach sort keys %refused;
	is($verdict->('good'), 'valid', 'none of them is known of');

	# what is one
	is($taken->(sub => 'https://epermit.invalid/s/7', entries => { $good => 1 }), 'https://epermit.invalid/s/7', 'a list of another URI');
	is($verdict->('good'), 'undetermined', 'says nothing of this one, but that there are lists');
	is($taken->(entries => { $good => 1 }), $uri, 'an unsorted list');
	is($verdict->('good'), 'revoked', 'is read');
	is($taken->(sorted => JSON::PP::true, tagged => JSON::PP::true, extra => [ 'x', { y => 1 } ], entries => { $good => 2, $revoked => 1 }),
		$uri, 'a sorted one, in a CWT tag, with a claim of its own');
	is($verdict->('good') . ' ' . $verdict->('revoked'), 'suspended revoked', 'is read');
	foreach my $bits (1, 4, 8)
	{
		is($taken->(bits => $bits, entries => { $good => 1 }), $uri, "a list with entries of $bits bits");
		is($verdict->('good') . ' ' . $verdict->('revoked'), 'revoked valid', 'is read');
	}
	is($taken->(bits => 4, entries => { $good => 11 }), $uri, 'a list with a status of its own');
	is($verdict->('good'), 'undetermined', 'is not taken for another');
	my ($low, $high) = sort { $a <=> $b } $good, $revoked;
	is($taken->(size => ($low / 4 + 1) * 4), $uri, 'a short list');
	is(judged($token{ $high == $good ? 'good' : 'revoked' }, in => $foreign), 'undetermined', 'says nothing of entries beyond its end');
	is(judged($token{ $low == $good ? 'good' : 'revoked' }, in => $foreign), 'valid', 'but of those before it');
	is($taken->(iat => $second), '55000', 'another one of the same second');
	is($taken->(iat => $second - 1), '55000', 'an older one');
	is($taken->(iat => $now + 60, exp => $now + 7200, entries => { $good => 1 }), $uri, 'a later one, of a clock that is fast');
	is(judged($token{good}, in => $foreign, after => '90 minutes'), 'revoked', 'is in force as long as it says');
	is(judged($token{good}, in => $foreign, after => '3 hours'), 'undetermined', 'and no longer');

	# a thief's list is believed no longer than the theft is unknown
	is($taken->(iat => $now + 61), $uri, 'a list that says nothing is revoked');
	is($verdict->('good'), 'valid', 'is believed');
	$foreign->sql("SELECT epermit.compromise_signing_key(kid, 'stolen') FROM epermit.signing_keys() WHERE usage = 'status'");
	is($verdict->('good'), 'undetermined', 'until its key is known to be stolen');
	is($taken->(iat => $now + 62), '22023', 'and no other is taken');
	$foreign->sql("SELECT epermit.import_jwks('" . python('key', '33' x 32) . "', 'status')");
	is($taken->(iat => $now + 62, seed => '33' x 32, entries => { $good => 2 }), $uri, 'but one of the key after it');
	is($verdict->('good'), 'suspended', 'is');
}

# ---------------------------------------------------------------- restored

my @presented = (values %token, $linkage, $second, $rotated);
my $before = join ' ', map { judged($_) } @presented;
my $dump = PostgreSQL::Test::Utils::tempdir . '/party.dump';
$node->command_ok([ 'pg_dump', '--format=custom', "--file=$dump", 'postgres' ], 'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--jobs=2', '--dbname=restored', $dump ], 'restored');
my $restored = Epermit->at($node, 'restored');
is(join(' ', map { judged($_, in => $restored) } @presented), $before, 'the same verdicts');
is(import_list($new, $restored), '55000', 'and an old list is as old as before');

# ---------------------------------------------------------------- lists from a standby

my $primary = $issuer->node;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
chmod(0600, $standby->data_dir . '/epermit_master_key');
$standby->start;
my $replica = Epermit->at($standby);

sub from_standby
{
	$primary->wait_for_catchup($standby);
	return $replica->try('SET ROLE bank; SELECT epermit.status_list(0)');
}

$issuer->sql('SELECT txid_current()');
is(from_standby(), published(0), 'a standby publishes what the primary signed');
$issuer->sql("SELECT epermit.suspend_permit('$no{good}', 'doubts')");
my $from_standby = from_standby();
is(import_list($from_standby), 'https://epermit.invalid/s/0', 'and signs what happened since');
is(judged($token{good}), 'suspended', 'as it happened');
is(import_list(published(0)), 'https://epermit.invalid/s/0', 'as the primary then does, later');
is(judged($token{good}), 'suspended', 'to the same effect');
$primary->stop;
is(length($replica->sql('SELECT epermit.status_list(0)')), length($from_standby), 'without the primary it goes on');
$standby->stop;

# ---------------------------------------------------------------- a stolen key

$primary->start;
my $old_set = $issuer->sql("SELECT epermit.jwks('permit')");
$issuer->sql("SELECT epermit.compromise_signing_key(kid, 'stolen') FROM epermit.signing_keys() WHERE usage = 'permit' AND state <> 'compromised'");
is(judged($token{good}), 'suspended', 'what is stolen is not known of at once');
is(import_keys('permit'), '0', 'the key set says so');
is(judged($token{good}), 'key_compromised', 'and from then on nothing of it verifies');
$party->sql("SET ROLE keeper; SELECT epermit.import_jwks('$old_set', 'permit')");
is(judged($token{good}), 'key_compromised', 'nor does an older set bring it back');

# ---------------------------------------------------------------- a whole list

my ($size, $took) = split /\|/, $issuer->sql(
	q{SET session_replication_role = replica;
	INSERT INTO epermit.credential_event (credential_no, event_no, status, reason, actor, status_list_id, status_idx)
	SELECT c.credential_no, 100 + n / 5, (ARRAY['revoked', 'suspended', 'valid'])[1 + abs(hashint4(n) % 3)], 'x', 'x', 1, n
	  FROM generate_series(0, 131071) n
	  JOIN (SELECT credential_no, row_number() OVER () - 1 AS k FROM epermit.permit) c ON c.k = n % 5;
	ANALYZE epermit.credential_event;
	CREATE FUNCTION took() RETURNS float8 LANGUAGE plpgsql AS $$
	DECLARE
		began timestamptz := clock_timestamp();
	BEGIN
		PERFORM epermit.status_list(1);
		RETURN extract(epoch FROM clock_timestamp() - began) * 1000;
	END $$;
	CREATE FUNCTION rebuilt() RETURNS float8 LANGUAGE plpgsql AS $$
	BEGIN
		UPDATE epermit.status_list SET token = NULL WHERE list_id = 1;
		RETURN took();
	END $$;
	SELECT length(epermit.status_list(1)), min(rebuilt()) FROM generate_series(1, 3);});
cmp_ok($size, '>', 16000, 'a list of 131,072 events');
cmp_ok($took, '<', 500, 'is built and signed in well under half a second');
note("$took ms");

$primary->stop;
$node->stop;
done_testing();
