/*
 * credential_no_type.c
 *		The SQL type credential_no: 12 bytes that route themselves.
 *
 * Passed by reference, char-aligned; compared as bytes, which is the order
 * (kind, holder, month, slot).  Every 12 bytes are a credential number, so recv has
 * nothing to refuse but a wrong length.
 */
#include "compat.h"

#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "utils/date.h"

#include "credential.h"
#include "types.h"

/* Longest literal looked at: a printed number, with room for separators. */
#define LITERAL_MAX 128

static int
compare(FunctionCallInfo fcinfo)
{
	return memcmp(PG_GETARG_CREDENTIAL_NO(0), PG_GETARG_CREDENTIAL_NO(1), CREDENTIAL_NO_BYTES);
}

static CredentialParts
parts_of_argument(FunctionCallInfo fcinfo)
{
	CredentialParts parts;

	credential_no_unpack(PG_GETARG_CREDENTIAL_NO(0), &parts);
	return parts;
}

/* ---------------------------------------------------------------- input and output */

PGDLLEXPORT Datum epermit_credential_no_in(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_no_out(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_no_recv(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_no_send(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(epermit_credential_no_in);
Datum
epermit_credential_no_in(PG_FUNCTION_ARGS)
{
	const char *literal = PG_GETARG_CSTRING(0);
	size_t		len = strlen(literal);
	CredentialNo *no = palloc(sizeof(CredentialNo));
	CredentialNoResult result = CREDENTIAL_NO_MALFORMED;

	if (len <= LITERAL_MAX)
		result = credential_no_parse(literal, len, no);
	if (result == CREDENTIAL_NO_OK)
		PG_RETURN_DATUM(CredentialNoGetDatum(no));

	ereturn(fcinfo->context, (Datum) 0,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type credential_no"),
			 result == CREDENTIAL_NO_MISTYPED ?
			 errdetail("Rule check_digit: a character is wrong, missing or one too many.") :
			 errdetail("Rule prefix: the number is T or L and 20 letters and digits, in groups of five.")));
}

PG_FUNCTION_INFO_V1(epermit_credential_no_out);
Datum
epermit_credential_no_out(PG_FUNCTION_ARGS)
{
	char	   *text = palloc(CREDENTIAL_NO_TEXT + 1);

	credential_no_format(PG_GETARG_CREDENTIAL_NO(0), text);
	PG_RETURN_CSTRING(text);
}

PG_FUNCTION_INFO_V1(epermit_credential_no_recv);
Datum
epermit_credential_no_recv(PG_FUNCTION_ARGS)
{
	CredentialNo *no = palloc(sizeof(CredentialNo));

	pq_copymsgbytes((StringInfo) PG_GETARG_POINTER(0), (char *) no->bytes, CREDENTIAL_NO_BYTES);
	PG_RETURN_DATUM(CredentialNoGetDatum(no));
}

PG_FUNCTION_INFO_V1(epermit_credential_no_send);
Datum
epermit_credential_no_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbytes(&buf, (const char *) PG_GETARG_CREDENTIAL_NO(0)->bytes, CREDENTIAL_NO_BYTES);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* ---------------------------------------------------------------- operator classes */

PGDLLEXPORT Datum epermit_credential_no_eq(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_no_ne(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_no_lt(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_no_le(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_no_ge(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_no_gt(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_no_cmp(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_no_hash(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_no_hash_extended(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(epermit_credential_no_eq);
Datum
epermit_credential_no_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) == 0);
}

PG_FUNCTION_INFO_V1(epermit_credential_no_ne);
Datum
epermit_credential_no_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) != 0);
}

PG_FUNCTION_INFO_V1(epermit_credential_no_lt);
Datum
epermit_credential_no_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) < 0);
}

PG_FUNCTION_INFO_V1(epermit_credential_no_le);
Datum
epermit_credential_no_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) <= 0);
}

PG_FUNCTION_INFO_V1(epermit_credential_no_ge);
Datum
epermit_credential_no_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) >= 0);
}

PG_FUNCTION_INFO_V1(epermit_credential_no_gt);
Datum
epermit_credential_no_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) > 0);
}

PG_FUNCTION_INFO_V1(epermit_credential_no_cmp);
Datum
epermit_credential_no_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(fcinfo));
}

PG_FUNCTION_INFO_V1(epermit_credential_no_hash);
Datum
epermit_credential_no_hash(PG_FUNCTION_ARGS)
{
	return hash_any(PG_GETARG_CREDENTIAL_NO(0)->bytes, CREDENTIAL_NO_BYTES);
}

PG_FUNCTION_INFO_V1(epermit_credential_no_hash_extended);
Datum
epermit_credential_no_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_any_extended(PG_GETARG_CREDENTIAL_NO(0)->bytes, CREDENTIAL_NO_BYTES,
							 (uint64) PG_GETARG_INT64(1));
}

/* ---------------------------------------------------------------- accessors */

PGDLLEXPORT Datum epermit_credential_no_is_permit(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_no_holder_id(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_no_quota_month(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_credential_no_quota_slot(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(epermit_credential_no_is_permit);
Datum
epermit_credential_no_is_permit(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(parts_of_argument(fcinfo).is_permit);
}

PG_FUNCTION_INFO_V1(epermit_credential_no_holder_id);
Datum
epermit_credential_no_holder_id(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) parts_of_argument(fcinfo).holder_id);
}

PG_FUNCTION_INFO_V1(epermit_credential_no_quota_month);
Datum
epermit_credential_no_quota_month(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATEADT(unix_days_to_date(month_first_day(parts_of_argument(fcinfo).month)));
}

PG_FUNCTION_INFO_V1(epermit_credential_no_quota_slot);
Datum
epermit_credential_no_quota_slot(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(parts_of_argument(fcinfo).slot);
}
