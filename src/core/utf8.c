/*
 * utf8.c
 *		Strict UTF-8 decoding (RFC 3629), for names and for CBOR text.
 *
 * A lead byte fixes the length and, through the permitted range of the second
 * byte, excludes overlong forms, surrogates and code points past U+10FFFF: the
 * table of RFC 3629 section 4.
 */
#include <string.h>

#include "utf8.h"

static bool
is_tail(uint8_t byte)
{
	return (byte & 0xC0) == 0x80;
}

bool
utf8_next(const uint8_t **p, const uint8_t *end, uint32_t *codepoint)
{
	const uint8_t *s = *p;
	size_t		left = (size_t) (end - s);
	uint8_t		lead;

	if (left == 0)
		return false;
	lead = s[0];

	if (lead < 0x80)
	{
		*codepoint = lead;
		*p = s + 1;
		return true;
	}
	if (lead < 0xC2)			/* a tail byte, or overlong */
		return false;
	if (lead < 0xE0)
	{
		if (left < 2 || !is_tail(s[1]))
			return false;
		*codepoint = (uint32_t) (lead & 0x1F) << 6 | (s[1] & 0x3F);
		*p = s + 2;
		return true;
	}
	if (lead < 0xF0)
	{
		if (left < 3 || !is_tail(s[1]) || !is_tail(s[2]))
			return false;
		if (lead == 0xE0 && s[1] < 0xA0)	/* overlong */
			return false;
		if (lead == 0xED && s[1] > 0x9F)	/* surrogate */
			return false;
		*codepoint = (uint32_t) (lead & 0x0F) << 12 | (uint32_t) (s[1] & 0x3F) << 6 | (s[2] & 0x3F);
		*p = s + 3;
		return true;
	}
	if (lead < 0xF5)
	{
		if (left < 4 || !is_tail(s[1]) || !is_tail(s[2]) || !is_tail(s[3]))
			return false;
		if (lead == 0xF0 && s[1] < 0x90)	/* overlong */
			return false;
		if (lead == 0xF4 && s[1] > 0x8F)	/* past U+10FFFF */
			return false;
		*codepoint = (uint32_t) (lead & 0x07) << 18 | (uint32_t) (s[1] & 0x3F) << 12 |
			(uint32_t) (s[2] & 0x3F) << 6 | (s[3] & 0x3F);
		*p = s + 4;
		return true;
	}
	return false;
}

bool
utf8_valid(const uint8_t *bytes, size_t len)
{
	const uint8_t *p = bytes;
	const uint8_t *end = bytes + len;
	uint32_t	codepoint;

	while (p < end)
	{
		uint64_t	word;

		/* Most text is ASCII: take eight such bytes at a time. */
		if (end - p >= 8)
		{
			memcpy(&word, p, 8);
			if ((word & UINT64_C(0x8080808080808080)) == 0)
			{
				p += 8;
				continue;
			}
		}
		if (!utf8_next(&p, end, &codepoint))
			return false;
	}
	return true;
}
