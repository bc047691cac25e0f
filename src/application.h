/*
 * application.h
 *		An application for a permit or a linkage result: read, then examined.
 *
 * Both steps add every problem they find, none stops at the first.
 */
#ifndef EPERMIT_APPLICATION_H
#define EPERMIT_APPLICATION_H

#include "compat.h"

#include "attestation.h"
#include "config.h"
#include "core/claims.h"
#include "credential.h"
#include "problem.h"
#include "registry.h"
#include "text.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

/* The fields; a value counts where its has_ flag is set or its pointer is not NULL. */
typedef struct Application
{
	CredentialKind kind;
	const char *lang;			/* zh-Hant, zh-Hans or en; NULL: not given */
	bool		at_counter;		/* an officer took it */

	DocumentKind document_kind; /* 0: not given */
	bool		has_document_no;
	uint64		document_no;
	bool		has_document_expiry;
	int32		document_expiry;	/* last day, days since 1970; so for every date */
	char	   *name;
	bool		has_birth_date;
	int32		birth_date;
	bool		has_mobile_no;
	uint64		mobile_no;
	char	   *reason;
	char	   *attestation;
	pg_uuid_t  *request_id;
	bool		has_portrait_digest;
	uint8		portrait_digest[PORTRAIT_DIGEST_BYTES];
	bool		has_residence_permit_no;
	uint64		residence_permit_no;
	bool		has_residence_permit_expiry;
	int32		residence_permit_expiry;
	char	   *office;
	char	   *officer;
} Application;

/*
 * Read the fields, whatever the registry says; json may be NULL.  policy tells which are required.
 * now is seconds since 1970.
 */
extern void application_read(CredentialKind kind, Jsonb *json, const Policy *policy, int64 now,
							 Application *out, ProblemList *problems);

/* What the examination found. */
typedef struct Examination
{
	bool		found;			/* the document is in the registry */
	Registered	registered;
	NameMatch	name_match;
	bool		attested;		/* by evidence, or by the officer who took it */
	Evidence	evidence;		/* where an attestation was good */
	bool		failed_attempt; /* counts against attempts_per_day */
	bool		repeated;		/* request_id got a credential before: */
	CredentialNo issued_before;
} Examination;

/*
 * Look the document up; application_examine() goes on from there.  lock takes the holder's lock:
 * then what is found stays true until the transaction ends.  That may wait, so the caller
 * reads the clock afterwards.  Needs an SPI connection.
 */
extern void application_find(const Application *application, bool lock, Examination *out);

/*
 * Compare with the registry and apply the rules of policy at now.  counted: this very statement
 * examined it before and counted it as an attempt, which is its own.
 */
extern void application_examine(const Application *application, const Policy *policy, int64 now,
								bool counted, Examination *out, ProblemList *problems);

#endif							/* EPERMIT_APPLICATION_H */
