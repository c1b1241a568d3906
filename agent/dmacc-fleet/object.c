// SPDX-License-Identifier: LGPL-2.1-or-later
#include <json-c/json.h>
#include <string.h>

#include "columns.h"
#include "object.h"

/* Objects inside the object are skipped; deeper ones are no record of a device */
#define DEPTH 8

struct json_tokener *object_tokener(void)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH);

	if (tokener)
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	return tokener;
}

static void take(struct record *record, enum column column, struct json_object *value)
{
	char *room = record->unquoted + column * (RECORD_FIELD_MAX + 1);
	const char *text;
	size_t len;

	if (!value)	/* null is as if it were not there */
		return;
	/* what is neither text nor a whole number is refused by whoever reads the field */
	text = json_object_get_string(value);
	len = json_object_is_type(value, json_type_string) ?
	      (size_t)json_object_get_string_len(value) : strlen(text);
	/* cut as a field of CSV is: one byte over the limit shows that it was too long */
	if (len > RECORD_FIELD_MAX + 1)
		len = RECORD_FIELD_MAX + 1;
	memcpy(room, text, len);
	record->fields[column] = (struct field){ room, len };
}

static void take_all(struct record *record, struct json_object *object)
{
	enum column column;

	json_object_object_foreach(object, name, value) {
		column = column_named(name, strlen(name));
		if (column != COLUMNS)
			take(record, column, value);
	}
}

void object_parse(struct json_tokener *tokener, struct record *record, const char *line, size_t len)
{
	static const struct dmacc_reason broken = { "json", "the line is not one whole JSON object" };
	struct json_object *object;
	size_t i, end;

	json_tokener_reset(tokener);
	object = json_tokener_parse_ex(tokener, line, (int)len);
	end = json_tokener_get_parse_end(tokener);
	while (end < len && strchr(" \t\r\n", line[end]))
		end++;
	record->count = COLUMNS;
	for (i = 0; i < COLUMNS; i++)
		record->fields[i] = (struct field){ "", 0 };
	record->refusal = NULL;
	if (end < len || !json_object_is_type(object, json_type_object))
		record->refusal = &broken;
	else
		take_all(record, object);
	json_object_put(object);
}
