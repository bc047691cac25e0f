-- The registry: what does not fit together does not enter, by function, INSERT, COPY or UPDATE; numbers stay
-- with their person; no message repeats a value; whatever enters leaves a trace.

CREATE DATABASE epermit_registry TEMPLATE template0 ENCODING 'UTF8';
\set suite :DBNAME
\c epermit_registry
SET client_min_messages = warning;
SET DateStyle = 'ISO';
CREATE EXTENSION epermit;
SET search_path = public, epermit;
CREATE ROLE regress_epermit_registrar IN ROLE epermit_registrar;

\i test/error.sql

SET ROLE regress_epermit_registrar;

-- a person: names cleaned, the bucket that of the number registered with, the issue count kept
SELECT register_holder('H1234567803', '2040-05-31', E' 陳  大文\u3000', 'CHAN,  TAI MAN', '1980-02-29', 'male', 'HKG') AS chan \gset
SELECT register_holder('01234567', '2040-05-31', '林𠮷・祥', 'LIN CHI-HSIANG', '1985-12-31', 'female', 'TWN') AS lin \gset
SELECT register_holder('ha1234567', '2040-05-31', '約翰', 'SMITH, JOHN', '1970-02-28', 'male', 'HKG') AS smith \gset
SELECT register_holder('H22222222', '2040-05-31', '陳小文', 'CHAN, SIU MAN', '1980-02-29', 'male', 'HKG') AS twin \gset
SELECT registered_as, '[' || name_zh || ']' AS name_zh, name_romanised, birth_date, sex, region, nationality,
       holder_id >> 24 = holder_bucket(registered_as) AS in_bucket
  FROM holder ORDER BY registered_as;
SELECT travel_permit_no, valid_until, status, issue_count FROM travel_permit ORDER BY travel_permit_no;

-- every field's rules, by name, without its value
SELECT what, public.error(format('SELECT register_holder(%L, %L, %L, %L, %L, %L, %L)', no, until, zh, romanised, birth, sex, region))
  FROM (VALUES
    ('number',             'H123',      '2040-05-31', '王一', 'WONG YAT', '1980-01-01', 'male', 'HKG'),
    ('registered already', 'H12345678', '2040-05-31', '王一', 'WONG YAT', '1980-01-01', 'male', 'HKG'),
    ('region',             'M12345678', '2040-05-31', '王一', 'WONG YAT', '1980-01-01', 'male', 'HKG'),
    ('region of HA',       'HA7654321', '2040-05-31', '王一', 'WONG YAT', '1980-01-01', 'male', 'MAC'),
    ('region of digits',   '87654321',  '2040-05-31', '王一', 'WONG YAT', '1980-01-01', 'male', 'HKG'),
    ('question mark',      'H00000001', '2040-05-31', '王?',  'WONG YAT', '1980-01-01', 'male', 'HKG'),
    ('full-width one',     'H00000001', '2040-05-31', '王？', 'WONG YAT', '1980-01-01', 'male', 'HKG'),
    ('replacement',        'H00000001', '2040-05-31', '王一', E'WONG \uFFFD', '1980-01-01', 'male', 'HKG'),
    ('zero width',         'H00000001', '2040-05-31', E'王\u200B一', 'WONG YAT', '1980-01-01', 'male', 'HKG'),
    ('blank name',         'H00000001', '2040-05-31', '  ',   'WONG YAT', '1980-01-01', 'male', 'HKG'),
    ('51 characters',      'H00000001', '2040-05-31', repeat('王', 51), 'WONG YAT', '1980-01-01', 'male', 'HKG'),
    ('121 characters',     'H00000001', '2040-05-31', '王一', repeat('W', 121), '1980-01-01', 'male', 'HKG'),
    ('no name',            'H00000001', '2040-05-31', NULL,   'WONG YAT', '1980-01-01', 'male', 'HKG'),
    ('no last day',        'H00000001', NULL,         '王一', 'WONG YAT', '1980-01-01', 'male', 'HKG'),
    ('endless',            'H00000001', 'infinity',   '王一', 'WONG YAT', '1980-01-01', 'male', 'HKG'),
    ('not born yet',       'H00000001', '2040-05-31', '王一', 'WONG YAT', '2999-01-01', 'male', 'HKG'),
    ('no sex',             'H00000001', '2040-05-31', '王一', 'WONG YAT', '1980-01-01', NULL,   'HKG'),
    ('50 and 120',         'H00000001', '2040-05-31', repeat('𠮷', 50), repeat('W', 120), '1980-01-01', 'male', 'HKG')
  ) AS v (what, no, until, zh, romanised, birth, sex, region);
