// SPDX-License-Identifier: GPL-2.0-only
/* HMAC-SHA-256 and AES-256-GCM of the kernel's crypto API, in the shape that this module needs. */
#include <crypto/aead.h>
#include <linux/random.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "crypto.h"

/**
 * dmacc_random() - bytes that nobody can guess
 * @ret: where they go
 * @len: how many
 *
 * Return: 0; -EINTR if the kernel has none yet and a signal ended the waiting.
 */
int dmacc_random(u8 *ret, size_t len)
{
	return get_random_bytes_wait(ret, len) ? -EINTR : 0;
}

/**
 * dmacc_mac_new() - HMAC-SHA-256 keyed with a secret
 * @key: 32 bytes; the caller can wipe them afterwards
 *
 * Return: a transform for dmacc_mac_free(), or an error pointer. It may be used by several at once.
 */
struct crypto_shash *dmacc_mac_new(const u8 key[DMACC_KEY_LEN])
{
	struct crypto_shash *mac = crypto_alloc_shash("hmac(sha256)", 0, 0);
	int err;

	if (IS_ERR(mac))
		return mac;
	err = crypto_shash_setkey(mac, key, DMACC_KEY_LEN);
	if (err) {
		crypto_free_shash(mac);
		return ERR_PTR(err);
	}
	return mac;
}

/* The crypto API wipes the key state of a transform when it frees it */
void dmacc_mac_free(struct crypto_shash *mac)
{
	if (!IS_ERR_OR_NULL(mac))
		crypto_free_shash(mac);
}

/**
 * dmacc_kdf() - uapi/derivation.md, section 3
 * @mac: keyed with K
 * @output: what is derived; it has label and length
 * @context: Context
 * @context_len: its length in bytes
 * @out: the whole HMAC; the leftmost bits that @output says are the value. The caller wipes it.
 *
 * Return: 0 or a negative errno.
 */
int dmacc_kdf(struct crypto_shash *mac, enum dmacc_output output, const u8 *context,
	      size_t context_len, u8 out[DMACC_KEY_LEN])
{
	u8 input[DMACC_KDF_INPUT_MAX];
	size_t len;

	len = dmacc_kdf_input(input, sizeof(input), dmacc_kdf_spec(output), context, context_len);
	if (!len)
		return -EMSGSIZE;
	return crypto_shash_tfm_digest(mac, input, len, out);
}

/* dmacc_kdf() of a context of any length that is not secret: what it is copied to is not wiped */
int dmacc_kdf_long(struct crypto_shash *mac, enum dmacc_output output, const u8 *context,
		   size_t context_len, u8 out[DMACC_KEY_LEN])
{
	size_t size = DMACC_KDF_INPUT_MAX + context_len;
	u8 *input = kmalloc(size, GFP_KERNEL);
	size_t len;
	int err;

	if (!input)
		return -ENOMEM;
	len = dmacc_kdf_input(input, size, dmacc_kdf_spec(output), context, context_len);
	err = crypto_shash_tfm_digest(mac, input, len, out);
	kfree(input);
	return err;
}

#define MAY_WAIT (CRYPTO_TFM_REQ_MAY_SLEEP | CRYPTO_TFM_REQ_MAY_BACKLOG)

/* One AEAD operation over aad || data || tag in @buf, in place */
static int run_gcm(const u8 key[DMACC_KEY_LEN], const u8 *nonce, u8 *buf, size_t aad_len,
		   size_t len, bool seal)
{
	struct crypto_aead *tfm = crypto_alloc_aead("gcm(aes)", 0, 0);
	u8 iv[DMACC_GCM_NONCE_LEN];
	struct aead_request *req;
	DECLARE_CRYPTO_WAIT(wait);
	struct scatterlist sg;
	int err;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	req = aead_request_alloc(tfm, GFP_KERNEL);
	err = req ? crypto_aead_setkey(tfm, key, DMACC_KEY_LEN) : -ENOMEM;
	if (!err)
		err = crypto_aead_setauthsize(tfm, DMACC_GCM_TAG_LEN);
	if (!err) {
		memcpy(iv, nonce, sizeof(iv));
		sg_init_one(&sg, buf, aad_len + len + DMACC_GCM_TAG_LEN);
		aead_request_set_callback(req, MAY_WAIT, crypto_req_done, &wait);
		aead_request_set_ad(req, aad_len);
		aead_request_set_crypt(req, &sg, &sg, seal ? len : len + DMACC_GCM_TAG_LEN, iv);
		err = crypto_wait_req(seal ? crypto_aead_encrypt(req) : crypto_aead_decrypt(req),
				      &wait);
	}
	if (req)
		aead_request_free(req);
	crypto_free_aead(tfm);
	return err;
}

/**
 * dmacc_gcm_seal() - AES-256-GCM
 * @key: 32 bytes
 * @nonce: 12 bytes, never used with @key before
 * @aad: authenticated, not hidden
 * @aad_len: bytes
 * @secret: what is sealed
 * @len: bytes
 * @ret_sealed: room for @len bytes and a tag of 16
 *
 * Return: 0 or a negative errno.
 */
int dmacc_gcm_seal(const u8 key[DMACC_KEY_LEN], const u8 *nonce, const u8 *aad, size_t aad_len,
		   const u8 *secret, size_t len, u8 *ret_sealed)
{
	u8 *buf = kmalloc(aad_len + len + DMACC_GCM_TAG_LEN, GFP_KERNEL);
	int err;

	if (!buf)
		return -ENOMEM;
	memcpy(buf, aad, aad_len);
	memcpy(buf + aad_len, secret, len);
	err = run_gcm(key, nonce, buf, aad_len, len, true);
	if (!err)
		memcpy(ret_sealed, buf + aad_len, len + DMACC_GCM_TAG_LEN);
	kfree_sensitive(buf);
	return err;
}

/**
 * dmacc_gcm_open() - the way back
 * @key: 32 bytes
 * @nonce: 12 bytes
 * @aad: as it was sealed
 * @aad_len: bytes
 * @sealed: @len bytes and a tag of 16
 * @len: bytes of the secret
 * @ret_secret: written on success only; the caller wipes it
 *
 * Return: 0; -EBADMSG if key, aad, or a byte of @sealed is another one; another negative errno.
 */
int dmacc_gcm_open(const u8 key[DMACC_KEY_LEN], const u8 *nonce, const u8 *aad, size_t aad_len,
		   const u8 *sealed, size_t len, u8 *ret_secret)
{
	u8 *buf = kmalloc(aad_len + len + DMACC_GCM_TAG_LEN, GFP_KERNEL);
	int err;

	if (!buf)
		return -ENOMEM;
	memcpy(buf, aad, aad_len);
	memcpy(buf + aad_len, sealed, len + DMACC_GCM_TAG_LEN);
	err = run_gcm(key, nonce, buf, aad_len, len, false);
	if (!err)
		memcpy(ret_secret, buf + aad_len, len);
	kfree_sensitive(buf);
	return err;
}
