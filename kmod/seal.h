/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DMACC_SEAL_H
#define _DMACC_SEAL_H

#include "crypto.h"
#include "linux/dmacc.h"
#include "linux/dmacc_blob.h"

/**
 * struct dmacc_seal - how a rung seals the root
 * @rung: which one it is
 * @needs_master: a master is handed over at each boot
 * @seal: seals R into @blob, whose header is filled in; its nonce, sealed bytes and tag are written
 * @open: opens it again; -EBADMSG if master or blob are not those that were sealed
 *
 * Both may sleep, for as long as a TPM takes.
 */
struct dmacc_seal {
	enum dmacc_rung rung;
	bool needs_master;
	int (*seal)(const u8 *master, const u8 root[DMACC_KEY_LEN], struct dmacc_root_blob *blob);
	int (*open)(const u8 *master, const struct dmacc_root_blob *blob,
		    u8 ret_root[DMACC_KEY_LEN]);
};

extern const struct dmacc_seal dmacc_seal_wrapped;

#endif
