-- A permit exists only as a row that the table's trigger issued: whatever path the row takes, the
-- quota holds, the trigger fills what is signed, nothing changes afterwards, and no token
-- leaves a transaction that may still roll back.

\set suite :DBNAME
CREATE DATABASE epermit_permit_issue TEMPLATE template0 ENCODING 'UTF8';
\c epermit_permit_issue
\i test/stage.sql

-- A plain row's columns, n rows of them for one document, and what inserting them comes to.
\set insert 'INSERT INTO permit (holder_id, travel_permit_no, reason, request_id)'
CREATE FUNCTION public.given(document_no text, n int DEFAULT 1)
    RETURNS TABLE (holder_id bigint, travel_permit_no travel_permit_no, reason loss_reason, request_id uuid)
    LANGUAGE sql AS $$
    SELECT registered_holder(document_no), document_no::travel_permit_no, 'lost'::loss_reason, gen_random_uuid() FROM generate_series(1, n)
$$;
CREATE FUNCTION public.try_insert(document_no text, more_columns text DEFAULT '', more_values text DEFAULT '') RETURNS text
    LANGUAGE sql AS $$
    SELECT public.error(format('INSERT INTO epermit.permit (holder_id, travel_permit_no, reason, request_id %s) SELECT g.* %s FROM public.given(%L) g',
                               more_columns, more_values, document_no))
$$;
CREATE FUNCTION public.slots(document_no text) RETURNS smallint[]
    LANGUAGE sql AS $$ SELECT array_agg(quota_slot ORDER BY quota_slot) FROM epermit.permit WHERE holder_id = registered_holder(document_no) $$;

-- ---------------------------------------------------------------- what the trigger fills

SELECT public.somebody() AS doc \gset
:insert SELECT * FROM public.given(:'doc');
SELECT quota_month = beijing_month(clock_timestamp()) AS month, quota_slot, issued_at BETWEEN clock_timestamp() - interval '1 minute' AND clock_timestamp() AS now,
       issued_at = date_trunc('second', issued_at) AS whole_seconds, valid_until - issued_at = interval '7 days' AS seven_days,
       clipped, purposes, policy = '2000-01-01 00:00+08' AS policy, channel, kid = kid(token) AS signed_by
  FROM permit WHERE holder_id = registered_holder(:'doc');
SELECT is_permit(credential_no), holder_id(credential_no) = holder_id AS holder, quota_month(credential_no) = quota_month AS month,
       quota_slot(credential_no) = quota_slot AS slot, signature_valid(token, k.public_key) AS signed,
       claims(token) ->> 'cti' IS NOT NULL AS cti
  FROM permit p JOIN signing_key k USING (kid) WHERE holder_id = registered_holder(:'doc');

-- two numbers differ in what cannot be guessed, and no two permits share an entry of a status list
:insert SELECT * FROM public.given(:'doc');
SELECT count(DISTINCT credential_no) AS numbers, count(DISTINCT (status_list_id, status_idx)) AS entries,
       count(DISTINCT token) AS tokens
  FROM permit WHERE holder_id = registered_holder(:'doc');

-- ---------------------------------------------------------------- the quota holds in every path

SELECT public.try_insert(:'doc');
SELECT public.error_detail(format('INSERT INTO epermit.permit (holder_id, travel_permit_no, reason, request_id) SELECT * FROM public.given(%L)', :'doc'))
       = to_char(month_opens((beijing_month(now()) + interval '1 month')::date) AT TIME ZONE interval '8 hours',
                 '"TP001 The next month opens at "YYYY-MM-DD HH24:MI:SS"+08."') AS says_when;

-- VALUES with three rows: all or nothing
SELECT public.somebody() AS doc \gset
SELECT registered_holder(:'doc') AS id \gset
:insert
    VALUES (:id, :'doc', 'lost', gen_random_uuid()), (:id, :'doc', 'damaged', gen_random_uuid()), (:id, :'doc', 'forgotten', gen_random_uuid());
SELECT public.slots(:'doc');
:insert
    VALUES (:id, :'doc', 'lost', gen_random_uuid()), (:id, :'doc', 'damaged', gen_random_uuid());
SELECT public.slots(:'doc');

-- INSERT ... SELECT
SELECT public.somebody() AS doc \gset
:insert SELECT * FROM public.given(:'doc', 3);
:insert SELECT * FROM public.given(:'doc', 2);
SELECT public.slots(:'doc');

