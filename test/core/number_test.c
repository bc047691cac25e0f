/*
 * number_test.c
 *		Promises of core/number.
 */
#include <stdlib.h>
#include <string.h>

#include "core/calendar.h"
#include "core/number.h"
#include "tap.h"

static NumberRule
parse_travel(const char *text, uint64_t *no, int *issue_count)
{
	char	   *copy = (char *) tap_copy(text, strlen(text));
	NumberRule	rule = travel_permit_parse(copy, strlen(text), no, issue_count);

	free(copy);
	tap_note(text);
	return rule;
}

static NumberRule
parse_residence(const char *text, uint64_t *no, char *check_digit)
{
	char	   *copy = (char *) tap_copy(text, strlen(text));
	NumberRule	rule = residence_permit_parse(copy, strlen(text), no, check_digit);

	free(copy);
	tap_note(text);
	return rule;
}

static NumberRule
parse_mobile(const char *text, uint64_t *no)
{
	char	   *copy = (char *) tap_copy(text, strlen(text));
	NumberRule	rule = mobile_parse(copy, strlen(text), no);

	free(copy);
	tap_note(text);
	return rule;
}

/* The number a literal stands for; the literal must be good. */
static uint64_t
travel(const char *text)
{
	uint64_t	no = UINT64_MAX;

	CHECK(parse_travel(text, &no, NULL) == RULE_OK);
	return no;
}

static uint64_t
residence(const char *text)
{
	uint64_t	no = UINT64_MAX;

	CHECK(parse_residence(text, &no, NULL) == RULE_OK);
	return no;
}

static bool
travel_prints(const char *text, const char *canonical)
{
	char		out[TRAVEL_PERMIT_NO_MAX + 1];

	return travel_permit_format(travel(text), out) == strlen(canonical) &&
		strcmp(out, canonical) == 0;
}

static void
travel_forms(void)
{
	int			count;
	uint64_t	no;

	CHECK(travel_prints("H12345678", "H12345678"));
	CHECK(travel_prints("M00000000", "M00000000"));
	CHECK(travel_prints("h99999999", "H99999999"));
	CHECK(travel_prints("HA1234567", "HA1234567"));
	CHECK(travel_prints("ma0000000", "MA0000000"));
	CHECK(travel_prints("00012345", "00012345"));
	CHECK(travel_prints("  \tM12345678\r\n ", "M12345678"));

	CHECK(parse_travel("H12345678", &no, &count) == RULE_OK && count == -1);
	CHECK(parse_travel("HA1234567", &no, &count) == RULE_OK && count == -1);
	CHECK(parse_travel("12345678", &no, &count) == RULE_OK && count == -1);
}

static void
travel_issue_counts(void)
{
	int			count;
	uint64_t	no;

	CHECK(parse_travel("H1234567801", &no, &count) == RULE_OK && count == 1);
	CHECK(no == travel("H12345678"));
	CHECK(parse_travel("M1234567899", &no, &count) == RULE_OK && count == 99);
	CHECK(no == travel("M12345678"));
	CHECK(parse_travel("1234567800", &no, &count) == RULE_OK && count == 0);
	CHECK(no == travel("12345678"));
	CHECK(parse_travel("1234567802(B)", &no, &count) == RULE_OK && count == 2);
	CHECK(no == travel("12345678"));
	CHECK(parse_travel("1234567802(b)", &no, &count) == RULE_OK);
	CHECK(parse_travel("1234567802(Z)", &no, &count) == RULE_OK);
	CHECK(parse_travel("1234567802(0)", &no, &count) == RULE_OK);

	/* The new card for non-Chinese residents never had one. */
	CHECK(parse_travel("HA123456701", &no, &count) == RULE_LENGTH);
}

