/*
 * plan.h
 *		SPI statements that are prepared once per backend and kept.
 *
 * A statement's text is constant and schema-qualified, its parameters are typed by
 * name.  Callers hold an SPI connection; what a statement returns lives until
 * SPI_finish() or the next statement.
 */
#ifndef EPERMIT_PLAN_H
#define EPERMIT_PLAN_H

#include "compat.h"

#include "executor/spi.h"

#define PLAN_MAX_ARGS 20

typedef struct KeptPlan
{
	const char *sql;
	const char *argtypes[PLAN_MAX_ARGS];	/* SQL type names, NULL after the last */
	SPIPlanPtr	prepared;		/* plan.c's from here on */
	Oid			token_type;
} KeptPlan;

/* Which rows a statement sees. */
typedef enum PlanSnapshot
{
	/*
	 * What is committed at this moment and what this transaction wrote, in every isolation
	 * level, as foreign-key triggers see it: for whatever decides.
	 */
	PLAN_LATEST,
	PLAN_WRITE,					/* the session's own snapshot: for INSERT */
	PLAN_PARALLEL				/* the active snapshot, read-only: safe in parallel workers */
} PlanSnapshot;

/* Returns the number of rows; a failure is an error.  nulls as for SPI_execute_plan(), or NULL. */
extern uint64 plan_execute(KeptPlan *plan, const Datum *values, const char *nulls,
						   PlanSnapshot snapshot);

/* Column col (from 1) of row (from 0) of the last result; isnull is NULL where no NULL can be. */
extern Datum plan_value(uint64 row, int col, bool *isnull);
extern char *plan_string(uint64 row, int col);	/* text form, palloc'ed; NULL for NULL */

#endif							/* EPERMIT_PLAN_H */
