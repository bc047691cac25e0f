/*
 * keys.h
 *		Ed25519 keys: found by kid, used to sign and to verify.
 *
 * Public halves are cached per backend (latest snapshot, invalidated by relcache
 * callback).  The unsealed secret of the key that last signed for a usage is kept in
 * sodium_malloc memory and wiped when the table or a master key setting changes.
 */
#ifndef EPERMIT_KEYS_H
#define EPERMIT_KEYS_H

#include "compat.h"

#include "core/cose.h"
#include "datatype/timestamp.h"

/* In the order of the SQL enum key_usage. */
typedef enum KeyUsage
{
	KEY_PERMIT = 0,
	KEY_LINKAGE,
	KEY_STATUS,
	KEY_ATTESTATION,
	KEY_ROOT					/* signs the list of keys */
} KeyUsage;

#define KEY_USAGES (KEY_ROOT + 1)

extern const char *const key_usage_labels[];
extern const char *const key_state_labels[];

typedef enum KeyState
{
	KEY_ACTIVE = 0,				/* signs (where the seed is ours) and verifies */
	KEY_RETIRED,				/* verifies */
	KEY_COMPROMISED				/* neither */
} KeyState;

#define KEY_STATES (KEY_COMPROMISED + 1)

typedef struct SigningKey
{
	uint8		kid[KID_BYTES];
	KeyUsage	usage;
	KeyState	state;
	bool		ours;			/* has a sealed seed */
	uint8		public_key[PUBLIC_KEY_BYTES];
	TimestampTz created_at;
	TimestampTz retired_at;		/* 0 where it never was, as the next */
	TimestampTz compromised_at;
} SigningKey;

/*
 * NULL where unknown.  What is returned lives until the next call into keys.c.  Works in
 * parallel workers.
 */
extern const SigningKey *keys_find(const uint8 *kid);

/* All keys with a sealed seed, ascending by kid: copies (palloc'ed), and their number. */
extern SigningKey *keys_own(int *count);

/* The key that signs for this usage; TP003 where there is none. */
extern const SigningKey *keys_active(KeyUsage usage);

/*
 * Sign payload as COSE_Sign1 with the active key of usage.  Writes the message to buf, its
 * length is returned, kid gets the key's.  TP003, TP004; an error where cap is too small.  payload
 * must not lie in buf.
 */
extern size_t keys_sign1(KeyUsage usage, CoseTyp typ, Slice payload,
						 uint8 *buf, size_t cap, uint8 *kid);

extern void keys_define_settings(void);

#endif							/* EPERMIT_KEYS_H */
