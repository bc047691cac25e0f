/*
 * issue.c
 *		Applications answered: issue_permit, link_documents and what goes with them.
 *
 * A refusal is an answer: it is audited and committed like an issue.  Only a fault
 * raises, and then nothing is written.  The trigger (credential_trigger.c) decides again
 * and alone fills the row; what is done here first is to tell people why not.
 *
 * No answer carries a token: it is read afterwards by credential_token(), which refuses
 * what the calling transaction wrote, so that no rolled-back permit has a QR code.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "application.h"
#include "attestation.h"
#include "audit.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "plan.h"
#include "port/pg_bitutils.h"
#include "repeat.h"
#include "types.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(epermit_issue_permit);
PG_FUNCTION_INFO_V1(epermit_link_documents);
PG_FUNCTION_INFO_V1(epermit_check_application);
PG_FUNCTION_INFO_V1(epermit_check_linkage);
PG_FUNCTION_INFO_V1(epermit_credential_token);

PGDLLEXPORT Datum epermit_issue_permit(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_link_documents(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_check_application(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_check_linkage(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_token(PG_FUNCTION_ARGS);

static KeptPlan insert_permit = {
	.sql = "INSERT INTO epermit.permit (holder_id, travel_permit_no, request_id, portrait_digest,"
	" mobile_no, channel, office, officer, reason)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::epermit.loss_reason)"
	" RETURNING credential_no",
	.argtypes = {"pg_catalog.int8", "epermit.travel_permit_no", "pg_catalog.uuid",
		"pg_catalog.bytea", "epermit.mobile_no", "epermit.channel", "pg_catalog.text",
		"pg_catalog.text", "pg_catalog.text"}
};

static KeptPlan insert_linkage = {
	.sql = "INSERT INTO epermit.linkage (holder_id, travel_permit_no, request_id, portrait_digest,"
	" mobile_no, channel, office, officer, residence_permit_no)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
	" RETURNING credential_no",
	.argtypes = {"pg_catalog.int8", "epermit.travel_permit_no", "pg_catalog.uuid",
		"pg_catalog.bytea", "epermit.mobile_no", "epermit.channel", "pg_catalog.text",
		"pg_catalog.text", "epermit.residence_permit_no"}
};

static KeptPlan find_permit = {
	.sql = "SELECT p.credential_no, p.issued_at, p.valid_until, p.clipped, p.purposes"
	" FROM epermit.permit p WHERE p.holder_id OPERATOR(pg_catalog.=) $1"
	" AND p.credential_no OPERATOR(epermit.=) $2",
	.argtypes = {"pg_catalog.int8", "epermit.credential_no"}
};

/* Purposes a linkage result serves are the purposes' own affair. */
static KeptPlan find_linkage = {
	.sql = "SELECT l.credential_no, l.issued_at, l.valid_until, l.clipped,"
	" ARRAY(SELECT u.code FROM epermit.purpose u WHERE u.linkage_may ORDER BY u.bit)"
	" FROM epermit.linkage l WHERE l.holder_id OPERATOR(pg_catalog.=) $1"
	" AND l.credential_no OPERATOR(epermit.=) $2",
	.argtypes = {"pg_catalog.int8", "epermit.credential_no"}
};

static KeptPlan permit_token = {
	.sql = "SELECT p.token, p.xmin FROM epermit.permit p"
	" WHERE p.holder_id OPERATOR(pg_catalog.=) $1 AND p.credential_no OPERATOR(epermit.=) $2",
	.argtypes = {"pg_catalog.int8", "epermit.credential_no"}
};

static KeptPlan linkage_token = {
	.sql = "SELECT l.token, l.xmin FROM epermit.linkage l"
	" WHERE l.holder_id OPERATOR(pg_catalog.=) $1 AND l.credential_no OPERATOR(epermit.=) $2",
	.argtypes = {"pg_catalog.int8", "epermit.credential_no"}
};

