# A dump brings everything back as it was, by whatever way, and lets nothing else in: what is
# forged, backdated or beyond the quota stays out even where a superuser loads it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";

use Compress::Zlib qw(compress uncompress);
use Epermit;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir;

sub spew
{
	my ($path, $content) = @_;
	open(my $file, '>', $path) or die "$path: $!";
	print $file $content;
	close($file) or die "$path: $!";
	chmod(0600, $path);
	return $path;
}

my $master_key = spew("$dir/master_key", join('', map { sprintf '%02x', $_ * 7 % 256 } 1 .. 32) . "\n");
my $conf = "epermit.master_key_file = '$master_key'\n";

# ---------------------------------------------------------------- something of everything

my $issuer = Epermit::new_cluster('issuer', conf => $conf);
$issuer->start;
$issuer->safe_psql('postgres', 'CREATE ROLE rail; CREATE ROLE bank; CREATE ROLE ferry; CREATE DATABASE travel; CREATE DATABASE stranger');
my $db = Epermit->at($issuer, 'travel');
my $stranger = Epermit->at($issuer, 'stranger')->furnish;    # the same people, other keys

$db->furnish;
$db->sql(q{SELECT setval('epermit.status_seq', 131072 - 8)});    # a second status list is near
$db->sql(q{UPDATE epermit.issuer SET iss = 'https://nia.example', status_list_base = 'https://nia.example/lists/'});
my %permit = (seeded_policy => $db->issue('hong_kong', portrait_digest => 'ab' x 32));
$db->sql(
	q{INSERT INTO epermit.purpose (code, bit, name_zh_hant, name_zh_hans, name_en, permit_may, linkage_may)
		VALUES ('ferry', 40, '渡輪', '渡轮', 'ferries', true, false);
	SELECT epermit.set_policy(clock_timestamp() + interval '1 second',
		'{"monthly_quota": 4, "permit_days": 3, "permit_purposes": ["rail", "air", "ferry"], "attempts_per_day": 3}');
	SELECT epermit.register_department('ferry', '渡輪公司', 'ferry', '{ferry}', '{holder_name}');
	SELECT epermit.rotate_signing_key('permit');
	SELECT epermit.create_audit_partitions(1);});
$db->node->poll_query_until('travel', 'SELECT max(effective_from) < clock_timestamp() FROM epermit.policy');

$permit{compromised} = $db->issue('macao');
my $compromised = $db->sql("SELECT encode(kid, 'hex') FROM epermit.signing_key WHERE usage = 'permit' AND state = 'active'");
my $request = '0b35d7a3-5b1c-4c73-9a56-9b7a5d2f5c11';
my $attestation = $db->sql("SELECT epermit.attest('M23456789')");
$db->sql("SELECT epermit.rotate_signing_key('permit'); SELECT pg_sleep(1.1)");
$db->sql("SELECT epermit.compromise_signing_key('\\x$compromised', 'stolen')");
$permit{ferry} = $db->issue('macao', request_id => $request, attestation => $attestation);
$permit{revoked} = $db->issue('macao', channel => 'counter', office => '廣州', officer => '0042', attestation => undef);
$permit{second} = $db->issue('hong_kong');
my %linkage = (current => $db->link_documents('hong_kong'), suspended => $db->link_documents('taiwan'));
$db->sql(
	qq{SELECT epermit.revoke_permit('$permit{revoked}', 'found');
	SELECT epermit.suspend_linkage('$linkage{suspended}', 'doubts')});
$db->issue('taiwan', name => '李四') foreach 1 .. 3;
$db->sql(
	q{SELECT epermit.set_document_status('01234567', 'reported_lost');
	SELECT epermit.import_jwks('} . $stranger->sql(q{SELECT epermit.jwks('status')}) . q{', 'status')});
my $strange = $stranger->token($stranger->issue('taiwan'));
$db->sql(q{SELECT epermit.import_status_list('\x} . $stranger->sql(q{SELECT encode(epermit.status_list(0), 'hex')}) . q{');
	SELECT epermit.status_list(0)});
