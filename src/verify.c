/*
 * verify.c
 *		What is presented, judged: verify_permit, verify_linkage and their kin.
 *
 * Garbage is a verdict, never an error.  Online the row is the truth: a genuine token whose row is
 * not here was never issued here.  Offline there are the public keys, what is known of revocations,
 * and the clock.  Personal data is told only with the verdict valid, and to a department only
 * what it was granted.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/xlog.h"
#include "audit.h"
#include "catalog/pg_type.h"
#include "config.h"
#include "core/calendar.h"
#include "core/wire.h"
#include "credential.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "plan.h"
#include "registry.h"
#include "repeat.h"
#include "status_list.h"
#include "text.h"
#include "types.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(epermit_verify_permit);
PG_FUNCTION_INFO_V1(epermit_verify_permits);
PG_FUNCTION_INFO_V1(epermit_verify_linkage);
PG_FUNCTION_INFO_V1(epermit_documents_linked);
PG_FUNCTION_INFO_V1(epermit_verify_offline);
PG_FUNCTION_INFO_V1(epermit_verify_linkage_offline);

PGDLLEXPORT Datum epermit_verify_permit(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_verify_permits(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_verify_linkage(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_documents_linked(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_verify_offline(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_verify_linkage_offline(PG_FUNCTION_ARGS);

/* Columns of epermit.verification. */
enum
{
	VERIFICATION_OK,
	VERIFICATION_VERDICT,
	VERIFICATION_CREDENTIAL_NO,
	VERIFICATION_HOLDER_NAME,
	VERIFICATION_NAME_ROMANISED,
	VERIFICATION_BIRTH_DATE,
	VERIFICATION_DOCUMENT_KIND,
	VERIFICATION_DOCUMENT_NO,
	VERIFICATION_VALID_FROM,
	VERIFICATION_VALID_UNTIL,
	VERIFICATION_PURPOSES,
	VERIFICATION_PORTRAIT_DIGEST,
	VERIFICATION_NAME_MATCH,
	VERIFICATION_AUDIT_ID,
	VERIFICATION_CHECKED_AT,
	VERIFICATION_COLUMNS
};

#define LATEST_STATUS \
	"(SELECT e.status FROM epermit.credential_event e" \
	" WHERE e.credential_no OPERATOR(epermit.=) c.credential_no ORDER BY e.event_no DESC LIMIT 1)"

/* The row and the latest thing that happened to it. */
#define CREDENTIAL_ROW(table, residence_permit_no) \
	"SELECT c.token, c.travel_permit_no, " residence_permit_no ", c.portrait_digest," \
	" h.name_zh, h.name_romanised, h.birth_date, " LATEST_STATUS \
	" FROM " table " c" \
	" JOIN epermit.holder h ON h.holder_id OPERATOR(pg_catalog.=) c.holder_id" \
	" WHERE c.holder_id OPERATOR(pg_catalog.=) $1 AND c.credential_no OPERATOR(epermit.=) $2"

static KeptPlan permit_row = {
	.sql = CREDENTIAL_ROW("epermit.permit", "NULL::epermit.residence_permit_no"),
	.argtypes = {"pg_catalog.int8", "epermit.credential_no"}
};

static KeptPlan linkage_row = {
	.sql = CREDENTIAL_ROW("epermit.linkage", "c.residence_permit_no"),
	.argtypes = {"pg_catalog.int8", "epermit.credential_no"}
};

