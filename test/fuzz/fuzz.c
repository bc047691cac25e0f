/*
 * fuzz.c
 *		Seeds are made, not stored: they go into the corpus folder before it is read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "fuzz.h"

void
fuzz_broken(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
	abort();
}

size_t
fuzz_text_seed(const char *const *texts, int count, int n, uint8_t *buf)
{
	size_t		len;

	if (n >= count)
		return 0;
	len = strlen(texts[n]);
	memcpy(buf, texts[n], len);
	return len;
}

/* The corpus folder is the last argument; a run on single files has none. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static uint8_t seed[FUZZ_MAX_INPUT];
	const char *folder = (*argv)[*argc - 1];
	size_t		len;
	int			n;

	if (sodium_init() < 0)
		abort();
	for (n = 0; *argc > 1 && (len = fuzz_seed(n, seed)) > 0; n++)
	{
		char		path[1024];
		FILE	   *file;

		snprintf(path, sizeof(path), "%s/seed-%d", folder, n);
		file = fopen(path, "wb");
		if (file == NULL)
			break;
		fwrite(seed, 1, len, file);
		fclose(file);
	}
	return 0;
}