-- two modifying CTEs of one statement, which share a snapshot
SELECT public.somebody() AS doc \gset
WITH a AS (:insert SELECT * FROM public.given(:'doc', 2)),
     b AS (:insert SELECT * FROM public.given(:'doc'))
SELECT;
WITH a AS (:insert SELECT * FROM public.given(:'doc')),
     b AS (:insert SELECT * FROM public.given(:'doc'))
SELECT;
SELECT public.slots(:'doc');

-- COPY
INSERT INTO holder (holder_id, registered_as, name_zh, name_romanised, birth_date, sex, region)
    SELECT (holder_bucket('H55555555')::bigint << 24) | 5, 'H55555555', '張三', 'CHEUNG, SAM', '1990-01-01', 'female', 'HKG';
INSERT INTO travel_permit (travel_permit_no, holder_id, valid_until) VALUES ('H55555555', 562120622085, '2099-05-31');
COPY permit (holder_id, travel_permit_no, reason, request_id) FROM stdin;
562120622085	H55555555	lost	00000000-0000-0000-0000-000000000001
562120622085	H55555555	lost	00000000-0000-0000-0000-000000000002
562120622085	H55555555	lost	00000000-0000-0000-0000-000000000003
\.
SELECT public.slots('H55555555');
COPY permit (holder_id, travel_permit_no, reason, request_id) FROM stdin;
562120622085	H55555555	lost	00000000-0000-0000-0000-000000000001
562120622085	H55555555	lost	00000000-0000-0000-0000-000000000002
\.
SELECT public.slots('H55555555');

-- MERGE, where there is one
SELECT public.somebody() AS doc \gset
MERGE INTO permit p USING public.given(:'doc', 3) g ON p.request_id = g.request_id
    WHEN NOT MATCHED THEN INSERT (holder_id, travel_permit_no, reason, request_id) VALUES (g.holder_id, g.travel_permit_no, g.reason, g.request_id);
SELECT public.slots(:'doc');

-- ON CONFLICT finds nothing to do: a slot that is taken is never asked for, and nothing is updated
SELECT public.somebody() AS doc \gset
:insert SELECT * FROM public.given(:'doc', 3) ON CONFLICT DO NOTHING;
:insert SELECT * FROM public.given(:'doc');
:insert SELECT holder_id, travel_permit_no, reason, request_id FROM permit WHERE holder_id = registered_holder(:'doc')
    ON CONFLICT (holder_id, request_id) DO UPDATE SET valid_until = 'infinity';
SELECT public.slots(:'doc');

-- functions and plain rows share one quota
SELECT public.somebody() AS doc \gset
:insert SELECT * FROM public.given(:'doc');
SELECT public.codes((issue_permit(public.application(:'doc'))).problems);
SELECT public.codes((issue_permit(public.application(:'doc'))).problems);
:insert SELECT * FROM public.given(:'doc');
SELECT public.slots(:'doc'), quota, used, remaining, month = beijing_month(now()) AS month, next_opening = month_opens((month + interval '1 month')::date) AS next
  FROM quota_status(:'doc');

-- a second travel permit brings no second quota
SELECT register_travel_permit(registered_holder(:'doc'), 'H90000001', '2099-01-01');
SELECT public.codes((issue_permit(public.application('H90000001'))).problems);

-- the policy's number counts, from its instant on
BEGIN;
INSERT INTO policy (effective_from, monthly_quota) VALUES ('2001-01-01', 3);
:insert SELECT * FROM public.given(:'doc');
SELECT public.slots(:'doc'), quota, remaining FROM quota_status(:'doc');
:insert SELECT * FROM public.given(:'doc');
ROLLBACK;
BEGIN;
INSERT INTO policy (effective_from, monthly_quota) VALUES ('2001-01-01', 0);
SELECT public.codes((issue_permit(public.application(public.somebody()))).problems);
SELECT public.slots(:'doc'), quota, remaining FROM quota_status(:'doc');
ROLLBACK;
BEGIN;
INSERT INTO policy (effective_from, monthly_quota) VALUES (now() + interval '1 hour', 15);
:insert SELECT * FROM public.given(:'doc');
ROLLBACK;
BEGIN;
INSERT INTO policy (effective_from, monthly_quota) VALUES ('2001-01-01', 15);
SELECT public.somebody() AS fifteen \gset
:insert SELECT * FROM public.given(:'fifteen', 15);
SELECT public.slots(:'fifteen');
:insert SELECT * FROM public.given(:'fifteen');
ROLLBACK;

