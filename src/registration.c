/*
 * registration.c
 *		What the registry's triggers (38_registry.sql) cannot say in SQL.
 *
 * A name is personal data: an error tells the field and the rule, never the value.
 */
#include "compat.h"

#include "core/name.h"
#include "core/number.h"
#include "text.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(epermit_clean_name);
PG_FUNCTION_INFO_V1(epermit_issue_count);

PGDLLEXPORT Datum epermit_clean_name(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_issue_count(PG_FUNCTION_ARGS);

static const char *const name_details[] = {
	[NAME_EMPTY] = "Rule missing: a name has at least one character.",
	[NAME_LENGTH] = "Rule length: a Chinese name has at most 50 characters, a romanised one 120.",
	[NAME_CHARSET] = "Rule charset: question marks, control, zero-width and replacement characters"
	" are not part of a name."
};

/* clean_name(field text, value text, max_chars int) -> text; value in NFC. */
Datum
epermit_clean_name(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(1);
	size_t		len = VARSIZE_ANY_EXHDR(value);
	text	   *cleaned = palloc(VARHDRSZ + len);
	size_t		cleaned_len;
	NameRule	rule = name_clean(VARDATA_ANY(value), len, PG_GETARG_INT32(2),
								  VARDATA(cleaned), &cleaned_len);

	if (rule != NAME_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for field \"%s\"",
						text_to_cstring(PG_GETARG_TEXT_PP(0))),
				 errdetail("%s", name_details[rule])));
	SET_VARSIZE(cleaned, VARHDRSZ + cleaned_len);
	PG_RETURN_TEXT_P(cleaned);
}

/* issue_count(travel_permit_no text) -> smallint; NULL where the text has none. */
Datum
epermit_issue_count(PG_FUNCTION_ARGS)
{
	text	   *literal = PG_GETARG_TEXT_PP(0);
	char	   *number = text_normalise(VARDATA_ANY(literal), VARSIZE_ANY_EXHDR(literal));
	uint64_t	no;
	int			count;

	if (number == NULL || travel_permit_parse(number, strlen(number), &no, &count) != RULE_OK ||
		count < 0)
		PG_RETURN_NULL();
	PG_RETURN_INT16((int16) count);
}
