/*
 * cbor_test.c
 *		Promises of core/cbor.
 */
#include <stdlib.h>
#include <string.h>

#include "core/cbor.h"
#include "tap.h"

static bool
check_hex(const char *hex)
{
	size_t		len;
	uint8_t    *bytes = tap_unhex(hex, &len);
	bool		ok = cbor_check(bytes, len);

	free(bytes);
	tap_note(hex);
	return ok;
}

/* Integers and strings of RFC 8949 appendix A, and what else of it the subset has. */
static void
appendix_a_integers(void)
{
	static const struct
	{
		const char *hex;
		CborType	type;
		uint64_t	value;
	}			cases[] = {
		{"00", CBOR_UINT, 0},
		{"01", CBOR_UINT, 1},
		{"0a", CBOR_UINT, 10},
		{"17", CBOR_UINT, 23},
		{"1818", CBOR_UINT, 24},
		{"1864", CBOR_UINT, 100},
		{"1903e8", CBOR_UINT, 1000},
		{"1a000f4240", CBOR_UINT, 1000000},
		{"1b000000e8d4a51000", CBOR_UINT, UINT64_C(1000000000000)},
		{"1bffffffffffffffff", CBOR_UINT, UINT64_MAX},
		{"20", CBOR_NINT, 0},
		{"29", CBOR_NINT, 9},
		{"3863", CBOR_NINT, 99},
		{"3903e7", CBOR_NINT, 999},
		{"3bffffffffffffffff", CBOR_NINT, UINT64_MAX},
	};
	size_t		i;

	for (i = 0; i < LENGTH_OF(cases); i++)
	{
		size_t		len;
		uint8_t    *bytes = tap_unhex(cases[i].hex, &len);
		Slice		input = {bytes, len};
		CborReader	reader;
		CborItem	item;
		CborWriter	writer;
		uint8_t		out[9];

		tap_note(cases[i].hex);
		CHECK(cbor_check(bytes, len));
		cbor_reader_init(&reader, input);
		CHECK(cbor_next(&reader, &item) && item.type == cases[i].type &&
			  item.value == cases[i].value && reader.next == reader.end);

		cbor_writer_init(&writer, out, sizeof(out));
		if (cases[i].type == CBOR_UINT)
			cbor_put_uint(&writer, cases[i].value);
		else if (cases[i].value <= INT64_MAX)
			cbor_put_int(&writer, -1 - (int64_t) cases[i].value);
		CHECK(writer.len == 0 || tap_is_hex(out, writer.len, cases[i].hex));
		free(bytes);
	}
}

static void
appendix_a_rest(void)
{
	static const char *const inside[] = {
		"40", "4401020304",
		"60", "6161", "6449455446", "62225c", "62c3bc", "63e6b0b4", "64f0908591",
		"80", "83010203", "8301820203820405",
		"98190102030405060708090a0b0c0d0e0f101112131415161718181819",
		"a0", "a201020304", "a26161016162820203", "826161a161626163",
		"a56161614161626142616361436164614461656145",
		"c074323031332d30332d32315432303a30343a30305a", "c11a514b67b0", "d74401020304",
		"d818456449455446", "d82076687474703a2f2f7777772e6578616d706c652e636f6d",
		"c249010000000000000000", "c349010000000000000000"
	};
	static const char *const outside[] = {
		"f90000", "f93c00", "f97c00", "fa47c35000", "fb3ff199999999999a",	/* floats */
		"f4", "f5", "f6", "f7", "f0", "f8ff",	/* simple values */
		"c1fb41d452d9ec200000",
		"5f42010243030405ff", "7f657374726561646d696e67ff", "9fff", "9f018202039f0405ffff",
		"83018202039f0405ff", "bf61610161629f0203ffff"	/* indefinite lengths */
	};
	size_t		i;

	for (i = 0; i < LENGTH_OF(inside); i++)
		CHECK(check_hex(inside[i]));
	for (i = 0; i < LENGTH_OF(outside); i++)
		CHECK(!check_hex(outside[i]));
}

