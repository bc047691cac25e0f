/*
 * compat.h
 *		The only place that knows PG_VERSION_NUM.
 *
 * Bodies are written for the newest PostgreSQL; what older ones lack is
 * emulated here.  Every glue file includes this first: it brings postgres.h along.
 */
#ifndef EPERMIT_COMPAT_H
#define EPERMIT_COMPAT_H

#include "postgres.h"

#include "fmgr.h"

#if PG_VERSION_NUM < 140000
#error "epermit needs PostgreSQL 14 or later"
#endif

#ifndef pg_noreturn				/* before 18 */
#define pg_noreturn _Noreturn
#endif

/* Everything is hidden (-fvisibility=hidden) but what PostgreSQL looks up by name. */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

/* GetLatestXTime() */
#if PG_VERSION_NUM >= 150000
#include "access/xlogrecovery.h"
#else
#include "access/xlog.h"
#endif

/* VARDATA() and its kin */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#if PG_VERSION_NUM < 150000
#include "funcapi.h"
#include "miscadmin.h"

#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)

/* Without flags, which is all that is asked for here. */
static inline void
InitMaterializedSRF(FunctionCallInfo fcinfo, bits32 flags pg_attribute_unused())
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;

	if (result == NULL || !IsA(result, ReturnSetInfo) ||
		(result->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));

	old = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &result->setDesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	result->setResult = tuplestore_begin_heap((result->allowedModes & SFRM_Materialize_Random) != 0,
											  false, work_mem);
	result->returnMode = SFRM_Materialize;
	MemoryContextSwitchTo(old);
}
#endif

/* Input functions report bad literals softly where PostgreSQL can take it. */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#else
#define ereturn(context, dummy_value, ...) \
	do { \
		(void) (context); \
		(void) (dummy_value); \
		ereport(ERROR, __VA_ARGS__); \
	} while (0)
#endif

#endif							/* EPERMIT_COMPAT_H */
