/*
 * cbor.h
 *		The subset of CBOR (RFC 8949) that tokens use: unsigned and negative
 *		integers, byte and text strings, arrays, maps and tags, deterministic.
 *
 * cbor_check() refuses floats, simple values, indefinite lengths, heads that are
 * not the shortest, text that is not UTF-8 or holds NUL, duplicate map keys, map keys
 * that are neither integer nor string, more than 32 entries a map or array, more
 * than 6 arrays, maps and tags within each other, and trailing bytes.  It does not
 * require map keys to be sorted (other people's libraries do not sort).  No heap.
 */
#ifndef EPERMIT_CBOR_H
#define EPERMIT_CBOR_H

#include "slice.h"

#define CBOR_MAX_DEPTH 6
#define CBOR_MAX_ENTRIES 32

typedef enum CborType
{
	CBOR_UINT = 0,
	CBOR_NINT = 1,
	CBOR_BYTES = 2,
	CBOR_TEXT = 3,
	CBOR_ARRAY = 4,
	CBOR_MAP = 5,
	CBOR_TAG = 6
} CborType;

typedef struct CborItem
{
	CborType	type;
	uint64_t	value;			/* the integer (NINT: -1 - value), tag, or number of entries */
	Slice		string;			/* BYTES and TEXT */
} CborItem;

typedef struct CborReader
{
	const uint8_t *next;
	const uint8_t *end;
} CborReader;

/* Is this exactly one well-formed item of the subset, with all limits kept? */
extern bool cbor_check(const uint8_t *bytes, size_t len);

/* Reading is meant for input that passed cbor_check(); it still never leaves the buffer. */
extern void cbor_reader_init(CborReader *reader, Slice input);
extern bool cbor_next(CborReader *reader, CborItem *item);	/* one head (and its string) */
extern bool cbor_skip(CborReader *reader);	/* one whole item */
extern bool cbor_item_int(const CborItem *item, int64_t *value);	/* UINT or NINT within int64 */

/*
 * Find a key in the map that map starts with; on success *value stands at its value,
 * otherwise it is untouched.
 */
extern bool cbor_map_find(Slice map, int64_t key, CborReader *value);
extern bool cbor_map_find_text(Slice map, const char *key, CborReader *value);

/* As cbor_map_find() and cbor_next(). */
extern bool cbor_map_get(Slice map, int64_t key, CborItem *item);

typedef struct CborWriter
{
	uint8_t    *buf;
	size_t		cap;
	size_t		len;
	bool		overflow;		/* sticky: look once, at the end */
} CborWriter;

extern void cbor_writer_init(CborWriter *writer, uint8_t *buf, size_t cap);
extern void cbor_put_uint(CborWriter *writer, uint64_t value);
extern void cbor_put_int(CborWriter *writer, int64_t value);
extern void cbor_put_bytes(CborWriter *writer, const void *bytes, size_t len);
extern void cbor_put_text(CborWriter *writer, const char *text, size_t len);
extern void cbor_put_cstring(CborWriter *writer, const char *text);
extern void cbor_put_array(CborWriter *writer, size_t entries);
extern void cbor_put_map(CborWriter *writer, size_t entries);
extern void cbor_put_tag(CborWriter *writer, uint64_t tag);

#endif							/* EPERMIT_CBOR_H */