static void
travel_refusals(void)
{
	static const struct
	{
		const char *text;
		NumberRule	rule;
	}			cases[] = {
		{"", RULE_LENGTH},
		{"   ", RULE_LENGTH},
		{"H", RULE_LENGTH},
		{"HA", RULE_LENGTH},
		{"H1234567", RULE_LENGTH},
		{"H123456789", RULE_LENGTH},
		{"H123456780123", RULE_LENGTH},
		{"HA123456", RULE_LENGTH},
		{"HA12345678", RULE_LENGTH},
		{"1234567", RULE_LENGTH},
		{"123456789", RULE_LENGTH},
		{"12345678901", RULE_LENGTH},
		{"12345678(B)", RULE_LENGTH},
		{"K12345678", RULE_PREFIX},
		{"A12345678", RULE_PREFIX},
		{"(12345678)", RULE_PREFIX},
		{"\xE5\x8F\xB0" "12345", RULE_PREFIX},
		{"H1234567O", RULE_CHARSET},
		{"HM1234567", RULE_CHARSET},
		{"H12345678O1", RULE_CHARSET},
		{"HAA123456", RULE_CHARSET},
		{"1234567A", RULE_CHARSET},
		{"12345678A1", RULE_CHARSET},
		{"1234567802[B]", RULE_CHARSET},
		{"1234567802(B]", RULE_CHARSET},
		{"1234567802(*)", RULE_CHARSET},
		{"1234 5678", RULE_LENGTH},
		{"H1234 678", RULE_CHARSET},
		{"H1234\xC2\xA0" "67", RULE_CHARSET},
	};
	size_t		i;

	for (i = 0; i < LENGTH_OF(cases); i++)
	{
		uint64_t	no;
		int			count;

		CHECK(parse_travel(cases[i].text, &no, &count) == cases[i].rule);
	}
}

static void
travel_meaning(void)
{
	CHECK(travel_permit_kind(travel("H12345678")) == KIND_HK_MACAU);
	CHECK(travel_permit_kind(travel("M12345678")) == KIND_HK_MACAU);
	CHECK(travel_permit_kind(travel("HA1234567")) == KIND_HK_MACAU_FOREIGN);
	CHECK(travel_permit_kind(travel("MA1234567")) == KIND_HK_MACAU_FOREIGN);
	CHECK(travel_permit_kind(travel("12345678")) == KIND_TAIWAN);

	CHECK(travel_permit_region(travel("H12345678")) == REGION_HKG);
	CHECK(travel_permit_region(travel("HA1234567")) == REGION_HKG);
	CHECK(travel_permit_region(travel("M12345678")) == REGION_MAC);
	CHECK(travel_permit_region(travel("MA1234567")) == REGION_MAC);
	CHECK(travel_permit_region(travel("12345678")) == REGION_TWN);
}

static void
travel_order(void)
{
	/* Ascending in C collation. */
	static const char *const sorted[] = {
		"00000000", "00000001", "99999999",
		"H00000000", "H12345678", "H99999999", "HA0000000", "HA9999999",
		"M00000000", "M99999999", "MA0000000", "MA9999999"
	};
	size_t		i;

	for (i = 0; i < LENGTH_OF(sorted); i++)
	{
		CHECK(travel_prints(sorted[i], sorted[i]));
		CHECK(travel_permit_valid(travel(sorted[i])));
		if (i > 0)
		{
			CHECK(strcmp(sorted[i - 1], sorted[i]) < 0);
			CHECK(travel(sorted[i - 1]) < travel(sorted[i]));
		}
	}

	/* No value between, before or after them is left without a number. */
	CHECK(travel("00000000") == 0);
	CHECK(travel("H00000000") == travel("99999999") + 1);
	CHECK(travel("HA0000000") == travel("H99999999") + 1);
	CHECK(travel("M00000000") == travel("HA9999999") + 1);
	CHECK(travel("MA0000000") == travel("M99999999") + 1);
	CHECK(!travel_permit_valid(travel("MA9999999") + 1));
	CHECK(!travel_permit_valid(UINT64_MAX));
}

