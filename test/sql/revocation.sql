-- Revocation: at once, for ever, with a reason and a trace; suspension that can be undone; a cancelled
-- document takes its credentials with it; and not even the owner undoes what happened.

CREATE DATABASE epermit_revocation TEMPLATE template0 ENCODING 'UTF8';
\set suite :DBNAME
\c epermit_revocation
\i test/stage.sql
CREATE ROLE regress_epermit_issuer IN ROLE epermit_issuer;
CREATE ROLE regress_epermit_officer IN ROLE epermit_officer;
CREATE ROLE regress_epermit_registrar IN ROLE epermit_registrar;
CREATE ROLE regress_epermit_rail;
SELECT register_department('rail', 'Railway', 'regress_epermit_rail', '{rail}', '{holder_name}');

-- what each was issued, and what happened to it
CREATE TABLE issued (what text PRIMARY KEY, no credential_no);
GRANT SELECT ON issued TO PUBLIC;
INSERT INTO issued SELECT 'first', credential_no FROM issue_permit(application('H12345678'));
INSERT INTO issued SELECT 'second', credential_no FROM issue_permit(application('H12345678'));
INSERT INTO issued SELECT 'somebody', credential_no FROM issue_permit(application('M87654321'));
INSERT INTO issued SELECT 'linkage', credential_no FROM link_documents(application('H12345678', residence('81000019850601001X')));
CREATE FUNCTION public.no(text) RETURNS credential_no LANGUAGE sql STABLE AS $$ SELECT i.no FROM public.issued i WHERE what = $1 $$;
CREATE VIEW events AS SELECT what, event_no, status, reason, actor FROM issued i JOIN credential_event e ON e.credential_no = i.no;
CREATE FUNCTION public.now_is(what text) RETURNS verdict
    LANGUAGE sql SECURITY DEFINER AS $$ SELECT verdict FROM epermit.verify_offline(epermit.credential_token(public.no(what))::text, 'rail') $$;

-- a number that nobody was issued: this one with another digit, and the check character that goes with it
CREATE FUNCTION public.unissued(number text) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    c text;
BEGIN
    FOREACH c IN ARRAY regexp_split_to_array('0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U', '') LOOP
        BEGIN
            RETURN (left(number, 20) || translate(substr(number, 21, 1), '0123456789ABCDEFGHJKMNPQRSTVWXYZ', '123456789ABCDEFGHJKMNPQRSTVWXYZ0')
                    || substr(number, 22, 3) || c)::epermit.credential_no;
        EXCEPTION WHEN invalid_text_representation THEN
        END;
    END LOOP;
END $$;

-- a permit: suspended, reinstated, revoked; saying it again changes nothing
SET ROLE regress_epermit_issuer;
SELECT suspend_permit(no('first'), 'seen in two places');
SELECT now_is('first');
SELECT suspend_permit(no('first'), 'again');
SELECT reinstate_permit(no('first'), 'cleared');
SELECT now_is('first');
SELECT reinstate_permit(no('first'), 'again');
SET ROLE regress_epermit_officer;
SELECT revoke_permit(no('first'), '核實為冒用');
SELECT now_is('first');
SELECT revoke_permit(no('first'), 'again');
SELECT suspend_linkage(no('linkage'), 'doubts'), reinstate_linkage(no('linkage'), 'none'), revoke_linkage(no('linkage'), 'wrong person');
RESET ROLE;
SELECT * FROM events ORDER BY what, event_no;
SELECT event, calling_role, what, l.holder_id = holder_id(no) AS holder, detail
  FROM audit_log l JOIN issued ON no = credential_no WHERE event IN ('suspend', 'reinstate', 'revoke') ORDER BY id;
SELECT count(*) AS reasons_in_the_audit_log FROM audit_log l, events e WHERE l::text LIKE '%' || e.reason || '%';

-- online as offline
SET ROLE regress_epermit_rail;
SELECT verdict FROM verify_permit(no('first')::text, 'rail');
SELECT verdict FROM verify_permit(no('second')::text, 'rail');
RESET ROLE;

-- a revoked permit is not shown again, and does not give its slot back
SELECT credential_no = no('second') AS second FROM active_permits('H12345678');
SELECT used, remaining FROM quota_status('H12345678');
SELECT codes(problems) FROM issue_permit(application('H12345678'));

-- revoked is final
SELECT error_detail(format('SELECT %s(%L, %L)', f, no('first'), 'x')), error(format('SELECT %s(%L, %L)', f, no('first'), 'x'))
  FROM unnest('{suspend_permit,reinstate_permit}'::text[]) f;

-- numbers: of the other kind, of nobody, of none
SELECT f, error(format('SELECT %s(%L, %L)', f, no(what), 'x'))
  FROM (VALUES ('revoke_permit', 'linkage'), ('suspend_permit', 'linkage'), ('reinstate_permit', 'linkage'),
               ('revoke_linkage', 'first'), ('suspend_linkage', 'first'), ('reinstate_linkage', 'first')) v (f, what);
SELECT error(format('SELECT %s(%L, %L)', f, no, 'x'))
  FROM (VALUES ('revoke_permit', unissued(no('first')::text)), ('revoke_linkage', unissued(no('linkage')::text)),
               ('suspend_permit', unissued('T-00000-00000-00000-00000')), ('suspend_permit', NULL)) v (f, no);

-- reasons: one is needed, of up to 500 characters, whatever their bytes
SELECT error(format('SELECT suspend_permit(%L, %L)', no('second'), reason)), error_detail(format('SELECT suspend_permit(%L, %L)', no('second'), reason))
  FROM (VALUES (NULL), (''), (E' \t\n'), (repeat('因', 501))) v (reason);
