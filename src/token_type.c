/*
 * token_type.c
 *		The SQL type token: a signed message, compressed.
 *
 * Stored is the zlib stream, so the text form is base45 alone and the storage is
 * "external": it does not compress again.  Input and recv check the structure down to
 * the payload's CBOR, never the signature or the claims; what is stored was checked, so
 * a value that does not decode is corruption.  What claims() shows is unverified and says
 * so.  Issuing, verifying and QR drawing use token.h.
 */
#include "compat.h"

#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "core/base45.h"
#include "core/cbor.h"
#include "core/claims.h"
#include "token.h"
#include "types.h"

/* What still prints as WIRE_MAX_TEXT characters: three for two bytes. */
#define TOKEN_MAX_BYTES (WIRE_MAX_TEXT / 3 * 2)

/* ---------------------------------------------------------------- token.h */

static bool
read_message(DecodedToken *out)
{
	return cose_sign1_read(out->message, out->message_len, &out->cose) &&
		cbor_check(out->cose.payload.ptr, out->cose.payload.len);
}

static bool
decode(const uint8 *compressed, size_t len, DecodedToken *out)
{
	if (len > TOKEN_MAX_BYTES)
		return false;
	memcpy(out->compressed, compressed, len);
	out->compressed_len = len;
	return wire_inflate(compressed, len, out->message, sizeof(out->message), &out->message_len) &&
		read_message(out);
}

bool
token_from_text(const char *text, size_t len, DecodedToken *out)
{
	return wire_read_text(text, len, out->compressed, &out->compressed_len,
						  out->message, &out->message_len) &&
		read_message(out);
}

void
token_from_datum(Datum token, DecodedToken *out)
{
	bytea	   *bytes = DatumGetByteaPP(token);

	if (!decode((const uint8 *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), out))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored token does not decode")));
}

Datum
token_from_message(const uint8 *message, size_t len)
{
	uint8		compressed[TOKEN_MAX_BYTES];
	size_t		compressed_len = 0;

	if (len <= WIRE_MAX_INFLATED)
		compressed_len = wire_deflate(message, len, compressed, sizeof(compressed));
	if (compressed_len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("message is not fit for a token"),
				 errdetail("A token holds at most %d bytes, %d when compressed, and must compress.",
						   WIRE_MAX_INFLATED, TOKEN_MAX_BYTES)));
	return PointerGetDatum(make_bytea(compressed, compressed_len));
}

char *
token_to_text(Datum token)
{
	bytea	   *bytes = DatumGetByteaPP(token);
	size_t		len = VARSIZE_ANY_EXHDR(bytes);
	char	   *text = palloc(BASE45_ENCODED_LEN(len) + 1);

	text[base45_encode((const uint8 *) VARDATA_ANY(bytes), len, text)] = '\0';
	return text;
}

/* ---------------------------------------------------------------- claims as jsonb */

static void
put_key(JsonbParseState **json, const char *key)
{
	JsonbValue	name;

	name.type = jbvString;
	name.val.string.val = unconstify(char *, key);
	name.val.string.len = (int) strlen(key);
	pushJsonbValue(json, WJB_KEY, &name);
}

/* UTF-8 without NUL, as cbor_check() made sure; null where absent. */
static void
put_text(JsonbParseState **json, const char *key, Slice text)
{
	JsonbValue	value;

	value.type = jbvNull;
	if (text.ptr != NULL)
	{
		value.type = jbvString;
		value.val.string.val = unconstify(char *, (const char *) text.ptr);
		value.val.string.len = (int) text.len;
	}
	put_key(json, key);
	pushJsonbValue(json, WJB_VALUE, &value);
}

static void
put_cstring(JsonbParseState **json, const char *key, const char *text)
{
	Slice		none = {NULL, 0};

	put_text(json, key, text != NULL ? slice_from_string(text) : none);
}

static void
put_hex(JsonbParseState **json, const char *key, const uint8 *bytes, size_t len)
{
	char	   *digits = palloc(len * 2 + 1);

	digits[hex_encode((const char *) bytes, len, digits)] = '\0';
	put_cstring(json, key, digits);
}

