// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * OMA Client Provisioning: the characteristic APPLICATION whose APPID is w7. It has what the nodes
 * of OMA DM 1.2 are mapped to, and no INIT, which a document on a device cannot have.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "document.h"

#define PUBLIC_ID "-//WAPFORUM//DTD PROV 1.0//EN"
#define SYSTEM_ID "http://www.wapforum.org/DTD/prov.dtd"

/**
 * struct w7 - such a document while it is made
 * @taken: of each node, whether the document says it
 */
struct w7 {
	struct document *d;
	bool *taken;
};

typedef void write_below(struct w7 *w, xmlNode *parent, const char *uri);

static xmlNode *add(struct w7 *w, xmlNode *parent, const char *element, const char *attribute,
		    const char *text)
{
	xmlNode *node = document_add(w->d, parent, element, NULL);

	if (node && !xmlNewProp(node, (const xmlChar *)attribute, (const xmlChar *)text))
		w->d->failed = true;
	return node;
}

static xmlNode *add_characteristic(struct w7 *w, xmlNode *parent, const char *type)
{
	return add(w, parent, "characteristic", "type", type);
}

static void add_parm(struct w7 *w, xmlNode *parent, const char *name, const char *value)
{
	xmlNode *parm = value ? add(w, parent, "parm", "name", name) : NULL;

	if (parm && !xmlNewProp(parm, (const xmlChar *)"value", (const xmlChar *)value))
		w->d->failed = true;
}

/* The child of that name, which the document then says */
static const struct node *take(struct w7 *w, const char *uri, const char *name)
{
	const struct nodes *nodes = w->d->nodes;
	const char *child;
	size_t i;

	for (i = 0; i < nodes->len; i++) {
		child = document_child(uri, nodes->list[i].uri);
		if (!child || strcmp(child, name))
			continue;
		w->taken[i] = true;
		return &nodes->list[i];
	}
	return NULL;
}

static const char *take_value(struct w7 *w, const char *uri, const char *name)
{
	const struct node *node = take(w, uri, name);

	return node ? node->value : NULL;
}

/* @write for each child, whatever its name, of the child of that name */
static void take_each(struct w7 *w, xmlNode *parent, const char *uri, const char *name,
		      write_below *write)
{
	const struct nodes *nodes = w->d->nodes;
	const struct node *node = take(w, uri, name);
	size_t i;

	for (i = 0; node && i < nodes->len; i++) {
		if (!document_child(node->uri, nodes->list[i].uri))
			continue;
		w->taken[i] = true;
		write(w, parent, nodes->list[i].uri);
	}
}

static void write_port(struct w7 *w, xmlNode *address, const char *uri)
{
	xmlNode *port = add_characteristic(w, address, "PORT");

	add_parm(w, port, "PORTNBR", take_value(w, uri, "PortNbr"));
}

/* w7 has capitals there */
static const char *addr_type(const char *type)
{
	if (!type)
		return NULL;
	if (!strcmp(type, "IPv4"))
		return "IPV4";
	return strcmp(type, "IPv6") ? type : "IPV6";
}

static void write_address(struct w7 *w, xmlNode *application, const char *uri)
{
	xmlNode *address = add_characteristic(w, application, "APPADDR");

	add_parm(w, address, "ADDR", take_value(w, uri, "Addr"));
	add_parm(w, address, "ADDRTYPE", addr_type(take_value(w, uri, "AddrType")));
	take_each(w, address, uri, "Port", write_port);
}

/* The connection that is preferred is one of those that are possible, too */
static void write_con_ref(struct w7 *w, xmlNode *application, const char *uri)
{
	const struct node *preferred = document_find(w->d, "PrefConRef");
	const char *ref = take_value(w, uri, "ConRef");

	if (!preferred || !ref || strcmp(ref, preferred->value))
		add_parm(w, application, "TO-NAPID", ref);
}

/* CLIENT is what is shown to the client. NULL: w7 has no such level. */
static const char *level_of(const char *level)
{
	if (!strcmp(level, "CLCRED"))
		return "APPSRV";
	if (!strcmp(level, "SRVCRED"))
		return "CLIENT";
	return strcmp(level, "OBEX") ? NULL : level;
}

