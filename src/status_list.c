/*
 * status_list.c
 *		Token Status Lists (IETF draft-ietf-oauth-status-list, CWT form).
 *
 * A running number from a sequence is split into list and place; the place is
 * shuffled by the list's own secret key, so an index tells nothing about its neighbours.
 */
#include "compat.h"

#include <sodium.h>

#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "config.h"
#include "core/status.h"
#include "plan.h"
#include "status_list.h"
#include "types.h"
#include "utils/lsyscache.h"

static KeptPlan find_shuffle_key = {
	.sql = "SELECT l.shuffle_key FROM epermit.status_list l WHERE l.list_id OPERATOR(pg_catalog.=) $1",
	.argtypes = {"pg_catalog.int4"}
};

static KeptPlan begin_list = {
	.sql = "INSERT INTO epermit.status_list (list_id, shuffle_key) VALUES ($1, $2)"
	" ON CONFLICT (list_id) DO NOTHING",
	.argtypes = {"pg_catalog.int4", "pg_catalog.bytea"}
};

static KeptPlan latest_event = {
	.sql = "SELECT e.status FROM epermit.credential_event e"
	" WHERE e.credential_no OPERATOR(epermit.=) $1 ORDER BY e.event_no DESC LIMIT 1",
	.argtypes = {"epermit.credential_no"}
};

/* The key of a list, which is begun where it does not exist. */
static void
shuffle_key(int32 list_id, uint8 *key)
{
	Datum		args[2];
	bytea	   *stored;

	args[0] = Int32GetDatum(list_id);
	if (plan_execute(&find_shuffle_key, args, NULL, PLAN_LATEST) == 0)
	{
		bytea	   *fresh = palloc(VARHDRSZ + STATUS_SHUFFLE_KEY_BYTES);

		SET_VARSIZE(fresh, VARHDRSZ + STATUS_SHUFFLE_KEY_BYTES);
		randombytes_buf(VARDATA(fresh), STATUS_SHUFFLE_KEY_BYTES);
		args[1] = PointerGetDatum(fresh);
		plan_execute(&begin_list, args, NULL, PLAN_WRITE);

		/* Another session may have begun it a moment before. */
		if (plan_execute(&find_shuffle_key, args, NULL, PLAN_LATEST) == 0)
			elog(ERROR, "status list %d is missing", list_id);
	}

	stored = DatumGetByteaPP(plan_value(0, 1, NULL));
	memcpy(key, VARDATA_ANY(stored), STATUS_SHUFFLE_KEY_BYTES);
}

void
status_entry_allocate(int32 *list_id, int32 *idx)
{
	Oid			sequence = get_relname_relid("status_seq", get_namespace_oid("epermit", false));
	int64		n = nextval_internal(sequence, false);
	uint8		key[STATUS_SHUFFLE_KEY_BYTES];

	*list_id = (int32) (n / STATUS_LIST_ENTRIES);
	shuffle_key(*list_id, key);
	*idx = (int32) status_shuffle(key, (uint32) (n % STATUS_LIST_ENTRIES));
}

char *
status_list_uri(int32 list_id)
{
	return psprintf("%s%d", config_issuer()->status_list_base, list_id);
}

int32
status_list_id(Slice uri)
{
	const char *base = config_issuer()->status_list_base;
	size_t		base_len = strlen(base);
	int64		id = 0;
	size_t		i;

	if (uri.len <= base_len || uri.len > base_len + 10 || memcmp(uri.ptr, base, base_len) != 0)
		return -1;
	for (i = base_len; i < uri.len; i++)
	{
		if (uri.ptr[i] < '0' || uri.ptr[i] > '9' || (uri.ptr[i] == '0' && i == base_len && uri.len > base_len + 1))
			return -1;
		id = id * 10 + (uri.ptr[i] - '0');
	}
	return id <= PG_INT32_MAX ? (int32) id : -1;
}

Verdict
status_offline(const CredentialClaims *claims, int64 at)
{
	Datum		arg = CredentialNoGetDatum(&claims->no);
	Verdict		result = VERDICT_VALID;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (plan_execute(&latest_event, &arg, NULL, PLAN_PARALLEL) > 0)
	{
		char	   *status = plan_string(0, 1);

		if (strcmp(status, "revoked") == 0)
			result = VERDICT_REVOKED;
		else if (strcmp(status, "suspended") == 0)
			result = VERDICT_SUSPENDED;
	}
	SPI_finish();
	return result;
}
