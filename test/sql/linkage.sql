-- Do a travel permit and a residence permit belong to one person?  Every problem by name; of other
-- people's documents nothing is told; the result names neither name nor birth date, and whoever
-- checks it learns nothing without both numbers.

\set suite :DBNAME
CREATE DATABASE epermit_linkage TEMPLATE template0 ENCODING 'UTF8';
\c epermit_linkage
\i test/stage.sql

CREATE TABLE public.provoked (code text);
-- Check and apply with these two documents, changed; say what is wrong, and note that it was.
CREATE FUNCTION public.link(travel text, residence text, changes jsonb DEFAULT '{}') RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    app     CONSTANT jsonb := public.application(travel, '{"reason":null,"residence_permit_expiry":"2099-12-31"}'
                                                         || jsonb_build_object('residence_permit_no', residence) || changes);
    checked epermit.problem[];
    applied epermit.problem[];
BEGIN
    SELECT array_agg(p) INTO checked FROM epermit.check_linkage(app) p;
    applied := (epermit.link_documents(app)).problems;
    IF COALESCE(checked, '{}') IS DISTINCT FROM applied THEN
        RETURN format('check_linkage says %s, link_documents %s', checked, applied);
    END IF;
    INSERT INTO public.provoked SELECT code FROM unnest(applied);
    RETURN COALESCE((SELECT string_agg(CASE WHEN code LIKE field || '.%' THEN '' ELSE field || ': ' END || code, ', ' ORDER BY n)
                       FROM unnest(applied) WITH ORDINALITY p (field, code, message, hint, n)), 'linked');
END $$;

-- ---------------------------------------------------------------- applications

SELECT changes, public.link('H12345678', '81000019850601001X', changes) FROM unnest(ARRAY[
    '{}', '{"residence_permit_no":null}', '{"residence_permit_expiry":null}', '{"residence_permit_no":"","residence_permit_expiry":" "}',
    '{"residence_permit_no":1}', '{"residence_permit_expiry":[]}',
    '{"residence_permit_no":"8100001985060100"}', '{"residence_permit_no":"81000019850601001XX"}', '{"residence_permit_no":"81000019850601001Y"}',
    '{"residence_permit_no":"11010119850601001X"}', '{"residence_permit_no":"71000019850601001X"}', '{"residence_permit_no":"810000198506310019"}',
    '{"residence_permit_no":"810000198502290019"}', '{"residence_permit_no":"81000019850601X01X"}', '{"residence_permit_no":"810000198506010019"}',
    '{"residence_permit_no":"810000209906010016"}',
    '{"residence_permit_expiry":"2099-13-01"}', '{"residence_permit_expiry":"2099-12-30"}', '{"residence_permit_expiry":"2020-01-01"}',
    '{"residence_permit_no":"81000019850601001x"}', '{"residence_permit_no":" ８１００００１９８５０６０１００１Ｘ","residence_permit_expiry":"20991231"}',
    '{"reason":"lost"}', '{"reason":"stolen"}', '{"colour":"red"}', '{"name":"李四","birth_date":"1985-06-02"}'
]::jsonb[]) WITH ORDINALITY u (changes, n) ORDER BY n;
-- the right check digit is told
SELECT hint FROM check_linkage(public.application('H12345678', '{"reason":null,"residence_permit_expiry":"2099-12-31","residence_permit_no":"810000198506010019","lang":"en"}'));
SELECT string_agg(code, ' ') FROM check_linkage('{}');

-- all four kinds of people
SELECT public.link('M87654321', '820000199005050044'), public.link('01234567', '830000197811120011');
-- who cannot have a residence permit is told so, whatever number is given
SELECT public.link('HA1234567', '81000019850601001X'), public.link('HA1234567', '810000198506010036');

-- what number and holder say by themselves
SELECT what, public.link(travel, residence)
  FROM (VALUES (1, 'region', 'H12345678', '820000198506010011'), (2, 'birth date', 'H12345678', '810000198506020015'), (3, 'sex', 'H12345678', '810000198506010028'),
               (4, 'all three', 'M87654321', '830000197811120011')) AS v (n, what, travel, residence) ORDER BY n;
