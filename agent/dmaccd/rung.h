/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How well a root has to be sealed before anything under it is served */
#ifndef DMACC_DMACCD_RUNG_H
#define DMACC_DMACCD_RUNG_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel.h"

#define RUNG_SENTENCE_SIZE 400

/**
 * struct rung_minimum - what somebody asks for
 * @rung: the least; DMACC_RUNG_NONE: any
 * @master: the least of a root of rung wrapped; DMACC_MASTER_NONE: any
 */
struct rung_minimum {
	enum dmacc_rung rung;
	enum dmacc_master_source master;
};

/**
 * rung_too_low() - is the root that is open sealed worse than asked?
 * @template_rung: what the account's template asks for
 * @owner: what dmaccd.conf asks for; the higher of both holds
 * @sysfs: NULL for /sys, where it is seen what this device could do better
 * @ret_sentence: what is asked, what there is, and what stands in the way; written if it is
 */
bool rung_too_low(const struct dmacc_kernel_status *status, enum dmacc_rung template_rung,
		  const struct rung_minimum *owner, const char *sysfs,
		  char ret_sentence[RUNG_SENTENCE_SIZE]);

#endif
