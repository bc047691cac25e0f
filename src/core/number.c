/*
 * number.c
 *		Travel permit, residence permit and mainland mobile numbers.
 *
 * A packed number is a rank in the canonical forms' own order, so comparing
 * integers compares numbers.  travel_permit_no:
 *
 *		Taiwan				00000000 .. 99999999		from 0
 *		Hong Kong			H00000000 .. H99999999		from 100,000,000
 *		same, non-Chinese	HA0000000 .. HA9999999		from 200,000,000
 *		Macao				M00000000 .. M99999999		from 210,000,000
 *		same, non-Chinese	MA0000000 .. MA9999999		from 310,000,000
 *
 * residence_permit_no: the first 17 digits (the check character follows from
 * them).  mobile_no: its 11 digits.  These values are stored on disk.
 */
#include <string.h>

#include <sodium.h>

#include "calendar.h"
#include "number.h"

#define HK_BASE UINT64_C(100000000)
#define HK_FOREIGN_BASE UINT64_C(200000000)
#define MACAO_BASE UINT64_C(210000000)
#define MACAO_FOREIGN_BASE UINT64_C(310000000)
#define TRAVEL_PERMIT_END UINT64_C(320000000)

#define SERIAL_DIGITS 8
#define FOREIGN_SERIAL_DIGITS 7
#define ISSUE_COUNT_DIGITS 2

#define MOBILE_FIRST UINT64_C(13000000000)
#define MOBILE_LAST UINT64_C(19999999999)

const char *
rule_name(NumberRule rule)
{
	switch (rule)
	{
		case RULE_OK:
			break;
		case RULE_LENGTH:
			return "length";
		case RULE_PREFIX:
			return "prefix";
		case RULE_CHARSET:
			return "charset";
		case RULE_REGION_CODE:
			return "region_code";
		case RULE_BIRTH_DATE:
			return "birth_date";
		case RULE_SEQUENCE:
			return "sequence";
		case RULE_CHECK_DIGIT:
			return "check_digit";
	}
	return "ok";
}

/* Not <ctype.h>: no locale has a say in what a digit is. */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char
upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : c;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void
trim(const char **text, size_t *len)
{
	while (*len > 0 && is_space((*text)[0]))
	{
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && is_space((*text)[*len - 1]))
		(*len)--;
}

/* False where one of the n characters is no digit. */
static bool
read_digits(const char *s, size_t n, uint64_t *value)
{
	size_t		i;

	*value = 0;
	for (i = 0; i < n; i++)
	{
		if (!is_digit(s[i]))
			return false;
		*value = *value * 10 + (uint64_t) (s[i] - '0');
	}
	return true;
}

static void
write_digits(uint64_t value, size_t n, char *out)
{
	while (n > 0)
	{
		out[--n] = (char) ('0' + value % 10);
		value /= 10;
	}
}

/* Stars for all but the first and the last few of len characters. */
static void
mask(char *text, size_t len, size_t first, size_t last)
{
	memset(text + first, '*', len - first - last);
}

/* ---------------------------------------------------------------- travel permits */

NumberRule
travel_permit_parse(const char *text, size_t len, uint64_t *no, int *issue_count)
{
	size_t		prefix,
				digits;
	uint64_t	base,
				serial,
				count = 0;
	bool		has_count;
	char		first;

	trim(&text, &len);
	if (len == 0)
		return RULE_LENGTH;

	first = upper(text[0]);
	if (first == 'H' || first == 'M')
	{
		bool		foreign = len > 1 && upper(text[1]) == 'A';

		if (foreign)
		{
			base = first == 'H' ? HK_FOREIGN_BASE : MACAO_FOREIGN_BASE;
			prefix = 2;
			digits = FOREIGN_SERIAL_DIGITS;
		}
		else
		{
			base = first == 'H' ? HK_BASE : MACAO_BASE;
			prefix = 1;
			digits = SERIAL_DIGITS;
		}
		has_count = !foreign && len == prefix + digits + ISSUE_COUNT_DIGITS;
		if (!has_count && len != prefix + digits)
			return RULE_LENGTH;
	}
	else if (is_digit(first))
	{
		const size_t with_count = SERIAL_DIGITS + ISSUE_COUNT_DIGITS;

		base = 0;
		prefix = 0;
		digits = SERIAL_DIGITS;
		has_count = len == with_count || len == with_count + 3;
		if (!has_count && len != digits)
			return RULE_LENGTH;
		if (len > with_count)
		{
			/* An old card's tail: one letter or digit in brackets. */
			const char *tail = text + with_count;
			char		c = upper(tail[1]);

			if (tail[0] != '(' || !(is_digit(c) || (c >= 'A' && c <= 'Z')) || tail[2] != ')')
				return RULE_CHARSET;
		}
	}
	else
		return RULE_PREFIX;

	if (!read_digits(text + prefix, digits, &serial))
		return RULE_CHARSET;
	if (has_count && !read_digits(text + prefix + digits, ISSUE_COUNT_DIGITS, &count))
		return RULE_CHARSET;

	*no = base + serial;
	if (issue_count != NULL)
		*issue_count = has_count ? (int) count : -1;
	return RULE_OK;
}

