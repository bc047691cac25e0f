-- Applications for a permit: every problem by name and all at once, in the applicant's language;
-- nothing of the registry for who is not attested; a retry costs nothing; a check writes nothing.

\set suite :DBNAME
CREATE DATABASE epermit_application TEMPLATE template0 ENCODING 'UTF8';
\c epermit_application
\i test/stage.sql

-- Check and apply with somebody's application, changed; say what is wrong, and note that it was.
CREATE TABLE public.provoked (code text);
CREATE FUNCTION public.apply(changes jsonb, document_no text DEFAULT public.somebody()) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    app     CONSTANT jsonb := public.application(document_no, changes);
    checked epermit.problem[];
    applied epermit.problem[];
BEGIN
    SELECT array_agg(p) INTO checked FROM epermit.check_application(app) p;
    applied := (epermit.issue_permit(app)).problems;
    IF COALESCE(checked, '{}') IS DISTINCT FROM applied THEN
        RETURN format('check_application says %s, issue_permit %s', checked, applied);
    END IF;
    INSERT INTO public.provoked SELECT code FROM unnest(applied);
    RETURN COALESCE((SELECT string_agg(CASE WHEN code LIKE field || '.%' THEN '' ELSE field || ': ' END || code, ', ' ORDER BY n)
                       FROM unnest(applied) WITH ORDINALITY p (field, code, message, hint, n)), 'issued');
END $$;

-- ---------------------------------------------------------------- what a field shows

SELECT changes, public.apply(changes) FROM unnest(ARRAY[
    '{}',
    -- absent, null and empty are the same
    '{"document_kind":null}', '{"document_kind":""}', '{"document_kind":"  "}', '{"document_no":null}', '{"document_expiry":null}', '{"name":null}', '{"name":" \t"}',
    '{"birth_date":null}', '{"mobile_no":null}', '{"reason":null}', '{"attestation":null}', '{"request_id":null}',
    '{"portrait_digest":"","lang":"","channel":""}',
    -- numbers, truth values, arrays and objects are no text
    '{"document_kind":1}', '{"document_no":12345678}', '{"document_expiry":20990531}', '{"name":["張三"]}', '{"birth_date":{"year":1990}}',
    '{"mobile_no":13800138000}', '{"reason":true}', '{"attestation":[]}', '{"request_id":0}', '{"portrait_digest":{}}', '{"lang":1}', '{"channel":false}',
    -- kinds
    '{"document_kind":"passport"}', '{"document_kind":"HK_MACAU"}', '{"document_kind":"taiwan"}', '{"document_kind":"hk_macau_foreign"}',
    -- numbers
    '{"document_no":"H1234567"}', '{"document_no":"H123456789"}', '{"document_no":"X12345678"}', '{"document_no":"H1234567O"}', '{"document_no":"H1234-5678"}', '{"document_no":"？"}',
    -- dates
    '{"document_expiry":"2099-05-32"}', '{"document_expiry":"2099-5-31"}', '{"document_expiry":"31/05/2099"}', '{"document_expiry":"infinity"}', '{"document_expiry":"2099-05.31"}', '{"document_expiry":"2099-05-30"}',
    '{"document_expiry":"2020-01-01"}',
    '{"birth_date":"1990-02-29"}', '{"birth_date":"990-01-01"}', '{"birth_date":"yesterday"}', '{"birth_date":"2999-01-01"}', '{"birth_date":"1990-01-02"}',
    -- names
    '{"name":"張?"}', '{"name":"張？"}', '{"name":"張\ufffd"}', '{"name":"張\u200b三"}', '{"name":"張\n三"}', '{"name":"李四"}', '{"name":"CHEUNG"}', '{"name":"張"}', '{"name":"·"}',
    -- mobile numbers
    '{"mobile_no":"1380013800"}', '{"mobile_no":"91234567"}', '{"mobile_no":"12800138000"}', '{"mobile_no":"+852 9123 4567"}', '{"mobile_no":"1380013800a"}', '{"mobile_no":"+86"}',
    -- the rest
    '{"reason":"stolen"}', '{"reason":"LOST"}', '{"request_id":"1"}', '{"request_id":"{00000000-0000-0000-0000-000000000001}"}', '{"request_id":"00000000-0000-0000-0000-00000000000g"}',
    '{"request_id":"0000000-00000-0000-0000-000000000001"}', '{"portrait_digest":"00"}', '{"portrait_digest":"x"}', '{"lang":"fr"}', '{"channel":"phone"}',
    '{"channel":"counter"}', '{"channel":"counter","office":1,"officer":[]}', '{"attestation":"x"}',
    -- what nobody knows is a problem, whatever it holds; a linkage's fields are not a permit's
    '{"colour":"red"}', '{"colour":{"name":"張三"},"":[{"lang":"en"}]}', '{"Name":"張三"}', '{"residence_permit_no":"81000019850601001X"}'
]::jsonb[]) WITH ORDINALITY u (changes, n) ORDER BY n;

