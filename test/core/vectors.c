/*
 * vectors.c
 *		src/core asked about published test vectors, one question a line.
 *
 * test/t/vectors.pl reads the vectors and knows what is to be expected.  A question is a word
 * and its arguments in hexadecimal ("-": empty), a space between them; the answer is "yes", "no"
 * or what was asked for, in hexadecimal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/base45.h"
#include "core/cbor.h"
#include "core/claims.h"
#include "core/cose.h"
#include "core/status.h"
#include "core/wire.h"

#define MAX_ARGUMENTS 5
#define MAX_LIST (1024 * 1024)	/* the drafts' lists have 2^20 entries of 8 bits */

static Slice arg[MAX_ARGUMENTS];	/* of their exact length, so that sanitizers see one too far */

static void
die(const char *why)
{
	fprintf(stderr, "vectors: %s\n", why);
	exit(2);
}

static Slice
unhex(const char *hex)
{
	size_t		len = strlen(hex) / 2;
	uint8_t    *bytes = malloc(len > 0 ? len : 1);
	Slice		slice;

	if (bytes == NULL ||
		sodium_hex2bin(bytes, len, hex, strlen(hex), NULL, &slice.len, NULL) != 0)
		die("not hexadecimal");
	slice.ptr = bytes;
	return slice;
}

static void
say_bool(bool yes)
{
	puts(yes ? "yes" : "no");
}

