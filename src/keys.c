/*
 * keys.c
 *		Ed25519 keys: found by kid, sealed and unsealed, used to sign and to verify.
 *
 * Every row of epermit.signing_key is cached per backend.  The table is read as catalogs are,
 * directly and with a snapshot of that moment: the answer depends neither on the isolation level
 * nor on the caller's privileges, and parallel workers get it too.  A relcache callback makes the
 * cache stale, so a kid that is not in it is unknown: garbage does not cost a scan.
 *
 * Secrets exist only in one sodium_malloc'ed region per backend, which is inaccessible except
 * while a function of this file uses it.  Master key and seed are wiped before the function that
 * read them returns or fails; the unsealed key of a usage stays until the table or a setting
 * changes.
 *
 * Issuing, verifying, status and key lists, attestations and seals call this; 36_keys.sql holds the
 * administration.
 */
#include "compat.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "credential.h"
#include "funcapi.h"
#include "keys.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "token.h"
#include "types.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define SEALED_LEN \
	(NONCE_LEN + crypto_sign_ed25519_SEEDBYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES)

#define MASTER_KEY_LEN crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define MASTER_KEY_HEX_LEN (2 * MASTER_KEY_LEN)
#define MASTER_KEY_TEXT_MAX (MASTER_KEY_HEX_LEN + 2)	/* and a line end, CR LF at worst */

/* Made at need where no setting names a master key; relative to the data directory. */
#define GENERATED_MASTER_KEY "epermit_master_key"

/* Columns of epermit.signing_key. */
enum
{
	COL_KID = 0,
	COL_USAGE,
	COL_ALGORITHM,
	COL_PUBLIC_KEY,
	COL_SEALED_SEED,
	COL_STATE,
	COL_CREATED_AT,
	COL_RETIRED_AT,
	COL_COMPROMISED_AT,
	COL_REASON,
	COLS
};

const char *const key_usage_labels[] = {
	[KEY_PERMIT] = "permit",
	[KEY_LINKAGE] = "linkage",
	[KEY_STATUS] = "status",
	[KEY_ATTESTATION] = "attestation",
	[KEY_ROOT] = "root"
};

const char *const key_state_labels[] = {
	[KEY_ACTIVE] = "active",
	[KEY_RETIRED] = "retired",
	[KEY_COMPROMISED] = "compromised"
};

typedef struct CachedKey
{
	SigningKey	key;
	uint8		sealed[SEALED_LEN]; /* where the key is ours */
} CachedKey;

/* The guarded region. */
typedef struct Secrets
{
	uint8		secret_key[KEY_USAGES][crypto_sign_ed25519_SECRETKEYBYTES];
	struct						/* for the length of one call */
	{
		uint8		master_key[MASTER_KEY_LEN];
		uint8		seed[crypto_sign_ed25519_SEEDBYTES];
		uint8		new_key[crypto_sign_ed25519_SECRETKEYBYTES];
		char		text[MASTER_KEY_TEXT_MAX + 1];	/* one more tells that there was too much */
	}			scratch;
} Secrets;

/* Settings. */
static char *master_key_file = NULL;
static char *master_key_command = NULL;
static char *master_key_old_file = NULL;

/* The cache: valid while as many invalidations have come as when it was read. */
static MemoryContext keys_context = NULL;
static CachedKey *cached_keys = NULL;	/* ascending by kid */
static int	cached_count;
static Oid	cached_relid = InvalidOid;
static uint64 invalidations = 0;
static uint64 cached_invalidations;

/* Which secret keys the region holds. */
static Secrets *secrets = NULL;
static bool has_secret[KEY_USAGES];
static uint8 secret_kid[KEY_USAGES][KID_BYTES];

PG_FUNCTION_INFO_V1(epermit_key_id);
PG_FUNCTION_INFO_V1(epermit_public_key_valid);
PG_FUNCTION_INFO_V1(epermit_signature_valid);
PG_FUNCTION_INFO_V1(epermit_generate_key_pair);
PG_FUNCTION_INFO_V1(epermit_reseal_seed);
PG_FUNCTION_INFO_V1(epermit_master_key_place);

