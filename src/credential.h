/*
 * credential.h
 *		What the credential trigger and its callers share.
 */
#ifndef EPERMIT_CREDENTIAL_H
#define EPERMIT_CREDENTIAL_H

#include "postgres.h"

#include "core/credential_no.h"
#include "datatype/timestamp.h"

/* SQLSTATEs of class TP; see the README's table. */
#define ERRCODE_TP_QUOTA_EXCEEDED		MAKE_SQLSTATE('T', 'P', '0', '0', '1')
#define ERRCODE_TP_IMMUTABLE			MAKE_SQLSTATE('T', 'P', '0', '0', '2')
#define ERRCODE_TP_NO_SIGNING_KEY		MAKE_SQLSTATE('T', 'P', '0', '0', '3')
#define ERRCODE_TP_NO_MASTER_KEY		MAKE_SQLSTATE('T', 'P', '0', '0', '4')
#define ERRCODE_TP_NO_DEPARTMENT		MAKE_SQLSTATE('T', 'P', '0', '0', '5')
#define ERRCODE_TP_PURPOSE_NOT_GRANTED	MAKE_SQLSTATE('T', 'P', '0', '0', '6')
#define ERRCODE_TP_TOKEN_MISMATCH		MAKE_SQLSTATE('T', 'P', '0', '0', '7')
#define ERRCODE_TP_UNCOMMITTED			MAKE_SQLSTATE('T', 'P', '0', '0', '8')
#define ERRCODE_TP_NO_AUDIT_SINK		MAKE_SQLSTATE('T', 'P', '0', '0', '9')

/* PostgreSQL counts from 2000-01-01, core/ from 1970. */
extern int64 timestamptz_to_unix(TimestampTz t);	/* whole seconds, rounded down */
extern TimestampTz unix_to_timestamptz(int64 seconds);

/*
 * Lock the holder's row (FOR NO KEY UPDATE) with the latest snapshot, so that the
 * answer is right in every isolation level; whoever holds it decides alone about this holder until
 * its transaction ends.  False: no such holder.  Needs an SPI connection.
 */
extern bool credential_lock_holder(int64 holder_id);

#endif							/* EPERMIT_CREDENTIAL_H */
