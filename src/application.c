/*
 * application.c
 *		An application for a permit or a linkage result: read, then examined.
 *
 * Reading knows the form only.  Examining compares with the registry, and what it
 * finds is shown only to somebody who passed the real-person check for that
 * document, or at a counter: everybody else learns "identity.not_matched" and no more, while the
 * audit log keeps the particulars.
 */
#include "compat.h"

#include "application.h"
#include "attestation.h"
#include "core/calendar.h"
#include "core/name.h"
#include "mb/pg_wchar.h"
#include "plan.h"
#include "types.h"
#include "utils/timestamp.h"

/* Field names are echoed to whoever sent them; not at any length. */
#define FIELD_NAME_MAX 63

/* And not any number of them: who sends more gets these named first. */
#define UNKNOWN_FIELDS_MAX 20

/* Longest value of a field that is no attestation. */
#define VALUE_MAX 1000

/* ---------------------------------------------------------------- reading */

typedef struct Reader
{
	Application *application;
	ProblemList *problems;
	int64		now;
	const char *field;			/* that is read just now */
} Reader;

static void
field_problem(const Reader *reader, const char *rule, const char *arg)
{
	problem_add(reader->problems, reader->field, psprintf("%s.%s", reader->field, rule), arg);
}

static void
read_document_kind(Reader *reader, char *value)
{
	int			kind = label_index(document_kind_labels, KIND_HK_MACAU, KIND_TAIWAN, value);

	if (kind < 0)
		field_problem(reader, "invalid", NULL);
	else
		reader->application->document_kind = (DocumentKind) kind;
}

static void
read_document_no(Reader *reader, char *value)
{
	NumberRule	rule = travel_permit_parse(value, strlen(value),
										   &reader->application->document_no, NULL);

	if (rule != RULE_OK)
		field_problem(reader, rule_name(rule), NULL);
	else
		reader->application->has_document_no = true;
}

static void
read_residence_permit_no(Reader *reader, char *value)
{
	Application *application = reader->application;
	char		right[2] = {0};
	NumberRule	rule = residence_permit_parse(value, strlen(value),
											  &application->residence_permit_no, right);
	int			year,
				month,
				day;

	if (rule != RULE_OK)
	{
		field_problem(reader, rule_name(rule), rule == RULE_CHECK_DIGIT ? right : NULL);
		return;
	}
	residence_permit_birth_date(application->residence_permit_no, &year, &month, &day);
	if (date_to_days(year, month, day) > beijing_day(reader->now))
		field_problem(reader, "birth_date", NULL);
	else
		application->has_residence_permit_no = true;
}

static void
read_mobile_no(Reader *reader, char *value)
{
	NumberRule	rule = mobile_parse(value, strlen(value), &reader->application->mobile_no);

	if (rule != RULE_OK)
		field_problem(reader, rule_name(rule), NULL);
	else
		reader->application->has_mobile_no = true;
}

/* yyyymmdd, or with one and the same of - / . between the parts, as cards print it. */
static bool
parse_date(const char *value, int32 *days)
{
	char		digits[9];
	int			year,
				month,
				day;

	if (strlen(value) == 10 && strchr("-/.", value[4]) != NULL && value[7] == value[4])
		snprintf(digits, sizeof(digits), "%.4s%.2s%.2s", value, value + 5, value + 8);
	else if (strlen(value) == 8)
		strlcpy(digits, value, sizeof(digits));
	else
		return false;

	if (!date_parse(digits, &year, &month, &day))
		return false;
	*days = date_to_days(year, month, day);
	return true;
}

static void
read_document_expiry(Reader *reader, char *value)
{
	if (parse_date(value, &reader->application->document_expiry))
		reader->application->has_document_expiry = true;
	else
		field_problem(reader, "invalid", NULL);
}

static void
read_residence_permit_expiry(Reader *reader, char *value)
{
	if (parse_date(value, &reader->application->residence_permit_expiry))
		reader->application->has_residence_permit_expiry = true;
	else
		field_problem(reader, "invalid", NULL);
}

static void
read_birth_date(Reader *reader, char *value)
{
	Application *application = reader->application;

	if (!parse_date(value, &application->birth_date))
		field_problem(reader, "invalid", NULL);
	else if (application->birth_date > beijing_day(reader->now))
		field_problem(reader, "future", NULL);
	else
		application->has_birth_date = true;
}

