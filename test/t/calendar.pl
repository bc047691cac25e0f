# Months, midnights and last seconds are Beijing's: a real cluster is led across them by faketime.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";

use Epermit;
use PostgreSQL::Test::Utils;
use Test::More;

plan(skip_all => 'faketime is not installed') unless $Epermit::faketime;

*now = \&Epermit::now;
my $node = Epermit::new_cluster('calendar', conf => "autovacuum = off\n");
Epermit::start_at($node, '2026-11-30 23:59:00');
$node->safe_psql('postgres',
	'CREATE ROLE rail; CREATE ROLE bank; CREATE DATABASE exact; CREATE DATABASE end_of_day; CREATE DATABASE inclusive');

my $beijing = q{SET TimeZone = 'Etc/GMT-8'};

# ---------------------------------------------------------------- validity rules

my @rules = qw(exact end_of_day inclusive);
my %database;
foreach my $rule (@rules)
{
	$database{$rule} = Epermit->at($node, $rule)->furnish;
	$database{$rule}->sql(
		qq{SELECT epermit.set_policy(clock_timestamp(), '{"validity_rule": "$rule", "monthly_quota": 15}')});
}

sub ends
{
	my ($rule, $table, $no) = @_;
	return $database{$rule}->sql(
		qq{$beijing; SELECT left(valid_until::text, 19) || CASE WHEN clipped THEN ' clipped' ELSE '' END
			FROM epermit.$table WHERE credential_no::text = '$no'});
}

# Seven days, written by hand from a wall calendar.
my @permits = (
	[ '2026-11-30 23:59:59', '2026-12-07 23:59:59', '2026-12-08 00:00:00', '2026-12-07 00:00:00' ],
	[ '2026-12-01 00:00:00', '2026-12-08 00:00:00', '2026-12-09 00:00:00', '2026-12-08 00:00:00' ],
	[ '2026-12-31 23:59:59', '2027-01-07 23:59:59', '2027-01-08 00:00:00', '2027-01-07 00:00:00' ],
	[ '2027-01-01 00:00:00', '2027-01-08 00:00:00', '2027-01-09 00:00:00', '2027-01-08 00:00:00' ],
	[ '2027-01-31 12:00:00', '2027-02-07 12:00:00', '2027-02-08 00:00:00', '2027-02-07 00:00:00' ],
	[ '2027-02-22 08:00:00', '2027-03-01 08:00:00', '2027-03-02 00:00:00', '2027-03-01 00:00:00' ],
	[ '2028-02-22 08:00:00', '2028-02-29 08:00:00', '2028-03-01 00:00:00', '2028-02-29 00:00:00' ],
	[ '2028-02-29 23:59:59', '2028-03-07 23:59:59', '2028-03-08 00:00:00', '2028-03-07 00:00:00' ]);

foreach my $case (@permits)
{
	my ($issued, @expected) = @$case;
	now($issued);
	foreach my $i (0 .. 2)
	{
		my $no = $database{ $rules[$i] }->issue('hong_kong');
		is(ends($rules[$i], 'permit', $no), $expected[$i], "a permit of $issued, rule $rules[$i]");
	}
}

# Thirty days.
my @linkages = (
	[ '2029-01-31 12:00:00', '2029-03-02 12:00:00', '2029-03-03 00:00:00', '2029-03-02 00:00:00' ],
	[ '2031-12-31 23:59:59', '2032-01-30 23:59:59', '2032-01-31 00:00:00', '2032-01-30 00:00:00' ],
	[ '2032-01-30 00:00:00', '2032-02-29 00:00:00', '2032-03-01 00:00:00', '2032-02-29 00:00:00' ]);

foreach my $case (@linkages)
{
	my ($issued, @expected) = @$case;
	now($issued);
	foreach my $i (0 .. 2)
	{
		my $no = $database{ $rules[$i] }->link_documents('taiwan');
		is(ends($rules[$i], 'linkage', $no), $expected[$i], "a linkage result of $issued, rule $rules[$i]");
	}
}

# ---------------------------------------------------------------- the month

now('2032-04-30 23:59:57');
my $db = Epermit->at($node)->furnish;
my $quota_status = "SELECT month, used, remaining, extract(epoch FROM next_opening)::bigint FROM epermit.quota_status('H12345678')";
my $may = 1966953600;      # 2032-05-01 00:00 Beijing: date -d '2032-05-01 00:00 +0800' +%s
my $june = $may + 31 * 86400;

like($db->issue('hong_kong'), qr/^T-/, 'April, first permit');
now('2032-04-30 23:59:58');
like($db->issue('hong_kong'), qr/^T-/, 'April, second permit, two seconds before its end');
now('2032-04-30 23:59:59');
is($db->issue('hong_kong'), 'quota.exceeded', 'the last second of a month is of that month');
is($db->sql($quota_status), "2032-04-01|2|0|$may", 'and the quota opens at midnight');
like(
	$db->sql('SELECT (problems[1]).hint FROM epermit.issue_permit(' . Epermit::permit_application('hong_kong', lang => 'en') . ')'),
	qr/2032-05-01 00:00/, 'as the refusal says');