/* Of several results for the same two documents, one that holds goes before one that does not. */
static KeptPlan current_linkage = {
	.sql = "SELECT s.no"
	" FROM (SELECT c.credential_no AS no, c.valid_until, " LATEST_STATUS " AS status"
	" FROM epermit.travel_permit t"
	" JOIN epermit.linkage c ON c.holder_id OPERATOR(pg_catalog.=) t.holder_id"
	" WHERE t.travel_permit_no OPERATOR(epermit.=) $1"
	" AND c.travel_permit_no OPERATOR(epermit.=) $1"
	" AND c.residence_permit_no OPERATOR(epermit.=) $2) s"
	" ORDER BY (COALESCE(s.status, 'valid') OPERATOR(pg_catalog.=) 'valid') DESC,"
	" s.valid_until DESC, s.no DESC LIMIT 1",
	.argtypes = {"epermit.travel_permit_no", "epermit.residence_permit_no"}
};

/* One thing presented, and what became of it. */
typedef struct Check
{
	CredentialKind kind;
	const char *purpose;		/* as asked for; NULL: none was */
	int64		at;				/* seconds since 1970 */

	Verdict		verdict;
	bool		has_no;
	CredentialNo no;			/* also of what is not genuine, for the audit log */
	bool		genuine;		/* signed by a key of ours for this kind: claims may be told */
	CredentialClaims claims;
	DecodedToken token;

	/* Online, once the row was found; strings live in the SPI connection. */
	bool		has_row;
	uint64		travel_permit_no;
	uint64		residence_permit_no;
	bytea	   *portrait_digest;
	char	   *name_zh;
	char	   *name_romanised;
	DateADT		birth_date;
	Verdict		status;			/* valid, revoked, suspended; undetermined offline */

	int64		asked_about;	/* whose travel permit it is where there is no row; -1: nobody's */
} Check;

/* Out of scope, whatever is presented and whoever asks. */
static bool
is_border(const char *purpose)
{
	return purpose != NULL && strcmp(purpose, "border") == 0;
}

static void
check_init(Check *check, CredentialKind kind, const char *purpose, int64 at)
{
	check->kind = kind;
	check->purpose = purpose;
	check->at = at;
	check->verdict = VERDICT_MALFORMED;
	check->has_no = false;
	check->genuine = false;
	check->has_row = false;
	check->status = VERDICT_VALID;
	check->asked_about = -1;
}

/* ---------------------------------------------------------------- judging */

/* Kind, key and signature of check->token. */
static bool
judge_token(Check *check)
{
	check->genuine = false;
	check->verdict = VERDICT_MALFORMED;
	if (check->token.cose.typ != credential_typ(check->kind))
		return false;

	/* What was tampered with has a wrong signature, whatever has become of its claims. */
	check->verdict = credential_signature(check->kind, &check->token);
	if (credential_claims(check->kind, &check->token, &check->claims))
	{
		check->has_no = true;
		check->no = check->claims.no;
	}
	else if (check->verdict == VERDICT_VALID || check->verdict == VERDICT_KEY_COMPROMISED)
		check->verdict = VERDICT_MALFORMED;
	check->genuine = check->verdict == VERDICT_VALID;
	return check->genuine;
}

/* Of what is genuine: status, time, scope, in this order. */
static void
judge_claims(Check *check)
{
	const CredentialClaims *claims = &check->claims;
	const Purpose *purpose = check->purpose != NULL ? config_purpose(check->purpose) : NULL;
	bool		in_scope;

	if (purpose == NULL)
		in_scope = false;
	else if (check->kind == CREDENTIAL_PERMIT)
		in_scope = purpose->permit_may && (claims->u.permit.purposes >> purpose->bit & 1) != 0;
	else
		in_scope = purpose->linkage_may;

	if (check->status == VERDICT_REVOKED || check->status == VERDICT_SUSPENDED)
		check->verdict = check->status;
	else if (claims->nbf > check->at + CLOCK_TOLERANCE || claims->iat > check->at + CLOCK_TOLERANCE)
		check->verdict = VERDICT_NOT_YET_VALID;
	else if (check->at >= claims->exp)
		check->verdict = VERDICT_EXPIRED;
	else if (!in_scope)
		check->verdict = VERDICT_OUT_OF_SCOPE;
	else
		check->verdict = check->status;		/* valid, or undetermined for want of a status list */
}

