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

int bus_list(sd_bus_message *m, void *account, sd_bus_error *reterr)
{
	const struct dmacc_tree_node *node;
	struct dmacc_tree *tree;
	const char *uri, *base;
	int r;

	r = sd_bus_message_read(m, "s", &uri);
	if (r >= 0)
		r = tree_for(account, uri, &tree, &base, reterr);
	if (r < 0)
		return r;
	node = find(tree, uri);
	if (strcmp(uri, base) && !node)
		r = no_such_node(uri, reterr);
	else if (node && node->value)
		r = sd_bus_error_setf(reterr, BUS_ERROR("NotPermitted"), "%.300s is a leaf", uri);
	else
		r = reply_names(m, tree, uri);
	dmacc_tree_free(tree);
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
	const struct dmacc_tree_node *node;
	struct dmacc_tree *tree;
	const char *uri, *base;
	int r;

	r = sd_bus_message_read(m, "s", &uri);
	if (r >= 0)
		r = tree_for(account, uri, &tree, &base, reterr);
	if (r < 0)
		return r;
	node = find(tree, uri);
	if (node)
		r = reply_leaf(m, node, reterr);
	else if (!strcmp(uri, base))
		r = sd_bus_error_setf(reterr, BUS_ERROR("NotPermitted"), "%.300s is an interior node", uri);
	else
		r = no_such_node(uri, reterr);
	dmacc_tree_free(tree);
	return r;
}
