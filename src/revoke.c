/*
 * revoke.c
 *		Credentials revoked, suspended and reinstated.
 *
 * A credential's status is its latest row in epermit.credential_event.  Whoever adds
 * one holds the holder's lock and reads with the latest snapshot, so that two
 * decisions about one credential come one after the other in every isolation level.  Issuing
 * takes the same lock: a document that is cancelled leaves no credential behind.
 */
#include "compat.h"

#include "audit.h"
#include "credential.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "plan.h"
#include "trigger.h"
#include "types.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#define REASON_MAX_CHARS 500

PG_FUNCTION_INFO_V1(epermit_revoke_permit);
PG_FUNCTION_INFO_V1(epermit_revoke_linkage);
PG_FUNCTION_INFO_V1(epermit_suspend_permit);
PG_FUNCTION_INFO_V1(epermit_suspend_linkage);
PG_FUNCTION_INFO_V1(epermit_reinstate_permit);
PG_FUNCTION_INFO_V1(epermit_reinstate_linkage);
PG_FUNCTION_INFO_V1(epermit_credential_event_insert);
PG_FUNCTION_INFO_V1(epermit_credential_event_delete);
PG_FUNCTION_INFO_V1(epermit_document_cancelled);

PGDLLEXPORT Datum epermit_revoke_permit(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_revoke_linkage(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_suspend_permit(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_suspend_linkage(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_reinstate_permit(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_reinstate_linkage(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_event_insert(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_event_delete(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_document_cancelled(PG_FUNCTION_ARGS);

/* The status list entry of a credential and the last thing that happened to it. */
#define FIND_CREDENTIAL(table) \
	"SELECT c.status_list_id, c.status_idx, e.event_no::pg_catalog.int4, e.status" \
	"  FROM " table " c LEFT JOIN LATERAL" \
	"       (SELECT v.event_no, v.status FROM epermit.credential_event v" \
	"         WHERE v.credential_no OPERATOR(epermit.=) c.credential_no" \
	"         ORDER BY v.event_no DESC LIMIT 1) e ON true" \
	" WHERE c.holder_id OPERATOR(pg_catalog.=) $1 AND c.credential_no OPERATOR(epermit.=) $2"

static KeptPlan find_permit = {
	.sql = FIND_CREDENTIAL("epermit.permit"),
	.argtypes = {"pg_catalog.int8", "epermit.credential_no"}
};

static KeptPlan find_linkage = {
	.sql = FIND_CREDENTIAL("epermit.linkage"),
	.argtypes = {"pg_catalog.int8", "epermit.credential_no"}
};

static KeptPlan insert_event = {
	.sql = "INSERT INTO epermit.credential_event"
	" (credential_no, event_no, status, reason, actor, status_list_id, status_idx)"
	" VALUES ($1, $2::pg_catalog.int2, $3, $4, $5, $6, $7)",
	.argtypes = {"epermit.credential_no", "pg_catalog.int4", "pg_catalog.text", "pg_catalog.text",
		"pg_catalog.name", "pg_catalog.int4", "pg_catalog.int4"}
};

/* An event that a revocation comes before, or a revocation that an event comes after. */
static KeptPlan out_of_order = {
	.sql = "SELECT 1 FROM epermit.credential_event e WHERE e.credential_no OPERATOR(epermit.=) $1"
	" AND (e.event_no OPERATOR(pg_catalog.<) $2 AND e.status OPERATOR(pg_catalog.=) 'revoked'"
	" OR e.event_no OPERATOR(pg_catalog.>) $2 AND $3 OPERATOR(pg_catalog.=) 'revoked')",
	.argtypes = {"epermit.credential_no", "pg_catalog.int2", "pg_catalog.text"}
};

static KeptPlan resting_on_travel_permit = {
	.sql = "SELECT c.credential_no FROM epermit.permit c"
	" WHERE c.holder_id OPERATOR(pg_catalog.=) $1 AND c.travel_permit_no OPERATOR(epermit.=) $2"
	" AND c.valid_until OPERATOR(pg_catalog.>) $3"
	" UNION ALL SELECT c.credential_no FROM epermit.linkage c"
	" WHERE c.holder_id OPERATOR(pg_catalog.=) $1 AND c.travel_permit_no OPERATOR(epermit.=) $2"
	" AND c.valid_until OPERATOR(pg_catalog.>) $3",
	.argtypes = {"pg_catalog.int8", "epermit.travel_permit_no", "pg_catalog.timestamptz"}
};

static KeptPlan resting_on_residence_permit = {
	.sql = "SELECT c.credential_no FROM epermit.linkage c"
	" WHERE c.holder_id OPERATOR(pg_catalog.=) $1 AND c.residence_permit_no OPERATOR(epermit.=) $2"
	" AND c.valid_until OPERATOR(pg_catalog.>) $3",
	.argtypes = {"pg_catalog.int8", "epermit.residence_permit_no", "pg_catalog.timestamptz"}
};

typedef enum Change
{
	REVOKE = 0,
	SUSPEND,
	REINSTATE
} Change;

/* As audited, and as credential_event has them. */
static const char *const verbs[] = {"revoke", "suspend", "reinstate"};
static const char *const statuses[] = {"revoked", "suspended", "valid"};

typedef struct Found
{
	int64		holder_id;
	int32		status_list_id;
	int32		status_idx;
	int32		event_no;		/* 0: nothing happened to it yet */
	const char *status;
} Found;

/* Lock the holder of a credential and look it up; false: there is none with this number. */
static bool
lock_and_find(const CredentialNo *no, Found *found)
{
	CredentialParts parts;
	Datum		args[2];
	bool		isnull;
	Datum		event_no;

	credential_no_unpack(no, &parts);
	found->holder_id = (int64) parts.holder_id;
	if (!credential_lock_holder(found->holder_id))
		return false;

	args[0] = Int64GetDatum(found->holder_id);
	args[1] = CredentialNoGetDatum(no);
	if (plan_execute(parts.is_permit ? &find_permit : &find_linkage, args, NULL, PLAN_LATEST) == 0)
		return false;

	found->status_list_id = DatumGetInt32(plan_value(0, 1, NULL));
	found->status_idx = DatumGetInt32(plan_value(0, 2, NULL));
	event_no = plan_value(0, 3, &isnull);
	found->event_no = isnull ? 0 : DatumGetInt32(event_no);
	found->status = isnull ? "valid" : plan_string(0, 4);
	return true;
}

/* Add the event and audit it, unless the credential is in that status already. */
static void
change_status(const CredentialNo *no, const Found *found, Change change, const char *reason)
{
	AuditEvent	event = {.holder_id = found->holder_id};
	NameData	actor;
	Datum		args[7];

	if (strcmp(found->status, statuses[change]) == 0)
		return;

	namestrcpy(&actor, GetUserNameFromId(GetOuterUserId(), false));
	args[0] = CredentialNoGetDatum(no);
	args[1] = Int32GetDatum(found->event_no + 1);
	args[2] = CStringGetTextDatum(statuses[change]);
	args[3] = CStringGetTextDatum(reason);
	args[4] = NameGetDatum(&actor);
	args[5] = Int32GetDatum(found->status_list_id);
	args[6] = Int32GetDatum(found->status_idx);
	plan_execute(&insert_event, args, NULL, PLAN_WRITE);

	event.event = verbs[change];
	event.credential_no = no;
	audit_write(&event);
}

/* ---------------------------------------------------------------- functions */

pg_noreturn static void
refuse_reason(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for field \"%s\"", "reason"),
			 errdetail("%s", detail)));
}

static char *
reason_argument(FunctionCallInfo fcinfo, int i)
{
	char	   *reason = PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));

	if (reason == NULL || reason[strspn(reason, " \t\r\n")] == '\0')
		refuse_reason("Rule missing: a reason is required.");
	if (pg_mbstrlen(reason) > REASON_MAX_CHARS)
		refuse_reason("Rule length: a reason has at most 500 characters.");
	return reason;
}

/* (credential_no, reason text) → void */
static Datum
change_credential(FunctionCallInfo fcinfo, CredentialKind kind, Change change)
{
	CredentialNo *no;
	char	   *reason;
	CredentialParts parts;
	Found		found;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("credential_no must not be null")));
	no = PG_GETARG_CREDENTIAL_NO(0);
	reason = reason_argument(fcinfo, 1);

	credential_no_unpack(no, &parts);
	if (parts.is_permit != (kind == CREDENTIAL_PERMIT))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 kind == CREDENTIAL_PERMIT ?
				 errmsg("this is the number of a linkage result, not of a permit") :
				 errmsg("this is the number of a permit, not of a linkage result"),
				 errhint("Use epermit.%s_%s().", verbs[change],
						 kind == CREDENTIAL_PERMIT ? "linkage" : "permit")));

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (!lock_and_find(no, &found))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("no credential has this number")));
	if (change != REVOKE && strcmp(found.status, statuses[REVOKE]) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the credential is revoked"),
				 errdetail("A revocation is final.")));
	change_status(no, &found, change, reason);
	SPI_finish();
	PG_RETURN_VOID();
}