/* The row of check->no, with the latest snapshot. */
static bool
find_row(Check *check)
{
	CredentialParts parts;
	Datum		args[2];
	bool		isnull;
	Datum		value;

	credential_no_unpack(&check->no, &parts);
	if (parts.is_permit != (check->kind == CREDENTIAL_PERMIT))
		return false;

	args[0] = Int64GetDatum((int64) parts.holder_id);
	args[1] = CredentialNoGetDatum(&check->no);
	if (plan_execute(parts.is_permit ? &permit_row : &linkage_row, args, NULL, PLAN_LATEST) == 0)
		return false;

	check->has_row = true;
	check->travel_permit_no = DatumGetNumber(plan_value(0, 2, NULL));
	value = plan_value(0, 3, &isnull);
	check->residence_permit_no = isnull ? 0 : DatumGetNumber(value);
	value = plan_value(0, 4, &isnull);
	check->portrait_digest = isnull ? NULL : DatumGetByteaPP(value);
	check->name_zh = plan_string(0, 5);
	check->name_romanised = plan_string(0, 6);
	check->birth_date = DatumGetDateADT(plan_value(0, 7, NULL));
	check->status = status_verdict(plan_string(0, 8));
	return true;
}

/* Is the row's token what was presented?  Its compression and outer tags may be others. */
static bool
row_has_message(const Check *check)
{
	const CoseSign1 *presented = &check->token.cose;
	DecodedToken *stored = palloc(sizeof(DecodedToken));

	token_from_datum(plan_value(0, 1, NULL), stored);
	return slice_equals(stored->cose.protected_header, presented->protected_header) &&
		slice_equals(stored->cose.payload, presented->payload) &&
		memcmp(stored->cose.signature, presented->signature, SIGNATURE_BYTES) == 0;
}

/* A replica may lag: what is not here yet may have been issued a moment ago. */
static Verdict
no_row(const Check *check)
{
	CredentialParts parts;

	credential_no_unpack(&check->no, &parts);
	return RecoveryInProgress() && parts.is_permit == (check->kind == CREDENTIAL_PERMIT) ?
		VERDICT_UNDETERMINED : VERDICT_NOT_FOUND;
}

/* Judge the credential of check->no by its row, whose own token has to prove it. */
static void
judge_number(Check *check)
{
	const CredentialNo asked = check->no;

	if (!find_row(check))
	{
		check->verdict = no_row(check);
		return;
	}
	token_from_datum(plan_value(0, 1, NULL), &check->token);
	if (!judge_token(check))
		return;
	if (memcmp(&check->no, &asked, sizeof(asked)) != 0)
	{
		/* Somebody got around the trigger: nothing here proves this number. */
		check->no = asked;
		check->verdict = VERDICT_NOT_FOUND;
		check->genuine = false;
		return;
	}
	judge_claims(check);
}

typedef enum Presented
{
	PRESENTED_NEITHER,			/* check->verdict says why */
	PRESENTED_NUMBER,			/* printed, now in check->no */
	PRESENTED_TOKEN				/* in check->token */
} Presented;

/* What is it that was presented?  Either may stand behind an "https://...#" prefix. */
static Presented
read_presented(Check *check, const text *presented)
{
	const char *string = VARDATA_ANY(presented);
	size_t		len = VARSIZE_ANY_EXHDR(presented);
	Slice		number;

	check->verdict = VERDICT_MALFORMED;
	if (len > WIRE_MAX_TEXT)
		return PRESENTED_NEITHER;

	number = wire_strip_prefix(string, len);
	switch (credential_no_parse((const char *) number.ptr, number.len, &check->no))
	{
		case CREDENTIAL_NO_OK:
			check->has_no = true;
			return PRESENTED_NUMBER;
		case CREDENTIAL_NO_MISTYPED:
			check->verdict = VERDICT_MISTYPED;
			return PRESENTED_NEITHER;
		case CREDENTIAL_NO_MALFORMED:
			break;
	}
	return token_from_text(string, len, &check->token) ? PRESENTED_TOKEN : PRESENTED_NEITHER;
}

