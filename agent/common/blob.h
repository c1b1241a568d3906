/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the header of a sealed root or key says. Only the module can tell whether it is true. */
#ifndef DMACC_COMMON_BLOB_H
#define DMACC_COMMON_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "linux/dmacc.h"
#include "linux/dmacc_blob.h"

/* Of a sealed root of @len bytes; DMACC_RUNG_NONE if that is too short for one */
enum dmacc_rung blob_rung(const void *root, size_t len);

uint32_t blob_key_version(const struct dmacc_slot_blob *key);

#endif
