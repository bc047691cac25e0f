-- Operations: what is done every hour, how things stand, and figures for those who run and audit.

-- ---------------------------------------------------------------- what is left of the erased

CREATE TABLE epermit.credential_archive (
    credential_no epermit.credential_no PRIMARY KEY,
    issued_at     timestamptz NOT NULL,
    valid_until   timestamptz NOT NULL,
    reason        epermit.loss_reason,      -- of a permit
    channel       epermit.channel NOT NULL,
    purposes      text[],                   -- of a permit
    policy        timestamptz NOT NULL,
    kid           bytea NOT NULL,
    erased_at     timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE epermit.credential_archive IS 'What statistics need of credentials whose retention has passed: nothing personal, and the number as the audit log has it. Append-only.';
SELECT pg_catalog.pg_extension_config_dump('epermit.credential_archive', '');

CREATE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON epermit.credential_archive
    FOR EACH STATEMENT EXECUTE FUNCTION epermit.refuse_change();
ALTER TABLE epermit.credential_archive ENABLE ALWAYS TRIGGER immutable;

CREATE FUNCTION epermit.archive_credentials() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- A row that a restore brought back, and that goes again, is there already.
    IF TG_TABLE_NAME = 'permit' THEN
        INSERT INTO epermit.credential_archive (credential_no, issued_at, valid_until, reason, channel, purposes, policy, kid)
            SELECT g.credential_no, g.issued_at, g.valid_until, g.reason, g.channel, g.purposes, g.policy, g.kid FROM gone g
            ON CONFLICT DO NOTHING;
    ELSE
        INSERT INTO epermit.credential_archive (credential_no, issued_at, valid_until, channel, policy, kid)
            SELECT g.credential_no, g.issued_at, g.valid_until, g.channel, g.policy, g.kid FROM gone g
            ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION epermit.archive_credentials() IS 'Trigger of permit and linkage: deleted credentials leave what is not personal in credential_archive.';

-- Per statement: a subscriber's apply worker does not fire these and gets the archive's own rows.
CREATE TRIGGER archive AFTER DELETE ON epermit.permit REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION epermit.archive_credentials();
CREATE TRIGGER archive AFTER DELETE ON epermit.linkage REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION epermit.archive_credentials();
ALTER TABLE epermit.permit ENABLE ALWAYS TRIGGER archive;
ALTER TABLE epermit.linkage ENABLE ALWAYS TRIGGER archive;

-- ---------------------------------------------------------------- maintenance

-- Every policy has its own retention: what is due of one, and what is in force, stands together.  However much
-- there is besides, only that is read: OFFSET 0 keeps the planner from taking the tables the other way round.
CREATE INDEX ON epermit.permit (policy, valid_until);
CREATE INDEX ON epermit.linkage (policy, valid_until);
CREATE INDEX ON epermit.attestation_use (used_at);

CREATE FUNCTION epermit.kept_until(valid_until timestamptz, issued_at timestamptz, retention interval) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN GREATEST(pg_catalog.timezone(interval '8 hours', pg_catalog.timezone(interval '8 hours', valid_until) OPERATOR(pg_catalog.+) retention),
                    epermit.month_opens((epermit.beijing_month(issued_at) OPERATOR(pg_catalog.+) interval '1 month')::pg_catalog.date));
COMMENT ON FUNCTION epermit.kept_until(timestamptz, timestamptz, interval) IS 'From when on a credential may be deleted, as its table''s trigger keep has it: its month is over, it has ended, and the retention has passed since, in days of Beijing.';

CREATE FUNCTION epermit.erase_expired(max_rows int DEFAULT 1000) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    clock    CONSTANT timestamptz := clock_timestamp();
    permits  int;
    linkages int;
BEGIN
    -- Under their holders' locks, like whatever decides about a credential; a holder whom another session
    -- has is left for later.  The bound on valid_until is for the index, with a week for months that
    -- differ in length.
    WITH due AS (
        SELECT c.holder_id, c.quota_month, c.quota_slot
          FROM epermit.policy p,
               LATERAL (SELECT * FROM epermit.permit c
                         WHERE c.policy = p.effective_from
                           AND c.valid_until <= clock - p.credential_retention + interval '7 days' OFFSET 0) c
          JOIN epermit.holder h ON h.holder_id = c.holder_id
         WHERE epermit.kept_until(c.valid_until, c.issued_at, p.credential_retention) <= clock
         LIMIT max_rows FOR NO KEY UPDATE OF h SKIP LOCKED)
    DELETE FROM epermit.permit c USING due d
     WHERE c.holder_id = d.holder_id AND c.quota_month = d.quota_month AND c.quota_slot = d.quota_slot;
    GET DIAGNOSTICS permits = ROW_COUNT;

    WITH due AS (
        SELECT c.holder_id, c.linkage_no
          FROM epermit.policy p,
               LATERAL (SELECT * FROM epermit.linkage c
                         WHERE c.policy = p.effective_from
                           AND c.valid_until <= clock - p.credential_retention + interval '7 days' OFFSET 0) c
          JOIN epermit.holder h ON h.holder_id = c.holder_id
         WHERE epermit.kept_until(c.valid_until, c.issued_at, p.credential_retention) <= clock
         LIMIT max_rows - permits FOR NO KEY UPDATE OF h SKIP LOCKED)
    DELETE FROM epermit.linkage c USING due d
     WHERE c.holder_id = d.holder_id AND c.linkage_no = d.linkage_no;
    GET DIAGNOSTICS linkages = ROW_COUNT;

    IF permits + linkages > 0 THEN
        PERFORM epermit.audit_event('retention', jsonb_build_object('action', 'erase', 'permits', permits, 'linkages', linkages));
    END IF;
    RETURN permits + linkages;
END $$;
COMMENT ON FUNCTION epermit.erase_expired(int) IS 'Delete up to max_rows permits and linkage results whose policy''s credential_retention has passed, with their events; returns how many. credential_archive keeps what is not personal. From then on verify_permit and verify_linkage answer not_found, documents_linked not_linked; offline the token stays expired, as it was.';

CREATE FUNCTION epermit.purge_attestations(max_rows int DEFAULT 10000) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    purged int;
BEGIN
    DELETE FROM epermit.attestation_use a
     WHERE a.nonce IN (SELECT u.nonce FROM epermit.attestation_use u
                        WHERE u.used_at < clock_timestamp() - interval '24 hours'
                        LIMIT max_rows FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS purged = ROW_COUNT;
    RETURN purged;
END $$;
COMMENT ON FUNCTION epermit.purge_attestations(int) IS 'Forget up to max_rows attestations that were used more than a day ago, and so are long too old to be used again; returns how many.';

CREATE FUNCTION epermit.seal_batch(max_rows int DEFAULT 100000) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    new_seal CONSTANT bigint := epermit.seal_audit(max_rows);
BEGIN
    RETURN EXISTS (SELECT FROM epermit.audit_seal s
                    WHERE s.seal_id = new_seal
                      AND (s.tree_size = max_rows OR s.era <> (SELECT c.system_identifier FROM pg_control_system() c)));
END $$;
COMMENT ON FUNCTION epermit.seal_batch(int) IS 'seal_audit for maintain(): is there more to seal than that one batch, and what came meanwhile?';

-- COMMIT wants neither SECURITY DEFINER nor SET, so this is the caller's code and its steps are the
-- owner's.  Nothing in it is looked up by the caller's search_path.
CREATE PROCEDURE epermit.maintain()
    LANGUAGE plpgsql AS $$
DECLARE
    more boolean;
BEGIN
    BEGIN
        PERFORM epermit.create_audit_partitions();
    EXCEPTION WHEN lock_not_available THEN
        RAISE WARNING 'no audit partitions were made: audit_log is locked'
            USING HINT = 'The next run will make them; there are months of time.';
    END;
    COMMIT;

    LOOP
        EXIT WHEN epermit.erase_expired(1000) OPERATOR(pg_catalog.=) 0;
        COMMIT;
    END LOOP;
    LOOP
        EXIT WHEN epermit.purge_attestations(10000) OPERATOR(pg_catalog.=) 0;
        COMMIT;
    END LOOP;
    COMMIT;

    -- Last, for it alone needs keys.
    LOOP
        BEGIN
            more := epermit.seal_batch(100000);
        EXCEPTION WHEN SQLSTATE 'TP003' OR SQLSTATE 'TP004' THEN
            more := false;
            RAISE WARNING 'nothing was sealed: %', SQLERRM
                USING HINT = 'epermit.health() tells what is missing.';
        END;
        COMMIT;
        EXIT WHEN NOT more;
    END LOOP;
END $$;
COMMENT ON PROCEDURE epermit.maintain() IS 'Everything that has to be done regularly, to be called every hour: partitions of the audit log, erasure of credentials past their retention, used attestations, seals. Small transactions; may be interrupted at any time and run twice at once. Not inside a transaction (2D000). Without a key to seal with it warns. Deleted rows leave the files when (auto)vacuum has come by, and backups when these go. drop_audit_partitions() is the auditor''s.';

-- ---------------------------------------------------------------- figures

CREATE VIEW epermit.unexpired_credential AS
    SELECT 'permit'::text AS kind, c.credential_no, c.kid
      FROM epermit.policy p,
           LATERAL (SELECT i.credential_no, i.kid FROM epermit.permit i
                     WHERE i.policy = p.effective_from AND i.valid_until > pg_catalog.statement_timestamp() OFFSET 0) c
    UNION ALL
    SELECT 'linkage', c.credential_no, c.kid
      FROM epermit.policy p,
           LATERAL (SELECT i.credential_no, i.kid FROM epermit.linkage i
                     WHERE i.policy = p.effective_from AND i.valid_until > pg_catalog.statement_timestamp() OFFSET 0) c;
COMMENT ON VIEW epermit.unexpired_credential IS 'Permits and linkage results that have not ended, revoked ones too; for the functions and views below.';

CREATE VIEW epermit.credentials_in_force WITH (security_barrier) AS
    SELECT k.kind,
           pg_catalog.count(*) FILTER (WHERE c.status = 'valid') AS in_force,
           pg_catalog.count(*) FILTER (WHERE c.status = 'suspended') AS suspended
      FROM (VALUES ('permit'), ('linkage')) AS k (kind)
      LEFT JOIN (SELECT u.kind,
                        COALESCE((SELECT e.status FROM epermit.credential_event e
                                   WHERE e.credential_no OPERATOR(epermit.=) u.credential_no
                                   ORDER BY e.event_no DESC LIMIT 1), 'valid') AS status
                   FROM epermit.unexpired_credential u
                  WHERE NOT EXISTS (SELECT FROM epermit.signing_key s WHERE s.kid = u.kid AND s.state = 'compromised')) c
        ON c.kind = k.kind
     GROUP BY k.kind;
COMMENT ON VIEW epermit.credentials_in_force IS 'How many credentials verify now.';
COMMENT ON COLUMN epermit.credentials_in_force.kind IS 'permit or linkage.';
COMMENT ON COLUMN epermit.credentials_in_force.in_force IS 'Neither ended nor revoked nor suspended, nor signed by a compromised key.';
COMMENT ON COLUMN epermit.credentials_in_force.suspended IS 'Would be in force if they were reinstated.';

CREATE VIEW epermit.issues_per_hour AS
    SELECT pg_catalog.date_trunc('hour', c.issued_at, 'UTC') AS hour, c.kind, c.channel, pg_catalog.count(*) AS issued
      FROM (SELECT p.issued_at, 'permit'::text AS kind, p.channel FROM epermit.permit p
            UNION ALL
            SELECT l.issued_at, 'linkage', l.channel FROM epermit.linkage l
            UNION ALL
            SELECT a.issued_at, CASE WHEN epermit.is_permit(a.credential_no) THEN 'permit' ELSE 'linkage' END, a.channel
              FROM epermit.credential_archive a) c
     GROUP BY 1, 2, 3;
COMMENT ON VIEW epermit.issues_per_hour IS 'Credentials issued since the beginning, erased ones too.';
COMMENT ON COLUMN epermit.issues_per_hour.hour IS 'The hour''s first instant.';
COMMENT ON COLUMN epermit.issues_per_hour.kind IS 'permit or linkage.';
COMMENT ON COLUMN epermit.issues_per_hour.channel IS 'online or counter.';
COMMENT ON COLUMN epermit.issues_per_hour.issued IS 'How many; those revoked since count.';

-- The audit log is large: a month of it is what a dashboard reads, and all that partitions let it read.
CREATE VIEW epermit.refusals_per_hour WITH (security_barrier) AS
    SELECT pg_catalog.date_trunc('hour', l.at, 'UTC') AS hour,
           CASE l.event WHEN 'refuse_permit' THEN 'permit' ELSE 'linkage' END AS kind,
           c.code, pg_catalog.count(DISTINCT l.id) AS refusals
      FROM epermit.audit_log l, pg_catalog.unnest(l.codes) AS c (code)
     WHERE l.event IN ('refuse_permit', 'refuse_linkage') AND l.at >= pg_catalog.now() - interval '31 days'
     GROUP BY 1, 2, 3;
COMMENT ON VIEW epermit.refusals_per_hour IS 'Applications refused in the last 31 days, by problem; for the time before see audit_events.';
COMMENT ON COLUMN epermit.refusals_per_hour.hour IS 'The hour''s first instant.';
COMMENT ON COLUMN epermit.refusals_per_hour.kind IS 'What was applied for: permit or linkage.';
COMMENT ON COLUMN epermit.refusals_per_hour.code IS 'A problem (problem_catalog), also one that the applicant was not shown.';
COMMENT ON COLUMN epermit.refusals_per_hour.refusals IS 'Applications that had it. One with several problems counts under each.';

CREATE VIEW epermit.verifications_per_hour WITH (security_barrier) AS
    SELECT pg_catalog.date_trunc('hour', l.at, 'UTC') AS hour, l.department, l.purpose, l.verdict,
           pg_catalog.count(*) AS verifications
      FROM epermit.audit_log l
     WHERE l.event IN ('verify_permit', 'verify_linkage', 'documents_linked')
       AND l.at >= pg_catalog.now() - interval '31 days'
     GROUP BY 1, 2, 3, 4;
COMMENT ON VIEW epermit.verifications_per_hour IS 'Verifications by departments in the last 31 days; for the time before see audit_events.';
COMMENT ON COLUMN epermit.verifications_per_hour.hour IS 'The hour''s first instant.';
COMMENT ON COLUMN epermit.verifications_per_hour.department IS 'Who verified.';
COMMENT ON COLUMN epermit.verifications_per_hour.purpose IS 'What for.';
COMMENT ON COLUMN epermit.verifications_per_hour.verdict IS 'What it came to.';
COMMENT ON COLUMN epermit.verifications_per_hour.verifications IS 'How many, those on standbys once they are imported.';

CREATE VIEW epermit.audit_events AS
    SELECT l.id AS audit_id, l.at, l.event, l.login_role, l.calling_role, l.department, l.holder_id, l.credential_no,
           l.purpose, l.verdict, l.codes, l.attempt, l.request_id, l.detail
      FROM epermit.audit_log l;
COMMENT ON VIEW epermit.audit_events IS 'The audit log for its readers. Ask for a range of at, or it is read whole.';
COMMENT ON COLUMN epermit.audit_events.audit_id IS 'As in verification.audit_id and audit_proof(id).';
COMMENT ON COLUMN epermit.audit_events.at IS 'The clock when it happened; on a standby, that standby''s.';
COMMENT ON COLUMN epermit.audit_events.event IS 'What happened; see the comment on audit_log.';
COMMENT ON COLUMN epermit.audit_events.login_role IS 'Who was logged in.';
COMMENT ON COLUMN epermit.audit_events.calling_role IS 'Which role called (SET ROLE).';
COMMENT ON COLUMN epermit.audit_events.department IS 'The department this role is.';
COMMENT ON COLUMN epermit.audit_events.holder_id IS 'Whom it concerns.';
COMMENT ON COLUMN epermit.audit_events.credential_no IS 'Which permit or linkage result it concerns.';
COMMENT ON COLUMN epermit.audit_events.purpose IS 'Of a verification.';
COMMENT ON COLUMN epermit.audit_events.verdict IS 'Of a verification.';
COMMENT ON COLUMN epermit.audit_events.codes IS 'Of a refusal: its problems, also those that the applicant was not shown.';
COMMENT ON COLUMN epermit.audit_events.attempt IS 'Counts against attempts_per_day.';
COMMENT ON COLUMN epermit.audit_events.request_id IS 'Of an application.';
COMMENT ON COLUMN epermit.audit_events.detail IS 'What else there is to say of such an event.';

-- ---------------------------------------------------------------- guards

CREATE FUNCTION epermit.triggers(OUT tab name, OUT name text, OUT enabled "char", OUT fires smallint, OUT function name,
                                 OUT arguments bytea) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    -- A foreign key's triggers are named after their oids: by key and function they can be told again.
    SELECT c.relname,
           CASE WHEN g.tgisinternal THEN format('%s.%s', k.conname, f.proname) ELSE g.tgname::text END,
           g.tgenabled, g.tgtype, f.proname, g.tgargs
      FROM pg_class c
      JOIN pg_trigger g ON g.tgrelid = c.oid
      JOIN pg_proc f ON f.oid = g.tgfoid
      LEFT JOIN pg_constraint k ON k.oid = g.tgconstraint
     WHERE c.relnamespace = 'epermit'::regnamespace
$$;
COMMENT ON FUNCTION epermit.triggers() IS 'The triggers there are on the tables of the schema.';

CREATE TABLE epermit.guard (
    tab       name NOT NULL,
    name      text NOT NULL,
    enabled   "char" NOT NULL,
    fires     smallint NOT NULL,
    function  name NOT NULL,
    arguments bytea NOT NULL,
    PRIMARY KEY (tab, name)
);
COMMENT ON TABLE epermit.guard IS 'The triggers that there have to be, as CREATE EXTENSION made them (95_guards.sql): what health() compares with. Not dumped.';

-- ---------------------------------------------------------------- health

-- Each function gives all its checks, always: problem is NULL where all is well, fact says how things are.

CREATE FUNCTION epermit.verifies_only() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*) > 0 AND count(k.sealed_seed) = 0 FROM epermit.signing_key k WHERE k.usage IN ('permit', 'linkage')
$$;
COMMENT ON FUNCTION epermit.verifies_only() IS 'Has this database other parties'' keys for permits or linkage results, and never had one of its own?';

CREATE FUNCTION epermit.health_of_issuing(OUT name text, OUT problem text, OUT fact text) RETURNS SETOF record
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'Etc/GMT-8' AS $$
#variable_conflict use_column
DECLARE
    verifies_only CONSTANT boolean := epermit.verifies_only();
BEGIN
    RETURN QUERY
        SELECT 'key_' || u.usage,
               CASE WHEN a.kid IS NULL AND NOT verifies_only AND u.usage <> 'root' AND NOT (u.usage = 'attestation' AND other.trusted)
                    THEN format('There is no active %s key: %s. A keeper calls SELECT epermit.create_signing_key(%L).', u.usage,
                                CASE u.usage WHEN 'permit' THEN 'no permit can be issued'
                                             WHEN 'linkage' THEN 'no linkage result can be issued'
                                             WHEN 'status' THEN 'neither status lists nor audit seals can be signed'
                                             ELSE 'attest() signs nothing' END, u.usage) END,
               CASE WHEN a.kid IS NOT NULL
                    THEN format('%s, since %s', encode(a.kid, 'hex'), to_char(a.created_at, 'YYYY-MM-DD'))
                    WHEN u.usage = 'attestation' AND other.trusted THEN 'none of our own, an imported one'
                    WHEN u.usage = 'root' THEN 'none: key_list() is not available'
                    ELSE 'none: this database only verifies' END
          FROM unnest(enum_range(NULL::epermit.key_usage)) u (usage)
          LEFT JOIN epermit.signing_key a ON a.usage = u.usage AND a.state = 'active' AND a.sealed_seed IS NOT NULL,
               LATERAL (SELECT EXISTS (SELECT FROM epermit.signing_key i
                                        WHERE i.usage = u.usage AND i.state = 'active' AND i.sealed_seed IS NULL)) other (trusted)
         ORDER BY u.usage;

    -- The root key is what verifiers have by hand: it stays.
    RETURN QUERY
        SELECT 'key_age',
               'Older than a year: ' || string_agg(format('the %s key of %s', k.usage, to_char(k.created_at, 'YYYY-MM-DD')), ', ' ORDER BY k.usage)
               || '. A keeper calls SELECT epermit.rotate_signing_key(usage), once verifiers can have the new public key.',
               'no active key is older than a year'
          FROM epermit.signing_key k
         WHERE k.state = 'active' AND k.sealed_seed IS NOT NULL AND k.usage <> 'root'
           AND k.created_at < clock_timestamp() - interval '1 year';

    RETURN QUERY
        SELECT 'master_key',
               CASE WHEN place = 'generated'
                    THEN 'The master key was generated in the data directory, where each base backup has it beside what it seals: not fit for production. Move it to where epermit.master_key_file says, or make another and call SELECT epermit.reseal_keys().'
                    WHEN place = 'missing' AND NOT verifies_only
                    THEN 'There is no master key: nothing can be signed. Set epermit.master_key_file or epermit.master_key_command, and have the file there.' END,
               CASE place WHEN 'missing' THEN 'none: this database only verifies' ELSE 'from the ' || place END
          FROM epermit.master_key_place() place;

    RETURN QUERY
        SELECT 'compromised_credentials',
               'Unexpired, and void since their key was compromised: ' || string_agg(format('%s of %s', s.credentials, encode(s.kid, 'hex')), ', ' ORDER BY s.kid)
               || '. Re-issue what SELECT epermit.credentials_to_reissue(kid) lists.',
               'no unexpired credential is of a compromised key'
          FROM (SELECT u.kid, count(*) AS credentials FROM epermit.unexpired_credential u
                  JOIN epermit.signing_key k ON k.kid = u.kid AND k.state = 'compromised'
                 GROUP BY u.kid) s;

    -- src/status_list.c: 131,072 entries a list, lists are numbered by int.
    RETURN QUERY
        SELECT 'status_list',
               CASE WHEN s.last_value / 131072 > 2147483647 - 1000
                    THEN format('Status list %s of 2147483647: when they are used up nothing can be issued. Issue from another database.', s.last_value / 131072) END,
               format('at list %s of 2147483647', s.last_value / 131072)
          FROM epermit.status_seq s;

    RETURN QUERY
        SELECT 'policy',
               CASE WHEN p.effective_from IS NULL
                    THEN 'No policy is in force: nothing can be issued. Is the clock right? SELECT epermit.set_policy(...) needs one to start from; restore epermit.policy.' END,
               format('in force since %s', to_char(p.effective_from, 'YYYY-MM-DD HH24:MI'))
          FROM (VALUES (1)) one LEFT JOIN epermit.policy_in_force p ON true;

    RETURN QUERY
        SELECT 'issuer',
               CASE WHEN i.iss IS NULL OR (i.iss ~ '^https://epermit\.invalid' OR i.status_list_base ~ '^https://epermit\.invalid') AND NOT verifies_only
                    THEN 'Tokens name a placeholder as their issuer. UPDATE epermit.issuer SET iss = ..., status_list_base = ... before the first credential is issued.' END,
               i.iss
          FROM (VALUES (1)) one LEFT JOIN epermit.issuer i ON true;
END $$;
COMMENT ON FUNCTION epermit.health_of_issuing() IS 'Part of health().';

CREATE FUNCTION epermit.health_of_roles(OUT name text, OUT problem text, OUT fact text) RETURNS SETOF record
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        SELECT 'exclusive_roles',
               'More than one of keeper, admin and auditor: ' || string_agg(format('%I (%s)', h.rolname, h.roles), ', ' ORDER BY h.rolname)
               || '. REVOKE all but one.',
               'nobody but superusers has two of keeper, admin and auditor'
          FROM (SELECT r.rolname, string_agg(g.rolname, ', ' ORDER BY g.rolname) AS roles
                  FROM pg_roles r
                  JOIN pg_roles g ON g.rolname IN ('epermit_keeper', 'epermit_admin', 'epermit_auditor')
                                 AND pg_has_role(r.oid, g.oid, 'MEMBER')
                 WHERE NOT r.rolsuper
                 GROUP BY r.rolname HAVING count(*) > 1) h;

    RETURN QUERY
        SELECT 'group_roles',
               'No longer what they have to be: ' || string_agg(format('%s %s', g.name, g.fault), ', ' ORDER BY g.name)
               || '. They are groups: ALTER ROLE ... NOLOGIN NOSUPERUSER, CREATE ROLE what is missing, then grant anew.',
               'the eight group roles are there and cannot log in'
          FROM (SELECT n.name, CASE WHEN r.rolname IS NULL THEN 'is missing' WHEN r.rolsuper THEN 'is a superuser'
                                    WHEN r.rolcanlogin THEN 'can log in' END AS fault
                  FROM unnest(ARRAY['epermit_issuer', 'epermit_officer', 'epermit_registrar', 'epermit_verifier',
                                    'epermit_attestor', 'epermit_keeper', 'epermit_admin', 'epermit_auditor']) n (name)
                  LEFT JOIN pg_roles r ON r.rolname = n.name) g
         WHERE g.fault IS NOT NULL;

    RETURN QUERY
        SELECT 'powerful_roles', NULL,
               concat_ws('; ', 'superusers, whom nothing here binds: ' || string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname) FILTER (WHERE r.rolsuper),
                         'may make roles: ' || string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname) FILTER (WHERE r.rolcreaterole AND NOT r.rolsuper),
                         'read or write every table: ' || string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname)
                             FILTER (WHERE NOT r.rolsuper AND r.rolname !~ '^pg_'
                                       AND (pg_has_role(r.oid, 'pg_read_all_data', 'MEMBER') OR pg_has_role(r.oid, 'pg_write_all_data', 'MEMBER'))))
          FROM pg_roles r;
