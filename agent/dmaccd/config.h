/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the device's owner or its maker asks of the agent: dmaccd.conf(5) */
#ifndef DMACC_DMACCD_CONFIG_H
#define DMACC_DMACCD_CONFIG_H

#include <stddef.h>

#include "rung.h"

#define CONFIG_SENTENCE_SIZE 256

struct config {
	struct rung_minimum minimum;
};

/**
 * config_read() - read the file
 * @path: one that is not there is the same as an empty one
 * @ret: written on success only
 * @reterr_sentence: the line and what is wrong with it; written on failure only
 *
 * Return: 0; -EINVAL if something in it is not understood; another negative errno.
 */
int config_read(const char *path, struct config *ret, char reterr_sentence[CONFIG_SENTENCE_SIZE]);

#endif
