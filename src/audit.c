/*
 * audit.c
 *		One row per event, written in the transaction of the event.
 *
 * Whatever is answered has been written down: where the row cannot be written (a standby
 * without a sink, a read-only transaction) the caller gets an error and no answer.  On the path of
 * every verification, so it makes do with one kept statement.
 */
#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "audit.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "core/calendar.h"
#include "credential.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "plan.h"
#include "types.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

typedef enum AuditSink
{
	SINK_TABLE = 0,
	SINK_LOG
} AuditSink;

static const struct config_enum_entry audit_sinks[] = {
	{"table", SINK_TABLE, false},
	{"log", SINK_LOG, false},
	{NULL, 0, false}
};

static int	audit_sink = SINK_TABLE;

static KeptPlan insert_event = {
	.sql = "INSERT INTO epermit.audit_log (at, era, xid, event, login_role, calling_role,"
	" department, holder_id, credential_no, purpose, verdict, codes, attempt, request_id, detail)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING id",
	.argtypes = {
		"pg_catalog.timestamptz", "pg_catalog.int8", "pg_catalog.xid8", "pg_catalog.text",
		"pg_catalog.name", "pg_catalog.name", "pg_catalog.text", "pg_catalog.int8",
		"epermit.credential_no", "pg_catalog.text", "pg_catalog.text", "pg_catalog.text[]",
		"pg_catalog.bool", "pg_catalog.uuid", "pg_catalog.jsonb"
	}
};

#define EVENT_COLUMNS 15

PG_FUNCTION_INFO_V1(epermit_audit_event);
PG_FUNCTION_INFO_V1(epermit_audit_change);

PGDLLEXPORT Datum epermit_audit_event(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_audit_change(PG_FUNCTION_ARGS);

void
audit_define_settings(void)
{
	DefineCustomEnumVariable("epermit.audit_sink",
							 "Where a standby writes audit events.",
							 "With \"table\" a standby refuses to verify (SQLSTATE TP009); with"
							 " \"log\" each event is one line of JSON in the server log, to be"
							 " loaded on the primary with epermit.import_audit().",
							 &audit_sink,
							 SINK_TABLE,
							 audit_sinks,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);
}

/* ---------------------------------------------------------------- a line of JSON */

static void
json_string(StringInfo json, const char *key, const char *value)
{
	if (value == NULL)
		return;
	appendStringInfo(json, ",\"%s\":", key);
	escape_json(json, value);
}

static void
json_codes(StringInfo json, Datum codes)
{
	Datum	   *elems;
	bool	   *nulls;
	int			nelems,
				i;

	if (codes == (Datum) 0)
		return;
	deconstruct_array(DatumGetArrayTypeP(codes), TEXTOID, -1, false, TYPALIGN_INT,
					  &elems, &nulls, &nelems);
	appendStringInfoString(json, ",\"codes\":[");
	for (i = 0; i < nelems; i++)
	{
		if (i > 0)
			appendStringInfoChar(json, ',');
		if (nulls[i])
			appendStringInfoString(json, "null");
		else
			escape_json(json, TextDatumGetCString(elems[i]));
	}
	appendStringInfoChar(json, ']');
}

/* RFC 3339 in UTC with microseconds, whatever the session's settings. */
static char *
utc_string(TimestampTz at)
{
	int64		seconds = timestamptz_to_unix(at);
	int			micros = (int) (at - unix_to_timestamptz(seconds));
	int32		day = (int32) (seconds / SECONDS_PER_DAY);
	int			second = (int) (seconds % SECONDS_PER_DAY);
	int			year,
				month,
				mday;

	days_to_date(day, &year, &month, &mday);
	return psprintf("%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", year, month, mday,
					second / 3600, second / 60 % 60, second % 60, micros);
}

/* A random one (RFC 9562, version 4): what makes import exactly once. */
static char *
new_uuid(void)
{
	pg_uuid_t	uuid;

	if (!pg_strong_random(uuid.data, UUID_LEN))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	uuid.data[6] = (uuid.data[6] & 0x0f) | 0x40;
	uuid.data[8] = (uuid.data[8] & 0x3f) | 0x80;
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&uuid)));
}

static void
write_log_line(const AuditEvent *event, const char *login_role, const char *calling_role)
{
	StringInfoData json;
	char		no[CREDENTIAL_NO_TEXT + 1];

	initStringInfo(&json);
	appendStringInfo(&json, "{\"uuid\":\"%s\",\"at\":\"%s\",\"era\":" INT64_FORMAT,
					 new_uuid(), utc_string(GetCurrentTimestamp()),
					 (int64) GetSystemIdentifier());
	json_string(&json, "event", event->event);
	json_string(&json, "login_role", login_role);
	json_string(&json, "calling_role", calling_role);
	json_string(&json, "department", event->department);
	if (event->holder_id >= 0)
		appendStringInfo(&json, ",\"holder_id\":" INT64_FORMAT, event->holder_id);
	if (event->credential_no != NULL)
	{
		credential_no_format(event->credential_no, no);
		json_string(&json, "credential_no", no);
	}
	json_string(&json, "purpose", event->purpose);
	json_string(&json, "verdict", event->verdict);
	json_codes(&json, event->codes);
	appendStringInfo(&json, ",\"attempt\":%s", event->attempt ? "true" : "false");
	if (event->request_id != NULL)
		json_string(&json, "request_id",
					DatumGetCString(DirectFunctionCall1(uuid_out,
														UUIDPGetDatum(event->request_id))));
	if (event->detail != (Datum) 0)
	{
		Jsonb	   *detail = DatumGetJsonbP(event->detail);

		appendStringInfoString(&json, ",\"detail\":");
		(void) JsonbToCString(&json, &detail->root, VARSIZE(detail));
	}
	appendStringInfoChar(&json, '}');

	ereport(LOG_SERVER_ONLY,
			(errmsg_internal("epermit audit: %s", json.data),
			 errhidestmt(true),
			 errhidecontext(true)));
	pfree(json.data);
}