SELECT what, public.apply(changes) FROM (VALUES
    (1, '121 characters', jsonb_build_object('name', repeat('張', 121))),
    (2, '1,001 bytes', jsonb_build_object('name', repeat('a', 1001))),
    (3, 'a reason of a megabyte', jsonb_build_object('reason', repeat('a', 1000000))),
    (4, 'an attestation of 4,297', jsonb_build_object('attestation', repeat('A', 4297))),
    (5, 'digest of 32 bytes', jsonb_build_object('portrait_digest', sha256('x')::text)),
    (6, 'digest of 33 bytes', jsonb_build_object('portrait_digest', sha256('x')::text || '00')),
    (7, 'digest, one no digit', jsonb_build_object('portrait_digest', repeat('0', 63) || 'g')),
    (8, 'tomorrow in Beijing', jsonb_build_object('birth_date', (public.today() + 1)::text)),
    (9, 'today in Beijing', jsonb_build_object('birth_date', public.today()::text))) AS v (n, what, changes)
 ORDER BY n;

-- names of fields are echoed, but not at any length, nor cut through a character
SELECT length(field), octet_length(field), code FROM check_application(public.application(public.somebody(), jsonb_build_object(repeat('欄', 100), 1))) p;

-- no object at all
SELECT app, public.codes((issue_permit(app)).problems), (SELECT string_agg(field || ' ' || code, ' ') FROM check_application(app))
  FROM unnest(ARRAY['[]', '[{}]', '1', 'true', 'null', '"x"']::jsonb[]) AS app;
INSERT INTO public.provoked SELECT code FROM check_application('[]');
SELECT public.codes((issue_permit(NULL)).problems) AS no_application, string_agg(code, ' ') AS checked FROM check_application(NULL);

-- everything wrong, everything said
SELECT public.apply('{"document_kind":"x","document_no":"x","document_expiry":"x","name":"?","birth_date":"x","mobile_no":"x","reason":"x","attestation":"x",
                      "request_id":"x","portrait_digest":"x","lang":"x","channel":"x","x":"x"}');
SELECT string_agg(code, ' ') FROM check_application('{}');

-- ---------------------------------------------------------------- what is taken as people type it

