# A standby verifies by what has arrived, hears of keys, departments and revocations, never
# answers unaudited, and issues once it is promoted.  A crash loses no permit that was acknowledged.
# (What it writes to the log in place of audit rows is audit_standby.pl's.)
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";

use Epermit;
use IPC::Run qw(start);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $db = Epermit->start('primary', streaming => 1);
my $primary = $db->node;
my %permit = map { $_ => $db->issue($_) } qw(hong_kong macao taiwan);
my %token = map { $_ => $db->token($permit{$_}) } keys %permit;
my $linkage = $db->token($db->link_documents('hong_kong'));

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
chmod(0600, $standby->data_dir . '/epermit_master_key');    # as pg_basebackup has it
$standby->start;
my $replica = Epermit->at($standby);

sub caught_up { return $primary->wait_for_catchup($standby, 'replay') }
caught_up();

# ---------------------------------------------------------------- offline, as it is

is($replica->verify_offline($token{hong_kong}), 'valid', 'verify_offline needs nothing that a standby lacks');
is($replica->verify_linkage_offline('hong_kong', $linkage), 'valid', 'nor does verify_linkage_offline');
is( $replica->sql(
		"SET force_parallel_mode = on; SELECT verdict, pg_is_in_recovery() FROM epermit.verify_offline('$token{macao}', 'rail')"),
	'valid|t', 'in a parallel worker either');
is($replica->sql("SELECT used FROM epermit.quota_status('H12345678')"), '1', 'a quota can be looked at');
is($replica->token($permit{taiwan}), $token{taiwan}, 'a permit can be shown again');

# ---------------------------------------------------------------- no audit, no answer

my $p = $Epermit::people{hong_kong};
my $documents = "'$p->{travel_permit_no}', '$p->{residence_permit_no}'";
my %online = (
	verify_permit    => "SET ROLE rail; SELECT verdict FROM epermit.verify_permit('$token{hong_kong}', 'rail')",
	verify_permits   => "SET ROLE rail; SELECT verdict FROM epermit.verify_permits(ARRAY['$token{hong_kong}'], 'rail')",
	verify_linkage   => "SET ROLE bank; SELECT verdict FROM epermit.verify_linkage('$linkage', $documents, 'finance')",
	documents_linked => "SET ROLE bank; SELECT verdict FROM epermit.documents_linked($documents, 'finance')");

foreach my $function (sort keys %online)
{
	is($replica->try($online{$function}), 'TP009', "$function fails closed where no audit event can be written");
}
is($replica->try('SELECT epermit.issue_permit(' . Epermit::permit_application('hong_kong', attestation => undef, channel => 'counter', office => 'x', officer => 'y') . ')'),
	'25006', 'nothing is issued on a standby');

$standby->append_conf('postgresql.conf', "epermit.audit_sink = 'log'\n");
$standby->reload;
$standby->poll_query_until('postgres', q{SELECT current_setting('epermit.audit_sink') = 'log'})
  or die 'the sink was not taken';
foreach my $function (sort keys %online)
{
	is($replica->try($online{$function}), 'valid', "$function answers with the log as sink");
}

# ---------------------------------------------------------------- news

# One session each, whose caches were filled before.
my $rail = $standby->background_psql('postgres');
my $anybody = $standby->background_psql('postgres');
$rail->query_safe('SET ROLE rail');

sub told
{
	my ($presented, $column) = @_;
	$column //= 'verdict';
	return $rail->query_safe("SELECT $column FROM epermit.verify_permit('$presented', 'rail')");
}

sub told_offline
{
	my ($presented) = @_;
	return $anybody->query_safe("SELECT verdict FROM epermit.verify_offline('$presented', 'rail')");
}

is(told($token{hong_kong}, 'verdict, holder_name'), 'valid|陳大文', 'a session verifies');
is(told_offline($token{hong_kong}), 'valid', 'offline too');

$db->sql(q{SELECT epermit.rotate_signing_key('permit')});
my $by_new_key = $db->issue('hong_kong');
my $token_by_new_key = $db->token($by_new_key);
caught_up();
is(told($token_by_new_key), 'valid', 'it hears of a new key');
is(told_offline($token_by_new_key), 'valid', 'offline too');
is(told($token{hong_kong}), 'valid', 'and what the key before it signed goes on');

$db->sql(q{SELECT epermit.register_department('rail', 'Railway', 'rail', '{rail}', '{birth_date}')});
caught_up();
is(told($token{hong_kong}, 'verdict, holder_name, birth_date'), 'valid||1985-06-01', 'it hears what its department may see now');

$db->sql("SELECT epermit.suspend_permit('$permit{macao}', 'doubts'); SELECT epermit.revoke_permit('$permit{taiwan}', 'found')");
caught_up();
is(told($token{macao}), 'suspended', 'it hears of suspensions');
is(told_offline($token{macao}), 'suspended', 'offline too');
is(told($permit{taiwan}), 'revoked', 'and of revocations');
is(told_offline($token{taiwan}), 'revoked', 'offline too');

