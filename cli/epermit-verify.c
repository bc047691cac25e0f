/*
 * epermit-verify.c
 *		A verifier for the gate: QR text in, verdict out, no server.
 *
 * Reads what scanners deliver, one a line, on standard input, and prints one JSON object a
 * line as soon as it is judged.  It needs the issuer's public keys (JWKS) and, to know of
 * revocations, its status lists; src/core judges as epermit.verify_offline() does.
 *
 * Lines are hostile: whatever they hold gets a verdict, and none takes more memory than
 * another.  Files are the operator's: what is wrong with one ends the program.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "core/claims.h"
#include "core/cose.h"
#include "core/credential_no.h"
#include "core/status.h"
#include "core/wire.h"

/* More than any status list that verifies. */
#define MAX_FILE (COSE_MAX_PAYLOAD + 1024)

/* The longest text, one character to tell a longer one by, and a carriage return. */
#define MAX_LINE (WIRE_MAX_TEXT + 2)

/* Claim 77's bits: the purposes every installation starts with, in order. */
static const struct
{
	const char *code;
	bool		permit_may;
}			purposes[] = {
	{"rail", true},
	{"air", true},
	{"finance", false},
	{"telecom", false},
	{"internet", false},
	{"education", false},
	{"medical", false},
	{"social_security", false},
	{"commerce", false},
	{"tax", false},
	{"lodging", true},
	{"government", false},
	{"border", false}
};

#define PURPOSES ((int) (sizeof(purposes) / sizeof(purposes[0])))
#define ANY_PURPOSE (-1)
#define BORDER (PURPOSES - 1)	/* out_of_scope, whatever is presented */

typedef enum Verdict
{
	VALID = 0,
	MALFORMED,
	MISTYPED,
	UNKNOWN_KEY,
	KEY_COMPROMISED,
	BAD_SIGNATURE,
	REVOKED,
	SUSPENDED,
	NOT_YET_VALID,
	EXPIRED,
	OUT_OF_SCOPE,
	UNDETERMINED
} Verdict;

static const char *const verdict_names[] = {
	"valid", "malformed", "mistyped", "unknown_key", "key_compromised", "bad_signature", "revoked",
	"suspended", "not_yet_valid", "expired", "out_of_scope", "undetermined"
};

typedef struct Key
{
	uint8_t		kid[KID_BYTES];
	uint8_t		public_key[PUBLIC_KEY_BYTES];
	bool		for_permits;
	bool		for_lists;
} Key;

typedef struct StatusList
{
	char	   *uri;
	int64_t		iat,
				exp;
	int			bits;
	size_t		entries;
	uint8_t    *list;
} StatusList;

typedef struct Gate
{
	Key		   *keys;
	size_t		key_count;
	json_t	   *compromised;	/* base64url kids of keys that are trusted no more, or NULL */
	StatusList *lists;
	size_t		list_count;
	int			purpose;
	int64_t		at;				/* seconds since 1970; -1: now */
} Gate;

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "epermit-verify: %s: %s\n", what, why);
	exit(2);
}

static void *
allocate(size_t n, size_t size)
{
	void	   *memory = calloc(n > 0 ? n : 1, size);

	if (memory == NULL)
		die("memory", strerror(errno));
	return memory;
}

/* ---------------------------------------------------------------- keys */

static bool
member_is(const json_t *jwk, const char *name, const char *expected)
{
	const char *value = json_string_value(json_object_get(jwk, name));

	return value != NULL && strcmp(value, expected) == 0;
}

/* Keys of other kinds and uses are not ours to judge: RFC 7517 section 5 says to pass over them. */
static bool
is_ed25519(const json_t *jwk)
{
	return member_is(jwk, "kty", "OKP") && member_is(jwk, "crv", "Ed25519") &&
		(json_object_get(jwk, "use") == NULL || member_is(jwk, "use", "sig")) &&
		(json_object_get(jwk, "alg") == NULL || member_is(jwk, "alg", "EdDSA") ||
		 member_is(jwk, "alg", "Ed25519"));
}

