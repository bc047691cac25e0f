/*
 * claims_test.c
 *		Promises of core/claims.
 *
 * A reader is tested against its own writer's output with one thing changed:
 * edit() copies a map and replaces, adds or leaves out one value, so each
 * line of the CDDL gets its refusals.
 */
#include <stdlib.h>
#include <string.h>

#include "core/cbor.h"
#include "core/claims.h"
#include "tap.h"

#define EXP 1790604800
#define IAT 1790000000

typedef bool (*Reader) (Slice payload);

/* ---------------------------------------------------------------- the good ones */

static PermitClaims
permit(void)
{
	static char printed[CREDENTIAL_NO_TEXT + 1];
	PermitClaims claims;
	size_t		i;

	memset(&claims, 0, sizeof(claims));
	claims.iss = slice_from_string("https://epermit.invalid");
	claims.exp = EXP;
	claims.nbf = IAT;
	claims.iat = IAT;
	for (i = 0; i < CREDENTIAL_NO_BYTES; i++)
		claims.cti.bytes[i] = (uint8_t) i;
	credential_no_format(&claims.cti, printed);
	claims.number = slice_from_string(printed);
	claims.name_zh = slice_from_string("陳大文");
	claims.birth_date = slice_from_string("19850617");
	claims.sex = SEX_MALE;
	claims.nationality = slice_from_string("CHN");
	claims.name_romanised = slice_from_string("CHAN TAI MAN");
	claims.region = REGION_HKG;
	claims.document_masked = slice_from_string("H1****678");
	claims.purposes = 3;
	claims.status.idx = 72644;
	claims.status.uri = slice_from_string("https://epermit.invalid/s/0");
	return claims;
}

static LinkageClaims
linkage(void)
{
	LinkageClaims claims;
	size_t		i;

	memset(&claims, 0, sizeof(claims));
	claims.iss = slice_from_string("https://epermit.invalid");
	claims.exp = EXP;
	claims.nbf = IAT;
	claims.iat = IAT;
	claims.cti.bytes[0] = 0x80;
	claims.status.idx = 7;
	claims.status.uri = slice_from_string("https://epermit.invalid/s/1");
	claims.travel_kind = KIND_HK_MACAU;
	claims.residence_kind = REGION_MAC;
	claims.travel_masked = slice_from_string("M1****678");
	claims.residence_masked = slice_from_string("82**************13");
	for (i = 0; i < NONCE_BYTES; i++)
	{
		claims.salt[i] = (uint8_t) i;
		claims.commitment[i] = (uint8_t) (0xF0 + i);
	}
	return claims;
}

static AttestationClaims
attestation(void)
{
	AttestationClaims claims;
	size_t		i;

	memset(&claims, 0, sizeof(claims));
	claims.iss = slice_from_string("provider");
	claims.sub = slice_from_string("H12345678");
	claims.iat = IAT;
	claims.exp = IAT + 600;
	for (i = 0; i < NONCE_BYTES; i++)
		claims.nonce[i] = (uint8_t) (i * 3);
	return claims;
}

static StatusListClaims
status_list(void)
{
	StatusListClaims claims;

	memset(&claims, 0, sizeof(claims));
	claims.sub = slice_from_string("https://epermit.invalid/s/0");
	claims.iat = IAT;
	claims.exp = IAT + 86400;
	claims.ttl = 3600;
	claims.lst = slice_from_string("zlib");
	claims.bits = 2;
	return claims;
}

/* ---------------------------------------------------------------- editing maps */

/*
 * Copy map with the value of key (or, with a name, of that text key) replaced by the CBOR
 * bytes given; NULL leaves the entry out; a key that is not there is added.  The result is
 * an exact heap copy.
 */
