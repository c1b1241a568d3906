// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How the two layouts of the DMAcc management object show an account. Each is a table; a row is a
 * node below the account's own. Names that the standard leaves to the device are "1", and the
 * level for a credential: they stay the same as long as the account lives.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "node.h"

#define ROWS_MAX 40

struct dmacc_tree {
	struct dmacc_tree_node nodes[ROWS_MAX];
	size_t count;
};

struct span {
	const void *bytes;
	size_t len;
};

/* What becomes of a row if the account has no value for it */
enum need {
	MUST,		/* there is no tree */
	MAY,		/* the row is left out */
	EMPTY,		/* its value is empty: the layout must show the node */
	ALWAYS,		/* it does not depend on one */
};

/**
 * struct row - a node of a layout
 * @path: below the account's node
 * @format: "node" for an interior one, which has no value
 * @need: what becomes of it without a value of @node
 * @node: whose value it shows, or, if interior, depends on
 * @hidden: the standard gives no Get
 * @write: what this layout writes, if that is not the value itself
 */
struct row {
	const char *path;
	const char *format;
	enum need need;
	enum dmacc_node node;
	bool hidden;
	struct span (*write)(const struct dmacc_account *a);
};

static struct span text(const char *constant)
{
	return (struct span){ constant, strlen(constant) };
}

static struct span get(const struct dmacc_account *a, enum dmacc_node node)
{
	struct span v = { 0 };

	v.bytes = dmacc_account_get(a, node, &v.len);
	return v;
}

static bool is_text(struct span v, const char *word)
{
	return v.bytes && v.len == strlen(word) && !memcmp(v.bytes, word, v.len);
}

/* 1.1.2 has the transport there, and no other than HTTP carries an account of ours */
static struct span write_http(const struct dmacc_account *a)
{
	(void)a;
	return text("1");
}

/* The port in an Addr, with nothing in it if it names none */
static struct span port_in(const char *addr)
{
	const char *host = strstr(addr, "://"), *end, *at, *colon;
	struct span port = { 0 };

	host = host ? host + 3 : addr;
	end = host + strcspn(host, "/?#");
	at = memchr(host, '@', (size_t)(end - host));
	if (at)
		host = at + 1;
	colon = memrchr(host, ':', (size_t)(end - host));
	if (colon && !memchr(colon, ']', (size_t)(end - colon)))
		port = (struct span){ colon + 1, (size_t)(end - colon - 1) };
	if (!port.len || dmacc_node_judge(DMACC_NODE_PORT_NBR, &port.bytes, &port.len))
		port.len = 0;
	return port;
}

/* 1.1.2 must show a port; an account that has none uses the one of its Addr */
static struct span write_port(const struct dmacc_account *a)
{
	struct span port = get(a, DMACC_NODE_PORT_NBR), addr = get(a, DMACC_NODE_ADDR);

	if (port.bytes)
		return port;
	if (!is_text(get(a, DMACC_NODE_ADDR_TYPE), "IPv6"))
		port = port_in(addr.bytes);
	if (port.len)
		return port;
	return text(strncasecmp(addr.bytes, "https:", 6) ? "80" : "443");
}

static struct span write_app_id(const struct dmacc_account *a)
{
	(void)a;
	return text("w7");
}

/* The standard's default, written out: there are clients that know none */
static struct span write_addr_type(const struct dmacc_account *a)
{
	struct span type = get(a, DMACC_NODE_ADDR_TYPE);

	return type.bytes ? type : text("URI");
}

/* AuthPref in the words of 1.2 */
static struct span write_auth_pref(const struct dmacc_account *a)
{
	struct span pref = get(a, DMACC_NODE_AUTH_PREF);

	if (is_text(pref, "syncml:auth-basic"))
		return text("BASIC");
	if (is_text(pref, "syncml:auth-MAC"))
		return text("HMAC");
	return is_text(pref, "syncml:auth-md5") ? text("DIGEST") : text("");
}

/* A credential has a type even where the account prefers none */
static struct span write_auth_type(const struct dmacc_account *a)
{
	struct span type = write_auth_pref(a);

	return type.len ? type : text("DIGEST");
}

static struct span write_clcred(const struct dmacc_account *a)
{
	(void)a;
	return text("CLCRED");
}

static struct span write_srvcred(const struct dmacc_account *a)
{
	(void)a;
	return text("SRVCRED");
}