$db->verify($permit{ferry});
$db->sql('SELECT epermit.seal_audit()');
$db->issue('hong_kong', reason => 'eaten');    # an event after the seal

my @tokens = map { $db->token($_) } sort(values %permit), sort(values %linkage);
my @presented = (@tokens, values %permit, values %linkage, $strange, 'T-00000-00000-00000-00000', 'garbage', '');

# ---------------------------------------------------------------- what must be the same

# Every row, then the sequences.
my @tables = split /\n/,
  $db->sql(q{SELECT relname FROM pg_class WHERE relnamespace = 'epermit'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1});

sub contents
{
	my ($database) = @_;
	my $rows = join "\nUNION ALL ",
	  map { "SELECT '$_', count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM epermit.$_ t" } @tables;
	return $database->sql("SET TimeZone = 'UTC'; $rows; SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'epermit' ORDER BY 1");
}

# What everybody is told.  audit_id and checked_at are of the moment.
sub answers
{
	my ($database) = @_;
	my $array = "ARRAY['" . join("', '", @presented) . "']";
	my $told = "to_jsonb(v) - 'audit_id' - 'checked_at'";
	my $questions = join ";\n",
	  map {
		my $p = $Epermit::people{$_};
		my $documents = "'$p->{travel_permit_no}', '$p->{residence_permit_no}'";
		(	"RESET ROLE",
			"SELECT * FROM epermit.quota_status('$p->{travel_permit_no}')",
			"SELECT a FROM epermit.active_permits('$p->{travel_permit_no}') a",
			"SELECT $told FROM unnest($array) x, epermit.verify_linkage_offline(x, $documents, '$p->{birth_date}', 'finance') v",
			"SET ROLE bank",
			"SELECT $told FROM epermit.documents_linked($documents, 'finance') v",
			"SELECT $told FROM unnest($array) x, epermit.verify_linkage(x, $documents, 'finance') v")
	  } sort keys %Epermit::people;
	return $database->sql(
		qq{SET TimeZone = 'UTC';
		SELECT $told FROM unnest($array) x, epermit.verify_offline(x, 'rail') v;
		SELECT $told FROM unnest($array) x, epermit.verify_offline(x, 'rail', now() + interval '8 days') v;
		SET ROLE rail;
		SELECT $told FROM unnest($array) x, epermit.verify_permit(x, 'rail') v;
		SELECT $told FROM epermit.verify_permits($array, 'air') v;
		SET ROLE ferry;
		SELECT $told FROM epermit.verify_permits($array, 'ferry') v;
		$questions;
		RESET ROLE;
		SELECT epermit.jwks(), epermit.cose_keyset();
		SELECT ok, problem FROM epermit.verify_audit()});
}

my $unhealthy = 'SELECT "check", detail FROM epermit.health() WHERE NOT ok AND "check" <> \'master_key\'';
my $health = $db->sql($unhealthy);
my $contents = contents($db);
my $dump = "$dir/custom";
$issuer->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $issuer->connstr('travel') ], 'pg_dump -Fc');
$issuer->command_ok([ 'pg_dump', '-Fd', '-j', '2', '-f', "$dir/directory", $issuer->connstr('travel') ], 'pg_dump -Fd -j 2');
$issuer->command_ok([ 'pg_dump', '-Fc', '--inserts', '-f', "$dir/inserts", $issuer->connstr('travel') ], 'pg_dump --inserts');
$issuer->command_ok([ 'pg_dumpall', '-f', "$dir/all.sql" ], 'pg_dumpall');
my $answers = answers($db);

# The answers are worth comparing.
foreach my $verdict (qw(valid malformed unknown_key expired revoked suspended out_of_scope not_found mistyped not_linked key_compromised))
{
	like($answers, qr/"verdict": "$verdict"/, "some answer is $verdict");
}

