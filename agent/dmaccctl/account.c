// SPDX-License-Identifier: LGPL-2.1-or-later
/* account, reset: who made which value of an account, and changes of it on the device */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "ctl.h"
#include "dmacc.h"
#include "nodes.h"

#define VALUE_MAX 4096

/* A value by the word that templates have for it, and where the tree of 1.2 shows it */
static const struct word {
	const char *node;
	const char *path;
	bool secret;
} words[] = {
	{ "X", "", false },
	{ "AddrType", "/AppAddr/1/AddrType", false },
	{ "Addr", "/AppAddr/1/Addr", false },
	{ "PortNbr", "/AppAddr/1/Port/1/PortNbr", false },
	{ "ConRef", "/ToConRef/1/ConRef", false },
	{ "ServerID", "/ServerID", false },
	{ "AuthPref", "/AAuthPref", false },
	{ "Name", "/Name", false },
	{ "ServerPW", "/AppAuth/SRVCRED/AAuthSecret", true },
	{ "ClientPW", "/AppAuth/CLCRED/AAuthSecret", true },
	{ "UserName", "/AppAuth/CLCRED/AAuthName", false },
};

/**
 * struct request - what is asked for
 * @agent: connected
 * @name: of the account; NULL: all
 * @all: for JSON, else NULL
 */
struct request {
	struct agent agent;
	const char *name;
	struct json_object *all;
};

static const struct word *find_word(const char *node, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].node) == len && !memcmp(words[i].node, node, len))
			return &words[i];
	return NULL;
}

/* What the tree shows for a word; NULL if nothing */
static const char *value_of(const struct nodes *nodes, const struct word *word)
{
	size_t len = nodes->len ? strlen(nodes->list[0].uri) : 0, i;

	if (!word)
		return NULL;
	/* the node that the standard lets the device name */
	if (!word->path[0])
		return nodes->len ? strrchr(nodes->list[0].uri, '/') + 1 : NULL;
	for (i = 0; i < nodes->len; i++)
		if (!strncmp(nodes->list[i].uri, nodes->list[0].uri, len) &&
		    !strcmp(nodes->list[i].uri + len, word->path))
			return nodes->list[i].value;
	return NULL;
}

static void print_time(const struct agent_account *account)
{
	time_t seconds = (time_t)(account->last_connected / 1000000);
	char text[64];
	struct tm tm;

	if (!account->ever_connected) {
		printf("never connected");
		return;
	}
	if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		text[0] = '\0';
	printf("last connected %s", text);
}

static void print_head(const struct agent_account *account)
{
	print_clean(stdout, account->name);
	printf(": ");
	print_clean(stdout, account->state ? account->state : "unknown");
	printf(", generation %u, nonces ", account->generation);
	print_clean(stdout, account->nonces && account->nonces[0] ? account->nonces : "none");
	printf(", ");
	print_time(account);
	putchar('\n');
	if (account->guessable)
		printf("  guessable: whoever reads the IMEI off the box can compute its passwords\n");
}

static void print_value(const struct word *word, const char *node, const char *value,
			const char *source, const char *note)
{
	bool hidden = word && word->secret;

	printf("  %-10s ", node);
	print_clean(stdout, source);
	if (note[0]) {
		printf(" (");
		print_clean(stdout, note);
		putchar(')');
	}
	if (hidden || value) {
		putchar(' ');
		print_clean(stdout, hidden ? "(hidden)" : value);
	}
	putchar('\n');
}

static struct json_object *head_json(const struct agent_account *account)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "account", json_object_new_string(account->name));
	json_object_object_add(o, "state", json_object_new_string(account->state ? account->state : ""));
	json_object_object_add(o, "generation", json_object_new_int64(account->generation));
	json_object_object_add(o, "nonces",
			       json_object_new_string(account->nonces ? account->nonces : ""));
	json_object_object_add(o, "ever_connected", json_object_new_boolean(account->ever_connected));
	json_object_object_add(o, "last_connected",
			       json_object_new_int64((int64_t)account->last_connected));
	json_object_object_add(o, "guessable", json_object_new_boolean(account->guessable));
	json_object_object_add(o, "values", json_object_new_array());
	return o;
}

