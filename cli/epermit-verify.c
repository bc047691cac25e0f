/*
 * epermit-verify.c
 *		A verifier for the gate: QR text in, verdict out, no server.
 *
 * Reads what scanners deliver, one a line, on standard input, and prints one JSON
 * object a line.  It needs the issuer's key set (JWKS) and, to know of revocations, its
 * status lists; src/core judges exactly as epermit.verify_offline() does.
 *
 *	epermit-verify --keys FILE [--status-list FILE]... [--purpose NAME] [--at SECONDS]
 *
 * Exit status: 0 all valid, 1 some were not, 2 wrong use or unreadable files.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <sodium.h>

#include "core/claims.h"
#include "core/cose.h"
#include "core/credential_no.h"
#include "core/status.h"
#include "core/wire.h"

#define CLOCK_TOLERANCE 300		/* on nbf and iat; none on exp */
#define MAX_LISTS 64
#define MAX_FILE (256 * 1024)

/* Longer lines are malformed whatever they say. */
#define MAX_LINE (WIRE_MAX_TEXT + 2)

typedef struct Key
{
	uint8_t		kid[KID_BYTES];
	uint8_t		public_key[PUBLIC_KEY_BYTES];
	bool		for_permits;
	bool		for_status;
} Key;

typedef struct StatusList
{
	char	   *uri;
	int64_t		exp;
	int			bits;
	size_t		len;
	uint8_t    *list;
} StatusList;

static Key *keys;
static size_t key_count;
static StatusList lists[MAX_LISTS];
static size_t list_count;

/* Claim 77's bits: the purposes every installation starts with, in order. */
static const char *const purposes[] = {
	"rail", "air", "finance", "telecom", "internet", "education", "medical",
	"social_security", "commerce", "tax", "lodging", "government", "border"
};

#define PURPOSES (sizeof(purposes) / sizeof(purposes[0]))

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "epermit-verify: %s: %s\n", what, why);
	exit(2);
}

/* ---------------------------------------------------------------- keys and lists */