# ---------------------------------------------------------------- restored

my $target = Epermit::new_cluster('target', conf => $conf);
$target->start;
$target->safe_psql('postgres', 'CREATE ROLE rail; CREATE ROLE bank; CREATE ROLE ferry');

sub restore
{
	my ($dbname, $source, @options) = @_;
	$target->safe_psql('postgres', "CREATE DATABASE $dbname");
	$target->command_ok([ 'pg_restore', '--exit-on-error', @options, '-d', $target->connstr($dbname), $source ],
		"pg_restore, $dbname");
	# Memberships are of the cluster, not of the dump.
	$target->safe_psql($dbname, 'GRANT epermit_verifier TO rail, bank, ferry');
	return Epermit->at($target, $dbname);
}

my %restored = (
	custom          => restore('custom', $dump),
	directory       => restore('directory', "$dir/directory"),
	inserts         => restore('inserts', "$dir/inserts"),
	one_transaction => restore('one_transaction', $dump, '--single-transaction'),
	two_jobs        => restore('two_jobs', "$dir/directory", '-j', '2'),
	many_jobs       => restore('many_jobs', $dump, '-j', '8'));

foreach my $way (sort keys %restored)
{
	my $copy = $restored{$way};
	is(contents($copy), $contents, "$way: the same rows and sequences");
	is(answers($copy), $answers, "$way: the same answers");
	goes_on($copy, $way);
}

# Life goes on where it stood.
sub goes_on
{
	my ($copy, $way) = @_;

	is($copy->issue('macao', request_id => $request), $permit{ferry}, "$way: the same request gets the same permit");
	like($copy->issue('macao', attestation => $attestation), qr/attestation\.reused/, "$way: an attestation serves once");
	is($copy->issue('taiwan'), 'attempts.exceeded', "$way: wrong answers count on");
	like($copy->issue('hong_kong'), qr/^T-/, "$way: a permit is issued");
	like($copy->issue('hong_kong'), qr/^T-/, "$way: and the last of the quota");
	is($copy->issue('hong_kong'), 'quota.exceeded', "$way: which is what it was");
	like($copy->link_documents('macao'), qr/^L-/, "$way: a linkage result is issued");
	$copy->sql(q{SELECT epermit.register_holder('H99999999', '2040-01-01', '新', 'SAN', '2001-01-01', 'male', 'HKG')});
	is( $copy->sql(
			q{SELECT count(*), count(DISTINCT (status_list_id, status_idx)) FROM
				(SELECT status_list_id, status_idx FROM epermit.permit UNION ALL SELECT status_list_id, status_idx FROM epermit.linkage) c}),
		'10|10',
		"$way: no two have the same entry of a status list");
	is($copy->sql('SELECT count(DISTINCT status_list_id) FROM epermit.permit'), '2', "$way: and the next list has begun");
	is($copy->sql('SELECT count(*) = count(DISTINCT id) FROM epermit.audit_log'), 't', "$way: audit ids go on");
	is($copy->sql($unhealthy), $health, "$way: in the same health");
	$copy->sql('SELECT epermit.seal_audit(); SELECT epermit.seal_audit()');
	is($copy->sql('SELECT bool_and(ok), count(*) > 1 FROM epermit.verify_audit()'), 't|t', "$way: seals go on from where they were");
	return;
}

# ---------------------------------------------------------------- the whole cluster as SQL; the master key is not in it

my $plain = Epermit::new_cluster('plain');
$plain->start;
my ($status, undef, $errors) = $plain->psql('postgres', undef, extra_params => [ '-f', "$dir/all.sql" ], on_error_stop => 0);
is(join("\n", grep { /ERROR/ && !/role "postgres" already exists/ } split /\n/, $errors), '', 'pg_dumpall and psql');
my $plain_db = Epermit->at($plain, 'travel');
is(contents($plain_db), $contents, 'pg_dumpall: the same rows and sequences');
is(answers($plain_db), $answers, 'pg_dumpall: the same answers, without the master key');
is($plain_db->try('SELECT epermit.issue_permit(' . Epermit::permit_application('macao', attestation => undef, channel => 'counter', office => 'x', officer => 'y') . ')'),
	'TP004', 'but nothing is issued without it');