static void add_value(struct json_object *o, const struct word *word, const char *node,
		      const char *value, const char *source, const char *note)
{
	struct json_object *v = json_object_new_object();
	bool shown = value && !(word && word->secret);

	json_object_object_add(v, "node", json_object_new_string(node));
	json_object_object_add(v, "source", json_object_new_string(source));
	json_object_object_add(v, "note", json_object_new_string(note));
	json_object_object_add(v, "value", shown ? json_object_new_string(value) : NULL);
	json_object_array_add(json_object_object_get(o, "values"), v);
}

/* @o: NULL for text */
static int show_origins(sd_bus_message *m, const struct nodes *nodes, struct json_object *o)
{
	const char *node, *source, *note, *value;
	const struct word *word;
	int r;

	r = sd_bus_message_enter_container(m, 'a', "(sss)");
	while (r >= 0 && (r = sd_bus_message_read(m, "(sss)", &node, &source, &note)) > 0) {
		word = find_word(node, strlen(node));
		value = value_of(nodes, word);
		if (o)
			add_value(o, word, node, value, source, note);
		else
			print_value(word, node, value, source, note);
	}
	if (r < 0)
		complain("the agent's answer is not understood");
	return r < 0 ? EXIT_SOME : EXIT_DONE;
}

static int show_account(struct request *q, const struct agent_account *account)
{
	struct json_object *o = q->all ? head_json(account) : NULL;
	struct nodes nodes = { 0 };
	char sentence[512];
	sd_bus_message *m;
	int r;

	if (o)
		json_object_array_add(q->all, o);
	else
		print_head(account);
	if (agent_call(&q->agent, account, "GetOrigins", NULL, &m, sentence)) {
		complain("account %s: %s", account->name, sentence);
		return EXIT_SOME;
	}
	r = nodes_read(&q->agent, account, "1.2", false, &nodes);
	if (show_origins(m, &nodes, o))
		r = EXIT_SOME;
	nodes_done(&nodes);
	sd_bus_message_unref(m);
	return r;
}

static const struct agent_account *find_account(const struct request *q)
{
	size_t i;

	for (i = 0; i < q->agent.accounts_len; i++)
		if (q->agent.accounts[i].name && !strcmp(q->agent.accounts[i].name, q->name))
			return &q->agent.accounts[i];
	complain("there is no account '%s'", q->name);
	return NULL;
}

static int show(struct request *q)
{
	const struct agent_account *account = q->name ? find_account(q) : NULL;
	int result = EXIT_DONE;
	size_t i;

	if (q->name)
		return account ? show_account(q, account) : EXIT_SOME;
	for (i = 0; i < q->agent.accounts_len; i++)
		if (q->agent.accounts[i].name && show_account(q, &q->agent.accounts[i]))
			result = EXIT_SOME;
	if (q->agent.accounts_len)
		return result;
	complain("there is no account; 'dmaccctl status' says why");
	return EXIT_SOME;
}