static void
strings(void)
{
	size_t		len;
	uint8_t    *bytes = tap_unhex("824401020304" "63e6b0b4", &len);
	Slice		input = {bytes, len};
	CborReader	reader;
	CborItem	item;

	cbor_reader_init(&reader, input);
	CHECK(cbor_next(&reader, &item) && item.type == CBOR_ARRAY && item.value == 2);
	CHECK(cbor_next(&reader, &item) && item.type == CBOR_BYTES &&
		  tap_is_hex(item.string.ptr, item.string.len, "01020304"));
	CHECK(cbor_next(&reader, &item) && item.type == CBOR_TEXT &&
		  tap_slice_is(item.string, "水"));
	CHECK(!cbor_next(&reader, &item));
	free(bytes);

	CHECK(!check_hex("61ff"));	/* not UTF-8 */
	CHECK(!check_hex("62c080"));
	CHECK(!check_hex("63eda080"));
	CHECK(!check_hex("6100"));	/* NUL */
	CHECK(!check_hex("a161ff01"));	/* in a key as well */
	CHECK(!check_hex("a1610001"));
	CHECK(check_hex("4100"));
}

static void
shortest_heads(void)
{
	CHECK(!check_hex("1817"));
	CHECK(!check_hex("190018"));
	CHECK(!check_hex("1900ff"));
	CHECK(check_hex("190100"));
	CHECK(!check_hex("1a0000ffff"));
	CHECK(check_hex("1a00010000"));
	CHECK(!check_hex("1b00000000ffffffff"));
	CHECK(check_hex("1b0000000100000000"));
	CHECK(!check_hex("3817"));
	CHECK(!check_hex("580101"));
	CHECK(!check_hex("780161"));
	CHECK(!check_hex("980101"));
	CHECK(!check_hex("b8010101"));
	CHECK(!check_hex("d81200"));
	CHECK(!check_hex("1c"));	/* reserved */
	CHECK(!check_hex("1cffffffffffffffffffffffffffffffff"));
	CHECK(!check_hex("1d"));
	CHECK(!check_hex("1e"));
	CHECK(!check_hex("1f"));
	CHECK(!check_hex("ff"));
}

static void
short_input(void)
{
	CHECK(!check_hex(""));
	CHECK(!check_hex("18"));
	CHECK(!check_hex("1903"));
	CHECK(!check_hex("1b00000001000000"));
	CHECK(!check_hex("42ff"));
	CHECK(!check_hex("6161" "00"));	/* a byte too many */
	CHECK(!check_hex("8301"));
	CHECK(!check_hex("83"));
	CHECK(!check_hex("a101"));
	CHECK(!check_hex("a1"));
	CHECK(!check_hex("d2"));
	/* Lengths that nobody has: refused at once, however long. */
	CHECK(!check_hex("5bffffffffffffffff"));
	CHECK(!check_hex("7b7fffffffffffffff41"));
	CHECK(!check_hex("9bffffffffffffffff00"));
	CHECK(!check_hex("bb800000000000000000000000"));
	CHECK(!check_hex("bbffffffffffffffff0000"));
	CHECK(!check_hex("9affffffff00"));
}

static void
duplicate_keys(void)
{
	CHECK(check_hex("a201000200"));
	CHECK(check_hex("a202000100"));	/* not sorted: other libraries do not sort */
	CHECK(!check_hex("a201000100"));
	CHECK(!check_hex("a3010002000100"));
	CHECK(!check_hex("a3020001000200"));
	CHECK(!check_hex("a3020001000100"));
	CHECK(!check_hex("a2616100616100"));
	CHECK(check_hex("a2616100416100"));	/* text and bytes differ */
	CHECK(check_hex("a2010020" "00"));	/* 1 and -1 differ */
	CHECK(!check_hex("a101a201000100"));	/* inside too */
}

static void
key_types(void)
{
	CHECK(check_hex("a1410100"));
	CHECK(!check_hex("a1800000"));
	CHECK(!check_hex("a1a00000"));
	CHECK(!check_hex("a1c10000"));
	CHECK(!check_hex("a1f400"));
}

