/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_READER_H
#define DMACC_FLEET_READER_H

#include "record.h"

/**
 * struct reader - takes the records of a text one after the other
 * @text: what is left, each record with its line end (the last one perhaps without)
 * @len: bytes
 * @line: number of the line that @text begins with
 * @tokener: for JSON lines; NULL for CSV
 */
struct reader {
	const char *text;
	size_t len;
	uint64_t line;
	struct json_tokener *tokener;
};

/**
 * reader_next() - the next record
 * @reader: moved on
 * @record: written; its fields point into the text
 * @ret_line: number of its first line
 *
 * Return: false if there is none.
 */
bool reader_next(struct reader *reader, struct record *record, uint64_t *ret_line);

#endif