-- ---------------------------------------------------------------- who may state what

-- a plain row that states what the trigger fills is refused, whatever it states
SELECT public.somebody() AS doc \gset
SELECT c.column_name, public.try_insert(:'doc', ',' || c.column_name, ',' || c.value)
  FROM (VALUES ('quota_month', '''2000-01-01''::date'), ('quota_slot', '2'), ('credential_no', '(SELECT credential_no FROM epermit.permit LIMIT 1)'),
               ('issued_at', 'now()'), ('valid_until', '''infinity''::timestamptz'), ('clipped', 'false'), ('purposes', '''{border}''::text[]'),
               ('policy', '''2000-01-01 00:00+08''::timestamptz'), ('kid', '''\x0102030405060708''::bytea'), ('status_list_id', '0'), ('status_idx', '0')) AS c (column_name, value);
-- that is all the columns but the token and those a caller gives
SELECT array_agg(attname ORDER BY attnum) AS given
  FROM pg_attribute WHERE attrelid = 'permit'::regclass AND attnum > 0 AND NOT attisdropped
   AND attname NOT IN ('quota_month', 'quota_slot', 'credential_no', 'issued_at', 'valid_until', 'clipped', 'purposes', 'policy', 'kid', 'status_list_id', 'status_idx', 'token');
-- somebody else's token proves nothing
SELECT public.try_insert(:'doc', ', token', ', (SELECT token FROM epermit.permit LIMIT 1)');
SELECT public.slots(:'doc');

-- holder and document, in the registry and together
SELECT what, public.error(format('INSERT INTO epermit.permit (holder_id, travel_permit_no, reason, request_id) VALUES (%s, %s, %s, %s)', holder, document, reason, request))
  FROM (VALUES
    (1, 'unknown holder', '12345', quote_literal(:'doc'), '''lost''', 'gen_random_uuid()'),
    (2, 'unknown document', 'epermit.registered_holder(' || quote_literal(:'doc') || ')', '''H00009999''', '''lost''', 'gen_random_uuid()'),
    (3, 'document of another', 'epermit.registered_holder(' || quote_literal(:'doc') || ')', '''H12345678''', '''lost''', 'gen_random_uuid()'),
    (4, 'no holder', 'NULL', quote_literal(:'doc'), '''lost''', 'gen_random_uuid()'),
    (5, 'no document', 'epermit.registered_holder(' || quote_literal(:'doc') || ')', 'NULL', '''lost''', 'gen_random_uuid()'),
    (6, 'no reason', 'epermit.registered_holder(' || quote_literal(:'doc') || ')', quote_literal(:'doc'), 'NULL', 'gen_random_uuid()'),
    (7, 'no request_id', 'epermit.registered_holder(' || quote_literal(:'doc') || ')', quote_literal(:'doc'), '''lost''', 'NULL'),
    (8, 'holder beyond 40 bits', '1099511627776', quote_literal(:'doc'), '''lost''', 'gen_random_uuid()'),
    (9, 'negative holder', '-1', quote_literal(:'doc'), '''lost''', 'gen_random_uuid()')) AS v (n, what, holder, document, reason, request)
 ORDER BY n;
SELECT public.try_insert(:'doc', ', portrait_digest', $$, '\x00'$$);
SELECT public.slots(:'doc');

-- a portrait's digest is signed in half and stored whole
INSERT INTO permit (holder_id, travel_permit_no, reason, request_id, portrait_digest, mobile_no, channel, office, officer)
    SELECT g.*, sha256('portrait'), '+86 138 0013 8000', 'counter', 'Shenzhen', '007' FROM public.given(:'doc') g;
SELECT portrait_digest = sha256('portrait') AS whole, mobile_no, channel, office, officer,
       position(substr(portrait_digest, 1, 16) IN cose(token)) > 0 AS half, position(portrait_digest IN cose(token)) AS not_all
  FROM permit WHERE holder_id = registered_holder(:'doc');

-- lost, damaged and forgotten are the normal case, so is a document reported lost; only one that is cancelled or over is refused
SELECT set_document_status(:'doc', 'reported_lost');
SELECT public.try_insert(:'doc');
SELECT public.somebody() AS cancelled, public.somebody(public.today() - 1) AS expired, public.somebody(public.today()) AS last_day \gset
SELECT set_document_status(:'cancelled', 'cancelled');
SELECT document, public.error_detail(format('INSERT INTO epermit.permit (holder_id, travel_permit_no, reason, request_id) SELECT * FROM public.given(%L)', no))
  FROM (VALUES (1, 'cancelled', :'cancelled'), (2, 'expired', :'expired'), (3, 'last day', :'last_day')) AS v (n, document, no) ORDER BY n;

-- ---------------------------------------------------------------- how long

-- clipped to 24:00 Beijing of the document's last day, whatever the session's TimeZone
SELECT valid_until = public.beijing_midnight(public.today() + 1) AS midnight, clipped, (claims(token) ->> 'exp')::numeric = extract(epoch FROM valid_until) AS signed
  FROM permit WHERE holder_id = registered_holder(:'last_day');
SET TimeZone = 'America/New_York';
SELECT public.somebody(public.today() + 6) AS six, public.somebody(public.today() + 7) AS seven \gset
:insert SELECT * FROM public.given(:'six');
:insert SELECT * FROM public.given(:'seven');
SELECT valid_until = public.beijing_midnight(public.today() + 7) AS midnight, clipped FROM permit WHERE holder_id = registered_holder(:'six');
SELECT valid_until - issued_at = interval '168 hours' AS full_time, clipped FROM permit WHERE holder_id = registered_holder(:'seven');
RESET TimeZone;

-- the three rules; what is issued under one names it and keeps it
CREATE FUNCTION public.issued_under(rule validity_rule, days int) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    document CONSTANT text := public.somebody();
    p        epermit.permit;
    day      date;
BEGIN
    INSERT INTO epermit.policy (effective_from, validity_rule, permit_days) VALUES ('2001-01-01', rule, days);
    INSERT INTO epermit.permit (holder_id, travel_permit_no, reason, request_id) SELECT * FROM public.given(document) RETURNING * INTO p;
    day := p.issued_at AT TIME ZONE interval '8 hours';
    RETURN format('%s days: %s, clipped %s, policy %s', days,
                  CASE p.valid_until
                    WHEN p.issued_at + make_interval(hours => 24 * days) THEN 'to the second'
                    WHEN public.beijing_midnight(day + days + 1) THEN '24:00 of day + N'
                    WHEN public.beijing_midnight(day + days) THEN '24:00 of day + N - 1' END,
                  p.clipped, p.policy = '2001-01-01');
END $$;
BEGIN; SELECT public.issued_under('exact', 1); ROLLBACK;
BEGIN; SELECT public.issued_under('exact', 7); ROLLBACK;
BEGIN; SELECT public.issued_under('exact', 366); ROLLBACK;
BEGIN; SELECT public.issued_under('end_of_day', 1); ROLLBACK;
BEGIN; SELECT public.issued_under('end_of_day', 7); ROLLBACK;
BEGIN; SELECT public.issued_under('inclusive', 1); ROLLBACK;
BEGIN; SELECT public.issued_under('inclusive', 7); ROLLBACK;

-- purposes are the policy's
BEGIN;
INSERT INTO policy (effective_from, permit_purposes) VALUES ('2001-01-01', '{lodging,rail}');
SELECT public.somebody() AS doc \gset
:insert SELECT * FROM public.given(:'doc') RETURNING purposes, policy = '2001-01-01' AS policy;
ROLLBACK;

-- ---------------------------------------------------------------- nothing changes afterwards

SELECT count(*) AS permits FROM permit \gset
SELECT public.error(format('UPDATE epermit.permit SET %I = %1$I', attname))
  FROM pg_attribute WHERE attrelid = 'permit'::regclass AND attnum > 0 GROUP BY 1;
SELECT public.error('DELETE FROM epermit.permit');
SELECT public.error('TRUNCATE epermit.permit');
SELECT public.error('TRUNCATE epermit.holder CASCADE');

-- session_replication_role switches the triggers of others off, not the law
SET session_replication_role = replica;
SELECT public.try_insert(:'six');
SELECT public.try_insert(:'six');
SELECT public.error('INSERT INTO epermit.permit (holder_id, travel_permit_no, reason, request_id) VALUES (12345, ''H00009999'', ''lost'', gen_random_uuid())');
SELECT public.error('INSERT INTO epermit.permit SELECT * FROM epermit.permit LIMIT 1');
SELECT public.error('UPDATE epermit.permit SET valid_until = ''infinity''');
SELECT public.error('DELETE FROM epermit.permit');
SELECT public.error('TRUNCATE epermit.permit');
RESET session_replication_role;
SELECT count(*) - :permits AS added FROM permit;

-- ---------------------------------------------------------------- no token of what may roll back

SELECT public.somebody() AS doc \gset
BEGIN;
:insert SELECT * FROM public.given(:'doc') RETURNING credential_no AS plain \gset
SELECT (issue_permit(public.application(:'doc'))).credential_no AS applied \gset
SELECT public.error(format('SELECT epermit.credential_token(%L)', :'plain')) AS plain, public.error(format('SELECT epermit.credential_token(%L)', :'applied')) AS applied;
SAVEPOINT s;
SELECT public.error(format('SELECT epermit.credential_token(%L)', :'plain')) AS from_within_a_subtransaction;
RELEASE s;
SELECT public.error(format('SELECT epermit.credential_token(%L)', :'plain')) AS still;
COMMIT;
SELECT credential_token(:'plain') = token AS plain FROM permit WHERE credential_no = :'plain';
SELECT credential_token(:'applied') = token AS applied FROM permit WHERE credential_no = :'applied';

-- a subtransaction's row is not committed by its own end
SELECT public.somebody() AS doc \gset
BEGIN;
SAVEPOINT s;
:insert SELECT * FROM public.given(:'doc') RETURNING credential_no AS within \gset
RELEASE s;
SELECT public.error(format('SELECT epermit.credential_token(%L)', :'within'));
COMMIT;
SELECT length(credential_token(:'within')::text) > 0 AS after_commit;

-- numbers that are nobody's, and no number
SELECT public.error($$SELECT epermit.credential_token('T-00000-00000-00000-00000')$$) AS mistyped;
BEGIN;
:insert SELECT * FROM public.given(:'doc') RETURNING credential_no AS gone \gset
ROLLBACK;
SELECT public.error(format('SELECT epermit.credential_token(%L)', :'gone')) AS rolled_back;
SELECT credential_token(NULL);

-- what is rolled back leaves nothing
SELECT public.somebody() AS doc \gset
SELECT (SELECT count(*) FROM audit_log) AS events, (SELECT count(*) FROM attestation_use) AS uses \gset
BEGIN;
SELECT public.codes((issue_permit(public.application(:'doc'))).problems);
SELECT public.codes((issue_permit(public.application(:'doc', '{"name":"陳"}'))).problems);
ROLLBACK;
SELECT public.slots(:'doc'), (SELECT count(*) FROM audit_log) - :events AS events, (SELECT count(*) FROM attestation_use) - :uses AS uses, used, remaining
  FROM quota_status(:'doc');

-- a savepoint gives its slot back, to be taken again
BEGIN;
:insert SELECT * FROM public.given(:'doc');
SAVEPOINT s;
:insert SELECT * FROM public.given(:'doc') RETURNING quota_slot;
ROLLBACK TO s;
SELECT public.slots(:'doc');
:insert SELECT * FROM public.given(:'doc') RETURNING quota_slot;
COMMIT;
SELECT public.slots(:'doc');

-- a slot below that is free is the one taken
BEGIN;
SELECT public.somebody() AS doc \gset
:insert SELECT * FROM public.given(:'doc', 2);
ALTER TABLE permit DISABLE TRIGGER keep;
DELETE FROM permit WHERE holder_id = registered_holder(:'doc') AND quota_slot = 1;
:insert SELECT * FROM public.given(:'doc') RETURNING quota_slot;
ROLLBACK;

-- ---------------------------------------------------------------- faults

-- no key: nothing is issued, and nothing is used up
SELECT public.somebody() AS doc \gset
BEGIN;
SELECT retire_signing_key(kid) FROM signing_keys() WHERE usage = 'permit' AND state = 'active';
SELECT public.try_insert(:'doc');
SELECT public.error(format('SELECT epermit.issue_permit(public.application(%L))', :'doc'));
SELECT used FROM quota_status(:'doc');
SELECT create_signing_key('permit') IS NOT NULL AS created;
:insert SELECT * FROM public.given(:'doc');
SELECT k.state FROM permit p JOIN signing_key k USING (kid) WHERE holder_id = registered_holder(:'doc');
ROLLBACK;

-- every issue is audited, by whatever path the row came
SELECT count(*) > 20 AS some, count(*) FILTER (WHERE (SELECT count(*) FROM audit_log a WHERE a.event = 'issue_permit' AND a.credential_no = p.credential_no
                                                          AND a.holder_id = p.holder_id AND a.request_id = p.request_id) <> 1) AS otherwise
  FROM permit p;

\c :suite
DROP DATABASE epermit_permit_issue;
