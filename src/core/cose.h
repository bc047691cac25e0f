/*
 * cose.h
 *		COSE_Sign1 (RFC 9052) with Ed25519, the one signed shape there is here.
 *
 * Reads 18(...) and 61(18(...)), alg -8 and -19, kid (8 bytes) in the protected
 * header only, an empty unprotected map, and refuses all else, other protected
 * parameters included: one that nobody here understands might mean anything.
 * Writes 18(...) with alg -8.
 */
#ifndef EPERMIT_COSE_H
#define EPERMIT_COSE_H

#include "slice.h"

#define KID_BYTES 8
#define PUBLIC_KEY_BYTES 32
#define SIGNATURE_BYTES 64

/* Payloads longer than this verify nowhere; a whole status list, incompressible, is 32 KiB. */
#define COSE_MAX_PAYLOAD (40 * 1024)

/* The protected header's typ (RFC 9596): which kind of message this is. */
typedef enum CoseTyp
{
	COSE_TYP_NONE = 0,			/* permits carry none */
	COSE_TYP_LINKAGE,			/* application/vnd.epermit.linkage+cwt */
	COSE_TYP_ATTESTATION,		/* application/vnd.epermit.attestation+cwt */
	COSE_TYP_STATUS_LIST,		/* application/statuslist+cwt */
	COSE_TYP_KEY_LIST,			/* application/vnd.epermit.keylist+cwt */
	COSE_TYP_AUDIT_HEAD,		/* application/vnd.epermit.audit+cwt */
	COSE_TYP_OTHER				/* read only: some typ that is none of ours */
} CoseTyp;

typedef struct CoseSign1
{
	Slice		protected_header;	/* the encoded bytes that were signed */
	Slice		payload;
	const uint8_t *signature;	/* 64 bytes */
	uint8_t		kid[KID_BYTES];
	int			alg;			/* -8 or -19 */
	CoseTyp		typ;
} CoseSign1;

extern const char *cose_typ_name(CoseTyp typ);	/* NULL for NONE and OTHER */

/* Structure only; says nothing of the signature. */
extern bool cose_sign1_read(const uint8_t *message, size_t len, CoseSign1 *out);

/* Does the signature hold under this key?  Needs sodium_init() to have run. */
extern bool cose_sign1_verify(const CoseSign1 *message, const uint8_t *public_key);

/*
 * Signing takes two steps, so that the secret key stays with the caller:
 * write the to-be-signed bytes, sign them, write the message.  Both return
 * the length, or 0 where cap is too small.
 */
extern size_t cose_sign1_tbs(const uint8_t *kid, CoseTyp typ, Slice payload,
							 uint8_t *buf, size_t cap);
extern size_t cose_sign1_write(const uint8_t *kid, CoseTyp typ, Slice payload,
							   const uint8_t *signature, uint8_t *buf, size_t cap);

/* First 8 bytes of the RFC 9679 SHA-256 thumbprint of the COSE_Key {1:1, -1:6, -2:x}. */
extern void cose_kid(const uint8_t *public_key, uint8_t *kid);

#endif							/* EPERMIT_COSE_H */
