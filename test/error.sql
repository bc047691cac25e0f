\set ECHO none
-- What a statement comes to: "accepted", or SQLSTATE, message and detail.  Included by tests of administration
-- in test/sql; psql runs at the top of the tree.

CREATE FUNCTION public.error(statement text) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' / ', SQLSTATE, SQLERRM, nullif(detail, ''));
END $$;

\set ECHO all
