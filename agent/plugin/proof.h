/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The session with the agent, and when its nonces are committed.
 *
 * libdmclient hands over every nonce at once, before and whether or not it has found the server's
 * credential right, and never says what it found. But it executes no command of a server that it has
 * not: so the first command that gets as far as our access rights, after the server was heard, is
 * the proof. What it handed over up to then is committed before the command is done, and so before
 * the next message goes out. Without such a command nothing is stored: the next session begins with a
 * challenge, in both directions, and goes on.
 */
#ifndef DMACC_PLUGIN_PROOF_H
#define DMACC_PLUGIN_PROOF_H

#include <stdbool.h>

#include "dmacc-client.h"

/**
 * struct proof - of one client
 * @session: with the account that the client reads secrets of; NULL before
 * @account: its name
 * @heard: a server has sent a credential, which was judged
 */
struct proof {
	struct dmacc_client *client;
	struct dmacc_session *session;
	char *account;
	bool heard;
	struct proof *next;
};

/* Between them any number of others; a client is in use from _begin to _end */
int proof_begin(struct proof *p);
void proof_end(struct proof *p);

/* Begins the session, or goes on with it. 0 or a negative errno. */
int proof_session(struct proof *p, const char *account);

/* A command of a server is executed on this object's nodes. 0; a negative errno: do not. */
int proof_found(struct proof *p);

/* The same on nodes of another object: counts if there is only one client in this process */
int proof_found_elsewhere(void);

/* For the journal; no secret */
__attribute__((format(printf, 1, 2)))
void mo_complain(const char *format, ...);

#endif
