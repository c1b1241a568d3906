// SPDX-License-Identifier: LGPL-2.1-or-later
/* Nodes of an account by URI, in either layout */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus_inside.h"


static const struct {
	const char *base;
	enum dmacc_layout layout;
} layouts[] = {
	{ "./SyncML/DMAcc", DMACC_LAYOUT_1_1 },
	{ "./DMAcc", DMACC_LAYOUT_1_2 },
};

static int no_such_node(const char *uri, sd_bus_error *reterr)
{
	return sd_bus_error_setf(reterr, BUS_ERROR("NoSuchNode"), "the account has no node %.300s", uri);
}

/* Is @uri below @base, or @base itself? */
static bool is_within(const char *uri, const char *base)
{
	size_t len = strlen(base);

	return !strncmp(uri, base, len) && (!uri[len] || uri[len] == '/');
}

/* The tree of the layout that the URI is of */
static int tree_for(const struct account *account, const char *uri, struct dmacc_tree **ret,
		    const char **ret_base, sd_bus_error *reterr)
{
	size_t i;
	int r;

	for (i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (is_within(uri, layouts[i].base))
			break;
	if (i == sizeof(layouts) / sizeof(layouts[0]))
		return no_such_node(uri, reterr);
	r = account_tree(account, layouts[i].layout, ret);
	if (r == -ENODATA)
		return bus_not_ready(account, reterr);
	*ret_base = layouts[i].base;
	return r;
}

static const struct dmacc_tree_node *find(const struct dmacc_tree *tree, const char *uri)
{
	const struct dmacc_tree_node *node;
	size_t i;

	for (i = 0; (node = dmacc_tree_node(tree, i)); i++)
		if (!strcmp(node->uri, uri))
			return node;
	return NULL;
}

/* What follows @above and a slash, if nothing is between */
static const char *name_below(const char *uri, const char *above)
{
	size_t len = strlen(above);

	if (strncmp(uri, above, len) || uri[len] != '/' || strchr(uri + len + 1, '/'))
		return NULL;
	return uri + len + 1;
}

static int reply_names(sd_bus_message *m, const struct dmacc_tree *tree, const char *above)
{
	sd_bus_message *reply = NULL;
	const struct dmacc_tree_node *node;
	const char *name;
	size_t i;
	int r;

	r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "s");
	for (i = 0; r >= 0 && (node = dmacc_tree_node(tree, i)); i++) {
		name = name_below(node->uri, above);
		if (name)
			r = sd_bus_message_append_basic(reply, 's', name);
	}
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

/**
 * struct asked - what a call names
 * @tree: to be freed
 * @base: of the layout, above all accounts
 * @node: NULL if the tree has none of that URI
 */
struct asked {
	const char *uri, *base;
	struct dmacc_tree *tree;
	const struct dmacc_tree_node *node;
};

static int read_asked(sd_bus_message *m, const void *account, struct asked *ret, sd_bus_error *reterr)
{
	int r;

	r = sd_bus_message_read(m, "s", &ret->uri);
	if (r >= 0)
		r = tree_for(account, ret->uri, &ret->tree, &ret->base, reterr);
	if (r >= 0)
		ret->node = find(ret->tree, ret->uri);
	return r;
}

int bus_list(sd_bus_message *m, void *account, sd_bus_error *reterr)
{
	struct asked asked;
	int r;

	r = read_asked(m, account, &asked, reterr);
	if (r < 0)
		return r;
	if (strcmp(asked.uri, asked.base) && !asked.node)
		r = no_such_node(asked.uri, reterr);
	else if (asked.node && asked.node->value)
		r = sd_bus_error_setf(reterr, BUS_ERROR("NotPermitted"), "%.300s is a leaf", asked.uri);
	else
		r = reply_names(m, asked.tree, asked.uri);
	dmacc_tree_free(asked.tree);
	return r;
}

static int reply_leaf(sd_bus_message *m, const struct dmacc_tree_node *node, sd_bus_error *reterr)
{
	sd_bus_message *reply = NULL;
	int r;

	if (!node->value)
		return sd_bus_error_setf(reterr, BUS_ERROR("NotPermitted"), "%.300s is an interior node", node->uri);
	if (!node->readable)
		return sd_bus_error_setf(reterr, BUS_ERROR("NotPermitted"), "the standard gives no Get of %.300s",
					 node->uri);
	r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = sd_bus_message_append_basic(reply, 's', node->format);
	if (r >= 0)
		r = sd_bus_message_append_array(reply, 'y', node->value, node->len);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

int bus_get(sd_bus_message *m, void *account, sd_bus_error *reterr)
{
	struct asked asked;
	int r;

	r = read_asked(m, account, &asked, reterr);
	if (r < 0)
		return r;
	if (asked.node)
		r = reply_leaf(m, asked.node, reterr);
	else if (!strcmp(asked.uri, asked.base))
		r = sd_bus_error_setf(reterr, BUS_ERROR("NotPermitted"), "%.300s is an interior node", asked.uri);
	else
		r = no_such_node(asked.uri, reterr);
	dmacc_tree_free(asked.tree);
	return r;
}
