/*
 * utf8.h
 *		Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef EPERMIT_UTF8_H
#define EPERMIT_UTF8_H

#include "slice.h"

/*
 * Take one code point off the front.  False at the end of input and where the
 * bytes are not UTF-8; *p tells the two apart, since it moves only on success.
 */
extern bool utf8_next(const uint8_t **p, const uint8_t *end, uint32_t *codepoint);

/* Is all of it UTF-8? */
extern bool utf8_valid(const uint8_t *bytes, size_t len);

#endif							/* EPERMIT_UTF8_H */
