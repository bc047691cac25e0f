/*
 * claims.c
 *		Claims sets as deterministic CBOR, and back.
 *
 * Writers put map keys in ascending order of their encoding, which is not their
 * numeric order: negative keys come last.  Readers check the whole payload with
 * cbor_check() first, so what they then step over is known to be sound.
 */
#include <string.h>

#include <sodium.h>

#include "calendar.h"
#include "cbor.h"
#include "claims.h"

#define PERSON_NUMBER 1
#define PERSON_LANGUAGE 3
#define PERSON_NAME 4
#define PERSON_BIRTH_DATE 8
#define PERSON_SEX 9
#define PERSON_NATIONALITY 13
#define PERSON_NAME_ROMANISED 19
#define PERSON_LANGUAGE_ROMANISED 20
#define PERSON_COUNTRY 23
#define PERSON_REGION 75
#define PERSON_DOCUMENT 76
#define PERSON_PURPOSES 77
#define PERSON_PORTRAIT 78

#define LINKAGE_TRAVEL_KIND 2
#define LINKAGE_RESIDENCE_KIND 3
#define LINKAGE_TRAVEL 4
#define LINKAGE_RESIDENCE 5
#define LINKAGE_SALT 6
#define LINKAGE_COMMITMENT 7

#define LANGUAGE "zho"
#define LANGUAGE_ROMANISED "eng"
#define COUNTRY "CHN"

/* ---------------------------------------------------------------- writing */

static void
put_text(CborWriter *writer, int64_t key, Slice text)
{
	cbor_put_int(writer, key);
	cbor_put_text(writer, (const char *) text.ptr, text.len);
}

static void
put_cstring(CborWriter *writer, int64_t key, const char *text)
{
	cbor_put_int(writer, key);
	cbor_put_cstring(writer, text);
}

static void
put_int(CborWriter *writer, int64_t key, int64_t value)
{
	cbor_put_int(writer, key);
	cbor_put_int(writer, value);
}

static void
put_bytes(CborWriter *writer, int64_t key, const uint8_t *bytes, size_t len)
{
	cbor_put_int(writer, key);
	cbor_put_bytes(writer, bytes, len);
}

static void
put_status(CborWriter *writer, const StatusRef *status)
{
	cbor_put_int(writer, CLAIM_STATUS);
	cbor_put_map(writer, 1);
	cbor_put_cstring(writer, "status_list");
	cbor_put_map(writer, 2);
	cbor_put_cstring(writer, "idx");
	cbor_put_uint(writer, status->idx);
	cbor_put_cstring(writer, "uri");
	cbor_put_text(writer, (const char *) status->uri.ptr, status->uri.len);
}

static size_t
written(const CborWriter *writer)
{
	return writer->overflow ? 0 : writer->len;
}

size_t
permit_claims_write(const PermitClaims *claims, uint8_t *buf, size_t cap)
{
	CborWriter	writer;

	cbor_writer_init(&writer, buf, cap);
	cbor_put_map(&writer, 7);
	put_text(&writer, CLAIM_ISS, claims->iss);
	put_int(&writer, CLAIM_EXP, claims->exp);
	put_int(&writer, CLAIM_NBF, claims->nbf);
	put_int(&writer, CLAIM_IAT, claims->iat);
	put_bytes(&writer, CLAIM_CTI, claims->cti.bytes, CREDENTIAL_NO_BYTES);

	cbor_put_int(&writer, CLAIM_PERSON);
	cbor_put_map(&writer, claims->has_portrait ? 13 : 12);
	put_text(&writer, PERSON_NUMBER, claims->number);
	put_cstring(&writer, PERSON_LANGUAGE, LANGUAGE);
	put_text(&writer, PERSON_NAME, claims->name_zh);
	put_text(&writer, PERSON_BIRTH_DATE, claims->birth_date);
	put_int(&writer, PERSON_SEX, claims->sex);
	put_text(&writer, PERSON_NATIONALITY, claims->nationality);
	put_text(&writer, PERSON_NAME_ROMANISED, claims->name_romanised);
	put_cstring(&writer, PERSON_LANGUAGE_ROMANISED, LANGUAGE_ROMANISED);
	put_cstring(&writer, PERSON_COUNTRY, COUNTRY);
	put_int(&writer, PERSON_REGION, claims->region);
	put_text(&writer, PERSON_DOCUMENT, claims->document_masked);
	cbor_put_int(&writer, PERSON_PURPOSES);
	cbor_put_uint(&writer, claims->purposes);
	if (claims->has_portrait)
		put_bytes(&writer, PERSON_PORTRAIT, claims->portrait, PORTRAIT_CLAIM_BYTES);

	put_status(&writer, &claims->status);
	return written(&writer);
}

