// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What somebody would write who has libcrypto and the algorithm: devices a second of the derivation
 * alone, nothing read, encoded or written.
 *
 *   bench-others engines            the engines that bench-fleet can be told to use here
 *   bench-others hmac SECONDS       HMAC(), anew for each value
 *   bench-others evp-mac SECONDS    EVP_MAC, contexts reused, the vendor key's state kept
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "batch.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A key; ->fresh while ->context has not seen it */
struct key {
	unsigned char bytes[DMACC_KEY_SIZE];
	EVP_MAC_CTX *context;
	bool fresh;
};

typedef int mac_function(struct key *key, const unsigned char *input, size_t len,
			 unsigned char ret[DMACC_KEY_SIZE]);

static int hmac(struct key *key, const unsigned char *input, size_t len,
		unsigned char ret[DMACC_KEY_SIZE])
{
	return !!HMAC(EVP_sha256(), key->bytes, sizeof(key->bytes), input, len, ret, NULL);
}

static int evp_mac(struct key *key, const unsigned char *input, size_t len,
		   unsigned char ret[DMACC_KEY_SIZE])
{
	bool fresh = key->fresh;
	size_t n;

	key->fresh = false;
	return EVP_MAC_init(key->context, fresh ? key->bytes : NULL, fresh ? sizeof(key->bytes) : 0,
			    NULL) &&
	       EVP_MAC_update(key->context, input, len) &&
	       EVP_MAC_final(key->context, ret, &n, DMACC_KEY_SIZE);
}

static EVP_MAC_CTX *new_context(void)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(EVP_MAC_fetch(NULL, "HMAC", NULL));

	if (!context || !EVP_MAC_CTX_set_params(context, params))
		exit(1);
	return context;
}

static int derive(mac_function *mac, struct key *vendor, struct key *device, const char *devid)
{
	static const enum dmacc_output outputs[] = {
		DMACC_OUTPUT_USER_NAME, DMACC_OUTPUT_SERVER_PW, DMACC_OUTPUT_CLIENT_PW,
	};
	__u8 context[DMACC_CONTEXT_MAX], input[DMACC_KDF_INPUT_MAX];
	unsigned char value[DMACC_KEY_SIZE];
	size_t i, len;
	int ok;

	len = dmacc_context_device_key(context, devid, strlen(devid), 1);
	len = dmacc_kdf_input(input, sizeof(input), dmacc_kdf_spec(DMACC_OUTPUT_DEVICE_KEY),
			      context, len);
	ok = mac(vendor, input, len, device->bytes);
	device->fresh = true;
	for (i = 0; i < 3; i++) {
		len = i ? dmacc_context_server(context, devid, strlen(devid), DMACC_KIND_SERVER_ID,
					       (const __u8 *)"com.example.dm", 14, 0) :
			  dmacc_context_device(context, devid, strlen(devid));
		len = dmacc_kdf_input(input, sizeof(input), dmacc_kdf_spec(outputs[i]), context,
				      len);
		ok &= mac(device, input, len, value);
	}
	return ok;
}

static int measure(mac_function *mac, double seconds)
{
	struct key vendor = { { 1, 2, 3 }, new_context(), true };
	struct key device = { .context = new_context() };
	double start = now(), took;
	unsigned long devices = 0;
	int i;

	do {
		for (i = 0; i < 1000; i++)
			if (!derive(mac, &vendor, &device, "IMEI:490154203237518"))
				return 1;
		devices += 1000;
		took = now() - start;
	} while (took < seconds);
	printf("%.0f\n", (double)devices / took);
	return 0;
}

static int list_engines(void)
{
	const struct lanes_engine *engine;
	unsigned int i;

	for (i = 0; (engine = dmacc_lanes_engine(i)); i++)
		puts(engine->name);
	puts("libcrypto");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "engines"))
		return list_engines();
	if (argc == 3 && !strcmp(argv[1], "hmac"))
		return measure(hmac, atof(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "evp-mac"))
		return measure(evp_mac, atof(argv[2]));
	fprintf(stderr, "usage: bench-others engines | hmac SECONDS | evp-mac SECONDS\n");
	return 2;
}
