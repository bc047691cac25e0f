/*
 * token.h
 *		From the SQL type token, or from presented text, to a COSE message and back.
 *
 * A DecodedToken is one zlib stream of one COSE_Sign1 message whose payload passes
 * cbor_check(); that says nothing of signature or claims.
 */
#ifndef EPERMIT_TOKEN_H
#define EPERMIT_TOKEN_H

#include "compat.h"

#include "core/cose.h"
#include "core/wire.h"

/* About 11 kB: fine on the stack. */
typedef struct DecodedToken
{
	size_t		compressed_len;
	uint8		compressed[WIRE_MAX_COMPRESSED];
	size_t		message_len;
	uint8		message[WIRE_MAX_INFLATED];
	CoseSign1	cose;			/* points into message */
} DecodedToken;

/* From text as presented: an "https://...#" prefix may stand before it. */
extern bool token_from_text(const char *text, size_t len, DecodedToken *out);

/* A value of the SQL type, which needs no checking again: short headers and toasted values too. */
extern void token_from_datum(Datum token, DecodedToken *out);

/* A COSE message as a value of the SQL type (palloc'ed). */
extern Datum token_from_message(const uint8 *message, size_t len);

/* The text form, what the QR shows (palloc'ed, NUL-terminated). */
extern char *token_to_text(Datum token);

#endif							/* EPERMIT_TOKEN_H */
