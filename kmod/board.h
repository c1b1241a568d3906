/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DMACC_BOARD_H
#define _DMACC_BOARD_H

int dmacc_board_init(void);
void dmacc_board_exit(void);

#endif
