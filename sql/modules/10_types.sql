-- Types: enums, document numbers, credential numbers, tokens, and the composites that
-- functions return.
--
-- Labels of the enums are fixed while the extension is installed (IMMUTABLE functions return
-- them): add one only in an upgrade script, never rename one.
--
-- The operators stand in schema epermit.  Where search_path lacks it, as in the extension's own
-- functions, write OPERATOR(epermit.=).

-- ---------------------------------------------------------------- enums

CREATE TYPE epermit.region AS ENUM ('HKG', 'MAC', 'TWN');
COMMENT ON TYPE epermit.region IS 'Where a holder is resident: Hong Kong, Macao, Taiwan.';

CREATE TYPE epermit.sex AS ENUM ('male', 'female', 'other');
COMMENT ON TYPE epermit.sex IS 'Sex as registered; the order is that of claim 169/9 (1, 2, 3).';

CREATE TYPE epermit.document_kind AS ENUM ('hk_macau', 'hk_macau_foreign', 'taiwan');
COMMENT ON TYPE epermit.document_kind IS 'Kinds of travel permit: Hong Kong and Macao Chinese citizens (H, M), their non-Chinese permanent residents (HA, MA), Taiwan.';

CREATE TYPE epermit.document_status AS ENUM ('valid', 'reported_lost', 'cancelled');
COMMENT ON TYPE epermit.document_status IS 'What the registry says of a document. One reported lost still entitles to a temporary permit.';

CREATE TYPE epermit.loss_reason AS ENUM ('lost', 'damaged', 'forgotten');
COMMENT ON TYPE epermit.loss_reason IS 'Why the holder is without the travel permit.';

CREATE TYPE epermit.channel AS ENUM ('online', 'counter');
COMMENT ON TYPE epermit.channel IS 'How an application came in.';

CREATE TYPE epermit.validity_rule AS ENUM ('exact', 'end_of_day', 'inclusive');
COMMENT ON TYPE epermit.validity_rule IS 'How N days are counted: N x 24 h from the second of issue; to 24:00 Beijing of issue day + N; to 24:00 Beijing of issue day + N - 1.';

CREATE TYPE epermit.key_usage AS ENUM ('permit', 'linkage', 'status', 'attestation', 'root');
COMMENT ON TYPE epermit.key_usage IS 'The one kind of message a key may sign; root signs lists of keys.';

CREATE TYPE epermit.verdict AS ENUM ('valid', 'malformed', 'unknown_key', 'bad_signature', 'not_yet_valid', 'expired',
    'revoked', 'suspended', 'out_of_scope', 'not_found', 'mistyped', 'not_linked', 'key_compromised', 'undetermined');
COMMENT ON TYPE epermit.verdict IS 'What a verification came to. Only valid lets anybody travel or act; undetermined means that the facts needed are not at hand.';

-- ---------------------------------------------------------------- travel_permit_no

CREATE TYPE epermit.travel_permit_no;

CREATE FUNCTION epermit.travel_permit_no_in(cstring) RETURNS epermit.travel_permit_no
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_travel_permit_no_in';
CREATE FUNCTION epermit.travel_permit_no_out(epermit.travel_permit_no) RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_travel_permit_no_out';
CREATE FUNCTION epermit.travel_permit_no_recv(internal) RETURNS epermit.travel_permit_no
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_travel_permit_no_recv';
CREATE FUNCTION epermit.travel_permit_no_send(epermit.travel_permit_no) RETURNS bytea
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int8send';

CREATE TYPE epermit.travel_permit_no (
    INPUT = epermit.travel_permit_no_in, OUTPUT = epermit.travel_permit_no_out,
    RECEIVE = epermit.travel_permit_no_recv, SEND = epermit.travel_permit_no_send,
    LIKE = pg_catalog.int8
);
COMMENT ON TYPE epermit.travel_permit_no IS 'Number of a travel permit (回鄉證, 台胞證): H or M and 8 digits, HA or MA and 7 digits, or 8 digits (Taiwan). Input ignores case, width and an issue count that follows; 22P02 names the rule broken. Sorts as its text in C collation.';

-- ---------------------------------------------------------------- residence_permit_no

CREATE TYPE epermit.residence_permit_no;

CREATE FUNCTION epermit.residence_permit_no_in(cstring) RETURNS epermit.residence_permit_no
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_residence_permit_no_in';
CREATE FUNCTION epermit.residence_permit_no_out(epermit.residence_permit_no) RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_residence_permit_no_out';
CREATE FUNCTION epermit.residence_permit_no_recv(internal) RETURNS epermit.residence_permit_no
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_residence_permit_no_recv';
CREATE FUNCTION epermit.residence_permit_no_send(epermit.residence_permit_no) RETURNS bytea
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int8send';

