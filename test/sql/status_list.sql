-- Status lists: what is published says what happened and nothing else, the same bytes while nothing
-- changes; what is imported was signed for it, is in force, and is never older than what is here.

CREATE DATABASE epermit_status_list TEMPLATE template0 ENCODING 'UTF8';
\set suite :DBNAME
\c epermit_status_list
\i test/stage.sql
CREATE ROLE regress_epermit_keeper IN ROLE epermit_keeper;
CREATE ROLE regress_epermit_nobody;

-- the first list begins with the first credential
SELECT error('SELECT status_list(0)');
SELECT status_list(NULL);
SELECT * FROM status_list_uris();
CREATE TABLE issued (what text, no credential_no, idx int);
CREATE FUNCTION public.issue(what text) RETURNS void
    LANGUAGE sql AS $$
    WITH i AS (SELECT credential_no FROM epermit.issue_permit(public.application(public.somebody())))
    INSERT INTO public.issued SELECT what, credential_no FROM i;
    UPDATE public.issued SET idx = p.status_idx FROM epermit.permit p WHERE no = p.credential_no AND what = issue.what
$$;
SELECT issue(what) FROM unnest('{valid,revoked,suspended,reinstated}'::text[]) what \g /dev/null
SELECT * FROM status_list_uris();
SELECT error('SELECT status_list(1)'), error('SELECT status_list(-1)');

-- read back as another party reads it: this one imports its own
CREATE FUNCTION public.entries() RETURNS TABLE (what text, entry int)
    LANGUAGE sql AS $$
    SELECT what, get_byte(list, idx / 4) >> (idx % 4 * 2) & 3 FROM epermit.imported_status_list, public.issued ORDER BY what
$$;
CREATE TABLE kept (what text, list bytea);
INSERT INTO kept SELECT 'empty', status_list(0);
SELECT import_status_list(list) FROM kept;
SELECT extract(epoch FROM exp - iat) AS life, iat <= clock_timestamp() AS signed, bits, octet_length(list), list = decode(repeat('00', 32768), 'hex') AS nothing_happened FROM imported_status_list;

-- signed anew after half of its life, or when the clock went back: what is kept is made to look that old
CREATE FUNCTION public.aged(list bytea, age interval) RETURNS bytea
    LANGUAGE sql AS $$
    SELECT overlay(list PLACING int4send(iat - extract(epoch FROM age)::int) FROM position('\x061a'::bytea || int4send(iat) IN list) + 2)
      FROM (SELECT extract(epoch FROM iat)::int FROM epermit.imported_status_list) i (iat)
$$;
CREATE FUNCTION public.kept_when(age interval) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    list CONSTANT bytea := public.aged((SELECT k.list FROM public.kept k WHERE what = 'empty'), age);
BEGIN
    UPDATE epermit.status_list SET token = list;
    RETURN epermit.status_list(0) = list;
END $$;
SELECT age, kept_when(age) FROM unnest('{11:59:00,12:00:00,-00:01:00}'::interval[]) age;

SELECT revoke_permit(no, 'found') FROM issued WHERE what = 'revoked' \g /dev/null
SELECT suspend_permit(no, 'doubts') FROM issued WHERE what IN ('suspended', 'reinstated') \g /dev/null
SELECT reinstate_permit(no, 'none') FROM issued WHERE what = 'reinstated' \g /dev/null
INSERT INTO kept SELECT 'full', status_list(0);
SELECT import_status_list(list) FROM kept WHERE what = 'full';
SELECT * FROM entries();
SELECT sum(length(replace(get_byte(list, n)::bit(8)::text, '0', ''))) AS bits_set FROM imported_status_list, generate_series(0, octet_length(list) - 1) n;

-- the same bytes while nothing changes, in every session, read-only or not
SELECT status_list(0) = list AS same FROM kept WHERE what = 'full';
\c
SET client_min_messages = warning;
\set VERBOSITY terse
SET search_path = public, epermit;
SELECT status_list(0) = list AS same FROM kept WHERE what = 'full';
BEGIN READ ONLY;
SELECT status_list(0) = list AS same FROM kept WHERE what = 'full';
COMMIT;
SELECT issue('later') \g /dev/null
SELECT status_list(0) = list AS same FROM kept WHERE what = 'full';