static Slice
edit(Slice map, int64_t key, const char *name, const uint8_t *value, size_t value_len)
{
	uint8_t		buf[2048];
	size_t		len = 0;
	CborReader	reader;
	CborItem	item;
	CborWriter	head;
	uint64_t	entries,
				kept = 0,
				i;
	bool		found = false;
	Slice		result;

	cbor_reader_init(&reader, map);
	if (!cbor_next(&reader, &item) || item.type != CBOR_MAP)
		abort();
	entries = item.value;
	len = 1;					/* the head comes last; no map here has 24 entries */

	for (i = 0; i < entries; i++)
	{
		const uint8_t *start = reader.next;
		const uint8_t *after_key;
		int64_t		this_key;
		bool		match;

		if (!cbor_next(&reader, &item))
			abort();
		after_key = reader.next;
		match = name == NULL ? cbor_item_int(&item, &this_key) && this_key == key :
			item.type == CBOR_TEXT && tap_slice_is(item.string, name);
		if (!cbor_skip(&reader))
			abort();
		if (match)
		{
			found = true;
			if (value == NULL)
				continue;
			memcpy(buf + len, start, (size_t) (after_key - start));
			len += (size_t) (after_key - start);
			memcpy(buf + len, value, value_len);
			len += value_len;
		}
		else
		{
			memcpy(buf + len, start, (size_t) (reader.next - start));
			len += (size_t) (reader.next - start);
		}
		kept++;
	}
	if (!found && value != NULL)
	{
		CborWriter	writer;

		cbor_writer_init(&writer, buf + len, 64);
		if (name == NULL)
			cbor_put_int(&writer, key);
		else
			cbor_put_cstring(&writer, name);
		len += writer.len;
		memcpy(buf + len, value, value_len);
		len += value_len;
		kept++;
	}
	cbor_writer_init(&head, buf, 1);
	cbor_put_map(&head, kept);

	result.ptr = tap_copy(buf, len);
	result.len = len;
	return result;
}

/* The map that stands under key in map. */
static Slice
inner(Slice map, int64_t key)
{
	CborReader	value,
				end;
	Slice		result;

	if (!cbor_map_find(map, key, &value))
		abort();
	end = value;
	if (!cbor_skip(&end))
		abort();
	result.ptr = value.next;
	result.len = (size_t) (end.next - value.next);
	return result;
}

/* Does the reader take payload with one value of the map under outer (0: of payload) changed? */
static bool
accepts(Reader reader, Slice payload, int64_t outer, int64_t key, const char *value_hex)
{
	size_t		value_len = 0;
	uint8_t    *value = value_hex != NULL ? tap_unhex(value_hex, &value_len) : NULL;
	Slice		map = outer == 0 ? payload : inner(payload, outer);
	Slice		edited = edit(map, key, NULL, value, value_len);
	bool		result;

	tap_note(value_hex != NULL ? value_hex : "left out");
	if (outer != 0)
	{
		Slice		whole = edit(payload, outer, NULL, edited.ptr, edited.len);

		free((void *) edited.ptr);
		edited = whole;
	}
	result = reader(edited);
	free((void *) edited.ptr);
	free(value);
	return result;
}

/* The same for a map of text keys that stands below outer and, if not NULL, its text key. */
static bool
accepts_named(Reader reader, Slice payload, int64_t outer, const char *outer_name,
			  const char *name, const char *value_hex)
{
	size_t		value_len = 0;
	uint8_t    *value = value_hex != NULL ? tap_unhex(value_hex, &value_len) : NULL;
	Slice		first = inner(payload, outer);
	Slice		edited,
				whole;
	bool		result;

	tap_note(value_hex != NULL ? value_hex : "left out");
	if (outer_name != NULL)
	{
		CborReader	reader_at;
		Slice		second,
					edited_second;

		if (!cbor_map_find_text(first, outer_name, &reader_at))
			abort();
		second.ptr = reader_at.next;
		second.len = (size_t) (reader_at.end - reader_at.next);
		edited_second = edit(second, 0, name, value, value_len);
		edited = edit(first, 0, outer_name, edited_second.ptr, edited_second.len);
		free((void *) edited_second.ptr);
	}
	else
		edited = edit(first, 0, name, value, value_len);
	whole = edit(payload, outer, NULL, edited.ptr, edited.len);
	result = reader(whole);
	free((void *) edited.ptr);
	free((void *) whole.ptr);
	free(value);
	return result;
}

