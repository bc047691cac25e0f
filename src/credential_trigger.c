/*
 * credential_trigger.c
 *		The law of epermit.permit and epermit.linkage.
 *
 * BEFORE INSERT decides.  A row without a token is issued: under the holder's
 * lock the clock is read, the lowest free slot taken, everything computed once, signed
 * and filled in.  A row with a token is admitted when the token proves it, which is how
 * a dump is restored.  Both hold for every path a row can take: functions, plain INSERT, COPY,
 * logical replication.  Nothing a token covers ever changes afterwards, and a row
 * goes only when its retention has passed.
 *
 * What decides is read with the latest snapshot (plan.h): a session in REPEATABLE READ
 * sees the slots that others took since it began.
 */
#include "compat.h"

#include <sodium.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "audit.h"
#include "config.h"
#include "core/calendar.h"
#include "core/claims.h"
#include "credential.h"
#include "executor/spi.h"
#include "plan.h"
#include "problem.h"
#include "registry.h"
#include "replication/logicalworker.h"
#include "status_list.h"
#include "trigger.h"
#include "types.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(epermit_credential_insert);
PG_FUNCTION_INFO_V1(epermit_credential_audit);
PG_FUNCTION_INFO_V1(epermit_credential_delete);

PGDLLEXPORT Datum epermit_credential_insert(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_audit(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_delete(PG_FUNCTION_ARGS);

/*
 * Columns of either table; reason, quota_month, quota_slot and purposes are permit's,
 * residence_permit_no and linkage_no are linkage's.
 */
typedef enum Column
{
	COL_HOLDER_ID = 0,
	COL_TRAVEL_PERMIT_NO,
	COL_RESIDENCE_PERMIT_NO,
	COL_REASON,
	COL_REQUEST_ID,
	COL_CHANNEL,
	COL_PORTRAIT_DIGEST,
	COL_QUOTA_MONTH,			/* from here on the trigger fills */
	COL_QUOTA_SLOT,
	COL_LINKAGE_NO,
	COL_CREDENTIAL_NO,
	COL_ISSUED_AT,
	COL_VALID_UNTIL,
	COL_CLIPPED,
	COL_PURPOSES,
	COL_POLICY,
	COL_KID,
	COL_STATUS_LIST_ID,
	COL_STATUS_IDX,
	COL_TOKEN,
	COLUMNS
} Column;

static const char *const column_names[COLUMNS] = {
	"holder_id", "travel_permit_no", "residence_permit_no", "reason", "request_id", "channel",
	"portrait_digest",
	"quota_month", "quota_slot", "linkage_no", "credential_no", "issued_at", "valid_until",
	"clipped", "purposes", "policy", "kid", "status_list_id", "status_idx", "token"
};

typedef struct Row
{
	int			attnum[COLUMNS];	/* 0: the table has no such column */
	Datum		value[COLUMNS];
	bool		isnull[COLUMNS];
} Row;

/* What a row and its token say alike. */
typedef struct Credential
{
	CredentialKind kind;
	int64		holder_id;
	uint64		travel_permit_no;
	uint64		residence_permit_no;	/* linkage */
	uint8	   *portrait_digest;	/* 32 bytes, or NULL */
	int			month;
	int			slot;
	CredentialNo no;
	int64		issued_at;
	int64		valid_until;
	bool		clipped;
	uint64		purposes;		/* permit */
	const Policy *policy;		/* issue */
	uint8		kid[KID_BYTES];
	int32		status_list_id;
	int32		status_idx;
} Credential;

static void
row_load(Row *row, Relation rel, HeapTuple tuple)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			c;

	for (c = 0; c < COLUMNS; c++)
	{
		int			attnum = SPI_fnumber(desc, column_names[c]);

		row->attnum[c] = Max(attnum, 0);
		row->isnull[c] = true;
		row->value[c] = (Datum) 0;
		if (attnum > 0)
			row->value[c] = heap_getattr(tuple, attnum, desc, &row->isnull[c]);
	}
}

static void
row_set(Row *row, Column column, Datum value)
{
	row->value[column] = value;
	row->isnull[column] = false;
}

/* The tuple with what the trigger filled in, in the memory of the trigger's caller. */
static HeapTuple
row_store(const Row *row, Relation rel, HeapTuple tuple)
{
	int			attnums[COLUMNS];
	Datum		values[COLUMNS];
	char		nulls[COLUMNS];
	int			n = 0;
	int			c;

	for (c = COL_QUOTA_MONTH; c < COLUMNS; c++)
	{
		if (row->attnum[c] == 0)
			continue;
		attnums[n] = row->attnum[c];
		values[n] = row->value[c];
		nulls[n] = row->isnull[c] ? 'n' : ' ';
		n++;
	}
	return SPI_modifytuple(rel, tuple, n, attnums, values, nulls);
}

pg_noreturn static void
refuse_holder(int64 holder_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("travel permit and holder do not belong together in the registry"),
			 errdetail("holder_id is " INT64_FORMAT ".", holder_id)));
}

