/*
 * base45.c
 *		RFC 9285: two bytes to three characters, a last odd byte to two.
 *
 * The decoder accepts exactly what the encoder makes, so bytes and text map
 * one to one and no second text form of a token exists.
 */
#include "base45.h"

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

#define NO_DIGIT 0xFF
#define N4 NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT
#define N16 N4, N4, N4, N4

/* The digit of each byte; NO_DIGIT where it is not in the alphabet. */
static const uint8_t digit_of[256] = {
	N16, N16,
	36, NO_DIGIT, NO_DIGIT, NO_DIGIT, 37, 38, NO_DIGIT, NO_DIGIT,
	NO_DIGIT, NO_DIGIT, 39, 40, NO_DIGIT, 41, 42, 43,
	0, 1, 2, 3, 4, 5, 6, 7,
	8, 9, 44, NO_DIGIT, N4,
	NO_DIGIT, 10, 11, 12, 13, 14, 15, 16,
	17, 18, 19, 20, 21, 22, 23, 24,
	25, 26, 27, 28, 29, 30, 31, 32,
	33, 34, 35, NO_DIGIT, N4,
	N16, N16, N16, N16, N16, N16, N16, N16, N16, N16
};

size_t
base45_encode(const uint8_t *bytes, size_t len, char *out)
{
	char	   *p = out;
	size_t		i;

	for (i = 0; i + 1 < len; i += 2)
	{
		unsigned	n = (unsigned) bytes[i] << 8 | bytes[i + 1];

		*p++ = alphabet[n % 45];
		n /= 45;
		*p++ = alphabet[n % 45];
		*p++ = alphabet[n / 45];
	}
	if (i < len)
	{
		*p++ = alphabet[bytes[i] % 45];
		*p++ = alphabet[bytes[i] / 45];
	}
	return (size_t) (p - out);
}

bool
base45_decode(const char *text, size_t len, uint8_t *out, size_t *out_len)
{
	const uint8_t *s = (const uint8_t *) text;
	uint8_t    *p = out;
	size_t		i;

	if (len % 3 == 1)
		return false;

	for (i = 0; i + 2 < len; i += 3)
	{
		uint8_t		a = digit_of[s[i]];
		uint8_t		b = digit_of[s[i + 1]];
		uint8_t		c = digit_of[s[i + 2]];
		unsigned	n = a + 45U * b + 2025U * c;

		if (a == NO_DIGIT || b == NO_DIGIT || c == NO_DIGIT || n > 0xFFFF)
			return false;
		*p++ = (uint8_t) (n >> 8);
		*p++ = (uint8_t) n;
	}
	if (i < len)
	{
		uint8_t		a = digit_of[s[i]];
		uint8_t		b = digit_of[s[i + 1]];
		unsigned	n = a + 45U * b;

		if (a == NO_DIGIT || b == NO_DIGIT || n > 0xFF)
			return false;
		*p++ = (uint8_t) n;
	}
	*out_len = (size_t) (p - out);
	return true;
}