SELECT changes, public.apply(changes) FROM unnest(ARRAY[
    '{"document_kind":"ｈｋ＿ｍａｃａｕ","document_expiry":"２０９９-０５-３１","birth_date":"１９９００１０１","reason":"ｌｏｓｔ"}',
    '{"document_expiry":"2099/05/31","birth_date":"1990.01.01"}', '{"document_expiry":" 20990531 "}',
    '{"mobile_no":"+86 138 0013 8000"}', '{"mobile_no":"0086-138-0013-8000"}', '{"mobile_no":"＋８６１３８００１３８０００"}', '{"mobile_no":"138-0013-8000"}',
    '{"name":"cheung,sam"}', '{"name":"ＣＨＥＵＮＧ　ＳＡＭ"}', '{"name":"  張三  "}', '{"name":"\t張三\r\n"}', '{"name":"张三"}', '{"name":"Cheung-Sam"}',
    '{"lang":"EN"}', '{"lang":"zh-hans"}', '{"channel":"online"}'
]::jsonb[]) WITH ORDINALITY u (changes, n) ORDER BY n;
SELECT form, public.apply(jsonb_build_object('document_no', form), 'H12345678') FROM unnest('{h12345678," H12345678 ",Ｈ１２３４５６７８}'::text[]) form;
BEGIN;
INSERT INTO policy (effective_from, monthly_quota) VALUES ('2001-01-01', 15);
SELECT form, public.apply(jsonb_build_object('document_no', form), 'H12345678') FROM unnest('{H1234567801}'::text[]) form;
SELECT form, public.apply(jsonb_build_object('document_no', form), '01234567') FROM unnest('{01234567,0123456701,0123456701(A)}'::text[]) form;
SELECT public.apply(jsonb_build_object('request_id', upper(gen_random_uuid()::text))), public.apply(jsonb_build_object('request_id', translate(gen_random_uuid()::text, '-', '')));
-- rare characters, separators of all sorts, and non-Chinese permanent residents
SELECT document_no, name, public.apply(jsonb_build_object('name', name), document_no)
  FROM (VALUES (1, 'M87654321', '何𤧬芳'), (2, 'M87654321', '何?芳'), (3, 'M87654321', '何芳'), (4, '01234567', '林𠮷祥'), (5, '01234567', '林吉祥'),
               (6, 'HA1234567', '約翰·史密夫'), (7, 'HA1234567', '約翰・史密夫'), (8, 'HA1234567', '約翰•史密夫'), (9, 'HA1234567', '约翰‧史密夫'), (10, 'HA1234567', '約翰･史密夫'),
               (11, 'HA1234567', '約翰史密夫'), (12, 'HA1234567', 'Smith John')) AS v (n, document_no, name) ORDER BY n;
-- what a name was recognised by is in the log, its words are not
SELECT detail ->> 'name_match' AS name_match, count(*), count(*) FILTER (WHERE detail::text ~ '[^ -~]') AS words FROM audit_log WHERE event IN ('issue_permit', 'refuse_permit') AND holder_id = registered_holder('HA1234567') GROUP BY 1 ORDER BY 1;
ROLLBACK;

-- ---------------------------------------------------------------- languages

SELECT lang, field, message, hint
  FROM unnest('{zh-Hant,zh-Hans,en,NULL}'::text[]) WITH ORDINALITY l (lang, n),
       check_application(public.application(public.somebody(), jsonb_build_object('mobile_no', '23456', 'lang', lang)))
 ORDER BY n;
SELECT public.somebody() AS full_quota \gset
INSERT INTO permit (holder_id, travel_permit_no, reason, request_id) SELECT registered_holder(:'full_quota'), :'full_quota', 'lost', gen_random_uuid() FROM generate_series(1, 2);
SELECT lang, replace(hint, to_char(month_opens((beijing_month(now()) + interval '1 month')::date) AT TIME ZONE interval '8 hours', 'YYYY-MM-DD HH24:MI'), '<month opens>') AS hint
  FROM unnest('{zh-Hant,zh-Hans,en}'::text[]) WITH ORDINALITY l (lang, n),
       check_application(public.application(:'full_quota', jsonb_build_object('lang', lang)))
 ORDER BY n;
SELECT public.apply('{}', :'full_quota');

-- ---------------------------------------------------------------- the document on record

