/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DMACC_POWER_H
#define _DMACC_POWER_H

int dmacc_power_init(void);
void dmacc_power_exit(void);

#endif
