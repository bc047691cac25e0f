-- Signing keys: one that signs per usage, a state that goes one way only, a row that cannot lie
-- about its key, strict import, and what PUBLIC and a keeper may do.
--
-- In a database of its own, so that no other test's keys are about.  The known key is that
-- of RFC 8032 test 1 and RFC 8037 appendix A.

CREATE DATABASE epermit_keys TEMPLATE template0 ENCODING 'UTF8';
\set suite :DBNAME
\c epermit_keys
SET client_min_messages = warning;     -- a master key file may be made or not
CREATE EXTENSION epermit;
SET search_path = public, epermit;

CREATE FUNCTION public.error(statement text) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    -- the server's own detail of a failed check shows the row
    RETURN concat_ws(' / ', SQLSTATE, SQLERRM, CASE WHEN SQLSTATE !~ '^23' THEN nullif(detail, '') END);
END $$;

-- a kid is a thumbprint that anybody computes
\set x '\'\\xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\''
SELECT key_id(:x), key_id(:x) = '\x866eefbd6718c884' AS as_computed_elsewhere;
SELECT public.error($$SELECT epermit.key_id('\x00')$$);

-- only points that Ed25519 keys can be
SELECT what, public_key_valid(point)
  FROM (VALUES
    ('RFC 8032 test 1', :x::bytea),
    ('identity', '\x0100000000000000000000000000000000000000000000000000000000000000'),
    ('order 2', '\xecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'),
    ('order 4', '\x0000000000000000000000000000000000000000000000000000000000000000'),
    ('order 8', '\x26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
    ('not canonical', '\xeeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'),
    ('outside the main subgroup', '\x3b5b475c4b82dd1572799fc546f4c6c03e478c6654aa4c7f945b347ea32af60d'),
    ('off the curve', '\x0200000000000000000000000000000000000000000000000000000000000000')) AS v (what, point);

-- signature_valid, on a column
CREATE TABLE stored (token token, x bytea);
INSERT INTO stored VALUES ('NCFOXN%TSMAHO.JDSKCFUN5S EHBV5 E4RR5-T5L3569525N*9RRW5MZ59.PMNQM P9Q97KP2FCQRPA.39DO$%IXZ9:B0.BJHDV.45C8C0HT.BJEE2JA6RMCILBGG14328P6T206J06H0.L824F5I05QHBOAXATLTI886%+S9YH*2J75JD:61%BJ/VS M4/H$M8XL9%H0GJ4D+975SD1DI38QQ3--1G18R22O:912CS18Z-S4$N2GEVENN17VWGG2LIGKI42JHJ5A95G6/FVJN0T$BZJJ+%LPVFITK:C3$7I-W0FGW5/29:26S4KWIACPHTC05JPK95V9T9IXH9V$5:RPRDIZKSL1W1*FN31:9UI NN5L %6% BBH3XEW4F8XZQVN30OH:Y11HA1RORSEC279.P%RMO%1T-RDJNQL6G76 -7E2S4*TZ1B9$DC5IK:NSHRJPK*OAX70S*S/3', :x);
SELECT signature_valid(token, x) AS signer,
       signature_valid(token, '\x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c') AS somebody_else,
       signature_valid(token, decode(repeat('00', 32), 'hex')) AS small_order,
       signature_valid(token, decode(repeat('ff', 32), 'hex')) AS no_point
  FROM stored;
SELECT public.error('SELECT epermit.signature_valid(token, substr(x, 1, 31)) FROM stored');

-- without keys nothing is published and nothing is signed
SELECT jwks(), cose_keyset();
SELECT public.error('SELECT epermit.key_list()');
SELECT public.error($$SELECT epermit.rotate_signing_key('permit')$$);

-- one active key of our own per usage
CREATE TABLE made (n serial, kid bytea);
INSERT INTO made (kid) SELECT create_signing_key(u) FROM unnest(enum_range(NULL::key_usage)) u;
RESET client_min_messages;
SELECT public.error($$SELECT epermit.create_signing_key('permit')$$);
SELECT public.error('SELECT epermit.create_signing_key(NULL)');
SELECT n, usage, state, ours, retired_at, compromised_at FROM made JOIN signing_keys() USING (kid) ORDER BY n;
SELECT count(*) AS keys, bool_and(kid = key_id(public_key)) AS named_by_thumbprint,
       count(DISTINCT substr(sealed_seed, 1, 24)) AS nonces, min(octet_length(sealed_seed)) AS sealed
  FROM signing_key;

-- rotation: the old key verifies on, the new one signs
INSERT INTO made (kid) SELECT rotate_signing_key('permit');
SELECT n, usage, state, retired_at >= created_at AS retired FROM made JOIN signing_keys() USING (kid) WHERE usage = 'permit' ORDER BY n;

-- states go one way
SELECT regexp_replace(public.error(format('SELECT epermit.%s', call)), '[0-9a-f]{16}', '<kid>')
  FROM made, LATERAL (VALUES
    (1, format('retire_signing_key(%L)', kid)),                     -- retired already
    (1, format('compromise_signing_key(%L, NULL)', kid)),
    (1, format('compromise_signing_key(%L, '' '')', kid)),
    (1, format('compromise_signing_key(%L, ''copied from a backup'')', kid)),
    (1, format('compromise_signing_key(%L, ''again'')', kid)),
    (1, format('retire_signing_key(%L)', kid)),
    (1, 'retire_signing_key(''\x0102030405060708'')'),
    (1, 'retire_signing_key(NULL)'),
    (3, format('retire_signing_key(%L)', kid))) AS v (of, call)
 WHERE n = of;
SELECT n, usage, state, compromised_at >= retired_at AS in_order, reason FROM made JOIN signing_keys() USING (kid) ORDER BY n;

-- a usage without an active key gets one by create, not by rotate
SELECT public.error($$SELECT epermit.rotate_signing_key('status')$$);
INSERT INTO made (kid) SELECT create_signing_key('status');

-- published: our own keys that verify, active and retired
SELECT jsonb_array_length(jwks() -> 'keys') AS all_keys, jsonb_array_length(jwks('status') -> 'keys') AS status_keys;
SELECT DISTINCT key - '{kid,x,epermit_usage}'::text[] AS key, length(key ->> 'kid') AS kid, length(key ->> 'x') AS x
  FROM jsonb_array_elements(jwks() -> 'keys') AS key;
SELECT array_agg(DISTINCT key ->> 'epermit_usage') AS usages FROM jsonb_array_elements(jwks() -> 'keys') AS key;
CREATE FUNCTION public.unbase64url(text) RETURNS bytea
    LANGUAGE sql AS $$ SELECT decode(rpad(translate($1, '-_', '+/'), (length($1) + 3) / 4 * 4, '='), 'base64') $$;
SELECT array_agg(n ORDER BY n) AS published, bool_and(key_id(public.unbase64url(key ->> 'x')) = kid) AS kid_of_x
  FROM jsonb_array_elements(jwks() -> 'keys') AS key JOIN made ON kid = public.unbase64url(key ->> 'kid');
SELECT cose_keyset() = '\x86'::bytea || string_agg('\xa601010248'::bytea || kid || '\x03270481022006215820' || public_key, '' ORDER BY kid)
       AS as_the_wire_format_says
  FROM signing_key WHERE state <> 'compromised';

-- the list of keys is signed by the root key and names the compromised one
SELECT substr(key_list(), 1, 9) AS head, position((SELECT kid FROM made WHERE n = 5) IN key_list()) = 10 AS kid_of_root,
       (SELECT array_agg(n ORDER BY n) FROM made WHERE position(kid IN key_list()) > 0) AS listed;

-- what a transaction did is seen by it at once, and no longer once it is rolled back
BEGIN;
SELECT length(cose_keyset()) AS before;
SAVEPOINT s;
SELECT length(rotate_signing_key('permit')) AS kid;
SELECT length(cose_keyset()) AS within;
ROLLBACK TO s;
SELECT length(cose_keyset()) AS after_savepoint;
SELECT length(rotate_signing_key('permit')) AS kid;
SELECT length(cose_keyset()) AS within;
ROLLBACK;
SELECT length(cose_keyset()) AS after;

-- parallel workers read the keys too
SELECT cose_keyset() AS leader \gset
\c
SET search_path = public, epermit;
SELECT count(set_config(name, 'on', false)) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
EXPLAIN (COSTS OFF, VERBOSE) SELECT epermit.cose_keyset();
SELECT cose_keyset() = :'leader' AS same, jsonb_array_length(jwks() -> 'keys') AS keys;
\c
SET search_path = public, epermit;

-- import: another party's public key, for one usage
\set jwk '{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"hm7vvWcYyIQ","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'
-- a key whose set says what it signs is taken for nothing else
SELECT import_jwks(jsonb_build_object('keys', jsonb_build_array(:'jwk'::jsonb || '{"epermit_usage": "permit"}')), 'attestation') AS passed_over;
SELECT import_jwks(jsonb_build_object('keys', jsonb_build_array(:'jwk'::jsonb, :'jwk'::jsonb)), 'attestation') AS imported;
SELECT import_jwks(jsonb_build_object('keys', jsonb_build_array(:'jwk'::jsonb)), 'attestation') AS again;
SELECT import_jwks(jwks('linkage'), 'linkage') AS our_own;
SELECT import_jwks('{"keys":[]}', 'linkage') AS none;
SELECT kid, usage, state FROM signing_keys() WHERE NOT ours;
SELECT key_id(:x) = kid AS known, sealed_seed IS NULL AS public_only FROM signing_key WHERE usage = 'attestation' AND sealed_seed IS NULL;
-- beside our own active one; another party's is not ours to publish
SELECT count(*) FROM signing_keys() WHERE usage = 'attestation' AND state = 'active';
SELECT position(:x IN cose_keyset()) > 0 AS in_keyset, position('11qYAYKx' IN jwks()::text) > 0 AS in_jwks;

CREATE FUNCTION public.import_error(jwks jsonb, usage key_usage) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    PERFORM epermit.import_jwks(jwks, usage);
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' / ', SQLSTATE, SQLERRM, nullif(detail, ''));
END $$;
SELECT what, public.import_error(jsonb_build_object('keys', jsonb_build_array(:'jwk'::jsonb - minus::text[] || plus::jsonb)), 'attestation')
  FROM (VALUES
    ('nothing but what is needed', '{alg,use,kid}', '{}'),
    ('the new name of EdDSA', '{}', '{"alg":"Ed25519"}'),
    ('members nobody knows', '{}', '{"iat":1,"key_ops":["verify"]}'),
    ('a private key', '{}', '{"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}'),
    ('a private key, null', '{}', '{"d":null}'),
    ('RSA', '{}', '{"kty":"RSA"}'),
    ('no kty', '{kty}', '{}'),
    ('X25519', '{}', '{"crv":"X25519"}'),
    ('no crv', '{crv}', '{}'),
    ('ES256', '{}', '{"alg":"ES256"}'),
    ('alg null', '{}', '{"alg":null}'),
    ('for encryption', '{}', '{"use":"enc"}'),
    ('for signing', '{}', '{"key_ops":["sign"]}'),
    ('no x', '{x}', '{}'),
    ('x a number', '{}', '{"x":1}'),
    ('x short', '{}', '{"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR"}'),
    ('x padded', '{}', '{"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="}'),
    ('x in base64', '{}', '{"x":"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'),
    ('x followed by a newline', '{}', '{"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\n"}'),
    ('x with stray bits', '{}', '{"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp"}'),
    ('x of small order', '{kid}', '{"x":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}'),
    ('another kid', '{}', '{"kid":"1"}'),
    ('kid a number', '{}', '{"kid":1}')) AS v (what, minus, plus);
