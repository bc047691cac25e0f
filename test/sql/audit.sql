-- The audit log: who did it, nothing rewritten, partitions by Beijing month, and seals that a third party can
-- check and that name every row that was changed, removed or slipped in.

CREATE DATABASE epermit_audit TEMPLATE template0 ENCODING 'UTF8';
\set suite :DBNAME
\c epermit_audit
SET client_min_messages = warning;
SET DateStyle = 'ISO';
CREATE EXTENSION epermit;
SET search_path = public, epermit;
CREATE ROLE regress_epermit_app IN ROLE epermit_admin;
CREATE ROLE regress_epermit_auditor IN ROLE epermit_auditor;

\i test/error.sql

-- ---------------------------------------------------------------- what is written

-- the login role and the role in force, not the owner that the function runs as; the clock, not the transaction's start
BEGIN;
SELECT pg_sleep(0.01) \g /dev/null
SET ROLE regress_epermit_app;
SELECT set_policy('2999-01-01', '{}');
RESET ROLE;
SELECT event, login_role = session_user AS login_role, calling_role, at > transaction_timestamp() AS clock,
       xid = pg_current_xact_id() AS xid, era = (SELECT system_identifier FROM pg_control_system()) AS era
  FROM audit_log;
ROLLBACK;

-- it is part of its transaction
SELECT count(*) FROM audit_log;
SELECT public.error('SET TRANSACTION READ ONLY; SELECT epermit.audit_event(''x'', NULL)');

-- nothing is rewritten, through the table or a partition
SELECT audit_event('x', NULL) > 0 AS written;
SELECT statement, public.error(statement || ' epermit.' || tab || rest)
  FROM (VALUES ('UPDATE', ' SET event = event'), ('DELETE FROM', ''), ('TRUNCATE', '')) AS s (statement, rest),
       (VALUES ('audit_log'), ('audit_log_default')) AS t (tab)
 ORDER BY tab, statement;
SET session_replication_role = replica;
SELECT public.error('UPDATE epermit.audit_log SET event = event'), public.error('TRUNCATE epermit.audit_log_default');
RESET session_replication_role;

-- ---------------------------------------------------------------- partitions

