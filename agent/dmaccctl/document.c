// SPDX-License-Identifier: LGPL-2.1-or-later
#include <libxml/entities.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <wbxml/wbxml.h>

#include "ctl.h"
#include "dmacc.h"
#include "document.h"

#define PLACEHOLDER "@COMPUTED@"
#define WBXML_STR_I 3	/* a string follows, as far as a zero */

const char *document_value(struct document *d, const struct node *node, bool computed)
{
	if (node->hidden)
		return strcmp(node->format, "bin") ? PLACEHOLDER : NULL;
	if (!node->protected)
		return computed && !d->with_secrets ? PLACEHOLDER : node->value;
	if (d->secrets_len == DOCUMENT_SECRETS)
		return NULL;
	snprintf(d->text, sizeof(d->text), "%s%02zu", d->mark, d->secrets_len);
	d->secrets[d->secrets_len++] = node;
	return d->text;
}

const char *document_child(const char *parent, const char *uri)
{
	size_t len = strlen(parent);

	if (strncmp(uri, parent, len) || uri[len] != '/' || strchr(uri + len + 1, '/'))
		return NULL;
	return uri + len + 1;
}

const struct node *document_find(const struct document *d, const char *path)
{
	const struct nodes *nodes = d->nodes;
	size_t len = nodes->len ? strlen(nodes->list[0].uri) : 0, i;

	for (i = 1; i < nodes->len; i++)
		if (!strncmp(nodes->list[i].uri, nodes->list[0].uri, len) &&
		    nodes->list[i].uri[len] == '/' && !strcmp(nodes->list[i].uri + len + 1, path))
			return &nodes->list[i];
	return NULL;
}

xmlNode *document_add(struct document *d, xmlNode *parent, const char *element, const char *text)
{
	xmlNode *node = NULL;

	if (parent)
		node = xmlNewTextChild(parent, NULL, (const xmlChar *)element, (const xmlChar *)text);
	if (!node)
		d->failed = true;
	return node;
}

/* Returns -1 if it cannot be told what no value has */
static int begin(struct document *d, const struct nodes *nodes, bool with_secrets)
{
	uint8_t random[8];

	*d = (struct document){ .nodes = nodes, .with_secrets = with_secrets };
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -1;
	strcpy(d->mark, "secret-");
	hex(random, sizeof(random), d->mark + strlen(d->mark));
	return 0;
}

static int put_escaped(const char *value, FILE *out)
{
	xmlChar *escaped = xmlEncodeSpecialChars(NULL, (const xmlChar *)value);

	if (!escaped)
		return -1;
	fputs((const char *)escaped, out);
	dmacc_wipe(escaped, strlen((const char *)escaped));
	xmlFree(escaped);
	return 0;
}

/* A mark in WBXML is one string and nothing else; its length stands nowhere */
static int put_inline(const char *bytes, const char *at, const char *end, const char *value,
		      FILE *out)
{
	if (at == bytes || at[-1] != WBXML_STR_I || *end)
		return -1;
	fputs(value, out);
	return 0;
}

/* The document with its secrets where the marks are. -1: they are not where they should be. */
static int put(const struct document *d, const char *bytes, size_t len, bool binary, FILE *out)
{
	const char *from = bytes, *end = bytes + len, *at;
	size_t mark = strlen(d->mark), put = 0, n;

	while ((at = memmem(from, (size_t)(end - from), d->mark, mark))) {
		n = (size_t)atoi((char[]){ at[mark], at[mark + 1], '\0' });
		if (n >= d->secrets_len)
			return -1;
		fwrite(from, 1, (size_t)(at - from), out);
		from = at + mark + 2;
		if (binary ? put_inline(bytes, at, from, d->secrets[n]->value, out) :
			     put_escaped(d->secrets[n]->value, out))
			return -1;
		put++;
	}
	fwrite(from, 1, (size_t)(end - from), out);
	return put == d->secrets_len ? 0 : -1;
}

static WBXMLError to_wbxml(const xmlChar *xml, int len, WB_UTINY **ret, WB_ULONG *ret_len)
{
	WBXMLConvXML2WBXML *conv;
	WBXMLError r;

	r = wbxml_conv_xml2wbxml_create(&conv);
	if (r != WBXML_OK)
		return r;
	wbxml_conv_xml2wbxml_set_version(conv, WBXML_VERSION_13);
	wbxml_conv_xml2wbxml_enable_preserve_whitespaces(conv);
	/* which would take parts of values out of their place */
	wbxml_conv_xml2wbxml_disable_string_table(conv);
	r = wbxml_conv_xml2wbxml_run(conv, (WB_UTINY *)xml, (WB_ULONG)len, ret, ret_len);
	wbxml_conv_xml2wbxml_destroy(conv);
	return r;
}

static int print_wbxml(const struct document *d, xmlDoc *doc, FILE *out)
{
	WB_UTINY *wbxml = NULL;
	WB_ULONG wbxml_len = 0;
	xmlChar *xml = NULL;
	WBXMLError error;
	int len, r;

	xmlDocDumpFormatMemoryEnc(doc, &xml, &len, "UTF-8", 0);
	if (!xml)
		return complain("out of memory");
	error = to_wbxml(xml, len, &wbxml, &wbxml_len);
	xmlFree(xml);
	if (error != WBXML_OK)
		return complain("it cannot be written as WBXML: %s",
				(const char *)wbxml_errors_string(error));
	r = put(d, (const char *)wbxml, wbxml_len, true, out);
	free(wbxml);
	return r ? complain("it cannot be written as WBXML") : 0;
}

static int print_xml(const struct document *d, xmlDoc *doc, FILE *out)
{
	xmlChar *xml = NULL;
	int len, r;

	xmlDocDumpFormatMemoryEnc(doc, &xml, &len, "UTF-8", 1);
	if (!xml)
		return complain("out of memory");
	r = put(d, (const char *)xml, (size_t)len, false, out);
	xmlFree(xml);
	return r ? complain("it cannot be written as XML") : 0;
}

int document_print(const struct nodes *nodes, bool with_secrets,
		   xmlDoc *(*make)(struct document *d), bool binary, FILE *out)
{
	struct document d;
	xmlDoc *doc;
	int r;

	doc = begin(&d, nodes, with_secrets) || !nodes->len ? NULL : make(&d);
	if (!doc || d.failed)
		r = complain("out of memory");
	else
		r = binary ? print_wbxml(&d, doc, out) : print_xml(&d, doc, out);
	xmlFreeDoc(doc);
	return r ? EXIT_SOME : 0;
}
