// SPDX-License-Identifier: GPL-2.0-only
/* Rung "wrapped": the root under AES-256-GCM with a master that is handed over at each boot. */
#include "seal.h"

/* What is sealed, in this order: uapi/linux/dmacc_blob.h */
struct wrapped {
	u8 nonce[DMACC_GCM_NONCE_LEN];
	u8 sealed[DMACC_KEY_LEN + DMACC_GCM_TAG_LEN];
};

static int wrapped_make(const struct dmacc_seal_input *input, u8 ret_root[DMACC_KEY_LEN],
			u8 *ret_sealed, size_t *ret_len)
{
	struct wrapped *wrapped = (struct wrapped *)ret_sealed;
	int err;

	err = dmacc_random(ret_root, DMACC_KEY_LEN);
	if (!err)
		err = dmacc_random(wrapped->nonce, sizeof(wrapped->nonce));
	if (err)
		return err;
	*ret_len = sizeof(*wrapped);
	return dmacc_gcm_seal(input->master, wrapped->nonce, NULL, 0, ret_root, DMACC_KEY_LEN,
			      wrapped->sealed);
}

static int wrapped_open(const struct dmacc_seal_input *input, const u8 *sealed, size_t len,
			u8 ret_root[DMACC_KEY_LEN])
{
	const struct wrapped *wrapped = (const struct wrapped *)sealed;

	if (len != sizeof(*wrapped))
		return -EBADMSG;
	return dmacc_gcm_open(input->master, wrapped->nonce, NULL, 0, wrapped->sealed,
			      DMACC_KEY_LEN, ret_root);
}

const struct dmacc_seal dmacc_seal_wrapped = {
	.rung = DMACC_RUNG_WRAPPED,
	.needs_master = true,
	.make = wrapped_make,
	.open = wrapped_open,
};
