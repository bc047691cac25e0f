/*
 * slice.h
 *		A borrowed run of bytes.
 *
 * The readers of core/ never copy: what they return points into the buffer
 * they were given and lives as long as that buffer.
 */
#ifndef EPERMIT_SLICE_H
#define EPERMIT_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Slice
{
	const uint8_t *ptr;
	size_t		len;
} Slice;

#endif							/* EPERMIT_SLICE_H */
