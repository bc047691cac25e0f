/*
 * types.h
 *		Datum macros of the extension's own types and the numbers of its enums.
 *
 * travel_permit_no, residence_permit_no and mobile_no are the 64-bit integers of
 * core/number.h, passed by value.  credential_no is 12 bytes, passed by
 * reference, char-aligned.  token is a varlena of the compressed COSE bytes
 * (storage external: it does not compress again).
 */
#ifndef EPERMIT_TYPES_H
#define EPERMIT_TYPES_H

#include "compat.h"

#include "core/calendar.h"
#include "core/credential_no.h"
#include "core/number.h"

#define DatumGetNumber(d)		((uint64) DatumGetInt64(d))
#define NumberGetDatum(n)		Int64GetDatum((int64) (n))
#define PG_GETARG_NUMBER(i)		DatumGetNumber(PG_GETARG_DATUM(i))
#define PG_RETURN_NUMBER(n)		return NumberGetDatum(n)

#define DatumGetCredentialNo(d) ((CredentialNo *) DatumGetPointer(d))
#define CredentialNoGetDatum(p) PointerGetDatum(p)
#define PG_GETARG_CREDENTIAL_NO(i) DatumGetCredentialNo(PG_GETARG_DATUM(i))

/*
 * Enums travel as their labels: an SQL enum's oid differs from database to
 * database.  type_oid() finds an epermit type by name, enum_datum() a label's
 * value, enum_label() the label (palloc'ed).  All go through the system caches.
 */
extern Oid	type_oid(const char *name);
extern Datum enum_datum(const char *type, const char *label);
extern char *enum_label(Datum value);

/* The labels, indexed by core's enums (index 0 is unused for those that start at 1). */
extern const char *const region_labels[];	/* HKG, MAC, TWN */
extern const char *const sex_labels[];	/* male, female, other */
extern const char *const document_kind_labels[];	/* hk_macau, hk_macau_foreign, taiwan */
extern const char *const validity_rule_labels[];	/* exact, end_of_day, inclusive */

/* As the type's input function: 22P02 tells which rule is broken. */
extern uint64 travel_permit_no_from_text(const text *number);

/* Copies, palloc'ed: bytes as a bytea, UTF-8 as a text or a NUL-terminated string. */
extern bytea *make_bytea(const void *bytes, Size len);
extern text *slice_to_text(Slice s);
extern char *slice_to_string(Slice s);

/* Index of label in labels, or -1. */
extern int	label_index(const char *const *labels, int first, int last, const char *label);

#endif							/* EPERMIT_TYPES_H */