PGDLLEXPORT Datum epermit_key_id(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_public_key_valid(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_signature_valid(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_generate_key_pair(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_reseal_seed(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum epermit_master_key_place(PG_FUNCTION_ARGS);

/* ---------------------------------------------------------------- guarded memory */

/* Make the region accessible, at first use make it at all. */
static void
secrets_open(void)
{
	if (secrets != NULL)
	{
		sodium_mprotect_readwrite(secrets);
		return;
	}

	secrets = sodium_malloc(sizeof(Secrets));
	if (secrets != NULL && sodium_mlock(secrets, sizeof(Secrets)) != 0)
	{
		/* sodium_malloc() itself overlooks this: the page could be swapped to disk. */
		sodium_free(secrets);
		secrets = NULL;
	}
	if (secrets == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not lock memory for secret keys: %m"),
				 errhint("Raise the limit of locked memory (ulimit -l, LimitMEMLOCK) of the server; one page per session is needed.")));
	sodium_memzero(secrets, sizeof(Secrets));
}

/* Wipe what only one call needs and close the region. */
static void
secrets_close(void)
{
	sodium_memzero(&secrets->scratch, sizeof(secrets->scratch));
	sodium_mprotect_noaccess(secrets);
}

/* Wipe the unsealed keys.  Nothing that runs while the region is open can come here. */
static void
secrets_forget(void)
{
	memset(has_secret, 0, sizeof(has_secret));
	if (secrets == NULL)
		return;
	sodium_mprotect_readwrite(secrets);
	sodium_memzero(secrets, sizeof(Secrets));
	sodium_mprotect_noaccess(secrets);
}

/* ---------------------------------------------------------------- master key */

pg_noreturn static void
master_key_fault(const char *source, const char *fault)
{
	ereport(ERROR,
			(errcode(ERRCODE_TP_NO_MASTER_KEY),
			 errmsg("master key is not available"),
			 errdetail("%s %s.", source, fault),
			 errhint("See that epermit.master_key_file or epermit.master_key_command gives the key that the seeds are sealed under, and reload.")));
}

/*
 * Read to the end or until it is too much; the bytes go nowhere but into the region.
 * False: errno tells.
 */
static bool
read_secret(int fd, size_t *len)
{
	char	   *text = secrets->scratch.text;
	const size_t cap = sizeof(secrets->scratch.text);

	*len = 0;
	while (*len < cap)
	{
		ssize_t		n = read(fd, text + *len, cap - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		*len += (size_t) n;
	}
	return true;
}

/* 32 raw bytes, or 64 hex digits and perhaps a line end. */
static bool
parse_master_key(size_t len)
{
	const char *text = secrets->scratch.text;
	size_t		bytes;

	if (len == MASTER_KEY_LEN)
	{
		memcpy(secrets->scratch.master_key, text, MASTER_KEY_LEN);
		return true;
	}
	if (len > MASTER_KEY_HEX_LEN && text[len - 1] == '\n')
		len--;
	if (len > MASTER_KEY_HEX_LEN && text[len - 1] == '\r')
		len--;
	return len == MASTER_KEY_HEX_LEN &&
		sodium_hex2bin(secrets->scratch.master_key, MASTER_KEY_LEN, text, len,
					   NULL, &bytes, NULL) == 0 &&
		bytes == MASTER_KEY_LEN;
}

#define MASTER_KEY_SHAPE "is neither 32 bytes nor 64 hexadecimal digits"

/* The rules for its owner and mode are those of ssl_key_file. */
static void
read_master_key_file(const char *path, const char *source)
{
	struct stat st;
	size_t		len;
	int			fd;

	/* O_NONBLOCK: a FIFO in its place must not hang the session. */
	fd = OpenTransientFile(path, O_RDONLY | O_NONBLOCK | PG_BINARY);
	if (fd < 0 || fstat(fd, &st) != 0)
		master_key_fault(source, psprintf("could not be opened: %m"));
	if (!S_ISREG(st.st_mode))
		master_key_fault(source, "is not a regular file");
	if (st.st_uid != geteuid() && st.st_uid != 0)
		master_key_fault(source, "belongs neither to the user the server runs as nor to root");
	if ((st.st_uid == geteuid() && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0) ||
		(st.st_uid == 0 && (st.st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) != 0))
		master_key_fault(source, "has group or world access: its mode must be 0600, or 0640 where root owns it");

	if (!read_secret(fd, &len))
		master_key_fault(source, psprintf("could not be read: %m"));
	CloseTransientFile(fd);

	if (!parse_master_key(len))
		master_key_fault(source, MASTER_KEY_SHAPE);
}

static void
read_master_key_command(void)
{
	const char *source = "The output of epermit.master_key_command";
	size_t		len;
	bool		ok;
	int			status;
	FILE	   *pipe;

	pipe = OpenPipeStream(master_key_command, "r");
	if (pipe == NULL)
		master_key_fault("epermit.master_key_command",
						 psprintf("could not be run: %m"));

	/* Not through stdio, whose buffer would keep a copy. */
	ok = read_secret(fileno(pipe), &len);
	status = ClosePipeStream(pipe);

	/* A cancel reaches the command first. */
	CHECK_FOR_INTERRUPTS();

	if (!ok)
		master_key_fault(source, "could not be read");
	if (len > MASTER_KEY_TEXT_MAX)
		master_key_fault(source, MASTER_KEY_SHAPE);
	if (status == -1)
		master_key_fault("epermit.master_key_command",
						 psprintf("could not be waited for: %m"));
	if (status != 0)
		master_key_fault("epermit.master_key_command",
						 psprintf("failed: %s", wait_result_to_str(status)));
	if (!parse_master_key(len))
		master_key_fault(source, MASTER_KEY_SHAPE);
}

/* The key in force, into the region. */
static void
read_master_key(void)
{
	bool		file = master_key_file[0] != '\0';
	bool		command = master_key_command[0] != '\0';

	if (file && command)
		master_key_fault("epermit.master_key_file", "and epermit.master_key_command are both set");
	if (command)
		read_master_key_command();
	else if (file)
		read_master_key_file(master_key_file, "The file that epermit.master_key_file names");
	else
		read_master_key_file(GENERATED_MASTER_KEY,
							 "No setting names one, and the file "
							 GENERATED_MASTER_KEY " in the data directory");
}

/*
 * Make a master key, so that a first try needs no set-up.  It appears under its name complete and
 * durable or not at all; of two sessions that make one the first wins and both use it.
 */
static void
generate_master_key(void)
{
	char		temp[MAXPGPATH];
	bool		won;
	int			save_errno,
				fd;

	snprintf(temp, sizeof(temp), GENERATED_MASTER_KEY ".%d.tmp", MyProcPid);
	if (unlink(temp) != 0 && errno != ENOENT)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not remove file \"%s\": %m", temp)));

	fd = OpenTransientFilePerm(temp, O_WRONLY | O_CREAT | O_EXCL | PG_BINARY, S_IRUSR | S_IWUSR);
	if (fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create file \"%s\": %m", temp)));

	randombytes_buf(secrets->scratch.master_key, MASTER_KEY_LEN);
	errno = ENOSPC;				/* what a short write means */
	won = write(fd, secrets->scratch.master_key, MASTER_KEY_LEN) == MASTER_KEY_LEN &&
		pg_fsync(fd) == 0 &&
		link(temp, GENERATED_MASTER_KEY) == 0;
	save_errno = errno;
	CloseTransientFile(fd);
	unlink(temp);

	if (won)
	{
		fsync_fname_ext(".", true, false, ERROR);
		ereport(NOTICE,
				(errmsg("made a master key: file \"%s\" in the data directory",
						GENERATED_MASTER_KEY),
				 errdetail("It lies beside what it protects and goes along in every base backup, so it is not fit for production."),
				 errhint("Set epermit.master_key_file or epermit.master_key_command, name this file in epermit.master_key_old_file, reload, and run epermit.reseal_keys().")));
	}
	else if (save_errno != EEXIST)
	{
		errno = save_errno;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not write file \"%s\": %m", GENERATED_MASTER_KEY)));
	}
}

