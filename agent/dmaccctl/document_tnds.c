// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * OMA DM tree and description serialization, DM-DDF 1.2: each node of the tree is a Node element
 * with its properties, and either its value or further Nodes.
 */
#include <stdlib.h>
#include <string.h>

#include "document.h"

#define BASE_1_2 "./DMAcc/"
#define URN_1_2 "urn:oma:mo:oma-dm-dmacc:1.0"
#define DDF_NAME_1_1 "org.openmobilealliance/1.0/DMAcc"
#define PUBLIC_ID "-//OMA//DTD-DM-DDF 1.2//EN"
#define SYSTEM_ID "http://www.openmobilealliance.org/tech/DTD/DM_DDF-V1_2.dtd"

static bool is_account(const struct document *d, const struct node *node)
{
	return node == &d->nodes->list[0];
}

static bool is_interior(const struct node *node)
{
	return !strcmp(node->format, "node");
}

static bool is_binary(const struct node *node)
{
	return !strcmp(node->format, "bin");
}

static bool is_1_2(const struct document *d)
{
	return !strncmp(d->nodes->list[0].uri, BASE_1_2, strlen(BASE_1_2));
}

static const char *name_of(const struct node *node)
{
	const char *slash = strrchr(node->uri, '/');

	return slash ? slash + 1 : node->uri;
}

/*
 * As the mapping of the standard has it: the account is its server's, which may read, replace and
 * delete it, and what lies below inherits that; but nobody may read a secret.
 */
static void add_acl(struct document *d, xmlNode *properties, const struct node *node)
{
	const struct node *server = document_find(d, is_1_2(d) ? "ServerID" : "ServerId");
	const char *id = server ? server->value : "";
	char *acl = NULL;

	if (!id[0] || (!is_account(d, node) && !node->protected))
		return;
	if (asprintf(&acl, node->protected ? "Replace=%s" : "Delete=%s&Get=%s&Replace=%s", id, id,
		     id) < 0)
		acl = NULL;
	document_add(d, acl ? properties : NULL, "ACL", acl);
	free(acl);
}

static void add_type(struct document *d, xmlNode *properties, const struct node *node)
{
	xmlNode *type = document_add(d, properties, "Type", NULL);

	if (is_account(d, node))
		document_add(d, type, "DDFName", is_1_2(d) ? URN_1_2 : DDF_NAME_1_1);
	else if (is_interior(node))
		document_add(d, type, "DDFName", NULL);
	else
		document_add(d, type, "MIME", is_binary(node) ? "application/octet-stream" :
								"text/plain");
}

static void add_properties(struct document *d, xmlNode *element, const struct node *node)
{
	xmlNode *properties = document_add(d, element, "RTProperties", NULL);

	add_acl(d, properties, node);
	/* in XML bytes are base64 */
	document_add(d, document_add(d, properties, "Format", NULL),
		     is_binary(node) ? "b64" : node->format, NULL);
	add_type(d, properties, node);
}

static void add_path(struct document *d, xmlNode *element, const struct node *node)
{
	const char *slash = strrchr(node->uri, '/');
	char *path = strndup(node->uri, slash ? (size_t)(slash - node->uri) : 0);

	document_add(d, path ? element : NULL, "Path", path);
	free(path);
}

/* UserName, which in 1.2 is AAuthName beside an AAuthLevel of CLCRED */
static bool is_computed(const struct document *d, const struct node *node)
{
	const struct node *other;
	size_t len = (size_t)(name_of(node) - node->uri), i;

	if (!is_1_2(d))
		return !strcmp(name_of(node), "UserName");
	if (strcmp(name_of(node), "AAuthName"))
		return false;
	for (i = 0; i < d->nodes->len; i++) {
		other = &d->nodes->list[i];
		if (!strncmp(other->uri, node->uri, len) && !strcmp(other->uri + len, "AAuthLevel"))
			return !strcmp(other->value, "CLCRED");
	}
	return false;
}

/* NULL if it has to be left out */
static xmlNode *add_node(struct document *d, xmlNode *parent, const struct node *node)
{
	const char *value = NULL;
	xmlNode *element;

	if (!is_interior(node)) {
		value = document_value(d, node, is_computed(d, node));
		/* a nonce that is hidden: 1.1.2 has the node always */
		if (!value && is_1_2(d))
			return NULL;
	}
	element = document_add(d, parent, "Node", NULL);
	document_add(d, element, "NodeName", name_of(node));
	if (is_account(d, node))
		add_path(d, element, node);
	add_properties(d, element, node);
	if (!is_interior(node))
		document_add(d, element, "Value", value);
	return element;
}

/* The element of the node that @node is a child of: it came before */
static xmlNode *parent_of(const struct document *d, xmlNode *const *elements, size_t i)
{
	size_t p;

	for (p = i; p-- > 0;)
		if (document_child(d->nodes->list[p].uri, d->nodes->list[i].uri))
			return elements[p];
	return NULL;
}

/* Without it who reads the credentials' types would take one of them for the preference */
static void add_no_preference(struct document *d, xmlNode *account)
{
	static const struct node none = { (char *)"/AAuthPref", (char *)"chr", (char *)"", false,
					  false };

	if (is_1_2(d) && !document_find(d, "AAuthPref"))
		add_node(d, account, &none);
}

static void add_nodes(struct document *d, xmlNode *root)
{
	xmlNode **elements = calloc(d->nodes->len, sizeof(*elements));
	size_t i;

	if (!elements) {
		d->failed = true;
		return;
	}
	for (i = 0; i < d->nodes->len; i++)
		elements[i] = add_node(d, i ? parent_of(d, elements, i) : root, &d->nodes->list[i]);
	add_no_preference(d, elements[0]);
	free(elements);
}

xmlDoc *document_tnds(struct document *d)
{
	xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
	xmlNode *root = doc ? xmlNewDocNode(doc, NULL, (const xmlChar *)"MgmtTree", NULL) : NULL;

	if (!root) {
		xmlFreeDoc(doc);
		return NULL;
	}
	xmlCreateIntSubset(doc, root->name, (const xmlChar *)PUBLIC_ID, (const xmlChar *)SYSTEM_ID);
	xmlDocSetRootElement(doc, root);
	xmlNewProp(root, (const xmlChar *)"xmlns", (const xmlChar *)"syncml:dmddf1.2");
	document_add(d, root, "VerDTD", "1.2");
	add_nodes(d, root);
	return doc;
}
