/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes of an account outside of a session: by the device's owner, and back to what the factory
 * made. All are on the disk when they return 0, and the bus has been told.
 */
#ifndef DMACC_DMACCD_CHANGE_H
#define DMACC_DMACCD_CHANGE_H

#include "agent.h"
#include "complaint.h"

/* All return 0; -EPERM with a complaint; -ENOMEM. While the account has a session it is busy. */

/* A value of a node, by its URI in either layout, as the device's owner wants it */
int change_replace(struct agent *agent, const char *account, const char *uri, const char *format,
		   const void *value, size_t len, struct complaint *reterr);

/**
 * change_revert() - the values of template and derivation again
 * @nodes: words as in struct origin of account.h, NULL at the end; an empty list: all
 */
int change_revert(struct agent *agent, const char *account, char *const *nodes,
		  struct complaint *reterr);

/* All of it as the factory made it, at the template's generation, with burnt nonces */
int change_reset(struct agent *agent, const char *account, struct complaint *reterr);

#endif
