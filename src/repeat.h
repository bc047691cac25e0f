/*
 * repeat.h
 *		The same call again within one statement.
 *
 * SELECT (verify_permit(...)).* calls the function once for each column it returns.  That is one
 * question, so it leaves one audit row and counts as one attempt.
 */
#ifndef EPERMIT_REPEAT_H
#define EPERMIT_REPEAT_H

#include "compat.h"

#include "access/transam.h"
#include "datatype/timestamp.h"

#define REPEAT_DIGEST_BYTES 16

typedef struct Repeat
{
	FullTransactionId xid;
	SubTransactionId subxid;
	TimestampTz statement;
	uint8		digest[REPEAT_DIGEST_BYTES];
	int64		audit_id;		/* of the first call */
} Repeat;

/* A digest of a call: all that tells it from others, and who asks.  NULL and empty parts differ. */
extern void repeat_digest(uint8 *digest, const struct varlena *const *parts, int n);

/* Is this the call that was noted last, in this very statement and subtransaction? */
extern bool repeat_is(const Repeat *last, const uint8 *digest);
extern void repeat_note(Repeat *last, const uint8 *digest, int64 audit_id);

#endif							/* EPERMIT_REPEAT_H */