-- other bytes when the key is another, and whatever is kept that is none
BEGIN;
SELECT length(rotate_signing_key('status')) AS kid, status_list(0) = list AS same FROM kept WHERE what = 'full';
ROLLBACK;
BEGIN;
UPDATE status_list SET token = k.list FROM kept k WHERE k.what = 'empty';
SELECT status_list(0) = list AS empty FROM kept WHERE what = 'empty';
UPDATE status_list SET token = '\x00';
DELETE FROM imported_status_list;
SELECT import_status_list(status_list(0));
SELECT * FROM entries() WHERE entry <> 0;
ROLLBACK;
SELECT status_list(0) = list AS same FROM kept WHERE what = 'full';

-- no key, no list
BEGIN;
SELECT retire_signing_key(kid) FROM signing_keys() WHERE usage = 'status' \g /dev/null
SELECT error('SELECT status_list(0)');
ROLLBACK;

-- a list must be one, whole, and signed by a key that is for it
SELECT v.what, error_detail(format('SELECT import_status_list(%L)', message))
  FROM (SELECT list AS l FROM kept WHERE what = 'full') k,
       LATERAL (VALUES
    (1, 'nothing', ''::bytea),
    (2, 'noise', sha256('noise')),
    (3, 'cut', substr(l, 1, length(l) - 1)),
    (4, 'something after it', l || '\x00'),
    (5, 'too long', l || decode(repeat('00', 42000), 'hex')),
    (6, 'altered entries', set_byte(l, length(l) - 80, get_byte(l, length(l) - 80) # 1)),
    (7, 'altered signature', set_byte(l, length(l) - 1, get_byte(l, length(l) - 1) # 1)),
    (8, 'a permit', (SELECT cose(token) FROM permit LIMIT 1))) v (n, what, message)
 ORDER BY n;
BEGIN;
SELECT compromise_signing_key(kid, 'stolen') FROM signing_keys() WHERE usage = 'status' \g /dev/null
SELECT error_detail(format('SELECT import_status_list(%L)', list)) FROM kept WHERE what = 'full';
ROLLBACK;
BEGIN;
ALTER TABLE signing_key DISABLE TRIGGER guard_rows;
UPDATE signing_key SET usage = 'attestation', state = 'retired', retired_at = now() WHERE usage = 'status';
SELECT error_detail(format('SELECT import_status_list(%L)', list)) FROM kept WHERE what = 'full';
ALTER TABLE signing_key DISABLE TRIGGER ALL;
DELETE FROM signing_key WHERE state = 'retired';
SELECT error_detail(format('SELECT import_status_list(%L)', list)) FROM kept WHERE what = 'full';
ROLLBACK;

-- an older one, replayed, stays out; the same one again is no harm
BEGIN;
UPDATE imported_status_list SET iat = iat + interval '1 second';
SELECT error(format('SELECT import_status_list(%L)', list)) FROM kept WHERE what = 'full';
ROLLBACK;
SELECT error(format('SELECT import_status_list(%L)', list)) FROM kept WHERE what = 'full';
SELECT * FROM entries();

-- what happened here goes before what a list says
BEGIN;
UPDATE imported_status_list SET list = decode(repeat('55', 32768), 'hex');      -- all revoked
SELECT what, (verify_offline(credential_token(no)::text, 'rail')).verdict FROM issued ORDER BY what;
ROLLBACK;

-- who may
SET ROLE regress_epermit_nobody;
SELECT status_list(0) = (SELECT status_list(0)) AS published, count(*) FROM status_list_uris();
SELECT error($$SELECT epermit.import_status_list('')$$);
SELECT error('SELECT FROM epermit.status_list'), error('SELECT FROM epermit.imported_status_list');
SET ROLE regress_epermit_keeper;
SELECT import_status_list(status_list(0));
SELECT error('SELECT FROM epermit.imported_status_list');
RESET ROLE;

\c :suite
DROP DATABASE epermit_status_list;
DROP ROLE regress_epermit_keeper, regress_epermit_nobody;
