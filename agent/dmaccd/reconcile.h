/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_DMACCD_RECONCILE_H
#define DMACC_DMACCD_RECONCILE_H

#include "accounts.h"

/**
 * reconcile() - make the account of a template
 * @stored: what the store has of it; its record is taken. NULL if there is no store.
 * @account: has its name; state, reason and counter are written
 * @ret_record: what it is now, or NULL if nothing is known of it; secret, to be given to
 *	record_free()
 *
 * Return: 0; -ENOMEM.
 */
int reconcile(const struct device *device, const struct template *template, struct stored *stored,
	      struct account *account, struct record **ret_record);

/* The account of a template that is there but refused: what is stored serves as it is */
void reconcile_without_template(const struct device *device, const struct refusal *refusal,
				struct stored *stored, struct account *account,
				struct record **ret_record);

#endif