/* ---------------------------------------------------------------- issue */

/* Whoever states a column that the trigger computes would get something else than was stated. */
static void
refuse_given(const Row *row)
{
	int			c;

	for (c = COL_QUOTA_MONTH; c < COL_TOKEN; c++)
	{
		if (!row->isnull[c])
			ereport(ERROR,
					(errcode(ERRCODE_TP_TOKEN_MISMATCH),
					 errmsg("column \"%s\" is filled when a credential is issued", column_names[c]),
					 errdetail("Only a row that brings its signed token may state it."),
					 errhint("Leave the column out.")));
	}
}

/* What the applicant's side of the row says. */
static void
read_given(const Row *row, Credential *credential)
{
	int			c;

	/* The table's own constraints would show the row, with who it is about and its token. */
	for (c = COL_HOLDER_ID; c < COL_PORTRAIT_DIGEST; c++)
	{
		if (row->attnum[c] != 0 && row->isnull[c])
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("null value in column \"%s\" of a credential", column_names[c])));
	}

	credential->holder_id = DatumGetInt64(row->value[COL_HOLDER_ID]);
	credential->travel_permit_no = DatumGetNumber(row->value[COL_TRAVEL_PERMIT_NO]);
	if (credential->kind == CREDENTIAL_LINKAGE)
		credential->residence_permit_no = DatumGetNumber(row->value[COL_RESIDENCE_PERMIT_NO]);

	credential->portrait_digest = NULL;
	if (!row->isnull[COL_PORTRAIT_DIGEST])
	{
		bytea	   *digest = DatumGetByteaPP(row->value[COL_PORTRAIT_DIGEST]);

		if (VARSIZE_ANY_EXHDR(digest) != PORTRAIT_DIGEST_BYTES)
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("portrait_digest must be a SHA-256 digest of %d bytes",
							PORTRAIT_DIGEST_BYTES)));
		credential->portrait_digest = (uint8 *) VARDATA_ANY(digest);
	}
}

static void
take_slot(Credential *credential)
{
	int			limit = credential->kind == CREDENTIAL_PERMIT ?
		credential->policy->monthly_quota : LINKAGES_PER_MONTH;
	uint32		taken;

	credential->month = beijing_month(credential->issued_at);
	taken = credential_taken_slots(credential->kind, credential->holder_id, credential->month);
	credential->slot = credential_free_slot(taken, limit);
	if (credential->slot == 0)
		ereport(ERROR,
				(errcode(ERRCODE_TP_QUOTA_EXCEEDED),
				 credential->kind == CREDENTIAL_PERMIT ?
				 errmsg("the monthly quota of %d permits is used up", limit) :
				 errmsg("the %d linkage results of a month are used up", limit),
				 errdetail("The next month opens at %s:00+08.",
						   beijing_string(month_opens(credential->month + 1)))));
}

