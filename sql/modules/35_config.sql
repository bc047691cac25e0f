-- Configuration: what keeps policy, purpose, issuer and department true to their word, and
-- every backend's cache of them (config.c) fresh.

CREATE FUNCTION epermit.invalidate_cache() RETURNS trigger
    LANGUAGE C AS 'MODULE_PATHNAME', 'epermit_invalidate_cache';
COMMENT ON FUNCTION epermit.invalidate_cache() IS 'Trigger: every backend drops what it cached of this table once the change commits.';

CREATE FUNCTION epermit.refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% on epermit.% is not allowed', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'TP002', DETAIL = 'Its rows never change.';
END $$;
COMMENT ON FUNCTION epermit.refuse_change() IS 'Trigger: TP002 for whatever it is fired by.';

-- Guards fire ALWAYS: session_replication_role does not switch them off. Caches are told row by row: a logical
-- replication worker fires no triggers of statements.
DO $$
DECLARE
    tab name;
BEGIN
    FOREACH tab IN ARRAY ARRAY['policy', 'purpose', 'issuer', 'department']::name[]
    LOOP
        EXECUTE pg_catalog.format($sql$
            CREATE TRIGGER invalidate_cache AFTER INSERT OR UPDATE OR DELETE ON epermit.%1$I
                FOR EACH ROW EXECUTE FUNCTION epermit.invalidate_cache();
            CREATE TRIGGER invalidate_cache_truncate AFTER TRUNCATE ON epermit.%1$I
                FOR EACH STATEMENT EXECUTE FUNCTION epermit.invalidate_cache();
            ALTER TABLE epermit.%1$I ENABLE ALWAYS TRIGGER invalidate_cache, ENABLE ALWAYS TRIGGER invalidate_cache_truncate;
            $sql$, tab);
    END LOOP;

    FOREACH tab IN ARRAY ARRAY['policy', 'purpose']::name[]
    LOOP
        EXECUTE pg_catalog.format($sql$
            CREATE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON epermit.%1$I
                FOR EACH STATEMENT EXECUTE FUNCTION epermit.refuse_change();
            ALTER TABLE epermit.%1$I ENABLE ALWAYS TRIGGER immutable;
            $sql$, tab);
    END LOOP;
END $$;

-- The issuer's one row is seeded and then made one's own: from then on it is the user's, to be
-- dumped, and a restore puts it in the place of the seeded one.  Tokens name the status list by its
-- URI, so once there is a list its base stays.
CREATE FUNCTION epermit.issuer_row() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.seeded := false;
    IF TG_OP = 'INSERT' THEN
        DELETE FROM epermit.issuer WHERE seeded;
    ELSIF NEW.status_list_base <> OLD.status_list_base AND EXISTS (SELECT FROM epermit.status_list) THEN
        RAISE EXCEPTION 'status_list_base does not change any more'
            USING ERRCODE = 'TP002', DETAIL = 'Tokens that were issued name their status list by it.';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION epermit.issuer_row() IS 'Trigger of issuer: marks the row as the user''s own. TP002: status_list_base changes though there are status lists.';

CREATE TRIGGER own_row BEFORE INSERT OR UPDATE ON epermit.issuer
    FOR EACH ROW EXECUTE FUNCTION epermit.issuer_row();

CREATE VIEW epermit.policy_in_force AS
    SELECT p.* FROM epermit.policy p WHERE p.effective_from <= pg_catalog.clock_timestamp()
     ORDER BY p.effective_from DESC LIMIT 1;
COMMENT ON VIEW epermit.policy_in_force IS 'The policy in force at this moment.';

-- ---------------------------------------------------------------- administration

