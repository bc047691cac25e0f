/*
 * number.h
 *		Travel permit, residence permit and mainland mobile numbers.
 *
 * Each number packs into one 64-bit integer whose order is the order of the
 * canonical text (C collation), so the SQL types are pass-by-value and reuse
 * the integer operator classes.  Parsers trim ASCII spaces, accept either case
 * and report the first rule broken; they never read the clock.  Non-ASCII
 * input is the caller's to normalise (NFKC) first.
 */
#ifndef EPERMIT_NUMBER_H
#define EPERMIT_NUMBER_H

#include "slice.h"

/* Which rule a literal broke; rule_name() gives the word used in SQL. */
typedef enum NumberRule
{
	RULE_OK = 0,
	RULE_LENGTH,
	RULE_PREFIX,
	RULE_CHARSET,
	RULE_REGION_CODE,
	RULE_BIRTH_DATE,
	RULE_SEQUENCE,				/* residence permit: three digits after the date */
	RULE_CHECK_DIGIT
} NumberRule;

extern const char *rule_name(NumberRule rule);

typedef enum Region
{
	REGION_HKG = 1,
	REGION_MAC = 2,
	REGION_TWN = 3
} Region;						/* the numbers of claim 75 and of the SQL enum's order */

typedef enum Sex
{
	SEX_MALE = 1,
	SEX_FEMALE = 2,
	SEX_OTHER = 3
} Sex;							/* the numbers of claim 9 */

typedef enum DocumentKind
{
	KIND_HK_MACAU = 1,
	KIND_HK_MACAU_FOREIGN = 2,
	KIND_TAIWAN = 3
} DocumentKind;

#define TRAVEL_PERMIT_NO_MAX 9		/* characters, canonical form */
#define RESIDENCE_PERMIT_NO_LEN 18
#define MOBILE_NO_LEN 11

/* issue_count may be NULL; it is set to -1 where the input has none. */
extern NumberRule travel_permit_parse(const char *text, size_t len, uint64_t *no, int *issue_count);
extern size_t travel_permit_format(uint64_t no, char *out);	/* NUL-terminated; out holds MAX + 1 */
extern size_t travel_permit_mask(uint64_t no, char *out);	/* H1****678; the number's length */
extern bool travel_permit_valid(uint64_t no);	/* is this a value parse could have made? (recv) */
extern DocumentKind travel_permit_kind(uint64_t no);
extern Region travel_permit_region(uint64_t no);

/* check_digit may be NULL; on RULE_CHECK_DIGIT it gets the character that would be right. */
extern NumberRule residence_permit_parse(const char *text, size_t len, uint64_t *no,
										 char *check_digit);
extern size_t residence_permit_format(uint64_t no, char *out);
extern size_t residence_permit_mask(uint64_t no, char *out);	/* 81**************3X */
extern bool residence_permit_valid(uint64_t no);
extern Region residence_permit_region(uint64_t no);
extern Sex residence_permit_sex(uint64_t no);
extern void residence_permit_birth_date(uint64_t no, int *year, int *month, int *day);

extern NumberRule mobile_parse(const char *text, size_t len, uint64_t *no);
extern size_t mobile_format(uint64_t no, char *out);
extern size_t mobile_mask(uint64_t no, char *out);	/* 138****5678 */
extern bool mobile_valid(uint64_t no);

/*
 * The holder's bucket: the first two bytes, big-endian, of SHA-256 of the
 * canonical travel permit number.  Frozen for ever.
 */
extern uint16_t travel_permit_bucket(uint64_t no);

#endif							/* EPERMIT_NUMBER_H */
