/*
 * number_types.c
 *		The SQL types travel_permit_no, residence_permit_no and mobile_no.
 *
 * Each is a 64-bit integer passed by value that core/number.h packs and unpacks;
 * its order is that of the text, so the operator classes are int8's.  The three
 * differ by a NumberType; what they have in common is written once.  A literal may be
 * personal data: no message repeats it.  Nothing here reads the clock.
 */
#include "compat.h"

#include "common/string.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"

#include "text.h"
#include "types.h"

/* Longest literal looked at, in bytes: the longest number in full width, and some separators. */
#define LITERAL_MAX 128

#define NUMBER_TEXT_MAX RESIDENCE_PERMIT_NO_LEN

typedef struct NumberType
{
	const char *name;
	/* *right gets the check character that would be right, on RULE_CHECK_DIGIT */
	NumberRule	(*parse) (const char *text, size_t len, uint64_t *no, char *right);
	size_t		(*format) (uint64_t no, char *out);
	size_t		(*mask) (uint64_t no, char *out);
	bool		(*valid) (uint64_t no);
	const char *details[RULE_CHECK_DIGIT];	/* by rule, but for the check digit */
} NumberType;

static NumberRule
parse_travel_permit(const char *text, size_t len, uint64_t *no, char *right)
{
	(void) right;
	return travel_permit_parse(text, len, no, NULL);
}

static NumberRule
parse_mobile(const char *text, size_t len, uint64_t *no, char *right)
{
	(void) right;
	return mobile_parse(text, len, no);
}

static const NumberType travel_permit_no = {
	.name = "travel_permit_no",
	.parse = parse_travel_permit,
	.format = travel_permit_format,
	.mask = travel_permit_mask,
	.valid = travel_permit_valid,
	.details = {
		[RULE_LENGTH] = "a travel permit number is 8 digits, H or M and 8 digits, or HA or MA and 7 digits",
		[RULE_PREFIX] = "a travel permit number starts with H, M, HA, MA or a digit",
		[RULE_CHARSET] = "after its letters a travel permit number has digits only"
	}
};

static const NumberType residence_permit_no = {
	.name = "residence_permit_no",
	.parse = residence_permit_parse,
	.format = residence_permit_format,
	.mask = residence_permit_mask,
	.valid = residence_permit_valid,
	.details = {
		[RULE_LENGTH] = "a residence permit number has 18 characters",
		[RULE_CHARSET] = "a residence permit number has 17 digits, then a digit or X",
		[RULE_REGION_CODE] = "the first six characters should be 810000, 820000 or 830000",
		[RULE_BIRTH_DATE] = "characters 7 to 14 should be a date of the calendar, YYYYMMDD",
		[RULE_SEQUENCE] = "characters 15 to 17 should be digits"
	}
};

static const NumberType mobile_no = {
	.name = "mobile_no",
	.parse = parse_mobile,
	.format = mobile_format,
	.mask = mobile_mask,
	.valid = mobile_valid,
	.details = {
		[RULE_LENGTH] = "a mainland mobile number has 11 digits",
		[RULE_PREFIX] = "a mainland mobile number starts with 13 to 19, after +86 or 0086 where that is given",
		[RULE_CHARSET] = "a mainland mobile number has digits, and spaces or hyphens between them"
	}
};

static Datum
number_in(FunctionCallInfo fcinfo, const NumberType *type)
{
	const char *literal = PG_GETARG_CSTRING(0);
	size_t		len = strlen(literal);
	NumberRule	rule;
	uint64_t	no = 0;
	char		right = '\0';

	if (len > LITERAL_MAX)
		rule = RULE_LENGTH;
	else
	{
		/* Full-width digits come from Chinese input methods. */
		if (!pg_is_ascii(literal))
		{
			literal = text_normalise(literal, len);
			len = literal != NULL ? strlen(literal) : 0;
		}
		rule = literal != NULL ? type->parse(literal, len, &no, &right) : RULE_CHARSET;
	}

	if (rule == RULE_OK)
		PG_RETURN_NUMBER(no);

	ereturn(fcinfo->context, (Datum) 0,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s", type->name),
			 rule == RULE_CHECK_DIGIT ?
			 errdetail("Rule %s: the last character should be %c.", rule_name(rule), right) :
			 errdetail("Rule %s: %s.", rule_name(rule), type->details[rule])));
}

static Datum
number_out(FunctionCallInfo fcinfo, const NumberType *type)
{
	char	   *text = palloc(NUMBER_TEXT_MAX + 1);

	type->format(PG_GETARG_NUMBER(0), text);
	PG_RETURN_CSTRING(text);
}

static Datum
number_recv(FunctionCallInfo fcinfo, const NumberType *type)
{
	uint64		no = (uint64) pq_getmsgint64((StringInfo) PG_GETARG_POINTER(0));

	if (!type->valid(no))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary representation of type %s", type->name)));
	PG_RETURN_NUMBER(no);
}

static Datum
number_masked(FunctionCallInfo fcinfo, const NumberType *type)
{
	char		text[NUMBER_TEXT_MAX + 1];
	size_t		len = type->mask(PG_GETARG_NUMBER(0), text);

	PG_RETURN_TEXT_P(cstring_to_text_with_len(text, (int) len));
}

/* ---------------------------------------------------------------- travel_permit_no */