END $$;
COMMENT ON FUNCTION epermit.health_of_roles() IS 'Part of health().';

CREATE FUNCTION epermit.health_of_audit(OUT name text, OUT problem text, OUT fact text) RETURNS SETOF record
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'Etc/GMT-8' AS $$
#variable_conflict use_column
DECLARE
    clock      CONSTANT timestamptz := clock_timestamp();
    this_month CONSTANT timestamptz := date_trunc('month', clock);
    this_era   CONSTANT bigint := (SELECT c.system_identifier FROM pg_control_system() c);
    -- Months with a partition of their own.
    months     CONSTANT timestamptz[] := ARRAY(SELECT p.starts FROM epermit.audit_partition p
                                                WHERE p.starts IS NOT NULL ORDER BY p.starts);
    -- Months of the first and the last row in the net.
    net_from   CONSTANT timestamptz := (SELECT date_trunc('month', d.at) FROM epermit.audit_log_default d ORDER BY d.id LIMIT 1);
    net_to     CONSTANT timestamptz := (SELECT date_trunc('month', d.at) FROM epermit.audit_log_default d ORDER BY d.id DESC LIMIT 1);
    retention  CONSTANT interval := (SELECT p.audit_retention FROM epermit.policy_in_force p);
BEGIN
    RETURN QUERY
        SELECT 'audit_partitions',
               'No partition for ' || string_agg(to_char(m.starts, 'YYYY-MM'), ', ' ORDER BY m.starts) || '. CALL epermit.maintain(), at least monthly.',
               format('made up to %s', to_char(months[cardinality(months)], 'YYYY-MM'))
          FROM unnest(ARRAY[this_month, this_month + interval '1 month']) m (starts)
         WHERE m.starts <> ALL (months)
           -- A month that the net holds rows of stays there.
           AND NOT EXISTS (SELECT FROM epermit.audit_log_default d WHERE d.at >= m.starts AND d.at < m.starts + interval '1 month');

    -- The first month of a log is often begun before there are partitions; others need not be.
    RETURN QUERY
        SELECT 'audit_default',
               CASE WHEN net_to >= this_month AND (net_from < net_to OR months[1] < net_to)
                    THEN format('The events of %s lie in audit_log_default and stay there till retention drops them: its partition was not made in time. CALL epermit.maintain() at least monthly.',
                                to_char(net_to, 'YYYY-MM')) END,
               CASE WHEN net_to IS NULL THEN 'audit_log_default is empty'
                    WHEN net_to < this_month THEN format('audit_log_default has events up to %s, for retention to drop', to_char(net_to, 'YYYY-MM'))
                    ELSE 'audit_log_default has the first month of the log' END;

    RETURN QUERY
        WITH RECURSIVE eras (era) AS (
            SELECT min(l.era) FROM epermit.audit_log l
            UNION ALL
            SELECT (SELECT min(l.era) FROM epermit.audit_log l WHERE l.era > e.era) FROM eras e WHERE e.era IS NOT NULL
        ), unsealed AS (
            SELECT f.at, e.era <> this_era OR f.xid < pg_snapshot_xmin(pg_current_snapshot()) AS sealable
              FROM eras e
              LEFT JOIN LATERAL (SELECT s.upto_xid, s.upto_id FROM epermit.audit_seal s WHERE s.era = e.era
                                  ORDER BY s.seal_id DESC LIMIT 1) s ON true,
                   LATERAL (SELECT l.at, l.xid FROM epermit.audit_log l
                             WHERE l.era = e.era AND l.xid >= COALESCE(s.upto_xid, '0')
                               AND (s.upto_xid IS NULL OR (l.xid, l.id) > (s.upto_xid, s.upto_id))
                             ORDER BY l.xid, l.id LIMIT 1) f
        )
        SELECT 'seal_lag',
               CASE WHEN u.sealable_from < clock - interval '2 hours'
                    THEN format('Events since %s are not sealed. CALL epermit.maintain() every hour, and see what it says.', to_char(u.sealable_from, 'YYYY-MM-DD HH24:MI'))
                    WHEN u.unsealed_from < clock - interval '1 day'
                    THEN format('Events since %s cannot be sealed: a transaction from before them has not ended. See backend_xid in pg_stat_activity, and pg_prepared_xacts.', to_char(u.unsealed_from, 'YYYY-MM-DD HH24:MI')) END,
               CASE WHEN u.unsealed_from IS NULL THEN 'all is sealed' ELSE format('sealed up to %s', to_char(u.unsealed_from, 'YYYY-MM-DD HH24:MI')) END
          FROM (SELECT min(u.at) AS unsealed_from, min(u.at) FILTER (WHERE u.sealable) AS sealable_from FROM unsealed u) u;

    RETURN QUERY
        SELECT 'last_seal', 'Seal ' || s.seal_id || ': ' || f.fault,
               CASE WHEN s.seal_id IS NULL THEN 'there is none yet' ELSE format('seal %s of %s is good', s.seal_id, to_char(s.at, 'YYYY-MM-DD HH24:MI')) END
          FROM (VALUES (1)) one
          LEFT JOIN (SELECT * FROM epermit.audit_seal a ORDER BY a.seal_id DESC LIMIT 1) s ON true
          LEFT JOIN LATERAL epermit.read_audit_head(s.head) h ON true,
               LATERAL (SELECT CASE WHEN h.problem = 'compromised key'
                                    THEN 'its key is compromised. A keeper calls SELECT epermit.create_signing_key(''status''); the next seal vouches for those before it.'
                                    WHEN h.problem IS NOT NULL
                                         OR (h.seal_id, h.at, h.era, h.upto_xid, h.upto_id, h.tree_size, h.root, h.previous)
                                            IS DISTINCT FROM (s.seal_id, s.at, s.era, s.upto_xid, s.upto_id, s.tree_size, s.root, s.previous)
                                         OR s.previous IS DISTINCT FROM (SELECT sha256(b.head) FROM epermit.audit_seal b WHERE b.seal_id = s.seal_id - 1)
                                    THEN format('%s. The log was tampered with or is damaged: SELECT * FROM epermit.verify_audit() WHERE NOT ok.',
                                                COALESCE(h.problem, 'its row, or the seal before it, is another one')) END) f (fault);

    RETURN QUERY
        SELECT 'retention_audit',
               'Past audit_retention: ' || string_agg(p.name, ', ' ORDER BY p.name) || '. An auditor calls SELECT epermit.drop_audit_partitions().',
               'no month of the log is past its retention'
          FROM (SELECT a.name::text FROM epermit.audit_partition a WHERE a.ends <= date_trunc('month', clock - retention)
                UNION ALL
                SELECT 'audit_log_default' WHERE net_from < date_trunc('month', clock - retention)) p;
