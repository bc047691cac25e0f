-- Token Status Lists (src/status_list.c): our own, published; those of others, imported.

CREATE FUNCTION epermit.status_list(list_id int) RETURNS bytea
    LANGUAGE C VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_status_list';
COMMENT ON FUNCTION epermit.status_list(int) IS 'A status list to publish: CWT of draft-ietf-oauth-status-list (media type application/statuslist+cwt), 131,072 entries of 2 bits (0 valid, 1 revoked, 2 suspended), signed by the active status key, good for 24 hours, to be fetched again after one. The same bytes again while nothing changes, for 12 hours. On a standby it is as of the last commit that arrived. 42704: no such list. TP003: no status key. TP004: no master key.';

CREATE FUNCTION epermit.status_list_uris(OUT list_id int, OUT uri text) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.list_id, i.status_list_base || l.list_id FROM epermit.status_list l, epermit.issuer i ORDER BY l.list_id
$$;
COMMENT ON FUNCTION epermit.status_list_uris() IS 'The lists that exist and where credentials say that they are published.';

CREATE FUNCTION epermit.import_status_list(message bytea) RETURNS text
    LANGUAGE C VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'epermit_import_status_list';
COMMENT ON FUNCTION epermit.import_status_list(bytea) IS 'Take another party''s status list, as fetched: a CWT of up to 40 KiB with entries of 1, 2, 4 or 8 bits, signed by a key that was imported for status. Returns its URI; the newest list of a URI counts. From the first list of an issuer on, verify_offline needs the list of each of its credentials. 22023: it is no list, its key is not to be trusted, or it has expired. 55000: a newer one is here already.';
