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

struct dmacc_tree {
	struct dmacc_tree_node *nodes;
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
 * @access: the standard's, where 1.2 leaves Replace to the device
 * @write: what this layout writes, if that is not the value itself
 */
struct row {
	const char *path;
	const char *format;
	enum need need;
	enum dmacc_node node;
	unsigned int access;
	struct span (*write)(const struct dmacc_account *a);
};

#define READ DMACC_ACCESS_GET
#define WRITE DMACC_ACCESS_REPLACE
#define BOTH (READ | WRITE)

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
	{ "Addr", "chr", MUST, DMACC_NODE_ADDR, BOTH, NULL },
	{ "AddrType", "chr", ALWAYS, DMACC_NODE_ADDR_TYPE, BOTH, write_http },
	{ "PortNbr", "int", ALWAYS, DMACC_NODE_PORT_NBR, BOTH, write_port },
	{ "ConRef", "chr", EMPTY, DMACC_NODE_CON_REF, BOTH, NULL },
	/* spelled so in 1.1.2, and only there */
	{ "ServerId", "chr", MUST, DMACC_NODE_SERVER_ID, READ, NULL },
	{ "ServerPW", "chr", MUST, DMACC_NODE_SERVER_PW, WRITE, NULL },
	{ "ServerNonce", "bin", EMPTY, DMACC_NODE_SERVER_NONCE, WRITE, NULL },
	{ "UserName", "chr", MUST, DMACC_NODE_USER_NAME, READ, NULL },
	{ "ClientPW", "chr", MUST, DMACC_NODE_CLIENT_PW, WRITE, NULL },
	{ "ClientNonce", "bin", EMPTY, DMACC_NODE_CLIENT_NONCE, WRITE, NULL },
	{ "AuthPref", "chr", MAY, DMACC_NODE_AUTH_PREF, BOTH, NULL },
	{ "Name", "chr", MAY, DMACC_NODE_NAME, BOTH, NULL },
};

static const struct row rows_1_2[] = {
	{ "AppID", "chr", ALWAYS, 0, READ, write_app_id },
	{ "ServerID", "chr", MUST, DMACC_NODE_SERVER_ID, READ, NULL },
	{ "Name", "chr", MAY, DMACC_NODE_NAME, BOTH, NULL },
	{ "PrefConRef", "chr", MAY, DMACC_NODE_CON_REF, BOTH, NULL },
	{ "ToConRef", "node", MAY, DMACC_NODE_CON_REF, READ, NULL },
	{ "ToConRef/1", "node", MAY, DMACC_NODE_CON_REF, READ, NULL },
	{ "ToConRef/1/ConRef", "chr", MAY, DMACC_NODE_CON_REF, BOTH, NULL },
	{ "AppAddr", "node", ALWAYS, 0, READ, NULL },
	{ "AppAddr/1", "node", ALWAYS, 0, READ, NULL },
	{ "AppAddr/1/Addr", "chr", MUST, DMACC_NODE_ADDR, BOTH, NULL },
	{ "AppAddr/1/AddrType", "chr", ALWAYS, DMACC_NODE_ADDR_TYPE, BOTH, write_addr_type },
	{ "AppAddr/1/Port", "node", MAY, DMACC_NODE_PORT_NBR, READ, NULL },
	{ "AppAddr/1/Port/1", "node", MAY, DMACC_NODE_PORT_NBR, READ, NULL },
	{ "AppAddr/1/Port/1/PortNbr", "chr", MAY, DMACC_NODE_PORT_NBR, BOTH, NULL },
	{ "AAuthPref", "chr", MAY, DMACC_NODE_AUTH_PREF, BOTH, write_auth_pref },
	{ "AppAuth", "node", ALWAYS, 0, READ, NULL },
	{ "AppAuth/CLCRED", "node", ALWAYS, 0, READ, NULL },
	{ "AppAuth/CLCRED/AAuthLevel", "chr", ALWAYS, 0, READ, write_clcred },
	{ "AppAuth/CLCRED/AAuthType", "chr", ALWAYS, 0, READ, write_auth_type },
	{ "AppAuth/CLCRED/AAuthName", "chr", MAY, DMACC_NODE_USER_NAME, BOTH, NULL },
	{ "AppAuth/CLCRED/AAuthSecret", "chr", MAY, DMACC_NODE_CLIENT_PW, WRITE, NULL },
	{ "AppAuth/CLCRED/AAuthData", "bin", MAY, DMACC_NODE_CLIENT_NONCE, WRITE, NULL },
	{ "AppAuth/SRVCRED", "node", ALWAYS, 0, READ, NULL },
	{ "AppAuth/SRVCRED/AAuthLevel", "chr", ALWAYS, 0, READ, write_srvcred },
	{ "AppAuth/SRVCRED/AAuthType", "chr", ALWAYS, 0, READ, write_auth_type },
	{ "AppAuth/SRVCRED/AAuthName", "chr", MAY, DMACC_NODE_SERVER_ID, READ, NULL },
	{ "AppAuth/SRVCRED/AAuthSecret", "chr", MAY, DMACC_NODE_SERVER_PW, WRITE, NULL },
	{ "AppAuth/SRVCRED/AAuthData", "bin", MAY, DMACC_NODE_SERVER_NONCE, WRITE, NULL },
};

