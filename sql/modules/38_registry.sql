-- Registry: people and their documents.
--
-- The registrar may write the three tables directly (INSERT, COPY, UPDATE), so the rules stand in
-- their triggers, and the functions below only spare him the SQL.  On INSERT a trigger reads no table
-- but that of the holders, so rows come back in the order of 87_dump.sql.  No message repeats a value.

CREATE SEQUENCE epermit.holder_serial MINVALUE 0 START 0;
COMMENT ON SEQUENCE epermit.holder_serial IS 'Its low 24 bits are the serials of new holders.';
SELECT pg_catalog.pg_extension_config_dump('epermit.holder_serial', '');

CREATE FUNCTION epermit.clean_name(field text, value text, max_chars int) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_clean_name';
COMMENT ON FUNCTION epermit.clean_name(text, text, int) IS 'A name trimmed, runs of spaces collapsed, separators folded to U+00B7; 22023, naming field and rule, where it is empty, too long or has characters that no name has.';

CREATE FUNCTION epermit.issue_count(travel_permit_no text) RETURNS smallint
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_issue_count';
COMMENT ON FUNCTION epermit.issue_count(text) IS 'Issue count that a travel permit number was written with (the 01 of H1234567801); NULL without one.';

-- ---------------------------------------------------------------- rules

CREATE FUNCTION epermit.check_holder() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing text;
    bucket  bigint;
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.holder_id IS DISTINCT FROM OLD.holder_id
                             OR NEW.registered_as IS NULL OR NEW.registered_as OPERATOR(epermit.<>) OLD.registered_as)
    THEN
        RAISE EXCEPTION 'holder_id and registered_as of a holder never change'
            USING ERRCODE = 'TP002', DETAIL = 'Every credential number carries the one, the other fixes its bucket.';
    END IF;

    missing := CASE WHEN NEW.registered_as IS NULL THEN 'registered_as'
                    WHEN NEW.name_zh IS NULL THEN 'name_zh'
                    WHEN NEW.name_romanised IS NULL THEN 'name_romanised'
                    WHEN NEW.birth_date IS NULL THEN 'birth_date'
                    WHEN NEW.sex IS NULL THEN 'sex'
                    WHEN NEW.region IS NULL THEN 'region'
                    WHEN NEW.nationality IS NULL THEN 'nationality' END;
    IF missing IS NOT NULL THEN
        PERFORM epermit.refuse_value(missing, 'missing', 'a holder has one');
    END IF;

    -- Tokens carry NFC.
    NEW.name_zh := epermit.clean_name('name_zh', normalize(NEW.name_zh, NFC), 50);
    NEW.name_romanised := epermit.clean_name('name_romanised', normalize(NEW.name_romanised, NFC), 120);

    IF NOT isfinite(NEW.birth_date) OR NEW.birth_date > (clock_timestamp() AT TIME ZONE 'Etc/GMT-8')::date THEN
        PERFORM epermit.refuse_value('birth_date', 'future', 'it is not after today');
    END IF;
    -- Tokens write it as YYYYMMDD.
    IF NEW.birth_date < '1800-01-01' THEN
        PERFORM epermit.refuse_value('birth_date', 'past', 'it is not before 1800');
    END IF;
    IF NEW.region <> epermit.region(NEW.registered_as) THEN
        PERFORM epermit.refuse_value('region', 'mismatch', 'the travel permit number tells another one');
    END IF;
    IF NEW.nationality !~ '^[A-Z]{3}$' THEN
        PERFORM epermit.refuse_value('nationality', 'charset', 'it is three capital letters (ISO 3166 alpha-3)');
    END IF;
    -- Their permits say that they are not Chinese; XXX is ICAO's unspecified nationality.
    IF NEW.nationality = 'CHN' AND epermit.kind(NEW.registered_as) = 'hk_macau_foreign' THEN
        NEW.nationality := 'XXX';
    END IF;

    IF TG_OP = 'UPDATE' THEN
        IF EXISTS (SELECT FROM epermit.residence_permit r
                    WHERE r.holder_id = NEW.holder_id AND epermit.birth_date(r.residence_permit_no) <> NEW.birth_date)
        THEN
            PERFORM epermit.refuse_value('birth_date', 'mismatch', 'the holder''s residence permit tells another one');
        END IF;
        IF NEW.sex <> 'other'
           AND EXISTS (SELECT FROM epermit.residence_permit r
                        WHERE r.holder_id = NEW.holder_id AND epermit.sex(r.residence_permit_no) <> NEW.sex)
        THEN
            PERFORM epermit.refuse_value('sex', 'mismatch', 'the holder''s residence permit tells another one');
        END IF;
        RETURN NEW;
    END IF;

    bucket := epermit.holder_bucket(NEW.registered_as);
    WHILE NEW.holder_id IS NULL LOOP
        NEW.holder_id := (bucket << 24) | (nextval('epermit.holder_serial') & 16777215);
        IF EXISTS (SELECT FROM epermit.holder h WHERE h.holder_id = NEW.holder_id) THEN
            NEW.holder_id := NULL;
        END IF;
    END LOOP;
    IF NEW.holder_id < 0 OR NEW.holder_id >> 24 <> bucket THEN
        PERFORM epermit.refuse_value('holder_id', 'bucket', 'its upper 16 bits are holder_bucket(registered_as)');
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION epermit.check_holder() IS 'Trigger of holder: allocates holder_id where NULL, cleans names, and refuses (22023) what does not fit together; TP002 where holder_id or registered_as would change.';