size_t
travel_permit_format(uint64_t no, char *out)
{
	char	   *p = out;
	size_t		digits = SERIAL_DIGITS;

	if (no >= MACAO_BASE)
		*p++ = 'M';
	else if (no >= HK_BASE)
		*p++ = 'H';

	if (travel_permit_kind(no) == KIND_HK_MACAU_FOREIGN)
	{
		*p++ = 'A';
		digits = FOREIGN_SERIAL_DIGITS;
		no -= no >= MACAO_BASE ? MACAO_FOREIGN_BASE : HK_FOREIGN_BASE;
	}
	else if (no >= MACAO_BASE)
		no -= MACAO_BASE;
	else if (no >= HK_BASE)
		no -= HK_BASE;

	write_digits(no, digits, p);
	p += digits;
	*p = '\0';
	return (size_t) (p - out);
}

size_t
travel_permit_mask(uint64_t no, char *out)
{
	size_t		len = travel_permit_format(no, out);

	mask(out, len, 2, 3);
	return len;
}

bool
travel_permit_valid(uint64_t no)
{
	return no < TRAVEL_PERMIT_END;
}

DocumentKind
travel_permit_kind(uint64_t no)
{
	if (no < HK_BASE)
		return KIND_TAIWAN;
	if ((no >= HK_FOREIGN_BASE && no < MACAO_BASE) || no >= MACAO_FOREIGN_BASE)
		return KIND_HK_MACAU_FOREIGN;
	return KIND_HK_MACAU;
}

Region
travel_permit_region(uint64_t no)
{
	if (no < HK_BASE)
		return REGION_TWN;
	return no < MACAO_BASE ? REGION_HKG : REGION_MAC;
}

uint16_t
travel_permit_bucket(uint64_t no)
{
	char		text[TRAVEL_PERMIT_NO_MAX + 1];
	size_t		len = travel_permit_format(no, text);
	uint8_t		digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(digest, (const unsigned char *) text, len);
	return (uint16_t) (digest[0] << 8 | digest[1]);
}

/* ---------------------------------------------------------------- residence permits */

/* Where the parts of the 17 digits stand when they are one integer. */
#define RESIDENCE_DIGITS (RESIDENCE_PERMIT_NO_LEN - 1)
#define REGION_CODE_UNIT UINT64_C(100000000000)
#define BIRTH_DATE_UNIT UINT64_C(1000)

/* GB 11643-1999, that is ISO 7064 MOD 11-2, of the 17 digits. */
static char
check_character(uint64_t digits)
{
	static const uint8_t weights[RESIDENCE_DIGITS] = {
		7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2
	};
	unsigned	sum = 0;
	size_t		i;

	for (i = RESIDENCE_DIGITS; i-- > 0; digits /= 10)
		sum += weights[i] * (unsigned) (digits % 10);
	return "10X98765432"[sum % 11];
}

static bool
is_region_code(uint64_t code)
{
	return code == 810000 || code == 820000 || code == 830000;
}