/* ---------------------------------------------------------------- a row */

static int64
insert_row(const AuditEvent *event, const char *login_role, const char *calling_role)
{
	Datum		values[EVENT_COLUMNS];
	char		nulls[EVENT_COLUMNS + 1];
	NameData	login,
				calling;

	namestrcpy(&login, login_role);
	namestrcpy(&calling, calling_role);

	/* datum is looked at only where it is present. */
#define SET(i, present, datum) \
	do { \
		nulls[i] = (present) ? ' ' : 'n'; \
		values[i] = (present) ? (datum) : (Datum) 0; \
	} while (0)

	SET(0, true, TimestampTzGetDatum(GetCurrentTimestamp()));
	SET(1, true, Int64GetDatum((int64) GetSystemIdentifier()));
	SET(2, true, UInt64GetDatum(U64FromFullTransactionId(GetTopFullTransactionId())));
	SET(3, true, CStringGetTextDatum(event->event));
	SET(4, true, NameGetDatum(&login));
	SET(5, true, NameGetDatum(&calling));
	SET(6, event->department != NULL, CStringGetTextDatum(event->department));
	SET(7, event->holder_id >= 0, Int64GetDatum(event->holder_id));
	SET(8, event->credential_no != NULL, CredentialNoGetDatum(event->credential_no));
	SET(9, event->purpose != NULL, CStringGetTextDatum(event->purpose));
	SET(10, event->verdict != NULL, CStringGetTextDatum(event->verdict));
	SET(11, event->codes != (Datum) 0, event->codes);
	SET(12, true, BoolGetDatum(event->attempt));
	SET(13, event->request_id != NULL, UUIDPGetDatum(event->request_id));
	SET(14, event->detail != (Datum) 0, event->detail);
#undef SET
	nulls[EVENT_COLUMNS] = '\0';

	if (plan_execute(&insert_event, values, nulls, PLAN_WRITE) != 1)
		elog(ERROR, "audit event was not inserted");
	return DatumGetInt64(plan_value(0, 1, NULL));
}

int64
audit_write(const AuditEvent *event)
{
	char	   *login_role = GetUserNameFromId(GetSessionUserId(), false);
	char	   *calling_role = GetUserNameFromId(GetOuterUserId(), false);
	int64		id;

	if (RecoveryInProgress())
	{
		/* A log that drops the line is no sink either. */
		if (audit_sink != SINK_LOG || !message_level_is_interesting(LOG_SERVER_ONLY))
			ereport(ERROR,
					(errcode(ERRCODE_TP_NO_AUDIT_SINK),
					 errmsg("a standby cannot write the audit log"),
					 errdetail("Nothing is verified that is not audited."),
					 errhint("Set epermit.audit_sink to \"log\", with log_min_messages not above"
							 " \"log\", and load the lines on the primary with"
							 " epermit.import_audit().")));
		write_log_line(event, login_role, calling_role);
		return 0;
	}

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	id = insert_row(event, login_role, calling_role);
	SPI_finish();
	return id;
}

/* ---------------------------------------------------------------- for SQL */

/* audit_event(event text, detail jsonb) -> bigint; detail may be NULL. */
Datum
epermit_audit_event(PG_FUNCTION_ARGS)
{
	AuditEvent	event = {.holder_id = -1};

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("event must not be null")));
	event.event = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (!PG_ARGISNULL(1))
		event.detail = PG_GETARG_DATUM(1);
	PG_RETURN_INT64(audit_write(&event));
}

/* AFTER STATEMENT trigger; argument: the event. */
Datum
epermit_audit_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Oid			owner,
				caller;
	int			sec_context;
	const char *action;
	char	   *detail;
	AuditEvent	event = {.holder_id = -1};

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event) ||
		trigdata->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired AFTER, FOR EACH STATEMENT, with one argument",
						"audit_change")));

	/* The extension's functions run as the owner and audit what they do, and for whom. */
	owner = RelationGetForm(trigdata->tg_relation)->relowner;
	GetUserIdAndSecContext(&caller, &sec_context);
	if (caller == owner)
		PG_RETURN_POINTER(NULL);

	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		action = "insert";
	else if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		action = "update";
	else if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		action = "delete";
	else
		action = "truncate";

	event.event = trigdata->tg_trigger->tgargs[0];
	detail = psprintf("{\"action\": \"%s\", \"table\": \"%s\"}", action,
					  RelationGetRelationName(trigdata->tg_relation));
	event.detail = DirectFunctionCall1(jsonb_in, CStringGetDatum(detail));

	SetUserIdAndSecContext(owner, sec_context | SECURITY_LOCAL_USERID_CHANGE);
	(void) audit_write(&event);
	SetUserIdAndSecContext(caller, sec_context);
	PG_RETURN_POINTER(NULL);
}
