/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An account with its file's content, for as long as one request takes */
#ifndef DMACC_DMACCD_HOLDING_H
#define DMACC_DMACCD_HOLDING_H

#include "agent.h"
#include "complaint.h"

/**
 * struct holding - an account that is held
 * @record: secret; changed by whoever holds it, for holding_save()
 */
struct holding {
	struct agent *agent;
	struct account *account;
	struct record *record;
};

/**
 * holding_open() - read the file of an account that is ready
 * @ret: to be given to holding_close(); written on success only
 *
 * Return: 0; -EPERM with a complaint; -ENOMEM.
 */
int holding_open(struct agent *agent, const char *account, struct holding *ret,
		 struct complaint *reterr);

/* Wipes the record */
void holding_close(struct holding *h);

/**
 * holding_save() - write it, and show and signal what is different now
 *
 * One durable write. When it returns 0 it is on the disk.
 *
 * Return: 0; -EPERM with a complaint; -ENOMEM. Then what counts is on the disk, and the record in
 * hand worth nothing.
 */
int holding_save(struct holding *h, struct complaint *reterr);

#endif
