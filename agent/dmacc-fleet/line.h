/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_LINE_H
#define DMACC_FLEET_LINE_H

#include "output.h"
#include "record.h"

/**
 * line_add_csv() - a field of CSV, quoted if it has to be (RFC 4180)
 *
 * Return: false if there is no memory.
 */
bool line_add_csv(struct buffer *out, const struct field *field);

/**
 * line_add() - a line of output whose values may hold any text
 * @out: added to
 * @jsonl: a JSON object, in which a byte that is no ASCII stands as U+FFFD; else CSV
 * @names: of the values, for JSON
 * @values: as many
 * @count: how many
 *
 * Return: 0, or -ENOMEM.
 */
int line_add(struct buffer *out, bool jsonl, const char *const *names, const struct field *values,
	     size_t count);

/* A field of a zero-terminated text */
struct field line_field(const char *text);

#endif
