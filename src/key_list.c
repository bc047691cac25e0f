/*
 * key_list.c
 *		Another party's key list: every key of an issuer with usage, state and dates.
 *
 * keys.c writes such a list, and says how it is laid out.  A verifier that was given the
 * issuer's root key once, by a way it trusts, learns from lists which keys came, were retired or are
 * compromised.  epermit.import_key_list() is the caller.
 */
#include "compat.h"

#include "core/cbor.h"
#include "core/cose.h"
#include "credential.h"
#include "funcapi.h"
#include "keys.h"
#include "types.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(epermit_read_key_list);

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

static const char *const state_labels[] = {"active", "retired", "compromised"};

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
		CStringGetTextDatum(find_label(map, MEMBER_STATE, state_labels, lengthof(state_labels)));

	for (member = MEMBER_CREATED; member <= MEMBER_COMPROMISED; member++)
	{
		nulls[member - 1] = member != MEMBER_CREATED && !cbor_map_get(map, member, &item);
		if (!nulls[member - 1])
			values[member - 1] = TimestampTzGetDatum(unix_to_timestamptz(find_instant(map, member)));
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
