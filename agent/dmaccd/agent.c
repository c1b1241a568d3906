// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "bus.h"
#include "harden.h"
#include "log.h"
#include "session.h"

struct import_cache {
	const struct agent *agent;
	const struct stored_list *stored;
};

/* What a document was made into lies in the store of its account */
static bool imported(void *data, const char *name, const uint8_t digest[TEMPLATE_DIGEST_SIZE],
		     char **ret_plain, size_t *ret_len)
{
	const struct import_cache *cache = data;
	const struct stored *stored = accounts_stored(cache->stored, name);
	const void *bytes;
	size_t len;

	if (!stored || !stored->loaded.record)
		return false;
	bytes = record_get(stored->loaded.record, RECORD_STATE, "DocumentDigest", &len);
	if (!bytes || len != TEMPLATE_DIGEST_SIZE || memcmp(bytes, digest, len))
		return false;
	bytes = record_get(stored->loaded.record, RECORD_STATE, "DocumentPlain", &len);
	if (!bytes)
		return false;
	*ret_plain = malloc(len + 1);
	if (!*ret_plain)
		return false;
	memcpy(*ret_plain, bytes, len);
	*ret_len = len;
	return true;
}

static void alive(void *data)
{
	const struct import_cache *cache = data;

	if (cache->agent->alive)
		cache->agent->alive();
}

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a, b);
}

static bool same_refusals(const struct templates *a, const struct templates *b)
{
	size_t i;

	if (!a || a->refusals_count != b->refusals_count)
		return false;
	for (i = 0; i < a->refusals_count; i++)
		if (!same_text(a->refusals[i].path, b->refusals[i].path) ||
		    !same_text(a->refusals[i].reason, b->refusals[i].reason))
			return false;
	return true;
}

static int read_templates(struct agent *agent, const struct stored_list *stored)
{
	struct import_cache cache = { agent, stored };
	const struct templates_source source = {
		.folders = { agent->template_folders[0], agent->template_folders[1] },
		.importer = agent->importer,
		.imported = imported,
		.alive = alive,
		.data = &cache,
	};
	struct templates *templates, *before = agent->templates;
	int r;

	r = templates_read(&source, &templates);
	if (r)
		return r;
	agent->templates = templates;
	if (!same_refusals(before, templates))
		bus_manager_changed(agent->bus, "RefusedTemplates");
	templates_free(before);
	return 0;
}

/* Once when it begins, and not each time that it is tried again */
static void log_state(const struct account *account)
{
	enum log_event event = LOG_ACCOUNT_NO_SECRETS;
	char sentence[ACCOUNT_REASON_SIZE + 32];
	int priority = LOG_WARNING;

	if (account->state == ACCOUNT_READY && !account->reason[0])
		return;
	if (account->state == ACCOUNT_DAMAGED) {
		event = LOG_ACCOUNT_KEPT;
		priority = LOG_ERR;
	} else if (account->state == ACCOUNT_WITHDRAWN) {
		event = LOG_ACCOUNT_WITHDRAWN;
		priority = LOG_NOTICE;
	} else if (account->state == ACCOUNT_DISABLED) {
		event = LOG_ACCOUNT_DISABLED;
		priority = LOG_NOTICE;
	}
	account_sentence(account, sentence, sizeof(sentence));
	log_event(event, account->name, priority, "%s", sentence);
}

/* @old may be NULL: the account has just come */
static void tell_change(struct agent *agent, const struct account *old, const struct account *new)
{
	if (!old || old->state != new->state || !same_text(old->reason, new->reason))
		log_state(new);
	if (!old)
		bus_account_added(agent->bus, new->name);
	else if (!account_equal(old, new))
		bus_account_changed(agent->bus, new->name);
}

/*
 * The bus asks for the properties of what it signals: an account goes after its signal, and comes
 * before
 */
static void replace_accounts(struct agent *agent, struct accounts *new)
{
	struct accounts old = agent->accounts;
	size_t i;

	for (i = 0; i < old.count; i++)
		if (!accounts_find(new, old.list[i]->name))
			bus_account_removed(agent->bus, old.list[i]->name);
	agent->accounts = *new;
	for (i = 0; i < new->count; i++)
		tell_change(agent, accounts_find(&old, new->list[i]->name), new->list[i]);
	accounts_done(&old);
}