CREATE TYPE epermit.residence_permit_no (
    INPUT = epermit.residence_permit_no_in, OUTPUT = epermit.residence_permit_no_out,
    RECEIVE = epermit.residence_permit_no_recv, SEND = epermit.residence_permit_no_send,
    LIKE = pg_catalog.int8
);
COMMENT ON TYPE epermit.residence_permit_no IS 'Number of a residence permit (居住證): 810000, 820000 or 830000, birth date, three digits and a check character (GB 11643-1999). Input ignores case and width; 22P02 names the rule broken and the check character that would be right. Sorts as its text in C collation.';

-- ---------------------------------------------------------------- mobile_no

CREATE TYPE epermit.mobile_no;

CREATE FUNCTION epermit.mobile_no_in(cstring) RETURNS epermit.mobile_no
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_mobile_no_in';
CREATE FUNCTION epermit.mobile_no_out(epermit.mobile_no) RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_mobile_no_out';
CREATE FUNCTION epermit.mobile_no_recv(internal) RETURNS epermit.mobile_no
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_mobile_no_recv';
CREATE FUNCTION epermit.mobile_no_send(epermit.mobile_no) RETURNS bytea
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int8send';

CREATE TYPE epermit.mobile_no (
    INPUT = epermit.mobile_no_in, OUTPUT = epermit.mobile_no_out,
    RECEIVE = epermit.mobile_no_recv, SEND = epermit.mobile_no_send,
    LIKE = pg_catalog.int8
);
COMMENT ON TYPE epermit.mobile_no IS 'Mainland mobile number: 11 digits from 13 to 19. Input drops +86, 0086, spaces and hyphens; 22P02 names the rule broken. Sorts as its text in C collation.';

-- ---------------------------------------------------------------- credential_no

CREATE TYPE epermit.credential_no;

CREATE FUNCTION epermit.credential_no_in(cstring) RETURNS epermit.credential_no
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_credential_no_in';
CREATE FUNCTION epermit.credential_no_out(epermit.credential_no) RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_credential_no_out';
CREATE FUNCTION epermit.credential_no_recv(internal) RETURNS epermit.credential_no
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_credential_no_recv';
CREATE FUNCTION epermit.credential_no_send(epermit.credential_no) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_credential_no_send';

CREATE TYPE epermit.credential_no (
    INPUT = epermit.credential_no_in, OUTPUT = epermit.credential_no_out,
    RECEIVE = epermit.credential_no_recv, SEND = epermit.credential_no_send,
    INTERNALLENGTH = 12, ALIGNMENT = char
);
COMMENT ON TYPE epermit.credential_no IS 'Number of a permit (T) or a linkage (L), 12 bytes that carry kind, holder, month and slot; sorts in that order. Input ignores case, hyphens and spaces and reads O as 0, I and L as 1; 22P02 tells a mistyped number (Rule check_digit) from something else.';

-- ---------------------------------------------------------------- token

CREATE TYPE epermit.token;

CREATE FUNCTION epermit.token_in(cstring) RETURNS epermit.token
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_token_in';
CREATE FUNCTION epermit.token_out(epermit.token) RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_token_out';
CREATE FUNCTION epermit.token_recv(internal) RETURNS epermit.token
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_token_recv';
CREATE FUNCTION epermit.token_send(epermit.token) RETURNS bytea
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';

CREATE TYPE epermit.token (
    INPUT = epermit.token_in, OUTPUT = epermit.token_out,
    RECEIVE = epermit.token_recv, SEND = epermit.token_send,
    INTERNALLENGTH = VARIABLE, STORAGE = external
);
COMMENT ON TYPE epermit.token IS 'A signed message as a QR shows it: base45(zlib(COSE_Sign1)), at most 4296 characters; the zlib bytes are what is stored and compared. Input checks the structure (22P02), never the signature.';

DO $$
DECLARE
    fn pg_catalog.regprocedure;
BEGIN
    FOR fn IN
        SELECT p.oid
          FROM pg_catalog.pg_type t
          JOIN pg_catalog.pg_proc p ON p.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend)
         WHERE t.typnamespace = 'epermit'::pg_catalog.regnamespace
           AND p.pronamespace = t.typnamespace
    LOOP
        EXECUTE pg_catalog.format('COMMENT ON FUNCTION %s IS %L', fn, 'I/O');
    END LOOP;