/* Judge a printed number or a token against the rows of this database. */
static void
judge_online(Check *check, const text *presented)
{
	Presented	what = read_presented(check, presented);

	if (what == PRESENTED_NUMBER)
		judge_number(check);
	else if (what == PRESENTED_TOKEN && judge_token(check))
	{
		if (find_row(check) && row_has_message(check))
			judge_claims(check);
		else
		{
			check->verdict = check->has_row ? VERDICT_NOT_FOUND : no_row(check);
			check->genuine = false;
		}
	}
}

/* Judge a token by keys and clock alone; a number has nothing signed to look at. */
static void
judge_offline(Check *check, const text *presented)
{
	Presented	what = read_presented(check, presented);

	if (what == PRESENTED_NUMBER)
		check->verdict = VERDICT_UNDETERMINED;
	else if (what == PRESENTED_TOKEN && judge_token(check))
	{
		check->status = status_offline(&check->claims, check->at);
		judge_claims(check);
	}
}

/* The two numbers of a linkage check, as presented; false: one of them is no such number. */
static bool
parse_documents(const text *travel, const text *residence, uint64 *travel_no, uint64 *residence_no)
{
	char	   *number;

	if (travel == NULL || residence == NULL ||
		VARSIZE_ANY_EXHDR(travel) > WIRE_MAX_TEXT || VARSIZE_ANY_EXHDR(residence) > WIRE_MAX_TEXT)
		return false;
	number = text_upper(VARDATA_ANY(travel), VARSIZE_ANY_EXHDR(travel));
	if (number == NULL || travel_permit_parse(number, strlen(number), travel_no, NULL) != RULE_OK)
		return false;
	number = text_upper(VARDATA_ANY(residence), VARSIZE_ANY_EXHDR(residence));
	return number != NULL &&
		residence_permit_parse(number, strlen(number), residence_no, NULL) == RULE_OK;
}

/* The holder of a travel permit, or -1: who was asked about may know of it. */
static int64
find_asked_about(uint64 travel_permit_no)
{
	Registered	registered;

	return registry_find(travel_permit_no, false, &registered) ? registered.holder_id : -1;
}

/* ---------------------------------------------------------------- answering */

/* The columns of epermit.verification. */
typedef struct Answer
{
	Datum		values[VERIFICATION_COLUMNS];
	bool		nulls[VERIFICATION_COLUMNS];
} Answer;

static void
set(Answer *answer, int column, Datum value)
{
	answer->values[column] = value;
	answer->nulls[column] = false;
}

static void
set_text(Answer *answer, int column, Slice text)
{
	set(answer, column, PointerGetDatum(slice_to_text(text)));
}

/* The kind a masked travel permit number still shows. */
static DocumentKind
masked_kind(Slice masked)
{
	if (masked.len < 2 || (masked.ptr[0] >= '0' && masked.ptr[0] <= '9'))
		return KIND_TAIWAN;
	return masked.ptr[1] == 'A' ? KIND_HK_MACAU_FOREIGN : KIND_HK_MACAU;
}