-- of another person, of nobody: one answer, and the log has no more
SELECT public.link('H12345678', '810000198506010036') AS of_another, public.link('H12345678', '810000198506010052') AS of_nobody;
SELECT count(DISTINCT (p.field, p.code, p.message, p.hint))
  FROM unnest('{810000198506010036,810000198506010052}'::text[]) AS no,
       check_linkage(public.application('H12345678', jsonb_build_object('reason', NULL, 'residence_permit_expiry', '2099-12-31', 'residence_permit_no', no))) p;
-- nor does an expiry date tell whether it is somebody's
SELECT public.link('H12345678', '810000198506010036', '{"residence_permit_expiry":"2099-12-30"}') AS of_another, public.link('H12345678', '810000198506010052', '{"residence_permit_expiry":"2099-12-30"}') AS of_nobody;
SELECT event, codes, count(*) FROM audit_log WHERE codes && '{link.different_holders}' GROUP BY 1, 2;

-- documents that are over
CREATE FUNCTION public.over(statement text) RETURNS text
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN public.link('01234567', '830000197811120011', jsonb_build_object('residence_permit_expiry', (SELECT valid_until FROM epermit.residence_permit WHERE residence_permit_no = '830000197811120011')));
END $$;
BEGIN; SELECT public.over($$UPDATE epermit.residence_permit SET status = 'cancelled' WHERE residence_permit_no = '830000197811120011'$$); COMMIT;
BEGIN; SELECT public.over($$UPDATE epermit.residence_permit SET status = 'reported_lost' WHERE residence_permit_no = '830000197811120011'$$); ROLLBACK;
UPDATE residence_permit SET status = 'valid' WHERE residence_permit_no = '830000197811120011';
BEGIN; SELECT public.over($$UPDATE epermit.residence_permit SET valid_until = public.today() - 1 WHERE residence_permit_no = '830000197811120011'$$); COMMIT;
UPDATE residence_permit SET valid_until = '2099-12-31' WHERE residence_permit_no = '830000197811120011';
BEGIN; SELECT public.over($$UPDATE epermit.travel_permit SET status = 'cancelled' WHERE travel_permit_no = '01234567'$$); ROLLBACK;
BEGIN; SELECT public.over($$UPDATE epermit.travel_permit SET valid_until = public.today() - 1 WHERE travel_permit_no = '01234567'$$); ROLLBACK;
-- clipped to whichever ends first
BEGIN;
UPDATE travel_permit SET valid_until = public.today() + 20 WHERE travel_permit_no = '01234567';
UPDATE residence_permit SET valid_until = public.today() + 10 WHERE residence_permit_no = '830000197811120011';
SELECT clipped, valid_until = public.beijing_midnight(public.today() + 11) AS midnight, purposes, quota_used, quota_remaining
  FROM link_documents(public.application('01234567', public.residence('830000197811120011')));
UPDATE travel_permit SET valid_until = public.today() + 5 WHERE travel_permit_no = '01234567';
SELECT clipped, valid_until = public.beijing_midnight(public.today() + 6) AS midnight FROM link_documents(public.application('01234567', public.residence('830000197811120011')));
ROLLBACK;

-- who is not attested learns nothing of either document
CREATE FUNCTION public.unattested(travel text, residence text, changes jsonb DEFAULT '{}') RETURNS text
    LANGUAGE sql AS $$
    SELECT string_agg(code, ' ') FROM epermit.check_linkage(jsonb_strip_nulls(public.application('H12345678', '{"reason":null,"residence_permit_expiry":"2099-12-31","attestation":null}')
        || jsonb_build_object('document_no', travel, 'residence_permit_no', residence) || changes))
