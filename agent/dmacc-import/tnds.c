// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * OMA DM tree and description serialization: a tree of Node elements, each with a NodeName and
 * either a Value or further Nodes. The account is the node that has what only an account has,
 * wherever the tree puts it and whatever it calls it.
 */
#include <arpa/inet.h>
#include <string.h>

#include "tnds.h"
#include "xml.h"

static xmlNode *child(xmlNode *node, const char *element)
{
	xmlNode *c;

	xml_for_each_child(c, node)
		if (xml_is(c, element))
			return c;
	return NULL;
}

static const char *name_of(struct document *d, xmlNode *node)
{
	xmlNode *name = child(node, "NodeName");

	return (name ? xml_text(d, name).value : NULL) ?: "";
}

static bool is_named(struct document *d, xmlNode *node, const char *name)
{
	return xml_is(node, "Node") && !strcmp(name_of(d, node), name);
}

/* The child Node of that name */
static xmlNode *find(struct document *d, xmlNode *node, const char *name)
{
	xmlNode *c;

	xml_for_each_child(c, node)
		if (is_named(d, c, name))
			return c;
	return NULL;
}

static struct field value_of(struct document *d, xmlNode *node)
{
	xmlNode *value = child(node, "Value");

	return value ? xml_text(d, value) : (struct field){ NULL, xml_line(node) };
}

/* The access rules of an account are the standard's, not its server's */
static void ignore_acl(struct document *d, xmlNode *node)
{
	xmlNode *properties = child(node, "RTProperties");
	xmlNode *acl = properties ? child(properties, "ACL") : NULL;

	if (acl)
		document_ignore(d, xml_line(acl), "ACL of %s", document_quote(name_of(d, node)));
}

static void ignore(struct document *d, xmlNode *node)
{
	document_ignore(d, xml_line(node), "node %s", document_quote(name_of(d, node)));
}

/* Leaves of an account that become a value as they are */
struct leaf {
	const char *name;
	enum dmacc_node node;
};

static int take_leaf(struct document *d, xmlNode *node, const struct leaf *leaves, bool *ret_taken)
{
	for (; leaves->name; leaves++) {
		if (!is_named(d, node, leaves->name))
			continue;
		*ret_taken = true;
		return document_take(d, leaves->node, leaves->name, value_of(d, node));
	}
	*ret_taken = false;
	return 0;
}

/* Takes those of @node's children that are leaves of the account; @others may be NULL: ignored */
static int take_leaves(struct document *d, xmlNode *node, const struct leaf *leaves,
		       int (*others)(struct document *d, xmlNode *node))
{
	bool taken;
	xmlNode *c;

	ignore_acl(d, node);
	xml_for_each_child(c, node) {
		if (!xml_is(c, "Node"))
			continue;
		if (take_leaf(d, c, leaves, &taken))
			return -1;
		if (taken)
			ignore_acl(d, c);
		else if (!others)
			ignore(d, c);
		else if (others(d, c))
			return -1;
	}
	return 0;
}

/* The first Node among the children, which the tree may call as it likes; others are ignored */
static xmlNode *first_of(struct document *d, xmlNode *node)
{
	xmlNode *c, *first = NULL;

	ignore_acl(d, node);
	xml_for_each_child(c, node) {
		if (!xml_is(c, "Node"))
			continue;
		if (first)
			document_ignore(d, xml_line(c), "a further node below %s",
					document_quote(name_of(d, node)));
		else
			first = c;
	}
	return first;
}

/* A nonce is bytes: text of another format could be them or stand for them */
static int judge_nonce(struct document *d, xmlNode *node)
{
	xmlNode *properties = child(node, "RTProperties");
	xmlNode *format = properties ? child(properties, "Format") : NULL;
	xmlNode *type = format ? xml_element(format->children) : NULL;

	if (!type || xml_is(type, "b64") || xml_is(type, "bin"))
		return 0;
	return document_refuse(d, xml_line(type), "%s has another format than b64 or bin",
			       document_quote(name_of(d, node)));
}

static int read_port(struct document *d, xmlNode *ports)
{
	static const struct leaf leaves[] = { { "PortNbr", DMACC_NODE_PORT_NBR }, { 0 } };
	xmlNode *port = first_of(d, ports);

	return port ? take_leaves(d, port, leaves, NULL) : 0;
}

static int read_address_other(struct document *d, xmlNode *node)
{
	if (is_named(d, node, "Port"))
		return read_port(d, node);
	ignore(d, node);
	return 0;
}

static int read_addresses(struct document *d, xmlNode *addresses)
{
	static const struct leaf leaves[] = {
		{ "Addr", DMACC_NODE_ADDR }, { "AddrType", DMACC_NODE_ADDR_TYPE }, { 0 },
	};
	xmlNode *address = first_of(d, addresses);

	return address ? take_leaves(d, address, leaves, read_address_other) : 0;
}

