# Who may do what, and that nobody gets further: by objects in the way, by settings, by speaking
# for somebody else.  Neither errors nor the server log repeat what people entered.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";

use Epermit;
use PostgreSQL::Test::Utils;
use Test::More;

# A statement in the log would show what the client wrote, not what we did.
my $db = Epermit->start('rights', conf => "log_statement = none\nlog_min_error_statement = panic\nlog_error_verbosity = verbose\n");
my $node = $db->node;
$db->sql('SELECT epermit.create_audit_partitions(1)');
my @roles = qw(epermit_issuer epermit_officer epermit_registrar epermit_verifier epermit_attestor epermit_keeper epermit_admin epermit_auditor);

# ---------------------------------------------------------------- functions

# By name: what overloads it has have the same rights.
my $applications = q{issue_permit link_documents check_application check_linkage credential_token quota_status active_permits
	linkage_certificate_svg revoke_permit revoke_linkage suspend_permit suspend_linkage reinstate_permit reinstate_linkage};

my %may_execute = (
	epermit_issuer    => $applications,
	epermit_officer   => $applications,
	epermit_registrar => q{register_holder register_travel_permit register_residence_permit set_document_status},
	epermit_verifier  => q{verify_permit verify_permits verify_linkage documents_linked},
	epermit_attestor  => q{attest},
	epermit_keeper    => q{create_signing_key rotate_signing_key retire_signing_key compromise_signing_key signing_keys
		credentials_to_reissue import_jwks import_key_list import_status_list reseal_keys},
	epermit_admin   => q{set_policy register_department create_audit_partitions
		maintain erase_expired purge_attestations seal_batch health},
	epermit_auditor => q{seal_audit verify_audit audit_proof read_audit_head checks_on_holder import_audit signing_keys
		create_audit_partitions drop_audit_partitions health});

my $everybody = q{
	verify_offline verify_linkage_offline signature_valid
	jwks cose_keyset key_list status_list status_list_uris
	qr_text qr_svg qr_png
	draw_linkage_certificate region birth_date sex kind masked issue_count holder_id quota_month quota_slot is_permit claims kid cose
	holder_bucket clean_name beijing_month month_opens kept_until key_id public_key_valid
	audit_leaf merkle_leaf merkle_push merkle_final merkle_root merkle_proof};

foreach my $type (qw(travel_permit_no residence_permit_no mobile_no credential_no token))
{
	$everybody .= " ${type}_$_" foreach qw(in out recv send cmp eq ne lt le gt ge hash hash_extended);
}

my %expected;
foreach my $role (@roles, 'public')
{
	$expected{$role}{$_} = 1 foreach split ' ', $everybody;
	$expected{$role}{$_} = 1 foreach split ' ', $may_execute{$role} // '';
}

