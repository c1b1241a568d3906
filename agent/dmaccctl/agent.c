// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "ctl.h"

#define NAME "org.dmacc1"
#define PATH "/org/dmacc1"
#define MANAGER "org.dmacc1.Manager"
#define ACCOUNT "org.dmacc1.Account"

/* A property and where in a struct it goes. Types as in D-Bus; 'a': refused templates. */
struct field {
	const char *name;
	char type;
	size_t offset;
};

static const struct field manager_fields[] = {
	{ "Version", 's', offsetof(struct agent, version) },
	{ "State", 's', offsetof(struct agent, state) },
	{ "Reason", 's', offsetof(struct agent, reason) },
	{ "RefusedTemplates", 'a', 0 },
	{ NULL, 0, 0 },
};

static const struct field account_fields[] = {
	{ "Name", 's', offsetof(struct agent_account, name) },
	{ "State", 's', offsetof(struct agent_account, state) },
	{ "Reason", 's', offsetof(struct agent_account, reason) },
	{ "ServerID", 's', offsetof(struct agent_account, server_id) },
	{ "Slot", 's', offsetof(struct agent_account, slot) },
	{ "Profile", 's', offsetof(struct agent_account, profile) },
	{ "Template", 's', offsetof(struct agent_account, template) },
	{ "Nonces", 's', offsetof(struct agent_account, nonces) },
	{ "Generation", 'u', offsetof(struct agent_account, generation) },
	{ "Guessable", 'b', offsetof(struct agent_account, guessable) },
	{ "EverConnected", 'b', offsetof(struct agent_account, ever_connected) },
	{ "LastConnected", 't', offsetof(struct agent_account, last_connected) },
	{ NULL, 0, 0 },
};

#define TEMPLATES_USR "/usr/share/dmacc/accounts.d"

static int set_string(char **place, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*place);
	*place = copy;
	return 0;
}

static int add_refusal(struct agent *agent, const char *template, const char *reason)
{
	struct agent_refusal *refusals, *refusal;

	refusals = reallocarray(agent->refusals, agent->refusals_len + 1, sizeof(*refusals));
	if (!refusals)
		return -ENOMEM;
	agent->refusals = refusals;
	refusal = &refusals[agent->refusals_len++];
	*refusal = (struct agent_refusal){ strdup(template), strdup(reason) };
	return refusal->template && refusal->reason ? 0 : -ENOMEM;
}