static void
say_bytes(bool ok, const uint8_t *bytes, size_t len)
{
	size_t		i;

	if (!ok)
	{
		puts("no");
		return;
	}
	for (i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	puts(len > 0 ? "" : "-");
}

/* cbor ITEM: is it one item of the subset? */
static void
ask_cbor(void)
{
	say_bool(cbor_check(arg[0].ptr, arg[0].len));
}

/* base45 TEXT, base45-encode BYTES */
static void
ask_base45(void)
{
	uint8_t    *out = malloc(BASE45_DECODED_MAX(arg[0].len));
	size_t		len;
	bool		ok = base45_decode((const char *) arg[0].ptr, arg[0].len, out, &len);

	say_bytes(ok, out, len);
	free(out);
}

static void
ask_base45_encode(void)
{
	char	   *out = malloc(BASE45_ENCODED_LEN(arg[0].len) + 1);

	say_bytes(true, (uint8_t *) out, base45_encode(arg[0].ptr, arg[0].len, out));
	free(out);
}

/* inflate STREAM */
static void
ask_inflate(void)
{
	static uint8_t out[MAX_LIST];
	size_t		len;
	bool		ok = wire_inflate(arg[0].ptr, arg[0].len, out, sizeof(out), &len);

	say_bytes(ok, out, len);
}

/* text PRESENTED: the message in it */
static void
ask_text(void)
{
	static uint8_t compressed[WIRE_MAX_COMPRESSED];
	static uint8_t message[WIRE_MAX_INFLATED];
	size_t		compressed_len,
				len;
	bool		ok = wire_read_text((const char *) arg[0].ptr, arg[0].len,
									compressed, &compressed_len, message, &len);

	say_bytes(ok, message, len);
}

/* cose MESSAGE: its payload; cose-verify MESSAGE KEY */
static void
ask_cose(void)
{
	CoseSign1	cose;
	bool		ok = cose_sign1_read(arg[0].ptr, arg[0].len, &cose);

	say_bytes(ok, cose.payload.ptr, cose.payload.len);
}

static void
ask_cose_verify(void)
{
	CoseSign1	cose;

	say_bool(cose_sign1_read(arg[0].ptr, arg[0].len, &cose) && arg[1].len == PUBLIC_KEY_BYTES &&
			 cose_sign1_verify(&cose, arg[1].ptr));
}

/* sign1 PROTECTED PAYLOAD SIGNATURE KEY: the Sig_structure, whatever the headers say */
static void
ask_sign1(void)
{
	CoseSign1	cose;

	memset(&cose, 0, sizeof(cose));
	cose.protected_header = arg[0];
	cose.payload = arg[1];
	cose.signature = arg[2].ptr;
	say_bool(arg[2].len == SIGNATURE_BYTES && arg[3].len == PUBLIC_KEY_BYTES &&
			 cose_sign1_verify(&cose, arg[3].ptr));
}

/* ed25519 KEY MESSAGE SIGNATURE: the function that verifies; point KEY: is it let in? */
static void
ask_ed25519(void)
{
	say_bool(arg[0].len == PUBLIC_KEY_BYTES && arg[2].len == SIGNATURE_BYTES &&
			 crypto_sign_ed25519_verify_detached(arg[2].ptr, arg[1].ptr, arg[1].len, arg[0].ptr) == 0);
}

static void
ask_point(void)
{
	say_bool(arg[0].len == PUBLIC_KEY_BYTES && crypto_core_ed25519_is_valid_point(arg[0].ptr) == 1);
}

/* kid KEY */
static void
ask_kid(void)
{
	uint8_t		kid[KID_BYTES];

	if (arg[0].len == PUBLIC_KEY_BYTES)
		cose_kid(arg[0].ptr, kid);
	say_bytes(arg[0].len == PUBLIC_KEY_BYTES, kid, KID_BYTES);
}

/* permit PAYLOAD, linkage PAYLOAD, attestation PAYLOAD */
static void
ask_permit(void)
{
	PermitClaims claims;

	say_bool(permit_claims_read(arg[0], &claims));
}

static void
ask_linkage(void)
{
	LinkageClaims claims;

	say_bool(linkage_claims_read(arg[0], &claims));
}

static void
ask_attestation(void)
{
	AttestationClaims claims;

	say_bool(attestation_claims_read(arg[0], &claims));
}

/* list PAYLOAD: its lst */
static void
ask_list(void)
{
	StatusListClaims claims;
	bool		ok = status_list_claims_read(arg[0], &claims);

	say_bytes(ok, claims.lst.ptr, claims.lst.len);
}

/* status BITS LST INDEX, numbers in hexadecimal: an entry */
static void
ask_status(void)
{
	static uint8_t entries[MAX_LIST];
	uint32_t	idx = 0;
	uint8_t		status = 0;
	size_t		len;
	size_t		i;
	bool		ok = arg[0].len == 1 &&
		wire_inflate(arg[1].ptr, arg[1].len, entries, sizeof(entries), &len);

	for (i = 0; i < arg[2].len; i++)
		idx = idx << 8 | arg[2].ptr[i];
	ok = ok && (uint64_t) idx * arg[0].ptr[0] / 8 < len;
	if (ok)
		status = (uint8_t) status_get(entries, arg[0].ptr[0], idx);
	say_bytes(ok, &status, 1);
}

static const struct
{
	const char *word;
	void		(*answer) (void);
}			questions[] = {
	{"cbor", ask_cbor},
	{"base45", ask_base45},
	{"base45-encode", ask_base45_encode},
	{"inflate", ask_inflate},
	{"text", ask_text},
	{"cose", ask_cose},
	{"cose-verify", ask_cose_verify},
	{"sign1", ask_sign1},
	{"ed25519", ask_ed25519},
	{"point", ask_point},
	{"kid", ask_kid},
	{"permit", ask_permit},
	{"linkage", ask_linkage},
	{"attestation", ask_attestation},
	{"list", ask_list},
	{"status", ask_status}
};

#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

int
main(void)
{
	char	   *line = NULL;
	size_t		size = 0;

	if (sodium_init() < 0)
		die("libsodium cannot be initialised");

	while (getline(&line, &size, stdin) > 0)
	{
		char	   *word = strtok(line, " \n");
		char	   *next;
		size_t		count = 0;
		size_t		i;

		while ((next = strtok(NULL, " \n")) != NULL)
		{
			if (count == MAX_ARGUMENTS)
				die("too many arguments");
			arg[count++] = unhex(strcmp(next, "-") == 0 ? "" : next);
		}
		while (count < MAX_ARGUMENTS)
			arg[count++] = unhex("");

		for (i = 0; i < QUESTIONS; i++)
			if (word != NULL && strcmp(questions[i].word, word) == 0)
				break;
		if (i == QUESTIONS)
			die("no such question");
		questions[i].answer();
		fflush(stdout);

		for (i = 0; i < MAX_ARGUMENTS; i++)
			free((void *) arg[i].ptr);
	}
	free(line);
	return 0;
}
