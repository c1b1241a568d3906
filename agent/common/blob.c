// SPDX-License-Identifier: LGPL-2.1-or-later
#include "blob.h"

enum dmacc_rung blob_rung(const void *root, size_t len)
{
	const struct dmacc_root_blob *blob = root;

	return len < sizeof(*blob) ? DMACC_RUNG_NONE : (enum dmacc_rung)blob->rung;
}

uint32_t blob_key_version(const struct dmacc_slot_blob *key)
{
	const uint8_t *v = key->key_version;

	return (uint32_t)v[0] << 24 | (uint32_t)v[1] << 16 | (uint32_t)v[2] << 8 | v[3];
}
