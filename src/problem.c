/*
 * problem.c
 *		What is wrong with an application: every problem, by field and code.
 *
 * A problem is noted by its code while an application is checked; what people read
 * is looked up in problem_catalog at the end, all of a list in one query.
 * Every code that C adds has a row there, and every "%s" an argument: anything
 * else is a mistake of ours, not of the applicant.  application.c and registry.c note
 * problems, issue.c shows them.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "plan.h"
#include "problem.h"
#include "types.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/typcache.h"

/* Columns of epermit.problem. */
enum
{
	COLUMN_FIELD,
	COLUMN_CODE,
	COLUMN_MESSAGE,
	COLUMN_HINT,
	COLUMNS
};

/* Columns of the catalogue's query: texts in zh-Hant, zh-Hans and en, one after the other. */
#define CATALOG_MESSAGE	1
#define CATALOG_HINT	4
#define CATALOG_CODE	7

static void
add(ProblemList *list, const char *field, const char *code, const char *arg, bool hidden)
{
	Problem    *problem = palloc(sizeof(Problem));

	problem->field = pstrdup(field);
	problem->code = pstrdup(code);
	problem->arg = arg ? pstrdup(arg) : NULL;
	problem->hidden = hidden;
	list->problems = lappend(list->problems, problem);
}

void
problem_add(ProblemList *list, const char *field, const char *code, const char *arg)
{
	add(list, field, code, arg, false);
}

void
problem_add_hidden(ProblemList *list, const char *field, const char *code)
{
	add(list, field, code, NULL, true);
}

/* Append text with the argument in place.  Not printf: the text comes from a table. */
static void
append_filled(StringInfo out, const Problem *problem, const char *text)
{
	const char *place = strstr(text, "%s");

	if (place == NULL)
	{
		appendStringInfoString(out, text);
		return;
	}
	if (problem->arg == NULL)
		elog(ERROR, "problem \"%s\" needs an argument", problem->code);
	appendBinaryStringInfo(out, text, place - text);
	appendStringInfoString(out, problem->arg);
	appendStringInfoString(out, place + 2);
}

static ArrayType *
codes_array(List *problems)
{
	Datum	   *codes = palloc(Max(list_length(problems), 1) * sizeof(Datum));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, problems)
		codes[n++] = CStringGetTextDatum(((Problem *) lfirst(cell))->code);
	return construct_array(codes, n, TEXTOID, -1, false, TYPALIGN_INT);
}

/*
 * One text of the three that start at this column.  Where lang is
 * none of them, nobody knows what the reader reads: Traditional Chinese
 * and English, one line each.
 */
static Datum
text_datum(const Problem *problem, int row, int column, const char *lang)
{
	StringInfoData out;

	initStringInfo(&out);
	if (lang && strcmp(lang, "zh-Hans") == 0)
		append_filled(&out, problem, plan_string(row, column + 1));
	else if (lang && strcmp(lang, "en") == 0)
		append_filled(&out, problem, plan_string(row, column + 2));
	else
	{
		append_filled(&out, problem, plan_string(row, column));
		if (lang == NULL || strcmp(lang, "zh-Hant") != 0)
		{
			appendStringInfoChar(&out, '\n');
			append_filled(&out, problem, plan_string(row, column + 2));
		}
	}
	return PointerGetDatum(cstring_to_text_with_len(out.data, out.len));
}

/* An epermit.problem for each Problem of a non-empty list, in the current memory context. */
static Datum *
look_up(List *problems, const char *lang)
{
	static KeptPlan plan = {
		.sql = "SELECT c.message_zh_hant, c.message_zh_hans, c.message_en,"
		"       c.hint_zh_hant, c.hint_zh_hans, c.hint_en, c.code"
		"  FROM pg_catalog.unnest($1) WITH ORDINALITY AS u (code, n)"
		"  LEFT JOIN epermit.problem_catalog AS c ON c.code OPERATOR(pg_catalog.=) u.code"
		" ORDER BY u.n",
		.argtypes = {"pg_catalog.text[]"}
	};
	MemoryContext caller = CurrentMemoryContext;
	TupleDesc	tupdesc = lookup_rowtype_tupdesc_copy(type_oid("problem"), -1);
	Datum	   *result = palloc(list_length(problems) * sizeof(Datum));
	Datum		codes = PointerGetDatum(codes_array(problems));
	int			i;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan_execute(&plan, &codes, NULL, PLAN_PARALLEL);

	for (i = 0; i < list_length(problems); i++)
	{
		Problem    *problem = list_nth(problems, i);
		Datum		values[COLUMNS];
		bool		nulls[COLUMNS] = {false};
		MemoryContext spi;

		if (plan_string(i, CATALOG_CODE) == NULL)
			elog(ERROR, "problem \"%s\" is not in problem_catalog", problem->code);
		values[COLUMN_FIELD] = CStringGetTextDatum(problem->field);
		values[COLUMN_CODE] = CStringGetTextDatum(problem->code);
		values[COLUMN_MESSAGE] = text_datum(problem, i, CATALOG_MESSAGE, lang);
		values[COLUMN_HINT] = text_datum(problem, i, CATALOG_HINT, lang);

		spi = MemoryContextSwitchTo(caller);
		result[i] = HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls));
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	return result;
}

static List *
shown(const ProblemList *list)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, list->problems)
	{
		Problem    *problem = lfirst(cell);

		if (!problem->hidden)
			result = lappend(result, problem);
	}
	return result;
}

Datum
problems_array(const ProblemList *list, const char *lang)
{
	List	   *problems = shown(list);
	Oid			type = type_oid("problem");

	if (problems == NIL)
		return PointerGetDatum(construct_empty_array(type));
	return PointerGetDatum(construct_array(look_up(problems, lang), list_length(problems),
										   type, -1, false, TYPALIGN_DOUBLE));
}

Datum
problems_codes(const ProblemList *list)
{
	return PointerGetDatum(codes_array(list->problems));
}
