-- Revocation (src/revoke.c): credentials revoked, suspended and reinstated, by somebody or because
-- their document was cancelled.  What happened is a row of credential_event.

-- ---------------------------------------------------------------- functions

CREATE FUNCTION epermit.revoke_permit(credential_no epermit.credential_no, reason text) RETURNS void
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_revoke_permit';
COMMENT ON FUNCTION epermit.revoke_permit(epermit.credential_no, text) IS 'End a permit at once and for ever; its slot of the month stays used. Audited. reason: 1 to 500 characters, kept with the event and not in the audit log. Revoking again changes nothing. 42704: no permit has this number. 22023: it is a linkage result''s, or no reason.';

CREATE FUNCTION epermit.revoke_linkage(credential_no epermit.credential_no, reason text) RETURNS void
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_revoke_linkage';
COMMENT ON FUNCTION epermit.revoke_linkage(epermit.credential_no, text) IS 'End a linkage result at once and for ever. Otherwise as revoke_permit.';

CREATE FUNCTION epermit.suspend_permit(credential_no epermit.credential_no, reason text) RETURNS void
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_suspend_permit';
COMMENT ON FUNCTION epermit.suspend_permit(epermit.credential_no, text) IS 'Make a permit invalid until it is reinstated; its end stays. Audited; reason and errors as revoke_permit. Suspending again changes nothing. 55000: it is revoked.';

CREATE FUNCTION epermit.suspend_linkage(credential_no epermit.credential_no, reason text) RETURNS void
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_suspend_linkage';
COMMENT ON FUNCTION epermit.suspend_linkage(epermit.credential_no, text) IS 'Make a linkage result invalid until it is reinstated. Otherwise as suspend_permit.';

CREATE FUNCTION epermit.reinstate_permit(credential_no epermit.credential_no, reason text) RETURNS void
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_reinstate_permit';
COMMENT ON FUNCTION epermit.reinstate_permit(epermit.credential_no, text) IS 'Undo the suspension of a permit. Audited; reason and errors as revoke_permit. Of one that is not suspended it changes nothing. 55000: it is revoked.';

CREATE FUNCTION epermit.reinstate_linkage(credential_no epermit.credential_no, reason text) RETURNS void
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_reinstate_linkage';
COMMENT ON FUNCTION epermit.reinstate_linkage(epermit.credential_no, text) IS 'Undo the suspension of a linkage result. Otherwise as reinstate_permit.';

-- ---------------------------------------------------------------- guards

CREATE FUNCTION epermit.credential_event_insert() RETURNS trigger
    LANGUAGE C AS 'MODULE_PATHNAME', 'epermit_credential_event_insert';
COMMENT ON FUNCTION epermit.credential_event_insert() IS 'Trigger: an event is of a credential that is here (23503), names its status list entry (TP007), and nothing follows a revocation (55000).';

CREATE FUNCTION epermit.credential_event_delete() RETURNS trigger
    LANGUAGE C AS 'MODULE_PATHNAME', 'epermit_credential_event_delete';
COMMENT ON FUNCTION epermit.credential_event_delete() IS 'Trigger: an event goes with its credential, not before (TP002).';

-- No foreign key: it would only repeat what the number says, and TRUNCATE would meet it before the
-- guards.  Not ALWAYS: a subscriber may have the events without the people's credentials.
CREATE TRIGGER consistent BEFORE INSERT ON epermit.credential_event
    FOR EACH ROW EXECUTE FUNCTION epermit.credential_event_insert();

CREATE TRIGGER keep BEFORE DELETE ON epermit.credential_event
    FOR EACH ROW EXECUTE FUNCTION epermit.credential_event_delete();
CREATE TRIGGER immutable BEFORE UPDATE ON epermit.credential_event
    FOR EACH ROW EXECUTE FUNCTION epermit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON epermit.credential_event
    FOR EACH STATEMENT EXECUTE FUNCTION epermit.refuse_change();
ALTER TABLE epermit.credential_event
    ENABLE ALWAYS TRIGGER keep, ENABLE ALWAYS TRIGGER immutable, ENABLE ALWAYS TRIGGER no_truncate;

CREATE FUNCTION epermit.forget_events() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM epermit.credential_event e WHERE e.credential_no OPERATOR(epermit.=) OLD.credential_no;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION epermit.forget_events() IS 'Trigger of permit and linkage: when retention lets a credential go, its events go too.';

CREATE TRIGGER forget_events AFTER DELETE ON epermit.permit
    FOR EACH ROW EXECUTE FUNCTION epermit.forget_events();
CREATE TRIGGER forget_events AFTER DELETE ON epermit.linkage
    FOR EACH ROW EXECUTE FUNCTION epermit.forget_events();

-- ---------------------------------------------------------------- cancelled documents

CREATE FUNCTION epermit.document_cancelled() RETURNS trigger
    LANGUAGE C SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_document_cancelled';
COMMENT ON FUNCTION epermit.document_cancelled() IS 'Trigger of travel_permit and residence_permit: revokes every unexpired credential that rests on a document that was cancelled.';

-- Not ALWAYS: a subscriber gets the events themselves.
CREATE TRIGGER cancelled AFTER UPDATE ON epermit.travel_permit
    FOR EACH ROW WHEN (OLD.status <> 'cancelled' AND NEW.status = 'cancelled')
    EXECUTE FUNCTION epermit.document_cancelled();
CREATE TRIGGER cancelled AFTER UPDATE ON epermit.residence_permit
    FOR EACH ROW WHEN (OLD.status <> 'cancelled' AND NEW.status = 'cancelled')
    EXECUTE FUNCTION epermit.document_cancelled();
