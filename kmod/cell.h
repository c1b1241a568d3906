/* SPDX-License-Identifier: GPL-2.0-only */
/* The content of an nvmem cell as an identifier: uapi/devicetree/dmacc,identity.yaml */
#ifndef _DMACC_CELL_H
#define _DMACC_CELL_H

#include <linux/types.h>

#include "core/devid.h"

/* Best first: uapi/derivation.md, section 1.3 */
enum dmacc_devid_kind {
	DMACC_KIND_IMEI,
	DMACC_KIND_MEID,
	DMACC_KIND_ESN,
	DMACC_KINDS,
};

enum dmacc_cell_encoding {
	DMACC_CELL_ASCII,
	DMACC_CELL_BCD,			/* more significant nibble first */
	DMACC_CELL_BCD_SWAPPED,		/* less significant nibble first */
	DMACC_CELL_MOBILE_IDENTITY,	/* 3GPP TS 24.008, 10.5.1.4, without its length */
	DMACC_CELL_BE,			/* a number */
	DMACC_CELL_LE,
};

/* "IMEI:", "MEID:" or "ESN:" */
const char *dmacc_kind_prefix(enum dmacc_devid_kind kind);

/**
 * dmacc_cell_encoding() - an encoding by its name
 * @name: as the binding has it, such as "bcd-swapped"
 *
 * Return: enum dmacc_cell_encoding, or -EINVAL.
 */
int dmacc_cell_encoding(const char *name);

/**
 * dmacc_cell_read() - read the content of a cell
 * @kind: what it is to hold
 * @encoding: how; nothing is guessed
 * @bytes: the content
 * @len: how many
 * @ret: where the canonical form goes, zero-terminated; written on success only
 *
 * Return: NULL, or why it is none: a constant without a capital and a full stop.
 */
const char *dmacc_cell_read(enum dmacc_devid_kind kind, enum dmacc_cell_encoding encoding,
			    const u8 *bytes, size_t len, char ret[DMACC_DEVID_MAX + 1]);

#endif
