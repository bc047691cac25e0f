/*
 * config.h
 *		Policy, purposes, issuer and departments, cached per backend.
 *
 * Filled with the latest snapshot, so that a session in REPEATABLE READ decides by the
 * rules in force, and dropped by relcache invalidation.  What is returned lives
 * until the end of the transaction.
 */
#ifndef EPERMIT_CONFIG_H
#define EPERMIT_CONFIG_H

#include "compat.h"

#include "core/calendar.h"
#include "datatype/timestamp.h"
#include "utils/array.h"

typedef struct Policy
{
	TimestampTz effective_from;
	int			monthly_quota;
	int			permit_days;
	int			linkage_days;
	ValidityRule validity_rule;
	uint64		permit_purposes;	/* bits */
	bool		require_attestation;
	bool		require_mobile;
	int64		attestation_max_age;	/* seconds */
	int			attempts_per_day;
	Interval	credential_retention;
} Policy;

typedef struct Purpose
{
	char	   *code;
	int			bit;
	bool		permit_may;
	bool		linkage_may;
} Purpose;

typedef struct Issuer
{
	char	   *iss;
	char	   *status_list_base;
} Issuer;

typedef struct Department
{
	Oid			role;
	char	   *code;
	uint64		purposes;		/* bits */
	uint32		disclosure;		/* DISCLOSE_ bits */
} Department;

/* Columns of epermit.verification that a department must be granted. */
#define DISCLOSE_HOLDER_NAME		0x001
#define DISCLOSE_NAME_ROMANISED		0x002
#define DISCLOSE_BIRTH_DATE			0x004
#define DISCLOSE_DOCUMENT_KIND		0x008
#define DISCLOSE_DOCUMENT_NO		0x010
#define DISCLOSE_PURPOSES			0x020
#define DISCLOSE_PORTRAIT_DIGEST	0x040
#define DISCLOSE_NAME_MATCH			0x080
#define DISCLOSE_ALL				0x0ff

/* Each returns NULL where there is no such row, unless it says that it ereports. */
extern const Policy *config_policy_at(TimestampTz at);	/* in force then; ereports */
extern const Policy *config_policy(TimestampTz effective_from);	/* that very row */
extern const Purpose *config_purpose(const char *code);
extern const Issuer *config_issuer(void);	/* ereports */
extern const Department *config_department(Oid role);

extern uint64 config_linkage_purposes(void);	/* bits of what linkage results serve */

/* text[] of the codes of these bits, in bit order, palloc'ed; and back, false: one is unknown. */
extern ArrayType *config_purposes_array(uint64 bits);
extern bool config_purposes_bits(ArrayType *codes, uint64 *bits);

#endif							/* EPERMIT_CONFIG_H */
