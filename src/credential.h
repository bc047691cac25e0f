/*
 * credential.h
 *		What the credential trigger and its callers share.
 */
#ifndef EPERMIT_CREDENTIAL_H
#define EPERMIT_CREDENTIAL_H

#include "compat.h"

#include "core/claims.h"
#include "core/credential_no.h"
#include "core/cose.h"
#include "datatype/timestamp.h"
#include "keys.h"
#include "token.h"
#include "utils/date.h"

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

typedef enum CredentialKind
{
	CREDENTIAL_PERMIT = 0,
	CREDENTIAL_LINKAGE
} CredentialKind;

/*
 * What the four bits of a slot leave to a month: the linkage results of one holder.  linkage_no is
 * month (since 2000-01) and slot in one.
 */
#define LINKAGES_PER_MONTH 15
#define LINKAGE_NO(month, slot) ((month) * 16 + (slot))

/* How the key and the typ of a token tell its kind. */
extern KeyUsage credential_key_usage(CredentialKind kind);
extern CoseTyp credential_typ(CredentialKind kind);

/* In the order of the SQL enum verdict. */
typedef enum Verdict
{
	VERDICT_VALID = 0,
	VERDICT_MALFORMED,
	VERDICT_UNKNOWN_KEY,
	VERDICT_BAD_SIGNATURE,
	VERDICT_NOT_YET_VALID,
	VERDICT_EXPIRED,
	VERDICT_REVOKED,
	VERDICT_SUSPENDED,
	VERDICT_OUT_OF_SCOPE,
	VERDICT_NOT_FOUND,
	VERDICT_MISTYPED,
	VERDICT_NOT_LINKED,
	VERDICT_KEY_COMPROMISED,
	VERDICT_UNDETERMINED
} Verdict;

extern const char *const verdict_labels[];

/* VALID, SUSPENDED or REVOKED: by the status of the latest event, NULL where there was none. */
extern Verdict status_verdict(const char *status);

/* The claims of either kind, and what both have. */
typedef struct CredentialClaims
{
	CredentialKind kind;
	int64		exp,
				nbf,
				iat;			/* seconds since 1970; exp is exclusive */
	CredentialNo no;
	StatusRef	status;
	union
	{
		PermitClaims permit;
		LinkageClaims linkage;
	}			u;
} CredentialClaims;

/* Claims of a token of this kind, unverified.  False: not such a token.  Points into token. */
extern bool credential_claims(CredentialKind kind, const DecodedToken *token,
							  CredentialClaims *out);

/*
 * Does a key that signs this kind say so?  VALID, UNKNOWN_KEY, KEY_COMPROMISED or
 * BAD_SIGNATURE; time, purpose and revocation are the caller's to look at.
 */
extern Verdict credential_signature(CredentialKind kind, const DecodedToken *token);

/* PostgreSQL counts from 2000-01-01, core/ from 1970. */
extern int64 timestamptz_to_unix(TimestampTz t);	/* whole seconds, rounded down */
extern TimestampTz unix_to_timestamptz(int64 seconds);
extern int32 date_to_unix_days(DateADT date);
extern DateADT unix_days_to_date(int32 days);
extern int64 clock_unix(void);	/* the server's clock, whole seconds */

/* "2026-12-01 00:00": Beijing time to the minute, palloc'ed. */
extern char *beijing_string(int64 instant);

/* "19850307", as tokens have it, of days since 1970; palloc'ed. */
extern char *birth_date_string(int32 days);

/*
 * Lock the holder's row (FOR NO KEY UPDATE) with the latest snapshot, so that the
 * answer is right in every isolation level; whoever holds it decides alone about this holder until
 * its transaction ends.  False: no such holder.  Needs an SPI connection.
 */
extern bool credential_lock_holder(int64 holder_id);

/*
 * Set while issue.c inserts a row whose issue it audits itself, with more than the row tells;
 * otherwise the table's AFTER INSERT trigger does.
 */
extern bool credential_caller_audits;

/*
 * Slots taken in a month (months since 2000-01), a bit each (bit 1 is slot 1), with the latest
 * snapshot; final only under the holder's lock.  credential_free_slot() gives the lowest
 * free one up to limit, or 0.
 */
extern uint32 credential_taken_slots(CredentialKind kind, int64 holder_id, int month);
extern int	credential_free_slot(uint32 taken, int limit);

#endif							/* EPERMIT_CREDENTIAL_H */