/* ---------------------------------------------------------------- readers and writers */

static bool
reads_permit(Slice payload)
{
	PermitClaims claims;

	return permit_claims_read(payload, &claims);
}

static bool
reads_linkage(Slice payload)
{
	LinkageClaims claims;

	return linkage_claims_read(payload, &claims);
}

static bool
reads_attestation(Slice payload)
{
	AttestationClaims claims;

	return attestation_claims_read(payload, &claims);
}

static bool
reads_status_list(Slice payload)
{
	StatusListClaims claims;

	return status_list_claims_read(payload, &claims);
}

static uint8_t permit_buf[512];
static uint8_t linkage_buf[512];
static uint8_t attestation_buf[512];
static uint8_t status_list_buf[512];

static Slice
permit_payload(bool with_portrait)
{
	PermitClaims claims = permit();
	Slice		payload;

	claims.has_portrait = with_portrait;
	payload.ptr = permit_buf;
	payload.len = permit_claims_write(&claims, permit_buf, sizeof(permit_buf));
	return payload;
}

static Slice
linkage_payload(void)
{
	LinkageClaims claims = linkage();
	Slice		payload;

	payload.ptr = linkage_buf;
	payload.len = linkage_claims_write(&claims, linkage_buf, sizeof(linkage_buf));
	return payload;
}

static Slice
attestation_payload(void)
{
	AttestationClaims claims = attestation();
	Slice		payload;

	payload.ptr = attestation_buf;
	payload.len = attestation_claims_write(&claims, attestation_buf, sizeof(attestation_buf));
	return payload;
}

static Slice
status_list_payload(bool aggregated)
{
	StatusListClaims claims = status_list();
	Slice		payload;

	if (aggregated)
		claims.aggregation_uri = slice_from_string("https://epermit.invalid/s");
	payload.ptr = status_list_buf;
	payload.len = status_list_claims_write(&claims, status_list_buf, sizeof(status_list_buf));
	return payload;
}

#define INSTANTS "041a6aba7600" "051a6ab13b80" "061a6ab13b80"

static void
exact_bytes(void)
{
	Slice		payload;

	payload = permit_payload(false);
	CHECK(tap_is_hex(payload.ptr, payload.len,
					 "a7" "017768747470733a2f2f657065726d69742e696e76616c6964" INSTANTS
					 "074c000102030405060708090a0b"
					 "18a9" "ac" "017819542d30303130382d31473831382d36305734302d4a3247424b" "03637a686f"
					 "0469e999b3e5a4a7e69687"
					 "08683139383530363137" "0901" "0d6343484e" "136c4348414e20544149204d414e"
					 "1463656e67" "176343484e" "184b01" "184c6948312a2a2a2a363738" "184d03"
					 "19ffff" "a1" "6b7374617475735f6c697374" "a2" "63696478" "1a00011bc4"
					 "63757269" "781b68747470733a2f2f657065726d69742e696e76616c69642f732f30"));

	payload = linkage_payload();
	CHECK(tap_is_hex(payload.ptr, payload.len,
					 "a7" "017768747470733a2f2f657065726d69742e696e76616c6964" INSTANTS
					 "074c800000000000000000000000"
					 "19ffff" "a1" "6b7374617475735f6c697374" "a2" "6369647807"
					 "63757269" "781b68747470733a2f2f657065726d69742e696e76616c69642f732f31"
					 "3a00010000" "a6" "0201" "0302" "04694d312a2a2a2a363738"
					 "057238322a2a2a2a2a2a2a2a2a2a2a2a2a2a3133"
					 "0650000102030405060708090a0b0c0d0e0f"
					 "0750f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"));

	payload = attestation_payload();
	CHECK(tap_is_hex(payload.ptr, payload.len,
					 "a5" "016870726f7669646572" "0269483132333435363738"
					 "041a6ab13dd8" "061a6ab13b80" "0750000306090c0f1215181b1e2124272a2d"));

	payload = status_list_payload(false);
	CHECK(tap_is_hex(payload.ptr, payload.len,
					 "a5" "02781b68747470733a2f2f657065726d69742e696e76616c69642f732f30"
					 "041a6ab28d00" "061a6ab13b80"
					 "19fffd" "a2" "636c7374" "447a6c6962" "646269747302"
					 "19fffe" "190e10"));
}

