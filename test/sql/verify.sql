-- Whatever is presented gets a verdict, and only a genuine, running permit for the right purpose gets
-- "valid".  Every check is written down; a department hears what it was granted and no more.

\set suite :DBNAME

-- Another party, whose keys and permits are not ours.
CREATE DATABASE epermit_verify_other TEMPLATE template0 ENCODING 'UTF8';
\c epermit_verify_other
\i test/stage.sql
SELECT credential_no AS no FROM issue_permit(public.application('H12345678')) \gset
SELECT credential_token(:'no') AS others_token, jwks('permit') AS others_keys \gset

CREATE DATABASE epermit_verify TEMPLATE template0 ENCODING 'UTF8';
\c epermit_verify
\i test/stage.sql
DROP DATABASE epermit_verify_other;

CREATE ROLE regress_verify_rail;
CREATE ROLE regress_verify_air;
CREATE ROLE regress_verify_hotel;
CREATE ROLE regress_verify_stranger IN ROLE epermit_verifier;
CREATE ROLE regress_verify_nobody;
SELECT register_department('rail', 'Rail', 'regress_verify_rail', '{rail}', '{holder_name,name_romanised,birth_date,document_kind,document_no,purposes,portrait_digest,name_match}'),
       register_department('air', 'Air', 'regress_verify_air', '{air}', '{}'),
       register_department('hotel', 'Hotels', 'regress_verify_hotel', '{lodging,finance}', '{holder_name}') \g /dev/null

-- What a verification tells, without numbers and times.
CREATE FUNCTION public.told(v verification) RETURNS text
    LANGUAGE sql AS $$
    SELECT concat_ws(' ', v.verdict, CASE WHEN v.ok THEN 'ok' END, CASE WHEN v.credential_no IS NOT NULL THEN 'no' END, CASE WHEN v.valid_from IS NOT NULL AND v.valid_until IS NOT NULL THEN 'times' END,
                     v.holder_name, v.name_romanised, v.birth_date, v.document_kind, v.document_no, v.purposes, 'portrait ' || octet_length(v.portrait_digest), v.name_match)
$$;

-- The text form of a COSE message as anybody can make it: base45 of a zlib stream with one stored block.
CREATE FUNCTION public.wire(message bytea) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    a     int := 1;
    b     int := 0;
    bytes bytea;
    n     int;
    text  text := '';
    c     CONSTANT text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
BEGIN
    FOR i IN 0 .. length(message) - 1 LOOP
        a := (a + get_byte(message, i)) % 65521;
        b := (b + a) % 65521;
    END LOOP;
    n := length(message);
    bytes := '\x780101'::bytea || set_byte(set_byte('\x0000', 0, n % 256), 1, n / 256) || set_byte(set_byte('\x0000', 0, 255 - n % 256), 1, 255 - n / 256)
             || message || decode(lpad(to_hex(b), 4, '0') || lpad(to_hex(a), 4, '0'), 'hex');
    FOR i IN 0 .. (length(bytes) - 1) / 2 LOOP
        IF 2 * i + 1 < length(bytes) THEN
            n := get_byte(bytes, 2 * i) * 256 + get_byte(bytes, 2 * i + 1);
            text := text || substr(c, n % 45 + 1, 1) || substr(c, n / 45 % 45 + 1, 1) || substr(c, n / 2025 + 1, 1);
        ELSE
            n := get_byte(bytes, 2 * i);
            text := text || substr(c, n % 45 + 1, 1) || substr(c, n / 45 + 1, 1);
        END IF;
    END LOOP;
    RETURN text;
END $$;

SELECT credential_no AS no FROM issue_permit(public.application('M87654321', jsonb_build_object('portrait_digest', sha256('portrait')::text))) \gset
SELECT credential_token(:'no') AS token \gset
SELECT credential_no AS linkage_no FROM link_documents(public.application('M87654321', public.residence('820000199005050044'))) \gset
SELECT credential_token(:'linkage_no') AS linkage_token \gset
BEGIN;
INSERT INTO permit (holder_id, travel_permit_no, reason, request_id) SELECT registered_holder('M87654321'), 'M87654321', 'lost', gen_random_uuid() RETURNING credential_no AS gone_no, token AS gone_token \gset
ROLLBACK;

