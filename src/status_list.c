/*
 * status_list.c
 *		Token Status Lists (IETF draft-ietf-oauth-status-list, CWT form).
 *
 * Entries: a running number from a sequence is split into list and place; the place is
 * shuffled by the list's own secret key, so an index tells nothing about its neighbours.
 *
 * Lists of our own are read from credential_event whenever they are asked for.  The last signed
 * one is kept and handed out again while it still says what the events say, so no session can
 * hand out one that is out of date.
 *
 * Lists of others are verified once, when they are imported; a check reads one byte of them.
 */
#include "compat.h"

#include <sodium.h>

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "audit.h"
#include "config.h"
#include "core/cose.h"
#include "core/status.h"
#include "core/wire.h"
#include "keys.h"
#include "plan.h"
#include "status_list.h"
#include "types.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#define LIST_SECONDS (24 * 3600)	/* from iat to exp */
#define LIST_AHEAD_SECONDS 30	/* iat may run ahead where lists change more than once a second */
#define LIST_TTL 3600
#define LIST_RENEW_SECONDS (LIST_SECONDS / 2)	/* signed anew when this old */

/* A message is a payload, a header and a signature. */
#define MESSAGE_MAX (COSE_MAX_PAYLOAD + 512)
#define URI_MAX 1000

PG_FUNCTION_INFO_V1(epermit_status_list);
PG_FUNCTION_INFO_V1(epermit_import_status_list);

