// SPDX-License-Identifier: LGPL-2.1-or-later
/* org.dmacc1.Account */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "authorize.h"
#include "bus_inside.h"
#include "change.h"
#include "session.h"
#include "tree_text.h"

/* The object is an account; what it hangs on was given when the objects were added */
static struct bus *bus_of(sd_bus *bus)
{
	return sd_bus_slot_get_userdata(sd_bus_get_current_slot(bus));
}

/* For members that are arrays and words; sd-bus reads the strings and numbers itself */
static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
		    sd_bus_message *reply, void *data, sd_bus_error *reterr)
{
	const struct account *account = data;
	const char *value = account->name;

	(void)bus, (void)path, (void)interface, (void)reterr;
	if (!strcmp(property, "State"))
		value = account_state_word(account->state);
	else if (!strcmp(property, "Reason"))
		value = account->reason;
	else if (!strcmp(property, "Nonces"))
		value = account->nonces;
	return sd_bus_message_append(reply, "s", value);
}

/* sd-bus takes an int for a boolean, and the account has a bool */
static int get_flag(sd_bus *bus, const char *path, const char *interface, const char *property,
		    sd_bus_message *reply, void *data, sd_bus_error *reterr)
{
	const struct account *account = data;

	(void)bus, (void)path, (void)interface, (void)reterr;
	return sd_bus_message_append(reply, "b", strcmp(property, "Guessable") ?
				     account->ever_connected : account->guessable);
}

static int get_session(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *data, sd_bus_error *reterr)
{
	struct agent *agent = bus_of(bus)->agent;
	const struct account *account = data;
	char *session = NULL;
	int r;

	(void)path, (void)interface, (void)property, (void)reterr;
	if (session_find(agent, account->name)) {
		session = bus_path(BUS_SESSIONS, account->name);
		if (!session)
			return -ENOMEM;
	}
	r = sd_bus_message_append(reply, "o", session ? session : "/");
	free(session);
	return r;
}

static int append_node(sd_bus_message *reply, const struct dmacc_tree_node *node)
{
	char *value = NULL;
	int r;

	if (node->readable && !tree_text_value(node, &value))
		return -ENOMEM;
	r = sd_bus_message_append(reply, "(sssb)", node->uri, node->format, value ? value : "",
				  !node->readable);
	free(value);
	return r;
}