CREATE FUNCTION epermit.check_travel_permit() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing       text;
    holder_region epermit.region;
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.holder_id IS DISTINCT FROM OLD.holder_id OR NEW.travel_permit_no IS NULL
                             OR NEW.travel_permit_no OPERATOR(epermit.<>) OLD.travel_permit_no)
    THEN
        RAISE EXCEPTION 'number and holder of a travel permit never change'
            USING ERRCODE = 'TP002', DETAIL = 'A number is one person''s for life.';
    END IF;

    missing := CASE WHEN NEW.travel_permit_no IS NULL THEN 'travel_permit_no'
                    WHEN NEW.holder_id IS NULL THEN 'holder_id'
                    WHEN NEW.valid_until IS NULL OR NOT isfinite(NEW.valid_until) THEN 'valid_until'
                    WHEN NEW.status IS NULL THEN 'status' END;
    IF missing IS NOT NULL THEN
        PERFORM epermit.refuse_value(missing, 'missing', 'a travel permit has one');
    END IF;
    IF NEW.issue_count NOT BETWEEN 0 AND 99 THEN
        PERFORM epermit.refuse_value('issue_count', 'length', 'it has at most two digits');
    END IF;

    SELECT h.region INTO holder_region FROM epermit.holder h WHERE h.holder_id = NEW.holder_id;
    IF NOT FOUND THEN
        PERFORM epermit.refuse_value('holder_id', 'unknown', 'there is no such holder');
    END IF;
    IF holder_region <> epermit.region(NEW.travel_permit_no) THEN
        PERFORM epermit.refuse_value('travel_permit_no', 'mismatch', 'it is of another region than its holder');
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION epermit.check_travel_permit() IS 'Trigger of travel_permit: 22023 where number and holder do not fit together, TP002 where they would change.';

