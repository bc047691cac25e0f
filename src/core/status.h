/*
 * status.h
 *		Token Status List bits (IETF draft-ietf-oauth-status-list): LSB first.
 */
#ifndef EPERMIT_STATUS_H
#define EPERMIT_STATUS_H

#include "slice.h"

#define STATUS_LIST_ENTRIES 131072
#define STATUS_LIST_BITS 2
#define STATUS_LIST_BYTES (STATUS_LIST_ENTRIES * STATUS_LIST_BITS / 8)
#define STATUS_LIST_MAX_BYTES STATUS_LIST_ENTRIES	/* other issuers may use 8 bits */
#define STATUS_SHUFFLE_KEY_BYTES 16

typedef enum CredentialStatus
{
	STATUS_VALID = 0,
	STATUS_INVALID = 1,			/* revoked */
	STATUS_SUSPENDED = 2
} CredentialStatus;

extern int	status_get(const uint8_t *list, int bits, uint32_t idx);
extern void status_set(uint8_t *list, int bits, uint32_t idx, int value);

/*
 * The n-th credential of a list gets entry status_shuffle(key, n): a keyed
 * permutation of 0..131071 (a Feistel network over SipHash), so that neighbours in time are
 * strangers in the list.
 */
extern uint32_t status_shuffle(const uint8_t *key, uint32_t n);

#endif							/* EPERMIT_STATUS_H */
