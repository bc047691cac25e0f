/*
 * cose_test.c
 *		Promises of core/cose.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/cbor.h"
#include "core/cose.h"
#include "tap.h"

/* RFC 8032 section 7.1, test 1. */
#define SEED "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define PUBLIC_KEY "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define KID "866eefbd6718c884"

#define CONTENT "546869732069732074686520636f6e74656e742e"	/* "This is the content." */

/* The signature of example eddsa-sig-01 of the COSE working group, made with that key. */
#define WG_SIGNATURE "7142fd2ff96d56db85bee905a76ba1d0b7321a95c8c4d3607c5781932b7afb87" \
	"11497dfa751bf40b58b3bcc32300b1487f3db34085eef013bf08f4a44d6fef0d"

#define ZERO_SIGNATURE "0000000000000000000000000000000000000000000000000000000000000000" \
	"0000000000000000000000000000000000000000000000000000000000000000"

static void
hex_into(const char *hex, uint8_t *out)
{
	size_t		len;
	uint8_t    *bytes = tap_unhex(hex, &len);

	memcpy(out, bytes, len);
	free(bytes);
}

static bool
reads(const char *hex)
{
	size_t		len;
	uint8_t    *bytes = tap_unhex(hex, &len);
	CoseSign1	message;
	bool		ok = cose_sign1_read(bytes, len, &message);

	free(bytes);
	tap_note(hex);
	return ok;
}

static size_t
sign(const char *seed_hex, CoseTyp typ, Slice payload, uint8_t *out, size_t cap)
{
	uint8_t		seed[crypto_sign_SEEDBYTES],
				pk[crypto_sign_PUBLICKEYBYTES],
				sk[crypto_sign_SECRETKEYBYTES],
				kid[KID_BYTES],
				tbs[1024],
				signature[SIGNATURE_BYTES];
	size_t		tbs_len;

	hex_into(seed_hex, seed);
	crypto_sign_seed_keypair(pk, sk, seed);
	cose_kid(pk, kid);
	tbs_len = cose_sign1_tbs(kid, typ, payload, tbs, sizeof(tbs));
	crypto_sign_detached(signature, NULL, tbs, tbs_len, sk);
	return cose_sign1_write(kid, typ, payload, signature, out, cap);
}

static void
working_group_example(void)
{
	static const uint8_t protected_header[] = {0xA2, 0x01, 0x27, 0x03, 0x00};
	CoseSign1	message;
	uint8_t		pk[PUBLIC_KEY_BYTES],
				signature[SIGNATURE_BYTES];

	hex_into(PUBLIC_KEY, pk);
	hex_into(WG_SIGNATURE, signature);
	memset(&message, 0, sizeof(message));
	message.protected_header.ptr = protected_header;
	message.protected_header.len = sizeof(protected_header);
	message.payload = slice_from_string("This is the content.");
	message.signature = signature;
	CHECK(cose_sign1_verify(&message, pk));
	message.payload = slice_from_string("This is the content!");
	CHECK(!cose_sign1_verify(&message, pk));

	/* As published it has a content type, and its kid is unprotected: none of ours does that. */
	CHECK(!reads("d28445a201270300a104423131" "54" CONTENT "5840" WG_SIGNATURE));
}

static void
key_id(void)
{
	uint8_t		pk[PUBLIC_KEY_BYTES],
				kid[KID_BYTES];

	hex_into(PUBLIC_KEY, pk);
	cose_kid(pk, kid);
	CHECK(tap_is_hex(kid, sizeof(kid), KID));
}

