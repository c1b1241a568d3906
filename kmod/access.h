/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DMACC_ACCESS_H
#define _DMACC_ACCESS_H

#include <net/genetlink.h>

enum dmacc_access {
	DMACC_ACCESS_ADMIN,	/* CAP_SYS_ADMIN */
	DMACC_ACCESS_AGENT,	/* the uid named at OPEN_ROOT, or CAP_SYS_ADMIN */
};

bool dmacc_access_granted(const struct sk_buff *skb, enum dmacc_access access);
int dmacc_access_check(const struct sk_buff *skb, const struct genl_info *info,
		       enum dmacc_access access);
void dmacc_audit(const char *op, const char *slot, int result);

#endif
