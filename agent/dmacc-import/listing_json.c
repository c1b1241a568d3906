// SPDX-License-Identifier: LGPL-2.1-or-later
/* An array with one object of "nodes", each of which has "uri", "format", "value" */
#include <json-c/json.h>
#include <string.h>

#include "listing.h"

#define DEPTH_MAX 8

static const char *sentence_of(enum json_tokener_error error)
{
	switch (error) {
	case json_tokener_continue:
	case json_tokener_error_parse_eof:
		return "it ends before it is complete; is it cut off?";
	case json_tokener_error_depth:
		return "it nests deeper than any account";
	case json_tokener_error_parse_utf8_string:
		return "it is not UTF-8 text";
	default:
		return "it is not well-formed JSON";
	}
}

static unsigned int line_of(const char *bytes, size_t at)
{
	unsigned int line = 1;

	while (at)
		line += bytes[--at] == '\n';
	return line;
}

static bool is_blank(const char *bytes, size_t len)
{
	while (len && strchr(" \t\r\n", bytes[len - 1]) && bytes[len - 1])
		len--;
	return !len;
}

/* Sentences are ours: json-c has none for a person */
static struct json_object *parse(struct document *d, const char *bytes, size_t len)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *o;
	enum json_tokener_error error;
	size_t end;

	if (!tokener) {
		document_refuse(d, 0, "out of memory");
		return NULL;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8 |
					JSON_TOKENER_ALLOW_TRAILING_CHARS);
	o = json_tokener_parse_ex(tokener, bytes, (int)len);
	error = json_tokener_get_error(tokener);
	end = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);
	if (o && is_blank(bytes + end, len - end))
		return o;
	document_refuse(d, line_of(bytes, end < len ? end : len), "%s",
			o ? "there is something after the document's end" : sentence_of(error));
	json_object_put(o);
	return NULL;
}

/* NULL if there is none, or if it has a zero in it */
static const char *member(struct json_object *o, const char *name)
{
	struct json_object *value;
	const char *text;

	if (!json_object_object_get_ex(o, name, &value) ||
	    json_object_get_type(value) != json_type_string)
		return NULL;
	text = json_object_get_string(value);
	return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

/* @number: counts the nodes. To those who read the tree line 0 is that of nothing. */
static int read_node(struct listing *l, unsigned int number, struct json_object *o)
{
	const char *uri, *format, *value;
	struct json_object *shown;

	if (json_object_get_type(o) != json_type_object)
		return document_refuse(l->d, 0, "a node is no object");
	uri = member(o, "uri");
	format = member(o, "format");
	value = member(o, "value");
	if (!uri || !format)
		return document_refuse(l->d, 0, "a node has no uri or format");
	/* null is what is not shown */
	if (!value && json_object_object_get_ex(o, "value", &shown) && shown)
		return document_refuse(l->d, 0, "a node's value is no text");
	return listing_add(l, number, uri, format, value);
}

static int read_nodes(struct listing *l, struct json_object *account)
{
	struct json_object *nodes;
	size_t i;
	int r = 0;

	if (json_object_get_type(account) != json_type_object ||
	    !json_object_object_get_ex(account, "nodes", &nodes) ||
	    json_object_get_type(nodes) != json_type_array)
		return document_refuse(l->d, 0, "there is no account with its nodes in it");
	for (i = 0; i < json_object_array_length(nodes) && !r; i++)
		r = read_node(l, (unsigned int)i + 1, json_object_array_get_idx(nodes, i));
	return r;
}

static int read_accounts(struct listing *l, struct json_object *o)
{
	if (json_object_get_type(o) != json_type_array)
		return read_nodes(l, o);
	if (json_object_array_length(o) > 1)
		return document_refuse(l->d, 0, "there are several accounts in it");
	return read_nodes(l, json_object_array_get_idx(o, 0));
}

xmlDoc *listing_read_json(struct document *d, const char *bytes, size_t len)
{
	struct json_object *o;
	struct listing l;
	int r;

	if (len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) {
		bytes += 3;
		len -= 3;
	}
	o = parse(d, bytes, len);
	if (!o)
		return NULL;
	/* json-c does not tell where a value stood */
	d->has_lines = false;
	r = listing_begin(&l, d);
	if (!r)
		r = read_accounts(&l, o);
	json_object_put(o);
	return listing_end(&l, r);
}
