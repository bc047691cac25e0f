/*
 * name_test.c
 *		Promises of core/name.
 */
#include <stdlib.h>
#include <string.h>

#include "core/name.h"
#include "tap.h"

#define DOT "\xC2\xB7"			/* U+00B7 */

/* Clean text into a buffer of exactly its length. */
static NameRule
clean(const char *text, size_t max_chars, char *result)
{
	size_t		len = strlen(text);
	char	   *copy = (char *) tap_copy(text, len);
	char	   *out = (char *) tap_copy(text, len);
	size_t		out_len = SIZE_MAX;
	NameRule	rule = name_clean(copy, len, max_chars, out, &out_len);

	memcpy(result, out, out_len);
	result[out_len] = '\0';
	free(copy);
	free(out);
	tap_note(text);
	return rule;
}

static bool
cleans_to(const char *text, const char *expected)
{
	char		result[256];

	return clean(text, NAME_MAX_CHARS, result) == NAME_OK && strcmp(result, expected) == 0;
}

static NameRule
rule_of(const char *text)
{
	char		result[256];

	return clean(text, NAME_MAX_CHARS, result);
}

static void
plain_names(void)
{
	CHECK(cleans_to("陳大文", "陳大文"));
	CHECK(cleans_to("CHAN TAI MAN", "CHAN TAI MAN"));
	CHECK(cleans_to("D'SOUZA, José-María", "D'SOUZA, José-María"));
	CHECK(cleans_to("\xF0\xA0\xAE\xB7", "\xF0\xA0\xAE\xB7"));	/* U+20BB7, outside the BMP */
	CHECK(cleans_to("\xF0\xB0\xBB\x9D", "\xF0\xB0\xBB\x9D"));	/* U+30EDD, plane 3 */
	/* U+E000 and U+F0000, private use: old registries have such */
	CHECK(cleans_to("\xEE\x80\x80\xF3\xB0\x80\x80", "\xEE\x80\x80\xF3\xB0\x80\x80"));
	CHECK(cleans_to("葛\xF3\xA0\x84\x80", "葛\xF3\xA0\x84\x80"));	/* with a glyph selector */
}

static void
separators(void)
{
	CHECK(cleans_to("買買提" DOT "吐爾遜", "買買提" DOT "吐爾遜"));
	CHECK(cleans_to("買買提\xE2\x80\xA2吐爾遜", "買買提" DOT "吐爾遜"));	/* U+2022 */
	CHECK(cleans_to("買買提\xE2\x80\xA7吐爾遜", "買買提" DOT "吐爾遜"));	/* U+2027 */
	CHECK(cleans_to("買買提\xE3\x83\xBB吐爾遜", "買買提" DOT "吐爾遜"));	/* U+30FB */
	CHECK(cleans_to("買買提\xEF\xBD\xA5吐爾遜", "買買提" DOT "吐爾遜"));	/* U+FF65 */
}

static void
spaces(void)
{
	CHECK(cleans_to("  CHAN   TAI  MAN ", "CHAN TAI MAN"));
	CHECK(cleans_to("CHAN\xC2\xA0 TAI\xE3\x80\x80MAN", "CHAN TAI MAN"));	/* U+00A0, U+3000 */
	CHECK(cleans_to("\xE3\x80\x80陳大文\xE2\x80\x83", "陳大文"));	/* U+3000, U+2003 */
	/* U+1680, U+2000, U+200A, U+202F, U+205F */
	CHECK(cleans_to("A\xE1\x9A\x80" "B\xE2\x80\x80" "C\xE2\x80\x8A" "D", "A B C D"));
	CHECK(cleans_to("A\xE2\x80\xAF" "B\xE2\x81\x9F" "C", "A B C"));
}

static void
empty_names(void)
{
	char		result[8];

	CHECK(rule_of("") == NAME_EMPTY);
	CHECK(rule_of("   \xE3\x80\x80 ") == NAME_EMPTY);
	CHECK(clean(" ", 0, result) == NAME_EMPTY);
}

static void
lengths(void)
{
	char		name[4 * (NAME_MAX_CHARS + 1) + 1] = "";
	char		result[sizeof(name)];
	int			i;

	/* Fifty characters of four bytes each are fifty characters. */
	for (i = 0; i < NAME_MAX_CHARS; i++)
		strcat(name, "\xF0\xA0\xAE\xB7");
	CHECK(clean(name, NAME_MAX_CHARS, result) == NAME_OK && strcmp(result, name) == 0);
	strcat(name, "\xF0\xA0\xAE\xB7");
	CHECK(clean(name, NAME_MAX_CHARS, result) == NAME_LENGTH);

	/* Spaces that are trimmed or joined do not count, the one that stays does. */
	CHECK(clean("  A  B  ", 3, result) == NAME_OK);
	CHECK(clean("  A  B  ", 2, result) == NAME_LENGTH);
}

