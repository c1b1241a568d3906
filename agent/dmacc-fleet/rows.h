/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_ROWS_H
#define DMACC_FLEET_ROWS_H

#include "keyring.h"
#include "output.h"
#include "reader.h"
#include "request.h"

/* What becomes of an identifier */
enum rows_what {
	ROWS_CREDENTIALS,	/* DevId,UserName,ClientPW,ServerPW[,ServerNonce,ClientNonce] */
	ROWS_STORED,		/* DevId,UserName,ClientHash,ServerHash */
	ROWS_DEVICE_KEY,	/* DevId,DeviceKey */
};

/**
 * struct rows_settings - what holds for all rows; threads share it and only read
 * @request: how records are read
 * @objects: the input is JSON lines; else CSV
 * @legacy: 0 for dmacc-1
 * @server: of length 0 if none was given, which only verify allows
 * @jsonl: the output is JSON lines; else CSV
 * @rejects_as_csv: refused rows as line,input,reason; else as lines for a person
 * @slot: verify looks at records of this slot only, NULL for all
 */
struct rows_settings {
	struct request_settings request;
	bool objects;
	enum rows_what what;
	enum dmacc_legacy_profile legacy;
	struct dmacc_server server;
	bool nonces;
	bool jsonl;
	bool rejects_as_csv;
	const char *slot;
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
	uint64_t count;
	uint64_t refused;
};

/**
 * struct worker - what one thread has to itself
 * @keys: NULL if nothing is derived with a key
 * @tokener: NULL for CSV
 */
struct worker {
	struct keyring_user *keys;
	struct json_tokener *tokener;
};

/* 0, or EXIT_NOTHING after a complaint. @keyring may be NULL. */
int worker_init(struct worker *w, const struct rows_settings *s, struct keyring *keyring);
void worker_done(struct worker *w);

/**
 * struct rows_work - what a verb makes of rows
 * @header: the header line of the output, NULL if the format has none
 * @process: adds to ->out, ->rejects, ->count and ->refused; returns 0, -ENOMEM, or -EIO after a
 *           complaint
 */
struct rows_work {
	const char *(*header)(const struct rows_settings *s);
	int (*process)(const struct rows_settings *s, struct worker *w, struct rows *rows);
};

/* Credentials or device keys, as ->what says */
extern const struct rows_work rows_derive;

/* To take the records of rows one after the other */
struct reader rows_reader(const struct worker *w, const struct rows *rows);

#endif
