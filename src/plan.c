/*
 * plan.c
 *		SPI statements that are prepared once per backend and kept.
 *
 * The oids of the extension's types are baked into a prepared statement, so one that
 * was prepared before DROP EXTENSION and CREATE EXTENSION is thrown away.  The oid of one of them
 * tells; the schema's does not, since DROP EXTENSION leaves a schema.
 */
#include "compat.h"

#include "jit/jit.h"
#include "optimizer/cost.h"
#include "parser/parse_type.h"
#include "plan.h"
#include "types.h"
#include "utils/plancache.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

static void
plan_prepare(KeptPlan *plan, Oid token_type)
{
	Oid			types[PLAN_MAX_ARGS];
	SPIPlanPtr	prepared;
	int			nargs;

	if (plan->prepared != NULL)
	{
		SPI_freeplan(plan->prepared);
		plan->prepared = NULL;
	}

	for (nargs = 0; nargs < PLAN_MAX_ARGS && plan->argtypes[nargs] != NULL; nargs++)
	{
		int32		typmod;

		parseTypeString(plan->argtypes[nargs], &types[nargs], &typmod, false);
	}

	/* Lookups by key all: planning anew for each value would cost as much as running. */
	prepared = SPI_prepare_cursor(plan->sql, nargs, types, CURSOR_OPT_GENERIC_PLAN);
	if (prepared == NULL || SPI_keepplan(prepared) != 0)
		elog(ERROR, "could not prepare \"%s\": %s", plan->sql, SPI_result_code_string(SPI_result));
	plan->prepared = prepared;
	plan->token_type = token_type;
}

/*
 * Plan, or plan anew, where there is no valid plan.  A table may be all but empty when that
 * happens and hold the rush of a first day when the plan is used, so that reading all of it is
 * never the choice: the statement's values are keys.  Nor is it ever worth compiling.
 */
static void
plan_make(KeptPlan *plan)
{
	const bool	saved_seqscan = enable_seqscan;
	const bool	saved_jit = jit_enabled;
	CachedPlan *cached = NULL;

	PG_TRY();
	{
		enable_seqscan = false;
		jit_enabled = false;
		cached = SPI_plan_get_cached_plan(plan->prepared);
	}
	PG_FINALLY();
	{
		enable_seqscan = saved_seqscan;
		jit_enabled = saved_jit;
	}
	PG_END_TRY();

	if (cached != NULL)
		ReleaseCachedPlan(cached, CurrentResourceOwner);
}

uint64
plan_execute(KeptPlan *plan, const Datum *values, const char *nulls, PlanSnapshot snapshot)
{
	Oid			token_type = type_oid("token");
	int			code = 0;

	if (plan->prepared == NULL || plan->token_type != token_type)
		plan_prepare(plan, token_type);
	plan_make(plan);

	switch (snapshot)
	{
		case PLAN_LATEST:
			code = SPI_execute_snapshot(plan->prepared, (Datum *) values, nulls,
										GetLatestSnapshot(), InvalidSnapshot, false, true, 0);
			break;
		case PLAN_WRITE:
			code = SPI_execute_plan(plan->prepared, (Datum *) values, nulls, false, 0);
			break;
		case PLAN_PARALLEL:
			code = SPI_execute_plan(plan->prepared, (Datum *) values, nulls, true, 0);
			break;
	}
	if (code < 0)
		elog(ERROR, "could not execute \"%s\": %s", plan->sql, SPI_result_code_string(code));
	return SPI_processed;
}

Datum
plan_value(uint64 row, int col, bool *isnull)
{
	bool		null;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, col, &null);

	if (isnull != NULL)
		*isnull = null;
	else if (null)
		elog(ERROR, "unexpected NULL in column %d", col);
	return value;
}

char *
plan_string(uint64 row, int col)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, col);
}