is($plain_db->try(q{SELECT epermit.rotate_signing_key('status')}), 'TP004', 'nor is another one made in its place');
# As if the issuer's had been a generated one.
spew($plain->data_dir . '/epermit_master_key', slurp_file($master_key));
goes_on($plain_db, 'pg_dumpall, master key copied');

# ---------------------------------------------------------------- what does not get in

# Everything but the permits themselves, and what happened to them.
run_command([ 'pg_restore', '-f', "$dir/all_but_permits.sql", $dump ]);
spew("$dir/all_but_permits.sql", join('', grep { !/^(permit|credential_event)\t/ } split /^/, slurp_file("$dir/all_but_permits.sql")));
$target->safe_psql('postgres', 'CREATE DATABASE gate');
my ($gate_status) = $target->psql('gate', undef, extra_params => [ '-q', '-f', "$dir/all_but_permits.sql" ], on_error_stop => 1);
is($gate_status, 0, 'a dump without its permits');
$target->safe_psql('gate', 'GRANT epermit_verifier TO rail, bank, ferry');
my $gate = Epermit->at($target, 'gate');
is($gate->sql('SELECT count(*) FROM epermit.permit'), '0', 'a database without its permits');

# Rows as COPY gives them, by column.
my @columns = split /\n/,
  $db->sql(q{SELECT attname FROM pg_attribute WHERE attrelid = 'epermit.permit'::regclass AND attnum > 0 ORDER BY attnum});

sub row
{
	my ($database, $no) = @_;
	my %row;
	@row{@columns} = split /\t/, $database->sql("COPY (SELECT * FROM epermit.permit WHERE credential_no::text = '$no') TO STDOUT"), -1;
	return %row;
}

sub copy_command
{
	my (%row) = @_;
	return "COPY epermit.permit FROM STDIN;\n" . join("\t", @row{@columns}) . "\n\\.\n";
}

my %good = row($db, $permit{ferry});
my %other = row($db, $permit{second});
my $other_people = $db->sql(q{SELECT holder_id FROM epermit.holder WHERE registered_as::text = 'H12345678'});
my %foreign = row($stranger, $stranger->issue('macao'));

my @forgeries = (
	[ 'another number',             credential_no   => $other{credential_no} ],
	[ 'another person',             holder_id       => $other_people, travel_permit_no => 'H12345678' ],
	[ 'another month',              quota_month     => '2020-01-01' ],
	[ 'another slot',               quota_slot      => $good{quota_slot} + 1 ],
	[ 'a slot of 0',                quota_slot      => 0 ],
	[ 'a later end',                valid_until     => '2039-01-01 00:00:00+08' ],
	[ 'an end forged as clipped',   clipped         => 't' ],
	[ 'an earlier issue',           issued_at       => '2020-01-01 00:00:00+08' ],
	[ 'backdated as a whole',       issued_at       => '2020-01-01 00:00:00+08', valid_until => '2020-01-04 00:00:00+08', quota_month => '2020-01-01' ],
	[ 'a purpose more',             purposes        => '{rail,air,ferry,lodging}' ],
	[ 'a purpose less',             purposes        => '{rail,air}' ],
	[ 'a purpose there is not',     purposes        => '{rail,air,ferry,moon}' ],
	[ 'another policy',             policy          => '2000-01-01 00:00:00+08' ],
	[ 'a policy there is not',      policy          => '2020-01-01 00:00:00+08' ],
	[ 'another key',                kid             => $other{kid} eq $good{kid} ? "\\\\x$compromised" : $other{kid} ],
	[ 'another status list',        status_list_id  => $good{status_list_id} + 1 ],
	[ 'another status entry',       status_idx      => ($good{status_idx} + 1) % 131072 ],
	[ 'a portrait',                 portrait_digest => '\\\\x' . 'ab' x 32 ],
	[ "another permit's token",     token           => $other{token} ],
	[ "an unknown key's token",     token           => $foreign{token} ],
	[ "a linkage result's token",   token           => $db->token($linkage{current}) ],
	[ 'a foreign row',              %foreign ],
	[ 'no number',                  credential_no   => '\\N' ]);

