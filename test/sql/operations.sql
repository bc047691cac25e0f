-- How things stand: health() tells each thing that can be wrong and who mends it, the views count what
-- happened, and only operators and auditors see either.  What needs another time, another server
-- or a second session is in test/t/operations.pl.

\set suite :DBNAME
CREATE DATABASE epermit_operations TEMPLATE template0 ENCODING 'UTF8';
\c epermit_operations
\i test/stage.sql
CREATE ROLE regress_epermit_operator IN ROLE epermit_admin;
CREATE ROLE regress_epermit_auditor IN ROLE epermit_auditor;
CREATE ROLE regress_epermit_rail;
SELECT register_department('rail', 'Rail', 'regress_epermit_rail', '{rail}', '{}');

-- What a statement, undone afterwards, does to a check: "ok" or what is wrong, without what only this run can know.
CREATE FUNCTION public.health_after(wanted text, statement text) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    BEGIN
        EXECUTE statement;
        SELECT CASE WHEN ok THEN 'ok: ' ELSE '' END || detail INTO STRICT found FROM epermit.health() WHERE "check" = wanted;
        RAISE EXCEPTION USING ERRCODE = 'RB001';
    EXCEPTION WHEN SQLSTATE 'RB001' THEN
        found := regexp_replace(found, '\m[0-9a-f]{16}\M', 'KID', 'g');
        found := regexp_replace(found, '\m\d{4}-\d\d-\d\d( \d\d:\d\d)?', 'DATE', 'g');
        found := regexp_replace(found, '\m\d{4}-\d\d\M', 'MONTH', 'g');
        found := regexp_replace(found, 'y\d{4}m\d\d', 'MONTH', 'g');
        RETURN regexp_replace(found, 'all \d+ triggers', 'all N triggers');
    END;
END $$;
\set after 'SELECT public.health_after'

-- Until nothing that runs, such as autovacuum, holds back what can be sealed.
CREATE PROCEDURE public.settle() LANGUAGE plpgsql AS $$
DECLARE
    last xid8;
BEGIN
    SELECT max(l.xid) INTO last FROM epermit.audit_log l WHERE l.era = (SELECT system_identifier FROM pg_control_system());
    COMMIT;
    WHILE last >= pg_snapshot_xmin(pg_current_snapshot()) LOOP
        PERFORM pg_sleep(0.01);
        COMMIT;
    END LOOP;
END $$;

-- The issuer's name is settled before the first credential.
\t on
:after('issuer', '');
:after('issuer', $$UPDATE epermit.issuer SET iss = 'https://nia.example'$$);
:after('issuer', $$UPDATE epermit.issuer SET iss = 'https://nia.example', status_list_base = 'https://nia.example/s/'$$);
:after('issuer', $$DELETE FROM epermit.issuer$$);
\t off

-- ---------------------------------------------------------------- who may

SELECT who, what,
       CASE split_part(what, ' ', 1)
           WHEN 'view' THEN has_table_privilege(who, 'epermit.' || split_part(what, ' ', 2), 'SELECT')
           ELSE has_function_privilege(who, 'epermit.' || what, 'EXECUTE') END AS may
  FROM unnest(ARRAY['epermit_admin', 'epermit_auditor', 'epermit_keeper', 'epermit_issuer', 'public']) who,
       unnest(ARRAY['health()', 'maintain()', 'erase_expired(int)', 'purge_attestations(int)', 'seal_batch(int)',
                    'health_of_data()', 'view issues_per_hour', 'view refusals_per_hour',
                    'view verifications_per_hour', 'view credentials_in_force', 'view audit_events', 'view unexpired_credential']) what
 ORDER BY what, who \crosstabview what who may
SELECT tab, string_agg(grantee || ' ' || privilege_type, ', ') FROM (VALUES ('credential_archive'), ('guard')) t (tab)
  LEFT JOIN information_schema.role_table_grants ON table_schema = 'epermit' AND table_name = tab AND grantee <> grantor GROUP BY 1 ORDER BY 1;

