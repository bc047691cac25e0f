\set ECHO none
-- What a test of issuing and verifying starts from: the extension, its keys, some people, and
-- functions that tell errors and make applications.  Included by test/sql/*.sql in a database of
-- their own, in UTF8 whatever the suite's is; psql runs at the top of the tree.

SET client_min_messages = warning;
CREATE EXTENSION epermit;
SELECT epermit.create_signing_key(u) FROM unnest('{permit,linkage,status,attestation}'::epermit.key_usage[]) u \g /dev/null
\set VERBOSITY terse
SET search_path = public, epermit;

-- What a statement comes to: "accepted", or the error without what only this run can know.
CREATE FUNCTION public.error(statement text) RETURNS text
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END $$;

CREATE FUNCTION public.error_detail(statement text) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' ', SQLSTATE, detail);
END $$;

-- The people.  Chan Tai Man and Chan Siu Man share region, birth date and sex.
SELECT epermit.register_residence_permit(
           epermit.register_holder('H12345678', '2099-05-31', '陳大文', 'CHAN, TAI MAN', '1985-06-01', 'male', 'HKG'),
           '81000019850601001X', '2099-12-31'),
       epermit.register_residence_permit(
           epermit.register_holder('H22222222', '2099-05-31', '陳小文', 'CHAN, SIU MAN', '1985-06-01', 'male', 'HKG'),
           '810000198506010036', '2099-12-31'),
       epermit.register_residence_permit(
           epermit.register_holder('M87654321', '2099-01-20', '何𤧬芳', 'HO, CHONG FONG', '1990-05-05', 'female', 'MAC'),
           '820000199005050044', '2099-12-31'),
       epermit.register_residence_permit(
           epermit.register_holder('01234567', '2099-11-30', '林𠮷祥', 'LIN, CHI-HSIANG', '1978-11-12', 'male', 'TWN'),
           '830000197811120011', '2099-12-31'),
       epermit.register_holder('HA1234567', '2099-03-01', '約翰·史密夫', 'SMITH, JOHN', '1970-02-28', 'male', 'HKG')
\g /dev/null

-- Beijing's calendar, apart from the extension's own.
CREATE FUNCTION public.today() RETURNS date
    LANGUAGE sql AS $$ SELECT (clock_timestamp() AT TIME ZONE interval '8 hours')::date $$;
CREATE FUNCTION public.beijing_midnight(date) RETURNS timestamptz
    LANGUAGE sql AS $$ SELECT $1::timestamp AT TIME ZONE interval '8 hours' $$;

-- Somebody who has had no permit yet: a number to go by.
CREATE SEQUENCE public.somebody;
CREATE FUNCTION public.somebody(valid_until date DEFAULT '2099-05-31') RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    document_no CONSTANT text := 'H' || lpad(nextval('public.somebody')::text, 8, '0');
BEGIN
    PERFORM epermit.register_holder(document_no, valid_until, '張三', 'CHEUNG, SAM', '1990-01-01', 'female', 'HKG');
    RETURN document_no;
END $$;

-- A complete and right application of a registered person, with changes; a NULL takes a field out.
CREATE FUNCTION public.application(document_no text, changes jsonb DEFAULT '{}') RETURNS jsonb
    LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
               'document_kind', epermit.kind(t.travel_permit_no), 'document_no', t.travel_permit_no::text,
               'document_expiry', t.valid_until, 'name', h.name_zh, 'birth_date', h.birth_date,
               'mobile_no', '13800138000', 'reason', 'lost', 'request_id', gen_random_uuid(),
               'attestation', epermit.attest(t.travel_permit_no::text)) || changes)
      FROM epermit.travel_permit t JOIN epermit.holder h USING (holder_id)
     WHERE t.travel_permit_no = document_no::epermit.travel_permit_no
$$;

-- The fields of a residence permit, for application()'s changes.
CREATE FUNCTION public.residence(residence_no text) RETURNS jsonb
    LANGUAGE sql AS $$
    SELECT jsonb_build_object('residence_permit_no', r.residence_permit_no::text,
                              'residence_permit_expiry', r.valid_until, 'reason', NULL)
      FROM epermit.residence_permit r WHERE r.residence_permit_no = residence_no::epermit.residence_permit_no
$$;

-- Codes of problems, in their order.
CREATE FUNCTION public.codes(problems epermit.problem[]) RETURNS text
    LANGUAGE sql AS $$ SELECT COALESCE(string_agg(code, ' ' ORDER BY n), 'none') FROM unnest(problems) WITH ORDINALITY p (field, code, message, hint, n) $$;
\set ECHO all