SELECT jwks, public.import_error(jwks::jsonb, 'linkage')
  FROM (VALUES ('{}'), ('[]'), ('"keys"'), ('null'), (NULL), ('{"keys":{}}'), ('{"keys":[1]}'), ('{"keys":[[]]}')) AS v (jwks);
SELECT public.import_error(jsonb_build_object('keys', jsonb_build_array(:'jwk'::jsonb)), 'permit') AS for_another_usage,
       public.import_error(jsonb_build_object('keys', jsonb_build_array(:'jwk'::jsonb)), NULL) AS for_none;
-- all or nothing
SELECT public.import_error(jsonb_build_object('keys', jsonb_build_array(
    '{"kty":"OKP","crv":"Ed25519","x":"PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"}'::jsonb, '{}'::jsonb)), 'permit');
SELECT count(*) FROM signing_keys() WHERE NOT ours;
-- trust withdrawn is not given back by an import
SELECT compromise_signing_key('\x866eefbd6718c884', 'the provider said so');
SELECT import_jwks(jsonb_build_object('keys', jsonb_build_array(:'jwk'::jsonb)), 'attestation') AS again;
SELECT usage, state, reason FROM signing_keys() WHERE NOT ours;

-- not even the owner makes a row lie, or go
SET client_min_messages = warning;     -- where TRUNCATE cascades to is not the point
SELECT what, public.error(format(statement, kid))
  FROM (SELECT kid FROM signing_keys() WHERE usage = 'permit' AND state = 'active') k,
       (VALUES
    (1, 'delete', 'DELETE FROM epermit.signing_key WHERE kid = %L'),
    (2, 'truncate', 'TRUNCATE epermit.signing_key CASCADE'),
    (3, 'public key', 'UPDATE epermit.signing_key SET public_key = sha256(kid) WHERE kid = %L'),
    (4, 'kid', 'UPDATE epermit.signing_key SET kid = ''\x0102030405060708'' WHERE kid = %L'),
    (5, 'usage', 'UPDATE epermit.signing_key SET usage = ''linkage'' WHERE kid = %L'),
    (6, 'created_at', 'UPDATE epermit.signing_key SET created_at = now() WHERE kid = %L'),
    (7, 'no longer ours', 'UPDATE epermit.signing_key SET sealed_seed = NULL WHERE kid = %L'),
    (8, 'seal cut', 'UPDATE epermit.signing_key SET sealed_seed = substr(sealed_seed, 2) WHERE kid = %L'),
    (9, 'retired without a date', 'UPDATE epermit.signing_key SET state = ''retired'' WHERE kid = %L'),
    (10, 'compromised without a date', 'UPDATE epermit.signing_key SET state = ''compromised'' WHERE kid = %L'),
    (11, 'back to active', 'UPDATE epermit.signing_key SET state = ''active'', retired_at = NULL WHERE state = ''retired'' AND %1$L IS NOT NULL'),
    (12, 'compromise undone', 'UPDATE epermit.signing_key SET state = ''active'', compromised_at = NULL WHERE state = ''compromised'' AND %1$L IS NOT NULL'),
    (13, 'compromise unsaid', 'UPDATE epermit.signing_key SET reason = ''mistake'' WHERE state = ''compromised'' AND %1$L IS NOT NULL'),
    (14, 'kid of another key', 'INSERT INTO epermit.signing_key (kid, usage, public_key) SELECT ''\x0102030405060708'', ''permit'', ''\x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'''),
    (15, 'small order', 'INSERT INTO epermit.signing_key (kid, usage, public_key) SELECT epermit.key_id(p), ''permit'', p FROM decode(repeat(''00'', 32), ''hex'') p'),
    (16, 'a second active', 'INSERT INTO epermit.signing_key (kid, usage, public_key, sealed_seed) SELECT epermit.key_id(public_key), ''permit'', public_key, sealed_seed FROM epermit.generate_key_pair()')) AS v (n, what, statement)
 ORDER BY n;
