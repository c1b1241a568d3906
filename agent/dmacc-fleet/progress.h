/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_PROGRESS_H
#define DMACC_FLEET_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct progress - a line on the terminal: records, rate, time left
 * @shown: stderr is a terminal, and the output does not go to it
 * @size: of the input in bytes, 0 if nobody knows
 */
struct progress {
	bool shown;
	bool drawn;
	uint64_t size;
	uint64_t bytes;
	uint64_t records;
	uint64_t started;	/* ns */
	uint64_t last;
};

/* @in and @out: descriptors of input and output */
void progress_start(struct progress *p, int in, int out);
void progress_add(struct progress *p, size_t bytes, uint64_t records);
/* Before something else is written to the terminal, and at the end */
void progress_clear(struct progress *p);

#endif