static void
permit_round_trip(void)
{
	PermitClaims in = permit();
	PermitClaims out;
	int			variant;

	for (variant = 0; variant < 2; variant++)
	{
		uint8_t		buf[512],
					again[512];
		Slice		payload = {buf, 0};

		if (variant == 1)
		{
			in.has_portrait = true;
			memset(in.portrait, 0xAB, sizeof(in.portrait));
			in.sex = SEX_OTHER;
			in.region = REGION_TWN;
			in.purposes = UINT64_C(1) << 62;
			in.status.idx = UINT32_MAX;
			in.exp = INT64_C(253402300799);
		}
		payload.len = permit_claims_write(&in, buf, sizeof(buf));
		CHECK(payload.len > 0 && cbor_check(buf, payload.len));
		CHECK(permit_claims_read(payload, &out));
		CHECK(out.exp == in.exp && out.nbf == in.nbf && out.iat == in.iat);
		CHECK(memcmp(&out.cti, &in.cti, sizeof(out.cti)) == 0);
		CHECK(out.sex == in.sex && out.region == in.region && out.purposes == in.purposes);
		CHECK(out.status.idx == in.status.idx);
		CHECK(out.has_portrait == in.has_portrait &&
			  memcmp(out.portrait, in.portrait, sizeof(out.portrait)) == 0);
		CHECK(tap_slice_is(out.name_zh, "陳大文"));
		CHECK(tap_slice_is(out.name_romanised, "CHAN TAI MAN"));
		CHECK(tap_slice_is(out.birth_date, "19850617"));
		CHECK(tap_slice_is(out.document_masked, "H1****678"));
		CHECK(tap_slice_is(out.status.uri, "https://epermit.invalid/s/0"));

		/* And all that was read writes the same bytes. */
		CHECK(permit_claims_write(&out, again, sizeof(again)) == payload.len &&
			  memcmp(buf, again, payload.len) == 0);
	}
}

static void
linkage_round_trip(void)
{
	LinkageClaims in = linkage();
	LinkageClaims out;
	int			variant;

	for (variant = 0; variant < 2; variant++)
	{
		uint8_t		buf[512],
					again[512];
		Slice		payload = {buf, 0};

		if (variant == 1)
			in.aud = slice_from_string("bank");
		payload.len = linkage_claims_write(&in, buf, sizeof(buf));
		CHECK(payload.len > 0 && cbor_check(buf, payload.len));
		CHECK(linkage_claims_read(payload, &out));
		CHECK(variant == 0 ? out.aud.ptr == NULL : tap_slice_is(out.aud, "bank"));
		CHECK(out.travel_kind == KIND_HK_MACAU && out.residence_kind == REGION_MAC);
		CHECK(tap_slice_is(out.travel_masked, "M1****678"));
		CHECK(memcmp(out.salt, in.salt, sizeof(out.salt)) == 0);
		CHECK(memcmp(out.commitment, in.commitment, sizeof(out.commitment)) == 0);
		CHECK(linkage_claims_write(&out, again, sizeof(again)) == payload.len &&
			  memcmp(buf, again, payload.len) == 0);
	}
}

static void
attestation_round_trip(void)
{
	AttestationClaims in = attestation();
	AttestationClaims out;
	int			variant;

	for (variant = 0; variant < 2; variant++)
	{
		uint8_t		buf[512],
					again[512];
		Slice		payload = {buf, 0};

		if (variant == 1)
		{
			in.has_portrait = true;
			memset(in.portrait, 0xCD, sizeof(in.portrait));
		}
		payload.len = attestation_claims_write(&in, buf, sizeof(buf));
		CHECK(payload.len > 0 && cbor_check(buf, payload.len));
		CHECK(attestation_claims_read(payload, &out));
		CHECK(out.has_portrait == (variant == 1));
		CHECK(tap_slice_is(out.iss, "provider") && tap_slice_is(out.sub, "H12345678"));
		CHECK(memcmp(out.nonce, in.nonce, sizeof(out.nonce)) == 0);
		CHECK(attestation_claims_write(&out, again, sizeof(again)) == payload.len &&
			  memcmp(buf, again, payload.len) == 0);
	}
}