CREATE FUNCTION epermit.refuse_value(field text, rule text, explanation text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'invalid value for field "%"', field
        USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Rule %s: %s.', rule, explanation);
END $$;
COMMENT ON FUNCTION epermit.refuse_value(text, text, text) IS 'Raise 22023 that names a field and the rule its value breaks, never the value.';

CREATE FUNCTION epermit.set_policy(effective_from timestamptz, changes jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    starts timestamptz := effective_from;
    rules  epermit.policy;
    field  text;
    value  jsonb;
    codes  text[];
BEGIN
    IF starts IS NULL OR NOT isfinite(starts) THEN
        PERFORM epermit.refuse_value('effective_from', 'missing', 'a policy takes effect at an instant');
    END IF;
    IF starts < transaction_timestamp() THEN
        PERFORM epermit.refuse_value('effective_from', 'past', 'what was issued stays as it is');
    END IF;
    IF jsonb_typeof(changes) IS DISTINCT FROM 'object' THEN
        PERFORM epermit.refuse_value('changes', 'type', 'it is a JSON object of fields and their new values');
    END IF;

    -- One change after the other: each starts from what the one before it left.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'set_policy needs isolation level READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state', DETAIL = 'It must see the policy that it waited for.';
    END IF;
    LOCK TABLE epermit.policy IN SHARE ROW EXCLUSIVE MODE;
    SELECT p.* INTO STRICT rules FROM epermit.policy p WHERE p.effective_from < starts + interval '1 millisecond'
     ORDER BY p.effective_from DESC LIMIT 1;

    -- Rows never change, so what is said again for an instant follows it at once.
    starts := greatest(starts, rules.effective_from + interval '1 microsecond');

    FOR field, value IN SELECT * FROM jsonb_each(changes) LOOP
        IF field NOT IN ('monthly_quota', 'permit_days', 'linkage_days', 'validity_rule', 'permit_purposes',
                         'require_attestation', 'require_mobile', 'attestation_max_age', 'attempts_per_day',
                         'credential_retention', 'audit_retention')
        THEN
            PERFORM epermit.refuse_value(field, 'unknown', 'a policy has no such field');
        END IF;
        BEGIN
            rules := jsonb_populate_record(rules, jsonb_build_object(field, value));
        EXCEPTION WHEN data_exception THEN
            PERFORM epermit.refuse_value(field, 'type', 'the value cannot be read as one of this field');
        END;
        IF jsonb_typeof(value) = 'null' THEN
            PERFORM epermit.refuse_value(field, 'missing', 'it must not be null');
        END IF;
    END LOOP;

    IF rules.monthly_quota NOT BETWEEN 0 AND 15 THEN
        PERFORM epermit.refuse_value('monthly_quota', 'range', 'it is 0 to 15');
    END IF;
    IF rules.permit_days NOT BETWEEN 1 AND 366 THEN
        PERFORM epermit.refuse_value('permit_days', 'range', 'it is 1 to 366');
    END IF;
    IF rules.linkage_days NOT BETWEEN 1 AND 366 THEN
        PERFORM epermit.refuse_value('linkage_days', 'range', 'it is 1 to 366');
    END IF;
    IF rules.attestation_max_age <= '0' OR rules.attestation_max_age > '10 minutes' THEN
        PERFORM epermit.refuse_value('attestation_max_age', 'range', 'it is more than 0 and at most 10 minutes');
    END IF;
    IF rules.attempts_per_day < 1 THEN
        PERFORM epermit.refuse_value('attempts_per_day', 'range', 'it is at least 1');
    END IF;
    IF rules.credential_retention < '0' THEN
        PERFORM epermit.refuse_value('credential_retention', 'range', 'it is not negative');
    END IF;
    IF rules.audit_retention < '184 days' THEN
        PERFORM epermit.refuse_value('audit_retention', 'range', 'it is at least 184 days');
    END IF;
    SELECT array_agg(p.code ORDER BY p.bit) INTO codes
      FROM epermit.purpose p WHERE p.permit_may AND p.code = ANY (rules.permit_purposes);
    IF NOT rules.permit_purposes <@ COALESCE(codes, '{}') THEN
        PERFORM epermit.refuse_value('permit_purposes', 'purpose', 'each is a purpose that permits may serve');
    END IF;

    rules.effective_from := starts;
    rules.permit_purposes := COALESCE(codes, '{}');
    rules.seeded := false;
    INSERT INTO epermit.policy SELECT rules.*;
    PERFORM epermit.audit_event('policy', jsonb_build_object('action', 'set_policy', 'effective_from', starts, 'changes', changes));
END $$;
COMMENT ON FUNCTION epermit.set_policy(timestamptz, jsonb) IS 'From effective_from on (not before now()) the policy in force at that instant with these fields changed: monthly_quota, permit_days, linkage_days, validity_rule, permit_purposes, require_attestation, require_mobile, attestation_max_age, attempts_per_day, credential_retention, audit_retention. What was issued stays as it is. Said again for the same instant, it changes what was said before. 22023 names the field and the rule it breaks. 25000: not in READ COMMITTED.';

CREATE FUNCTION epermit.register_department(code text, name text, role name, purposes text[], disclosure text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    IF code IS NULL OR code !~ '^[a-z][a-z0-9_]{0,62}$' THEN
        PERFORM epermit.refuse_value('code', 'charset', 'it is a lower-case letter, then up to 62 lower-case letters, digits and underscores');
    END IF;
    IF COALESCE(btrim(name), '') = '' THEN
        PERFORM epermit.refuse_value('name', 'missing', 'a department has one');
    END IF;

    IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role) THEN
        PERFORM epermit.refuse_value('role', 'unknown', 'there is no such database role');
    END IF;
    IF role IN ('epermit_issuer', 'epermit_officer', 'epermit_registrar', 'epermit_verifier',
                'epermit_attestor', 'epermit_keeper', 'epermit_admin', 'epermit_auditor')
    THEN
        PERFORM epermit.refuse_value('role', 'group', 'whoever is in a group role could speak for the department');
    END IF;
    IF EXISTS (SELECT FROM epermit.department d WHERE d.role = role AND d.code <> code) THEN
        PERFORM epermit.refuse_value('role', 'taken', 'it is another department''s');
    END IF;

    IF 'border' = ANY (purposes) THEN
        PERFORM epermit.refuse_value('purposes', 'border', 'nothing issued here is valid for crossing the border');
    END IF;
    IF purposes IS NULL OR EXISTS (SELECT FROM unnest(purposes) u (code)
                                    WHERE NOT EXISTS (SELECT FROM epermit.purpose p WHERE p.code = u.code))
    THEN
        PERFORM epermit.refuse_value('purposes', 'unknown', 'each is one of epermit.purpose');
    END IF;
    -- What everybody is told may be named, and means nothing.
    disclosure := ARRAY(SELECT u.field FROM unnest(disclosure) u (field)
                         WHERE u.field <> ALL ('{ok,verdict,credential_no,valid_from,valid_until,audit_id,checked_at}'));
    IF NOT disclosure <@ ARRAY['holder_name', 'name_romanised', 'birth_date', 'document_kind',
                               'document_no', 'purposes', 'portrait_digest', 'name_match']
    THEN
        PERFORM epermit.refuse_value('disclosure', 'unknown', 'each is one of holder_name, name_romanised, birth_date, document_kind, document_no, purposes, portrait_digest, name_match');
    END IF;

    INSERT INTO epermit.department AS d (code, name, role, purposes, disclosure)
        VALUES (code, btrim(name), role, purposes, disclosure)
        ON CONFLICT ON CONSTRAINT department_pkey DO UPDATE
            SET name = EXCLUDED.name, role = EXCLUDED.role, purposes = EXCLUDED.purposes, disclosure = EXCLUDED.disclosure;
    IF NOT pg_has_role(role, 'epermit_verifier', 'MEMBER') THEN
        EXECUTE format('GRANT epermit_verifier TO %I', role);
    END IF;
    PERFORM epermit.audit_event('department', jsonb_build_object('action', 'register_department', 'code', code, 'role', role,
                                                                 'purposes', purposes, 'disclosure', disclosure));
END $$;
COMMENT ON FUNCTION epermit.register_department(text, text, name, text[], text[]) IS 'Make or change a department: the database role it calls as (which becomes a member of epermit_verifier), the purposes it may verify for, and the columns of verification it gets beyond verdict, number and validity: holder_name, name_romanised, birth_date, document_kind, document_no, purposes, portrait_digest, name_match. No purposes: it may verify nothing. 22023 names the field and the rule it breaks.';