-- ---------------------------------------------------------------- maintain()

CALL public.settle();
SET ROLE regress_epermit_operator;
CALL epermit.maintain();
CALL epermit.maintain();
BEGIN;
CALL epermit.maintain();
ROLLBACK;
RESET ROLE;
SELECT count(*) AS partitions FROM pg_inherits WHERE inhparent = 'audit_log'::regclass;
SELECT count(*) > 0 AS sealed, bool_and(ok) AS ok FROM verify_audit();

-- batch by batch, another cluster's events first, and no end of it while events come
SELECT count(audit_event('x', NULL)) FROM generate_series(1, 5);
CALL public.settle();
SELECT seal_batch(2) AS more;
SELECT seal_batch(2) AS more;
SELECT seal_batch(2) AS more;
SELECT count(audit_event('x', NULL)) FROM generate_series(1, 5);
INSERT INTO audit_log (at, era, xid, event, login_role, calling_role) VALUES (now(), 6, '3', 'x', 'a', 'b');
CALL public.settle();
SELECT seal_batch(100) AS more;
SELECT seal_batch(100) AS more;

-- it does not look for operators in the caller's search_path
SET search_path = public, pg_catalog, epermit;
CREATE FUNCTION public.never(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'mine'; END $$;
CREATE OPERATOR public.= (FUNCTION = public.never, LEFTARG = int, RIGHTARG = int);
CALL epermit.maintain();
DROP OPERATOR public.= (int, int);
SET search_path = public, epermit;

-- what is still kept is not erased, and the archive does not change
SELECT credential_no FROM issue_permit(public.application('H12345678')) \gset
SELECT credential_no AS linkage_no FROM link_documents(public.application('H12345678', public.residence('81000019850601001X'))) \gset
SELECT erase_expired(), purge_attestations(), (SELECT count(*) FROM attestation_use) AS attestations;
INSERT INTO credential_archive SELECT credential_no, issued_at, valid_until, reason, channel, purposes, policy, kid FROM permit;
SELECT public.error('UPDATE epermit.credential_archive SET kid = kid'), public.error('DELETE FROM epermit.credential_archive'),
       public.error('TRUNCATE epermit.credential_archive');
SET session_replication_role = replica;
SELECT public.error('UPDATE epermit.credential_archive SET kid = kid');
RESET session_replication_role;

-- ---------------------------------------------------------------- figures

SELECT credential_no AS counter_no FROM issue_permit(public.application('M87654321',
    '{"channel": "counter", "office": "廣州", "officer": "0042", "attestation": null}')) \gset
SELECT credential_no AS suspended_no FROM issue_permit(public.application('01234567')) \gset
SELECT credential_no AS revoked_no FROM issue_permit(public.application('H22222222')) \gset
SELECT revoke_permit(:'revoked_no', 'x'), suspend_permit(:'suspended_no', 'x');
SELECT public.codes(problems) FROM issue_permit(public.application('H12345678', '{"name": "?", "mobile_no": "1"}'));
SELECT public.codes(problems) FROM link_documents(public.application('H12345678', public.residence('81000019850601001X') || '{"mobile_no": "1"}'));
SET ROLE regress_epermit_rail;
SELECT verdict FROM verify_permits(ARRAY[:'credential_no', :'revoked_no', 'x', :'credential_no'], 'rail');
RESET ROLE;

SET ROLE regress_epermit_operator;
SELECT * FROM credentials_in_force ORDER BY kind DESC;
-- the archived copy of the first one counts, too
SELECT kind, channel, sum(issued) AS issued, bool_and(hour BETWEEN now() - interval '61 minutes' AND now()) AS this_hour FROM issues_per_hour GROUP BY 1, 2 ORDER BY 1, 2;
SELECT kind, code, sum(refusals) AS refusals FROM refusals_per_hour GROUP BY 1, 2 ORDER BY 1, 2;
SELECT department, purpose, verdict, sum(verifications) AS verifications FROM verifications_per_hour GROUP BY 1, 2, 3 ORDER BY 3;
SELECT public.error('SELECT FROM epermit.audit_events');
RESET ROLE;
SET ROLE regress_epermit_auditor;
SELECT event, calling_role, department, credential_no = :'revoked_no' AS revoked_one, purpose, verdict, codes, attempt, detail
  FROM audit_events WHERE event ~ '^(verify|revoke|refuse)' ORDER BY audit_id;
RESET ROLE;
-- hours are hours wherever the clock of the session shows other minutes
SET TimeZone = 'Asia/Kathmandu';
SELECT bool_and(extract(epoch FROM hour)::bigint % 3600 = 0) AS full_hours FROM issues_per_hour;
RESET TimeZone;
-- a month of the log is all that is read
BEGIN;
CREATE TABLE audit_log_y2020m01 PARTITION OF audit_log FOR VALUES FROM ('2020-01-01 00:00+08') TO ('2020-02-01 00:00+08');
CREATE FUNCTION public.reads_2020(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    line  text;
    reads boolean := false;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        reads := reads OR line ~ 'y2020m01';
    END LOOP;
    RETURN reads;
END $$;
SELECT tab, public.reads_2020('SELECT * FROM ' || tab) FROM unnest('{verifications_per_hour,refusals_per_hour,audit_events}'::text[]) tab;
SELECT public.reads_2020('SELECT * FROM audit_events WHERE at > now() - interval ''1 day''');
INSERT INTO audit_log (at, era, xid, event, login_role, calling_role, department, purpose, verdict, codes)
    SELECT now() - ago, 0, '3', event, 'a', 'b', 'rail', 'rail', 'expired', '{old.one,old.one}'
      FROM unnest('{30 days 23 hours, 31 days 1 hour}'::interval[]) ago, unnest('{verify_permit,refuse_linkage}'::text[]) event;
SELECT sum(verifications) FROM verifications_per_hour WHERE verdict = 'expired';
SELECT sum(refusals) FROM refusals_per_hour WHERE code = 'old.one';
ROLLBACK;
-- everything is explained
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
 WHERE c.relnamespace = 'epermit'::regnamespace AND c.relkind = 'v' AND has_table_privilege('epermit_auditor', c.oid, 'SELECT')
   AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid, 'pg_class') IS NULL);

