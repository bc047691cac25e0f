/*
 * status.c
 *		Token Status List bits, and the order in which entries are given out.
 */
#include <sodium.h>

#include "status.h"

/* 2^17 entries: a Feistel network over a left part of 8 bits and a right one of 9. */
#define LEFT_BITS 8
#define RIGHT_BITS 9
#define LEFT_MASK ((1U << LEFT_BITS) - 1)
#define RIGHT_MASK ((1U << RIGHT_BITS) - 1)
#define ROUNDS 10				/* as NIST's FF1, whose domains are as small */

typedef char entries_fit_network[STATUS_LIST_ENTRIES == 1 << (LEFT_BITS + RIGHT_BITS) ? 1 : -1];

int
status_get(const uint8_t *list, int bits, uint32_t idx)
{
	uint64_t	bit = (uint64_t) idx * (unsigned) bits;

	return list[bit / 8] >> (bit % 8) & ((1 << bits) - 1);
}

void
status_set(uint8_t *list, int bits, uint32_t idx, int value)
{
	uint64_t	bit = (uint64_t) idx * (unsigned) bits;
	unsigned	shift = bit % 8;
	unsigned	entry = (1U << bits) - 1;

	list[bit / 8] = (uint8_t) ((list[bit / 8] & ~(entry << shift)) |
							   ((unsigned) value & entry) << shift);
}

static uint32_t
round_function(const uint8_t *key, int round, uint32_t half)
{
	uint8_t		input[3];
	uint8_t		output[crypto_shorthash_siphash24_BYTES];

	input[0] = (uint8_t) round;
	input[1] = (uint8_t) (half >> 8);
	input[2] = (uint8_t) half;
	crypto_shorthash_siphash24(output, input, sizeof(input), key);
	return (uint32_t) output[0] << 8 | output[1];
}

uint32_t
status_shuffle(const uint8_t *key, uint32_t n)
{
	uint32_t	left = n >> RIGHT_BITS & LEFT_MASK;
	uint32_t	right = n & RIGHT_MASK;
	int			round;

	/* Each round can be undone, whatever the round function says: no two n meet. */
	for (round = 0; round < ROUNDS; round += 2)
	{
		left ^= round_function(key, round, right) & LEFT_MASK;
		right ^= round_function(key, round + 1, left) & RIGHT_MASK;
	}
	return left << RIGHT_BITS | right;
}