NumberRule
residence_permit_parse(const char *text, size_t len, uint64_t *no, char *check_digit)
{
	uint64_t	region_code,
				sequence,
				value;
	int			year,
				month,
				day;
	size_t		i;

	trim(&text, &len);
	if (len != RESIDENCE_PERMIT_NO_LEN)
		return RULE_LENGTH;
	for (i = 0; i < len; i++)
	{
		if (!is_digit(text[i]) && upper(text[i]) != 'X')
			return RULE_CHARSET;
	}

	/* An X anywhere but at the end breaks the rule of the part it stands in. */
	if (!read_digits(text, 6, &region_code) || !is_region_code(region_code))
		return RULE_REGION_CODE;
	if (!date_parse(text + 6, &year, &month, &day))
		return RULE_BIRTH_DATE;
	if (!read_digits(text + 14, 3, &sequence))
		return RULE_SEQUENCE;

	(void) read_digits(text, RESIDENCE_DIGITS, &value);
	if (upper(text[RESIDENCE_DIGITS]) != check_character(value))
	{
		if (check_digit != NULL)
			*check_digit = check_character(value);
		return RULE_CHECK_DIGIT;
	}
	*no = value;
	return RULE_OK;
}

size_t
residence_permit_format(uint64_t no, char *out)
{
	write_digits(no, RESIDENCE_DIGITS, out);
	out[RESIDENCE_DIGITS] = check_character(no);
	out[RESIDENCE_PERMIT_NO_LEN] = '\0';
	return RESIDENCE_PERMIT_NO_LEN;
}

/*
 * Shows the region and the last two.  The last four would be the sequence and its check:
 * with a birth date, the whole number.
 */
size_t
residence_permit_mask(uint64_t no, char *out)
{
	size_t		len = residence_permit_format(no, out);

	mask(out, len, 2, 2);
	return len;
}

bool
residence_permit_valid(uint64_t no)
{
	int			year,
				month,
				day;

	if (!is_region_code(no / REGION_CODE_UNIT))
		return false;
	residence_permit_birth_date(no, &year, &month, &day);
	return date_is_real(year, month, day);
}

Region
residence_permit_region(uint64_t no)
{
	switch (no / REGION_CODE_UNIT)
	{
		case 810000:
			return REGION_HKG;
		case 820000:
			return REGION_MAC;
		default:
			return REGION_TWN;
	}
}

/* Odd sequence numbers are given to men. */
Sex
residence_permit_sex(uint64_t no)
{
	return no % 2 == 1 ? SEX_MALE : SEX_FEMALE;
}

void
residence_permit_birth_date(uint64_t no, int *year, int *month, int *day)
{
	int			yyyymmdd = (int) (no / BIRTH_DATE_UNIT % 100000000);

	*year = yyyymmdd / 10000;
	*month = yyyymmdd / 100 % 100;
	*day = yyyymmdd % 100;
}

/* ---------------------------------------------------------------- mobile numbers */

NumberRule
mobile_parse(const char *text, size_t len, uint64_t *no)
{
	char		s[4 + MOBILE_NO_LEN];	/* 0086 and the number */
	const char *digits = s;
	size_t		n = 0;
	size_t		i;
	uint64_t	value;

	trim(&text, &len);
	for (i = 0; i < len; i++)
	{
		if (text[i] == ' ' || text[i] == '-')
			continue;
		if (!is_digit(text[i]) && !(text[i] == '+' && n == 0))
			return RULE_CHARSET;
		if (n == sizeof(s))
			return RULE_LENGTH;
		s[n++] = text[i];
	}

	/* A country code, if there is one, must be the mainland's. */
	if (n > 0 && s[0] == '+')
	{
		if (n < 3 || memcmp(s, "+86", 3) != 0)
			return RULE_PREFIX;
		digits += 3;
		n -= 3;
	}
	else if (n > 1 && s[0] == '0' && s[1] == '0')
	{
		if (n < 4 || memcmp(s, "0086", 4) != 0)
			return RULE_PREFIX;
		digits += 4;
		n -= 4;
	}

	if (n != MOBILE_NO_LEN)
		return RULE_LENGTH;
	(void) read_digits(digits, n, &value);
	if (!mobile_valid(value))
		return RULE_PREFIX;
	*no = value;
	return RULE_OK;
}

size_t
mobile_format(uint64_t no, char *out)
{
	write_digits(no, MOBILE_NO_LEN, out);
	out[MOBILE_NO_LEN] = '\0';
	return MOBILE_NO_LEN;
}

size_t
mobile_mask(uint64_t no, char *out)
{
	size_t		len = mobile_format(no, out);

	mask(out, len, 3, 4);
	return len;
}

bool
mobile_valid(uint64_t no)
{
	return no >= MOBILE_FIRST && no <= MOBILE_LAST;
}