size_t
linkage_claims_write(const LinkageClaims *claims, uint8_t *buf, size_t cap)
{
	CborWriter	writer;

	cbor_writer_init(&writer, buf, cap);
	cbor_put_map(&writer, claims->aud.ptr != NULL ? 8 : 7);
	put_text(&writer, CLAIM_ISS, claims->iss);
	if (claims->aud.ptr != NULL)
		put_text(&writer, CLAIM_AUD, claims->aud);
	put_int(&writer, CLAIM_EXP, claims->exp);
	put_int(&writer, CLAIM_NBF, claims->nbf);
	put_int(&writer, CLAIM_IAT, claims->iat);
	put_bytes(&writer, CLAIM_CTI, claims->cti.bytes, CREDENTIAL_NO_BYTES);
	put_status(&writer, &claims->status);

	cbor_put_int(&writer, CLAIM_LINKAGE);
	cbor_put_map(&writer, 6);
	put_int(&writer, LINKAGE_TRAVEL_KIND, claims->travel_kind);
	put_int(&writer, LINKAGE_RESIDENCE_KIND, claims->residence_kind);
	put_text(&writer, LINKAGE_TRAVEL, claims->travel_masked);
	put_text(&writer, LINKAGE_RESIDENCE, claims->residence_masked);
	put_bytes(&writer, LINKAGE_SALT, claims->salt, NONCE_BYTES);
	put_bytes(&writer, LINKAGE_COMMITMENT, claims->commitment, COMMITMENT_BYTES);
	return written(&writer);
}

void
linkage_commitment(const uint8_t *salt, const char *travel, const char *residence,
				   const char *birth_date, uint8_t *commitment)
{
	crypto_auth_hmacsha256_state state;
	uint8_t		mac[crypto_auth_hmacsha256_BYTES];

	crypto_auth_hmacsha256_init(&state, salt, NONCE_BYTES);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *) travel, strlen(travel));
	crypto_auth_hmacsha256_update(&state, (const uint8_t *) "|", 1);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *) residence, strlen(residence));
	crypto_auth_hmacsha256_update(&state, (const uint8_t *) "|", 1);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *) birth_date, strlen(birth_date));
	crypto_auth_hmacsha256_final(&state, mac);
	memcpy(commitment, mac, COMMITMENT_BYTES);
}

size_t
attestation_claims_write(const AttestationClaims *claims, uint8_t *buf, size_t cap)
{
	CborWriter	writer;

	cbor_writer_init(&writer, buf, cap);
	cbor_put_map(&writer, claims->has_portrait ? 6 : 5);
	put_text(&writer, CLAIM_ISS, claims->iss);
	put_text(&writer, CLAIM_SUB, claims->sub);
	put_int(&writer, CLAIM_EXP, claims->exp);
	put_int(&writer, CLAIM_IAT, claims->iat);
	put_bytes(&writer, CLAIM_CTI, claims->nonce, NONCE_BYTES);
	if (claims->has_portrait)
		put_bytes(&writer, CLAIM_PORTRAIT, claims->portrait, PORTRAIT_DIGEST_BYTES);
	return written(&writer);
}