/* Columns of epermit.issuance. */
enum
{
	ISSUANCE_CREDENTIAL_NO,
	ISSUANCE_VALID_FROM,
	ISSUANCE_VALID_UNTIL,
	ISSUANCE_CLIPPED,
	ISSUANCE_PURPOSES,
	ISSUANCE_QUOTA_USED,
	ISSUANCE_QUOTA_REMAINING,
	ISSUANCE_PROBLEMS,
	ISSUANCE_COLUMNS
};

/*
 * The refusal given last, of each kind: SELECT (issue_permit(...)).* is one application, not eight.
 * Was it counted as an attempt?
 */
static Repeat last_refusal[CREDENTIAL_LINKAGE + 1];
static bool last_counted[CREDENTIAL_LINKAGE + 1];

/* What an answer is made of while the SPI connection lasts. */
typedef struct Answer
{
	Datum		values[ISSUANCE_COLUMNS];
	bool		nulls[ISSUANCE_COLUMNS];
	TupleDesc	desc;
} Answer;

static void
answer_init(Answer *answer, FunctionCallInfo fcinfo)
{
	int			i;

	for (i = 0; i < ISSUANCE_COLUMNS; i++)
	{
		answer->values[i] = (Datum) 0;
		answer->nulls[i] = true;
	}
	if (get_call_result_type(fcinfo, NULL, &answer->desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	answer->desc = BlessTupleDesc(answer->desc);
}

static void
answer_set(Answer *answer, int column, Datum value)
{
	answer->values[column] = value;
	answer->nulls[column] = false;
}

static const char *
channel_label(const Application *application)
{
	return application->at_counter ? "counter" : "online";
}

/*
 * A counter's evidence is its officer, so only officers may speak for one; and they speak for
 * nothing else.  The outer role counts: SECURITY DEFINER does not change who asked.
 */
static void
check_channel(const Application *application)
{
	const char *needed = application->at_counter ? "epermit_officer" : "epermit_issuer";

	if (!has_privs_of_role(GetOuterUserId(), get_role_oid(needed, false)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for channel \"%s\"", channel_label(application)),
				 errdetail("It needs the privileges of role %s.", needed)));
}

/* What the audit log keeps besides its columns. */
static Datum
audit_detail(const Application *application, const Examination *examination)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfo(&json, "{\"channel\": \"%s\"", channel_label(application));
	if (examination->found && application->name != NULL)
		appendStringInfo(&json, ", \"name_match\": \"%s\"",
						 name_match_labels[examination->name_match]);
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

static int64
audit(const Application *application, const Examination *examination,
	  const ProblemList *problems, const CredentialNo *no)
{
	bool		is_permit = application->kind == CREDENTIAL_PERMIT;
	AuditEvent	event;

	memset(&event, 0, sizeof(event));
	if (no != NULL)
		event.event = is_permit ? "issue_permit" : "link_documents";
	else
		event.event = is_permit ? "refuse_permit" : "refuse_linkage";
	event.holder_id = examination->found ? examination->registered.holder_id : -1;
	event.credential_no = no;
	if (problems->problems != NIL)
		event.codes = problems_codes(problems);
	event.attempt = examination->failed_attempt;
	event.request_id = application->request_id;
	event.detail = audit_detail(application, examination);
	return audit_write(&event);
}

static CredentialNo
insert_credential(const Application *application, const Examination *examination)
{
	const uint8 *portrait = application->has_portrait_digest ?
		application->portrait_digest : examination->evidence.portrait;
	Datum		args[9];
	char		nulls[9] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};

	args[0] = Int64GetDatum(examination->registered.holder_id);
	args[1] = NumberGetDatum(application->document_no);
	args[2] = UUIDPGetDatum(application->request_id);
	args[3] = PointerGetDatum(make_bytea(portrait, PORTRAIT_DIGEST_BYTES));
	if (!application->has_portrait_digest && !examination->evidence.has_portrait)
		nulls[3] = 'n';
	args[4] = NumberGetDatum(application->mobile_no);
	if (!application->has_mobile_no)
		nulls[4] = 'n';
	args[5] = enum_datum("channel", channel_label(application));
	args[6] = args[7] = (Datum) 0;
	nulls[6] = nulls[7] = 'n';
	if (application->at_counter)
	{
		args[6] = CStringGetTextDatum(application->office);
		args[7] = CStringGetTextDatum(application->officer);
		nulls[6] = nulls[7] = ' ';
	}

	if (application->kind == CREDENTIAL_PERMIT)
		args[8] = CStringGetTextDatum(application->reason);
	else
		args[8] = NumberGetDatum(application->residence_permit_no);

	PG_TRY();
	{
		credential_caller_audits = true;
		plan_execute(application->kind == CREDENTIAL_PERMIT ? &insert_permit : &insert_linkage,
					 args, nulls, PLAN_WRITE);
	}
	PG_FINALLY();
	{
		credential_caller_audits = false;
	}
	PG_END_TRY();
	if (SPI_processed != 1)
		elog(ERROR, "the credential was not inserted");
	return *DatumGetCredentialNo(plan_value(0, 1, NULL));
}

