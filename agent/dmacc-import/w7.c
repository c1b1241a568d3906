// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * OMA Client Provisioning: a DM account is the characteristic APPLICATION whose APPID is w7. Names
 * are in capitals; others are other names.
 */
#include <string.h>

#include "w7.h"
#include "xml.h"

static bool is_characteristic(struct document *d, xmlNode *node, const char *type)
{
	struct field f;

	if (!xml_is(node, "characteristic"))
		return false;
	f = xml_attribute(d, node, "type");
	return f.value && !strcmp(f.value, type);
}

/* The name of a parm; NULL if it is none */
static const char *parm_name(struct document *d, xmlNode *node)
{
	return xml_is(node, "parm") ? xml_attribute(d, node, "name").value : NULL;
}

static bool is_parm(struct document *d, xmlNode *node, const char *name)
{
	const char *found = parm_name(d, node);

	return found && !strcmp(found, name);
}

/* Something that an account has no place for */
static void ignore(struct document *d, xmlNode *node, const char *where)
{
	const char *name = parm_name(d, node);

	if (name)
		document_ignore(d, xml_line(node), "parm %s in %s", document_quote(name), where);
	else if (xml_is(node, "characteristic"))
		document_ignore(d, xml_line(node), "characteristic %s in %s",
				document_quote(xml_attribute(d, node, "type").value), where);
	else
		document_ignore(d, xml_line(node), "element %s in %s",
				document_quote((const char *)node->name), where);
}

/* Several are possible, the account has one: the first */
static int take_con_ref(struct document *d, xmlNode *node, const char *word)
{
	if (d->nodes[DMACC_NODE_CON_REF].value) {
		document_ignore(d, xml_line(node), "a further %s", word);
		return 0;
	}
	return document_take(d, DMACC_NODE_CON_REF, word, xml_attribute(d, node, "value"));
}

static int read_port(struct document *d, xmlNode *port)
{
	xmlNode *node;

	xml_for_each_child(node, port) {
		if (!is_parm(d, node, "PORTNBR"))
			ignore(d, node, "PORT");
		else if (document_take(d, DMACC_NODE_PORT_NBR, "PORTNBR",
				       xml_attribute(d, node, "value")))
			return -1;
	}
	return 0;
}

static int read_address(struct document *d, xmlNode *address)
{
	bool has_port = false;
	xmlNode *node;
	int r = 0;

	xml_for_each_child(node, address) {
		struct field value = xml_attribute(d, node, "value");

		if (is_parm(d, node, "ADDR")) {
			r = document_take(d, DMACC_NODE_ADDR, "ADDR", value);
		} else if (is_parm(d, node, "ADDRTYPE")) {
			r = document_take(d, DMACC_NODE_ADDR_TYPE, "ADDRTYPE", value);
		} else if (!has_port && is_characteristic(d, node, "PORT")) {
			has_port = true;
			r = read_port(d, node);
		} else {
			ignore(d, node, "APPADDR");
		}
		if (r)
			return r;
	}
	return 0;
}

/* Its five parms; @ret_level: AAUTHLEVEL */
static int gather_credential(struct document *d, xmlNode *auth, struct credential *c,
			     struct field *ret_level)
{
	const struct {
		const char *name;
		struct field *field;
	} parms[] = {
		{ "AAUTHLEVEL", ret_level }, { "AAUTHTYPE", &c->type }, { "AAUTHNAME", &c->name },
		{ "AAUTHSECRET", &c->secret }, { "AAUTHDATA", &c->data },
	};
	size_t count = sizeof(parms) / sizeof(parms[0]), i;
	xmlNode *node;

	xml_for_each_child(node, auth) {
		for (i = 0; i < count && !is_parm(d, node, parms[i].name); i++)
			;
		if (i == count) {
			ignore(d, node, "APPAUTH");
			continue;
		}
		if (parms[i].field->line)
			return document_refuse(d, xml_line(node), "a second %s", parms[i].name);
		*parms[i].field = xml_attribute(d, node, "value");
	}
	return 0;
}

/* @found: the credential of the client, of the server */
static int read_credential(struct document *d, xmlNode *auth, struct credential found[2])
{
	/* CLIENT: what is shown to the client, by which the server proves itself */
	static const char *const levels[] = { "APPSRV", "CLIENT" };
	struct credential c = { .line = xml_line(auth) };
	struct field level = { 0 };

	if (gather_credential(d, auth, &c, &level))
		return -1;
	if (!field_is_set(level))
		return document_refuse(d, c.line, "APPAUTH has no AAUTHLEVEL");
	return document_sort_credential(d, &c, level.value, levels, "APPAUTH", found);
}

static int read_parm(struct document *d, xmlNode *node)
{
	struct field value = xml_attribute(d, node, "value");

	if (is_parm(d, node, "APPID"))
		return 0;
	if (is_parm(d, node, "PROVIDER-ID"))
		return document_take(d, DMACC_NODE_SERVER_ID, "PROVIDER-ID", value);
	if (is_parm(d, node, "NAME"))
		return document_take(d, DMACC_NODE_NAME, "NAME", value);
	if (is_parm(d, node, "TO-PROXY") || is_parm(d, node, "TO-NAPID"))
		return take_con_ref(d, node, parm_name(d, node));
	if (is_parm(d, node, "INIT"))
		document_ignore(d, xml_line(node),
				"INIT, which a document on the device cannot have");
	else
		ignore(d, node, "APPLICATION");
	return 0;
}

static int read_application(struct document *d, xmlNode *application)
{
	struct credential found[2] = { 0 };
	bool has_address = false;
	xmlNode *node;
	int r = 0;

	d->line = xml_line(application);
	xml_for_each_child(node, application) {
		if (!has_address && is_characteristic(d, node, "APPADDR")) {
			has_address = true;
			r = read_address(d, node);
		} else if (is_characteristic(d, node, "APPAUTH")) {
			r = read_credential(d, node, found);
		} else {
			r = read_parm(d, node);
		}
		if (r)
			return r;
	}
	if (!d->nodes[DMACC_NODE_SERVER_ID].value)
		return document_refuse(d, d->line, "APPLICATION has no PROVIDER-ID");
	if (!d->nodes[DMACC_NODE_ADDR].value)
		return document_refuse(d, d->line, "APPLICATION has no APPADDR with an ADDR");
	return document_take_credentials(d, found);
}

static struct field app_id(struct document *d, xmlNode *application)
{
	xmlNode *node;

	xml_for_each_child(node, application)
		if (is_parm(d, node, "APPID"))
			return xml_attribute(d, node, "value");
	return (struct field){ 0 };
}

/* Sets @ret to the one APPLICATION that is w7 */
static int find_application(struct document *d, xmlNode *root, xmlNode **ret)
{
	struct field id;
	xmlNode *node;

	*ret = NULL;
	xml_for_each_child(node, root) {
		if (!is_characteristic(d, node, "APPLICATION")) {
			ignore(d, node, "the document");
			continue;
		}
		id = app_id(d, node);
		if (!id.value || strcmp(id.value, "w7"))
			document_ignore(d, xml_line(node), "APPLICATION %s, which is not w7",
					document_quote(id.value));
		else if (*ret)
			return document_refuse(d, xml_line(node),
					       "a second APPLICATION that is w7");
		else
			*ret = node;
	}
	if (!*ret)
		return document_refuse(d, xml_line(root),
				       "there is no APPLICATION whose APPID is w7");
	return 0;
}

int w7_read(struct document *d, xmlNode *root)
{
	xmlNode *application;

	if (find_application(d, root, &application))
		return -1;
	return read_application(d, application);
}
