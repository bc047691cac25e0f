/*
 * registry.c
 *		What the registry knows of a holder, and the rules that need it.
 *
 * Applications (application.c) turn a broken rule into a problem for the
 * applicant; the credential trigger (credential_trigger.c) turns the first one into an error.
 * All reads use the latest snapshot.
 */
#include "compat.h"

#include "core/calendar.h"
#include "plan.h"
#include "registry.h"
#include "types.h"
#include "utils/date.h"

#define HOLDER_OF_DOCUMENT \
	"  FROM epermit.travel_permit t" \
	"  JOIN epermit.holder h ON h.holder_id OPERATOR(pg_catalog.=) t.holder_id" \
	" WHERE t.travel_permit_no OPERATOR(epermit.=) $1"

static KeptPlan find_holder = {
	.sql = "SELECT h.holder_id, t.valid_until, t.status, h.name_zh, h.name_romanised,"
	"       h.birth_date, h.sex, h.region, h.nationality" HOLDER_OF_DOCUMENT,
	.argtypes = {"epermit.travel_permit_no"}
};

static KeptPlan lock_holder = {
	.sql = "SELECT 1" HOLDER_OF_DOCUMENT " FOR NO KEY UPDATE OF h",
	.argtypes = {"epermit.travel_permit_no"}
};

static KeptPlan find_residence = {
	.sql = "SELECT r.valid_until, r.status FROM epermit.residence_permit r"
	" WHERE r.residence_permit_no OPERATOR(epermit.=) $1 AND r.holder_id OPERATOR(pg_catalog.=) $2",
	.argtypes = {"epermit.residence_permit_no", "pg_catalog.int8"}
};

static const char *const document_status_labels[] = {"valid", "reported_lost", "cancelled"};

static DocumentStatus
document_status(char *label)
{
	return (DocumentStatus) label_index(document_status_labels, DOCUMENT_VALID, DOCUMENT_CANCELLED,
										label);
}

bool
registry_find(uint64 travel_permit_no, bool lock, Registered *out)
{
	Datum		arg = NumberGetDatum(travel_permit_no);

	/* Read after the wait for the lock: the document may have been cancelled meanwhile. */
	if (lock && plan_execute(&lock_holder, &arg, NULL, PLAN_LATEST) == 0)
		return false;
	if (plan_execute(&find_holder, &arg, NULL, PLAN_LATEST) == 0)
		return false;

	out->holder_id = DatumGetInt64(plan_value(0, 1, NULL));
	out->travel_permit_no = travel_permit_no;
	out->valid_until = date_to_unix_days(DatumGetDateADT(plan_value(0, 2, NULL)));
	out->status = document_status(plan_string(0, 3));
	out->name_zh = plan_string(0, 4);
	out->name_romanised = plan_string(0, 5);
	out->birth_date = date_to_unix_days(DatumGetDateADT(plan_value(0, 6, NULL)));
	out->sex = (Sex) label_index(sex_labels, SEX_MALE, SEX_OTHER, plan_string(0, 7));
	out->region = (Region) label_index(region_labels, REGION_HKG, REGION_TWN, plan_string(0, 8));
	out->nationality = plan_string(0, 9);
	return true;
}

bool
registry_residence(uint64 residence_permit_no, int64 holder_id,
				   int32 *valid_until, DocumentStatus *status)
{
	Datum		args[2] = {NumberGetDatum(residence_permit_no), Int64GetDatum(holder_id)};

	if (plan_execute(&find_residence, args, NULL, PLAN_LATEST) == 0)
		return false;
	*valid_until = date_to_unix_days(DatumGetDateADT(plan_value(0, 1, NULL)));
	*status = document_status(plan_string(0, 2));
	return true;
}

/* What the number of a residence permit says must be true of its holder. */
static void
check_residence(const Registered *registered, uint64 residence_permit_no, ProblemList *problems)
{
	int			year,
				month,
				day;

	if (residence_permit_region(residence_permit_no) != registered->region)
		problem_add(problems, "residence_permit_no", "link.region_mismatch", NULL);

	residence_permit_birth_date(residence_permit_no, &year, &month, &day);
	if (date_to_days(year, month, day) != registered->birth_date)
		problem_add(problems, "residence_permit_no", "link.birth_mismatch", NULL);

	if (registered->sex != SEX_OTHER &&
		registered->sex != residence_permit_sex(residence_permit_no))
		problem_add(problems, "residence_permit_no", "link.sex_mismatch", NULL);
}

void
registry_rules(CredentialKind kind, const Registered *registered, uint64 residence_permit_no,
			   int64 now, ProblemList *problems, int32 *last_day)
{
	int32		today = beijing_day(now);
	int32		residence_until;
	DocumentStatus residence_status;

	*last_day = registered->valid_until;

	if (registered->status == DOCUMENT_CANCELLED)
		problem_add(problems, "document_no", "document.cancelled", NULL);
	if (registered->valid_until < today)
		problem_add(problems, "document_no", "document.expired", NULL);

	if (kind != CREDENTIAL_LINKAGE)
		return;

	/* Whoever cannot have a residence permit has none to be told about. */
	if (travel_permit_kind(registered->travel_permit_no) == KIND_HK_MACAU_FOREIGN)
	{
		problem_add(problems, "document_no", "link.holder_class_not_eligible", NULL);
		return;
	}

	/*
	 * What number and holder say by themselves tells nothing of anybody else, and there is one
	 * answer for a number that is not registered and one that is somebody else's.
	 */
	check_residence(registered, residence_permit_no, problems);
	if (!registry_residence(residence_permit_no, registered->holder_id,
							&residence_until, &residence_status))
	{
		problem_add(problems, "residence_permit_no", "link.different_holders", NULL);
		return;
	}

	if (residence_status == DOCUMENT_CANCELLED)
		problem_add(problems, "residence_permit_no", "document.cancelled", NULL);
	if (residence_until < today)
		problem_add(problems, "residence_permit_no", "document.expired", NULL);
	*last_day = Min(*last_day, residence_until);
}
