# A standby cannot write the audit log: it verifies nothing, or writes each event as one line to the server
# log, which the primary then loads exactly once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";

use Epermit;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $master_key = PostgreSQL::Test::Utils::tempdir . '/master_key';
PostgreSQL::Test::Utils::append_to_file($master_key, '5a' x 32 . "\n");
chmod(0600, $master_key);
my $db = Epermit->start('primary', streaming => 1, conf => "epermit.master_key_file = '$master_key'\n");
my $primary = $db->node;
my $token = $db->token($db->issue('hong_kong'));
is($db->verify($token), 'valid', 'the primary verifies');

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "log_statement = 'none'");
$standby->start;
$primary->wait_for_catchup($standby);
my $replica = Epermit->at($standby);

sub set_up
{
	my (%settings) = @_;
	$standby->append_conf('postgresql.conf', "$_ = $settings{$_}") foreach sort keys %settings;
	$standby->restart;
	return;
}

sub lines
{
	my ($offset) = @_;
	return substr(PostgreSQL::Test::Utils::slurp_file($standby->logfile), $offset) =~ /^.*epermit audit: (.*)$/mg;
}

sub end_of_log { return -s $standby->logfile }

my $sql = "SET ROLE rail; SELECT verdict FROM epermit.verify_permit('$token', 'rail')";

# ---------------------------------------------------------------- no sink, no answer

my $offset = end_of_log();
is($replica->try($sql), 'TP009', 'without a sink a standby verifies nothing');
is($replica->try("LOAD 'epermit'; SET ROLE rail; SET epermit.audit_sink = 'log'"), '42501', 'a department cannot give itself one');
is($replica->try("SET ROLE rail; SET epermit.audit_sink = 'log'; SELECT verdict FROM epermit.verify_permit('$token', 'rail')"), 'TP009', 'not even before the library is loaded');
is_deeply([ lines($offset) ], [], 'and nothing is logged');

# ---------------------------------------------------------------- the log

set_up('epermit.audit_sink' => 'log');
$offset = end_of_log();
is($replica->try($sql), 'valid', 'with the log as sink it verifies');
is($replica->try("SET ROLE rail; SELECT verdict, audit_id FROM epermit.verify_permit(E'x\\n\"\\\\', 'rail')"), 'malformed|0', 'garbage as well');
is($replica->try("SET ROLE rail; SELECT string_agg(verdict::text, ' ') FROM epermit.verify_permits(ARRAY['$token', 'x'], 'rail')"),
	'valid malformed', 'and many at once');
my @lines = lines($offset);
is(scalar(@lines), 4, 'a line for each');
my $log = substr(PostgreSQL::Test::Utils::slurp_file($standby->logfile), $offset);
unlike($log, qr/STATEMENT|CONTEXT/, 'and nothing but the line');
unlike($log, qr/\Q$token\E|陳大文|CHAN TAI MAN|H12345678/, 'which holds no personal data');

# What the primary writes of the same event, it says too.
my $columns = 'event, department, holder_id, credential_no, purpose, verdict, codes, attempt, request_id, login_role, calling_role, era';
my $row = $db->sql("SELECT $columns FROM epermit.audit_log WHERE event = 'verify_permit'");
my $seen = $db->sql("SELECT max(id) FROM epermit.audit_log");
my $events = '[' . join(',', @lines) . ']';
$events =~ s/'/''/g;
is($db->sql("SELECT epermit.import_audit('$events')"), '4', 'the primary loads them');
is($db->sql("SELECT epermit.import_audit('$events')"), '0', 'once');
is($db->sql("SELECT $columns FROM epermit.audit_log WHERE id > $seen AND event = 'verify_permit' ORDER BY id LIMIT 1"), $row,
	'as if it had written them itself');
my $original = $db->sql(q{SELECT detail - 'imported' FROM epermit.audit_log WHERE detail ? 'imported' AND event = 'verify_permit' ORDER BY id LIMIT 1});
is($db->sql("SELECT coalesce(detail, '{}') FROM epermit.audit_log WHERE event = 'verify_permit' ORDER BY id LIMIT 1"), $original, 'detail included');
is( $db->sql(q{SELECT count(*), bool_and(at < (SELECT max(imported_at) FROM epermit.audit_import)), count(DISTINCT detail #> '{imported,uuid}')
		FROM epermit.audit_log WHERE detail ? 'imported' AND event = 'verify_permit'}),
	'4|t|4', 'marked, with their own time');
ok($primary->poll_query_until('postgres', 'SELECT epermit.seal_audit() IS NOT NULL'), 'and sealed');
is($db->sql('SELECT bool_and(ok) FROM epermit.verify_audit()'), 't', 'which holds');

$primary->wait_for_catchup($standby);
is($replica->sql('SELECT bool_and(ok) FROM epermit.verify_audit()'), 't', 'on the standby too');

# ---------------------------------------------------------------- a log that drops the line

set_up(log_min_messages => 'fatal');
is($replica->try($sql), 'TP009', 'a log that would drop the line is no sink');
set_up(log_min_messages => 'error');

# ---------------------------------------------------------------- promoted, it is a primary

$standby->promote;
is($replica->try($sql), 'valid', 'promoted, it verifies');
is($replica->sql("SELECT count(*) FROM epermit.audit_log WHERE event = 'verify_permit'"), '6', 'and writes the table');
ok($standby->poll_query_until('postgres', 'SELECT epermit.seal_audit() IS NOT NULL'), 'goes on sealing');
is($replica->sql('SELECT bool_and(ok) FROM epermit.verify_audit()'), 't', 'in the same chain');

$standby->stop;
$primary->stop;
done_testing;
