// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "line.h"

struct field line_field(const char *text)
{
	return (struct field){ text, strlen(text) };
}

bool line_add_csv(struct buffer *b, const struct field *field)
{
	size_t i;

	if (!memchr(field->text, ',', field->len) && !memchr(field->text, '"', field->len) &&
	    !memchr(field->text, '\n', field->len) && !memchr(field->text, '\r', field->len))
		return buffer_add(b, field->text, field->len);
	if (!buffer_add(b, "\"", 1))
		return false;
	for (i = 0; i < field->len; i++)
		if (!buffer_add(b, "\"\"", field->text[i] == '"' ? 2 : 0) ||
		    (field->text[i] != '"' && !buffer_add(b, field->text + i, 1)))
			return false;
	return buffer_add(b, "\"", 1);
}

static bool add_json_char(struct buffer *b, unsigned char c)
{
	char escape[8];
	int len;

	if (c >= 0x80)
		return buffer_add(b, "\\ufffd", 6);
	if (c >= ' ' && c != '"' && c != '\\' && c != 0x7f)
		return buffer_add(b, (const char *)&c, 1);
	len = snprintf(escape, sizeof(escape), "\\u%04x", c);
	return buffer_add(b, escape, (size_t)len);
}

static bool add_json(struct buffer *b, const char *name, const struct field *field)
{
	size_t i;

	if (!buffer_add(b, "\"", 1) || !buffer_add(b, name, strlen(name)) ||
	    !buffer_add(b, "\":\"", 3))
		return false;
	for (i = 0; i < field->len; i++)
		if (!add_json_char(b, (unsigned char)field->text[i]))
			return false;
	return buffer_add(b, "\"", 1);
}

int line_add(struct buffer *b, bool jsonl, const char *const *names, const struct field *values,
	     size_t count)
{
	bool ok = !jsonl || buffer_add(b, "{", 1);
	size_t i;

	for (i = 0; i < count && ok; i++)
		ok = (!i || buffer_add(b, ",", 1)) &&
		     (jsonl ? add_json(b, names[i], &values[i]) : line_add_csv(b, &values[i]));
	if (ok)
		ok = buffer_add(b, "}\n" + !jsonl, jsonl ? 2 : 1);
	return ok ? 0 : -ENOMEM;
}
