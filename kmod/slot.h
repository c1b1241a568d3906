/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DMACC_SLOT_H
#define _DMACC_SLOT_H

#include <linux/netlink.h>

#include "crypto.h"
#include "linux/dmacc.h"
#include "linux/dmacc_blob.h"

#define DMACC_SLOTS_MAX 32

/**
 * struct dmacc_slot_info - one server vendor's device key, without the key
 */
struct dmacc_slot_info {
	char name[DMACC_SLOT_NAME_MAX + 1];
	u8 key_id[DMACC_KEYID_LEN];
	u32 key_version;
};

/**
 * struct dmacc_derived - what DERIVE answers; secret, the caller wipes it
 */
struct dmacc_derived {
	char user_name[DMACC_USER_NAME_LEN + 1];
	char server_pw[DMACC_PASSWORD_LEN + 1];
	char client_pw[DMACC_PASSWORD_LEN + 1];
	u8 server_nonce[DMACC_NONCE_LEN];
	u8 client_nonce[DMACC_NONCE_LEN];
};

struct dmacc_derive_request {
	const char *slot;
	unsigned int kind;
	const u8 *server;
	size_t server_len;
	u32 generation;
};

int dmacc_derive_with(struct crypto_shash *device, const char *devid, size_t devid_len,
		      const struct dmacc_derive_request *request, struct dmacc_derived *ret);
int dmacc_slot_seal(const struct dmacc_slot_info *info, const u8 device_key[DMACC_KEY_LEN],
		    struct dmacc_slot_blob *ret_blob, struct netlink_ext_ack *extack);
int dmacc_slot_load(const struct dmacc_slot_blob *blob, struct dmacc_slot_info *ret_info,
		    struct netlink_ext_ack *extack);
int dmacc_slot_forget(const char *name, struct netlink_ext_ack *extack);
void dmacc_slot_forget_all(void);
unsigned int dmacc_slot_list(struct dmacc_slot_info ret[DMACC_SLOTS_MAX]);
int dmacc_slot_derive(const struct dmacc_derive_request *request, struct dmacc_derived *ret,
		      struct netlink_ext_ack *extack);

#endif