static void
status_list_round_trip(void)
{
	int			variant;

	for (variant = 0; variant < 2; variant++)
	{
		Slice		payload = status_list_payload(variant == 1);
		StatusListClaims out;
		uint8_t		again[512];

		CHECK(payload.len > 0 && cbor_check(payload.ptr, payload.len));
		CHECK(status_list_claims_read(payload, &out));
		CHECK(out.bits == 2 && out.ttl == 3600 && tap_slice_is(out.lst, "zlib"));
		CHECK((out.aggregation_uri.ptr != NULL) == (variant == 1));
		CHECK(status_list_claims_write(&out, again, sizeof(again)) == payload.len &&
			  memcmp(payload.ptr, again, payload.len) == 0);
	}
}

/* Writers: all of it or nothing. */
static void
small_buffers(void)
{
	PermitClaims p = permit();
	LinkageClaims l = linkage();
	AttestationClaims a = attestation();
	StatusListClaims s = status_list();
	uint8_t		buf[512];
	size_t		len,
				cap;

	len = permit_claims_write(&p, buf, sizeof(buf));
	for (cap = 0; cap < len; cap++)
		CHECK(permit_claims_write(&p, buf, cap) == 0);
	len = linkage_claims_write(&l, buf, sizeof(buf));
	for (cap = 0; cap < len; cap++)
		CHECK(linkage_claims_write(&l, buf, cap) == 0);
	len = attestation_claims_write(&a, buf, sizeof(buf));
	for (cap = 0; cap < len; cap++)
		CHECK(attestation_claims_write(&a, buf, cap) == 0);
	len = status_list_claims_write(&s, buf, sizeof(buf));
	for (cap = 0; cap < len; cap++)
		CHECK(status_list_claims_write(&s, buf, cap) == 0);
}

/* ---------------------------------------------------------------- refusals */

/* The claims that keys names, each left out and each of the wrong type (an empty array). */
static void
required(Reader reader, Slice payload, int64_t outer, const int64_t *keys, size_t n)
{
	size_t		i;

	CHECK(reader(payload));
	for (i = 0; i < n; i++)
	{
		CHECK(!accepts(reader, payload, outer, keys[i], NULL));
		CHECK(!accepts(reader, payload, outer, keys[i], "80"));
	}
}

static void
optional(Reader reader, Slice payload, int64_t outer, int64_t key)
{
	CHECK(accepts(reader, payload, outer, key, NULL));
	CHECK(!accepts(reader, payload, outer, key, "80"));
	CHECK(!accepts(reader, payload, outer, key, "00"));
}

static void
times(Reader reader, Slice payload, int64_t key)
{
	CHECK(accepts(reader, payload, 0, key, "00"));
	CHECK(!accepts(reader, payload, 0, key, "1b0000003afff44180"));	/* the year 10000 */
	CHECK(!accepts(reader, payload, 0, key, "20"));	/* negative */
	CHECK(!accepts(reader, payload, 0, key, "6430303030"));
	CHECK(!accepts(reader, payload, 0, key, "1b7fffffffffffffff"));
	CHECK(!accepts(reader, payload, 0, key, "1bffffffffffffffff"));
	CHECK(!accepts(reader, payload, 0, key, "fb41d9ac0000000000"));	/* a float */
	CHECK(!accepts(reader, payload, 0, key, "c11a6ab13b80"));	/* tagged */
}

