// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "agent.h"
#include "bus.h"
#include "harden.h"
#include "tree_text.h"

#define NAME "org.dmacc1"
#define PATH "/org/dmacc1"
#define ACCOUNTS PATH "/account"
#define MANAGER "org.dmacc1.Manager"
#define ACCOUNT "org.dmacc1.Account"
#define NOT_READY "org.dmacc1.Error.NotReady"

struct bus {
	sd_bus *bus;
	struct agent *agent;
};

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *data, sd_bus_error *reterr)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)data, (void)reterr;
	return sd_bus_message_append(reply, "s", DMACC_VERSION);
}

static int get_state(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *data, sd_bus_error *reterr)
{
	const struct bus *b = data;

	(void)bus, (void)path, (void)interface, (void)property, (void)reterr;
	return sd_bus_message_append(reply, "s", device_state_word(b->agent->device.state));
}

static int get_reason(sd_bus *bus, const char *path, const char *interface, const char *property,
		      sd_bus_message *reply, void *data, sd_bus_error *reterr)
{
	const struct bus *b = data;

	(void)bus, (void)path, (void)interface, (void)property, (void)reterr;
	return sd_bus_message_append(reply, "s", b->agent->device.reason);
}

static int get_refused(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *data, sd_bus_error *reterr)
{
	const struct templates *templates = ((const struct bus *)data)->agent->templates;
	size_t i;
	int r;

	(void)bus, (void)path, (void)interface, (void)property, (void)reterr;
	r = sd_bus_message_open_container(reply, 'a', "(ss)");
	for (i = 0; r >= 0 && templates && i < templates->refusals_count; i++)
		r = sd_bus_message_append(reply, "(ss)", templates->refusals[i].path,
					  templates->refusals[i].reason);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("State", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Reason", "s", get_reason, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("RefusedTemplates", "a(ss)", get_refused, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_VTABLE_END
};

/* For members that are arrays and words; sd-bus reads the strings and the number itself */
static int get_account(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *data, sd_bus_error *reterr)
{
	const struct account *account = data;
	const char *value = account->name;

	(void)bus, (void)path, (void)interface, (void)reterr;
	if (!strcmp(property, "State"))
		value = account_state_word(account->state);
	else if (!strcmp(property, "Reason"))
		value = account->reason;
	return sd_bus_message_append(reply, "s", value);
}

static int read_layout(sd_bus_message *m, enum dmacc_layout *ret, sd_bus_error *reterr)
{
	const char *word;
	int r;

	r = sd_bus_message_read(m, "s", &word);
	if (r < 0)
		return r;
	if (!strcmp(word, "1.1"))
		*ret = DMACC_LAYOUT_1_1;
	else if (!strcmp(word, "1.2"))
		*ret = DMACC_LAYOUT_1_2;
	else
		return sd_bus_error_set(reterr, SD_BUS_ERROR_INVALID_ARGS,
					"there are layouts 1.1 and 1.2");
	return 0;
}

static int not_ready(const struct account *account, sd_bus_error *reterr)
{
	char sentence[ACCOUNT_REASON_SIZE + 32];

	account_sentence(account, sentence, sizeof(sentence));
	return sd_bus_error_setf(reterr, NOT_READY, "account %s is %s", account->name, sentence);
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

	r = read_layout(m, &layout, reterr);
	if (!r)
		r = account_tree(data, layout, &tree);
	if (r < 0)
		return r == -ENODATA ? not_ready(data, reterr) : r;
	r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = append_tree(reply, tree);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	dmacc_tree_free(tree);
	sd_bus_message_unref(reply);
	return r;
}

/* The object is an account; what it hangs on was given when the objects were added */
static struct agent *agent_of(sd_bus_message *m)
{
	sd_bus_slot *slot = sd_bus_get_current_slot(sd_bus_message_get_bus(m));

	return ((const struct bus *)sd_bus_slot_get_userdata(slot))->agent;
}

/* Whatever the bus's policy lets through: the bus is asked who calls */
static int check_root(sd_bus_message *m, sd_bus_error *reterr)
{
	sd_bus_creds *creds;
	uid_t uid;
	int r;

	r = sd_bus_query_sender_creds(m, SD_BUS_CREDS_EUID, &creds);
	if (r < 0)
		return r;
	r = sd_bus_creds_get_euid(creds, &uid);
	sd_bus_creds_unref(creds);
	if (r < 0)
		return r;
	return uid ? sd_bus_error_set(reterr, SD_BUS_ERROR_ACCESS_DENIED,
				      "passwords and nonces are for root only") : 0;
}

static int make_secret_tree(struct agent *agent, const struct account *account,
			    enum dmacc_layout layout, struct dmacc_tree **ret, sd_bus_error *reterr)
{
	int r = agent_secret_tree(agent, account, layout, ret);

	if (r == -ENODATA)
		return not_ready(account, reterr);
	if (r == -ESTALE)
		return sd_bus_error_setf(reterr, NOT_READY, "what is stored of account %s cannot be "
					 "read now; the agent finds out why, and its Reason says it "
					 "in a moment", account->name);
	return r;
}

static int get_tree_with_secrets(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	struct agent *agent = agent_of(m);
	struct dmacc_tree *tree;
	enum dmacc_layout layout;
	int fd, r;

	r = check_root(m, reterr);
	if (!r)
		r = read_layout(m, &layout, reterr);
	if (!r)
		r = make_secret_tree(agent, data, layout, &tree, reterr);
	if (r < 0)
		return r;
	fd = tree_text_memfd(tree);
	dmacc_tree_free(tree);
	harden_wipe_stack();
	if (fd < 0)
		return fd;
	r = sd_bus_reply_method_return(m, "h", fd);
	close(fd);
	return r;
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static const sd_bus_vtable account_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Name", "s", get_account, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("State", "s", get_account, 0, CHANGES),
	SD_BUS_PROPERTY("Reason", "s", get_account, 0, CHANGES),
	SD_BUS_PROPERTY("ServerID", "s", NULL, offsetof(struct account, server_id), CHANGES),
	SD_BUS_PROPERTY("Slot", "s", NULL, offsetof(struct account, slot), CHANGES),
	SD_BUS_PROPERTY("Profile", "s", NULL, offsetof(struct account, profile), CHANGES),
	SD_BUS_PROPERTY("Generation", "u", NULL, offsetof(struct account, generation), CHANGES),
	SD_BUS_PROPERTY("Template", "s", NULL, offsetof(struct account, template), CHANGES),
	/* who may call what is the bus's policy, and for secrets check_root() */
	SD_BUS_METHOD_WITH_ARGS("GetTree", SD_BUS_ARGS("s", layout),
				SD_BUS_RESULT("a(sssb)", nodes), get_tree,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetTreeWithSecrets", SD_BUS_ARGS("s", layout),
				SD_BUS_RESULT("h", tree), get_tree_with_secrets,
				SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
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
	r = sd_bus_path_decode(path, ACCOUNTS, &name);
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
	int r = nodes ? 0 : -ENOMEM;

	(void)bus, (void)prefix, (void)reterr;
	for (i = 0; r >= 0 && i < accounts->count; i++)
		r = sd_bus_path_encode(ACCOUNTS, accounts->list[i]->name, &nodes[i]);
	if (r < 0) {
		for (i = 0; nodes && nodes[i]; i++)
			free(nodes[i]);
		free(nodes);
		return r;
	}
	*ret_nodes = nodes;
	return 0;
}

static int add_objects(struct bus *b)
{
	int r;

	r = sd_bus_add_object_manager(b->bus, NULL, PATH);
	if (r >= 0)
		r = sd_bus_add_object_vtable(b->bus, NULL, PATH, MANAGER, manager_vtable, b);
	if (r >= 0)
		r = sd_bus_add_fallback_vtable(b->bus, NULL, ACCOUNTS, ACCOUNT, account_vtable,
					       find_account, b);
	return r < 0 ? r : sd_bus_add_node_enumerator(b->bus, NULL, ACCOUNTS, list_accounts, b);
}

int bus_new(struct agent *agent, sd_event *event, struct bus **ret)
{
	struct bus *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	b->agent = agent;
	r = sd_bus_open_system(&b->bus);
	if (r >= 0)
		r = add_objects(b);
	/* without the bus the agent is worth nothing: systemd starts it anew */
	if (r >= 0)
		r = sd_bus_set_exit_on_disconnect(b->bus, 1);
	if (r >= 0)
		r = sd_bus_attach_event(b->bus, event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0) {
		bus_free(b);
		return r;
	}
	*ret = b;
	return 0;
}

int bus_take_name(struct bus *bus)
{
	int r = sd_bus_request_name(bus->bus, NAME, 0);

	return r < 0 ? r : 0;
}

struct bus *bus_free(struct bus *bus)
{
	if (bus)
		sd_bus_flush_close_unref(bus->bus);
	free(bus);
	return NULL;
}

void bus_manager_changed(struct bus *bus, const char *property)
{
	if (bus)
		(void)sd_bus_emit_properties_changed(bus->bus, PATH, MANAGER, property, NULL);
}

static char *path_of(const char *name)
{
	char *path;

	return sd_bus_path_encode(ACCOUNTS, name, &path) < 0 ? NULL : path;
}

void bus_account_added(struct bus *bus, const char *name)
{
	char *path = bus ? path_of(name) : NULL;

	if (path)
		(void)sd_bus_emit_object_added(bus->bus, path);
	free(path);
}

void bus_account_changed(struct bus *bus, const char *name)
{
	char *path = bus ? path_of(name) : NULL;

	if (path)
		(void)sd_bus_emit_properties_changed(bus->bus, path, ACCOUNT, "State", "Reason",
						     "ServerID", "Slot", "Profile", "Generation",
						     "Template", NULL);
	free(path);
}

void bus_account_removed(struct bus *bus, const char *name)
{
	char *path = bus ? path_of(name) : NULL;

	if (path)
		(void)sd_bus_emit_object_removed(bus->bus, path);
	free(path);
}
