// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Profile dmacc-1: uapi/derivation.md, sections 3 and 4. The bytes come from
 * uapi/core, SHA-256 from libcrypto, or for a batch from batch.c where that is
 * faster; HMAC with the vendor key from whoever keeps that.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "batch.h"
#include "deriver.h"

#define DIGEST_SIZE 32
#define HASH_BLOCK_SIZE 64

/* An HMAC that is keyed: the two hash states that have seen the key are kept, and copied for use */
struct hmac {
	EVP_MD_CTX *inner, *outer;
};

struct dmacc_deriver {
	EVP_MD *sha256;
	EVP_MD_CTX *work;
	struct hmac vendor;	/* keyed with Kv once there is one */
	struct hmac device;	/* keyed anew for each Kd */
	bool has_vendor_key;
	dmacc_hmac_function *vendor_hmac;	/* computes with Kv in place of ->vendor */
	void *vendor_data;
	struct batch *batch;	/* NULL: batches are done one by one */
};

static bool hmac_new(struct hmac *h)
{
	h->inner = EVP_MD_CTX_new();
	h->outer = EVP_MD_CTX_new();
	return h->inner && h->outer;
}

/* libcrypto wipes the states */
static void hmac_done(struct hmac *h)
{
	EVP_MD_CTX_free(h->inner);
	EVP_MD_CTX_free(h->outer);
}

static bool see_key(EVP_MD_CTX *ctx, const EVP_MD *sha256, const uint8_t key[DMACC_KEY_SIZE],
		    uint8_t pad)
{
	uint8_t block[HASH_BLOCK_SIZE];
	size_t i;
	bool ok;

	memset(block, pad, sizeof(block));
	for (i = 0; i < DMACC_KEY_SIZE; i++)
		block[i] ^= key[i];
	ok = EVP_DigestInit_ex2(ctx, sha256, NULL) && EVP_DigestUpdate(ctx, block, sizeof(block));
	dmacc_wipe(block, sizeof(block));
	return ok;
}

static bool hmac_set_key(struct hmac *h, const EVP_MD *sha256, const uint8_t key[DMACC_KEY_SIZE])
{
	return see_key(h->inner, sha256, key, 0x36) && see_key(h->outer, sha256, key, 0x5c);
}

int dmacc_deriver_use(struct dmacc_deriver *d, const struct lanes_engine *engine)
{
	d->batch = dmacc_batch_free(d->batch);
	if (engine) {
		d->batch = dmacc_batch_new(engine);
		if (!d->batch)
			return -ENOMEM;
	}
	return 0;
}

int dmacc_deriver_new(struct dmacc_deriver **ret)
{
	struct dmacc_deriver *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!d->sha256) {
		free(d);
		return -EOPNOTSUPP;
	}
	d->work = EVP_MD_CTX_new();
	if (!d->work || !hmac_new(&d->vendor) || !hmac_new(&d->device) ||
	    dmacc_deriver_use(d, dmacc_lanes_pick())) {
		dmacc_deriver_free(d);
		return -ENOMEM;
	}
	*ret = d;
	return 0;
}

struct dmacc_deriver *dmacc_deriver_free(struct dmacc_deriver *d)
{
	if (d) {
		dmacc_batch_free(d->batch);
		hmac_done(&d->vendor);
		hmac_done(&d->device);
		EVP_MD_CTX_free(d->work);
		EVP_MD_free(d->sha256);
		free(d);
	}
	return NULL;
}

/* A hash state to go on from: a copy, or at the key's last use the kept one itself */
static EVP_MD_CTX *take_state(struct dmacc_deriver *d, EVP_MD_CTX *kept, bool last)
{
	if (last)
		return kept;
	return EVP_MD_CTX_copy_ex(d->work, kept) ? d->work : NULL;
}

static bool hash(EVP_MD_CTX *state, const uint8_t *input, size_t len, uint8_t ret[DIGEST_SIZE])
{
	return state && EVP_DigestUpdate(state, input, len) && EVP_DigestFinal_ex(state, ret, NULL);
}

