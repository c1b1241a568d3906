// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libdmacc from many threads at once, for a build with -fsanitize=thread:
 * test_threads; test_threads race makes a mistake of its own, which has to be noticed.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "dmacc.h"
#include "vectors.h"

#define THREADS 8
#define ROUNDS 4
#define BATCH 300

static unsigned int racing;

static int same(const struct dmacc_credentials *c, const struct dmacc_vector_credentials *v)
{
	return !strcmp(c->user_name, v->user_name) && !strcmp(c->server_pw, v->server_pw) &&
	       !strcmp(c->client_pw, v->client_pw) &&
	       !memcmp(c->server_nonce, v->server_nonce, DMACC_NONCE_SIZE) &&
	       !memcmp(c->client_nonce, v->client_nonce, DMACC_NONCE_SIZE);
}

/* One call for one device: each makes and frees what it needs */
static int one_by_one(void)
{
	size_t i;

	for (i = 0; i < DMACC_VECTORS_CREDENTIALS_COUNT; i++) {
		const struct dmacc_vector_credentials *v = &dmacc_vectors_credentials[i];
		const struct dmacc_device device = { v->devid, v->key_version, v->generation };
		const struct dmacc_server server = { v->kind, v->server, v->server_len };
		struct dmacc_credentials c;
		char devid[DMACC_DEVID_SIZE];

		if (dmacc_credentials_for(v->kv, &device, &server, DMACC_NONCES, devid, &c, NULL) ||
		    strcmp(devid, v->devid) || !same(&c, v))
			return 0;
	}
	return 1;
}

/* A deriver of this thread's, used for many: the engine that this processor has is picked in it */
static int in_a_batch(struct dmacc_deriver *deriver)
{
	const struct dmacc_vector_credentials *v = &dmacc_vectors_credentials[0];
	const struct dmacc_server server = { v->kind, v->server, v->server_len };
	struct dmacc_request requests[BATCH];
	struct dmacc_credentials c[BATCH];
	size_t i;

	for (i = 0; i < BATCH; i++)
		requests[i] = (struct dmacc_request){ v->devid, v->key_version, v->generation, NULL };
	if (dmacc_deriver_set_vendor_key(deriver, v->kv) ||
	    dmacc_deriver_batch(deriver, &server, DMACC_NONCES, requests, BATCH, c))
		return 0;
	for (i = 0; i < BATCH; i++)
		if (!same(&c[i], v))
			return 0;
	return 1;
}

static int refused_and_unkeyed(void)
{
	struct dmacc_credentials c;
	struct dmacc_reason reason;
	char devid[DMACC_DEVID_SIZE];
	size_t i;

	for (i = 0; i < DMACC_VECTORS_REFUSED_COUNT; i++) {
		const struct dmacc_vector_refused *v = &dmacc_vectors_refused[i];

		if (!dmacc_identifier_read((const char *)v->input, v->input_len,
					   v->spare_digit ? DMACC_SPARE_DIGIT : 0, devid, &reason) ||
		    strcmp(reason.word, v->reason))
			return 0;
	}
	for (i = 0; i < DMACC_VECTORS_UNKEYED_COUNT; i++) {
		const struct dmacc_vector_unkeyed *v = &dmacc_vectors_unkeyed[i];
		const struct dmacc_server server = { DMACC_ELEMENT_SERVER_ID, v->server,
						     v->server_len };

		if (dmacc_legacy_credentials(dmacc_legacy_named(v->profile), v->devid, &server, &c,
					     NULL) || strcmp(c.client_pw, v->client_pw))
			return 0;
	}
	return 1;
}

static void *work(void *failed)
{
	struct dmacc_deriver *deriver = NULL;
	int i, ok = !dmacc_deriver_new(&deriver);

	for (i = 0; i < ROUNDS && ok; i++)
		ok = one_by_one() && in_a_batch(deriver) && refused_and_unkeyed();
	dmacc_deriver_free(deriver);
	return ok ? NULL : failed;
}

static void *race(void *failed)
{
	racing++;
	return work(failed);
}

int main(int argc, char **argv)
{
	int is_race = argc > 1 && !strcmp(argv[1], "race"), bad = 0, i;
	pthread_t threads[THREADS];
	void *result;

	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, is_race ? race : work, &bad))
			return 2;
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		bad |= result != NULL;
	}
	puts(bad ? "a thread got other values" : "all threads got the published values");
	return bad;
}