PGDLLEXPORT Datum epermit_status_list(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_import_status_list(PG_FUNCTION_ARGS);

static KeptPlan find_shuffle_key = {
	.sql = "SELECT l.shuffle_key FROM epermit.status_list l"
	" WHERE l.list_id OPERATOR(pg_catalog.=) $1",
	.argtypes = {"pg_catalog.int4"}
};

static KeptPlan begin_list = {
	.sql = "INSERT INTO epermit.status_list (list_id, shuffle_key) VALUES ($1, $2)"
	" ON CONFLICT (list_id) DO NOTHING",
	.argtypes = {"pg_catalog.int4", "pg_catalog.bytea"}
};

static KeptPlan signed_list = {
	.sql = "SELECT l.token FROM epermit.status_list l WHERE l.list_id OPERATOR(pg_catalog.=) $1",
	.argtypes = {"pg_catalog.int4"}
};

/*
 * Each event as one number, entry << 32 | event_no << EVENT_NO_SHIFT | status, so that a full
 * list is one row and not 131,072.
 */
#define EVENT_NO_SHIFT 2
#define EVENT_STATUS_MASK ((1 << EVENT_NO_SHIFT) - 1)

static KeptPlan list_events = {
	.sql = "SELECT pg_catalog.array_agg((e.status_idx::pg_catalog.int8 OPERATOR(pg_catalog.<<) 32)"
	" OPERATOR(pg_catalog.+) (e.event_no::pg_catalog.int8 OPERATOR(pg_catalog.<<) 2)"
	" OPERATOR(pg_catalog.+) CASE WHEN e.status OPERATOR(pg_catalog.=) 'revoked' THEN 1"
	" WHEN e.status OPERATOR(pg_catalog.=) 'suspended' THEN 2 ELSE 0 END), pg_catalog.max(e.at)"
	" FROM epermit.credential_event e WHERE e.status_list_id OPERATOR(pg_catalog.=) $1",
	.argtypes = {"pg_catalog.int4"}
};

/* Waits for nobody: what another session is keeping at this moment is as good. */
static KeptPlan keep_signed_list = {
	.sql = "UPDATE epermit.status_list l SET token = $2"
	" FROM (SELECT k.list_id FROM epermit.status_list k WHERE k.list_id OPERATOR(pg_catalog.=) $1"
	" FOR NO KEY UPDATE SKIP LOCKED) f"
	" WHERE l.list_id OPERATOR(pg_catalog.=) f.list_id",
	.argtypes = {"pg_catalog.int4", "pg_catalog.bytea"}
};

static KeptPlan import_list = {
	.sql = "INSERT INTO epermit.imported_status_list AS l (uri, kid, iat, exp, bits, list)"
	" VALUES ($1, $2, $3, $4, $5, $6)"
	" ON CONFLICT (uri) DO UPDATE SET kid = EXCLUDED.kid, iat = EXCLUDED.iat, exp = EXCLUDED.exp,"
	" bits = EXCLUDED.bits, list = EXCLUDED.list"
	" WHERE EXCLUDED.iat OPERATOR(pg_catalog.>) l.iat"
	" OR (EXCLUDED.iat OPERATOR(pg_catalog.=) l.iat"
	" AND EXCLUDED.list OPERATOR(pg_catalog.=) l.list)",
	.argtypes = {"pg_catalog.text", "pg_catalog.bytea", "pg_catalog.timestamptz",
		"pg_catalog.timestamptz", "pg_catalog.int2", "pg_catalog.bytea"}
};

/* The byte that entry $2 lies in; no bytes where the list is shorter. */
static KeptPlan imported_entry = {
	.sql = "SELECT l.kid, l.exp, l.bits, pg_catalog.substr(l.list, (($2 OPERATOR(pg_catalog.*)"
	" l.bits::pg_catalog.int4) OPERATOR(pg_catalog./) 8) OPERATOR(pg_catalog.+) 1, 1)"
	" FROM epermit.imported_status_list l WHERE l.uri OPERATOR(pg_catalog.=) $1",
	.argtypes = {"pg_catalog.text", "pg_catalog.int4"}
};

static KeptPlan imported_beside = {
	.sql = "SELECT 1 FROM epermit.imported_status_list l"
	" WHERE pg_catalog.starts_with(l.uri, $1) LIMIT 1",
	.argtypes = {"pg_catalog.text"}
};

static KeptPlan latest_event = {
	.sql = "SELECT e.status FROM epermit.credential_event e"
	" WHERE e.credential_no OPERATOR(epermit.=) $1 ORDER BY e.event_no DESC LIMIT 1",
	.argtypes = {"epermit.credential_no"}
};

/* ---------------------------------------------------------------- entries */

/* The key of a list, which is begun where it does not exist. */
static void
shuffle_key(int32 list_id, uint8 *key)
{
	Datum		args[2];
	bytea	   *stored;

	args[0] = Int32GetDatum(list_id);
	if (plan_execute(&find_shuffle_key, args, NULL, PLAN_LATEST) == 0)
	{
		uint8		fresh[STATUS_SHUFFLE_KEY_BYTES];

		randombytes_buf(fresh, sizeof(fresh));
		args[1] = PointerGetDatum(make_bytea(fresh, sizeof(fresh)));
		plan_execute(&begin_list, args, NULL, PLAN_WRITE);

		/* Another session may have begun it a moment before. */
		if (plan_execute(&find_shuffle_key, args, NULL, PLAN_LATEST) == 0)
			elog(ERROR, "status list %d is missing", list_id);
	}

	stored = DatumGetByteaPP(plan_value(0, 1, NULL));
	memcpy(key, VARDATA_ANY(stored), STATUS_SHUFFLE_KEY_BYTES);
}

void
status_entry_allocate(int32 *list_id, int32 *idx)
{
	Oid			sequence = get_relname_relid("status_seq", get_namespace_oid("epermit", false));
	int64		n = nextval_internal(sequence, false);
	uint8		key[STATUS_SHUFFLE_KEY_BYTES];

	*list_id = (int32) (n / STATUS_LIST_ENTRIES);
	shuffle_key(*list_id, key);
	*idx = (int32) status_shuffle(key, (uint32) (n % STATUS_LIST_ENTRIES));
}

char *
status_list_uri(int32 list_id)
{
	return psprintf("%s%d", config_issuer()->status_list_base, list_id);
}

/* ---------------------------------------------------------------- lists of our own */

/*
 * The entries of a list as of now, STATUS_LIST_BYTES of them; *last_event gets the
 * time of its latest event.
 */
static uint8 *
read_entries(int32 list_id, int64 *last_event)
{
	uint8	   *entries = palloc0(STATUS_LIST_BYTES);
	int32	   *latest;
	Datum		arg = Int32GetDatum(list_id);
	Datum		value;
	bool		isnull;
	ArrayType  *events;
	int64	   *event;
	int			n,
				i;

	*last_event = PG_INT64_MIN;
	plan_execute(&list_events, &arg, NULL, PLAN_LATEST);
	value = plan_value(0, 1, &isnull);
	if (isnull)
		return entries;
	*last_event = timestamptz_to_unix(DatumGetTimestampTz(plan_value(0, 2, NULL)));

	/* Of each entry the event with the highest number counts. */
	latest = palloc0(sizeof(int32) * STATUS_LIST_ENTRIES);
	events = DatumGetArrayTypeP(value);
	event = (int64 *) ARR_DATA_PTR(events);
	n = ArrayGetNItems(ARR_NDIM(events), ARR_DIMS(events));
	for (i = 0; i < n; i++)
	{
		int64		idx = event[i] >> 32;

		if (idx < 0 || idx >= STATUS_LIST_ENTRIES)
			elog(ERROR, "status list %d has no such entry", list_id);
		latest[idx] = Max(latest[idx], (int32) event[i]);
	}
	for (i = 0; i < STATUS_LIST_ENTRIES; i++)
	{
		if (latest[i] != 0)
			status_set(entries, STATUS_LIST_BITS, (uint32) i, latest[i] & EVENT_STATUS_MASK);
	}
	pfree(latest);
	return entries;
}

/* What a list signed now would say besides its entries. */
typedef struct ListHead
{
	Slice		uri;
	uint8		kid[KID_BYTES];
	int64		iat;			/* or NO_INSTANT */
	int64		last_event;
} ListHead;

#define NO_INSTANT PG_INT64_MIN

/*
 * Does a list that was signed before still say all that one signed now would?  An event and its
 * undoing leave the entries as they were, but whoever imported a list in between takes none
 * that is older: so it is younger than every event.
 */
static bool
is_current(bytea *token, const ListHead *head, const uint8 *entries, int64 now)
{
	CoseSign1	message;
	StatusListClaims claims;
	uint8	   *said = palloc(STATUS_LIST_BYTES);
	size_t		len;

	return cose_sign1_read((uint8 *) VARDATA_ANY(token), VARSIZE_ANY_EXHDR(token), &message) &&
		memcmp(message.kid, head->kid, KID_BYTES) == 0 &&
		status_list_claims_read(message.payload, &claims) &&
		slice_equals(claims.sub, head->uri) &&
		claims.iat >= head->last_event &&
		claims.iat <= now + LIST_AHEAD_SECONDS && now < claims.iat + LIST_RENEW_SECONDS &&
		wire_inflate(claims.lst.ptr, claims.lst.len, said, STATUS_LIST_BYTES, &len) &&
		len == STATUS_LIST_BYTES &&
		memcmp(said, entries, STATUS_LIST_BYTES) == 0;
}

/*
 * A list is younger than the one before it, by a second at least: who imported that takes
 * none of the same instant that says something else.
 */
static int64
next_iat(bytea *token, int64 iat)
{
	CoseSign1	message;
	StatusListClaims claims;

	if (iat == NO_INSTANT || token == NULL ||
		!cose_sign1_read((uint8 *) VARDATA_ANY(token), VARSIZE_ANY_EXHDR(token), &message) ||
		!status_list_claims_read(message.payload, &claims) ||
		claims.iat > iat + LIST_AHEAD_SECONDS)	/* the clock went back */
		return iat;
	return Max(iat, claims.iat + 1);
}

/*
 * The instant as of which entries can be read.  On a standby that is when the primary
 * last committed what has arrived: where replication is cut off, lists grow old and
 * expire instead of telling a past state as today's.  NO_INSTANT: nothing has arrived.
 */
static int64
readable_instant(void)
{
	TimestampTz replayed;

	if (!RecoveryInProgress())
		return clock_unix();
	replayed = GetLatestXTime();
	return replayed == 0 ? NO_INSTANT : timestamptz_to_unix(replayed);
}

static bytea *
sign_list(const ListHead *head, const uint8 *entries)
{
	const size_t lst_cap = STATUS_LIST_BYTES + 1024;
	uint8	   *lst = palloc(lst_cap);
	uint8	   *payload_buf = palloc(COSE_MAX_PAYLOAD);
	uint8	   *message = palloc(MESSAGE_MAX);
	StatusListClaims claims;
	Slice		payload;
	uint8		kid[KID_BYTES];
	size_t		len;

	if (head->iat == NO_INSTANT)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this standby has received nothing since it was started"),
				 errhint("Ask the primary for the list.")));

	memset(&claims, 0, sizeof(claims));
	claims.sub = head->uri;
	claims.exp = head->iat + LIST_SECONDS;
	claims.iat = head->iat;
	claims.ttl = LIST_TTL;
	claims.lst.ptr = lst;
	claims.lst.len = wire_deflate(entries, STATUS_LIST_BYTES, lst, lst_cap);
	claims.bits = STATUS_LIST_BITS;
	claims.aggregation_uri.ptr = (const uint8_t *) config_issuer()->status_list_base;
	claims.aggregation_uri.len = strlen(config_issuer()->status_list_base);

	payload.ptr = payload_buf;
	payload.len = status_list_claims_write(&claims, payload_buf, COSE_MAX_PAYLOAD);
	if (claims.lst.len == 0 || payload.len == 0)
		elog(ERROR, "status list is too long");
	len = keys_sign1(KEY_STATUS, COSE_TYP_STATUS_LIST, payload, message, MESSAGE_MAX, kid);
	return make_bytea(message, len);
}