static void
answer_permit(const Check *check, uint32 disclosure, Answer *answer)
{
	const PermitClaims *claims = &check->claims.u.permit;
	int			year,
				month,
				day;

	if (disclosure & DISCLOSE_HOLDER_NAME)
		set_text(answer, VERIFICATION_HOLDER_NAME, claims->name_zh);
	if (disclosure & DISCLOSE_NAME_ROMANISED)
		set_text(answer, VERIFICATION_NAME_ROMANISED, claims->name_romanised);
	if ((disclosure & DISCLOSE_BIRTH_DATE) &&
		date_parse((const char *) claims->birth_date.ptr, &year, &month, &day))
		set(answer, VERIFICATION_BIRTH_DATE,
			DateADTGetDatum(unix_days_to_date(date_to_days(year, month, day))));
	if (disclosure & DISCLOSE_DOCUMENT_KIND)
		set(answer, VERIFICATION_DOCUMENT_KIND,
			enum_datum("document_kind",
					   document_kind_labels[masked_kind(claims->document_masked)]));
	if (disclosure & DISCLOSE_DOCUMENT_NO)
		set_text(answer, VERIFICATION_DOCUMENT_NO, claims->document_masked);
	if (disclosure & DISCLOSE_PURPOSES)
		set(answer, VERIFICATION_PURPOSES,
			PointerGetDatum(config_purposes_array(claims->purposes)));

	/* The token has half of the digest; the row has all of it. */
	if (disclosure & DISCLOSE_PORTRAIT_DIGEST)
	{
		if (check->has_row && check->portrait_digest != NULL)
			set(answer, VERIFICATION_PORTRAIT_DIGEST, PointerGetDatum(check->portrait_digest));
		else if (claims->has_portrait)
			set(answer, VERIFICATION_PORTRAIT_DIGEST,
				PointerGetDatum(make_bytea(claims->portrait, PORTRAIT_CLAIM_BYTES)));
	}

	/* Does the registry still know the holder by the name that was signed? */
	if ((disclosure & DISCLOSE_NAME_MATCH) && check->has_row)
	{
		char	   *name = slice_to_string(claims->name_zh);

		set(answer, VERIFICATION_NAME_MATCH,
			CStringGetTextDatum(name_match_labels[name_compare(name, check->name_zh,
															   check->name_romanised)]));
	}
}

static void
answer_linkage(const Check *check, uint32 disclosure, Answer *answer)
{
	const LinkageClaims *claims = &check->claims.u.linkage;

	if (disclosure & DISCLOSE_DOCUMENT_KIND)
		set(answer, VERIFICATION_DOCUMENT_KIND,
			enum_datum("document_kind", document_kind_labels[claims->travel_kind]));
	if (disclosure & DISCLOSE_DOCUMENT_NO)
		set_text(answer, VERIFICATION_DOCUMENT_NO, claims->travel_masked);
	if (disclosure & DISCLOSE_PURPOSES)
		set(answer, VERIFICATION_PURPOSES,
			PointerGetDatum(config_purposes_array(config_linkage_purposes())));

	/* The token shows neither name nor birth date; the registry does, to whom it is granted. */
	if (!check->has_row)
		return;
	if (disclosure & DISCLOSE_HOLDER_NAME)
		set(answer, VERIFICATION_HOLDER_NAME, CStringGetTextDatum(check->name_zh));
	if (disclosure & DISCLOSE_NAME_ROMANISED)
		set(answer, VERIFICATION_NAME_ROMANISED, CStringGetTextDatum(check->name_romanised));
	if (disclosure & DISCLOSE_BIRTH_DATE)
		set(answer, VERIFICATION_BIRTH_DATE, DateADTGetDatum(check->birth_date));
	if ((disclosure & DISCLOSE_PORTRAIT_DIGEST) && check->portrait_digest != NULL)
		set(answer, VERIFICATION_PORTRAIT_DIGEST, PointerGetDatum(check->portrait_digest));
}

