/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between reconcile.c, which decides, and compose.c, which makes the record of what was decided */
#ifndef DMACC_DMACCD_COMPOSE_H
#define DMACC_DMACCD_COMPOSE_H

#include "accounts.h"

#define COMPOSE_HASH_SIZE 32
#define WHY_SIZE 320

/* What is to be done about the derived values */
enum verdict {
	MAKE_NEW,		/* nothing is stored */
	TAKE_OVER,		/* the same: template's values and nonces' state at most change */
	DERIVE_ANEW,		/* they differ on purpose */
	KEEP,			/* they differ otherwise */
};

struct work {
	const struct device *device;
	const struct template *template;
	struct store_loaded *loaded;
	struct account *account;
	const struct dmacc_kernel_slot *slot;	/* NULL for an unkeyed profile */
	struct dmacc_server server;
	struct dmacc_credentials credentials;
	uint32_t generation;			/* that they are of, or are to be of */
	struct record *next;			/* to be written */
	struct record *record;			/* what the account is; who asked for it gets it */
	bool recovering;			/* NAME is damaged, or only NAME.prev is there */
	bool spent;				/* the key may have made them in an earlier life */
	bool initial_nonces;			/* derived ones that were never used */
	char why[WHY_SIZE];			/* to the verdict */
};

/* Profiles without a key need no slot */
bool compose_unkeyed(const struct template *template);
const char *compose_profile(const struct work *w);

/* Was the account made for another server than the template names now? */
bool compose_other_server(const struct work *w, const struct record *had);

/* What DevIdHash of the store is */
void compose_hash_devid(const char *devid, uint8_t ret[COMPOSE_HASH_SIZE]);

/* Random nonces in place of those of the record. Returns 0 or a negative errno. */
int compose_burn(struct record *record);

/* All of these make @w->next and return 0 or a negative errno */

/* Of what is stored, the template and the credentials */
int compose(struct work *w, enum verdict verdict);

/* Of what is stored alone, with its nonces burnt */
int compose_recovered(struct work *w);

/* For an account without secrets: what the template alone says */
int compose_furnished(struct work *w);

#endif
