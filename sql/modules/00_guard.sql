\echo Use "CREATE EXTENSION epermit" to load this file. \quit

-- Names are compared as Unicode and tokens carry UTF-8: nothing here converts.

DO $$
BEGIN
    IF pg_catalog.current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'epermit needs a database with encoding UTF8'
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = pg_catalog.format('This one has encoding %s.', pg_catalog.current_setting('server_encoding')),
                  HINT = 'CREATE DATABASE ... ENCODING ''UTF8'' TEMPLATE template0.';
    END IF;
END $$;

-- What others put into the schema could be taken for ours: one that was there before must be a superuser's alone.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_namespace n,
                      LATERAL (SELECT n.nspowner
                                UNION ALL
                               SELECT a.grantee FROM pg_catalog.aclexplode(n.nspacl) a WHERE a.privilege_type = 'CREATE') w (role)
                WHERE n.nspname = 'epermit'
                  AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid = w.role AND r.rolsuper))
    THEN
        RAISE EXCEPTION 'schema epermit exists, and others may create objects in it'
            USING ERRCODE = 'duplicate_schema',
                  HINT = 'DROP SCHEMA epermit, and CREATE EXTENSION makes it anew.';
    END IF;
END $$;

COMMENT ON SCHEMA epermit IS 'Temporary electronic travel permits and dual-document linkage results: issued, verified and audited.';
