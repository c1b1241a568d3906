// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "listing.h"
#include "xml.h"

#define NODES_MAX 1000
#define DEPTH_MAX 32

/* What editors put in front of UTF-8, and blanks */
static const char *first_byte(const char *bytes, size_t len)
{
	const char *end = bytes + len;

	if (len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3))
		bytes += 3;
	while (bytes < end && strchr(" \t\r\n", *bytes) && *bytes)
		bytes++;
	return bytes < end ? bytes : "";
}

bool listing_is_json(const char *bytes, size_t len)
{
	const char *first = first_byte(bytes, len);

	return *first == '[' || *first == '{';
}

bool listing_is_text(const char *bytes, size_t len)
{
	const char *first = first_byte(bytes, len);

	return *first == '.' || *first == '#';
}

int listing_begin(struct listing *l, struct document *d)
{
	xmlNode *root;

	*l = (struct listing){ .d = d, .doc = xmlNewDoc((const xmlChar *)"1.0") };
	root = l->doc ? xmlNewDocNode(l->doc, NULL, (const xmlChar *)"MgmtTree", NULL) : NULL;
	if (!root)
		return document_refuse(d, 0, "out of memory");
	xmlDocSetRootElement(l->doc, root);
	if (!xmlNewTextChild(root, NULL, (const xmlChar *)"VerDTD", (const xmlChar *)"1.2"))
		return document_refuse(d, 0, "out of memory");
	d->is_listing = true;
	return 0;
}

xmlDoc *listing_end(struct listing *l, int r)
{
	if (!r)
		return l->doc;
	xmlFreeDoc(l->doc);
	return NULL;
}

static xmlNode *add_element(xmlNode *parent, const char *element, const char *text,
			    unsigned int line)
{
	xmlNode *node = NULL;

	if (parent)
		node = xmlNewTextChild(parent, NULL, (const xmlChar *)element, (const xmlChar *)text);
	if (node)
		node->line = line < UINT16_MAX ? (unsigned short)line : UINT16_MAX;
	return node;
}

/* The Node of that name, whose NodeName is its first child */
static xmlNode *find_node(xmlNode *parent, const char *name, size_t len)
{
	xmlNode *node;
	const char *found;

	xml_for_each_child(node, parent) {
		if (!xml_is(node, "Node"))
			continue;
		found = (const char *)node->children->children->content;
		if (strlen(found) == len && !memcmp(found, name, len))
			return node;
	}
	return NULL;
}

static xmlNode *new_node(xmlNode *parent, const char *name, size_t len, unsigned int line)
{
	xmlNode *node = add_element(parent, "Node", NULL, line);
	xmlChar *copy = xmlStrndup((const xmlChar *)name, (int)len);

	if (!copy || !add_element(node, "NodeName", (const char *)copy, line))
		node = NULL;
	xmlFree(copy);
	return node;
}

/* The Node of a URI, with those that lead to it. NULL, and a sentence in @reterr. */
static xmlNode *place(struct listing *l, const char *uri, unsigned int line, const char **reterr)
{
	xmlNode *at = xmlDocGetRootElement(l->doc), *next;
	unsigned int depth = 0;
	size_t len;

	*reterr = "it is no URI of a node";
	if (strncmp(uri, "./", 2))
		return NULL;
	for (uri += 2; at; uri += len + 1) {
		len = strcspn(uri, "/");
		if (!len || ++depth > DEPTH_MAX)
			return NULL;
		next = find_node(at, uri, len);
		/* one that is listed twice is there twice, for who reads the tree to judge */
		if (!next || (!uri[len] && next->_private))
			next = new_node(at, uri, len, line);
		at = next;
		if (!uri[len])
			break;
	}
	if (!at)
		*reterr = "out of memory";
	return at;
}

static bool is_format(const char *format)
{
	static const char *const formats[] = {
		"b64", "bin", "bool", "chr", "int", "node", "null", "xml", "date", "time", "float",
	};
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(format, formats[i]))
			return true;
	return false;
}

int listing_add(struct listing *l, unsigned int line, const char *uri, const char *format,
		const char *value)
{
	xmlNode *node, *properties;
	const char *sentence;

	if (++l->count > NODES_MAX)
		return document_refuse(l->d, line, "it has more than %d nodes, which no account "
				       "needs", NODES_MAX);
	if (!is_format(format))
		return document_refuse(l->d, line, "a node has a format that there is not");
	node = place(l, uri, line, &sentence);
	if (!node)
		return document_refuse(l->d, line, "%s", sentence);
	node->_private = l;
	properties = add_element(node, "RTProperties", NULL, line);
	if (!add_element(add_element(properties, "Format", NULL, line), format, NULL, line))
		return document_refuse(l->d, 0, "out of memory");
	if (strcmp(format, "node") && value && !add_element(node, "Value", value, line))
		return document_refuse(l->d, 0, "out of memory");
	return 0;
}
