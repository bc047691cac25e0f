/*
 * text.c
 *		Unicode normal forms and the comparison of names, with ICU.
 *
 * Applications arrive in every width and form that keyboards produce: document
 * numbers in full-width digits, names in Simplified characters where the
 * registry holds Traditional ones.  ICU works on UTF-16 in buffers that
 * are palloc'ed here, so an error anywhere leaks nothing; what ICU itself
 * allocates is the one transliterator, opened at first use and kept by the
 * backend, and its shared normalisation data.
 *
 * The number types, registration.c, application.c and verify.c normalise what people typed with
 * it; the last two compare names.
 */
#include "compat.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

#include "core/name.h"
#include "core/utf8.h"
#include "text.h"
#include "utils/memutils.h"

const char *const name_match_labels[] = {"none", "variant", "exact"};

typedef struct UText16
{
	UChar	   *chars;			/* palloc'ed, not terminated */
	int32_t		len;
} UText16;

static void
check_icu(UErrorCode status, const char *what)
{
	if (U_FAILURE(status))
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("could not %s: %s", what, u_errorName(status))));
}

/* The caller has made sure that it is UTF-8, which never has more UTF-16 units than bytes. */
static UText16
to_utf16(const char *text, size_t len)
{
	UErrorCode	status = U_ZERO_ERROR;
	UText16		result;

	if (len > MaxAllocSize / sizeof(UChar) - 1)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("text is too long to normalise")));
	result.chars = palloc((len + 1) * sizeof(UChar));
	u_strFromUTF8(result.chars, (int32_t) len + 1, &result.len, text, (int32_t) len, &status);
	check_icu(status, "convert text to UTF-16");
	return result;
}

static char *
to_utf8(const UChar *chars, int32_t len)
{
	UErrorCode	status = U_ZERO_ERROR;
	size_t		cap = (size_t) len * 3 + 1; /* a unit of the BMP takes up to three bytes */
	char	   *result = palloc(cap);

	u_strToUTF8(result, (int32_t) cap, NULL, chars, len, &status);
	check_icu(status, "convert text to UTF-8");
	return result;
}

static UText16
normalise(const UNormalizer2 *form, UText16 text)
{
	UErrorCode	status = U_ZERO_ERROR;
	int32_t		cap = text.len + 16;
	UText16		result;

	result.chars = palloc(cap * sizeof(UChar));
	result.len = unorm2_normalize(form, text.chars, text.len, result.chars, cap, &status);
	if (status == U_BUFFER_OVERFLOW_ERROR)
	{
		/* A ligature may come apart into many letters; the length needed is known now. */
		status = U_ZERO_ERROR;
		cap = result.len;
		pfree(result.chars);
		result.chars = palloc(cap * sizeof(UChar));
		result.len = unorm2_normalize(form, text.chars, text.len, result.chars, cap, &status);
	}
	check_icu(status, "normalise text");
	return result;
}

static bool
is_ascii(const char *text, size_t len)
{
	size_t		i;

	for (i = 0; i < len; i++)
	{
		if ((unsigned char) text[i] >= 0x80)
			return false;
	}
	return true;
}

/*
 * text in this normal form, white space at both ends trimmed.  NULL where it is
 * not UTF-8, or has a NUL, which would hide what follows it.
 */
static char *
trimmed_form(const UNormalizer2 *(*form) (UErrorCode *), const char *text, size_t len)
{
	UErrorCode	status = U_ZERO_ERROR;
	const UNormalizer2 *normalizer;
	UText16		normal;
	int32_t		start = 0;

	if (!utf8_valid((const uint8_t *) text, len) || memchr(text, '\0', len) != NULL)
		return NULL;

	if (is_ascii(text, len))	/* the usual case: its own normal form */
	{
		while (len > 0 && u_isUWhiteSpace(text[len - 1]))
			len--;
		while (len > 0 && u_isUWhiteSpace(*text))
		{
			text++;
			len--;
		}
		return pnstrdup(text, len);
	}

	normalizer = form(&status);
	check_icu(status, "load normalisation data");
	normal = normalise(normalizer, to_utf16(text, len));

	/* All white space is in the BMP: one unit each. */
	while (normal.len > 0 && u_isUWhiteSpace(normal.chars[normal.len - 1]))
		normal.len--;
	while (start < normal.len && u_isUWhiteSpace(normal.chars[start]))
		start++;
	return to_utf8(normal.chars + start, normal.len - start);
}

