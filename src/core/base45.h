/*
 * base45.h
 *		RFC 9285, strictly: no padding, no white space, no lower case, no group
 *		over its range.
 */
#ifndef EPERMIT_BASE45_H
#define EPERMIT_BASE45_H

#include "slice.h"

#define BASE45_ENCODED_LEN(n) ((n) / 2 * 3 + ((n) & 1) * 2)
#define BASE45_DECODED_MAX(n) ((n) / 3 * 2 + 1)

/* The text is not NUL-terminated; returns its length. */
extern size_t base45_encode(const uint8_t *bytes, size_t len, char *out);
extern bool base45_decode(const char *text, size_t len, uint8_t *out, size_t *out_len);

#endif							/* EPERMIT_BASE45_H */
