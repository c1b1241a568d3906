/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DMACC_IDENTITY_H
#define _DMACC_IDENTITY_H

#include <linux/netlink.h>

#include "core/devid.h"
#include "linux/dmacc.h"

/**
 * struct dmacc_identity - who this device is
 * @source: DMACC_IDENTITY_NONE while it is nobody
 * @len: bytes of @devid
 * @devid: canonical, zero-terminated
 * @conflict: the first source of the hardware that names another; DMACC_IDENTITY_NONE if none does
 * @pending: a source cannot be read yet
 */
struct dmacc_identity {
	enum dmacc_identity_source source;
	size_t len;
	char devid[DMACC_DEVID_MAX + 1];
	enum dmacc_identity_source conflict;
	bool pending;
};

bool dmacc_identity_look(bool *ret_pending);
void dmacc_identity_get(struct dmacc_identity *ret);
int dmacc_identity_latch(enum dmacc_identity_source source, const char *devid, size_t len,
			 struct netlink_ext_ack *extack);

#endif
