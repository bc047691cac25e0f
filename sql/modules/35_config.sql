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

-- Guards fire ALWAYS: session_replication_role does not switch them off.
DO $$
DECLARE
    tab name;
BEGIN
    FOREACH tab IN ARRAY ARRAY['policy', 'purpose', 'issuer', 'department']::name[]
    LOOP
        EXECUTE pg_catalog.format($sql$
            CREATE TRIGGER invalidate_cache AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON epermit.%1$I
                FOR EACH STATEMENT EXECUTE FUNCTION epermit.invalidate_cache();
            ALTER TABLE epermit.%1$I ENABLE ALWAYS TRIGGER invalidate_cache;
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
-- dumped, and a restore puts it in the place of the seeded one.
CREATE FUNCTION epermit.issuer_row() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.seeded := false;
    IF TG_OP = 'INSERT' THEN
        DELETE FROM epermit.issuer WHERE seeded;
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION epermit.issuer_row() IS 'Trigger of issuer: marks the row as the user''s own.';

CREATE TRIGGER own_row BEFORE INSERT OR UPDATE ON epermit.issuer
    FOR EACH ROW EXECUTE FUNCTION epermit.issuer_row();
