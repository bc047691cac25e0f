-- Tables: configuration, registry, keys, credentials, audit.  Nobody but the owner
-- touches them (90_grants.sql); functions are the interface.  How they get through pg_dump
-- is said in 87_dump.sql; rows made by CREATE EXTENSION carry `seeded`.

-- ---------------------------------------------------------------- configuration

CREATE TABLE epermit.policy (
    effective_from       timestamptz PRIMARY KEY,
    monthly_quota        smallint NOT NULL DEFAULT 2 CHECK (monthly_quota BETWEEN 0 AND 15),
    permit_days          smallint NOT NULL DEFAULT 7 CHECK (permit_days BETWEEN 1 AND 366),
    linkage_days         smallint NOT NULL DEFAULT 30 CHECK (linkage_days BETWEEN 1 AND 366),
    validity_rule        epermit.validity_rule NOT NULL DEFAULT 'exact',
    permit_purposes      text[] NOT NULL DEFAULT '{rail,air}' CHECK (NOT 'border' = ANY (permit_purposes)),
    require_attestation  boolean NOT NULL DEFAULT true,
    require_mobile       boolean NOT NULL DEFAULT true,
    attestation_max_age  interval NOT NULL DEFAULT '10 minutes'
        CHECK (attestation_max_age > '0' AND attestation_max_age <= '10 minutes'),
    attempts_per_day     smallint NOT NULL DEFAULT 10 CHECK (attempts_per_day >= 1),
    credential_retention interval NOT NULL DEFAULT '184 days' CHECK (credential_retention >= '0'),
    audit_retention      interval NOT NULL DEFAULT '3 years' CHECK (audit_retention >= '184 days'),
    seeded               boolean NOT NULL DEFAULT false     -- made by CREATE EXTENSION
);
COMMENT ON TABLE epermit.policy IS 'The rules in force from an instant on; append-only. A credential names the policy it was issued under, so a change never alters what exists.';

CREATE TABLE epermit.purpose (
    code           text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{0,30}$'),
    bit            smallint NOT NULL UNIQUE CHECK (bit BETWEEN 0 AND 62),   -- of claim 77
    name_zh_hant   text NOT NULL,
    name_zh_hans   text NOT NULL,
    name_en        text NOT NULL,
    permit_may     boolean NOT NULL,        -- a policy may let permits serve it
    linkage_may    boolean NOT NULL,        -- linkage results serve it
    seeded         boolean NOT NULL DEFAULT false,
    CHECK (code <> 'border' OR NOT (permit_may OR linkage_may))
);
COMMENT ON TABLE epermit.purpose IS 'What a credential may be checked for; append-only. border exists only to be refused.';

