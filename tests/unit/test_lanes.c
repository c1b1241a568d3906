// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Batches through every engine that this processor can run, against libcrypto one by one.
 * DMACC_SEED= in the environment repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "batch.h"
#include "deriver.h"
#include "vectors.h"

#define BATCH_MAX 100

static uint64_t seed;

/* SplitMix64: any seed will do */
static uint32_t below(uint32_t limit)
{
	uint64_t z = (seed += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ z >> 31) % limit);
}

static void random_bytes(uint8_t *out, size_t len)
{
	while (len--)
		*out++ = (uint8_t)below(256);
}

static uint32_t random_number(uint32_t min)
{
	const uint32_t numbers[] = { min, min + 1, 0xffffffff, below(0xffffffff - min) + min };

	return numbers[below(4)];
}

/* An engine's deriver and libcrypto's, with the same vendor key */
struct pair {
	struct dmacc_deriver *engine, *oracle;
	uint8_t vendor_key[DMACC_KEY_SIZE];
};

static void pair_new(struct pair *p, const struct lanes_engine *engine)
{
	assert_int_equal(dmacc_deriver_new(&p->engine), 0);
	assert_int_equal(dmacc_deriver_use(p->engine, engine), 0);
	assert_int_equal(dmacc_deriver_new(&p->oracle), 0);
	assert_int_equal(dmacc_deriver_use(p->oracle, NULL), 0);
	random_bytes(p->vendor_key, sizeof(p->vendor_key));
	assert_int_equal(dmacc_deriver_set_vendor_key(p->engine, p->vendor_key), 0);
	assert_int_equal(dmacc_deriver_set_vendor_key(p->oracle, p->vendor_key), 0);
}

static void pair_done(struct pair *p)
{
	dmacc_deriver_free(p->engine);
	dmacc_deriver_free(p->oracle);
}

/* A batch and what the requests point to */
struct batch_input {
	struct dmacc_server server;
	char server_bytes[DMACC_SERVER_MAX];
	unsigned int flags;
	size_t count;
	struct dmacc_request requests[BATCH_MAX];
	char devids[BATCH_MAX][DMACC_DEVID_SIZE];
	uint8_t device_keys[BATCH_MAX][DMACC_KEY_SIZE];
};

static void random_devid(char ret[DMACC_DEVID_SIZE])
{
	static const char *const prefixes[] = { "IMEI:", "MEID:", "ESN:" };
	static const size_t lengths[] = { 14, 14, 8 };
	char text[32];
	size_t i, len;

	do {
		uint32_t kind = below(3);

		len = (size_t)sprintf(text, "%s", prefixes[kind]);
		for (i = 0; i < lengths[kind]; i++)
			text[len++] = "0123456789ABCDEF"[below(kind ? 16 : 10)];
	} while (dmacc_identifier_read(text, len, 0, ret, NULL));
}

/* Of one kind and generation, or all mixed */
static void random_requests(struct batch_input *in, bool mixed, bool keys_given)
{
	uint32_t generation = random_number(0), key_version = random_number(1);
	size_t i;

	for (i = 0; i < in->count; i++) {
		struct dmacc_request *q = &in->requests[i];

		do
			random_devid(in->devids[i]);
		while (!mixed && in->devids[i][0] != in->devids[0][0]);
		*q = (struct dmacc_request){ in->devids[i], key_version, generation, NULL };
		if (mixed && below(2))
			q->generation = random_number(0);
		if (mixed && below(2))
			q->key_version = random_number(1);
		random_bytes(in->device_keys[i], DMACC_KEY_SIZE);
		if (keys_given && below(2))
			q->device_key = in->device_keys[i];
	}
}

static void random_batch(struct batch_input *in, size_t server_len, size_t count)
{
	size_t i;

	for (i = 0; i < server_len; i++)
		in->server_bytes[i] = "abcdefghijklmnopqrstuvwxyz0123456789.-:/"[below(40)];
	in->server.element = below(2) ? DMACC_ELEMENT_SERVER_ID : DMACC_ELEMENT_ADDR;
	in->server.bytes = in->server_bytes;
	in->server.len = server_len;
	in->flags = below(2) ? DMACC_NONCES : 0;
	in->count = count;
	random_requests(in, below(2), below(4) == 0);
}

static void one_by_one(struct dmacc_deriver *d, const struct batch_input *in, size_t i,
		       uint8_t key[DMACC_KEY_SIZE], struct dmacc_credentials *c)
{
	const struct dmacc_request *q = &in->requests[i];

	if (q->device_key)
		memcpy(key, q->device_key, DMACC_KEY_SIZE);
	else
		assert_int_equal(dmacc_deriver_device_key(d, q->devid, q->key_version, key), 0);
	assert_int_equal(dmacc_deriver_credentials(d, key, q->devid, &in->server, q->generation,
						   in->flags, c), 0);
}

