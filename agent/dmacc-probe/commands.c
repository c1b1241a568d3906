// SPDX-License-Identifier: LGPL-2.1-or-later
/* The commands of a server's message, each of which is answered */
#include <stdio.h>
#include <string.h>

#include "commands.h"

/* Names as they go into a Status: constants */
static const char *const known[] = {
	"Get", "Replace", "Add", "Delete", "Exec", "Copy", "Alert", "Atomic", "Sequence",
};

static const char *command_name(const xmlNode *node)
{
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (reader_is(node, known[i]))
			return known[i];
	return NULL;
}

size_t commands_count(const struct package *in)
{
	const xmlNode *node;
	size_t count = 0;

	for (node = in->body->children; node; node = node->next)
		if (command_name(node))
			count++;
	return count;
}

/* Trimmed, and "./" before it as all URIs of ours have */
static void copy_uri(const xmlNode *item, char ret[256])
{
	char *text = reader_text(item, "Target/LocURI"), *from = text;
	size_t len;

	ret[0] = '\0';
	if (!text)
		return;
	from += strspn(from, " \t\r\n");
	len = strcspn(from, " \t\r\n");
	while (len > 1 && from[len - 1] == '/')
		len--;
	from[len] = '\0';
	if (len < 250)
		snprintf(ret, 256, "%s%s", from[0] == '.' || !from[0] ? "" : "./", from);
	reader_wipe(text);
}

static struct answer *add_answer(struct message *out, const xmlNode *command, const char *name)
{
	struct answer *a;
	char *ref;

	if (out->answers_len == ANSWERS_MAX)
		return NULL;
	a = &out->answers[out->answers_len++];
	*a = (struct answer){ .command = name, .code = 405 };
	ref = reader_text(command, "CmdID");
	if (ref)
		snprintf(a->ref, sizeof(a->ref), "%s", ref);
	reader_wipe(ref);
	return a;
}

static void item_format(const xmlNode *command, const xmlNode *item, char ret[32])
{
	char *own = reader_text(item, "Meta/Format"), *whole = reader_text(command, "Meta/Format");

	snprintf(ret, 32, "%s", own && own[0] ? own : whole ? whole : "");
	reader_wipe(own);
	reader_wipe(whole);
}

static void carry_out_item(struct probe *p, const xmlNode *command, const xmlNode *item,
			   struct answer *a)
{
	char format[32];

	copy_uri(item, a->uri);
	if (!a->uri[0] || strchr(a->uri, '?')) {
		a->code = a->uri[0] ? 406 : 400;
	} else if (!strcmp(a->command, "Get")) {
		nodes_get(p, a);
	} else if (!strcmp(a->command, "Replace")) {
		item_format(command, item, format);
		nodes_replace(p, item, format, a);
	}
	probe_say(p, "%s %s: %d", a->command, a->uri, a->code);
}

static bool has_items(const struct answer *a)
{
	return strcmp(a->command, "Alert") && strcmp(a->command, "Atomic") &&
	       strcmp(a->command, "Sequence");
}

static void carry_out(struct probe *p, const xmlNode *command, const char *name, bool allowed,
		      struct message *out)
{
	const xmlNode *item = reader_child(command, "Item");
	struct answer *a = add_answer(out, command, name);

	if (!a)
		return;
	if (!allowed) {
		a->code = 401;
	} else if (!strcmp(name, "Alert")) {
		/* what it tells the user is shown to nobody here */
		a->code = 200;
	} else if (!has_items(a)) {
		a->code = 406;
	} else if (!item) {
		a->code = 400;
	}
	if (!allowed || !has_items(a) || !item)
		return;
	carry_out_item(p, command, item, a);
	while ((item = reader_next(item, "Item")) && (a = add_answer(out, command, name)))
		carry_out_item(p, command, item, a);
}

void commands_answer(struct probe *p, const struct package *in, bool allowed, struct message *out)
{
	const xmlNode *node;
	const char *name;

	for (node = in->body->children; node; node = node->next) {
		name = command_name(node);
		if (name)
			carry_out(p, node, name, allowed, out);
	}
}