/* Fill the answer from the row, in the memory of the function's caller. */
static void
answer_credential(Answer *answer, CredentialKind kind, const CredentialNo *no,
				  const Policy *policy, MemoryContext caller)
{
	CredentialParts parts;
	Datum		args[2];
	MemoryContext spi;
	int			used;
	int			i;

	credential_no_unpack(no, &parts);
	args[0] = Int64GetDatum((int64) parts.holder_id);
	args[1] = CredentialNoGetDatum(no);
	if (plan_execute(kind == CREDENTIAL_PERMIT ? &find_permit : &find_linkage,
					 args, NULL, PLAN_LATEST) != 1)
		elog(ERROR, "the credential is gone");

	spi = MemoryContextSwitchTo(caller);
	for (i = ISSUANCE_CREDENTIAL_NO; i <= ISSUANCE_PURPOSES; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(SPI_tuptable->tupdesc, i);

		answer_set(answer, i, datumCopy(plan_value(0, i + 1, NULL),
										attribute->attbyval, attribute->attlen));
	}
	MemoryContextSwitchTo(spi);

	if (kind == CREDENTIAL_LINKAGE)
		return;
	used = pg_popcount32(credential_taken_slots(kind, (int64) parts.holder_id, parts.month));
	answer_set(answer, ISSUANCE_QUOTA_USED, Int32GetDatum(used));
	answer_set(answer, ISSUANCE_QUOTA_REMAINING,
			   Int32GetDatum(Max(policy->monthly_quota - used, 0)));
}

/* issue_permit(application jsonb), link_documents(application jsonb) → issuance */
static Datum
answer_application(FunctionCallInfo fcinfo, CredentialKind kind)
{
	Jsonb	   *json = PG_ARGISNULL(0) ? NULL : PG_GETARG_JSONB_P(0);
	const struct varlena *asked = (struct varlena *) json;
	MemoryContext caller = CurrentMemoryContext;
	int64		now = clock_unix();
	const Policy *policy = config_policy_at(GetCurrentTimestamp());
	ProblemList problems = {NIL};
	Application application;
	Examination examination;
	Answer		answer;
	CredentialNo no;
	uint8		digest[REPEAT_DIGEST_BYTES];
	bool		refused_before;

	answer_init(&answer, fcinfo);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");

	application_read(kind, json, policy, now, &application, &problems);
	check_channel(&application);
	repeat_digest(digest, &asked, 1);
	refused_before = repeat_is(&last_refusal[kind], digest);

	/* The month may have changed while we waited: the trigger goes by its own clock. */
	application_find(&application, true, &examination);
	now = clock_unix();
	policy = config_policy_at(GetCurrentTimestamp());
	application_examine(&application, policy, now, refused_before && last_counted[kind],
						&examination, &problems);

	if (problems.problems == NIL && examination.repeated)
		answer_credential(&answer, kind, &examination.issued_before, policy, caller);
	else if (problems.problems == NIL)
	{
		no = insert_credential(&application, &examination);
		if (!application.at_counter && application.attestation != NULL)
			attestation_use(examination.evidence.nonce, examination.registered.holder_id);
		answer_credential(&answer, kind, &no, policy, caller);
		audit(&application, &examination, &problems, &no);
	}
	else if (!refused_before)
	{
		repeat_note(&last_refusal[kind], digest,
					audit(&application, &examination, &problems, NULL));
		last_counted[kind] = examination.failed_attempt;
	}

	MemoryContextSwitchTo(caller);
	answer_set(&answer, ISSUANCE_PROBLEMS, problems_array(&problems, application.lang));
	SPI_finish();
	return HeapTupleGetDatum(heap_form_tuple(answer.desc, answer.values, answer.nulls));
}