static void
round_trips(void)
{
	static const CoseTyp typs[] = {COSE_TYP_NONE, COSE_TYP_LINKAGE, COSE_TYP_ATTESTATION,
	COSE_TYP_STATUS_LIST, COSE_TYP_KEY_LIST, COSE_TYP_AUDIT_HEAD};
	uint8_t		pk[PUBLIC_KEY_BYTES];
	size_t		i;

	hex_into(PUBLIC_KEY, pk);
	for (i = 0; i < LENGTH_OF(typs); i++)
	{
		uint8_t		buf[512];
		size_t		len = sign(SEED, typs[i], slice_from_string("claims"), buf, sizeof(buf));
		uint8_t    *copy = tap_copy(buf, len);
		CoseSign1	message;

		CHECK(cose_sign1_read(copy, len, &message));
		CHECK(message.typ == typs[i]);
		CHECK(message.alg == -8);
		CHECK(tap_is_hex(message.kid, KID_BYTES, KID));
		CHECK(tap_slice_is(message.payload, "claims"));
		CHECK(cose_sign1_verify(&message, pk));
		CHECK((cose_typ_name(typs[i]) == NULL) == (typs[i] == COSE_TYP_NONE));
		free(copy);
	}
	CHECK(cose_typ_name(COSE_TYP_OTHER) == NULL);
}

static void
exact_bytes(void)
{
	uint8_t		buf[512];
	uint8_t		kid[KID_BYTES];
	uint8_t		zero[SIGNATURE_BYTES] = {0};
	size_t		len;

	hex_into(KID, kid);
	len = cose_sign1_write(kid, COSE_TYP_NONE, slice_from_string("x"), zero, buf, sizeof(buf));
	CHECK(tap_is_hex(buf, len, "d2844da20127" "0448" KID "a0" "4178" "5840" ZERO_SIGNATURE));
	len = cose_sign1_tbs(kid, COSE_TYP_NONE, slice_from_string("x"), buf, sizeof(buf));
	CHECK(tap_is_hex(buf, len, "846a5369676e617475726531" "4da20127" "0448" KID "40" "4178"));

	CHECK(cose_sign1_write(kid, COSE_TYP_NONE, slice_from_string("x"), zero, buf, 84) == 0);
	CHECK(cose_sign1_write(kid, COSE_TYP_NONE, slice_from_string("x"), zero, buf, 85) == 85);
	CHECK(cose_sign1_tbs(kid, COSE_TYP_NONE, slice_from_string("x"), buf, 28) == 0);
	CHECK(cose_sign1_tbs(kid, COSE_TYP_NONE, slice_from_string("x"), buf, 29) == 29);
}

