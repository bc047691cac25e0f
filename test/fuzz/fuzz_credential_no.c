/*
 * fuzz_credential_no.c
 *		Permit and linkage numbers.
 *
 * Whatever parses is what the number prints, but for case, hyphens, spaces and the letters
 * that are read as digits; any twelve bytes are a number, print and come back.
 */
#include <ctype.h>
#include <string.h>

#include "core/credential_no.h"
#include "fuzz.h"

static const char *const seeds[] = {
	"T-M6S00-0012G-8G4HM-ASW9Y", "L-M6S00-0012G-8G4HM-ASW9C", "t m6soo ool2g 8g4hm asw9y",
	"T-M6S00-0012G-8G4HM-ASW9", "1-M6S00-0012G-8G4HM-ASW9C"
};

size_t
fuzz_seed(int n, uint8_t *buf)
{
	return fuzz_text_seed(seeds, sizeof(seeds) / sizeof(seeds[0]), n, buf);
}

static void
try_number(const CredentialNo *no)
{
	char		text[CREDENTIAL_NO_TEXT + 1];
	CredentialParts parts;
	CredentialNo again;

	credential_no_format(no, text);
	PROMISE(strlen(text) == CREDENTIAL_NO_TEXT);
	PROMISE(credential_no_parse(text, CREDENTIAL_NO_TEXT, &again) == CREDENTIAL_NO_OK);
	PROMISE(memcmp(no, &again, sizeof(again)) == 0);

	credential_no_unpack(no, &parts);
	PROMISE(text[0] == (parts.is_permit ? 'T' : 'L'));
	PROMISE(parts.holder_id >> 40 == 0 && parts.random >> 39 == 0);
	PROMISE(parts.month >= 0 && parts.month < 4096 && parts.slot >= 0 && parts.slot < 16);
	credential_no_pack(&parts, &again);
	PROMISE(memcmp(no, &again, sizeof(again)) == 0);
}

/* The characters that count, as they are read; at most cap of them. */
static size_t
plain(const char *text, size_t len, char *out, size_t cap)
{
	size_t		n = 0;
	size_t		i;

	for (i = 0; i < len && n < cap; i++)
	{
		int			c = toupper((unsigned char) text[i]);

		if (c == '-' || c == ' ')
			continue;
		out[n++] = (char) (c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c);
	}
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CredentialNo no;

	if (credential_no_parse((const char *) data, size, &no) == CREDENTIAL_NO_OK)
	{
		char		text[CREDENTIAL_NO_TEXT + 1];
		char		given[CREDENTIAL_NO_TEXT],
					printed[CREDENTIAL_NO_TEXT];
		size_t		len = plain((const char *) data, size, given, sizeof(given));

		credential_no_format(&no, text);
		PROMISE(plain(text, strlen(text), printed, sizeof(printed)) == len);
		PROMISE(memcmp(given, printed, len) == 0);
		try_number(&no);
	}
	if (size >= sizeof(no))
	{
		memcpy(no.bytes, data, sizeof(no.bytes));
		try_number(&no);
	}
	return 0;
}