static void
make_number(Credential *credential)
{
	CredentialParts parts;

	parts.is_permit = credential->kind == CREDENTIAL_PERMIT;
	parts.holder_id = (uint64) credential->holder_id;
	parts.month = credential->month;
	parts.slot = credential->slot;
	randombytes_buf(&parts.random, sizeof(parts.random));
	parts.random &= (UINT64_C(1) << 39) - 1;
	credential_no_pack(&parts, &credential->no);
}

/* Under the holder's lock: all that is decided, once. */
static void
decide(Credential *credential, Registered *registered)
{
	TimestampTz now;
	const Policy *policy;
	ProblemList problems = {NIL};
	int32		last_day;
	int64		documents_end;
	bool		is_permit = credential->kind == CREDENTIAL_PERMIT;

	if (!credential_lock_holder(credential->holder_id) ||
		!registry_find(credential->travel_permit_no, false, registered) ||
		registered->holder_id != credential->holder_id)
		refuse_holder(credential->holder_id);

	/* The clock is read here, after any wait for the lock, and once. */
	now = GetCurrentTimestamp();
	credential->issued_at = timestamptz_to_unix(now);
	policy = credential->policy = config_policy_at(now);

	registry_rules(credential->kind, registered, credential->residence_permit_no,
				   credential->issued_at, &problems, &last_day);
	if (problems.problems != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("no credential can be issued for these documents"),
				 errdetail("Rule %s is broken.", ((Problem *) linitial(problems.problems))->code)));

	take_slot(credential);

	credential->valid_until =
		validity_end(policy->validity_rule, credential->issued_at,
					 is_permit ? policy->permit_days : policy->linkage_days);
	documents_end = beijing_midnight(last_day + 1);
	credential->clipped = documents_end < credential->valid_until;
	if (credential->clipped)
		credential->valid_until = documents_end;
	credential->purposes = policy->permit_purposes;

	make_number(credential);
	status_entry_allocate(&credential->status_list_id, &credential->status_idx);
}

static size_t
write_permit(const Credential *credential, const Registered *registered,
			 const char *iss, StatusRef status, uint8 *buf, size_t cap)
{
	PermitClaims claims;
	char		number[CREDENTIAL_NO_TEXT + 1];
	char		masked[TRAVEL_PERMIT_NO_MAX + 1];

	memset(&claims, 0, sizeof(claims));
	credential_no_format(&credential->no, number);
	travel_permit_mask(credential->travel_permit_no, masked);

	claims.iss = slice_from_string(iss);
	claims.exp = credential->valid_until;
	claims.nbf = claims.iat = credential->issued_at;
	claims.cti = credential->no;
	claims.number = slice_from_string(number);
	claims.name_zh = slice_from_string(registered->name_zh);
	claims.birth_date = slice_from_string(birth_date_string(registered->birth_date));
	claims.sex = registered->sex;
	claims.nationality = slice_from_string(registered->nationality);
	claims.name_romanised = slice_from_string(registered->name_romanised);
	claims.region = registered->region;
	claims.document_masked = slice_from_string(masked);
	claims.purposes = credential->purposes;
	claims.has_portrait = credential->portrait_digest != NULL;
	if (claims.has_portrait)
		memcpy(claims.portrait, credential->portrait_digest, PORTRAIT_CLAIM_BYTES);
	claims.status = status;
	return permit_claims_write(&claims, buf, cap);
}