END $$;
COMMENT ON FUNCTION epermit.health_of_audit() IS 'Part of health().';

CREATE FUNCTION epermit.health_of_data(OUT name text, OUT problem text, OUT fact text) RETURNS SETOF record
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    clock CONSTANT timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
        SELECT 'retention_credentials',
               CASE WHEN d.overdue > 0
                    THEN format('Credentials more than a day past their retention, with their personal data: %s. CALL epermit.maintain() every hour.', d.overdue) END,
               'no personal data is past its retention'
          FROM (SELECT count(*) AS overdue
                  FROM epermit.policy p,
                       LATERAL (SELECT c.valid_until, c.issued_at FROM epermit.permit c
                                 WHERE c.policy = p.effective_from AND c.valid_until <= clock - p.credential_retention + interval '7 days'
                                UNION ALL
                                SELECT c.valid_until, c.issued_at FROM epermit.linkage c
                                 WHERE c.policy = p.effective_from AND c.valid_until <= clock - p.credential_retention + interval '7 days'
                                OFFSET 0) c
                 WHERE epermit.kept_until(c.valid_until, c.issued_at, p.credential_retention) < clock - interval '1 day') d;

    RETURN QUERY
        SELECT 'attestation_use',
               CASE WHEN EXISTS (SELECT FROM epermit.attestation_use a WHERE a.used_at < clock - interval '2 days')
                    THEN 'Attestations used more than two days ago are still there. CALL epermit.maintain() every hour.' END,
               'no used attestation is older than two days';

    RETURN QUERY
        SELECT 'encoding',
               CASE WHEN pg_encoding_to_char(d.encoding) <> 'UTF8'
                    THEN format('The database has encoding %s, and names are Unicode. Dump it and restore into one with UTF8.', pg_encoding_to_char(d.encoding)) END,
               'UTF8'
          FROM pg_database d WHERE d.datname = current_database();

    RETURN QUERY
        WITH expected AS (
            SELECT g.* FROM epermit.guard g
            UNION ALL
            SELECT c.relname, g.name, g.enabled, g.fires, g.function, g.arguments
              FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid, epermit.guard g
             WHERE i.inhparent = 'epermit.audit_log'::regclass AND c.relname <> 'audit_log_default' AND g.tab = 'audit_log_default'
        ), fault AS (
            SELECT format('%s of %s %s', e.name, e.tab,
                          CASE WHEN t.name IS NULL THEN 'is missing'
                               WHEN (t.fires, t.function, t.arguments) <> (e.fires, e.function, e.arguments) THEN 'is another one'
                               WHEN e.enabled = 'D' THEN 'is enabled'
                               WHEN t.enabled = 'D' THEN 'is disabled'
                               ELSE format('is enabled as %s, not %s', t.enabled, e.enabled) END) AS text
              FROM expected e LEFT JOIN epermit.triggers() t ON t.tab = e.tab AND t.name = e.name
             WHERE (t.enabled, t.fires, t.function, t.arguments) IS DISTINCT FROM (e.enabled, e.fires, e.function, e.arguments)
        )
        SELECT 'guards',
               'Triggers that are the law are not what they have to be: ' || string_agg(f.text, '; ' ORDER BY f.text)
               || '. Put them back (ALTER TABLE ... ENABLE ALWAYS TRIGGER ... makes A), then look at what was written meanwhile.',
               format('all %s triggers are there and enabled as they were made', (SELECT count(*) FROM expected))
          FROM fault f;