SELECT public.somebody() AS cancelled, public.somebody(public.today() - 1) AS expired, public.somebody() AS reported_lost, public.somebody(public.today()) AS last_day \gset
SELECT set_document_status(:'cancelled', 'cancelled'), set_document_status(:'reported_lost', 'reported_lost') \g /dev/null
SELECT document, public.apply('{}', no) FROM (VALUES (1, 'cancelled', :'cancelled'), (2, 'expired', :'expired'), (3, 'reported lost', :'reported_lost'), (4, 'last day', :'last_day')) AS v (n, document, no) ORDER BY n;
SELECT clipped, valid_until = public.beijing_midnight(public.today() + 1) AS midnight FROM active_permits(:'last_day');

-- a number nobody has, with an attestation for it
SELECT jsonb_build_object('document_no', 'H99999999', 'attestation', attest('H99999999')) AS unknown \gset
SELECT public.apply(:'unknown');

-- ---------------------------------------------------------------- who is not attested

-- Right or wrong, known or unknown: who says less than all, or anything wrong, is told the same.
-- Changes for three: one whom the registry knows, one it does not, one whose document is over and cancelled.
SELECT public.somebody() AS known, public.somebody(public.today() - 1) AS over \gset
SELECT set_document_status(:'over', 'cancelled') \g /dev/null
CREATE FUNCTION public.unattested(document_no text, base jsonb, changes jsonb) RETURNS text
    LANGUAGE sql AS $$
    SELECT COALESCE(string_agg(code, ' '), 'none') FROM epermit.check_application(jsonb_strip_nulls(base || jsonb_build_object('document_no', document_no) || changes))
$$;
SELECT public.application(:'known', '{"attestation":null}') AS base \gset
SELECT changes, public.unattested(:'known', :'base', changes) AS known,
       public.unattested('H99999999', :'base', changes) = public.unattested(:'known', :'base', changes) AS unknown_alike,
       public.unattested(:'over', :'base', changes) = public.unattested(:'known', :'base', changes) AS over_alike
  FROM unnest(ARRAY['{"name":"李四"}', '{"birth_date":"1991-01-01"}', '{"document_expiry":"2099-05-30"}', '{"name":"李四","birth_date":"1991-01-01"}',
                    '{"document_expiry":"2020-01-01"}', '{"name":"李四","document_expiry":"2020-01-01"}', '{"name":"李四","attestation":"x"}',
                    -- incomplete: not even that they are wrong
                    '{"name":null}', '{"birth_date":null}', '{"document_expiry":null}', '{"name":null,"birth_date":null,"document_expiry":null}',
                    '{"name":"李四","birth_date":null}', '{"birth_date":"1991-01-01","document_expiry":null}', '{"name":"?","birth_date":"1991-01-01"}',
                    '{"name":null,"birth_date":null,"document_expiry":"2020-01-01"}']::jsonb[]) WITH ORDINALITY u (changes, n) ORDER BY n;
-- with all of it right, the evidence alone is missing, and who knows the card hears what became of it
SELECT public.unattested(:'known', :'base', '{}') AS known, public.unattested('H99999999', :'base', '{}') AS unknown,
       public.unattested(:'over', :'base', jsonb_build_object('document_expiry', public.today() - 1)) AS over;

-- the log has what the applicant was not told, and no personal data
INSERT INTO public.provoked SELECT code FROM issue_permit(:'base'::jsonb || '{"name":"李四","birth_date":"1991-01-01"}') i, unnest(i.problems);
SELECT public.codes((issue_permit(:'base'::jsonb || '{"document_no":"H99999999"}')).problems);
SELECT event, codes, attempt, holder_id IS NOT NULL AS holder, detail FROM audit_log ORDER BY id DESC LIMIT 2;

-- attested, each field is named
SELECT public.apply('{"name":"李四","birth_date":"1991-01-01","document_expiry":"2099-05-30"}', :'known');
-- an attestation for another document is none
SELECT public.apply(jsonb_build_object('name', '李四', 'attestation', attest('H12345678')), :'known');
SELECT public.apply(jsonb_build_object('attestation', attest('H12345678')));