-- ---------------------------------------------------------------- health(): the whole

CALL epermit.maintain();
SET ROLE regress_epermit_auditor;
SELECT count(*) > 20 AS ok FROM health();
SET ROLE regress_epermit_operator;
SELECT h."check", ok OR h."check" IN ('master_key', 'issuer', 'durability') AS as_expected, detail IS NOT NULL AS explained FROM health() h;
RESET ROLE;

-- ---------------------------------------------------------------- health(): keys and configuration

\t on
:after('key_permit', '');
:after('key_permit', $$UPDATE epermit.signing_key SET state = 'retired', retired_at = now() WHERE usage = 'permit'$$);
:after('key_linkage', $$SELECT epermit.compromise_signing_key(kid, 'x') FROM epermit.signing_key WHERE usage = 'linkage'$$);
:after('key_status', $$SELECT epermit.retire_signing_key(kid) FROM epermit.signing_key WHERE usage = 'status'$$);
:after('key_attestation', $$SELECT epermit.retire_signing_key(kid) FROM epermit.signing_key WHERE usage = 'attestation'$$);
:after('key_attestation', $$SELECT epermit.retire_signing_key(kid) FROM epermit.signing_key WHERE usage = 'attestation';
                            SELECT epermit.import_jwks('{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}', 'attestation')$$);
