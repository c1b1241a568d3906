/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Template, device and store make accounts: what is stored is reconciled with what is derived now
 */
#ifndef DMACC_DMACCD_ACCOUNTS_H
#define DMACC_DMACCD_ACCOUNTS_H

#include "account.h"
#include "device.h"
#include "templates.h"

/* What the store has of an account */
struct stored {
	char *name;
	struct store_loaded loaded;
};

struct stored_list {
	struct stored *list;
	size_t count;
};

/* Sorted by name */
struct accounts {
	struct account **list;
	size_t count;
};

/* Reads all that is in the store; an empty list if there is none. Returns 0 or a negative errno. */
int accounts_load(const struct device *device, struct stored_list *ret);
void accounts_unload(struct stored_list *stored);
struct stored *accounts_stored(const struct stored_list *stored, const char *name);

/**
 * accounts_make() - reconcile
 * @stored: what accounts_load() gave; records are taken out of it
 * @ret: the caller's, to be given to accounts_done(); written on success only
 *
 * Writes what has changed, and says so in the journal. What cannot be derived, read or written is a
 * state of the account and no failure.
 *
 * Return: 0; -ENOMEM.
 */
int accounts_make(const struct device *device, const struct templates *templates,
		  struct stored_list *stored, struct accounts *ret);
void accounts_done(struct accounts *accounts);
struct account *accounts_find(const struct accounts *accounts, const char *name);

#endif