static int gather_credential(struct document *d, xmlNode *auth, struct credential *c,
			     struct field *ret_level)
{
	const struct {
		const char *name;
		struct field *field;
	} leaves[] = {
		{ "AAuthLevel", ret_level }, { "AAuthType", &c->type }, { "AAuthName", &c->name },
		{ "AAuthSecret", &c->secret }, { "AAuthData", &c->data },
	};
	size_t count = sizeof(leaves) / sizeof(leaves[0]), i;
	xmlNode *node;

	ignore_acl(d, auth);
	xml_for_each_child(node, auth) {
		if (!xml_is(node, "Node"))
			continue;
		for (i = 0; i < count && !is_named(d, node, leaves[i].name); i++)
			;
		if (i == count) {
			ignore(d, node);
			continue;
		}
		if (leaves[i].field->line)
			return document_refuse(d, xml_line(node), "a second %s", leaves[i].name);
		if (leaves[i].field == &c->data && judge_nonce(d, node))
			return -1;
		ignore_acl(d, node);
		*leaves[i].field = value_of(d, node);
	}
	return 0;
}

/* @found: the credential of the client, of the server */
static int read_credential(struct document *d, xmlNode *auth, struct credential found[2])
{
	static const char *const levels[] = { "CLCRED", "SRVCRED" };
	struct credential c = { .line = xml_line(auth) };
	struct field level = { 0 };

	if (gather_credential(d, auth, &c, &level))
		return -1;
	if (!field_is_set(level))
		return document_refuse(d, c.line, "a node below AppAuth has no AAuthLevel");
	return document_sort_credential(d, &c, level.value, levels, "AppAuth", found);
}

static int read_credentials(struct document *d, xmlNode *credentials)
{
	struct credential found[2] = { 0 };
	xmlNode *node;

	ignore_acl(d, credentials);
	xml_for_each_child(node, credentials)
		if (xml_is(node, "Node") && read_credential(d, node, found))
			return -1;
	return document_take_credentials(d, found);
}

/* The account has one reference. Those of ToConRef are the same as PrefConRef, or more. */
static void ignore_con_refs(struct document *d, xmlNode *refs)
{
	const char *known = d->nodes[DMACC_NODE_CON_REF].value;
	xmlNode *ref, *leaf;

	ignore_acl(d, refs);
	xml_for_each_child(ref, refs) {
		if (!xml_is(ref, "Node"))
			continue;
		leaf = find(d, ref, "ConRef");
		if (!leaf || strcmp(value_of(d, leaf).value ?: "", known))
			document_ignore(d, xml_line(ref), "a further node below ToConRef");
	}
}

static int read_con_refs(struct document *d, xmlNode *refs)
{
	static const struct leaf leaves[] = { { "ConRef", DMACC_NODE_CON_REF }, { 0 } };
	xmlNode *ref;

	if (d->nodes[DMACC_NODE_CON_REF].value) {
		ignore_con_refs(d, refs);
		return 0;
	}
	ref = first_of(d, refs);
	return ref ? take_leaves(d, ref, leaves, NULL) : 0;
}

static int read_other_1_2(struct document *d, xmlNode *node)
{
	if (is_named(d, node, "AppAddr"))
		return read_addresses(d, node);
	/* after the rest: they refer to it */
	if (!is_named(d, node, "AppID") && !is_named(d, node, "AppAuth") &&
	    !is_named(d, node, "ToConRef"))
		ignore(d, node);
	return 0;
}

static int read_1_2(struct document *d, xmlNode *account)
{
	static const struct leaf leaves[] = {
		{ "ServerID", DMACC_NODE_SERVER_ID }, { "Name", DMACC_NODE_NAME },
		{ "PrefConRef", DMACC_NODE_CON_REF }, { "AAuthPref", DMACC_NODE_AUTH_PREF }, { 0 },
	};
	xmlNode *id = find(d, account, "AppID"), *refs = find(d, account, "ToConRef"),
		*credentials = find(d, account, "AppAuth"),
		*preference = find(d, account, "AAuthPref");

	if (id && strcmp(value_of(d, id).value ?: "", "w7"))
		return document_refuse(d, xml_line(id), "AppID of the account is not w7");
	if (take_leaves(d, account, leaves, read_other_1_2))
		return -1;
	if (!d->nodes[DMACC_NODE_SERVER_ID].value)
		return document_refuse(d, d->line, "the account has no ServerID");
	if (!d->nodes[DMACC_NODE_ADDR].value)
		return document_refuse(d, d->line, "the account has no AppAddr with an Addr");
	if (refs && read_con_refs(d, refs))
		return -1;
	/* a listing has all nodes that there are; elsewhere an empty one is what says it */
	d->has_no_preference = preference ? !field_is_set(value_of(d, preference)) : d->is_listing;
	return credentials ? read_credentials(d, credentials) : 0;
}