static size_t
write_linkage(const Credential *credential, const Registered *registered,
			  const char *iss, StatusRef status, uint8 *buf, size_t cap)
{
	LinkageClaims claims;
	char		travel[TRAVEL_PERMIT_NO_MAX + 1];
	char		residence[RESIDENCE_PERMIT_NO_LEN + 1];
	char		travel_masked[TRAVEL_PERMIT_NO_MAX + 1];
	char		residence_masked[RESIDENCE_PERMIT_NO_LEN + 1];

	memset(&claims, 0, sizeof(claims));
	travel_permit_format(credential->travel_permit_no, travel);
	residence_permit_format(credential->residence_permit_no, residence);
	travel_permit_mask(credential->travel_permit_no, travel_masked);
	residence_permit_mask(credential->residence_permit_no, residence_masked);

	claims.iss = slice_from_string(iss);
	claims.exp = credential->valid_until;
	claims.nbf = claims.iat = credential->issued_at;
	claims.cti = credential->no;
	claims.status = status;
	claims.travel_kind = travel_permit_kind(credential->travel_permit_no);
	claims.residence_kind = residence_permit_region(credential->residence_permit_no);
	claims.travel_masked = slice_from_string(travel_masked);
	claims.residence_masked = slice_from_string(residence_masked);
	randombytes_buf(claims.salt, sizeof(claims.salt));
	linkage_commitment(claims.salt, travel, residence, birth_date_string(registered->birth_date),
					   claims.commitment);
	return linkage_claims_write(&claims, buf, cap);
}

static Datum
sign(Credential *credential, const Registered *registered)
{
	uint8		payload_buf[WIRE_MAX_INFLATED];
	uint8		message[WIRE_MAX_INFLATED];
	const char *iss = config_issuer()->iss;
	StatusRef	status;
	Slice		payload;
	size_t		len;

	status.idx = (uint32) credential->status_idx;
	status.uri = slice_from_string(status_list_uri(credential->status_list_id));

	payload.ptr = payload_buf;
	payload.len = credential->kind == CREDENTIAL_PERMIT ?
		write_permit(credential, registered, iss, status, payload_buf, sizeof(payload_buf)) :
		write_linkage(credential, registered, iss, status, payload_buf, sizeof(payload_buf));
	if (payload.len == 0)
		elog(ERROR, "claims are too long");

	len = keys_sign1(credential_key_usage(credential->kind), credential_typ(credential->kind),
					 payload, message, sizeof(message), credential->kid);
	return token_from_message(message, len);
}

static void
fill(Row *row, const Credential *credential, Datum token)
{
	CredentialNo *no = palloc(sizeof(CredentialNo));

	*no = credential->no;
	if (credential->kind == CREDENTIAL_PERMIT)
	{
		row_set(row, COL_QUOTA_MONTH,
				DateADTGetDatum(unix_days_to_date(month_first_day(credential->month))));
		row_set(row, COL_QUOTA_SLOT, Int16GetDatum(credential->slot));
		row_set(row, COL_PURPOSES, PointerGetDatum(config_purposes_array(credential->purposes)));
	}
	else
		row_set(row, COL_LINKAGE_NO,
				Int32GetDatum(LINKAGE_NO(credential->month, credential->slot)));

	row_set(row, COL_CREDENTIAL_NO, CredentialNoGetDatum(no));
	row_set(row, COL_ISSUED_AT, TimestampTzGetDatum(unix_to_timestamptz(credential->issued_at)));
	row_set(row, COL_VALID_UNTIL,
			TimestampTzGetDatum(unix_to_timestamptz(credential->valid_until)));
	row_set(row, COL_CLIPPED, BoolGetDatum(credential->clipped));
	row_set(row, COL_POLICY, TimestampTzGetDatum(credential->policy->effective_from));
	row_set(row, COL_KID, PointerGetDatum(make_bytea(credential->kid, KID_BYTES)));
	row_set(row, COL_STATUS_LIST_ID, Int32GetDatum(credential->status_list_id));
	row_set(row, COL_STATUS_IDX, Int32GetDatum(credential->status_idx));
	row_set(row, COL_TOKEN, token);
}

static void
issue(Row *row, CredentialKind kind)
{
	Credential	credential;
	Registered	registered;

	refuse_given(row);

	memset(&credential, 0, sizeof(credential));
	credential.kind = kind;
	read_given(row, &credential);
	decide(&credential, &registered);
	fill(row, &credential, sign(&credential, &registered));
}

/* ---------------------------------------------------------------- admit */

pg_noreturn static void
refuse_row(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_TP_TOKEN_MISMATCH),
			 errmsg("row does not match its token"),
			 errdetail("%s", why),
			 errhint("Rows with a token enter only as they were issued, for example from pg_dump.")));
}

