// SPDX-License-Identifier: LGPL-2.1-or-later
/* tree: the accounts as a management tree, from the agent */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "ctl.h"
#include "dmacc.h"
#include "harden.h"

/* Larger than any account; what is longer is none */
#define TREE_MAX (1 << 20)
#define ROOM (4 << 20)

struct tree {
	const char *layout;
	const char *account;
	bool json;
	bool secrets;
	struct json_object *all;	/* for JSON: one element an account */
};

/* A node. @value is text, base64 for format bin. */
struct node {
	const char *uri;
	const char *format;
	const char *value;
	bool hidden;
	bool protected;
};

/* What is printed is in stdout's buffer, too */
static char output_buffer[BUFSIZ];

static void print_node(const struct node *node)
{
	print_clean(stdout, node->uri);
	putchar(' ');
	print_clean(stdout, node->format);
	if (node->hidden || node->value[0]) {
		putchar(' ');
		print_clean(stdout, node->hidden ? "(hidden)" : node->value);
	}
	putchar('\n');
}

static void add_node(struct json_object *nodes, const struct node *node)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "uri", json_object_new_string(node->uri));
	json_object_object_add(o, "format", json_object_new_string(node->format));
	json_object_object_add(o, "value", node->hidden ? NULL : json_object_new_string(node->value));
	json_object_object_add(o, "protected", json_object_new_boolean(node->protected));
	json_object_array_add(nodes, o);
}

static void take_node(const struct tree *t, struct json_object *nodes, const struct node *node)
{
	if (t->json)
		add_node(nodes, node);
	else
		print_node(node);
}

static int read_nodes(const struct tree *t, sd_bus_message *m, struct json_object *nodes)
{
	struct node node = { 0 };
	int protected, r;

	r = sd_bus_message_enter_container(m, 'a', "(sssb)");
	if (r < 0)
		return complain("the agent's answer is not understood");
	while ((r = sd_bus_message_read(m, "(sssb)", &node.uri, &node.format, &node.value,
					&protected)) > 0) {
		node.protected = node.hidden = protected;
		take_node(t, nodes, &node);
	}
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

/* json-c frees what it holds without wiping it: its strings are wiped in place before */
static void wipe_value(struct json_object *o)
{
	struct json_object *value;

	if (json_object_object_get_ex(o, "value", &value) &&
	    json_object_get_type(value) == json_type_string)
		dmacc_wipe((char *)json_object_get_string(value),
			   (size_t)json_object_get_string_len(value));
}

static void wipe_nodes(struct json_object *nodes)
{
	size_t i;

	for (i = 0; i < json_object_array_length(nodes); i++)
		wipe_value(json_object_array_get_idx(nodes, i));
}

static int read_element(const struct tree *t, struct json_object *o, struct json_object *nodes)
{
	struct node node = {
		.uri = member(o, "uri"),
		.format = member(o, "format"),
		.value = member(o, "value"),
	};
	struct json_object *protected;

	if (!node.uri || !node.format || !node.value)
		return complain("the agent's tree is not understood");
	node.protected = json_object_object_get_ex(o, "protected", &protected) &&
			 json_object_get_boolean(protected);
	take_node(t, nodes, &node);
	return 0;
}

static int read_array(const struct tree *t, struct json_object *array, struct json_object *nodes)
{
	size_t i;
	int r = 0;

	if (json_object_get_type(array) != json_type_array)
		return complain("the agent's tree is not understood");
	for (i = 0; i < json_object_array_length(array) && !r; i++)
		r = read_element(t, json_object_array_get_idx(array, i), nodes);
	wipe_nodes(array);
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

static int read_text(const struct tree *t, const char *text, int len, struct json_object *nodes)
{
	struct json_object *array = parse(text, len);
	int r;

	if (!array)
		return complain("the agent's tree is not JSON");
	r = read_array(t, array, nodes);
	json_object_put(array);
	return r;
}

static int read_memfd(const struct tree *t, int fd, struct json_object *nodes)
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
		r = read_text(t, text, (int)st.st_size, nodes);
	dmacc_wipe(text, (size_t)st.st_size);
	free(text);
	return r;
}

static int read_secrets(const struct tree *t, sd_bus_message *m, struct json_object *nodes)
{
	int fd;

	if (sd_bus_message_read_basic(m, 'h', &fd) < 0)
		return complain("the agent's answer is not understood");
	return read_memfd(t, fd, nodes);
}

static void add_account(struct tree *t, const struct agent_account *account,
			struct json_object *nodes)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "account", json_object_new_string(account->name));
	json_object_object_add(o, "layout", json_object_new_string(t->layout));
	json_object_object_add(o, "nodes", nodes);
	json_object_array_add(t->all, o);
}

/* Without credentials it is a template only, which a person might take for an account */
static bool is_made(const struct agent_account *account)
{
	return !account->state || (strcmp(account->state, "no-secrets") &&
				   strcmp(account->state, "no-slot") &&
				   strcmp(account->state, "rung-too-low"));
}