static bool
read_public_key(const json_t *jwk, uint8_t *public_key)
{
	const char *x = json_string_value(json_object_get(jwk, "x"));
	size_t		len;

	return x != NULL &&
		sodium_base642bin(public_key, PUBLIC_KEY_BYTES, x, strlen(x), NULL, &len, NULL,
						  sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
		len == PUBLIC_KEY_BYTES && crypto_core_ed25519_is_valid_point(public_key) == 1;
}

/*
 * A JSON Web Key Set (RFC 7517, 8037).  epermit_usage, where a key has it, says what it signs; a
 * key without it is taken for both.
 */
static void
read_keys(Gate *gate, const char *path)
{
	json_error_t error;
	json_t	   *jwks = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	json_t	   *members = json_object_get(jwks, "keys");
	json_t	   *jwk;
	bool		for_permits = false;
	size_t		i;

	if (jwks == NULL)
		die(path, error.text);
	if (!json_is_array(members))
		die(path, "is no JSON Web Key Set");

	gate->keys = allocate(json_array_size(members), sizeof(Key));
	json_array_foreach(members, i, jwk)
	{
		Key		   *key = &gate->keys[gate->key_count];
		bool		for_both = json_object_get(jwk, "epermit_usage") == NULL;

		key->for_permits = for_both || member_is(jwk, "epermit_usage", "permit");
		key->for_lists = for_both || member_is(jwk, "epermit_usage", "status");
		if (!is_ed25519(jwk) || !(key->for_permits || key->for_lists))
			continue;
		if (json_object_get(jwk, "d") != NULL)
			die(path, "holds a private key");
		if (!read_public_key(jwk, key->public_key))
			die(path, "holds a key that is no point of Ed25519");
		cose_kid(key->public_key, key->kid);
		for_permits = for_permits || key->for_permits;
		gate->key_count++;
	}
	if (!for_permits)
		die(path, "holds no Ed25519 key for permits");
	gate->compromised = json_incref(json_object_get(jwks, "epermit_compromised"));
	json_decref(jwks);
}

static const Key *
find_key(const Gate *gate, const uint8_t *kid)
{
	size_t		i;

	for (i = 0; i < gate->key_count; i++)
		if (memcmp(gate->keys[i].kid, kid, KID_BYTES) == 0)
			return &gate->keys[i];
	return NULL;
}

/* Does the key set say that this key is trusted no more?  It does not hold the key itself. */
static bool
is_compromised(const Gate *gate, const uint8_t *kid)
{
	char		text[sodium_base64_ENCODED_LEN(KID_BYTES,
											   sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
	json_t	   *named;
	size_t		i;

	sodium_bin2base64(text, sizeof(text), kid, KID_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	json_array_foreach(gate->compromised, i, named)
	{
		if (json_is_string(named) && strcmp(json_string_value(named), text) == 0)
			return true;
	}
	return false;
}

/* ---------------------------------------------------------------- status lists */

static StatusList *
find_list(const Gate *gate, Slice uri)
{
	size_t		i;

	for (i = 0; i < gate->list_count; i++)
		if (slice_is(uri, gate->lists[i].uri))
			return &gate->lists[i];
	return NULL;
}

/* Is there a list of the same issuer, that is up to the last "/" of the URI? */
static bool
has_list_beside(const Gate *gate, Slice uri)
{
	size_t		i;

	while (uri.len > 0 && uri.ptr[uri.len - 1] != '/')
		uri.len--;
	for (i = 0; i < gate->list_count; i++)
		if (strncmp(gate->lists[i].uri, (const char *) uri.ptr, uri.len) == 0)
			return true;
	return false;
}

/*
 * A signed Token Status List.  The newest of a URI counts.  One that has expired is kept: its
 * permits are undetermined.
 */
static void
read_status_list(Gate *gate, const char *path)
{
	static uint8_t bytes[MAX_FILE];
	FILE	   *file = fopen(path, "rb");
	StatusList *list;
	StatusListClaims claims;
	CoseSign1	cose;
	const Key  *key;
	size_t		len,
				cap;

	if (file == NULL)
		die(path, strerror(errno));
	len = fread(bytes, 1, sizeof(bytes), file);
	if (ferror(file))
		die(path, strerror(errno));
	fclose(file);

	if (!cose_sign1_read(bytes, len, &cose) || cose.typ != COSE_TYP_STATUS_LIST ||
		!status_list_claims_read(cose.payload, &claims))
		die(path, "is no status list");
	key = find_key(gate, cose.kid);
	if (key == NULL || !key->for_lists)
		die(path, "is signed by no status key of the key set");
	if (!cose_sign1_verify(&cose, key->public_key))
		die(path, "has a bad signature");

	list = find_list(gate, claims.sub);
	if (list == NULL)
	{
		list = &gate->lists[gate->list_count++];
		list->uri = allocate(claims.sub.len + 1, 1);
		memcpy(list->uri, claims.sub.ptr, claims.sub.len);
		list->list = allocate(STATUS_LIST_MAX_BYTES, 1);
	}
	else if (claims.iat < list->iat)
		return;

	cap = (size_t) STATUS_LIST_ENTRIES * (size_t) claims.bits / 8;
	if (!wire_inflate(claims.lst.ptr, claims.lst.len, list->list, cap, &len))
		die(path, "has entries that are no zlib stream of up to 131,072");
	list->entries = len * 8 / (size_t) claims.bits;
	list->bits = claims.bits;
	list->iat = claims.iat;
	list->exp = claims.exp;
}

/* ---------------------------------------------------------------- judging */

static Verdict
judge_status(const Gate *gate, const StatusRef *status, int64_t at)
{
	const StatusList *list = find_list(gate, status->uri);

	/* Of an issuer whose lists nobody fetches no revocation is known. */
	if (list == NULL)
		return has_list_beside(gate, status->uri) ? UNDETERMINED : VALID;
	if (at >= list->exp || status->idx >= list->entries)
		return UNDETERMINED;
	switch (status_get(list->list, list->bits, status->idx))
	{
		case STATUS_VALID:
			return VALID;
		case STATUS_INVALID:
			return REVOKED;
		case STATUS_SUSPENDED:
			return SUSPENDED;
		default:				/* some meaning that the issuer did not tell us */
			return UNDETERMINED;
	}
}

/* The verdict; *genuine, and the claims meant, where a permit key signed them. */
static Verdict
judge(const Gate *gate, const char *text, size_t len, PermitClaims *claims, bool *genuine)
{
	static uint8_t compressed[WIRE_MAX_COMPRESSED];
	static uint8_t message[WIRE_MAX_INFLATED];
	int64_t		at = gate->at >= 0 ? gate->at : (int64_t) time(NULL);
	size_t		compressed_len,
				message_len;
	CredentialNo no;
	CoseSign1	cose;
	const Key  *key;
	Verdict		status;
	Slice		number;

	*genuine = false;
	if (gate->purpose == BORDER)
		return OUT_OF_SCOPE;
	if (len > WIRE_MAX_TEXT)
		return MALFORMED;
	number = wire_strip_prefix(text, len);
	switch (credential_no_parse((const char *) number.ptr, number.len, &no))
	{
		case CREDENTIAL_NO_OK:	/* nothing signed to look at */
			return UNDETERMINED;
		case CREDENTIAL_NO_MISTYPED:
			return MISTYPED;
		case CREDENTIAL_NO_MALFORMED:
			break;
	}

	if (!wire_read_text(text, len, compressed, &compressed_len, message, &message_len) ||
		!cose_sign1_read(message, message_len, &cose) || cose.typ != COSE_TYP_NONE)
		return MALFORMED;

	key = find_key(gate, cose.kid);
	if (key == NULL || !key->for_permits)
		return is_compromised(gate, cose.kid) ? KEY_COMPROMISED : UNKNOWN_KEY;
	if (!cose_sign1_verify(&cose, key->public_key))
		return BAD_SIGNATURE;
	if (!permit_claims_read(cose.payload, claims))
		return MALFORMED;
	*genuine = true;

	status = judge_status(gate, &claims->status, at);
	if (status == REVOKED || status == SUSPENDED)
		return status;
	if (claims->nbf > at + CLOCK_TOLERANCE || claims->iat > at + CLOCK_TOLERANCE)
		return NOT_YET_VALID;
	if (at >= claims->exp)
		return EXPIRED;
	if (gate->purpose != ANY_PURPOSE &&
		(!purposes[gate->purpose].permit_may || (claims->purposes >> gate->purpose & 1) == 0))
		return OUT_OF_SCOPE;
	return status;
}

/* A member after the first.  Text of a token is UTF-8: cbor_check() saw to it. */
static void
print_text(const char *name, Slice value)
{
	size_t		i;

	printf(",\"%s\":\"", name);
	for (i = 0; i < value.len; i++)
	{
		int			c = value.ptr[i];

		if (c < ' ')
			printf("\\u%04x", (unsigned) c);
		else
		{
			if (c == '"' || c == '\\')
				putchar_unlocked('\\');
			putchar_unlocked(c);
		}
	}
	putchar_unlocked('"');
}

/* Names are those of epermit.verification. */
static void
print_verdict(Verdict verdict, bool genuine, const PermitClaims *claims)
{
	printf("{\"ok\":%s,\"verdict\":\"%s\"", verdict == VALID ? "true" : "false",
		   verdict_names[verdict]);
	if (genuine)
	{
		char		no[CREDENTIAL_NO_TEXT + 1];

		credential_no_format(&claims->cti, no);
		printf(",\"credential_no\":\"%s\",\"valid_from\":%" PRId64 ",\"valid_until\":%" PRId64,
			   no, claims->nbf, claims->exp);
	}

	/* Whom the permit does not speak for, nobody is told about. */
	if (verdict == VALID)
	{
		print_text("holder_name", claims->name_zh);
		print_text("name_romanised", claims->name_romanised);
		print_text("birth_date", claims->birth_date);
		print_text("document_no", claims->document_masked);
		if (claims->has_portrait)
		{
			char		digest[2 * PORTRAIT_CLAIM_BYTES + 1];

			sodium_bin2hex(digest, sizeof(digest), claims->portrait, PORTRAIT_CLAIM_BYTES);
			printf(",\"portrait_digest\":\"%s\"", digest);
		}
	}
	puts("}");
}

/* ---------------------------------------------------------------- lines */

static void
flush_verdicts(void)
{
	if (fflush(stdout) != 0)
		die("standard output", strerror(errno));
}

/* Whoever stands at the gate waits for a verdict: before we wait for more, all are told. */
static int
next_character(void)
{
	static unsigned char buffer[65536];
	static ssize_t len = 0;
	static ssize_t at = 0;

	if (at == len)
	{
		flush_verdicts();
		do
			len = read(STDIN_FILENO, buffer, sizeof(buffer));
		while (len < 0 && errno == EINTR);
		if (len < 0)
			die("standard input", strerror(errno));
		at = 0;
		if (len == 0)
			return EOF;
	}
	return buffer[at++];
}

/* The next line without its end, cut at MAX_LINE; false at the end of input. */
static bool
next_line(char *line, size_t *len)
{
	int			c;

	*len = 0;
	while ((c = next_character()) != EOF && c != '\n')
		if (*len < MAX_LINE)
			line[(*len)++] = (char) c;
	if (c == EOF && *len == 0)
		return false;
	if (*len > 0 && line[*len - 1] == '\r')
		(*len)--;
	return true;
}

/* ---------------------------------------------------------------- the command line */

static int
purpose_bit(const char *code)
{
	int			i;

	for (i = 0; i < PURPOSES; i++)
		if (strcmp(purposes[i].code, code) == 0)
			return i;
	die(code, "no such purpose");
	return ANY_PURPOSE;
}

static int64_t
instant(const char *text)
{
	char	   *end;
	long long	seconds = strtoll(text, &end, 10);

	if (end == text || *end != '\0' || seconds < 0 || seconds > LAST_INSTANT)
		die(text, "no instant in seconds since 1970");
	return seconds;
}

static const char usage[] =
"Judge the QR text of travel permits, one a line on standard input; print JSON, an object a line.\n"
"\n"
"  epermit-verify --keys FILE [OPTION]...\n"
"\n"
"  --keys FILE         the issuer's JSON Web Key Set: SELECT epermit.jwks()\n"
"  --status-list FILE  a signed status list (CWT); may be given often.  With the first list of an\n"
"                      issuer, permits whose list is missing or too old become undetermined\n"
"  --purpose NAME      rail, air, ...: out_of_scope where a permit does not serve it\n"
"  --at SECONDS        judge as of then, seconds since 1970; default: now\n"
"\n"
"Exit status: 0 all valid, 1 some were not, 2 wrong use or unreadable files.\n";

static void
wrong_use(void)
{
	fputs(usage, stderr);
	exit(2);
}

static Gate
read_arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{"keys", required_argument, NULL, 'k'},
		{"status-list", required_argument, NULL, 's'},
		{"purpose", required_argument, NULL, 'p'},
		{"at", required_argument, NULL, 'a'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}
	};
	Gate		gate = {.purpose = ANY_PURPOSE, .at = -1};
	const char *keys = NULL;
	const char **lists = allocate((size_t) argc, sizeof(char *));
	int			list_count = 0;
	int			i;
	int			c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
	{
		switch (c)
		{
			case 'k':
				keys = optarg;
				break;
			case 's':
				lists[list_count++] = optarg;
				break;
			case 'p':
				gate.purpose = purpose_bit(optarg);
				break;
			case 'a':
				gate.at = instant(optarg);
				break;
			case 'h':
				fputs(usage, stdout);
				exit(0);
			default:
				wrong_use();
		}
	}
	if (keys == NULL || optind != argc)
		wrong_use();

	read_keys(&gate, keys);
	gate.lists = allocate((size_t) list_count, sizeof(StatusList));
	for (i = 0; i < list_count; i++)
		read_status_list(&gate, lists[i]);
	free(lists);
	return gate;
}

int
main(int argc, char **argv)
{
	static char line[MAX_LINE];
	static Gate gate;
	bool		all_valid = true;
	size_t		len;

	if (sodium_init() < 0)
		die("libsodium", "cannot be initialised");
	gate = read_arguments(argc, argv);

	while (next_line(line, &len))
	{
		PermitClaims claims;
		bool		genuine;
		Verdict		verdict = judge(&gate, line, len, &claims, &genuine);

		print_verdict(verdict, genuine, &claims);
		if (verdict != VALID)
			all_valid = false;
	}
	flush_verdicts();
	return all_valid ? 0 : 1;
}
