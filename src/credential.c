/*
 * credential.c
 *		What permits and linkage results have in common.
 *
 * Both are rows that hold their signed token, numbered by holder, month and slot.
 * The trigger (credential_trigger.c), issuing (issue.c) and verification (verify.c) stand on this.
 */
#include "compat.h"

#include "core/calendar.h"
#include "credential.h"
#include "plan.h"
#include "utils/timestamp.h"

#define UNIX_EPOCH_DAYS (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)
#define UNIX_EPOCH_SECONDS ((int64) UNIX_EPOCH_DAYS * SECS_PER_DAY)

const char *const verdict_labels[] = {
	"valid", "malformed", "unknown_key", "bad_signature", "not_yet_valid", "expired",
	"revoked", "suspended", "out_of_scope", "not_found", "mistyped", "not_linked",
	"key_compromised", "undetermined"
};

bool		credential_caller_audits = false;

static KeptPlan lock_holder = {
	.sql = "SELECT 1 FROM epermit.holder h WHERE h.holder_id OPERATOR(pg_catalog.=) $1"
	" FOR NO KEY UPDATE",
	.argtypes = {"pg_catalog.int8"}
};

static KeptPlan permit_slots = {
	.sql = "SELECT p.quota_slot::pg_catalog.int4 FROM epermit.permit p"
	" WHERE p.holder_id OPERATOR(pg_catalog.=) $1 AND p.quota_month OPERATOR(pg_catalog.=) $2",
	.argtypes = {"pg_catalog.int8", "pg_catalog.date"}
};

static KeptPlan linkage_slots = {
	.sql = "SELECT l.linkage_no OPERATOR(pg_catalog.&) 15 FROM epermit.linkage l"
	" WHERE l.holder_id OPERATOR(pg_catalog.=) $1"
	" AND l.linkage_no OPERATOR(pg_catalog.>=) $2"
	" AND l.linkage_no OPERATOR(pg_catalog.<) ($2 OPERATOR(pg_catalog.+) 16)",
	.argtypes = {"pg_catalog.int8", "pg_catalog.int4"}
};

KeyUsage
credential_key_usage(CredentialKind kind)
{
	return kind == CREDENTIAL_PERMIT ? KEY_PERMIT : KEY_LINKAGE;
}

CoseTyp
credential_typ(CredentialKind kind)
{
	return kind == CREDENTIAL_PERMIT ? COSE_TYP_NONE : COSE_TYP_LINKAGE;
}

Verdict
status_verdict(const char *status)
{
	if (status == NULL || strcmp(status, "valid") == 0)
		return VERDICT_VALID;
	return strcmp(status, "suspended") == 0 ? VERDICT_SUSPENDED : VERDICT_REVOKED;
}

int64
timestamptz_to_unix(TimestampTz t)
{
	int64		seconds = t / USECS_PER_SEC;

	if (t % USECS_PER_SEC < 0)
		seconds--;
	return seconds + UNIX_EPOCH_SECONDS;
}

TimestampTz
unix_to_timestamptz(int64 seconds)
{
	return (seconds - UNIX_EPOCH_SECONDS) * USECS_PER_SEC;
}

int32
date_to_unix_days(DateADT date)
{
	return date + UNIX_EPOCH_DAYS;
}

DateADT
unix_days_to_date(int32 days)
{
	return days - UNIX_EPOCH_DAYS;
}

int64
clock_unix(void)
{
	return timestamptz_to_unix(GetCurrentTimestamp());
}

char *
beijing_string(int64 instant)
{
	int32		day = beijing_day(instant);
	int			minute = (int) (instant - beijing_midnight(day)) / 60;
	int			year,
				month,
				mday;

	days_to_date(day, &year, &month, &mday);
	return psprintf("%04d-%02d-%02d %02d:%02d", year, month, mday, minute / 60, minute % 60);
}

char *
birth_date_string(int32 days)
{
	int			year,
				month,
				day;

	days_to_date(days, &year, &month, &day);
	return psprintf("%04d%02d%02d", year, month, day);
}

bool
credential_lock_holder(int64 holder_id)
{
	Datum		arg = Int64GetDatum(holder_id);

	return plan_execute(&lock_holder, &arg, NULL, PLAN_LATEST) > 0;
}

uint32
credential_taken_slots(CredentialKind kind, int64 holder_id, int month)
{
	Datum		args[2];
	uint32		taken = 0;
	uint64		rows,
				i;

	args[0] = Int64GetDatum(holder_id);
	if (kind == CREDENTIAL_PERMIT)
	{
		args[1] = DateADTGetDatum(unix_days_to_date(month_first_day(month)));
		rows = plan_execute(&permit_slots, args, NULL, PLAN_LATEST);
	}
	else
	{
		args[1] = Int32GetDatum(LINKAGE_NO(month, 0));
		rows = plan_execute(&linkage_slots, args, NULL, PLAN_LATEST);
	}

	for (i = 0; i < rows; i++)
		taken |= UINT32_C(1) << DatumGetInt32(plan_value(i, 1, NULL));
	return taken;
}

int
credential_free_slot(uint32 taken, int limit)
{
	int			slot;

	for (slot = 1; slot <= limit; slot++)
		if ((taken & (UINT32_C(1) << slot)) == 0)
			return slot;
	return 0;
}

bool
credential_claims(CredentialKind kind, const DecodedToken *token, CredentialClaims *out)
{
	if (token->cose.typ != credential_typ(kind))
		return false;

	out->kind = kind;
	if (kind == CREDENTIAL_PERMIT)
	{
		PermitClaims *permit = &out->u.permit;

		if (!permit_claims_read(token->cose.payload, permit))
			return false;
		out->exp = permit->exp;
		out->nbf = permit->nbf;
		out->iat = permit->iat;
		out->no = permit->cti;
		out->status = permit->status;
	}
	else
	{
		LinkageClaims *linkage = &out->u.linkage;

		if (!linkage_claims_read(token->cose.payload, linkage))
			return false;
		out->exp = linkage->exp;
		out->nbf = linkage->nbf;
		out->iat = linkage->iat;
		out->no = linkage->cti;
		out->status = linkage->status;
	}
	return true;
}

Verdict
credential_signature(CredentialKind kind, const DecodedToken *token)
{
	const SigningKey *key = keys_find(token->cose.kid);

	if (key == NULL || key->usage != credential_key_usage(kind))
		return VERDICT_UNKNOWN_KEY;
	if (!cose_sign1_verify(&token->cose, key->public_key))
		return VERDICT_BAD_SIGNATURE;
	return key->state == KEY_COMPROMISED ? VERDICT_KEY_COMPROMISED : VERDICT_VALID;
}
