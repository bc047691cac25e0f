/*
 * seal.c
 *		Seals over the audit log: canonical leaves, Merkle trees and signed heads.
 *
 * 80_audit.sql decides which rows a seal covers; this file says what is hashed and what is
 * signed.  Both are CBOR (RFC 8949 4.2.1, deterministic), so that a third party can check them with
 * the public key alone, whatever the settings of this server.
 *
 * leaf = {
 *	1: int id, 2: int at (microseconds since 1970-01-01 UTC), 3: int era, 4: uint xid,
 *	5: tstr event, 6: tstr login_role, 7: tstr calling_role, ? 8: tstr department,
 *	? 9: int holder_id, ? 10: bstr .size 12 credential_no, ? 11: tstr purpose,
 *	? 12: tstr verdict, ? 13: [* tstr / []] codes, 14: 0 / 1 attempt,
 *	? 15: bstr .size 16 request_id, ? 16: tstr detail (jsonb as PostgreSQL prints it)
 * }				; a key is absent where the column is NULL, a code that is NULL is []
 *
 * head payload (typ application/vnd.epermit.audit+cwt) = {
 *	1: tstr iss, 6: uint iat,
 *	-65539: {
 *		1: uint seal_id, 2: uint tree_size, 3: bstr .size 32 root,
 *		? 4: bstr .size 32 previous (SHA-256 of the head before it),
 *		5: int era, 6: uint upto_xid, 7: int upto_id
 *	}
 * }
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "config.h"
#include "core/cbor.h"
#include "core/merkle.h"
#include "credential.h"
#include "funcapi.h"
#include "keys.h"
#include "types.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/uuid.h"

/* A head is a few hundred bytes; the issuer's name is at most 100 characters. */
#define HEAD_MAX_BYTES 2048

/* Columns of audit_log, in order; their numbers are the keys of a leaf. */
typedef enum LeafKey
{
	LEAF_ID = 1,
	LEAF_AT,
	LEAF_ERA,
	LEAF_XID,
	LEAF_EVENT,
	LEAF_LOGIN_ROLE,
	LEAF_CALLING_ROLE,
	LEAF_DEPARTMENT,
	LEAF_HOLDER_ID,
	LEAF_CREDENTIAL_NO,
	LEAF_PURPOSE,
	LEAF_VERDICT,
	LEAF_CODES,
	LEAF_ATTEMPT,
	LEAF_REQUEST_ID,
	LEAF_DETAIL
} LeafKey;

#define LEAF_COLUMNS LEAF_DETAIL

/* What a head says under CLAIM_AUDIT_HEAD. */
enum
{
	MEMBER_SEAL_ID = 1,
	MEMBER_TREE_SIZE,
	MEMBER_ROOT,
	MEMBER_PREVIOUS,
	MEMBER_ERA,
	MEMBER_UPTO_XID,
	MEMBER_UPTO_ID
};

/* Columns of read_audit_head(). */
typedef enum HeadColumn
{
	HEAD_SEAL_ID = 0,
	HEAD_AT,
	HEAD_ERA,
	HEAD_UPTO_XID,
	HEAD_UPTO_ID,
	HEAD_TREE_SIZE,
	HEAD_ROOT,
	HEAD_PREVIOUS,
	HEAD_KID,
	HEAD_PROBLEM,
	HEAD_COLUMNS
} HeadColumn;

PG_FUNCTION_INFO_V1(epermit_audit_leaf);
PG_FUNCTION_INFO_V1(epermit_merkle_leaf);
PG_FUNCTION_INFO_V1(epermit_merkle_push);
PG_FUNCTION_INFO_V1(epermit_merkle_final);
PG_FUNCTION_INFO_V1(epermit_merkle_proof);
PG_FUNCTION_INFO_V1(epermit_sign_audit_head);
PG_FUNCTION_INFO_V1(epermit_read_audit_head);

