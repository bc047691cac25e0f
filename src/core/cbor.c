/*
 * cbor.c
 *		Strict reader and deterministic writer of a CBOR subset (RFC 8949).
 *
 * Everything read here was written by somebody else.  The invariants: a reader
 * never moves past its end, an announced length is believed only when that many
 * bytes are there, and neither stack nor time grows with what the input claims.
 * cose.c and claims.c are the callers.
 */
#include <string.h>

#include "cbor.h"
#include "utf8.h"

void
cbor_reader_init(CborReader *reader, Slice input)
{
	reader->next = input.ptr;
	reader->end = input.ptr + input.len;
}

bool
cbor_next(CborReader *reader, CborItem *item)
{
	const uint8_t *p = reader->next;
	size_t		left = (size_t) (reader->end - p);
	unsigned	major,
				info;
	uint64_t	value;

	if (left == 0)
		return false;
	major = *p >> 5;
	info = *p & 0x1F;
	p++;
	left--;

	if (major > CBOR_TAG)		/* floats and simple values */
		return false;

	if (info < 24)
		value = info;
	else if (info <= 27)
	{
		/* 1, 2, 4 or 8 bytes follow; a value that fits in half of them is not shortest. */
		size_t		width = (size_t) 1 << (info - 24);
		size_t		i;

		if (left < width)
			return false;
		value = 0;
		for (i = 0; i < width; i++)
			value = value << 8 | p[i];
		if (width == 1 ? value < 24 : value >> (width * 4) == 0)
			return false;
		p += width;
		left -= width;
	}
	else						/* reserved, or indefinite length */
		return false;

	item->type = (CborType) major;
	item->value = value;
	item->string.ptr = NULL;
	item->string.len = 0;

	switch (item->type)
	{
		case CBOR_BYTES:
		case CBOR_TEXT:
			if (value > left)
				return false;
			item->string.ptr = p;
			item->string.len = (size_t) value;
			p += value;
			break;
		case CBOR_ARRAY:		/* an entry takes a byte at the least */
			if (value > left)
				return false;
			break;
		case CBOR_MAP:
			if (value > left / 2)
				return false;
			break;
		case CBOR_TAG:
			if (left == 0)
				return false;
			break;
		case CBOR_UINT:
		case CBOR_NINT:
			break;
	}

	reader->next = p;
	return true;
}

bool
cbor_skip(CborReader *reader)
{
	CborReader	r = *reader;
	CborItem	item;
	uint64_t	pending = 1;

	/* No entry count exceeds the bytes left, so pending stays far from wrapping. */
	while (pending > 0)
	{
		if (!cbor_next(&r, &item))
			return false;
		pending--;
		if (item.type == CBOR_ARRAY)
			pending += item.value;
		else if (item.type == CBOR_MAP)
			pending += item.value * 2;
		else if (item.type == CBOR_TAG)
			pending += 1;
	}
	*reader = r;
	return true;
}

bool
cbor_item_int(const CborItem *item, int64_t *value)
{
	if (item->value > INT64_MAX)
		return false;
	if (item->type == CBOR_UINT)
		*value = (int64_t) item->value;
	else if (item->type == CBOR_NINT)
		*value = -1 - (int64_t) item->value;
	else
		return false;
	return true;
}

/*
 * Order of two map keys as encoded.  Heads are shortest, so equal keys have
 * equal bytes.
 */