static const struct row rows_1_1[] = {
	{ "Addr", "chr", MUST, DMACC_NODE_ADDR, false, NULL },
	{ "AddrType", "chr", ALWAYS, DMACC_NODE_ADDR_TYPE, false, write_http },
	{ "PortNbr", "int", ALWAYS, DMACC_NODE_PORT_NBR, false, write_port },
	{ "ConRef", "chr", EMPTY, DMACC_NODE_CON_REF, false, NULL },
	/* spelled so in 1.1.2, and only there */
	{ "ServerId", "chr", MUST, DMACC_NODE_SERVER_ID, false, NULL },
	{ "ServerPW", "chr", MUST, DMACC_NODE_SERVER_PW, true, NULL },
	{ "ServerNonce", "bin", EMPTY, DMACC_NODE_SERVER_NONCE, true, NULL },
	{ "UserName", "chr", MUST, DMACC_NODE_USER_NAME, false, NULL },
	{ "ClientPW", "chr", MUST, DMACC_NODE_CLIENT_PW, true, NULL },
	{ "ClientNonce", "bin", EMPTY, DMACC_NODE_CLIENT_NONCE, true, NULL },
	{ "AuthPref", "chr", MAY, DMACC_NODE_AUTH_PREF, false, NULL },
	{ "Name", "chr", MAY, DMACC_NODE_NAME, false, NULL },
};

static const struct row rows_1_2[] = {
	{ "AppID", "chr", ALWAYS, 0, false, write_app_id },
	{ "ServerID", "chr", MUST, DMACC_NODE_SERVER_ID, false, NULL },
	{ "Name", "chr", MAY, DMACC_NODE_NAME, false, NULL },
	{ "PrefConRef", "chr", MAY, DMACC_NODE_CON_REF, false, NULL },
	{ "ToConRef", "node", MAY, DMACC_NODE_CON_REF, false, NULL },
	{ "ToConRef/1", "node", MAY, DMACC_NODE_CON_REF, false, NULL },
	{ "ToConRef/1/ConRef", "chr", MAY, DMACC_NODE_CON_REF, false, NULL },
	{ "AppAddr", "node", ALWAYS, 0, false, NULL },
	{ "AppAddr/1", "node", ALWAYS, 0, false, NULL },
	{ "AppAddr/1/Addr", "chr", MUST, DMACC_NODE_ADDR, false, NULL },
	{ "AppAddr/1/AddrType", "chr", ALWAYS, DMACC_NODE_ADDR_TYPE, false, write_addr_type },
	{ "AppAddr/1/Port", "node", MAY, DMACC_NODE_PORT_NBR, false, NULL },
	{ "AppAddr/1/Port/1", "node", MAY, DMACC_NODE_PORT_NBR, false, NULL },
	{ "AppAddr/1/Port/1/PortNbr", "chr", MAY, DMACC_NODE_PORT_NBR, false, NULL },
	{ "AAuthPref", "chr", MAY, DMACC_NODE_AUTH_PREF, false, write_auth_pref },
	{ "AppAuth", "node", ALWAYS, 0, false, NULL },
	{ "AppAuth/CLCRED", "node", ALWAYS, 0, false, NULL },
	{ "AppAuth/CLCRED/AAuthLevel", "chr", ALWAYS, 0, false, write_clcred },
	{ "AppAuth/CLCRED/AAuthType", "chr", ALWAYS, 0, false, write_auth_type },
	{ "AppAuth/CLCRED/AAuthName", "chr", MAY, DMACC_NODE_USER_NAME, false, NULL },
	{ "AppAuth/CLCRED/AAuthSecret", "chr", MAY, DMACC_NODE_CLIENT_PW, true, NULL },
	{ "AppAuth/CLCRED/AAuthData", "bin", MAY, DMACC_NODE_CLIENT_NONCE, true, NULL },
	{ "AppAuth/SRVCRED", "node", ALWAYS, 0, false, NULL },
	{ "AppAuth/SRVCRED/AAuthLevel", "chr", ALWAYS, 0, false, write_srvcred },
	{ "AppAuth/SRVCRED/AAuthType", "chr", ALWAYS, 0, false, write_auth_type },
	{ "AppAuth/SRVCRED/AAuthName", "chr", MAY, DMACC_NODE_SERVER_ID, false, NULL },
	{ "AppAuth/SRVCRED/AAuthSecret", "chr", MAY, DMACC_NODE_SERVER_PW, true, NULL },
	{ "AppAuth/SRVCRED/AAuthData", "bin", MAY, DMACC_NODE_SERVER_NONCE, true, NULL },
};