my %exists;
my @wrong;
foreach my $role (@roles, 'public')
{
	foreach my $line (split /\n/,
		$db->sql("SELECT proname, oid::regprocedure, has_function_privilege('$role', oid, 'EXECUTE') FROM pg_proc WHERE pronamespace = 'epermit'::regnamespace"))
	{
		my ($name, $function, $may) = split /\|/, $line;
		$exists{$name} = 1;
		push @wrong, "$role " . ($may eq 't' ? 'may' : 'may not') . " execute $function"
		  if ($may eq 't') != ($expected{$role}{$name} // 0);
	}
}
is(join("\n", @wrong), '', 'each role executes what it is for, and nothing else');
is(join(' ', grep { !$exists{$_} } map { keys %$_ } values %expected), '', 'and all of that exists');

# ---------------------------------------------------------------- tables, sequences, the schema

is( $db->sql(
		q{SELECT r.rolname, c.relname, string_agg(p.privilege, ' ' ORDER BY p.privilege)
			FROM pg_class c, (SELECT rolname FROM pg_roles WHERE rolname ~ '^epermit_' UNION SELECT 'public') r,
				unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p (privilege)
			WHERE c.relnamespace = 'epermit'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
				AND (has_table_privilege(r.rolname, c.oid, p.privilege)
					OR CASE WHEN p.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') THEN has_any_column_privilege(r.rolname, c.oid, p.privilege) END)
			GROUP BY 1, 2 ORDER BY 1, 2}),
	join("\n",
		(map { "epermit_admin|$_|SELECT" } qw(credentials_in_force issues_per_hour refusals_per_hour verifications_per_hour)),
		(map { "epermit_auditor|$_|SELECT" } qw(audit_events audit_heads credentials_in_force issues_per_hour refusals_per_hour verifications_per_hour)),
		(map { "epermit_registrar|$_|INSERT SELECT UPDATE" } qw(holder residence_permit travel_permit))),
	'the registrar reads and writes the registry, operators and auditors read figures, and nobody any other table');
is( $db->sql(
		q{SELECT r.rolname, c.relname FROM pg_class c, (SELECT rolname FROM pg_roles WHERE rolname ~ '^epermit_' UNION SELECT 'public') r
			WHERE c.relnamespace = 'epermit'::regnamespace AND c.relkind = 'S' AND has_sequence_privilege(r.rolname, c.oid, 'USAGE, SELECT, UPDATE')}),
	'', 'nobody has a sequence');
is( $db->sql(
		q{SELECT r.rolname FROM (SELECT rolname FROM pg_roles WHERE rolname ~ '^epermit_' UNION SELECT 'public') r
			WHERE has_schema_privilege(r.rolname, 'epermit', 'CREATE') OR NOT has_schema_privilege(r.rolname, 'epermit', 'USAGE')}),
	'', 'everybody sees the schema, nobody adds to it');
is( $db->sql(
		q{SELECT rolname FROM pg_roles WHERE rolname ~ '^epermit_'
			AND (rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
				OR EXISTS (SELECT FROM pg_auth_members m WHERE m.member = pg_roles.oid))}),
	'', 'the groups are groups: no login, no attribute, no membership');
is( $db->sql(
		q{SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'epermit'::regnamespace AND p.prosecdef
			AND (p.proconfig[1] IS DISTINCT FROM 'search_path=pg_catalog, pg_temp'
				OR p.proowner <> (SELECT extowner FROM pg_extension WHERE extname = 'epermit'))}),
	'', 'whatever runs as its owner has a search path of its own');
is( $db->sql(
		q{SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.pronamespace = 'epermit'::regnamespace
			AND l.lanname IN ('sql', 'plpgsql') AND p.proconfig IS NULL AND p.prosqlbody IS NULL AND p.prokind <> 'p'}),
	'', 'and whatever is SQL has one too, or was read when it was made');

# ---------------------------------------------------------------- people

# mallory holds every role there is, and owns what he makes; an outsider holds none.
$db->sql(
	'CREATE ROLE mallory LOGIN; GRANT ' . join(', ', @roles) . q{ TO mallory;
	SELECT epermit.register_department('mallory', 'Mallory', 'mallory', '{rail,finance}',
		'{holder_name,name_romanised,birth_date,document_kind,document_no,purposes,portrait_digest,name_match}');
	CREATE ROLE registrar LOGIN; GRANT epermit_registrar TO registrar;
	CREATE ROLE outsider LOGIN;
	CREATE ROLE clerk LOGIN IN ROLE rail;
	GRANT CREATE ON DATABASE postgres TO mallory;
	GRANT CREATE ON SCHEMA public TO mallory});

sub by
{
	my ($login, $sql) = @_;
	my ($status, $stdout, $stderr) = $node->psql('postgres', "\\set VERBOSITY sqlstate\n$sql", extra_params => [ '--username', $login ]);
	return $status == 0 ? $stdout : $stderr =~ /(?:ERROR|FATAL):\s+(\w{5})/ ? $1 : $stderr;
}

my $token = $db->token($db->issue('hong_kong'));
my $linkage_no = $db->link_documents('hong_kong');
my $linkage = $db->token($linkage_no);
my $p = $Epermit::people{hong_kong};

# ---------------------------------------------------------------- the registrar

my $h1 = $db->sql(q{SELECT holder_id FROM epermit.holder WHERE registered_as::text = 'H12345678'});
is( by('registrar',
		q{INSERT INTO epermit.holder (registered_as, name_zh, name_romanised, birth_date, sex, region) VALUES ('H55555555', '黃一', 'WONG YAT', '1970-01-01', 'male', 'HKG');
		INSERT INTO epermit.travel_permit (travel_permit_no, holder_id, valid_until) SELECT registered_as, holder_id, '2039-01-01' FROM epermit.holder WHERE registered_as::text = 'H55555555';
		COPY epermit.holder (registered_as, name_zh, name_romanised, birth_date, sex, region) FROM STDIN;
M55555555	黃二	WONG I	1971-01-01	female	MAC
\.
		UPDATE epermit.holder SET name_zh = '黃三' WHERE registered_as::text = 'M55555555';
		UPDATE epermit.travel_permit SET valid_until = '2041-01-01' WHERE travel_permit_no::text = 'H55555555';
		INSERT INTO epermit.residence_permit (residence_permit_no, holder_id, valid_until)
			SELECT '} . Epermit::residence_permit_no('810000', '19700101', '001') . q{', holder_id, '2039-01-01' FROM epermit.holder WHERE registered_as::text = 'H55555555';
		UPDATE epermit.residence_permit SET status = 'cancelled';
		SELECT count(*) FROM epermit.holder}),
	'5', 'the registrar inserts, copies, updates and reads the registry');
is($db->sql(q{SELECT count(*) FROM epermit.audit_log WHERE login_role = 'registrar' AND event = 'registry'}), '7', 'each statement is audited as his');

my %refused_to_registrar = (
	'delete'                    => 'DELETE FROM epermit.holder',
	'truncate'                  => 'TRUNCATE epermit.travel_permit CASCADE',
	'insert a permit'           => qq{INSERT INTO epermit.permit (holder_id, travel_permit_no, reason, request_id) VALUES ($h1, 'H12345678', 'lost', gen_random_uuid())},
	'copy a permit'             => "COPY epermit.permit FROM STDIN;\n\\.\n",
	'read permits'              => 'TABLE epermit.permit',
	'take a status entry'       => q{SELECT nextval('epermit.status_seq')},
	'take a serial'             => q{SELECT nextval('epermit.holder_serial')},
	'call a trigger function'   => 'SELECT epermit.check_holder()',
	'issue'                     => q{SELECT epermit.issue_permit('{}')},
	'attest'                    => q{SELECT epermit.attest('H12345678')},
	'verify'                    => q{SELECT epermit.verify_permit('x', 'rail')});
foreach my $what (sort keys %refused_to_registrar)
{
	is(by('registrar', $refused_to_registrar{$what}), '42501', "the registrar may not $what");
}
is(by('registrar', "UPDATE epermit.holder SET holder_id = holder_id + 1"), 'TP002', 'a holder keeps his number');
is(by('registrar', "UPDATE epermit.travel_permit SET holder_id = $h1 WHERE travel_permit_no::text = 'H55555555'"), 'TP002', 'a document keeps its holder');

# ---------------------------------------------------------------- the owner's alone

# Mallory has every role, and may create tables.
my %refused_to_all = (
	'read permits'               => 'TABLE epermit.permit',
	'read permits by COPY'       => 'COPY epermit.permit TO STDOUT',
	'read keys'                  => 'TABLE epermit.signing_key',
	'read the audit log'         => 'TABLE epermit.audit_log',
	'read a partition of it'     => 'TABLE epermit.audit_log_default',
	'write a permit'             => qq{INSERT INTO epermit.permit (holder_id, travel_permit_no, reason, request_id) VALUES ($h1, 'H12345678', 'lost', gen_random_uuid())},
	'change a permit'            => 'UPDATE epermit.permit SET valid_until = now()',
	'delete audit events'        => 'DELETE FROM epermit.audit_log',
	'lock permits'               => 'BEGIN; LOCK TABLE epermit.permit',
	'refer to holders'           => 'CREATE TABLE public.spy (id bigint REFERENCES epermit.holder)',
	'inherit'                    => 'CREATE TABLE public.spy () INHERITS (epermit.holder)',
	'make a partition'           => q{CREATE TABLE public.spy PARTITION OF epermit.audit_log FOR VALUES FROM ('2001-01-01') TO ('2001-02-01')},
	'add a trigger'              => 'CREATE TRIGGER spy BEFORE INSERT ON epermit.holder FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
	'switch off a trigger'       => 'ALTER TABLE epermit.holder DISABLE TRIGGER rules',
	'add a rule'                 => 'CREATE RULE spy AS ON INSERT TO epermit.holder DO INSTEAD NOTHING',
	'switch on row security'     => 'ALTER TABLE epermit.holder ENABLE ROW LEVEL SECURITY',
	'add a policy of rows'       => 'CREATE POLICY spy ON epermit.holder USING (true)',
	'add an index'               => 'CREATE INDEX ON epermit.holder (name_zh)',
	'add statistics'             => 'CREATE STATISTICS public.spy ON name_zh, sex FROM epermit.holder',
	'comment'                    => q{COMMENT ON TABLE epermit.holder IS 'x'},
	'turn back a sequence'       => q{SELECT setval('epermit.status_seq', 1)},
	'call an internal function'  => q{SELECT epermit.audit_event('issue_permit', '{}')},
	'make a key pair'            => 'SELECT epermit.generate_key_pair()',
	'unseal'                     => q{SELECT epermit.reseal_seed('', '')},
	'rename a function'          => 'ALTER FUNCTION epermit.verify_permit(text, text) RENAME TO x',
	'add a function'             => q{CREATE FUNCTION epermit.x() RETURNS int LANGUAGE sql AS 'SELECT 1'},
	'add an operator'            => 'CREATE OPERATOR epermit.= (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)',
	'add a cast'                 => 'CREATE CAST (epermit.travel_permit_no AS jsonb) WITH INOUT AS IMPLICIT',
	'unpin a search path'        => 'ALTER FUNCTION epermit.issue_permit(jsonb) RESET search_path',
	'be somebody else'           => 'SET ROLE rail',
	'become somebody else'       => 'SET SESSION AUTHORIZATION rail',
	'pretend to be a replica'    => 'SET session_replication_role = replica',
	'leave the extension'        => 'ALTER EXTENSION epermit DROP TABLE epermit.permit',
	'drop the extension'         => 'DROP EXTENSION epermit CASCADE',
	'see the master key setting' => 'SELECT epermit.cose_keyset(); SHOW epermit.master_key_command');
foreach my $what (sort keys %refused_to_all)
{
	is(by('mallory', $refused_to_all{$what}) =~ s/.*\n//sr, '42501', "nobody but the owner may $what");
}
is(by('mallory', 'GRANT SELECT ON epermit.permit TO mallory'), '42501', 'nor grant');

# Before the library is loaded anybody may set what looks like its settings; then they are not taken.
my $pwned = PostgreSQL::Test::Utils::tempdir . '/pwned';
my %setting_refused = (
	"epermit.master_key_command = 'touch $pwned; echo'" => '55P02',
	"epermit.master_key_file = '/dev/null'"             => '55P02',
	"epermit.audit_sink = 'log'"                        => '42501');
foreach my $setting (sort keys %setting_refused)
{
	my ($name) = $setting =~ /^(\S+)/;
	is(by('mallory', "SELECT 1 FROM epermit.cose_keyset(); SET $setting") =~ s/^1\n//r, $setting_refused{$setting}, "nobody sets $name");
	like(by('mallory', "SET $setting; SELECT epermit.rotate_signing_key('status') IS NOT NULL"), qr/^t$/, "nor early");
	like(by('mallory', "ALTER ROLE mallory SET $setting"), qr/^(|42501|55P02)$/, 'nor for the next time');
	is(by('mallory', q{SELECT epermit.rotate_signing_key('status') IS NOT NULL}), 't', 'when it is not taken either');
	$db->sql('ALTER ROLE mallory RESET ALL');
}
ok(!-e $pwned, 'and no command ran');

# ---------------------------------------------------------------- who is asking

my $check = "verdict FROM epermit.verify_permit('$token', 'rail')";
is(by('outsider', "SELECT $check"), '42501', 'an outsider does not verify');
is(by('outsider', "SELECT verdict FROM epermit.verify_offline('$token', 'rail')"), 'valid', 'but offline');
is(by('clerk', "SELECT $check"), 'TP005', "a member of a department's role is not the department");
is(by('clerk', "SET ROLE rail; SELECT $check"), 'valid', 'until he says so');
is( $db->sql(q{SELECT login_role, calling_role, department FROM epermit.audit_log WHERE event = 'verify_permit' ORDER BY id DESC LIMIT 1}),
	'clerk|rail|rail', 'and both names are kept');
is(by('clerk', "SET ROLE bank; SELECT $check"), '42501', 'he cannot be another one');
is(by('clerk', "SET SESSION AUTHORIZATION bank; SELECT $check"), '42501', 'nor become it');
is($db->as('rail', "SELECT verdict FROM epermit.verify_permit('$token', 'air')"), 'valid', 'a department asks for what it was granted');
is($db->try("SET ROLE rail; SELECT verdict FROM epermit.verify_permit('$token', 'lodging')"), 'TP006', 'and for nothing else');

$db->sql(
	qq{CREATE FUNCTION public.wrapped(t text) RETURNS epermit.verdict LANGUAGE sql SECURITY DEFINER AS
		\$\$SELECT verdict FROM epermit.verify_permit(t, 'rail')\$\$;
	ALTER FUNCTION public.wrapped(text) OWNER TO rail;
	CREATE FUNCTION public.issued(a jsonb) RETURNS text LANGUAGE sql SECURITY DEFINER AS
		\$\$SELECT credential_no FROM epermit.issue_permit(a)\$\$;
	ALTER FUNCTION public.issued(jsonb) OWNER TO mallory;
	CREATE VIEW public.viewed AS SELECT verdict FROM epermit.verify_permit('$token', 'rail');
	CREATE VIEW public.viewed_as_rail AS SELECT verdict FROM epermit.verify_permit('$token', 'rail');
	ALTER VIEW public.viewed_as_rail OWNER TO rail;
	GRANT SELECT ON public.viewed, public.viewed_as_rail TO PUBLIC});
is(by('outsider', "SELECT public.wrapped('$token')"), 'TP005', "a department's wrapper does not lend its name");
is(by('outsider', "SELECT public.issued('{}')"), '42501', "an issuer's wrapper does not either");
is(by('outsider', 'TABLE public.viewed'), '42501', "nor does a superuser's view");
is(by('outsider', 'TABLE public.viewed_as_rail'), '42501', "nor a department's view");
is(by('clerk', 'TABLE public.viewed_as_rail'), 'TP005', 'to whomever');

my $counter = 'SELECT epermit.issue_permit(' . Epermit::permit_application('hong_kong', channel => 'counter', office => 'x', officer => 'y', attestation => undef) . ')';
$db->sql('CREATE ROLE platform LOGIN IN ROLE epermit_issuer; CREATE ROLE desk LOGIN IN ROLE epermit_officer');
is(by('platform', $counter), '42501', 'an online platform does not speak for a counter');
is(by('desk', 'SELECT epermit.issue_permit(' . Epermit::permit_application('hong_kong', attestation => 'x') . ')'), '42501', 'nor a counter for a platform');

# ---------------------------------------------------------------- objects in the way

# What they catch tells as whom they ran.
$db->sql('CREATE SCHEMA evil AUTHORIZATION mallory; CREATE TABLE evil.loot (who text, what text); GRANT INSERT ON evil.loot TO PUBLIC; GRANT USAGE ON SCHEMA evil TO PUBLIC');
my @traps = (q{CREATE FUNCTION evil.caught(what text) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN EXECUTE 'INSERT INTO evil.loot VALUES (current_user, $1)' USING what; END $$});
my @types = qw(text jsonb bigint integer smallint date timestamptz boolean bytea name uuid text[]);
foreach my $schema (qw(evil public))
{
	foreach my $type (@types)
	{
		my $f = "$schema.trap_" . ($type =~ s/\W/_/gr);
		push @traps, qq{CREATE FUNCTION $f(a $type, b $type) RETURNS boolean LANGUAGE plpgsql AS
			\$\$BEGIN PERFORM evil.caught('operator on $type'); RETURN true; END \$\$};
		push @traps, "CREATE OPERATOR $schema.$_ (LEFTARG = $type, RIGHTARG = $type, FUNCTION = $f)" foreach qw(= <> < <= > >= ~ !~ && <@ @> || -> ->>);
	}
	push @traps,
	  qq{CREATE FUNCTION $schema.trap_jsonb_text(a jsonb, b text) RETURNS jsonb LANGUAGE plpgsql AS
		\$\$BEGIN PERFORM evil.caught('jsonb operator'); RETURN a; END \$\$},
	  map { "CREATE OPERATOR $schema.$_ (LEFTARG = jsonb, RIGHTARG = text, FUNCTION = $schema.trap_jsonb_text)" } qw(-> ->> ? -);
	my %functions = (
		'format'               => 'text, VARIADIC text[]',
		'encode'               => 'bytea, text',
		'btrim'                => 'text',
		'length'               => 'text',
		'normalize'            => 'text',
		'clock_timestamp'      => '',
		'now'                  => '',
		'statement_timestamp'  => '',
		'gen_random_uuid'      => '',
		'date_trunc'           => 'text, timestamptz',
		'jsonb_build_object'   => 'VARIADIC text[]',
		'jsonb_typeof'         => 'jsonb',
		'jsonb_each'           => 'jsonb',
		'sha256'               => 'bytea',
		'pg_has_role'          => 'name, text, text',
		'current_setting'      => 'text',
		'nextval'              => 'text',
		'holder_bucket'        => 'epermit.travel_permit_no',
		'region'               => 'epermit.travel_permit_no',
		'refuse_value'         => 'text, text, text',
		'audit_event'          => 'text, jsonb',
		'key_id'               => 'bytea',
		'pg_current_xact_id'   => '',
		'pg_current_snapshot'  => '',
		'pg_snapshot_xmin'     => 'pg_snapshot');
	foreach my $name (sort keys %functions)
	{
		push @traps, qq{CREATE FUNCTION $schema.$name($functions{$name}) RETURNS text LANGUAGE plpgsql AS
			\$\$BEGIN PERFORM evil.caught('$name'); RETURN NULL; END \$\$};
	}
}
is(by('mallory', join(";\n", @traps)), '', 'mallory lays traps in two schemas');

# Tables, types and the like of the same names, where pg_temp would find them first.
my @names = split /\n/, $db->sql(q{SELECT relname FROM pg_class WHERE relnamespace = 'epermit'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition});
my $hostile = join(";\n",
	(map { "CREATE TEMP TABLE $_ (holder_id bigint, effective_from timestamptz, code text, credential_no text, x text)" } @names),
	(map { "CREATE DOMAIN pg_temp.$_ AS text" } qw(region sex channel verdict travel_permit_no credential_no)),
	'CREATE TEMP SEQUENCE status_seq', 'CREATE TEMP SEQUENCE holder_serial',
	q{CREATE FUNCTION pg_temp.trap(a text, b text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN PERFORM evil.caught('temporary operator'); RETURN true; END $$},
	(map { "CREATE OPERATOR pg_temp.$_ (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_temp.trap)" } qw(= <> ->> ||)),
	'SET search_path = evil, pg_temp, public, epermit, pg_catalog');

# Every function that mallory may execute, with arguments of each kind.
my %samples = (
	'text'                        => [ "'H12345678'", "'rail'", "'garbage'" ],
	'text[]'                      => [ "ARRAY['$token', 'x']", "'{rail}'" ],
	'jsonb'                       => [ q{'{"monthly_quota": 2}'}, q{'{"keys": []}'}, q{'{"document_no": "H12345678", "name": "x"}'} ],
	'bytea'                       => [ q{'\x0001'} ],
	'bigint'                      => [ $h1, 1 ],
	'integer'                     => [ 0, 4 ],
	'date'                        => [ q{'2039-01-01'} ],
	'timestamp with time zone'    => [ q{pg_catalog.now()} ],
	'boolean'                     => [ 'true' ],
	'name'                        => [ q{'clerk'} ],
	'epermit.key_usage'           => [ q{'permit'} ],
	'epermit.document_status'     => [ q{'valid'} ],
	'epermit.sex'                 => [ q{'male'} ],
	'epermit.region'              => [ q{'HKG'} ],
	'epermit.credential_no'       => [ "'$linkage_no'" ],
	'epermit.token'               => [ "'$token'" ],
	'epermit.travel_permit_no'    => [ q{'H12345678'} ],
	'epermit.residence_permit_no' => [ "'$p->{residence_permit_no}'" ],
	'epermit.mobile_no'           => [ q{'13800138000'} ]);
my @calls;
foreach my $line (split /\n/,
	$db->sql(q{SELECT p.proname, array_to_string(ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY u (t, n) ORDER BY n), ', ')
		FROM pg_proc p WHERE p.pronamespace = 'epermit'::regnamespace AND p.prokind = 'f' AND has_function_privilege('mallory', p.oid, 'EXECUTE')
			AND NOT 'internal'::regtype = ANY (p.proargtypes) AND NOT 'cstring'::regtype = ANY (p.proargtypes) AND p.prorettype <> 'trigger'::regtype
			AND p.proname <> 'clean_name'}))    # which is told the name of a field
{
	my ($name, $types) = split /\|/, $line;
	my @arguments = map { my $type = $_; [ map { "$_\::$type" } @{ $samples{$type} // ['NULL'] } ] } split /, /, $types // '';
	foreach my $i (0 .. 2)
	{
		push @calls, "SELECT * FROM epermit.$name(" . join(', ', map { $_->[ $i % @$_ ] } @arguments) . ')';
	}
	push @calls, "SELECT * FROM epermit.$name(" . join(', ', map { 'NULL' } @arguments) . ')' if @arguments;
}
cmp_ok(scalar(@calls), '>', 150, 'there is much to call');
push @calls,
  "SELECT * FROM epermit.verify_permit('$token', 'rail')",
  "SELECT * FROM epermit.verify_linkage('$linkage', '$p->{travel_permit_no}', '$p->{residence_permit_no}', 'finance')",
  "SELECT * FROM epermit.documents_linked('$p->{travel_permit_no}', '$p->{residence_permit_no}', 'finance')",
  'SELECT * FROM epermit.issue_permit(pg_catalog.' . Epermit::permit_application('hong_kong', request_id => '2f8c0a34-11d7-4a8a-8f55-6a4a8e3c1d11') . ')',
  'SELECT * FROM epermit.check_linkage(pg_catalog.' . Epermit::linkage_application('macao', request_id => '2f8c0a34-11d7-4a8a-8f55-6a4a8e3c1d12') . ')',
  q{SELECT * FROM epermit.register_holder('H66666666', '2039-01-01', '黃四', 'WONG SZE', '1970-01-01', 'male', 'HKG')},
  q{INSERT INTO epermit.holder (registered_as, name_zh, name_romanised, birth_date, sex, region) VALUES ('H77777777', '黃五', 'WONG NG', '1970-01-01', 'male', 'HKG')},
  q{UPDATE epermit.holder SET name_romanised = 'WONG NG NG' WHERE pg_catalog.textin(epermit.travel_permit_no_out(registered_as)) OPERATOR(pg_catalog.=) 'H77777777'},
  q{SELECT * FROM epermit.set_document_status('M55555555', 'cancelled')},
  q{SELECT * FROM epermit.register_department('spare', 'Spare', 'outsider', '{rail}', '{holder_name}')},
  q{SELECT * FROM epermit.set_policy(pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) '1 day', '{"permit_purposes": ["rail"], "attestation_max_age": "5 minutes"}')};

sub call_all
{
	my ($preparation) = @_;
	my (undef, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$preparation;\n" . join('', map { "$_;\n" } @calls),
		on_error_stop => 0, extra_params => [ '--username', 'mallory' ]);
	return ($out, $err);
}

my $holders = $db->sql('SELECT count(*) FROM epermit.holder');
my ($out, $err) = call_all($hostile);
is($db->sql('SELECT count(*) FROM epermit.holder') - $holders, 2, 'in the middle of them everything works');
like($out, qr/\|valid\|/, 'verification too');
is($db->sql(q{SELECT count(*) FROM evil.loot WHERE who <> 'mallory'}), '0', 'and no trap ever ran as somebody else');
is($db->sql(q{SELECT DISTINCT what FROM evil.loot}), '', 'nor at all');
unlike($err, qr/XX000|server closed/, 'no call found something impossible');

# The traps work: what is not qualified steps into them, and what is not pinned takes its owner along.
$db->sql(q{CREATE FUNCTION public.careless() RETURNS boolean LANGUAGE sql SECURITY DEFINER AS $$SELECT 'a'::text = 'b'::text$$});
is(by('mallory', 'SET search_path = evil, pg_catalog; SELECT public.careless()'), 't', 'a careless function is caught');
is($db->sql(q{DELETE FROM evil.loot RETURNING who}), 'postgres', 'as its owner');
is(by('mallory', q{SET search_path = evil, pg_catalog; SELECT 'a'::text = 'b'::text}), 't', 'a trap does catch');
is($db->sql(q{SELECT DISTINCT who, what FROM evil.loot}), 'mallory|operator on text', 'and tells whom');

# The traps were there first: neither making the extension nor its owner's own calls step into them.
$node->safe_psql('postgres', 'CREATE DATABASE trapped');
$node->safe_psql('trapped', 'GRANT CREATE ON SCHEMA public TO mallory; CREATE SCHEMA evil AUTHORIZATION mallory;
	CREATE TABLE evil.loot (who text, what text); GRANT INSERT ON evil.loot TO PUBLIC; GRANT USAGE ON SCHEMA evil TO PUBLIC');
$node->psql('trapped', join(";\n", grep { !/epermit/ } @traps), on_error_die => 1, extra_params => [ '--username', 'mallory' ]);
my $trapped = Epermit->at($node, 'trapped');
$node->safe_psql('postgres', 'ALTER DATABASE trapped SET search_path = public, evil');
$trapped->furnish;
like($trapped->issue('hong_kong'), qr/^T-/, 'an extension made among traps issues');
is($trapped->sql('SELECT count(*) FROM evil.loot'), '0', 'and has stepped into none');

# Types that run code are the caller's own affair.
is( by('mallory',
		qq{CREATE FUNCTION evil.look(t text) RETURNS boolean LANGUAGE plpgsql AS \$\$BEGIN PERFORM evil.caught('domain'); RETURN true; END \$\$;
		CREATE DOMAIN evil.d AS text CHECK (evil.look(VALUE));
		CREATE TYPE evil.c AS (t text);
		CREATE FUNCTION evil.to_json(c evil.c) RETURNS jsonb LANGUAGE plpgsql AS \$\$BEGIN PERFORM evil.caught('cast'); RETURN '{}'; END \$\$;
		CREATE CAST (evil.c AS jsonb) WITH FUNCTION evil.to_json(evil.c) AS IMPLICIT;
		CREATE FUNCTION evil.to_text(c evil.c) RETURNS text LANGUAGE plpgsql AS \$\$BEGIN PERFORM evil.caught('cast'); RETURN (c).t; END \$\$;
		CREATE CAST (evil.c AS text) WITH FUNCTION evil.to_text(evil.c) AS IMPLICIT;
		SELECT verdict FROM epermit.verify_permit('x'::evil.d, 'rail'::evil.d);
		SELECT verdict FROM epermit.verify_permit(ROW('x')::evil.c, 'rail');
		SELECT cardinality(problems) > 5 FROM epermit.issue_permit(ROW('x')::evil.c)}),
	"malformed\nmalformed\nt", 'domains and casts are taken');
is($db->sql(q{SELECT DISTINCT who FROM evil.loot}), 'mallory', "and run as the caller's");

# ---------------------------------------------------------------- settings

# Told the same whatever the session has set.
my $questions = join ' UNION ALL ', map { "SELECT $_" }
  "to_jsonb(v) - 'audit_id' - 'checked_at' - 'valid_from' - 'valid_until' || jsonb_build_object('from', extract(epoch FROM valid_from), 'until', extract(epoch FROM valid_until)) FROM epermit.verify_permit('$token', 'rail') v",
  "to_jsonb(v) - 'checked_at' - 'valid_from' - 'valid_until' FROM epermit.verify_offline('$token', 'rail') v",
  "to_jsonb(v) - 'audit_id' - 'checked_at' - 'valid_from' - 'valid_until' FROM epermit.documents_linked('$p->{travel_permit_no}', '$p->{residence_permit_no}', 'finance') v",
  "to_jsonb(q) - 'next_opening' || jsonb_build_object('opens', extract(epoch FROM next_opening)) FROM epermit.quota_status('H12345678') q",
  "to_jsonb(c) FROM epermit.check_application(" . Epermit::permit_application('hong_kong', birth_date => '19850601', document_expiry => '2040.05.31', reason => 'eaten') . ') c',
  "epermit.claims('$token')",
  'epermit.jwks()',
  "to_jsonb(md5(epermit.linkage_certificate_svg('$linkage_no')))";
my %settings = (
	DateStyle                   => 'SQL, DMY',
	IntervalStyle               => 'sql_standard',
	TimeZone                    => 'Pacific/Apia',
	standard_conforming_strings => 'off',
	transform_null_equals       => 'on',
	array_nulls                 => 'off',
	bytea_output                => 'escape',
	extra_float_digits          => '-15',
	quote_all_identifiers       => 'on',
	xmloption                   => 'document',
	enable_indexscan            => 'off',
	enable_seqscan              => 'off',
	force_parallel_mode         => 'on',
	plan_cache_mode             => 'force_custom_plan',
	default_transaction_isolation => 'serializable',
	row_security                => 'off',
	synchronous_commit          => 'off',
	client_min_messages         => 'error',
	work_mem                    => '64');

sub ask
{
	my ($set) = @_;
	return by('mallory', "$set BEGIN; CREATE TEMP TABLE answer ON COMMIT DROP AS $questions; RESET ALL; SELECT * FROM answer; COMMIT");
}
my $plain = ask('');
cmp_ok(scalar(split /\n/, $plain), '>=', 8, 'eight questions are answered');
foreach my $setting (sort keys %settings)
{
	is(ask("SET $setting = '$settings{$setting}';"), $plain, "$setting = $settings{$setting} changes no answer");
}
is(by('mallory', 'SET default_transaction_read_only = on; SELECT * FROM epermit.verify_permit(\'x\', \'rail\')'), '25006', 'what cannot be audited is not answered');

# ---------------------------------------------------------------- nothing personal

# Whatever the calls above and these said.
my %wrong = (
	name            => '趙錢孫',
	document_no     => 'H98765432',
	birth_date      => '1961-07-13',
	mobile_no       => '15912345678',
	document_expiry => '2033-03-13',
	office          => '保密辦公室',
	officer         => 'OFFICER-77',
	attestation     => $token);
my @personal_calls = (
	(map { 'SELECT epermit.issue_permit(' . Epermit::permit_application('hong_kong', $_ => $wrong{$_}) . ')' } sort keys %wrong),
	'SELECT epermit.issue_permit(' . Epermit::permit_application('hong_kong', %wrong, name => "趙錢孫\x{01}") . ')',
	'SELECT epermit.link_documents(' . Epermit::linkage_application('hong_kong', %wrong, residence_permit_no => '810000196107130077') . ')',
	q{SELECT epermit.attest('H9876543')},
	q{SELECT epermit.attest('H98765432', '\x00')},
	q{SELECT epermit.quota_status('H9876543Z')},
	q{SELECT epermit.active_permits('X98765432')},
	q{SELECT epermit.checks_on_holder('H9876543Z')},
	q{SELECT epermit.set_document_status('H98765432', 'valid')},
	q{SELECT epermit.set_document_status('810000196107130077', 'valid')},
	q{SELECT epermit.register_holder('H98765432', '2033-03-13', '趙錢孫?', 'CHIU TSIN SUN', '1961-07-13', 'male', 'HKG')},
	q{SELECT epermit.register_holder('H98765432', '2033-03-13', '趙錢孫', 'CHIU TSIN SUN', '1961-07-13', 'male', 'TWN')},
	q{SELECT epermit.register_holder('H98765432', '2033-03-13', '趙錢孫', NULL, '1961-07-13', 'male', 'HKG')},
	q{SELECT epermit.register_holder('H98765432', NULL, '趙錢孫', 'CHIU TSIN SUN', '1961-07-13', 'male', 'HKG')},
	q{SELECT epermit.register_holder('H98765432', 'infinity', '趙錢孫', 'CHIU TSIN SUN', '1961-07-13', 'male', 'HKG')},
	q{SELECT epermit.register_holder('H98765432', '2033-03-13', '趙錢孫', 'CHIU TSIN SUN', '1961-07-13', NULL, 'HKG')},
	q{SELECT epermit.register_holder('H9876543', '2033-03-13', '趙錢孫', 'CHIU TSIN SUN', '1961-07-13', 'male', 'HKG')},
	q{SELECT epermit.register_holder('H12345678', '2033-03-13', '趙錢孫', 'CHIU TSIN SUN', '1961-07-13', 'male', 'HKG')},
	q{SELECT epermit.register_holder('H12345678', '2033-03-13', '趙錢孫' || repeat('孫', 99), 'CHIU TSIN SUN', '1961-07-13', 'male', 'HKG')},
	qq{SELECT epermit.register_travel_permit($h1, 'M98765432', '2033-03-13')},
	qq{SELECT epermit.register_travel_permit($h1, 'M23456789', '2033-03-13')},
	q{SELECT epermit.register_travel_permit(12345, 'H98765432', '2033-03-13')},
	qq{SELECT epermit.register_travel_permit($h1, 'H98765432', NULL)},
	qq{SELECT epermit.register_residence_permit($h1, '810000196107130077', '2033-03-13')},
	qq{SELECT epermit.register_residence_permit($h1, '} . Epermit::residence_permit_no('810000', '19610713', '007') . q{', '2033-03-13')},
	qq{SELECT epermit.register_residence_permit($h1, '$Epermit::people{macao}{residence_permit_no}', '2033-03-13')},
	qq{SELECT epermit.verify_linkage('$linkage', 'H9876543Z', '810000196107130077', 'finance')},
	qq{SELECT epermit.documents_linked('H98765432', '810000196107130077', 'finance')},
	qq{SELECT epermit.verify_permits(ARRAY['$token', '趙錢孫'], '保密辦公室')},
	q{SELECT epermit.revoke_permit('T-00000-00000-00000-00000', '趙錢孫')},
	qq{SELECT epermit.revoke_permit('$linkage_no', '趙錢孫')},
	qq{SELECT epermit.suspend_linkage('$linkage_no', '趙錢孫' || repeat('孫', 500))},
	q{SELECT epermit.qr_text(repeat('趙錢孫', 2000))},
	q{SELECT epermit.import_audit('{"uuid": "趙錢孫"}')});
my (undef, undef, $personal_err) = $node->psql('postgres', "\\set VERBOSITY verbose\n\\set SHOW_CONTEXT always\n" . join('', map { "$_;\n" } @personal_calls), on_error_stop => 0, extra_params => [ '--username', 'mallory' ]);

my $log = slurp_file($node->logfile);
my $messages = join "\n", grep { !/^LINE \d|^ *\^$/ } split /\n/, "$err\n$personal_err";
cmp_ok(scalar(() = $personal_err =~ /ERROR/g), '>', 20, 'many of them failed');

my %secrets = map { $_ => $_ } (
	(map { @$_{qw(name_zh name_romanised travel_permit_no residence_permit_no birth_date)} } values %Epermit::people),
	'趙錢孫', 'CHIU TSIN SUN', 'H9876543', 'M98765432', '19610713', '1961-07-13', '2033-03-13', '15912345678', '13800138000', '13800000000', '保密辦公室',
	'OFFICER-77', substr($token, 0, 20), substr($token, 100, 20), substr($linkage, 50, 20), 'H55555555', 'H66666666');
foreach my $secret (sort keys %secrets)
{
	my ($in_log) = grep { /\Q$secret\E/ } split /\n/, $log;
	my ($in_message) = grep { /\Q$secret\E/ } split /\n/, $messages;
	is($in_log // '', '', "the log does not know $secret");
	is($in_message // '', '', "nor do messages repeat $secret");
}
unlike($log . $messages, qr/\Q@{[ $node->data_dir ]}\E.*epermit_master_key/, 'nor where the master key lies');

$node->stop;
done_testing();