static int
compare_keys(Slice a, Slice b)
{
	size_t		common = a.len < b.len ? a.len : b.len;
	int			order = memcmp(a.ptr, b.ptr, common);

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

/* UTF-8 without NUL: no text of ours holds one, and PostgreSQL's text cannot. */
static bool
is_text(Slice string)
{
	return utf8_valid(string.ptr, string.len) && memchr(string.ptr, 0, string.len) == NULL;
}

static bool check_item(CborReader *reader, int depth);

static bool
check_map(CborReader *reader, uint64_t entries, int depth)
{
	Slice		keys[CBOR_MAX_ENTRIES];
	bool		ascending = true;
	size_t		i,
				j;

	for (i = 0; i < entries; i++)
	{
		CborItem	key;

		keys[i].ptr = reader->next;
		if (!cbor_next(reader, &key))
			return false;
		switch (key.type)
		{
			case CBOR_TEXT:
				if (!is_text(key.string))
					return false;
				break;
			case CBOR_UINT:
			case CBOR_NINT:
			case CBOR_BYTES:
				break;
			default:			/* a container as key has no one encoding to compare */
				return false;
		}
		keys[i].len = (size_t) (reader->next - keys[i].ptr);

		/*
		 * While keys ascend, none can repeat.  Input of our own making always
		 * does, and so does that of most libraries.
		 */
		if (ascending && i > 0 && compare_keys(keys[i - 1], keys[i]) >= 0)
			ascending = false;
		if (!ascending)
		{
			for (j = 0; j < i; j++)
				if (compare_keys(keys[j], keys[i]) == 0)
					return false;
		}

		if (!check_item(reader, depth))
			return false;
	}
	return true;
}

/* depth is the number of arrays, maps and tags around the item. */
static bool
check_item(CborReader *reader, int depth)
{
	CborItem	item;
	uint64_t	i;

	if (!cbor_next(reader, &item))
		return false;

	switch (item.type)
	{
		case CBOR_UINT:
		case CBOR_NINT:
		case CBOR_BYTES:
			return true;
		case CBOR_TEXT:
			return is_text(item.string);
		case CBOR_TAG:
			return depth < CBOR_MAX_DEPTH && check_item(reader, depth + 1);
		case CBOR_MAP:
			return depth < CBOR_MAX_DEPTH && item.value <= CBOR_MAX_ENTRIES &&
				check_map(reader, item.value, depth + 1);
		case CBOR_ARRAY:
			if (depth >= CBOR_MAX_DEPTH || item.value > CBOR_MAX_ENTRIES)
				return false;
			for (i = 0; i < item.value; i++)
				if (!check_item(reader, depth + 1))
					return false;
			return true;
	}
	return false;
}

bool
cbor_check(const uint8_t *bytes, size_t len)
{
	CborReader	reader;

	reader.next = bytes;
	reader.end = bytes + len;
	return check_item(&reader, 0) && reader.next == reader.end;
}

/* With a name, find the text key of that name; without, the integer key. */
static bool
find_key(Slice map, int64_t key, const char *name, CborReader *value)
{
	CborReader	reader;
	CborItem	item;
	uint64_t	entries,
				i;

	cbor_reader_init(&reader, map);
	if (!cbor_next(&reader, &item) || item.type != CBOR_MAP)
		return false;
	entries = item.value;

	for (i = 0; i < entries; i++)
	{
		CborReader	after = reader;
		int64_t		found;

		/* A key may be a container: unchecked input only, but step over all of it. */
		if (!cbor_next(&reader, &item) || !cbor_skip(&after))
			return false;
		if (name == NULL ? cbor_item_int(&item, &found) && found == key :
			item.type == CBOR_TEXT && slice_is(item.string, name))
		{
			*value = after;
			return true;
		}
		reader = after;
		if (!cbor_skip(&reader))
			return false;
	}
	return false;
}

bool
cbor_map_find(Slice map, int64_t key, CborReader *value)
{
	return find_key(map, key, NULL, value);
}

bool
cbor_map_find_text(Slice map, const char *key, CborReader *value)
{
	return find_key(map, 0, key, value);
}

bool
cbor_map_get(Slice map, int64_t key, CborItem *item)
{
	CborReader	value;

	return cbor_map_find(map, key, &value) && cbor_next(&value, item);
}

void
cbor_writer_init(CborWriter *writer, uint8_t *buf, size_t cap)
{
	writer->buf = buf;
	writer->cap = cap;
	writer->len = 0;
	writer->overflow = false;
}

static void
put_raw(CborWriter *writer, const void *bytes, size_t len)
{
	if (writer->overflow || len > writer->cap - writer->len)
	{
		writer->overflow = true;
		return;
	}
	if (len > 0)
		memcpy(writer->buf + writer->len, bytes, len);
	writer->len += len;
}

static void
put_head(CborWriter *writer, CborType type, uint64_t value)
{
	uint8_t		head[9];
	size_t		width,
				i;
	unsigned	info;

	if (value < 24)
	{
		width = 0;
		info = (unsigned) value;
	}
	else if (value <= 0xFF)
	{
		width = 1;
		info = 24;
	}
	else if (value <= 0xFFFF)
	{
		width = 2;
		info = 25;
	}
	else if (value <= 0xFFFFFFFF)
	{
		width = 4;
		info = 26;
	}
	else
	{
		width = 8;
		info = 27;
	}

	head[0] = (uint8_t) ((unsigned) type << 5 | info);
	for (i = 0; i < width; i++)
		head[1 + i] = (uint8_t) (value >> (8 * (width - 1 - i)));
	put_raw(writer, head, 1 + width);
}

void
cbor_put_uint(CborWriter *writer, uint64_t value)
{
	put_head(writer, CBOR_UINT, value);
}

void
cbor_put_int(CborWriter *writer, int64_t value)
{
	if (value >= 0)
		put_head(writer, CBOR_UINT, (uint64_t) value);
	else
		put_head(writer, CBOR_NINT, (uint64_t) (-1 - value));
}

void
cbor_put_bytes(CborWriter *writer, const void *bytes, size_t len)
{
	put_head(writer, CBOR_BYTES, len);
	put_raw(writer, bytes, len);
}

void
cbor_put_text(CborWriter *writer, const char *text, size_t len)
{
	put_head(writer, CBOR_TEXT, len);
	put_raw(writer, text, len);
}

void
cbor_put_cstring(CborWriter *writer, const char *text)
{
	cbor_put_text(writer, text, strlen(text));
}

void
cbor_put_array(CborWriter *writer, size_t entries)
{
	put_head(writer, CBOR_ARRAY, entries);
}

void
cbor_put_map(CborWriter *writer, size_t entries)
{
	put_head(writer, CBOR_MAP, entries);
}

void
cbor_put_tag(CborWriter *writer, uint64_t tag)
{
	put_head(writer, CBOR_TAG, tag);
}
