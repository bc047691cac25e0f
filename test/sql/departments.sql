-- Departments: who may verify, for what, and what each is shown; nobody verifies
-- for the border.

CREATE DATABASE epermit_departments TEMPLATE template0 ENCODING 'UTF8';
\set suite :DBNAME
\c epermit_departments
SET client_min_messages = warning;
CREATE EXTENSION epermit;
SET search_path = public, epermit;
CREATE ROLE regress_epermit_admin IN ROLE epermit_admin;
CREATE ROLE regress_epermit_rail;
CREATE ROLE regress_epermit_bank;
CREATE ROLE "regress epermit ""odd""";

\i test/error.sql

SET ROLE regress_epermit_admin;
SELECT register_department('rail', '鐵路', 'regress_epermit_rail', '{rail}', '{holder_name,document_no}');
SELECT register_department('odd', 'Odd', 'regress epermit "odd"', '{}', '{}');
SELECT what, public.error(format('SELECT register_department(%L, %L, %L, %L, %L)', code, name, role, purposes, disclosure))
  FROM (VALUES
    ('code',               'Rail', 'x', 'regress_epermit_bank',  '{finance}', '{}'),
    ('no code',            NULL,   'x', 'regress_epermit_bank',  '{finance}', '{}'),
    ('name',               'bank', ' ', 'regress_epermit_bank',  '{finance}', '{}'),
    ('no such role',       'bank', 'x', 'regress_epermit_none',  '{finance}', '{}'),
    ('group role',         'bank', 'x', 'epermit_verifier',      '{finance}', '{}'),
    ('another''s role',    'bank', 'x', 'regress_epermit_rail',  '{finance}', '{}'),
    ('border',             'bank', 'x', 'regress_epermit_bank',  '{finance,border}', '{}'),
    ('unknown purpose',    'bank', 'x', 'regress_epermit_bank',  '{finance,money}', '{}'),
    ('null purpose',       'bank', 'x', 'regress_epermit_bank',  '{NULL}', '{}'),
    ('no purposes',        'bank', 'x', 'regress_epermit_bank',  NULL, '{}'),
    ('unknown disclosure', 'bank', 'x', 'regress_epermit_bank',  '{finance}', '{holder_name,holder_id}')
  ) AS v (what, code, name, role, purposes, disclosure);

-- by code: again is a change; what everybody is told may be named
SELECT register_department('rail', '鐵路局', 'regress_epermit_rail', '{rail,air}', '{name_match,verdict,valid_until}');
RESET ROLE;
SELECT * FROM department ORDER BY code;
SELECT r, pg_has_role(r, 'epermit_verifier', 'MEMBER') AS verifier
  FROM unnest('{regress_epermit_rail,"regress epermit \"odd\"",regress_epermit_bank}'::name[]) r;

-- the table refuses the border too
SELECT left(public.error($$INSERT INTO epermit.department VALUES ('bank', 'x', 'regress_epermit_bank', '{border}', '{}')$$), 5);

-- what is registered is at once what a session may, also within a transaction and after its ROLLBACK; a
-- department is a role of that name
CREATE FUNCTION public.verdict() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN (epermit.verify_permit('x', 'rail')).verdict;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
GRANT epermit_verifier TO regress_epermit_bank;
SET ROLE regress_epermit_rail;
SELECT public.verdict();
SET ROLE regress_epermit_bank;
SELECT public.verdict();
RESET ROLE;
SELECT register_department('rail', '鐵路局', 'regress_epermit_rail', '{air}', '{name_match}');
SET ROLE regress_epermit_rail;
SELECT public.verdict();
RESET ROLE;
SELECT register_department('rail', '鐵路局', 'regress_epermit_bank', '{rail}', '{name_match}');
SET ROLE regress_epermit_rail;
SELECT public.verdict();
SET ROLE regress_epermit_bank;
SELECT public.verdict();
RESET ROLE;
BEGIN;
SELECT register_department('rail', '鐵路局', 'regress_epermit_rail', '{rail}', '{name_match}');
SET ROLE regress_epermit_rail;
SELECT public.verdict();
ROLLBACK;
SET ROLE regress_epermit_rail;
SELECT public.verdict();
RESET ROLE;
ALTER ROLE regress_epermit_bank RENAME TO regress_epermit_renamed;
SET ROLE regress_epermit_renamed;
SELECT public.verdict();
RESET ROLE;
ALTER ROLE regress_epermit_rail RENAME TO regress_epermit_bank;
SET ROLE regress_epermit_bank;
SELECT public.verdict();
RESET ROLE;

SELECT detail - 'purposes' - 'disclosure' AS detail FROM audit_log WHERE event = 'department' ORDER BY id;

SET ROLE regress_epermit_bank;
SELECT public.error($$SELECT epermit.register_department('mine', 'x', 'regress_epermit_bank', '{rail}', '{}')$$), public.error('SELECT FROM epermit.department');
RESET ROLE;

\c :suite
DROP DATABASE epermit_departments;
DROP ROLE regress_epermit_admin, regress_epermit_bank, regress_epermit_renamed, "regress epermit ""odd""";