static void
put_integer(JsonbParseState **json, const char *key, int64 integer)
{
	JsonbValue	value;

	value.type = jbvNumeric;
	value.val.numeric = int64_to_numeric(integer);
	put_key(json, key);
	pushJsonbValue(json, WJB_VALUE, &value);
}

/* The numbers of the bits that are set. */
static void
put_bits(JsonbParseState **json, const char *key, uint64 bits)
{
	int			bit;

	put_key(json, key);
	pushJsonbValue(json, WJB_BEGIN_ARRAY, NULL);
	for (bit = 0; bit < 64; bit++)
	{
		JsonbValue	value;

		if ((bits >> bit & 1) == 0)
			continue;
		value.type = jbvNumeric;
		value.val.numeric = int64_to_numeric(bit);
		pushJsonbValue(json, WJB_ELEM, &value);
	}
	pushJsonbValue(json, WJB_END_ARRAY, NULL);
}

static void
put_credential_no(JsonbParseState **json, const char *key, const CredentialNo *no)
{
	char		text[CREDENTIAL_NO_TEXT + 1];

	credential_no_format(no, text);
	put_cstring(json, key, pstrdup(text));
}

static void
begin_object(JsonbParseState **json, const char *key)
{
	put_key(json, key);
	pushJsonbValue(json, WJB_BEGIN_OBJECT, NULL);
}

static void
end_object(JsonbParseState **json)
{
	pushJsonbValue(json, WJB_END_OBJECT, NULL);
}

static void
put_status(JsonbParseState **json, const StatusRef *status)
{
	begin_object(json, "status");
	put_integer(json, "idx", status->idx);
	put_text(json, "uri", status->uri);
	end_object(json);
}

static bool
put_permit(JsonbParseState **json, Slice payload)
{
	PermitClaims claims;

	if (!permit_claims_read(payload, &claims))
		return false;
	put_cstring(json, "usage", "permit");
	put_text(json, "iss", claims.iss);
	put_integer(json, "exp", claims.exp);
	put_integer(json, "nbf", claims.nbf);
	put_integer(json, "iat", claims.iat);
	put_credential_no(json, "cti", &claims.cti);
	begin_object(json, "person");
	put_text(json, "number", claims.number);
	put_text(json, "name_zh", claims.name_zh);
	put_text(json, "name_romanised", claims.name_romanised);
	put_text(json, "birth_date", claims.birth_date);
	put_cstring(json, "sex", sex_labels[claims.sex]);
	put_text(json, "nationality", claims.nationality);
	put_cstring(json, "region", region_labels[claims.region]);
	put_text(json, "document_no", claims.document_masked);
	put_bits(json, "purposes", claims.purposes);
	if (claims.has_portrait)
		put_hex(json, "portrait_digest", claims.portrait, sizeof(claims.portrait));
	end_object(json);
	put_status(json, &claims.status);
	return true;
}

static bool
put_linkage(JsonbParseState **json, Slice payload)
{
	LinkageClaims claims;

	if (!linkage_claims_read(payload, &claims))
		return false;
	put_cstring(json, "usage", "linkage");
	put_text(json, "iss", claims.iss);
	if (claims.aud.ptr != NULL)
		put_text(json, "aud", claims.aud);
	put_integer(json, "exp", claims.exp);
	put_integer(json, "nbf", claims.nbf);
	put_integer(json, "iat", claims.iat);
	put_credential_no(json, "cti", &claims.cti);
	begin_object(json, "documents");
	put_cstring(json, "kind", document_kind_labels[claims.travel_kind]);
	put_cstring(json, "region", region_labels[claims.residence_kind]);
	put_text(json, "travel_permit_no", claims.travel_masked);
	put_text(json, "residence_permit_no", claims.residence_masked);
	put_hex(json, "salt", claims.salt, sizeof(claims.salt));
	put_hex(json, "commitment", claims.commitment, sizeof(claims.commitment));
	end_object(json);
	put_status(json, &claims.status);
	return true;
}