static void
status_reference(Reader reader, Slice payload)
{
	CHECK(accepts_named(reader, payload, 65535, "status_list", "idx", "1affffffff"));
	CHECK(!accepts_named(reader, payload, 65535, "status_list", "idx", "1b0000000100000000"));
	CHECK(!accepts_named(reader, payload, 65535, "status_list", "idx", "20"));
	CHECK(!accepts_named(reader, payload, 65535, "status_list", "idx", NULL));
	CHECK(!accepts_named(reader, payload, 65535, "status_list", "uri", NULL));
	CHECK(!accepts_named(reader, payload, 65535, "status_list", "uri", "4100"));
	CHECK(!accepts_named(reader, payload, 65535, NULL, "status_list", NULL));
	CHECK(!accepts_named(reader, payload, 65535, NULL, "status_list", "80"));
	CHECK(accepts_named(reader, payload, 65535, NULL, "other", "00"));
	CHECK(accepts_named(reader, payload, 65535, "status_list", "other", "00"));
}

static void
unknown_claims(Reader reader, Slice payload)
{
	CHECK(accepts(reader, payload, 0, 8, "a101a10102"));	/* cnf */
	CHECK(accepts(reader, payload, 0, 1000, "8100"));
	CHECK(accepts(reader, payload, 0, -70000, "63616263"));
	CHECK(!accepts(reader, payload, 0, 1000, "f6"));	/* outside the subset */
	CHECK(!accepts(reader, payload, 0, 1000, "a201000100"));	/* a duplicate deep inside */
}

static void
permit_refusals(void)
{
	static const int64_t keys[] = {1, 4, 5, 6, 7, 169, 65535};
	static const int64_t person_keys[] = {1, 3, 4, 8, 9, 13, 19, 20, 23, 75, 76, 77};
	static const int64_t choices[] = {9, 75};
	Slice		payload = permit_payload(true);
	size_t		i;

	required(reads_permit, payload, 0, keys, LENGTH_OF(keys));
	required(reads_permit, payload, 169, person_keys, LENGTH_OF(person_keys));
	optional(reads_permit, payload, 169, 78);
	times(reads_permit, payload, 4);
	times(reads_permit, payload, 5);
	times(reads_permit, payload, 6);
	status_reference(reads_permit, payload);
	unknown_claims(reads_permit, payload);
	CHECK(accepts(reads_permit, payload, 169, 2, "00"));

	CHECK(!accepts(reads_permit, payload, 0, -65537, "a0"));	/* a linkage's claim */
	CHECK(!accepts(reads_permit, payload, 0, 7, "4b0001020304050607080900"));
	CHECK(!accepts(reads_permit, payload, 0, 7, "4d00010203040506070809000102"));
	CHECK(!accepts(reads_permit, payload, 0, 169, "41a0"));	/* wrapped in a byte string */
	CHECK(!accepts(reads_permit, payload, 169, 78, "4f000102030405060708090a0b0c0d0e"));
	CHECK(!accepts(reads_permit, payload, 169, 3, "63656e67"));
	CHECK(!accepts(reads_permit, payload, 169, 20, "637a686f"));
	CHECK(!accepts(reads_permit, payload, 169, 23, "63484b47"));
	CHECK(!accepts(reads_permit, payload, 169, 23, "6443484e41"));

	for (i = 0; i < LENGTH_OF(choices); i++)
	{
		CHECK(!accepts(reads_permit, payload, 169, choices[i], "00"));
		CHECK(accepts(reads_permit, payload, 169, choices[i], "03"));
		CHECK(!accepts(reads_permit, payload, 169, choices[i], "04"));
		CHECK(!accepts(reads_permit, payload, 169, choices[i], "1b0000000100000001"));
		CHECK(!accepts(reads_permit, payload, 169, choices[i], "20"));
	}

	CHECK(accepts(reads_permit, payload, 169, 8, "683230303030323239"));	/* 20000229 */
	CHECK(!accepts(reads_permit, payload, 169, 8, "683139373830323239"));	/* 19780229 */
	CHECK(!accepts(reads_permit, payload, 169, 8, "6a313938352d30362d3137"));
	CHECK(!accepts(reads_permit, payload, 169, 8, "60"));
	CHECK(accepts(reads_permit, payload, 169, 13, "63474252"));	/* GBR */
	CHECK(!accepts(reads_permit, payload, 169, 13, "6243" "4e"));
	CHECK(!accepts(reads_permit, payload, 169, 13, "63" "676272"));
	CHECK(accepts(reads_permit, payload, 169, 13, "63415a45"));	/* AZE */
	CHECK(!accepts(reads_permit, payload, 169, 13, "63" "433148"));
	CHECK(!accepts(reads_permit, payload, 169, 13, "63" "314843"));
	CHECK(!accepts(reads_permit, payload, 169, 13, "6443484e43"));
	CHECK(!accepts(reads_permit, payload, 169, 4, "63ffffff"));	/* not UTF-8 */
	CHECK(!accepts(reads_permit, payload, 169, 77, "20"));
}