static int read_refusals(sd_bus_message *m, struct agent *agent)
{
	const char *template, *reason;
	int r;

	r = sd_bus_message_enter_container(m, 'v', "a(ss)");
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "(ss)");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(m, "(ss)", &template, &reason)) > 0) {
		r = add_refusal(agent, template, reason);
		if (r < 0)
			return r;
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_value(sd_bus_message *m, char type, void *to)
{
	const char *text;
	int flag, r;

	if (type == 's') {
		r = sd_bus_message_read_basic(m, 's', &text);
		return r < 0 ? r : set_string(to, text);
	}
	if (type != 'b')
		return sd_bus_message_read_basic(m, type, to);
	r = sd_bus_message_read_basic(m, 'b', &flag);
	if (r >= 0)
		*(bool *)to = flag;
	return r;
}

static int read_field(sd_bus_message *m, const struct field *field, void *to)
{
	const char type[] = { field->type, '\0' };
	int r;

	r = sd_bus_message_enter_container(m, 'v', type);
	if (r >= 0)
		r = read_value(m, field->type, (char *)to + field->offset);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_property(sd_bus_message *m, const struct field *fields, void *to)
{
	const char *name;
	int r;

	r = sd_bus_message_read_basic(m, 's', &name);
	if (r < 0)
		return r;
	for (; fields->name; fields++)
		if (!strcmp(fields->name, name))
			return fields->type == 'a' ? read_refusals(m, to) : read_field(m, fields, to);
	/* of a newer agent */
	return sd_bus_message_skip(m, "v");
}

/* a{sv} */
static int read_properties(sd_bus_message *m, const struct field *fields, void *to)
{
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{sv}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_property(m, fields, to);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static struct agent_account *add_account(struct agent *agent, const char *path)
{
	struct agent_account *accounts, *account;

	accounts = reallocarray(agent->accounts, agent->accounts_len + 1, sizeof(*accounts));
	if (!accounts)
		return NULL;
	agent->accounts = accounts;
	account = &accounts[agent->accounts_len++];
	*account = (struct agent_account){ .path = strdup(path) };
	return account->path ? account : NULL;
}

static int read_interface(sd_bus_message *m, struct agent *agent, const char *path)
{
	struct agent_account *account;
	const char *interface;
	int r;

	r = sd_bus_message_read_basic(m, 's', &interface);
	if (r < 0)
		return r;
	if (strcmp(interface, ACCOUNT))
		return sd_bus_message_skip(m, "a{sv}");
	account = add_account(agent, path);
	return account ? read_properties(m, account_fields, account) : -ENOMEM;
}

/* {oa{sa{sv}}}, entered */
static int read_object(sd_bus_message *m, struct agent *agent)
{
	const char *path;
	int r;

	r = sd_bus_message_read_basic(m, 'o', &path);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
		r = read_interface(m, agent, path);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_objects(sd_bus_message *m, struct agent *agent)
{
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
		r = read_object(m, agent);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r;
}

/* Of this account, or of any if it is NULL */
static bool has_template(const char *folder, const char *account)
{
	static const char * const endings[] = { ".conf", ".w7", ".tnds", ".xml", ".wbxml" };
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool found = false;
	size_t i;

	while (dir && !found && (entry = readdir(dir))) {
		const char *ending = strrchr(entry->d_name, '.');

		if (account && (strncmp(entry->d_name, account, strlen(account)) ||
				ending != entry->d_name + strlen(account)))
			continue;
		for (i = 0; ending && ending != entry->d_name && !found &&
		     i < sizeof(endings) / sizeof(endings[0]); i++)
			found = !strcmp(ending, endings[i]);
	}
	if (dir)
		closedir(dir);
	return found;
}

static const char *templates_etc(void)
{
	static char path[200];

	snprintf(path, sizeof(path), "%.180s/accounts.d", ctl_configuration());
	return path;
}

bool agent_has_template(void)
{
	return agent_has_template_of(NULL);
}

bool agent_has_template_of(const char *account)
{
	return has_template(templates_etc(), account) || has_template(TEMPLATES_USR, account);
}

bool agent_is_disabled(void)
{
	char path[200];

	snprintf(path, sizeof(path), "%.180s/" AGENT_DISABLED, ctl_configuration());
	return !access(path, F_OK);
}

static void explain_absence(char reterr[512])
{
	if (agent_is_disabled())
		snprintf(reterr, 512, "the agent is disabled on this device; 'dmaccctl enable' is the way "
			 "back");
	else if (agent_has_template())
		snprintf(reterr, 512, "the agent is not running; 'systemctl status dmaccd' says why");
	else
		snprintf(reterr, 512, "the agent is not running: there is no account template in %s or "
			 "%s, and without one nothing runs", templates_etc(), TEMPLATES_USR);
}

/* The bus's own refusal, which is a page of its policy's terms; the agent's is a sentence */
static bool is_refused_by_bus(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED) && error->message &&
	       !strncmp(error->message, "Rejected send message", 21);
}

static bool is_absent(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER);
}

static void explain(const sd_bus_error *error, int r, char reterr[512])
{
	if (is_absent(error))
		explain_absence(reterr);
	else if (is_refused_by_bus(error))
		snprintf(reterr, 512, "you are not privileged to ask the agent; root is");
	else if (sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED))
		snprintf(reterr, 512, "the agent does not answer you: %s",
			 error->message ? error->message : "not privileged");
	else
		snprintf(reterr, 512, "the agent: %s",
			 error->message ? error->message : strerror(-r));
}

static int fail(sd_bus_error *error, int r, char reterr[512])
{
	explain(error, r, reterr);
	sd_bus_error_free(error);
	return -1;
}

static int new_call(struct agent *agent, const char *path, const char *interface,
		    const char *method, sd_bus_message **ret)
{
	sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_call(agent->bus, &m, NAME, path, interface, method);
	if (r >= 0)
		r = sd_bus_message_set_auto_start(m, 0);
	if (r >= 0)
		*ret = m;
	else
		sd_bus_message_unref(m);
	return r;
}

/* Takes @m; @r is of what was appended to it. @ret may be NULL. */
static int send_call(struct agent *agent, sd_bus_message *m, int r, sd_bus_message **ret,
		     char reterr[512])
{
	sd_bus_error error = SD_BUS_ERROR_NULL;

	if (r >= 0)
		r = sd_bus_call(agent->bus, m, 0, &error, ret);
	sd_bus_message_unref(m);
	agent->absent = is_absent(&error);
	return r < 0 ? fail(&error, r, reterr) : 0;
}

static int call(struct agent *agent, const char *path, const char *interface, const char *method,
		const char *argument, sd_bus_message **ret, char reterr[512])
{
	sd_bus_message *m = NULL;
	int r;

	r = new_call(agent, path, interface, method, &m);
	if (r >= 0)
		r = sd_bus_message_set_allow_interactive_authorization(m, 1);
	if (r >= 0 && argument)
		r = sd_bus_message_append_basic(m, 's', argument);
	return send_call(agent, m, r, ret, reterr);
}

static int read_manager(struct agent *agent, char reterr[512])
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m;
	int r;

	r = call(agent, PATH, "org.freedesktop.DBus.Properties", "GetAll", MANAGER, &m, reterr);
	if (r)
		return r;
	r = read_properties(m, manager_fields, agent);
	sd_bus_message_unref(m);
	return r < 0 ? fail(&error, r, reterr) : 0;
}

