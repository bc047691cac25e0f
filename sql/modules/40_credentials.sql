-- Permits and linkage results: the triggers that are their law, and the functions that
-- answer applications.

-- ---------------------------------------------------------------- the law (src/credential_trigger.c)

CREATE FUNCTION epermit.credential_insert() RETURNS trigger
    LANGUAGE C AS 'MODULE_PATHNAME', 'epermit_credential_insert';
COMMENT ON FUNCTION epermit.credential_insert() IS 'Trigger, with the argument permit or linkage: issues a row without a token, admits one that its token proves. TP001: no free slot in the month. TP003, TP004: no key to sign with. TP007: the row does not match its token. 23514: a document is expired, cancelled or not eligible. 23503: holder and document do not belong together.';

CREATE FUNCTION epermit.credential_delete() RETURNS trigger
    LANGUAGE C AS 'MODULE_PATHNAME', 'epermit_credential_delete';
COMMENT ON FUNCTION epermit.credential_delete() IS 'Trigger: a credential goes only when its month is over and its policy''s retention has passed (TP002 before that).';

CREATE FUNCTION epermit.credential_audit() RETURNS trigger
    LANGUAGE C AS 'MODULE_PATHNAME', 'epermit_credential_audit';
COMMENT ON FUNCTION epermit.credential_audit() IS 'Trigger, with the argument permit or linkage: audits the issue of a row that came without issue_permit or link_documents.';

-- They fire ALWAYS: neither session_replication_role nor a subscription gets around them.
DO $$
DECLARE
    tab name;
BEGIN
    FOREACH tab IN ARRAY ARRAY['permit', 'linkage']::name[]
    LOOP
        EXECUTE pg_catalog.format($sql$
            CREATE TRIGGER issue_or_admit BEFORE INSERT ON epermit.%1$I
                FOR EACH ROW EXECUTE FUNCTION epermit.credential_insert(%1$L);
            CREATE TRIGGER audit AFTER INSERT ON epermit.%1$I
                FOR EACH ROW EXECUTE FUNCTION epermit.credential_audit(%1$L);
            CREATE TRIGGER keep BEFORE DELETE ON epermit.%1$I
                FOR EACH ROW EXECUTE FUNCTION epermit.credential_delete();
            CREATE TRIGGER immutable BEFORE UPDATE ON epermit.%1$I
                FOR EACH ROW EXECUTE FUNCTION epermit.refuse_change();
            CREATE TRIGGER no_truncate BEFORE TRUNCATE ON epermit.%1$I
                FOR EACH STATEMENT EXECUTE FUNCTION epermit.refuse_change();
            ALTER TABLE epermit.%1$I
                ENABLE ALWAYS TRIGGER issue_or_admit, ENABLE ALWAYS TRIGGER audit, ENABLE ALWAYS TRIGGER keep,
                ENABLE ALWAYS TRIGGER immutable, ENABLE ALWAYS TRIGGER no_truncate;
            $sql$, tab);
    END LOOP;
END $$;

-- ---------------------------------------------------------------- applications (src/issue.c)

CREATE FUNCTION epermit.issue_permit(application jsonb) RETURNS epermit.issuance
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_issue_permit';
COMMENT ON FUNCTION epermit.issue_permit(jsonb) IS 'Answer an application for a temporary electronic travel permit. All values are text: document_kind, document_no, document_expiry, name, birth_date, mobile_no, reason, attestation, request_id, portrait_digest, lang; at a counter (role epermit_officer) also channel = counter, office, officer. Issued: problems is empty. Refused: every problem at once, by field and code. The same request_id gets the same permit again, without cost. A refusal is audited and committed; a fault (TP003, TP004) raises and consumes nothing. 42501: the role may not speak for this channel.';

CREATE FUNCTION epermit.check_application(application jsonb) RETURNS SETOF epermit.problem
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_check_application';
COMMENT ON FUNCTION epermit.check_application(jsonb) IS 'The problems that issue_permit would report for this application. Writes nothing, reserves nothing, counts no attempt.';

CREATE FUNCTION epermit.link_documents(application jsonb) RETURNS epermit.issuance
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_link_documents';
COMMENT ON FUNCTION epermit.link_documents(jsonb) IS 'Answer an application for a linkage result (do this travel permit and this residence permit belong to one person?). Fields as for issue_permit without reason, and residence_permit_no, residence_permit_expiry. Answers as issue_permit does; quota_used and quota_remaining are NULL.';