size_t
status_list_claims_write(const StatusListClaims *claims, uint8_t *buf, size_t cap)
{
	bool		aggregated = claims->aggregation_uri.ptr != NULL;
	CborWriter	writer;

	cbor_writer_init(&writer, buf, cap);
	cbor_put_map(&writer, 5);
	put_text(&writer, CLAIM_SUB, claims->sub);
	put_int(&writer, CLAIM_EXP, claims->exp);
	put_int(&writer, CLAIM_IAT, claims->iat);

	cbor_put_int(&writer, CLAIM_STATUS_LIST);
	cbor_put_map(&writer, aggregated ? 3 : 2);
	cbor_put_cstring(&writer, "lst");
	cbor_put_bytes(&writer, claims->lst.ptr, claims->lst.len);
	cbor_put_cstring(&writer, "bits");
	cbor_put_int(&writer, claims->bits);
	if (aggregated)
	{
		cbor_put_cstring(&writer, "aggregation_uri");
		cbor_put_text(&writer, (const char *) claims->aggregation_uri.ptr,
					  claims->aggregation_uri.len);
	}

	cbor_put_int(&writer, CLAIM_TTL);
	cbor_put_uint(&writer, claims->ttl);
	return written(&writer);
}

/* ---------------------------------------------------------------- reading */

/*
 * Each take_ function takes the item that a reader stands at, if it is of the type
 * meant.  A reader of NULL position stands for a key that was not found.
 */
static bool
take(CborReader value, CborType type, CborItem *item)
{
	return value.next != NULL && cbor_next(&value, item) && item->type == type;
}

static bool
take_text(CborReader value, Slice *text)
{
	CborItem	item;

	if (!take(value, CBOR_TEXT, &item))
		return false;
	*text = item.string;
	return true;
}

static bool
take_uint(CborReader value, uint64_t *n)
{
	CborItem	item;

	if (!take(value, CBOR_UINT, &item))
		return false;
	*n = item.value;
	return true;
}

static bool
take_map(CborReader value, Slice *map)
{
	CborItem	item;

	map->ptr = value.next;
	map->len = (size_t) (value.end - value.next);
	return take(value, CBOR_MAP, &item);
}

/*
 * The integer keys of a map and where their values stand.  Walked once: to look up each of n
 * claims by itself would walk the map n times, half the work of reading a token.
 */
typedef struct ClaimMap
{
	size_t		count;
	int64_t		keys[CBOR_MAX_ENTRIES];
	CborReader	values[CBOR_MAX_ENTRIES];
} ClaimMap;

static bool
read_map(CborReader reader, ClaimMap *map)
{
	CborItem	item;
	uint64_t	entries,
				i;

	map->count = 0;
	if (reader.next == NULL || !cbor_next(&reader, &item) || item.type != CBOR_MAP ||
		item.value > CBOR_MAX_ENTRIES)
		return false;
	entries = item.value;
	for (i = 0; i < entries; i++)
	{
		if (!cbor_next(&reader, &item))
			return false;
		if (cbor_item_int(&item, &map->keys[map->count]))
			map->values[map->count++] = reader;
		if (!cbor_skip(&reader))
			return false;
	}
	return true;
}

static CborReader
find(const ClaimMap *map, int64_t key)
{
	CborReader	none = {NULL, NULL};
	size_t		i;

	for (i = 0; i < map->count; i++)
		if (map->keys[i] == key)
			return map->values[i];
	return none;
}

static CborReader
find_named(Slice map, const char *key)
{
	CborReader	value = {NULL, NULL};

	(void) cbor_map_find_text(map, key, &value);
	return value;
}

static bool
has(const ClaimMap *map, int64_t key)
{
	return find(map, key).next != NULL;
}

static bool
get_text(const ClaimMap *map, int64_t key, Slice *text)
{
	return take_text(find(map, key), text);
}

static bool
get_constant(const ClaimMap *map, int64_t key, const char *expected)
{
	Slice		text;

	return get_text(map, key, &text) && slice_is(text, expected);
}

static bool
get_instant(const ClaimMap *map, int64_t key, int64_t *instant)
{
	uint64_t	n;

	if (!take_uint(find(map, key), &n) || n > LAST_INSTANT)
		return false;
	*instant = (int64_t) n;
	return true;
}

/* Sexes, regions and kinds: the numbers 1 to 3. */
static bool
get_choice(const ClaimMap *map, int64_t key, int *choice)
{
	uint64_t	n;

	if (!take_uint(find(map, key), &n) || n < 1 || n > 3)
		return false;
	*choice = (int) n;
	return true;
}