PGDLLEXPORT Datum epermit_travel_permit_no_in(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_travel_permit_no_out(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_travel_permit_no_recv(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_travel_permit_no_masked(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_travel_permit_no_region(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_travel_permit_no_kind(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_travel_permit_no_holder_bucket(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(epermit_travel_permit_no_in);
Datum
epermit_travel_permit_no_in(PG_FUNCTION_ARGS)
{
	return number_in(fcinfo, &travel_permit_no);
}

PG_FUNCTION_INFO_V1(epermit_travel_permit_no_out);
Datum
epermit_travel_permit_no_out(PG_FUNCTION_ARGS)
{
	return number_out(fcinfo, &travel_permit_no);
}

PG_FUNCTION_INFO_V1(epermit_travel_permit_no_recv);
Datum
epermit_travel_permit_no_recv(PG_FUNCTION_ARGS)
{
	return number_recv(fcinfo, &travel_permit_no);
}

PG_FUNCTION_INFO_V1(epermit_travel_permit_no_masked);
Datum
epermit_travel_permit_no_masked(PG_FUNCTION_ARGS)
{
	return number_masked(fcinfo, &travel_permit_no);
}

PG_FUNCTION_INFO_V1(epermit_travel_permit_no_region);
Datum
epermit_travel_permit_no_region(PG_FUNCTION_ARGS)
{
	Region		region = travel_permit_region(PG_GETARG_NUMBER(0));

	PG_RETURN_DATUM(enum_datum("region", region_labels[region]));
}

PG_FUNCTION_INFO_V1(epermit_travel_permit_no_kind);
Datum
epermit_travel_permit_no_kind(PG_FUNCTION_ARGS)
{
	DocumentKind kind = travel_permit_kind(PG_GETARG_NUMBER(0));

	PG_RETURN_DATUM(enum_datum("document_kind", document_kind_labels[kind]));
}

PG_FUNCTION_INFO_V1(epermit_travel_permit_no_holder_bucket);
Datum
epermit_travel_permit_no_holder_bucket(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(travel_permit_bucket(PG_GETARG_NUMBER(0)));
}

/* ---------------------------------------------------------------- residence_permit_no */

PGDLLEXPORT Datum epermit_residence_permit_no_in(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_residence_permit_no_out(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_residence_permit_no_recv(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_residence_permit_no_masked(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_residence_permit_no_region(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_residence_permit_no_sex(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_residence_permit_no_birth_date(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(epermit_residence_permit_no_in);
Datum
epermit_residence_permit_no_in(PG_FUNCTION_ARGS)
{
	return number_in(fcinfo, &residence_permit_no);
}

PG_FUNCTION_INFO_V1(epermit_residence_permit_no_out);
Datum
epermit_residence_permit_no_out(PG_FUNCTION_ARGS)
{
	return number_out(fcinfo, &residence_permit_no);
}

PG_FUNCTION_INFO_V1(epermit_residence_permit_no_recv);
Datum
epermit_residence_permit_no_recv(PG_FUNCTION_ARGS)
{
	return number_recv(fcinfo, &residence_permit_no);
}

PG_FUNCTION_INFO_V1(epermit_residence_permit_no_masked);
Datum
epermit_residence_permit_no_masked(PG_FUNCTION_ARGS)
{
	return number_masked(fcinfo, &residence_permit_no);
}

PG_FUNCTION_INFO_V1(epermit_residence_permit_no_region);
Datum
epermit_residence_permit_no_region(PG_FUNCTION_ARGS)
{
	Region		region = residence_permit_region(PG_GETARG_NUMBER(0));

	PG_RETURN_DATUM(enum_datum("region", region_labels[region]));
}

PG_FUNCTION_INFO_V1(epermit_residence_permit_no_sex);
Datum
epermit_residence_permit_no_sex(PG_FUNCTION_ARGS)
{
	Sex			sex = residence_permit_sex(PG_GETARG_NUMBER(0));

	PG_RETURN_DATUM(enum_datum("sex", sex_labels[sex]));
}

PG_FUNCTION_INFO_V1(epermit_residence_permit_no_birth_date);
Datum
epermit_residence_permit_no_birth_date(PG_FUNCTION_ARGS)
{
	int			year,
				month,
				day;

	residence_permit_birth_date(PG_GETARG_NUMBER(0), &year, &month, &day);
	PG_RETURN_DATEADT(date2j(year, month, day) - POSTGRES_EPOCH_JDATE);
}

/* ---------------------------------------------------------------- mobile_no */

PGDLLEXPORT Datum epermit_mobile_no_in(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_mobile_no_out(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_mobile_no_recv(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_mobile_no_masked(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(epermit_mobile_no_in);
Datum
epermit_mobile_no_in(PG_FUNCTION_ARGS)
{
	return number_in(fcinfo, &mobile_no);
}

PG_FUNCTION_INFO_V1(epermit_mobile_no_out);
Datum
epermit_mobile_no_out(PG_FUNCTION_ARGS)
{
	return number_out(fcinfo, &mobile_no);
}

PG_FUNCTION_INFO_V1(epermit_mobile_no_recv);
Datum
epermit_mobile_no_recv(PG_FUNCTION_ARGS)
{
	return number_recv(fcinfo, &mobile_no);
}

PG_FUNCTION_INFO_V1(epermit_mobile_no_masked);
Datum
epermit_mobile_no_masked(PG_FUNCTION_ARGS)
{
	return number_masked(fcinfo, &mobile_no);
}

uint64
travel_permit_no_from_text(const text *number)
{
	return DatumGetNumber(DirectFunctionCall1(epermit_travel_permit_no_in,
											  CStringGetDatum(text_to_cstring(number))));
}
