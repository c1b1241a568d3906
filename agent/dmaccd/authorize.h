/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may do what on the bus: decided here, whatever the bus's own policy lets through */
#ifndef DMACC_DMACCD_AUTHORIZE_H
#define DMACC_DMACCD_AUTHORIZE_H

#include <systemd/sd-bus.h>

/* Reading is for anybody, but of the identifier, and a session's own methods are for its owner: bus_session.c */
enum authorize_what {
	AUTHORIZE_SECRETS,	/* root */
	AUTHORIZE_SESSION,	/* root, and who is in the group dmclient */
	AUTHORIZE_MANAGE,	/* root, and whom polkit lets: org.dmacc1.manage-accounts */
};

struct bus;
struct question;

/**
 * typedef authorized_function - what was asked for
 * @bus: the agent's
 * @m: the call, as it came; to be answered
 * @path: of the object that was called; what it stands for may be gone
 * @reterr: why not; written on failure only
 *
 * Return: 0 or more; a negative errno.
 */
typedef int authorized_function(struct bus *bus, sd_bus_message *m, const char *path,
				sd_bus_error *reterr);

/**
 * authorize() - do it, if the caller may
 * @then: is called at once, or, while polkit is asked, later
 * @reterr: written on failure only
 *
 * For the end of a method's handler, which returns what this returns.
 */
int authorize(struct bus *bus, sd_bus_message *m, enum authorize_what what,
	      authorized_function *then, sd_bus_error *reterr);

/* May who sent this know the device's identifier? Returns 0; a negative errno, with @reterr. */
int authorize_identifier(struct bus *bus, sd_bus_message *m, sd_bus_error *reterr);

/* Forgets the questions that polkit has not answered */
void authorize_done(struct bus *bus);

#endif
