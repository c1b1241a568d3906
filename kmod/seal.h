/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DMACC_SEAL_H
#define _DMACC_SEAL_H

#include "crypto.h"
#include "linux/dmacc.h"
#include "linux/dmacc_blob.h"

#define DMACC_SEALED_MAX (DMACC_BLOB_MAX - sizeof(struct dmacc_root_blob))

/**
 * struct dmacc_seal_input - what a rung is given to seal or open with
 * @master: 32 bytes, or NULL where the rung needs none
 * @tpm_parent: handle of the persistent key under which a TPM seals; 0 where no TPM is asked.
 *	Only making needs it: what is sealed names it.
 */
struct dmacc_seal_input {
	const u8 *master;
	u32 tpm_parent;
};

/**
 * struct dmacc_seal - how a rung seals the root
 * @rung: which one it is
 * @needs_master: a master is handed over at each boot
 * @make: makes R and seals it; at most DMACC_SEALED_MAX bytes go to @ret_sealed, how many to
 *	@ret_len
 * @open: opens what @make sealed; -EBADMSG if master or sealed bytes are other ones
 *
 * Both may sleep, for as long as a TPM takes. -ENODEV is a kernel that has not what the rung stands
 * on, -EKEYREJECTED a refusal of what stands behind it. R is the caller's to wipe, whatever they
 * return.
 */
struct dmacc_seal {
	enum dmacc_rung rung;
	bool needs_master;
	int (*make)(const struct dmacc_seal_input *input, u8 ret_root[DMACC_KEY_LEN],
		    u8 *ret_sealed, size_t *ret_len);
	int (*open)(const struct dmacc_seal_input *input, const u8 *sealed, size_t len,
		    u8 ret_root[DMACC_KEY_LEN]);
};

extern const struct dmacc_seal dmacc_seal_trusted, dmacc_seal_wrapped;

const struct dmacc_seal *dmacc_seal_of(unsigned int rung);

#endif