static int read_accounts(struct agent *agent, char reterr[512])
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m;
	int r;

	r = call(agent, PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL, &m,
		 reterr);
	if (r)
		return r;
	r = read_objects(m, agent);
	sd_bus_message_unref(m);
	return r < 0 ? fail(&error, r, reterr) : 0;
}

static int compare_accounts(const void *a, const void *b)
{
	return strcmp(((const struct agent_account *)a)->path,
		      ((const struct agent_account *)b)->path);
}

int agent_read(struct agent *ret, char reterr[512])
{
	int r;

	*ret = (struct agent){ 0 };
	r = sd_bus_open_system(&ret->bus);
	if (r < 0) {
		snprintf(reterr, 512, "the system bus cannot be reached: %s", strerror(-r));
		return -1;
	}
	if (read_manager(ret, reterr) || read_accounts(ret, reterr))
		return -1;
	if (ret->accounts_len)
		qsort(ret->accounts, ret->accounts_len, sizeof(ret->accounts[0]), compare_accounts);
	return 0;
}

static void account_done(struct agent_account *account)
{
	free(account->path);
	free(account->name);
	free(account->state);
	free(account->reason);
	free(account->server_id);
	free(account->slot);
	free(account->profile);
	free(account->template);
	free(account->nonces);
}

void agent_done(struct agent *agent)
{
	size_t i;

	for (i = 0; i < agent->accounts_len; i++)
		account_done(&agent->accounts[i]);
	for (i = 0; i < agent->refusals_len; i++) {
		free(agent->refusals[i].template);
		free(agent->refusals[i].reason);
	}
	free(agent->accounts);
	free(agent->refusals);
	free(agent->version);
	free(agent->state);
	free(agent->reason);
	sd_bus_flush_close_unref(agent->bus);
	*agent = (struct agent){ 0 };
}

int agent_call(struct agent *agent, const struct agent_account *account, const char *method,
	       const char *layout, sd_bus_message **ret, char reterr[512])
{
	return call(agent, account->path, ACCOUNT, method, layout, ret, reterr);
}

int agent_replace(struct agent *agent, const struct agent_account *account, const char *uri,
		  const void *value, size_t len, char reterr[512])
{
	sd_bus_message *m = NULL;
	int r;

	r = new_call(agent, account->path, ACCOUNT, "Replace", &m);
	if (r >= 0)
		r = sd_bus_message_sensitive(m);
	if (r >= 0)
		r = sd_bus_message_set_allow_interactive_authorization(m, 1);
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", uri, "chr");
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', value, len);
	return send_call(agent, m, r, NULL, reterr);
}

int agent_revert(struct agent *agent, const struct agent_account *account, char **nodes,
		 char reterr[512])
{
	sd_bus_message *m = NULL;
	int r;

	r = new_call(agent, account->path, ACCOUNT, "Revert", &m);
	if (r >= 0)
		r = sd_bus_message_set_allow_interactive_authorization(m, 1);
	if (r >= 0)
		r = sd_bus_message_append_strv(m, nodes);
	return send_call(agent, m, r, NULL, reterr);
}
