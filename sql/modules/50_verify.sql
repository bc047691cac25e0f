-- Verification (src/verify.c).  Online functions are audited and answer as the calling role's
-- department was granted; offline ones need public keys only.

CREATE FUNCTION epermit.verify_permit(presented text, purpose text) RETURNS epermit.verification
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_verify_permit';
COMMENT ON FUNCTION epermit.verify_permit(text, text) IS 'Judge a permit by its QR text (an https://…# prefix may stand before it; at most 4,296 characters) or its printed number. Audited. Whatever is presented gets a verdict; columns that the department is not granted are NULL, and personal data comes with the verdict valid only. border is always out_of_scope. On a standby a genuine permit, or the number of one, that has not arrived yet is undetermined. Errors: TP005 the calling role is no department, TP006 the purpose is not granted to it, TP009 no audit sink on a standby.';

CREATE FUNCTION epermit.verify_permits(presented text[], purpose text) RETURNS SETOF epermit.verification
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_verify_permits';
COMMENT ON FUNCTION epermit.verify_permits(text[], text) IS 'verify_permit for each element, in the same order, each audited.';

CREATE FUNCTION epermit.verify_linkage(presented text, travel_permit_no text, residence_permit_no text, purpose text) RETURNS epermit.verification
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_verify_linkage';
COMMENT ON FUNCTION epermit.verify_linkage(text, text, text, text) IS 'Judge a linkage result by its QR text or printed number and the two document numbers it is said to link. not_linked: it is not these two. Otherwise as verify_permit.';

CREATE FUNCTION epermit.documents_linked(travel_permit_no text, residence_permit_no text, purpose text) RETURNS epermit.verification
    LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_documents_linked';
COMMENT ON FUNCTION epermit.documents_linked(text, text, text) IS 'Is there a current linkage result for these two documents? valid; not_linked where there never was one; else what became of the last: expired, revoked, suspended, key_compromised. Audited; errors as verify_permit.';

CREATE FUNCTION epermit.verify_offline(presented text, purpose text, at timestamptz DEFAULT pg_catalog.now()) RETURNS epermit.verification
    LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_verify_offline';
COMMENT ON FUNCTION epermit.verify_offline(text, text, timestamptz) IS 'Judge a permit''s QR text by the public keys in signing_key, what is known here of revocations (own events, imported status lists) and the clock. Writes nothing, needs no connection to the issuer. undetermined: a printed number; or a status list that is missing, expired or signed by a compromised key, where any list of that issuer was imported. Where none ever was, nothing is known of revocations.';

CREATE FUNCTION epermit.verify_linkage_offline(presented text, travel_permit_no text, residence_permit_no text, birth_date date, purpose text, at timestamptz DEFAULT pg_catalog.now()) RETURNS epermit.verification
    LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_verify_linkage_offline';
COMMENT ON FUNCTION epermit.verify_linkage_offline(text, text, text, date, text, timestamptz) IS 'Judge a linkage result''s QR text as verify_offline does, for whoever holds both document numbers and the holder''s birth date: they must give the commitment that was signed (not_linked where they do not).';

-- What is at hand as a token or number is presented as it is.

CREATE FUNCTION epermit.verify_permit(presented epermit.token, purpose text) RETURNS epermit.verification
    LANGUAGE sql VOLATILE RETURN epermit.verify_permit(presented::text, purpose);
CREATE FUNCTION epermit.verify_permit(presented epermit.credential_no, purpose text) RETURNS epermit.verification
    LANGUAGE sql VOLATILE RETURN epermit.verify_permit(presented::text, purpose);
CREATE FUNCTION epermit.verify_linkage(presented epermit.token, travel_permit_no text, residence_permit_no text, purpose text) RETURNS epermit.verification
    LANGUAGE sql VOLATILE RETURN epermit.verify_linkage(presented::text, travel_permit_no, residence_permit_no, purpose);
CREATE FUNCTION epermit.verify_linkage(presented epermit.credential_no, travel_permit_no text, residence_permit_no text, purpose text) RETURNS epermit.verification
    LANGUAGE sql VOLATILE RETURN epermit.verify_linkage(presented::text, travel_permit_no, residence_permit_no, purpose);
CREATE FUNCTION epermit.verify_offline(presented epermit.token, purpose text, at timestamptz DEFAULT pg_catalog.now()) RETURNS epermit.verification
    LANGUAGE sql STABLE PARALLEL SAFE RETURN epermit.verify_offline(presented::text, purpose, at);
CREATE FUNCTION epermit.verify_linkage_offline(presented epermit.token, travel_permit_no text, residence_permit_no text, birth_date date, purpose text, at timestamptz DEFAULT pg_catalog.now()) RETURNS epermit.verification
    LANGUAGE sql STABLE PARALLEL SAFE RETURN epermit.verify_linkage_offline(presented::text, travel_permit_no, residence_permit_no, birth_date, purpose, at);
COMMENT ON FUNCTION epermit.verify_permit(epermit.token, text) IS 'verify_permit of its text.';
COMMENT ON FUNCTION epermit.verify_permit(epermit.credential_no, text) IS 'verify_permit of its text.';
COMMENT ON FUNCTION epermit.verify_linkage(epermit.token, text, text, text) IS 'verify_linkage of its text.';
COMMENT ON FUNCTION epermit.verify_linkage(epermit.credential_no, text, text, text) IS 'verify_linkage of its text.';
COMMENT ON FUNCTION epermit.verify_offline(epermit.token, text, timestamptz) IS 'verify_offline of its text.';
COMMENT ON FUNCTION epermit.verify_linkage_offline(epermit.token, text, text, date, text, timestamptz) IS 'verify_linkage_offline of its text.';
