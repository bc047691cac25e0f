-- Grants.  Functions are the interface; what may be executed by whom is said here and
-- nowhere else.

REVOKE ALL ON ALL TABLES IN SCHEMA epermit FROM PUBLIC;
REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA epermit FROM PUBLIC;
GRANT USAGE ON SCHEMA epermit TO PUBLIC;

-- What only computes belongs to everybody: types, decoding, verification with a given key.
DO $$
DECLARE
    f pg_catalog.regprocedure;
BEGIN
    FOR f IN SELECT p.oid FROM pg_catalog.pg_proc p
              WHERE p.pronamespace = 'epermit'::pg_catalog.regnamespace AND p.provolatile = 'i' AND NOT p.prosecdef
    LOOP
        EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', f);
    END LOOP;
END $$;

-- keys
GRANT EXECUTE ON FUNCTION epermit.jwks(), epermit.jwks(epermit.key_usage) TO PUBLIC;
GRANT EXECUTE ON FUNCTION epermit.cose_keyset() TO PUBLIC;
GRANT EXECUTE ON FUNCTION epermit.key_list() TO PUBLIC;
GRANT EXECUTE ON FUNCTION epermit.create_signing_key(epermit.key_usage) TO epermit_keeper;
GRANT EXECUTE ON FUNCTION epermit.rotate_signing_key(epermit.key_usage) TO epermit_keeper;
GRANT EXECUTE ON FUNCTION epermit.retire_signing_key(bytea) TO epermit_keeper;
GRANT EXECUTE ON FUNCTION epermit.compromise_signing_key(bytea, text) TO epermit_keeper;
GRANT EXECUTE ON FUNCTION epermit.credentials_to_reissue(bytea) TO epermit_keeper;
GRANT EXECUTE ON FUNCTION epermit.signing_keys() TO epermit_keeper, epermit_auditor;
GRANT EXECUTE ON FUNCTION epermit.import_jwks(jsonb, epermit.key_usage) TO epermit_keeper;
GRANT EXECUTE ON FUNCTION epermit.import_key_list(bytea) TO epermit_keeper;
GRANT EXECUTE ON FUNCTION epermit.reseal_keys() TO epermit_keeper;

-- applications
GRANT EXECUTE ON FUNCTION epermit.issue_permit(jsonb) TO epermit_issuer, epermit_officer;
GRANT EXECUTE ON FUNCTION epermit.check_application(jsonb) TO epermit_issuer, epermit_officer;
GRANT EXECUTE ON FUNCTION epermit.link_documents(jsonb) TO epermit_issuer, epermit_officer;
GRANT EXECUTE ON FUNCTION epermit.check_linkage(jsonb) TO epermit_issuer, epermit_officer;
GRANT EXECUTE ON FUNCTION epermit.credential_token(epermit.credential_no) TO epermit_issuer, epermit_officer;
GRANT EXECUTE ON FUNCTION epermit.quota_status(text) TO epermit_issuer, epermit_officer;
GRANT EXECUTE ON FUNCTION epermit.active_permits(text) TO epermit_issuer, epermit_officer;
GRANT EXECUTE ON FUNCTION epermit.attest(text, bytea) TO epermit_attestor;

-- revocation
GRANT EXECUTE ON FUNCTION epermit.revoke_permit(epermit.credential_no, text) TO epermit_issuer, epermit_officer;
GRANT EXECUTE ON FUNCTION epermit.revoke_linkage(epermit.credential_no, text) TO epermit_issuer, epermit_officer;
GRANT EXECUTE ON FUNCTION epermit.suspend_permit(epermit.credential_no, text) TO epermit_issuer, epermit_officer;
GRANT EXECUTE ON FUNCTION epermit.suspend_linkage(epermit.credential_no, text) TO epermit_issuer, epermit_officer;
GRANT EXECUTE ON FUNCTION epermit.reinstate_permit(epermit.credential_no, text) TO epermit_issuer, epermit_officer;
GRANT EXECUTE ON FUNCTION epermit.reinstate_linkage(epermit.credential_no, text) TO epermit_issuer, epermit_officer;

-- status lists
GRANT EXECUTE ON FUNCTION epermit.status_list(int) TO PUBLIC;
GRANT EXECUTE ON FUNCTION epermit.status_list_uris() TO PUBLIC;
GRANT EXECUTE ON FUNCTION epermit.import_status_list(bytea) TO epermit_keeper;

