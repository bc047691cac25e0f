/*
 * key_list.c
 *		Keys as verifiers get them: a COSE_KeySet, and a signed list that tells their state too.
 *
 * A verifier that was given the issuer's root key once, by a way it trusts, learns from lists
 * which keys came, were retired or are compromised, with no link to the issuer.  Writer and reader
 * of lists stand here; epermit.import_key_list() calls the reader.
 *
 *	key-list = {			; protected typ "application/vnd.epermit.keylist+cwt"
 *	  1: tstr,				; iss
 *	  4: uint, 6: uint,		; exp = iat + 24 h
 *	  -65539: [ + {
 *		1: bstr .size 8,	; kid
 *		2: uint,			; usage: 0 permit, 1 linkage, 2 status, 3 attestation, 4 root
 *		3: bstr .size 32,	; public key
 *		4: uint,			; state: 0 active, 1 retired, 2 compromised
 *		5: uint,			; created, seconds since 1970
 *		? 6: uint,			; retired
 *		? 7: uint			; compromised
 *	  } ]
 *	}
 */
#include "compat.h"

#include "config.h"
#include "core/cbor.h"
#include "core/cose.h"
#include "credential.h"
#include "funcapi.h"
#include "keys.h"
#include "types.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define KEY_LIST_SECONDS (24 * 3600)

/* The longest entry of a key set: six members of which two are byte strings. */
#define KEYSET_ENTRY_MAX 64

PG_FUNCTION_INFO_V1(epermit_cose_keyset);
PG_FUNCTION_INFO_V1(epermit_key_list);
PG_FUNCTION_INFO_V1(epermit_read_key_list);

PGDLLEXPORT Datum epermit_cose_keyset(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_key_list(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_read_key_list(PG_FUNCTION_ARGS);

/* Members of a key in the list, and the columns they become. */
enum
{
	MEMBER_KID = 1,
	MEMBER_USAGE,
	MEMBER_PUBLIC_KEY,
	MEMBER_STATE,
	MEMBER_CREATED,
	MEMBER_RETIRED,
	MEMBER_COMPROMISED
};

#define COLUMNS MEMBER_COMPROMISED

/* ---------------------------------------------------------------- writing */

/* Members in deterministic order (RFC 8949 4.2.1). */
static void
put_cose_key(CborWriter *writer, const SigningKey *key)
{
	cbor_put_map(writer, 6);
	cbor_put_int(writer, 1);	/* kty */
	cbor_put_int(writer, 1);	/* OKP */
	cbor_put_int(writer, 2);	/* kid */
	cbor_put_bytes(writer, key->kid, KID_BYTES);
	cbor_put_int(writer, 3);	/* alg */
	cbor_put_int(writer, -8);	/* EdDSA */
	cbor_put_int(writer, 4);	/* key_ops */
	cbor_put_array(writer, 1);
	cbor_put_int(writer, 2);	/* verify */
	cbor_put_int(writer, -1);	/* crv */
	cbor_put_int(writer, 6);	/* Ed25519 */
	cbor_put_int(writer, -2);	/* x */
	cbor_put_bytes(writer, key->public_key, PUBLIC_KEY_BYTES);
}

/* cose_keyset() → bytea; keys that verify, which compromised ones do not */
Datum
epermit_cose_keyset(PG_FUNCTION_ARGS pg_attribute_unused())
{
	int			own,
				verifying = 0,
				i;
	SigningKey *keys = keys_own(&own);
	size_t		cap = 16 + KEYSET_ENTRY_MAX * (size_t) own;
	uint8	   *buf = palloc(cap);
	CborWriter	writer;

	for (i = 0; i < own; i++)
		verifying += keys[i].state != KEY_COMPROMISED;

	cbor_writer_init(&writer, buf, cap);
	cbor_put_array(&writer, verifying);
	for (i = 0; i < own; i++)
	{
		if (keys[i].state != KEY_COMPROMISED)
			put_cose_key(&writer, &keys[i]);
	}
	Assert(!writer.overflow);
	PG_RETURN_BYTEA_P(make_bytea(buf, writer.len));
}

static void
put_uint(CborWriter *writer, int64 key, int64 value)
{
	cbor_put_int(writer, key);
	cbor_put_int(writer, value);
}

static void
put_listed_key(CborWriter *writer, const SigningKey *key)
{
	cbor_put_map(writer, 5 + (key->retired_at != 0) + (key->compromised_at != 0));
	cbor_put_int(writer, MEMBER_KID);
	cbor_put_bytes(writer, key->kid, KID_BYTES);
	put_uint(writer, MEMBER_USAGE, key->usage);
	cbor_put_int(writer, MEMBER_PUBLIC_KEY);
	cbor_put_bytes(writer, key->public_key, PUBLIC_KEY_BYTES);
	put_uint(writer, MEMBER_STATE, key->state);
	put_uint(writer, MEMBER_CREATED, timestamptz_to_unix(key->created_at));
	if (key->retired_at != 0)
		put_uint(writer, MEMBER_RETIRED, timestamptz_to_unix(key->retired_at));
	if (key->compromised_at != 0)
		put_uint(writer, MEMBER_COMPROMISED, timestamptz_to_unix(key->compromised_at));
}

/* key_list() → bytea */
Datum
epermit_key_list(PG_FUNCTION_ARGS pg_attribute_unused())
{
	const size_t cap = COSE_MAX_PAYLOAD + 512;
	uint8	   *buf = palloc(COSE_MAX_PAYLOAD);
	uint8	   *message = palloc(cap);
	uint8		kid[KID_BYTES];
	int64		now = clock_unix();
	int			count,
				i;
	SigningKey *keys = keys_own(&count);
	CborWriter	writer;
	Slice		payload;
	size_t		len;

	cbor_writer_init(&writer, buf, COSE_MAX_PAYLOAD);
	cbor_put_map(&writer, 4);
	cbor_put_int(&writer, CLAIM_ISS);
	cbor_put_cstring(&writer, config_issuer()->iss);
	put_uint(&writer, CLAIM_EXP, now + KEY_LIST_SECONDS);
	put_uint(&writer, CLAIM_IAT, now);
	cbor_put_int(&writer, CLAIM_KEY_LIST);
	cbor_put_array(&writer, count);
	for (i = 0; i < count; i++)
		put_listed_key(&writer, &keys[i]);
	if (writer.overflow)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many keys for one signed list")));

	payload.ptr = buf;
	payload.len = writer.len;
	len = keys_sign1(KEY_ROOT, COSE_TYP_KEY_LIST, payload, message, cap, kid);
	PG_RETURN_BYTEA_P(make_bytea(message, len));
}

/* ---------------------------------------------------------------- reading */

pg_noreturn static void
refuse(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the key list cannot be imported"),
			 errdetail("%s", why)));
}