/* A byte string of exactly that many bytes. */
static bool
get_bytes(const ClaimMap *map, int64_t key, uint8_t *bytes, size_t len)
{
	CborItem	item;

	if (!take(find(map, key), CBOR_BYTES, &item) || item.string.len != len)
		return false;
	memcpy(bytes, item.string.ptr, len);
	return true;
}

static bool
get_optional_bytes(const ClaimMap *map, int64_t key, uint8_t *bytes, size_t len, bool *present)
{
	*present = has(map, key);
	return !*present || get_bytes(map, key, bytes, len);
}

static bool
get_status(const ClaimMap *claims, StatusRef *status)
{
	Slice		outer,
				inner;
	uint64_t	idx;

	if (!take_map(find(claims, CLAIM_STATUS), &outer) ||
		!take_map(find_named(outer, "status_list"), &inner) ||
		!take_uint(find_named(inner, "idx"), &idx) || idx > UINT32_MAX)
		return false;
	status->idx = (uint32_t) idx;
	return take_text(find_named(inner, "uri"), &status->uri);
}

static bool
is_date(Slice text)
{
	int			year,
				month,
				day;

	return text.len == 8 && date_parse((const char *) text.ptr, &year, &month, &day);
}

static bool
is_country(Slice text)
{
	size_t		i;

	for (i = 0; i < text.len; i++)
		if (text.ptr[i] < 'A' || text.ptr[i] > 'Z')
			return false;
	return text.len == 3;
}

static bool
read_claims_set(Slice payload, ClaimMap *set)
{
	CborReader	reader;

	cbor_reader_init(&reader, payload);
	return cbor_check(payload.ptr, payload.len) && read_map(reader, set);
}

static bool
is_permit_number(const CredentialNo *no)
{
	CredentialParts parts;

	credential_no_unpack(no, &parts);
	return parts.is_permit;
}

static bool
is_printed_as(const CredentialNo *no, Slice printed)
{
	char		text[CREDENTIAL_NO_TEXT + 1];

	credential_no_format(no, text);
	return slice_is(printed, text);
}

bool
permit_claims_read(Slice payload, PermitClaims *claims)
{
	ClaimMap	set,
				person;
	int			sex,
				region;

	memset(claims, 0, sizeof(*claims));
	if (!read_claims_set(payload, &set) || has(&set, CLAIM_LINKAGE) ||
		!get_text(&set, CLAIM_ISS, &claims->iss) ||
		!get_instant(&set, CLAIM_EXP, &claims->exp) ||
		!get_instant(&set, CLAIM_NBF, &claims->nbf) ||
		!get_instant(&set, CLAIM_IAT, &claims->iat) ||
		!get_bytes(&set, CLAIM_CTI, claims->cti.bytes, CREDENTIAL_NO_BYTES) ||
		!get_status(&set, &claims->status) ||
		!read_map(find(&set, CLAIM_PERSON), &person))
		return false;

	if (!get_text(&person, PERSON_NUMBER, &claims->number) ||
		!get_constant(&person, PERSON_LANGUAGE, LANGUAGE) ||
		!get_text(&person, PERSON_NAME, &claims->name_zh) ||
		!get_text(&person, PERSON_BIRTH_DATE, &claims->birth_date) ||
		!is_date(claims->birth_date) ||
		!get_choice(&person, PERSON_SEX, &sex) ||
		!get_text(&person, PERSON_NATIONALITY, &claims->nationality) ||
		!is_country(claims->nationality) ||
		!get_text(&person, PERSON_NAME_ROMANISED, &claims->name_romanised) ||
		!get_constant(&person, PERSON_LANGUAGE_ROMANISED, LANGUAGE_ROMANISED) ||
		!get_constant(&person, PERSON_COUNTRY, COUNTRY) ||
		!get_choice(&person, PERSON_REGION, &region) ||
		!get_text(&person, PERSON_DOCUMENT, &claims->document_masked) ||
		!take_uint(find(&person, PERSON_PURPOSES), &claims->purposes) ||
		!get_optional_bytes(&person, PERSON_PORTRAIT, claims->portrait, PORTRAIT_CLAIM_BYTES,
							&claims->has_portrait))
		return false;

	/* What people read and what machines go by are one number. */
	if (!is_permit_number(&claims->cti) || !is_printed_as(&claims->cti, claims->number))
		return false;

	claims->sex = (Sex) sex;
	claims->region = (Region) region;
	return true;
}