/* On disk for ever: the packed values must not change. */
static void
packed_values(void)
{
	uint64_t	no;

	CHECK(travel("12345678") == 12345678);
	CHECK(travel("H12345678") == 112345678);
	CHECK(travel("HA1234567") == 201234567);
	CHECK(travel("M12345678") == 222345678);
	CHECK(travel("MA1234567") == 311234567);
	CHECK(residence("810000199408230021") == UINT64_C(81000019940823002));
	CHECK(parse_mobile("13812345678", &no) == RULE_OK && no == UINT64_C(13812345678));
}

static void
buckets(void)
{
	/* First two bytes of SHA-256 of the text. */
	CHECK(travel_permit_bucket(travel("H12345678")) == 0x30ED);
	CHECK(travel_permit_bucket(travel("h1234567809")) == 0x30ED);
	CHECK(travel_permit_bucket(travel("HA1234567")) == 0xA6E7);
	CHECK(travel_permit_bucket(travel("M12345678")) == 0x4D49);
	CHECK(travel_permit_bucket(travel("MA1234567")) == 0xC325);
	CHECK(travel_permit_bucket(travel("12345678")) == 0xEF79);
	CHECK(travel_permit_bucket(travel("00000000")) == 0x7E07);
	CHECK(travel_permit_bucket(travel("H00000000")) == 0x827B);
}

static void
residence_forms(void)
{
	static const char *const good[] = {
		"810000199408230021",
		"820000200002290013",	/* a leap day that was one */
		"830000199201300022",
		"81000019850617003X",
		"820000298711294568", "830000197911309997", "810000111311111115"	/* every weight */
	};
	char		out[RESIDENCE_PERMIT_NO_LEN + 1];
	size_t		i;
	uint64_t	no;

	for (i = 0; i < LENGTH_OF(good); i++)
	{
		CHECK(parse_residence(good[i], &no, NULL) == RULE_OK);
		CHECK(residence_permit_format(no, out) == 18 && strcmp(out, good[i]) == 0);
		CHECK(residence_permit_valid(no));
	}
	CHECK(parse_residence(" 81000019850617003x ", &no, NULL) == RULE_OK);
	CHECK(residence_permit_format(no, out) == 18 && strcmp(out, "81000019850617003X") == 0);
}

static void
residence_meaning(void)
{
	int			year,
				month,
				day;

	CHECK(residence_permit_region(residence("810000199408230021")) == REGION_HKG);
	CHECK(residence_permit_region(residence("820000200002290013")) == REGION_MAC);
	CHECK(residence_permit_region(residence("830000199201300022")) == REGION_TWN);

	/* The 17th digit: 1 is odd, 2 is even. */
	CHECK(residence_permit_sex(residence("820000200002290013")) == SEX_MALE);
	CHECK(residence_permit_sex(residence("810000199408230021")) == SEX_FEMALE);

	residence_permit_birth_date(residence("820000200002290013"), &year, &month, &day);
	CHECK(year == 2000 && month == 2 && day == 29);
}

static void
residence_refusals(void)
{
	static const struct
	{
		const char *text;
		NumberRule	rule;
	}			cases[] = {
		{"", RULE_LENGTH},
		{"81000019940823002", RULE_LENGTH},
		{"8100001994082300211", RULE_LENGTH},
		{"810000940823002", RULE_LENGTH},
		{"81000019940823002Y", RULE_CHARSET},
		{"810000-9940823002X", RULE_CHARSET},
		{"710000199408230021", RULE_REGION_CODE},	/* on mainland cards Taiwan is 71 */
		{"11010519491231002X", RULE_REGION_CODE},	/* a mainland identity card */
		{"810001199408230021", RULE_REGION_CODE},
		{"840000199408230021", RULE_REGION_CODE},
		{"81000X199408230021", RULE_REGION_CODE},
		{"810000197802290018", RULE_BIRTH_DATE},	/* 1978 was no leap year */
		{"810000199413230021", RULE_BIRTH_DATE},
		{"810000199404310021", RULE_BIRTH_DATE},
		{"810000000004300021", RULE_BIRTH_DATE},
		{"8100001994X8230021", RULE_BIRTH_DATE},
		{"81000019940823X021", RULE_SEQUENCE},
		{"81000019940823002X", RULE_CHECK_DIGIT},
		{"810000199408230022", RULE_CHECK_DIGIT},
	};
	size_t		i;

	for (i = 0; i < LENGTH_OF(cases); i++)
	{
		uint64_t	no;

		CHECK(parse_residence(cases[i].text, &no, NULL) == cases[i].rule);
	}
}

