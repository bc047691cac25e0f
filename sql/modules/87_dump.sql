-- How user data gets through pg_dump.
--
-- Rows are judged as they come back (a permit by its key, policy, purposes and holder), so they
-- must come in order.  pg_dump knows an order between an extension's tables only where foreign keys give
-- one, and pg_restore -j not even then.  So what depends on each other travels as one table: it is
-- always empty, pg_dump reads the others through its condition, and what is loaded into it goes
-- where it belongs.  Tables that nothing waits for (audit, sequences) are dumped as they are.

CREATE TABLE epermit.dump (
    tab  text NOT NULL CHECK (tab IN ('purpose', 'policy', 'issuer', 'department', 'signing_key', 'holder', 'travel_permit',
                                      'residence_permit', 'status_list', 'permit', 'linkage', 'credential_event',
                                      'imported_status_list')),
    data jsonb NOT NULL
);
COMMENT ON TABLE epermit.dump IS 'Always empty. pg_dump reads user data through it, table by table in the order in which they can be restored; a row inserted here goes to the table it names.';

-- to_jsonb, but in this backend alone: parallel workers would mix the tables up.
CREATE FUNCTION epermit.dump_row(row_of_any_table anyelement) RETURNS jsonb
    LANGUAGE internal VOLATILE STRICT PARALLEL UNSAFE AS 'to_jsonb';
COMMENT ON FUNCTION epermit.dump_row(anyelement) IS 'A row as JSON, for pg_dump.';

CREATE FUNCTION epermit.restore_row() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- Those that the dump has: columns that came with a later version get their defaults.
    columns CONSTANT text := (SELECT string_agg(format('%I', key), ', ') FROM jsonb_object_keys(NEW.data) AS key);
BEGIN
    EXECUTE format('INSERT INTO epermit.%1$I (%2$s) SELECT %2$s FROM jsonb_populate_record(NULL::epermit.%1$I, $1)',
                   NEW.tab, columns)
      USING NEW.data;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION epermit.restore_row() IS 'Trigger of dump: the row goes to the table it names, whose own triggers judge it.';

CREATE TRIGGER restore_row BEFORE INSERT ON epermit.dump
    FOR EACH ROW EXECUTE FUNCTION epermit.restore_row();
ALTER TABLE epermit.dump ENABLE ALWAYS TRIGGER restore_row;

-- Seeded rows stay out: CREATE EXTENSION makes them again, so a restore does not collide.
SELECT pg_catalog.pg_extension_config_dump('epermit.dump', $$
    UNION ALL SELECT 'purpose', epermit.dump_row(t) FROM epermit.purpose t WHERE NOT t.seeded
    UNION ALL SELECT 'policy', epermit.dump_row(t) FROM epermit.policy t WHERE NOT t.seeded
    UNION ALL SELECT 'issuer', epermit.dump_row(t) FROM epermit.issuer t WHERE NOT t.seeded
    UNION ALL SELECT 'department', epermit.dump_row(t) FROM epermit.department t
    UNION ALL SELECT 'signing_key', epermit.dump_row(t) FROM epermit.signing_key t
    UNION ALL SELECT 'holder', epermit.dump_row(t) FROM epermit.holder t
    UNION ALL SELECT 'travel_permit', epermit.dump_row(t) FROM epermit.travel_permit t
    UNION ALL SELECT 'residence_permit', epermit.dump_row(t) FROM epermit.residence_permit t
    UNION ALL SELECT 'status_list', epermit.dump_row(t) FROM epermit.status_list t
    UNION ALL SELECT 'permit', epermit.dump_row(t) FROM epermit.permit t
    UNION ALL SELECT 'linkage', epermit.dump_row(t) FROM epermit.linkage t
    UNION ALL SELECT 'credential_event', epermit.dump_row(t) FROM epermit.credential_event t
    UNION ALL SELECT 'imported_status_list', epermit.dump_row(t) FROM epermit.imported_status_list t
$$);
