/* SPDX-License-Identifier: GPL-2.0-only */
/* What hardware and firmware say who the device is */
#ifndef _DMACC_HARDWARE_H
#define _DMACC_HARDWARE_H

#include "cell.h"
#include "linux/dmacc.h"

/* Of the node that names nvmem cells or has properties: uapi/devicetree/dmacc,identity.yaml */
#define DMACC_COMPATIBLE "dmacc,identity"

/**
 * dmacc_hardware_read() - ask one source for one kind of identifier
 * @source: DMACC_IDENTITY_NVMEM, DMACC_IDENTITY_DEVICE_TREE or DMACC_IDENTITY_SMBIOS
 * @kind: which
 * @ret: canonical, zero-terminated; written on success only
 *
 * What is there but is not an identifier is logged once, but never what it was.
 *
 * Return: 0; -ENOENT if the source names none, or none that is valid; -EPROBE_DEFER if what it
 * names cannot be read yet, for the driver of it is not there.
 */
int dmacc_hardware_read(enum dmacc_identity_source source, enum dmacc_devid_kind kind,
			char ret[DMACC_DEVID_MAX + 1]);

#endif