static void
check_digit_repair(void)
{
	char		right = '?';
	uint64_t	no;

	CHECK(parse_residence("810000199408230022", &no, &right) == RULE_CHECK_DIGIT && right == '1');
	CHECK(parse_residence("810000198506170031", &no, &right) == RULE_CHECK_DIGIT && right == 'X');
}

/* ISO 7064 MOD 11-2 promises both, for every position. */
static void
check_digit_strength(void)
{
	static const char good[] = "830000199201300022";
	uint64_t	no;
	size_t		i;
	char		c;

	for (i = 14; i < RESIDENCE_PERMIT_NO_LEN; i++)
		for (c = '0'; c <= '9'; c++)
		{
			char		text[] = "830000199201300022";

			text[i] = c;
			CHECK((parse_residence(text, &no, NULL) == RULE_OK) == (c == good[i]));
			tap_note(NULL);
		}
	for (i = 6; i + 1 < RESIDENCE_PERMIT_NO_LEN; i++)
	{
		char		text[] = "830000199201300022";

		text[i] = good[i + 1];
		text[i + 1] = good[i];
		CHECK((parse_residence(text, &no, NULL) == RULE_OK) == (good[i] == good[i + 1]));
		tap_note(NULL);
	}
}

static void
residence_recv(void)
{
	CHECK(residence_permit_valid(UINT64_C(81000019940823002)));
	CHECK(!residence_permit_valid(0));
	CHECK(!residence_permit_valid(UINT64_C(71000019940823002)));
	CHECK(!residence_permit_valid(UINT64_C(84000019940823002)));
	CHECK(!residence_permit_valid(UINT64_C(81000019780229001)));
	CHECK(!residence_permit_valid(UINT64_C(810000199408230021)));
	CHECK(!residence_permit_valid(UINT64_MAX));
}

static void
mobile_forms(void)
{
	static const char *const same[] = {
		"13812345678", "138 1234 5678", "138-1234-5678", "+8613812345678", "+86 138 1234 5678",
		"+86-138-1234-5678", "008613812345678", "0086 138-1234-5678", "  13812345678  ",
		"+ 86 13812345678"
	};
	char		out[MOBILE_NO_LEN + 1];
	size_t		i;
	uint64_t	no;

	for (i = 0; i < LENGTH_OF(same); i++)
	{
		no = 0;
		CHECK(parse_mobile(same[i], &no) == RULE_OK && no == UINT64_C(13812345678));
	}
	CHECK(mobile_format(UINT64_C(13812345678), out) == 11 && strcmp(out, "13812345678") == 0);
	CHECK(parse_mobile("19999999999", &no) == RULE_OK && mobile_valid(no));
	CHECK(parse_mobile("13000000000", &no) == RULE_OK && mobile_valid(no));
	CHECK(!mobile_valid(UINT64_C(12999999999)));
	CHECK(!mobile_valid(UINT64_C(20000000000)));
}

