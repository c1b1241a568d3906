// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"

#define IGNORED_MAX 50	/* messages about it; a document of nothing else must not fill a journal */
#define NAME_MAX_LEN 40

void document_begin(struct document *d, FILE *messages)
{
	*d = (struct document){ .has_lines = true, .messages = messages };
}

void document_done(struct document *d)
{
	size_t i;

	for (i = 0; i < d->kept_count; i++)
		xmlFree(d->kept[i]);
	free(d->kept);
}

static void put_message(struct document *d, unsigned int line, const char *prefix,
			const char *format, va_list args)
{
	if (line && d->has_lines)
		fprintf(d->messages, "line %u: ", line);
	fputs(prefix, d->messages);
	vfprintf(d->messages, format, args);
	fputc('\n', d->messages);
}

int document_refuse(struct document *d, unsigned int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_message(d, line, "", format, args);
	va_end(args);
	return -1;
}

void document_ignore(struct document *d, unsigned int line, const char *format, ...)
{
	va_list args;

	if (++d->ignored > IGNORED_MAX) {
		if (d->ignored == IGNORED_MAX + 1)
			fputs("ignored: more than is listed here\n", d->messages);
		return;
	}
	va_start(args, format);
	put_message(d, line, "ignored: ", format, args);
	va_end(args);
}

const char *document_keep(struct document *d, xmlChar *text)
{
	size_t room = d->kept_room ? 2 * d->kept_room : 64;
	xmlChar **more;

	if (!text)
		return NULL;
	if (d->kept_count == d->kept_room) {
		more = reallocarray(d->kept, room, sizeof(*more));
		if (!more) {
			xmlFree(text);
			return NULL;
		}
		d->kept = more;
		d->kept_room = room;
	}
	d->kept[d->kept_count++] = text;
	return (const char *)text;
}

