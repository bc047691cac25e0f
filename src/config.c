/*
 * config.c
 *		Policy, purposes, issuer and departments, cached per backend.
 *
 * All of it is small and changes rarely, so it is loaded whole and dropped whole.  The
 * rows are read past the caller's privileges and past his snapshot, the way the server
 * reads its own catalogs: a catalog snapshot is new at every load, in every isolation
 * level, on a standby and in parallel workers.
 *
 * Triggers on the four tables send a relcache invalidation (epermit.invalidate_cache), which every
 * backend receives when the change commits and the changing one at its next command.  One
 * that arrives while we load makes us load again.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "config.h"
#include "types.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#define PURPOSE_BITS 63

/*
 * A load that a change overtakes is made again, but not for ever: debug_discard_caches invalidates
 * everything at every turn.  The last one serves its caller and nobody after him.
 */
#define MAX_LOADS 3

typedef struct Config
{
	MemoryContext context;
	Policy	   *policies;		/* by effective_from */
	int			npolicies;
	Purpose    *purposes[PURPOSE_BITS]; /* by bit; NULL: no such purpose */
	Issuer	   *issuer;			/* NULL: row is missing */
	Department *departments;	/* by role; those whose role does not exist are left out */
	int			ndepartments;
} Config;

typedef enum ConfigTable
{
	TABLE_POLICY = 0,
	TABLE_PURPOSE,
	TABLE_ISSUER,
	TABLE_DEPARTMENT,
	CONFIG_TABLES
} ConfigTable;

static const char *const table_names[CONFIG_TABLES] = {
	"policy", "purpose", "issuer", "department"
};

/* In the order of the DISCLOSE_ bits. */
static const char *const disclosure_names[] = {
	"holder_name", "name_romanised", "birth_date", "document_kind",
	"document_no", "purposes", "portrait_digest", "name_match"
};

static Config *current = NULL;	/* what was loaded last */
static bool current_valid = false;
static Oid	table_oids[CONFIG_TABLES];	/* of that load */
static uint64 invalidations = 0;

PG_FUNCTION_INFO_V1(epermit_invalidate_cache);

PGDLLEXPORT Datum epermit_invalidate_cache(PG_FUNCTION_ARGS);

/* ---------------------------------------------------------------- invalidation */

static void
invalidate(void)
{
	current_valid = false;
	invalidations++;
}

static void
relation_changed(Datum arg, Oid relid)
{
	int			i;

	(void) arg;
	for (i = 0; i < CONFIG_TABLES; i++)
	{
		if (!OidIsValid(relid) || relid == table_oids[i])
		{
			invalidate();
			return;
		}
	}
}

/* A department's role was made, renamed or dropped. */
static void
role_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	(void) arg;
	(void) cacheid;
	(void) hashvalue;
	invalidate();
}

Datum
epermit_invalidate_cache(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager", "invalidate_cache")));

	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	PG_RETURN_POINTER(NULL);
}

/* ---------------------------------------------------------------- loading */

typedef struct Row
{
	HeapTuple	tuple;
	TupleDesc	desc;
} Row;

/* By name, so that neither dropped nor added columns matter. */
static Datum
column(const Row *row, const char *name)
{
	int			i;

	for (i = 0; i < row->desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(row->desc, i);
		bool		isnull;
		Datum		value;

		if (att->attisdropped || strcmp(NameStr(att->attname), name) != 0)
			continue;
		value = heap_getattr(row->tuple, att->attnum, row->desc, &isnull);
		if (isnull)
			elog(ERROR, "unexpected NULL in column \"%s\"", name);
		return value;
	}
	elog(ERROR, "column \"%s\" does not exist", name);
	return (Datum) 0;
}

static int
small_column(const Row *row, const char *name)
{
	return DatumGetInt16(column(row, name));
}

static bool
bool_column(const Row *row, const char *name)
{
	return DatumGetBool(column(row, name));
}

static char *
text_column(const Row *row, const char *name)
{
	return TextDatumGetCString(column(row, name));
}

static const Purpose *
find_purpose(const Config *config, const char *code)
{
	int			bit;

	for (bit = 0; bit < PURPOSE_BITS; bit++)
	{
		if (config->purposes[bit] != NULL && strcmp(config->purposes[bit]->code, code) == 0)
			return config->purposes[bit];
	}
	return NULL;
}

/* Returns the number of codes that are unknown. */
static int
purposes_bits(const Config *config, ArrayType *codes, uint64 *bits)
{
	Datum	   *elems;
	bool	   *nulls;
	int			nelems,
				unknown = 0,
				i;

	*bits = 0;
	deconstruct_array(codes, TEXTOID, -1, false, TYPALIGN_INT, &elems, &nulls, &nelems);
	for (i = 0; i < nelems; i++)
	{
		const Purpose *purpose = NULL;

		if (!nulls[i])
			purpose = find_purpose(config, TextDatumGetCString(elems[i]));
		if (purpose == NULL)
			unknown++;
		else
			*bits |= UINT64CONST(1) << purpose->bit;
	}
	return unknown;
}