bool
linkage_claims_read(Slice payload, LinkageClaims *claims)
{
	ClaimMap	set,
				linkage;
	int			travel_kind;

	memset(claims, 0, sizeof(*claims));
	if (!read_claims_set(payload, &set) || has(&set, CLAIM_PERSON) ||
		!get_text(&set, CLAIM_ISS, &claims->iss) ||
		(has(&set, CLAIM_AUD) && !get_text(&set, CLAIM_AUD, &claims->aud)) ||
		!get_instant(&set, CLAIM_EXP, &claims->exp) ||
		!get_instant(&set, CLAIM_NBF, &claims->nbf) ||
		!get_instant(&set, CLAIM_IAT, &claims->iat) ||
		!get_bytes(&set, CLAIM_CTI, claims->cti.bytes, CREDENTIAL_NO_BYTES) ||
		is_permit_number(&claims->cti) ||
		!get_status(&set, &claims->status) ||
		!read_map(find(&set, CLAIM_LINKAGE), &linkage))
		return false;

	if (!get_choice(&linkage, LINKAGE_TRAVEL_KIND, &travel_kind) ||
		!get_choice(&linkage, LINKAGE_RESIDENCE_KIND, &claims->residence_kind) ||
		!get_text(&linkage, LINKAGE_TRAVEL, &claims->travel_masked) ||
		!get_text(&linkage, LINKAGE_RESIDENCE, &claims->residence_masked) ||
		!get_bytes(&linkage, LINKAGE_SALT, claims->salt, NONCE_BYTES) ||
		!get_bytes(&linkage, LINKAGE_COMMITMENT, claims->commitment, COMMITMENT_BYTES))
		return false;

	claims->travel_kind = (DocumentKind) travel_kind;
	return true;
}

bool
attestation_claims_read(Slice payload, AttestationClaims *claims)
{
	ClaimMap	set;

	memset(claims, 0, sizeof(*claims));
	return read_claims_set(payload, &set) &&
		get_text(&set, CLAIM_ISS, &claims->iss) &&
		get_text(&set, CLAIM_SUB, &claims->sub) &&
		get_instant(&set, CLAIM_EXP, &claims->exp) &&
		get_instant(&set, CLAIM_IAT, &claims->iat) &&
		claims->exp <= claims->iat + ATTESTATION_MAX_SECONDS &&
		get_bytes(&set, CLAIM_CTI, claims->nonce, NONCE_BYTES) &&
		get_optional_bytes(&set, CLAIM_PORTRAIT, claims->portrait, PORTRAIT_DIGEST_BYTES,
						   &claims->has_portrait);
}

bool
status_list_claims_read(Slice payload, StatusListClaims *claims)
{
	ClaimMap	set;
	Slice		list;
	CborReader	aggregation;
	CborItem	lst;
	uint64_t	bits;

	memset(claims, 0, sizeof(*claims));
	if (!read_claims_set(payload, &set) ||
		!get_text(&set, CLAIM_SUB, &claims->sub) ||
		!get_instant(&set, CLAIM_EXP, &claims->exp) ||
		!get_instant(&set, CLAIM_IAT, &claims->iat) ||
		!take_uint(find(&set, CLAIM_TTL), &claims->ttl) ||
		!take_map(find(&set, CLAIM_STATUS_LIST), &list) ||
		!take_uint(find_named(list, "bits"), &bits) ||
		!(bits == 1 || bits == 2 || bits == 4 || bits == 8) ||
		!take(find_named(list, "lst"), CBOR_BYTES, &lst))
		return false;
	claims->bits = (int) bits;
	claims->lst = lst.string;

	aggregation = find_named(list, "aggregation_uri");
	return aggregation.next == NULL || take_text(aggregation, &claims->aggregation_uri);
}
