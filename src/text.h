/*
 * text.h
 *		Unicode normal forms and the comparison of names, with ICU.
 */
#ifndef EPERMIT_TEXT_H
#define EPERMIT_TEXT_H

#include "compat.h"

/*
 * NFKC, surrounding white space trimmed; palloc'ed, NUL-terminated.  NULL where the
 * bytes are not UTF-8.  text_upper() also upper-cases ASCII letters: for document
 * numbers and codes.
 */
extern char *text_normalise(const char *text, size_t len);
extern char *text_upper(const char *text, size_t len);

/* How a given name compares with a registered one. */
typedef enum NameMatch
{
	NAME_NO_MATCH = 0,
	NAME_VARIANT,				/* equal but for Traditional/Simplified or width variants */
	NAME_EXACT
} NameMatch;

extern const char *const name_match_labels[];	/* none, variant, exact */

/*
 * The given name may be the Chinese or the romanised one; separators are folded (core/name.h) and
 * romanised names compare by name_romanised_key().  Equal in NFC is NAME_EXACT; equal in NFKC, or
 * in Chinese once ICU has folded Traditional to Simplified characters, is NAME_VARIANT.
 */
extern NameMatch name_compare(const char *given, const char *name_zh, const char *name_romanised);

#endif							/* EPERMIT_TEXT_H */