/*
 * status_list(list_id int) → bytea
 *		COSE_Sign1 of the active status key.  42704 for a list that does not exist.
 */
Datum
epermit_status_list(PG_FUNCTION_ARGS)
{
	int32		list_id = PG_GETARG_INT32(0);
	MemoryContext caller = CurrentMemoryContext;
	bytea	   *kept = NULL;
	uint8	   *entries;
	ListHead	head;
	Datum		args[2];
	Datum		value;
	bool		isnull;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");

	args[0] = Int32GetDatum(list_id);
	if (plan_execute(&signed_list, args, NULL, PLAN_LATEST) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no status list %d", list_id)));
	value = plan_value(0, 1, &isnull);
	if (!isnull)
		kept = DatumGetByteaPCopy(value);

	head.uri = slice_from_string(status_list_uri(list_id));
	memcpy(head.kid, keys_active(KEY_STATUS)->kid, KID_BYTES);
	head.iat = readable_instant();	/* before they are read: an event may come in between */
	entries = read_entries(list_id, &head.last_event);

	if (kept != NULL && is_current(kept, &head, entries, clock_unix()))
		value = PointerGetDatum(kept);
	else
	{
		head.iat = next_iat(kept, head.iat);
		value = PointerGetDatum(sign_list(&head, entries));

		/* Of a snapshot that is older than the row nothing can be kept. */
		if (!RecoveryInProgress() && !XactReadOnly && !IsolationUsesXactSnapshot())
		{
			args[1] = value;
			plan_execute(&keep_signed_list, args, NULL, PLAN_WRITE);
		}
	}

	MemoryContextSwitchTo(caller);
	value = datumCopy(value, false, -1);
	SPI_finish();
	return value;
}

/* ---------------------------------------------------------------- lists of others */

pg_noreturn static void
refuse_list(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("status list cannot be imported"),
			 errdetail("%s", why)));
}