static void
refused_characters(void)
{
	static const char *const bad[] = {
		"陳?文", "陳\xEF\xBC\x9F文",	/* what a lossy conversion leaves */
		"陳\xEF\xBF\xBD文",		/* U+FFFD */
		"CHAN\tTAI", "CHAN\nTAI", "CHAN\x7F", "\xC2\x85" "CHAN",
		"陳\xE2\x80\x8B文",		/* U+200B zero-width space */
		"陳\xE2\x80\x8D文",		/* U+200D joiner */
		"\xE2\x80\xAE" "CHAN",	/* U+202E right-to-left override */
		"陳\xE2\x81\xA0文",		/* U+2060 word joiner */
		"\xEF\xBB\xBF陳",		/* U+FEFF byte order mark */
		"CH\xC2\xAD" "AN",		/* U+00AD soft hyphen */
		"陳\xE3\x85\xA4",		/* U+3164 Hangul filler: a name one cannot see */
		"陳\xEF\xB8\x8F",		/* U+FE0F */
		"陳\xE2\x80\xA8文",		/* U+2028 line separator */
		"陳\xEF\xB7\x90",		/* U+FDD0 noncharacter */
		"陳\xEF\xBF\xBF",		/* U+FFFF */
		"陳\xF0\xAF\xBF\xBE",	/* U+2FFFE */
		"陳\xF4\x8F\xBF\xBF",	/* U+10FFFF */
		"陳\xF3\xA0\x80\xA0",	/* U+E0020 tag */
		"陳\xF3\xA0\x88\x80",	/* U+E0200 */
		"\xED\xA0\x80",			/* a surrogate */
		"\xC0\x80", "\xE9\x99", "CHAN\xFF", "\xB3\xAF" "big5"
	};
	size_t		i;

	for (i = 0; i < LENGTH_OF(bad); i++)
		CHECK(rule_of(bad[i]) == NAME_CHARSET);

	tap_note("NUL");
	{
		char		out[3];
		size_t		out_len;

		CHECK(name_clean("A\0B", 3, NAME_MAX_CHARS, out, &out_len) == NAME_CHARSET);
		CHECK(out_len == 0);
	}
}

static bool
same_key(const char *a, const char *b)
{
	size_t		a_len = strlen(a);
	size_t		b_len = strlen(b);
	char	   *a_key = (char *) tap_copy(a, a_len);
	char	   *b_key = (char *) tap_copy(b, b_len);
	bool		same;

	a_len = name_romanised_key(a, a_len, a_key);
	b_len = name_romanised_key(b, b_len, b_key);
	same = a_len == b_len && memcmp(a_key, b_key, a_len) == 0;
	free(a_key);
	free(b_key);
	tap_note(a);
	return same;
}

static void
romanised(void)
{
	CHECK(same_key("CHAN TAI MAN", "Chan Tai-man"));
	CHECK(same_key("CHAN, TAI MAN", "chantaiman"));
	CHECK(same_key("D'SOUZA", "D\xE2\x80\x99souza"));
	CHECK(same_key("D\xE2\x80\x98SOUZA", "D\xCA\xBCSOUZA"));
	CHECK(same_key("CHAN\xE3\x80\x80TAI", "CHAN\xE2\x80\x90TAI"));
	CHECK(same_key("CHAN\xE2\x80\x93TAI", "CHAN\xE2\x80\x95TAI"));
	CHECK(!same_key("CHAN\xE2\x80\x96", "CHAN"));	/* U+2016, a double line */
	CHECK(same_key("az", "AZ"));
	CHECK(same_key(" - ", ""));
	CHECK(!same_key("CHAN TAI MAN", "CHAN TAI MUN"));
	CHECK(!same_key("CHAN TAI MAN", "CHAN TAI"));
	CHECK(!same_key("JOSÉ", "JOSE"));
	CHECK(!same_key("CHAN", "CHAN\xFF"));
	CHECK(!same_key("\xE2\x80", "\xE2"));
}

void
test_name(void)
{
	RUN("name: Chinese, romanised and rare characters pass unchanged", plain_names);
	RUN("name: the separators in use become U+00B7", separators);
	RUN("name: spaces are trimmed and joined", spaces);
	RUN("name: nothing but spaces is empty", empty_names);
	RUN("name: length counts characters, not bytes", lengths);
	RUN("name: lost, invisible and control characters are refused", refused_characters);
	RUN("name: romanised names compare blind to case, spaces and punctuation", romanised);
}