/* Secrets, nonces, and AddrType, which has the transport in this layout */
static int read_other_1_1(struct document *d, xmlNode *node)
{
	struct field f = value_of(d, node);

	ignore_acl(d, node);
	if (is_named(d, node, "ServerPW"))
		return document_refuse_secret(d, f, "ServerPW");
	if (is_named(d, node, "ClientPW"))
		return document_refuse_secret(d, f, "ClientPW");
	if (is_named(d, node, "UserName"))
		return document_refuse_user_name(d, f, "UserName");
	/* taken later */
	if (is_named(d, node, "ServerNonce") || is_named(d, node, "ClientNonce"))
		return 0;
	if (!is_named(d, node, "AddrType")) {
		ignore(d, node);
		return 0;
	}
	if (field_is_set(f) && strcmp(f.value, "1"))
		return document_refuse(d, f.line, "AddrType is not 1, which is HTTP: no other "
				       "transport is known");
	return 0;
}

static int take_nonce_1_1(struct document *d, xmlNode *account, const char *name,
			  enum dmacc_node node)
{
	xmlNode *nonce = find(d, account, name);
	struct field f;

	if (!nonce)
		return 0;
	f = value_of(d, nonce);
	if (!f.value || dmacc_placeholder(f.value, strlen(f.value)))
		return 0;
	return judge_nonce(d, nonce) ? -1 : document_take(d, node, name, f);
}

/* AddrType of 1.1.2 does not tell an address from a URI: the Addr does */
static int take_addr_type(struct document *d)
{
	struct field addr = d->nodes[DMACC_NODE_ADDR];
	struct field type = { NULL, addr.line };
	uint8_t raw[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, addr.value, raw) == 1)
		type.value = "IPv4";
	else if (inet_pton(AF_INET6, addr.value, raw) == 1)
		type.value = "IPv6";
	return document_take(d, DMACC_NODE_ADDR_TYPE, "AddrType", type);
}

static int read_1_1(struct document *d, xmlNode *account)
{
	static const struct leaf leaves[] = {
		{ "Addr", DMACC_NODE_ADDR }, { "PortNbr", DMACC_NODE_PORT_NBR },
		{ "ConRef", DMACC_NODE_CON_REF }, { "ServerId", DMACC_NODE_SERVER_ID },
		{ "AuthPref", DMACC_NODE_AUTH_PREF }, { "Name", DMACC_NODE_NAME }, { 0 },
	};

	if (take_leaves(d, account, leaves, read_other_1_1))
		return -1;
	if (!d->nodes[DMACC_NODE_SERVER_ID].value)
		return document_refuse(d, d->line, "the account has no ServerId");
	if (!d->nodes[DMACC_NODE_ADDR].value)
		return document_refuse(d, d->line, "the account has no Addr");
	if (take_addr_type(d))
		return -1;
	if (take_nonce_1_1(d, account, "ServerNonce", DMACC_NODE_SERVER_NONCE))
		return -1;
	return take_nonce_1_1(d, account, "ClientNonce", DMACC_NODE_CLIENT_NONCE);
}

static bool has_any(struct document *d, xmlNode *node, const char *const *names)
{
	for (; *names; names++)
		if (find(d, node, *names))
			return true;
	return false;
}

static bool is_1_2(struct document *d, xmlNode *node)
{
	static const char *const names[] = { "AppID", "ServerID", "AppAddr", "AppAuth", NULL };

	return has_any(d, node, names);
}

static bool is_1_1(struct document *d, xmlNode *node)
{
	static const char *const names[] = { "ServerId", "ServerPW", "ClientPW", "ServerNonce",
					     "ClientNonce", NULL };

	return has_any(d, node, names);
}

/* Sets @account to the only one below @node; what lies beside the way to it is ignored */
static int find_account(struct document *d, xmlNode *node, xmlNode **account)
{
	xmlNode *c;

	if (xml_is(node, "Node") && (is_1_2(d, node) || is_1_1(d, node))) {
		if (*account)
			return document_refuse(d, xml_line(node), "a second DM account");
		*account = node;
		return 0;
	}
	if (xml_is(node, "Node") && child(node, "Value"))
		ignore(d, node);
	xml_for_each_child(c, node)
		if (xml_is(c, "Node") && find_account(d, c, account))
			return -1;
	return 0;
}

/* Its name is the account's, but for a name that only says that there has to be one */
static int take_x(struct document *d, xmlNode *account)
{
	struct field f = { name_of(d, account), xml_line(account) };

	if (dmacc_placeholder(f.value, strlen(f.value)))
		return 0;
	return document_take(d, DMACC_NODE_X, "NodeName of the account", f);
}

int tnds_read(struct document *d, xmlNode *root)
{
	xmlNode *version = child(root, "VerDTD"), *account = NULL;

	if (!version || strcmp(xml_text(d, version).value ?: "", "1.2"))
		return document_refuse(d, xml_line(version ?: root),
				       "VerDTD of the MgmtTree is not 1.2");
	if (find_account(d, root, &account))
		return -1;
	if (!account)
		return document_refuse(d, xml_line(root), "there is no DM account in the MgmtTree");
	d->line = xml_line(account);
	if (take_x(d, account))
		return -1;
	return is_1_2(d, account) ? read_1_2(d, account) : read_1_1(d, account);
}
