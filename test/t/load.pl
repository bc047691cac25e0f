# Many sessions at once issue and verify: nothing fails, no quota is off by one, all of it verifies.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";

use Epermit;
use IPC::Run qw(run);
use PostgreSQL::Test::Utils;
use Test::More;

my $holders = 400;
my $seconds = 8;
my $dir = PostgreSQL::Test::Utils::tempdir;

my $db = Epermit->start('load', conf => "max_connections = 30\n");
my $node = $db->node;

# One login for everything, as a platform's connection pool has; it is a department as well.
$db->sql(
	qq{CREATE ROLE platform LOGIN;
	GRANT epermit_issuer, epermit_attestor TO platform;
	SELECT epermit.register_department('platform', 'Platform', 'platform', '{rail}', '{holder_name}');
	SELECT count(epermit.register_holder('H' || to_char(70000000 + n, 'FM00000000'), '2040-01-01', '陳大文', 'CHAN TAI MAN',
		'1985-06-01', 'male', 'HKG')) FROM generate_series(1, $holders) n});

sub script
{
	my ($name, $sql) = @_;
	open(my $file, '>', "$dir/$name") or die "$dir/$name: $!";
	print $file $sql;
	close($file);
	return "$dir/$name";
}

my $issue = script('issue', <<"SQL");
\\set n random(70000001, 70000000 + $holders)
SELECT credential_no FROM epermit.issue_permit(jsonb_build_object('document_kind', 'hk_macau', 'document_no', 'H:n',
	'document_expiry', '2040-01-01', 'name', '陳大文', 'birth_date', '1985-06-01', 'mobile_no', '13800138000', 'reason', 'lost',
	'request_id', gen_random_uuid(), 'attestation', epermit.attest('H:n')));
SQL

my $verify = script('verify', <<"SQL");
\\set n random(70000001, 70000000 + $holders)
SELECT v.verdict, v.holder_name FROM epermit.active_permits('H:n') p,
	epermit.verify_permit(epermit.credential_token(p.credential_no)::text, 'rail') v;
SQL

run([ 'pgbench', '--no-vacuum', '--client=8', '--jobs=2', "--time=$seconds", '--username=platform',
		"--file=$issue\@1", "--file=$verify\@2", $node->connstr('postgres') ], '>', \my $out, '2>', \my $err);
is($? >> 8, 0, 'pgbench ends well');
unlike($err, qr/error|aborted/i, 'and no client met an error') or diag($err);
my ($issued, $verified) = $out =~ / total, tps = ([\d.]+)/g;
diag(sprintf('%.0f applications/s and %.0f verifications/s at once', $issued, $verified));

# Each application left one event, so the log knows how many a holder may have got.
is( $db->sql(
		q{SELECT count(*) FROM
			(SELECT holder_id, count(*) AS asked FROM epermit.audit_log WHERE event IN ('issue_permit', 'refuse_permit') GROUP BY 1) a
			FULL JOIN (SELECT holder_id, count(*) AS got, min(quota_slot) AS first, max(quota_slot) AS last FROM epermit.permit GROUP BY 1) p USING (holder_id)
			WHERE (got, first, last) IS DISTINCT FROM (least(2, asked), 1, least(2, asked)::smallint)}),
	'0',
	'everybody got what was asked for, and two at most');
is( $db->sql(q{SELECT string_agg(DISTINCT codes::text, ' ') FROM epermit.audit_log WHERE event = 'refuse_permit'}),
	'{quota.exceeded}', 'nothing was refused for another reason');
cmp_ok($db->sql('SELECT count(*) FROM epermit.permit'), '>', $holders / 2, 'many permits');
like(
	$db->sql(q{SELECT count(*), count(DISTINCT credential_no::text), count(DISTINCT (status_list_id, status_idx)) FROM epermit.permit}),
	qr/^(\d+)\|\1\|\1$/, 'each with a number and a status entry of its own');
is($db->sql(q{SELECT count(*) FROM epermit.permit p, epermit.verify_offline(p.token::text, 'rail') v WHERE v.verdict <> 'valid'}),
	'0', 'every token verifies');
is( $db->sql(q{SELECT DISTINCT verdict FROM epermit.audit_log WHERE event = 'verify_permit'}),
	'valid', 'and did whenever it was shown');

cmp_ok($db->sql(q{SELECT count(*) FROM epermit.audit_log WHERE event = 'verify_permit'}), '>', 100, 'many verifications, all of them audited');

$node->stop;
done_testing();