static void check_batch(struct pair *p, const struct batch_input *in)
{
	static struct dmacc_credentials got[BATCH_MAX + 1], wanted;
	static uint8_t keys[BATCH_MAX + 1][DMACC_KEY_SIZE], key[DMACC_KEY_SIZE];
	size_t i;

	memset(got, 0x5a, sizeof(got));
	memset(keys, 0x5a, sizeof(keys));
	assert_int_equal(dmacc_deriver_batch(p->engine, &in->server, in->flags, in->requests,
					     in->count, got), 0);
	assert_int_equal(dmacc_deriver_device_keys(p->engine, in->requests, in->count, keys), 0);
	for (i = 0; i < in->count; i++) {
		one_by_one(p->oracle, in, i, key, &wanted);
		assert_memory_equal(keys[i], key, sizeof(key));
		assert_memory_equal(&got[i], &wanted, sizeof(wanted));
	}
	/* nothing behind the last one */
	assert_int_equal(((uint8_t *)&got[in->count])[0], 0x5a);
	assert_int_equal(keys[in->count][0], 0x5a);
}

/* All server lengths, so that each field stands on each side of each block's end once */
static void compare(const struct lanes_engine *engine)
{
	static struct batch_input in;
	struct pair p;
	size_t len;

	pair_new(&p, engine);
	for (len = 1; len <= DMACC_SERVER_MAX; len++) {
		random_batch(&in, len, 1 + below(40));
		check_batch(&p, &in);
	}
	for (len = 1; len <= BATCH_MAX; len++) {
		random_batch(&in, 1 + below(DMACC_SERVER_MAX), len);
		check_batch(&p, &in);
	}
	pair_done(&p);
}

static void every_engine_agrees_with_libcrypto(void **state)
{
	const struct lanes_engine *engine;
	unsigned int i;

	(void)state;
	for (i = 0; (engine = dmacc_lanes_engine(i)); i++)
		compare(engine);
}

static void libcrypto_in_batches_agrees_with_itself_one_by_one(void **state)
{
	(void)state;
	compare(NULL);
}

static void check_vector(struct dmacc_deriver *d, const struct dmacc_vector_credentials *v)
{
	const struct dmacc_server server = { v->kind, v->server, v->server_len };
	const struct dmacc_request q = { v->devid, v->key_version, v->generation, NULL };
	struct dmacc_credentials c;
	uint8_t kd[1][DMACC_KEY_SIZE];

	assert_int_equal(dmacc_deriver_set_vendor_key(d, v->kv), 0);
	assert_int_equal(dmacc_deriver_device_keys(d, &q, 1, kd), 0);
	assert_memory_equal(kd[0], v->kd, DMACC_KEY_SIZE);
	assert_int_equal(dmacc_deriver_batch(d, &server, DMACC_NONCES, &q, 1, &c), 0);
	assert_string_equal(c.user_name, v->user_name);
	assert_string_equal(c.server_pw, v->server_pw);
	assert_string_equal(c.client_pw, v->client_pw);
	assert_memory_equal(c.server_nonce, v->server_nonce, DMACC_NONCE_SIZE);
	assert_memory_equal(c.client_nonce, v->client_nonce, DMACC_NONCE_SIZE);
}

static void every_engine_computes_every_published_credential(void **state)
{
	const struct lanes_engine *engine;
	struct dmacc_deriver *d;
	unsigned int i;
	size_t n;

	(void)state;
	for (i = 0; (engine = dmacc_lanes_engine(i)); i++) {
		assert_int_equal(dmacc_deriver_new(&d), 0);
		assert_int_equal(dmacc_deriver_use(d, engine), 0);
		for (n = 0; n < DMACC_VECTORS_CREDENTIALS_COUNT; n++)
			check_vector(d, &dmacc_vectors_credentials[n]);
		dmacc_deriver_free(d);
	}
}

static int hmac_elsewhere(void *data, const uint8_t *message, size_t len, uint8_t ret_mac[32])
{
	const struct pair *p = data;
	size_t n;

	return EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, p->vendor_key, DMACC_KEY_SIZE,
			 message, len, ret_mac, 32, &n) ? 0 : -ENOMEM;
}

static void a_vendor_key_that_is_elsewhere_serves_batches(void **state)
{
	const struct lanes_engine *engine = NULL;
	static struct batch_input in;
	struct pair p;
	unsigned int i = 0;

	(void)state;
	do {
		pair_new(&p, engine);
		assert_int_equal(dmacc_deriver_set_vendor_hmac(p.engine, hmac_elsewhere, &p), 0);
		random_batch(&in, 14, BATCH_MAX);
		check_batch(&p, &in);
		pair_done(&p);
	} while ((engine = dmacc_lanes_engine(i++)));
}

static int no_token(void *data, const uint8_t *message, size_t len, uint8_t ret_mac[32])
{
	int *calls = data;

	(void)message;
	(void)len;
	memset(ret_mac, 7, 32);
	return ++*calls > 80 ? -EIO : 0;
}