_Static_assert(sizeof(rows_1_2) / sizeof(rows_1_2[0]) < ROWS_MAX, "a tree holds its layout");

static const struct layout {
	const char *base;
	const struct row *rows;
	size_t count;
} layouts[] = {
	[DMACC_LAYOUT_1_1] = { "./SyncML/DMAcc", rows_1_1, sizeof(rows_1_1) / sizeof(rows_1_1[0]) },
	[DMACC_LAYOUT_1_2] = { "./DMAcc", rows_1_2, sizeof(rows_1_2) / sizeof(rows_1_2[0]) },
};

/* @value has no bytes for an interior node */
static int add(struct dmacc_tree *tree, char *uri, const struct row *row, struct span value)
{
	struct dmacc_value copy = { 0 };

	if (!uri)
		return -ENOMEM;
	if (value.bytes && dmacc_value_set(&copy, value.bytes, value.len)) {
		free(uri);
		return -ENOMEM;
	}
	tree->nodes[tree->count++] = (struct dmacc_tree_node){
		uri, row->format, copy.bytes, copy.len, !row->hidden,
	};
	return 0;
}

static char *join(const char *base, const char *x, const char *path)
{
	char *uri;

	if (asprintf(&uri, "%s/%s%s%s", base, x, path[0] ? "/" : "", path) < 0)
		return NULL;
	return uri;
}

static int add_row(struct dmacc_tree *tree, const struct dmacc_account *a, const char *base,
		   const struct row *row)
{
	struct span value = row->need == ALWAYS ? text("") : get(a, row->node);
	const char *x = get(a, DMACC_NODE_X).bytes;

	if (!value.bytes && row->need == MUST)
		return -EINVAL;
	/* an empty AuthPref stands for what was negotiated last; other empty values say nothing */
	if (row->need == MAY && !value.len && (!value.bytes || row->node != DMACC_NODE_AUTH_PREF))
		return 0;
	if (!value.bytes)
		value = text("");
	if (!strcmp(row->format, "node"))
		value = (struct span){ 0 };
	else if (row->write)
		value = row->write(a);
	return add(tree, join(base, x, row->path), row, value);
}

static int add_layout(struct dmacc_tree *tree, const struct dmacc_account *a,
		      const struct layout *layout)
{
	static const struct row account = { "", "node", ALWAYS, 0, false, NULL };
	size_t i;
	int err;

	/* what every row's URI and some rows' writer need */
	if (!get(a, DMACC_NODE_X).bytes || !get(a, DMACC_NODE_ADDR).bytes)
		return -EINVAL;
	err = add_row(tree, a, layout->base, &account);
	for (i = 0; i < layout->count && !err; i++)
		err = add_row(tree, a, layout->base, &layout->rows[i]);
	return err;
}

int dmacc_tree_new(const struct dmacc_account *a, enum dmacc_layout layout, struct dmacc_tree **ret)
{
	struct dmacc_tree *tree;
	int err;

	if (layout != DMACC_LAYOUT_1_1 && layout != DMACC_LAYOUT_1_2)
		return -EINVAL;
	tree = calloc(1, sizeof(*tree));
	if (!tree)
		return -ENOMEM;
	err = add_layout(tree, a, &layouts[layout]);
	if (err) {
		dmacc_tree_free(tree);
		return err;
	}
	*ret = tree;
	return 0;
}

struct dmacc_tree *dmacc_tree_free(struct dmacc_tree *tree)
{
	struct dmacc_value value;
	size_t i;

	if (!tree)
		return NULL;
	for (i = 0; i < tree->count; i++) {
		value = (struct dmacc_value){ (uint8_t *)tree->nodes[i].value, tree->nodes[i].len };
		dmacc_value_clear(&value);
		free((char *)tree->nodes[i].uri);
	}
	free(tree);
	return NULL;
}

size_t dmacc_tree_count(const struct dmacc_tree *tree)
{
	return tree->count;
}

const struct dmacc_tree_node *dmacc_tree_node(const struct dmacc_tree *tree, size_t i)
{
	return i < tree->count ? &tree->nodes[i] : NULL;
}
