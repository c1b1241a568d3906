/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_OBJECT_H
#define DMACC_FLEET_OBJECT_H

#include "record.h"

struct json_tokener;

/* NULL if there is no memory; json_tokener_free() frees it, and takes NULL */
struct json_tokener *object_tokener(void);

/**
 * object_parse() - read a line of JSON into a record
 * @tokener: from object_tokener()
 * @record: written; field n is column n of columns.h, empty if the object has none of that name
 * @line: one JSON object
 * @len: bytes
 *
 * Names that no column has are skipped, and so is null.
 */
void object_parse(struct json_tokener *tokener, struct record *record, const char *line, size_t len);

#endif
