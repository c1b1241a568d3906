/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of the bus, for the files that make it: one for each interface, authorize.c and bus.c */
#ifndef DMACC_DMACCD_BUS_INSIDE_H
#define DMACC_DMACCD_BUS_INSIDE_H

#include <systemd/sd-bus.h>

#include "agent.h"
#include "bus.h"
#include "complaint.h"

#define BUS_NAME "org.dmacc1"
#define BUS_PATH "/org/dmacc1"
#define BUS_ACCOUNTS BUS_PATH "/account"
#define BUS_SESSIONS BUS_PATH "/session"
#define BUS_MANAGER "org.dmacc1.Manager"
#define BUS_ACCOUNT "org.dmacc1.Account"
#define BUS_SESSION "org.dmacc1.Session"
#define BUS_ERROR(name) "org.dmacc1.Error." name

struct guest;
struct question;

/**
 * struct bus - the connection
 * @guests: clients with a session, bus_session.c
 * @questions: what polkit is being asked, authorize.c
 */
struct bus {
	sd_bus *bus;
	struct agent *agent;
	struct guest *guests;
	struct question *questions;
};

/* Each puts the objects of its interface onto the bus. Returns 0 or more; a negative errno. */
int bus_add_manager(struct bus *b);
int bus_add_accounts(struct bus *b);
int bus_add_sessions(struct bus *b);

/* List and Get of an account: bus_node.c */
int bus_list(sd_bus_message *m, void *account, sd_bus_error *reterr);
int bus_get(sd_bus_message *m, void *account, sd_bus_error *reterr);

/* OpenSession, for an account by name; answers the call */
int bus_open_session(struct bus *b, sd_bus_message *m, const char *account, sd_bus_error *reterr);
/* Nobody is told: the sessions go with the agent */
void bus_forget_guests(struct bus *b);

/* Where an object of that name is below @prefix; malloc'ed, NULL without memory */
char *bus_path(const char *prefix, const char *name);

/* Sets the error org.dmacc1.Error.NotReady, and returns what goes with it */
int bus_not_ready(const struct account *account, sd_bus_error *reterr);
/* What a function of session.h or change.h returned: the error for its complaint */
int bus_complain(int r, const struct complaint *complaint, sd_bus_error *reterr);

/* Parts of a call. Return 0 or more; a negative errno. */
int bus_read_layout(sd_bus_message *m, enum dmacc_layout *ret, sd_bus_error *reterr);
/* The message's own bytes */
int bus_read_bytes(sd_bus_message *m, const void **ret, size_t *ret_len);

/* Answers with the tree in a memfd; frees it */
int bus_reply_secret_tree(sd_bus_message *m, struct dmacc_tree *tree);

#endif
