/*
 * types.c
 *		Finding the extension's types, and enums by their labels.
 *
 * The schema, the types and their labels are the extension's own and never change
 * while it is installed, so what is returned depends on the arguments alone:
 * functions that use this may be IMMUTABLE.  Nothing is kept here; the system
 * caches are the cache, and they are right after DROP and CREATE EXTENSION too.
 * Called by all glue that takes or returns enums and composites.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "types.h"

const char *const region_labels[] = {
	[REGION_HKG] = "HKG",
	[REGION_MAC] = "MAC",
	[REGION_TWN] = "TWN"
};

const char *const sex_labels[] = {
	[SEX_MALE] = "male",
	[SEX_FEMALE] = "female",
	[SEX_OTHER] = "other"
};

const char *const document_kind_labels[] = {
	[KIND_HK_MACAU] = "hk_macau",
	[KIND_HK_MACAU_FOREIGN] = "hk_macau_foreign",
	[KIND_TAIWAN] = "taiwan"
};

const char *const validity_rule_labels[] = {
	[VALIDITY_EXACT] = "exact",
	[VALIDITY_END_OF_DAY] = "end_of_day",
	[VALIDITY_INCLUSIVE] = "inclusive"
};

Oid
type_oid(const char *name)
{
	Oid			namespace = get_namespace_oid("epermit", false);
	Oid			type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
									   CStringGetDatum(name), ObjectIdGetDatum(namespace));

	if (!OidIsValid(type))
		elog(ERROR, "type epermit.%s does not exist", name);
	return type;
}

Datum
enum_datum(const char *type, const char *label)
{
	Oid			value = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid,
										ObjectIdGetDatum(type_oid(type)), CStringGetDatum(label));

	if (!OidIsValid(value))
		elog(ERROR, "enum epermit.%s has no label %s", type, label);
	return ObjectIdGetDatum(value);
}

char *
enum_label(Datum value)
{
	HeapTuple	tuple = SearchSysCache1(ENUMOID, value);
	char	   *label;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for enum value %u", DatumGetObjectId(value));
	label = pstrdup(NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel));
	ReleaseSysCache(tuple);
	return label;
}

int
label_index(const char *const *labels, int first, int last, const char *label)
{
	int			i;

	for (i = first; i <= last; i++)
	{
		if (strcmp(labels[i], label) == 0)
			return i;
	}
	return -1;
}

bytea *
make_bytea(const void *bytes, Size len)
{
	bytea	   *result = palloc(VARHDRSZ + len);

	SET_VARSIZE(result, VARHDRSZ + len);
	memcpy(VARDATA(result), bytes, len);
	return result;
}

text *
slice_to_text(Slice s)
{
	return cstring_to_text_with_len((const char *) s.ptr, (int) s.len);
}

char *
slice_to_string(Slice s)
{
	return pnstrdup((const char *) s.ptr, s.len);
}
