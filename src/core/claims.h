/*
 * claims.h
 *		The claims sets (RFC 8392) of permits, linkage results, attestations and
 *		status lists: struct to deterministic CBOR and back.
 *
 * Writers return the length, or 0 where cap is too small.  Readers accept what the CDDL of
 * the wire format allows and nothing that contradicts it; unknown extra claims are
 * skipped.  A permit's printed number is that of its cti.  A permit reader refuses claim
 * -65537, a linkage reader refuses claim 169; the caller compares typ.  Instants are seconds
 * since 1970, up to LAST_INSTANT, so that no caller's clock arithmetic overflows.
 */
#ifndef EPERMIT_CLAIMS_H
#define EPERMIT_CLAIMS_H

#include "credential_no.h"
#include "number.h"
#include "slice.h"

/* Keys of a claims set: RFC 8392, Claim 169, the Token Status List draft, and private use. */
#define CLAIM_ISS 1
#define CLAIM_SUB 2
#define CLAIM_AUD 3
#define CLAIM_EXP 4
#define CLAIM_NBF 5
#define CLAIM_IAT 6
#define CLAIM_CTI 7
#define CLAIM_PERSON 169
#define CLAIM_STATUS_LIST 65533
#define CLAIM_TTL 65534
#define CLAIM_STATUS 65535
#define CLAIM_LINKAGE (-65537)
#define CLAIM_PORTRAIT (-65538)
#define CLAIM_KEY_LIST (-65539)
#define CLAIM_AUDIT_HEAD (-65539)	/* the typ tells the two apart */

#define LAST_INSTANT INT64_C(253402300799)	/* 9999-12-31 23:59:59 UTC */

/* Clocks of others may be this far ahead of ours, in seconds: for nbf and iat, never for exp. */
#define CLOCK_TOLERANCE 300

#define ATTESTATION_MAX_SECONDS 600 /* from iat to exp; a policy may allow less */

#define PORTRAIT_CLAIM_BYTES 16
#define COMMITMENT_BYTES 16
#define NONCE_BYTES 16
#define PORTRAIT_DIGEST_BYTES 32

typedef struct StatusRef
{
	uint32_t	idx;
	Slice		uri;
} StatusRef;

typedef struct PermitClaims
{
	Slice		iss;
	int64_t		exp,
				nbf,
				iat;
	CredentialNo cti;
	Slice		number;			/* permit number as printed */
	Slice		name_zh;
	Slice		birth_date;		/* YYYYMMDD */
	Sex			sex;
	Slice		nationality;	/* ISO 3166 alpha-3 */
	Slice		name_romanised;
	Region		region;
	Slice		document_masked;
	uint64_t	purposes;		/* one bit each */
	bool		has_portrait;
	uint8_t		portrait[PORTRAIT_CLAIM_BYTES];
	StatusRef	status;
} PermitClaims;

extern size_t permit_claims_write(const PermitClaims *claims, uint8_t *buf, size_t cap);
extern bool permit_claims_read(Slice payload, PermitClaims *claims);

typedef struct LinkageClaims
{
	Slice		iss;
	Slice		aud;			/* ptr NULL where absent */
	int64_t		exp,
				nbf,
				iat;
	CredentialNo cti;
	StatusRef	status;
	DocumentKind travel_kind;	/* -65537/2 */
	int			residence_kind; /* -65537/3: the residence permit's region, 1..3 */
	Slice		travel_masked;
	Slice		residence_masked;
	uint8_t		salt[NONCE_BYTES];
	uint8_t		commitment[COMMITMENT_BYTES];
} LinkageClaims;

extern size_t linkage_claims_write(const LinkageClaims *claims, uint8_t *buf, size_t cap);
extern bool linkage_claims_read(Slice payload, LinkageClaims *claims);

/* HMAC-SHA-256(salt, "travel|residence|YYYYMMDD")[0..16]; the numbers in canonical form. */
extern void linkage_commitment(const uint8_t *salt, const char *travel, const char *residence,
							   const char *birth_date, uint8_t *commitment);

typedef struct AttestationClaims
{
	Slice		iss;			/* provider */
	Slice		sub;			/* travel permit number the live person proved */
	int64_t		exp,
				iat;			/* exp <= iat + ATTESTATION_MAX_SECONDS */
	uint8_t		nonce[NONCE_BYTES];
	bool		has_portrait;
	uint8_t		portrait[PORTRAIT_DIGEST_BYTES];
} AttestationClaims;

extern size_t attestation_claims_write(const AttestationClaims *claims, uint8_t *buf, size_t cap);
extern bool attestation_claims_read(Slice payload, AttestationClaims *claims);

typedef struct StatusListClaims
{
	Slice		sub;			/* the list's URI */
	int64_t		exp,
				iat;
	uint64_t	ttl;
	Slice		lst;			/* zlib */
	int			bits;			/* 1, 2, 4 or 8 */
	Slice		aggregation_uri;	/* ptr NULL where absent */
} StatusListClaims;

extern size_t status_list_claims_write(const StatusListClaims *claims, uint8_t *buf, size_t cap);
extern bool status_list_claims_read(Slice payload, StatusListClaims *claims);

#endif							/* EPERMIT_CLAIMS_H */