/* ---------------------------------------------------------------- sealed seeds */

/* What a sealed seed is bound to: it opens under no other kid and public key. */
static void
seal_bound_to(const uint8 *public_key, uint8 *bound)
{
	cose_kid(public_key, bound);
	memcpy(bound + KID_BYTES, public_key, PUBLIC_KEY_BYTES);
}

/* Seal the region's seed under the region's master key. */
static void
seal_seed(const uint8 *public_key, uint8 *sealed)
{
	uint8		bound[KID_BYTES + PUBLIC_KEY_BYTES];

	seal_bound_to(public_key, bound);
	randombytes_buf(sealed, NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_LEN, NULL,
											   secrets->scratch.seed, sizeof(secrets->scratch.seed),
											   bound, sizeof(bound), NULL,
											   sealed, secrets->scratch.master_key);
}

/* The reverse, into the region. */
static bool
open_seal(const uint8 *public_key, const uint8 *sealed)
{
	uint8		bound[KID_BYTES + PUBLIC_KEY_BYTES];

	seal_bound_to(public_key, bound);
	return crypto_aead_xchacha20poly1305_ietf_decrypt(secrets->scratch.seed, NULL, NULL,
													  sealed + NONCE_LEN, SEALED_LEN - NONCE_LEN,
													  bound, sizeof(bound),
													  sealed, secrets->scratch.master_key) == 0;
}

