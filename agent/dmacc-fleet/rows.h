/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_ROWS_H
#define DMACC_FLEET_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "dmacc.h"
#include "output.h"
#include "record.h"

/* What becomes of an identifier */
enum rows_what {
	ROWS_CREDENTIALS,	/* DevId,UserName,ClientPW,ServerPW[,ServerNonce,ClientNonce] */
	ROWS_STORED,		/* DevId,UserName,ClientHash,ServerHash */
	ROWS_DEVICE_KEY,	/* DevId,DeviceKey */
};

/**
 * struct rows_settings - what holds for all rows; threads share it and only read
 * @legacy: 0 for dmacc-1
 * @generation: for rows without a column for it
 * @key_version: likewise
 * @rejects_as_csv: refused rows as line,input,reason; else as lines for a person
 */
struct rows_settings {
	enum rows_what what;
	enum dmacc_legacy_profile legacy;
	struct dmacc_server server;
	uint32_t generation;
	uint32_t key_version;
	bool nonces;
	bool spare_digit;
	bool jsonl;
	bool rejects_as_csv;
	struct columns columns;
};

/**
 * struct rows - a run of whole records and what was made of them
 * @text: the records, each with its line end (the last one of the input perhaps without)
 * @first_line: number of the first
 */
struct rows {
	const char *text;
	size_t len;
	uint64_t first_line;
	struct buffer out;
	struct buffer rejects;
	uint64_t refused;
};

/**
 * rows_process() - derive for each record
 * @settings: for all
 * @deriver: this thread's, with the vendor key set unless the profile is a legacy one
 * @rows: ->out, ->rejects and ->refused are added to
 *
 * Return: 0, or -ENOMEM.
 */
int rows_process(const struct rows_settings *settings, struct dmacc_deriver *deriver,
		 struct rows *rows);

/* The header line of the output, NULL if the format has none */
const char *rows_header(const struct rows_settings *settings);

#endif