static int hmac(struct dmacc_deriver *d, const struct hmac *keyed, bool last, const uint8_t *input,
		size_t len, uint8_t ret[DIGEST_SIZE])
{
	if (!hash(take_state(d, keyed->inner, last), input, len, ret) ||
	    !hash(take_state(d, keyed->outer, last), ret, DIGEST_SIZE, ret))
		return -ENOMEM;
	return 0;
}

/* The HMAC over what uapi/core made of an output and its context; the first spec->bits count */
static int kdf(struct dmacc_deriver *d, const struct hmac *keyed, bool last,
	       enum dmacc_output output, const uint8_t *context, size_t context_len,
	       uint8_t ret[DIGEST_SIZE])
{
	uint8_t input[DMACC_KDF_INPUT_MAX];
	size_t len;

	len = dmacc_kdf_input(input, sizeof(input), dmacc_kdf_spec(output), context, context_len);
	return len ? hmac(d, keyed, last, input, len, ret) : -ENOMEM;
}

/* The same with the vendor key, wherever that is */
static int vendor_kdf(struct dmacc_deriver *d, enum dmacc_output output, const uint8_t *context,
		      size_t context_len, uint8_t ret[DIGEST_SIZE])
{
	uint8_t input[DMACC_KDF_INPUT_MAX];
	size_t len;

	if (!d->vendor_hmac)
		return kdf(d, &d->vendor, false, output, context, context_len, ret);
	len = dmacc_kdf_input(input, sizeof(input), dmacc_kdf_spec(output), context, context_len);
	return len ? d->vendor_hmac(d->vendor_data, input, len, ret) : -ENOMEM;
}

int dmacc_deriver_set_vendor_key(struct dmacc_deriver *d, const uint8_t vendor_key[DMACC_KEY_SIZE])
{
	static const uint8_t zero[DMACC_KEY_SIZE];

	if (!CRYPTO_memcmp(vendor_key, zero, sizeof(zero)))
		return -EINVAL;
	d->vendor_hmac = NULL;
	d->has_vendor_key = hmac_set_key(&d->vendor, d->sha256, vendor_key);
	if (d->has_vendor_key && d->batch)
		dmacc_batch_set_vendor_key(d->batch, vendor_key);
	return d->has_vendor_key ? 0 : -ENOMEM;
}

/* Nobody can look at a key that is elsewhere, but the all-zero one is known by what it computes */
static int check_not_zero(struct dmacc_deriver *d, dmacc_hmac_function *vendor_hmac, void *data)
{
	static const uint8_t zero[DMACC_KEY_SIZE], probe[] = "all zero?";
	uint8_t of_zero[DIGEST_SIZE], of_key[DIGEST_SIZE];
	int r;

	if (!hmac_set_key(&d->device, d->sha256, zero))
		return -ENOMEM;
	r = hmac(d, &d->device, true, probe, sizeof(probe), of_zero);
	if (!r)
		r = vendor_hmac(data, probe, sizeof(probe), of_key);
	if (!r && !CRYPTO_memcmp(of_zero, of_key, sizeof(of_key)))
		r = -EINVAL;
	return r;
}

int dmacc_deriver_set_vendor_hmac(struct dmacc_deriver *d, dmacc_hmac_function *vendor_hmac,
				  void *data)
{
	int r = check_not_zero(d, vendor_hmac, data);

	if (r)
		return r;
	d->vendor_hmac = vendor_hmac;
	d->vendor_data = data;
	d->has_vendor_key = true;
	return 0;
}

static void put_hex(char *out, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * len] = '\0';
}

int dmacc_deriver_key_id(struct dmacc_deriver *d, uint32_t key_version,
			 char ret_key_id[DMACC_KEY_ID_SIZE])
{
	uint8_t context[DMACC_CONTEXT_MAX], out[DIGEST_SIZE];
	int r;

	if (!key_version)
		return -EINVAL;
	if (!d->has_vendor_key)
		return -ENOKEY;
	r = vendor_kdf(d, DMACC_OUTPUT_KEY_ID, context,
		       dmacc_context_version(context, key_version), out);
	if (!r)
		put_hex(ret_key_id, out, DMACC_KEY_ID_LEN);
	dmacc_wipe(out, sizeof(out));
	return r;
}