static void
limits(void)
{
	uint8_t		buf[256];
	CborWriter	writer;
	int			i;

	CHECK(check_hex("818181818181" "00"));
	CHECK(!check_hex("81818181818181" "00"));
	CHECK(!check_hex("818181818181" "80"));
	CHECK(check_hex("a101a101a101a101a101a101" "00"));
	CHECK(!check_hex("a101a101a101a101a101a101a101" "00"));
	CHECK(check_hex("c1c1c1c1c1c1" "00"));
	CHECK(!check_hex("c1c1c1c1c1c1c1" "00"));
	CHECK(check_hex("82" "818181818100" "818181818100"));	/* side by side is not deeper */

	for (i = CBOR_MAX_ENTRIES; i <= CBOR_MAX_ENTRIES + 1; i++)
	{
		int			j;

		cbor_writer_init(&writer, buf, sizeof(buf));
		cbor_put_array(&writer, (size_t) i);
		for (j = 0; j < i; j++)
			cbor_put_int(&writer, j);
		CHECK(cbor_check(buf, writer.len) == (i == CBOR_MAX_ENTRIES));

		cbor_writer_init(&writer, buf, sizeof(buf));
		cbor_put_map(&writer, (size_t) i);
		for (j = 0; j < i; j++)
		{
			cbor_put_int(&writer, j);
			cbor_put_int(&writer, -1 - j);
		}
		CHECK(cbor_check(buf, writer.len) == (i == CBOR_MAX_ENTRIES));
	}
}

/* {1: {2: 3}, "a": [4, 5], h'': 6, -1: 7} */
#define MAP_HEX "a4" "01a10203" "6161820405" "4006" "2007"

static bool
find_int(Slice map, int64_t key, uint64_t expected)
{
	CborReader	value;
	CborItem	item;

	return cbor_map_find(map, key, &value) && cbor_next(&value, &item) && item.value == expected;
}

static void
finding(void)
{
	size_t		len;
	uint8_t    *bytes = tap_unhex(MAP_HEX, &len);
	Slice		map = {bytes, len};
	CborReader	value,
				untouched = {NULL, NULL};
	CborItem	item;

	CHECK(cbor_check(bytes, len));
	CHECK(find_int(map, -1, 7));
	CHECK(cbor_map_find(map, 1, &value) && cbor_next(&value, &item) && item.type == CBOR_MAP);
	CHECK(cbor_map_find_text(map, "a", &value) && cbor_next(&value, &item) &&
		  item.type == CBOR_ARRAY && item.value == 2);
	CHECK(cbor_map_get(map, -1, &item) && item.type == CBOR_UINT && item.value == 7);
	CHECK(!cbor_map_get(map, 2, &item));

	CHECK(!cbor_map_find(map, 2, &untouched));	/* inside, not here */
	CHECK(!cbor_map_find(map, 0, &untouched));
	CHECK(!cbor_map_find_text(map, "b", &untouched));
	CHECK(!cbor_map_find_text(map, "", &untouched));	/* h'' is no text */
	CHECK(!cbor_map_find_text(map, "aa", &untouched));
	CHECK(untouched.next == NULL);
	free(bytes);

	bytes = tap_unhex("820102", &len);
	map.ptr = bytes;
	map.len = len;
	CHECK(!cbor_map_find(map, 1, &untouched));	/* no map */
	free(bytes);
}

/* What was never checked must still not be read past its end. */
static void
unchecked_input(void)
{
	static const char *const rough[] = {
		"", "a1", "a101", "a10142", "a2010242", "a182010205", "a1a1010205", "a118", "a201", "bfff",
		"a3010203"
	};
	static const char *const cut[] = {
		"", "18", "19ff", "1bffffffffffffff", "42ff", "6261", "81", "8201", "a1", "a101",
		"d2", "d818", "f4"
	};
	size_t		i;

	for (i = 0; i < LENGTH_OF(rough); i++)
	{
		size_t		len;
		uint8_t    *bytes = tap_unhex(rough[i], &len);
		Slice		map = {bytes, len};
		CborReader	value;

		tap_note(rough[i]);
		CHECK(!cbor_map_find(map, 5, &value));
		CHECK(!cbor_map_find_text(map, "x", &value));
		free(bytes);
	}

	/* One head at a time, too. */
	for (i = 0; i < LENGTH_OF(cut); i++)
	{
		size_t		len;
		uint8_t    *bytes = tap_unhex(cut[i], &len);
		Slice		input = {bytes, len};
		CborReader	reader;
		CborItem	item;

		tap_note(cut[i]);
		cbor_reader_init(&reader, input);
		CHECK(!cbor_next(&reader, &item) && reader.next == bytes);
		free(bytes);
	}

	/* A container as key is stepped over. */
	{
		size_t		len;
		uint8_t    *bytes = tap_unhex("a2" "8201020a" "050b", &len);
		Slice		map = {bytes, len};

		CHECK(!cbor_check(bytes, len));
		CHECK(find_int(map, 5, 11));
		free(bytes);
	}
}