static void
read_name(Reader *reader, char *value)
{
	static const char white[] = " \t\n\v\f\r";	/* around it as copied; within it, refused */
	char	   *cleaned = palloc(strlen(value) + 1);
	size_t		len;

	value += strspn(value, white);
	len = strlen(value);
	while (len > 0 && strchr(white, value[len - 1]) != NULL)
		len--;

	switch (name_clean(value, len, NAME_ROMANISED_MAX_CHARS, cleaned, &len))
	{
		case NAME_OK:
			cleaned[len] = '\0';
			reader->application->name = cleaned;
			break;
		case NAME_EMPTY:
			field_problem(reader, "missing", NULL);
			break;
		case NAME_LENGTH:
			field_problem(reader, "length", NULL);
			break;
		case NAME_CHARSET:
			field_problem(reader, "charset", NULL);
			break;
	}
}

static void
read_reason(Reader *reader, char *value)
{
	static const char *const reasons[] = {"lost", "damaged", "forgotten"};

	if (label_index(reasons, 0, lengthof(reasons) - 1, value) < 0)
		field_problem(reader, "invalid", NULL);
	else
		reader->application->reason = value;
}

static void
read_attestation(Reader *reader, char *value)
{
	reader->application->attestation = value;	/* examined with the document it names */
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* A UUID (RFC 9562): hexadecimal digits, with hyphens in their places or none; no braces. */
static void
read_request_id(Reader *reader, char *value)
{
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
	int			len = (int) strlen(value);
	int			nibble = 0;
	int			i;

	for (i = 0; i < len; i++)
	{
		int			digit = hex_digit(value[i]);

		if (len == 36 && (i == 8 || i == 13 || i == 18 || i == 23))
		{
			if (value[i] != '-')
				break;
			continue;
		}
		if (digit < 0 || nibble == 2 * UUID_LEN)
			break;
		if (nibble % 2 == 0)
			id->data[nibble / 2] = digit << 4;
		else
			id->data[nibble / 2] |= digit;
		nibble++;
	}
	if (i < len || nibble != 2 * UUID_LEN)
		field_problem(reader, "invalid", NULL);
	else
		reader->application->request_id = id;
}

static void
read_portrait_digest(Reader *reader, char *value)
{
	Application *application = reader->application;
	int			i;

	/* "\x" is how PostgreSQL prints a bytea. */
	if (value[0] == '\\' && value[1] == 'x')
		value += 2;

	if (strlen(value) != 2 * PORTRAIT_DIGEST_BYTES)
	{
		field_problem(reader, "invalid", NULL);
		return;
	}
	for (i = 0; i < PORTRAIT_DIGEST_BYTES; i++)
	{
		int			high = hex_digit(value[2 * i]);
		int			low = hex_digit(value[2 * i + 1]);

		if (high < 0 || low < 0)
		{
			field_problem(reader, "invalid", NULL);
			return;
		}
		application->portrait_digest[i] = (uint8) (high << 4 | low);
	}
	application->has_portrait_digest = true;
}

static void
read_lang(Reader *reader, char *value)
{
	static const char *const languages[] = {"zh-Hant", "zh-Hans", "en"};
	int			i;

	for (i = 0; i < (int) lengthof(languages); i++)
	{
		if (pg_strcasecmp(value, languages[i]) == 0)
		{
			reader->application->lang = languages[i];
			return;
		}
	}
	field_problem(reader, "invalid", NULL);
}

static void
read_channel(Reader *reader, char *value)
{
	if (strcmp(value, "counter") == 0)
		reader->application->at_counter = true;
	else if (strcmp(value, "online") != 0)
		field_problem(reader, "invalid", NULL);
}

static void
read_office(Reader *reader, char *value)
{
	reader->application->office = value;
}

static void
read_officer(Reader *reader, char *value)
{
	reader->application->officer = value;
}

/* Who has to give a field. */
typedef enum Need
{
	NEED_ALWAYS,
	NEED_PERMIT,				/* optional for linkage results */
	NEED_LINKAGE,				/* unknown to permits */
	NEED_ATTESTATION,			/* online, where the policy requires it */
	NEED_MOBILE,				/* of a permit, online, where the policy requires it */
	NEED_COUNTER,
	NEED_NEVER
} Need;

typedef enum Form
{
	FORM_CODE,					/* NFKC, trimmed, ASCII letters upper-cased */
	FORM_TEXT,					/* NFKC, trimmed */
	FORM_RAW					/* as it came */
} Form;

typedef struct Field
{
	const char *name;
	Need		need;
	Form		form;
	void		(*read) (Reader *reader, char *value);
} Field;

static const Field fields[] = {
	{"document_kind", NEED_ALWAYS, FORM_TEXT, read_document_kind},
	{"document_no", NEED_ALWAYS, FORM_CODE, read_document_no},
	{"document_expiry", NEED_ALWAYS, FORM_TEXT, read_document_expiry},
	{"residence_permit_no", NEED_LINKAGE, FORM_CODE, read_residence_permit_no},
	{"residence_permit_expiry", NEED_LINKAGE, FORM_TEXT, read_residence_permit_expiry},
	{"name", NEED_ALWAYS, FORM_RAW, read_name},
	{"birth_date", NEED_ALWAYS, FORM_TEXT, read_birth_date},
	{"mobile_no", NEED_MOBILE, FORM_TEXT, read_mobile_no},
	{"reason", NEED_PERMIT, FORM_TEXT, read_reason},
	{"attestation", NEED_ATTESTATION, FORM_RAW, read_attestation},
	{"request_id", NEED_ALWAYS, FORM_TEXT, read_request_id},
	{"portrait_digest", NEED_NEVER, FORM_TEXT, read_portrait_digest},
	{"lang", NEED_NEVER, FORM_TEXT, read_lang},
	{"channel", NEED_NEVER, FORM_TEXT, read_channel},
	{"office", NEED_COUNTER, FORM_TEXT, read_office},
	{"officer", NEED_COUNTER, FORM_TEXT, read_officer}
};

static bool
is_needed(const Field *field, const Application *application, const Policy *policy)
{
	switch (field->need)
	{
		case NEED_ALWAYS:
			return true;
		case NEED_PERMIT:
			return application->kind == CREDENTIAL_PERMIT;
		case NEED_LINKAGE:
			return application->kind == CREDENTIAL_LINKAGE;
		case NEED_ATTESTATION:
			return !application->at_counter && policy->require_attestation;
		case NEED_MOBILE:
			return application->kind == CREDENTIAL_PERMIT && !application->at_counter &&
				policy->require_mobile;
		case NEED_COUNTER:
			return application->at_counter;
		case NEED_NEVER:
			return false;
	}
	return false;
}

static bool
is_known(const Field *field, CredentialKind kind)
{
	return field->need != NEED_LINKAGE || kind == CREDENTIAL_LINKAGE;
}

static const Field *
find_field(const char *name, size_t len, CredentialKind kind)
{
	int			i;

	for (i = 0; i < (int) lengthof(fields); i++)
	{
		if (strlen(fields[i].name) == len && memcmp(fields[i].name, name, len) == 0)
			return is_known(&fields[i], kind) ? &fields[i] : NULL;
	}
	return NULL;
}

static JsonbValue *
json_field(Jsonb *json, const char *name)
{
	JsonbValue	key;

	key.type = jbvString;
	key.val.string.val = (char *) name;
	key.val.string.len = strlen(name);
	return findJsonbValueFromContainer(&json->root, JB_FOBJECT, &key);
}

/* Read one field where it is there; false where it is absent, null or empty. */
static bool
read_field(Reader *reader, const Field *field, Jsonb *json)
{
	JsonbValue *value = json_field(json, field->name);
	size_t		max = field->read == read_attestation ? WIRE_MAX_TEXT : VALUE_MAX;
	char	   *text = NULL;

	reader->field = field->name;
	if (value == NULL || value->type == jbvNull)
		return false;
	if (value->type != jbvString || value->val.string.len > (int) max)
	{
		field_problem(reader, "invalid", NULL);
		return true;
	}

	switch (field->form)
	{
		case FORM_CODE:
			text = text_upper(value->val.string.val, value->val.string.len);
			break;
		case FORM_TEXT:
			text = text_normalise(value->val.string.val, value->val.string.len);
			break;
		case FORM_RAW:
			text = pnstrdup(value->val.string.val, value->val.string.len);
			break;
	}
	if (text == NULL)
		field_problem(reader, "invalid", NULL);
	else if (text[0] == '\0')
		return false;
	else
		field->read(reader, text);
	return true;
}

/* Callers state the document's kind, since the number alone does not tell the document. */
static void
check_kind(Reader *reader)
{
	const Application *application = reader->application;

	if (application->document_kind != 0 && application->has_document_no &&
		application->document_kind != travel_permit_kind(application->document_no))
		problem_add(reader->problems, "document_kind", "document_kind.mismatch", NULL);
}

static void
check_unknown_fields(Reader *reader, Jsonb *json)
{
	JsonbIterator *it = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	int			unknown = 0;

	/* Nested values are skipped: their names are not fields. */
	while (unknown < UNKNOWN_FIELDS_MAX &&
		   (token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		const char *name;
		int			len;

		if (token != WJB_KEY)
			continue;
		name = value.val.string.val;
		len = value.val.string.len;
		if (find_field(name, len, reader->application->kind) != NULL)
			continue;
		problem_add(reader->problems, pnstrdup(name, pg_mbcliplen(name, len, FIELD_NAME_MAX)),
					"application.unknown_field", NULL);
		unknown++;
	}
}

void
application_read(CredentialKind kind, Jsonb *json, const Policy *policy, int64 now,
				 Application *out, ProblemList *problems)
{
	Reader		reader = {out, problems, now, NULL};
	const Field *channel = find_field("channel", strlen("channel"), kind);
	int			i;

	memset(out, 0, sizeof(*out));
	out->kind = kind;

	if (json == NULL || !JB_ROOT_IS_OBJECT(json))
	{
		problem_add(problems, "application", "application.not_an_object", NULL);
		return;
	}

	/* The channel says what else is needed. */
	read_field(&reader, channel, json);
	for (i = 0; i < (int) lengthof(fields); i++)
	{
		const Field *field = &fields[i];

		if (field != channel && is_known(field, kind) && !read_field(&reader, field, json) &&
			is_needed(field, out, policy))
			field_problem(&reader, "missing", NULL);
	}
	check_kind(&reader);
	check_unknown_fields(&reader, json);
}

/* ---------------------------------------------------------------- examining */

/* Where $3, without those that nobody vouched for. */
static KeptPlan count_attempts = {
	.sql = "SELECT pg_catalog.count(*) FROM epermit.audit_log a"
	" WHERE a.holder_id OPERATOR(pg_catalog.=) $1 AND a.at OPERATOR(pg_catalog.>=) $2 AND a.attempt"
	" AND NOT ($3 AND 'identity.not_matched' OPERATOR(pg_catalog.=) ANY (a.codes))",
	.argtypes = {"pg_catalog.int8", "pg_catalog.timestamptz", "pg_catalog.bool"}
};

static KeptPlan find_permit_request = {
	.sql = "SELECT p.credential_no, p.travel_permit_no FROM epermit.permit p"
	" WHERE p.holder_id OPERATOR(pg_catalog.=) $1 AND p.request_id OPERATOR(pg_catalog.=) $2",
	.argtypes = {"pg_catalog.int8", "pg_catalog.uuid"}
};

static KeptPlan find_linkage_request = {
	.sql = "SELECT l.credential_no, l.travel_permit_no, l.residence_permit_no"
	" FROM epermit.linkage l"
	" WHERE l.holder_id OPERATOR(pg_catalog.=) $1 AND l.request_id OPERATOR(pg_catalog.=) $2",
	.argtypes = {"pg_catalog.int8", "pg_catalog.uuid"}
};

/* What the applicant says against what the registry says. */
static void
compare(const Application *application, Examination *out, ProblemList *mismatches)
{
	const Registered *registered = &out->registered;

	out->name_match = NAME_EXACT;
	if (application->name != NULL)
	{
		out->name_match = name_compare(application->name, registered->name_zh,
									   registered->name_romanised);
		if (out->name_match == NAME_NO_MATCH)
			problem_add(mismatches, "name", "name.mismatch", NULL);
	}
	if (application->has_birth_date && application->birth_date != registered->birth_date)
		problem_add(mismatches, "birth_date", "birth_date.mismatch", NULL);
	if (application->has_document_expiry && application->document_expiry != registered->valid_until)
		problem_add(mismatches, "document_expiry", "document_expiry.mismatch", NULL);

	if (application->has_residence_permit_no && application->has_residence_permit_expiry)
	{
		int32		valid_until;
		DocumentStatus status;

		/* Somebody else's document is not compared with: registry_rules() answers that. */
		if (registry_residence(application->residence_permit_no, registered->holder_id,
							   &valid_until, &status) &&
			valid_until != application->residence_permit_expiry)
			problem_add(mismatches, "residence_permit_expiry", "residence_permit_expiry.mismatch",
						NULL);
	}
}

static void
check_attestation(const Application *application, const Policy *policy, int64 now,
				  Examination *out, ProblemList *problems)
{
	const char *code;

	out->attested = application->at_counter;
	if (application->at_counter || application->attestation == NULL)
		return;

	code = attestation_check(application->attestation,
							 application->has_document_no ? &application->document_no : NULL,
							 application->has_portrait_digest ? application->portrait_digest : NULL,
							 now, policy->attestation_max_age, &out->evidence);
	if (code == NULL && attestation_used(out->evidence.nonce))
		code = "attestation.reused";
	if (code == NULL)
		out->attested = application->has_document_no;
	else
		problem_add(problems, "attestation", code, NULL);
}

/*
 * Does the applicant say all that is asked of somebody without evidence?  Answers to less would
 * tell, one application after the other, which number exists and which field is right.
 */
static bool
is_complete(const Application *application)
{
	return application->name != NULL && application->has_birth_date &&
		application->has_document_expiry;
}

static void
append(ProblemList *problems, const ProblemList *more, bool shown)
{
	ListCell   *cell;

	foreach(cell, more->problems)
	{
		Problem    *problem = lfirst(cell);

		if (shown)
			problem_add(problems, problem->field, problem->code, problem->arg);
		else
			problem_add_hidden(problems, problem->field, problem->code);
	}
}

/* Is the applicant told so?  What is hidden must not show by what is left out for it. */
static bool
is_told_of(const ProblemList *problems, const char *field, const char *code)
{
	ListCell   *cell;

	foreach(cell, problems->problems)
	{
		Problem    *problem = lfirst(cell);

		if (!problem->hidden && strcmp(problem->field, field) == 0 &&
			strcmp(problem->code, code) == 0)
			return true;
	}
	return false;
}

/*
 * Did this holder's request get a credential before?  A request is for the documents it named
 * first: with others it gets nothing, rather than an answer to another question.
 */
static bool
find_request(const Application *application, int64 holder_id, CredentialNo *no,
			 ProblemList *problems)
{
	KeptPlan   *find = application->kind == CREDENTIAL_PERMIT ?
		&find_permit_request : &find_linkage_request;
	Datum		args[2];

	args[0] = Int64GetDatum(holder_id);
	args[1] = UUIDPGetDatum(application->request_id);
	if (plan_execute(find, args, NULL, PLAN_LATEST) == 0)
		return false;
	if (DatumGetNumber(plan_value(0, 2, NULL)) != application->document_no ||
		(application->kind == CREDENTIAL_LINKAGE &&
		 DatumGetNumber(plan_value(0, 3, NULL)) != application->residence_permit_no))
	{
		problem_add(problems, "request_id", "request_id.reused", NULL);
		return false;
	}
	*no = *DatumGetCredentialNo(plan_value(0, 1, NULL));
	return true;
}

/*
 * Too many wrong answers today?  Then nothing more is said.  Strangers, who need but a number to
 * give wrong answers about somebody, use up their own attempts and not those of the person.
 */
static bool
attempts_exceeded(const Policy *policy, int64 now, bool counted, bool at_counter,
				  const Examination *examination, ProblemList *problems)
{
	int32		today = beijing_day(now);
	Datum		args[3];

	args[0] = Int64GetDatum(examination->registered.holder_id);
	args[1] = TimestampTzGetDatum(unix_to_timestamptz(beijing_midnight(today)));
	args[2] = BoolGetDatum(at_counter);
	plan_execute(&count_attempts, args, NULL, PLAN_LATEST);
	if (DatumGetInt64(plan_value(0, 1, NULL)) - (counted ? 1 : 0) < policy->attempts_per_day)
		return false;
	problem_add(problems, "document_no", "attempts.exceeded",
				beijing_string(beijing_midnight(today + 1)));
	return true;
}

/* Dates of expiry that the applicant states and that have passed, unless that has been said. */
static void
check_expiry(const Application *application, int64 now, ProblemList *problems)
{
	int32		today = beijing_day(now);

	if (application->has_document_expiry && application->document_expiry < today &&
		!is_told_of(problems, "document_no", "document.expired"))
		problem_add(problems, "document_expiry", "document_expiry.expired", NULL);
	if (application->has_residence_permit_expiry && application->residence_permit_expiry < today &&
		!is_told_of(problems, "residence_permit_no", "document.expired"))
		problem_add(problems, "residence_permit_expiry", "residence_permit_expiry.expired", NULL);
}

static void
check_quota(const Application *application, const Policy *policy, int64 now,
			const Registered *registered, ProblemList *problems)
{
	bool		is_permit = application->kind == CREDENTIAL_PERMIT;
	int			limit = is_permit ? policy->monthly_quota : LINKAGES_PER_MONTH;
	int			month = beijing_month(now);
	uint32		taken = credential_taken_slots(application->kind, registered->holder_id, month);

	if (credential_free_slot(taken, limit) == 0)
		problem_add(problems, "document_no", is_permit ? "quota.exceeded" : "link.quota_exceeded",
					beijing_string(month_opens(month + 1)));
}

/*
 * Of the rules that are broken, those that say whose a residence permit is answer a guess, as
 * a name does; from somebody without evidence it counts as one.
 */
static void
sort_out(const ProblemList *rules, ProblemList *mismatches, ProblemList *broken)
{
	ListCell   *cell;

	foreach(cell, rules->problems)
	{
		Problem    *problem = lfirst(cell);
		bool		is_guess = strcmp(problem->field, "residence_permit_no") == 0 &&
			strncmp(problem->code, "link.", strlen("link.")) == 0;

		problem_add(is_guess ? mismatches : broken, problem->field, problem->code, problem->arg);
	}
}

/* The number alone tells that its holder may not get a residence permit, whatever else is wrong. */
static void
check_holder_class(const Application *application, ProblemList *problems)
{
	if (application->kind == CREDENTIAL_LINKAGE && application->has_document_no &&
		travel_permit_kind(application->document_no) == KIND_HK_MACAU_FOREIGN &&
		!is_told_of(problems, "document_no", "link.holder_class_not_eligible"))
		problem_add(problems, "document_no", "link.holder_class_not_eligible", NULL);
}

/* Everything that depends on the registry. */
static void
examine_registered(const Application *application, const Policy *policy, int64 now, bool counted,
				   Examination *out, ProblemList *problems)
{
	ProblemList mismatches = {NIL};
	ProblemList broken = {NIL};
	bool		shown;
	int32		last_day;

	if (!out->attested && !is_complete(application))
		return;
	if (attempts_exceeded(policy, now, counted, application->at_counter, out, problems))
		return;

	compare(application, out, &mismatches);
	out->failed_attempt = mismatches.problems != NIL;
	if (application->kind == CREDENTIAL_PERMIT || application->has_residence_permit_no)
	{
		ProblemList rules = {NIL};

		registry_rules(application->kind, &out->registered, application->residence_permit_no, now,
					   &rules, &last_day);
		sort_out(&rules, &mismatches, &broken);
	}
	append(problems, &mismatches, out->attested);
	if (!out->attested && mismatches.problems != NIL)
	{
		out->failed_attempt = true;
		problem_add(problems, "document_no", "identity.not_matched", NULL);
	}

	/* Who knows all that is on the card may hear what became of it. */
	shown = out->attested || mismatches.problems == NIL;
	append(problems, &broken, shown);
	if (shown)
		check_quota(application, policy, now, &out->registered, problems);
}

void
application_find(const Application *application, bool lock, Examination *out)
{
	memset(out, 0, sizeof(*out));
	out->found = application->has_document_no &&
		registry_find(application->document_no, lock, &out->registered);
}

void
application_examine(const Application *application, const Policy *policy, int64 now,
					bool counted, Examination *out, ProblemList *problems)
{
	/*
	 * The same request again gets what it got, whatever has happened since: the quota
	 * is full, the attestation used.  It must come from the same person still.
	 */
	if (out->found && problems->problems == NIL &&
		find_request(application, out->registered.holder_id, &out->issued_before, problems))
	{
		ProblemList mismatches = {NIL};

		compare(application, out, &mismatches);
		if (mismatches.problems == NIL)
		{
			out->repeated = true;
			return;
		}
	}

	check_attestation(application, policy, now, out, problems);
	if (out->found)
		examine_registered(application, policy, now, counted, out, problems);
	else if (application->has_document_no)
	{
		/* Where evidence is asked for, nobody without it learns which numbers exist. */
		if (out->attested || !policy->require_attestation)
			problem_add(problems, "document_no", "document.unknown", NULL);
		else
		{
			problem_add_hidden(problems, "document_no", "document.unknown");
			if (is_complete(application))
				problem_add(problems, "document_no", "identity.not_matched", NULL);
		}
	}
	check_holder_class(application, problems);
	check_expiry(application, now, problems);
}
