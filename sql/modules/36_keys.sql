-- Signing keys: made, rotated, retired, imported, published.  Seeds are sealed in C
-- (src/keys.c); what stands here is who may do what when, and the trail of it.

-- ---------------------------------------------------------------- what a row may be

CREATE FUNCTION epermit.key_id(public_key bytea) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_key_id';
COMMENT ON FUNCTION epermit.key_id(bytea) IS 'kid of a 32-byte Ed25519 public key: first 8 bytes of its RFC 9679 SHA-256 thumbprint. 22023: wrong length.';

CREATE FUNCTION epermit.public_key_valid(public_key bytea) RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_public_key_valid';
COMMENT ON FUNCTION epermit.public_key_valid(bytea) IS 'Is this a canonical point of Ed25519''s main subgroup, not of small order? 22023: wrong length.';

-- A row cannot lie about its key, whoever wrote it.
ALTER TABLE epermit.signing_key
    ADD CONSTRAINT signing_key_kid_is_thumbprint CHECK (kid = epermit.key_id(public_key)),
    ADD CONSTRAINT signing_key_public_key_valid CHECK (epermit.public_key_valid(public_key)),
    ADD CONSTRAINT signing_key_sealed_seed_length CHECK (octet_length(sealed_seed) = 72),
    ADD CONSTRAINT signing_key_retired_at CHECK (CASE state WHEN 'active' THEN retired_at IS NULL WHEN 'retired' THEN retired_at IS NOT NULL ELSE true END),
    ADD CONSTRAINT signing_key_compromised_at CHECK ((state = 'compromised') = (compromised_at IS NOT NULL));

CREATE FUNCTION epermit.guard_signing_key() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'signing keys are never deleted'
            USING ERRCODE = 'TP002',
                  DETAIL = 'Credentials name the key that signed them.',
                  HINT = 'Retire the key, or declare it compromised.';
    END IF;
    IF (NEW.kid, NEW.usage, NEW.algorithm, NEW.public_key, NEW.created_at)
       IS DISTINCT FROM (OLD.kid, OLD.usage, OLD.algorithm, OLD.public_key, OLD.created_at)
       OR (NEW.sealed_seed IS NULL) <> (OLD.sealed_seed IS NULL)
    THEN
        RAISE EXCEPTION 'a signing key does not change'
            USING ERRCODE = 'TP002',
                  DETAIL = 'Only its state and the seal around its seed do.';
    END IF;
    IF (NEW.state <> OLD.state
        AND (OLD.state, NEW.state) NOT IN (('active', 'retired'), ('active', 'compromised'), ('retired', 'compromised')))
       OR (OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at)
       OR (OLD.compromised_at IS NOT NULL AND (NEW.compromised_at, NEW.reason) IS DISTINCT FROM (OLD.compromised_at, OLD.reason))
    THEN
        RAISE EXCEPTION 'the state of a signing key goes one way only'
            USING ERRCODE = 'TP002',
                  DETAIL = 'From active it may become retired or compromised, from retired compromised; the dates stay.';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION epermit.guard_signing_key() IS 'Trigger: keys are never deleted, never changed, and their state goes one way only (TP002).';

CREATE TRIGGER guard_rows BEFORE UPDATE OR DELETE ON epermit.signing_key
    FOR EACH ROW EXECUTE FUNCTION epermit.guard_signing_key();
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON epermit.signing_key
    FOR EACH STATEMENT EXECUTE FUNCTION epermit.guard_signing_key();

-- For each row and always: a logical replication worker fires no others.
CREATE TRIGGER invalidate_cache AFTER INSERT OR UPDATE OR DELETE ON epermit.signing_key
    FOR EACH ROW EXECUTE FUNCTION epermit.invalidate_cache();
ALTER TABLE epermit.signing_key
    ENABLE ALWAYS TRIGGER guard_rows,
    ENABLE ALWAYS TRIGGER guard_truncate,
    ENABLE ALWAYS TRIGGER invalidate_cache;

-- ---------------------------------------------------------------- seeds, for the owner only

