/*
 * repeat.c
 *		The same call again within one statement.
 *
 * Nothing is kept beyond the statement: a note from another one, another transaction or
 * a subtransaction that was rolled back does not count.
 */
#include "compat.h"

#include <sodium.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "repeat.h"

void
repeat_digest(uint8 *digest, const struct varlena *const *parts, int n)
{
	Oid			asker[2] = {GetOuterUserId(), GetSessionUserId()};
	crypto_generichash_state state;
	int			i;

	crypto_generichash_init(&state, NULL, 0, REPEAT_DIGEST_BYTES);
	crypto_generichash_update(&state, (const unsigned char *) asker, sizeof(asker));
	for (i = 0; i < n; i++)
	{
		int64		len = parts[i] != NULL ? (int64) VARSIZE_ANY_EXHDR(parts[i]) : -1;

		crypto_generichash_update(&state, (const unsigned char *) &len, sizeof(len));
		if (len > 0)
			crypto_generichash_update(&state, (const unsigned char *) VARDATA_ANY(parts[i]), len);
	}
	crypto_generichash_final(&state, digest, REPEAT_DIGEST_BYTES);
}

bool
repeat_is(const Repeat *last, const uint8 *digest)
{
	return last->statement == GetCurrentStatementStartTimestamp() &&
		FullTransactionIdEquals(last->xid, GetTopFullTransactionIdIfAny()) &&
		last->subxid == GetCurrentSubTransactionId() &&
		memcmp(last->digest, digest, REPEAT_DIGEST_BYTES) == 0;
}

void
repeat_note(Repeat *last, const uint8 *digest, int64 audit_id)
{
	last->statement = GetCurrentStatementStartTimestamp();
	last->xid = GetTopFullTransactionIdIfAny();
	last->subxid = GetCurrentSubTransactionId();
	last->audit_id = audit_id;
	memcpy(last->digest, digest, REPEAT_DIGEST_BYTES);
}
