-- Audit: the log's partitions and guards, seals over it, proofs, import and retention.

-- ---------------------------------------------------------------- writing

CREATE FUNCTION epermit.audit_event(event text, detail jsonb) RETURNS bigint
    LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'epermit_audit_event';
COMMENT ON FUNCTION epermit.audit_event(text, jsonb) IS 'Write an audit event of the calling role and return its id; for administration functions of the extension. detail: no personal data.';

CREATE FUNCTION epermit.audit_change() RETURNS trigger
    LANGUAGE C AS 'MODULE_PATHNAME', 'epermit_audit_change';
COMMENT ON FUNCTION epermit.audit_change() IS 'AFTER STATEMENT trigger: audits, as the event it is given, a statement on the table itself. The extension''s functions run as its owner and audit for themselves.';

DO $$
DECLARE
    tab name;
BEGIN
    FOREACH tab IN ARRAY ARRAY['holder', 'travel_permit', 'residence_permit']::name[]
    LOOP
        EXECUTE pg_catalog.format($sql$
            CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON epermit.%1$I
                FOR EACH STATEMENT EXECUTE FUNCTION epermit.audit_change('registry');
            ALTER TABLE epermit.%1$I ENABLE ALWAYS TRIGGER audit;
            $sql$, tab);
    END LOOP;
END $$;
