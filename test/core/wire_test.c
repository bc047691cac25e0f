/*
 * wire_test.c
 *		Promises of core/wire.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base45.h"
#include "core/wire.h"
#include "tap.h"

static int
first_block_type(const uint8_t *zlib)
{
	return zlib[2] >> 1 & 3;
}

static bool
inflates_to(const uint8_t *zlib, size_t zlib_len, const uint8_t *bytes, size_t len)
{
	uint8_t    *copy = tap_copy(zlib, zlib_len);
	uint8_t    *out = malloc(len + 1);
	size_t		out_len;
	bool		ok = wire_inflate(copy, zlib_len, out, len, &out_len) &&
		out_len == len && memcmp(out, bytes, len) == 0;

	free(copy);
	free(out);
	return ok;
}

static bool
inflates_to_a(const char *zlib_hex)
{
	size_t		len;
	uint8_t    *zlib = tap_unhex(zlib_hex, &len);
	bool		ok = inflates_to(zlib, len, (const uint8_t *) "a", 1);

	free(zlib);
	tap_note(zlib_hex);
	return ok;
}

static void
random_bytes(uint8_t *bytes, size_t len)
{
	while (len > 0)
		bytes[--len] = (uint8_t) (tap_random() >> 32);
}

static void
every_length(void)
{
	static uint8_t bytes[2048],
				zlib[4096];
	size_t		len;

	for (len = 0; len <= 600; len++)
	{
		size_t		zlib_len;

		random_bytes(bytes, len);
		zlib_len = wire_deflate(bytes, len, zlib, sizeof(zlib));
		CHECK(zlib_len > 0 && first_block_type(zlib) != 0);
		CHECK(inflates_to(zlib, zlib_len, bytes, len));

		memset(bytes, (int) len, len);
		zlib_len = wire_deflate(bytes, len, zlib, sizeof(zlib));
		CHECK(zlib_len > 0 && first_block_type(zlib) != 0);
		CHECK(inflates_to(zlib, zlib_len, bytes, len));
	}
}

/*
 * The worst for fixed codes: each byte takes 9 bits, and none repeats.  Left to itself
 * zlib stores this.
 */
static void
worst_input(void)
{
	static uint8_t bytes[40000],
				zlib[50000];
	size_t		zlib_len,
				i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t) (144 + (tap_random() >> 32) % 112);
	for (i = 0; i < 112; i++)
		bytes[i] = (uint8_t) (144 + i);
	for (i = 1; i <= 112; i++)
	{
		zlib_len = wire_deflate(bytes, i, zlib, sizeof(zlib));
		CHECK(zlib_len > 0 && first_block_type(zlib) != 0);
		CHECK(inflates_to(zlib, zlib_len, bytes, i));
	}

	random_bytes(bytes, sizeof(bytes));
	zlib_len = wire_deflate(bytes, sizeof(bytes), zlib, sizeof(zlib));
	CHECK(first_block_type(zlib) != 0);
	CHECK(zlib_len > sizeof(bytes) && zlib_len < sizeof(bytes) + 64);
	CHECK(inflates_to(zlib, zlib_len, bytes, sizeof(bytes)));
}

static void
no_room(void)
{
	uint8_t		bytes[200],
				zlib[300];
	size_t		len,
				cap;

	random_bytes(bytes, sizeof(bytes));
	len = wire_deflate(bytes, sizeof(bytes), zlib, sizeof(zlib));
	CHECK(len > sizeof(bytes));
	for (cap = 0; cap < len; cap++)
		CHECK(wire_deflate(bytes, sizeof(bytes), zlib, cap) == 0);

	/* A failure leaves nothing behind in the stream. */
	CHECK(wire_deflate(bytes, sizeof(bytes), zlib, len) == len);
	CHECK(inflates_to(zlib, len, bytes, sizeof(bytes)));
}

static void
inflate_limits(void)
{
	static uint8_t bytes[WIRE_MAX_INFLATED + 1],
				zlib[WIRE_MAX_COMPRESSED],
				out[WIRE_MAX_INFLATED];
	size_t		len,
				out_len;

	/* A few dozen bytes that would become 8 KiB, and one that is a byte too many. */
	len = wire_deflate(bytes, WIRE_MAX_INFLATED, zlib, sizeof(zlib));
	CHECK(len > 0 && len < 100);
	CHECK(wire_inflate(zlib, len, out, sizeof(out), &out_len) && out_len == sizeof(out));
	len = wire_deflate(bytes, WIRE_MAX_INFLATED + 1, zlib, sizeof(zlib));
	CHECK(!wire_inflate(zlib, len, out, sizeof(out), &out_len));
}

static void
inflate_refusals(void)
{
	uint8_t		bytes[100],
				zlib[200],
				out[200];
	size_t		len,
				cut,
				out_len;

	memset(bytes, 'x', sizeof(bytes));
	bytes[50] = 'y';
	len = wire_deflate(bytes, sizeof(bytes), zlib, sizeof(zlib));
	CHECK(wire_inflate(zlib, len, out, sizeof(out), &out_len) && out_len == sizeof(bytes));

	for (cut = 0; cut < len; cut++)
	{
		uint8_t    *part = tap_copy(zlib, cut);

		CHECK(!wire_inflate(part, cut, out, sizeof(out), &out_len));
		free(part);
	}
	zlib[len] = 0;
	CHECK(!wire_inflate(zlib, len + 1, out, sizeof(out), &out_len));	/* a byte after it */
	zlib[len - 1] ^= 1;
	CHECK(!wire_inflate(zlib, len, out, sizeof(out), &out_len));	/* a wrong checksum */
	zlib[len - 1] ^= 1;

	/* Two streams in a row, a preset dictionary, gzip, raw deflate. */
	memcpy(zlib + len, zlib, len);
	CHECK(!wire_inflate(zlib, 2 * len, out, sizeof(out), &out_len));
	CHECK(!inflates_to_a("78f9062c01494b04000062" "0062"));
	CHECK(!inflates_to_a("1f8b08000000000000034b0400" "43beb7e801000000"));
	CHECK(!inflates_to_a("4b0400"));

	/* And after all that the stream still works. */
	CHECK(wire_inflate(zlib, len, out, sizeof(out), &out_len) && out_len == sizeof(bytes));
}

