/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_PIPELINE_H
#define DMACC_FLEET_PIPELINE_H

#include "rows.h"

/**
 * struct pipeline - from an input to an output, in order, in flat memory
 * @settings: for all rows; ->columns is filled in from the input's header
 * @vendor_key: 32 bytes, NULL for a legacy profile
 * @threads: how many derive, from 1
 * @input: path, NULL or "-" for stdin
 * @output: path, NULL or "-" for stdout
 * @rejects: path for refused rows, NULL for stderr
 */
struct pipeline {
	struct rows_settings settings;
	const uint8_t *vendor_key;
	unsigned int threads;
	const char *input;
	const char *output;
	const char *rejects;
};

/**
 * pipeline_run() - read, derive, write
 *
 * Return: an exit status, after a complaint where one is due.
 */
int pipeline_run(struct pipeline *pipeline);

#endif