foreach my $forgery (@forgeries)
{
	my ($name, %change) = @$forgery;
	is($gate->try(copy_command(%good, %change)), 'TP007', "refused: $name");
}

# The stranger's key becomes known, but as one for linkage results.
$gate->sql(q{SELECT epermit.import_jwks('} . $stranger->sql(q{SELECT epermit.jwks('permit')}) . q{', 'linkage')});
is($gate->try(copy_command(%foreign)), 'TP007', "refused: a row of another kind's key");

# One byte of the signed message at a time.
sub from_base45
{
	my ($text) = @_;
	my %value;
	@value{ split //, '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:' } = 0 .. 44;
	my $bytes = '';
	while ($text =~ /(.)(.)(.)?/sg)
	{
		my $n = $value{$1} + 45 * $value{$2} + (defined $3 ? 2025 * $value{$3} : 0);
		$bytes .= defined $3 ? pack('n', $n) : pack('C', $n);
	}
	return $bytes;
}

sub to_base45
{
	my ($bytes) = @_;
	my @digit = split //, '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
	my $text = '';
	while ($bytes =~ /(..?)/sg)
	{
		my $n = length($1) == 2 ? unpack('n', $1) : unpack('C', $1);
		$text .= $digit[ $n % 45 ] . $digit[ $n / 45 % 45 ];
		$text .= $digit[ $n / 2025 ] if length($1) == 2;
	}
	return $text;
}

my $message = uncompress(from_base45($good{token}));
my @changed;
foreach my $i (0 .. length($message) - 1)
{
	my $copy = $message;
	substr($copy, $i, 1) ^= chr(1 << $i % 8);
	push @changed, copy_command(%good, token => to_base45(compress($copy)));
}
my (undef, undef, $refusals) = $gate->node->psql('gate', "\\set VERBOSITY sqlstate\n" . join('', @changed), on_error_stop => 0);
my %refused;
$refused{$_}++ foreach $refusals =~ /ERROR:\s+(\w+)/g;
is($refused{TP007} + $refused{'22P02'}, length($message), 'refused: each single byte of the token')
  or diag(join ', ', map { "$_: $refused{$_}" } sort keys %refused);
cmp_ok($refused{TP007}, '>', 150, 'most of them as what does not match');
is($gate->sql('SELECT count(*) FROM epermit.permit'), '0', 'and nothing has got in');

# A database that was led astray: more quota, a key that others gave up.
my $astray = restore('astray', $dump);
$astray->sql(q{SELECT epermit.set_policy(clock_timestamp() + interval '1 second', '{"monthly_quota": 9}')});
$astray->node->poll_query_until('astray', 'SELECT max(effective_from) < clock_timestamp() FROM epermit.policy');
my %beyond;
do { %beyond = row($astray, $astray->issue('macao')) } until $beyond{quota_slot} > 4;
is($gate->try(copy_command(%beyond)), 'TP007', 'refused: a slot beyond the quota, by a policy that is not known here');
is($gate->try(copy_command(%beyond, policy => $good{policy})), 'TP007', 'refused: and by one that is');

my $active = $gate->sql(q{SELECT kid FROM epermit.signing_key WHERE usage = 'permit' AND state = 'active'});
$gate->sql("SELECT epermit.compromise_signing_key('$active', 'stolen')");
$gate->sql('SELECT pg_sleep(1.1)');
my %late = row($astray, $astray->issue('hong_kong'));
is($gate->try(copy_command(%late, policy => $good{policy})), 'TP007', 'refused: signed after its key was compromised');

# What is good gets in, though a key was compromised after it.
is($gate->try(copy_command(%good)), '', 'admitted: a row as it was issued');
is($gate->try(copy_command(%good)), '23505', 'once');
my %row_of_compromised = row($db, $permit{compromised});
is($gate->try(copy_command(%row_of_compromised)), '', 'admitted: a row of a key compromised since, since it used up its slot');
is($gate->verify($permit{compromised}), 'key_compromised', 'but it is not valid');

# ---------------------------------------------------------------- restored twice

my $twice = restore('twice', $dump);
$twice->issue('macao');
my $before = contents($twice);
foreach my $options ([ '--single-transaction' ], [ '--exit-on-error' ])
{
	my ($out, $err) = run_command([ 'pg_restore', @$options, '-d', $target->connstr('twice'), $dump ]);
	like($err, qr/already exists|duplicate key/, "restored twice fails (@$options)");
	is(contents($twice), $before, "and changes nothing (@$options)");
}
is(($twice->sql('SELECT count(*) FROM epermit.permit')), '6', 'nor does any permit come twice');

# ---------------------------------------------------------------- gone and come again, in one session

is( $plain_db->sql(
		q{SET client_min_messages = warning;
		SELECT verdict FROM epermit.verify_offline('} . $tokens[0] . q{', 'rail');
		DROP EXTENSION epermit;
		CREATE EXTENSION epermit;
		SELECT verdict FROM epermit.verify_offline('} . $tokens[0] . q{', 'rail');
		SELECT epermit.create_signing_key(u) IS NOT NULL FROM unnest('{permit,attestation}'::epermit.key_usage[]) u;
		SELECT epermit.register_holder('H12345678', '2040-05-31', '陳大文', 'CHAN TAI MAN', '1985-06-01', 'male', 'HKG') IS NOT NULL;
		SELECT i.quota_used FROM epermit.issue_permit(} . Epermit::permit_application('hong_kong') . q{) i;
		SELECT verdict FROM epermit.permit p, epermit.verify_offline(p.token::text, 'rail');
		SELECT epermit.register_department('rail', 'Railway', 'rail', '{rail}', '{}');
		SET ROLE rail;
		SELECT count(*), min(verdict) FROM epermit.verify_permits(ARRAY['x'], 'rail')}),
	join("\n", qw(valid unknown_key t t t 1 valid), '', '1|malformed'),
	'DROP EXTENSION and CREATE EXTENSION in one session');

my $unchanged = contents($restored{custom});
my (undef, undef, $notice) = $target->psql('custom', 'ALTER EXTENSION epermit UPDATE');
like($notice, qr/NOTICE:.*already installed/, 'ALTER EXTENSION UPDATE to the same version says so');
is(contents($restored{custom}), $unchanged, 'and changes nothing');

# ---------------------------------------------------------------- the cluster upgraded

$contents = contents($db);
$issuer->stop;
my $upgraded = Epermit::new_cluster('upgraded', conf => $conf);
my $bin = $issuer->config_data('--bindir');
chdir($dir) or die "$dir: $!";    # where pg_upgrade writes
$upgraded->command_ok(
	[ 'pg_upgrade', '-b', $bin, '-B', $bin, '-d', $issuer->data_dir, '-D', $upgraded->data_dir, '-p', $issuer->port, '-P', $upgraded->port, '-s', PostgreSQL::Test::Utils::tempdir_short ],
	'pg_upgrade');
$upgraded->start;
my $upgraded_db = Epermit->at($upgraded, 'travel');
is(contents($upgraded_db), $contents, 'pg_upgrade: the same rows and sequences');
is(answers($upgraded_db), $answers, 'pg_upgrade: the same answers');
goes_on($upgraded_db, 'pg_upgrade');

$_->stop foreach $upgraded, $target, $plain;
done_testing();