static void learn(struct agent *agent)
{
	struct device *device = &agent->device;
	enum device_state state = device->state;
	char reason[DEVICE_REASON_SIZE], devid[DMACC_DEVID_SIZE];

	memcpy(reason, device->reason, sizeof(reason));
	memcpy(devid, device->devid, sizeof(devid));
	device_learn(device, agent->store_path);
	if (!same_text(devid, device->devid))
		bus_manager_changed(agent->bus, "DevId");
	if (state == device->state && same_text(reason, device->reason))
		return;
	bus_manager_changed(agent->bus, "State");
	bus_manager_changed(agent->bus, "Reason");
	if (device->state == DEVICE_READY && !device->reason[0])
		log_event(LOG_DEVICE_STATE, NULL, LOG_INFO, "ready: identifier, root and keys are "
			  "there");
	else
		log_event(LOG_DEVICE_STATE, NULL, LOG_WARNING, "%s: %s",
			  device_state_word(device->state), device->reason);
}

int agent_configure(struct agent *agent)
{
	char sentence[CONFIG_SENTENCE_SIZE];
	struct config config;
	int r;

	if (!agent->config_path)
		return 0;
	r = config_read(agent->config_path, &config, sentence);
	if (r) {
		log_line(LOG_ERR, "%s: %s", agent->config_path, sentence);
		return r;
	}
	agent->device.minimum = config.minimum;
	agent->modem_config = config.modem;
	return 0;
}

int agent_refresh(struct agent *agent, bool reread)
{
	struct stored_list stored;
	struct accounts accounts;
	int r;

	learn(agent);
	r = accounts_load(&agent->device, &stored);
	/* accounts that have a template are still found by name */
	if (r)
		log_event(LOG_STORE_FAILED, NULL, LOG_ERR, "the store cannot be listed: %s",
			  strerror(-r));
	r = 0;
	if (reread || !agent->templates)
		r = read_templates(agent, &stored);
	if (!r)
		r = accounts_make(&agent->device, agent->templates, &stored, &accounts);
	accounts_unload(&stored);
	harden_wipe_stack();
	if (r)
		return r;
	replace_accounts(agent, &accounts);
	return 0;
}

static int read_secret_tree(struct store *store, const struct account *account,
			    enum dmacc_layout layout, struct dmacc_tree **ret)
{
	struct store_loaded loaded;
	int r = -ESTALE;

	store_load(store, account->name, &loaded);
	/* an older one has nonces that were used */
	if (loaded.record && loaded.counter == account->counter)
		r = account_secret_tree(loaded.record, layout, ret);
	record_free(loaded.record);
	return r;
}

int agent_secret_tree(struct agent *agent, const struct account *account, enum dmacc_layout layout,
		      struct dmacc_tree **ret)
{
	int r;

	if (account->state != ACCOUNT_READY || !agent->device.store)
		return -ENODATA;
	r = read_secret_tree(agent->device.store, account, layout, ret);
	if (r == -ESTALE && agent->look_again)
		agent->look_again(agent);
	return r;
}

bool agent_wants_retry(const struct agent *agent)
{
	size_t i;

	if (agent->device.state != DEVICE_READY)
		return true;
	for (i = 0; i < agent->accounts.count; i++)
		if (agent->accounts.list[i]->retry)
			return true;
	return false;
}

void agent_status(const struct agent *agent, char *ret, size_t size)
{
	const struct accounts *accounts = &agent->accounts;
	size_t ready = 0, i;

	for (i = 0; i < accounts->count; i++)
		ready += accounts->list[i]->state == ACCOUNT_READY;
	if (agent->device.state == DEVICE_READY)
		snprintf(ret, size, "accounts ready: %zu of %zu", ready, accounts->count);
	else
		snprintf(ret, size, "%s; accounts ready: %zu of %zu",
			 device_state_word(agent->device.state), ready, accounts->count);
}

void agent_done(struct agent *agent)
{
	session_close_all(agent);
	accounts_done(&agent->accounts);
	agent->templates = templates_free(agent->templates);
	device_done(&agent->device);
	free(agent->store_path);
	agent->store_path = NULL;
}