static void
mobile_refusals(void)
{
	static const struct
	{
		const char *text;
		NumberRule	rule;
	}			cases[] = {
		{"", RULE_LENGTH},
		{"1381234567", RULE_LENGTH},
		{"138123456789", RULE_LENGTH},
		{"8613812345678", RULE_LENGTH},
		{"+86", RULE_LENGTH},
		{"0086", RULE_LENGTH},
		{"00861381234567890", RULE_LENGTH},
		{"12812345678", RULE_PREFIX},
		{"23812345678", RULE_PREFIX},
		{"+85291234567", RULE_PREFIX},
		{"+8", RULE_PREFIX},
		{"+", RULE_PREFIX},
		{"0085291234567", RULE_PREFIX},
		{"00", RULE_PREFIX},
		{"1381234567a", RULE_CHARSET},
		{"138+12345678", RULE_CHARSET},
		{"++8613812345678", RULE_CHARSET},
		{"(86)13812345678", RULE_CHARSET},
		{"138\t12345678", RULE_CHARSET},
	};
	size_t		i;

	for (i = 0; i < LENGTH_OF(cases); i++)
	{
		uint64_t	no;

		CHECK(parse_mobile(cases[i].text, &no) == cases[i].rule);
	}
}

static void
masks(void)
{
	char		out[RESIDENCE_PERMIT_NO_LEN + 1];

	CHECK(travel_permit_mask(travel("H12345678"), out) == 9 && strcmp(out, "H1****678") == 0);
	CHECK(travel_permit_mask(travel("HA1234567"), out) == 9 && strcmp(out, "HA****567") == 0);
	CHECK(travel_permit_mask(travel("12345678"), out) == 8 && strcmp(out, "12***678") == 0);
	CHECK(residence_permit_mask(residence("81000019850617003X"), out) == 18 &&
		  strcmp(out, "81**************3X") == 0);
	CHECK(mobile_mask(UINT64_C(13812345678), out) == 11 && strcmp(out, "138****5678") == 0);
}

static void
rule_names(void)
{
	CHECK(strcmp(rule_name(RULE_OK), "ok") == 0);
	CHECK(strcmp(rule_name(RULE_LENGTH), "length") == 0);
	CHECK(strcmp(rule_name(RULE_PREFIX), "prefix") == 0);
	CHECK(strcmp(rule_name(RULE_CHARSET), "charset") == 0);
	CHECK(strcmp(rule_name(RULE_REGION_CODE), "region_code") == 0);
	CHECK(strcmp(rule_name(RULE_BIRTH_DATE), "birth_date") == 0);
	CHECK(strcmp(rule_name(RULE_SEQUENCE), "sequence") == 0);
	CHECK(strcmp(rule_name(RULE_CHECK_DIGIT), "check_digit") == 0);
}

void
test_number(void)
{
	RUN("travel permit: every printed form is read, leading zeros stay", travel_forms);
	RUN("travel permit: the issue count is kept apart", travel_issue_counts);
	RUN("travel permit: a bad literal names the rule it breaks", travel_refusals);
	RUN("travel permit: kind and region follow from the number", travel_meaning);
	RUN("travel permit: packed order is text order, without gaps", travel_order);
	RUN("numbers: what is stored on disk does not change", packed_values);
	RUN("travel permit: buckets do not change", buckets);
	RUN("residence permit: 81, 82 and 83 and either case of X are read", residence_forms);
	RUN("residence permit: region, sex and birth date follow from the number", residence_meaning);
	RUN("residence permit: a bad literal names the rule it breaks", residence_refusals);
	RUN("residence permit: a wrong check digit is told what it should be", check_digit_repair);
	RUN("residence permit: the check catches wrong and exchanged digits", check_digit_strength);
	RUN("residence permit: binary input is as strict as text", residence_recv);
	RUN("mobile: country code, spaces and hyphens are removed", mobile_forms);
	RUN("mobile: a bad literal names the rule it breaks", mobile_refusals);
	RUN("numbers: masks keep the length and hide the middle", masks);
	RUN("numbers: rules have the names SQL uses", rule_names);
}
