/*
 * attestation.c
 *		Evidence that a live person proved to be the holder of a document.
 *
 * A provider's face check signs an attestation (wire format: typ
 * application/vnd.epermit.attestation+cwt) for one travel permit number; it serves one
 * application.  Its uses are serialised by the lock of the holder whose document it names.
 */
#include "compat.h"

#include <sodium.h>

#include "attestation.h"
#include "config.h"
#include "core/number.h"
#include "credential.h"
#include "keys.h"
#include "plan.h"
#include "token.h"
#include "types.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static KeptPlan find_use = {
	.sql = "SELECT 1 FROM epermit.attestation_use u WHERE u.nonce OPERATOR(pg_catalog.=) $1",
	.argtypes = {"pg_catalog.bytea"}
};

static KeptPlan insert_use = {
	.sql = "INSERT INTO epermit.attestation_use (nonce, holder_id) VALUES ($1, $2)",
	.argtypes = {"pg_catalog.bytea", "pg_catalog.int8"}
};

PG_FUNCTION_INFO_V1(epermit_attest);

PGDLLEXPORT Datum epermit_attest(PG_FUNCTION_ARGS);

const char *
attestation_check(const char *text, const uint64 *document_no, const uint8 *portrait_digest,
				  int64 now, int64 max_age, Evidence *out)
{
	DecodedToken token;
	AttestationClaims claims;
	const SigningKey *key;
	uint64		subject;

	if (!token_from_text(text, strlen(text), &token) || token.cose.typ != COSE_TYP_ATTESTATION ||
		!attestation_claims_read(token.cose.payload, &claims))
		return "attestation.invalid";

	key = keys_find(token.cose.kid);
	if (key == NULL || key->usage != KEY_ATTESTATION || key->state == KEY_COMPROMISED ||
		!cose_sign1_verify(&token.cose, key->public_key))
		return "attestation.invalid";

	if (claims.iat > now + CLOCK_TOLERANCE)
		return "attestation.invalid";
	if (now >= claims.exp || now >= claims.iat + max_age)
		return "attestation.expired";

	if (travel_permit_parse((const char *) claims.sub.ptr, claims.sub.len,
							&subject, NULL) != RULE_OK)
		return "attestation.invalid";
	if (document_no != NULL && subject != *document_no)
		return "attestation.other_document";
	if (portrait_digest != NULL && claims.has_portrait &&
		memcmp(portrait_digest, claims.portrait, PORTRAIT_DIGEST_BYTES) != 0)
		return "attestation.portrait_mismatch";

	memcpy(out->nonce, claims.nonce, NONCE_BYTES);
	out->has_portrait = claims.has_portrait;
	memcpy(out->portrait, claims.portrait, PORTRAIT_DIGEST_BYTES);
	return NULL;
}

bool
attestation_used(const uint8 *nonce)
{
	Datum		arg = PointerGetDatum(make_bytea(nonce, NONCE_BYTES));

	return plan_execute(&find_use, &arg, NULL, PLAN_LATEST) > 0;
}

void
attestation_use(const uint8 *nonce, int64 holder_id)
{
	Datum		args[2];

	args[0] = PointerGetDatum(make_bytea(nonce, NONCE_BYTES));
	args[1] = Int64GetDatum(holder_id);
	plan_execute(&insert_use, args, NULL, PLAN_WRITE);
}

/*
 * attest(document_no text, portrait_digest bytea DEFAULT NULL) → text
 *		Sign an attestation with the local attestation key.  Errors: 22P02 for a
 *		number that is none, 22023 for a digest of another size, TP003, TP004.
 */
Datum
epermit_attest(PG_FUNCTION_ARGS)
{
	AttestationClaims claims;
	uint8		payload_buf[512];
	uint8		message[1024];
	uint8		kid[KID_BYTES];
	char		number[TRAVEL_PERMIT_NO_MAX + 1];
	Slice		payload;
	size_t		len;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("document_no must not be null")));

	memset(&claims, 0, sizeof(claims));
	travel_permit_format(travel_permit_no_from_text(PG_GETARG_TEXT_PP(0)), number);
	claims.iss = slice_from_string(config_issuer()->iss);
	claims.sub = slice_from_string(number);
	claims.iat = clock_unix();
	claims.exp = claims.iat + Min(config_policy_at(GetCurrentTimestamp())->attestation_max_age,
								  ATTESTATION_MAX_SECONDS);
	randombytes_buf(claims.nonce, NONCE_BYTES);

	if (!PG_ARGISNULL(1))
	{
		bytea	   *digest = PG_GETARG_BYTEA_PP(1);

		if (VARSIZE_ANY_EXHDR(digest) != PORTRAIT_DIGEST_BYTES)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("portrait_digest must be a SHA-256 digest of %d bytes",
							PORTRAIT_DIGEST_BYTES)));
		claims.has_portrait = true;
		memcpy(claims.portrait, VARDATA_ANY(digest), PORTRAIT_DIGEST_BYTES);
	}

	payload.ptr = payload_buf;
	payload.len = attestation_claims_write(&claims, payload_buf, sizeof(payload_buf));
	if (payload.len == 0)
		elog(ERROR, "claims are too long");
	len = keys_sign1(KEY_ATTESTATION, COSE_TYP_ATTESTATION, payload, message, sizeof(message), kid);
	PG_RETURN_TEXT_P(cstring_to_text(token_to_text(token_from_message(message, len))));
}