typedef enum SealedUnder
{
	UNDER_NEITHER,
	UNDER_KEY_IN_FORCE,
	UNDER_OLD_KEY
} SealedUnder;

/*
 * The key in force is tried first, then the one before it: between a change of
 * the setting and reseal_keys() signing goes on.
 */
static SealedUnder
open_seed(const uint8 *public_key, const uint8 *sealed)
{
	read_master_key();
	if (open_seal(public_key, sealed))
		return UNDER_KEY_IN_FORCE;
	if (master_key_old_file[0] != '\0')
	{
		read_master_key_file(master_key_old_file,
							 "The file that epermit.master_key_old_file names");
		if (open_seal(public_key, sealed))
			return UNDER_OLD_KEY;
	}
	return UNDER_NEITHER;
}

/* Unseal a key of ours into the slot of its usage. */
static void
unseal(const CachedKey *cached)
{
	const SigningKey *key = &cached->key;
	uint8		public_key[PUBLIC_KEY_BYTES];

	has_secret[key->usage] = false;
	secrets_open();
	PG_TRY();
	{
		if (open_seed(key->public_key, cached->sealed) == UNDER_NEITHER)
			ereport(ERROR,
					(errcode(ERRCODE_TP_NO_MASTER_KEY),
					 errmsg("the seed of the active %s key does not open under the master key",
							key_usage_labels[key->usage]),
					 errdetail("The master key in force is not the one it was sealed under, or the row was altered."),
					 errhint("Restore the former master key or name its file in epermit.master_key_old_file; where it is lost, run epermit.rotate_signing_key().")));

		crypto_sign_ed25519_seed_keypair(public_key, secrets->secret_key[key->usage],
										 secrets->scratch.seed);
		if (memcmp(public_key, key->public_key, PUBLIC_KEY_BYTES) != 0)
			elog(ERROR, "sealed seed and public key of a signing key do not belong together");
		memcpy(secret_kid[key->usage], key->kid, KID_BYTES);
		has_secret[key->usage] = true;
	}
	PG_FINALLY();
	{
		secrets_close();
	}
	PG_END_TRY();
}

/* ---------------------------------------------------------------- the cache */

static void
keys_invalidated(Datum arg pg_attribute_unused(), Oid relid)
{
	if (OidIsValid(relid) && relid != cached_relid)
		return;
	invalidations++;
	secrets_forget();
}