static uint64
purposes_column(const Config *config, const Row *row, const char *name)
{
	uint64		bits;

	(void) purposes_bits(config, DatumGetArrayTypeP(column(row, name)), &bits);
	return bits;
}

static uint32
disclosure_column(const Row *row, const char *name)
{
	Datum	   *elems;
	bool	   *nulls;
	int			nelems,
				i,
				k;
	uint32		bits = 0;

	deconstruct_array(DatumGetArrayTypeP(column(row, name)), TEXTOID, -1, false, TYPALIGN_INT,
					  &elems, &nulls, &nelems);
	for (i = 0; i < nelems; i++)
	{
		for (k = 0; k < (int) lengthof(disclosure_names); k++)
		{
			if (!nulls[i] && strcmp(TextDatumGetCString(elems[i]), disclosure_names[k]) == 0)
				bits |= UINT32_C(1) << k;
		}
	}
	return bits;
}

static void
load_purpose(Config *config, const Row *row)
{
	Purpose    *purpose = palloc(sizeof(Purpose));

	purpose->code = text_column(row, "code");
	purpose->bit = small_column(row, "bit");
	purpose->permit_may = bool_column(row, "permit_may");
	purpose->linkage_may = bool_column(row, "linkage_may");
	config->purposes[purpose->bit] = purpose;
}

static void
load_policy(Config *config, const Row *row)
{
	Policy	   *policy = &config->policies[config->npolicies++];
	Interval   *max_age = DatumGetIntervalP(column(row, "attestation_max_age"));
	int			bit;

	policy->effective_from = DatumGetTimestampTz(column(row, "effective_from"));
	policy->monthly_quota = small_column(row, "monthly_quota");
	policy->permit_days = small_column(row, "permit_days");
	policy->linkage_days = small_column(row, "linkage_days");
	policy->validity_rule = (ValidityRule)
		label_index(validity_rule_labels, VALIDITY_EXACT, VALIDITY_INCLUSIVE,
					enum_label(column(row, "validity_rule")));
	policy->permit_purposes = purposes_column(config, row, "permit_purposes");
	for (bit = 0; bit < PURPOSE_BITS; bit++)
	{
		if (config->purposes[bit] != NULL && !config->purposes[bit]->permit_may)
			policy->permit_purposes &= ~(UINT64CONST(1) << bit);
	}
	policy->require_attestation = bool_column(row, "require_attestation");
	policy->require_mobile = bool_column(row, "require_mobile");
	policy->attestation_max_age = max_age->time / USECS_PER_SEC +
		((int64) max_age->month * DAYS_PER_MONTH + max_age->day) * SECS_PER_DAY;
	policy->attempts_per_day = small_column(row, "attempts_per_day");
	policy->credential_retention = *DatumGetIntervalP(column(row, "credential_retention"));
}

static void
load_issuer(Config *config, const Row *row)
{
	config->issuer = palloc(sizeof(Issuer));
	config->issuer->iss = text_column(row, "iss");
	config->issuer->status_list_base = text_column(row, "status_list_base");
}

static void
load_department(Config *config, const Row *row)
{
	Department *department = &config->departments[config->ndepartments];

	department->role = get_role_oid(NameStr(*DatumGetName(column(row, "role"))), true);
	if (!OidIsValid(department->role))
		return;
	department->code = text_column(row, "code");
	department->purposes = purposes_column(config, row, "purposes");
	department->disclosure = disclosure_column(row, "disclosure");
	config->ndepartments++;
}

static int
compare_policies(const void *a, const void *b)
{
	TimestampTz x = ((const Policy *) a)->effective_from;
	TimestampTz y = ((const Policy *) b)->effective_from;

	return (x > y) - (x < y);
}

static int
compare_departments(const void *a, const void *b)
{
	Oid			x = ((const Department *) a)->role;
	Oid			y = ((const Department *) b)->role;

	return (x > y) - (x < y);
}

/* Make room for one more, doubling at powers of two. */
static void *
grow(void *array, int used, Size elem_size)
{
	if (used == 0)
		return palloc(elem_size);
	if ((used & (used - 1)) == 0)
		return repalloc(array, 2 * used * elem_size);
	return array;
}