END $$;

-- ---------------------------------------------------------------- operators, operator classes and casts

-- Numbers are 64-bit integers and a token is a bytea, so PostgreSQL's own functions compare them.
-- The classes are alike: one definition, five types.
DO $$
DECLARE
    t  record;
    op record;
BEGIN
    FOR t IN
        SELECT *
          FROM (VALUES
            ('travel_permit_no',    'LANGUAGE internal AS ''int8%s''',  'btint8cmp', 'hashint8',    'btint8sortsupport'),
            ('residence_permit_no', 'LANGUAGE internal AS ''int8%s''',  'btint8cmp', 'hashint8',    'btint8sortsupport'),
            ('mobile_no',           'LANGUAGE internal AS ''int8%s''',  'btint8cmp', 'hashint8',    'btint8sortsupport'),
            ('token',               'LANGUAGE internal AS ''bytea%s''', 'byteacmp',  'hashvarlena', 'bytea_sortsupport'),
            ('credential_no',       'LANGUAGE C AS ''MODULE_PATHNAME'', ''epermit_credential_no_%s''', NULL, NULL, NULL)
          ) AS v (name, body, cmp, hash, sortsupport)
    LOOP
        FOR op IN
            SELECT *
              FROM (VALUES
                ('eq', '=',  '=',  '<>', 'eqsel',       'eqjoinsel',       'HASHES, MERGES', 'equal'),
                ('ne', '<>', '<>', '=',  'neqsel',      'neqjoinsel',      NULL, 'not equal'),
                ('lt', '<',  '>',  '>=', 'scalarltsel', 'scalarltjoinsel', NULL, 'less than'),
                ('le', '<=', '>=', '>',  'scalarlesel', 'scalarlejoinsel', NULL, 'less than or equal'),
                ('ge', '>=', '<=', '<',  'scalargesel', 'scalargejoinsel', NULL, 'greater than or equal'),
                ('gt', '>',  '<',  '<=', 'scalargtsel', 'scalargtjoinsel', NULL, 'greater than')
              ) AS v (suffix, sign, commutator, negator, restrict_fn, join_fn, flags, comment)
        LOOP
            EXECUTE pg_catalog.format($sql$
                CREATE FUNCTION epermit.%1$I(epermit.%2$I, epermit.%2$I) RETURNS boolean
                    IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF %3$s;
                COMMENT ON FUNCTION epermit.%1$I(epermit.%2$I, epermit.%2$I) IS 'implementation of %4$s operator';
                CREATE OPERATOR epermit.%4$s (
                    FUNCTION = epermit.%1$I, LEFTARG = epermit.%2$I, RIGHTARG = epermit.%2$I,
                    COMMUTATOR = OPERATOR(epermit.%5$s), NEGATOR = OPERATOR(epermit.%6$s),
                    RESTRICT = pg_catalog.%7$I, JOIN = pg_catalog.%8$I%9$s);
                COMMENT ON OPERATOR epermit.%4$s (epermit.%2$I, epermit.%2$I) IS %10$L;
                $sql$,
                t.name || '_' || op.suffix, t.name, pg_catalog.format(t.body, op.suffix), op.sign,
                op.commutator, op.negator, op.restrict_fn, op.join_fn, ', ' || op.flags, op.comment);
        END LOOP;

        EXECUTE pg_catalog.format($sql$
            CREATE FUNCTION epermit.%2$I(epermit.%1$I, epermit.%1$I) RETURNS integer
                IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF %5$s;
            CREATE FUNCTION epermit.%3$I(epermit.%1$I) RETURNS integer
                IMMUTABLE STRICT PARALLEL SAFE %6$s;
            CREATE FUNCTION epermit.%4$I(epermit.%1$I, bigint) RETURNS bigint
                IMMUTABLE STRICT PARALLEL SAFE %7$s;
            COMMENT ON FUNCTION epermit.%2$I(epermit.%1$I, epermit.%1$I) IS 'btree support: less-equal-greater';
            COMMENT ON FUNCTION epermit.%3$I(epermit.%1$I) IS 'hash support';
            COMMENT ON FUNCTION epermit.%4$I(epermit.%1$I, bigint) IS 'hash support, seeded, 64 bits: for hash partitions';

            CREATE OPERATOR CLASS epermit.%8$I DEFAULT FOR TYPE epermit.%1$I USING btree AS
                OPERATOR 1 epermit.<, OPERATOR 2 epermit.<=, OPERATOR 3 epermit.=,
                OPERATOR 4 epermit.>=, OPERATOR 5 epermit.>,
                FUNCTION 1 epermit.%2$I(epermit.%1$I, epermit.%1$I),
                %10$s
                FUNCTION 4 pg_catalog.btequalimage(oid);
            CREATE OPERATOR CLASS epermit.%9$I DEFAULT FOR TYPE epermit.%1$I USING hash AS
                OPERATOR 1 epermit.=,
                FUNCTION 1 epermit.%3$I(epermit.%1$I),
                FUNCTION 2 epermit.%4$I(epermit.%1$I, bigint);
            COMMENT ON OPERATOR CLASS epermit.%8$I USING btree IS 'default';
            COMMENT ON OPERATOR CLASS epermit.%9$I USING hash IS 'default';

            CREATE CAST (epermit.%1$I AS text) WITH INOUT AS ASSIGNMENT;
            CREATE CAST (text AS epermit.%1$I) WITH INOUT AS ASSIGNMENT;
            COMMENT ON CAST (epermit.%1$I AS text) IS 'prints';
            COMMENT ON CAST (text AS epermit.%1$I) IS 'reads; 22P02 where the text breaks a rule';
            $sql$,
            t.name, t.name || '_cmp', t.name || '_hash', t.name || '_hash_extended',
            COALESCE('LANGUAGE internal AS ' || pg_catalog.quote_literal(t.cmp), pg_catalog.format(t.body, 'cmp')),
            COALESCE('LANGUAGE internal AS ' || pg_catalog.quote_literal(t.hash), pg_catalog.format(t.body, 'hash')),
            COALESCE('LANGUAGE internal AS ' || pg_catalog.quote_literal(t.hash || 'extended'), pg_catalog.format(t.body, 'hash_extended')),
            t.name || '_ops', t.name || '_hash_ops',
            'FUNCTION 2 pg_catalog.' || t.sortsupport || '(internal),');
    END LOOP;