static void
linkage_refusals(void)
{
	static const int64_t keys[] = {1, 4, 5, 6, 7, 65535, -65537};
	static const int64_t inner_keys[] = {2, 3, 4, 5, 6, 7};
	Slice		payload = linkage_payload();

	required(reads_linkage, payload, 0, keys, LENGTH_OF(keys));
	required(reads_linkage, payload, -65537, inner_keys, LENGTH_OF(inner_keys));
	optional(reads_linkage, payload, 0, 3);
	CHECK(accepts(reads_linkage, payload, 0, 3, "6462616e6b"));
	times(reads_linkage, payload, 4);
	times(reads_linkage, payload, 5);
	times(reads_linkage, payload, 6);
	status_reference(reads_linkage, payload);
	unknown_claims(reads_linkage, payload);
	CHECK(accepts(reads_linkage, payload, -65537, 1, "01"));

	CHECK(!accepts(reads_linkage, payload, 0, 169, "a0"));	/* a permit's claim */
	CHECK(!accepts(reads_linkage, payload, -65537, 2, "00"));
	CHECK(!accepts(reads_linkage, payload, -65537, 3, "04"));
	CHECK(!accepts(reads_linkage, payload, -65537, 6, "4f000102030405060708090a0b0c0d0e"));
	CHECK(!accepts(reads_linkage, payload, -65537, 7, "51000102030405060708090a0b0c0d0e0f10"));
}

static void
attestation_refusals(void)
{
	static const int64_t keys[] = {1, 2, 4, 6, 7};
	Slice		payload = attestation_payload();

	required(reads_attestation, payload, 0, keys, LENGTH_OF(keys));
	optional(reads_attestation, payload, 0, -65538);
	unknown_claims(reads_attestation, payload);

	CHECK(accepts(reads_attestation, payload, 0, 4, "1a6ab13dd8"));	/* iat + 600 */
	CHECK(!accepts(reads_attestation, payload, 0, 4, "1a6ab13dd9"));	/* iat + 601 */
	CHECK(!accepts(reads_attestation, payload, 0, 4, "1bffffffffffffffff"));
	CHECK(!accepts(reads_attestation, payload, 0, 6, "1b7fffffffffffffff"));
	CHECK(!accepts(reads_attestation, payload, 0, 6, "20"));
	CHECK(!accepts(reads_attestation, payload, 0, 7, "4f000102030405060708090a0b0c0d0e"));
	CHECK(!accepts(reads_attestation, payload, 0, -65538,
				   "50000102030405060708090a0b0c0d0e0f"));
}

static void
status_list_refusals(void)
{
	static const int64_t keys[] = {2, 4, 6, 65533, 65534};
	static const char *const good_bits[] = {"01", "02", "04", "08"};
	static const char *const bad_bits[] = {
		"00", "03", "05", "10", "20", "1b0000000100000002", "6132"
	};
	Slice		payload = status_list_payload(true);
	size_t		i;

	required(reads_status_list, payload, 0, keys, LENGTH_OF(keys));
	times(reads_status_list, payload, 4);
	times(reads_status_list, payload, 6);
	unknown_claims(reads_status_list, payload);

	for (i = 0; i < LENGTH_OF(good_bits); i++)
		CHECK(accepts_named(reads_status_list, payload, 65533, NULL, "bits", good_bits[i]));
	for (i = 0; i < LENGTH_OF(bad_bits); i++)
		CHECK(!accepts_named(reads_status_list, payload, 65533, NULL, "bits", bad_bits[i]));
	CHECK(!accepts_named(reads_status_list, payload, 65533, NULL, "bits", NULL));
	CHECK(!accepts_named(reads_status_list, payload, 65533, NULL, "lst", NULL));
	CHECK(!accepts_named(reads_status_list, payload, 65533, NULL, "lst", "6161"));
	CHECK(accepts_named(reads_status_list, payload, 65533, NULL, "aggregation_uri", NULL));
	CHECK(!accepts_named(reads_status_list, payload, 65533, NULL, "aggregation_uri", "4161"));
}