static int64
find_instant(Slice map, int64 key)
{
	CborItem	item;
	int64_t		value;

	if (!cbor_map_get(map, key, &item) || item.type != CBOR_UINT || !cbor_item_int(&item, &value) ||
		value > timestamptz_to_unix(END_TIMESTAMP - 1))
		refuse("It lacks an instant.");
	return value;
}

static Datum
find_bytes(Slice map, int64 key, size_t len)
{
	CborItem	item;

	if (!cbor_map_get(map, key, &item) || item.type != CBOR_BYTES || item.string.len != len)
		refuse("A kid or public key is malformed.");
	return PointerGetDatum(make_bytea(item.string.ptr, len));
}

static const char *
find_label(Slice map, int64 key, const char *const *labels, uint64 count)
{
	CborItem	item;

	if (!cbor_map_get(map, key, &item) || item.type != CBOR_UINT || item.value >= count)
		refuse("A usage or state is not known here.");
	return labels[item.value];
}

/* One key, which starts at reader, to a row. */
static void
read_key(CborReader *reader, Datum *values, bool *nulls)
{
	Slice		map;
	CborItem	item;
	int			member;

	map.ptr = reader->next;
	if (!cbor_skip(reader))
		refuse("It is malformed.");
	map.len = (size_t) (reader->next - map.ptr);

	/* Key by key: there may be more of them than the array of a token may have entries. */
	if (!cbor_check(map.ptr, map.len))
		refuse("It is malformed.");

	memset(nulls, false, COLUMNS * sizeof(bool));
	values[MEMBER_KID - 1] = find_bytes(map, MEMBER_KID, KID_BYTES);
	values[MEMBER_USAGE - 1] =
		enum_datum("key_usage", find_label(map, MEMBER_USAGE, key_usage_labels, KEY_USAGES));
	values[MEMBER_PUBLIC_KEY - 1] = find_bytes(map, MEMBER_PUBLIC_KEY, PUBLIC_KEY_BYTES);
	values[MEMBER_STATE - 1] =
		CStringGetTextDatum(find_label(map, MEMBER_STATE, key_state_labels, KEY_STATES));

	for (member = MEMBER_CREATED; member <= MEMBER_COMPROMISED; member++)
	{
		nulls[member - 1] = member != MEMBER_CREATED && !cbor_map_get(map, member, &item);
		if (!nulls[member - 1])
			values[member - 1] =
				TimestampTzGetDatum(unix_to_timestamptz(find_instant(map, member)));
	}
}

/* Signed by a root key that is trusted here, and of now. */
static void
check_list(const CoseSign1 *cose)
{
	const SigningKey *key = keys_find(cose->kid);
	int64		now = clock_unix();

	if (key == NULL || key->usage != KEY_ROOT || key->state == KEY_COMPROMISED)
		refuse("It is not signed by a root key that is trusted here.");
	if (!cose_sign1_verify(cose, key->public_key))
		refuse("Its signature is wrong.");
	if (find_instant(cose->payload, CLAIM_IAT) > now + CLOCK_TOLERANCE)
		refuse("It is from the future.");
	if (find_instant(cose->payload, CLAIM_EXP) <= now)
		refuse("It has expired.");
}

/*
 * read_key_list(list bytea) → SETOF (kid bytea, usage, public_key bytea, state text,
 *									  created_at, retired_at, compromised_at timestamptz)
 *		22023: not a key list, not signed by a trusted root key, or expired.
 */
Datum
epermit_read_key_list(PG_FUNCTION_ARGS)
{
	bytea	   *list = PG_GETARG_BYTEA_PP(0);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	CoseSign1	cose;
	CborReader	reader;
	CborItem	keys;
	uint64		i;

	InitMaterializedSRF(fcinfo, 0);
	if (!cose_sign1_read((uint8 *) VARDATA_ANY(list), VARSIZE_ANY_EXHDR(list), &cose) ||
		cose.typ != COSE_TYP_KEY_LIST)
		refuse("It is no key list.");
	check_list(&cose);

	if (!cbor_map_find(cose.payload, CLAIM_KEY_LIST, &reader) ||
		!cbor_next(&reader, &keys) || keys.type != CBOR_ARRAY)
		refuse("It lists no keys.");
	for (i = 0; i < keys.value; i++)
	{
		Datum		values[COLUMNS];
		bool		nulls[COLUMNS];

		read_key(&reader, values, nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
