-- The rules in force: a change takes effect at its instant and never before, nothing that was in
-- force is rewritten, no policy lets a permit cross the border, and every session follows at once.

CREATE DATABASE epermit_policy TEMPLATE template0 ENCODING 'UTF8';
\set suite :DBNAME
\c epermit_policy
SET client_min_messages = warning;
CREATE EXTENSION epermit;
SET search_path = public, epermit;
CREATE ROLE regress_epermit_admin IN ROLE epermit_admin;

\i test/error.sql

SELECT monthly_quota, permit_days, linkage_days, validity_rule, permit_purposes, require_attestation, require_mobile,
       attestation_max_age, attempts_per_day, credential_retention, audit_retention
  FROM policy;

SET ROLE regress_epermit_admin;

-- fields that are not named stay what they will be at that instant
SELECT set_policy('2999-01-01 00:00+08', '{"monthly_quota": 3}');
SELECT set_policy('2999-02-01 00:00+08', '{"permit_purposes": ["air", "rail", "rail", "lodging"], "validity_rule": "end_of_day"}');
SELECT set_policy('2999-01-15 00:00:00.75+08', '{"permit_days": 5, "attestation_max_age": "5 minutes", "audit_retention": "1 year", "require_mobile": false}');
RESET ROLE;
SELECT extract(epoch FROM effective_from - '2999-01-01 00:00+08') / 86400 AS day, monthly_quota, permit_days, validity_rule,
       permit_purposes, require_mobile, attestation_max_age, audit_retention, seeded
  FROM policy ORDER BY effective_from;
SET ROLE regress_epermit_admin;

-- said again for the same instant, it changes what was said before; now() is not the past
BEGIN;
SELECT set_policy(now(), '{"monthly_quota": 4}');
SELECT set_policy(now(), '{"permit_days": 6}');
RESET ROLE;
SELECT effective_from - now() AS after, monthly_quota, permit_days FROM policy WHERE effective_from BETWEEN now() AND now() + interval '1 second' ORDER BY 1;
ROLLBACK;
SET ROLE regress_epermit_admin;

-- every bad value by its field and rule
SELECT changes, public.error(format('SELECT epermit.set_policy(%L, %L)', '2999-03-01', changes))
  FROM (VALUES ('{"quota": 3}'), ('{"effective_from": "2020-01-01"}'), ('{"seeded": true}'), ('[]'), ('3'), (NULL),
               ('{"monthly_quota": 16}'), ('{"monthly_quota": -1}'), ('{"monthly_quota": "x"}'), ('{"monthly_quota": null}'),
               ('{"monthly_quota": 2.5}'), ('{"monthly_quota": 100000}'), ('{"permit_days": 0}'), ('{"permit_days": 367}'),
               ('{"linkage_days": 0}'), ('{"validity_rule": "forever"}'), ('{"permit_purposes": ["border"]}'),
               ('{"permit_purposes": ["finance"]}'), ('{"permit_purposes": ["nothing"]}'), ('{"permit_purposes": [null]}'),
               ('{"permit_purposes": "rail"}'), ('{"attestation_max_age": "11 minutes"}'), ('{"attestation_max_age": "0"}'),
               ('{"attempts_per_day": 0}'), ('{"credential_retention": "-1 day"}'), ('{"audit_retention": "183 days"}'),
               ('{"require_mobile": "perhaps"}'), ('{"monthly_quota": 2, "permit_purposes": []}')) AS v (changes);
SELECT public.error($$SELECT epermit.set_policy(now() - interval '2 seconds', '{"monthly_quota": 9}')$$);
SELECT public.error($$SELECT epermit.set_policy('infinity', '{"monthly_quota": 9}')$$);
SELECT public.error($$SELECT epermit.set_policy(NULL, '{"monthly_quota": 9}')$$);
RESET ROLE;

-- what was in force stays written, also for the owner and in replica mode
SELECT public.error('UPDATE epermit.policy SET monthly_quota = 9'), public.error('DELETE FROM epermit.policy'),
       public.error('TRUNCATE epermit.policy CASCADE');
SELECT public.error('UPDATE epermit.purpose SET permit_may = true'), public.error('DELETE FROM epermit.purpose'),
       public.error('TRUNCATE epermit.purpose CASCADE');
SET session_replication_role = replica;
SELECT public.error('UPDATE epermit.policy SET monthly_quota = 9'), public.error('DELETE FROM epermit.purpose');
RESET session_replication_role;
SELECT left(public.error($$INSERT INTO epermit.policy (effective_from, permit_purposes) VALUES ('2999-05-01', '{rail,border}')$$), 5);
SELECT left(public.error($$INSERT INTO epermit.purpose VALUES ('border2', 12, '', '', '', true, true)$$), 5);
SELECT left(public.error($$INSERT INTO epermit.purpose VALUES ('border', 13, '', '', '', true, true)$$), 5);

-- a purpose that is added is known at once
SELECT public.error($$SELECT epermit.set_policy('2999-06-01', '{"permit_purposes": ["ferry"]}')$$);
INSERT INTO purpose VALUES ('ferry', 20, '輪渡', '轮渡', 'ferry', true, false);
SELECT public.error($$SELECT epermit.set_policy('2999-06-01', '{"permit_purposes": ["ferry"]}')$$);

-- the issuer's seeded row becomes one's own, of which there is one
UPDATE issuer SET iss = 'https://nia.example';
INSERT INTO issuer (iss, status_list_base) VALUES ('https://other.example', 'https://other.example/') ON CONFLICT DO NOTHING;
SELECT iss, seeded FROM issuer;
SELECT left(public.error($$INSERT INTO epermit.issuer (iss, status_list_base) VALUES ('x', 'y')$$), 5);

SELECT replace(calling_role, current_user, 'me') AS calling_role, detail ->> 'action' AS action, detail -> 'changes' AS changes
  FROM audit_log WHERE event = 'policy' ORDER BY id;

CREATE ROLE regress_epermit_nobody;
SET ROLE regress_epermit_nobody;
SELECT public.error($$SELECT epermit.set_policy('2999-07-01', '{"monthly_quota": 9}')$$), public.error('SELECT FROM epermit.policy');
RESET ROLE;

\c :suite
DROP DATABASE epermit_policy;
DROP ROLE regress_epermit_admin, regress_epermit_nobody;
