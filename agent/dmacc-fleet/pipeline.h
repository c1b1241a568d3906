/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_PIPELINE_H
#define DMACC_FLEET_PIPELINE_H

#include "rows.h"

#define PIPELINE_THREADS_MAX 64

enum duplicates_mode { DUPLICATES_IGNORE, DUPLICATES_REPORT, DUPLICATES_REFUSE };

/**
 * struct pipeline - from an input to an output, in order, in flat memory
 * @settings: for all rows; ->objects and ->request.columns are filled in from how the input begins
 * @work: what the verb makes of them
 * @keyring: NULL if nothing is derived with a key
 * @threads: how many work, 1 to PIPELINE_THREADS_MAX; duplicates are looked for by one
 * @duplicates: what to do about them
 * @input: path, NULL or "-" for stdin
 * @output: path, NULL or "-" for stdout
 * @rejects: path for refused rows, NULL for stderr
 * @count: records that were read, for the caller
 */
struct pipeline {
	struct rows_settings settings;
	const struct rows_work *work;
	struct keyring *keyring;
	unsigned int threads;
	enum duplicates_mode duplicates;
	const char *input;
	const char *output;
	const char *rejects;
	uint64_t count;
};

/**
 * pipeline_run() - read, derive, write
 *
 * Return: an exit status, after a complaint where one is due.
 */
int pipeline_run(struct pipeline *pipeline);

#endif
