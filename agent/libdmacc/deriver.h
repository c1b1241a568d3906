/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_DERIVER_H
#define DMACC_DERIVER_H

#include "lanes.h"

/**
 * dmacc_deriver_use() - say how batches are derived
 * @deriver: one that has no vendor key yet
 * @engine: one of dmacc_lanes_engine(); NULL for libcrypto
 *
 * Not exported: tests and measurements want them all, everybody else the one that was picked.
 *
 * Return: 0; -ENOMEM.
 */
int dmacc_deriver_use(struct dmacc_deriver *deriver, const struct lanes_engine *engine);

#endif