CREATE FUNCTION epermit.generate_key_pair(OUT public_key bytea, OUT sealed_seed bytea)
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'epermit_generate_key_pair';
COMMENT ON FUNCTION epermit.generate_key_pair() IS 'A new Ed25519 key, its seed sealed under the master key in force: 24 bytes of nonce, 48 of XChaCha20-Poly1305 ciphertext. Makes a master key file in the data directory where no setting names one and no seed is sealed yet. TP004: no master key.';

CREATE FUNCTION epermit.reseal_seed(public_key bytea, sealed_seed bytea) RETURNS bytea
LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'epermit_reseal_seed';
COMMENT ON FUNCTION epermit.reseal_seed(bytea, bytea) IS 'The seed sealed under the master key in force; unchanged where it is already, NULL where it opens neither under that nor under epermit.master_key_old_file. TP004: no master key.';

CREATE FUNCTION epermit.master_key_place() RETURNS text
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'epermit_master_key_place';
COMMENT ON FUNCTION epermit.master_key_place() IS 'Where the master key comes from: file, command, generated (in the data directory: not fit for production) or missing. Does not run the command.';

-- NULL where the usage has an active key already.
CREATE FUNCTION epermit.add_signing_key(usage epermit.key_usage) RETURNS bytea
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO epermit.signing_key (kid, usage, public_key, sealed_seed)
    SELECT epermit.key_id(p.public_key), $1, p.public_key, p.sealed_seed
      FROM epermit.generate_key_pair() p
    ON CONFLICT (usage) WHERE state = 'active' AND sealed_seed IS NOT NULL DO NOTHING
    RETURNING kid
$$;
COMMENT ON FUNCTION epermit.add_signing_key(epermit.key_usage) IS 'Make and store an active key; its kid, or NULL where the usage has one already.';

-- ---------------------------------------------------------------- administration (epermit_keeper)

CREATE FUNCTION epermit.create_signing_key(usage epermit.key_usage) RETURNS bytea
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    new_kid bytea;
BEGIN
    IF usage IS NULL THEN
        RAISE EXCEPTION 'a usage is required' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    new_kid := epermit.add_signing_key(usage);
    IF new_kid IS NULL THEN
        RAISE EXCEPTION 'there is an active % key already', usage
            USING ERRCODE = 'duplicate_object',
                  HINT = format('epermit.rotate_signing_key(%L) replaces it.', usage);
    END IF;
    PERFORM epermit.audit_event('key', jsonb_build_object('action', 'create', 'kid', encode(new_kid, 'hex'), 'usage', usage));
    RETURN new_kid;
END $$;
COMMENT ON FUNCTION epermit.create_signing_key(epermit.key_usage) IS 'Make the first key of a usage; returns its kid. 42710: there is an active one (rotate it). TP004: no master key.';

CREATE FUNCTION epermit.rotate_signing_key(usage epermit.key_usage) RETURNS bytea
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old_kid bytea;
    new_kid bytea;
BEGIN
    -- Two rotations at once come one after the other; readers and issuers go on.
    LOCK TABLE epermit.signing_key IN SHARE ROW EXCLUSIVE MODE;
    UPDATE epermit.signing_key k SET state = 'retired', retired_at = clock_timestamp()
     WHERE k.usage = rotate_signing_key.usage AND k.state = 'active' AND k.sealed_seed IS NOT NULL
    RETURNING k.kid INTO old_kid;
    IF old_kid IS NULL THEN
        RAISE EXCEPTION 'there is no active % key to replace', usage
            USING ERRCODE = 'TP003',
                  HINT = format('epermit.create_signing_key(%L) makes the first.', usage);
    END IF;
    new_kid := epermit.add_signing_key(usage);
    PERFORM epermit.audit_event('key', jsonb_build_object('action', 'rotate', 'kid', encode(new_kid, 'hex'), 'usage', usage,
                                                          'replaces', encode(old_kid, 'hex')));
    RETURN new_kid;
END $$;
COMMENT ON FUNCTION epermit.rotate_signing_key(epermit.key_usage) IS 'Replace the active key of a usage: the old one signs nothing more but verifies on; returns the new kid. Verifiers must have the new public key before it signs what they check. TP003: there is none. TP004: no master key.';