CREATE FUNCTION epermit.check_linkage(application jsonb) RETURNS SETOF epermit.problem
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_check_linkage';
COMMENT ON FUNCTION epermit.check_linkage(jsonb) IS 'The problems that link_documents would report for this application. Writes nothing, reserves nothing, counts no attempt.';

CREATE FUNCTION epermit.credential_token(credential_no epermit.credential_no) RETURNS epermit.token
    LANGUAGE C VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_credential_token';
COMMENT ON FUNCTION epermit.credential_token(epermit.credential_no) IS 'The signed token of a permit or linkage result: what the QR code shows. TP008: the calling transaction itself wrote the row and has not committed. 42704: no such credential.';

-- First day of the running month in Beijing, and the instant a month opens there.
CREATE FUNCTION epermit.beijing_month(instant timestamptz) RETURNS date
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.date_trunc('month', pg_catalog.timezone(interval '8 hours', instant))::pg_catalog.date;
COMMENT ON FUNCTION epermit.beijing_month(timestamptz) IS 'First day of the calendar month that an instant falls in, Beijing time (UTC+8).';

CREATE FUNCTION epermit.month_opens(month date) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.timezone(interval '8 hours', pg_catalog.date_trunc('month', month::pg_catalog.timestamp));
COMMENT ON FUNCTION epermit.month_opens(date) IS 'The instant at which a calendar month begins in Beijing (UTC+8).';

CREATE FUNCTION epermit.quota_status(document_no text, OUT month date, OUT quota int, OUT used int, OUT remaining int, OUT next_opening timestamptz)
    LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT m.month, q.monthly_quota::int, u.used, greatest(q.monthly_quota - u.used, 0),
           epermit.month_opens((m.month + interval '1 month')::date)
      FROM epermit.registered_holder($1) h (holder_id),
           LATERAL (SELECT epermit.beijing_month(clock_timestamp())) m (month),
           epermit.policy_in_force q,
           LATERAL (SELECT count(*)::int FROM epermit.permit p
                     WHERE p.holder_id = h.holder_id AND p.quota_month = m.month) u (used)
$$;
COMMENT ON FUNCTION epermit.quota_status(text) IS 'Permits of the holder of this travel permit in the running Beijing month: month (its first day), quota, used, remaining, and the instant the next month opens. P0002: the number is not registered. 22P02: no such number can be.';

CREATE FUNCTION epermit.active_permits(document_no text) RETURNS SETOF epermit.issuance
    LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.credential_no, p.issued_at, p.valid_until, p.clipped, p.purposes,
           u.used, greatest(q.monthly_quota - u.used, 0), '{}'::epermit.problem[]
      FROM epermit.registered_holder($1) h (holder_id)
      JOIN epermit.permit p ON p.holder_id = h.holder_id,
           epermit.policy_in_force q,
           LATERAL (SELECT count(*)::int FROM epermit.permit o
                     WHERE o.holder_id = p.holder_id AND o.quota_month = p.quota_month) u (used)
     WHERE p.valid_until > clock_timestamp()
       AND coalesce((SELECT e.status FROM epermit.credential_event e
                      WHERE e.credential_no OPERATOR(epermit.=) p.credential_no
                      ORDER BY e.event_no DESC LIMIT 1), 'valid') <> 'revoked'
     ORDER BY p.issued_at
$$;
COMMENT ON FUNCTION epermit.active_permits(text) IS 'Permits of the holder of this travel permit that have neither ended nor been revoked, oldest first: to show one again. P0002: the number is not registered. 22P02: no such number can be.';

-- ---------------------------------------------------------------- real-person check (src/attestation.c)

CREATE FUNCTION epermit.attest(document_no text, portrait_digest bytea DEFAULT NULL) RETURNS text
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_attest';
COMMENT ON FUNCTION epermit.attest(text, bytea) IS 'Sign, with the local attestation key, that a live person proved to be the holder of this travel permit: text to pass as an application''s attestation, good once and for the policy''s attestation_max_age (10 minutes at most). portrait_digest: SHA-256, 32 bytes. 22P02, 22023, TP003, TP004.';
