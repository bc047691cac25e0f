/*
 * registry.h
 *		What the registry knows of a holder, and the rules that need it.
 */
#ifndef EPERMIT_REGISTRY_H
#define EPERMIT_REGISTRY_H

#include "compat.h"

#include "core/number.h"
#include "credential.h"
#include "problem.h"

typedef enum DocumentStatus
{
	DOCUMENT_VALID = 0,
	DOCUMENT_REPORTED_LOST,		/* the normal case of an applicant */
	DOCUMENT_CANCELLED
} DocumentStatus;

/* One travel permit and its holder. */
typedef struct Registered
{
	int64		holder_id;
	uint64		travel_permit_no;
	int32		valid_until;	/* last day, days since 1970 */
	DocumentStatus status;
	char	   *name_zh;
	char	   *name_romanised;
	int32		birth_date;		/* days since 1970 */
	Sex			sex;
	Region		region;
	char	   *nationality;
} Registered;

/*
 * By travel permit number, with the latest snapshot.  lock first takes the lock of
 * credential_lock_holder().  Strings live in the SPI connection's memory.
 */
extern bool registry_find(uint64 travel_permit_no, bool lock, Registered *out);

/*
 * The rules of a kind: adds a problem for each one that is broken and sets *last_day to the last
 * day (days since 1970) on which all documents involved are valid.  residence_permit_no counts for
 * linkage results only.  now is seconds since 1970.
 */
extern void registry_rules(CredentialKind kind, const Registered *registered,
						   uint64 residence_permit_no, int64 now,
						   ProblemList *problems, int32 *last_day);

/* Last day and status of a residence permit, with the latest snapshot; false: not this holder's. */
extern bool registry_residence(uint64 residence_permit_no, int64 holder_id,
							   int32 *valid_until, DocumentStatus *status);

#endif							/* EPERMIT_REGISTRY_H */
