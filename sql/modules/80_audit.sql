-- Audit: the log's partitions and guards, seals over it, proofs, import and retention.

-- ---------------------------------------------------------------- writing

CREATE FUNCTION epermit.audit_event(event text, detail jsonb) RETURNS bigint
    LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'epermit_audit_event';
COMMENT ON FUNCTION epermit.audit_event(text, jsonb) IS 'Write an audit event of the calling role and return its id; for administration functions of the extension. detail: no personal data.';

-- Purposes and the issuer are set by the owner's own statements, so their triggers audit; what a dump brings
-- back, through the trigger of epermit.dump, is no news.
CREATE FUNCTION epermit.audit_setting() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM epermit.audit_event(TG_TABLE_NAME, jsonb_build_object('action', lower(TG_OP), 'row', to_jsonb(NEW)));
    RETURN NULL;
END $$;
COMMENT ON FUNCTION epermit.audit_setting() IS 'Trigger of purpose and issuer: audits the row, as an event named like the table.';

CREATE TRIGGER audit AFTER INSERT OR UPDATE ON epermit.purpose
    FOR EACH ROW WHEN (pg_catalog.pg_trigger_depth() OPERATOR(pg_catalog.=) 0) EXECUTE FUNCTION epermit.audit_setting();
CREATE TRIGGER audit AFTER INSERT OR UPDATE ON epermit.issuer
    FOR EACH ROW WHEN (pg_catalog.pg_trigger_depth() OPERATOR(pg_catalog.=) 0) EXECUTE FUNCTION epermit.audit_setting();

CREATE FUNCTION epermit.audit_change() RETURNS trigger
    LANGUAGE C AS 'MODULE_PATHNAME', 'epermit_audit_change';
COMMENT ON FUNCTION epermit.audit_change() IS 'AFTER STATEMENT trigger: audits, as the event it is given, a statement on the table itself. The extension''s functions run as its owner and audit for themselves.';

DO $$
DECLARE
    tab name;
BEGIN
    FOREACH tab IN ARRAY ARRAY['holder', 'travel_permit', 'residence_permit']::name[]
    LOOP
        EXECUTE pg_catalog.format($sql$
            CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON epermit.%1$I
                FOR EACH STATEMENT EXECUTE FUNCTION epermit.audit_change('registry');
            ALTER TABLE epermit.%1$I ENABLE ALWAYS TRIGGER audit;
            $sql$, tab);
    END LOOP;
END $$;

-- ---------------------------------------------------------------- partitions

-- Row triggers pass on to partitions, those on TRUNCATE do not.
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON epermit.audit_log
    FOR EACH ROW EXECUTE FUNCTION epermit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON epermit.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION epermit.refuse_change();
ALTER TABLE epermit.audit_log ENABLE ALWAYS TRIGGER immutable, ENABLE ALWAYS TRIGGER no_truncate;

