/*
 * tap.c
 *		Runs the unit tests of src/core.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "tap.h"

static int	passed = 0;
static int	failed = 0;
static bool test_ok;
static const char *current_note;

bool
tap_check(bool ok, const char *condition, const char *file, int line)
{
	if (!ok)
	{
		test_ok = false;
		printf("# %s:%d: not so: %s\n", file, line, condition);
		if (current_note != NULL)
			printf("#   looking at: %s\n", current_note);
	}
	return ok;
}

void
tap_note(const char *note)
{
	current_note = note;
}

void
tap_run(const char *promise, void (*test) (void))
{
	test_ok = true;
	current_note = NULL;
	test();
	if (test_ok)
		passed++;
	else
		failed++;
	printf("%sok %d - %s\n", test_ok ? "" : "not ", passed + failed, promise);
	fflush(stdout);
}

uint8_t *
tap_copy(const void *bytes, size_t len)
{
	uint8_t    *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

uint8_t *
tap_unhex(const char *hex, size_t *len)
{
	uint8_t    *bytes = malloc(strlen(hex) / 2 + 1);
	uint8_t    *exact;

	if (bytes == NULL ||
		sodium_hex2bin(bytes, strlen(hex) / 2, hex, strlen(hex), NULL, len, NULL) != 0)
		abort();
	exact = tap_copy(bytes, *len);
	free(bytes);
	return exact;
}

bool
tap_is_hex(const uint8_t *bytes, size_t len, const char *hex)
{
	size_t		expected_len;
	uint8_t    *expected = tap_unhex(hex, &expected_len);
	bool		same = len == expected_len && memcmp(bytes, expected, len) == 0;

	free(expected);
	return same;
}

bool
tap_slice_is(Slice slice, const char *text)
{
	return slice.ptr != NULL && slice.len == strlen(text) &&
		memcmp(slice.ptr, text, slice.len) == 0;
}

/* xorshift64*: good enough to pick inputs. */
uint64_t
tap_random(void)
{
	static uint64_t state = UINT64_C(20000101);

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * UINT64_C(0x2545F4914F6CDD1D);
}

int
main(void)
{
	if (sodium_init() < 0)
		return 1;

	test_calendar();
	test_number();
	test_name();
	test_credential_no();
	test_utf8();
	test_base45();
	test_cbor();
	test_cose();
	test_claims();
	test_wire();
	test_status();
	test_merkle();

	printf("1..%d\n", passed + failed);
	printf("%d passed, %d failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
