/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DMACC_SENT_H
#define _DMACC_SENT_H

#include <linux/skbuff.h>

void dmacc_sent_init(void);
int dmacc_sent_keep(struct sk_buff *skb);
void dmacc_sent_wipe(void);
void dmacc_sent_exit(void);

#endif
