/*
 * credential_no.h
 *		Permit and linkage numbers: 12 bytes that route themselves.
 *
 *	1 bit kind | 40 bits holder_id | 12 bits months since 2000-01 | 4 bits slot | 39 random bits
 *
 * big-endian, so byte order is (kind, holder, month, slot) order.  Printed as
 * T or L, 19 Crockford base-32 digits and one check character (ISO 7064 hybrid
 * system with modulus 33,32 over the kind and the 19 digits), in groups of five.
 * In the check T counts 26 and L counts 1, as Crockford reads them.  Input
 * ignores case, hyphens and spaces and reads O as 0, I and L as 1.
 */
#ifndef EPERMIT_CREDENTIAL_NO_H
#define EPERMIT_CREDENTIAL_NO_H

#include "slice.h"

#define CREDENTIAL_NO_BYTES 12
#define CREDENTIAL_NO_TEXT 25		/* T-8F3K2-M9QX7-RDW5Z-N4C0H, without the NUL */

typedef struct CredentialNo
{
	uint8_t		bytes[CREDENTIAL_NO_BYTES];
} CredentialNo;

typedef struct CredentialParts
{
	bool		is_permit;
	uint64_t	holder_id;		/* 40 bits */
	int			month;			/* months since 2000-01, 12 bits */
	int			slot;			/* 4 bits */
	uint64_t	random;			/* 39 bits */
} CredentialParts;

typedef enum CredentialNoResult
{
	CREDENTIAL_NO_OK = 0,
	CREDENTIAL_NO_MALFORMED,	/* does not look like a printed number at all */
	CREDENTIAL_NO_MISTYPED		/* looks like one, but a character is wrong, missing or extra */
} CredentialNoResult;

extern void credential_no_pack(const CredentialParts *parts, CredentialNo *no);
extern void credential_no_unpack(const CredentialNo *no, CredentialParts *parts);
extern void credential_no_format(const CredentialNo *no, char *out);	/* TEXT + 1 bytes */
extern CredentialNoResult credential_no_parse(const char *text, size_t len, CredentialNo *no);

#endif							/* EPERMIT_CREDENTIAL_NO_H */