static bool
from_base64url(const json_t *value, uint8_t *out, size_t len)
{
	const char *text = json_string_value(value);
	size_t		decoded;

	return text != NULL &&
		sodium_base642bin(out, len, text, strlen(text), NULL, &decoded, NULL,
						  sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
		decoded == len;
}

static bool
member_is(const json_t *jwk, const char *name, const char *expected)
{
	const char *value = json_string_value(json_object_get(jwk, name));

	return value != NULL && strcmp(value, expected) == 0;
}

/*
 * A JSON Web Key Set (RFC 7517, 8037).  epermit_usage, where a key has it, says what it may sign; a
 * set without it is taken for one of permit and status keys.
 */
static void
read_keys(const char *path)
{
	json_error_t error;
	json_t	   *jwks = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	json_t	   *set = json_object_get(jwks, "keys");
	json_t	   *jwk;
	size_t		i;

	if (jwks == NULL)
		die(path, error.text);
	if (!json_is_array(set) || json_array_size(set) == 0)
		die(path, "no key set");

	keys = calloc(json_array_size(set), sizeof(Key));
	if (keys == NULL)
		die(path, strerror(errno));

	json_array_foreach(set, i, jwk)
	{
		Key		   *key = &keys[key_count];
		bool		any_usage = json_object_get(jwk, "epermit_usage") == NULL;

		/* Keys of other kinds are not ours to judge: RFC 7517 section 5 says to pass over them. */
		if (!member_is(jwk, "kty", "OKP") || !member_is(jwk, "crv", "Ed25519"))
			continue;
		if (!from_base64url(json_object_get(jwk, "x"), key->public_key, PUBLIC_KEY_BYTES) ||
			crypto_core_ed25519_is_valid_point(key->public_key) != 1)
			die(path, "a key is no point of Ed25519");
		cose_kid(key->public_key, key->kid);
		key->for_permits = any_usage || member_is(jwk, "epermit_usage", "permit");
		key->for_status = any_usage || member_is(jwk, "epermit_usage", "status");
		key_count++;
	}
	json_decref(jwks);
}

static const Key *
find_key(const uint8_t *kid)
{
	size_t		i;

	for (i = 0; i < key_count; i++)
		if (memcmp(keys[i].kid, kid, KID_BYTES) == 0)
			return &keys[i];
	return NULL;
}

/* A signed Token Status List; one that is too old is kept, and leaves its credentials undetermined. */
static void
read_status_list(const char *path)
{
	static uint8_t bytes[MAX_FILE];
	FILE	   *file = fopen(path, "rb");
	StatusList *list = &lists[list_count];
	StatusListClaims claims;
	CoseSign1	cose;
	const Key  *key;
	size_t		len;

	if (file == NULL)
		die(path, strerror(errno));
	len = fread(bytes, 1, sizeof(bytes), file);
	if (ferror(file) || !feof(file))
		die(path, "cannot be read, or is too long");
	fclose(file);

	if (!cose_sign1_read(bytes, len, &cose) || cose.typ != COSE_TYP_STATUS_LIST ||
		!status_list_claims_read(cose.payload, &claims))
		die(path, "is no status list");
	key = find_key(cose.kid);
	if (key == NULL || !key->for_status || !cose_sign1_verify(&cose, key->public_key))
		die(path, "is not signed by a status key of the key set");
	if (list_count == MAX_LISTS)
		die(path, "too many status lists");

	list->list = malloc(STATUS_LIST_MAX_BYTES);
	list->uri = strndup((const char *) claims.sub.ptr, claims.sub.len);
	if (list->list == NULL || list->uri == NULL)
		die(path, strerror(errno));
	if (!wire_inflate(claims.lst.ptr, claims.lst.len, list->list, STATUS_LIST_MAX_BYTES, &list->len))
		die(path, "its entries cannot be inflated");
	list->bits = claims.bits;
	list->exp = claims.exp;
	list_count++;
}

/* ---------------------------------------------------------------- judging */

/* NULL: valid so far. */
static const char *
judge_status(const StatusRef *status, int64_t at)
{
	size_t		i;

	if (list_count == 0)
		return NULL;
	for (i = 0; i < list_count; i++)
	{
		const StatusList *list = &lists[i];

		if (strlen(list->uri) != status->uri.len ||
			memcmp(list->uri, status->uri.ptr, status->uri.len) != 0)
			continue;
		if (at >= list->exp || status->idx >= list->len * 8 / (size_t) list->bits)
			return "undetermined";
		switch (status_get(list->list, list->bits, status->idx))
		{
			case STATUS_VALID:
				return NULL;
			case STATUS_SUSPENDED:
				return "suspended";
			default:
				return "revoked";
		}
	}
	return "undetermined";
}

/* The verdict; claims are set, and *genuine, where a key of the issuer's signed them. */
static const char *
judge(const char *text, size_t len, int purpose, int64_t at, PermitClaims *claims, bool *genuine)
{
	static uint8_t compressed[WIRE_MAX_COMPRESSED];
	static uint8_t message[WIRE_MAX_INFLATED];
	size_t		compressed_len,
				message_len;
	CredentialNo no;
	CoseSign1	cose;
	const Key  *key;
	const char *status;

	*genuine = false;
	if (len > WIRE_MAX_TEXT)
		return "malformed";
	switch (credential_no_parse(text, len, &no))
	{
		case CREDENTIAL_NO_OK:	/* nothing signed to look at */
			return "undetermined";
		case CREDENTIAL_NO_MISTYPED:
			return "mistyped";
		case CREDENTIAL_NO_MALFORMED:
			break;
	}

	if (!wire_read_text(text, len, compressed, &compressed_len, message, &message_len) ||
		!cose_sign1_read(message, message_len, &cose) || cose.typ != COSE_TYP_NONE ||
		!permit_claims_read(cose.payload, claims))
		return "malformed";

	key = find_key(cose.kid);
	if (key == NULL || !key->for_permits)
		return "unknown_key";
	if (!cose_sign1_verify(&cose, key->public_key))
		return "bad_signature";
	*genuine = true;

	status = judge_status(&claims->status, at);
	if (status != NULL)
		return status;
	if (claims->nbf > at + CLOCK_TOLERANCE)
		return "not_yet_valid";
	if (at >= claims->exp)
		return "expired";
	if (purpose >= 0 && (claims->purposes >> purpose & 1) == 0)
		return "out_of_scope";
	return "valid";
}

static void
set_slice(json_t *object, const char *name, Slice value)
{
	json_object_set_new(object, name, json_stringn((const char *) value.ptr, value.len));
}

static void
print_verdict(const char *verdict, bool genuine, const PermitClaims *claims)
{
	json_t	   *object = json_object();

	json_object_set_new(object, "ok", json_boolean(strcmp(verdict, "valid") == 0));
	json_object_set_new(object, "verdict", json_string(verdict));
	if (genuine)
	{
		set_slice(object, "credential_no", claims->number);
		json_object_set_new(object, "valid_from", json_integer(claims->nbf));
		json_object_set_new(object, "valid_until", json_integer(claims->exp));
	}

	/* Whoever the permit does not speak for has nothing to be told about. */
	if (strcmp(verdict, "valid") == 0)
	{
		set_slice(object, "holder_name", claims->name_zh);
		set_slice(object, "name_romanised", claims->name_romanised);
		set_slice(object, "birth_date", claims->birth_date);
		set_slice(object, "document_no", claims->document_masked);
	}
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

/* ---------------------------------------------------------------- the command line */

static int
purpose_bit(const char *name)
{
	size_t		i;

	for (i = 0; i < PURPOSES; i++)
		if (strcmp(purposes[i], name) == 0)
			return (int) i;
	die(name, "no such purpose");
	return -1;
}

static int64_t
seconds(const char *text)
{
	char	   *end;
	int64_t		value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		die(text, "no seconds since 1970");
	return value;
}

/* The next line without its end, cut at MAX_LINE; false at the end of input. */
static bool
next_line(char *line, size_t *len)
{
	int			c;

	*len = 0;
	while ((c = getchar_unlocked()) != EOF && c != '\n')
		if (*len < MAX_LINE)
			line[(*len)++] = (char) c;
	if (*len > 0 && line[*len - 1] == '\r')
		(*len)--;
	return c != EOF || *len > 0;
}

static const char usage[] =
"Judge the QR text of travel permits, one a line on standard input; prints JSON, one object a line.\n"
"\n"
"  epermit-verify --keys FILE [--status-list FILE]... [--purpose NAME] [--at SECONDS]\n"
"\n"
"  --keys FILE         the issuer's JSON Web Key Set: SELECT epermit.jwks()\n"
"  --status-list FILE  a signed status list (CWT); any number of them\n"
"  --purpose NAME      rail, air, ...: out_of_scope where a permit does not serve it\n"
"  --at SECONDS        judge as of then, seconds since 1970; default: now\n"
"\n"
"Exit status: 0 all valid, 1 some were not, 2 wrong use.\n";

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"keys", required_argument, NULL, 'k'},
		{"status-list", required_argument, NULL, 's'},
		{"purpose", required_argument, NULL, 'p'},
		{"at", required_argument, NULL, 'a'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}
	};
	static char line[MAX_LINE];
	const char *list_paths[MAX_LISTS];
	size_t		path_count = 0,
				i,
				len;
	int			purpose = -1;
	bool		border = false;
	int64_t		at = -1;
	bool		all_valid = true;
	int			c;

	if (sodium_init() < 0)
		die("libsodium", "cannot be initialised");

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
	{
		switch (c)
		{
			case 'k':
				if (keys != NULL)
					die("--keys", "given twice");
				read_keys(optarg);
				break;
			case 's':
				if (path_count == MAX_LISTS)
					die(optarg, "too many status lists");
				list_paths[path_count++] = optarg;
				break;
			case 'p':
				purpose = purpose_bit(optarg);
				border = strcmp(optarg, "border") == 0;
				break;
			case 'a':
				at = seconds(optarg);
				break;
			case 'h':
				fputs(usage, stdout);
				return 0;
			default:
				fputs(usage, stderr);
				return 2;
		}
	}
	if (keys == NULL || optind != argc)
	{
		fputs(usage, stderr);
		return 2;
	}
	for (i = 0; i < path_count; i++)
		read_status_list(list_paths[i]);

	while (next_line(line, &len))
	{
		PermitClaims claims;
		bool		genuine = false;
		const char *verdict = border ? "out_of_scope" :
			judge(line, len, purpose, at >= 0 ? at : (int64_t) time(NULL), &claims, &genuine);

		print_verdict(verdict, genuine, &claims);
		if (strcmp(verdict, "valid") != 0)
			all_valid = false;
	}
	if (ferror(stdin))
		die("standard input", strerror(errno));
	if (fflush(stdout) != 0)
		die("standard output", strerror(errno));
	return all_valid ? 0 : 1;
}