static const struct layout {
	const char *base;
	const struct row *rows;
	size_t count;
	bool has_ext;
} layouts[] = {
	[DMACC_LAYOUT_1_1] = {
		"./SyncML/DMAcc", rows_1_1, sizeof(rows_1_1) / sizeof(rows_1_1[0]), false,
	},
	[DMACC_LAYOUT_1_2] = {
		"./DMAcc", rows_1_2, sizeof(rows_1_2) / sizeof(rows_1_2[0]), true,
	},
};

/* @value has no bytes for an interior node. @uri is the tree's, or freed. */
static int add(struct dmacc_tree *tree, char *uri, const char *format, bool readable,
	       struct span value)
{
	struct dmacc_tree_node *longer;
	struct dmacc_value copy = { 0 };

	longer = uri ? reallocarray(tree->nodes, tree->count + 1, sizeof(*longer)) : NULL;
	if (longer)
		tree->nodes = longer;
	if (!longer || (value.bytes && dmacc_value_set(&copy, value.bytes, value.len))) {
		free(uri);
		return -ENOMEM;
	}
	tree->nodes[tree->count++] = (struct dmacc_tree_node){
		uri, format, copy.bytes, copy.len, readable,
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
	return add(tree, join(base, x, row->path), row->format, row->access & READ, value);
}

static bool has_uri(const struct dmacc_tree *tree, const char *uri, size_t len)
{
	size_t i;

	for (i = 0; i < tree->count; i++)
		if (!strncmp(tree->nodes[i].uri, uri, len) && !tree->nodes[i].uri[len])
			return true;
	return false;
}

/* What is above a node below Ext, as far as it is not there yet */
static int add_above(struct dmacc_tree *tree, const char *uri, size_t base_len)
{
	const char *end = uri + base_len;
	int err = 0;

	while (!err && (end = strchr(end + 1, '/')))
		if (!has_uri(tree, uri, (size_t)(end - uri)))
			err = add(tree, strndup(uri, (size_t)(end - uri)), "node", true,
				  (struct span){ 0 });
	return err;
}

static int add_ext(struct dmacc_tree *tree, const struct dmacc_account *a, const char *base,
		   const struct dmacc_ext_node *n)
{
	struct span value = { strcmp(n->format, "node") ? n->value : NULL, n->len };
	const char *x = get(a, DMACC_NODE_X).bytes;
	char *uri = join(base, x, n->path);
	int err;

	if (!uri)
		return -ENOMEM;
	err = add_above(tree, uri, strlen(base) + 1 + strlen(x));
	if (!err && !has_uri(tree, uri, strlen(uri)))
		return add(tree, uri, n->format, true, value);
	free(uri);
	return err;
}

static int add_layout(struct dmacc_tree *tree, const struct dmacc_account *a,
		      const struct layout *layout)
{
	static const struct row account = { "", "node", ALWAYS, 0, READ, NULL };
	const struct dmacc_ext_node *ext;
	size_t i;
	int err;

	/* what every row's URI and some rows' writer need */
	if (!get(a, DMACC_NODE_X).bytes || !get(a, DMACC_NODE_ADDR).bytes)
		return -EINVAL;
	err = add_row(tree, a, layout->base, &account);
	for (i = 0; i < layout->count && !err; i++)
		err = add_row(tree, a, layout->base, &layout->rows[i]);
	for (i = 0; layout->has_ext && (ext = dmacc_account_ext(a, i)) && !err; i++)
		err = add_ext(tree, a, layout->base, ext);
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
	free(tree->nodes);
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

/* What follows @start and a slash in @uri; NULL if it does not begin so */
static const char *after(const char *uri, const char *start)
{
	size_t len = strlen(start);

	return !strncmp(uri, start, len) && uri[len] == '/' ? uri + len + 1 : NULL;
}

static int find_row(const struct layout *layout, const char *path, struct dmacc_place *ret)
{
	size_t i;

	for (i = 0; i < layout->count; i++) {
		const struct row *row = &layout->rows[i];

		if (strcmp(row->path, path))
			continue;
		/* interior ones and constants have no value of their own */
		ret->node = row->need == ALWAYS && !(row->access & WRITE) ? DMACC_NODES : row->node;
		if (!strcmp(row->format, "node"))
			ret->node = DMACC_NODES;
		ret->format = row->format;
		ret->access = row->access;
		return 0;
	}
	return -ENOENT;
}

static int find_below(const struct layout *layout, const char *path, struct dmacc_place *ret)
{
	*ret = (struct dmacc_place){ .node = DMACC_NODES, .format = "node", .access = READ };
	ret->layout = layout == &layouts[DMACC_LAYOUT_1_1] ? DMACC_LAYOUT_1_1 : DMACC_LAYOUT_1_2;
	if (!path[0] || (layout->has_ext && !strcmp(path, "Ext")))
		return 0;
	if (!layout->has_ext || !after(path, "Ext"))
		return find_row(layout, path, ret);
	if (dmacc_ext_judge(path, "", NULL, 0))
		return -ENOENT;
	ret->ext = path;
	ret->format = NULL;
	ret->access = BOTH;
	return 0;
}

int dmacc_place_find(const char *x, const char *uri, struct dmacc_place *ret)
{
	const struct layout *layout = &layouts[DMACC_LAYOUT_1_1];
	const char *below = after(uri, layout->base), *path;
	struct dmacc_place place;

	if (!below) {
		layout = &layouts[DMACC_LAYOUT_1_2];
		below = after(uri, layout->base);
	}
	if (!below)
		return -ENOENT;
	path = strcmp(below, x) ? after(below, x) : "";
	if (!path || (!path[0] && below[strlen(below) - 1] == '/') ||
	    find_below(layout, path, &place))
		return -ENOENT;
	*ret = place;
	return 0;
}

/* A DM client that keeps its formats loosely writes text where the layout has a number */
static bool is_format(const char *format, const char *wanted)
{
	if (!format[0] || !strcmp(format, wanted))
		return true;
	if (!strcmp(wanted, "bin"))
		return !strcmp(format, "b64");
	return !strcmp(format, "chr") || !strcmp(format, "int");
}

int dmacc_place_take(const struct dmacc_place *place, const char *format, const void **bytes,
		     size_t *len, const char **reterr_sentence)
{
	const char *sentence = NULL;

	if (!is_format(format, place->format))
		sentence = "the node has another format";
	else if (place->layout == DMACC_LAYOUT_1_1 && place->node == DMACC_NODE_ADDR_TYPE) {
		if (*len != 1 || memcmp(*bytes, "1", 1))
			sentence = "of the transports of 1.1.2 only 1, HTTP, is there";
		/* HTTP is what every account has: nothing says more of its Addr */
		*bytes = NULL;
		*len = 0;
	} else {
		sentence = dmacc_node_judge(place->node, bytes, len);
	}
	if (!sentence)
		return 0;
	*reterr_sentence = sentence;
	return -EINVAL;
}
