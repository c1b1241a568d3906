/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The whole: what the device has, the templates and the accounts, kept in step */
#ifndef DMACC_DMACCD_AGENT_H
#define DMACC_DMACCD_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "accounts.h"
#include "config.h"
#include "device.h"
#include "templates.h"

struct bus;
struct session;
struct trace;

/**
 * struct agent - the state of the program
 * @template_folders: the one that overrides first
 * @importer: path of dmacc-import
 * @store_path: folder of the accounts
 * @config_path: dmaccd.conf; NULL: none
 * @bus: NULL before it is there; then what changes is signalled
 * @alive: called while a refresh takes long; may be NULL
 * @look_again: called when something is not as the last refresh found it: another one is due soon.
 *	May be NULL.
 * @modem_config: of dmaccd.conf, for modem_watch()
 * @sessions: session.h; with no session there is none
 * @traces: what sessions of this run have left behind, session.c
 */
struct agent {
	const char *template_folders[2];
	const char *importer;
	char *store_path;
	const char *config_path;
	struct bus *bus;
	void (*alive)(void);
	void (*look_again)(struct agent *agent);

	struct config_modem modem_config;
	struct device device;
	struct templates *templates;
	struct accounts accounts;
	struct session *sessions;
	struct trace *traces;
};

/**
 * agent_configure() - read dmaccd.conf, for the next refresh
 *
 * Return: 0; a negative errno, and then it was logged and what was read before stands.
 */
int agent_configure(struct agent *agent);

/**
 * agent_refresh() - learn, read, reconcile, and signal what is different now
 * @reread: read the templates, too
 *
 * Return: 0; -ENOMEM, and the accounts are as they were.
 */
int agent_refresh(struct agent *agent, bool reread);

/**
 * agent_secret_tree() - an account with its passwords and nonces, which are read for it
 * @ret: secret; the caller's, to be given to dmacc_tree_free()
 *
 * Return: 0; -ENODATA if the account is not ready; -ESTALE if its file cannot be read now or is not
 * what it was, and then a refresh is due; -ENOMEM.
 */
int agent_secret_tree(struct agent *agent, const struct account *account, enum dmacc_layout layout,
		      struct dmacc_tree **ret);

/* Is something missing that may come without anybody telling? */
bool agent_wants_retry(const struct agent *agent);

/* One line for systemctl status */
void agent_status(const struct agent *agent, char *ret, size_t size);

void agent_done(struct agent *agent);

#endif
