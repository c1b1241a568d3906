/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An account's nodes, as the agent shows them */
#ifndef DMACC_CTL_NODES_H
#define DMACC_CTL_NODES_H

#include <json-c/json.h>

#include "agent.h"

/**
 * struct node - a node of the management tree
 * @uri: such as "./DMAcc/x/AppAddr/1/Addr"
 * @format: "node", "chr", "int", "bin"
 * @value: text, base64 for format bin; "" for a node
 * @hidden: the value was not asked for, and is ""
 * @protected: the standard lets nobody read it
 */
struct node {
	char *uri;
	char *format;
	char *value;
	bool hidden;
	bool protected;
};

/* Parents come before their children; the account's own node is the first */
struct nodes {
	struct node *list;
	size_t len, room;
};

/**
 * nodes_read() - ask the agent
 * @layout: "1.1" or "1.2"
 * @secrets: with the values of protected nodes, which root only is given
 * @ret: to be given to nodes_done() in any case
 *
 * Return: 0; EXIT_SOME, and it has been said why.
 */
int nodes_read(struct agent *agent, const struct agent_account *account, const char *layout,
	       bool secrets, struct nodes *ret);

/* Wipes them */
void nodes_done(struct nodes *nodes);

#endif