CREATE TABLE epermit.issuer (
    one              boolean PRIMARY KEY DEFAULT true CHECK (one),
    iss              text NOT NULL CHECK (length(iss) BETWEEN 1 AND 100),
    status_list_base text NOT NULL CHECK (length(status_list_base) BETWEEN 1 AND 100 AND status_list_base ~ '[^0-9]$'),
    seeded           boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE epermit.issuer IS 'Who signs (claim iss) and the URI to which a status list''s number is appended: one row. Change it with UPDATE before the first credential is issued.';

INSERT INTO epermit.purpose (code, bit, name_zh_hant, name_zh_hans, name_en, permit_may, linkage_may, seeded) VALUES
    ('rail',            0, '鐵路',     '铁路',     'rail',            true,  false, true),
    ('air',             1, '民航',     '民航',     'civil aviation',  true,  false, true),
    ('finance',         2, '金融',     '金融',     'finance',         false, true,  true),
    ('telecom',         3, '通信',     '通信',     'telecoms',        false, true,  true),
    ('internet',        4, '互聯網',   '互联网',   'internet',        false, true,  true),
    ('education',       5, '教育',     '教育',     'education',       false, true,  true),
    ('medical',         6, '醫療',     '医疗',     'medical care',    false, true,  true),
    ('social_security', 7, '社會保障', '社会保障', 'social security', false, true,  true),
    ('commerce',        8, '工商',     '工商',     'commerce',        false, true,  true),
    ('tax',             9, '稅務',     '税务',     'tax',             false, true,  true),
    ('lodging',        10, '住宿',     '住宿',     'lodging',         true,  true,  true),
    ('government',     11, '政務',     '政务',     'government',      false, true,  true),
    ('border',         12, '出入境',   '出入境',   'border crossing', false, false, true);
INSERT INTO epermit.policy (effective_from, seeded) VALUES ('2000-01-01 00:00+08', true);
INSERT INTO epermit.issuer (iss, status_list_base, seeded)
    VALUES ('https://epermit.invalid', 'https://epermit.invalid/s/', true);

-- ---------------------------------------------------------------- registry

CREATE TABLE epermit.holder (
    holder_id      bigint PRIMARY KEY CHECK (holder_id BETWEEN 0 AND 1099511627775),
    registered_as  epermit.travel_permit_no NOT NULL UNIQUE,    -- fixes the bucket for ever
    name_zh        text NOT NULL,
    name_romanised text NOT NULL,
    birth_date     date NOT NULL,
    sex            epermit.sex NOT NULL,
    region         epermit.region NOT NULL,
    nationality    text NOT NULL DEFAULT 'CHN' CHECK (nationality ~ '^[A-Z]{3}$'),
    CHECK (holder_id >> 24 = epermit.holder_bucket(registered_as))
);
COMMENT ON TABLE epermit.holder IS 'People, as the registrar loads them. holder_id is a 16-bit bucket, holder_bucket(registered_as), and a 24-bit serial; filled when not given.';

CREATE TABLE epermit.travel_permit (
    travel_permit_no epermit.travel_permit_no PRIMARY KEY,
    holder_id        bigint NOT NULL REFERENCES epermit.holder,
    valid_until      date NOT NULL,         -- last day, to 24:00 Beijing
    status           epermit.document_status NOT NULL DEFAULT 'valid',
    issue_count      smallint CHECK (issue_count BETWEEN 0 AND 99)
);
CREATE INDEX ON epermit.travel_permit (holder_id);
COMMENT ON TABLE epermit.travel_permit IS 'Travel permits (回鄉證, 台胞證). Numbers are for life: a renewal updates the row.';

CREATE TABLE epermit.residence_permit (
    residence_permit_no epermit.residence_permit_no PRIMARY KEY,
    holder_id           bigint NOT NULL REFERENCES epermit.holder,
    valid_until         date NOT NULL,
    status              epermit.document_status NOT NULL DEFAULT 'valid'
);
CREATE INDEX ON epermit.residence_permit (holder_id);
COMMENT ON TABLE epermit.residence_permit IS 'Residence permits (居住證) of Hong Kong, Macao and Taiwan residents.';

-- ---------------------------------------------------------------- keys

CREATE TABLE epermit.signing_key (
    kid            bytea PRIMARY KEY CHECK (octet_length(kid) = 8),
    usage          epermit.key_usage NOT NULL,
    algorithm      text NOT NULL DEFAULT 'EdDSA' CHECK (algorithm = 'EdDSA'),
    public_key     bytea NOT NULL UNIQUE CHECK (octet_length(public_key) = 32),
    sealed_seed    bytea,       -- nonce || ciphertext under the master key; NULL: another party's key
    state          text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'retired', 'compromised')),
    created_at     timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    retired_at     timestamptz,
    compromised_at timestamptz,
    reason         text
);
CREATE UNIQUE INDEX signing_key_one_active ON epermit.signing_key (usage)
    WHERE state = 'active' AND sealed_seed IS NOT NULL;
COMMENT ON TABLE epermit.signing_key IS 'Ed25519 keys: our own (with a sealed seed) and other parties'' (public only). active signs and verifies, retired verifies, compromised does neither.';

