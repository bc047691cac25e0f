/*
 * fuzz_name.c
 *		Names: cleaning and the romanised key.
 *
 * Neither makes a text longer, both change nothing the second time, and what is clean
 * is UTF-8 of at most so many characters.
 */
#include <stdlib.h>
#include <string.h>

#include "core/name.h"
#include "core/utf8.h"
#include "fuzz.h"

static const char *const seeds[] = {
	"陳大文", "CHAN TAI MAN", "D'Souza, José-María",
	"買買提\xE2\x80\xA2吐爾遜", "買買提\xE3\x83\xBB\xEF\xBD\xA5\xE2\x80\xA7",
	"  \xE3\x80\x80 \xF0\xA0\xAE\xB7  ", "陳\xE2\x80\x8B?\xEF\xBF\xBD"
};

size_t
fuzz_seed(int n, uint8_t *buf)
{
	return fuzz_text_seed(seeds, sizeof(seeds) / sizeof(seeds[0]), n, buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;
	char	   *out = malloc(size > 0 ? size : 1);
	char	   *again = malloc(size > 0 ? size : 1);
	size_t		len,
				again_len;

	if (name_clean(text, size, NAME_MAX_CHARS, out, &len) == NAME_OK)
	{
		PROMISE(len > 0 && len <= size && len <= 4 * NAME_MAX_CHARS);
		PROMISE(utf8_valid((const uint8_t *) out, len));
		PROMISE(name_clean(out, len, NAME_MAX_CHARS, again, &again_len) == NAME_OK);
		PROMISE(again_len == len && memcmp(out, again, len) == 0);
	}
	else
		PROMISE(len == 0);

	len = name_romanised_key(text, size, out);
	PROMISE(len <= size);
	again_len = name_romanised_key(out, len, again);
	PROMISE(utf8_valid(data, size) ? again_len == len && memcmp(out, again, len) == 0 : true);

	free(out);
	free(again);
	return 0;
}