/* Whose signature is it? */
static void
check_signature(const CoseSign1 *message)
{
	const SigningKey *key = keys_find(message->kid);

	if (key == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("status list cannot be imported"),
				 errdetail("Its key is not known here."),
				 errhint("Import its issuer's keys with epermit.import_jwks(..., 'status').")));
	if (key->usage != KEY_STATUS)
		refuse_list("Its key does not serve status lists.");
	if (key->state == KEY_COMPROMISED)
		refuse_list("Its key is compromised.");
	if (!cose_sign1_verify(message, key->public_key))
		refuse_list("Its signature is wrong.");
}

static void
audit_import(const char *uri)
{
	AuditEvent	event = {.event = "status_list", .holder_id = -1};
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoString(&json, "{\"action\": \"import\", \"uri\": ");
	escape_json(&json, uri);
	appendStringInfoChar(&json, '}');
	event.detail = DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
	audit_write(&event);
}

/*
 * import_status_list(message bytea) → text
 *		The URI.  22023 for what is no list, or no list to be trusted now; 55000 for one
 *		that is older than what is here.
 */
Datum
epermit_import_status_list(PG_FUNCTION_ARGS)
{
	bytea	   *message_arg = PG_GETARG_BYTEA_PP(0);
	size_t		message_len = VARSIZE_ANY_EXHDR(message_arg);
	int64		now = clock_unix();
	CoseSign1	message;
	StatusListClaims claims;
	uint8	   *list;
	size_t		cap,
				len;
	text	   *uri;
	Datum		args[6];

	if (message_len > MESSAGE_MAX)
		refuse_list("It is longer than any list may be.");
	if (!cose_sign1_read((uint8 *) VARDATA_ANY(message_arg), message_len, &message))
		refuse_list("It is no COSE_Sign1 message.");
	if (message.typ != COSE_TYP_STATUS_LIST)
		refuse_list("Its typ is not \"application/statuslist+cwt\".");
	check_signature(&message);

	if (!status_list_claims_read(message.payload, &claims))
		refuse_list("Its claims are not those of a status list.");
	if (claims.sub.len == 0 || claims.sub.len > URI_MAX)
		refuse_list("Its URI (sub) is empty or too long.");
	if (claims.iat > now + CLOCK_TOLERANCE)
		refuse_list("It was signed in the future (iat).");
	if (claims.exp <= now)
		refuse_list("It has expired.");

	cap = (size_t) STATUS_LIST_ENTRIES * claims.bits / 8;
	list = palloc(cap);
	if (!wire_inflate(claims.lst.ptr, claims.lst.len, list, cap, &len) || len == 0)
		refuse_list("Its entries (lst) are no zlib stream of up to 131,072 entries.");

	uri = slice_to_text(claims.sub);
	args[0] = PointerGetDatum(uri);
	args[1] = PointerGetDatum(make_bytea(message.kid, KID_BYTES));
	args[2] = TimestampTzGetDatum(unix_to_timestamptz(claims.iat));
	args[3] = TimestampTzGetDatum(unix_to_timestamptz(claims.exp));
	args[4] = Int16GetDatum((int16) claims.bits);
	args[5] = PointerGetDatum(make_bytea(list, len));

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (plan_execute(&import_list, args, NULL, PLAN_WRITE) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a newer status list of this URI was imported before"),
				 errdetail("An old list, replayed, would undo what was revoked since.")));
	audit_import(TextDatumGetCString(args[0]));
	SPI_finish();
	PG_RETURN_TEXT_P(uri);
}