const char *document_quote(const char *name)
{
	size_t len = name ? strlen(name) : 0;

	if (!len || len > NAME_MAX_LEN || strspn(name, "abcdefghijklmnopqrstuvwxyz"
						 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != len)
		return "of another name";
	return name;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool field_is_set(struct field f)
{
	return f.value && f.value[0];
}

/* The plain form has lines: a line end in a value would begin another one */
static bool has_control_character(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

/*
 * Blanks around a value are how its author laid out the XML, but for what goes into the
 * derivation: that is taken byte for byte, and a blank in it is refused by the library.
 */
static struct field trimmed(struct document *d, enum dmacc_node node, struct field f)
{
	size_t len;

	if (node == DMACC_NODE_SERVER_ID || node == DMACC_NODE_ADDR)
		return f;
	while (is_blank(f.value[0]))
		f.value++;
	len = strlen(f.value);
	while (len && is_blank(f.value[len - 1]))
		len--;
	f.value = document_keep(d, xmlStrndup((const xmlChar *)f.value, (int)len));
	return f;
}

/* Those two are judged here: the plain form cannot have blanks around a value */
static int judge_server(struct document *d, enum dmacc_node node, const char *word,
			struct field f)
{
	struct dmacc_server server = {
		node == DMACC_NODE_ADDR ? DMACC_ELEMENT_ADDR : DMACC_ELEMENT_SERVER_ID,
		f.value, strlen(f.value),
	};
	struct dmacc_reason reason;

	if (node != DMACC_NODE_ADDR && node != DMACC_NODE_SERVER_ID)
		return 0;
	if (!dmacc_server_valid(&server, &reason))
		return 0;
	return document_refuse(d, f.line, "%s: %s", word, reason.sentence);
}

int document_take(struct document *d, enum dmacc_node node, const char *word, struct field f)
{
	if (!field_is_set(f))
		return 0;
	if (d->nodes[node].value)
		return document_refuse(d, f.line, "a second %s", word);
	if (judge_server(d, node, word, f))
		return -1;
	f = trimmed(d, node, f);
	if (!f.value)
		return document_refuse(d, 0, "out of memory");
	if (has_control_character(f.value))
		return document_refuse(d, f.line, "%s: it has a control character", word);
	if (f.value[0])
		d->nodes[node] = f;
	return 0;
}

static bool is_placeholder(struct field f)
{
	return !f.value || dmacc_placeholder(f.value, strlen(f.value));
}

int document_refuse_secret(struct document *d, struct field f, const char *what)
{
	if (is_placeholder(f))
		return 0;
	return document_refuse(d, f.line, "%s: a document holds no credentials: they are computed, "
			       "so leave it out, empty or a placeholder such as @COMPUTED@", what);
}

int document_refuse_user_name(struct document *d, struct field f, const char *what)
{
	if (!d->is_listing || is_placeholder(f))
		return document_refuse_secret(d, f, what);
	document_ignore(d, f.line, "%s, which is computed", what);
	return 0;
}

static int judge_name(struct document *d, const struct credential *c, bool server)
{
	const char *server_id = d->nodes[DMACC_NODE_SERVER_ID].value;

	if (!server)
		return document_refuse_user_name(d, c->name, "the client's name");
	if (is_placeholder(c->name) || (server_id && !strcmp(c->name.value, server_id)))
		return 0;
	return document_refuse(d, c->name.line, "the server's name is another than its identifier");
}

/* The preference is what the document says it is, or else the type of the first credential */
static int take_type(struct document *d, const struct credential *c)
{
	struct field pref = d->nodes[DMACC_NODE_AUTH_PREF];

	if (!field_is_set(c->type) || d->has_no_preference)
		return 0;
	if (!pref.value)
		return document_take(d, DMACC_NODE_AUTH_PREF, "type of authentication", c->type);
	if (strcmp(pref.value, c->type.value))
		document_ignore(d, c->type.line, "a type of authentication that is not preferred");
	return 0;
}

static int take_credential(struct document *d, const struct credential *c, bool server)
{
	if (judge_name(d, c, server))
		return -1;
	if (document_refuse_secret(d, c->secret, server ? "the server's password" :
							  "the client's password"))
		return -1;
	if (take_type(d, c))
		return -1;
	if (is_placeholder(c->data))
		return 0;
	return server ? document_take(d, DMACC_NODE_SERVER_NONCE, "the server's nonce", c->data) :
			document_take(d, DMACC_NODE_CLIENT_NONCE, "the client's nonce", c->data);
}

int document_sort_credential(struct document *d, const struct credential *c, const char *level,
			     const char *const levels[2], const char *word,
			     struct credential found[2])
{
	size_t i = 0;

	while (i < 2 && strcmp(level, levels[i]))
		i++;
	if (i == 2) {
		document_ignore(d, c->line, "%s of level %s", word, document_quote(level));
		return 0;
	}
	if (found[i].line)
		return document_refuse(d, c->line, "a second %s of level %s", word, level);
	found[i] = *c;
	return 0;
}

int document_take_credentials(struct document *d, const struct credential found[2])
{
	int i;

	for (i = 0; i < 2; i++)
		if (found[i].line && take_credential(d, &found[i], i))
			return -1;
	return 0;
}

/* @lines: where the document has what a line of the plain form says */
static int put_nodes(struct document *d, FILE *out, unsigned int lines[DMACC_NODES + 2])
{
	unsigned int count = 1;
	size_t i;

	fputs("[DMAcc]\n", out);
	for (i = 0; i < DMACC_NODES; i++) {
		if (!d->nodes[i].value)
			continue;
		fprintf(out, "%s=%s\n", dmacc_node_word((enum dmacc_node)i), d->nodes[i].value);
		lines[++count] = d->nodes[i].line;
	}
	return fflush(out);
}

static int judge_plain(struct document *d, const char *text, size_t len,
		       const unsigned int lines[DMACC_NODES + 2])
{
	struct dmacc_complaint complaint = { 0, "out of memory" };
	struct dmacc_template *t;
	int err;

	err = dmacc_template_new("document", &t);
	if (err)
		return document_refuse(d, 0, "out of memory");
	err = dmacc_template_read(t, text, len, 0, &complaint);
	if (!err)
		err = dmacc_template_check(t, &complaint);
	dmacc_template_free(t);
	if (!err)
		return 0;
	return document_refuse(d, complaint.line ? lines[complaint.line] : d->line, "%s",
			       complaint.text);
}

int document_write(struct document *d, FILE *out)
{
	unsigned int lines[DMACC_NODES + 2] = { 0 };
	char *text = NULL;
	size_t len = 0;
	FILE *plain;
	int r = -1;

	plain = open_memstream(&text, &len);
	if (!plain)
		return document_refuse(d, 0, "out of memory");
	if (put_nodes(d, plain, lines))
		document_refuse(d, 0, "out of memory");
	else
		r = judge_plain(d, text, len, lines);
	fclose(plain);
	if (!r && fwrite(text, 1, len, out) != len)
		r = document_refuse(d, 0, "out of memory");
	free(text);
	return r;
}
