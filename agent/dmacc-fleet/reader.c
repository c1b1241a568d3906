// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "object.h"
#include "reader.h"

static size_t line_len(const char *text, size_t len)
{
	const char *feed = memchr(text, '\n', len);

	return feed ? (size_t)(feed - text) + 1 : len;
}

/* A record of CSV has more than one line if a quoted field has */
static size_t csv_len(const char *text, size_t len, uint64_t *ret_lines)
{
	size_t end = line_len(text, len), whole, at;

	*ret_lines = 1;
	if (!memchr(text, '"', end))
		return end;
	/* where there is no whole one, a quote never closes: then its line ends it */
	whole = record_end(text, len);
	if (!whole)
		return end;
	for (at = end; at < whole; at += line_len(text + at, whole - at))
		(*ret_lines)++;
	return whole;
}

static bool is_blank(const char *text, size_t len)
{
	while (len && strchr(" \t\r\n", text[len - 1]) && text[len - 1])
		len--;
	return !len;
}

static void move_on(struct reader *r, size_t len, uint64_t lines)
{
	r->text += len;
	r->len -= len;
	r->line += lines;
}

bool reader_next(struct reader *r, struct record *record, uint64_t *ret_line)
{
	uint64_t lines = 1;
	const char *text;
	size_t len;

	while (r->tokener && r->len && is_blank(r->text, line_len(r->text, r->len)))
		move_on(r, line_len(r->text, r->len), 1);
	if (!r->len)
		return false;
	text = r->text;
	*ret_line = r->line;
	len = r->tokener ? line_len(text, r->len) : csv_len(text, r->len, &lines);
	if (r->tokener)
		object_parse(r->tokener, record, text, len);
	else
		record_parse(record, text, len - (text[len - 1] == '\n'));
	move_on(r, len, lines);
	return true;
}