/* What stands before the last "/": where an issuer's lists are, ours as others'. */
static text *
uri_directory(Slice uri)
{
	while (uri.len > 0 && uri.ptr[uri.len - 1] != '/')
		uri.len--;
	return slice_to_text(uri);
}

static Verdict
imported_status(const StatusRef *status, int64 at)
{
	Datum		args[2];
	const SigningKey *key;
	bytea	   *kid;
	bytea	   *byte;
	int			bits;

	args[0] = PointerGetDatum(slice_to_text(status->uri));
	args[1] = Int32GetDatum((int32) Min(status->idx, STATUS_LIST_ENTRIES));
	if (plan_execute(&imported_entry, args, NULL, PLAN_PARALLEL) == 0)
	{
		/* Of an issuer whose lists nobody fetches no revocation is known. */
		args[0] = PointerGetDatum(uri_directory(status->uri));
		return plan_execute(&imported_beside, args, NULL, PLAN_PARALLEL) == 0 ?
			VERDICT_VALID : VERDICT_UNDETERMINED;
	}

	kid = DatumGetByteaPP(plan_value(0, 1, NULL));
	bits = DatumGetInt16(plan_value(0, 3, NULL));
	byte = DatumGetByteaPP(plan_value(0, 4, NULL));

	/* Whoever has a stolen key can have signed a list that says nothing is revoked. */
	key = keys_find((uint8 *) VARDATA_ANY(kid));
	if (key == NULL || key->state == KEY_COMPROMISED ||
		at >= timestamptz_to_unix(DatumGetTimestampTz(plan_value(0, 2, NULL))) ||
		VARSIZE_ANY_EXHDR(byte) == 0)
		return VERDICT_UNDETERMINED;

	switch (status_get((uint8 *) VARDATA_ANY(byte), bits, status->idx % (8 / bits)))
	{
		case STATUS_VALID:
			return VERDICT_VALID;
		case STATUS_INVALID:
			return VERDICT_REVOKED;
		case STATUS_SUSPENDED:
			return VERDICT_SUSPENDED;
		default:				/* some meaning that the issuer did not tell us */
			return VERDICT_UNDETERMINED;
	}
}

Verdict
status_offline(const CredentialClaims *claims, int64 at)
{
	Datum		arg = CredentialNoGetDatum(&claims->no);
	Verdict		result;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (plan_execute(&latest_event, &arg, NULL, PLAN_PARALLEL) > 0)
		result = status_verdict(plan_string(0, 1));
	else
		result = imported_status(&claims->status, at);
	SPI_finish();
	return result;
}
