/*
 * merkle.c
 *		RFC 9162 Merkle trees: streaming roots, inclusion proofs and their check.
 *
 * Leaves and nodes are hashed under different first bytes, so that no leaf can
 * pass for a node.  stack[i] is the root of a full subtree of 2^i leaves and
 * means something only while bit i of size is set.
 */
#include <string.h>

#include <sodium.h>

#include "merkle.h"

#define LEAF_PREFIX 0x00
#define NODE_PREFIX 0x01

static void
prefixed_hash(uint8_t prefix, const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len,
			  uint8_t *hash)
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, &prefix, 1);
	crypto_hash_sha256_update(&state, a, a_len);
	crypto_hash_sha256_update(&state, b, b_len);
	crypto_hash_sha256_final(&state, hash);
}

void
merkle_leaf_hash(const uint8_t *data, size_t len, uint8_t *hash)
{
	prefixed_hash(LEAF_PREFIX, data, len, NULL, 0, hash);
}

void
merkle_node_hash(const uint8_t *left, const uint8_t *right, uint8_t *hash)
{
	prefixed_hash(NODE_PREFIX, left, MERKLE_HASH_BYTES, right, MERKLE_HASH_BYTES, hash);
}

void
merkle_init(MerkleTree *tree)
{
	tree->size = 0;
}

void
merkle_push(MerkleTree *tree, const uint8_t *leaf_hash)
{
	uint8_t		hash[MERKLE_HASH_BYTES];
	int			level;

	/* As in adding one to a binary number: two subtrees of a size make one of the next. */
	memcpy(hash, leaf_hash, MERKLE_HASH_BYTES);
	for (level = 0; tree->size >> level & 1; level++)
		merkle_node_hash(tree->stack[level], hash, hash);
	memcpy(tree->stack[level], hash, MERKLE_HASH_BYTES);
	tree->size++;
}

void
merkle_root(const MerkleTree *tree, uint8_t *root)
{
	bool		started = false;
	int			level;

	if (tree->size == 0)
	{
		crypto_hash_sha256(root, NULL, 0);
		return;
	}
	for (level = 0; level < 64; level++)
	{
		if (!(tree->size >> level & 1))
			continue;
		if (started)
			merkle_node_hash(tree->stack[level], root, root);
		else
			memcpy(root, tree->stack[level], MERKLE_HASH_BYTES);
		started = true;
	}
}

/* Root over leaf hashes first .. end - 1. */
static void
range_root(const uint8_t *leaf_hashes, uint64_t first, uint64_t end, uint8_t *root)
{
	MerkleTree	tree;
	uint64_t	i;

	merkle_init(&tree);
	for (i = first; i < end; i++)
		merkle_push(&tree, leaf_hashes + i * MERKLE_HASH_BYTES);
	merkle_root(&tree, root);
}

size_t
merkle_proof(const uint8_t *leaf_hashes, uint64_t n, uint64_t index,
			 uint8_t proof[][MERKLE_HASH_BYTES])
{
	uint64_t	first = 0;
	uint64_t	end = n;
	size_t		len = 0;
	size_t		i;

	if (index >= n)
		return 0;

	/* From the root down: at each fork, the root of the side the leaf is not on. */
	while (end - first > 1)
	{
		uint64_t	half = 1;

		while (half < (end - first + 1) / 2)
			half *= 2;			/* the largest power of two below end - first */
		if (index < first + half)
		{
			range_root(leaf_hashes, first + half, end, proof[len++]);
			end = first + half;
		}
		else
		{
			range_root(leaf_hashes, first, first + half, proof[len++]);
			first += half;
		}
	}

	/* A proof is written from the leaf up. */
	for (i = 0; i < len / 2; i++)
	{
		uint8_t		hash[MERKLE_HASH_BYTES];

		memcpy(hash, proof[i], MERKLE_HASH_BYTES);
		memcpy(proof[i], proof[len - 1 - i], MERKLE_HASH_BYTES);
		memcpy(proof[len - 1 - i], hash, MERKLE_HASH_BYTES);
	}
	return len;
}

/* RFC 9162 section 2.1.3.2. */
bool
merkle_proof_check(const uint8_t *leaf_hash, uint64_t index, uint64_t n,
				   uint8_t proof[][MERKLE_HASH_BYTES], size_t proof_len, const uint8_t *root)
{
	uint8_t		hash[MERKLE_HASH_BYTES];
	uint64_t	node = index;	/* our node's place in its level, and that of the level's last */
	uint64_t	last = n - 1;
	size_t		i;

	if (index >= n)
		return false;

	memcpy(hash, leaf_hash, MERKLE_HASH_BYTES);
	for (i = 0; i < proof_len; i++)
	{
		if (last == 0)
			return false;
		if ((node & 1) || node == last)
		{
			merkle_node_hash(proof[i], hash, hash);

			/* A last node without a sibling rises until it is somebody's right one. */
			while (!(node & 1) && node != 0)
			{
				node >>= 1;
				last >>= 1;
			}
		}
		else
			merkle_node_hash(hash, proof[i], hash);
		node >>= 1;
		last >>= 1;
	}
	return last == 0 && memcmp(hash, root, MERKLE_HASH_BYTES) == 0;
}
