/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the module tells of this device, and the store that its key opens */
#ifndef DMACC_DMACCD_DEVICE_H
#define DMACC_DMACCD_DEVICE_H

#include "equipment.h"
#include "kernel.h"
#include "rung.h"
#include "store.h"
#include "trouble.h"

#define DEVICE_REASON_SIZE TROUBLE_TEXT_SIZE

/* The first that is missing; uapi/org.dmacc1.xml has the words */
enum device_state {
	DEVICE_READY,
	DEVICE_NO_MODULE,
	DEVICE_NO_IDENTITY,
	DEVICE_NO_ROOT,
	DEVICE_NO_STORE_KEY,
};

/**
 * struct device - what device_learn() learned
 * @kernel: connected unless the state is DEVICE_NO_MODULE
 * @status: valid if @kernel is
 * @devid: "" unless the state is DEVICE_READY or DEVICE_NO_STORE_KEY; never logged
 * @reason: what trouble_explain() makes of it; of a ready one what its owner should know, or ""
 * @store: NULL unless the state is DEVICE_READY. It asks @kernel for its key at each read and write,
 *	and so fails if the kernel has forgotten the root since.
 * @equipment: what the modems say; the agent's to set
 * @modem_awaited: the modem may still come, or say its identifier; the agent's to set
 * @minimum: what dmaccd.conf asks of the root; the agent's to set
 * @sysfs: NULL for /sys
 * @report_folder: where dmacc-unseal left its report; NULL for UNSEAL_REPORT_FOLDER
 */
struct device {
	struct dmacc_kernel *kernel;
	struct dmacc_kernel_status status;
	char devid[DMACC_DEVID_SIZE];
	enum device_state state;
	char reason[DEVICE_REASON_SIZE];
	struct store *store;
	struct equipment equipment;
	bool modem_awaited;
	struct rung_minimum minimum;
	const char *sysfs;
	const char *report_folder;
};

const char *device_state_word(enum device_state state);

/* Asks the module. @store_path: folder of the accounts. */
void device_learn(struct device *device, const char *store_path);
void device_done(struct device *device);

#endif
