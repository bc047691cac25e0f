-- Problems: every code has its texts in three languages, and the reader gets the one asked for.
\pset format unaligned
\pset tuples_only on

-- nothing is left out, and what only the case can tell has its place in every language
SELECT code FROM epermit.problem_catalog AS c
 WHERE '' IN (message_zh_hant, message_zh_hans, message_en, hint_zh_hant, hint_zh_hans, hint_en);
SELECT code, count(*) FILTER (WHERE text LIKE '%\%s%'), count(*) FILTER (WHERE text ~ '%[^s]|%$|%s.*%')
  FROM epermit.problem_catalog AS c,
       unnest(ARRAY[message_zh_hant, message_zh_hans, message_en, hint_zh_hant, hint_zh_hans, hint_en]) AS text
 GROUP BY code HAVING bool_or(text LIKE '%\%%') ORDER BY code COLLATE "C";

-- English is English, and Chinese is Chinese
SELECT code FROM epermit.problem_catalog
 WHERE message_en || hint_en ~ '[^ -~]' OR message_zh_hant !~ '[一-龥]' OR message_zh_hans !~ '[一-龥]';

-- every field can be missing and can be wrong
SELECT field, kind
  FROM unnest('{document_kind,document_no,document_expiry,name,birth_date,mobile_no,reason,attestation,request_id,
                portrait_digest,lang,channel,office,officer,residence_permit_no,residence_permit_expiry}'::text[]) AS field,
       unnest('{missing,invalid}'::text[]) AS kind
 WHERE NOT EXISTS (SELECT FROM epermit.problem_catalog WHERE code = field || '.' || kind);

-- one language, or, where nobody said which, Traditional Chinese and English
SELECT lang, p.code, p.message, p.hint
  FROM unnest('{zh-Hant,zh-Hans,en,NULL}'::text[]) WITH ORDINALITY AS l (lang, n),
       epermit.check_application(jsonb_strip_nulls(jsonb_build_object('lang', lang))) AS p
 WHERE p.field = 'birth_date' ORDER BY n;
SELECT p.code, p.message FROM epermit.check_application('{"lang": "fr"}') AS p WHERE p.field = 'lang';
SELECT * FROM epermit.check_application('[]');

-- the right check digit is named
BEGIN;
SELECT DISTINCT p.field, p.code, p.hint
  FROM epermit.link_documents('{"lang": "en", "residence_permit_no": "810000198503071230"}') AS l, unnest(l.problems) AS p
 WHERE p.code LIKE '%check_digit';
ROLLBACK;

-- a field's name is the applicant's, so it is text and nothing else
SELECT p.field, p.code FROM epermit.check_application('{"lang": "en", "%s%n'';--": "x"}') AS p WHERE p.code LIKE 'application.%';

-- the texts belong to the extension: no dump carries them, and nobody writes them
SELECT 'epermit.problem_catalog'::regclass = ANY (extconfig) FROM pg_extension WHERE extname = 'epermit';
