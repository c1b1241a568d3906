/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls to the agent, and what came of them */
#ifndef DMACC_CLIENT_CALL_H
#define DMACC_CLIENT_CALL_H

#include <systemd/sd-bus.h>

#include "dmacc-client.h"

#define CLIENT_NAME "org.dmacc1"
#define CLIENT_PATH "/org/dmacc1"
#define CLIENT_MANAGER "org.dmacc1.Manager"
#define CLIENT_ACCOUNTS CLIENT_PATH "/account"
#define CLIENT_ACCOUNT "org.dmacc1.Account"
#define CLIENT_SESSION "org.dmacc1.Session"

/**
 * struct dmacc_client - see dmacc-client.h
 * @sessions: those that are open
 * @changed: may be NULL
 * @watched: the slots of the matches that @changed needs; NULL before
 */
struct dmacc_client {
	sd_bus *bus;
	char error[512];
	struct dmacc_session *sessions;
	dmacc_changed_function *changed;
	void *changed_data;
	sd_bus_slot *watched[4];
};

/* Frees the sessions without telling the agent, which sees the connection go */
void client_drop_sessions(struct dmacc_client *c);

/* Sets the sentence; returns @r */
int client_fail(struct dmacc_client *c, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a failure of sd-bus that says no more than its number */
int client_fail_bus(struct dmacc_client *c, int r);

/*
 * A call to be filled. All are sensitive, the answers as well: sd-bus wipes them. Returns 0 or what
 * client_fail() does.
 */
int client_message(struct dmacc_client *c, const char *path, const char *interface,
		   const char *method, sd_bus_message **ret);

/* Text goes onto the bus only as UTF-8: with other bytes the bus would hang up. @what: its name. */
int client_append_text(struct dmacc_client *c, sd_bus_message *m, const char *what,
		       const char *text);
int client_append_bytes(struct dmacc_client *c, sd_bus_message *m, const void *bytes, size_t len);

/**
 * client_call() - send it and wait
 * @m: taken
 * @r: of what was appended to it; if negative, nothing is sent
 * @ret: the answer; NULL if nothing of it is wanted
 *
 * Return: 0 or a negative errno, as dmacc-client.h has them.
 */
int client_call(struct dmacc_client *c, sd_bus_message *m, int r, sd_bus_message **ret);

#endif