END $$;

-- ---------------------------------------------------------------- accessors

CREATE FUNCTION epermit.region(epermit.travel_permit_no) RETURNS epermit.region
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_travel_permit_no_region';
COMMENT ON FUNCTION epermit.region(epermit.travel_permit_no) IS 'Region whose residents get such a number.';

CREATE FUNCTION epermit.kind(epermit.travel_permit_no) RETURNS epermit.document_kind
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_travel_permit_no_kind';
COMMENT ON FUNCTION epermit.kind(epermit.travel_permit_no) IS 'Kind of travel permit that has such a number. A passport may look the same: callers state the kind and this confirms it.';

CREATE FUNCTION epermit.holder_bucket(epermit.travel_permit_no) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_travel_permit_no_holder_bucket';
COMMENT ON FUNCTION epermit.holder_bucket(epermit.travel_permit_no) IS 'First two bytes, big-endian, of SHA-256 of the number''s text: 0 to 65535, the upper 16 bits of its holder''s holder_id. Frozen for ever.';

CREATE FUNCTION epermit.region(epermit.residence_permit_no) RETURNS epermit.region
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_residence_permit_no_region';
COMMENT ON FUNCTION epermit.region(epermit.residence_permit_no) IS 'Region the holder comes from: 81, 82, 83.';

CREATE FUNCTION epermit.birth_date(epermit.residence_permit_no) RETURNS date
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_residence_permit_no_birth_date';
COMMENT ON FUNCTION epermit.birth_date(epermit.residence_permit_no) IS 'Birth date in the number: a date of the calendar, which may lie in the future.';

CREATE FUNCTION epermit.sex(epermit.residence_permit_no) RETURNS epermit.sex
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_residence_permit_no_sex';
COMMENT ON FUNCTION epermit.sex(epermit.residence_permit_no) IS 'Sex in the number: 17th digit odd is male, even is female.';

CREATE FUNCTION epermit.masked(epermit.travel_permit_no) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_travel_permit_no_masked';
COMMENT ON FUNCTION epermit.masked(epermit.travel_permit_no) IS 'The number with its middle hidden: H1****678.';

CREATE FUNCTION epermit.masked(epermit.residence_permit_no) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_residence_permit_no_masked';
COMMENT ON FUNCTION epermit.masked(epermit.residence_permit_no) IS 'The number with its middle, birth date included, hidden.';

CREATE FUNCTION epermit.masked(epermit.mobile_no) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_mobile_no_masked';
COMMENT ON FUNCTION epermit.masked(epermit.mobile_no) IS 'The number with its middle hidden.';

