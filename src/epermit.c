/*
 * epermit.c
 *		Module magic, start-up and settings; nothing else.
 */
#include "compat.h"

#include <sodium.h>

#include "audit.h"
#include "keys.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	if (sodium_init() < 0)
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("libsodium could not be initialised")));

	keys_define_settings();
	audit_define_settings();
	MarkGUCPrefixReserved("epermit");
}