my $new_york = q{SET TimeZone = 'America/New_York'};
my $issue = "$Epermit::answer FROM epermit.issue_permit(" . Epermit::permit_application('hong_kong') . ') i';
is($db->sql("$new_york; $issue"), 'quota.exceeded', 'in New York too');
is($db->sql("$new_york; $quota_status"), "2032-04-01|2|0|$may", 'and the same is said there');

now('2032-05-01 00:00:00');
is($db->sql($quota_status), "2032-05-01|0|2|$june", 'at 00:00:00 the new month is open');
like($db->sql("$new_york; $issue"), qr/^T-/, 'and it is taken from New York, where it is April');
is($db->sql("SELECT max(quota_month) FROM epermit.permit"), '2032-05-01', 'which counts for May');
is( $db->sql("$new_york; SELECT max(epermit.quota_month(credential_no)) FROM epermit.permit"),
	'2032-05-01', 'as its number says');
like($db->issue('hong_kong'), qr/^T-/, 'May, second permit');
foreach my $time ('2032-05-01 08:00:00', '2032-05-01 12:00:00')
{
	now($time);
	is($db->issue('hong_kong'), 'quota.exceeded', "nothing opens at $time, when a month begins elsewhere");
}

# ---------------------------------------------------------------- sessions across midnight

foreach my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')
{
	my %midnight = (
		'READ COMMITTED'  => [ '2032-05-31', '2032-06-01' ],
		'REPEATABLE READ' => [ '2032-06-30', '2032-07-01' ],
		'SERIALIZABLE'    => [ '2032-07-31', '2032-08-01' ]);
	my ($before, $after) = @{ $midnight{$level} };
	now("$before 23:59:59");
	$db->issue('macao') foreach 1 .. 2;

	my $session = $node->background_psql('postgres');
	$session->query_safe("BEGIN ISOLATION LEVEL $level; SELECT now(), count(*) FROM epermit.permit");
	now("$after 00:00:00");
	$session->query_safe('INSERT INTO epermit.permit (holder_id, travel_permit_no, reason, request_id)'
		. " SELECT holder_id, travel_permit_no, 'lost', gen_random_uuid() FROM epermit.travel_permit WHERE travel_permit_no::text = 'M23456789'");
	my $answer = $session->query_safe("$Epermit::answer FROM epermit.issue_permit(" . Epermit::permit_application('macao') . ') i');
	like($answer, qr/^T-/, "a transaction ($level) that began before midnight issues after it");
	$session->query_safe('COMMIT');
	$session->quit;
	is( $db->sql("$beijing; SELECT count(*), min(issued_at) FROM epermit.permit"
			  . " WHERE quota_month = '$after' AND travel_permit_no::text = 'M23456789'"),
		"2|$after 00:00:00+08", "and its permits are of the new month ($level)");
}