SELECT count(*) FROM holder;

-- a renewal updates, makes the document a good one again, and takes no one else's number
SELECT set_document_status('Ｈ１２３４５６７８', 'reported_lost');
SELECT register_travel_permit(:chan, 'H12345678', '2040-05-31');
SELECT valid_until, status, issue_count FROM travel_permit WHERE holder_id = :chan;
SELECT register_travel_permit(:chan, 'H1234567804', '2050-05-31');
SELECT valid_until, status, issue_count FROM travel_permit WHERE holder_id = :chan;
SELECT public.error(format('SELECT register_travel_permit(%s, %L, %L)', :smith, 'H12345678', '2050-05-31'));
SELECT public.error(format('SELECT register_travel_permit(%s, %L, %L)', :chan, 'M12345678', '2050-05-31'));
SELECT public.error(format('SELECT register_travel_permit(%s, %L, %L)', 1, 'H55555555', '2050-05-31'));
SELECT register_travel_permit(:chan, 'H55555555', '2050-05-31');

-- a residence permit must say of its holder what the registry says
SELECT what, public.error(format('SELECT register_residence_permit(%s, %L, %L)', holder_id, no, '2040-05-31'))
  FROM (VALUES
    ('check digit',         :chan,  '810000198002290012'),
    ('region',              :chan,  '820000198002290013'),
    ('birth date',          :chan,  '810000198002280016'),
    ('sex',                 :chan,  '81000019800229002X'),
    ('right',               :chan,  '810000198002290011'),
    ('again',               :chan,  '810000198002290011'),
    ('another holder''s',   :twin,  '810000198002290011'),
    ('no such holder',      1,      '810000198002290011'),
    ('not a Chinese',       :smith, '810000198002290038'),
    ('Taiwan, female',      :lin,   '830000198512310020')
  ) AS v (what, holder_id, no);
SELECT set_document_status('810000198002290011', 'cancelled');
SELECT register_residence_permit(:chan, '810000198002290011', '2041-05-31');
SELECT residence_permit_no, valid_until, status FROM residence_permit ORDER BY 1;

SELECT public.error($$SELECT set_document_status('H99999999', 'valid')$$);
SELECT public.error($$SELECT set_document_status('81000019800229003X', 'valid')$$);
SELECT public.error($$SELECT set_document_status('810000198002290054', 'valid')$$);
SELECT public.error($$SELECT set_document_status('H12345678', NULL)$$);

-- the registrar loads the tables too, under the same rules
COPY holder (registered_as, name_zh, name_romanised, birth_date, sex, region) FROM stdin;
H70000001	黃一	WONG YAT	1990-01-01	female	HKG
H70000002	黃二	WONG YI	1990-01-01	male	HKG
\.
INSERT INTO travel_permit (travel_permit_no, holder_id, valid_until)
    SELECT registered_as, holder_id, '2040-05-31' FROM holder WHERE name_zh ~ '^黃';
INSERT INTO travel_permit (travel_permit_no, holder_id, valid_until)
    SELECT registered_as, holder_id, '2041-05-31' FROM holder WHERE name_zh ~ '^黃'
    ON CONFLICT (travel_permit_no) DO UPDATE SET valid_until = EXCLUDED.valid_until;
SELECT t.travel_permit_no, t.holder_id >> 24 = holder_bucket(t.travel_permit_no) AS in_bucket, t.valid_until
  FROM travel_permit t JOIN holder h USING (holder_id) WHERE h.name_zh ~ '^黃' ORDER BY 1;
