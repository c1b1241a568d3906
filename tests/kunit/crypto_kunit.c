// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's HMAC and GCM as the module uses them. */
#include "../../kmod/crypto.c"

#include "fixture.h"
#include "vectors.h"

#define SEALED_LEN (DMACC_KEY_LEN + DMACC_GCM_TAG_LEN)

static const u8 key[DMACC_KEY_LEN] = { 1, 2, 3 };
static const u8 nonce[DMACC_GCM_NONCE_LEN] = { 4, 5, 6 };
static const u8 secret[DMACC_KEY_LEN] = { 7, 8, 9, [31] = 10 };
static const char aad[] = "what is authenticated with it";

/* The output whose label and length these are, or -1 */
static int find_output(const char *label, unsigned int bits)
{
	int output;

	for (output = 0; output <= DMACC_OUTPUT_STORE; output++) {
		const struct dmacc_kdf_spec *spec = dmacc_kdf_spec(output);

		if (spec->bits == bits && !strcmp(spec->label, label))
			return output;
	}
	return -1;
}

static void hmac_gives_the_published_outputs(struct kunit *test)
{
	u8 out[DMACC_KEY_LEN];
	size_t i;

	for (i = 0; i < DMACC_VECTORS_KDF_COUNT; i++) {
		const struct dmacc_vector_kdf *v = &dmacc_vectors_kdf[i];
		struct crypto_shash *mac = crypto_alloc_shash("hmac(sha256)", 0, 0);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mac);
		KUNIT_EXPECT_EQ(test, 0, crypto_shash_setkey(mac, v->key, v->key_len));
		KUNIT_EXPECT_EQ(test, 0, crypto_shash_tfm_digest(mac, v->input, v->input_len, out));
		KUNIT_EXPECT_BYTES(test, out, v->output, v->bits / 8);
		crypto_free_shash(mac);
	}
}

static void kdf_gives_the_published_outputs(struct kunit *test)
{
	u8 out[DMACC_KEY_LEN];
	unsigned int known = 0;
	size_t i;

	for (i = 0; i < DMACC_VECTORS_KDF_COUNT; i++) {
		const struct dmacc_vector_kdf *v = &dmacc_vectors_kdf[i];
		int output = find_output(v->label, v->bits);
		struct crypto_shash *mac;

		if (output < 0 || v->key_len != DMACC_KEY_LEN)
			continue;
		known++;
		mac = dmacc_mac_new(v->key);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mac);
		KUNIT_EXPECT_EQ(test, 0, dmacc_kdf(mac, output, v->context, v->context_len, out));
		KUNIT_EXPECT_BYTES(test, out, v->output, v->bits / 8);
		dmacc_mac_free(mac);
	}
	KUNIT_EXPECT_GE(test, known, 5u);
}

static void device_keys_and_key_ids_are_the_published_ones(struct kunit *test)
{
	u8 context[DMACC_CONTEXT_MAX], out[DMACC_KEY_LEN];
	char hex[2 * DMACC_KEYID_LEN + 1];
	struct crypto_shash *mac;
	size_t i, len;

	for (i = 0; i < DMACC_VECTORS_CREDENTIALS_COUNT; i++) {
		const struct dmacc_vector_credentials *v = &dmacc_vectors_credentials[i];

		mac = dmacc_mac_new(v->kv);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mac);
		len = dmacc_context_device_key(context, v->devid, strlen(v->devid), v->key_version);
		KUNIT_EXPECT_EQ(test, 0, dmacc_kdf(mac, DMACC_OUTPUT_DEVICE_KEY, context, len,
						   out));
		KUNIT_EXPECT_BYTES(test, out, v->kd, DMACC_KEY_LEN);
		dmacc_mac_free(mac);
	}
	for (i = 0; i < DMACC_VECTORS_KEY_ID_COUNT; i++) {
		mac = dmacc_mac_new(dmacc_vectors_key_id[i].kv);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mac);
		len = dmacc_context_version(context, dmacc_vectors_key_id[i].key_version);
		KUNIT_EXPECT_EQ(test, 0, dmacc_kdf(mac, DMACC_OUTPUT_KEY_ID, context, len, out));
		*bin2hex(hex, out, DMACC_KEYID_LEN) = '\0';
		KUNIT_EXPECT_STREQ(test, hex, dmacc_vectors_key_id[i].key_id);
		dmacc_mac_free(mac);
	}
}

