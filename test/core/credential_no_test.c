/*
 * credential_no_test.c
 *		Promises of core/credential_no.
 */
#include <stdlib.h>
#include <string.h>

#include "core/credential_no.h"
#include "tap.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static CredentialNoResult
parse(const char *text, CredentialNo *no)
{
	char	   *copy = (char *) tap_copy(text, strlen(text));
	CredentialNoResult result = credential_no_parse(copy, strlen(text), no);

	free(copy);
	return result;
}

static CredentialNoResult
result_of(const char *text)
{
	CredentialNo no;

	tap_note(text);
	return parse(text, &no);
}

static CredentialNo
pack(bool is_permit, uint64_t holder_id, int month, int slot, uint64_t random)
{
	CredentialParts parts;
	CredentialNo no;

	parts.is_permit = is_permit;
	parts.holder_id = holder_id;
	parts.month = month;
	parts.slot = slot;
	parts.random = random;
	credential_no_pack(&parts, &no);
	return no;
}

static CredentialNo
random_no(void)
{
	uint64_t	bits = tap_random();

	return pack(bits & 1, tap_random() >> 24, (int) (bits >> 1 & 0xFFF), (int) (bits >> 13 & 0xF),
				tap_random() >> 25);
}

static bool
prints(CredentialNo no, const char *hex, const char *expected)
{
	char		text[CREDENTIAL_NO_TEXT + 1];
	CredentialNo back;

	credential_no_format(&no, text);
	return tap_is_hex(no.bytes, sizeof(no.bytes), hex) && strcmp(text, expected) == 0 &&
		parse(text, &back) == CREDENTIAL_NO_OK && memcmp(&no, &back, sizeof(no)) == 0;
}

static void
known_numbers(void)
{
	CHECK(prints(pack(true, 0, 0, 0, 0),
				 "000000000000000000000000", "T-00000-00000-00000-00007"));
	CHECK(prints(pack(false, 0, 0, 0, 0),
				 "800000000000000000000000", "L-00000-00000-00000-00000"));
	CHECK(prints(pack(true, (UINT64_C(1) << 40) - 1, 4095, 15, (UINT64_C(1) << 39) - 1),
				 "7fffffffffffffffffffffff", "T-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZY"));
	CHECK(prints(pack(true, UINT64_C(0xA1B2000001), 321, 1, UINT64_C(0x123456789)),
				 "50d90000008a088123456789", "T-M6S00-0012G-8G4HM-ASW9Y"));
	CHECK(prints(pack(false, UINT64_C(0xA1B2000001), 321, 1, UINT64_C(0x123456789)),
				 "d0d90000008a088123456789", "L-M6S00-0012G-8G4HM-ASW9C"));
}

static void
round_trips(void)
{
	int			i;

	for (i = 0; i < 10000; i++)
	{
		CredentialNo no = random_no();
		CredentialNo again,
					back;
		CredentialParts parts;
		char		text[CREDENTIAL_NO_TEXT + 1];

		credential_no_unpack(&no, &parts);
		credential_no_pack(&parts, &again);
		credential_no_format(&no, text);
		tap_note(text);
		if (!CHECK(memcmp(&no, &again, sizeof(no)) == 0) ||
			!CHECK(strlen(text) == CREDENTIAL_NO_TEXT) ||
			!CHECK(parse(text, &back) == CREDENTIAL_NO_OK && memcmp(&no, &back, sizeof(no)) == 0))
			break;
	}
}

static void
byte_order(void)
{
	static const struct
	{
		bool		is_permit;
		uint64_t	holder_id;
		int			month;
		int			slot;
	}			sorted[] = {
		{true, 1, 500, 15},
		{true, 2, 1, 1},
		{true, 2, 1, 2},
		{true, 2, 2, 1},
		{true, UINT64_C(1) << 39, 0, 1},
		{false, 0, 0, 1},
	};
	size_t		i;

	for (i = 1; i < LENGTH_OF(sorted); i++)
	{
		CredentialNo a = pack(sorted[i - 1].is_permit, sorted[i - 1].holder_id,
							  sorted[i - 1].month, sorted[i - 1].slot, (UINT64_C(1) << 39) - 1);
		CredentialNo b = pack(sorted[i].is_permit, sorted[i].holder_id,
							  sorted[i].month, sorted[i].slot, 0);

		CHECK(memcmp(&a, &b, sizeof(a)) < 0);
	}
}

static void
forgiving_input(void)
{
	static const char *const same[] = {
		"T-M6S00-0012G-8G4HM-ASW9Y",
		"t-m6s00-0012g-8g4hm-asw9y",
		"TM6S000012G8G4HMASW9Y",
		"  T M6S00 0012G 8G4HM ASW9Y ",
		"T-M6SOO-OOI2G-8G4HM-ASW9Y",
		"t-m6soo-ool2g-8g4hm-asw9y",
		"---T-M6-S000012G-8G4HM-ASW9Y-"
	};
	size_t		i;

	for (i = 0; i < LENGTH_OF(same); i++)
	{
		CredentialNo no;

		tap_note(same[i]);
		CHECK(parse(same[i], &no) == CREDENTIAL_NO_OK &&
			  tap_is_hex(no.bytes, sizeof(no.bytes), "50d90000008a088123456789"));
	}
	CHECK(result_of("t-zzzzz-zzzzz-zzzzz-zzzzy") == CREDENTIAL_NO_OK);
	/* The leading L looks like 1 and I as well. */
	CHECK(result_of("1-M6S00-0012G-8G4HM-ASW9C") == CREDENTIAL_NO_OK);
	CHECK(result_of("i-M6S00-0012G-8G4HM-ASW9C") == CREDENTIAL_NO_OK);
}