-- where no evidence is asked for, a number may be said to be unknown
BEGIN;
INSERT INTO policy (effective_from, require_attestation, require_mobile) VALUES ('2001-01-01', false, false);
SELECT public.unattested('H99999999', :'base', '{}') AS unknown, public.unattested(:'known', :'base', '{"name":"李四"}') AS mismatch, public.unattested(:'known', :'base', '{"name":"李四","birth_date":null}') AS incomplete;
SELECT public.apply('{"attestation":null,"mobile_no":null}'), public.apply('{"attestation":"x","mobile_no":"x"}');
SELECT count(*) AS uses FROM attestation_use;
SELECT public.apply('{}');
SELECT count(*) AS uses FROM attestation_use;
ROLLBACK;

-- ---------------------------------------------------------------- attestations

SELECT public.somebody() AS doc \gset
SELECT attest(:'doc') AS att, gen_random_uuid() AS request \gset
SELECT public.apply(jsonb_build_object('attestation', :'att', 'request_id', :'request'), :'doc');
SELECT public.apply(jsonb_build_object('attestation', :'att'), :'doc') AS another_application, public.apply(jsonb_build_object('attestation', :'att'), 'H22222222') AS another_person;
-- a refused application does not use it up
SELECT public.somebody() AS doc2 \gset
SELECT attest(:'doc2') AS att2 \gset
SELECT public.apply(jsonb_build_object('attestation', :'att2', 'mobile_no', '1'), :'doc2'), public.apply(jsonb_build_object('attestation', :'att2', 'name', '李四'), :'doc2');
SELECT public.apply(jsonb_build_object('attestation', :'att2'), :'doc2');
-- it is looked at although the number is wrong or missing
SELECT public.apply(jsonb_build_object('attestation', :'att2', 'document_no', 'x')), public.apply(jsonb_build_object('attestation', 'x', 'document_no', NULL));
-- portraits
SELECT public.somebody() AS doc \gset
SELECT public.apply(jsonb_build_object('attestation', attest(:'doc', sha256('a')), 'portrait_digest', sha256('b')::text), :'doc') AS differ,
       public.apply(jsonb_build_object('attestation', attest(:'doc', sha256('a')), 'portrait_digest', sha256('a')::text), :'doc') AS agree,
       public.apply(jsonb_build_object('attestation', attest(:'doc', sha256('a'))), :'doc') AS one_alone;
SELECT public.error($$SELECT epermit.attest('H12345678', '\x00')$$) AS digest, public.error($$SELECT epermit.attest('H1234567')$$) AS number, public.error('SELECT epermit.attest(NULL)') AS none;
-- too old
BEGIN;
INSERT INTO policy (effective_from, attestation_max_age) VALUES ('2001-01-01', '1 second');
SELECT public.application(:'doc') AS app \gset
SELECT pg_sleep(1.1) \g /dev/null
SELECT public.codes((issue_permit(:'app')).problems);
COMMIT;
INSERT INTO public.provoked VALUES ('attestation.expired');
BEGIN;
INSERT INTO policy (effective_from) VALUES ('2001-01-02');
COMMIT;
-- tokens of ours that are no attestation, and an attestation of a key that is no longer trusted
SELECT public.apply(jsonb_build_object('attestation', token::text)) AS a_permit FROM permit LIMIT 1;
SELECT public.application(public.somebody()) AS app \gset
BEGIN;
SELECT compromise_signing_key(kid, 'test') FROM signing_keys() WHERE usage = 'attestation' \g /dev/null
SELECT public.codes((issue_permit(:'app')).problems);
ROLLBACK;
BEGIN;
SELECT retire_signing_key(kid) FROM signing_keys() WHERE usage = 'attestation' \g /dev/null
SELECT public.codes((issue_permit(:'app')).problems) AS retired;
ROLLBACK;

-- ---------------------------------------------------------------- the same request again

