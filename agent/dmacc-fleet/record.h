/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_RECORD_H
#define DMACC_FLEET_RECORD_H

#include <stdbool.h>
#include <stddef.h>

/* Fields of a record that are looked at; more are allowed and skipped */
#define RECORD_FIELDS 16
/* A field longer than this holds nothing that is read; it is cut, which an identifier cannot survive */
#define RECORD_FIELD_MAX 255

struct field {
	const char *text;
	size_t len;
};

/**
 * struct record - one line of CSV, RFC 4180
 * @count: fields, at most RECORD_FIELDS
 * @fields: they point into the line, or for a quoted field into @unquoted
 * @broken: a quote is not closed, or text follows a closing one
 */
struct record {
	size_t count;
	struct field fields[RECORD_FIELDS];
	bool broken;
	char unquoted[RECORD_FIELDS * (RECORD_FIELD_MAX + 1)];
};

/**
 * record_parse() - split a line into fields
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

/**
 * struct columns - which field of a record holds what; -1 for none
 */
struct columns {
	int id;
	int generation;
	int key_version;
};

/**
 * columns_from_header() - read a header line
 * @columns: set from it if it is one, else to the identifier in the first field alone
 * @record: the first record of the input
 *
 * It is one if its first field is called as an identifier, such as DevId or IMEI.
 *
 * Return: true if it is a header.
 */
bool columns_from_header(struct columns *columns, const struct record *record);

#endif
