/*
 * name.h
 *		The characters a name may have.
 *
 * Works on UTF-8 that has been NFKC-normalised by the caller where comparison
 * is meant.  Folds the separators U+2022, U+30FB, U+2027 and U+FF65 to U+00B7;
 * refuses U+FFFD, "?" and its full-width form, control, zero-width, surrogate and non-characters.
 */
#ifndef EPERMIT_NAME_H
#define EPERMIT_NAME_H

#include "slice.h"

#define NAME_MAX_CHARS 50		/* code points of a Chinese name */
#define NAME_ROMANISED_MAX_CHARS 120

typedef enum NameRule
{
	NAME_OK = 0,
	NAME_EMPTY,
	NAME_LENGTH,
	NAME_CHARSET				/* a refused character, or bytes that are not UTF-8 */
} NameRule;

/*
 * Trim, fold separators, collapse runs of spaces to one; out gets at most
 * len bytes (folding never lengthens) and *out_len their number.
 */
extern NameRule name_clean(const char *text, size_t len, size_t max_chars,
						   char *out, size_t *out_len);

/*
 * Romanised names compare blind to case, spaces, hyphens, commas and apostrophes: the
 * key compared, at most len bytes.
 */
extern size_t name_romanised_key(const char *text, size_t len, char *out);

#endif							/* EPERMIT_NAME_H */