static void a_token_that_is_gone_half_way_leaves_nothing_behind(void **state)
{
	static const uint8_t zeros[BATCH_MAX * sizeof(struct dmacc_credentials)];
	static struct dmacc_credentials got[BATCH_MAX];
	static struct batch_input in;
	struct pair p;
	int calls = 0;

	(void)state;
	pair_new(&p, dmacc_lanes_engine(0));
	assert_int_equal(dmacc_deriver_set_vendor_hmac(p.engine, no_token, &calls), 0);
	random_batch(&in, 14, BATCH_MAX);
	random_requests(&in, true, false);
	assert_int_equal(dmacc_deriver_batch(p.engine, &in.server, 0, in.requests, in.count, got),
			 -EIO);
	assert_memory_equal(got, zeros, sizeof(got));
	pair_done(&p);
}

static void what_is_refused_in_a_batch_derives_nothing(void **state)
{
	const struct dmacc_server dm = { DMACC_ELEMENT_SERVER_ID, "com.example.dm", 14 };
	const struct dmacc_server blank = { DMACC_ELEMENT_SERVER_ID, "a b", 3 };
	struct dmacc_request q[] = {
		{ "IMEI:490154203237518", 1, 0, NULL }, { "IMEI:490154203237518", 1, 0, NULL },
	};
	struct dmacc_credentials c[2], before[2];
	struct pair p;

	(void)state;
	pair_new(&p, dmacc_lanes_engine(0));
	memset(c, 0x5a, sizeof(c));
	memcpy(before, c, sizeof(c));
	assert_int_equal(dmacc_deriver_batch(p.engine, &blank, 0, q, 2, c), -EINVAL);
	q[1].devid = "IMEI:490154203237517";
	assert_int_equal(dmacc_deriver_batch(p.engine, &dm, 0, q, 2, c), -EINVAL);
	q[1] = (struct dmacc_request){ q[0].devid, 0, 0, NULL };
	assert_int_equal(dmacc_deriver_batch(p.engine, &dm, 0, q, 2, c), -EINVAL);
	assert_memory_equal(c, before, sizeof(c));
	/* with a device key nobody asks for its version */
	q[1].device_key = p.vendor_key;
	assert_int_equal(dmacc_deriver_batch(p.engine, &dm, 0, q, 2, c), 0);
	assert_int_equal(dmacc_deriver_batch(p.engine, &dm, 0, q, 0, c), 0);
	pair_done(&p);
}

static void without_a_vendor_key_device_keys_are_needed(void **state)
{
	static const uint8_t device_key[DMACC_KEY_SIZE] = { 9 };
	const struct dmacc_server dm = { DMACC_ELEMENT_SERVER_ID, "com.example.dm", 14 };
	struct dmacc_request q = { "ESN:E69FFFFF", 1, 3, NULL };
	struct dmacc_credentials got, wanted;
	struct dmacc_deriver *d;

	(void)state;
	assert_int_equal(dmacc_deriver_new(&d), 0);
	assert_int_equal(dmacc_deriver_batch(d, &dm, 0, &q, 1, &got), -ENOKEY);
	q.device_key = device_key;
	assert_int_equal(dmacc_deriver_batch(d, &dm, 0, &q, 1, &got), 0);
	assert_int_equal(dmacc_deriver_credentials(d, device_key, q.devid, &dm, 3, 0, &wanted), 0);
	assert_memory_equal(&got, &wanted, sizeof(got));
	dmacc_deriver_free(d);
}

/* An engine that lets us see the buffer it is given */
static const struct lanes_engine *watched;
static uint8_t *seen;

static void derive_and_tell(void *scratch, const struct lanes_plan *plan,
			    const struct lanes_key *vendor, const struct lanes_chunk *chunk)
{
	seen = scratch;
	watched->derive(scratch, plan, vendor, chunk);
}

static void the_buffer_of_secrets_is_wiped(void **state)
{
	static struct batch_input in;
	struct lanes_engine spy;
	unsigned int i;
	struct pair p;
	size_t n;

	(void)state;
	for (i = 0; (watched = dmacc_lanes_engine(i)); i++) {
		spy = *watched;
		spy.derive = derive_and_tell;
		pair_new(&p, &spy);
		random_batch(&in, 14, BATCH_MAX);
		check_batch(&p, &in);
		for (n = 0; n < spy.scratch_size; n++)
			assert_int_equal(seen[n], 0);
		pair_done(&p);
	}
}

static void read_seed(void)
{
	const char *text = getenv("DMACC_SEED");

	if (text)
		seed = strtoull(text, NULL, 10);
	else if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		exit(1);
	printf("# DMACC_SEED=%llu\n", (unsigned long long)seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_engine_agrees_with_libcrypto),
		cmocka_unit_test(libcrypto_in_batches_agrees_with_itself_one_by_one),
		cmocka_unit_test(every_engine_computes_every_published_credential),
		cmocka_unit_test(a_vendor_key_that_is_elsewhere_serves_batches),
		cmocka_unit_test(a_token_that_is_gone_half_way_leaves_nothing_behind),
		cmocka_unit_test(what_is_refused_in_a_batch_derives_nothing),
		cmocka_unit_test(without_a_vendor_key_device_keys_are_needed),
		cmocka_unit_test(the_buffer_of_secrets_is_wiped),
	};

	read_seed();
	return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
