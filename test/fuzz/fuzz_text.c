/*
 * fuzz_text.c
 *		All that a stranger's text goes through: link, base45, zlib, COSE, claims.
 *
 * Mutations of text alone would hardly ever get past the checksum, so the mutator
 * also unwraps the layers, changes the compressed bytes, the message or the claims, and
 * wraps them again.  Promises: no text but one stands for the compressed bytes; nothing
 * verifies that was not signed; what a claims reader takes, its writer writes and the
 * reader takes again, the same.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base45.h"
#include "core/cbor.h"
#include "core/claims.h"
#include "core/cose.h"
#include "core/status.h"
#include "core/wire.h"
#include "fuzz.h"

static const uint8_t kid[KID_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t no_signature[SIGNATURE_BYTES];

/* RFC 8032 section 7.1, test 1. */
static const uint8_t public_key[PUBLIC_KEY_BYTES] = {
	0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
	0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a
};

/* ---------------------------------------------------------------- wrapping */

static size_t
wrap_message(const uint8_t *message, size_t len, uint8_t *text)
{
	static uint8_t compressed[WIRE_MAX_COMPRESSED];
	size_t		compressed_len = wire_deflate(message, len, compressed, sizeof(compressed));

	if (compressed_len == 0 || BASE45_ENCODED_LEN(compressed_len) > WIRE_MAX_TEXT)
		return 0;
	return base45_encode(compressed, compressed_len, (char *) text);
}

static size_t
wrap_claims(CoseTyp typ, Slice payload, const uint8_t *signature, uint8_t *text)
{
	static uint8_t message[WIRE_MAX_INFLATED];
	size_t		len = cose_sign1_write(kid, typ, payload, signature, message, sizeof(message));

	return len == 0 ? 0 : wrap_message(message, len, text);
}

size_t
fuzz_seed(int n, uint8_t *buf)
{
	static uint8_t claims[1024];
	static uint8_t lst[WIRE_MAX_COMPRESSED];
	static const uint8_t list[STATUS_LIST_BYTES];
	static const char link[] = "https://epermit.invalid/v#";
	PermitClaims permit;
	LinkageClaims linkage;
	AttestationClaims attestation;
	StatusListClaims status_list;
	Slice		payload = {claims, 0};
	size_t		len;

	switch (n)
	{
		case 0:
		case 1:
		case 2:
			memset(&permit, 0, sizeof(permit));
			permit.iss = slice_from_string("https://epermit.invalid");
			permit.exp = 1790604800;
			permit.nbf = permit.iat = 1790000000;
			permit.number = slice_from_string("T-00000-00000-00000-00007");
			permit.name_zh = slice_from_string("陳大文");
			permit.birth_date = slice_from_string("19850617");
			permit.sex = SEX_MALE;
			permit.nationality = slice_from_string("CHN");
			permit.name_romanised = slice_from_string("CHAN TAI MAN");
			permit.region = REGION_HKG;
			permit.document_masked = slice_from_string("H1****678");
			permit.purposes = 3;
			permit.has_portrait = n == 1;
			permit.status.uri = slice_from_string("https://epermit.invalid/s/0");
			payload.len = permit_claims_write(&permit, claims, sizeof(claims));
			if (n < 2)
				return wrap_claims(COSE_TYP_NONE, payload, no_signature, buf);
			len = wrap_claims(COSE_TYP_NONE, payload, no_signature, buf);
			memmove(buf + sizeof(link) - 1, buf, len);
			memcpy(buf, link, sizeof(link) - 1);
			return len + sizeof(link) - 1;
		case 3:
		case 4:
			memset(&linkage, 0, sizeof(linkage));
			linkage.iss = slice_from_string("https://epermit.invalid");
			if (n == 4)
				linkage.aud = slice_from_string("bank");
			linkage.exp = 1792592000;
			linkage.nbf = linkage.iat = 1790000000;
			linkage.cti.bytes[0] = 0x80;
			linkage.status.uri = slice_from_string("https://epermit.invalid/s/0");
			linkage.travel_kind = KIND_HK_MACAU;
			linkage.residence_kind = 1;
			linkage.travel_masked = slice_from_string("H1****678");
			linkage.residence_masked = slice_from_string("81**************3X");
			payload.len = linkage_claims_write(&linkage, claims, sizeof(claims));
			return wrap_claims(COSE_TYP_LINKAGE, payload, no_signature, buf);
		case 5:
		case 6:
			memset(&attestation, 0, sizeof(attestation));
			attestation.iss = slice_from_string("provider");
			attestation.sub = slice_from_string("H12345678");
			attestation.iat = 1790000000;
			attestation.exp = 1790000600;
			attestation.has_portrait = n == 6;
			payload.len = attestation_claims_write(&attestation, claims, sizeof(claims));
			return wrap_claims(COSE_TYP_ATTESTATION, payload, no_signature, buf);
		case 7:
		case 8:
			memset(&status_list, 0, sizeof(status_list));
			status_list.sub = slice_from_string("https://epermit.invalid/s/0");
			status_list.iat = 1790000000;
			status_list.exp = 1790086400;
			status_list.ttl = 3600;
			status_list.bits = 2;
			status_list.lst.ptr = lst;
			status_list.lst.len = wire_deflate(list, sizeof(list), lst, sizeof(lst));
			if (n == 8)
				status_list.aggregation_uri = slice_from_string("https://epermit.invalid/s");
			payload.len = status_list_claims_write(&status_list, claims, sizeof(claims));
			return wrap_claims(COSE_TYP_STATUS_LIST, payload, no_signature, buf);
		default:
			return 0;
	}
}