/* audit_id below 0: none. */
static void
answer_check(const Check *check, uint32 disclosure, int64 audit_id, Answer *answer)
{
	memset(answer->nulls, true, sizeof(answer->nulls));
	memset(answer->values, 0, sizeof(answer->values));

	set(answer, VERIFICATION_OK, BoolGetDatum(check->verdict == VERDICT_VALID));
	set(answer, VERIFICATION_VERDICT, enum_datum("verdict", verdict_labels[check->verdict]));
	set(answer, VERIFICATION_CHECKED_AT, TimestampTzGetDatum(unix_to_timestamptz(check->at)));
	if (audit_id >= 0)
		set(answer, VERIFICATION_AUDIT_ID, Int64GetDatum(audit_id));
	if (!check->genuine)
		return;

	set(answer, VERIFICATION_CREDENTIAL_NO, CredentialNoGetDatum(&check->no));
	set(answer, VERIFICATION_VALID_FROM,
		TimestampTzGetDatum(unix_to_timestamptz(check->claims.nbf)));
	set(answer, VERIFICATION_VALID_UNTIL,
		TimestampTzGetDatum(unix_to_timestamptz(check->claims.exp)));
	if (check->verdict != VERDICT_VALID)
		return;

	if (check->kind == CREDENTIAL_PERMIT)
		answer_permit(check, disclosure, answer);
	else
		answer_linkage(check, disclosure, answer);
}

static Datum
answer_datum(FunctionCallInfo fcinfo, const Check *check, uint32 disclosure, int64 audit_id)
{
	Answer		answer;
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	answer_check(check, disclosure, audit_id, &answer);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), answer.values, answer.nulls));
}

static char *
text_argument(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

/* ---------------------------------------------------------------- online: a department asks */

/*
 * Who asks: the department that the calling role is, and it must have been granted the purpose.
 * The outer role counts, which SECURITY DEFINER does not change and SET ROLE behind a pooler does.
 */
static const Department *
asking_department(const char *purpose)
{
	const Department *department = config_department(GetOuterUserId());
	const Purpose *known = purpose != NULL ? config_purpose(purpose) : NULL;

	if (department == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_TP_NO_DEPARTMENT),
				 errmsg("role \"%s\" is no registered department",
						GetUserNameFromId(GetOuterUserId(), false)),
				 errhint("Register it with epermit.register_department(), or SET ROLE to a role that is.")));
	if (!is_border(purpose) &&
		(known == NULL || (department->purposes >> known->bit & 1) == 0))
		ereport(ERROR,
				(errcode(ERRCODE_TP_PURPOSE_NOT_GRANTED),
				 errmsg("the purpose is not granted to department \"%s\"", department->code),
				 errdetail("A department asks for the purposes it was registered with.")));
	return department;
}

static int64
audit(const Check *check, const Department *department, const char *event_name)
{
	AuditEvent	event;

	memset(&event, 0, sizeof(event));
	event.event = event_name;
	event.department = department->code;
	event.holder_id = check->asked_about;
	if (check->has_no)
	{
		CredentialParts parts;

		event.credential_no = &check->no;
		if (check->has_row)
		{
			credential_no_unpack(&check->no, &parts);
			event.holder_id = (int64) parts.holder_id;
		}
	}
	event.purpose = check->purpose;
	event.verdict = verdict_labels[check->verdict];
	return audit_write(&event);
}

static void
judge_permit(Check *check, const text *presented, const char *purpose)
{
	check_init(check, CREDENTIAL_PERMIT, purpose, clock_unix());
	if (is_border(purpose))
		check->verdict = VERDICT_OUT_OF_SCOPE;
	else if (presented != NULL)
		judge_online(check, presented);
}

/*
 * Audit a question, asked with these arguments and the purpose, unless it was the last of this
 * statement and the answer is the same.
 */
static int64
audit_once(const Check *check, const Department *department, const char *event_name,
		   const text *first, const text *second, const text *third)
{
	static Repeat last;
	const text *parts[] = {first, second, third,
		check->purpose != NULL ? cstring_to_text(check->purpose) : NULL,
		cstring_to_text(event_name), cstring_to_text(verdict_labels[check->verdict])};
	uint8		digest[REPEAT_DIGEST_BYTES];

	repeat_digest(digest, parts, lengthof(parts));
	if (!repeat_is(&last, digest))
		repeat_note(&last, digest, audit(check, department, event_name));
	return last.audit_id;
}

