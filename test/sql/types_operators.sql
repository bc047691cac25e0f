-- Operator classes and binary format of the extension's types: valid, in the order promised, fit for
-- indexes, joins and hash partitions; recv as strict as in.

SET search_path = public, epermit;

SELECT am.amname, c.opcname, c.opcdefault, amvalidate(c.oid)
  FROM pg_opclass c JOIN pg_am am ON am.oid = c.opcmethod
 WHERE c.opcnamespace = 'epermit'::regnamespace
 ORDER BY am.amname, c.opcname;

CREATE TABLE numbers (id int, travel travel_permit_no, residence residence_permit_no, mobile mobile_no, credential credential_no);
INSERT INTO numbers VALUES
    (1, '00000000', '810000000101010015', '13000000000', 'T-00000-00000-00000-00007'),
    (2, 'H00000000', '810000199001010019', '13812345678', 'T-63PG0-0012G-0J8T5-CY4TV'),
    (3, 'HA0000000', '82000020000229003x', '13812345679', 'L-63PG0-0012G-11ZPW-QAC7C'),
    (4, 'M00000000', '830000197606150035', '15000000000', NULL),
    (5, 'MA9999999', '810000999912310018', '19999999999', NULL),
    (6, 'H99999999', '830000999912310011', NULL, NULL),
    (7, 'M99999999', NULL, NULL, NULL),
    (8, '99999999', NULL, NULL, NULL),
    (9, 'HA9999999', NULL, NULL, NULL),
    (10, 'MA0000000', NULL, NULL, NULL);

-- the order of numbers is the order of their text; each operator agrees with text's
SELECT array_agg(travel ORDER BY travel) = array_agg(travel ORDER BY travel::text COLLATE "C") AS travel,
       array_agg(residence ORDER BY residence) = array_agg(residence ORDER BY residence::text COLLATE "C") AS residence,
       array_agg(mobile ORDER BY mobile) = array_agg(mobile ORDER BY mobile::text COLLATE "C") AS mobile
  FROM numbers;
SELECT count(*) AS pairs,
       count(*) FILTER (WHERE (a.travel < b.travel, a.travel <= b.travel, a.travel = b.travel, a.travel <> b.travel, a.travel >= b.travel, a.travel > b.travel)
           IS DISTINCT FROM (ta < tb, ta <= tb, ta = tb, ta <> tb, ta >= tb, ta > tb)) AS disagree
  FROM numbers a, numbers b,
       LATERAL (VALUES (a.travel::text COLLATE "C", b.travel::text COLLATE "C")) AS t (ta, tb);
-- credential numbers sort as their bytes: permits first, then holder, month, slot
SELECT count(*) AS pairs,
       count(*) FILTER (WHERE (a.credential < b.credential, a.credential <= b.credential, a.credential = b.credential,
                               a.credential <> b.credential, a.credential >= b.credential, a.credential > b.credential)
           IS DISTINCT FROM (ba < bb, ba <= bb, ba = bb, ba <> bb, ba >= bb, ba > bb)) AS disagree
  FROM numbers a, numbers b,
       LATERAL (VALUES (credential_no_send(a.credential), credential_no_send(b.credential))) AS t (ba, bb)
 WHERE a.credential IS NOT NULL AND b.credential IS NOT NULL;
SELECT credential FROM numbers WHERE credential IS NOT NULL ORDER BY credential;

-- btree and hash indexes are used and find
CREATE INDEX ON numbers (travel);
CREATE INDEX ON numbers (residence);
CREATE INDEX ON numbers (mobile);
CREATE INDEX ON numbers (credential);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM numbers WHERE travel = 'H00000000';
SELECT id FROM numbers WHERE travel = 'H00000000';
SELECT id FROM numbers WHERE residence = '830000197606150035';
SELECT id FROM numbers WHERE mobile >= '15000000000' ORDER BY mobile;
SELECT id FROM numbers WHERE credential = 'l63pg00012g11zpwqac7c';
DROP INDEX numbers_travel_idx, numbers_residence_idx, numbers_mobile_idx, numbers_credential_idx;
CREATE INDEX ON numbers USING hash (travel);
CREATE INDEX ON numbers USING hash (credential);
EXPLAIN (COSTS OFF) SELECT id FROM numbers WHERE travel = 'M00000000';
SELECT id FROM numbers WHERE travel = 'M00000000';
SELECT id FROM numbers WHERE credential = 'T-63PG0-0012G-0J8T5-CY4TV';
RESET enable_seqscan;