static int show_json(struct request *q)
{
	int r;

	q->all = json_object_new_array();
	r = show(q);
	printf("%s\n", json_object_to_json_string_ext(q->all, JSON_C_TO_STRING_PRETTY |
						      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(q->all);
	return r;
}

/* A secret value: stdin, without the line feed that a person ends it with. Returns its length or -1. */
static ssize_t read_secret(char ret[VALUE_MAX + 1])
{
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0 && len < VALUE_MAX) {
		n = read(STDIN_FILENO, ret + len, VALUE_MAX - len);
		if (n > 0)
			len += (size_t)n;
	}
	if (len && ret[len - 1] == '\n')
		len--;
	return n < 0 ? -1 : (ssize_t)len;
}

static int replace(struct request *q, const struct agent_account *account, const struct word *word,
		   const void *value, size_t len)
{
	struct nodes nodes = { 0 };
	char *uri = NULL, sentence[512];
	int r;

	r = nodes_read(&q->agent, account, "1.2", false, &nodes);
	if (!r && asprintf(&uri, "%s%s", nodes.len ? nodes.list[0].uri : "", word->path) < 0) {
		uri = NULL;
		complain("out of memory");
		r = EXIT_SOME;
	}
	nodes_done(&nodes);
	if (!r && agent_replace(&q->agent, account, uri, value, len, sentence)) {
		complain("account %s: %s: %s", account->name, word->node, sentence);
		r = EXIT_SOME;
	}
	free(uri);
	return r;
}

static int set_secret(struct request *q, const struct agent_account *account,
		      const struct word *word)
{
	char secret[VALUE_MAX + 1];
	ssize_t len = read_secret(secret);
	int r;

	if (len < 0)
		r = complain("the value of %s cannot be read: %s", word->node, strerror(errno));
	else if (!len)
		r = complain("the value of %s is read from standard input, and there is none",
			     word->node);
	else
		r = replace(q, account, word, secret, (size_t)len);
	dmacc_wipe(secret, sizeof(secret));
	return r;
}

/* "NODE=VALUE", or "NODE" of a secret whose value is on stdin */
static int set(struct request *q, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	size_t len = equals ? (size_t)(equals - assignment) : strlen(assignment);
	const struct word *word = find_word(assignment, len);
	const struct agent_account *account;

	if (!word || !word->path[0])
		return complain("there is no value '%.*s' to set: they are named as in templates, such as "
				"Addr", (int)len, assignment);
	if (word->secret && equals)
		return complain("%s is a secret: its value is read from standard input, not from the "
				"command line", word->node);
	if (!word->secret && !equals)
		return complain("the value is missing: %s=VALUE", word->node);
	account = find_account(q);
	if (!account)
		return EXIT_SOME;
	if (word->secret)
		return set_secret(q, account, word);
	return replace(q, account, word, equals + 1, strlen(equals + 1));
}

static int revert(struct request *q, char **nodes)
{
	const struct agent_account *account = find_account(q);
	char sentence[512];

	if (!account)
		return EXIT_SOME;
	if (!agent_revert(&q->agent, account, nodes, sentence))
		return EXIT_DONE;
	complain("account %s: %s", account->name, sentence);
	return EXIT_SOME;
}

static int run(struct request *q, int argc, char **argv, bool json)
{
	if (argc < 2)
		return json ? show_json(q) : show(q);
	if (json)
		return complain("--json is for what is shown");
	if (!strcmp(argv[1], "set"))
		return argc == 3 ? set(q, argv[2]) : complain("account NAME set takes one NODE=VALUE");
	if (!strcmp(argv[1], "revert"))
		return revert(q, argv + 2);
	return complain("an account can be shown, 'set' or 'revert', not '%s'", argv[1]);
}

static int connect_and(int (*then)(struct request *q, int argc, char **argv, bool json),
		       int argc, char **argv, bool json)
{
	struct request q = { .name = argc ? argv[0] : NULL };
	char sentence[512];
	int r;

	r = agent_read(&q.agent, sentence) ? complain("%s", sentence) : then(&q, argc, argv, json);
	agent_done(&q.agent);
	return finish_output(r);
}

int account_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'j')
			return EXIT_NOTHING;
		json = true;
	}
	return connect_and(run, argc - optind, argv + optind, json);
}

static int reset(struct request *q, int argc, char **argv, bool json)
{
	const struct agent_account *account = find_account(q);
	char sentence[512];
	sd_bus_message *m;

	(void)argc, (void)argv, (void)json;
	if (!account)
		return EXIT_SOME;
	if (agent_call(&q->agent, account, "Reset", NULL, &m, sentence)) {
		complain("account %s: %s", account->name, sentence);
		return EXIT_SOME;
	}
	sd_bus_message_unref(m);
	printf("account ");
	print_clean(stdout, account->name);
	printf(" is as the factory made it: what its server or anybody here has changed is gone, and the "
	       "next session begins with a challenge\n");
	return EXIT_DONE;
}

int reset_main(int argc, char **argv)
{
	static const struct option options[] = { { NULL, 0, NULL, 0 } };

	if (getopt_long(argc, argv, "", options, NULL) != -1)
		return EXIT_NOTHING;
	if (argc - optind != 1)
		return complain("reset takes the name of one account");
	return connect_and(reset, 1, argv + optind, false);
}