PGDLLEXPORT Datum epermit_audit_leaf(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_merkle_leaf(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_merkle_push(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_merkle_final(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_merkle_proof(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_sign_audit_head(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_read_audit_head(PG_FUNCTION_ARGS);

/* ---------------------------------------------------------------- leaves */

static void
put_text(CborWriter *writer, text *value)
{
	cbor_put_text(writer, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

static void
put_codes(CborWriter *writer, ArrayType *codes)
{
	Datum	   *elems;
	bool	   *nulls;
	int			nelems,
				i;

	deconstruct_array(codes, TEXTOID, -1, false, TYPALIGN_INT, &elems, &nulls, &nelems);
	cbor_put_array(writer, nelems);
	for (i = 0; i < nelems; i++)
	{
		if (nulls[i])
			cbor_put_array(writer, 0);
		else
			put_text(writer, DatumGetTextPP(elems[i]));
	}
}

static void
put_column(CborWriter *writer, LeafKey key, Datum value)
{
	switch (key)
	{
		case LEAF_ID:
		case LEAF_ERA:
		case LEAF_HOLDER_ID:
			cbor_put_int(writer, DatumGetInt64(value));
			break;
		case LEAF_AT:
			{
				TimestampTz at = DatumGetTimestampTz(value);

				/* Nobody writes an infinite one, but a forged row may have it. */
				if (!TIMESTAMP_NOT_FINITE(at))
					at -= unix_to_timestamptz(0);
				cbor_put_int(writer, at);
				break;
			}
		case LEAF_XID:
			cbor_put_uint(writer, DatumGetUInt64(value));
			break;
		case LEAF_LOGIN_ROLE:
		case LEAF_CALLING_ROLE:
			cbor_put_cstring(writer, NameStr(*DatumGetName(value)));
			break;
		case LEAF_EVENT:
		case LEAF_DEPARTMENT:
		case LEAF_PURPOSE:
		case LEAF_VERDICT:
			put_text(writer, DatumGetTextPP(value));
			break;
		case LEAF_CREDENTIAL_NO:
			cbor_put_bytes(writer, DatumGetCredentialNo(value)->bytes, CREDENTIAL_NO_BYTES);
			break;
		case LEAF_CODES:
			put_codes(writer, DatumGetArrayTypeP(value));
			break;
		case LEAF_ATTEMPT:
			cbor_put_uint(writer, DatumGetBool(value) ? 1 : 0);
			break;
		case LEAF_REQUEST_ID:
			cbor_put_bytes(writer, DatumGetUUIDP(value)->data, UUID_LEN);
			break;
		case LEAF_DETAIL:
			{
				Jsonb	   *detail = DatumGetJsonbP(value);

				cbor_put_cstring(writer, JsonbToCString(NULL, &detail->root, VARSIZE(detail)));
				break;
			}
	}
}

/* audit_leaf(epermit.audit_log) -> bytea */
Datum
epermit_audit_leaf(PG_FUNCTION_ARGS)
{
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(0);
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row),
											  HeapTupleHeaderGetTypMod(row));
	HeapTupleData tuple;
	Datum	   *values = palloc(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc(desc->natts * sizeof(bool));
	size_t		cap;
	bytea	   *leaf = NULL;
	CborWriter	writer;
	int			present = 0,
				key;

	if (desc->natts < LEAF_COLUMNS)
		elog(ERROR, "audit_log has %d columns", desc->natts);

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	heap_deform_tuple(&tuple, desc, values, nulls);
	ReleaseTupleDesc(desc);

	for (key = 1; key <= LEAF_COLUMNS; key++)
		present += !nulls[key - 1];

	/* Most leaves are small; JSON text and decompressed values may be larger than the row. */
	for (cap = 512 + tuple.t_len;; cap *= 2)
	{
		leaf = palloc(VARHDRSZ + cap);
		cbor_writer_init(&writer, (uint8 *) VARDATA(leaf), cap);
		cbor_put_map(&writer, present);
		for (key = 1; key <= LEAF_COLUMNS; key++)
		{
			if (nulls[key - 1])
				continue;
			cbor_put_uint(&writer, key);
			put_column(&writer, (LeafKey) key, values[key - 1]);
		}
		if (!writer.overflow)
			break;
		pfree(leaf);
	}
	SET_VARSIZE(leaf, VARHDRSZ + writer.len);
	PG_RETURN_BYTEA_P(leaf);
}

/* ---------------------------------------------------------------- trees */

static const uint8 *
hash_bytes_of(bytea *value)
{
	if (VARSIZE_ANY_EXHDR(value) != MERKLE_HASH_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a leaf hash has %d bytes", MERKLE_HASH_BYTES)));
	return (const uint8 *) VARDATA_ANY(value);
}

/* merkle_leaf(bytea) -> bytea */
Datum
epermit_merkle_leaf(PG_FUNCTION_ARGS)
{
	bytea	   *data = PG_GETARG_BYTEA_PP(0);
	uint8		hash[MERKLE_HASH_BYTES];

	merkle_leaf_hash((const uint8 *) VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data), hash);
	PG_RETURN_BYTEA_P(make_bytea(hash, sizeof(hash)));
}

/* Transition function of the aggregate merkle_root(bytea). */
Datum
epermit_merkle_push(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	MerkleTree *tree;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "merkle_push called in non-aggregate context");

	if (PG_ARGISNULL(0))
	{
		tree = MemoryContextAlloc(context, sizeof(MerkleTree));
		merkle_init(tree);
	}
	else
		tree = (MerkleTree *) PG_GETARG_POINTER(0);

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a leaf hash must not be null")));
	merkle_push(tree, hash_bytes_of(PG_GETARG_BYTEA_PP(1)));
	PG_RETURN_POINTER(tree);
}

/* Its final function; of no leaves: SHA-256 of nothing. */
Datum
epermit_merkle_final(PG_FUNCTION_ARGS)
{
	MerkleTree	empty;
	MerkleTree *tree = &empty;
	uint8		root[MERKLE_HASH_BYTES];

	if (PG_ARGISNULL(0))
		merkle_init(&empty);
	else
		tree = (MerkleTree *) PG_GETARG_POINTER(0);
	merkle_root(tree, root);
	PG_RETURN_BYTEA_P(make_bytea(root, sizeof(root)));
}

/* merkle_proof(leaf_hashes bytea[], leaf_index bigint) -> bytea[], from the leaf upwards */
Datum
epermit_merkle_proof(PG_FUNCTION_ARGS)
{
	int64		index = PG_GETARG_INT64(1);
	Datum	   *elems;
	bool	   *nulls;
	int			nelems,
				i;
	uint8	   *leaves;
	uint8		proof[MERKLE_MAX_PROOF][MERKLE_HASH_BYTES];
	Datum		hashes[MERKLE_MAX_PROOF];
	size_t		len,
				k;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), BYTEAOID, -1, false, TYPALIGN_INT,
					  &elems, &nulls, &nelems);
	if (index < 0 || index >= nelems)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("leaf index is out of range")));

	leaves = palloc_extended((Size) nelems * MERKLE_HASH_BYTES, MCXT_ALLOC_HUGE);
	for (i = 0; i < nelems; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a leaf hash must not be null")));
		memcpy(leaves + (Size) i * MERKLE_HASH_BYTES, hash_bytes_of(DatumGetByteaPP(elems[i])),
			   MERKLE_HASH_BYTES);
	}

	len = merkle_proof(leaves, nelems, index, proof);
	for (k = 0; k < len; k++)
		hashes[k] = PointerGetDatum(make_bytea(proof[k], MERKLE_HASH_BYTES));
	PG_RETURN_ARRAYTYPE_P(construct_array(hashes, (int) len, BYTEAOID, -1, false, TYPALIGN_INT));
}

/* ---------------------------------------------------------------- heads */

/*
 * sign_audit_head(seal_id bigint, at timestamptz, era bigint, upto_xid xid8, upto_id bigint,
 *				   tree_size bigint, root bytea, previous bytea) -> bytea
 * COSE_Sign1 by the active status key; previous may be NULL.
 */
Datum
epermit_sign_audit_head(PG_FUNCTION_ARGS)
{
	uint8		payload[HEAD_MAX_BYTES],
				head[HEAD_MAX_BYTES];
	uint8		kid[KID_BYTES];
	CborWriter	writer;
	bool		chained = !PG_ARGISNULL(7);
	int			i;
	size_t		len;

	for (i = 0; i < 7; i++)
	{
		if (PG_ARGISNULL(i))
			elog(ERROR, "unexpected NULL in argument %d", i);
	}

	cbor_writer_init(&writer, payload, sizeof(payload));
	cbor_put_map(&writer, 3);
	cbor_put_uint(&writer, CLAIM_ISS);
	cbor_put_cstring(&writer, config_issuer()->iss);
	cbor_put_uint(&writer, CLAIM_IAT);
	cbor_put_int(&writer, timestamptz_to_unix(PG_GETARG_TIMESTAMPTZ(1)));
	cbor_put_int(&writer, CLAIM_AUDIT_HEAD);
	cbor_put_map(&writer, chained ? 7 : 6);
	cbor_put_uint(&writer, MEMBER_SEAL_ID);
	cbor_put_uint(&writer, PG_GETARG_INT64(0));
	cbor_put_uint(&writer, MEMBER_TREE_SIZE);
	cbor_put_uint(&writer, PG_GETARG_INT64(5));
	cbor_put_uint(&writer, MEMBER_ROOT);
	cbor_put_bytes(&writer, hash_bytes_of(PG_GETARG_BYTEA_PP(6)), MERKLE_HASH_BYTES);
	if (chained)
	{
		cbor_put_uint(&writer, MEMBER_PREVIOUS);
		cbor_put_bytes(&writer, hash_bytes_of(PG_GETARG_BYTEA_PP(7)), MERKLE_HASH_BYTES);
	}
	cbor_put_uint(&writer, MEMBER_ERA);
	cbor_put_int(&writer, PG_GETARG_INT64(2));
	cbor_put_uint(&writer, MEMBER_UPTO_XID);
	cbor_put_uint(&writer, DatumGetUInt64(PG_GETARG_DATUM(3)));
	cbor_put_uint(&writer, MEMBER_UPTO_ID);
	cbor_put_int(&writer, PG_GETARG_INT64(4));
	if (writer.overflow)
		elog(ERROR, "audit head is too long");

	len = keys_sign1(KEY_STATUS, COSE_TYP_AUDIT_HEAD, (Slice) {payload, writer.len},
					 head, sizeof(head), kid);
	PG_RETURN_BYTEA_P(make_bytea(head, len));
}

static bool
find_int(Slice map, int64 key, int64 *value)
{
	CborItem	item;

	return cbor_map_get(map, key, &item) && cbor_item_int(&item, value);
}

static bool
find_hash(Slice map, int64 key, Datum *hash)
{
	CborItem	item;

	if (!cbor_map_get(map, key, &item) ||
		item.type != CBOR_BYTES || item.string.len != MERKLE_HASH_BYTES)
		return false;
	*hash = PointerGetDatum(make_bytea(item.string.ptr, MERKLE_HASH_BYTES));
	return true;
}

/* False where it is no head; values and nulls are then undefined. */
static bool
read_head(bytea *head, Datum *values, bool *nulls, CoseSign1 *cose)
{
	CborReader	reader;
	CborItem	upto_xid;
	Slice		claim;
	int64		seal_id,
				at,
				era,
				upto_id,
				tree_size;

	if (!cose_sign1_read((const uint8 *) VARDATA_ANY(head), VARSIZE_ANY_EXHDR(head), cose) ||
		cose->typ != COSE_TYP_AUDIT_HEAD ||
		!cbor_check(cose->payload.ptr, cose->payload.len) ||
		!cbor_map_find(cose->payload, CLAIM_AUDIT_HEAD, &reader))
		return false;

	claim.ptr = reader.next;
	claim.len = reader.end - reader.next;
	if (!find_int(cose->payload, CLAIM_IAT, &at) ||
		at < 0 || at > timestamptz_to_unix(END_TIMESTAMP - 1) ||
		!find_int(claim, MEMBER_SEAL_ID, &seal_id) ||
		!find_int(claim, MEMBER_TREE_SIZE, &tree_size) ||
		!find_hash(claim, MEMBER_ROOT, &values[HEAD_ROOT]) ||
		!find_int(claim, MEMBER_ERA, &era) ||
		!find_int(claim, MEMBER_UPTO_ID, &upto_id) ||
		!cbor_map_get(claim, MEMBER_UPTO_XID, &upto_xid) || upto_xid.type != CBOR_UINT)
		return false;

	values[HEAD_SEAL_ID] = Int64GetDatum(seal_id);
	values[HEAD_AT] = TimestampTzGetDatum(unix_to_timestamptz(at));
	values[HEAD_ERA] = Int64GetDatum(era);
	values[HEAD_UPTO_XID] = UInt64GetDatum(upto_xid.value);
	values[HEAD_UPTO_ID] = Int64GetDatum(upto_id);
	values[HEAD_TREE_SIZE] = Int64GetDatum(tree_size);
	values[HEAD_KID] = PointerGetDatum(make_bytea(cose->kid, KID_BYTES));
	memset(nulls, false, HEAD_COLUMNS * sizeof(bool));
	nulls[HEAD_PREVIOUS] = !find_hash(claim, MEMBER_PREVIOUS, &values[HEAD_PREVIOUS]);
	return true;
}

static const char *
head_problem(const CoseSign1 *cose)
{
	const SigningKey *key = keys_find(cose->kid);

	if (key == NULL || key->usage != KEY_STATUS)
		return "unknown key";
	if (!cose_sign1_verify(cose, key->public_key))
		return "bad signature";
	if (key->state == KEY_COMPROMISED)
		return "compromised key";
	return NULL;
}

/* read_audit_head(head bytea) -> what it says, and problem: NULL where its signature is good */
Datum
epermit_read_audit_head(PG_FUNCTION_ARGS)
{
	Datum		values[HEAD_COLUMNS] = {0};
	bool		nulls[HEAD_COLUMNS];
	CoseSign1	cose;
	TupleDesc	desc;
	const char *problem = "malformed";

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	if (read_head(PG_GETARG_BYTEA_PP(0), values, nulls, &cose))
		problem = head_problem(&cose);
	else
		memset(nulls, true, sizeof(nulls));

	nulls[HEAD_PROBLEM] = problem == NULL;
	if (problem != NULL)
		values[HEAD_PROBLEM] = CStringGetTextDatum(problem);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
