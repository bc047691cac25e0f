/*
 * fuzz_number.c
 *		Travel permit, residence permit and mobile numbers.
 *
 * Whatever parses is valid, prints as it was given, and parses to the same number again;
 * so does whatever binary value is valid.
 */
#include <string.h>
#include <strings.h>

#include "core/number.h"
#include "fuzz.h"

static const char *const seeds[] = {
	"H12345678", "M1234567801", "HA1234567", "ma7654321", "12345678", "1234567801(B)",
	"810000199408230021", "820000200002290013", "81000019850617003x",
	"13812345678", "+86 138-1234-5678", "008613812345678"
};

size_t
fuzz_seed(int n, uint8_t *buf)
{
	return fuzz_text_seed(seeds, sizeof(seeds) / sizeof(seeds[0]), n, buf);
}

static void
try_travel(uint64_t no)
{
	char		text[TRAVEL_PERMIT_NO_MAX + 1],
				masked[TRAVEL_PERMIT_NO_MAX + 1];
	size_t		len = travel_permit_format(no, text);
	uint64_t	again;
	int			issue_count;
	Region		region = travel_permit_region(no);
	DocumentKind kind = travel_permit_kind(no);

	PROMISE(len == strlen(text) && len <= TRAVEL_PERMIT_NO_MAX);
	PROMISE(travel_permit_parse(text, len, &again, &issue_count) == RULE_OK);
	PROMISE(again == no && issue_count == -1);
	PROMISE(travel_permit_mask(no, masked) == len && strcmp(text, masked) != 0);
	PROMISE((kind == KIND_TAIWAN) == (region == REGION_TWN));
	(void) travel_permit_bucket(no);
}

static void
try_residence(uint64_t no)
{
	char		text[RESIDENCE_PERMIT_NO_LEN + 1],
				masked[RESIDENCE_PERMIT_NO_LEN + 1];
	size_t		len = residence_permit_format(no, text);
	uint64_t	again;
	int			year,
				month,
				day;

	PROMISE(len == strlen(text) && len == RESIDENCE_PERMIT_NO_LEN);
	PROMISE(residence_permit_parse(text, len, &again, NULL) == RULE_OK && again == no);
	PROMISE(residence_permit_mask(no, masked) == len);
	residence_permit_birth_date(no, &year, &month, &day);
	PROMISE(year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= 31);
	PROMISE(residence_permit_sex(no) == SEX_MALE || residence_permit_sex(no) == SEX_FEMALE);
	PROMISE(residence_permit_region(no) == (Region) (text[1] - '0'));
}

static void
try_mobile(uint64_t no)
{
	char		text[MOBILE_NO_LEN + 1],
				masked[MOBILE_NO_LEN + 1];
	size_t		len = mobile_format(no, text);
	uint64_t	again;

	PROMISE(len == strlen(text) && len == MOBILE_NO_LEN);
	PROMISE(mobile_parse(text, len, &again) == RULE_OK && again == no);
	PROMISE(mobile_mask(no, masked) == len);
}

/* But for white space in front and case, does text start with the canonical form? */
static bool
starts_with(const char *text, size_t len, const char *canonical)
{
	while (len > 0 && (*text == ' ' || (*text >= '\t' && *text <= '\r')))
	{
		text++;
		len--;
	}
	return len >= strlen(canonical) && strncasecmp(text, canonical, strlen(canonical)) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;
	uint64_t	no;
	int			issue_count;
	char		check_digit;
	char		canonical[RESIDENCE_PERMIT_NO_LEN + 1];
	NumberRule	rule;

	rule = travel_permit_parse(text, size, &no, &issue_count);
	if (rule == RULE_OK)
	{
		PROMISE(travel_permit_valid(no));
		PROMISE(issue_count >= -1 && issue_count <= 99);
		travel_permit_format(no, canonical);
		PROMISE(starts_with(text, size, canonical));
		try_travel(no);
	}
	PROMISE(strlen(rule_name(rule)) > 0);

	rule = residence_permit_parse(text, size, &no, &check_digit);
	if (rule == RULE_OK)
	{
		PROMISE(residence_permit_valid(no));
		residence_permit_format(no, canonical);
		PROMISE(starts_with(text, size, canonical));
		try_residence(no);
	}
	else if (rule == RULE_CHECK_DIGIT)
		PROMISE(check_digit == 'X' || (check_digit >= '0' && check_digit <= '9'));

	if (mobile_parse(text, size, &no) == RULE_OK)
	{
		PROMISE(mobile_valid(no));
		try_mobile(no);
	}

	/* As recv does: eight bytes from anywhere. */
	if (size >= sizeof(no))
	{
		memcpy(&no, data, sizeof(no));
		if (travel_permit_valid(no))
			try_travel(no);
		if (residence_permit_valid(no))
			try_residence(no);
		if (mobile_valid(no))
			try_mobile(no);
	}
	return 0;
}
