/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DMACC_ROOT_H
#define _DMACC_ROOT_H

#include <linux/cleanup.h>
#include <linux/netlink.h>
#include <linux/uidgid.h>

#include "seal.h"

/**
 * struct dmacc_root_status - what can be told of the root without waiting
 */
struct dmacc_root_status {
	enum dmacc_root_state state;
	enum dmacc_root_reason reason;
	enum dmacc_rung rung;
	enum dmacc_master_source master_source;
	bool locked;
	u8 id[DMACC_ROOT_ID_LEN];
};

/**
 * struct dmacc_root_buf - a sealed root with room for what any rung makes of it
 * @len: bytes of it
 */
struct dmacc_root_buf {
	size_t len;
	union {
		struct dmacc_root_blob blob;
		u8 bytes[DMACC_BLOB_MAX];
	};
};

/**
 * struct dmacc_root_request - OPEN_ROOT
 * @rung: of a root to be made; ignored with a blob
 * @blob: a sealed root, or NULL to make one
 * @blob_len: its bytes
 * @seal: what the rung is given
 * @agent: the uid that may call as the agent
 */
struct dmacc_root_request {
	enum dmacc_rung rung;
	const u8 *blob;
	size_t blob_len;
	struct dmacc_seal_input seal;
	enum dmacc_master_source master_source;
	kuid_t agent;
};

/*
 * What is begun between hold and release is done before another request opens, locks or wipes the
 * root: so nothing is sealed after LOCK has answered, and no key comes in behind a wipe.
 */
void dmacc_root_hold(void);
void dmacc_root_release(void);
DEFINE_LOCK_GUARD_0(dmacc_root, dmacc_root_hold(), dmacc_root_release())

void dmacc_root_init(bool locked);
bool dmacc_root_wipe(enum dmacc_root_state state);
void dmacc_root_bar(bool barred);
int dmacc_root_open(const struct dmacc_root_request *request, struct dmacc_root_buf *ret,
		    struct netlink_ext_ack *extack);
int dmacc_root_lock(struct dmacc_root_buf *ret, struct netlink_ext_ack *extack);
void dmacc_root_get_status(struct dmacc_root_status *ret);
kuid_t dmacc_root_agent(void);
int dmacc_root_derive(enum dmacc_output output, u8 ret_key[DMACC_KEY_LEN],
		      struct dmacc_root_status *ret_status, struct netlink_ext_ack *extack);

#endif