CREATE FUNCTION epermit.check_residence_permit() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing text;
    holder  epermit.holder;
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.holder_id IS DISTINCT FROM OLD.holder_id OR NEW.residence_permit_no IS NULL
                             OR NEW.residence_permit_no OPERATOR(epermit.<>) OLD.residence_permit_no)
    THEN
        RAISE EXCEPTION 'number and holder of a residence permit never change'
            USING ERRCODE = 'TP002', DETAIL = 'A number is one person''s for life.';
    END IF;

    missing := CASE WHEN NEW.residence_permit_no IS NULL THEN 'residence_permit_no'
                    WHEN NEW.holder_id IS NULL THEN 'holder_id'
                    WHEN NEW.valid_until IS NULL OR NOT isfinite(NEW.valid_until) THEN 'valid_until'
                    WHEN NEW.status IS NULL THEN 'status' END;
    IF missing IS NOT NULL THEN
        PERFORM epermit.refuse_value(missing, 'missing', 'a residence permit has one');
    END IF;

    -- Locked, lest birth date or sex change under us.
    SELECT h.* INTO holder FROM epermit.holder h WHERE h.holder_id = NEW.holder_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM epermit.refuse_value('holder_id', 'unknown', 'there is no such holder');
    END IF;
    IF epermit.kind(holder.registered_as) = 'hk_macau_foreign' THEN
        PERFORM epermit.refuse_value('holder_id', 'holder_class',
            'a non-Chinese permanent resident of Hong Kong or Macao has no residence permit');
    END IF;
    IF epermit.region(NEW.residence_permit_no) <> holder.region THEN
        PERFORM epermit.refuse_value('residence_permit_no', 'region_code', 'it is of another region than its holder');
    END IF;
    IF epermit.birth_date(NEW.residence_permit_no) <> holder.birth_date THEN
        PERFORM epermit.refuse_value('residence_permit_no', 'birth_date', 'its holder was born on another day');
    END IF;
    IF holder.sex <> 'other' AND epermit.sex(NEW.residence_permit_no) <> holder.sex THEN
        PERFORM epermit.refuse_value('residence_permit_no', 'sex', 'its holder has another one');
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION epermit.check_residence_permit() IS 'Trigger of residence_permit: 22023 where number and holder do not fit together, TP002 where they would change.';

DO $$
DECLARE
    tab name;
BEGIN
    FOREACH tab IN ARRAY ARRAY['holder', 'travel_permit', 'residence_permit']::name[]
    LOOP
        EXECUTE pg_catalog.format($sql$
            CREATE TRIGGER rules BEFORE INSERT OR UPDATE ON epermit.%1$I
                FOR EACH ROW EXECUTE FUNCTION epermit.check_%1$s();
            ALTER TABLE epermit.%1$I ENABLE ALWAYS TRIGGER rules;
            $sql$, tab);
    END LOOP;
END $$;

-- ---------------------------------------------------------------- functions

CREATE FUNCTION epermit.register_holder(travel_permit_no text, valid_until date, name_zh text, name_romanised text,
                                        birth_date date, sex epermit.sex, region epermit.region) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    new_id bigint;
BEGIN
    BEGIN
        INSERT INTO epermit.holder (registered_as, name_zh, name_romanised, birth_date, sex, region)
            VALUES (register_holder.travel_permit_no::epermit.travel_permit_no, register_holder.name_zh,
                    register_holder.name_romanised, register_holder.birth_date, register_holder.sex, register_holder.region)
            RETURNING holder_id INTO new_id;
        INSERT INTO epermit.travel_permit (travel_permit_no, holder_id, valid_until, issue_count)
            VALUES (register_holder.travel_permit_no::epermit.travel_permit_no, new_id, register_holder.valid_until,
                    epermit.issue_count(register_holder.travel_permit_no));
    EXCEPTION WHEN unique_violation THEN
        -- The server's own message would repeat the number.
        RAISE EXCEPTION 'this travel permit number is registered already'
            USING ERRCODE = 'unique_violation', HINT = 'Renew it with register_travel_permit().';
    END;
    PERFORM epermit.audit_event('registry', jsonb_build_object('action', 'register_holder', 'holder_id', new_id));
    RETURN new_id;
END $$;
COMMENT ON FUNCTION epermit.register_holder(text, date, text, text, date, epermit.sex, epermit.region) IS 'Register a person with the travel permit that he or she is first known by; returns holder_id. valid_until: the permit''s last day. name_zh: up to 50 characters, name_romanised up to 120. 22023 names the field and the rule it breaks, 22P02 a malformed number, 23505 one that is registered already.';

