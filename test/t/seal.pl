# Sealing beside hundreds of writers: no event is skipped, however late its transaction commits, and none is
# sealed twice.  What a proof says, OpenSSL and a few lines of Perl confirm.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";

use Digest::SHA qw(sha256);
use Epermit;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $db = Epermit->start('sealed', conf => "max_prepared_transactions = 2\nautovacuum_naptime = 1s\n");
my $node = $db->node;

sub script
{
	my ($name, $sql) = @_;
	PostgreSQL::Test::Utils::append_to_file("$dir/$name.sql", $sql);
	return "$dir/$name.sql";
}

# ---------------------------------------------------------------- under load

my $no = $db->issue('hong_kong');
my $token = $db->token($no);
$db->sql("GRANT rail TO CURRENT_USER; CREATE TABLE public.presented AS SELECT '$token'::text AS token; GRANT SELECT ON public.presented TO rail");

# Verifications, as departments make them; and events in transactions that last, roll back or commit out of order.
my $verify = script('verify', "SET ROLE rail;\nSELECT verdict FROM public.presented, epermit.verify_permit(token, 'rail');\n");
my $slow = script('slow',
	q{\set us random(1000, 40000)
	\set outcome random(1, 4)
	BEGIN;
	SELECT epermit.audit_event('slow', NULL);
	\sleep :us us
	SAVEPOINT s;
	SELECT epermit.audit_event('slow', NULL);
	\if :outcome = 1
	ROLLBACK;
	\elif :outcome = 2
	ROLLBACK TO s;
	COMMIT;
	\else
	COMMIT;
	\endif
	});
my $seal = script('seal', "SELECT epermit.seal_audit(500);\n\\sleep 5 ms\n");

my @load = map {
	my ($clients, $file) = @$_;
	IPC::Run::start([ 'pgbench', '-n', '-T', '6', '-c', $clients, '-f', $file, '-h', $node->host, '-p', $node->port, 'postgres' ],
		'>', \my $out, '2>', \my $err)
} ([ 4, $verify ], [ 12, $slow ], [ 2, $seal ]);

# Halfway, two transactions write an event and stay open.
ok($node->poll_query_until('postgres', 'SELECT count(*) >= 20 FROM epermit.audit_seal'), 'sealing keeps pace');
my $late = $node->background_psql('postgres');
$late->query_safe(q{BEGIN; SELECT epermit.audit_event('late', NULL)});
$node->safe_psql('postgres', q{BEGIN; SELECT epermit.audit_event('prepared', NULL); PREPARE TRANSACTION 'p'});

my $failed = 0;
foreach my $run (@load)
{
	$run->finish;
	$failed++ if $run->result != 0;
}
is($failed, 0, 'writers and two sealers at once do not get into each other\'s way');

$db->sql('SELECT epermit.seal_audit()');
my $before = $db->sql('SELECT max(seal_id) FROM epermit.audit_seal');
$late->query_safe('COMMIT');
$late->quit;
$db->sql(q{COMMIT PREPARED 'p'});

# Autovacuum may have a transaction open for a moment.
my $left = 'SELECT count(*) FROM epermit.audit_log l WHERE NOT EXISTS (SELECT FROM epermit.audit_sealed d WHERE d.id = l.id AND d.at = l.at)';
ok( $node->poll_query_until('postgres', "SELECT (epermit.seal_audit() IS NULL) AND ($left) = 0"),
	'in the end every event is sealed');
is( $db->sql(q{SELECT count(*) > 1000, count(*) = count(d.id), count(*) = (SELECT count(*) FROM epermit.audit_sealed)
		FROM epermit.audit_log LEFT JOIN epermit.audit_sealed d USING (id, at)}),
	't|t|t', 'each once');
is($db->sql('SELECT bool_and(ok), count(DISTINCT seal_id) = max(seal_id) FROM epermit.verify_audit()'), 't|t', 'all seals hold');
is( $db->sql(
		qq{SELECT min(d.seal_id) > $before, count(*) FROM epermit.audit_sealed d JOIN epermit.audit_log USING (id, at)
		WHERE event IN ('late', 'prepared')}),
	't|2', 'the late ones came into a later seal');
cmp_ok($db->sql(q{SELECT count(*) FROM epermit.audit_seal a JOIN epermit.audit_log l ON l.xid > a.upto_xid
		JOIN epermit.audit_sealed d ON d.id = l.id AND d.at = l.at AND d.seal_id <= a.seal_id}),
	'==', 0, 'no seal covers what it says it does not');

