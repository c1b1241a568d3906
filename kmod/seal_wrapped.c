// SPDX-License-Identifier: GPL-2.0-only
/* Rung "wrapped": the root under AES-256-GCM with a master that is handed over at each boot. */
#include <linux/random.h>

#include "seal.h"

#define HEADER_LEN offsetof(struct dmacc_root_blob, nonce)

static int wrapped_seal(const u8 *master, const u8 root[DMACC_KEY_LEN],
			struct dmacc_root_blob *blob)
{
	int err = get_random_bytes_wait(blob->nonce, sizeof(blob->nonce));

	if (err)
		return err;
	return dmacc_gcm_seal(master, blob->nonce, (const u8 *)blob, HEADER_LEN, root,
			      DMACC_KEY_LEN, blob->sealed);
}

static int wrapped_open(const u8 *master, const struct dmacc_root_blob *blob,
			u8 ret_root[DMACC_KEY_LEN])
{
	return dmacc_gcm_open(master, blob->nonce, (const u8 *)blob, HEADER_LEN, blob->sealed,
			      DMACC_KEY_LEN, ret_root);
}

const struct dmacc_seal dmacc_seal_wrapped = {
	.rung = DMACC_RUNG_WRAPPED,
	.needs_master = true,
	.seal = wrapped_seal,
	.open = wrapped_open,
};
