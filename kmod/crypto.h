/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DMACC_CRYPTO_H
#define _DMACC_CRYPTO_H

#include <crypto/hash.h>
#include <linux/types.h>

#include "core/kdf.h"

#define DMACC_GCM_NONCE_LEN 12
#define DMACC_GCM_TAG_LEN 16

int dmacc_random(u8 *ret, size_t len);
struct crypto_shash *dmacc_mac_new(const u8 key[DMACC_KEY_LEN]);
void dmacc_mac_free(struct crypto_shash *mac);
int dmacc_kdf(struct crypto_shash *mac, enum dmacc_output output, const u8 *context,
	      size_t context_len, u8 out[DMACC_KEY_LEN]);
int dmacc_kdf_long(struct crypto_shash *mac, enum dmacc_output output, const u8 *context,
		   size_t context_len, u8 out[DMACC_KEY_LEN]);
int dmacc_gcm_seal(const u8 key[DMACC_KEY_LEN], const u8 *nonce, const u8 *aad, size_t aad_len,
		   const u8 *secret, size_t len, u8 *ret_sealed);
int dmacc_gcm_open(const u8 key[DMACC_KEY_LEN], const u8 *nonce, const u8 *aad, size_t aad_len,
		   const u8 *sealed, size_t len, u8 *ret_secret);

#endif