static void
load_table(Config *config, ConfigTable which)
{
	Relation	rel = table_open(table_oids[which], AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	Row			row;

	row.desc = RelationGetDescr(rel);
	while (HeapTupleIsValid(row.tuple = systable_getnext(scan)))
	{
		switch (which)
		{
			case TABLE_PURPOSE:
				load_purpose(config, &row);
				break;
			case TABLE_POLICY:
				config->policies = grow(config->policies, config->npolicies, sizeof(Policy));
				load_policy(config, &row);
				break;
			case TABLE_ISSUER:
				load_issuer(config, &row);
				break;
			case TABLE_DEPARTMENT:
				config->departments = grow(config->departments, config->ndepartments,
										   sizeof(Department));
				load_department(config, &row);
				break;
			case CONFIG_TABLES:
				break;
		}
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

static Config *
load(void)
{
	Oid			schema = get_namespace_oid("epermit", false);
	MemoryContext context,
				caller;
	Config	   *config;
	int			i;

	for (i = 0; i < CONFIG_TABLES; i++)
	{
		table_oids[i] = get_relname_relid(table_names[i], schema);
		if (!OidIsValid(table_oids[i]))
			elog(ERROR, "table epermit.%s does not exist", table_names[i]);
	}

	/* Until it is whole it belongs to the caller, so that an error takes it away. */
	context = AllocSetContextCreate(CurrentMemoryContext, "epermit configuration",
									ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	config = palloc0(sizeof(Config));
	config->context = context;

	/* Purposes first: policies and departments are read in their terms. */
	load_table(config, TABLE_PURPOSE);
	load_table(config, TABLE_POLICY);
	load_table(config, TABLE_ISSUER);
	load_table(config, TABLE_DEPARTMENT);

	if (config->npolicies > 1)
		qsort(config->policies, config->npolicies, sizeof(Policy), compare_policies);
	if (config->ndepartments > 1)
		qsort(config->departments, config->ndepartments, sizeof(Department),
			  compare_departments);
	MemoryContextSwitchTo(caller);
	return config;
}

static const Config *
get_config(void)
{
	static bool registered = false;
	int			loads;

	/* Within a transaction they are taken in only when a table is locked, and we lock none. */
	AcceptInvalidationMessages();
	if (current_valid)
		return current;

	if (!registered)
	{
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHOID, role_changed, (Datum) 0);
		registered = true;
	}

	for (loads = 1; !current_valid; loads++)
	{
		uint64		before = invalidations;
		Config	   *loaded = load();
		bool		overtaken = invalidations != before;

		if (overtaken && loads < MAX_LOADS)
		{
			MemoryContextDelete(loaded->context);
			continue;
		}

		/* Callers may still hold what the last load gave them: let it go with the transaction. */
		if (current != NULL)
			MemoryContextSetParent(current->context, TopTransactionContext);
		MemoryContextSetParent(loaded->context, TopMemoryContext);
		current = loaded;
		if (overtaken)
			break;
		current_valid = true;
	}
	return current;
}

/* ---------------------------------------------------------------- answers */

/* The last policy that takes effect by then, or NULL. */
static const Policy *
find_policy(TimestampTz at)
{
	const Config *config = get_config();
	int			i;

	for (i = config->npolicies - 1; i >= 0; i--)
	{
		if (config->policies[i].effective_from <= at)
			return &config->policies[i];
	}
	return NULL;
}

const Policy *
config_policy_at(TimestampTz at)
{
	const Policy *policy = find_policy(at);

	if (policy == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no policy is in force")));
	return policy;
}

const Policy *
config_policy(TimestampTz effective_from)
{
	const Policy *policy = find_policy(effective_from);

	return policy != NULL && policy->effective_from == effective_from ? policy : NULL;
}

const Purpose *
config_purpose(const char *code)
{
	return find_purpose(get_config(), code);
}

uint64
config_linkage_purposes(void)
{
	const Config *config = get_config();
	uint64		bits = 0;
	int			bit;

	for (bit = 0; bit < PURPOSE_BITS; bit++)
		if (config->purposes[bit] != NULL && config->purposes[bit]->linkage_may)
			bits |= UINT64_C(1) << bit;
	return bits;
}

const Issuer *
config_issuer(void)
{
	const Issuer *issuer = get_config()->issuer;

	if (issuer == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no issuer is configured"),
				 errhint("Insert the one row of epermit.issuer.")));
	return issuer;
}

const Department *
config_department(Oid role)
{
	const Config *config = get_config();
	Department	key;

	if (config->ndepartments == 0)
		return NULL;
	key.role = role;
	return bsearch(&key, config->departments, config->ndepartments, sizeof(Department),
				   compare_departments);
}

ArrayType *
config_purposes_array(uint64 bits)
{
	const Config *config = get_config();
	Datum		codes[PURPOSE_BITS];
	int			ncodes = 0;
	int			bit;

	for (bit = 0; bit < PURPOSE_BITS; bit++)
	{
		if ((bits & (UINT64CONST(1) << bit)) != 0 && config->purposes[bit] != NULL)
			codes[ncodes++] = CStringGetTextDatum(config->purposes[bit]->code);
	}
	return construct_array(codes, ncodes, TEXTOID, -1, false, TYPALIGN_INT);
}

bool
config_purposes_bits(ArrayType *codes, uint64 *bits)
{
	return purposes_bits(get_config(), codes, bits) == 0;
}