/* Of a devid that was checked */
static int device_key(struct dmacc_deriver *d, const char *devid, uint32_t key_version,
		      uint8_t ret[DMACC_KEY_SIZE])
{
	uint8_t context[DMACC_CONTEXT_MAX];

	return vendor_kdf(d, DMACC_OUTPUT_DEVICE_KEY, context,
			  dmacc_context_device_key(context, devid, strlen(devid), key_version), ret);
}

int dmacc_deriver_device_key(struct dmacc_deriver *d, const char *devid, uint32_t key_version,
			     uint8_t ret_device_key[DMACC_KEY_SIZE])
{
	uint8_t out[DIGEST_SIZE];
	int r;

	if (!key_version || dmacc_identifier_check(devid, NULL))
		return -EINVAL;
	if (!d->has_vendor_key)
		return -ENOKEY;
	r = device_key(d, devid, key_version, out);
	if (!r)
		memcpy(ret_device_key, out, DMACC_KEY_SIZE);
	dmacc_wipe(out, sizeof(out));
	return r;
}

/* An output of dmacc_deriver_credentials() and where it goes: text if it is written in base32 */
struct value {
	enum dmacc_output output;
	bool per_device;	/* the same for all servers and generations */
	char *text;
	uint8_t *raw;
};

/* @out is the caller's, who wipes it once for all values */
static int derive_value(struct dmacc_deriver *d, const struct value *value, bool last,
			const uint8_t *context, size_t context_len, uint8_t out[DIGEST_SIZE])
{
	size_t len = dmacc_kdf_spec(value->output)->bits / 8;
	int r;

	r = kdf(d, &d->device, last, value->output, context, context_len, out);
	if (!r && value->text)
		dmacc_base32(value->text, out, len);
	else if (!r)
		memcpy(value->raw, out, len);
	return r;
}

/* Of a devid and a server that were checked; what is in @c at a failure is to be wiped */
static int credentials(struct dmacc_deriver *d, const uint8_t key[DMACC_KEY_SIZE],
		       const char *devid, const struct dmacc_server *server, uint32_t generation,
		       unsigned int flags, struct dmacc_credentials *c)
{
	const struct value values[] = {
		{ DMACC_OUTPUT_USER_NAME, true, c->user_name, NULL },
		{ DMACC_OUTPUT_SERVER_PW, false, c->server_pw, NULL },
		{ DMACC_OUTPUT_CLIENT_PW, false, c->client_pw, NULL },
		{ DMACC_OUTPUT_SERVER_NONCE, false, NULL, c->server_nonce },
		{ DMACC_OUTPUT_CLIENT_NONCE, false, NULL, c->client_nonce },
	};
	size_t devid_len = strlen(devid), count = flags & DMACC_NONCES ? 5 : 3, i;
	uint8_t by_device[DMACC_CONTEXT_MAX], by_server[DMACC_CONTEXT_MAX];
	size_t by_device_len, by_server_len;
	uint8_t out[DIGEST_SIZE];
	int r = hmac_set_key(&d->device, d->sha256, key) ? 0 : -ENOMEM;

	memset(c, 0, sizeof(*c));
	by_device_len = dmacc_context_device(by_device, devid, devid_len);
	by_server_len = dmacc_context_server(by_server, devid, devid_len, server->element,
					     server->bytes, server->len, generation);
	for (i = 0; i < count && !r; i++)
		r = derive_value(d, &values[i], i + 1 == count,
				 values[i].per_device ? by_device : by_server,
				 values[i].per_device ? by_device_len : by_server_len, out);
	dmacc_wipe(out, sizeof(out));
	return r;
}

int dmacc_deriver_credentials(struct dmacc_deriver *d, const uint8_t device_key[DMACC_KEY_SIZE],
			      const char *devid, const struct dmacc_server *server,
			      uint32_t generation, unsigned int flags,
			      struct dmacc_credentials *ret)
{
	struct dmacc_credentials c;
	int r;

	if (dmacc_identifier_check(devid, NULL) || dmacc_server_valid(server, NULL))
		return -EINVAL;
	r = credentials(d, device_key, devid, server, generation, flags, &c);
	if (!r)
		*ret = c;
	dmacc_wipe(&c, sizeof(c));
	return r;
}