RESET client_min_messages;

-- what a compromised key leaves void, and nothing else
SELECT register_holder('H40000001', '2099-12-31', '陳大文', 'CHAN TAI MAN', '1980-01-02', 'male', 'HKG') AS holder \gset
SELECT register_residence_permit(:holder, '81000019800102001X', '2099-12-31');
INSERT INTO permit (holder_id, travel_permit_no, reason, request_id) VALUES (:holder, 'H40000001', 'lost', gen_random_uuid());
INSERT INTO linkage (holder_id, travel_permit_no, residence_permit_no, request_id) VALUES (:holder, 'H40000001', '81000019800102001X', gen_random_uuid());
SELECT length(rotate_signing_key('permit')) AS kid;
INSERT INTO permit (holder_id, travel_permit_no, reason, request_id) VALUES (:holder, 'H40000001', 'lost', gen_random_uuid());
SELECT quota_slot, kid = (SELECT kid FROM signing_keys() WHERE usage = 'permit' AND state = 'active') AS active_key,
       credential_no IN (SELECT credentials_to_reissue(kid)) AS listed, (SELECT count(*) FROM credentials_to_reissue(kid)) AS by_that_key
  FROM permit ORDER BY quota_slot;
SELECT credential_no = (SELECT credentials_to_reissue(kid)) AS listed FROM linkage;

