/*
 * tap.h
 *		As much of a test framework as the unit tests of src/core need.
 *
 * A test is a function without arguments, run under the name of the promise it
 * keeps, and passes when each CHECK in it holds.  Output is TAP; after it comes one
 * line with the totals.  Inputs are handed over as heap copies of their exact
 * length, so that AddressSanitizer sees a read one byte too far.
 */
#ifndef EPERMIT_TAP_H
#define EPERMIT_TAP_H

#include "core/slice.h"

#define CHECK(condition) tap_check((condition), #condition, __FILE__, __LINE__)
#define RUN(promise, test) tap_run(promise, test)
#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

extern void tap_run(const char *promise, void (*test) (void));
extern bool tap_check(bool ok, const char *condition, const char *file, int line);

/* What is being looked at, for the message of a failed CHECK; NULL: nothing. */
extern void tap_note(const char *note);

/* A heap copy of exactly len bytes, for the caller to free; and from hexadecimal. */
extern uint8_t *tap_copy(const void *bytes, size_t len);
extern uint8_t *tap_unhex(const char *hex, size_t *len);

/* Are the bytes those? */
extern bool tap_is_hex(const uint8_t *bytes, size_t len, const char *hex);
extern bool tap_slice_is(Slice slice, const char *text);

/* The same numbers in every run, on every machine. */
extern uint64_t tap_random(void);

extern void test_base45(void);
extern void test_calendar(void);
extern void test_cbor(void);
extern void test_claims(void);
extern void test_cose(void);
extern void test_credential_no(void);
extern void test_merkle(void);
extern void test_name(void);
extern void test_number(void);
extern void test_status(void);
extern void test_utf8(void);
extern void test_wire(void);

#endif							/* EPERMIT_TAP_H */