static void
require(bool condition, const char *why)
{
	if (!condition)
		refuse_row(why);
}

static bool
bytea_equals(Datum value, const void *bytes, size_t len)
{
	bytea	   *stored = DatumGetByteaPP(value);

	return VARSIZE_ANY_EXHDR(stored) == len && memcmp(VARDATA_ANY(stored), bytes, len) == 0;
}

/*
 * Does the URI of a status list end in this list's number?  What stands before it
 * is the issuer's, whose row may be another where rows are replicated to.
 */
static bool
uri_is_of_list(Slice uri, int32 list_id)
{
	char		number[16];
	size_t		len;

	snprintf(number, sizeof(number), "%d", list_id);
	len = strlen(number);
	return uri.len > len && memcmp(uri.ptr + uri.len - len, number, len) == 0 &&
		!(uri.ptr[uri.len - len - 1] >= '0' && uri.ptr[uri.len - len - 1] <= '9');
}

/* The signature is that of a key which could be trusted when it signed. */
static void
admit_signature(CredentialKind kind, const DecodedToken *token, const CredentialClaims *claims)
{
	switch (credential_signature(kind, token))
	{
		case VERDICT_VALID:
			break;
		case VERDICT_KEY_COMPROMISED:

			/*
			 * Such a row verifies nowhere, but it did use up its slot: a dump
			 * must give it back.  What claims to be younger than the compromise is forged.
			 */
			require(unix_to_timestamptz(claims->iat) < keys_find(token->cose.kid)->compromised_at,
					"Its key was compromised before the token says it was signed.");
			break;
		case VERDICT_UNKNOWN_KEY:
			refuse_row("No key of this usage has the token's kid.");
		default:
			refuse_row("The signature is wrong.");
	}
}

/* What the tables have in common and the token covers. */
static void
admit_columns(const Row *row, const Credential *credential, const DecodedToken *token,
			  const CredentialClaims *claims)
{
	CredentialParts parts;

	credential_no_unpack(&claims->no, &parts);
	require(parts.is_permit == (credential->kind == CREDENTIAL_PERMIT) &&
			memcmp(DatumGetCredentialNo(row->value[COL_CREDENTIAL_NO]), &claims->no,
				   sizeof(CredentialNo)) == 0, "credential_no differs.");
	require((int64) parts.holder_id == credential->holder_id, "holder_id differs.");
	require(DatumGetTimestampTz(row->value[COL_ISSUED_AT]) == unix_to_timestamptz(claims->iat),
			"issued_at differs.");
	require(DatumGetTimestampTz(row->value[COL_VALID_UNTIL]) == unix_to_timestamptz(claims->exp),
			"valid_until differs.");
	require(bytea_equals(row->value[COL_KID], token->cose.kid, KID_BYTES), "kid differs.");
	require(uri_is_of_list(claims->status.uri, DatumGetInt32(row->value[COL_STATUS_LIST_ID])) &&
			DatumGetInt32(row->value[COL_STATUS_IDX]) == (int64) claims->status.idx,
			"The status list entry differs.");
}

static void
admit_permit(const Row *row, const Credential *credential, const PermitClaims *claims)
{
	char		masked[TRAVEL_PERMIT_NO_MAX + 1];
	uint64		purposes;

	travel_permit_mask(credential->travel_permit_no, masked);
	require(slice_is(claims->document_masked, masked), "travel_permit_no differs.");
	require(DatumGetDateADT(row->value[COL_QUOTA_MONTH]) ==
			unix_days_to_date(month_first_day(credential->month)), "quota_month differs.");
	require(DatumGetInt16(row->value[COL_QUOTA_SLOT]) == credential->slot, "quota_slot differs.");
	require(config_purposes_bits(DatumGetArrayTypeP(row->value[COL_PURPOSES]), &purposes) &&
			purposes == claims->purposes, "purposes differ.");
	require(claims->has_portrait == (credential->portrait_digest != NULL) &&
			(!claims->has_portrait ||
			 memcmp(claims->portrait, credential->portrait_digest, PORTRAIT_CLAIM_BYTES) == 0),
			"portrait_digest differs.");
}

