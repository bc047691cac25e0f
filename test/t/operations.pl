# What has to be done every hour is done by maintain(), however often it is stopped or called twice at once;
# personal data goes when its retention has passed and no earlier; and health() sees it where nobody called.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";

use Epermit;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan(skip_all => 'faketime is not installed') unless $Epermit::faketime;

*now = \&Epermit::now;
my $dir = PostgreSQL::Test::Utils::tempdir;
my $node = Epermit::new_cluster('operated', conf => "autovacuum = off\n");
Epermit::start_at($node, '2026-11-10 12:00:00');
$node->safe_psql('postgres',
	'CREATE ROLE rail; CREATE ROLE bank; CREATE DATABASE restored');
my $db = Epermit->at($node)->furnish;
$db->sql('CREATE ROLE operator LOGIN IN ROLE epermit_admin; CREATE ROLE auditor IN ROLE epermit_auditor');

sub maintain
{
	my ($on) = @_;
	return ($on // $db)->try('SET ROLE operator; CALL epermit.maintain()');
}

# "ok", or what is wrong.
sub health
{
	my ($check, $on) = @_;
	return ($on // $db)->as('operator', qq{SELECT CASE WHEN ok THEN 'ok' ELSE detail END FROM epermit.health() WHERE "check" = '$check'});
}

sub count
{
	my ($table, $where) = @_;
	return $db->sql("SELECT count(*) FROM epermit.$table WHERE " . ($where // 'true'));
}

# ---------------------------------------------------------------- what there is to erase

# Words that are the dump's only where somebody's data is.
my %personal = (
	mobile   => '13712345678',
	portrait => 'c0ffee' x 10 . 'abcd',
	officer  => 'OFFICER-7731',
	office   => '廣州天河',
	why      => 'reported by a sister',
	number   => 'H12345678',
	name     => '陳大文');
my $erased = $db->issue('hong_kong', mobile_no => $personal{mobile}, portrait_digest => $personal{portrait});
my $revoked = $db->issue('hong_kong', channel => 'counter', office => $personal{office}, officer => $personal{officer}, attestation => undef);
my $linkage = $db->link_documents('hong_kong', mobile_no => $personal{mobile});
$db->sql("SELECT epermit.suspend_linkage('$linkage', '$personal{why}'); SELECT epermit.revoke_permit('$revoked', '$personal{why}')");
my %token = map { $_ => $db->token($_) } $erased, $revoked, $linkage;
like($db->sql("SELECT epermit.claims('$token{$erased}')"), qr/$personal{name}/, 'the name is in the token');

# 250 people with ten permits each.
$db->sql(
	q{SELECT epermit.set_policy(clock_timestamp() + interval '1 second', '{"monthly_quota": 10}');
	SELECT epermit.register_holder('M' || lpad(n::text, 8, '0'), '2040-05-31', '張三', 'CHEUNG SAM', '1990-01-01', 'female', 'MAC') FROM generate_series(1, 250) n});
now('2026-11-10 12:00:01');
$db->sql(
	q{INSERT INTO epermit.permit (holder_id, travel_permit_no, reason, request_id)
		SELECT t.holder_id, t.travel_permit_no, 'forgotten', gen_random_uuid() FROM epermit.travel_permit t, generate_series(1, 10)
		WHERE t.travel_permit_no::text ~ '^M000'});
is(count('permit'), '2502', 'permits');

# All rows but the registry's.
sub data
{
	my ($dump) = run_command([ 'pg_dump', '--data-only', '-d', $node->connstr('postgres') ]);
	$dump =~ s/^(holder|travel_permit|residence_permit)\t.*\n//mg;
	return $dump;
}

my $data = data();
my @there = sort grep { index($data, $personal{$_}) >= 0 } keys %personal;
is("@there", 'mobile number office officer portrait why', 'the database has personal data (names in signed bytes)');
ok(index($data, $token{$erased}) > 0, 'and the signed bytes themselves');

# ---------------------------------------------------------------- seals

is(maintain(), '', 'an operator maintains');
is(health('seal_lag'), 'ok', 'which seals');
is(health('audit_partitions'), 'ok', 'and makes partitions');
$db->issue('macao');
now('2026-11-10 14:00:01');
is(health('seal_lag'), 'ok', 'an event may wait for two hours');
now('2026-11-10 14:00:02');
like(health('seal_lag'), qr/^Events since 2026-11-10 12:00 are not sealed/, 'and no longer');
is(maintain(), '', 'maintained');
is(health('seal_lag'), 'ok', 'sealed');

my $open = $node->background_psql('postgres');
$open->query_safe('BEGIN; SELECT pg_current_xact_id()');
$db->issue('macao');
now('2026-11-11 14:00:02');
is(maintain(), '', 'maintained beside a transaction that stays open');
is(health('seal_lag'), 'ok', 'it may stay open for a day');
now('2026-11-11 14:00:03');
like(health('seal_lag'), qr/^Events since 2026-11-10 14:00 cannot be sealed: a transaction/, 'and no longer');
$open->query_safe('COMMIT');
$open->quit;
like(health('seal_lag'), qr/ are not sealed/, 'it has ended, and maintain() can seal');
is(maintain(), '', 'which it does');
is(health('seal_lag'), 'ok', 'and all is well');

# ---------------------------------------------------------------- used attestations

$db->issue('taiwan');
now('2026-11-20 10:00:00');
is(health('attestation_use'), 'Attestations used more than two days ago are still there. CALL epermit.maintain() every hour.',
	'attestations are still there');
is(maintain(), '', 'maintained');
is(count('attestation_use'), '0', 'attestations of long ago are purged');
$db->issue('taiwan');
now('2026-11-21 10:00:00');
is(maintain(), '', 'a day later');
is(count('attestation_use'), '1', 'they are kept for a day');
now('2026-11-21 10:00:01');
is(maintain(), '', 'and a second');
is(count('attestation_use'), '0', 'and no longer');
is(health('attestation_use'), 'ok', 'all is well');

# ---------------------------------------------------------------- retention belongs to the policy a credential names

now('2026-12-01 09:00:00');
$db->sql(q{SELECT epermit.set_policy(clock_timestamp(), '{"credential_retention": "0"}')});
my $short = $db->issue('macao');
now('2026-12-15 09:00:00');
$db->sql(q{SELECT epermit.set_policy(clock_timestamp(), '{"credential_retention": "1 year"}')});
my $long = $db->issue('macao');
$db->sql(q{SELECT epermit.set_policy(clock_timestamp() + interval '1 second', '{"credential_retention": "184 days"}')});
now('2026-12-31 23:59:59');
is(maintain(), '', 'maintained');
is(count('permit', "credential_no::text = '$short'"), '1', 'a permit is kept to the end of the month whose quota it counts against');
$db->sql(q{SELECT epermit.retire_signing_key(kid) FROM epermit.signing_key WHERE usage = 'status'});
now('2027-01-01 00:00:00');
my (undef, undef, $warning) = $db->node->psql('postgres', 'CALL epermit.maintain()');
like($warning, qr/WARNING:  nothing was sealed: there is no active status key/, 'without a key to seal with maintain() says so');
is(count('permit', "credential_no::text = '$short'"), '0', 'when all else is done');
is(count('credential_archive', "credential_no::text = '$short'"), '1', 'and what is not personal is in the archive');
$db->sql(q{SELECT epermit.create_signing_key('status')});
is(maintain(), '', 'with a key it seals');

# ---------------------------------------------------------------- partitions

now('2027-03-31 23:59:59');
is(health('audit_partitions'), 'ok', 'three months without maintenance are made for');
now('2027-04-01 00:00:00');
is(health('audit_partitions'), 'No partition for 2027-05. CALL epermit.maintain(), at least monthly.', 'then it is time');
$db->issue('macao');
is(health('audit_default'), 'ok', 'and nothing has gone wrong yet');
now('2027-05-01 00:00:00');
like(health('audit_partitions'), qr/^No partition for 2027-05, 2027-06\. /, 'now there is none');
$db->issue('macao');
like(health('audit_default'), qr/^The events of 2027-05 lie in audit_log_default/, 'and events fall into the net');
is(maintain(), '', 'maintained');
is(health('audit_partitions'), 'ok', 'there are partitions again');
like(health('audit_default'), qr/^The events of 2027-05 lie in audit_log_default/, 'but for May');

# ---------------------------------------------------------------- nothing goes too early

# 184 days after 2026-11-17 12:00:00.
now('2027-05-20 11:59:59');
is(maintain(), '', 'maintained');
is(count('permit', "issued_at < '2026-11-30'"), '2506', 'nothing goes a second before its retention has passed');
is(count('credential_archive'), '1', 'nor into the archive');
# From New York, where it is summer now and was winter then, 184 days would be an hour less.
is($db->try(q{SET TimeZone = 'America/New_York'; SET ROLE operator; CALL epermit.maintain()}), '', 'nor by a session of another time zone');
is(count('permit', "issued_at < '2026-11-30'"), '2506', 'days are Beijing\'s');
is($db->try(qq{SET TimeZone = 'America/New_York'; DELETE FROM epermit.permit WHERE credential_no::text = '$erased'}), 'TP002', 'to the owner, too');
is(health('retention_credentials'), 'ok', 'nothing is overdue');

# ---------------------------------------------------------------- stopped in the middle, and twice at once

now('2027-05-21 12:00:01');
is(health('retention_credentials'), 'Credentials more than a day past their retention, with their personal data: 2. CALL epermit.maintain() every hour.',
	'two are more than a day past their retention');
now('2027-06-13 10:00:00');
is(health('audit_default'), 'ok', 'June has a partition');
like(health('retention_credentials'), qr/: 2506\. /, 'and now all of November are due');

# Whoever deletes when some have gone already waits for us.
$db->sql(
	q{CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF (SELECT count(*) > 1 FROM (SELECT FROM epermit.credential_archive LIMIT 2) a) THEN
			PERFORM pg_advisory_xact_lock(7);
		END IF;
		RETURN OLD;
	END $$;
	CREATE TRIGGER wait BEFORE DELETE ON epermit.permit FOR EACH ROW EXECUTE FUNCTION public.wait();});
my $hold = $node->background_psql('postgres');
$hold->query_safe('SELECT pg_advisory_lock(7)');

# A session that maintains, and the SQLSTATE that it ends with.
sub begin_maintenance
{
	my ($on) = @_;
	my $session = $on->background_psql('postgres', on_error_stop => 0);
	$session->query_until(qr/begun/, "\\echo begun\nSET ROLE operator;\nCALL epermit.maintain();\n\\echo ended :SQLSTATE\n");
	return $session;
}

sub ending
{
	my ($session) = @_;
	my $output = $session->query_until(qr/ended .*\n/, '');
	return $output =~ /ended (.*)/ ? $1 : undef;
}

sub waiting
{
	my ($number) = @_;
	return $node->poll_query_until('postgres', "SELECT count(*) = $number FROM pg_stat_activity WHERE wait_event = 'advisory'");
}

my $retained = count('permit') + count('linkage');
foreach my $how (qw(cancel terminate))
{
	my $session = begin_maintenance($node);
	ok(waiting(1), "in the midst of a batch ($how)");
	is(count('credential_archive'), '1001', 'the batch before it is committed');
	$db->sql("SELECT pg_${how}_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'");
	ok(waiting(0), 'stopped');
	is(ending($session), '57014', 'which it says') if $how eq 'cancel';
	eval { $session->quit };
	is(count('credential_archive'), '1001', 'what is archived');
	is(count('permit') + count('linkage'), $retained - 1000, 'is what is gone');
}

my @sessions = map { begin_maintenance($node) } 1 .. 2;
ok(waiting(2), 'two at once, each with people of its own');
$hold->query_safe('SELECT pg_advisory_unlock(7)');
$hold->quit;
foreach my $session (@sessions)
{
	is(ending($session), '00000', 'ends well');
	$session->quit;
}
is(count('credential_archive'), '2508', 'all that was due is archived');
is(count('permit') + count('linkage'), $retained - 2507, 'and gone, once');
is(count('permit', "credential_no::text = '$long'"), '1', 'what has a longer retention stays');
is( $db->sql(q{SELECT sum((detail ->> 'permits')::int), sum((detail ->> 'linkages')::int) FROM epermit.audit_log WHERE detail ->> 'action' = 'erase'}),
	'2507|1', 'as the audit log says');
is(health('retention_credentials'), 'ok', 'nothing is overdue');
$db->sql('DROP FUNCTION public.wait() CASCADE');

# ---------------------------------------------------------------- what is left

$data = data();
is(join(' ', grep { index($data, $_) >= 0 } values %personal, values %token), '', 'nothing personal is left, but in the registry');
is( $db->sql(
		qq{SET TimeZone = 'Etc/GMT-8'; SELECT issued_at, valid_until, reason, channel, purposes, kid = epermit.kid('$token{$revoked}'), policy = '2000-01-01 00:00+08', erased_at
			FROM epermit.credential_archive WHERE credential_no::text = '$revoked'}),
	'2026-11-10 12:00:00+08|2026-11-17 12:00:00+08|lost|counter|{rail,air}|t|t|2027-06-13 10:00:00+08', 'what statistics need of a permit is kept');
is( $db->sql(qq{SELECT reason, channel, purposes FROM epermit.credential_archive WHERE credential_no::text = '$linkage'}),
	'|online|', 'and of a linkage result');
is(count('credential_event'), '0', 'events went with their credentials');
is($db->sql(q{SELECT sum(issued) FROM epermit.issues_per_hour WHERE hour = '2026-11-10 12:00+08'}), '2504', 'the figures are the same as before');
is($db->as('auditor', 'SELECT bool_and(ok) FROM epermit.verify_audit()'), 't', 'seals hold');
is($db->verify($token{$erased}), 'not_found', 'an erased permit is not found');
is($db->verify($erased), 'not_found', 'nor by its number');
is($db->verify_offline($token{$erased}), 'expired', 'offline it is what it was: expired');
is($db->verify_linkage('hong_kong', $token{$linkage}), 'not_found', 'an erased linkage result is not found');
is($db->documents_linked('hong_kong'), 'not_linked', 'nor known of');
like($db->issue('hong_kong'), qr/^T-/, 'the person gets permits as ever');

# Nobody but its trigger's condition lets a row go.
is($db->try('DELETE FROM epermit.permit'), 'TP002', 'the owner cannot erase what is still kept');

# ---------------------------------------------------------------- restored

my $dump = "$dir/dump";
PostgreSQL::Test::Utils::system_or_bail('pg_dump', '-Fc', '-f', $dump, '-d', $node->connstr('postgres'));
PostgreSQL::Test::Utils::system_or_bail('pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), $dump);
my $restored = Epermit->at($node, 'restored');
my $archive = 'SELECT md5(string_agg(a::text, $$,$$ ORDER BY a.credential_no USING OPERATOR(epermit.<))) FROM epermit.credential_archive a';
is($restored->sql($archive), $db->sql($archive), 'a dump has the archive');
is(health('guards', $restored), 'ok', 'guards stand in the restored database');
is($restored->try('DELETE FROM epermit.credential_archive'), 'TP002', 'also that of the archive');
now('2027-12-22 09:00:01');
is(maintain($restored), '', 'it is maintained');
is($restored->sql("SELECT count(*) FROM epermit.credential_archive WHERE credential_no::text = '$long'"), '1', 'and erases what is due later');
like(health('retention_credentials'), qr/^Credentials/, 'not so where nobody maintains');

# ---------------------------------------------------------------- ages

now('2027-11-10 12:00:00');
is(health('key_age'), 'ok', 'a key may be a year old');
now('2027-11-10 12:00:01');
like(health('key_age'), qr/^Older than a year: the permit key of 2026-11-10, the linkage key of 2026-11-10, the attestation key of 2026-11-10\./,
	'and no older, but for the root key');
$db->sql("SELECT epermit.rotate_signing_key(u) FROM unnest('{permit,linkage,attestation}'::epermit.key_usage[]) u");
is(health('key_age'), 'ok', 'rotated');

is(maintain(), '', 'maintained');
now('2029-11-30 23:59:59');
is(health('retention_audit'), 'ok', 'the log is kept for three years');
now('2029-12-01 00:00:00');
is(health('retention_audit'), 'Past audit_retention: audit_log_default. An auditor calls SELECT epermit.drop_audit_partitions().', 'its first month is in the net');
is(maintain(), '', 'maintain() leaves it alone');
is($db->as('auditor', 'SELECT epermit.drop_audit_partitions()'), '1', 'an auditor drops it');
is(health('retention_audit'), 'ok', 'no month is past its retention');
now('2030-01-01 00:00:00');
like(health('retention_audit'), qr/^Past audit_retention: audit_log_y2026m12\. /, 'the second is a partition');
is($db->as('auditor', 'SELECT epermit.drop_audit_partitions()'), '1', 'that is dropped');
is(health('retention_audit'), 'ok', 'none is past its retention');

$node->stop;

# ---------------------------------------------------------------- a primary and its standby

my $primary_db = Epermit->start('primary', streaming => 1, conf => "wal_keep_size = '1GB'\n");
my $primary = $primary_db->node;
$primary_db->sql('CREATE ROLE operator IN ROLE epermit_admin');
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
my $replica = Epermit->at($standby);

sub set_up
{
	my (%settings) = @_;
	foreach my $name (sort keys %settings)
	{
		$primary->append_conf('postgresql.conf', "$name = '$settings{$name}'");
	}
	$primary->reload;
	foreach my $name (sort keys %settings)
	{
		$primary->poll_query_until('postgres', "SELECT coalesce(current_setting('$name', true), '') = '$settings{$name}'")
		  or die "$name was not taken";
	}
	return;
}

set_up(fsync => 'off');
is( health('durability', $primary_db),
	'A permit that was acknowledged can be lost, and its quota granted again: fsync is off, synchronous_standby_names is empty. Not fit for production: turn on what is off, and set up a synchronous standby.',
	'a single server on a loose disk is not fit for production');
set_up(fsync => 'on', full_page_writes => 'off', synchronous_commit => 'local');
like(health('durability', $primary_db), qr/: full_page_writes is off, synchronous_commit is local, synchronous_standby_names is empty\./, 'nor one that does not wait');
set_up(full_page_writes => 'on', synchronous_commit => 'on');
like(health('durability', $primary_db), qr/: synchronous_standby_names is empty\./, 'nor one alone');
is(health('standbys', $primary_db), 'ok', 'no standby is due');

set_up(synchronous_standby_names => '*');
is(health('durability', $primary_db), 'ok', 'with a synchronous standby it is');
is(health('standbys', $primary_db), 'No synchronous standby is connected: commits wait for one.', 'once that is there');
$standby->start;
$primary->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'}) or die 'no standby';
is(health('standbys', $primary_db), 'ok', 'there it is');
$primary->wait_for_catchup($standby);
is(health('durability', $replica), 'ok', 'on the standby itself: the primary\'s');
is(health('standbys', $replica), 'ok', 'and it is one');
is($replica->sql('SELECT count(*) FROM epermit.health()'), $primary_db->sql('SELECT count(*) FROM epermit.health()'), 'with every check');
is(health('guards', $replica), 'ok', 'as on the primary');

$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$primary_db->sql(q{SELECT count(pg_logical_emit_message(false, 'x', repeat('x', 1024 * 1024))) FROM generate_series(1, 260)});
$primary->wait_for_catchup($standby, 'write');
like(health('standbys', $primary_db), qr/^More than 256 MB behind: standby, by 26\d MB\. Verification there/, 'a standby that does not replay');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
$primary->wait_for_catchup($standby);
is(health('standbys', $primary_db), 'ok', 'and one that does');
$primary_db->sql("SELECT pg_create_physical_replication_slot('lost')");
is( health('standbys', $primary_db),
	'Nobody reads from these replication slots, and WAL piles up for them: lost. Start what did, or drop them.', 'a slot whose standby is gone');
$primary_db->sql("SELECT pg_drop_replication_slot('lost')");
set_up(synchronous_standby_names => '');
$standby->stop;

# ---------------------------------------------------------------- the master key's place

like(health('master_key', $primary_db), qr/^The master key was generated in the data directory/, 'a generated master key');
set_up('epermit.master_key_file' => "$dir/none");
is( health('master_key', $primary_db),
	'There is no master key: nothing can be signed. Set epermit.master_key_file or epermit.master_key_command, and have the file there.', 'a missing one');
PostgreSQL::Test::Utils::append_to_file("$dir/master_key", '5a' x 32 . "\n");
chmod(0600, "$dir/master_key");
set_up('epermit.master_key_file' => "$dir/master_key");
is(health('master_key', $primary_db), 'ok', 'one in a file');
set_up('epermit.master_key_file' => '', 'epermit.master_key_command' => 'true');
is(health('master_key', $primary_db), 'ok', 'one from a command, which is not run');
set_up('epermit.master_key_command' => '');

# ---------------------------------------------------------------- a log that others are busy with

my $reader = $primary->background_psql('postgres');
$reader->query_safe('BEGIN; SELECT count(*) FROM epermit.audit_log');
my ($status, $out, $err) = $primary->psql('postgres', 'SET ROLE operator; CALL epermit.maintain()');
is($status, 0, 'maintain() goes on where partitions cannot be made');
like($err, qr/WARNING:  no audit partitions were made: audit_log is locked/, 'and says so');
is(health('seal_lag', $primary_db), 'ok', 'the rest is done');
like(health('audit_partitions', $primary_db), qr/^No partition for/, 'and that is not');
$reader->query_safe('COMMIT');

# Two that make them: the second waits, and finds them made.
$reader->query_safe('BEGIN; SELECT epermit.create_audit_partitions()');
my $second = begin_maintenance($primary);
ok($primary->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'}), 'one waits for the other');
$reader->query_safe('COMMIT');
is(ending($second), '00000', 'and has nothing left to do');
$_->quit foreach $reader, $second;
is(health('audit_partitions', $primary_db), 'ok', 'the partitions are there');

$primary->stop;
done_testing();