CREATE FUNCTION epermit.register_travel_permit(holder_id bigint, travel_permit_no text, valid_until date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- A renewed document is a good one again.
    INSERT INTO epermit.travel_permit AS t (travel_permit_no, holder_id, valid_until, issue_count)
        VALUES (register_travel_permit.travel_permit_no::epermit.travel_permit_no, register_travel_permit.holder_id,
                register_travel_permit.valid_until, epermit.issue_count(register_travel_permit.travel_permit_no))
        ON CONFLICT ON CONSTRAINT travel_permit_pkey DO UPDATE
            SET valid_until = EXCLUDED.valid_until,
                issue_count = COALESCE(EXCLUDED.issue_count, t.issue_count),
                status = CASE WHEN EXCLUDED.valid_until > t.valid_until THEN 'valid' ELSE t.status END
            WHERE t.holder_id = EXCLUDED.holder_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this travel permit number is another holder''s' USING ERRCODE = 'unique_violation';
    END IF;
    PERFORM epermit.audit_event('registry', jsonb_build_object('action', 'register_travel_permit',
                                                               'holder_id', register_travel_permit.holder_id));
END $$;
COMMENT ON FUNCTION epermit.register_travel_permit(bigint, text, date) IS 'Add a travel permit to a holder, or renew it: a later last day makes its status valid again. Errors as for register_holder; 23505: the number is another holder''s.';

CREATE FUNCTION epermit.register_residence_permit(holder_id bigint, residence_permit_no text, valid_until date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO epermit.residence_permit AS r (residence_permit_no, holder_id, valid_until)
        VALUES (register_residence_permit.residence_permit_no::epermit.residence_permit_no,
                register_residence_permit.holder_id, register_residence_permit.valid_until)
        ON CONFLICT ON CONSTRAINT residence_permit_pkey DO UPDATE
            SET valid_until = EXCLUDED.valid_until,
                status = CASE WHEN EXCLUDED.valid_until > r.valid_until THEN 'valid' ELSE r.status END
            WHERE r.holder_id = EXCLUDED.holder_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this residence permit number is another holder''s' USING ERRCODE = 'unique_violation';
    END IF;
    PERFORM epermit.audit_event('registry', jsonb_build_object('action', 'register_residence_permit',
                                                               'holder_id', register_residence_permit.holder_id));
END $$;
COMMENT ON FUNCTION epermit.register_residence_permit(bigint, text, date) IS 'Add a residence permit to a holder, or renew it. Region, birth date and sex in the number must be the holder''s (22023); holders of HA and MA travel permits have none. Other errors as for register_travel_permit.';

CREATE FUNCTION epermit.registered_holder(document_no text) RETURNS bigint
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    holder bigint;
BEGIN
    -- Residence permit numbers are nearly twice as long as any way to write the others.
    IF length(btrim(document_no)) < 15 THEN
        SELECT t.holder_id INTO holder FROM epermit.travel_permit t
         WHERE t.travel_permit_no OPERATOR(epermit.=) document_no::epermit.travel_permit_no;
    ELSE
        SELECT r.holder_id INTO holder FROM epermit.residence_permit r
         WHERE r.residence_permit_no OPERATOR(epermit.=) document_no::epermit.residence_permit_no;
    END IF;
    IF holder IS NULL THEN
        RAISE EXCEPTION 'this document is not registered' USING ERRCODE = 'no_data_found';
    END IF;
    RETURN holder;
END $$;
COMMENT ON FUNCTION epermit.registered_holder(text) IS 'holder_id of the holder of a travel or residence permit. P0002: it is not registered. 22P02: the number is malformed.';

CREATE FUNCTION epermit.set_document_status(document_no text, status epermit.document_status) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    holder CONSTANT bigint := epermit.registered_holder(document_no);
BEGIN
    IF length(btrim(document_no)) < 15 THEN
        UPDATE epermit.travel_permit t SET status = set_document_status.status
         WHERE t.travel_permit_no OPERATOR(epermit.=) document_no::epermit.travel_permit_no;
    ELSE
        UPDATE epermit.residence_permit r SET status = set_document_status.status
         WHERE r.residence_permit_no OPERATOR(epermit.=) document_no::epermit.residence_permit_no;
    END IF;
    PERFORM epermit.audit_event('registry', jsonb_build_object('action', 'set_document_status', 'holder_id', holder,
                                                               'status', status));
END $$;
COMMENT ON FUNCTION epermit.set_document_status(text, epermit.document_status) IS 'Set the status of a travel permit or a residence permit, told apart by length. P0002: it is not registered. 22P02: the number is malformed.';