-- settings: in the server's configuration only, and not for everybody's eyes
CREATE ROLE regress_epermit_keeper IN ROLE epermit_keeper;
CREATE ROLE regress_epermit_nobody;
SELECT public.error($$SET epermit.master_key_file = 'x'$$);
SELECT public.error($$SET epermit.master_key_command = 'x'$$);
SELECT public.error($$SET epermit.master_key_old_file = 'x'$$);
SET ROLE regress_epermit_keeper;
SELECT name, left(public.error('SHOW ' || name), 5)
  FROM unnest('{epermit.master_key_file,epermit.master_key_command,epermit.master_key_old_file}'::text[]) AS name;

-- a keeper has functions, not the table; PUBLIC has what is public
SELECT length(rotate_signing_key('permit')) AS kid, jsonb_array_length(jwks() -> 'keys') AS keys, count(*) FROM signing_keys();
SELECT public.error('SELECT FROM epermit.signing_key');
SELECT public.error('SELECT epermit.generate_key_pair()');
SELECT public.error($$SELECT epermit.add_signing_key('permit')$$);
SELECT public.error($$SELECT epermit.end_signing_key(NULL, 'retired', NULL)$$);
SELECT public.error($$SELECT epermit.reseal_seed('', '')$$);
SELECT public.error('SELECT epermit.master_key_place()');
SET ROLE regress_epermit_nobody;
SELECT jsonb_array_length(jwks() -> 'keys') AS keys, length(cose_keyset()) > 0 AS keyset, length(key_list()) > 0 AS list, key_id(:x);
SELECT proname AS executable
  FROM pg_proc
 WHERE pronamespace = 'epermit'::regnamespace AND proname ~ 'key|jwks|seed|reissue' AND has_function_privilege(oid, 'EXECUTE')
 ORDER BY proname COLLATE "C";
RESET ROLE;

-- every step left a trace
SELECT login_role = current_user AS login_role, replace(calling_role, current_user, 'me') AS calling_role, detail ->> 'action' AS action, detail ->> 'usage' AS usage,
       detail ? 'replaces' AS replaces, length(detail ->> 'kid') AS kid
  FROM audit_log WHERE event = 'key' ORDER BY id;

\c :suite
DROP DATABASE epermit_keys;
DROP ROLE regress_epermit_keeper, regress_epermit_nobody;