static int
compare_kids(const void *a, const void *b)
{
	return memcmp(((const CachedKey *) a)->key.kid, ((const CachedKey *) b)->key.kid, KID_BYTES);
}

static void
copy_bytes(Datum value, uint8 *out, Size len)
{
	bytea	   *bytes = DatumGetByteaPP(value);

	if (VARSIZE_ANY_EXHDR(bytes) != len)
		elog(ERROR, "malformed row in epermit.signing_key");
	memcpy(out, VARDATA_ANY(bytes), len);
}

static void
read_row(HeapTuple tuple, TupleDesc desc, CachedKey *out)
{
	SigningKey *key = &out->key;
	Datum		values[COLS];
	bool		nulls[COLS];
	int			usage,
				state,
				i;

	for (i = 0; i < COLS; i++)
		values[i] = heap_getattr(tuple, i + 1, desc, &nulls[i]);

	usage = label_index(key_usage_labels, 0, KEY_USAGES - 1, enum_label(values[COL_USAGE]));
	state = label_index(key_state_labels, 0, KEY_STATES - 1,
						TextDatumGetCString(values[COL_STATE]));
	if (usage < 0 || state < 0)
		elog(ERROR, "malformed row in epermit.signing_key");

	memset(out, 0, sizeof(*out));
	key->usage = (KeyUsage) usage;
	key->state = (KeyState) state;
	copy_bytes(values[COL_KID], key->kid, KID_BYTES);
	copy_bytes(values[COL_PUBLIC_KEY], key->public_key, PUBLIC_KEY_BYTES);
	key->ours = !nulls[COL_SEALED_SEED];
	if (key->ours)
		copy_bytes(values[COL_SEALED_SEED], out->sealed, SEALED_LEN);
	key->created_at = DatumGetTimestampTz(values[COL_CREATED_AT]);
	if (!nulls[COL_RETIRED_AT])
		key->retired_at = DatumGetTimestampTz(values[COL_RETIRED_AT]);
	if (!nulls[COL_COMPROMISED_AT])
		key->compromised_at = DatumGetTimestampTz(values[COL_COMPROMISED_AT]);
}

static void
load_keys(void)
{
	static bool registered = false;
	MemoryContext context,
				old_context;
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;
	CachedKey  *keys;
	int			count = 0,
				size = 16;
	uint64		seen;

	if (!registered)
	{
		CacheRegisterRelcacheCallback(keys_invalidated, (Datum) 0);
		registered = true;
	}

	cached_relid = get_relname_relid("signing_key", get_namespace_oid("epermit", false));
	if (!OidIsValid(cached_relid))
		elog(ERROR, "table epermit.signing_key does not exist");

	/* What comes in from here on is later than the snapshot or arrives as an invalidation. */
	rel = table_open(cached_relid, AccessShareLock);
	seen = invalidations;

	context = AllocSetContextCreate(CurrentMemoryContext, "epermit signing keys",
									ALLOCSET_SMALL_SIZES);
	keys = MemoryContextAlloc(context, sizeof(CachedKey) * size);

	/* Given no snapshot, systable_ functions take one of this moment, in parallel mode too. */
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		if (count == size)
		{
			size *= 2;
			keys = repalloc(keys, sizeof(CachedKey) * size);
		}
		read_row(tuple, RelationGetDescr(rel), &keys[count]);
		count++;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);

	qsort(keys, count, sizeof(CachedKey), compare_kids);

	old_context = keys_context;
	MemoryContextSetParent(context, CacheMemoryContext);
	keys_context = context;
	cached_keys = keys;
	cached_count = count;
	cached_invalidations = seen;
	if (old_context != NULL)
		MemoryContextDelete(old_context);
}

/* What others committed meanwhile counts, also within one long transaction. */
static void
refresh_keys(void)
{
	AcceptInvalidationMessages();
	if (cached_keys == NULL || cached_invalidations != invalidations)
		load_keys();
}

