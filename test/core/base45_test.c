/*
 * base45_test.c
 *		Promises of core/base45.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base45.h"
#include "tap.h"

static bool
decode(const char *text, size_t len, uint8_t *bytes, size_t *bytes_len)
{
	char	   *copy = (char *) tap_copy(text, len);
	uint8_t    *out = malloc(BASE45_DECODED_MAX(len));
	bool		ok = base45_decode(copy, len, out, bytes_len);

	if (ok)
		memcpy(bytes, out, *bytes_len);
	free(copy);
	free(out);
	return ok;
}

static bool
pair(const char *bytes, const char *text)
{
	char		encoded[64];
	uint8_t		decoded[64];
	size_t		len;

	tap_note(text);
	return base45_encode((const uint8_t *) bytes, strlen(bytes), encoded) == strlen(text) &&
		memcmp(encoded, text, strlen(text)) == 0 &&
		BASE45_ENCODED_LEN(strlen(bytes)) == strlen(text) &&
		decode(text, strlen(text), decoded, &len) &&
		len == strlen(bytes) && memcmp(decoded, bytes, len) == 0;
}

static bool
refused(const char *text)
{
	uint8_t		decoded[64];
	size_t		len;

	tap_note(text);
	return !decode(text, strlen(text), decoded, &len);
}

static void
rfc9285(void)
{
	CHECK(pair("AB", "BB8"));
	CHECK(pair("Hello!!", "%69 VD92EX0"));
	CHECK(pair("base-45", "UJCLQE7W581"));
	CHECK(pair("ietf!", "QED8WEX0"));
	CHECK(pair("", ""));
}

static void
ranges(void)
{
	CHECK(pair("\xFF\xFF", "FGW"));
	CHECK(refused("GGW"));		/* 65,536 */
	CHECK(refused(":::"));
	CHECK(pair("\xFF", "U5"));
	CHECK(refused("V5"));		/* 256 */
	CHECK(refused("::"));
}

static void
strictness(void)
{
	int			c;

	CHECK(refused("B"));
	CHECK(refused("BB8B"));
	CHECK(refused("bb8"));
	CHECK(refused("BB8\n"));
	CHECK(refused(" BB8 "));
	CHECK(refused("BB8="));
	CHECK(refused("B\xFF" "8"));

	/* Each byte, in each place of a group of three and of two; "0" leaves room in the range. */
	for (c = 0; c < 256; c++)
	{
		bool		in_alphabet = c != 0 &&
			strchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", c) != NULL;
		char		text[3];
		uint8_t		bytes[3];
		size_t		len,
					i;

		for (i = 0; i < 3; i++)
		{
			memset(text, '0', sizeof(text));
			text[i] = (char) c;
			if (i < 2 || !in_alphabet)
				CHECK(decode(text, 3, bytes, &len) == in_alphabet);
			if (i == 0 || (i == 1 && !in_alphabet))
				CHECK(decode(text, 2, bytes, &len) == in_alphabet);
		}
	}
}

static void
round_trips(void)
{
	uint8_t		bytes[256],
				back[256];
	char		text[BASE45_ENCODED_LEN(256)];
	size_t		len,
				i;

	for (len = 0; len <= sizeof(bytes); len++)
	{
		size_t		text_len,
					back_len;

		for (i = 0; i < len; i++)
			bytes[i] = (uint8_t) tap_random();
		text_len = base45_encode(bytes, len, text);
		CHECK(text_len == BASE45_ENCODED_LEN(len));
		CHECK(decode(text, text_len, back, &back_len));
		CHECK(back_len == len && memcmp(bytes, back, len) == 0);
		CHECK(len <= BASE45_DECODED_MAX(text_len));
	}
}

/* No second text for the same bytes: whatever decodes, encodes to itself. */
static void
one_text(void)
{
	static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
	int			accepted = 0;
	int			a,
				b,
				c;

	for (a = 0; a < 45; a++)
		for (b = 0; b < 45; b++)
		{
			char		text[3],
						again[3];
			uint8_t		bytes[3];
			size_t		len;

			text[0] = alphabet[a];
			text[1] = alphabet[b];
			if (base45_decode(text, 2, bytes, &len))
			{
				accepted++;
				CHECK(base45_encode(bytes, len, again) == 2 && memcmp(text, again, 2) == 0);
			}
			for (c = 0; c < 45; c++)
			{
				text[2] = alphabet[c];
				if (!base45_decode(text, 3, bytes, &len))
					continue;
				accepted++;
				if (base45_encode(bytes, len, again) != 3 || memcmp(text, again, 3) != 0)
					CHECK(false);
			}
		}
	CHECK(accepted == 65536 + 256);
}

void
test_base45(void)
{
	RUN("base45: the examples of RFC 9285", rfc9285);
	RUN("base45: a group over its range is refused", ranges);
	RUN("base45: nothing outside the alphabet, no odd length, no white space", strictness);
	RUN("base45: bytes of any length come back", round_trips);
	RUN("base45: no bytes have two texts", one_text);
}