/* Nothing is derived before all of a batch has been judged */
static int judge(const struct dmacc_deriver *d, const struct dmacc_request *requests, size_t count)
{
	const struct dmacc_request *q;

	for (q = requests; q < requests + count; q++) {
		if (dmacc_identifier_check(q->devid, NULL))
			return -EINVAL;
		if (q->device_key)
			continue;
		if (!q->key_version)
			return -EINVAL;
		if (!d->has_vendor_key)
			return -ENOKEY;
	}
	return 0;
}

static int device_key_of(struct dmacc_deriver *d, const struct dmacc_request *q,
			 uint8_t ret[DMACC_KEY_SIZE])
{
	if (!q->device_key)
		return device_key(d, q->devid, q->key_version, ret);
	memcpy(ret, q->device_key, DMACC_KEY_SIZE);
	return 0;
}

static int device_keys_of(struct dmacc_deriver *d, const struct dmacc_request *requests,
			  size_t count, uint8_t (*ret)[DMACC_KEY_SIZE])
{
	size_t i;
	int r = 0;

	for (i = 0; i < count && !r; i++)
		r = device_key_of(d, &requests[i], ret[i]);
	return r;
}

/* What a batch is made of where Kd is computed one by one: Kv is elsewhere, or there is no engine */
struct slice {
	struct dmacc_request requests[64];
	uint8_t device_keys[64][DMACC_KEY_SIZE];
};

static int derive_slice(struct dmacc_deriver *d, struct slice *slice, size_t count,
			const struct dmacc_server *server, unsigned int flags,
			struct dmacc_credentials *ret)
{
	const struct dmacc_request *q;
	size_t i;
	int r;

	r = device_keys_of(d, slice->requests, count, slice->device_keys);
	for (i = 0; i < count; i++)
		slice->requests[i].device_key = slice->device_keys[i];
	if (!r && d->batch)
		dmacc_batch_credentials(d->batch, server, flags, slice->requests, count, ret);
	for (i = 0; i < count && !r && !d->batch; i++) {
		q = &slice->requests[i];
		r = credentials(d, q->device_key, q->devid, server, q->generation, flags, &ret[i]);
	}
	return r;
}

static int derive_slices(struct dmacc_deriver *d, const struct dmacc_server *server,
			 unsigned int flags, const struct dmacc_request *requests, size_t count,
			 struct dmacc_credentials *ret)
{
	struct slice slice;
	size_t at, n;
	int r = 0;

	for (at = 0; at < count && !r; at += n) {
		n = count - at < 64 ? count - at : 64;
		memcpy(slice.requests, requests + at, n * sizeof(*requests));
		r = derive_slice(d, &slice, n, server, flags, ret + at);
	}
	dmacc_wipe(&slice, sizeof(slice));
	if (r)
		dmacc_wipe(ret, count * sizeof(*ret));
	return r;
}

int dmacc_deriver_batch(struct dmacc_deriver *d, const struct dmacc_server *server,
			unsigned int flags, const struct dmacc_request *requests, size_t count,
			struct dmacc_credentials *ret)
{
	int r = judge(d, requests, count);

	if (!r && dmacc_server_valid(server, NULL))
		r = -EINVAL;
	if (r)
		return r;
	if (!d->batch || d->vendor_hmac)
		return derive_slices(d, server, flags, requests, count, ret);
	dmacc_batch_credentials(d->batch, server, flags, requests, count, ret);
	return 0;
}

int dmacc_deriver_device_keys(struct dmacc_deriver *d, const struct dmacc_request *requests,
			      size_t count, uint8_t (*ret)[DMACC_KEY_SIZE])
{
	int r = judge(d, requests, count);

	if (r)
		return r;
	if (!d->batch || d->vendor_hmac) {
		r = device_keys_of(d, requests, count, ret);
		if (r)
			dmacc_wipe(ret, count * sizeof(*ret));
		return r;
	}
	dmacc_batch_device_keys(d->batch, requests, count, ret);
	return 0;
}