static void context_that_does_not_fit_is_refused(struct kunit *test)
{
	struct crypto_shash *mac = dmacc_mac_new(key);
	u8 *context = kunit_kzalloc(test, DMACC_CONTEXT_MAX + 1, GFP_KERNEL);
	u8 out[DMACC_KEY_LEN];

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mac);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, context);
	KUNIT_EXPECT_EQ(test, 0, dmacc_kdf(mac, DMACC_OUTPUT_SERVER_NONCE, context,
					   DMACC_CONTEXT_MAX, out));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, dmacc_kdf(mac, DMACC_OUTPUT_SERVER_NONCE, context,
						   DMACC_CONTEXT_MAX + 1, out));
	dmacc_mac_free(mac);
}

static void seal(struct kunit *test, u8 sealed[SEALED_LEN])
{
	KUNIT_ASSERT_EQ(test, 0, dmacc_gcm_seal(key, nonce, aad, sizeof(aad), secret,
						DMACC_KEY_LEN, sealed));
}

static int open(const u8 *with, const u8 *iv, const u8 *data, const u8 *sealed,
		u8 ret[DMACC_KEY_LEN])
{
	return dmacc_gcm_open(with, iv, data, sizeof(aad), sealed, DMACC_KEY_LEN, ret);
}

static void what_gcm_sealed_it_opens(struct kunit *test)
{
	u8 sealed[SEALED_LEN], opened[DMACC_KEY_LEN];

	seal(test, sealed);
	KUNIT_EXPECT_NE(test, memcmp(sealed, secret, DMACC_KEY_LEN), 0);
	KUNIT_EXPECT_EQ(test, 0, open(key, nonce, aad, sealed, opened));
	KUNIT_EXPECT_BYTES(test, opened, secret, DMACC_KEY_LEN);
}

/* @bytes, one of the arguments of open(), with each byte changed in turn */
static void expect_each_byte_counts(struct kunit *test, u8 *bytes, size_t len, const u8 *with,
				    const u8 *iv, const u8 *data, const u8 *sealed)
{
	u8 untouched[DMACC_KEY_LEN] = {}, opened[DMACC_KEY_LEN] = {};
	size_t i;

	for (i = 0; i < len; i++) {
		bytes[i] ^= 0x80;
		KUNIT_EXPECT_EQ_MSG(test, -EBADMSG, open(with, iv, data, sealed, opened),
				    "byte %zu of %zu", i, len);
		bytes[i] ^= 0x80;
	}
	KUNIT_EXPECT_BYTES(test, opened, untouched, sizeof(opened));
	KUNIT_EXPECT_EQ(test, 0, open(with, iv, data, sealed, opened));
}

static void gcm_notices_each_changed_byte_and_gives_nothing_out(struct kunit *test)
{
	u8 sealed[SEALED_LEN], k[sizeof(key)], n[sizeof(nonce)], a[sizeof(aad)];

	seal(test, sealed);
	memcpy(k, key, sizeof(k));
	memcpy(n, nonce, sizeof(n));
	memcpy(a, aad, sizeof(a));
	expect_each_byte_counts(test, sealed, sizeof(sealed), key, nonce, aad, sealed);
	expect_each_byte_counts(test, k, sizeof(k), k, nonce, aad, sealed);
	expect_each_byte_counts(test, n, sizeof(n), key, n, aad, sealed);
	expect_each_byte_counts(test, a, sizeof(a), key, nonce, a, sealed);
}

static void random_bytes_are_not_those_of_before(struct kunit *test)
{
	u8 a[DMACC_KEY_LEN] = {}, b[DMACC_KEY_LEN] = {};

	KUNIT_EXPECT_EQ(test, 0, dmacc_random(a, sizeof(a)));
	KUNIT_EXPECT_EQ(test, 0, dmacc_random(b, sizeof(b)));
	KUNIT_EXPECT_NE(test, memcmp(a, b, sizeof(a)), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(hmac_gives_the_published_outputs),
	KUNIT_CASE(kdf_gives_the_published_outputs),
	KUNIT_CASE(device_keys_and_key_ids_are_the_published_ones),
	KUNIT_CASE(context_that_does_not_fit_is_refused),
	KUNIT_CASE(what_gcm_sealed_it_opens),
	KUNIT_CASE(gcm_notices_each_changed_byte_and_gives_nothing_out),
	KUNIT_CASE(random_bytes_are_not_those_of_before),
	{}
};

static struct kunit_suite suite = { .name = "dmacc-crypto", .test_cases = cases };

kunit_test_suite(suite);