# Sessions that wait for their holder from one month into the next.
now('2032-08-31 23:59:59');
{
	my $apply = "$Epermit::answer FROM epermit.issue_permit(" . Epermit::permit_application('taiwan') . ') i';
	my ($first, @waiting) = map { $node->background_psql('postgres', on_error_stop => 0) } 1 .. 4;

	$first->query_safe("BEGIN; $apply");
	$_->query_until(qr/asked/, "\\echo asked\n$apply;\n") foreach @waiting;
	$node->poll_query_until('postgres', "SELECT count(*) = 3 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
	  or die 'nobody waits';
	now('2032-09-01 00:00:00');
	$first->query_safe('COMMIT');
	my @answers = sort map { ($_->query('SELECT'))[0] } @waiting;
	$_->quit foreach $first, @waiting;

	is( $db->sql("SELECT quota_month, count(*) FROM epermit.permit WHERE travel_permit_no::text = '01234567' GROUP BY 1 ORDER BY 1"),
		"2032-08-01|1\n2032-09-01|2", 'who waited for the holder across midnight gets the new month');
	is($answers[2], 'quota.exceeded', 'and the third of them is told of its quota');
}

# ---------------------------------------------------------------- the last second

now('2032-10-10 09:30:15');
my $permit = $db->issue('hong_kong');
my $token = $db->token($permit);
now('2032-10-17 09:30:14');
is($db->verify($token), 'valid', 'a permit holds in its last second');
is($db->verify($permit), 'valid', 'by number too');
is($db->verify_offline($token), 'valid', 'and offline');
is($db->sql("SELECT credential_no FROM epermit.active_permits('H12345678')"), $permit, 'and can be shown again');
now('2032-10-17 09:30:15');
is($db->verify($token), 'expired', 'exp is exclusive');
is($db->verify($permit), 'expired', 'by number too');
is($db->verify_offline($token), 'expired', 'and offline');
is($db->sql("$new_york; SELECT verdict FROM epermit.verify_offline('$token', 'rail')"), 'expired', 'in New York too');
is($db->sql("SELECT verdict FROM epermit.verify_offline('$token', 'rail', clock_timestamp() - interval '1 second')"),
	'valid', 'a second ago it held');
is($db->sql("SELECT credential_no FROM epermit.active_permits('H12345678')"), '', 'it is not shown again');

now('2032-11-15 10:00:00');
my $linkage = $db->link_documents('hong_kong');
my $linkage_token = $db->token($linkage);
foreach my $case ([ '2032-12-15 09:59:59', 'valid' ], [ '2032-12-15 10:00:00', 'expired' ])
{
	my ($time, $verdict) = @$case;
	now($time);
	is($db->verify_linkage('hong_kong', $linkage_token), $verdict, "a linkage result of 15 November is $verdict at $time");
	is($db->verify_linkage('hong_kong', $linkage), $verdict, 'by number too');
	is($db->documents_linked('hong_kong'), $verdict, 'and by the two documents');
	is($db->verify_linkage_offline('hong_kong', $linkage_token), $verdict, 'and offline');
}

# ---------------------------------------------------------------- the documents' last day

now('2033-01-10 15:00:00');
$db->sql(
	q{SELECT epermit.register_travel_permit(holder_id, 'M23456789', '2033-01-15') FROM epermit.holder WHERE registered_as::text = 'M23456789';
	SELECT epermit.register_residence_permit(holder_id, residence_permit_no::text, '2033-01-31')
	  FROM epermit.residence_permit JOIN epermit.holder USING (holder_id) WHERE registered_as::text = '01234567'});
my $clipped = $db->issue('macao', document_expiry => '2033-01-15');
my $clipped_linkage = $db->link_documents('taiwan', residence_permit_expiry => '2033-01-31');
is( $db->sql("$beijing; SELECT clipped, valid_until FROM epermit.permit WHERE credential_no::text = '$clipped'"),
	't|2033-01-16 00:00:00+08', 'a permit ends with the last day of its document');
is( $db->sql("$beijing; SELECT clipped, valid_until FROM epermit.linkage WHERE credential_no::text = '$clipped_linkage'"),
	't|2033-02-01 00:00:00+08', 'a linkage result with that of the document that ends first');

now('2033-01-15 23:59:59');
is($db->verify($clipped), 'valid', 'the last second of the last day');
my $one_second = $db->issue('macao', document_expiry => '2033-01-15');
is( $db->sql("SELECT valid_until - issued_at FROM epermit.permit WHERE credential_no::text = '$one_second'"),
	'00:00:01', 'a permit can still be had in that second, for that second');
now('2033-01-16 00:00:00');
is($db->verify($clipped), 'expired', 'the document is over, so is the permit');
like($db->issue('macao', document_expiry => '2033-01-15'), qr/^document\.expired/, 'and there is no other');

now('2033-01-31 23:59:59');
is($db->documents_linked('taiwan'), 'valid', 'the last second of the residence permit');
now('2033-02-01 00:00:00');
is($db->documents_linked('taiwan'), 'expired', 'it is over, so is the linkage result');
is($db->link_documents('taiwan', residence_permit_expiry => '2033-01-31'), 'document.expired', 'and there is no other');

# ---------------------------------------------------------------- instants of policies, attempts and attestations

now('2033-03-05 23:00:00');
$db->sql(q{SELECT epermit.set_policy('2033-03-06 00:00+08', '{"monthly_quota": 3, "permit_days": 5}')});
my $old = $db->issue('hong_kong');
$db->issue('hong_kong');
now('2033-03-05 23:59:59');
is($db->issue('hong_kong'), 'quota.exceeded', 'until the last second the policy before is in force');
now('2033-03-06 00:00:00');
my $new = $db->issue('hong_kong');
is( $db->sql("SELECT string_agg((valid_until - issued_at)::text, ' ' ORDER BY issued_at, quota_slot) FROM epermit.permit WHERE quota_month = '2033-03-01'"),
	'7 days 7 days 5 days', 'from its instant on a policy rules, and what was issued stays as it is');

now('2033-04-01 23:59:58');
my $attestation = $db->sql("SELECT epermit.attest('H12345678')");
foreach my $case ([ '2033-04-02 00:09:58', 'attestation.expired' ], [ '2033-04-02 00:09:57', 'T-' ])
{
	my ($time, $expected) = @$case;
	now($time);
	like($db->issue('hong_kong', attestation => $attestation), qr/^\Q$expected\E/, "an attestation of 23:59:58, shown at $time");
}

now('2033-05-01 12:00:00');
is( $db->issue('hong_kong', name => '李四'), 'name.mismatch', "wrong answer $_") foreach 1 .. 10;
is( $db->issue('hong_kong'), 'attempts.exceeded', 'after ten wrong answers nothing more is said that day');
now('2033-05-01 23:59:59');
is($db->issue('hong_kong'), 'attempts.exceeded', 'to its last second');
now('2033-05-02 00:00:00');
like($db->issue('hong_kong'), qr/^T-/, 'the next day is another day');

$node->stop;
done_testing();