-- A partition made at run time belongs to no extension: pg_dump dumps it as a table, attached to
-- audit_log.  Had audit_log indexes, ATTACH PARTITION would make the partition's, and the dump's own
-- would collide with them.  So audit_log has none and each partition has its own.
CREATE FUNCTION epermit.equip_audit_partition(partition name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format($sql$
        ALTER TABLE epermit.%1$I ADD CONSTRAINT %2$I PRIMARY KEY (id, at);
        CREATE INDEX %3$I ON epermit.%1$I (holder_id, at);
        CREATE INDEX %4$I ON epermit.%1$I (era, xid, id);
        CREATE TRIGGER no_truncate BEFORE TRUNCATE ON epermit.%1$I
            FOR EACH STATEMENT EXECUTE FUNCTION epermit.refuse_change();
        ALTER TABLE epermit.%1$I ENABLE ALWAYS TRIGGER no_truncate;
        $sql$, partition, partition || '_pkey', partition || '_holder', partition || '_xid');
END $$;
COMMENT ON FUNCTION epermit.equip_audit_partition(name) IS 'Give a partition of audit_log its key, its indexes and its guard.';

SELECT epermit.equip_audit_partition('audit_log_default');

CREATE VIEW epermit.audit_partition AS
    SELECT c.relname AS name, epermit.month_opens(m.month) AS starts,
           epermit.month_opens((m.month + interval '1 month')::pg_catalog.date) AS ends
      FROM pg_catalog.pg_inherits i
      JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid,
           LATERAL (SELECT CASE WHEN c.relname ~ '^audit_log_y\d{4}m\d\d$'
                                THEN pg_catalog.to_date(pg_catalog.substr(c.relname, 11), '"y"YYYY"m"MM') END) m (month)
     WHERE i.inhparent = 'epermit.audit_log'::pg_catalog.regclass AND c.relnamespace = 'epermit'::pg_catalog.regnamespace;
COMMENT ON VIEW epermit.audit_partition IS 'The partitions of audit_log and the month of each, by its name: its first instant and the first after it. NULL for audit_log_default.';

CREATE FUNCTION epermit.create_audit_partitions(months_ahead int DEFAULT 3) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET TimeZone = 'Etc/GMT-8' SET lock_timeout = '5s' AS $$
DECLARE
    first_month CONSTANT date := date_trunc('month', clock_timestamp());
    starts      timestamptz;
    ends        timestamptz;
    partition   name;
    created     int := 0;
BEGIN
    -- One at a time; ATTACH takes this lock anyway, and readers and writers go on.
    LOCK TABLE ONLY epermit.audit_log IN SHARE UPDATE EXCLUSIVE MODE;
    FOR ahead IN 0 .. months_ahead LOOP
        starts := first_month + make_interval(months => ahead);
        ends := first_month + make_interval(months => ahead + 1);
        partition := 'audit_log_' || to_char(starts, '"y"YYYY"m"MM');
        -- What the net caught stays there, and with it that month.
        CONTINUE WHEN to_regclass('epermit.' || partition) IS NOT NULL
                   OR EXISTS (SELECT FROM epermit.audit_log_default d WHERE d.at >= starts AND d.at < ends);
        EXECUTE format('CREATE TABLE epermit.%I (LIKE epermit.audit_log INCLUDING DEFAULTS)', partition);
        PERFORM epermit.equip_audit_partition(partition);
        EXECUTE format('ALTER TABLE epermit.audit_log ATTACH PARTITION epermit.%I FOR VALUES FROM (%L) TO (%L)',
                       partition, starts, ends);
        created := created + 1;
    END LOOP;
    RETURN created;
END $$;
COMMENT ON FUNCTION epermit.create_audit_partitions(int) IS 'Make the partitions of audit_log for this month (Beijing) and as many after it, where they are missing; returns how many were. A month that audit_log_default holds rows of stays there. Call it at least monthly. Waits at most 5 s for a lock (55P03).';

-- ---------------------------------------------------------------- seals

CREATE TABLE epermit.audit_seal (
    seal_id   bigint PRIMARY KEY CHECK (seal_id >= 1),   -- without gaps
    at        timestamptz NOT NULL,
    era       bigint NOT NULL,
    upto_xid  xid8 NOT NULL,
    upto_id   bigint NOT NULL,
    tree_size bigint NOT NULL CHECK (tree_size >= 1),
    root      bytea NOT NULL CHECK (octet_length(root) = 32),
    previous  bytea CHECK (octet_length(previous) = 32),
    head      bytea NOT NULL,
    CHECK ((seal_id = 1) = (previous IS NULL))
);
COMMENT ON TABLE epermit.audit_seal IS 'Signed Merkle heads over the audit log, chained. A seal covers the rows of one era whose (xid, id) come after the era''s last seal and not after (upto_xid, upto_id). Publish the heads: whoever has one holds the log to it.';
COMMENT ON COLUMN epermit.audit_seal.previous IS 'SHA-256 of the head of the seal before it.';
COMMENT ON COLUMN epermit.audit_seal.head IS 'COSE_Sign1, typ application/vnd.epermit.audit+cwt, by the status key; its payload repeats these columns.';

CREATE TABLE epermit.audit_sealed (
    seal_id   bigint NOT NULL,
    leaf_no   bigint NOT NULL,
    id        bigint NOT NULL,
    at        timestamptz NOT NULL,
    leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
    PRIMARY KEY (seal_id, leaf_no),
    UNIQUE (id, at)
);
-- No foreign key: pg_restore -j loads the two in any order, and verify_audit knows the difference.
COMMENT ON TABLE epermit.audit_sealed IS 'Leaf by leaf, which row of audit_log a seal covers. Leaves outlive their rows, so that seals stay verifiable when a partition is dropped.';

CREATE TABLE epermit.audit_dropped (
    partition  name NOT NULL,
    from_at    timestamptz NOT NULL,
    to_at      timestamptz NOT NULL,
    dropped_at timestamptz NOT NULL,
    rows       bigint NOT NULL,
    audit_id   bigint NOT NULL,
    PRIMARY KEY (partition, to_at),
    CHECK (to_at <= dropped_at - interval '4416 hours')    -- 184 days
);
COMMENT ON TABLE epermit.audit_dropped IS 'Spans of the log that retention has dropped, and the event that says so.';

CREATE TABLE epermit.audit_import (
    event       uuid PRIMARY KEY,
    imported_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE epermit.audit_import IS 'Events of standbys that were imported: each once.';

SELECT pg_catalog.pg_extension_config_dump('epermit.audit_seal', '');
SELECT pg_catalog.pg_extension_config_dump('epermit.audit_sealed', '');
SELECT pg_catalog.pg_extension_config_dump('epermit.audit_dropped', '');
SELECT pg_catalog.pg_extension_config_dump('epermit.audit_import', '');

DO $$
DECLARE
    tab name;
BEGIN
    FOREACH tab IN ARRAY ARRAY['audit_seal', 'audit_sealed', 'audit_dropped', 'audit_import']::name[]
    LOOP
        EXECUTE pg_catalog.format($sql$
            CREATE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON epermit.%1$I
                FOR EACH STATEMENT EXECUTE FUNCTION epermit.refuse_change();
            ALTER TABLE epermit.%1$I ENABLE ALWAYS TRIGGER immutable;
            $sql$, tab);
    END LOOP;
END $$;

CREATE FUNCTION epermit.audit_leaf(event epermit.audit_log) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_audit_leaf';
COMMENT ON FUNCTION epermit.audit_leaf(epermit.audit_log) IS 'A row as it is sealed: a CBOR map {1: id, 2: at (microseconds since 1970), 3: era, 4: xid, 5: event, 6: login_role, 7: calling_role, 8: department, 9: holder_id, 10: credential_no (12 bytes), 11: purpose, 12: verdict, 13: codes, 14: attempt (0, 1), 15: request_id (16 bytes), 16: detail (text)} without the keys whose column is NULL; deterministic (RFC 8949 4.2.1).';

CREATE FUNCTION epermit.merkle_leaf(data bytea) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_merkle_leaf';
COMMENT ON FUNCTION epermit.merkle_leaf(bytea) IS 'Leaf hash (RFC 9162 2.1.1): SHA-256 of a zero byte and the data.';

CREATE FUNCTION epermit.merkle_push(internal, bytea) RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_merkle_push';
COMMENT ON FUNCTION epermit.merkle_push(internal, bytea) IS 'Transition function of merkle_root.';

CREATE FUNCTION epermit.merkle_final(internal) RETURNS bytea
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_merkle_final';
COMMENT ON FUNCTION epermit.merkle_final(internal) IS 'Final function of merkle_root.';

CREATE AGGREGATE epermit.merkle_root(leaf_hash bytea) (
    SFUNC = epermit.merkle_push, STYPE = internal, SSPACE = 2056,
    FINALFUNC = epermit.merkle_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE epermit.merkle_root(bytea) IS 'Root (RFC 9162 2.1.1, SHA-256) of the tree over these leaf hashes; give it an ORDER BY.';

CREATE FUNCTION epermit.merkle_proof(leaf_hashes bytea[], leaf_index bigint) RETURNS bytea[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_merkle_proof';
COMMENT ON FUNCTION epermit.merkle_proof(bytea[], bigint) IS 'Inclusion proof (RFC 9162 2.1.3) of a leaf, counted from 0: hashes from the leaf upwards.';

CREATE FUNCTION epermit.sign_audit_head(seal_id bigint, at timestamptz, era bigint, upto_xid xid8, upto_id bigint,
                                        tree_size bigint, root bytea, previous bytea) RETURNS bytea
    LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'epermit_sign_audit_head';
COMMENT ON FUNCTION epermit.sign_audit_head(bigint, timestamptz, bigint, xid8, bigint, bigint, bytea, bytea) IS 'COSE_Sign1 of a seal by the active status key. Payload: {1: iss, 6: iat, -65539: {1: seal_id, 2: tree_size, 3: root, 4: previous, 5: era, 6: upto_xid, 7: upto_id}}. TP003, TP004: no key to sign with.';

CREATE FUNCTION epermit.read_audit_head(head bytea, OUT seal_id bigint, OUT at timestamptz, OUT era bigint, OUT upto_xid xid8,
                                        OUT upto_id bigint, OUT tree_size bigint, OUT root bytea, OUT previous bytea,
                                        OUT kid bytea, OUT problem text) RETURNS record
    LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_read_audit_head';
COMMENT ON FUNCTION epermit.read_audit_head(bytea) IS 'What a head says. problem is NULL where its signature is good, else malformed, unknown key, bad signature or compromised key.';

CREATE FUNCTION epermit.seal_audit(max_rows int) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    this_era CONSTANT bigint := (SELECT system_identifier FROM pg_control_system());
    sealed_at CONSTANT timestamptz := date_trunc('second', clock_timestamp());
    horizon  xid8;
    last     epermit.audit_seal;
    eras     bigint[] := '{}';
    next_era bigint;
    below    xid8;
    after_xid xid8;
    after_id bigint;
    new_seal bigint;
    previous bytea;
    ids      bigint[];
    ats      timestamptz[];
    xids     xid8[];
    hashes   bytea[];
    size     int;
    root     bytea;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'seal_audit needs isolation level READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state', DETAIL = 'It must see the seal that it waited for.';
    END IF;
    -- One at a time: each seal continues the one before it.
    LOCK TABLE epermit.audit_seal IN SHARE ROW EXCLUSIVE MODE;
    SELECT s.* INTO last FROM epermit.audit_seal s ORDER BY s.seal_id DESC LIMIT 1;
    new_seal := COALESCE(last.seal_id, 0) + 1;
    previous := sha256(last.head);

    -- Every transaction below it has ended, and no row of one can appear any more, however late it
    -- committed.  Those of another era, which is another cluster's that was dumped, ended long ago.
    horizon := pg_snapshot_xmin(pg_current_snapshot());

    -- Other eras first: they get no more rows, this one does all the time.
    LOOP
        SELECT min(l.era) INTO next_era FROM epermit.audit_log l WHERE l.era > COALESCE(eras[1], -9223372036854775808);
        EXIT WHEN next_era IS NULL;
        eras := next_era || eras;
    END LOOP;
    eras := array_remove(eras, this_era) || this_era;

    FOREACH next_era IN ARRAY eras LOOP
        SELECT s.upto_xid, s.upto_id INTO after_xid, after_id FROM epermit.audit_seal s
         WHERE s.era = next_era ORDER BY s.seal_id DESC LIMIT 1;
        IF NOT FOUND THEN
            after_xid := '0';
            after_id := -9223372036854775808;
        END IF;
        below := CASE WHEN next_era = this_era THEN horizon ELSE '18446744073709551615'::xid8 END;

        SELECT array_agg(t.id), array_agg(t.at), array_agg(t.xid), array_agg(t.leaf_hash)
          INTO ids, ats, xids, hashes
          FROM (SELECT l.id, l.at, l.xid, epermit.merkle_leaf(epermit.audit_leaf(l)) AS leaf_hash
                  FROM epermit.audit_log l
                 WHERE l.era = next_era AND l.xid >= after_xid AND l.xid < below
                   AND (l.xid, l.id) > (after_xid, after_id)
                 ORDER BY l.xid, l.id, l.at LIMIT max_rows) t;
        size := cardinality(ids);
        EXIT WHEN size > 0;
    END LOOP;
    IF size IS NULL THEN
        RETURN NULL;
    END IF;

    -- A batch that is not full is all there is below the horizon.
    IF size < max_rows THEN
        after_xid := below;
        after_id := 0;
    ELSE
        after_xid := xids[size];
        after_id := ids[size];
    END IF;

    SELECT epermit.merkle_root(h.hash ORDER BY h.no) INTO root FROM unnest(hashes) WITH ORDINALITY AS h (hash, no);
    INSERT INTO epermit.audit_seal (seal_id, at, era, upto_xid, upto_id, tree_size, root, previous, head)
        VALUES (new_seal, sealed_at, next_era, after_xid, after_id, size, root, previous,
                epermit.sign_audit_head(new_seal, sealed_at, next_era, after_xid, after_id, size, root, previous));
    INSERT INTO epermit.audit_sealed (seal_id, leaf_no, id, at, leaf_hash)
        SELECT new_seal, u.no - 1, u.id, u.at, u.hash
          FROM unnest(ids, ats, hashes) WITH ORDINALITY AS u (id, at, hash, no);
    RETURN new_seal;
END $$;
COMMENT ON FUNCTION epermit.seal_audit(int) IS 'Seal up to max_rows rows of audit_log that can no longer change and are not sealed yet; returns the seal''s number, or NULL where there is nothing to seal. Call it until NULL. Running transactions hold back the rows of those that began after them, until the next time. TP003, TP004: no key to sign with.';

CREATE FUNCTION epermit.seal_audit() RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT epermit.seal_audit(100000)
$$;
COMMENT ON FUNCTION epermit.seal_audit() IS 'seal_audit(100000).';

-- ---------------------------------------------------------------- verification

CREATE FUNCTION epermit.seal_problems(seal epermit.audit_seal) RETURNS TABLE (problem text, audit_id bigint)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before    epermit.audit_seal;
    said      record;
    leaves    record;
    after_xid xid8 := '0';
    after_id  bigint := -9223372036854775808;
BEGIN
    -- the head
    SELECT * INTO said FROM epermit.read_audit_head(seal.head);
    -- A compromised key's seals stand where a good key has sealed after them.
    IF said.problem IS NOT NULL
       AND NOT (said.problem = 'compromised key'
                AND EXISTS (SELECT FROM epermit.audit_seal s
                             WHERE s.seal_id > seal.seal_id AND (epermit.read_audit_head(s.head)).problem IS NULL))
    THEN
        problem := 'head: ' || said.problem;
        RETURN NEXT;
    END IF;
    IF said.problem IS DISTINCT FROM 'malformed'
       AND (said.seal_id, said.at, said.era, said.upto_xid, said.upto_id, said.tree_size, said.root, said.previous)
           IS DISTINCT FROM
           (seal.seal_id, seal.at, seal.era, seal.upto_xid, seal.upto_id, seal.tree_size, seal.root, seal.previous)
    THEN
        problem := 'head: says something else than its row';
        RETURN NEXT;
    END IF;

    -- the chain
    SELECT s.* INTO before FROM epermit.audit_seal s WHERE s.seal_id = seal.seal_id - 1;
    IF seal.seal_id > 1 AND NOT FOUND THEN
        problem := 'chain: the seal before it is missing';
        RETURN NEXT;
    ELSIF seal.previous IS DISTINCT FROM sha256(before.head) THEN
        problem := 'chain: the seal before it is another one';
        RETURN NEXT;
    END IF;

    -- the leaves
    SELECT count(*) AS size, min(l.leaf_no) AS first_no, max(l.leaf_no) AS last_no,
           epermit.merkle_root(l.leaf_hash ORDER BY l.leaf_no) AS root,
           min(l.id) AS min_id, max(l.id) AS max_id, min(l.at) AS min_at, max(l.at) AS max_at
      INTO leaves FROM epermit.audit_sealed l WHERE l.seal_id = seal.seal_id;
    IF (leaves.size, leaves.first_no, leaves.last_no, leaves.root)
       IS DISTINCT FROM (seal.tree_size, 0::bigint, seal.tree_size - 1, seal.root)
    THEN
        problem := 'leaves: do not give the root';
        RETURN NEXT;
    END IF;

    -- the rows: none changed, none removed but by retention ...
    RETURN QUERY
        SELECT CASE WHEN l.id IS NULL THEN 'row: removed' ELSE 'row: changed' END, d.id
          FROM epermit.audit_sealed d
          LEFT JOIN epermit.audit_log l ON l.id = d.id AND l.at = d.at
                AND l.id BETWEEN leaves.min_id AND leaves.max_id AND l.at BETWEEN leaves.min_at AND leaves.max_at
         WHERE d.seal_id = seal.seal_id
           AND CASE WHEN l.id IS NULL
                    THEN NOT EXISTS (SELECT FROM epermit.audit_dropped x WHERE d.at >= x.from_at AND d.at < x.to_at)
                    ELSE epermit.merkle_leaf(epermit.audit_leaf(l)) <> d.leaf_hash END
         ORDER BY d.leaf_no;

    -- ... and none inserted where all had been sealed.
    SELECT s.upto_xid, s.upto_id INTO before.upto_xid, before.upto_id FROM epermit.audit_seal s
     WHERE s.era = seal.era AND s.seal_id < seal.seal_id ORDER BY s.seal_id DESC LIMIT 1;
    IF FOUND THEN
        after_xid := before.upto_xid;
        after_id := before.upto_id;
    END IF;
    RETURN QUERY
        SELECT 'row: inserted'::text, l.id
          FROM epermit.audit_log l
         WHERE l.era = seal.era AND l.xid >= after_xid AND l.xid <= seal.upto_xid
           AND (l.xid, l.id) > (after_xid, after_id) AND (l.xid, l.id) <= (seal.upto_xid, seal.upto_id)
           AND NOT EXISTS (SELECT FROM epermit.audit_sealed d
                            WHERE d.id = l.id AND d.at = l.at AND d.seal_id = seal.seal_id)
         ORDER BY l.xid, l.id, l.at;
END $$;
COMMENT ON FUNCTION epermit.seal_problems(epermit.audit_seal) IS 'Everything wrong with one seal and the rows it covers.';

CREATE FUNCTION epermit.verify_audit(first_seal bigint, OUT seal_id bigint, OUT ok boolean, OUT problem text,
                                     OUT audit_id bigint) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    seal epermit.audit_seal;
BEGIN
    FOR seal IN SELECT s.* FROM epermit.audit_seal s WHERE s.seal_id >= first_seal ORDER BY s.seal_id LOOP
        seal_id := seal.seal_id;
        ok := false;
        FOR problem, audit_id IN SELECT p.problem, p.audit_id FROM epermit.seal_problems(seal) p LOOP
            RETURN NEXT;
        END LOOP;
        IF NOT FOUND THEN
            ok := true;
            problem := NULL;
            audit_id := NULL;
            RETURN NEXT;
        END IF;
    END LOOP;

    ok := false;
    audit_id := NULL;
    FOR seal_id IN SELECT DISTINCT l.seal_id FROM epermit.audit_sealed l
                    WHERE l.seal_id >= first_seal AND NOT EXISTS (SELECT FROM epermit.audit_seal s WHERE s.seal_id = l.seal_id)
                    ORDER BY 1
    LOOP
        problem := 'head: removed, its leaves are here';
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION epermit.verify_audit(bigint) IS 'Recompute all seals from first_seal on: one row with ok for each that holds, one row per problem for each that does not. problem starts with head, chain, leaves or row; "row: changed", "row: removed" and "row: inserted" name the row in audit_id. Where the last seals were cut off with their leaves, only a head kept elsewhere can tell (audit_heads).';

CREATE FUNCTION epermit.verify_audit(OUT seal_id bigint, OUT ok boolean, OUT problem text, OUT audit_id bigint) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT * FROM epermit.verify_audit(1)
$$;
COMMENT ON FUNCTION epermit.verify_audit() IS 'verify_audit(1): all seals.';

CREATE VIEW epermit.audit_heads AS
    SELECT s.* FROM epermit.audit_seal s;
COMMENT ON VIEW epermit.audit_heads IS 'The seals with their signed heads: keep them, or publish them, where nobody who can write here can write.';
COMMENT ON COLUMN epermit.audit_heads.seal_id IS 'Seals are numbered from 1.';
COMMENT ON COLUMN epermit.audit_heads.at IS 'When it was sealed.';
COMMENT ON COLUMN epermit.audit_heads.era IS 'System identifier of the cluster that wrote the rows.';
COMMENT ON COLUMN epermit.audit_heads.upto_xid IS 'With upto_id: rows up to here are sealed.';
COMMENT ON COLUMN epermit.audit_heads.upto_id IS 'See upto_xid.';
COMMENT ON COLUMN epermit.audit_heads.tree_size IS 'How many rows this seal covers.';
COMMENT ON COLUMN epermit.audit_heads.root IS 'Root of their RFC 9162 tree.';
COMMENT ON COLUMN epermit.audit_heads.previous IS 'Hash of the head before it.';
COMMENT ON COLUMN epermit.audit_heads.head IS 'The signed head, a COSE_Sign1.';

CREATE FUNCTION epermit.audit_proof(id bigint) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sealed epermit.audit_sealed;
    seal   epermit.audit_seal;
    leaf   bytea;
    signer bytea;
BEGIN
    SELECT d.* INTO sealed FROM epermit.audit_sealed d WHERE d.id = audit_proof.id ORDER BY d.at DESC LIMIT 1;
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM epermit.audit_log l WHERE l.id = audit_proof.id) THEN
            RAISE EXCEPTION 'audit event % is not sealed yet', id
                USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Call epermit.seal_audit().';
        END IF;
        RAISE EXCEPTION 'there is no audit event %', id USING ERRCODE = 'no_data_found';
    END IF;

    SELECT s.* INTO STRICT seal FROM epermit.audit_seal s WHERE s.seal_id = sealed.seal_id;
    SELECT epermit.audit_leaf(l) INTO leaf FROM epermit.audit_log l WHERE l.id = sealed.id AND l.at = sealed.at;
    signer := (epermit.read_audit_head(seal.head)).kid;
    RETURN jsonb_build_object(
        'audit_id', id,
        'seal_id', seal.seal_id,
        'leaf', encode(leaf, 'hex'),
        'leaf_hash', encode(sealed.leaf_hash, 'hex'),
        'leaf_index', sealed.leaf_no,
        'tree_size', seal.tree_size,
        'proof', (SELECT COALESCE(jsonb_agg(encode(p.hash, 'hex') ORDER BY p.no), '[]')
                    FROM unnest(epermit.merkle_proof(
                             (SELECT array_agg(d.leaf_hash ORDER BY d.leaf_no) FROM epermit.audit_sealed d
                               WHERE d.seal_id = seal.seal_id), sealed.leaf_no))
                         WITH ORDINALITY AS p (hash, no)),
        'root', encode(seal.root, 'hex'),
        'head', encode(seal.head, 'hex'),
        'kid', encode(signer, 'hex'),
        'public_key', (SELECT encode(k.public_key, 'hex') FROM epermit.signing_key k WHERE k.kid = signer));
END $$;
COMMENT ON FUNCTION epermit.audit_proof(bigint) IS 'Proof that an event stands in the sealed log, for a third party who has the status key''s public half: leaf (the event, see audit_leaf), leaf_index, tree_size and proof (RFC 9162 2.1.3.2) give the root that head (COSE_Sign1) signs; byte strings hexadecimal. leaf is null where retention has dropped the row. 55000: not sealed yet. P0002: no such event.';

-- ---------------------------------------------------------------- import

CREATE FUNCTION epermit.import_audit(events jsonb) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    this_era CONSTANT bigint := (SELECT system_identifier FROM pg_control_system());
    event    jsonb;
    e        record;
    position bigint := 0;
    imported bigint := 0;
BEGIN
    IF jsonb_typeof(events) IS DISTINCT FROM 'array' THEN
        events := jsonb_build_array(events);
    END IF;

    FOR event IN SELECT * FROM jsonb_array_elements(events) LOOP
        position := position + 1;
        BEGIN
            SELECT r.* INTO STRICT e
              FROM jsonb_to_record(event) AS r (uuid uuid, at timestamptz, era bigint, event text, login_role name,
                   calling_role name, department text, holder_id bigint, credential_no epermit.credential_no, purpose text,
                   verdict text, codes text[], attempt boolean, request_id uuid, detail jsonb);
        EXCEPTION WHEN data_exception THEN
            PERFORM epermit.refuse_value('events', 'type', format('number %s is no audit event', position));
        END;
        IF e.uuid IS NULL OR e.at IS NULL OR e.era IS NULL OR e.event IS NULL OR e.login_role IS NULL OR e.calling_role IS NULL THEN
            PERFORM epermit.refuse_value('events', 'missing',
                format('number %s lacks uuid, at, era, event, login_role or calling_role', position));
        END IF;
        -- What this database itself writes nobody brings it from elsewhere.
        IF e.event NOT IN ('verify_permit', 'verify_linkage', 'documents_linked', 'audit') OR e.attempt OR NOT isfinite(e.at) THEN
            PERFORM epermit.refuse_value('events', 'event', format('number %s is none that a standby writes', position));
        END IF;

        INSERT INTO epermit.audit_import (event) VALUES (e.uuid) ON CONFLICT DO NOTHING;
        CONTINUE WHEN NOT FOUND;
        INSERT INTO epermit.audit_log (at, era, xid, event, login_role, calling_role, department, holder_id, credential_no,
                                       purpose, verdict, codes, attempt, request_id, detail)
            VALUES (e.at, this_era, pg_current_xact_id(), e.event, e.login_role, e.calling_role, e.department, e.holder_id,
                    e.credential_no, e.purpose, e.verdict, e.codes, COALESCE(e.attempt, false), e.request_id,
                    CASE jsonb_typeof(e.detail) WHEN 'object' THEN e.detail ELSE '{}' END
                    || jsonb_build_object('imported', jsonb_build_object('uuid', e.uuid, 'era', e.era)));
        imported := imported + 1;
    END LOOP;

    PERFORM epermit.audit_event('import', jsonb_build_object('events', position, 'imported', imported));
    RETURN imported;
END $$;
COMMENT ON FUNCTION epermit.import_audit(jsonb) IS 'Load events that a standby wrote to its log (lines "epermit audit: {...}" where epermit.audit_sink is log): one object or an array of them. Each is loaded once, by its uuid; returns how many were new. They keep their time and their actor, detail.imported marks them.';

-- ---------------------------------------------------------------- retention

CREATE FUNCTION epermit.drop_audit_partitions() RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET TimeZone = 'Etc/GMT-8' SET lock_timeout = '5s' AS $$
DECLARE
    retention interval;
    cutoff    timestamptz;
    part      record;
    counted   record;
    event     bigint;
    dropped   int := 0;
BEGIN
    SELECT p.audit_retention INTO STRICT retention FROM epermit.policy_in_force p;
    cutoff := date_trunc('month', clock_timestamp() - retention);

    -- Nothing goes unsealed.
    WHILE epermit.seal_audit() IS NOT NULL LOOP
    END LOOP;

    FOR part IN
        SELECT p.name, p.starts, p.ends FROM epermit.audit_partition p WHERE p.ends <= cutoff
        UNION ALL
        SELECT 'audit_log_default', NULL, cutoff
         ORDER BY 3
    LOOP
        -- Old events that are being imported come before the count, or not in here any more.  The net is
        -- not locked: current events may be falling into it.
        IF part.name <> 'audit_log_default' THEN
            EXECUTE format('LOCK TABLE epermit.%I IN SHARE MODE', part.name);
        END IF;
        EXECUTE format('SELECT count(*) AS rows, count(*) FILTER (WHERE d.id IS NULL) AS unsealed, min(l.at) AS first_at
                          FROM epermit.%I l LEFT JOIN epermit.audit_sealed d ON d.id = l.id AND d.at = l.at
                         WHERE l.at < $1', part.name)
            INTO counted USING part.ends;
        CONTINUE WHEN counted.unsealed > 0 OR part.name = 'audit_log_default' AND counted.rows = 0;

        event := epermit.audit_event('retention', jsonb_build_object('partition', part.name, 'rows', counted.rows,
                                                                     'until', part.ends));
        INSERT INTO epermit.audit_dropped (partition, from_at, to_at, dropped_at, rows, audit_id)
            VALUES (part.name, COALESCE(part.starts, counted.first_at), part.ends, clock_timestamp(), counted.rows, event);
        IF part.name = 'audit_log_default' THEN
            ALTER TABLE epermit.audit_log_default DISABLE TRIGGER immutable;
            DELETE FROM epermit.audit_log_default l
             WHERE l.at < part.ends AND EXISTS (SELECT FROM epermit.audit_sealed d WHERE d.id = l.id AND d.at = l.at);
            ALTER TABLE epermit.audit_log_default ENABLE ALWAYS TRIGGER immutable;
        ELSE
            EXECUTE format('ALTER TABLE epermit.audit_log DETACH PARTITION epermit.%I', part.name);
            EXECUTE format('DROP TABLE epermit.%I', part.name);
        END IF;
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
COMMENT ON FUNCTION epermit.drop_audit_partitions() IS 'Drop the months of audit_log that are older as a whole than audit_retention (policy, at least 184 days) and sealed to the last row; returns how many partitions that touched. Their leaf hashes stay. Waits at most 5 s for a lock (55P03).';

-- ---------------------------------------------------------------- who checked whom

CREATE FUNCTION epermit.checks_on_holder(document_no text)
    RETURNS TABLE (checked_at timestamptz, department text, purpose text, verdict text, credential_no epermit.credential_no,
                   audit_id bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    holder bigint := epermit.registered_holder(document_no);
BEGIN
    PERFORM epermit.audit_event('audit', jsonb_build_object('action', 'checks_on_holder', 'holder_id', holder));
    RETURN QUERY
        SELECT l.at, l.department, l.purpose, l.verdict, l.credential_no, l.id
          FROM epermit.audit_log l
         WHERE l.holder_id = holder AND l.event IN ('verify_permit', 'verify_linkage', 'documents_linked')
         ORDER BY l.at, l.id;
END $$;
COMMENT ON FUNCTION epermit.checks_on_holder(text) IS 'Who checked this person, when, for what and with what result: all verifications of the holder of a travel or residence permit. Audited itself. P0002: the document is not registered.';