static bool
put_attestation(JsonbParseState **json, Slice payload)
{
	AttestationClaims claims;

	if (!attestation_claims_read(payload, &claims))
		return false;
	put_cstring(json, "usage", "attestation");
	put_text(json, "iss", claims.iss);
	put_text(json, "sub", claims.sub);
	put_integer(json, "exp", claims.exp);
	put_integer(json, "iat", claims.iat);
	put_hex(json, "cti", claims.nonce, sizeof(claims.nonce));
	if (claims.has_portrait)
		put_hex(json, "portrait_digest", claims.portrait, sizeof(claims.portrait));
	return true;
}

/* By its typ, as a verifier reads it; false, and nothing put, where it is none of ours. */
static bool
put_claims(JsonbParseState **json, const CoseSign1 *cose)
{
	switch (cose->typ)
	{
		case COSE_TYP_NONE:
			return put_permit(json, cose->payload);
		case COSE_TYP_LINKAGE:
			return put_linkage(json, cose->payload);
		case COSE_TYP_ATTESTATION:
			return put_attestation(json, cose->payload);
		default:
			return false;
	}
}

/* ---------------------------------------------------------------- SQL functions */

PGDLLEXPORT Datum epermit_token_in(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_token_out(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_token_recv(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_token_claims(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_token_kid(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_token_cose(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(epermit_token_in);
Datum
epermit_token_in(PG_FUNCTION_ARGS)
{
	const char *literal = PG_GETARG_CSTRING(0);
	size_t		len = strlen(literal);
	DecodedToken token;

	if (len > WIRE_MAX_TEXT)
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type token"),
				 errdetail("Rule length: a token has at most %d characters.", WIRE_MAX_TEXT)));
	if (!token_from_text(literal, len, &token))
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type token"),
				 errdetail("Rule structure: a token is base45 text of one zlib stream of one COSE_Sign1 message.")));

	PG_RETURN_BYTEA_P(make_bytea(token.compressed, token.compressed_len));
}

PG_FUNCTION_INFO_V1(epermit_token_out);
Datum
epermit_token_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(token_to_text(PG_GETARG_DATUM(0)));
}

PG_FUNCTION_INFO_V1(epermit_token_recv);
Datum
epermit_token_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len = buf->len - buf->cursor;
	const uint8 *compressed = (const uint8 *) pq_getmsgbytes(buf, len);
	DecodedToken token;

	if (!decode(compressed, (size_t) len, &token))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary representation of type token")));
	PG_RETURN_BYTEA_P(make_bytea(compressed, (size_t) len));
}

PG_FUNCTION_INFO_V1(epermit_token_claims);
Datum
epermit_token_claims(PG_FUNCTION_ARGS)
{
	DecodedToken token;
	JsonbParseState *json = NULL;
	JsonbValue	verified;

	token_from_datum(PG_GETARG_DATUM(0), &token);

	pushJsonbValue(&json, WJB_BEGIN_OBJECT, NULL);
	verified.type = jbvBool;
	verified.val.boolean = false;
	put_key(&json, "verified");
	pushJsonbValue(&json, WJB_VALUE, &verified);
	put_hex(&json, "kid", token.cose.kid, sizeof(token.cose.kid));
	put_cstring(&json, "typ", cose_typ_name(token.cose.typ));
	if (!put_claims(&json, &token.cose))
		put_cstring(&json, "usage", NULL);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&json, WJB_END_OBJECT, NULL)));
}

PG_FUNCTION_INFO_V1(epermit_token_kid);
Datum
epermit_token_kid(PG_FUNCTION_ARGS)
{
	DecodedToken token;

	token_from_datum(PG_GETARG_DATUM(0), &token);
	PG_RETURN_BYTEA_P(make_bytea(token.cose.kid, KID_BYTES));
}

PG_FUNCTION_INFO_V1(epermit_token_cose);
Datum
epermit_token_cose(PG_FUNCTION_ARGS)
{
	DecodedToken token;

	token_from_datum(PG_GETARG_DATUM(0), &token);
	PG_RETURN_BYTEA_P(make_bytea(token.message, token.message_len));
}