-- hash joins, merge joins and grouping agree
SET enable_nestloop = off;
SET enable_mergejoin = off;
EXPLAIN (COSTS OFF) SELECT FROM numbers a JOIN numbers b USING (credential);
SELECT count(*) FROM numbers a JOIN numbers b USING (travel);
SELECT count(*) FROM numbers a JOIN numbers b USING (credential);
SET enable_hashjoin = off;
SET enable_mergejoin = on;
EXPLAIN (COSTS OFF) SELECT FROM numbers a JOIN numbers b USING (credential);
SELECT count(*) FROM numbers a JOIN numbers b USING (travel);
SELECT count(*) FROM numbers a JOIN numbers b USING (credential);
RESET enable_nestloop;
RESET enable_hashjoin;
RESET enable_mergejoin;

-- hash partitions by each type: every row is found where its hash says
DO $$
DECLARE
    type text;
BEGIN
    FOREACH type IN ARRAY ARRAY['travel_permit_no', 'residence_permit_no', 'mobile_no', 'credential_no'] LOOP
        EXECUTE format('CREATE TABLE by_%1$s (id int, no epermit.%1$I) PARTITION BY HASH (no)', type);
        FOR i IN 0..3 LOOP
            EXECUTE format('CREATE TABLE by_%1$s_%2$s PARTITION OF by_%1$s FOR VALUES WITH (MODULUS 4, REMAINDER %2$s)', type, i);
        END LOOP;
    END LOOP;
END $$;
INSERT INTO by_travel_permit_no SELECT i, 'H' || to_char(i, 'FM00000000') FROM generate_series(1, 400) AS i;
INSERT INTO by_mobile_no SELECT i, (13000000000 + i)::text FROM generate_series(1, 400) AS i;
INSERT INTO by_residence_permit_no SELECT id, residence FROM numbers;
INSERT INTO by_credential_no SELECT id, credential FROM numbers;
SELECT count(DISTINCT tableoid) AS partitions, min(n) > 50 AS spread
  FROM (SELECT tableoid, count(*) AS n FROM by_travel_permit_no GROUP BY 1) AS t;
SELECT count(DISTINCT tableoid) AS partitions, min(n) > 50 AS spread
  FROM (SELECT tableoid, count(*) AS n FROM by_mobile_no GROUP BY 1) AS t;
SELECT count(*) FROM by_travel_permit_no WHERE no = 'H00000123';
SELECT id FROM by_residence_permit_no WHERE no = '810000199001010019';
SELECT id FROM by_credential_no WHERE no = 'L-63PG0-0012G-11ZPW-QAC7C';
DROP TABLE by_travel_permit_no, by_residence_permit_no, by_mobile_no, by_credential_no;

-- binary: there and back
CREATE TABLE numbers_again (LIKE numbers);
\copy numbers TO 'results/types_operators.bin' (FORMAT binary)
\copy numbers_again FROM 'results/types_operators.bin' (FORMAT binary)
SELECT * FROM numbers EXCEPT SELECT * FROM numbers_again;
SELECT count(*) FROM numbers_again;