/* ---------------------------------------------------------------- mutating */

extern size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	static uint8_t compressed[WIRE_MAX_COMPRESSED];
	static uint8_t message[WIRE_MAX_INFLATED];
	static uint8_t claims[WIRE_MAX_INFLATED];
	static uint8_t text[FUZZ_MAX_INPUT];
	size_t		compressed_len,
				message_len,
				len = 0;
	CoseSign1	sign1;

	if (seed % 8 != 0 &&
		wire_read_text((const char *) data, size, compressed, &compressed_len,
					   message, &message_len))
	{
		if (seed % 8 == 1)
		{
			compressed_len = LLVMFuzzerMutate(compressed, compressed_len, WIRE_MAX_TEXT / 3 * 2);
			len = base45_encode(compressed, compressed_len, (char *) text);
		}
		else if (seed % 8 <= 3 || !cose_sign1_read(message, message_len, &sign1))
		{
			message_len = LLVMFuzzerMutate(message, message_len, sizeof(message));
			len = wrap_message(message, message_len, text);
		}
		else
		{
			Slice		payload = {claims, sign1.payload.len};

			memcpy(claims, sign1.payload.ptr, payload.len);
			payload.len = LLVMFuzzerMutate(claims, payload.len, sizeof(claims) - 256);
			len = wrap_claims(sign1.typ, payload, sign1.signature, text);
		}
	}
	if (len == 0 || len > max_size)
		return LLVMFuzzerMutate(data, size, max_size);
	memcpy(data, text, len);
	return len;
}

/* ---------------------------------------------------------------- promises */

static uint8_t first[WIRE_MAX_INFLATED];
static uint8_t second[WIRE_MAX_INFLATED];

#define WRITES_THE_SAME(name, claims) \
	do { \
		size_t		len = name##_write(claims, first, sizeof(first)); \
		Slice		written = {first, len}; \
		PROMISE(len > 0 && cbor_check(first, len)); \
		PROMISE(name##_read(written, claims)); \
		PROMISE(name##_write(claims, second, sizeof(second)) == len); \
		PROMISE(memcmp(first, second, len) == 0); \
	} while (0)

static void
try_status_list(const StatusListClaims *claims)
{
	static uint8_t list[STATUS_LIST_BYTES];
	size_t		len;

	if (!wire_inflate(claims->lst.ptr, claims->lst.len, list, sizeof(list), &len) || len == 0)
		return;
	PROMISE(len <= sizeof(list));
	PROMISE(status_get(list, claims->bits, 0) < 1 << claims->bits);
	(void) status_get(list, claims->bits, (uint32_t) (len * 8 / (unsigned) claims->bits - 1));
}

static void
try_payload(Slice payload)
{
	PermitClaims permit;
	LinkageClaims linkage;
	AttestationClaims attestation;
	StatusListClaims status_list;
	bool		is_permit = permit_claims_read(payload, &permit);
	bool		is_linkage = linkage_claims_read(payload, &linkage);
	bool		is_attestation = attestation_claims_read(payload, &attestation);

	PROMISE(!(is_permit && is_linkage));
	PROMISE(!(is_attestation && (is_permit || is_linkage)));
	if (is_permit)
		WRITES_THE_SAME(permit_claims, &permit);
	if (is_linkage)
		WRITES_THE_SAME(linkage_claims, &linkage);
	if (is_attestation)
		WRITES_THE_SAME(attestation_claims, &attestation);
	if (status_list_claims_read(payload, &status_list))
	{
		try_status_list(&status_list);
		WRITES_THE_SAME(status_list_claims, &status_list);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t compressed[WIRE_MAX_COMPRESSED];
	static char text[FUZZ_MAX_INPUT];
	uint8_t    *message = malloc(WIRE_MAX_INFLATED);
	size_t		compressed_len,
				message_len;
	Slice		digits,
				whole;
	CoseSign1	sign1;

	if (!wire_read_text((const char *) data, size, compressed, &compressed_len,
						message, &message_len))
	{
		free(message);
		return 0;
	}
	PROMISE(compressed_len <= WIRE_MAX_COMPRESSED && message_len <= WIRE_MAX_INFLATED);
	digits = wire_strip_prefix((const char *) data, size);
	PROMISE(base45_encode(compressed, compressed_len, text) == digits.len);
	PROMISE(memcmp(text, digits.ptr, digits.len) == 0);

	/* Exactly as long as it is, for AddressSanitizer. */
	message = realloc(message, message_len > 0 ? message_len : 1);
	if (cose_sign1_read(message, message_len, &sign1))
	{
		PROMISE(sign1.alg == -8 || sign1.alg == -19);
		PROMISE(!cose_sign1_verify(&sign1, public_key));
		try_payload(sign1.payload);
	}
	else
	{
		whole.ptr = message;
		whole.len = message_len;
		try_payload(whole);
	}
	free(message);
	return 0;
}
