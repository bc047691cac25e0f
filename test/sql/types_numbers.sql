-- Document and mobile numbers: what is accepted, how it prints, and that a refused literal is
-- told the rule it broke, and never repeated.

SET search_path = public, epermit;
SET datestyle = ISO;

CREATE FUNCTION pg_temp.input_error(type text, literal text, OUT state text, OUT message text, OUT detail text)
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT CAST($1 AS epermit.%I)', type) USING literal;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END $$;

CREATE TEMP TABLE bad (no serial, type text, literal text, rule text);
INSERT INTO bad (type, literal, rule) VALUES
    ('travel_permit_no', '', 'length'),
    ('travel_permit_no', 'H1234567', 'length'),
    ('travel_permit_no', 'H123456789', 'length'),
    ('travel_permit_no', 'HA12345678', 'length'),
    ('travel_permit_no', '1234567', 'length'),
    ('travel_permit_no', repeat('1', 1000000), 'length'),
    ('travel_permit_no', 'K12345678', 'prefix'),
    ('travel_permit_no', '陳12345678', 'prefix'),
    ('travel_permit_no', 'H1234567A', 'charset'),
    ('travel_permit_no', 'H1234 5678', 'length'),
    ('travel_permit_no', 'HA123456X', 'charset'),
    ('travel_permit_no', '1234567X', 'charset'),
    ('travel_permit_no', '1234567801[B]', 'charset'),
    ('residence_permit_no', '', 'length'),
    ('residence_permit_no', '81000019900101001', 'length'),
    ('residence_permit_no', '8100001990010100199', 'length'),
    ('residence_permit_no', repeat('8', 1000000), 'length'),
    ('residence_permit_no', '81000019900101001Y', 'charset'),
    ('residence_permit_no', '810000-19900101001', 'charset'),
    ('residence_permit_no', '710000199001010019', 'region_code'),
    ('residence_permit_no', '840000199001010019', 'region_code'),
    ('residence_permit_no', '810001199001010019', 'region_code'),
    ('residence_permit_no', '810000197802290014', 'birth_date'),
    ('residence_permit_no', '810000190002290014', 'birth_date'),
    ('residence_permit_no', '810000199013010019', 'birth_date'),
    ('residence_permit_no', '810000199000000019', 'birth_date'),
    ('residence_permit_no', '810000199001010X19', 'sequence'),
    ('residence_permit_no', '810000199001010010', 'check_digit'),
    ('residence_permit_no', '81000019900101001X', 'check_digit'),
    ('residence_permit_no', '820000200002290020', 'check_digit'),
    ('mobile_no', '', 'length'),
    ('mobile_no', '1381234567', 'length'),
    ('mobile_no', '138123456789', 'length'),
    ('mobile_no', repeat('13', 1000000), 'length'),
    ('mobile_no', '12812345678', 'prefix'),
    ('mobile_no', '23812345678', 'prefix'),
    ('mobile_no', '+85291234567', 'prefix'),
    ('mobile_no', '0085291234567', 'prefix'),
    ('mobile_no', '1381234567a', 'charset'),
    ('mobile_no', '138.1234.5678', 'charset');

-- every refused literal has its rule
SELECT b.type, CASE WHEN length(b.literal) > 40 THEN left(b.literal, 8) || '...' ELSE b.literal END AS literal,
       e.state, e.detail
  FROM bad b, pg_temp.input_error(b.type, b.literal) e
 ORDER BY b.no;
SELECT b.type, b.literal, b.rule, e.*
  FROM bad b, pg_temp.input_error(b.type, b.literal) e
 WHERE e.state IS DISTINCT FROM '22P02'
    OR e.message IS DISTINCT FROM 'invalid input syntax for type ' || b.type
    OR NOT e.detail ~ ('^Rule ' || b.rule || ': .*\.$');

-- and is not repeated: it may be personal data
SELECT count(*) AS repeated
  FROM bad b, pg_temp.input_error(b.type, b.literal) e
 WHERE b.literal <> '' AND (strpos(e.message, b.literal) > 0 OR strpos(e.detail, b.literal) > 0);

-- travel permits: either case, width, surrounding spaces; an issue count is no part of the number
SELECT literal, literal::travel_permit_no AS no, region(literal::travel_permit_no), kind(literal::travel_permit_no),
       masked(literal::travel_permit_no)
  FROM (VALUES ('H12345678'), ('h12345678'), (' M00000000 '), ('H1234567801'), ('HA1234567'), ('ma0000001'),
               ('01234567'), ('0123456701'), ('0123456701(B)'), ('Ｈ１２３４５６７８'), ('　０１２３４５６７')) AS v (literal);

-- the bucket is the first two bytes of SHA-256 of the canonical text
SELECT no, holder_bucket(no),
       holder_bucket(no) = get_byte(sha256(convert_to(no::text, 'UTF8')), 0) * 256 + get_byte(sha256(convert_to(no::text, 'UTF8')), 1) AS right
  FROM (VALUES ('H12345678'::travel_permit_no), ('ha1234567'), ('M00000000'), ('MA9999999'), ('0123456701(B)')) AS v (no);

-- residence permits: leap days, check character X in either case and width, a birth date that no clock judges
SELECT literal, literal::residence_permit_no AS no, region(literal::residence_permit_no), birth_date(literal::residence_permit_no),
       sex(literal::residence_permit_no), masked(literal::residence_permit_no)
  FROM (VALUES ('810000199001010019'), ('82000020000229003x'), ('82000020000229003X'), ('830000197606150035'),
               ('８１００００１９９００１０１００１９'), ('810000999912310018'), (' 810000199001010019 ')) AS v (literal);

-- mobile numbers
SELECT literal, literal::mobile_no AS no, masked(literal::mobile_no)
  FROM (VALUES ('13812345678'), ('+86 138-1234-5678'), ('008613812345678'), (' 199 9999 9999 '),
               ('＋８６１３８１２３４５６７８')) AS v (literal);

-- casts: from text and to text on assignment
CREATE TEMP TABLE numbers (travel travel_permit_no, residence residence_permit_no, mobile mobile_no);
INSERT INTO numbers SELECT t, r, m FROM (VALUES ('h12345678'::text, '810000199001010019'::text, '+8613812345678'::text)) AS v (t, r, m);
CREATE TEMP TABLE texts (travel text, residence varchar, mobile text);
INSERT INTO texts SELECT * FROM numbers;
SELECT * FROM texts;

-- NULL in, NULL out
SELECT region(NULL::travel_permit_no), sex(NULL::residence_permit_no), masked(NULL::mobile_no);
