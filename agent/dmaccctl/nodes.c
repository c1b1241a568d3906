// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <json-c/printbuf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "dmacc.h"
#include "nodes.h"

/* Larger than any account; what is longer is none */
#define TREE_MAX (1 << 20)

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

static const char *member(struct json_object *o, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(o, name, &value) ||
	    json_object_get_type(value) != json_type_string)
		return NULL;
	return json_object_get_string(value);
}

static void wipe_value(struct json_object *o)
{
	struct json_object *value;

	if (json_object_object_get_ex(o, "value", &value) &&
	    json_object_get_type(value) == json_type_string)
		dmacc_wipe((char *)json_object_get_string(value),
			   (size_t)json_object_get_string_len(value));
}

void nodes_wipe_json(struct json_object *array)
{
	size_t i;

	for (i = 0; i < json_object_array_length(array); i++)
		wipe_value(json_object_array_get_idx(array, i));
}

static int read_element(struct nodes *nodes, struct json_object *o)
{
	const char *uri = member(o, "uri"), *format = member(o, "format"),
		   *value = member(o, "value");
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

	if (json_object_get_type(array) != json_type_array)
		return complain("the agent's tree is not understood");
	for (i = 0; i < json_object_array_length(array) && !r; i++)
		r = read_element(nodes, json_object_array_get_idx(array, i));
	nodes_wipe_json(array);
	return r;
}

/*
 * json-c collects each string in a buffer that it moves as it grows, and frees unwiped: it gets its
 * full size before, and is wiped after
 */
static struct json_object *parse(const char *text, int len)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *array = NULL;

	if (!tokener)
		return NULL;
	if (printbuf_memset(tokener->pb, 0, 0, len) >= 0)
		array = json_tokener_parse_ex(tokener, text, len);
	dmacc_wipe(tokener->pb->buf, (size_t)tokener->pb->size);
	json_tokener_free(tokener);
	return array;
}

static int read_text(struct nodes *nodes, const char *text, int len)
{
	struct json_object *array = parse(text, len);
	int r;

	if (!array)
		return complain("the agent's tree is not JSON");
	r = read_array(nodes, array);
	json_object_put(array);
	return r;
}

static int read_memfd(struct nodes *nodes, int fd)
{
	struct stat st;
	char *text;
	int r;

	if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > TREE_MAX)
		return complain("the agent's tree has an impossible length");
	text = malloc((size_t)st.st_size);
	if (!text)
		return complain("out of memory");
	/* at once: it is memory */
	if (pread(fd, text, (size_t)st.st_size, 0) != st.st_size)
		r = complain("the agent's tree cannot be read");
	else
		r = read_text(nodes, text, (int)st.st_size);
	dmacc_wipe(text, (size_t)st.st_size);
	free(text);
	return r;
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