CREATE FUNCTION epermit.is_permit(epermit.credential_no) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_credential_no_is_permit';
COMMENT ON FUNCTION epermit.is_permit(epermit.credential_no) IS 'True for a permit (T), false for a linkage (L).';

CREATE FUNCTION epermit.holder_id(epermit.credential_no) RETURNS bigint
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_credential_no_holder_id';
COMMENT ON FUNCTION epermit.holder_id(epermit.credential_no) IS 'Holder, 40 bits.';

CREATE FUNCTION epermit.quota_month(epermit.credential_no) RETURNS date
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_credential_no_quota_month';
COMMENT ON FUNCTION epermit.quota_month(epermit.credential_no) IS 'First day of the Beijing month a permit counts for, or a linkage was issued in.';

CREATE FUNCTION epermit.quota_slot(epermit.credential_no) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_credential_no_quota_slot';
COMMENT ON FUNCTION epermit.quota_slot(epermit.credential_no) IS 'Slot within that month, from 1; for a linkage its running number within that month.';

CREATE FUNCTION epermit.claims(epermit.token) RETURNS jsonb
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_token_claims';
COMMENT ON FUNCTION epermit.claims(epermit.token) IS 'What a token says, decoded and NOT verified: {"verified": false, "kid", "typ", "usage", ...}. usage is permit, linkage or attestation, or null where the payload is none of these; then nothing follows. Instants are seconds since 1970, byte strings hexadecimal, purposes numbers of bits. Trust verify_offline instead.';

CREATE FUNCTION epermit.kid(epermit.token) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_token_kid';
COMMENT ON FUNCTION epermit.kid(epermit.token) IS 'Key the token says it is signed with: first 8 bytes of the RFC 9679 thumbprint.';

CREATE FUNCTION epermit.cose(epermit.token) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_token_cose';
COMMENT ON FUNCTION epermit.cose(epermit.token) IS 'The COSE_Sign1 message (RFC 9052), inflated.';

-- ---------------------------------------------------------------- composites

CREATE TYPE epermit.problem AS (
    field   text,
    code    text,
    message text,
    hint    text
);
COMMENT ON TYPE epermit.problem IS 'One thing wrong with an application: field of the application, code of problem_catalog, message and hint in the language asked for.';

CREATE TYPE epermit.issuance AS (
    credential_no   epermit.credential_no,
    valid_from      timestamptz,
    valid_until     timestamptz,
    clipped         boolean,
    purposes        text[],
    quota_used      int,
    quota_remaining int,
    problems        epermit.problem[]
);
COMMENT ON TYPE epermit.issuance IS 'What came of an application. Refused: credential_no is NULL and problems says why. Issued: problems is empty.';
COMMENT ON COLUMN epermit.issuance.valid_until IS 'Exclusive.';
COMMENT ON COLUMN epermit.issuance.clipped IS 'Ends early because the underlying document does.';
COMMENT ON COLUMN epermit.issuance.quota_used IS 'Permits of the Beijing month; NULL for a linkage.';

CREATE TYPE epermit.verification AS (
    ok              boolean,
    verdict         epermit.verdict,
    credential_no   epermit.credential_no,
    holder_name     text,
    name_romanised  text,
    birth_date      date,
    document_kind   epermit.document_kind,
    document_no     text,
    valid_from      timestamptz,
    valid_until     timestamptz,
    purposes        text[],
    portrait_digest bytea,
    name_match      text,
    audit_id        bigint,
    checked_at      timestamptz
);
COMMENT ON TYPE epermit.verification IS 'What came of a check. Columns a department is not granted are NULL, and where nothing trustworthy was presented only ok, verdict, audit_id and checked_at are not.';
COMMENT ON COLUMN epermit.verification.ok IS 'True if and only if verdict is valid.';
COMMENT ON COLUMN epermit.verification.document_no IS 'Underlying travel permit number, masked.';
COMMENT ON COLUMN epermit.verification.valid_until IS 'Exclusive.';
COMMENT ON COLUMN epermit.verification.portrait_digest IS 'SHA-256 of the portrait; its first 16 bytes where only the token is at hand.';
COMMENT ON COLUMN epermit.verification.name_match IS 'How the registry''s name for the holder compares with the one that was signed: none, variant (Traditional or Simplified, or width) or exact. NULL offline and for a linkage.';
COMMENT ON COLUMN epermit.verification.audit_id IS 'The check''s row in audit_log; NULL offline.';
