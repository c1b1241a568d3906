/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The agent as org.dmacc1 shows it: uapi/org.dmacc1.xml */
#ifndef DMACC_CTL_AGENT_H
#define DMACC_CTL_AGENT_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

struct agent_account {
	char *path;
	char *name;
	char *state;
	char *reason;
	char *server_id;
	char *slot;
	char *profile;
	char *template;
	char *nonces;
	uint32_t generation;
	bool guessable;
	bool ever_connected;
	uint64_t last_connected;	/* microseconds since 1970 */
};

struct agent_refusal {
	char *template;
	char *reason;
};

struct agent {
	sd_bus *bus;
	bool absent;		/* the bus knows no agent */
	char *version;
	char *state;
	char *reason;
	struct agent_account *accounts;
	size_t accounts_len;
	struct agent_refusal *refusals;
	size_t refusals_len;
};

/**
 * agent_read() - connect, and read all that is not secret
 * @ret: to be given to agent_done() in any case
 * @reterr: a sentence: why there is no agent to be had
 *
 * Never starts the agent.
 *
 * Return: 0 or -1.
 */
int agent_read(struct agent *ret, char reterr[512]);
void agent_done(struct agent *agent);

/* Is there an account template in one of the agent's folders? Without one nothing runs. */
bool agent_has_template(void);
bool agent_has_template_of(const char *account);

/* Has the owner disabled it as a whole? This file in our folder of /etc says so, to its units, too. */
#define AGENT_DISABLED "disabled"
bool agent_is_disabled(void);

/* Calls a method of an account, with the layout as its argument if there is one. @reterr: why not. */
int agent_call(struct agent *agent, const struct agent_account *account, const char *method,
	       const char *layout, sd_bus_message **ret, char reterr[512]);

/* Changes on the device. A polkit agent may ask for a password. @nodes: NULL at the end. */
int agent_replace(struct agent *agent, const struct agent_account *account, const char *uri,
		  const void *value, size_t len, char reterr[512]);
int agent_revert(struct agent *agent, const struct agent_account *account, char **nodes,
		 char reterr[512]);

#endif