$$;
SELECT what, public.unattested(travel, residence, '{"name":"李四"}') AS wrong, public.unattested(travel, residence, '{"name":null}') AS incomplete
  FROM (VALUES (1, 'both', 'H12345678', '81000019850601001X'), (2, 'another''s', 'H12345678', '810000198506010036'), (3, 'nobody''s', 'H12345678', '810000198506010052'),
               (4, 'nobody', 'H99999999', '81000019850601001X'), (5, 'another region''s', 'H12345678', '820000199005050044')) AS v (n, what, travel, residence) ORDER BY n;

-- and what is guessed is counted, but for who is attested
SELECT link_documents(public.application('HA1234567', public.residence('810000198506010036') || '{"attestation":null}')) \g /dev/null
SELECT link_documents(public.application('H12345678', public.residence('810000198506010036') || '{"attestation":null}')) \g /dev/null
SELECT link_documents(public.application('H12345678', public.residence('810000198506010036'))) \g /dev/null
SELECT codes, attempt FROM audit_log WHERE event = 'refuse_linkage' ORDER BY id DESC LIMIT 3;

-- ---------------------------------------------------------------- the result

SELECT public.application('H12345678', public.residence('81000019850601001X')) AS app \gset
SELECT credential_no AS r_no FROM link_documents(:'app') \gset
SELECT valid_until - valid_from AS lasts, clipped, quota_used, quota_remaining, problems FROM link_documents(:'app');
SELECT count(*) FILTER (WHERE credential_no = :'r_no') AS same_again FROM link_documents(:'app');
SELECT (link_documents(:'app')).credential_no = :'r_no' AS same_expanded, (link_documents(:'app')).problems;
SELECT is_permit(:'r_no'::credential_no), left(:'r_no', 2);
-- a request is for the documents it named first, whoever's others are
SELECT public.link('H12345678', '810000198506010036', jsonb_build_object('request_id', :'app'::jsonb -> 'request_id')) AS of_another,
       public.link('H12345678', '810000198506010052', jsonb_build_object('request_id', :'app'::jsonb -> 'request_id')) AS of_nobody;
-- no token before commit
BEGIN;
SELECT credential_no AS uncommitted FROM link_documents(public.application('H12345678', public.residence('81000019850601001X'))) \gset
SELECT public.error(format('SELECT epermit.credential_token(%L)', :'uncommitted'));
ROLLBACK;
SELECT credential_token(:'r_no') AS token \gset
-- numbers masked, no name, no birth date, no number of a person
SELECT claims(:'token') - '{cti,exp,iat,nbf,kid,status}'::text[] #- '{documents,salt}' #- '{documents,commitment}' AS claims;
SELECT cose(:'token') AS cose \gset
SELECT position(convert_to(secret, 'UTF8') IN :'cose'::bytea) AS found
  FROM unnest('{陳,CHAN,1985,8506,12345678,H12345678,81000019850601001X,19850601}'::text[]) AS secret;
