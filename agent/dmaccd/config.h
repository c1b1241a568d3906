/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the device's owner or its maker asks of the agent: dmaccd.conf(5) */
#ifndef DMACC_DMACCD_CONFIG_H
#define DMACC_DMACCD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "rung.h"

#define CONFIG_SENTENCE_SIZE 256

#define CONFIG_DEVICE_SIZE 256
#define CONFIG_MODEM_WAIT 60

/**
 * struct config_modem - what counts of the modems
 * @off: none is asked
 * @device: property Device of the one that is; "": any
 * @wait: seconds after which a device without an identifier says so
 */
struct config_modem {
	bool off;
	char device[CONFIG_DEVICE_SIZE];
	unsigned int wait;
};

struct config {
	struct rung_minimum minimum;
	struct config_modem modem;
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
