/*
 * utf8_test.c
 *		Promises of core/utf8.
 */
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "tap.h"

static bool
valid(const char *text)
{
	uint8_t    *copy = tap_copy(text, strlen(text));
	bool		result = utf8_valid(copy, strlen(text));

	free(copy);
	tap_note(text);
	return result;
}

/* UTF-8 by RFC 3629, the other way round. */
static size_t
encode(uint32_t c, uint8_t *out)
{
	if (c < 0x80)
	{
		out[0] = (uint8_t) c;
		return 1;
	}
	if (c < 0x800)
	{
		out[0] = (uint8_t) (0xC0 | c >> 6);
		out[1] = (uint8_t) (0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000)
	{
		out[0] = (uint8_t) (0xE0 | c >> 12);
		out[1] = (uint8_t) (0x80 | (c >> 6 & 0x3F));
		out[2] = (uint8_t) (0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (uint8_t) (0xF0 | c >> 18);
	out[1] = (uint8_t) (0x80 | (c >> 12 & 0x3F));
	out[2] = (uint8_t) (0x80 | (c >> 6 & 0x3F));
	out[3] = (uint8_t) (0x80 | (c & 0x3F));
	return 4;
}

static void
every_code_point(void)
{
	uint32_t	c;

	for (c = 0; c <= 0x110000; c++)
	{
		uint8_t		bytes[4];
		size_t		len = encode(c, bytes);
		const uint8_t *p = bytes;
		uint32_t	found = 0;
		bool		is_character = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);

		if (!CHECK(utf8_next(&p, bytes + len, &found) == is_character) ||
			!CHECK(is_character ? p == bytes + len && found == c : p == bytes) ||
			!CHECK(utf8_valid(bytes, len) == is_character))
			break;
	}
}

static void
end_of_input(void)
{
	const uint8_t bytes[] = {'A'};
	const uint8_t *p = bytes;
	uint32_t	c;

	CHECK(utf8_next(&p, bytes + 1, &c) && c == 'A');
	CHECK(!utf8_next(&p, bytes + 1, &c) && p == bytes + 1);
	CHECK(utf8_valid(bytes, 0));
}

static void
not_utf8(void)
{
	CHECK(valid(""));
	CHECK(!valid("\x80"));
	CHECK(!valid("\xC0\x80"));	/* overlong */
	CHECK(!valid("\xC1\xBF"));
	CHECK(!valid("\xE0\x9F\xBF"));
	CHECK(!valid("\xF0\x8F\xBF\xBF"));
	CHECK(!valid("\xF5\x80\x80\x80"));
	CHECK(!valid("\xFF"));
	CHECK(!valid("\xC2"));		/* cut short */
	CHECK(!valid("\xE9\x99"));
	CHECK(!valid("\xF0\xA0\xAE"));
	CHECK(!valid("\xC2" "A"));	/* no tail */
	CHECK(!valid("\xE9" "AA"));
	CHECK(!valid("\xE9\x99" "A"));
	CHECK(!valid("\xF0\xA0\xAE" "A"));
}

/* Eight ASCII bytes are taken at a time: what is wrong must be seen at every offset. */
static void
every_offset(void)
{
	char		text[25];
	size_t		i;

	for (i = 0; i < 24; i++)
	{
		memset(text, 'A', 24);
		text[24] = '\0';
		CHECK(valid(text));
		text[i] = (char) 0xFF;
		CHECK(!valid(text));
	}
}

void
test_utf8(void)
{
	RUN("utf8: every code point is read, surrogates and beyond are not", every_code_point);
	RUN("utf8: at the end of input there is no code point", end_of_input);
	RUN("utf8: overlong, cut and stray bytes are refused", not_utf8);
	RUN("utf8: one bad byte is seen wherever it stands", every_offset);
}
