/*
 * wire.c
 *		Compression and the limits of what is presented.
 *
 * Both streams live as long as the process and are reset, not rebuilt.  Input is
 * refused by its length before any of it is decoded.
 */
#include <string.h>

#include <zlib.h>

#include "base45.h"
#include "wire.h"

/* The longest text must fit in the caller's buffer; the compiler checks it. */
typedef char text_fits[BASE45_DECODED_MAX(WIRE_MAX_TEXT) <= WIRE_MAX_COMPRESSED ? 1 : -1];

/* Bytes that never make a stored block: see wire_deflate(). */
#define UNSTORED_HEAD 8

static bool
is_stored(const uint8_t *zlib)
{
	/* Two bytes of zlib header, then one bit "last block" and two bits of block type. */
	return (zlib[2] >> 1 & 3) == 0;
}

/*
 * Deflate all of it.  With a head, its first bytes get a block of their own: Z_BLOCK
 * ends a block without the empty stored one that Z_SYNC_FLUSH adds.
 */
static size_t
deflate_all(z_stream *stream, const uint8_t *bytes, size_t len, size_t head,
			uint8_t *out, size_t cap)
{
	stream->next_in = (z_const Bytef *) bytes;
	stream->avail_in = (uInt) head;
	stream->next_out = out;
	stream->avail_out = (uInt) cap;
	if (head > 0 && deflate(stream, Z_BLOCK) != Z_OK)
		return 0;

	stream->avail_in += (uInt) (len - head);
	if (deflate(stream, Z_FINISH) != Z_STREAM_END)
		return 0;
	return cap - stream->avail_out;
}

size_t
wire_deflate(const uint8_t *bytes, size_t len, uint8_t *out, size_t cap)
{
	static z_stream stream;
	static bool ready = false;
	size_t		written;

	if (!ready)
	{
		memset(&stream, 0, sizeof(stream));
		if (deflateInit2(&stream, 9, Z_DEFLATED, 15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
			return 0;
		ready = true;
	}
	else if (deflateReset(&stream) != Z_OK)
		return 0;

	if (len > UINT32_MAX || cap > UINT32_MAX)
		return 0;
	written = deflate_all(&stream, bytes, len, 0, out, cap);
	if (written > 0 && is_stored(out))
	{
		/*
		 * Incompressible.  A stored block of n bytes takes 4 more for its length;
		 * one with fixed codes at most 9 bits a byte, 7 for the end of block and no
		 * length.  So of 8 bytes the latter is the shorter, always, and zlib takes the
		 * shorter.  Only the first block matters: what follows may be stored.
		 */
		if (deflateReset(&stream) != Z_OK)
			return 0;
		written = deflate_all(&stream, bytes, len, UNSTORED_HEAD, out, cap);
	}
	return written;
}

bool
wire_inflate(const uint8_t *bytes, size_t len, uint8_t *out, size_t cap, size_t *out_len)
{
	static z_stream stream;
	static bool ready = false;

	if (!ready)
	{
		memset(&stream, 0, sizeof(stream));
		if (inflateInit2(&stream, 15) != Z_OK)
			return false;
		ready = true;
	}
	else if (inflateReset(&stream) != Z_OK)
		return false;

	if (len > UINT32_MAX || cap > UINT32_MAX)
		return false;
	stream.next_in = (z_const Bytef *) bytes;
	stream.avail_in = (uInt) len;
	stream.next_out = out;
	stream.avail_out = (uInt) cap;

	/* More than cap bytes end in Z_BUF_ERROR, a preset dictionary in Z_NEED_DICT. */
	if (inflate(&stream, Z_FINISH) != Z_STREAM_END || stream.avail_in != 0)
		return false;
	*out_len = cap - stream.avail_out;
	return true;
}

Slice
wire_strip_prefix(const char *text, size_t len)
{
	static const char scheme[] = "https://";
	const size_t scheme_len = sizeof(scheme) - 1;
	const char *hash;
	Slice		rest;
	size_t		i;

	rest.ptr = (const uint8_t *) text;
	rest.len = len;

	if (len < scheme_len)
		return rest;
	for (i = 0; i < scheme_len; i++)
	{
		char		c = text[i];

		/* QR alphanumeric mode knows capitals only. */
		if (c >= 'A' && c <= 'Z')
			c = (char) (c - 'A' + 'a');
		if (c != scheme[i])
			return rest;
	}

	/* "#" is no base45 digit, so the first one ends the prefix. */
	hash = memchr(text, '#', len);
	if (hash != NULL)
	{
		rest.ptr = (const uint8_t *) hash + 1;
		rest.len = len - (size_t) (hash + 1 - text);
	}
	return rest;
}

bool
wire_read_text(const char *text, size_t len, uint8_t *compressed, size_t *compressed_len,
			   uint8_t *message, size_t *message_len)
{
	Slice		digits;

	if (len > WIRE_MAX_TEXT)
		return false;
	digits = wire_strip_prefix(text, len);
	return base45_decode((const char *) digits.ptr, digits.len, compressed, compressed_len) &&
		wire_inflate(compressed, *compressed_len, message, WIRE_MAX_INFLATED, message_len);
}