END $$;
COMMENT ON FUNCTION epermit.health_of_data() IS 'Part of health().';

CREATE FUNCTION epermit.health_of_server(OUT name text, OUT problem text, OUT fact text) RETURNS SETOF record
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF pg_is_in_recovery() THEN
        RETURN QUERY VALUES ('durability', NULL, 'the primary''s'), ('standbys', NULL, 'this is one');
        RETURN;
    END IF;

    RETURN QUERY
        SELECT 'durability',
               CASE WHEN NOT epermit.verifies_only() THEN 'A permit that was acknowledged can be lost, and its quota granted again: ' || nullif(concat_ws(', ',
                   CASE WHEN current_setting('fsync') = 'off' THEN 'fsync is off' END,
                   CASE WHEN current_setting('full_page_writes') = 'off' THEN 'full_page_writes is off' END,
                   CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
                        THEN 'synchronous_commit is ' || current_setting('synchronous_commit') END,
                   CASE WHEN current_setting('synchronous_standby_names') = '' THEN 'synchronous_standby_names is empty' END), '')
               || '. Not fit for production: turn on what is off, and set up a synchronous standby.' END,
               CASE WHEN epermit.verifies_only() THEN 'this database only verifies' ELSE 'commits wait for the disk and for a standby' END;

    RETURN QUERY
        SELECT 'standbys',
               nullif(concat_ws(' ',
                   CASE WHEN current_setting('synchronous_standby_names') <> '' AND count(*) FILTER (WHERE r.sync_state IN ('sync', 'quorum')) = 0
                        THEN 'No synchronous standby is connected: commits wait for one.' END,
                   'More than 256 MB behind: ' || string_agg(format('%s, by %s', r.application_name, pg_size_pretty(r.behind)), '; ' ORDER BY r.application_name)
                       FILTER (WHERE r.behind > 256 * 1024 * 1024)
                   || '. Verification there does not know what was issued or revoked since.',
                   (SELECT 'Nobody reads from these replication slots, and WAL piles up for them: ' || string_agg(l.slot_name, ', ' ORDER BY l.slot_name)
                           || '. Start what did, or drop them.'
                      FROM pg_replication_slots l WHERE NOT l.active)), ''),
               COALESCE(string_agg(format('%s (%s)', r.application_name, r.sync_state), ', ' ORDER BY r.application_name), 'none is connected')
          FROM (SELECT s.application_name, s.sync_state, pg_wal_lsn_diff(pg_current_wal_lsn(), s.replay_lsn)::bigint AS behind
                  FROM pg_stat_replication s) r;
END $$;
COMMENT ON FUNCTION epermit.health_of_server() IS 'Part of health().';

CREATE FUNCTION epermit.health() RETURNS TABLE ("check" text, ok boolean, detail text)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
    SELECT h.name, h.problem IS NULL, COALESCE(h.problem, h.fact)
      FROM (SELECT * FROM epermit.health_of_issuing()
            UNION ALL SELECT * FROM epermit.health_of_roles()
            UNION ALL SELECT * FROM epermit.health_of_audit()
            UNION ALL SELECT * FROM epermit.health_of_data()
            UNION ALL SELECT * FROM epermit.health_of_server()) h
$$;
COMMENT ON FUNCTION epermit.health() IS 'How things stand, a row for each check, always all of them: check (its name), ok, and detail: where not ok, what is wrong and who does what about it. Works on a standby too. Times are Beijing''s.';
