/*
 * attestation.h
 *		Evidence that a live person proved to be the holder of a document.
 */
#ifndef EPERMIT_ATTESTATION_H
#define EPERMIT_ATTESTATION_H

#include "compat.h"

#include "core/claims.h"

/* What an attestation proves besides. */
typedef struct Evidence
{
	uint8		nonce[NONCE_BYTES];
	bool		has_portrait;
	uint8		portrait[PORTRAIT_DIGEST_BYTES];
} Evidence;

/*
 * Check what an application brings: signature, usage, age, the document it names, the
 * portrait where both give one.  Returns NULL where all is well, and *out is set; else
 * the problem's code.  document_no NULL: the application names none.  now is seconds since 1970.
 */
extern const char *attestation_check(const char *text, const uint64 *document_no,
									 const uint8 *portrait_digest, int64 now, int64 max_age,
									 Evidence *out);

/* Was it used?  Use it.  Under the holder's lock; needs an SPI connection. */
extern bool attestation_used(const uint8 *nonce);
extern void attestation_use(const uint8 *nonce, int64 holder_id);

#endif							/* EPERMIT_ATTESTATION_H */
