/*
 * merkle_test.c
 *		Promises of core/merkle.
 */
#include <stdlib.h>
#include <string.h>

#include "core/merkle.h"
#include "tap.h"

/* The leaves and roots that Certificate Transparency implementations test with. */
static const char *const leaves[] = {
	"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
	"606162636465666768696a6b6c6d6e6f"
};

static const char *const roots[] = {
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
};

#define HASH MERKLE_HASH_BYTES

static void
leaf_hash(const char *hex, uint8_t *hash)
{
	size_t		len;
	uint8_t    *bytes = tap_unhex(hex, &len);

	merkle_leaf_hash(bytes, len, hash);
	free(bytes);
}

static void
root_of(const uint8_t *hashes, uint64_t n, uint8_t *root)
{
	MerkleTree	tree;
	uint64_t	i;

	merkle_init(&tree);
	for (i = 0; i < n; i++)
		merkle_push(&tree, hashes + i * HASH);
	merkle_root(&tree, root);
}

static void
published_roots(void)
{
	uint8_t		hashes[8 * HASH],
				root[HASH];
	uint64_t	n;

	for (n = 0; n < 8; n++)
		leaf_hash(leaves[n], hashes + n * HASH);
	for (n = 0; n <= 8; n++)
	{
		root_of(hashes, n, root);
		tap_note(roots[n]);
		CHECK(tap_is_hex(root, HASH, roots[n]));
	}
}

static void
published_proof(void)
{
	uint8_t		hashes[8 * HASH],
				proof[MERKLE_MAX_PROOF][HASH];
	int			i;

	for (i = 0; i < 8; i++)
		leaf_hash(leaves[i], hashes + i * HASH);

	/* Leaf 5 of 8: its sibling, the pair before, the other half. */
	CHECK(merkle_proof(hashes, 8, 5, proof) == 3);
	CHECK(tap_is_hex(proof[0], HASH,
					 "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"));
	CHECK(tap_is_hex(proof[1], HASH,
					 "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"));
	CHECK(tap_is_hex(proof[2], HASH, roots[4]));

	/* Leaf 2 of 3 stands alone until the root. */
	CHECK(merkle_proof(hashes, 3, 2, proof) == 1);
	CHECK(tap_is_hex(proof[0], HASH, roots[2]));
	CHECK(merkle_proof(hashes, 1, 0, proof) == 0);
	CHECK(merkle_proof(hashes, 3, 3, proof) == 0);
}

#define MOST 70

static void
every_proof(void)
{
	uint8_t    *hashes = malloc(MOST * HASH);
	uint64_t	n,
				i;

	for (i = 0; i < MOST * HASH; i++)
		hashes[i] = (uint8_t) tap_random();
	for (n = 1; n <= MOST; n++)
	{
		uint8_t		root[HASH];

		root_of(hashes, n, root);
		for (i = 0; i < n; i++)
		{
			uint8_t		proof[MERKLE_MAX_PROOF][HASH];
			size_t		len = merkle_proof(hashes, n, i, proof);
			uint8_t    *leaf = hashes + i * HASH;
			uint8_t    *other = hashes + (i + 1) % n * HASH;
			size_t		j;

			if (!CHECK(merkle_proof_check(leaf, i, n, proof, len, root)))
				goto done;
			if (n == 1)
				continue;

			/* Another leaf, another place, a shorter or longer proof, another root. */
			CHECK(!merkle_proof_check(other, i, n, proof, len, root));
			CHECK(!merkle_proof_check(leaf, (i + 1) % n, n, proof, len, root));
			CHECK(!merkle_proof_check(leaf, i, n, proof, len - 1, root));
			memset(proof[len], 0, HASH);
			CHECK(!merkle_proof_check(leaf, i, n, proof, len + 1, root));
			CHECK(!merkle_proof_check(leaf, i, n, proof, len, hashes));
			for (j = 0; j < len; j++)
			{
				proof[j][j % HASH] ^= 1;
				CHECK(!merkle_proof_check(leaf, i, n, proof, len, root));
				proof[j][j % HASH] ^= 1;
			}
		}
	}
done:
	free(hashes);
}

static void
places_outside(void)
{
	uint8_t		leaf[HASH],
				proof[MERKLE_MAX_PROOF][HASH];

	leaf_hash("00", leaf);
	CHECK(merkle_proof_check(leaf, 0, 1, proof, 0, leaf));
	CHECK(!merkle_proof_check(leaf, 1, 1, proof, 0, leaf));
	CHECK(!merkle_proof_check(leaf, 0, 0, proof, 0, leaf));
	CHECK(!merkle_proof_check(leaf, UINT64_MAX, 0, proof, 0, leaf));
}

/* Were leaves and nodes hashed alike, a node could be passed off as a leaf. */
static void
second_preimage(void)
{
	uint8_t		pair[2 * HASH],
				node[HASH],
				leaf[HASH];

	leaf_hash(leaves[0], pair);
	leaf_hash(leaves[1], pair + HASH);
	merkle_node_hash(pair, pair + HASH, node);
	merkle_leaf_hash(pair, sizeof(pair), leaf);
	CHECK(tap_is_hex(node, HASH, roots[2]));
	CHECK(memcmp(node, leaf, HASH) != 0);
}

void
test_merkle(void)
{
	RUN("merkle: the published roots of 0 to 8 leaves", published_roots);
	RUN("merkle: a proof runs from the leaf up", published_proof);
	RUN("merkle: every leaf of 1 to 70 has a proof, and it proves nothing else", every_proof);
	RUN("merkle: a place outside the tree proves nothing", places_outside);
	RUN("merkle: a node is no leaf", second_preimage);
}
