/*
 * compat.h
 *		The only place that knows PG_VERSION_NUM.
 *
 * Bodies are written for the newest PostgreSQL; what older ones lack is
 * emulated here.  Every glue file includes this right after postgres.h.
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

#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
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