CREATE TABLE epermit.status_list (
    list_id     int PRIMARY KEY CHECK (list_id >= 0),
    shuffle_key bytea NOT NULL CHECK (octet_length(shuffle_key) = 16),
    created_at  timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    token       bytea       -- the list as it was last signed; NULL: it never was
);
ALTER TABLE epermit.status_list ALTER COLUMN token SET STORAGE EXTERNAL;    -- deflated already
CREATE SEQUENCE epermit.status_seq MINVALUE 0 START 0;
COMMENT ON TABLE epermit.status_list IS 'Token status lists that exist, 131,072 entries each, and the secret permutation that makes an index tell nothing about its neighbours.';
COMMENT ON SEQUENCE epermit.status_seq IS 'Running number of status entries; its high part is the list, its low part is shuffled.';
SELECT pg_catalog.pg_extension_config_dump('epermit.status_seq', '');

CREATE TABLE epermit.imported_status_list (
    uri  text PRIMARY KEY CHECK (octet_length(uri) BETWEEN 1 AND 1000),
    kid  bytea NOT NULL REFERENCES epermit.signing_key,
    iat  timestamptz NOT NULL,
    exp  timestamptz NOT NULL,
    bits smallint NOT NULL CHECK (bits IN (1, 2, 4, 8)),
    list bytea NOT NULL CHECK (octet_length(list) BETWEEN 1 AND 16384 * bits)     -- inflated
);
ALTER TABLE epermit.imported_status_list ALTER COLUMN list SET STORAGE EXTERNAL;   -- one byte of it is read at a time
COMMENT ON TABLE epermit.imported_status_list IS 'Status lists of other parties, the newest of each URI, as import_status_list() verified them.';

-- ---------------------------------------------------------------- credentials

-- Policy and key are checked by the trigger: a foreign key would make every issuing session
-- share-lock the same two hot rows, and neither policies nor keys ever go.

CREATE TABLE epermit.permit (
    holder_id        bigint NOT NULL REFERENCES epermit.holder,
    quota_month      date NOT NULL,         -- first day of the Beijing month it counts for
    quota_slot       smallint NOT NULL CHECK (quota_slot BETWEEN 1 AND 15),
    credential_no    epermit.credential_no NOT NULL,
    travel_permit_no epermit.travel_permit_no NOT NULL REFERENCES epermit.travel_permit,
    reason           epermit.loss_reason NOT NULL,
    request_id       uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(),    -- the applicant's idempotence key
    portrait_digest  bytea CHECK (octet_length(portrait_digest) = 32),
    mobile_no        epermit.mobile_no,
    channel          epermit.channel NOT NULL DEFAULT 'online',
    office           text,
    officer          text,
    issued_at        timestamptz NOT NULL,  -- server clock when the row was made, whole seconds
    valid_until      timestamptz NOT NULL,  -- exclusive
    clipped          boolean NOT NULL,      -- ends early because the document does
    purposes         text[] NOT NULL,
    policy           timestamptz NOT NULL,  -- a policy's effective_from
    kid              bytea NOT NULL,
    status_list_id   int NOT NULL,
    status_idx       int NOT NULL,
    token            epermit.token NOT NULL,
    PRIMARY KEY (holder_id, quota_month, quota_slot),
    UNIQUE (holder_id, request_id)
);
COMMENT ON TABLE epermit.permit IS 'Temporary electronic travel permits. Its trigger issues a row without a token and admits one whose token proves it; the primary key is the quota.';

CREATE TABLE epermit.linkage (
    holder_id           bigint NOT NULL REFERENCES epermit.holder,
    linkage_no          int NOT NULL CHECK (linkage_no BETWEEN 1 AND 65535),   -- month * 16 + slot
    credential_no       epermit.credential_no NOT NULL,
    travel_permit_no    epermit.travel_permit_no NOT NULL REFERENCES epermit.travel_permit,
    residence_permit_no epermit.residence_permit_no NOT NULL REFERENCES epermit.residence_permit,
    request_id          uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(),
    portrait_digest     bytea CHECK (octet_length(portrait_digest) = 32),
    mobile_no           epermit.mobile_no,
    channel             epermit.channel NOT NULL DEFAULT 'online',
    office              text,
    officer             text,
    issued_at           timestamptz NOT NULL,
    valid_until         timestamptz NOT NULL,
    clipped             boolean NOT NULL,
    policy              timestamptz NOT NULL,
    kid                 bytea NOT NULL,
    status_list_id      int NOT NULL,
    status_idx          int NOT NULL,
    token               epermit.token NOT NULL,
    PRIMARY KEY (holder_id, linkage_no),
    UNIQUE (holder_id, request_id)
);
COMMENT ON TABLE epermit.linkage IS 'Results that a travel permit and a residence permit belong to one person. linkage_no is months since 2000-01 times 16 plus a slot from 1 to 15: the low 16 bits that the credential number carries. Same trigger as permit.';