static void
skipping(void)
{
	size_t		len;
	uint8_t    *bytes = tap_unhex("82" "a201c1820203" "03636162634401020304", &len);
	Slice		input = {bytes, len};
	CborReader	reader;

	CborItem	item;

	cbor_reader_init(&reader, input);
	CHECK(cbor_next(&reader, &item));
	CHECK(cbor_skip(&reader));
	CHECK(cbor_skip(&reader));
	CHECK(reader.next == reader.end);
	CHECK(!cbor_skip(&reader));

	/* On failure the reader stays. */
	input.len = len - 1;
	cbor_reader_init(&reader, input);
	CHECK(!cbor_skip(&reader) && reader.next == bytes);
	free(bytes);
}

static bool
as_int(const char *hex, int64_t *value)
{
	size_t		len;
	uint8_t    *bytes = tap_unhex(hex, &len);
	Slice		input = {bytes, len};
	CborReader	reader;
	CborItem	item;
	bool		ok;

	cbor_reader_init(&reader, input);
	ok = cbor_next(&reader, &item) && cbor_item_int(&item, value);
	free(bytes);
	return ok;
}

static void
signed_integers(void)
{
	int64_t		value;

	CHECK(as_int("00", &value) && value == 0);
	CHECK(as_int("20", &value) && value == -1);
	CHECK(as_int("3a00010000", &value) && value == -65537);
	CHECK(as_int("1b7fffffffffffffff", &value) && value == INT64_MAX);
	CHECK(as_int("3b7fffffffffffffff", &value) && value == INT64_MIN);
	CHECK(!as_int("1b8000000000000000", &value));
	CHECK(!as_int("3b8000000000000000", &value));
	CHECK(!as_int("40", &value));
}

static void
writing(void)
{
	uint8_t		buf[64];
	CborWriter	writer;
	size_t		cap;

	/* {1: "IETF", -1: h'01', 24: [18(0)]}, at every capacity: all of it or overflow. */
	for (cap = 0; cap <= 18; cap++)
	{
		cbor_writer_init(&writer, buf, cap);
		cbor_put_map(&writer, 3);
		cbor_put_int(&writer, 1);
		cbor_put_cstring(&writer, "IETF");
		cbor_put_int(&writer, -1);
		cbor_put_bytes(&writer, "\x01", 1);
		cbor_put_int(&writer, 24);
		cbor_put_array(&writer, 1);
		cbor_put_tag(&writer, 18);
		cbor_put_uint(&writer, 0);
		CHECK(writer.overflow == (cap < 15));
		CHECK(writer.len <= cap);
	}
	CHECK(tap_is_hex(buf, writer.len, "a3" "016449455446" "204101" "1818" "81d200"));

	cbor_writer_init(&writer, buf, sizeof(buf));
	cbor_put_int(&writer, INT64_MIN);
	cbor_put_int(&writer, INT64_MAX);
	cbor_put_uint(&writer, 256);
	cbor_put_bytes(&writer, NULL, 0);
	CHECK(tap_is_hex(buf, writer.len, "3b7fffffffffffffff" "1b7fffffffffffffff" "190100" "40"));
}

void
test_cbor(void)
{
	RUN("cbor: the integers of RFC 8949 appendix A, both ways", appendix_a_integers);
	RUN("cbor: of the rest of appendix A, the subset and no more", appendix_a_rest);
	RUN("cbor: strings are what they say, text is UTF-8 without NUL", strings);
	RUN("cbor: a head that is not the shortest is refused", shortest_heads);
	RUN("cbor: an announced length is believed only when the bytes are there", short_input);
	RUN("cbor: duplicate keys are refused, sorted or not", duplicate_keys);
	RUN("cbor: map keys are integers or strings", key_types);
	RUN("cbor: depth 6 and 32 entries are the limits", limits);
	RUN("cbor: a key is found in its own map only", finding);
	RUN("cbor: input that was not checked is not read past its end", unchecked_input);
	RUN("cbor: skipping takes one whole item", skipping);
	RUN("cbor: integers outside int64 are refused, not wrapped", signed_integers);
	RUN("cbor: the writer writes shortest heads and stops at its end", writing);
}