static void
admit_linkage(const Row *row, const Credential *credential, const LinkageClaims *claims)
{
	char		masked[RESIDENCE_PERMIT_NO_LEN + 1];
	int32		valid_until;
	DocumentStatus status;

	travel_permit_mask(credential->travel_permit_no, masked);
	require(slice_is(claims->travel_masked, masked), "travel_permit_no differs.");
	residence_permit_mask(credential->residence_permit_no, masked);
	require(slice_is(claims->residence_masked, masked), "residence_permit_no differs.");
	require(DatumGetInt32(row->value[COL_LINKAGE_NO]) ==
			LINKAGE_NO(credential->month, credential->slot), "linkage_no differs.");
	require(registry_residence(credential->residence_permit_no, credential->holder_id,
							   &valid_until, &status),
			"residence_permit_no is not one of the holder's.");
}

/* Month, slot, times and clipping are those the row's own policy gives. */
static void
admit_policy(const Row *row, const Credential *credential)
{
	const Policy *policy = config_policy(DatumGetTimestampTz(row->value[COL_POLICY]));
	bool		is_permit = credential->kind == CREDENTIAL_PERMIT;
	int64		unclipped;

	/* Issue counts by whole seconds, policies do not: one may have begun within the second. */
	require(policy != NULL &&
			policy->effective_from < unix_to_timestamptz(credential->issued_at + 1),
			"Its policy was not in force.");
	require(credential->month == beijing_month(credential->issued_at),
			"Its number is of another month.");
	require(credential->slot >= 1 &&
			credential->slot <= (is_permit ? policy->monthly_quota : LINKAGES_PER_MONTH),
			"Its slot is beyond the quota.");

	unclipped = validity_end(policy->validity_rule, credential->issued_at,
							 is_permit ? policy->permit_days : policy->linkage_days);
	require(credential->valid_until <= unclipped &&
			DatumGetBool(row->value[COL_CLIPPED]) == (credential->valid_until < unclipped),
			"Its validity is not what its policy gives.");
}

static void
admit(const Row *row, CredentialKind kind)
{
	DecodedToken token;
	CredentialClaims claims;
	Credential	credential;
	CredentialParts parts;
	Registered	registered;
	int			c;

	for (c = COL_QUOTA_MONTH; c < COL_TOKEN; c++)
	{
		if (row->attnum[c] != 0 && row->isnull[c])
			refuse_row(psprintf("Column \"%s\" is null.", column_names[c]));
	}

	memset(&credential, 0, sizeof(credential));
	credential.kind = kind;
	read_given(row, &credential);

	token_from_datum(row->value[COL_TOKEN], &token);
	require(credential_claims(kind, &token, &claims), "The token is of another kind.");
	admit_signature(kind, &token, &claims);

	credential_no_unpack(&claims.no, &parts);
	credential.no = claims.no;
	credential.month = parts.month;
	credential.slot = parts.slot;
	credential.issued_at = claims.iat;
	credential.valid_until = claims.exp;

	admit_columns(row, &credential, &token, &claims);

	/* A session that issues under this lock has counted the slots: ours must not take one. */
	if (!credential_lock_holder(credential.holder_id))
		refuse_holder(credential.holder_id);
	if (kind == CREDENTIAL_PERMIT)
		admit_permit(row, &credential, &claims.u.permit);
	else
		admit_linkage(row, &credential, &claims.u.linkage);
	require(registry_find(credential.travel_permit_no, false, &registered) &&
			registered.holder_id == credential.holder_id,
			"travel_permit_no is not one of the holder's.");
	admit_policy(row, &credential);
}

/* ---------------------------------------------------------------- triggers */

/* Which table this is, from the trigger's argument. */
static CredentialKind
trigger_kind(TriggerData *trigger)
{
	if (trigger->tg_trigger->tgnargs != 1)
		elog(ERROR, "the credential trigger takes one argument");
	return strcmp(trigger->tg_trigger->tgargs[0], "permit") == 0 ?
		CREDENTIAL_PERMIT : CREDENTIAL_LINKAGE;
}