SELECT public.somebody() AS doc \gset
SELECT (issue_permit(public.application(:'doc'))).quota_used;
SELECT public.application(:'doc') AS app, count(*) AS events FROM audit_log \gset
SELECT credential_no AS first FROM issue_permit(:'app') \gset
-- at full quota, its attestation used, in an expanded call and in another transaction
SELECT credential_no = :'first' AS same, quota_used, quota_remaining, problems FROM issue_permit(:'app');
SELECT (issue_permit(:'app')).credential_no = :'first' AS same, (issue_permit(:'app')).problems;
SELECT (i).credential_no = :'first' AS same, (i).valid_until = p.valid_until AS until, (i).purposes FROM (SELECT issue_permit(:'app') AS i OFFSET 0) s, permit p WHERE p.credential_no = :'first';
SELECT count(*) - :events AS events FROM audit_log;
SELECT count(*) AS permits FROM permit WHERE holder_id = registered_holder(:'doc');
-- the same person only: nobody gets it by its id, and another holder's request of that id is another request
SELECT public.codes((issue_permit(:'app'::jsonb || '{"name":"李四"}')).problems) AS another_name,
       public.codes((issue_permit(:'app'::jsonb - 'attestation')).problems) AS without_evidence,
       public.codes((issue_permit(:'app'::jsonb || '{"mobile_no":"1"}')).problems) AS with_a_mistake;
SELECT public.somebody() AS other \gset
SELECT credential_no <> :'first' AS another, quota_used FROM issue_permit(public.application(:'other', jsonb_build_object('request_id', :'app'::jsonb -> 'request_id')));
-- checked, it is no problem either
SELECT count(*) AS problems FROM check_application(:'app');

-- expanded: one permit, and one refusal counted once
SELECT public.somebody() AS doc \gset
SELECT (issue_permit(public.application(:'doc'))).quota_used AS used \gset
SELECT public.application(:'doc', '{"name":"李四","lang":"en"}') AS app, count(*) AS events FROM audit_log \gset
SELECT (i.issue_permit).credential_no, public.codes((i.issue_permit).problems) FROM (SELECT issue_permit(:'app')) i;
SELECT (issue_permit(:'app')).* \g /dev/null
SELECT count(*) - :events AS events, count(*) FILTER (WHERE attempt AND holder_id = registered_holder(:'doc')) AS attempts FROM audit_log;

-- ---------------------------------------------------------------- attempts

SELECT public.somebody() AS doc \gset
SELECT n, public.apply('{"name":"李四"}', :'doc') FROM generate_series(1, 11) n;
-- from then on nothing is said, not even to who is right; what has no registry in it still is
SELECT public.apply('{}', :'doc'), public.apply('{"name":"李四","mobile_no":"1"}', :'doc');
SELECT replace(hint, to_char(public.today() + 1, 'YYYY-MM-DD 00:00'), '<tomorrow>') FROM check_application(public.application(:'doc', '{"lang":"en"}'));
SELECT count(*) FILTER (WHERE attempt) AS attempts, count(*) AS refusals FROM audit_log WHERE holder_id = registered_holder(:'doc') AND event = 'refuse_permit';
-- mistakes of form are no attempts, nor is a check
SELECT public.somebody() AS doc \gset
SELECT count(public.apply('{"mobile_no":"1"}', :'doc')), count(public.codes(ARRAY(SELECT p FROM check_application(public.application(:'doc', '{"name":"李四"}')) p))) FROM generate_series(1, 11);
SELECT public.apply('{}', :'doc');
-- the policy's number
BEGIN;
INSERT INTO policy (effective_from, attempts_per_day) VALUES ('2001-01-03', 1);
SELECT public.somebody() AS doc \gset
SELECT n, public.apply('{"birth_date":"1991-01-01"}', :'doc') FROM generate_series(1, 2) n;
ROLLBACK;

-- ---------------------------------------------------------------- a check writes nothing

CREATE FUNCTION public.rows() RETURNS TABLE (relation regclass, n text)
    LANGUAGE plpgsql AS $$
