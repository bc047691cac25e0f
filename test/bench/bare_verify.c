/*
 * bare_verify.c
 *		What libsodium alone takes for the tokens at hand: the yardstick of the benchmarks.
 *
 *	bare_verify PUBLIC_KEY_HEX ROUNDS <tokens
 *
 * Reads tokens, one a line, into memory; then verifies every signature, and signs every
 * message with another key, ROUNDS times.  Only these loops are timed, in CPU seconds, and the
 * times of one operation are printed: "verify SECONDS sign SECONDS".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "core/cose.h"
#include "core/wire.h"

#define MAX_TOKENS 10000
#define MAX_TBS 1024

typedef struct Signed
{
	uint8_t		signature[SIGNATURE_BYTES];
	size_t		len;
	uint8_t		tbs[MAX_TBS];	/* what was signed */
} Signed;

static void
die(const char *why)
{
	fprintf(stderr, "bare_verify: %s\n", why);
	exit(2);
}

static void
read_token(const char *text, size_t len, Signed *out)
{
	static uint8_t compressed[WIRE_MAX_COMPRESSED];
	static uint8_t message[WIRE_MAX_INFLATED];
	size_t		compressed_len,
				message_len;
	CoseSign1	cose;

	if (!wire_read_text(text, len, compressed, &compressed_len, message, &message_len) ||
		!cose_sign1_read(message, message_len, &cose))
		die("not a token");
	out->len = cose_sign1_tbs(cose.kid, cose.typ, cose.payload, out->tbs, sizeof(out->tbs));
	if (out->len == 0)
		die("a long token");
	memcpy(out->signature, cose.signature, SIGNATURE_BYTES);
}

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	static char line[WIRE_MAX_TEXT + 2];
	Signed	   *tokens = malloc(MAX_TOKENS * sizeof(Signed));
	int			count = 0;
	int			rounds = argc == 3 ? atoi(argv[2]) : 0;
	uint8_t		key[PUBLIC_KEY_BYTES],
				pk[crypto_sign_PUBLICKEYBYTES],
				sk[crypto_sign_SECRETKEYBYTES],
				signature[SIGNATURE_BYTES];
	double		start,
				verified,
				done;
	int			round,
				i;

	if (rounds < 1 || tokens == NULL || sodium_init() < 0 ||
		sodium_hex2bin(key, sizeof(key), argv[1], strlen(argv[1]), NULL, NULL, NULL) != 0)
		die("usage: bare_verify PUBLIC_KEY_HEX ROUNDS <tokens");
	while (count < MAX_TOKENS && fgets(line, sizeof(line), stdin) != NULL)
		read_token(line, strcspn(line, "\n"), &tokens[count++]);
	if (count == 0)
		die("no tokens");
	crypto_sign_keypair(pk, sk);

	start = cpu_seconds();
	for (round = 0; round < rounds; round++)
		for (i = 0; i < count; i++)
			if (crypto_sign_verify_detached(tokens[i].signature, tokens[i].tbs, tokens[i].len,
											key) != 0)
				die("a bad signature");
	verified = cpu_seconds();
	for (round = 0; round < rounds; round++)
		for (i = 0; i < count; i++)
			crypto_sign_detached(signature, NULL, tokens[i].tbs, tokens[i].len, sk);
	done = cpu_seconds();

	printf("verify %.9f sign %.9f\n",
		   (verified - start) / rounds / count, (done - verified) / rounds / count);
	free(tokens);
	return 0;
}
