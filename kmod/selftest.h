/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DMACC_SELFTEST_H
#define _DMACC_SELFTEST_H

int dmacc_selftest(void);

#endif