$db->sql(q{SELECT epermit.compromise_signing_key(kid, 'stolen') FROM epermit.signing_key WHERE usage = 'permit' AND state = 'retired'});
caught_up();
is(told($token{hong_kong}), 'key_compromised', 'and of a compromised key');
is(told_offline($token{hong_kong}), 'key_compromised', 'offline too');

# ---------------------------------------------------------------- what has not arrived

$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('postgres', q{SELECT pg_get_wal_replay_pause_state() = 'paused'}) or die 'replay goes on';
my $late = $db->issue('taiwan');
my $late_token = $db->token($late);
is(told($late_token), 'undetermined', 'a genuine permit that has not arrived is neither valid nor false');
is(told($late), 'undetermined', 'nor is its number');
is(told($db->token($db->link_documents('macao'))), 'malformed', 'what is no permit is not');
is($db->verify('T-63PG0-0002G-GHXGW-AHDWR'), 'not_found', 'the primary knows for certain');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
caught_up();
is(told($late_token), 'valid', 'it is valid once it has arrived');
is(told($late), 'valid', 'so is its number');

# ---------------------------------------------------------------- promoted

$db->sql(q{SELECT epermit.set_policy(clock_timestamp(), '{"monthly_quota": 3}')});
$db->node->poll_query_until('postgres', 'SELECT max(effective_from) <= clock_timestamp() FROM epermit.policy');
caught_up();
$rail->quit;
$primary->stop;
$standby->promote;

sub issue_here { return $anybody->query_safe("$Epermit::answer FROM epermit.issue_permit(" . Epermit::permit_application($_[0]) . ') i') }

my $here = issue_here('hong_kong');
like($here, qr/^T-/, 'a promoted standby issues, in a session from before');
is(issue_here('hong_kong'), 'quota.exceeded', 'by the policy and the quota of the primary');
is($replica->verify($here), 'valid', 'verifies, with an audit row again');
is($replica->sql(q{SELECT count(*) FROM epermit.audit_log WHERE credential_no::text = '} . $here . q{' AND event = 'verify_permit'}), '1', 'which is there');
is( $replica->sql('SELECT count(*) = count(DISTINCT (status_list_id, status_idx)) FROM
		(SELECT status_list_id, status_idx FROM epermit.permit UNION ALL SELECT status_list_id, status_idx FROM epermit.linkage) c'),
	't', 'and gives out no status entry twice');
$replica->sql('SELECT epermit.seal_audit()');
is($replica->sql('SELECT bool_and(ok) FROM epermit.verify_audit()'), 't', 'its audit log can be sealed');
$anybody->quit;

# ---------------------------------------------------------------- crash

$replica->sql(
	q{SELECT count(epermit.register_holder('H' || to_char(70000000 + n, 'FM00000000'), '2040-01-01', '陳大文', 'CHAN TAI MAN',
		'1985-06-01', 'male', 'HKG')) FROM generate_series(1, 2000) n});
my $applications = join '', map {
	my $no = 'H' . (70000000 + $_);
	"SELECT i.credential_no FROM epermit.issue_permit(jsonb_build_object('document_kind', 'hk_macau', 'document_no', '$no',
		'document_expiry', '2040-01-01', 'name', '陳大文', 'birth_date', '1985-06-01', 'mobile_no', '13800138000', 'reason', 'lost',
		'request_id', gen_random_uuid(), 'attestation', epermit.attest('$no'))) i;\n"
} 1 .. 2000;
my $script = PostgreSQL::Test::Utils::tempdir . '/applications';
append_to_file($script, $applications);
my ($acknowledged, $errors) = ('', '');
my $client = start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $standby->connstr('postgres'), '-f', $script ], '>', \$acknowledged, '2>', \$errors);
$client->pump until $acknowledged =~ /(?:T-.*\n){300}/;
$standby->stop('immediate');
$client->finish;
$standby->start;

my @numbers = $acknowledged =~ /^(T-\S+)$/mg;
cmp_ok(scalar(@numbers), '<', 2000, 'the server crashed while ' . @numbers . ' permits had been acknowledged');
my $array = "'{" . join(',', @numbers) . "}'::text[]";
is($replica->sql("SELECT count(*) FROM unnest($array) n JOIN epermit.permit p ON p.credential_no::text = n"), scalar(@numbers), 'none is lost');
is( $replica->sql("SELECT v.verdict, count(*) FROM unnest($array) n, epermit.verify_offline(epermit.credential_token(n::epermit.credential_no)::text, 'rail') v GROUP BY 1"),
	'valid|' . @numbers, 'each verifies');
is( $replica->sql(
		q{SELECT count(*) FROM (SELECT credential_no::text AS no FROM epermit.permit) p
			FULL JOIN (SELECT credential_no::text AS no FROM epermit.audit_log WHERE event = 'issue_permit') a USING (no)
			WHERE p.no IS NULL OR a.no IS NULL}),
	'0', 'and permits and their audit events came through together');
like($replica->sql("$Epermit::answer FROM epermit.issue_permit(" . Epermit::permit_application('macao') . ') i'), qr/^T-/, 'issuing goes on');
is( $replica->sql('SELECT count(*) = count(DISTINCT (status_list_id, status_idx)) FROM epermit.permit'), 't', 'with status entries of its own');

$standby->stop;
done_testing();
