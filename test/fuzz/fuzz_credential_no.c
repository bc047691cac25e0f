/*
 * fuzz_credential_no.c
 *		Permit and linkage numbers.
 *
 * Whatever parses prints as a number that parses the same; any twelve bytes are a
 * number, print and come back.
 */
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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CredentialNo no;

	if (credential_no_parse((const char *) data, size, &no) == CREDENTIAL_NO_OK)
		try_number(&no);
	if (size >= sizeof(no))
	{
		memcpy(no.bytes, data, sizeof(no.bytes));
		try_number(&no);
	}
	return 0;
}