Datum
epermit_revoke_permit(PG_FUNCTION_ARGS)
{
	return change_credential(fcinfo, CREDENTIAL_PERMIT, REVOKE);
}

Datum
epermit_revoke_linkage(PG_FUNCTION_ARGS)
{
	return change_credential(fcinfo, CREDENTIAL_LINKAGE, REVOKE);
}

Datum
epermit_suspend_permit(PG_FUNCTION_ARGS)
{
	return change_credential(fcinfo, CREDENTIAL_PERMIT, SUSPEND);
}

Datum
epermit_suspend_linkage(PG_FUNCTION_ARGS)
{
	return change_credential(fcinfo, CREDENTIAL_LINKAGE, SUSPEND);
}

Datum
epermit_reinstate_permit(PG_FUNCTION_ARGS)
{
	return change_credential(fcinfo, CREDENTIAL_PERMIT, REINSTATE);
}

Datum
epermit_reinstate_linkage(PG_FUNCTION_ARGS)
{
	return change_credential(fcinfo, CREDENTIAL_LINKAGE, REINSTATE);
}

/* ---------------------------------------------------------------- triggers */

static Datum
row_column(TriggerData *trigger, HeapTuple tuple, const char *name, bool *isnull)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);

	return SPI_getbinval(tuple, desc, SPI_fnumber(desc, name), isnull);
}