-- ---------------------------------------------------------------- verdicts

CREATE TABLE presented AS
SELECT * FROM (VALUES
    (1, 'token', :'token'), (2, 'number', :'no'), (3, 'number as typed', lower(replace(:'no', '-', ''))), (4, 'number with O for 0', replace(replace(:'no', '0', 'o'), '1', 'l')),
    (5, 'number spaced', ' ' || replace(:'no', '-', ' ') || ' '), (6, 'token behind a prefix', 'https://epermit.invalid/p#' || :'token'), (7, 'a capital prefix', 'HTTPS://EPERMIT.INVALID/P#' || :'token'),
    (8, 'number behind a prefix', 'https://epermit.invalid/p#' || :'no'), (9, 'another compression', public.wire(cose(:'token'))), (10, 'CWT tag 61 around it', public.wire('\xd83d'::bytea || cose(:'token'))),
    (20, 'issued, then rolled back', :'gone_token'), (21, 'its number', :'gone_no'), (22, 'linkage result', :'linkage_token'), (23, 'its number', :'linkage_no'), (24, 'another party''s', :'others_token'),
    (25, 'an attestation', attest('M87654321')), (26, 'mistyped', overlay(:'no' PLACING CASE substr(:'no', 10, 1) WHEN '7' THEN '8' ELSE '7' END FROM 10)),
    (27, 'mistyped check digit', overlay(:'no' PLACING CASE right(:'no', 1) WHEN '7' THEN '8' ELSE '7' END FROM length(:'no'))),
    (30, 'signature altered', public.wire(set_byte(cose(:'token'), length(cose(:'token')) - 1, get_byte(cose(:'token'), length(cose(:'token')) - 1) # 1))),
    (31, 'signature of zeros', public.wire(substr(cose(:'token'), 1, length(cose(:'token')) - 64) || decode(repeat('00', 64), 'hex'))),
    (32, 'another''s signature', public.wire(substr(cose(:'token'), 1, length(cose(:'token')) - 64) || substr(cose(:'gone_token'), length(cose(:'gone_token')) - 63))),
    (40, 'nothing', NULL), (41, 'empty', ''), (42, 'a space', ' '), (43, 'prefix alone', 'https://epermit.invalid/p#'), (44, 'prefix without #', 'https://epermit.invalid/p'), (45, 'http', 'http://epermit.invalid/p#' || :'token'),
    (46, 'prefix twice', 'https://a#https://b#' || :'token'), (47, 'token, space after', :'token' || ' '), (48, 'token, space before', ' ' || :'token'), (49, 'token, newline after', :'token' || E'\n'), (50, 'token in lower case', lower(:'token')),
    (51, 'token twice', :'token' || :'token'), (52, 'token backwards', reverse(:'token')), (53, 'emoji', '🛂🛃'), (54, 'Chinese', '臨時通行證'), (55, 'JSON', '{"1":"https://epermit.invalid"}'),
    (56, 'a health certificate', 'HC1:' || :'token'), (57, 'a travel permit', 'M87654321'), (58, 'SQL', '''; DROP TABLE epermit.permit; --'), (59, 'hex of the message', encode(cose(:'token'), 'hex')),
    (60, '4,296 characters', repeat('A', 4296)), (61, '4,297 characters', repeat('A', 4297)), (62, 'a megabyte', repeat('0', 1000000)), (63, 'token and 4,297 in all', 'https://' || repeat('a', 4297 - 9 - length(:'token')) || '#' || :'token'),
    (64, 'token and 4,296 in all', 'https://' || repeat('a', 4296 - 9 - length(:'token')) || '#' || :'token'), (65, 'base45 over 65535', ':::'), (66, 'one character', 'A')) AS v (n, what, presented);
GRANT SELECT ON presented TO PUBLIC;
GRANT SELECT ON permit TO PUBLIC;

SET ROLE regress_verify_rail;
SELECT what, public.told(verify_permit(presented, 'rail')) FROM presented ORDER BY n;
RESET ROLE;

-- as a relying party: no row, only keys; a printed number has nothing to check
SELECT what, (verify_offline(presented, 'rail')).verdict AS offline FROM presented ORDER BY n;
SELECT public.told(verify_offline(:'token', 'rail'));
-- keys of others that are trusted here: genuine, but never issued here
SELECT import_jwks(:'others_keys', 'permit') \g /dev/null
SET ROLE regress_verify_rail;
SELECT public.told(verify_permit(:'others_token', 'rail')) AS online, public.told(verify_offline(:'others_token', 'rail')) AS offline;
RESET ROLE;

-- ---------------------------------------------------------------- garbage is a verdict

-- bytes, printed in every way
SELECT count(*), array_agg(DISTINCT verdict) AS verdicts
  FROM generate_series(1, 500) n, LATERAL (SELECT sha256(n::text::bytea) || sha256((-n)::text::bytea)) AS s (bytes),
       unnest(ARRAY[encode(bytes, 'hex'), encode(bytes, 'base64'), encode(bytes, 'escape'), upper(encode(bytes, 'hex')), public.wire(bytes)]) AS text,
       verify_offline(text, 'rail');
-- what looks like a number: it is nearly always told to be mistyped, and never valid
SELECT count(*) FILTER (WHERE verdict = 'mistyped') > 900 AS mistyped, array_agg(DISTINCT verdict) <@ '{mistyped,undetermined}' AS no_more
  FROM generate_series(1, 1000) n, verify_offline('T' || translate(upper(substr(encode(sha256(n::text::bytea), 'hex'), 1, 20)), 'U', 'V'), 'rail');
-- one character exchanged, at every seventh place of the text; cut short; a character put in
SELECT how, count(*) > 50 AS some, count(*) FILTER (WHERE verdict = 'valid') AS valid
  FROM generate_series(1, length(:'token'), 7) i,
       LATERAL (VALUES ('exchanged', overlay(:'token' PLACING CASE substr(:'token', i, 1) WHEN '7' THEN '8' ELSE '7' END FROM i FOR 1)), ('cut', left(:'token', i - 1)), ('put in', overlay(:'token' PLACING '7' FROM i FOR 0)),
                       ('left out', overlay(:'token' PLACING '' FROM i FOR 1))) AS v (how, text),
       verify_offline(text, 'rail')
 GROUP BY how ORDER BY how;
-- one bit of the message flipped, in every byte: in the signature it is a bad signature, in the kid an unknown key
SELECT CASE WHEN i >= length(m) - 64 THEN 'signature' WHEN i BETWEEN position(kid(:'token') IN m) - 1 AND position(kid(:'token') IN m) + 6 THEN 'kid' ELSE 'elsewhere' END AS at,
       count(*) FILTER (WHERE verdict = 'valid') AS valid, array_agg(DISTINCT verdict) <@ '{malformed,unknown_key,bad_signature}' AS no_more,
       count(*) = count(*) FILTER (WHERE verdict = 'bad_signature') AS all_bad_signature, count(*) = count(*) FILTER (WHERE verdict = 'unknown_key') AS all_unknown_key
  FROM (SELECT cose(:'token') AS m OFFSET 0) c, generate_series(0, length(m) - 1) i, verify_offline(public.wire(set_byte(m, i, get_byte(m, i) # (1 << i % 8))), 'rail')
 GROUP BY 1 ORDER BY 1;
-- the same online, for every fifth byte
SET ROLE regress_verify_rail;
SELECT count(*) > 40 AS some, array_agg(DISTINCT verdict) <@ '{malformed,unknown_key,bad_signature}' AS no_more
  FROM (SELECT cose(:'token') AS m OFFSET 0) c, generate_series(0, length(m) - 1, 5) i, verify_permit(public.wire(set_byte(m, i, get_byte(m, i) # 1)), 'rail');
RESET ROLE;

-- ---------------------------------------------------------------- time and purpose

SELECT at, (verify_offline(:'token', 'rail', issued_at + at)).verdict
  FROM permit p, unnest('{-100 years,-301 s,-300 s,0,7 days -1 s,7 days,1000 years}'::interval[]) WITH ORDINALITY a (at, n) WHERE credential_no = :'no' ORDER BY n;
SELECT public.error('SELECT epermit.verify_offline('''', ''rail'', ''infinity'')'), public.error('SELECT epermit.verify_offline('''', ''rail'', ''-infinity'')');
SELECT public.told(verify_offline(:'token', 'rail', NULL)) AS now;
-- between two whole seconds the earlier one counts
SELECT (verify_offline(:'token', 'rail', valid_until - interval '1 microsecond')).verdict FROM permit WHERE credential_no = :'no';
-- every purpose there is, one that is not, none
SELECT code, (verify_offline(:'token', code, now())).verdict FROM purpose ORDER BY bit;
SELECT public.told(verify_offline(:'token', 'fishing')) AS no_purpose, public.told(verify_offline(:'token', NULL)) AS none, public.told(verify_offline('garbage', 'border')) AS border;
SET ROLE regress_verify_hotel;
SELECT public.told(verify_permit(:'token', 'lodging')) AS lodging, public.told(verify_permit(:'token', 'finance')) AS finance, public.told(verify_permit(:'token', 'border')) AS border, public.told(verify_permit(NULL, 'border')) AS nothing;
RESET ROLE;
-- what a policy lets permits serve counts for permits issued under it
BEGIN;
INSERT INTO policy (effective_from, permit_purposes) VALUES ('2001-01-01', '{rail,lodging}');
INSERT INTO permit (holder_id, travel_permit_no, reason, request_id) SELECT registered_holder('M87654321'), 'M87654321', 'lost', gen_random_uuid() RETURNING credential_no AS lodging_no \gset
SET ROLE regress_verify_hotel;
SELECT public.told(verify_permit(:'lodging_no', 'lodging')) AS lodging, public.told(verify_permit(:'token', 'lodging')) AS before;
SET ROLE regress_verify_air;
SELECT public.told(verify_permit(:'lodging_no', 'air')) AS air;
ROLLBACK;

-- ---------------------------------------------------------------- who may ask, and hears what

SELECT left(public.error('SELECT epermit.verify_permit(NULL, ''rail'')'), 5) AS superuser;
SET ROLE regress_verify_stranger;
SELECT public.error(format('SELECT epermit.verify_permit(%L, ''rail'')', :'token')) AS one, public.error(format('SELECT epermit.verify_permits(ARRAY[%L], ''rail'')', :'token')) AS many, public.error('SELECT epermit.verify_permit(NULL, ''border'')') AS border;
SET ROLE regress_verify_nobody;
SELECT public.error(format('SELECT epermit.verify_permit(%L, ''rail'')', :'token')) AS online, public.told(verify_offline(:'token', 'rail')) AS offline;
SET ROLE regress_verify_rail;
SELECT purpose, public.error(format('SELECT epermit.verify_permit(NULL, %L)', purpose)) FROM unnest('{rail,air,finance,fishing,border,"",RAIL,NULL}'::text[]) purpose;
SELECT public.error('SELECT epermit.verify_permits(NULL, ''air'')');
RESET ROLE;
-- the role that called counts, not the owner of a function on the way
CREATE FUNCTION public.on_behalf(text) RETURNS verdict
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT (epermit.verify_permit($1, 'rail')).verdict $$;
ALTER FUNCTION public.on_behalf OWNER TO regress_verify_rail;
SET ROLE regress_verify_nobody;
SELECT public.error(format('SELECT public.on_behalf(%L)', :'token'));
RESET ROLE;

-- each field by itself
CREATE FUNCTION public.disclosed(v verification) RETURNS text
    LANGUAGE sql AS $$
    SELECT string_agg(key, ' ' ORDER BY key) FROM jsonb_each(jsonb_strip_nulls(to_jsonb(v))) WHERE key NOT IN ('ok', 'verdict', 'credential_no', 'valid_from', 'valid_until', 'audit_id', 'checked_at')
$$;
CREATE FUNCTION public.with_disclosure(token text, field text) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    PERFORM epermit.register_department('air', 'Air', 'regress_verify_air', '{air}', ARRAY[field]);
    SET LOCAL ROLE regress_verify_air;
    result := public.disclosed(epermit.verify_permit(token, 'air'));
    RESET ROLE;
    RETURN result;
END $$;
SELECT field, public.with_disclosure(:'token', field) FROM unnest('{holder_name,name_romanised,birth_date,document_kind,document_no,purposes,portrait_digest,name_match}'::text[]) field;
SELECT register_department('air', 'Air', 'regress_verify_air', '{air}', '{}') \g /dev/null
SET ROLE regress_verify_air;
SELECT public.told(verify_permit(:'token', 'air')) AS none_granted;
-- all that a department is granted is told with the verdict valid only
SET ROLE regress_verify_rail;
SELECT verdict, public.disclosed(v) FROM presented, verify_permit(presented, 'rail') v WHERE verdict <> 'valid' AND public.disclosed(v) IS NOT NULL;
SELECT document_no, portrait_digest = sha256('portrait') AS portrait, birth_date, document_kind FROM verify_permit(:'no', 'rail');
RESET ROLE;
SELECT portrait_digest = substr(sha256('portrait'), 1, 16) AS half FROM verify_offline(:'token', 'rail');

-- the kinds of documents
SELECT count((issue_permit(public.application(doc))).credential_no) FROM unnest('{H12345678,01234567,HA1234567}'::text[]) doc;
SELECT p.travel_permit_no, v.document_kind, v.document_no FROM permit p, verify_offline(p.token::text, 'rail') v WHERE p.travel_permit_no <> 'M87654321' ORDER BY 1;

-- does the registry still know the holder by the name that was signed?
BEGIN;
UPDATE holder SET name_zh = '何X芳' WHERE holder_id = registered_holder('M87654321');
SET ROLE regress_verify_rail;
SELECT holder_name, name_match FROM verify_permit(:'token', 'rail');
ROLLBACK;

-- ---------------------------------------------------------------- many at once

SET ROLE regress_verify_rail;
SELECT n, verdict FROM verify_permits(ARRAY[:'token', 'x', NULL, :'no', :'token', '', :'gone_token', :'others_token'], 'rail') WITH ORDINALITY v (ok, verdict, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, n) ORDER BY n;
SELECT count(*) AS empty FROM verify_permits('{}', 'rail');
SELECT count(*) AS none FROM verify_permits(NULL, 'rail');
SELECT array_agg(verdict) AS two_dimensions FROM verify_permits(ARRAY[[:'token', 'x'], ['y', :'no']], 'rail');
SELECT count(*), count(DISTINCT audit_id) AS audited, array_agg(DISTINCT verdict) AS verdicts FROM verify_permits(array_fill(:'token'::text, '{300}'), 'rail');
SELECT array_agg(verdict) AS border FROM verify_permits(ARRAY[:'token', 'x', NULL], 'border');
RESET ROLE;

-- ---------------------------------------------------------------- every check is written down

SELECT max(id) AS last FROM audit_log \gset
SET ROLE regress_verify_rail;
SELECT verdict FROM verify_permit(:'token', 'rail');
SELECT verdict FROM verify_permit('garbage', 'rail');
SELECT verdict FROM verify_permit(:'gone_no', 'rail');
SELECT verdict FROM verify_permit(:'token', 'border');
SELECT (verify_permit(:'token', 'rail')).* \g /dev/null
SELECT (v).verdict, (v).holder_name FROM (SELECT verify_permit(:'token', 'rail') AS v) s;
SELECT public.error('SELECT epermit.verify_permit(NULL, ''air'')');
RESET ROLE;
SELECT event, department, calling_role, purpose, verdict, holder_id IS NOT NULL AS holder, credential_no IS NOT NULL AS no, codes, detail FROM audit_log WHERE id > :last ORDER BY id;
-- the answer names its row
SET ROLE regress_verify_rail;
SELECT audit_id AS one FROM verify_permit(:'token', 'rail') \gset
RESET ROLE;
SELECT event, verdict, credential_no = :'no' AS no FROM audit_log WHERE id = :one;

-- one question of one statement is one row; another question, another statement, or a row that was rolled back is not
SELECT max(id) AS last FROM audit_log \gset
SET ROLE regress_verify_rail;
SELECT (verify_permit(p, 'rail')).verdict, (verify_permit(p, 'rail')).audit_id IS NOT NULL AS audited FROM unnest(ARRAY[:'token', :'no', 'x']) p;
SELECT (verify_permit(:'token', 'rail')).verdict, (verify_permit(:'token', 'border')).verdict;
BEGIN;
SELECT verdict FROM verify_permit(:'token', 'rail');
SELECT verdict FROM verify_permit(:'token', 'rail');
COMMIT;
RESET ROLE;
SELECT count(*) AS rows FROM audit_log WHERE id > :last;
SELECT max(id) AS last FROM audit_log \gset
SET ROLE regress_verify_rail;
DO $$
DECLARE
    no text := (SELECT credential_no FROM epermit.permit LIMIT 1);
    first bigint;
BEGIN
    BEGIN
        first := (epermit.verify_permit(no, 'rail')).audit_id;
        RAISE division_by_zero;
    EXCEPTION WHEN division_by_zero THEN
        IF first = (epermit.verify_permit(no, 'rail')).audit_id THEN
            RAISE 'the answer names a row that is gone';
        END IF;
    END;
END $$;
RESET ROLE;
SELECT count(*) AS rows FROM audit_log WHERE id > :last;
-- the answer changes within one statement: both are written
SELECT max(id) AS last FROM audit_log \gset
CREATE FUNCTION public.check_revoke_check(no credential_no) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    a verdict;
    b verdict;
BEGIN
    SET LOCAL ROLE regress_verify_rail;
    a := (epermit.verify_permit(no::text, 'rail')).verdict;
    RESET ROLE;
    PERFORM epermit.suspend_permit(no, 'test');
    SET LOCAL ROLE regress_verify_rail;
    b := (epermit.verify_permit(no::text, 'rail')).verdict;
    RESET ROLE;
    RETURN a || ' ' || b;
END $$;
BEGIN;
SELECT public.check_revoke_check(:'no');
SELECT event, verdict FROM audit_log WHERE id > :last AND event = 'verify_permit' ORDER BY id;
ROLLBACK;
-- what cannot be written down is not answered
BEGIN READ ONLY;
SET LOCAL ROLE regress_verify_rail;
SELECT verdict FROM verify_permit(:'token', 'rail');
ROLLBACK;
-- offline nothing is written, so that a standby and a parallel worker can
BEGIN READ ONLY;
SELECT verdict, audit_id FROM verify_offline(:'token', 'rail');
ROLLBACK;
BEGIN;
SELECT count(set_config(name, 'on', true)) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
EXPLAIN (COSTS OFF) SELECT epermit.verify_offline(token::text, 'rail') FROM epermit.permit;
SELECT DISTINCT (epermit.verify_offline(token::text, 'rail')).verdict FROM epermit.permit;
ROLLBACK;

-- ---------------------------------------------------------------- what became of it

CREATE FUNCTION public.everywhere(token text, no text) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    SET LOCAL ROLE regress_verify_rail;
    result := concat_ws(', ', public.told(epermit.verify_permit(token, 'rail')), public.told(epermit.verify_permit(no, 'rail')), public.told(epermit.verify_offline(token, 'rail')));
    RESET ROLE;
    RETURN result;
END $$;
BEGIN;
SELECT suspend_permit(:'no', 'test') \g /dev/null
SELECT public.everywhere(:'token', :'no');
SELECT reinstate_permit(:'no', 'test') \g /dev/null
SELECT public.everywhere(:'token', :'no') LIKE 'valid ok%, valid ok%, valid ok%' AS reinstated;
ROLLBACK;
BEGIN;
SELECT revoke_permit(:'no', 'test') \g /dev/null
SELECT public.everywhere(:'token', :'no');
ROLLBACK;
BEGIN;
SELECT retire_signing_key(kid(:'token')) \g /dev/null
SELECT public.everywhere(:'token', :'no') LIKE 'valid ok%, valid ok%, valid ok%' AS retired;
SELECT compromise_signing_key(kid(:'token'), 'test') \g /dev/null
SELECT public.everywhere(:'token', :'no') AS compromised;
ROLLBACK;

-- the number of a row whose token is another row's, as only the owner can make one
BEGIN;
ALTER TABLE permit DISABLE TRIGGER immutable;
UPDATE permit SET token = :'gone_token' WHERE credential_no = :'no';
SET LOCAL ROLE regress_verify_rail;
SELECT public.told(verify_permit(:'token', 'rail')) AS token, public.told(verify_permit(:'no', 'rail')) AS number, public.told(verify_permit(:'gone_token', 'rail')) AS other;
ROLLBACK;

\c :suite
DROP DATABASE epermit_verify;
DROP ROLE regress_verify_rail, regress_verify_air, regress_verify_hotel, regress_verify_stranger, regress_verify_nobody;
