/*
 * status_list.h
 *		Token Status Lists: which entry a credential has, and what lists say.
 */
#ifndef EPERMIT_STATUS_LIST_H
#define EPERMIT_STATUS_LIST_H

#include "compat.h"

#include "credential.h"

/*
 * Give out the next entry.  Takes no lock that other sessions wait for, except
 * once in 131,072 times, when a list begins.  Entries given out in a row lie apart.
 */
extern void status_entry_allocate(int32 *list_id, int32 *idx);

/* The URI of a list of our own (palloc'ed). */
extern char *status_list_uri(int32 list_id);

/*
 * What is known here of a genuine credential's revocation, read-only: valid, revoked, suspended, or
 * undetermined where a list is needed and is missing or too old.  Safe in parallel workers.
 */
extern Verdict status_offline(const CredentialClaims *claims, int64 at);

#endif							/* EPERMIT_STATUS_LIST_H */