BEGIN
    FOR relation IN SELECT oid FROM pg_class WHERE relnamespace = 'epermit'::regnamespace AND relkind IN ('r', 'p', 'S') ORDER BY oid
    LOOP
        IF (SELECT relkind FROM pg_class WHERE oid = relation) = 'S' THEN
            EXECUTE format('SELECT last_value::text || is_called::text FROM %s', relation) INTO n;
        ELSE
            EXECUTE format('SELECT count(*)::text FROM %s', relation) INTO n;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
SELECT public.application(public.somebody()) AS good \gset
CREATE TEMP TABLE before AS SELECT * FROM public.rows();
SELECT string_agg(code, ' ') FROM (SELECT code FROM check_application(:'good') UNION ALL SELECT code FROM check_application(:'good'::jsonb || '{"name":"李四"}') UNION ALL SELECT code FROM check_application('{}')) c;
SELECT * FROM public.rows() EXCEPT SELECT * FROM before;
SELECT count(*) > 15 AS tables FROM before;
BEGIN READ ONLY;
SELECT count(*) FROM check_application(:'good');
SELECT issue_permit(:'good');
ROLLBACK;

-- ---------------------------------------------------------------- who may speak for which channel

CREATE ROLE regress_platform IN ROLE epermit_issuer;
CREATE ROLE regress_officer IN ROLE epermit_officer;
CREATE ROLE regress_nobody;
GRANT SELECT ON public.provoked TO PUBLIC;
SELECT public.application(public.somebody()) AS online, public.application(public.somebody(), '{"channel":"counter","office":"深圳灣","officer":"007","attestation":null,"mobile_no":null}') AS counter \gset
SET ROLE regress_platform;
SELECT public.error(format('SELECT epermit.issue_permit(%L)', :'counter')) AS counter, public.error(format('SELECT epermit.check_application(%L)', :'counter')) AS counter_check;
SELECT public.codes((issue_permit(:'online')).problems) AS online;
SET ROLE regress_officer;
SELECT public.error(format('SELECT epermit.issue_permit(%L)', :'online')) AS online, public.error(format('SELECT epermit.check_application(%L)', :'online')) AS online_check;
-- an officer is the evidence, and need not give a mobile number; particulars are told
SELECT public.codes((issue_permit(:'counter'::jsonb || '{"name":"李四"}')).problems) AS wrong, public.codes((issue_permit(:'counter'::jsonb || '{"document_no":"H99999999"}')).problems) AS unknown;
SELECT public.codes((issue_permit(:'counter')).problems) AS counter;
SET ROLE regress_nobody;
SELECT public.error(format('SELECT epermit.issue_permit(%L)', :'online')) AS issue_permit, public.error(format('SELECT epermit.check_application(%L)', :'online')) AS check_application,
       public.error($$SELECT epermit.credential_token('T-00000-00000-00000-00000')$$) AS credential_token, public.error($$SELECT epermit.attest('H12345678')$$) AS attest,
       public.error($$SELECT epermit.quota_status('H12345678')$$) AS quota_status, public.error($$SELECT epermit.active_permits('H12345678')$$) AS active_permits;
RESET ROLE;
SELECT channel, office, officer, mobile_no FROM permit WHERE holder_id = registered_holder(:'counter'::jsonb ->> 'document_no');
SELECT event, calling_role, detail ->> 'channel' AS channel, codes FROM audit_log WHERE calling_role LIKE 'regress%' ORDER BY id;

-- ---------------------------------------------------------------- the catalogue

-- every code that an application for a permit can get was provoked above; channel, lang and portrait_digest are never required,
-- and request_id.reused is provoked where two documents are linked
SELECT code AS never_provoked FROM problem_catalog
 WHERE code !~ '^(link\.|residence_permit)' AND code NOT IN ('channel.missing', 'lang.missing', 'portrait_digest.missing', 'request_id.reused')
EXCEPT SELECT code FROM public.provoked;

\c :suite
DROP DATABASE epermit_application;
DROP ROLE regress_platform, regress_officer, regress_nobody;