-- binary that no text gives is refused: bytea columns make files of any bytes
CREATE TABLE t (travel travel_permit_no);
CREATE TABLE r (residence residence_permit_no);
CREATE TABLE m (mobile mobile_no);
CREATE TABLE c (credential credential_no);
CREATE TABLE k (token token);
\set VERBOSITY sqlstate
-- 319,999,999 is MA9999999, the last one
\copy (SELECT int8send(319999999)) TO 'results/types_operators.bin' (FORMAT binary)
\copy t FROM 'results/types_operators.bin' (FORMAT binary)
\copy (SELECT int8send(320000000)) TO 'results/types_operators.bin' (FORMAT binary)
\copy t FROM 'results/types_operators.bin' (FORMAT binary)
\copy (SELECT int8send(-1)) TO 'results/types_operators.bin' (FORMAT binary)
\copy t FROM 'results/types_operators.bin' (FORMAT binary)
\copy (SELECT int4send(1)) TO 'results/types_operators.bin' (FORMAT binary)
\copy t FROM 'results/types_operators.bin' (FORMAT binary)
-- 29 February 1978, and a region code that is none
\copy (SELECT int8send(81000019780229001)) TO 'results/types_operators.bin' (FORMAT binary)
\copy r FROM 'results/types_operators.bin' (FORMAT binary)
\copy (SELECT int8send(71000019900101001)) TO 'results/types_operators.bin' (FORMAT binary)
\copy r FROM 'results/types_operators.bin' (FORMAT binary)
\copy (SELECT int8send(-81000019900101001)) TO 'results/types_operators.bin' (FORMAT binary)
\copy r FROM 'results/types_operators.bin' (FORMAT binary)
\copy (SELECT int8send(12999999999)) TO 'results/types_operators.bin' (FORMAT binary)
\copy m FROM 'results/types_operators.bin' (FORMAT binary)
\copy (SELECT int8send(20000000000)) TO 'results/types_operators.bin' (FORMAT binary)
\copy m FROM 'results/types_operators.bin' (FORMAT binary)
\copy (SELECT '\x18768000008a009234567800'::bytea || '\x00') TO 'results/types_operators.bin' (FORMAT binary)
\copy c FROM 'results/types_operators.bin' (FORMAT binary)
\copy (SELECT '\x18768000008a0092345678'::bytea) TO 'results/types_operators.bin' (FORMAT binary)
\copy c FROM 'results/types_operators.bin' (FORMAT binary)
-- a token: there and back, then cut short, extended, empty, and longer than its text may be
CREATE TABLE token_bytes AS SELECT token_send('NCFT70W30FFWTWGSLK/-4Q7941EM.N:53MYGJU8OD0S9FP68SW4+6A%HHX-SE4UU731%AD*O0-V684S*P5H3EPR47M.REM5MK1WK/TGAN:TAL%6JPP8FL:3144DMOTW.777QQC01-51K4.61XTNV4'::token) AS bytes;
\copy (SELECT bytes FROM token_bytes) TO 'results/types_operators.bin' (FORMAT binary)
\copy k FROM 'results/types_operators.bin' (FORMAT binary)
SELECT token_send(token) = bytes AS same FROM k, token_bytes;
\copy (SELECT substr(bytes, 1, octet_length(bytes) - 1) FROM token_bytes) TO 'results/types_operators.bin' (FORMAT binary)
\copy k FROM 'results/types_operators.bin' (FORMAT binary)
\copy (SELECT bytes || '\x00' FROM token_bytes) TO 'results/types_operators.bin' (FORMAT binary)
\copy k FROM 'results/types_operators.bin' (FORMAT binary)
\copy (SELECT ''::bytea) TO 'results/types_operators.bin' (FORMAT binary)
\copy k FROM 'results/types_operators.bin' (FORMAT binary)
\copy (SELECT decode(repeat('00', 2865), 'hex')) TO 'results/types_operators.bin' (FORMAT binary)
\copy k FROM 'results/types_operators.bin' (FORMAT binary)
\set VERBOSITY default
\copy k FROM 'results/types_operators.bin' (FORMAT binary)
SELECT (SELECT count(*) FROM t) AS t, (SELECT count(*) FROM r) AS r, (SELECT count(*) FROM m) AS m,
       (SELECT count(*) FROM c) AS c, (SELECT count(*) FROM k) AS k;
DROP TABLE numbers, numbers_again, t, r, m, c, k, token_bytes;

-- an enum that a number gives may be stored and indexed: it depends on the number alone
CREATE TABLE generated (no residence_permit_no, region region GENERATED ALWAYS AS (region(no)) STORED,
                        sex sex GENERATED ALWAYS AS (sex(no)) STORED);
CREATE INDEX ON generated (birth_date(no));
INSERT INTO generated VALUES ('82000020000229003X') RETURNING region, sex;
DROP TABLE generated;

-- what is public is described
SELECT t.typname FROM pg_type t
 WHERE t.typname = ANY ('{region,sex,document_kind,document_status,loss_reason,channel,validity_rule,key_usage,verdict,travel_permit_no,residence_permit_no,mobile_no,credential_no,token,problem,issuance,verification}')
   AND t.typnamespace = 'epermit'::regnamespace AND obj_description(t.oid, 'pg_type') IS NULL;
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_type t ON t.oid = p.proargtypes[0]
 WHERE t.typname ~ '_no$|^token$' AND t.typnamespace = 'epermit'::regnamespace AND p.pronamespace = t.typnamespace
   AND obj_description(p.oid, 'pg_proc') IS NULL;
SELECT o.oid::regoperator FROM pg_operator o
 WHERE o.oprnamespace = 'epermit'::regnamespace AND obj_description(o.oid, 'pg_operator') IS NULL;

-- labels and columns that callers rely on
SELECT t.typname, string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) AS labels
  FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
 WHERE t.typnamespace = 'epermit'::regnamespace GROUP BY t.typname ORDER BY t.typname;
SELECT c.relname, string_agg(a.attname || ' ' || format_type(a.atttypid, NULL), ', ' ORDER BY a.attnum) AS columns
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relname IN ('problem', 'issuance', 'verification') AND c.relnamespace = 'epermit'::regnamespace
 GROUP BY c.relname ORDER BY c.relname;