static const CachedKey *
find_active(KeyUsage usage)
{
	int			i;

	refresh_keys();
	for (i = 0; i < cached_count; i++)
	{
		const SigningKey *key = &cached_keys[i].key;

		if (key->ours && key->state == KEY_ACTIVE && key->usage == usage)
			return &cached_keys[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_TP_NO_SIGNING_KEY),
			 errmsg("there is no active %s key", key_usage_labels[usage]),
			 errhint("A keeper makes one with epermit.create_signing_key('%s').",
					 key_usage_labels[usage])));
}

const SigningKey *
keys_find(const uint8 *kid)
{
	CachedKey	wanted;
	const CachedKey *found;

	refresh_keys();
	memcpy(wanted.key.kid, kid, KID_BYTES);
	found = bsearch(&wanted, cached_keys, cached_count, sizeof(CachedKey), compare_kids);
	return found != NULL ? &found->key : NULL;
}

SigningKey *
keys_own(int *count)
{
	SigningKey *own;
	int			i;

	refresh_keys();
	own = palloc(sizeof(SigningKey) * cached_count);
	*count = 0;
	for (i = 0; i < cached_count; i++)
	{
		if (cached_keys[i].key.ours)
			own[(*count)++] = cached_keys[i].key;
	}
	return own;
}

const SigningKey *
keys_active(KeyUsage usage)
{
	return &find_active(usage)->key;
}

size_t
keys_sign1(KeyUsage usage, CoseTyp typ, Slice payload, uint8 *buf, size_t cap, uint8 *kid)
{
	const CachedKey *cached = find_active(usage);
	const SigningKey *key = &cached->key;
	uint8		signature[SIGNATURE_BYTES];
	size_t		len;

	/* buf takes the bytes to sign first: they are shorter than the message. */
	len = cose_sign1_tbs(key->kid, typ, payload, buf, cap);
	if (len == 0 || payload.len > COSE_MAX_PAYLOAD)
		elog(ERROR, "message to sign is too long");

	if (!has_secret[usage] || memcmp(secret_kid[usage], key->kid, KID_BYTES) != 0)
		unseal(cached);

	sodium_mprotect_readonly(secrets);
	crypto_sign_ed25519_detached(signature, NULL, buf, len, secrets->secret_key[usage]);
	sodium_mprotect_noaccess(secrets);

	len = cose_sign1_write(key->kid, typ, payload, signature, buf, cap);
	if (len == 0)
		elog(ERROR, "message to sign is too long");
	memcpy(kid, key->kid, KID_BYTES);
	return len;
}

/* ---------------------------------------------------------------- SQL functions */

static const uint8 *
public_key_arg(bytea *arg)
{
	if (VARSIZE_ANY_EXHDR(arg) != PUBLIC_KEY_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("public key has the wrong length"),
				 errdetail("An Ed25519 public key has %d bytes.", PUBLIC_KEY_BYTES)));
	return (const uint8 *) VARDATA_ANY(arg);
}

Datum
epermit_key_id(PG_FUNCTION_ARGS)
{
	uint8		kid[KID_BYTES];

	cose_kid(public_key_arg(PG_GETARG_BYTEA_PP(0)), kid);
	PG_RETURN_BYTEA_P(make_bytea(kid, KID_BYTES));
}

/* On the curve, canonical, in the main subgroup and not of small order. */
Datum
epermit_public_key_valid(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(crypto_core_ed25519_is_valid_point(public_key_arg(PG_GETARG_BYTEA_PP(0))) == 1);
}

Datum
epermit_signature_valid(PG_FUNCTION_ARGS)
{
	const uint8 *public_key = public_key_arg(PG_GETARG_BYTEA_PP(1));
	DecodedToken token;

	token_from_datum(PG_GETARG_DATUM(0), &token);
	PG_RETURN_BOOL(cose_sign1_verify(&token.cose, public_key));
}

/*
 * Where nothing is configured and no seed is sealed yet.  With one sealed, a missing master
 * key is a loss, and a new one would hide it.
 */
