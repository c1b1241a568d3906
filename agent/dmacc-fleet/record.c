// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "record.h"

static const struct dmacc_reason open_quote = { "quote", "a quoted field does not end" };

/* A field that begins with a quote; returns what follows it, at a comma or the end */
static const char *parse_quoted(struct record *r, struct field *field, char *room, const char *p,
				const char *end)
{
	size_t len = 0;

	for (p++; p < end; p++) {
		if (*p == '"' && p + 1 < end && p[1] == '"')
			p++;
		else if (*p == '"')
			break;
		if (len <= RECORD_FIELD_MAX)
			room[len++] = *p;
	}
	*field = (struct field){ room, len };
	if (p == end || (p + 1 < end && p[1] != ','))
		r->refusal = &open_quote;
	return p == end ? end : (r->refusal ? end : p + 1);
}

static const char *parse_plain(struct field *field, const char *p, const char *end)
{
	const char *comma = memchr(p, ',', (size_t)(end - p));

	if (!comma)
		comma = end;
	*field = (struct field){ p, (size_t)(comma - p) };
	return comma;
}

void record_parse(struct record *r, const char *line, size_t len)
{
	const char *p = line, *end;

	if (len && line[len - 1] == '\r')
		len--;
	end = line + len;
	r->count = 0;
	r->refusal = NULL;
	while (r->count < RECORD_FIELDS) {
		struct field *field = &r->fields[r->count];

		if (p < end && *p == '"')
			p = parse_quoted(r, field,
					 r->unquoted + r->count * (RECORD_FIELD_MAX + 1), p, end);
		else
			p = parse_plain(field, p, end);
		r->count++;
		if (p == end)
			return;
		p++;
	}
}

size_t record_end(const char *text, size_t len)
{
	const char *feed = memchr(text, '\n', len);
	bool quoted = false;
	size_t closed = 0, i;

	if (!feed)
		return 0;
	if (!memchr(text, '"', (size_t)(feed - text)))
		return (size_t)(feed - text) + 1;
	for (i = 0; i < len; i++) {
		if (text[i] == '\n' && !quoted)
			return i + 1;
		if (text[i] != '"')
			continue;
		if (quoted)
			closed = i;
		/* it opens where a field begins, and again as the second of a doubled quote */
		quoted = !quoted && (i == 0 || text[i - 1] == ',' || text[i - 1] == '\n' ||
				     (closed && closed == i - 1));
	}
	return 0;
}