-- by month of Beijing; the first month stays where it is, in the net
SELECT create_audit_partitions(2), create_audit_partitions(2), create_audit_partitions(4);
SELECT c.relname = 'audit_log_' || to_char(m.starts, '"y"YYYY"m"MM') AS name,
       pg_get_expr(c.relpartbound, c.oid) = format('FOR VALUES FROM (%L) TO (%L)', m.starts::timestamp AT TIME ZONE 'Etc/GMT-8',
           (m.starts + interval '1 month') AT TIME ZONE 'Etc/GMT-8') AS bounds,
       (SELECT count(*) FROM pg_index WHERE indrelid = c.oid) AS indexes,
       (SELECT string_agg(tgname || ' ' || tgenabled::text, ', ' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = c.oid) AS guards
  FROM pg_class c,
       LATERAL (SELECT (date_trunc('month', now() AT TIME ZONE 'Etc/GMT-8')
                        + make_interval(months => row_number() OVER (ORDER BY relname)::int))::date AS starts, oid
                  FROM pg_class WHERE relname ~ '^audit_log_y\d+m\d+$') m
 WHERE m.oid = c.oid ORDER BY c.relname;

-- ---------------------------------------------------------------- leaves and trees

-- a leaf is what a third party's CBOR library makes of it, whatever the session's settings
CREATE TABLE public.sample (event audit_log);
INSERT INTO public.sample VALUES
    (ROW(7, '2026-11-24 20:52:10.123456+00', -5, '4294967297', 'verify_permit', 'app', 'rail_gate', 'rail', 1099511627775,
         'T-63PG0-0012G-0J8T5-CY4TV', 'rail', 'valid', '{quota.exceeded,NULL,"a,b"}', true,
         '00112233-4455-6677-8899-aabbccddeeff', '{"b": 1.50, "a": ["鐵路", null]}')),
    (ROW(1, '1969-12-31 23:59:59.5+00', 0, '3', '', 'a', 'b', NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL));
SELECT encode(audit_leaf(event), 'hex') FROM public.sample;
SELECT md5(encode(audit_leaf(event), 'hex')) FROM public.sample;
SET TimeZone = 'America/Caracas';
SET DateStyle = 'German';
SET bytea_output = escape;
SET extra_float_digits = 0;
SELECT md5(encode(audit_leaf(event), 'hex')) FROM public.sample;
RESET TimeZone;
SET DateStyle = 'ISO';
RESET bytea_output;
RESET extra_float_digits;
SELECT md5(encode(audit_leaf(event), 'hex')) FROM public.sample;
SELECT length(audit_leaf(ROW(1, now(), 0, '3', '', 'a', 'b', NULL, NULL, NULL, NULL, NULL, NULL, false, NULL,
                             jsonb_build_object('x', repeat('"', 1000000)))::audit_log)) > 2000000 AS large;

-- the trees of Certificate Transparency's own test
CREATE TABLE public.ct (no int, data bytea);
INSERT INTO public.ct VALUES (1, ''), (2, '\x00'), (3, '\x10'), (4, '\x2021'), (5, '\x3031'), (6, '\x40414243'),
    (7, '\x5051525354555657'), (8, '\x606162636465666768696a6b6c6d6e6f');
SELECT n, encode(merkle_root(merkle_leaf(data) ORDER BY no), 'hex') FROM public.ct, generate_series(1, 8) n WHERE no <= n GROUP BY n ORDER BY n;
SELECT encode(merkle_root(NULL) FILTER (WHERE false), 'hex') FROM public.ct;
SELECT public.error('SELECT epermit.merkle_root(NULL)'), public.error($$SELECT epermit.merkle_root('\x00')$$),
       public.error($$SELECT epermit.merkle_proof('{}', 0)$$);

-- RFC 9162 2.1.3.2, by somebody else
CREATE FUNCTION public.proof_holds(hash bytea, leaf_index bigint, tree_size bigint, proof bytea[], root bytea) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    fn bigint := leaf_index;
    sn bigint := tree_size - 1;
    p  bytea;
BEGIN
    FOREACH p IN ARRAY proof LOOP
        IF sn = 0 THEN
            RETURN false;
        END IF;
        IF fn % 2 = 1 OR fn = sn THEN
            hash := sha256('\x01' || p || hash);
            WHILE fn % 2 = 0 AND fn <> 0 LOOP
                fn := fn / 2;
                sn := sn / 2;
            END LOOP;
        ELSE
            hash := sha256('\x01' || hash || p);
        END IF;
        fn := fn / 2;
        sn := sn / 2;
    END LOOP;
    RETURN sn = 0 AND hash = root;
END $$;
SELECT count(*), bool_and(public.proof_holds(leaves[i + 1], i, n, merkle_proof(leaves[1:n], i), merkle_root)) AS hold,
       bool_or(public.proof_holds(leaves[i + 1], (i + 1) % n, n, merkle_proof(leaves[1:n], i), merkle_root)) FILTER (WHERE n > 1) AS elsewhere
  FROM (SELECT array_agg(merkle_leaf(int4send(g)) ORDER BY g) AS leaves FROM generate_series(1, 20) g) l,
       generate_series(1, 20) n, generate_series(0, n - 1) i,
       LATERAL (SELECT merkle_root(h ORDER BY o) FROM unnest(leaves[1:n]) WITH ORDINALITY u (h, o)) r;

-- ---------------------------------------------------------------- seals

SELECT length(create_signing_key('status')) AS kid;

-- autovacuum, too, may hold back the horizon for a moment
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

SELECT count(audit_event('x', jsonb_build_object('n', n))) FROM generate_series(1, 8) n;
CALL public.settle();
SELECT seal_audit(4), seal_audit(4), seal_audit(4), seal_audit(4);
SELECT count(audit_event('y', NULL)) FROM generate_series(1, 3) n;
CALL public.settle();
SELECT seal_audit();
-- not what is still open: its own event, though written before
BEGIN;
SELECT audit_event('open', NULL) > 0 AS written, seal_audit();
COMMIT;
CALL public.settle();
SELECT seal_audit(), seal_audit();
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT public.error('SELECT epermit.seal_audit()');
ROLLBACK;
SELECT s.seal_id, s.tree_size, s.root = h.root AS root, s.at = h.at AS at,
       s.previous IS NOT DISTINCT FROM lag(sha256(s.head)) OVER (ORDER BY s.seal_id) AS chained, h.problem
  FROM audit_seal s, LATERAL read_audit_head(s.head) h ORDER BY 1;
SELECT count(*), count(DISTINCT (l.id, l.at)) AS sealed FROM audit_log l LEFT JOIN audit_sealed d USING (id, at);
SELECT * FROM verify_audit();

-- a proof that holds with the public key alone
CREATE FUNCTION public.checked(p jsonb) RETURNS boolean LANGUAGE sql AS $$
    SELECT merkle_leaf(decode(p ->> 'leaf', 'hex')) = decode(p ->> 'leaf_hash', 'hex')
           AND public.proof_holds(decode(p ->> 'leaf_hash', 'hex'), (p ->> 'leaf_index')::bigint, (p ->> 'tree_size')::bigint,
                                  ARRAY(SELECT decode(e, 'hex') FROM jsonb_array_elements_text(p -> 'proof') WITH ORDINALITY u (e, o) ORDER BY o),
                                  decode(p ->> 'root', 'hex'))
           AND position(decode(p ->> 'root', 'hex') IN decode(p ->> 'head', 'hex')) > 0
           AND key_id(decode(p ->> 'public_key', 'hex')) = decode(p ->> 'kid', 'hex')
$$;
SELECT count(*), bool_and(public.checked(audit_proof(id))) AS hold FROM audit_sealed;
SELECT public.error('SELECT epermit.audit_proof(0)');
SELECT audit_event('x', NULL) AS unsealed \gset
SELECT replace(public.error('SELECT epermit.audit_proof(' || :unsealed || ')'), :'unsealed', 'N');

-- ---------------------------------------------------------------- tampering

-- What the owner could do with the guards off; each in a transaction that is rolled back.
CREATE FUNCTION public.tampered(statement text) RETURNS TABLE (seal bigint, problem text, rows bigint)
    LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        SET LOCAL session_replication_role = replica;
        ALTER TABLE epermit.audit_log DISABLE TRIGGER ALL;
        ALTER TABLE epermit.audit_log_default DISABLE TRIGGER ALL;
        ALTER TABLE epermit.audit_seal DISABLE TRIGGER ALL;
        ALTER TABLE epermit.audit_sealed DISABLE TRIGGER ALL;
        ALTER TABLE epermit.signing_key DISABLE TRIGGER ALL;
        EXECUTE statement;
        CREATE TEMP TABLE found AS SELECT * FROM epermit.verify_audit();
        RAISE EXCEPTION USING ERRCODE = 'RB001',
            MESSAGE = (SELECT COALESCE(jsonb_agg(f), '[{"problem": "none found"}]')
                         FROM (SELECT v.seal_id, v.problem, count(v.audit_id) AS n FROM found v WHERE NOT v.ok GROUP BY 1, 2 ORDER BY 1, 2) f);
    EXCEPTION WHEN SQLSTATE 'RB001' THEN
        RETURN QUERY SELECT (e ->> 'seal_id')::bigint, e ->> 'problem', (e ->> 'n')::bigint FROM jsonb_array_elements(SQLERRM::jsonb) e;
    END;
END $$;
SELECT column_name, t.*
  FROM (VALUES ('at', 'at + interval ''1 us'''), ('era', 'era + 1'), ('xid', '''1'''), ('event', '''z'''), ('login_role', '''z'''),
               ('calling_role', '''z'''), ('department', '''z'''), ('holder_id', '1'), ('credential_no', '''T-63PG0-0012G-0J8T5-CY4TV'''),
               ('purpose', '''z'''), ('verdict', '''valid'''), ('codes', '''{}'''), ('attempt', 'true'),
               ('request_id', 'gen_random_uuid()'), ('detail', '''{"n": 9}'''), ('id', '1000')) AS v (column_name, value),
       public.tampered(format('UPDATE epermit.audit_log SET %I = %s WHERE id = (SELECT id FROM epermit.audit_sealed WHERE seal_id = 1 AND leaf_no = 2)',
                              column_name, value)) t;
SELECT what, t.*
  FROM (VALUES
    ('row removed', 'DELETE FROM epermit.audit_log WHERE id = (SELECT id FROM epermit.audit_sealed WHERE seal_id = 2 AND leaf_no = 0)'),
    ('row and leaf removed', 'WITH d AS (DELETE FROM epermit.audit_sealed WHERE seal_id = 2 AND leaf_no = 3 RETURNING id) DELETE FROM epermit.audit_log USING d WHERE d.id = audit_log.id'),
    ('all rows removed', 'DELETE FROM epermit.audit_log'),
    ('row inserted', $$INSERT INTO epermit.audit_log (at, era, xid, event, login_role, calling_role)
                       SELECT at, era, xid, 'forged', login_role, calling_role FROM epermit.audit_log WHERE id = (SELECT id FROM epermit.audit_sealed WHERE seal_id = 2 AND leaf_no = 1)$$),
    ('row inserted with a leaf of its own', $$WITH f AS (INSERT INTO epermit.audit_log (at, era, xid, event, login_role, calling_role)
                       SELECT at, era, xid, 'forged', login_role, calling_role FROM epermit.audit_log WHERE id = (SELECT id FROM epermit.audit_sealed WHERE seal_id = 2 AND leaf_no = 1)
                       RETURNING *) INSERT INTO epermit.audit_sealed SELECT 99, 0, f.id, f.at, epermit.merkle_leaf('x') FROM f$$),
    ('two leaves swapped', 'UPDATE epermit.audit_sealed SET leaf_no = 100 - leaf_no WHERE seal_id = 1; UPDATE epermit.audit_sealed SET leaf_no = leaf_no - 97 WHERE seal_id = 1'),
    ('leaf hash', $$UPDATE epermit.audit_sealed SET leaf_hash = sha256('') WHERE seal_id = 3 AND leaf_no = 0$$),
    ('root', $$UPDATE epermit.audit_seal SET root = sha256('') WHERE seal_id = 3$$),
    ('watermark', 'UPDATE epermit.audit_seal SET upto_id = upto_id + 1 WHERE seal_id = 1'),
    ('seal removed', 'DELETE FROM epermit.audit_seal WHERE seal_id = 2'),
    ('head of another', 'UPDATE epermit.audit_seal SET head = (SELECT head FROM epermit.audit_seal WHERE seal_id = 1) WHERE seal_id = 3'),
    ('signature', $$UPDATE epermit.audit_seal SET head = set_byte(head, length(head) - 1, get_byte(head, length(head) - 1) # 1) WHERE seal_id = 5$$),
    ('no head', $$UPDATE epermit.audit_seal SET head = '' WHERE seal_id = 5$$),
    ('key removed', $$DELETE FROM epermit.signing_key WHERE usage = 'status'$$),
    ('key of another usage', $$UPDATE epermit.signing_key SET usage = 'permit' WHERE usage = 'status'$$),
    ('key retired', $$UPDATE epermit.signing_key SET state = 'retired', retired_at = now() WHERE usage = 'status'$$),
    ('key compromised', $$UPDATE epermit.signing_key SET state = 'compromised', compromised_at = now() WHERE usage = 'status'$$)
  ) AS v (what, statement), public.tampered(statement) t;
SELECT bool_and(ok) FROM verify_audit();

-- a compromised key's seals stand once a good key has sealed after them
SELECT compromise_signing_key(kid, 'test') FROM signing_key WHERE usage = 'status';
SELECT * FROM verify_audit() WHERE NOT ok;
SELECT length(create_signing_key('status')) AS kid;
CALL public.settle();
SELECT seal_audit() > 0 AS sealed;
SELECT bool_and(ok) FROM verify_audit();

-- ---------------------------------------------------------------- another cluster's rows

-- as a dump brings them: sealed whole, whatever their transactions were, and then closed
INSERT INTO audit_log (at, era, xid, event, login_role, calling_role)
    SELECT '2020-01-01'::timestamptz + n * interval '1 s', 5, (n % 3 + 18446744073709551600)::text::xid8, 'old', 'a', 'b' FROM generate_series(1, 6) n;
SELECT seal_audit() AS old \gset
SELECT era, tree_size FROM audit_seal WHERE seal_id = :old;
SELECT * FROM verify_audit(:old);
INSERT INTO audit_log (at, era, xid, event, login_role, calling_role) VALUES (now(), 5, '18446744073709551601', 'late', 'a', 'b');
SELECT ok, problem FROM verify_audit(:old);
BEGIN;
ALTER TABLE audit_log_default DISABLE TRIGGER immutable;
DELETE FROM audit_log WHERE event = 'late';
ALTER TABLE audit_log_default ENABLE ALWAYS TRIGGER immutable;
COMMIT;

-- ---------------------------------------------------------------- retention

-- whole months older than the policy's retention, sealed first; their leaves stay, and the seals hold
CREATE TABLE epermit.audit_log_y2001m02 (LIKE audit_log INCLUDING DEFAULTS);
SELECT equip_audit_partition('audit_log_y2001m02');
ALTER TABLE audit_log ATTACH PARTITION audit_log_y2001m02 FOR VALUES FROM ('2001-02-01 00:00+08') TO ('2001-03-01 00:00+08');
INSERT INTO audit_log (at, era, xid, event, login_role, calling_role)
    SELECT '2001-02-28 23:59:59+08', 6, n::text::xid8, 'older', 'a', 'b' FROM generate_series(1, 4) n;
INSERT INTO audit_log (at, era, xid, event, login_role, calling_role) VALUES (now() - interval '184 days', 6, '9', 'kept', 'a', 'b');
SELECT set_policy(now(), '{"audit_retention": "184 days"}');
SET ROLE regress_epermit_auditor;
SELECT drop_audit_partitions();
SELECT drop_audit_partitions();
SELECT bool_and(ok), count(*) > 0 FROM verify_audit();
RESET ROLE;
SELECT event, count(*) FROM audit_log WHERE event IN ('old', 'older', 'kept', 'retention') GROUP BY 1 ORDER BY 1;
SELECT detail ->> 'partition' AS partition, detail -> 'rows' AS rows, calling_role FROM audit_log WHERE event = 'retention' ORDER BY id;
SELECT partition, rows, (SELECT event FROM audit_log l WHERE l.id = audit_id) FROM audit_dropped ORDER BY audit_id;
SELECT to_regclass('epermit.audit_log_y2001m02') IS NULL AS gone, count(*) AS leaves FROM audit_sealed WHERE at < '2001-03-01';
SELECT jsonb_typeof(audit_proof(min(id)) -> 'leaf') AS leaf, jsonb_typeof(audit_proof(min(id)) -> 'leaf_hash') AS leaf_hash FROM audit_sealed WHERE at < '2001-03-01';
SELECT left(public.error($$INSERT INTO epermit.audit_dropped VALUES ('x', '-infinity', now() - interval '100 days', now(), 0, 0)$$), 5);
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'audit_log_default'::regclass ORDER BY 1;
SELECT public.error('DELETE FROM epermit.audit_dropped'), public.error('UPDATE epermit.audit_sealed SET leaf_no = 1'), public.error('TRUNCATE epermit.audit_seal, epermit.audit_sealed');

-- ---------------------------------------------------------------- import

SET ROLE regress_epermit_auditor;
\set rest '", "at": "2026-11-24T20:52:10.123456Z", "era": 77, "event": "verify_permit", "login_role": "gate", "calling_role": "rail", "department": "rail", "holder_id": 12, "credential_no": "T-63PG0-0012G-0J8T5-CY4TV", "purpose": "rail", "verdict": "valid", "attempt": false, "detail": {"how": "qr"}}'
\set line '{"uuid": "5f9e9b26-0000-4000-8000-00000000000'
SELECT import_audit((:'line' || 1 || :'rest')::jsonb) AS one,
       import_audit(('[' || :'line' || 1 || :'rest' || ',' || :'line' || 2 || :'rest' || ',' || :'line' || 2 || :'rest' || ']')::jsonb) AS another,
       import_audit('[]') AS none;
SELECT events, public.error(format('SELECT epermit.import_audit(%L)', events))
  FROM (VALUES ('3'), ('[{}]'), ('{"uuid": "x"}'), ('[{"uuid": "5f9e9b26-0000-4000-8000-000000000003", "at": "now", "era": 1, "event": "x", "login_role": "a"}]')) AS v (events);
RESET ROLE;
SELECT at AT TIME ZONE 'UTC' AS at, event, login_role, calling_role, department, holder_id, credential_no, purpose, verdict, attempt, detail
  FROM audit_log WHERE holder_id = 12 ORDER BY id;
SELECT detail FROM audit_log WHERE event = 'import' ORDER BY id;

-- ---------------------------------------------------------------- who checked whom

SELECT register_holder('H12345678', '2099-05-31', '陳大文', 'CHAN TAI MAN', '1980-02-29', 'male', 'HKG') AS chan \gset
SELECT register_residence_permit(:chan, '810000198002290011', '2099-05-31');
INSERT INTO audit_log (at, era, xid, event, login_role, calling_role, department, holder_id, purpose, verdict)
    SELECT now() + n * interval '1 s', 7, n::text::xid8, event, 'gate', 'rail', 'rail', :chan + other, 'rail', 'valid'
      FROM (VALUES (1, 'verify_permit', 0), (2, 'verify_linkage', 0), (3, 'documents_linked', 0), (4, 'verify_permit', 1), (5, 'issue_permit', 0)) AS v (n, event, other);
SET ROLE regress_epermit_auditor;
SELECT department, purpose, verdict, credential_no FROM checks_on_holder('H12345678');
SELECT count(*) FROM checks_on_holder('810000198002290011');
SELECT public.error($$SELECT * FROM epermit.checks_on_holder('H12345679')$$), public.error($$SELECT * FROM epermit.checks_on_holder('H')$$);
RESET ROLE;
SELECT calling_role, detail ->> 'action' AS action, (detail ->> 'holder_id')::bigint = :chan AS holder, count(*) FROM audit_log WHERE event = 'audit' GROUP BY 1, 2, 3;

-- ---------------------------------------------------------------- who may

CREATE ROLE regress_epermit_nobody;
SELECT r AS role, array_agg(p.proname || CASE WHEN p.provolatile = 'i' THEN ' (computes)' ELSE '' END ORDER BY p.proname COLLATE "C")
  FROM pg_proc p, unnest('{regress_epermit_nobody,epermit_admin,epermit_auditor,epermit_registrar}'::name[]) r
 WHERE p.pronamespace = 'epermit'::regnamespace AND p.proname ~ 'audit|seal|merkle|checks_on' AND p.proname !~ 'reseal'
   AND has_function_privilege(r, p.oid, 'EXECUTE')
 GROUP BY 1 ORDER BY 1;
SET ROLE regress_epermit_auditor;
SELECT public.error('SELECT FROM epermit.audit_log'), public.error($$SELECT epermit.audit_event('x', NULL)$$);
RESET ROLE;

\c :suite
DROP DATABASE epermit_audit;
DROP ROLE regress_epermit_app, regress_epermit_auditor, regress_epermit_nobody;
