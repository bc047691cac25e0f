/*
 * name.c
 *		The characters a name may have, and the key romanised names compare by.
 *
 * A name is shown to officers and compared byte by byte, so two names that look
 * the same must be the same: what nobody sees is refused, not dropped.
 */
#include "name.h"
#include "utf8.h"

#define MIDDLE_DOT 0x00B7

typedef struct CodepointRange
{
	uint32_t	first,
				last;
} CodepointRange;

/*
 * Controls; characters without a width of their own (the default-ignorable ones
 * and the format controls), but for the ideographic variation selectors
 * U+E0100..E01EF, which tell rare glyphs apart; line and paragraph separators; and the
 * marks of a failed conversion.  Ascending.
 */
static const CodepointRange refused[] = {
	{0x0000, 0x001F},
	{'?', '?'},
	{0x007F, 0x009F},
	{0x00AD, 0x00AD},			/* soft hyphen */
	{0x034F, 0x034F},			/* combining grapheme joiner */
	{0x0600, 0x0605},
	{0x061C, 0x061C},
	{0x06DD, 0x06DD},
	{0x070F, 0x070F},
	{0x115F, 0x1160},			/* Hangul fillers */
	{0x17B4, 0x17B5},
	{0x180B, 0x180F},
	{0x200B, 0x200F},			/* zero-width space, joiners, direction marks */
	{0x2028, 0x202E},
	{0x2060, 0x206F},
	{0x3164, 0x3164},
	{0xFDD0, 0xFDEF},			/* noncharacters */
	{0xFE00, 0xFE0F},
	{0xFEFF, 0xFEFF},
	{0xFF1F, 0xFF1F},			/* full-width question mark */
	{0xFFA0, 0xFFA0},
	{0xFFF0, 0xFFFF},			/* with U+FFFD */
	{0x110BD, 0x110BD},
	{0x110CD, 0x110CD},
	{0x1BCA0, 0x1BCA3},
	{0x1D173, 0x1D17A},
	{0xE0000, 0xE00FF},			/* tags */
	{0xE01F0, 0xE0FFF}
};

static bool
is_refused(uint32_t codepoint)
{
	size_t		i;

	if ((codepoint & 0xFFFE) == 0xFFFE) /* the last two of each plane */
		return true;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
	{
		if (codepoint < refused[i].first)
			return false;
		if (codepoint <= refused[i].last)
			return true;
	}
	return false;
}

static bool
is_space(uint32_t codepoint)
{
	return codepoint == ' ' || codepoint == 0x00A0 || codepoint == 0x1680 ||
		(codepoint >= 0x2000 && codepoint <= 0x200A) ||
		codepoint == 0x202F || codepoint == 0x205F || codepoint == 0x3000;
}

static bool
is_separator(uint32_t codepoint)
{
	return codepoint == MIDDLE_DOT || codepoint == 0x2022 || codepoint == 0x2027 ||
		codepoint == 0x30FB || codepoint == 0xFF65;
}

NameRule
name_clean(const char *text, size_t len, size_t max_chars, char *out, size_t *out_len)
{
	const uint8_t *p = (const uint8_t *) text;
	const uint8_t *end = p + len;
	char	   *q = out;
	size_t		chars = 0;
	bool		space = false;	/* one is owed, should another character follow */

	*out_len = 0;
	while (p < end)
	{
		const uint8_t *start = p;
		uint32_t	codepoint;

		if (!utf8_next(&p, end, &codepoint) || is_refused(codepoint))
			return NAME_CHARSET;
		if (is_space(codepoint))
		{
			space = true;
			continue;
		}
		if (space && chars > 0)
		{
			*q++ = ' ';
			chars++;
		}
		space = false;

		if (is_separator(codepoint))
		{
			*q++ = (char) 0xC2;
			*q++ = (char) 0xB7;
		}
		else
		{
			while (start < p)
				*q++ = (char) *start++;
		}
		chars++;
	}

	if (chars == 0)
		return NAME_EMPTY;
	if (chars > max_chars)
		return NAME_LENGTH;
	*out_len = (size_t) (q - out);
	return NAME_OK;
}

/* Spaces, hyphens, commas and apostrophes, as typed and as a word processor makes them. */
static bool
is_punctuation(uint32_t codepoint)
{
	switch (codepoint)
	{
		case '-':
		case ',':
		case '\'':
		case 0x2018:
		case 0x2019:
		case 0x02BC:
			return true;
		default:
			return is_space(codepoint) || (codepoint >= 0x2010 && codepoint <= 0x2015);
	}
}

size_t
name_romanised_key(const char *text, size_t len, char *out)
{
	const uint8_t *p = (const uint8_t *) text;
	const uint8_t *end = p + len;
	char	   *q = out;

	while (p < end)
	{
		const uint8_t *start = p;
		uint32_t	codepoint;

		if (!utf8_next(&p, end, &codepoint))
			p++;				/* keep the byte: it must not make two names equal */
		else if (is_punctuation(codepoint))
			continue;

		if (*start >= 'a' && *start <= 'z')
		{
			*q++ = (char) (*start - 'a' + 'A');
			continue;
		}
		while (start < p)
			*q++ = (char) *start++;
	}
	return (size_t) (q - out);
}
