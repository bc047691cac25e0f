/*
 * cose.c
 *		COSE_Sign1 (RFC 9052) with Ed25519: one shape, written and read.
 *
 * The algorithm is fixed by the reader, never chosen by the message: alg is
 * checked, not dispatched on, so there is no "none" and no key confusion.  The
 * caller finds the key by kid, checks its usage, then asks for the signature.
 */
#include <string.h>

#include <sodium.h>

#include "cbor.h"
#include "cose.h"

#define TAG_SIGN1 18
#define TAG_CWT 61

#define HEADER_ALG 1
#define HEADER_KID 4
#define HEADER_TYP 16

#define ALG_EDDSA (-8)
#define ALG_ED25519 (-19)

#define SIGNATURE1 "Signature1"

/* What a Sig_structure adds to its payload: its own heads and a protected header at its longest. */
#define MAX_PROTECTED 256
#define TBS_MAX (COSE_MAX_PAYLOAD + MAX_PROTECTED + 32)

static const char *const typ_names[] = {
	[COSE_TYP_NONE] = NULL,
	[COSE_TYP_LINKAGE] = "application/vnd.epermit.linkage+cwt",
	[COSE_TYP_ATTESTATION] = "application/vnd.epermit.attestation+cwt",
	[COSE_TYP_STATUS_LIST] = "application/statuslist+cwt",
	[COSE_TYP_KEY_LIST] = "application/vnd.epermit.keylist+cwt",
	[COSE_TYP_AUDIT_HEAD] = "application/vnd.epermit.audit+cwt",
	[COSE_TYP_OTHER] = NULL
};

const char *
cose_typ_name(CoseTyp typ)
{
	return typ_names[typ];
}

static CoseTyp
typ_from_name(Slice name)
{
	CoseTyp		typ;

	for (typ = COSE_TYP_LINKAGE; typ < COSE_TYP_OTHER; typ++)
	{
		if (slice_is(name, typ_names[typ]))
			return typ;
	}
	return COSE_TYP_OTHER;
}

static bool
read_protected(Slice header, CoseSign1 *out)
{
	CborReader	reader;
	CborItem	item;
	uint64_t	entries,
				i;
	bool		has_alg = false,
				has_kid = false;

	if (header.len > MAX_PROTECTED || !cbor_check(header.ptr, header.len))
		return false;
	cbor_reader_init(&reader, header);
	if (!cbor_next(&reader, &item) || item.type != CBOR_MAP)
		return false;
	entries = item.value;

	for (i = 0; i < entries; i++)
	{
		int64_t		key,
					alg;

		if (!cbor_next(&reader, &item) || !cbor_item_int(&item, &key) ||
			!cbor_next(&reader, &item))
			return false;
		switch (key)
		{
			case HEADER_ALG:
				if (!cbor_item_int(&item, &alg) || (alg != ALG_EDDSA && alg != ALG_ED25519))
					return false;
				out->alg = (int) alg;
				has_alg = true;
				break;
			case HEADER_KID:
				if (item.type != CBOR_BYTES || item.string.len != KID_BYTES)
					return false;
				memcpy(out->kid, item.string.ptr, KID_BYTES);
				has_kid = true;
				break;
			case HEADER_TYP:
				/* RFC 9596 also allows a CoAP content format; none is ours. */
				if (item.type == CBOR_TEXT)
					out->typ = typ_from_name(item.string);
				else if (item.type == CBOR_UINT)
					out->typ = COSE_TYP_OTHER;
				else
					return false;
				break;
			default:
				return false;
		}
	}
	return has_alg && has_kid;
}

bool
cose_sign1_read(const uint8_t *message, size_t len, CoseSign1 *out)
{
	Slice		input;
	CborReader	reader;
	CborItem	item;

	memset(out, 0, sizeof(*out));
	out->typ = COSE_TYP_NONE;

	input.ptr = message;
	input.len = len;
	cbor_reader_init(&reader, input);

	if (!cbor_next(&reader, &item) || item.type != CBOR_TAG)
		return false;
	if (item.value == TAG_CWT && (!cbor_next(&reader, &item) || item.type != CBOR_TAG))
		return false;
	if (item.value != TAG_SIGN1)
		return false;

	if (!cbor_next(&reader, &item) || item.type != CBOR_ARRAY || item.value != 4)
		return false;

	if (!cbor_next(&reader, &item) || item.type != CBOR_BYTES)
		return false;
	out->protected_header = item.string;

	if (!cbor_next(&reader, &item) || item.type != CBOR_MAP || item.value != 0)
		return false;

	if (!cbor_next(&reader, &item) || item.type != CBOR_BYTES)
		return false;
	out->payload = item.string;

	if (!cbor_next(&reader, &item) || item.type != CBOR_BYTES || item.string.len != SIGNATURE_BYTES)
		return false;
	out->signature = item.string.ptr;

	return reader.next == reader.end && read_protected(out->protected_header, out);
}