static bool
may_generate_master_key(void)
{
	struct stat st;
	int			i;

	if (master_key_file[0] != '\0' || master_key_command[0] != '\0' ||
		stat(GENERATED_MASTER_KEY, &st) == 0 || errno != ENOENT)
		return false;

	refresh_keys();
	for (i = 0; i < cached_count; i++)
	{
		if (cached_keys[i].key.ours)
			return false;
	}
	return true;
}

/* () → (public_key, sealed_seed) of a new key, sealed under the master key in force. */
Datum
epermit_generate_key_pair(PG_FUNCTION_ARGS)
{
	const bool	generate = may_generate_master_key();
	uint8		public_key[PUBLIC_KEY_BYTES];
	uint8		sealed[SEALED_LEN];
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	secrets_open();
	PG_TRY();
	{
		if (generate)
			generate_master_key();
		read_master_key();

		randombytes_buf(secrets->scratch.seed, sizeof(secrets->scratch.seed));
		crypto_sign_ed25519_seed_keypair(public_key, secrets->scratch.new_key,
										 secrets->scratch.seed);
		seal_seed(public_key, sealed);
	}
	PG_FINALLY();
	{
		secrets_close();
	}
	PG_END_TRY();

	values[0] = PointerGetDatum(make_bytea(public_key, sizeof(public_key)));
	values[1] = PointerGetDatum(make_bytea(sealed, sizeof(sealed)));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * (public_key, sealed_seed) → the seed sealed under the master key in force: unchanged where
 * it is already, NULL where it opens neither under that nor under the old one.
 */
Datum
epermit_reseal_seed(PG_FUNCTION_ARGS)
{
	const uint8 *public_key = public_key_arg(PG_GETARG_BYTEA_PP(0));
	uint8		sealed[SEALED_LEN];
	SealedUnder under = UNDER_NEITHER;

	copy_bytes(PG_GETARG_DATUM(1), sealed, SEALED_LEN);

	secrets_open();
	PG_TRY();
	{
		under = open_seed(public_key, sealed);
		if (under == UNDER_OLD_KEY)
		{
			read_master_key();
			seal_seed(public_key, sealed);
		}
	}
	PG_FINALLY();
	{
		secrets_close();
	}
	PG_END_TRY();

	if (under == UNDER_NEITHER)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(make_bytea(sealed, sizeof(sealed)));
}

/* Where the master key comes from; a command is not run for it. */
Datum
epermit_master_key_place(PG_FUNCTION_ARGS pg_attribute_unused())
{
	const char *place;
	struct stat st;

	if (master_key_command[0] != '\0')
		place = "command";
	else if (master_key_file[0] != '\0')
		place = stat(master_key_file, &st) == 0 ? "file" : "missing";
	else
		place = stat(GENERATED_MASTER_KEY, &st) == 0 ? "generated" : "missing";
	PG_RETURN_TEXT_P(cstring_to_text(place));
}

/* ---------------------------------------------------------------- settings */

/* Another master key: what was unsealed under the last one is not to be used on. */
static void
master_key_assigned(const char *newval pg_attribute_unused(), void *extra pg_attribute_unused())
{
	secrets_forget();
}

void
keys_define_settings(void)
{
	DefineCustomStringVariable("epermit.master_key_file",
							   "File with the 32-byte key under which signing keys are sealed.",
							   "32 raw bytes or 64 hexadecimal digits, readable by the server's"
							   " user only. Empty: epermit.master_key_command, or a generated file"
							   " in the data directory.",
							   &master_key_file,
							   "",
							   PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY,
							   NULL, master_key_assigned, NULL);
	DefineCustomStringVariable("epermit.master_key_command",
							   "Shell command that prints the key under which signing keys are"
							   " sealed.",
							   "32 raw bytes or 64 hexadecimal digits on standard output.",
							   &master_key_command,
							   "",
							   PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY,
							   NULL, master_key_assigned, NULL);
	DefineCustomStringVariable("epermit.master_key_old_file",
							   "File with the master key before the one in force.",
							   "Needed until epermit.reseal_keys() has run.",
							   &master_key_old_file,
							   "",
							   PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY,
							   NULL, master_key_assigned, NULL);
}