SELECT suspend_permit(no('second'), repeat('因', 500)), now_is('second');
SELECT length(reason), octet_length(reason) FROM events WHERE what = 'second';

-- who may
SET ROLE regress_epermit_rail;
SELECT f, error(format('SELECT %s(%L, %L)', f, no('second'), 'x'))
  FROM unnest('{revoke_permit,revoke_linkage,suspend_permit,suspend_linkage,reinstate_permit,reinstate_linkage}'::text[]) f;
SELECT error('SELECT FROM epermit.credential_event');
RESET ROLE;

-- what happened stays
SELECT error('UPDATE epermit.credential_event SET reason = reason');
SELECT error('DELETE FROM epermit.credential_event');
SELECT error('TRUNCATE epermit.credential_event');
SET session_replication_role = replica;
SELECT error('UPDATE epermit.credential_event SET reason = reason');
SELECT error('DELETE FROM epermit.credential_event');
SELECT error('TRUNCATE epermit.credential_event');
RESET session_replication_role;

-- what is inserted past the functions is true of its credential, or does not enter
SELECT v.what, error(format('INSERT INTO epermit.credential_event (credential_no, event_no, status, reason, actor, status_list_id, status_idx)
                             VALUES (%L, %s, %L, %L, current_user, %s, %s)', n, event_no, status, 'x', list, idx))
  FROM (SELECT p.credential_no, status_list_id, status_idx FROM permit p WHERE p.credential_no = no('second')) p,
       LATERAL (VALUES
    (1, 'of a number not issued', unissued(credential_no::text), 1, 'revoked', status_list_id, status_idx),
    (2, 'of nobody', unissued('T-00000-00000-00000-00000'), 1, 'revoked', status_list_id, status_idx),
    (3, 'another list', credential_no::text, 2, 'revoked', status_list_id + 1, status_idx),
    (4, 'another entry', credential_no::text, 2, 'revoked', status_list_id, status_idx # 1),
    (5, 'no status', credential_no::text, 2, 'lost', status_list_id, status_idx),
    (6, 'taken event_no', credential_no::text, 1, 'revoked', status_list_id, status_idx),
    (7, 'event_no 0', credential_no::text, 0, 'valid', status_list_id, status_idx),
    (8, 'what is true', credential_no::text, 5, 'revoked', status_list_id, status_idx),
    (9, 'after a revocation', credential_no::text, 6, 'valid', status_list_id, status_idx),
    (10, 'a revocation before others', credential_no::text, 4, 'revoked', status_list_id, status_idx),
    (11, 'before a revocation, as a dump may load it', credential_no::text, 3, 'suspended', status_list_id, status_idx)) v (n_, what, n, event_no, status, list, idx)
 ORDER BY n_;
SELECT now_is('second');

-- events go with their credential, when its time has come: here the guard of that is switched off
BEGIN;
ALTER TABLE permit DISABLE TRIGGER keep;
DELETE FROM permit WHERE credential_no = no('first');
SELECT count(*) FROM events WHERE what = 'first';
SELECT count(*) FROM events WHERE what <> 'first';
ROLLBACK;

-- a cancelled document takes every unexpired credential that rests on it, and nobody else's
INSERT INTO issued SELECT 'residence', credential_no FROM link_documents(application('M87654321', residence('820000199005050044')));
INSERT INTO issued SELECT 'suspended', credential_no FROM issue_permit(application('01234567'));
INSERT INTO issued SELECT 'revoked', credential_no FROM issue_permit(application('01234567'));
INSERT INTO issued SELECT 'taiwan', credential_no FROM link_documents(application('01234567', residence('830000197811120011')));
SELECT suspend_permit(no('suspended'), 'x'), revoke_permit(no('revoked'), 'y');
SET ROLE regress_epermit_registrar;
SELECT set_document_status('820000199005050044', 'cancelled');
SELECT set_document_status('01234567', 'reported_lost');
UPDATE epermit.travel_permit SET status = 'cancelled' WHERE travel_permit_no = '01234567';
RESET ROLE;
SELECT * FROM events WHERE what IN ('somebody', 'residence', 'suspended', 'revoked', 'taiwan') ORDER BY what, event_no;
SELECT event, calling_role, string_agg(what, ' ' ORDER BY what) FROM audit_log JOIN issued ON no = credential_no
 WHERE calling_role = 'regress_epermit_registrar' GROUP BY 1, 2;

-- once: neither cancelled again nor made valid again does it change anything
UPDATE travel_permit SET status = 'cancelled' WHERE travel_permit_no = '01234567';
UPDATE travel_permit SET status = 'valid' WHERE travel_permit_no = '01234567';
UPDATE travel_permit SET status = 'cancelled' WHERE travel_permit_no = '01234567';
SELECT count(*) FROM events WHERE what IN ('suspended', 'revoked', 'taiwan');

-- what has ended is left alone
BEGIN;
ALTER TABLE permit DISABLE TRIGGER immutable;
UPDATE permit SET valid_until = clock_timestamp() WHERE credential_no = no('somebody');
SELECT set_document_status('M87654321', 'cancelled');
SELECT count(*) FROM events WHERE what = 'somebody';
ROLLBACK;

\c :suite
DROP DATABASE epermit_revocation;
DROP ROLE regress_epermit_issuer, regress_epermit_officer, regress_epermit_registrar, regress_epermit_rail;
