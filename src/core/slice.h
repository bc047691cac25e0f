/*
 * slice.h
 *		A borrowed run of bytes.
 *
 * The readers of core/ never copy: what they return points into the buffer
 * they were given and lives as long as that buffer.
 */
#ifndef EPERMIT_SLICE_H
#define EPERMIT_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Slice
{
	const uint8_t *ptr;
	size_t		len;
} Slice;

/* A string without its NUL. */
static inline Slice
slice_from_string(const char *text)
{
	Slice		s = {(const uint8_t *) text, strlen(text)};

	return s;
}

static inline bool
slice_equals(Slice a, Slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool
slice_is(Slice s, const char *text)
{
	return slice_equals(s, slice_from_string(text));
}

#endif							/* EPERMIT_SLICE_H */
