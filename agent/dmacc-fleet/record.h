/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_RECORD_H
#define DMACC_FLEET_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dmacc.h"

/* Fields of a record that are looked at; more are allowed and skipped */
#define RECORD_FIELDS 32
/* A field longer than this holds nothing that is read; it is cut, which an identifier cannot survive */
#define RECORD_FIELD_MAX 255

struct field {
	const char *text;
	size_t len;
};

/**
 * struct record - one device of the input: a line of CSV (RFC 4180), or a JSON object
 * @count: fields, at most RECORD_FIELDS
 * @fields: they point into the line, or into @unquoted
 * @refusal: why nothing can be read from it, NULL if it can
 */
struct record {
	size_t count;
	struct field fields[RECORD_FIELDS];
	const struct dmacc_reason *refusal;
	char unquoted[RECORD_FIELDS * (RECORD_FIELD_MAX + 1)];
};

/**
 * record_parse() - split a line of CSV into fields
 * @record: written
 * @line: without its line end; has to live as long as @record is used
 * @len: bytes
 */
void record_parse(struct record *record, const char *line, size_t len);

/**
 * record_end() - where the first record of a text ends
 * @text: starts at a record
 * @len: bytes
 *
 * A line feed inside quotes ends no record.
 *
 * Return: its length with the line feed, 0 if there is no whole record.
 */
size_t record_end(const char *text, size_t len);

#endif
