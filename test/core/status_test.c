/*
 * status_test.c
 *		Promises of core/status.
 */
#include <stdlib.h>
#include <string.h>

#include "core/status.h"
#include "core/wire.h"
#include "tap.h"

/* The two worked examples of the Token Status List draft: statuses, bytes, and bytes compressed. */
static const uint8_t one_bit[] = {1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1};
static const uint8_t two_bits[] = {1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3};

static bool
example(const uint8_t *statuses, size_t n, int bits, const char *list_hex, const char *zlib_hex)
{
	uint8_t		list[8];
	size_t		zlib_len,
				list_len,
				i;
	uint8_t    *zlib = tap_unhex(zlib_hex, &zlib_len);
	bool		ok = wire_inflate(zlib, zlib_len, list, sizeof(list), &list_len) &&
		tap_is_hex(list, list_len, list_hex);

	for (i = 0; i < n; i++)
		ok = ok && status_get(list, bits, (uint32_t) i) == statuses[i];

	memset(list, 0xFF, sizeof(list));
	for (i = n; i-- > 0;)
		status_set(list, bits, (uint32_t) i, statuses[i]);
	ok = ok && tap_is_hex(list, n * (size_t) bits / 8, list_hex);
	free(zlib);
	return ok;
}

static void
draft_examples(void)
{
	CHECK(example(one_bit, LENGTH_OF(one_bit), 1, "b9a3", "78dadbb918000217015d"));
	CHECK(example(two_bits, LENGTH_OF(two_bits), 2, "c944f9", "78da3be9f2130003df0207"));
}

static void
entries_alone(void)
{
	int			bits;

	for (bits = 1; bits <= 8; bits *= 2)
	{
		uint8_t    *list = calloc(1, 16);
		uint32_t	last = (uint32_t) (16 * 8 / bits - 1);
		uint32_t	idx;
		int			top = (1 << bits) - 1;

		for (idx = 0; idx <= last; idx++)
		{
			uint32_t	other;

			status_set(list, bits, idx, top);
			for (other = 0; other <= last; other++)
				CHECK(status_get(list, bits, other) == (other == idx ? top : 0));
			status_set(list, bits, idx, 0);
		}
		free(list);
	}
}

static void
whole_list(void)
{
	uint8_t    *list = calloc(1, STATUS_LIST_BYTES);

	CHECK(STATUS_LIST_BYTES == 32768);
	status_set(list, STATUS_LIST_BITS, STATUS_LIST_ENTRIES - 1, STATUS_SUSPENDED);
	CHECK(list[STATUS_LIST_BYTES - 1] == 0x80);
	CHECK(status_get(list, STATUS_LIST_BITS, STATUS_LIST_ENTRIES - 1) == STATUS_SUSPENDED);
	free(list);
}

static void
permutation(void)
{
	static const uint8_t keys[3][STATUS_SHUFFLE_KEY_BYTES] = {{0}, {1}, {0xFF, 0xFE, 0xFD}};
	size_t		k;

	for (k = 0; k < LENGTH_OF(keys); k++)
	{
		uint8_t    *seen = calloc(1, STATUS_LIST_ENTRIES);
		uint32_t	n;
		bool		ok = true;

		for (n = 0; n < STATUS_LIST_ENTRIES; n++)
		{
			uint32_t	idx = status_shuffle(keys[k], n);

			if (idx >= STATUS_LIST_ENTRIES || seen[idx]++)
				ok = false;
		}
		CHECK(ok);
		free(seen);
	}
}

static void
strangers(void)
{
	static const uint8_t key[STATUS_SHUFFLE_KEY_BYTES] = {7};
	uint8_t		other_key[STATUS_SHUFFLE_KEY_BYTES] = {8};
	uint32_t	n;
	int			near = 0,
				same = 0;

	for (n = 1; n < 10000; n++)
	{
		int64_t		step = (int64_t) status_shuffle(key, n) - status_shuffle(key, n - 1);

		if (step > -1024 && step < 1024)
			near++;
		if (status_shuffle(key, n) == status_shuffle(other_key, n))
			same++;
	}
	/* By chance, 1.6 % come that close and 0.08 in all are the same. */
	CHECK(near < 300);
	CHECK(same < 5);
}

static void
known_places(void)
{
	static const uint32_t n[] = {0, 1, 2, 3, 511, 512, 65536, 131071};
	static const uint32_t idx[] = {72644, 33543, 44036, 22500, 124973, 66237, 95784, 126586};
	uint8_t		key[STATUS_SHUFFLE_KEY_BYTES];
	size_t		i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t) i;
	for (i = 0; i < LENGTH_OF(n); i++)
		CHECK(status_shuffle(key, n[i]) == idx[i]);
}

void
test_status(void)
{
	RUN("status: the examples of the Token Status List draft", draft_examples);
	RUN("status: setting an entry touches no other, at 1, 2, 4 and 8 bits", entries_alone);
	RUN("status: a list has 131,072 entries in 32 KiB", whole_list);
	RUN("status: the shuffle is a permutation under every key", permutation);
	RUN("status: neighbours in time are strangers in the list", strangers);
	RUN("status: the shuffle does not change", known_places);
}