char *
text_normalise(const char *text, size_t len)
{
	return trimmed_form(unorm2_getNFKCInstance, text, len);
}

char *
text_upper(const char *text, size_t len)
{
	char	   *result = text_normalise(text, len);
	char	   *p;

	if (result == NULL)
		return NULL;
	for (p = result; *p; p++)
	{
		if (*p >= 'a' && *p <= 'z')
			*p += 'A' - 'a';
	}
	return result;
}

/*
 * ICU's transform, after some forms it leaves alone that are everyday in names
 * of Hong Kong and Taiwan or in older registers.
 */
#define FOLDING_RULES \
	"衞>卫; 峯>峰; 滙>汇; 敍>叙; 寳>宝; 麪>面; 鄕>乡; 靑>青; 淸>清; 卽>即; " \
	"旣>既; 槪>概; 郞>郎; 緖>绪; 尙>尚; 屛>屏; ::Traditional-Simplified;"

/* Characters of names folded to Simplified; many Traditional ones may share one. */
static char *
simplified(const char *text)
{
	static UTransliterator *transliterator = NULL;
	UErrorCode	status = U_ZERO_ERROR;
	UText16		folded = to_utf16(text, strlen(text));
	int32_t		limit = folded.len;

	if (transliterator == NULL)
	{
		UText16		rules = to_utf16(FOLDING_RULES, strlen(FOLDING_RULES));
		UChar		id[sizeof("names")];

		u_charsToUChars("names", id, lengthof(id));
		transliterator = utrans_openU(id, -1, UTRANS_FORWARD, rules.chars, rules.len,
									  NULL, &status);
		if (U_FAILURE(status))
			transliterator = NULL;
		check_icu(status, "open ICU's Traditional-Simplified transform");
	}

	/* Character by character, so the buffer that holds the text holds the result. */
	utrans_transUChars(transliterator, folded.chars, &folded.len, folded.len + 1, 0, &limit,
					   &status);
	check_icu(status, "fold Traditional to Simplified characters");
	return to_utf8(folded.chars, folded.len);
}

/* The name in this form, separators folded and spaces collapsed; NULL where it is no name. */
static char *
clean_name(const UNormalizer2 *(*form) (UErrorCode *), const char *name)
{
	char	   *normal = trimmed_form(form, name, strlen(name));
	char	   *result;
	size_t		len;

	if (normal == NULL)
		return NULL;
	result = palloc(strlen(normal) + 1);
	if (name_clean(normal, strlen(normal), NAME_ROMANISED_MAX_CHARS, result, &len) != NAME_OK)
		return NULL;
	result[len] = '\0';
	return result;
}

static bool
same_romanised(const char *a, const char *b)
{
	char	   *key_a = palloc(strlen(a) + 1);
	char	   *key_b = palloc(strlen(b) + 1);
	size_t		len_a = name_romanised_key(a, strlen(a), key_a);
	size_t		len_b = name_romanised_key(b, strlen(b), key_b);

	/* Nothing but hyphens and spaces is nobody's name. */
	return len_a > 0 && len_a == len_b && memcmp(key_a, key_b, len_a) == 0;
}

NameMatch
name_compare(const char *given, const char *name_zh, const char *name_romanised)
{
	/* Canonically equivalent texts (NFC) are the same; compatible ones (NFKC) only look alike. */
	char	   *given_nfc = clean_name(unorm2_getNFCInstance, given);
	char	   *zh = clean_name(unorm2_getNFCInstance, name_zh);
	char	   *romanised = clean_name(unorm2_getNFCInstance, name_romanised);
	char	   *given_nfkc;

	if (given_nfc == NULL)
		return NAME_NO_MATCH;
	if (zh != NULL && strcmp(given_nfc, zh) == 0)
		return NAME_EXACT;
	if (romanised != NULL && same_romanised(given_nfc, romanised))
		return NAME_EXACT;

	given_nfkc = clean_name(unorm2_getNFKCInstance, given);
	if (given_nfkc == NULL)
		return NAME_NO_MATCH;
	zh = clean_name(unorm2_getNFKCInstance, name_zh);
	romanised = clean_name(unorm2_getNFKCInstance, name_romanised);

	if (romanised != NULL && same_romanised(given_nfkc, romanised))
		return NAME_VARIANT;
	if (zh == NULL)
		return NAME_NO_MATCH;
	if (strcmp(given_nfkc, zh) == 0 || strcmp(simplified(given_nfkc), simplified(zh)) == 0)
		return NAME_VARIANT;
	return NAME_NO_MATCH;
}
