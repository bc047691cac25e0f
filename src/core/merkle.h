/*
 * merkle.h
 *		RFC 9162 (Certificate Transparency 2) Merkle trees over SHA-256.
 */
#ifndef EPERMIT_MERKLE_H
#define EPERMIT_MERKLE_H

#include "slice.h"

#define MERKLE_HASH_BYTES 32
#define MERKLE_MAX_PROOF 64

/* Streaming: push leaf hashes one by one, then take the root.  No heap; log2(n) hashes of state. */
typedef struct MerkleTree
{
	uint64_t	size;
	uint8_t		stack[64][MERKLE_HASH_BYTES];
} MerkleTree;

/* SHA-256(0x00 || data) and SHA-256(0x01 || left || right); hash may be left or right. */
extern void merkle_leaf_hash(const uint8_t *data, size_t len, uint8_t *hash);
extern void merkle_node_hash(const uint8_t *left, const uint8_t *right, uint8_t *hash);
extern void merkle_init(MerkleTree *tree);
extern void merkle_push(MerkleTree *tree, const uint8_t *leaf_hash);
extern void merkle_root(const MerkleTree *tree, uint8_t *root);	/* of the empty tree: SHA-256("") */

/* Inclusion proof of leaf index among n leaf hashes (n * 32 bytes); returns how many hashes. */
extern size_t merkle_proof(const uint8_t *leaf_hashes, uint64_t n, uint64_t index,
						   uint8_t proof[][MERKLE_HASH_BYTES]);
extern bool merkle_proof_check(const uint8_t *leaf_hash, uint64_t index, uint64_t n,
							   uint8_t proof[][MERKLE_HASH_BYTES], size_t proof_len,
							   const uint8_t *root);

#endif							/* EPERMIT_MERKLE_H */