/* verify_permit(presented text, purpose text) → verification */
Datum
epermit_verify_permit(PG_FUNCTION_ARGS)
{
	text	   *presented = PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0);
	char	   *purpose = text_argument(fcinfo, 1);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext spi;
	const Department *department = asking_department(purpose);
	Check		check;
	int64		audit_id;
	Datum		result;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	judge_permit(&check, presented, purpose);
	audit_id = audit_once(&check, department, "verify_permit", presented, NULL, NULL);

	spi = MemoryContextSwitchTo(caller);
	result = answer_datum(fcinfo, &check, department->disclosure, audit_id);
	MemoryContextSwitchTo(spi);
	SPI_finish();
	return result;
}

/* verify_permits(presented text[], purpose text) → SETOF verification, in the order given */
Datum
epermit_verify_permits(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *purpose = text_argument(fcinfo, 1);
	MemoryContext each;
	const Department *department = asking_department(purpose);
	Datum	   *presented;
	bool	   *absent;
	int			n = 0;
	int			i;

	InitMaterializedSRF(fcinfo, 0);
	if (!PG_ARGISNULL(0))
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT,
						  &presented, &absent, &n);

	each = AllocSetContextCreate(CurrentMemoryContext, "epermit verification",
								 ALLOCSET_DEFAULT_SIZES);
	for (i = 0; i < n; i++)
	{
		MemoryContext outer = MemoryContextSwitchTo(each);
		Check		check;
		Answer		answer;
		int64		audit_id;

		CHECK_FOR_INTERRUPTS();
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		judge_permit(&check, absent[i] ? NULL : DatumGetTextPP(presented[i]), purpose);
		audit_id = audit(&check, department, "verify_permit");
		answer_check(&check, department->disclosure, audit_id, &answer);
		tuplestore_putvalues(result->setResult, result->setDesc, answer.values, answer.nulls);
		SPI_finish();

		MemoryContextSwitchTo(outer);
		MemoryContextReset(each);
	}
	MemoryContextDelete(each);
	return (Datum) 0;
}

/* Both functions that ask whether two documents are linked; presented NULL: no token at hand. */
static Datum
verify_documents(FunctionCallInfo fcinfo, bool by_documents, const text *presented,
				 const text *travel, const text *residence, char *purpose)
{
	MemoryContext caller = CurrentMemoryContext;
	uint64		travel_no = 0;
	uint64		residence_no = 0;
	const Department *department = asking_department(purpose);
	Check		check;
	int64		audit_id;
	Datum		result;

	check_init(&check, CREDENTIAL_LINKAGE, purpose, clock_unix());
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");

	if (is_border(purpose))
		check.verdict = VERDICT_OUT_OF_SCOPE;
	else if (!parse_documents(travel, residence, &travel_no, &residence_no))
		check.verdict = VERDICT_MALFORMED;
	else if (by_documents)
	{
		Datum		args[2] = {NumberGetDatum(travel_no), NumberGetDatum(residence_no)};

		if (plan_execute(&current_linkage, args, NULL, PLAN_LATEST) == 0)
		{
			check.verdict = VERDICT_NOT_LINKED;
			check.asked_about = find_asked_about(travel_no);
		}
		else
		{
			check.has_no = true;
			check.no = *DatumGetCredentialNo(plan_value(0, 1, NULL));
			judge_number(&check);
		}
	}
	else if (presented != NULL)
	{
		judge_online(&check, presented);

		/* Whoever does not name both documents learns nothing of the result, not even its end. */
		if (check.has_row &&
			(check.travel_permit_no != travel_no || check.residence_permit_no != residence_no))
		{
			check.verdict = VERDICT_NOT_LINKED;
			check.genuine = false;
		}
	}

	audit_id = audit_once(&check, department, by_documents ? "documents_linked" : "verify_linkage",
						  presented, travel, residence);
	MemoryContextSwitchTo(caller);
	result = answer_datum(fcinfo, &check, department->disclosure, audit_id);
	SPI_finish();
	return result;
}