CREATE FUNCTION epermit.end_signing_key(kid bytea, new_state text, reason text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    k epermit.signing_key;
BEGIN
    SELECT * INTO k FROM epermit.signing_key s WHERE s.kid = end_signing_key.kid FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no signing key %', coalesce(encode(kid, 'hex'), 'NULL') USING ERRCODE = 'undefined_object';
    END IF;
    IF k.state = new_state OR k.state = 'compromised' THEN
        RAISE EXCEPTION 'signing key % is % already', encode(kid, 'hex'), k.state USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF new_state = 'retired' THEN
        UPDATE epermit.signing_key s SET state = new_state, retired_at = clock_timestamp() WHERE s.kid = k.kid;
    ELSE
        UPDATE epermit.signing_key s SET state = new_state, compromised_at = clock_timestamp(), reason = end_signing_key.reason
         WHERE s.kid = k.kid;
    END IF;
    PERFORM epermit.audit_event('key', jsonb_build_object('action', CASE new_state WHEN 'retired' THEN 'retire' ELSE 'compromise' END,
                                                          'kid', encode(k.kid, 'hex'), 'usage', k.usage));
    IF k.state = 'active' AND k.sealed_seed IS NOT NULL THEN
        RAISE NOTICE 'there is no active % key now', k.usage
            USING HINT = format('epermit.create_signing_key(%L) makes one.', k.usage);
    END IF;
END $$;
COMMENT ON FUNCTION epermit.end_signing_key(bytea, text, text) IS 'Common part of retire_signing_key and compromise_signing_key.';

CREATE FUNCTION epermit.retire_signing_key(kid bytea) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM epermit.end_signing_key(kid, 'retired', NULL);
END $$;
COMMENT ON FUNCTION epermit.retire_signing_key(bytea) IS 'The key signs nothing more; what it signed verifies on. 42704: no such key. 55000: it is not active.';

CREATE FUNCTION epermit.compromise_signing_key(kid bytea, reason text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(btrim(reason), '') = '' THEN
        RAISE EXCEPTION 'a reason is required' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM epermit.end_signing_key(kid, 'compromised', reason);
END $$;
COMMENT ON FUNCTION epermit.compromise_signing_key(bytea, text) IS 'The key is in wrong hands: from commit on nothing it ever signed verifies, and there is no way back. credentials_to_reissue() lists what it leaves void. 42704: no such key. 55000: compromised already. 22023: no reason.';

CREATE FUNCTION epermit.credentials_to_reissue(kid bytea) RETURNS SETOF epermit.credential_no
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.credential_no FROM epermit.permit p WHERE p.kid = $1 AND p.valid_until > clock_timestamp()
    UNION ALL
    SELECT l.credential_no FROM epermit.linkage l WHERE l.kid = $1 AND l.valid_until > clock_timestamp()
$$;
COMMENT ON FUNCTION epermit.credentials_to_reissue(bytea) IS 'Unexpired permits and linkage results that a key signed. Reads both tables whole.';

CREATE FUNCTION epermit.signing_keys(OUT kid bytea, OUT usage epermit.key_usage, OUT state text, OUT ours boolean,
                                     OUT created_at timestamptz, OUT retired_at timestamptz, OUT compromised_at timestamptz, OUT reason text)
RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT k.kid, k.usage, k.state, k.sealed_seed IS NOT NULL, k.created_at, k.retired_at, k.compromised_at, k.reason
      FROM epermit.signing_key k ORDER BY k.usage, k.created_at, k.kid
$$;
COMMENT ON FUNCTION epermit.signing_keys() IS 'All keys, our own and imported ones, without their seeds.';

CREATE FUNCTION epermit.reseal_keys() RETURNS int
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    k epermit.signing_key;
    sealed bytea;
    resealed int := 0;
BEGIN
    LOCK TABLE epermit.signing_key IN SHARE ROW EXCLUSIVE MODE;
    FOR k IN SELECT * FROM epermit.signing_key s WHERE s.sealed_seed IS NOT NULL ORDER BY s.kid
    LOOP
        sealed := epermit.reseal_seed(k.public_key, k.sealed_seed);
        IF sealed IS NULL AND k.state = 'active' THEN
            RAISE EXCEPTION 'the seed of the active % key opens under neither master key', k.usage
                USING ERRCODE = 'TP004',
                      HINT = 'Name the file of the former master key in epermit.master_key_old_file and reload; where it is lost, run epermit.rotate_signing_key().';
        ELSIF sealed IS NULL THEN
            RAISE WARNING 'the seed of % % key % opens under neither master key', k.state, k.usage, encode(k.kid, 'hex')
                USING DETAIL = 'It signs nothing more, so this is no loss.';
        ELSIF sealed <> k.sealed_seed THEN
            UPDATE epermit.signing_key s SET sealed_seed = sealed WHERE s.kid = k.kid;
            PERFORM epermit.audit_event('key', jsonb_build_object('action', 'reseal', 'kid', encode(k.kid, 'hex'), 'usage', k.usage));
            resealed := resealed + 1;
        END IF;
    END LOOP;
    RETURN resealed;
END $$;
COMMENT ON FUNCTION epermit.reseal_keys() IS 'After a change of the master key: seal every seed that opens only under epermit.master_key_old_file under the key in force; returns how many. TP004: no master key, or an active key opens under neither.';

-- ---------------------------------------------------------------- publication

CREATE FUNCTION epermit.jwks(usage epermit.key_usage) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('keys', coalesce(
               jsonb_agg(jsonb_build_object('kty', 'OKP', 'crv', 'Ed25519', 'alg', 'EdDSA', 'use', 'sig', 'epermit_usage', k.usage,
                                            'kid', translate(encode(k.kid, 'base64'), '+/=', '-_'),
                                            'x', translate(encode(k.public_key, 'base64'), '+/=', '-_'))
                         ORDER BY k.usage, k.created_at, k.kid)
                         FILTER (WHERE k.state <> 'compromised'),
               '[]'))
           || CASE WHEN bool_or(k.state = 'compromised') THEN
                  jsonb_build_object('epermit_compromised',
                      jsonb_agg(translate(encode(k.kid, 'base64'), '+/=', '-_') ORDER BY k.kid)
                      FILTER (WHERE k.state = 'compromised'))
              ELSE '{}' END
      FROM epermit.signing_key k
     WHERE k.sealed_seed IS NOT NULL AND ($1 IS NULL OR k.usage = $1)
$$;
COMMENT ON FUNCTION epermit.jwks(epermit.key_usage) IS 'Our own public keys that verify (active and retired) as a JSON Web Key Set, RFC 7517 and 8037; of one usage where one is given. The member epermit_usage says what a key signs, so that import_jwks() elsewhere takes each for that only; epermit_compromised lists the kids of keys that are trusted no more.';

CREATE FUNCTION epermit.jwks() RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT epermit.jwks(NULL)
$$;
COMMENT ON FUNCTION epermit.jwks() IS 'jwks(NULL): the keys of every usage.';

CREATE FUNCTION epermit.cose_keyset() RETURNS bytea
LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_cose_keyset';
COMMENT ON FUNCTION epermit.cose_keyset() IS 'The same keys as a COSE_KeySet, RFC 9052 section 7: deterministic CBOR, ascending by kid.';

CREATE FUNCTION epermit.key_list() RETURNS bytea
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'epermit_key_list';
COMMENT ON FUNCTION epermit.key_list() IS 'The state of every key of ours, compromised ones too, as a COSE_Sign1 of the root key, valid for 24 hours; CDDL in src/key_list.c. TP003: no root key. TP004: no master key.';

CREATE FUNCTION epermit.import_jwks(jwks jsonb, usage epermit.key_usage) RETURNS int
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    jwk jsonb;
    n bigint;
    fault text;
    public_key bytea;
    new_kid bytea;
    known_usage epermit.key_usage;
    imported int := 0;
BEGIN
    IF usage IS NULL THEN
        RAISE EXCEPTION 'a usage is required' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF jsonb_typeof(jwks -> 'keys') IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION 'not a JSON Web Key Set'
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'It is an object whose member "keys" is an array (RFC 7517).';
    END IF;

    FOR jwk, n IN SELECT e.value, e.ordinality FROM jsonb_array_elements(jwks -> 'keys') WITH ORDINALITY e
    LOOP
        -- A set of epermit's says what each key signs; those for another usage are not asked for.
        CONTINUE WHEN jsonb_typeof(jwk) = 'object' AND jwk ->> 'epermit_usage' <> usage::text;

        fault := CASE
            WHEN jsonb_typeof(jwk) <> 'object' THEN 'is not an object'
            WHEN jwk ? 'd' THEN 'holds a private key ("d")'
            WHEN jwk -> 'kty' IS DISTINCT FROM '"OKP"' THEN 'is not of type ("kty") OKP'
            WHEN jwk -> 'crv' IS DISTINCT FROM '"Ed25519"' THEN 'is not on curve ("crv") Ed25519'
            WHEN jwk -> 'alg' NOT IN ('"EdDSA"', '"Ed25519"') THEN 'is for another algorithm ("alg") than EdDSA'
            WHEN jwk -> 'use' <> '"sig"' THEN 'is not for signatures ("use")'
            WHEN NOT jwk -> 'key_ops' @> '["verify"]' THEN 'is not for verifying ("key_ops")'
            WHEN jsonb_typeof(jwk -> 'x') IS DISTINCT FROM 'string' OR jwk ->> 'x' !~ '^[A-Za-z0-9_-]{43}$'
                THEN 'has no 32 bytes of base64url without padding as "x"'
        END;
        IF fault IS NULL THEN
            public_key := decode(translate(jwk ->> 'x', '-_', '+/') || '=', 'base64');
            new_kid := epermit.key_id(public_key);
            fault := CASE
                WHEN translate(encode(public_key, 'base64'), '+/=', '-_') <> jwk ->> 'x' THEN 'has stray bits at the end of "x"'
                WHEN NOT epermit.public_key_valid(public_key) THEN 'is no valid point of the curve'
                WHEN jwk -> 'kid' <> to_jsonb(translate(encode(new_kid, 'base64'), '+/=', '-_'))
                    THEN 'has another "kid" than the first 8 bytes of its RFC 9679 thumbprint'
            END;
        END IF;
        IF fault IS NOT NULL THEN
            RAISE EXCEPTION 'key % of the set cannot be imported', n
                USING ERRCODE = 'invalid_parameter_value',
                      DETAIL = format('It %s.', fault),
                      HINT = CASE WHEN jwk ? 'd' THEN 'A private key that has left its owner is compromised: have it replaced.'
                                  ELSE 'Nothing of the set was imported. Ask its owner for Ed25519 keys as RFC 8037 writes them.' END;
        END IF;

        INSERT INTO epermit.signing_key AS k (kid, usage, public_key) VALUES (new_kid, import_jwks.usage, public_key)
            ON CONFLICT ON CONSTRAINT signing_key_pkey DO NOTHING;
        IF FOUND THEN
            PERFORM epermit.audit_event('key', jsonb_build_object('action', 'import', 'kid', encode(new_kid, 'hex'), 'usage', usage));
            imported := imported + 1;
        ELSE
            SELECT k.usage INTO STRICT known_usage FROM epermit.signing_key k WHERE k.kid = new_kid;
            IF known_usage <> usage THEN
                RAISE EXCEPTION 'key % of the set is known with another usage', n
                    USING ERRCODE = 'duplicate_object',
                          DETAIL = format('It serves %s, and a key serves one usage.', known_usage),
                          HINT = format('Let its owner publish epermit.jwks(%L).', usage);
            END IF;
        END IF;
    END LOOP;
    -- What its owner trusts no more is trusted no more here either. There is no way back, so a set that is older says nothing new.
    FOR new_kid IN
        UPDATE epermit.signing_key k
           SET state = 'compromised', compromised_at = clock_timestamp(), reason = 'declared in a key set'
          FROM jsonb_array_elements_text(CASE jsonb_typeof(jwks -> 'epermit_compromised') WHEN 'array' THEN jwks -> 'epermit_compromised' ELSE '[]' END) c (kid)
         WHERE translate(encode(k.kid, 'base64'), '+/=', '-_') = c.kid
           AND k.sealed_seed IS NULL AND k.usage = import_jwks.usage AND k.state <> 'compromised'
        RETURNING k.kid
    LOOP
        PERFORM epermit.audit_event('key', jsonb_build_object('action', 'compromise', 'kid', encode(new_kid, 'hex'), 'usage', usage));
    END LOOP;
    RETURN imported;
END $$;
COMMENT ON FUNCTION epermit.import_jwks(jsonb, epermit.key_usage) IS 'Trust another party''s public keys for one usage; returns how many were new. Keys whose epermit_usage names another usage are passed over; those that epermit_compromised lists verify nothing from now on. All or nothing. 22023: a key of the set is unfit. 42710: it is known with another usage.';

CREATE FUNCTION epermit.read_key_list(list bytea, OUT kid bytea, OUT usage epermit.key_usage, OUT public_key bytea, OUT state text,
                                      OUT created_at timestamptz, OUT retired_at timestamptz, OUT compromised_at timestamptz)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'epermit_read_key_list';
COMMENT ON FUNCTION epermit.read_key_list(bytea) IS 'The keys of a signed key list. 22023: it is none, not signed by a root key that is trusted here, or expired.';

CREATE FUNCTION epermit.import_key_list(list bytea) RETURNS int
LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    theirs record;
    k epermit.signing_key;
    changed int := 0;
BEGIN
    FOR theirs IN SELECT * FROM epermit.read_key_list(list) ORDER BY kid
    LOOP
        SELECT * INTO k FROM epermit.signing_key s WHERE s.kid = theirs.kid FOR UPDATE;
        IF NOT FOUND THEN
            -- Whom to trust as root is decided here, not by a list.
            CONTINUE WHEN theirs.usage = 'root';
            INSERT INTO epermit.signing_key (kid, usage, public_key, state, created_at, retired_at, compromised_at)
            VALUES (theirs.kid, theirs.usage, theirs.public_key, theirs.state, theirs.created_at, theirs.retired_at, theirs.compromised_at);
        ELSIF k.usage <> theirs.usage THEN
            RAISE EXCEPTION 'signing key % is known with another usage', encode(k.kid, 'hex')
                USING ERRCODE = 'duplicate_object', DETAIL = format('It serves %s, and a key serves one usage.', k.usage);
        ELSIF k.sealed_seed IS NULL AND (k.state, theirs.state) IN (('active', 'retired'), ('active', 'compromised'), ('retired', 'compromised')) THEN
            UPDATE epermit.signing_key s
               SET state = theirs.state, retired_at = coalesce(s.retired_at, theirs.retired_at), compromised_at = theirs.compromised_at
             WHERE s.kid = theirs.kid;
        ELSE
            -- Nothing new: states go one way only, so an older list says nothing.
            CONTINUE;
        END IF;
        PERFORM epermit.audit_event('key', jsonb_build_object('action', 'import_list', 'kid', encode(theirs.kid, 'hex'),
                                                              'usage', theirs.usage, 'state', theirs.state));
        changed := changed + 1;
    END LOOP;
    RETURN changed;
END $$;
COMMENT ON FUNCTION epermit.import_key_list(bytea) IS 'Learn from another party''s key_list() which of its keys came, were retired or are compromised; returns how many changed. Its root key is imported first with import_jwks(jwks, ''root''), by a way that is trusted. 22023: not a list signed by such a key, or expired. 42710: a key is known with another usage.';

CREATE FUNCTION epermit.signature_valid(token epermit.token, public_key bytea) RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_signature_valid';
COMMENT ON FUNCTION epermit.signature_valid(epermit.token, bytea) IS 'Does the token''s signature hold under this 32-byte Ed25519 key? Says nothing of time, purpose or revocation. False for bytes that are no valid key; 22023: wrong length.';
