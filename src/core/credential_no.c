/*
 * credential_no.c
 *		Permit and linkage numbers: bits, printed form and check character.
 *
 * The check is ISO 7064's hybrid system with modulus M + 1, M for M = 32: like
 * MOD 37,36, over Crockford's alphabet instead of the 36 letters and digits.  It
 * catches every single wrong character and all but one in 496 exchanges of two
 * different neighbours, as the standard's hybrid systems do.
 */
#include <string.h>

#include "credential_no.h"

#define RADIX 32
#define KIND_BITS 1
#define HOLDER_BITS 40
#define MONTH_BITS 12
#define SLOT_BITS 4
#define RANDOM_BITS 39

#define DIGITS 19				/* after the kind, before the check */
#define CHARACTERS (1 + DIGITS + 1)
#define GROUP 5

/* By how much length and alphabet may be off for a text to count as mistyped. */
#define TOLERANCE 1

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#define NO_DIGIT (-1)
#define KIND_PERMIT 26			/* T */
#define KIND_LINKAGE 1			/* L, which Crockford reads as 1 */

/* Bits are numbered from the front, as they are written down. */
static uint64_t
get_bits(const uint8_t *bytes, unsigned first, unsigned n)
{
	uint64_t	value = 0;
	unsigned	i;

	for (i = first; i < first + n; i++)
		value = value << 1 | (bytes[i / 8] >> (7 - i % 8) & 1U);
	return value;
}

/* Into bytes that were zero. */
static void
set_bits(uint8_t *bytes, unsigned first, unsigned n, uint64_t value)
{
	unsigned	i;

	for (i = first + n; i-- > first; value >>= 1)
		bytes[i / 8] |= (uint8_t) ((value & 1) << (7 - i % 8));
}

void
credential_no_pack(const CredentialParts *parts, CredentialNo *no)
{
	unsigned	at = 0;

	memset(no, 0, sizeof(*no));
	set_bits(no->bytes, at, KIND_BITS, parts->is_permit ? 0 : 1);
	at += KIND_BITS;
	set_bits(no->bytes, at, HOLDER_BITS, parts->holder_id);
	at += HOLDER_BITS;
	set_bits(no->bytes, at, MONTH_BITS, (uint64_t) parts->month);
	at += MONTH_BITS;
	set_bits(no->bytes, at, SLOT_BITS, (uint64_t) parts->slot);
	at += SLOT_BITS;
	set_bits(no->bytes, at, RANDOM_BITS, parts->random);
}

void
credential_no_unpack(const CredentialNo *no, CredentialParts *parts)
{
	unsigned	at = 0;

	parts->is_permit = get_bits(no->bytes, at, KIND_BITS) == 0;
	at += KIND_BITS;
	parts->holder_id = get_bits(no->bytes, at, HOLDER_BITS);
	at += HOLDER_BITS;
	parts->month = (int) get_bits(no->bytes, at, MONTH_BITS);
	at += MONTH_BITS;
	parts->slot = (int) get_bits(no->bytes, at, SLOT_BITS);
	at += SLOT_BITS;
	parts->random = get_bits(no->bytes, at, RANDOM_BITS);
}

/* One step of the hybrid system: p stays within 1..RADIX. */
static int
check_step(int p, int digit)
{
	int			s = (p + digit) % RADIX;

	if (s == 0)
		s = RADIX;
	return s * 2 % (RADIX + 1);
}

/* The check digit of the kind and the 19 digits. */
static int
check_digit(const int *digits)
{
	int			p = RADIX;
	int			i;

	for (i = 0; i < 1 + DIGITS; i++)
		p = check_step(p, digits[i]);
	return (RADIX + 1 - p) % RADIX;
}

void
credential_no_format(const CredentialNo *no, char *out)
{
	int			digits[CHARACTERS];
	bool		is_permit = get_bits(no->bytes, 0, KIND_BITS) == 0;
	int			i;

	digits[0] = is_permit ? KIND_PERMIT : KIND_LINKAGE;
	for (i = 0; i < DIGITS; i++)
		digits[1 + i] = (int) get_bits(no->bytes, KIND_BITS + 5 * (unsigned) i, 5);
	digits[1 + DIGITS] = check_digit(digits);

	*out++ = is_permit ? 'T' : 'L';
	for (i = 1; i < CHARACTERS; i++)
	{
		if (i % GROUP == 1)
			*out++ = '-';
		*out++ = alphabet[digits[i]];
	}
	*out = '\0';
}

static char
upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : c;
}

static int
digit_value(char c)
{
	int			i;

	c = upper(c);
	if (c == 'O')
		c = '0';
	else if (c == 'I' || c == 'L')
		c = '1';
	for (i = 0; i < RADIX; i++)
		if (alphabet[i] == c)
			return i;
	return NO_DIGIT;
}

static bool
is_alphanumeric(char c)
{
	c = upper(c);
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

CredentialNoResult
credential_no_parse(const char *text, size_t len, CredentialNo *no)
{
	int			digits[CHARACTERS];
	int			count = 0;
	int			strangers = 0;
	bool		right = true;
	size_t		i;
	int			j;

	for (i = 0; i < len; i++)
	{
		int			digit;

		if (text[i] == '-' || text[i] == ' ')
			continue;
		if (((unsigned char) text[i] & 0xC0) == 0x80)
		{
			right = false;		/* the rest of a character already counted */
			continue;
		}
		if (count == CHARACTERS + TOLERANCE)
			return CREDENTIAL_NO_MALFORMED;
		digit = digit_value(text[i]);
		if (digit == NO_DIGIT)
			right = false;
		if (!is_alphanumeric(text[i]))
			strangers++;
		if (count < CHARACTERS)
			digits[count] = digit;
		count++;
	}

	if (count < CHARACTERS - TOLERANCE || strangers > TOLERANCE)
		return CREDENTIAL_NO_MALFORMED;
	if (count != CHARACTERS || !right)
		return CREDENTIAL_NO_MISTYPED;
	if (digits[0] != KIND_PERMIT && digits[0] != KIND_LINKAGE)
		return CREDENTIAL_NO_MISTYPED;
	if (digits[1 + DIGITS] != check_digit(digits))
		return CREDENTIAL_NO_MISTYPED;

	memset(no, 0, sizeof(*no));
	set_bits(no->bytes, 0, KIND_BITS, digits[0] == KIND_PERMIT ? 0 : 1);
	for (j = 0; j < DIGITS; j++)
		set_bits(no->bytes, KIND_BITS + 5 * (unsigned) j, 5, (uint64_t) digits[1 + j]);
	return CREDENTIAL_NO_OK;
}