-- verification
GRANT EXECUTE ON FUNCTION epermit.verify_permit(text, text), epermit.verify_permit(epermit.token, text),
    epermit.verify_permit(epermit.credential_no, text) TO epermit_verifier;
GRANT EXECUTE ON FUNCTION epermit.verify_permits(text[], text) TO epermit_verifier;
GRANT EXECUTE ON FUNCTION epermit.verify_linkage(text, text, text, text), epermit.verify_linkage(epermit.token, text, text, text),
    epermit.verify_linkage(epermit.credential_no, text, text, text) TO epermit_verifier;
GRANT EXECUTE ON FUNCTION epermit.documents_linked(text, text, text) TO epermit_verifier;
GRANT EXECUTE ON FUNCTION epermit.verify_offline(text, text, timestamptz), epermit.verify_offline(epermit.token, text, timestamptz) TO PUBLIC;
GRANT EXECUTE ON FUNCTION epermit.verify_linkage_offline(text, text, text, date, text, timestamptz),
    epermit.verify_linkage_offline(epermit.token, text, text, date, text, timestamptz) TO PUBLIC;

-- registry: the registrar also loads the tables directly
GRANT SELECT, INSERT, UPDATE ON epermit.holder, epermit.travel_permit, epermit.residence_permit TO epermit_registrar;
GRANT EXECUTE ON FUNCTION epermit.register_holder(text, date, text, text, date, epermit.sex, epermit.region) TO epermit_registrar;
GRANT EXECUTE ON FUNCTION epermit.register_travel_permit(bigint, text, date) TO epermit_registrar;
GRANT EXECUTE ON FUNCTION epermit.register_residence_permit(bigint, text, date) TO epermit_registrar;
GRANT EXECUTE ON FUNCTION epermit.set_document_status(text, epermit.document_status) TO epermit_registrar;

-- administration
GRANT EXECUTE ON FUNCTION epermit.set_policy(timestamptz, jsonb) TO epermit_admin;
GRANT EXECUTE ON FUNCTION epermit.register_department(text, text, name, text[], text[]) TO epermit_admin;
GRANT EXECUTE ON FUNCTION epermit.linkage_certificate_svg(epermit.credential_no) TO epermit_issuer, epermit_officer;

-- audit
GRANT EXECUTE ON FUNCTION epermit.create_audit_partitions(int) TO epermit_admin, epermit_auditor;
GRANT EXECUTE ON FUNCTION epermit.seal_audit(), epermit.seal_audit(int) TO epermit_auditor;
GRANT SELECT ON epermit.audit_heads TO epermit_auditor;
GRANT EXECUTE ON FUNCTION epermit.verify_audit(), epermit.verify_audit(bigint) TO epermit_auditor;
GRANT EXECUTE ON FUNCTION epermit.audit_proof(bigint) TO epermit_auditor;
GRANT EXECUTE ON FUNCTION epermit.read_audit_head(bytea) TO epermit_auditor;
GRANT EXECUTE ON FUNCTION epermit.import_audit(jsonb) TO epermit_auditor;
GRANT EXECUTE ON FUNCTION epermit.drop_audit_partitions() TO epermit_auditor;
GRANT EXECUTE ON FUNCTION epermit.checks_on_holder(text) TO epermit_auditor;

-- operations: maintain() is the caller's code, so its steps are the admin's to call
GRANT EXECUTE ON PROCEDURE epermit.maintain() TO epermit_admin;
GRANT EXECUTE ON FUNCTION epermit.erase_expired(int) TO epermit_admin;
GRANT EXECUTE ON FUNCTION epermit.purge_attestations(int) TO epermit_admin;
GRANT EXECUTE ON FUNCTION epermit.seal_batch(int) TO epermit_admin;
GRANT EXECUTE ON FUNCTION epermit.health() TO epermit_admin, epermit_auditor;
GRANT SELECT ON epermit.credentials_in_force, epermit.issues_per_hour, epermit.refusals_per_hour,
    epermit.verifications_per_hour TO epermit_admin, epermit_auditor;
GRANT SELECT ON epermit.audit_events TO epermit_auditor;