/* Sig_structure of RFC 9052 section 4.4, with empty external_aad. */
static size_t
write_tbs(Slice protected_header, Slice payload, uint8_t *buf, size_t cap)
{
	CborWriter	writer;

	cbor_writer_init(&writer, buf, cap);
	cbor_put_array(&writer, 4);
	cbor_put_cstring(&writer, SIGNATURE1);
	cbor_put_bytes(&writer, protected_header.ptr, protected_header.len);
	cbor_put_bytes(&writer, "", 0);
	cbor_put_bytes(&writer, payload.ptr, payload.len);
	return writer.overflow ? 0 : writer.len;
}

bool
cose_sign1_verify(const CoseSign1 *message, const uint8_t *public_key)
{
	uint8_t		tbs[TBS_MAX];
	size_t		len = write_tbs(message->protected_header, message->payload, tbs, sizeof(tbs));

	/* libsodium refuses S >= L, keys and R of small order and keys that are not canonical. */
	return len > 0 &&
		crypto_sign_ed25519_verify_detached(message->signature, tbs, len, public_key) == 0;
}

static Slice
write_protected(const uint8_t *kid, CoseTyp typ, uint8_t *buf, size_t cap)
{
	const char *typ_name = cose_typ_name(typ);
	CborWriter	writer;
	Slice		header;

	cbor_writer_init(&writer, buf, cap);
	cbor_put_map(&writer, typ_name != NULL ? 3 : 2);
	cbor_put_int(&writer, HEADER_ALG);
	cbor_put_int(&writer, ALG_EDDSA);
	cbor_put_int(&writer, HEADER_KID);
	cbor_put_bytes(&writer, kid, KID_BYTES);
	if (typ_name != NULL)
	{
		cbor_put_int(&writer, HEADER_TYP);
		cbor_put_cstring(&writer, typ_name);
	}
	header.ptr = buf;
	header.len = writer.len;
	return header;
}

size_t
cose_sign1_tbs(const uint8_t *kid, CoseTyp typ, Slice payload, uint8_t *buf, size_t cap)
{
	uint8_t		header[MAX_PROTECTED];

	return write_tbs(write_protected(kid, typ, header, sizeof(header)), payload, buf, cap);
}

size_t
cose_sign1_write(const uint8_t *kid, CoseTyp typ, Slice payload,
				 const uint8_t *signature, uint8_t *buf, size_t cap)
{
	uint8_t		header_buf[MAX_PROTECTED];
	Slice		header = write_protected(kid, typ, header_buf, sizeof(header_buf));
	CborWriter	writer;

	cbor_writer_init(&writer, buf, cap);
	cbor_put_tag(&writer, TAG_SIGN1);
	cbor_put_array(&writer, 4);
	cbor_put_bytes(&writer, header.ptr, header.len);
	cbor_put_map(&writer, 0);
	cbor_put_bytes(&writer, payload.ptr, payload.len);
	cbor_put_bytes(&writer, signature, SIGNATURE_BYTES);
	return writer.overflow ? 0 : writer.len;
}

void
cose_kid(const uint8_t *public_key, uint8_t *kid)
{
	uint8_t		cose_key[48];
	uint8_t		digest[crypto_hash_sha256_BYTES];
	CborWriter	writer;

	/* The required members only, in deterministic order (RFC 9679 section 3). */
	cbor_writer_init(&writer, cose_key, sizeof(cose_key));
	cbor_put_map(&writer, 3);
	cbor_put_int(&writer, 1);	/* kty */
	cbor_put_int(&writer, 1);	/* OKP */
	cbor_put_int(&writer, -1);	/* crv */
	cbor_put_int(&writer, 6);	/* Ed25519 */
	cbor_put_int(&writer, -2);	/* x */
	cbor_put_bytes(&writer, public_key, PUBLIC_KEY_BYTES);

	crypto_hash_sha256(digest, cose_key, writer.len);
	memcpy(kid, digest, KID_BYTES);
}