/* verify_linkage(presented, travel_permit_no, residence_permit_no, purpose text) → verification */
Datum
epermit_verify_linkage(PG_FUNCTION_ARGS)
{
	return verify_documents(fcinfo, false,
							PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0),
							PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1),
							PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2),
							text_argument(fcinfo, 3));
}

/* documents_linked(travel_permit_no, residence_permit_no, purpose text) → verification */
Datum
epermit_documents_linked(PG_FUNCTION_ARGS)
{
	return verify_documents(fcinfo, true, NULL,
							PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0),
							PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1),
							text_argument(fcinfo, 2));
}

/* ---------------------------------------------------------------- offline: public keys only */

static int64
instant_argument(FunctionCallInfo fcinfo, int i)
{
	TimestampTz at;

	if (PG_ARGISNULL(i))
		return clock_unix();
	at = PG_GETARG_TIMESTAMPTZ(i);
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"at\" must be finite")));
	return timestamptz_to_unix(at);
}

/* verify_offline(presented text, purpose text, at timestamptz) → verification */
Datum
epermit_verify_offline(PG_FUNCTION_ARGS)
{
	Check		check;

	check_init(&check, CREDENTIAL_PERMIT, text_argument(fcinfo, 1), instant_argument(fcinfo, 2));
	if (is_border(check.purpose))
		check.verdict = VERDICT_OUT_OF_SCOPE;
	else if (!PG_ARGISNULL(0))
		judge_offline(&check, PG_GETARG_TEXT_PP(0));
	return answer_datum(fcinfo, &check, DISCLOSE_ALL, -1);
}

/* Do these two numbers and this birth date give the commitment that was signed? */
static bool
commitment_holds(const LinkageClaims *claims, uint64 travel_no, uint64 residence_no,
				 DateADT birth_date)
{
	uint8		commitment[COMMITMENT_BYTES];
	char		travel[TRAVEL_PERMIT_NO_MAX + 1];
	char		residence[RESIDENCE_PERMIT_NO_LEN + 1];

	travel_permit_format(travel_no, travel);
	residence_permit_format(residence_no, residence);
	linkage_commitment(claims->salt, travel, residence,
					   birth_date_string(date_to_unix_days(birth_date)), commitment);
	return memcmp(commitment, claims->commitment, COMMITMENT_BYTES) == 0;
}

/*
 * verify_linkage_offline(presented, travel_permit_no, residence_permit_no text,
 *						  birth_date date, purpose text, at timestamptz) → verification
 */
Datum
epermit_verify_linkage_offline(PG_FUNCTION_ARGS)
{
	text	   *travel = PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1);
	text	   *residence = PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2);
	DateADT		birth_date = PG_ARGISNULL(3) ? DATEVAL_NOBEGIN : PG_GETARG_DATEADT(3);
	uint64		travel_no;
	uint64		residence_no;
	Check		check;

	check_init(&check, CREDENTIAL_LINKAGE, text_argument(fcinfo, 4), instant_argument(fcinfo, 5));
	if (is_border(check.purpose))
		check.verdict = VERDICT_OUT_OF_SCOPE;
	else if (!PG_ARGISNULL(0) && !DATE_NOT_FINITE(birth_date) &&
			 parse_documents(travel, residence, &travel_no, &residence_no))
	{
		judge_offline(&check, PG_GETARG_TEXT_PP(0));
		if (check.genuine &&
			!commitment_holds(&check.claims.u.linkage, travel_no, residence_no, birth_date))
		{
			check.verdict = VERDICT_NOT_LINKED;
			check.genuine = false;
		}
	}
	return answer_datum(fcinfo, &check, DISCLOSE_ALL, -1);
}