/* BEFORE INSERT */
Datum
epermit_credential_insert(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = row_trigger(fcinfo, "credential_insert",
									   TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_INSERT);
	HeapTuple	tuple = trigger->tg_trigtuple;
	CredentialKind kind = trigger_kind(trigger);
	Row			row;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");

	row_load(&row, trigger->tg_relation, tuple);
	if (row.isnull[COL_TOKEN])
	{
		issue(&row, kind);
		tuple = row_store(&row, trigger->tg_relation, tuple);
	}
	else
		admit(&row, kind);

	SPI_finish();
	return PointerGetDatum(tuple);
}

/*
 * AFTER INSERT: every issue is audited, by whatever path the row came.  One that was admitted was
 * issued, and audited, before this transaction began; one that is replicated, where it came from.
 */
Datum
epermit_credential_audit(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = row_trigger(fcinfo, "credential_audit",
									   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_INSERT);
	AuditEvent	event = {0};
	char	   *detail;
	Row			row;

	row_load(&row, trigger->tg_relation, trigger->tg_trigtuple);
	if (credential_caller_audits || IsLogicalWorker() ||
		timestamptz_to_unix(DatumGetTimestampTz(row.value[COL_ISSUED_AT])) <
		timestamptz_to_unix(GetCurrentTransactionStartTimestamp()))
		return PointerGetDatum(NULL);

	event.event = trigger_kind(trigger) == CREDENTIAL_PERMIT ? "issue_permit" : "link_documents";
	event.holder_id = DatumGetInt64(row.value[COL_HOLDER_ID]);
	event.credential_no = DatumGetCredentialNo(row.value[COL_CREDENTIAL_NO]);
	event.request_id = DatumGetUUIDP(row.value[COL_REQUEST_ID]);
	detail = psprintf("{\"channel\": \"%s\"}", enum_label(row.value[COL_CHANNEL]));
	event.detail = DirectFunctionCall1(jsonb_in, CStringGetDatum(detail));
	audit_write(&event);
	return PointerGetDatum(NULL);
}

/*
 * From when on a row may go: its month is over, it has ended, and its policy's retention has passed
 * since.  Before that it is what the quota counts.
 */
static TimestampTz
kept_until(const Row *row)
{
	const Policy *policy = config_policy(DatumGetTimestampTz(row->value[COL_POLICY]));
	const int64 beijing = BEIJING_OFFSET * USECS_PER_SEC;
	int64		issued_at = timestamptz_to_unix(DatumGetTimestampTz(row->value[COL_ISSUED_AT]));
	int64		month_ends = month_opens(beijing_month(issued_at) + 1);
	Datum		end;

	if (policy == NULL)
		elog(ERROR, "the policy of a credential is missing");

	/* Days and months are counted on Beijing's clock, whatever the session's TimeZone. */
	end = TimestampGetDatum(DatumGetTimestampTz(row->value[COL_VALID_UNTIL]) + beijing);
	end = DirectFunctionCall2(timestamp_pl_interval, end,
							  IntervalPGetDatum(&policy->credential_retention));
	return Max(DatumGetTimestamp(end) - beijing, unix_to_timestamptz(month_ends));
}

/* BEFORE DELETE */
Datum
epermit_credential_delete(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = row_trigger(fcinfo, "credential_delete",
									   TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_DELETE);
	Row			row;

	row_load(&row, trigger->tg_relation, trigger->tg_trigtuple);
	if (GetCurrentTimestamp() < kept_until(&row))
		ereport(ERROR,
				(errcode(ERRCODE_TP_IMMUTABLE),
				 errmsg("rows of \"%s\" are kept until their retention has passed",
						RelationGetRelationName(trigger->tg_relation)),
				 errhint("Revoke a credential that must not be used.")));
	return PointerGetDatum(trigger->tg_trigtuple);
}