static int append_tree(sd_bus_message *reply, const struct dmacc_tree *tree)
{
	size_t i;
	int r;

	r = sd_bus_message_open_container(reply, 'a', "(sssb)");
	for (i = 0; r >= 0 && i < dmacc_tree_count(tree); i++)
		r = append_node(reply, dmacc_tree_node(tree, i));
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_tree(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	sd_bus_message *reply = NULL;
	struct dmacc_tree *tree;
	enum dmacc_layout layout;
	int r;

	r = bus_read_layout(m, &layout, reterr);
	if (!r)
		r = account_tree(data, layout, &tree);
	if (r < 0)
		return r == -ENODATA ? bus_not_ready(data, reterr) : r;
	r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = append_tree(reply, tree);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	dmacc_tree_free(tree);
	sd_bus_message_unref(reply);
	return r;
}

static int get_origins(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	const struct account *account = data;
	const struct origin *origin = account->origins;
	sd_bus_message *reply = NULL;
	size_t i;
	int r;

	(void)reterr;
	r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "(sss)");
	for (i = 0; r >= 0 && i < account->origins_count; i++, origin++)
		r = sd_bus_message_append(reply, "(sss)", origin->node, origin->source, origin->note);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

/* What is done once the caller may: by path, since in the meantime an account may have gone */
static int find_by_path(struct bus *b, const char *path, struct account **ret,
			sd_bus_error *reterr)
{
	struct account *account = NULL;
	char *name;
	int r;

	r = sd_bus_path_decode(path, BUS_ACCOUNTS, &name);
	if (r > 0) {
		account = accounts_find(&b->agent->accounts, name);
		free(name);
	}
	if (r < 0 || account) {
		*ret = account;
		return r < 0 ? r : 0;
	}
	return sd_bus_error_set(reterr, SD_BUS_ERROR_UNKNOWN_OBJECT, "the account is not there any more");
}

static int make_secret_tree(struct agent *agent, const struct account *account,
			    enum dmacc_layout layout, struct dmacc_tree **ret, sd_bus_error *reterr)
{
	int r = agent_secret_tree(agent, account, layout, ret);

	if (r == -ENODATA)
		return bus_not_ready(account, reterr);
	if (r == -ESTALE)
		return sd_bus_error_setf(reterr, BUS_ERROR("NotReady"), "what is stored of account %s "
					 "cannot be read now; the agent finds out why, and its Reason "
					 "says it in a moment", account->name);
	return r;
}

static int do_secrets(struct bus *b, sd_bus_message *m, const char *path, sd_bus_error *reterr)
{
	struct account *account;
	struct dmacc_tree *tree;
	enum dmacc_layout layout;
	int r;

	r = find_by_path(b, path, &account, reterr);
	if (r >= 0)
		r = bus_read_layout(m, &layout, reterr);
	if (r >= 0)
		r = make_secret_tree(b->agent, account, layout, &tree, reterr);
	return r < 0 ? r : bus_reply_secret_tree(m, tree);
}

static int do_replace(struct bus *b, sd_bus_message *m, const char *path, sd_bus_error *reterr)
{
	struct complaint complaint;
	struct account *account;
	const char *uri, *format;
	const void *value;
	size_t len;
	int r;

	r = find_by_path(b, path, &account, reterr);
	if (r >= 0)
		r = sd_bus_message_read(m, "ss", &uri, &format);
	if (r >= 0)
		r = bus_read_bytes(m, &value, &len);
	if (r < 0)
		return r;
	r = change_replace(b->agent, account->name, uri, format, value, len, &complaint);
	return r ? bus_complain(r, &complaint, reterr) : sd_bus_reply_method_return(m, NULL);
}

static void free_names(char **names)
{
	size_t i;

	for (i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

static int do_revert(struct bus *b, sd_bus_message *m, const char *path, sd_bus_error *reterr)
{
	char *none[] = { NULL }, **nodes = NULL;
	struct complaint complaint;
	struct account *account;
	int r;

	r = find_by_path(b, path, &account, reterr);
	if (r >= 0)
		r = sd_bus_message_read_strv(m, &nodes);
	if (r < 0)
		return r;
	r = change_revert(b->agent, account->name, nodes ? nodes : none, &complaint);
	free_names(nodes);
	return r ? bus_complain(r, &complaint, reterr) : sd_bus_reply_method_return(m, NULL);
}

static int do_reset(struct bus *b, sd_bus_message *m, const char *path, sd_bus_error *reterr)
{
	struct complaint complaint;
	struct account *account;
	int r;

	r = find_by_path(b, path, &account, reterr);
	if (r < 0)
		return r;
	r = change_reset(b->agent, account->name, &complaint);
	return r ? bus_complain(r, &complaint, reterr) : sd_bus_reply_method_return(m, NULL);
}

static int do_open(struct bus *b, sd_bus_message *m, const char *path, sd_bus_error *reterr)
{
	struct account *account;
	int r;

	r = find_by_path(b, path, &account, reterr);
	return r < 0 ? r : bus_open_session(b, m, account->name, reterr);
}

static int get_tree_with_secrets(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	(void)data;
	return authorize(bus_of(sd_bus_message_get_bus(m)), m, AUTHORIZE_SECRETS, do_secrets, reterr);
}

static int replace(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	(void)data;
	return authorize(bus_of(sd_bus_message_get_bus(m)), m, AUTHORIZE_MANAGE, do_replace, reterr);
}

static int revert(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	(void)data;
	return authorize(bus_of(sd_bus_message_get_bus(m)), m, AUTHORIZE_MANAGE, do_revert, reterr);
}

static int reset(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	(void)data;
	return authorize(bus_of(sd_bus_message_get_bus(m)), m, AUTHORIZE_MANAGE, do_reset, reterr);
}

static int open_session(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	(void)data;
	return authorize(bus_of(sd_bus_message_get_bus(m)), m, AUTHORIZE_SESSION, do_open, reterr);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
/* Who may call what is authorize.c's */
#define ANYBODY SD_BUS_VTABLE_UNPRIVILEGED
#define SECRET (SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE)

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Name", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("State", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("Reason", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("ServerID", "s", NULL, offsetof(struct account, server_id), CHANGES),
	SD_BUS_PROPERTY("Slot", "s", NULL, offsetof(struct account, slot), CHANGES),
	SD_BUS_PROPERTY("Profile", "s", NULL, offsetof(struct account, profile), CHANGES),
	SD_BUS_PROPERTY("Generation", "u", NULL, offsetof(struct account, generation), CHANGES),
	SD_BUS_PROPERTY("Template", "s", NULL, offsetof(struct account, template), CHANGES),
	SD_BUS_PROPERTY("Guessable", "b", get_flag, 0, CHANGES),
	SD_BUS_PROPERTY("EverConnected", "b", get_flag, 0, CHANGES),
	SD_BUS_PROPERTY("LastConnected", "t", NULL, offsetof(struct account, last_connected), CHANGES),
	SD_BUS_PROPERTY("Nonces", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("Session", "o", get_session, 0, CHANGES),
	SD_BUS_METHOD_WITH_ARGS("GetTree", SD_BUS_ARGS("s", layout),
				SD_BUS_RESULT("a(sssb)", nodes), get_tree, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("GetTreeWithSecrets", SD_BUS_ARGS("s", layout),
				SD_BUS_RESULT("h", tree), get_tree_with_secrets, SECRET),
	SD_BUS_METHOD_WITH_ARGS("List", SD_BUS_ARGS("s", uri), SD_BUS_RESULT("as", names), bus_list,
				ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("Get", SD_BUS_ARGS("s", uri),
				SD_BUS_RESULT("s", format, "ay", value), bus_get, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("Replace", SD_BUS_ARGS("s", uri, "s", format, "ay", value),
				SD_BUS_NO_RESULT, replace, SECRET),
	SD_BUS_METHOD_WITH_ARGS("GetOrigins", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sss)", origins),
				get_origins, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("Revert", SD_BUS_ARGS("as", nodes), SD_BUS_NO_RESULT, revert, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("Reset", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, reset, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("OpenSession", SD_BUS_ARGS("a{sv}", options),
				SD_BUS_RESULT("o", session), open_session, ANYBODY),
	SD_BUS_VTABLE_END
};

static int find_account(sd_bus *bus, const char *path, const char *interface, void *data,
			void **ret_found, sd_bus_error *reterr)
{
	const struct bus *b = data;
	struct account *account;
	char *name;
	int r;

	(void)bus, (void)interface, (void)reterr;
	r = sd_bus_path_decode(path, BUS_ACCOUNTS, &name);
	if (r <= 0)
		return r;
	account = accounts_find(&b->agent->accounts, name);
	free(name);
	*ret_found = account;
	return account ? 1 : 0;
}

static int list_accounts(sd_bus *bus, const char *prefix, void *data, char ***ret_nodes,
			 sd_bus_error *reterr)
{
	const struct accounts *accounts = &((const struct bus *)data)->agent->accounts;
	char **nodes = calloc(accounts->count + 1, sizeof(*nodes));
	size_t i;

	(void)bus, (void)prefix, (void)reterr;
	for (i = 0; nodes && i < accounts->count; i++) {
		nodes[i] = bus_path(BUS_ACCOUNTS, accounts->list[i]->name);
		if (!nodes[i]) {
			free_names(nodes);
			nodes = NULL;
		}
	}
	if (!nodes)
		return -ENOMEM;
	*ret_nodes = nodes;
	return 0;
}

int bus_add_accounts(struct bus *b)
{
	int r;

	r = sd_bus_add_fallback_vtable(b->bus, NULL, BUS_ACCOUNTS, BUS_ACCOUNT, vtable, find_account,
				       b);
	return r < 0 ? r : sd_bus_add_node_enumerator(b->bus, NULL, BUS_ACCOUNTS, list_accounts, b);
}

void bus_account_added(struct bus *b, const char *name)
{
	char *path = b ? bus_path(BUS_ACCOUNTS, name) : NULL;

	if (path)
		(void)sd_bus_emit_object_added(b->bus, path);
	free(path);
}

void bus_account_changed(struct bus *b, const char *name)
{
	char *path = b ? bus_path(BUS_ACCOUNTS, name) : NULL;

	if (path)
		(void)sd_bus_emit_properties_changed(b->bus, path, BUS_ACCOUNT, "State", "Reason",
						     "ServerID", "Slot", "Profile", "Generation",
						     "Template", "Guessable", "EverConnected",
						     "LastConnected", "Nonces", NULL);
	free(path);
}

void bus_account_removed(struct bus *b, const char *name)
{
	char *path = b ? bus_path(BUS_ACCOUNTS, name) : NULL;

	if (path)
		(void)sd_bus_emit_object_removed(b->bus, path);
	free(path);
}