SELECT what, public.error(statement)
  FROM (VALUES
    ('bucket',         $$INSERT INTO epermit.holder VALUES (5, 'H70000003', '黃三', 'WONG SAM', '1990-01-01', 'male', 'HKG')$$),
    ('name',           $$INSERT INTO epermit.holder VALUES (NULL, 'H70000003', '黃?', 'WONG SAM', '1990-01-01', 'male', 'HKG')$$),
    ('nationality',    $$INSERT INTO epermit.holder VALUES (NULL, 'H70000003', '黃三', 'WONG SAM', '1990-01-01', 'male', 'HKG', 'xx')$$),
    ('region',         $$UPDATE epermit.holder SET region = 'MAC' WHERE name_zh = '黃一'$$),
    ('holder_id',      $$UPDATE epermit.holder SET holder_id = holder_id + 1 WHERE name_zh = '黃一'$$),
    ('registered_as',  $$UPDATE epermit.holder SET registered_as = 'H70000009' WHERE name_zh = '黃一'$$),
    ('birth date',     $$UPDATE epermit.holder SET birth_date = '1980-02-28' WHERE name_zh = '陳 大文'$$),
    ('sex',            $$UPDATE epermit.holder SET sex = 'female' WHERE name_zh = '陳 大文'$$),
    ('sex other',      $$UPDATE epermit.holder SET sex = 'other' WHERE name_zh = '陳 大文'$$),
    ('number',         $$UPDATE epermit.travel_permit SET travel_permit_no = 'H70000009' WHERE travel_permit_no = 'H70000001'$$),
    ('owner',          $$UPDATE epermit.travel_permit SET holder_id = (SELECT max(holder_id) FROM epermit.travel_permit) WHERE travel_permit_no = 'H12345678'$$),
    ('residence',      $$UPDATE epermit.residence_permit SET residence_permit_no = '810000198002290038'$$),
    ('DELETE',         $$DELETE FROM epermit.holder$$),
    ('TRUNCATE',       $$TRUNCATE epermit.residence_permit$$),
    ('name changes',   $$UPDATE epermit.holder SET name_zh = '黃乙' WHERE name_zh = '黃二'$$)
  ) AS v (what, statement);
RESET ROLE;

-- the serial wraps around, and skips an id that is taken
SELECT setval('holder_serial', 16777216 + 4) \g /dev/null
SELECT 'H' || lpad(n::text, 8, '0') AS other FROM generate_series(20000000, 21000000) n
 WHERE holder_bucket(('H' || lpad(n::text, 8, '0'))::travel_permit_no) = holder_bucket('H12345677') LIMIT 1 \gset
INSERT INTO holder VALUES ((holder_bucket('H12345677')::bigint << 24) + 5, :'other', '王三', 'WONG SAM', '1980-01-01', 'male', 'HKG');
SELECT register_holder('H12345677', '2040-05-31', '王四', 'WONG SEI', '1980-01-01', 'male', 'HKG') & 16777215 AS serial;

-- a superuser cannot delete a person who has documents either, and no rule sleeps in replica mode
SET session_replication_role = replica;
SELECT public.error($$INSERT INTO epermit.holder VALUES (NULL, 'H70000003', '黃?', 'WONG SAM', '1990-01-01', 'male', 'HKG')$$);
RESET session_replication_role;
SELECT left(public.error('DELETE FROM epermit.holder'), 5);

-- traces: of functions what they did to whom, of statements on the tables that there was one
SELECT event, replace(calling_role, current_user, 'me') AS calling_role, detail - 'holder_id' AS detail, count(*), count(detail ->> 'holder_id') AS holders
  FROM audit_log GROUP BY 1, 2, 3 ORDER BY 2, min(id);
SELECT count(*) FROM audit_log l, holder h, travel_permit t
 WHERE l::text LIKE ANY (ARRAY['%' || h.name_zh || '%', '%' || h.name_romanised || '%', '%' || t.travel_permit_no || '%']);

-- who may
CREATE ROLE regress_epermit_nobody;
SET ROLE regress_epermit_nobody;
SELECT public.error('SELECT FROM epermit.holder');
SELECT public.error($$SELECT register_holder('H70000003', '2040-05-31', '王', 'W', '1980-01-01', 'male', 'HKG')$$);
SELECT public.error($$SELECT set_document_status('H12345678', 'valid')$$);
RESET ROLE;

\c :suite
DROP DATABASE epermit_registry;
DROP ROLE regress_epermit_registrar, regress_epermit_nobody;