:after('key_root', '');
:after('key_root', $$SELECT epermit.create_signing_key('root')$$);
:after('key_age', '');
:after('key_age', $$ALTER TABLE epermit.signing_key DISABLE TRIGGER guard_rows;
                    UPDATE epermit.signing_key SET created_at = now() - interval '367 days' WHERE usage <> 'status';
                    SELECT epermit.create_signing_key('root'); UPDATE epermit.signing_key SET created_at = now() - interval '10 years' WHERE usage = 'root'$$);
:after('master_key', '');
:after('compromised_credentials', '');
:after('compromised_credentials', $$SELECT epermit.compromise_signing_key(kid, 'x') FROM epermit.signing_key WHERE usage = 'permit'$$);
:after('status_list', $$ALTER SEQUENCE epermit.status_seq RESTART 131072$$);
:after('status_list', $$ALTER SEQUENCE epermit.status_seq RESTART 281474976579584$$);
:after('policy', '');
:after('policy', $$ALTER TABLE epermit.policy DISABLE TRIGGER ALL; DELETE FROM epermit.policy$$);
:after('encoding', '');
:after('encoding', $$UPDATE pg_database SET encoding = 0 WHERE datname = current_database()$$);

-- ---------------------------------------------------------------- health(): roles

:after('exclusive_roles', '');
:after('exclusive_roles', 'GRANT epermit_auditor TO regress_epermit_operator');
:after('exclusive_roles', 'CREATE ROLE regress_epermit_a IN ROLE regress_epermit_operator; CREATE ROLE "regress epermit b" NOINHERIT LOGIN IN ROLE regress_epermit_a;
                           GRANT epermit_keeper TO "regress epermit b"');
:after('exclusive_roles', 'GRANT epermit_keeper TO epermit_admin');
:after('exclusive_roles', 'CREATE ROLE regress_epermit_a IN ROLE epermit_issuer, epermit_registrar, epermit_keeper');
:after('group_roles', '');
:after('group_roles', 'ALTER ROLE epermit_admin LOGIN; ALTER ROLE epermit_verifier SUPERUSER; ALTER ROLE epermit_keeper RENAME TO regress_epermit_keeper');
SELECT ok, detail LIKE 'superusers, whom nothing here binds: %' || quote_ident(current_user) || '%' FROM health() WHERE "check" = 'powerful_roles';
SELECT public.health_after('powerful_roles', 'CREATE ROLE regress_epermit_a CREATEROLE; CREATE ROLE regress_epermit_b IN ROLE pg_read_all_data')
       ~ 'may make roles: .*regress_epermit_a.*; read or write every table: .*regress_epermit_b';

-- ---------------------------------------------------------------- health(): the audit log

:after('audit_partitions', '');
:after('audit_partitions', $$DO 'BEGIN EXECUTE ''DROP TABLE epermit.audit_log_'' || to_char((now() AT TIME ZONE ''Etc/GMT-8'') + interval ''1 month'', ''"y"YYYY"m"MM''); END'$$);
:after('audit_default', '');
:after('audit_default', $$INSERT INTO epermit.audit_log (id, at, era, xid, event, login_role, calling_role) VALUES (0, now() - interval '2 months', 5, '3', 'x', 'a', 'b')$$);
:after('audit_default', $$CREATE TABLE epermit.audit_log_y2020m01 PARTITION OF epermit.audit_log FOR VALUES FROM ('2020-01-01 00:00+08') TO ('2020-02-01 00:00+08')$$);
:after('audit_default', $$ALTER TABLE epermit.audit_log_default DISABLE TRIGGER ALL; TRUNCATE epermit.audit_log_default$$);
:after('audit_default', $$ALTER TABLE epermit.audit_log_default DISABLE TRIGGER ALL; DELETE FROM epermit.audit_log_default;
                          INSERT INTO epermit.audit_log (at, era, xid, event, login_role, calling_role) VALUES (now() - interval '2 months', 5, '3', 'x', 'a', 'b')$$);
:after('seal_lag', '');
-- another cluster's events can be sealed at any time, those of a transaction that runs cannot
:after('seal_lag', $$INSERT INTO epermit.audit_log (at, era, xid, event, login_role, calling_role) VALUES (now() - interval '119 minutes', 5, '3', 'x', 'a', 'b')$$);
:after('seal_lag', $$INSERT INTO epermit.audit_log (at, era, xid, event, login_role, calling_role) VALUES (now() - interval '121 minutes', 5, '3', 'x', 'a', 'b')$$);
:after('seal_lag', $$INSERT INTO epermit.audit_log (at, era, xid, event, login_role, calling_role)
                     SELECT now() - interval '23 hours', system_identifier, pg_current_xact_id(), 'x', 'a', 'b' FROM pg_control_system()$$);
:after('seal_lag', $$INSERT INTO epermit.audit_log (at, era, xid, event, login_role, calling_role)
                     SELECT now() - interval '25 hours', system_identifier, pg_current_xact_id(), 'x', 'a', 'b' FROM pg_control_system()$$);
SELECT audit_event('x', NULL) > 0;
CALL public.settle();
CALL epermit.maintain();
SELECT max(seal_id) AS last FROM audit_seal \gset
SELECT replace(public.health_after('last_seal', ''), ' ' || :last || ' ', ' N ');
SELECT replace(public.health_after('last_seal', format('ALTER TABLE epermit.audit_seal DISABLE TRIGGER ALL; UPDATE epermit.audit_seal SET %s WHERE seal_id = %s', change, :last)),
               ' ' || :last || ':', ' N:')
  FROM unnest(ARRAY['head = set_byte(head, length(head) - 1, get_byte(head, length(head) - 1) # 1)', $$head = '\x'$$,
                    'head = (SELECT s.head FROM epermit.audit_seal s WHERE s.seal_id = 1)', $$root = sha256('')$$,
                    $$previous = sha256('')$$, 'upto_id = upto_id + 1']) change;
SELECT replace(public.health_after('last_seal', format('ALTER TABLE epermit.audit_seal DISABLE TRIGGER ALL; DELETE FROM epermit.audit_seal WHERE seal_id = %s - 1', :last)),
               ' ' || :last || ':', ' N:');
SELECT replace(public.health_after('last_seal', $$SELECT epermit.compromise_signing_key(kid, 'x') FROM epermit.signing_key WHERE usage = 'status'$$), ' ' || :last || ':', ' N:');
:after('last_seal', 'ALTER TABLE epermit.audit_seal DISABLE TRIGGER ALL; TRUNCATE epermit.audit_seal');

-- ---------------------------------------------------------------- health(): retention

:after('retention_audit', '');
:after('retention_audit', $$CREATE TABLE epermit.audit_log_y2020m01 PARTITION OF epermit.audit_log FOR VALUES FROM ('2020-01-01 00:00+08') TO ('2020-02-01 00:00+08')$$);
:after('retention_audit', $$INSERT INTO epermit.audit_log (id, at, era, xid, event, login_role, calling_role) VALUES (0, now() - interval '38 months', 5, '3', 'x', 'a', 'b')$$);
:after('retention_credentials', '');
\set backdate 'ALTER TABLE epermit.%1$s DISABLE TRIGGER ALL; UPDATE epermit.%1$s SET issued_at = now() - interval ''300 days'', valid_until = now() - interval ''%2$s'''
:after('retention_credentials', format(:'backdate', 'permit', '184 days 12 hours'));
:after('retention_credentials', format(:'backdate', 'permit', '186 days'));
:after('retention_credentials', format(:'backdate', 'linkage', '186 days'));
:after('attestation_use', '');
:after('attestation_use', $$UPDATE epermit.attestation_use SET used_at = used_at - interval '47 hours'$$);
:after('attestation_use', $$UPDATE epermit.attestation_use SET used_at = used_at - interval '49 hours'$$);
:after('attestation_use', $$UPDATE epermit.attestation_use SET used_at = used_at - interval '49 hours'; SELECT epermit.purge_attestations()$$);

-- ---------------------------------------------------------------- health(): guards

:after('guards', '');
SELECT regexp_replace(replace(public.health_after('guards', statement), 'Triggers that are the law are not what they have to be: ', ''), '(; [^;]*){5,}', '; ...')
  FROM (VALUES
    (1, 'ALTER TABLE epermit.permit DISABLE TRIGGER issue_or_admit'),
    (2, 'ALTER TABLE epermit.permit ENABLE TRIGGER keep; ALTER TABLE epermit.linkage ENABLE REPLICA TRIGGER immutable'),
    (3, 'ALTER TABLE epermit.department DISABLE TRIGGER ALL; ALTER TABLE epermit.department ENABLE TRIGGER ALL'),
    (4, 'DROP TRIGGER no_truncate ON epermit.permit'),
    -- of the right name, and another one
    (5, 'DROP TRIGGER immutable ON epermit.policy; CREATE TRIGGER immutable BEFORE UPDATE ON epermit.policy EXECUTE FUNCTION epermit.refuse_change();
         ALTER TABLE epermit.policy ENABLE ALWAYS TRIGGER immutable'),
    (6, 'DROP TRIGGER keep ON epermit.linkage; CREATE TRIGGER keep BEFORE DELETE ON epermit.linkage FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
         ALTER TABLE epermit.linkage ENABLE ALWAYS TRIGGER keep'),
    (7, 'DROP TRIGGER issue_or_admit ON epermit.permit; CREATE TRIGGER issue_or_admit BEFORE INSERT ON epermit.permit FOR EACH ROW EXECUTE FUNCTION epermit.credential_insert(''linkage'');
         ALTER TABLE epermit.permit ENABLE ALWAYS TRIGGER issue_or_admit'),
    (8, 'ALTER TABLE epermit.audit_log DISABLE TRIGGER immutable'),
    (9, 'ALTER TABLE epermit.audit_log_default DISABLE TRIGGER no_truncate'),
    (10, 'ALTER TABLE epermit.travel_permit DISABLE TRIGGER ALL'),
    (11, 'ALTER TABLE epermit.permit DROP CONSTRAINT permit_holder_id_fkey'),
    (12, 'ALTER TABLE epermit.permit ENABLE TRIGGER ALL'),
    -- a partition without its guards
    (13, 'CREATE TABLE epermit.audit_log_y2020m01 PARTITION OF epermit.audit_log FOR VALUES FROM (''2020-01-01 00:00+08'') TO (''2020-02-01 00:00+08'')'),
    -- one's own triggers are no matter
    (14, 'CREATE TRIGGER mine BEFORE INSERT ON epermit.permit FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger(); CREATE TABLE public.mine (h bigint REFERENCES epermit.holder)'),
    (15, $$SELECT set_config('session_replication_role', 'replica', true)$$)
  ) v (n, statement) ORDER BY n;
-- no trigger of the extension's is forgotten
SELECT t.tab, t.name FROM triggers() t LEFT JOIN guard g USING (tab, name) WHERE g.tab IS NULL AND t.tab !~ '^audit_log_y';
SELECT tab, string_agg(name, ', ' ORDER BY name) FROM guard WHERE enabled = 'A' GROUP BY tab ORDER BY tab;
:after('standbys', '');
\t off

-- ---------------------------------------------------------------- health(): a database that only verifies

DROP EXTENSION epermit CASCADE;
CREATE EXTENSION epermit;
SELECT epermit.import_jwks('{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}', 'permit');
SELECT h."check", ok, detail FROM epermit.health() h WHERE h."check" ~ '^(key|issuer|durability)';

\c :suite
DROP DATABASE epermit_operations;
DROP ROLE regress_epermit_operator, regress_epermit_auditor, regress_epermit_rail;