Datum
epermit_issue_permit(PG_FUNCTION_ARGS)
{
	return answer_application(fcinfo, CREDENTIAL_PERMIT);
}

Datum
epermit_link_documents(PG_FUNCTION_ARGS)
{
	return answer_application(fcinfo, CREDENTIAL_LINKAGE);
}

/* check_application(application jsonb), check_linkage(application jsonb) → SETOF problem */
static Datum
list_problems(FunctionCallInfo fcinfo, CredentialKind kind)
{
	Jsonb	   *json = PG_ARGISNULL(0) ? NULL : PG_GETARG_JSONB_P(0);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int64		now = clock_unix();
	const Policy *policy = config_policy_at(GetCurrentTimestamp());
	ProblemList problems = {NIL};
	Application application;
	Examination examination;
	Datum	   *shown;
	int			n,
				i;

	InitMaterializedSRF(fcinfo, 0);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");

	application_read(kind, json, policy, now, &application, &problems);
	check_channel(&application);
	application_find(&application, false, &examination);
	application_examine(&application, policy, now, false, &examination, &problems);

	deconstruct_array(DatumGetArrayTypeP(problems_array(&problems, application.lang)),
					  type_oid("problem"), -1, false, TYPALIGN_DOUBLE, &shown, NULL, &n);
	for (i = 0; i < n; i++)
	{
		HeapTupleData tuple;

		tuple.t_data = DatumGetHeapTupleHeader(shown[i]);
		tuple.t_len = HeapTupleHeaderGetDatumLength(tuple.t_data);
		ItemPointerSetInvalid(&tuple.t_self);
		tuple.t_tableOid = InvalidOid;
		tuplestore_puttuple(result->setResult, &tuple);
	}
	SPI_finish();
	return (Datum) 0;
}

Datum
epermit_check_application(PG_FUNCTION_ARGS)
{
	return list_problems(fcinfo, CREDENTIAL_PERMIT);
}

Datum
epermit_check_linkage(PG_FUNCTION_ARGS)
{
	return list_problems(fcinfo, CREDENTIAL_LINKAGE);
}

/*
 * credential_token(credential_no) → token
 *		What the QR shows.  TP008 for a row that the calling transaction wrote, 42704 for
 *		a number that is not here.
 */
Datum
epermit_credential_token(PG_FUNCTION_ARGS)
{
	CredentialNo *no = PG_GETARG_CREDENTIAL_NO(0);
	MemoryContext caller = CurrentMemoryContext;
	CredentialParts parts;
	Datum		args[2];
	Datum		token;
	TransactionId xmin;

	credential_no_unpack(no, &parts);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");

	args[0] = Int64GetDatum((int64) parts.holder_id);
	args[1] = CredentialNoGetDatum(no);
	if (plan_execute(parts.is_permit ? &permit_token : &linkage_token,
					 args, NULL, PLAN_LATEST) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("no credential has this number")));

	xmin = DatumGetTransactionId(plan_value(0, 2, NULL));
	if (TransactionIdIsCurrentTransactionId(xmin))
		ereport(ERROR,
				(errcode(ERRCODE_TP_UNCOMMITTED),
				 errmsg("the credential is not committed yet"),
				 errdetail("A token must not leave a transaction that may still roll back."),
				 errhint("Commit, then call credential_token() again.")));

	token = plan_value(0, 1, NULL);
	MemoryContextSwitchTo(caller);
	token = datumCopy(token, false, -1);
	SPI_finish();
	return token;
}