static void
every_bit(void)
{
	uint8_t		buf[512];
	size_t		len = sign(SEED, COSE_TYP_LINKAGE, slice_from_string("claims"), buf, sizeof(buf));
	uint8_t		pk[PUBLIC_KEY_BYTES];
	size_t		bit;

	hex_into(PUBLIC_KEY, pk);
	for (bit = 0; bit < len * 8; bit++)
	{
		CoseSign1	message;

		buf[bit / 8] ^= (uint8_t) (1 << bit % 8);
		if (!CHECK(!(cose_sign1_read(buf, len, &message) && cose_sign1_verify(&message, pk))))
			return;
		buf[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
}

static void
other_keys(void)
{
	uint8_t		buf[512];
	size_t		len = sign(SEED, COSE_TYP_NONE, slice_from_string("claims"), buf, sizeof(buf));
	uint8_t		pk[PUBLIC_KEY_BYTES];
	CoseSign1	message;

	CHECK(cose_sign1_read(buf, len, &message));
	hex_into("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", pk);
	CHECK(!cose_sign1_verify(&message, pk));
	memset(pk, 0, sizeof(pk));	/* of small order */
	CHECK(!cose_sign1_verify(&message, pk));
	pk[0] = 1;
	CHECK(!cose_sign1_verify(&message, pk));
}

/* S + L verifies wherever S does, by the equation alone: then one message had two signatures. */
static void
malleability(void)
{
	static const char order[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
	uint8_t		buf[512];
	size_t		len = sign(SEED, COSE_TYP_NONE, slice_from_string("claims"), buf, sizeof(buf));
	uint8_t		pk[PUBLIC_KEY_BYTES],
				l[32];
	uint8_t    *s = buf + len - 32;
	unsigned	carry = 0;
	CoseSign1	message;
	int			i;

	hex_into(PUBLIC_KEY, pk);
	hex_into(order, l);
	for (i = 0; i < 32; i++)
	{
		carry += (unsigned) s[i] + l[i];
		s[i] = (uint8_t) carry;
		carry >>= 8;
	}
	CHECK(cose_sign1_read(buf, len, &message));
	CHECK(!cose_sign1_verify(&message, pk));
}

static void
accepted_variants(void)
{
	CHECK(reads("d2844da20127" "0448" KID "a0" "4178" "5840" ZERO_SIGNATURE));
	CHECK(reads("d83dd2844da20127" "0448" KID "a0" "4178" "5840" ZERO_SIGNATURE));	/* 61(18()) */
	CHECK(reads("d2844da20132" "0448" KID "a0" "4178" "5840" ZERO_SIGNATURE));	/* alg -19 */
	CHECK(reads("d2844da20448" KID "0127" "a0" "4178" "5840" ZERO_SIGNATURE));	/* kid first */
	/* typ "x", and typ 80, a CoAP content format */
	CHECK(reads("d28450a30127" "0448" KID "106178" "a0" "4178" "5840" ZERO_SIGNATURE));
	CHECK(reads("d28450a30127" "0448" KID "101850" "a0" "4178" "5840" ZERO_SIGNATURE));
}

static void
refused_shapes(void)
{
#define BODY(header) "84" header "a0" "4178" "5840" ZERO_SIGNATURE
#define HEADER "4da20127" "0448" KID
	CHECK(!reads(""));
	CHECK(!reads("d2"));
	CHECK(!reads(BODY(HEADER)));	/* untagged */
	CHECK(!reads("d1" BODY(HEADER)));	/* COSE_Mac0 */
	CHECK(!reads("d862" BODY(HEADER)));	/* COSE_Sign */
	CHECK(!reads("d83d" BODY(HEADER)));	/* CWT tag alone */
	CHECK(!reads("d83dd83dd2" BODY(HEADER)));
	CHECK(!reads("d2d2" BODY(HEADER)));
	CHECK(!reads("d83d01"));
	CHECK(!reads("d2" BODY(HEADER) "00"));	/* a byte too many */
	CHECK(!reads("d2" "83" HEADER "a0" "4178"));
	CHECK(!reads("d2" "85" HEADER "a0" "4178" "5840" ZERO_SIGNATURE "00"));
	CHECK(!reads("d2" "a2" HEADER "a0" "4178" "5840" ZERO_SIGNATURE));
	CHECK(!reads("d2" "9f" HEADER "a0" "4178" "5840" ZERO_SIGNATURE "ff"));
	CHECK(!reads("d2" "84" HEADER "a10100" "4178" "5840" ZERO_SIGNATURE));	/* unprotected */
	CHECK(!reads("d2" "84" HEADER "80" "4178" "5840" ZERO_SIGNATURE));
	CHECK(!reads("d2" "84" HEADER "a0" "f6" "5840" ZERO_SIGNATURE));	/* detached */
	CHECK(!reads("d2" "84" HEADER "a0" "6178" "5840" ZERO_SIGNATURE));
	CHECK(!reads("d2" "84" HEADER "a0" "4178" "40"));	/* no signature at all */
	CHECK(!reads("d2" "84" HEADER "a0" "4178" "4100"));
	CHECK(!reads("d2" "84" HEADER "a0" "4178" "5841" ZERO_SIGNATURE "00"));
	CHECK(!reads("d2" "84" HEADER "a0" "4178"));
	CHECK(!reads("d2" "84" HEADER "a0"));
	CHECK(!reads("d2" "84" HEADER));
	CHECK(!reads("d2" "84"));
	CHECK(!reads("d2" "84" "00" "a0" "4178" "5840" ZERO_SIGNATURE));
}

static void
refused_headers(void)
{
	CHECK(reads("d2" BODY(HEADER)));
	CHECK(!reads("d2" BODY("40")));	/* none */
	CHECK(!reads("d2" BODY("41a0")));
	CHECK(!reads("d2" BODY("43a10127")));	/* no kid */
	CHECK(!reads("d2" BODY("4ba1" "0448" KID)));	/* no alg */
	CHECK(!reads("d2" BODY("4da20126" "0448" KID)));	/* ES256 */
	CHECK(!reads("d2" BODY("4da20105" "0448" KID)));	/* HMAC */
	CHECK(!reads("d2" BODY("4da20100" "0448" KID)));
	CHECK(!reads("d2" BODY("4ea2016127" "0448" KID)));
	CHECK(!reads("d2" BODY("51a2" "01644e6f6e65" "0448" KID)));	/* "None" */
	CHECK(!reads("d2" BODY("4ca20127" "0447" "866eefbd6718c8")));	/* kid of 7 bytes */
	CHECK(!reads("d2" BODY("4da20127" "0468" "3132333435363738")));	/* kid as text */
	CHECK(!reads("d2" BODY("4fa30127" "0448" KID "0200")));	/* crit, or any other */
	CHECK(!reads("d2" BODY("50a30127" "0448" KID "617800")));
	CHECK(!reads("d2" BODY("4fa30127" "0448" KID "1080")));	/* typ an array */
	CHECK(!reads("d2" BODY("4fa30127" "0448" KID "0127")));	/* alg twice */
	CHECK(!reads("d2" BODY("4ea20127" "0448" KID "00")));	/* a byte too many */
	CHECK(!reads("d2" BODY("43820127")));
	CHECK(!reads("d2" BODY("4127")));
#undef BODY
#undef HEADER
}

static void
long_header(void)
{
	uint8_t		buf[512],
				header[400];
	uint8_t		signature[SIGNATURE_BYTES] = {0};
	char		typ[300];
	size_t		typ_len;

	/* alg, kid and a typ that fills the header up to and past 256 bytes */
	for (typ_len = 240; typ_len <= 241; typ_len++)
	{
		CborWriter	writer;
		size_t		header_len;
		CoseSign1	message;

		memset(typ, 'x', typ_len);
		cbor_writer_init(&writer, header, sizeof(header));
		cbor_put_map(&writer, 3);
		cbor_put_int(&writer, 1);
		cbor_put_int(&writer, -8);
		cbor_put_int(&writer, 4);
		cbor_put_bytes(&writer, "12345678", 8);
		cbor_put_int(&writer, 16);
		cbor_put_text(&writer, typ, typ_len);
		header_len = writer.len;
		CHECK(header_len == typ_len + 16);

		cbor_writer_init(&writer, buf, sizeof(buf));
		cbor_put_tag(&writer, 18);
		cbor_put_array(&writer, 4);
		cbor_put_bytes(&writer, header, header_len);
		cbor_put_map(&writer, 0);
		cbor_put_bytes(&writer, "x", 1);
		cbor_put_bytes(&writer, signature, sizeof(signature));
		CHECK(cose_sign1_read(buf, writer.len, &message) == (header_len <= 256));
		CHECK(header_len > 256 || message.typ == COSE_TYP_OTHER);
	}
}

static void
huge_payload(void)
{
	uint8_t    *payload = calloc(1, COSE_MAX_PAYLOAD + 4096);
	uint8_t		pk[PUBLIC_KEY_BYTES],
				signature[SIGNATURE_BYTES] = {0};
	CoseSign1	message;

	hex_into(PUBLIC_KEY, pk);
	memset(&message, 0, sizeof(message));
	message.protected_header = slice_from_string("");
	message.payload.ptr = payload;
	message.payload.len = COSE_MAX_PAYLOAD + 4096;
	message.signature = signature;
	CHECK(!cose_sign1_verify(&message, pk));
	free(payload);
}

void
test_cose(void)
{
	RUN("cose: the EdDSA example of the COSE working group verifies", working_group_example);
	RUN("cose: kid is the first 8 bytes of the RFC 9679 thumbprint", key_id);
	RUN("cose: what is signed is read and verifies, with each typ", round_trips);
	RUN("cose: message and to-be-signed bytes are those of RFC 9052", exact_bytes);
	RUN("cose: any one flipped bit is noticed", every_bit);
	RUN("cose: other keys and keys of small order verify nothing", other_keys);
	RUN("cose: a second signature made from the first is refused", malleability);
	RUN("cose: tag 61, alg -19, unsorted headers and foreign typs are read", accepted_variants);
	RUN("cose: any other shape is refused", refused_shapes);
	RUN("cose: any other protected header is refused", refused_headers);
	RUN("cose: a protected header over 256 bytes is refused", long_header);
	RUN("cose: a payload over the limit verifies nowhere", huge_payload);
}
