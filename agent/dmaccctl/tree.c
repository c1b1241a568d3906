// SPDX-License-Identifier: LGPL-2.1-or-later
/* tree: the accounts as a management tree, from the agent */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "dmacc.h"
#include "document.h"
#include "harden.h"
#include "secret_tree.h"

#define ROOM (4 << 20)

struct tree;

/**
 * struct form - in which the accounts are shown
 * @put: shows an account; returns 0 or EXIT_SOME
 * @document: one account is all that fits in
 * @binary: no terminal can show it
 * @make: of a document
 */
struct form {
	const char *name;
	int (*put)(struct tree *t, const struct agent_account *account, const struct nodes *nodes);
	bool document, binary;
	xmlDoc *(*make)(struct document *d);
};

struct tree {
	const struct form *form;
	const char *layout;
	const char *account;
	bool secrets;
	struct json_object *all;	/* for JSON: one element an account */
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

static int put_text(struct tree *t, const struct agent_account *account, const struct nodes *nodes)
{
	size_t i;

	(void)t, (void)account;
	for (i = 0; i < nodes->len; i++)
		print_node(&nodes->list[i]);
	return 0;
}

static int put_json(struct tree *t, const struct agent_account *account, const struct nodes *nodes)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	size_t i;

	for (i = 0; i < nodes->len; i++)
		add_node(list, &nodes->list[i]);
	json_object_object_add(o, "account", json_object_new_string(account->name));
	json_object_object_add(o, "layout", json_object_new_string(t->layout));
	json_object_object_add(o, "nodes", list);
	json_object_array_add(t->all, o);
	return 0;
}

static int put_document(struct tree *t, const struct agent_account *account,
			const struct nodes *nodes)
{
	(void)account;
	return document_print(nodes, t->secrets, t->form->make, t->form->binary, stdout);
}

static const struct form forms[] = {
	{ "text", put_text, false, false, NULL },
	{ "json", put_json, false, false, NULL },
	{ "tnds", put_document, true, false, document_tnds },
	{ "w7", put_document, true, false, document_w7 },
	{ "wbxml", put_document, true, true, document_tnds },
	{ "w7-wbxml", put_document, true, true, document_w7 },
};

/* Without credentials it is a template only, which a person might take for an account */
static bool is_made(const struct agent_account *account)
{
	return !account->state || (strcmp(account->state, "no-secrets") &&
				   strcmp(account->state, "no-slot") &&
				   strcmp(account->state, "rung-too-low"));
}

static int show_account(struct tree *t, struct agent *agent, const struct agent_account *account)
{
	struct nodes nodes;
	int r;

	if (!is_made(account)) {
		complain("account %s is %s: %s", account->name, account->state,
			 account->reason ? account->reason : "the agent does not say why");
		return EXIT_SOME;
	}
	r = nodes_read(agent, account, t->layout, t->secrets, &nodes);
	if (!r)
		r = t->form->put(t, account, &nodes);
	nodes_done(&nodes);
	return r;
}

static bool is_meant(const struct tree *t, const struct agent_account *account)
{
	return account->name && (!t->account || !strcmp(t->account, account->name));
}

static bool are_several(const struct tree *t, const struct agent *agent)
{
	size_t count = 0, i;

	for (i = 0; i < agent->accounts_len; i++)
		count += is_meant(t, &agent->accounts[i]) && is_made(&agent->accounts[i]);
	return count > 1;
}

static int show_accounts(struct tree *t, struct agent *agent)
{
	int result = EXIT_DONE;
	bool found = false;
	size_t i;

	if (t->form->document && are_several(t, agent))
		return complain("a document has one account, and there are several: name one");
	for (i = 0; i < agent->accounts_len; i++) {
		const struct agent_account *account = &agent->accounts[i];

		if (!is_meant(t, account))
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
			secret_tree_wipe(nodes);
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

static bool is_json(const struct tree *t)
{
	return t->form->put == put_json;
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
	if (is_json(t) && r != EXIT_NOTHING)
		print_json(t);
	agent_done(&agent);
	return r;
}

static int set_format(struct tree *t, const char *format)
{
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		t->form = &forms[i];
		if (!strcmp(format, t->form->name))
			return 0;
	}
	return complain("--format takes 'text', 'json', 'tnds', 'w7', 'wbxml' or 'w7-wbxml', "
			"not '%s'", format);
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

static int judge_options(const struct tree *t)
{
	if (t->form->make == document_w7 && strcmp(t->layout, "1.2"))
		return complain("w7 has no layout: leave out --layout");
	if (t->form->binary && isatty(STDOUT_FILENO))
		return complain("WBXML is nothing for a terminal: redirect it");
	return 0;
}

int tree_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "layout", required_argument, NULL, 'l' },
		{ "format", required_argument, NULL, 'f' },
		{ "show-secrets", no_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	struct tree t = { .form = &forms[0], .layout = "1.2" };
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (set_option(&t, c))
			return EXIT_NOTHING;
	if (argc - optind > 1)
		return complain("tree takes one account, not also '%s'", argv[optind + 1]);
	t.account = argv[optind];
	if (judge_options(&t))
		return EXIT_NOTHING;
	setvbuf(stdout, output_buffer, _IOFBF, sizeof(output_buffer));
	t.all = json_object_new_array();
	if (!t.all || (is_json(&t) && t.secrets && make_room(t.all)))
		return complain("out of memory");
	r = finish_output(show(&t));
	wipe_all(&t);
	harden_wipe_stack();
	dmacc_wipe(output_buffer, sizeof(output_buffer));
	return r;
}