/* Where character i of the 21 stands in the printed form. */
static size_t
place(size_t i)
{
	return i == 0 ? 0 : i + 1 + (i - 1) / 5;
}

static void
wrong_character(void)
{
	int			n;

	for (n = 0; n < 200; n++)
	{
		CredentialNo no = random_no();
		char		text[CREDENTIAL_NO_TEXT + 1];
		size_t		i,
					j;

		credential_no_format(&no, text);
		for (i = 0; i < 21; i++)
		{
			char		right = text[place(i)];

			for (j = 0; j < sizeof(alphabet) - 1; j++)
			{
				/* L prints as itself in front and reads as 1. */
				if (alphabet[j] == right || (right == 'L' && alphabet[j] == '1'))
					continue;
				text[place(i)] = alphabet[j];
				if (!CHECK(result_of(text) == CREDENTIAL_NO_MISTYPED))
					return;
			}
			text[place(i)] = right;
		}
	}
}

/*
 * In each state, ISO 7064's hybrid systems let one pair of neighbours through: of
 * 32 * 31 ordered pairs, two.  That is 0.2 % of the exchanges.
 */
static void
exchanged_characters(void)
{
	int			exchanges = 0;
	int			missed = 0;
	int			n;

	for (n = 0; n < 2000; n++)
	{
		CredentialNo no = random_no();
		char		text[CREDENTIAL_NO_TEXT + 1];
		size_t		i;

		credential_no_format(&no, text);
		for (i = 1; i + 1 < 21; i++)
		{
			char		a = text[place(i)];
			char		b = text[place(i + 1)];

			if (a == b)
				continue;
			text[place(i)] = b;
			text[place(i + 1)] = a;
			exchanges++;
			if (result_of(text) != CREDENTIAL_NO_MISTYPED)
				missed++;
			text[place(i)] = a;
			text[place(i + 1)] = b;
		}
		tap_note(NULL);
	}
	CHECK(exchanges > 35000);
	CHECK(missed * 1000 <= exchanges * 3);
}

static void
other_slips(void)
{
	CHECK(result_of("T-M6S00-0012G-8G4HM-ASW9") == CREDENTIAL_NO_MISTYPED);	/* one missing */
	CHECK(result_of("M6S00-0012G-8G4HM-ASW9Y") == CREDENTIAL_NO_MISTYPED);
	CHECK(result_of("T-M6S00-0012G-8G4HM-ASW9YY") == CREDENTIAL_NO_MISTYPED);	/* one too many */
	CHECK(result_of("R-M6S00-0012G-8G4HM-ASW9Y") == CREDENTIAL_NO_MISTYPED);	/* wrong kind */
	CHECK(result_of("L-M6S00-0012G-8G4HM-ASW9Y") == CREDENTIAL_NO_MISTYPED);
	CHECK(result_of("T-M6S00-0012G-8G4HM-ASU9Y") == CREDENTIAL_NO_MISTYPED);	/* U is no digit */
	CHECK(result_of("T-M6S00-0012G-8G4HM-AS*9Y") == CREDENTIAL_NO_MISTYPED);
	CHECK(result_of("T-M6S00-0012G-8G4HM-AS文9Y") == CREDENTIAL_NO_MISTYPED);
	CHECK(result_of("T-M6S00-0012G-8G4HM-ASW9Y\x80") == CREDENTIAL_NO_MISTYPED);
	CHECK(result_of("T-M6S00-0012G-8G4HM-ASW9Y\n") == CREDENTIAL_NO_MISTYPED);
}

static void
something_else(void)
{
	CHECK(result_of("") == CREDENTIAL_NO_MALFORMED);
	CHECK(result_of("----") == CREDENTIAL_NO_MALFORMED);
	CHECK(result_of("T") == CREDENTIAL_NO_MALFORMED);
	CHECK(result_of("H12345678") == CREDENTIAL_NO_MALFORMED);
	CHECK(result_of("81000019850617003X") == CREDENTIAL_NO_MALFORMED);
	CHECK(result_of("T-M6S00-0012G-8G4HM-ASW9Y-T-M6S00") == CREDENTIAL_NO_MALFORMED);
	CHECK(result_of("T-M6S00-0012G-8G4HM-**W9Y") == CREDENTIAL_NO_MALFORMED);
	CHECK(result_of("通行證號碼是甚麼我不知道請告訴我謝謝您") == CREDENTIAL_NO_MALFORMED);
	CHECK(result_of("一二三四五六七八九十一二三四五六七八九十一") == CREDENTIAL_NO_MALFORMED);
	CHECK(result_of("NCFOXN%TSMAHO.JDSKCFUN5S EHBV5XD4RR5L P*C5NP") == CREDENTIAL_NO_MALFORMED);
}

void
test_credential_no(void)
{
	RUN("credential number: known numbers have these bytes and this print", known_numbers);
	RUN("credential number: parts, bytes and print become each other", round_trips);
	RUN("credential number: byte order is kind, holder, month, slot", byte_order);
	RUN("credential number: case, hyphens, spaces, O, I and L do not matter", forgiving_input);
	RUN("credential number: any one wrong character is mistyped", wrong_character);
	RUN("credential number: exchanged neighbours are mistyped, 997 times of 1,000",
		exchanged_characters);
	RUN("credential number: one character missing, extra or strange is mistyped", other_slips);
	RUN("credential number: anything else is malformed", something_else);
}
