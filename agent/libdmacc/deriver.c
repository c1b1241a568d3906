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
#include "message.h"

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

/* With the vendor key, wherever that is */
static int hmac_with_vendor_key(struct dmacc_deriver *d, const uint8_t *input, size_t len,
				uint8_t ret[DIGEST_SIZE])
{
	if (d->vendor_hmac)
		return d->vendor_hmac(d->vendor_data, input, len, ret);
	return hmac(d, &d->vendor, false, input, len, ret);
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
	uint8_t context[DMACC_CONTEXT_MAX], input[DMACC_KDF_INPUT_MAX], out[DIGEST_SIZE];
	size_t len;
	int r;

	if (!key_version)
		return -EINVAL;
	if (!d->has_vendor_key)
		return -ENOKEY;
	len = dmacc_context_version(context, key_version);
	len = dmacc_kdf_input(input, sizeof(input), dmacc_kdf_spec(DMACC_OUTPUT_KEY_ID), context,
			      len);
	r = hmac_with_vendor_key(d, input, len, out);
	if (!r)
		put_hex(ret_key_id, out, DMACC_KEY_ID_LEN);
	dmacc_wipe(out, sizeof(out));
	return r;
}

/*
 * Messages that most devices of a batch have in common but for their DevId: those whose DevIds are
 * as long as the first one's, with its key version and generation. NULL where there is none.
 */
struct prepared {
	size_t devid_len;
	uint32_t key_version, generation;
	struct message device_key, outputs[MESSAGE_OUTPUTS];
};

/* Of @m, which is made here if @prepared is not for it */
static const struct message *message_for(struct message *m, struct message *prepared,
					 enum dmacc_output output, const char *devid,
					 size_t devid_len, const struct dmacc_server *server,
					 uint32_t number)
{
	if (prepared) {
		memcpy(prepared->bytes + prepared->devid_at, devid, devid_len);
		return prepared;
	}
	m->len = dmacc_message_bytes(m->bytes, output, devid, devid_len, server, number);
	return m;
}

/* Of a devid that was checked */
static int device_key(struct dmacc_deriver *d, struct prepared *prepared, const char *devid,
		      uint32_t key_version, uint8_t ret[DMACC_KEY_SIZE])
{
	size_t len = strlen(devid);
	bool fits = prepared && prepared->devid_len == len && prepared->key_version == key_version;
	const struct message *m;
	struct message own;

	m = message_for(&own, fits ? &prepared->device_key : NULL, DMACC_OUTPUT_DEVICE_KEY, devid,
			len, NULL, key_version);
	return hmac_with_vendor_key(d, m->bytes, m->len, ret);
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
	r = device_key(d, NULL, devid, key_version, out);
	if (!r)
		memcpy(ret_device_key, out, DMACC_KEY_SIZE);
	dmacc_wipe(out, sizeof(out));
	return r;
}

static void put_value(const struct message_output *output, const uint8_t digest[DIGEST_SIZE],
		      struct dmacc_credentials *ret)
{
	size_t len = dmacc_kdf_spec(output->output)->bits / 8;
	char *place = (char *)ret + output->offset;

	if (output->base32)
		dmacc_base32(place, digest, len);
	else
		memcpy(place, digest, len);
}

/* Of a devid and a server that were checked; what is in @c at a failure is to be wiped */
static int credentials(struct dmacc_deriver *d, struct prepared *prepared,
		       const uint8_t key[DMACC_KEY_SIZE], const char *devid,
		       const struct dmacc_server *server, uint32_t generation, unsigned int flags,
		       struct dmacc_credentials *c)
{
	size_t count = flags & DMACC_NONCES ? MESSAGE_OUTPUTS : MESSAGE_PASSWORDS, i;
	size_t len = strlen(devid);
	bool fits = prepared && prepared->devid_len == len && prepared->generation == generation;
	const struct message *m;
	uint8_t out[DIGEST_SIZE];
	struct message own;
	int r = hmac_set_key(&d->device, d->sha256, key) ? 0 : -ENOMEM;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < count && !r; i++) {
		m = message_for(&own, fits ? &prepared->outputs[i] : NULL,
				dmacc_message_outputs[i].output, devid, len, server, generation);
		r = hmac(d, &d->device, i + 1 == count, m->bytes, m->len, out);
		if (!r)
			put_value(&dmacc_message_outputs[i], out, c);
	}
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
	r = credentials(d, NULL, device_key, devid, server, generation, flags, &c);
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

static int device_key_of(struct dmacc_deriver *d, struct prepared *prepared,
			 const struct dmacc_request *q, uint8_t ret[DMACC_KEY_SIZE])
{
	if (!q->device_key)
		return device_key(d, prepared, q->devid, q->key_version, ret);
	memcpy(ret, q->device_key, DMACC_KEY_SIZE);
	return 0;
}

static int device_keys_of(struct dmacc_deriver *d, struct prepared *prepared,
			  const struct dmacc_request *requests, size_t count,
			  uint8_t (*ret)[DMACC_KEY_SIZE])
{
	size_t i;
	int r = 0;

	for (i = 0; i < count && !r; i++)
		r = device_key_of(d, prepared, &requests[i], ret[i]);
	return r;
}

/* What a batch is made of where Kd is computed one by one: Kv is elsewhere, or there is no engine */
struct slice {
	struct dmacc_request requests[64];
	uint8_t device_keys[64][DMACC_KEY_SIZE];
	struct prepared prepared;
};

/* For one server; done already if the first device is as that of the last slice was */
static void prepare(struct prepared *ret, const struct dmacc_request *first,
		    const struct dmacc_server *server)
{
	size_t i;

	if (ret->devid_len == strlen(first->devid) && ret->key_version == first->key_version &&
	    ret->generation == first->generation)
		return;
	ret->devid_len = strlen(first->devid);
	ret->key_version = first->key_version;
	ret->generation = first->generation;
	dmacc_message_prepare(&ret->device_key, DMACC_OUTPUT_DEVICE_KEY, ret->devid_len, NULL,
			      ret->key_version);
	for (i = 0; i < MESSAGE_OUTPUTS; i++)
		dmacc_message_prepare(&ret->outputs[i], dmacc_message_outputs[i].output,
				      ret->devid_len, server, ret->generation);
}

static int derive_slice(struct dmacc_deriver *d, struct slice *slice, size_t count,
			const struct dmacc_server *server, unsigned int flags,
			struct dmacc_credentials *ret)
{
	const struct dmacc_request *q;
	size_t i;
	int r;

	prepare(&slice->prepared, slice->requests, server);
	r = device_keys_of(d, &slice->prepared, slice->requests, count, slice->device_keys);
	for (i = 0; i < count; i++)
		slice->requests[i].device_key = slice->device_keys[i];
	if (!r && d->batch)
		dmacc_batch_credentials(d->batch, server, flags, slice->requests, count, ret);
	for (i = 0; i < count && !r && !d->batch; i++) {
		q = &slice->requests[i];
		r = credentials(d, &slice->prepared, q->device_key, q->devid, server,
				q->generation, flags, &ret[i]);
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

	slice.prepared.devid_len = 0;
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
		r = device_keys_of(d, NULL, requests, count, ret);
		if (r)
			dmacc_wipe(ret, count * sizeof(*ret));
		return r;
	}
	dmacc_batch_device_keys(d->batch, requests, count, ret);
	return 0;
}
