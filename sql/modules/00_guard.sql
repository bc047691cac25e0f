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