static int show_account(struct tree *t, struct agent *agent, const struct agent_account *account)
{
	struct json_object *nodes;
	char sentence[512];
	sd_bus_message *m;
	int r;

	if (!is_made(account)) {
		complain("account %s is %s: %s", account->name, account->state,
			 account->reason ? account->reason : "the agent does not say why");
		return EXIT_SOME;
	}
	if (agent_call(agent, account, t->secrets ? "GetTreeWithSecrets" : "GetTree", t->layout, &m,
		       sentence)) {
		complain("account %s: %s", account->name, sentence);
		return EXIT_SOME;
	}
	nodes = json_object_new_array();
	r = t->secrets ? read_secrets(t, m, nodes) : read_nodes(t, m, nodes);
	sd_bus_message_unref(m);
	add_account(t, account, nodes);
	return r ? EXIT_SOME : EXIT_DONE;
}

static int show_accounts(struct tree *t, struct agent *agent)
{
	int result = EXIT_DONE;
	bool found = false;
	size_t i;

	for (i = 0; i < agent->accounts_len; i++) {
		const struct agent_account *account = &agent->accounts[i];

		if (!account->name || (t->account && strcmp(t->account, account->name)))
			continue;
		found = true;
		if (show_account(t, agent, account))
			result = EXIT_SOME;
	}
	if (found)
		return result;
	if (t->account)
		complain("there is no account '%s'", t->account);
	else
		complain("there is no account; 'dmaccctl status' says why");
	return EXIT_SOME;
}

static void wipe_all(struct tree *t)
{
	struct json_object *nodes;
	size_t i;

	for (i = 0; i < json_object_array_length(t->all); i++)
		if (json_object_object_get_ex(json_object_array_get_idx(t->all, i), "nodes", &nodes))
			wipe_nodes(nodes);
	json_object_put(t->all);
}

/* The text of an object is kept in such a buffer, too: one string of that size makes room in it */
static int make_room(struct json_object *all)
{
	struct json_object *filler;
	char *blanks = calloc(1, ROOM);

	if (!blanks)
		return -1;
	memset(blanks, ' ', ROOM - 1);
	filler = json_object_new_string(blanks);
	free(blanks);
	if (json_object_array_add(all, filler) < 0)
		return -1;
	json_object_to_json_string(all);
	return json_object_array_del_idx(all, 0, 1);
}

static void print_json(struct tree *t)
{
	size_t len;
	const char *text = json_object_to_json_string_length(t->all, JSON_C_TO_STRING_PRETTY |
							     JSON_C_TO_STRING_NOSLASHESCAPE, &len);

	printf("%s\n", text);
	if (t->secrets)
		dmacc_wipe((char *)text, len);
}

static int show(struct tree *t)
{
	struct agent agent;
	char sentence[512];
	int r;

	r = agent_read(&agent, sentence) ? complain("%s", sentence) : show_accounts(t, &agent);
	if (t->json && r != EXIT_NOTHING)
		print_json(t);
	agent_done(&agent);
	return r;
}

static int set_format(struct tree *t, const char *format)
{
	t->json = !strcmp(format, "json");
	if (t->json || !strcmp(format, "text"))
		return 0;
	if (!strcmp(format, "tnds") || !strcmp(format, "w7") || !strcmp(format, "wbxml"))
		return complain("--format %s cannot be made by this version: text and json can", format);
	return complain("--format takes 'text' or 'json', not '%s'", format);
}

static int set_layout(struct tree *t, const char *layout)
{
	t->layout = layout;
	if (!strcmp(layout, "1.1") || !strcmp(layout, "1.2"))
		return 0;
	return complain("--layout takes '1.1' or '1.2', not '%s'", layout);
}

static int set_option(struct tree *t, int option)
{
	switch (option) {
	case 'l': return set_layout(t, optarg);
	case 'f': return set_format(t, optarg);
	case 's': t->secrets = true; return 0;
	default: return EXIT_NOTHING;
	}
}

int tree_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "layout", required_argument, NULL, 'l' },
		{ "format", required_argument, NULL, 'f' },
		{ "show-secrets", no_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	struct tree t = { .layout = "1.2" };
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (set_option(&t, c))
			return EXIT_NOTHING;
	if (argc - optind > 1)
		return complain("tree takes one account, not also '%s'", argv[optind + 1]);
	t.account = argv[optind];
	setvbuf(stdout, output_buffer, _IOFBF, sizeof(output_buffer));
	t.all = json_object_new_array();
	if (!t.all || (t.json && t.secrets && make_room(t.all)))
		return complain("out of memory");
	r = finish_output(show(&t));
	wipe_all(&t);
	harden_wipe_stack();
	dmacc_wipe(output_buffer, sizeof(output_buffer));
	return r;
}
