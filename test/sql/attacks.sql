-- What somebody hostile tries: each of these got somewhere once.

\set suite :DBNAME
CREATE DATABASE epermit_attacks TEMPLATE template0 ENCODING 'UTF8';
\c epermit_attacks
\i test/stage.sql

-- Codes of the problems that an application meets.
CREATE FUNCTION public.apply(document_no text, changes jsonb DEFAULT '{}') RETURNS text
    LANGUAGE sql AS $$ SELECT public.codes((epermit.issue_permit(public.application(document_no, changes))).problems) $$;

-- ---------------------------------------------------------------- attempts

-- strangers who know a number can use up a document's attempts online, but not at a counter
SELECT public.somebody() AS doc \gset
SELECT n, public.apply(:'doc', '{"name": "李四", "attestation": null}') FROM generate_series(1, 11) n;
SELECT public.apply(:'doc') AS person,
       public.apply(:'doc', '{"channel": "counter", "office": "深圳灣", "officer": "007", "attestation": null, "mobile_no": null}') AS counter,
       public.apply(:'doc', '{"attestation": null}') AS stranger;
-- the person's own wrong answers count for everybody
SELECT public.somebody() AS doc \gset
SELECT count(public.apply(:'doc', '{"name": "李四"}')) FROM generate_series(1, 10);
SELECT public.apply(:'doc') AS person, public.apply(:'doc', '{"attestation": null}') AS stranger;

-- when they are used up, asking twice in one statement brings no other answer
SELECT public.application(:'doc') AS good, public.application(:'doc', '{"name": "李四"}') AS bad \gset
SELECT public.codes((issue_permit(:'bad')).problems) AS once, public.codes((issue_permit(:'bad')).problems) AS twice;
SELECT public.codes((issue_permit(:'good')).problems) AS once, public.codes((issue_permit(:'good')).problems) AS twice, (issue_permit(:'good')).credential_no AS thrice;
-- nor does the last one that is left
SELECT public.somebody() AS doc \gset
SELECT count(public.apply(:'doc', '{"name": "李四"}')) FROM generate_series(1, 9);
SELECT public.application(:'doc', '{"name": "李四"}') AS bad \gset
SELECT public.codes((issue_permit(:'bad')).problems) AS once, public.codes((issue_permit(:'bad')).problems) AS twice, public.codes((issue_permit(:'bad')).problems) AS thrice;
SELECT public.codes((issue_permit(:'bad')).problems) AS used_up;

-- ---------------------------------------------------------------- floods

-- 100,000 fields nobody knows make neither the answer nor the audit log long
SELECT count(*), count(*) FILTER (WHERE code = 'application.unknown_field') AS unknown
  FROM unnest((issue_permit((SELECT jsonb_object_agg('x' || n, repeat('x', 10)) FROM generate_series(1, 100000) n))).problems);
SELECT cardinality(codes) FROM audit_log ORDER BY id DESC LIMIT 1;
SELECT count(*) FROM check_linkage((SELECT jsonb_object_agg('x' || n, 1) FROM generate_series(1, 100000) n)) WHERE code = 'application.unknown_field';

-- ---------------------------------------------------------------- errors that tell

-- a row that lacks a column is not shown, nor the number and the token it was given
SELECT columns, public.error_detail(format('INSERT INTO epermit.permit (holder_id, travel_permit_no, mobile_no, %s) VALUES (epermit.registered_holder(%L), %2$L, ''13800138000'', %s)', columns, 'H12345678', value))
  FROM (VALUES ('reason, request_id', $$'lost', NULL$$), ('request_id', 'gen_random_uuid()'), ('reason, request_id, channel', $$'lost', gen_random_uuid(), NULL$$)) AS v (columns, value);
SELECT public.error_detail($$INSERT INTO epermit.linkage (holder_id, travel_permit_no, residence_permit_no, request_id) VALUES (epermit.registered_holder('H12345678'), 'H12345678', '81000019850601001X', NULL)$$);

-- ---------------------------------------------------------------- dates no token can say

SELECT birth_date, public.error_detail(format($$SELECT epermit.register_holder('H77777777', '2099-05-31', '張三', 'CHEUNG, SAM', %L, 'female', 'HKG')$$, birth_date))
  FROM unnest('{0044-03-15 BC,1799-12-31,-infinity,infinity}'::date[]) birth_date;

-- an audit head from beyond the end of time, and from before its beginning
SELECT iat, at, problem
  FROM unnest('{1b4000000000000000,3b4000000000000000,01}'::text[]) iat,
       read_audit_head(decode('d2845831a30127044831323334353637381078216170706c69636174696f6e2f766e642e657065726d69742e61756469742b637774a058' || CASE iat WHEN '01' THEN '39' ELSE '41' END || 'a301617806' || iat || '3a00010002a6010102010358200000000000000000000000000000000000000000000000000000000000000000050106010701584000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000', 'hex'));

-- ---------------------------------------------------------------- events from elsewhere

-- what only this database writes is not imported: wrong answers, issues, keys
SELECT change, public.error_detail(format('SELECT epermit.import_audit(%L)',
           '{"uuid": "5f9e9b26-0000-4000-8000-000000000001", "at": "2026-01-01 00:00Z", "era": 1, "event": "verify_permit", "login_role": "x", "calling_role": "x"}'::jsonb || change))
  FROM (VALUES ('{"attempt": true}'::jsonb), ('{"event": "issue_permit"}'), ('{"event": "key"}'), ('{"at": "infinity"}'), ('{"event": "audit"}'), ('{"uuid": "5f9e9b26-0000-4000-8000-000000000002"}')) AS v (change);

-- ---------------------------------------------------------------- old snapshots

-- a policy made of another one that is no longer the last would undo what came between
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT set_policy(now() + interval '1 hour', '{}');
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT set_policy(now() + interval '1 hour', '{}');
ROLLBACK;

-- ---------------------------------------------------------------- a schema that was there before

CREATE ROLE regress_attacks_evil;
CREATE DATABASE epermit_attacks_schema TEMPLATE template0 ENCODING 'UTF8';
\c epermit_attacks_schema
CREATE SCHEMA epermit AUTHORIZATION regress_attacks_evil;
CREATE EXTENSION epermit;
ALTER SCHEMA epermit OWNER TO CURRENT_USER;
GRANT CREATE ON SCHEMA epermit TO regress_attacks_evil;
CREATE EXTENSION epermit;
REVOKE CREATE ON SCHEMA epermit FROM regress_attacks_evil;
GRANT CREATE ON SCHEMA epermit TO PUBLIC;
CREATE EXTENSION epermit;
REVOKE CREATE ON SCHEMA epermit FROM PUBLIC;
GRANT USAGE ON SCHEMA epermit TO PUBLIC;
CREATE EXTENSION epermit;

\c :suite
DROP DATABASE epermit_attacks;
DROP DATABASE epermit_attacks_schema;
DROP ROLE regress_attacks_evil;
