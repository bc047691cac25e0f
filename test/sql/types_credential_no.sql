-- Permit and linkage numbers: they carry what routes them, print with a check character, and a
-- mistyped one is told from something else.

SET search_path = public, epermit;
SET datestyle = ISO;

CREATE FUNCTION pg_temp.input_error(literal text) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    PERFORM literal::epermit.credential_no;
    RETURN 'accepted';
EXCEPTION WHEN invalid_text_representation THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN SQLERRM || ' / ' || detail;
END $$;

-- what a number says
CREATE TEMP TABLE credential (no credential_no);
INSERT INTO credential VALUES ('T-63PG0-0012G-0J8T5-CY4TV'), ('L-63PG0-0012G-11ZPW-QAC7C');
SELECT no, is_permit(no), holder_id(no), holder_id(no) >> 24 = holder_bucket('H12345678') AS routed,
       quota_month(no), quota_slot(no), credential_no_send(no)
  FROM credential;

-- case, hyphens and spaces do not matter; O is 0, I and L are 1
SELECT literal, literal::credential_no = 'T-63PG0-0012G-0J8T5-CY4TV' AS same
  FROM (VALUES ('t63pg00012g0j8t5cy4tv'), ('T 63PGO OOI2G OJ8T5 CY4TV'), ('T-63PG0-00L2G-0J8T5-CY4TV'),
               ('-T-6-3PG0-0012G-0J8T5-CY4TV ')) AS v (literal);

-- mistyped or something else
SELECT literal, pg_temp.input_error(literal)
  FROM (VALUES ('T-63PG0-0012G-0J8T5-CY4TW'), ('T-63PG0-0012G-0J8T5-CY4T'), ('T-63PG0-0012G-0J8T5-CY4TVV'),
               ('T-63PG0-0012G-0J8T5-CY4T?'), ('X-63PG0-0012G-0J8T5-CY4TV'), ('L-63PG0-0012G-0J8T5-CY4TV'),
               (''), ('H12345678'), ('T-63PG0'), ('T-63PG0-0012G-0J8T5-CY4TV-63PG0')) AS v (literal);
SELECT pg_temp.input_error(repeat('T', 1000000));
SELECT pg_temp.input_error(repeat('-', 1000000));

-- every single wrong character is noticed
SELECT count(*) AS typed, count(*) FILTER (WHERE pg_temp.input_error(typo) ~ 'Rule check_digit') AS noticed
  FROM (SELECT DISTINCT no, overlay(no::text PLACING c FROM i FOR 1) AS typo
          FROM credential, generate_series(1, 25) AS i, regexp_split_to_table('0123456789ABCDEFGHJKMNPQRSTVWXYZ', '') AS c
         WHERE substr(no::text, i, 1) <> '-' AND substr(no::text, i, 1) <> c
           AND NOT (i = 1 AND c = '1')) AS t
 WHERE typo <> no::text;

-- casts: from text and to text on assignment
INSERT INTO credential SELECT 't63pg00012g0j8t5cy4tv'::text;
CREATE TEMP TABLE texts (no text);
INSERT INTO texts SELECT no FROM credential;
SELECT no FROM texts ORDER BY no COLLATE "C";