CREATE TABLE epermit.credential_event (
    credential_no  epermit.credential_no NOT NULL,
    event_no       smallint NOT NULL CHECK (event_no >= 1),
    status         text NOT NULL CHECK (status IN ('revoked', 'suspended', 'valid')),
    at             timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    reason         text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    actor          name NOT NULL,
    status_list_id int NOT NULL,    -- copied, so that a list is built without the credentials
    status_idx     int NOT NULL,
    PRIMARY KEY (credential_no, event_no)
);
CREATE INDEX ON epermit.credential_event (status_list_id);
COMMENT ON TABLE epermit.credential_event IS 'Revocations, suspensions and reinstatements: insert-only, the highest event_no of a credential is its status, so replicas and subscribers see each change as an insert.';

CREATE TABLE epermit.attestation_use (
    nonce     bytea PRIMARY KEY CHECK (octet_length(nonce) = 16),
    holder_id bigint NOT NULL,
    used_at   timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE epermit.attestation_use IS 'Attestations already used: each serves once.';
SELECT pg_catalog.pg_extension_config_dump('epermit.attestation_use', '');

CREATE TABLE epermit.department (
    code       text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{0,62}$'),
    name       text NOT NULL,
    role       name NOT NULL UNIQUE,
    purposes   text[] NOT NULL CHECK (NOT 'border' = ANY (purposes)),
    disclosure text[] NOT NULL
);
COMMENT ON TABLE epermit.department IS 'Who verifies: the database role that calls (the outer role), what for, and which columns of verification it gets beyond verdict, number and validity.';

-- ---------------------------------------------------------------- audit

CREATE TABLE epermit.audit_log (
    id            bigint GENERATED BY DEFAULT AS IDENTITY,
    at            timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    era           bigint NOT NULL,      -- system identifier of the cluster: xids mean something only within it
    xid           xid8 NOT NULL,        -- transaction that wrote it: seals know what can no longer change
    event         text NOT NULL,
    login_role    name NOT NULL,        -- session user
    calling_role  name NOT NULL,        -- role in force when the function was called (SET ROLE)
    department    text,
    holder_id     bigint,
    credential_no epermit.credential_no,
    purpose       text,
    verdict       text,
    codes         text[],               -- of a refusal, including those the applicant was not shown
    attempt       boolean NOT NULL DEFAULT false,   -- counts against attempts_per_day
    request_id    uuid,
    detail        jsonb                 -- no personal data
) PARTITION BY RANGE (at);
CREATE TABLE epermit.audit_log_default PARTITION OF epermit.audit_log DEFAULT;
COMMENT ON TABLE epermit.audit_log IS 'One row per event, written in the transaction of the event; append-only, partitioned by month (Beijing). Events: issue_permit, link_documents, refuse_permit, refuse_linkage, verify_permit, verify_linkage, documents_linked, revoke, suspend, reinstate, key, status_list, policy, purpose, issuer, registry, department, import, retention, audit.';
COMMENT ON TABLE epermit.audit_log_default IS 'The net: takes what no monthly partition takes.';
COMMENT ON SEQUENCE epermit.audit_log_id_seq IS 'Makes audit ids unique; they have no other meaning.';
SELECT pg_catalog.pg_extension_config_dump('epermit.audit_log_default', '');
SELECT pg_catalog.pg_extension_config_dump('epermit.audit_log_id_seq', '');