/* What zlib's level 9 makes elsewhere is read here, stored blocks included. */
static void
foreign_streams(void)
{
	CHECK(inflates_to_a("78da4b0400" "00620062"));
	CHECK(inflates_to_a("7801" "010100feff61" "00620062"));
}

static bool
read_text(const char *text, size_t len, const char *expected)
{
	static uint8_t compressed[WIRE_MAX_COMPRESSED],
				message[WIRE_MAX_INFLATED];
	char	   *copy = (char *) tap_copy(text, len);
	size_t		compressed_len,
				message_len;
	bool		ok = wire_read_text(copy, len, compressed, &compressed_len, message, &message_len);

	free(copy);
	return ok && message_len == strlen(expected) && memcmp(message, expected, message_len) == 0;
}

static size_t
make_text(const char *prefix, const char *message, char *text)
{
	uint8_t		zlib[WIRE_MAX_COMPRESSED];
	size_t		len = wire_deflate((const uint8_t *) message, strlen(message), zlib, sizeof(zlib));

	memcpy(text, prefix, strlen(prefix));
	return strlen(prefix) + base45_encode(zlib, len, text + strlen(prefix));
}

static void
presented_text(void)
{
	char		text[WIRE_MAX_TEXT];
	size_t		len;

	len = make_text("", "message", text);
	CHECK(read_text(text, len, "message"));
	len = make_text("https://epermit.invalid/v#", "message", text);
	CHECK(read_text(text, len, "message"));
	len = make_text("HTTPS://EPERMIT.INVALID/V#", "message", text);
	CHECK(read_text(text, len, "message"));
	len = make_text("https://#", "message", text);
	CHECK(read_text(text, len, "message"));
}

static void
presented_garbage(void)
{
	char		text[WIRE_MAX_TEXT];
	size_t		len;

	CHECK(!read_text("", 0, ""));
	CHECK(!read_text("https://epermit.invalid/v#", 26, ""));
	len = make_text("http://epermit.invalid/v#", "message", text);
	CHECK(!read_text(text, len, "message"));
	len = make_text("https://a#b#", "message", text);
	CHECK(!read_text(text, len, "message"));
	len = make_text("#", "message", text);
	CHECK(!read_text(text, len, "message"));
	len = make_text("HC1:", "message", text);
	CHECK(!read_text(text, len, "message"));

	/* Nothing is trimmed. */
	len = make_text(" ", "message", text);
	CHECK(!read_text(text, len, "message"));
	len = make_text("", "message", text);
	text[len] = '\n';
	CHECK(!read_text(text, len + 1, "message"));
	text[len] = ' ';
	CHECK(!read_text(text, len + 1, "message"));
	text[0] = 'n';
	CHECK(!read_text(text, len, "message"));
}

static void
presented_too_long(void)
{
	static char text[WIRE_MAX_TEXT + 1];
	static uint8_t zlib[WIRE_MAX_COMPRESSED];
	size_t		len,
				prefix;

	memset(text, '0', sizeof(text));
	CHECK(!read_text(text, sizeof(text), ""));

	/* The same text at the limit, made long by its prefix, and one character over it. */
	len = wire_deflate((const uint8_t *) "message", 7, zlib, sizeof(zlib));
	prefix = WIRE_MAX_TEXT - BASE45_ENCODED_LEN(len);
	memset(text, 'x', prefix);
	memcpy(text, "https://", 8);
	text[prefix - 1] = '#';
	(void) base45_encode(zlib, len, text + prefix);
	CHECK(read_text(text, WIRE_MAX_TEXT, "message"));
	memmove(text + 9, text + 8, WIRE_MAX_TEXT - 8);
	CHECK(!read_text(text, WIRE_MAX_TEXT + 1, "message"));
}

static void
prefixes(void)
{
	static const char *const whole[] = {
		"", "h", "https:/", "https://", "https://x", "http://x#y", "#y", "ttps://x#y"
	};
	size_t		i;

	for (i = 0; i < LENGTH_OF(whole); i++)
	{
		tap_note(whole[i]);
		CHECK(tap_slice_is(wire_strip_prefix(whole[i], strlen(whole[i])), whole[i]));
	}
	CHECK(tap_slice_is(wire_strip_prefix("https://x#y", 11), "y"));
	CHECK(tap_slice_is(wire_strip_prefix("hTTpS://x#", 10), ""));
	CHECK(tap_slice_is(wire_strip_prefix("https://x#y#z", 13), "y#z"));
}

void
test_wire(void)
{
	RUN("wire: input of any length compresses and comes back, no first block stored", every_length);
	RUN("wire: incompressible input neither fails nor starts with a stored block", worst_input);
	RUN("wire: a buffer too small is a refusal, and leaves no trace", no_room);
	RUN("wire: inflating stops at the limit", inflate_limits);
	RUN("wire: exactly one zlib stream, whole, without dictionary", inflate_refusals);
	RUN("wire: streams that others made are read", foreign_streams);
	RUN("wire: text is read with and without a link in front", presented_text);
	RUN("wire: text of any other shape is refused, nothing is trimmed", presented_garbage);
	RUN("wire: text over 4,296 characters is refused unread", presented_too_long);
	RUN("wire: what follows https://...# is the text", prefixes);
}
