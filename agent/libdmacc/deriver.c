// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Profile dmacc-1: uapi/derivation.md, sections 3 and 4. The bytes come from
 * uapi/core, HMAC-SHA-256 from libcrypto, or with the vendor key from whoever
 * keeps that.
 */
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/kdf.h"
#include "dmacc.h"

#define DIGEST_SIZE 32

struct dmacc_deriver {
	EVP_MAC *hmac;
	EVP_MAC_CTX *vendor;	/* keyed with Kv once there is one */
	EVP_MAC_CTX *device;	/* keyed anew for each Kd */
	bool has_vendor_key;
	dmacc_hmac_function *vendor_hmac;	/* computes with Kv in place of ->vendor */
	void *vendor_data;
};

static EVP_MAC_CTX *new_hmac(EVP_MAC *hmac)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(hmac);

	if (ctx && !EVP_MAC_CTX_set_params(ctx, params)) {
		EVP_MAC_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

int dmacc_deriver_new(struct dmacc_deriver **ret)
{
	struct dmacc_deriver *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (!d->hmac) {
		free(d);
		return -EOPNOTSUPP;
	}
	d->vendor = new_hmac(d->hmac);
	d->device = new_hmac(d->hmac);
	if (!d->vendor || !d->device) {
		dmacc_deriver_free(d);
		return -ENOMEM;
	}
	*ret = d;
	return 0;
}

struct dmacc_deriver *dmacc_deriver_free(struct dmacc_deriver *d)
{
	if (d) {
		/* libcrypto wipes the key state in them */
		EVP_MAC_CTX_free(d->vendor);
		EVP_MAC_CTX_free(d->device);
		EVP_MAC_free(d->hmac);
		free(d);
	}
	return NULL;
}

static int hmac(EVP_MAC_CTX *keyed, const uint8_t *input, size_t len, uint8_t ret[DIGEST_SIZE])
{
	size_t n;

	if (!EVP_MAC_init(keyed, NULL, 0, NULL) || !EVP_MAC_update(keyed, input, len) ||
	    !EVP_MAC_final(keyed, ret, &n, DIGEST_SIZE))
		return -ENOMEM;
	return 0;
}

/* The HMAC over what uapi/core made of an output and its context; the first spec->bits count */
static int kdf(EVP_MAC_CTX *keyed, enum dmacc_output output, const uint8_t *context,
	       size_t context_len, uint8_t ret[DIGEST_SIZE])
{
	uint8_t input[DMACC_KDF_INPUT_MAX];
	size_t len;

	len = dmacc_kdf_input(input, sizeof(input), dmacc_kdf_spec(output), context, context_len);
	return len ? hmac(keyed, input, len, ret) : -ENOMEM;
}

/* The same with the vendor key, wherever that is */
static int vendor_kdf(struct dmacc_deriver *d, enum dmacc_output output, const uint8_t *context,
		      size_t context_len, uint8_t ret[DIGEST_SIZE])
{
	uint8_t input[DMACC_KDF_INPUT_MAX];
	size_t len;

	if (!d->vendor_hmac)
		return kdf(d->vendor, output, context, context_len, ret);
	len = dmacc_kdf_input(input, sizeof(input), dmacc_kdf_spec(output), context, context_len);
	return len ? d->vendor_hmac(d->vendor_data, input, len, ret) : -ENOMEM;
}

int dmacc_deriver_set_vendor_key(struct dmacc_deriver *d, const uint8_t vendor_key[DMACC_KEY_SIZE])
{
	static const uint8_t zero[DMACC_KEY_SIZE];

	if (!CRYPTO_memcmp(vendor_key, zero, sizeof(zero)))
		return -EINVAL;
	d->vendor_hmac = NULL;
	d->has_vendor_key = EVP_MAC_init(d->vendor, vendor_key, DMACC_KEY_SIZE, NULL);
	return d->has_vendor_key ? 0 : -ENOMEM;
}

/* Nobody can look at a key that is elsewhere, but the all-zero one is known by what it computes */
static int check_not_zero(struct dmacc_deriver *d, dmacc_hmac_function *vendor_hmac, void *data)
{
	static const uint8_t zero[DMACC_KEY_SIZE], probe[] = "all zero?";
	uint8_t of_zero[DIGEST_SIZE], of_key[DIGEST_SIZE];
	int r;

	if (!EVP_MAC_init(d->device, zero, sizeof(zero), NULL))
		return -ENOMEM;
	r = hmac(d->device, probe, sizeof(probe), of_zero);
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

int dmacc_deriver_device_key(struct dmacc_deriver *d, const char *devid, uint32_t key_version,
			     uint8_t ret_device_key[DMACC_KEY_SIZE])
{
	uint8_t context[DMACC_CONTEXT_MAX], out[DIGEST_SIZE];
	int r;

	if (!key_version || dmacc_identifier_check(devid, NULL))
		return -EINVAL;
	if (!d->has_vendor_key)
		return -ENOKEY;
	r = vendor_kdf(d, DMACC_OUTPUT_DEVICE_KEY, context,
		       dmacc_context_device_key(context, devid, strlen(devid), key_version), out);
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
static int derive_value(EVP_MAC_CTX *device, const struct value *value, const uint8_t *context,
			size_t context_len, uint8_t out[DIGEST_SIZE])
{
	size_t len = dmacc_kdf_spec(value->output)->bits / 8;
	int r;

	r = kdf(device, value->output, context, context_len, out);
	if (!r && value->text)
		dmacc_base32(value->text, out, len);
	else if (!r)
		memcpy(value->raw, out, len);
	return r;
}

static int derive_all(struct dmacc_deriver *d, const char *devid,
		      const struct dmacc_server *server, uint32_t generation, unsigned int flags,
		      struct dmacc_credentials *c)
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
	int r = 0;

	by_device_len = dmacc_context_device(by_device, devid, devid_len);
	by_server_len = dmacc_context_server(by_server, devid, devid_len, server->element,
					     server->bytes, server->len, generation);
	for (i = 0; i < count && !r; i++)
		r = derive_value(d->device, &values[i],
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
	struct dmacc_credentials c = { 0 };
	int r;

	if (dmacc_identifier_check(devid, NULL) || dmacc_server_valid(server, NULL))
		return -EINVAL;
	if (!EVP_MAC_init(d->device, device_key, DMACC_KEY_SIZE, NULL))
		return -ENOMEM;
	r = derive_all(d, devid, server, generation, flags, &c);
	if (!r)
		*ret = c;
	dmacc_wipe(&c, sizeof(c));
	return r;
}