static void leave_out(struct w7 *w, const char *uri)
{
	size_t i;

	for (i = 0; i < w->d->nodes->len; i++)
		if (!strcmp(w->d->nodes->list[i].uri, uri))
			w->taken[i] = false;
}

static const char *take_secret(struct w7 *w, const char *uri, const char *name, bool computed)
{
	const struct node *node = take(w, uri, name);

	return node ? document_value(w->d, node, computed) : NULL;
}

/* AAuthPref has no place but in the type; so where there is no preference there is no type */
static void write_type(struct w7 *w, xmlNode *auth, const char *uri)
{
	const struct node *preference = document_find(w->d, "AAuthPref");
	const char *type = take_value(w, uri, "AAuthType");

	if (preference && preference->value[0])
		add_parm(w, auth, "AAUTHTYPE", type);
}

static void write_credential(struct w7 *w, xmlNode *application, const char *uri)
{
	const char *level = take_value(w, uri, "AAuthLevel"), *word;
	xmlNode *auth;

	word = level_of(level ? level : "");
	if (!word) {
		leave_out(w, uri);
		return;
	}
	auth = add_characteristic(w, application, "APPAUTH");
	add_parm(w, auth, "AAUTHLEVEL", word);
	write_type(w, auth, uri);
	add_parm(w, auth, "AAUTHNAME",
		 take_secret(w, uri, "AAuthName", !strcmp(level, "CLCRED")));
	add_parm(w, auth, "AAUTHSECRET", take_secret(w, uri, "AAuthSecret", false));
	add_parm(w, auth, "AAUTHDATA", take_secret(w, uri, "AAuthData", false));
}

static void write_application(struct w7 *w, xmlNode *root, const char *uri)
{
	xmlNode *application = add_characteristic(w, root, "APPLICATION");

	take(w, uri, "AAuthPref");
	add_parm(w, application, "APPID", take_value(w, uri, "AppID"));
	add_parm(w, application, "PROVIDER-ID", take_value(w, uri, "ServerID"));
	add_parm(w, application, "NAME", take_value(w, uri, "Name"));
	add_parm(w, application, "TO-NAPID", take_value(w, uri, "PrefConRef"));
	take_each(w, application, uri, "ToConRef", write_con_ref);
	take_each(w, application, uri, "AppAddr", write_address);
	take_each(w, application, uri, "AppAuth", write_credential);
}

static bool below_one_not_taken(const struct w7 *w, const char *uri)
{
	const struct nodes *nodes = w->d->nodes;
	size_t i;

	for (i = 0; i < nodes->len; i++)
		if (!w->taken[i] && document_child(nodes->list[i].uri, uri))
			return true;
	return false;
}

/* A branch is named once */
static void say_left_out(const struct w7 *w)
{
	const struct nodes *nodes = w->d->nodes;
	size_t i;

	for (i = 1; i < nodes->len; i++)
		if (!w->taken[i] && !below_one_not_taken(w, nodes->list[i].uri))
			complain("left out: %s, for which w7 has no place", nodes->list[i].uri);
}

static void fill(struct document *d, xmlNode *root)
{
	struct w7 w = { d, calloc(d->nodes->len, sizeof(bool)) };

	if (!w.taken) {
		d->failed = true;
		return;
	}
	w.taken[0] = true;
	write_application(&w, root, d->nodes->list[0].uri);
	say_left_out(&w);
	free(w.taken);
}

xmlDoc *document_w7(struct document *d)
{
	xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
	xmlNode *root = doc ? xmlNewDocNode(doc, NULL, (const xmlChar *)"wap-provisioningdoc", NULL) :
			      NULL;

	if (!root) {
		xmlFreeDoc(doc);
		return NULL;
	}
	xmlCreateIntSubset(doc, root->name, (const xmlChar *)PUBLIC_ID, (const xmlChar *)SYSTEM_ID);
	xmlDocSetRootElement(doc, root);
	xmlNewProp(root, (const xmlChar *)"version", (const xmlChar *)"1.1");
	fill(d, root);
	return doc;
}
