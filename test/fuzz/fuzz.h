/*
 * fuzz.h
 *		What the fuzzers share.
 *
 * Each fuzzer has one LLVMFuzzerTestOneInput(), which aborts where a promise is
 * broken, and one fuzz_seed(), which makes its seeds.
 */
#ifndef EPERMIT_FUZZ_H
#define EPERMIT_FUZZ_H

#include "core/slice.h"

#define FUZZ_MAX_INPUT 4400

#define PROMISE(condition) \
	do { \
		if (!(condition)) \
			fuzz_broken(#condition, __FILE__, __LINE__); \
	} while (0)

extern void fuzz_broken(const char *condition, const char *file, int line);

/* Write the n-th seed to buf (FUZZ_MAX_INPUT bytes) and return its length; 0: no more. */
extern size_t fuzz_seed(int n, uint8_t *buf);

/* A seed that is a string, for fuzz_seed(). */
extern size_t fuzz_text_seed(const char *const *texts, int count, int n, uint8_t *buf);

extern int	LLVMFuzzerInitialize(int *argc, char ***argv);
extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libFuzzer's */
extern size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#endif							/* EPERMIT_FUZZ_H */