# ---------------------------------------------------------------- a crash

$db->sql(q{SELECT epermit.audit_event('before the crash', NULL)});
$node->stop('immediate');
$node->start;
ok($node->poll_query_until('postgres', "SELECT (epermit.seal_audit() IS NULL) AND ($left) = 0"), 'sealing goes on after a crash');
is($db->sql('SELECT bool_and(ok) FROM epermit.verify_audit()'), 't', 'and all seals hold');

# ---------------------------------------------------------------- a third party

# The items of a COSE_Sign1, each a byte string with a head of one to three bytes.
sub byte_strings
{
	my ($bytes) = @_;
	my @strings;
	while (length $bytes)
	{
		my $initial = ord substr($bytes, 0, 1, '');
		if ($initial >> 5 != 2) { next; }    # the tag, the array, the empty map
		my $length = $initial & 31;
		$length = unpack('C', substr($bytes, 0, 1, '')) if $length == 24;
		$length = unpack('n', substr($bytes, 0, 2, '')) if $length == 25;
		push @strings, substr($bytes, 0, $length, '');
	}
	return @strings;
}

sub byte_string
{
	my ($bytes) = @_;
	my $n = length $bytes;
	return ($n < 24 ? chr(0x40 + $n) : $n < 256 ? pack('CC', 0x58, $n) : pack('Cn', 0x59, $n)) . $bytes;
}

sub write_bytes
{
	my ($name, $bytes) = @_;
	open(my $file, '>:raw', "$dir/$name") or die "$name: $!";
	print $file $bytes;
	close($file) or die "$name: $!";
	return "$dir/$name";
}

# The root that a proof leads to (RFC 9162 2.1.3.2).
sub root
{
	my ($hash, $fn, $sn, @proof) = @_;
	foreach my $p (@proof)
	{
		return '' if $sn == 0;
		if ($fn & 1 || $fn == $sn)
		{
			$hash = sha256("\1" . $p . $hash);
			until ($fn & 1 || $fn == 0) { $fn >>= 1; $sn >>= 1; }
		}
		else
		{
			$hash = sha256("\1" . $hash . $p);
		}
		$fn >>= 1;
		$sn >>= 1;
	}
	return $sn == 0 ? $hash : '';
}

my ($leaf, $index, $size, $proof, $head, $key) = map { $_ // '' } split /\|/, $db->sql(
	q{SELECT p ->> 'leaf', p ->> 'leaf_index', p ->> 'tree_size', (SELECT string_agg(h, ',' ORDER BY o) FROM jsonb_array_elements_text(p -> 'proof') WITH ORDINALITY u (h, o)),
			p ->> 'head', p ->> 'public_key'
		FROM epermit.audit_proof((SELECT id FROM epermit.audit_sealed WHERE leaf_no = 77 ORDER BY seal_id LIMIT 1)) p});
my $root = root(sha256("\0" . pack('H*', $leaf)), $index, $size - 1, map { pack 'H*', $_ } split /,/, $proof);
my ($protected, $payload, $signature) = byte_strings(pack 'H*', $head);
cmp_ok($size, '>', 77, 'a proof out of a larger tree');
ok(length($root) && index($payload, "\x58\x20$root") > 0, 'leads to the root in the head');
isnt(root(sha256("\0" . pack('H*', $leaf) . 'x'), $index, $size - 1, map { pack 'H*', $_ } split /,/, $proof), $root, 'and from another leaf does not');

SKIP:
{
	IPC::Run::run([ 'openssl', 'version' ], '>', \my $version, '2>', \my $error) or skip 'openssl is not installed', 2;
	my $public = write_bytes('public.der', pack('H*', "302a300506032b6570032100$key"));
	my $check = sub {
		my ($body) = @_;
		my $tbs = write_bytes('tbs', "\x84\x6aSignature1" . byte_string($protected) . "\x40" . byte_string($body));
		return IPC::Run::run(
			[ 'openssl', 'pkeyutl', '-verify', '-pubin', '-inkey', $public, '-keyform', 'DER', '-rawin',
				'-in', $tbs, '-sigfile', write_bytes('signature', $signature) ],
			'>', \my $out, '2>', \my $err);
	};
	ok($check->($payload), 'OpenSSL finds the head signed by the key');
	ok(!$check->("$payload "), 'and nothing else');
}

$node->stop;
done_testing;