-- the salt makes two results of the same documents unlike
SELECT count(DISTINCT claims(token) #> '{documents,commitment}') = count(*) AS unlike FROM linkage WHERE holder_id = registered_holder('H12345678');

-- plain rows: the same law
CREATE FUNCTION public.try_insert(travel text, residence text, more_columns text DEFAULT '', more_values text DEFAULT '') RETURNS text
    LANGUAGE sql AS $$
    SELECT public.error(format('INSERT INTO epermit.linkage (holder_id, travel_permit_no, residence_permit_no, request_id %s) VALUES (epermit.registered_holder(%L), %2$L, %L, gen_random_uuid() %s)',
                               more_columns, travel, residence, more_values))
$$;
SELECT what, public.try_insert(travel, residence)
  FROM (VALUES (1, 'both', 'H12345678', '81000019850601001X'), (2, 'another''s', 'H12345678', '810000198506010036'), (3, 'nobody''s', 'H12345678', '810000198506010052'),
               (4, 'foreign', 'HA1234567', '81000019850601001X'), (5, 'region', 'H12345678', '820000199005050044')) AS v (n, what, travel, residence) ORDER BY n;
SELECT c.column_name, public.try_insert('H12345678', '81000019850601001X', ',' || c.column_name, ',' || c.value)
  FROM (VALUES ('linkage_no', '1'), ('credential_no', '(SELECT credential_no FROM epermit.linkage LIMIT 1)'), ('issued_at', 'now()'), ('valid_until', '''infinity'''), ('clipped', 'false'),
               ('policy', '''2000-01-01 00:00+08'''), ('kid', '''\x0102030405060708'''), ('status_list_id', '0'), ('status_idx', '0'), ('token', '(SELECT token FROM epermit.linkage WHERE holder_id <> epermit.registered_holder(''H12345678'') LIMIT 1)')) AS c (column_name, value);
SELECT public.error(format('UPDATE epermit.linkage SET %I = %1$I', attname)) FROM pg_attribute WHERE attrelid = 'linkage'::regclass AND attnum > 0 GROUP BY 1;
SELECT public.error('DELETE FROM epermit.linkage'), public.error('TRUNCATE epermit.linkage CASCADE');

-- ---------------------------------------------------------------- checking it

CREATE ROLE regress_bank;
CREATE ROLE regress_rail;
SELECT register_department('bank', 'Bank', 'regress_bank', '{finance,telecom}', '{document_kind,document_no,purposes}'),
       register_department('rail', 'Rail', 'regress_rail', '{rail}', '{holder_name}') \g /dev/null
SELECT credential_no AS permit_no FROM issue_permit(public.application('H12345678')) \gset
SELECT credential_token(:'permit_no') AS permit_token \gset
CREATE FUNCTION public.told(v verification) RETURNS text
    LANGUAGE sql AS $$
    SELECT concat_ws(' ', v.verdict, CASE WHEN v.ok THEN 'ok' END, CASE WHEN v.credential_no IS NOT NULL THEN 'no' END, CASE WHEN v.valid_from IS NOT NULL AND v.valid_until IS NOT NULL THEN 'times' END,
                     v.holder_name, v.name_romanised, v.birth_date, v.document_kind, v.document_no, v.purposes, CASE WHEN v.portrait_digest IS NOT NULL THEN 'portrait' END, v.name_match)
$$;

SET ROLE regress_bank;
\set t '''H12345678'''
\set r '''81000019850601001X'''
SELECT what, public.told(verify_linkage(presented, travel, residence, purpose))
  FROM (VALUES
    (1, 'token', :'token', :t, :r, 'finance'), (2, 'number', :'r_no', :t, :r, 'telecom'), (3, 'number as typed', lower(replace(:'r_no', '-', ' ')), :t, :r, 'finance'),
    (4, 'token behind a prefix', 'https://epermit.invalid/l#' || :'token', :t, :r, 'finance'), (5, 'documents as typed', :'token', ' ｈ1234567801', '81000019850601001x', 'finance'),
    (6, 'border', :'token', :t, :r, 'border'), (7, 'another residence permit', :'token', :t, '810000198506010036', 'finance'), (8, 'another travel permit', :'token', 'H22222222', :r, 'finance'),
    (9, 'another, by number', :'r_no', 'H22222222', :r, 'finance'), (10, 'nobody''s documents', :'token', 'H99999999', '810000198506010052', 'finance'),
    (11, 'no documents', :'token', NULL, NULL, 'finance'), (12, 'one document', :'token', :t, NULL, 'finance'), (13, 'no such numbers', :'token', 'x', 'y', 'finance'),
    (14, 'nothing', NULL, :t, :r, 'finance'), (15, 'a permit', :'permit_token', :t, :r, 'finance'), (16, 'a permit''s number', :'permit_no', :t, :r, 'finance'),
    (17, 'mistyped', overlay(:'r_no' PLACING CASE substr(:'r_no', 10, 1) WHEN '7' THEN '8' ELSE '7' END FROM 10), :t, :r, 'finance'),
    (18, 'rolled back', :'uncommitted', :t, :r, 'finance'), (19, 'garbage', 'garbage', :t, :r, 'finance')) AS v (n, what, presented, travel, residence, purpose)
 ORDER BY n;
SELECT public.told(verify_permit(:'token', 'finance')) AS not_a_permit;
SELECT verdict, audit_id IS NOT NULL AS audited, checked_at = date_trunc('second', checked_at) AS whole FROM verify_linkage(:'token', :t, :r, 'finance');

-- no token at hand
SELECT what, public.told(documents_linked(travel, residence, purpose))
  FROM (VALUES
    (1, 'linked', :t, :r, 'finance'), (2, 'as typed', 'h12345678', '８1000019850601001x', 'finance'), (3, 'never', 'M87654321', :r, 'finance'), (4, 'another''s', :t, '810000198506010036', 'finance'),
    (5, 'of nobody', 'H99999999', '810000198506010052', 'finance'), (6, 'no numbers', 'x', 'y', 'finance'), (7, 'none', NULL, NULL, 'finance'), (8, 'border', :t, :r, 'border')) AS v (n, what, travel, residence, purpose)
 ORDER BY n;
SELECT public.error($$SELECT epermit.documents_linked('H12345678', '81000019850601001X', 'tax')$$) AS not_granted, public.error($$SELECT epermit.verify_linkage(NULL, NULL, NULL, 'rail')$$) AS permits_purpose,
       public.error($$SELECT epermit.verify_linkage(NULL, NULL, NULL, 'fishing')$$) AS no_purpose, public.error($$SELECT epermit.verify_linkage(NULL, NULL, NULL, NULL)$$) AS none;
-- a purpose that linkage results do not serve
SET ROLE regress_rail;
SELECT public.told(verify_linkage(:'token', :t, :r, 'rail')) AS token, public.told(documents_linked(:t, :r, 'rail')) AS documents;
RESET ROLE;
SELECT array_agg(code ORDER BY bit) = (SELECT purposes FROM link_documents(:'app')) AS linkage_may FROM purpose WHERE linkage_may;

-- a department that is granted them gets name and birth date from the registry
SELECT register_department('rail', 'Rail', 'regress_rail', '{rail,finance}', '{holder_name,name_romanised,birth_date,portrait_digest,name_match}') \g /dev/null
SET ROLE regress_rail;
SELECT public.told(verify_linkage(:'token', :t, :r, 'finance')) AS token, public.told(documents_linked(:t, :r, 'finance')) AS documents;
RESET ROLE;

-- every question leaves its row, also when it is asked beside another in one statement
SELECT count(*) AS events FROM audit_log \gset
SET ROLE regress_bank;
SELECT (verify_linkage(NULL, :t, :r, 'finance')).verdict AS first, (documents_linked(:t, :r, 'finance')).verdict AS second, (documents_linked(:t, :r, 'telecom')).verdict AS third,
       (verify_linkage(:'token', :t, :r, 'finance')).verdict AS fourth, (verify_linkage(:'token', :t, :r, 'telecom')).verdict AS fifth;
-- and one only, when its answer is expanded
SELECT (documents_linked(:t, :r, 'finance')).* \g /dev/null
RESET ROLE;
SELECT event, purpose, verdict, department, holder_id IS NOT NULL AS holder, credential_no IS NOT NULL AS no, detail FROM audit_log ORDER BY id OFFSET :events;

-- ---------------------------------------------------------------- offline

SELECT what, public.told(verify_linkage_offline(presented, travel, residence, born, purpose))
  FROM (VALUES
    (1, 'all right', :'token', :t, :r, '1985-06-01'::date, 'finance'), (2, 'another birth date', :'token', :t, :r, '1985-06-02', 'finance'), (3, 'another travel permit', :'token', 'H22222222', :r, '1985-06-01', 'finance'),
    (4, 'another residence permit', :'token', :t, '810000198506010036', '1985-06-01', 'finance'), (5, 'no birth date', :'token', :t, :r, NULL, 'finance'), (6, 'infinite', :'token', :t, :r, 'infinity', 'finance'),
    (7, 'before Christ', :'token', :t, :r, '4000-01-01 BC', 'finance'), (8, 'far future', :'token', :t, :r, '5874897-12-31', 'finance'),
    (9, 'number', :'r_no', :t, :r, '1985-06-01', 'finance'), (10, 'permit', :'permit_token', :t, :r, '1985-06-01', 'finance'), (11, 'border', :'token', :t, :r, '1985-06-01', 'border'),
    (12, 'rail', :'token', :t, :r, '1985-06-01', 'rail'), (13, 'no purpose', :'token', :t, :r, '1985-06-01', NULL), (14, 'no documents', :'token', NULL, NULL, '1985-06-01', 'finance'),
    (15, 'nothing', NULL, NULL, NULL, NULL, NULL)) AS v (n, what, presented, travel, residence, born, purpose)
 ORDER BY n;
SELECT at, (verify_linkage_offline(:'token', :t, :r, '1985-06-01', 'finance', issued + at)).verdict
  FROM (SELECT issued_at AS issued FROM linkage WHERE credential_no = :'r_no') l, unnest('{-301 s,-300 s,0,30 days -1 s,30 days}'::interval[]) WITH ORDINALITY a (at, n) ORDER BY n;
SELECT public.told(verify_offline(:'token', 'finance')) AS not_a_permit;

-- ---------------------------------------------------------------- what became of it

BEGIN;
SELECT suspend_linkage(:'r_no', 'test') \g /dev/null
SET ROLE regress_bank;
SELECT public.told(verify_linkage(:'token', :t, :r, 'finance')) AS token, public.told(verify_linkage(:'r_no', :t, :r, 'finance')) AS number,
       public.told(verify_linkage_offline(:'token', :t, :r, '1985-06-01', 'finance')) AS offline, (verify_linkage(:'token', :t, '810000198506010036', 'finance')).verdict AS another;
ROLLBACK;
-- a result that holds goes before one that does not
SELECT count(revoke_linkage(credential_no, 'test')) > 1 AS several FROM linkage WHERE holder_id = registered_holder('H12345678') AND credential_no <> :'r_no';
SET ROLE regress_bank;
SELECT (documents_linked(:t, :r, 'finance')).verdict, (documents_linked(:t, :r, 'finance')).credential_no = :'r_no' AS this_one;
RESET ROLE;
SELECT revoke_linkage(:'r_no', 'test') \g /dev/null
SET ROLE regress_bank;
SELECT public.told(verify_linkage(:'token', :t, :r, 'finance')) AS token, public.told(documents_linked(:t, :r, 'finance')) AS documents;
RESET ROLE;
-- the request still names it
SELECT (link_documents(:'app')).credential_no = :'r_no' AS same;
BEGIN;
SELECT compromise_signing_key(kid, 'test') FROM signing_keys() WHERE usage = 'linkage' \g /dev/null
SET ROLE regress_bank;
SELECT public.told(verify_linkage(:'token', :t, :r, 'finance')) AS token, public.told(verify_linkage(:'r_no', :t, :r, 'finance')) AS number, (documents_linked(:t, :r, 'finance')).verdict AS documents,
       public.told(verify_linkage_offline(:'token', :t, :r, '1985-06-01', 'finance')) AS offline;
ROLLBACK;

-- fifteen a month
SELECT n, public.link('M87654321', '820000199005050044') FROM generate_series(2, 16) n OFFSET 12;
SELECT count(*), min(linkage_no & 15), max(linkage_no & 15) FROM linkage WHERE holder_id = registered_holder('M87654321');

-- every code of linkage was provoked above
SELECT code AS never_provoked FROM problem_catalog WHERE code ~ '^(link\.|residence_permit)' EXCEPT SELECT code FROM public.provoked;

\c :suite
DROP DATABASE epermit_linkage;
DROP ROLE regress_bank, regress_rail;