/* BEFORE INSERT: for whoever inserts without the functions above. */
Datum
epermit_credential_event_insert(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = row_trigger(fcinfo, "credential_event_insert",
									   TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_INSERT);
	HeapTuple	tuple = trigger->tg_trigtuple;
	bool		nulls[5];
	Datum		args[3];
	Datum		list_id,
				idx;
	Found		found;

	args[0] = row_column(trigger, tuple, "credential_no", &nulls[0]);
	args[1] = row_column(trigger, tuple, "event_no", &nulls[1]);
	args[2] = row_column(trigger, tuple, "status", &nulls[2]);
	list_id = row_column(trigger, tuple, "status_list_id", &nulls[3]);
	idx = row_column(trigger, tuple, "status_idx", &nulls[4]);
	if (nulls[0] || nulls[1] || nulls[2] || nulls[3] || nulls[4])
		return PointerGetDatum(tuple);	/* the columns' own constraints refuse it */

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (!lock_and_find(DatumGetCredentialNo(args[0]), &found))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("event is of no credential that is here")));
	if (found.status_list_id != DatumGetInt32(list_id) || found.status_idx != DatumGetInt32(idx))
		ereport(ERROR,
				(errcode(ERRCODE_TP_TOKEN_MISMATCH),
				 errmsg("event does not match its credential"),
				 errdetail("status_list_id and status_idx are those of the credential.")));
	if (plan_execute(&out_of_order, args, NULL, PLAN_LATEST) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the credential is revoked"),
				 errdetail("A revocation is the last event of a credential.")));
	SPI_finish();
	return PointerGetDatum(tuple);
}

/* BEFORE DELETE: retention takes the events when the credential's row is gone already. */
Datum
epermit_credential_event_delete(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = row_trigger(fcinfo, "credential_event_delete",
									   TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_DELETE);
	HeapTuple	tuple = trigger->tg_trigtuple;
	bool		isnull;
	Found		found;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (lock_and_find(DatumGetCredentialNo(row_column(trigger, tuple, "credential_no", &isnull)),
					  &found))
		ereport(ERROR,
				(errcode(ERRCODE_TP_IMMUTABLE),
				 errmsg("events are kept as long as their credential"),
				 errdetail("The latest one is the credential's status.")));
	SPI_finish();
	return PointerGetDatum(tuple);
}

/* AFTER UPDATE of a document, fired when it becomes cancelled. */
Datum
epermit_document_cancelled(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = row_trigger(fcinfo, "document_cancelled",
									   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_UPDATE);
	const char *table = RelationGetRelationName(trigger->tg_relation);
	bool		travel = strcmp(table, "travel_permit") == 0;
	HeapTuple	tuple = trigger->tg_newtuple;
	bool		isnull;
	Datum		args[3];
	CredentialNo *nos;
	uint64		n,
				i;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");

	args[0] = row_column(trigger, tuple, "holder_id", &isnull);
	args[1] = row_column(trigger, tuple, travel ? "travel_permit_no" : "residence_permit_no",
						 &isnull);
	if (!credential_lock_holder(DatumGetInt64(args[0])))
		elog(ERROR, "the holder of a document is missing");

	/* The clock is read after any wait for the lock. */
	args[2] = TimestampTzGetDatum(GetCurrentTimestamp());
	n = plan_execute(travel ? &resting_on_travel_permit : &resting_on_residence_permit,
					 args, NULL, PLAN_LATEST);
	nos = palloc(sizeof(CredentialNo) * Max(n, 1));
	for (i = 0; i < n; i++)
		nos[i] = *DatumGetCredentialNo(plan_value(i, 1, NULL));

	for (i = 0; i < n; i++)
	{
		Found		found;

		if (!lock_and_find(&nos[i], &found))
			elog(ERROR, "a credential is gone under its holder's lock");
		change_status(&nos[i], &found, REVOKE, "document cancelled");
	}
	SPI_finish();
	return PointerGetDatum(NULL);
}
