// SPDX-License-Identifier: LGPL-2.1-or-later
/* A line for a node: URI, format, value, with a blank between them. Comments begin with '#'. */
#include <stdlib.h>
#include <string.h>

#include "listing.h"

static bool ends_with(const char *uri, const char *name)
{
	size_t len = strlen(uri), name_len = strlen(name);

	return len > name_len && !strcmp(uri + len - name_len, name) &&
	       uri[len - name_len - 1] == '/';
}

/* What dmaccctl shows instead of what nobody may read; of another node it is the value */
static bool is_hidden(const char *uri, const char *value)
{
	static const char *const names[] = {
		"ServerPW", "ClientPW", "ServerNonce", "ClientNonce", "AAuthSecret", "AAuthData",
	};
	size_t i;

	if (strcmp(value, "(hidden)"))
		return false;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ends_with(uri, names[i]))
			return true;
	return false;
}

static int read_line(struct listing *l, unsigned int number, char *line)
{
	char *uri = strsep(&line, " "), *format = strsep(&line, " ");
	const char *value = line ? line : "";

	if (!uri[0] || uri[0] == '#')
		return 0;
	if (!format || !format[0])
		return document_refuse(l->d, number, "it is not a node's URI, format and value");
	return listing_add(l, number, uri, format, is_hidden(uri, value) ? NULL : value);
}

static int read_lines(struct listing *l, char *text)
{
	unsigned int number = 0;
	size_t len;
	char *line;
	int r = 0;

	while (!r && (line = strsep(&text, "\n"))) {
		len = strlen(line);
		if (len && line[len - 1] == '\r')
			line[len - 1] = '\0';
		r = read_line(l, ++number, line);
	}
	return r;
}

static int read_text(struct listing *l, const char *bytes, size_t len)
{
	char *text;
	int r;

	if (len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) {
		bytes += 3;
		len -= 3;
	}
	text = strndup(bytes, len);
	if (!text)
		return document_refuse(l->d, 0, "out of memory");
	if (strlen(text) != len || !xmlCheckUTF8((const xmlChar *)text))
		r = document_refuse(l->d, 0, "it is not UTF-8 text");
	else
		r = read_lines(l, text);
	free(text);
	return r;
}

xmlDoc *listing_read_text(struct document *d, const char *bytes, size_t len)
{
	struct listing l;
	int r;

	r = listing_begin(&l, d);
	if (!r)
		r = read_text(&l, bytes, len);
	return listing_end(&l, r);
}
