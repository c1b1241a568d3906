/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DMACC_NETLINK_H
#define _DMACC_NETLINK_H

#include "linux/dmacc.h"

int dmacc_netlink_init(void);
void dmacc_netlink_exit(void);
void dmacc_netlink_notify(enum dmacc_event event);

#endif
