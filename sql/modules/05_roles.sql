-- Group roles.  They belong to the whole cluster, so they are made when absent and kept when
-- the extension goes; one that can log in is somebody's account, not our group.

DO $$
DECLARE
    role_name name;
    may_login boolean;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['epermit_issuer', 'epermit_officer', 'epermit_registrar', 'epermit_verifier',
                                     'epermit_attestor', 'epermit_keeper', 'epermit_admin', 'epermit_auditor']::name[]
    LOOP
        SELECT rolcanlogin INTO may_login FROM pg_catalog.pg_roles WHERE rolname = role_name;
        IF NOT FOUND THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', role_name);
        ELSIF may_login THEN
            RAISE EXCEPTION 'role "%" exists and can log in', role_name
                USING ERRCODE = 'duplicate_object',
                      DETAIL = 'epermit grants its functions to this name as a group role.',
                      HINT = pg_catalog.format('Rename it, or run ALTER ROLE %I NOLOGIN.', role_name);
        END IF;
    END LOOP;
END $$;
