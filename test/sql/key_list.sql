-- A verifier that trusts an issuer's root key learns from its signed key lists which keys came, were
-- retired or are compromised.  Issuer and verifier are the same database one after the other.
SET client_min_messages = warning;

-- the issuer: more keys than a token's array may have entries
SELECT count(epermit.create_signing_key(u)) AS made FROM unnest(enum_range(NULL::epermit.key_usage)) AS u;
SELECT count(epermit.rotate_signing_key('permit')) AS rotated FROM generate_series(1, 40);
SELECT epermit.key_list() AS before, epermit.jwks('root') AS root, epermit.jwks('permit') AS permit \gset
SELECT epermit.compromise_signing_key(kid, 'test') FROM epermit.signing_key WHERE usage = 'linkage';
SELECT epermit.key_list() AS after \gset

-- the verifier
DROP EXTENSION epermit;
CREATE EXTENSION epermit;

-- nothing is believed before the root key is
SELECT epermit.import_key_list(:'before');
SELECT epermit.import_jwks(:'root', 'root') AS imported;
SELECT epermit.import_key_list(:'before') AS changed;
SELECT epermit.import_key_list(:'before') AS changed_again;
SELECT usage, state, count(*), bool_or(sealed_seed IS NOT NULL) AS ours FROM epermit.signing_key GROUP BY 1, 2 ORDER BY 1, 2;

-- a compromise arrives, and an older list does not undo it
SELECT epermit.import_key_list(:'after') AS changed;
SELECT epermit.import_key_list(:'before') AS undone;
SELECT state, compromised_at IS NOT NULL AS dated FROM epermit.signing_key WHERE usage = 'linkage';

-- what is no list, or another's, or altered
SELECT epermit.import_key_list('\x');
SELECT epermit.import_key_list('\x00');
SELECT epermit.import_key_list(set_byte(:'before'::bytea, 200, 255));
SELECT epermit.import_key_list(:'before'::bytea || '\x00');
SELECT count(epermit.create_signing_key(u)) AS made FROM unnest('{root,permit}'::epermit.key_usage[]) AS u;
SELECT event, detail ->> 'action' AS action, detail ->> 'state' AS state, count(*) FROM epermit.audit_log GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- a key that is known with another usage stops the whole list
DROP EXTENSION epermit;
CREATE EXTENSION epermit;
SELECT epermit.import_jwks(:'root', 'root') AS imported;
SELECT epermit.import_jwks(jsonb_set(:'permit'::jsonb, '{keys,0,epermit_usage}', '"status"'), 'status') AS as_another;
SELECT set_config('test.list', :'before', false) = :'before' AS set;
DO $$
BEGIN
    PERFORM epermit.import_key_list(current_setting('test.list')::bytea);
EXCEPTION WHEN duplicate_object THEN
    RAISE WARNING '%', regexp_replace(SQLERRM, '[0-9a-f]{16}', 'K');
END $$;

DROP EXTENSION epermit;
CREATE EXTENSION epermit;