static void
wrong_messages(void)
{
	static const Reader readers[] = {
		reads_permit, reads_linkage, reads_attestation, reads_status_list
	};
	Slice		payloads[4];
	size_t		i,
				j;

	payloads[0] = permit_payload(true);
	payloads[1] = linkage_payload();
	payloads[2] = attestation_payload();
	payloads[3] = status_list_payload(true);

	/* One kind of message never passes for another. */
	for (i = 0; i < 4; i++)
		for (j = 0; j < 4; j++)
			CHECK(readers[i] (payloads[j]) == (i == j));

	/* Nor does anything cut short, or with a byte more. */
	for (i = 0; i < 4; i++)
	{
		size_t		len;

		for (len = 0; len < payloads[i].len; len++)
		{
			Slice		part;

			part.ptr = tap_copy(payloads[i].ptr, len);
			part.len = len;
			CHECK(!readers[i] (part));
			free((void *) part.ptr);
		}
		payloads[i].len++;		/* the writers' buffers have more room */
		CHECK(!readers[i] (payloads[i]));
	}
	for (i = 0; i < 4; i++)
	{
		CHECK(!readers[i] (slice_from_string("")));
		CHECK(!readers[i] (slice_from_string("\x80")));
		CHECK(!readers[i] (slice_from_string("\xA0")));
		CHECK(!readers[i] (slice_from_string("claims")));
	}
}

static void
commitment(void)
{
	uint8_t		salt[NONCE_BYTES],
				mac[COMMITMENT_BYTES],
				other[COMMITMENT_BYTES];
	size_t		i;

	for (i = 0; i < sizeof(salt); i++)
		salt[i] = (uint8_t) i;
	linkage_commitment(salt, "H12345678", "810000198506170013", "19850617", mac);
	CHECK(tap_is_hex(mac, sizeof(mac), "5f0329d9749304739232dc9955da0f86"));

	linkage_commitment(salt, "H12345679", "810000198506170013", "19850617", other);
	CHECK(memcmp(mac, other, sizeof(mac)) != 0);
	linkage_commitment(salt, "H12345678", "810000198506170021", "19850617", other);
	CHECK(memcmp(mac, other, sizeof(mac)) != 0);
	linkage_commitment(salt, "H12345678", "810000198506170013", "19850618", other);
	CHECK(memcmp(mac, other, sizeof(mac)) != 0);
	salt[0] = 1;
	linkage_commitment(salt, "H12345678", "810000198506170013", "19850617", other);
	CHECK(memcmp(mac, other, sizeof(mac)) != 0);
}

void
test_claims(void)
{
	RUN("claims: the four sets are deterministic CBOR, byte for byte", exact_bytes);
	RUN("claims: a permit comes back as it was written", permit_round_trip);
	RUN("claims: a linkage result comes back as it was written", linkage_round_trip);
	RUN("claims: an attestation comes back as it was written", attestation_round_trip);
	RUN("claims: a status list comes back as it was written", status_list_round_trip);
	RUN("claims: a writer without room writes nothing", small_buffers);
	RUN("claims: a permit with any claim missing or wrong is refused", permit_refusals);
	RUN("claims: a linkage result with any claim missing or wrong is refused", linkage_refusals);
	RUN("claims: an attestation with any claim missing or wrong is refused", attestation_refusals);
	RUN("claims: a status list with any claim missing or wrong is refused", status_list_refusals);
	RUN("claims: no message passes for another, cut or lengthened", wrong_messages);
	RUN("claims: the linkage commitment binds both numbers, the birth date and the salt",
		commitment);
}
