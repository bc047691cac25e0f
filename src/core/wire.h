/*
 * wire.h
 *		text = base45(zlib(COSE_Sign1)): the compression step and the limits.
 *
 * One codec per process, kept: setting up a deflate stream costs more than signing.
 * zlib's own memory is malloc'ed at first use, so it survives an error that
 * unwinds the caller's memory.  Not for two threads at once.
 */
#ifndef EPERMIT_WIRE_H
#define EPERMIT_WIRE_H

#include "slice.h"

#define WIRE_MAX_TEXT 4296			/* characters: what a QR symbol can hold */
#define WIRE_MAX_COMPRESSED 3072	/* bytes */
#define WIRE_MAX_INFLATED 8192

/*
 * Level 9, memLevel 8, windowBits 15.  Returns the length, or 0 where cap is too small.
 * The first block is never a stored one (PixelPass cannot read it), whatever the input.
 */
extern size_t wire_deflate(const uint8_t *bytes, size_t len, uint8_t *out, size_t cap);

/*
 * Exactly one zlib stream and nothing after it, at most cap bytes inflated.
 * Also for a status list's lst, with a cap of entries x bits / 8.
 */
extern bool wire_inflate(const uint8_t *bytes, size_t len,
						 uint8_t *out, size_t cap, size_t *out_len);

/*
 * From what somebody presented to the COSE bytes: strip an "https://...#" prefix, base45, inflate.
 * Nothing is trimmed.  compressed (WIRE_MAX_COMPRESSED) and message (WIRE_MAX_INFLATED) are
 * the caller's.
 */
extern bool wire_read_text(const char *text, size_t len,
						   uint8_t *compressed, size_t *compressed_len,
						   uint8_t *message, size_t *message_len);

/* What follows an "https://...#" prefix (scheme in either case), or the text itself. */
extern Slice wire_strip_prefix(const char *text, size_t len);

#endif							/* EPERMIT_WIRE_H */
