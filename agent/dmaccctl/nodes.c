// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "dmacc.h"
#include "nodes.h"
#include "secret_tree.h"

static void free_node(struct node *node)
{
	if (node->value)
		dmacc_wipe(node->value, strlen(node->value));
	free(node->uri);
	free(node->format);
	free(node->value);
}

void nodes_done(struct nodes *nodes)
{
	size_t i;

	for (i = 0; i < nodes->len; i++)
		free_node(&nodes->list[i]);
	free(nodes->list);
	*nodes = (struct nodes){ 0 };
}

static struct node *new_node(struct nodes *nodes)
{
	size_t room = nodes->room ? 2 * nodes->room : 64;
	struct node *more;

	if (nodes->len == nodes->room) {
		more = reallocarray(nodes->list, room, sizeof(*more));
		if (!more)
			return NULL;
		nodes->list = more;
		nodes->room = room;
	}
	nodes->list[nodes->len] = (struct node){ 0 };
	return &nodes->list[nodes->len++];
}

static int add(struct nodes *nodes, const char *uri, const char *format, const char *value,
	       bool hidden, bool protected)
{
	struct node *node = new_node(nodes);

	if (!node)
		return complain("out of memory");
	*node = (struct node){ strdup(uri), strdup(format), strdup(value), hidden, protected };
	return node->uri && node->format && node->value ? 0 : complain("out of memory");
}

static int read_nodes(struct nodes *nodes, sd_bus_message *m)
{
	const char *uri, *format, *value;
	int protected, r;

	r = sd_bus_message_enter_container(m, 'a', "(sssb)");
	if (r < 0)
		return complain("the agent's answer is not understood");
	while ((r = sd_bus_message_read(m, "(sssb)", &uri, &format, &value, &protected)) > 0)
		if (add(nodes, uri, format, value, protected, protected))
			return EXIT_NOTHING;
	return r < 0 ? complain("the agent's answer is not understood") : 0;
}

static int read_element(struct nodes *nodes, struct json_object *o)
{
	const char *uri = secret_tree_member(o, "uri"), *format = secret_tree_member(o, "format"),
		   *value = secret_tree_member(o, "value");
	struct json_object *protected;

	if (!uri || !format || !value)
		return complain("the agent's tree is not understood");
	return add(nodes, uri, format, value, false,
		   json_object_object_get_ex(o, "protected", &protected) &&
		   json_object_get_boolean(protected));
}

static int read_array(struct nodes *nodes, struct json_object *array)
{
	size_t i;
	int r = 0;

	for (i = 0; i < json_object_array_length(array) && !r; i++)
		r = read_element(nodes, json_object_array_get_idx(array, i));
	secret_tree_wipe(array);
	json_object_put(array);
	return r;
}

static int read_memfd(struct nodes *nodes, int fd)
{
	struct json_object *array;

	switch (secret_tree_read(fd, &array)) {
	case 0:
		return read_array(nodes, array);
	case -EMSGSIZE:
		return complain("the agent's tree has an impossible length");
	case -EBADMSG:
		return complain("the agent's tree is not understood");
	case -ENOMEM:
		return complain("out of memory");
	default:
		return complain("the agent's tree cannot be read");
	}
}

static int read_secrets(struct nodes *nodes, sd_bus_message *m)
{
	int fd;

	if (sd_bus_message_read_basic(m, 'h', &fd) < 0)
		return complain("the agent's answer is not understood");
	return read_memfd(nodes, fd);
}

int nodes_read(struct agent *agent, const struct agent_account *account, const char *layout,
	       bool secrets, struct nodes *ret)
{
	char sentence[512];
	sd_bus_message *m;
	int r;

	*ret = (struct nodes){ 0 };
	if (agent_call(agent, account, secrets ? "GetTreeWithSecrets" : "GetTree", layout, &m,
		       sentence)) {
		complain("account %s: %s", account->name, sentence);
		return EXIT_SOME;
	}
	r = secrets ? read_secrets(ret, m) : read_nodes(ret, m);
	sd_bus_message_unref(m);
	return r ? EXIT_SOME : 0;
}
