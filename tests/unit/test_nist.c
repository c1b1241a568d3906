// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * NIST's CAVP cases for KBKDF in counter mode through libcrypto's HMAC and through every engine for
 * batches, fed with the counter as uapi/core writes it. Reads what test_nist_kdf.py --emit prints.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"

static size_t unhex(const char *text, unsigned char *out)
{
	size_t n, len = strlen(text) / 2;
	unsigned int byte;

	for (n = 0; n < len && sscanf(text + 2 * n, "%2x", &byte) == 1; n++)
		out[n] = (unsigned char)byte;
	return n;
}

/*
 * NIST's fixed input is any bytes, ours is label, 00, context, L. uapi/core makes the counter
 * and the framing; behind an empty label and its zero stands the fixed input, and L behind that
 * is cut off again. What is left but for the zero is the case's input.
 */
static size_t counter_before(unsigned char *out, const unsigned char *fixed, size_t len)
{
	const struct dmacc_kdf_spec spec = { "", 256 };
	unsigned char framed[512];
	size_t n = dmacc_kdf_input(framed, sizeof(framed), &spec, fixed, len);

	memcpy(out, framed, 4);
	memcpy(out + 4, framed + 5, n - 9);
	return n - 5;
}

/* One case of the file */
struct nist_case {
	unsigned char key[128], input[512], output[128];
	size_t key_len, len;
	unsigned int bits;
};

static int libcrypto_meets(const struct nist_case *c)
{
	unsigned char got[32];
	size_t n;

	return EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, c->key, c->key_len, c->input, c->len,
			 got, sizeof(got), &n) && !memcmp(got, c->output, c->bits / 8);
}

/* As if the case's key were a vendor key and its input the message of a device key */
static int engine_meets(const struct lanes_engine *engine, const struct nist_case *c)
{
	static struct lanes_plan plan;
	const struct dmacc_request request = { "", 0, 0, NULL };
	unsigned char got[DMACC_KEY_SIZE];
	const struct lanes_chunk chunk = { 1, { &request }, { got }, { NULL } };
	void *scratch = aligned_alloc(64, engine->scratch_size);
	struct lanes_key key;

	if (!scratch || c->key_len != DMACC_KEY_SIZE)
		return 0;
	dmacc_lanes_message_set(&plan.key, c->input, c->len);
	engine->set_key(scratch, c->key, &key);
	engine->derive(scratch, &plan, &key, &chunk);
	free(scratch);
	return !memcmp(got, c->output, c->bits / 8);
}

static int read_case(struct nist_case *c)
{
	char key_hex[256], fixed_hex[512], output_hex[256];
	unsigned char fixed[256];

	if (scanf("%255s %511s %u %255s", key_hex, fixed_hex, &c->bits, output_hex) != 4)
		return 0;
	c->key_len = unhex(key_hex, c->key);
	c->len = counter_before(c->input, fixed, unhex(fixed_hex, fixed));
	unhex(output_hex, c->output);
	return 1;
}

static unsigned int number, failed;

static void report(int ok, const struct nist_case *c, const char *by)
{
	number++;
	failed += !ok;
	printf("%sok %u - CAVP case of %u bits by %s\n", ok ? "" : "not ", number, c->bits, by);
}

int main(void)
{
	const struct lanes_engine *engine;
	static struct nist_case c;
	unsigned int i;

	while (read_case(&c)) {
		report(libcrypto_meets(&c), &c, "libcrypto");
		for (i = 0; (engine = dmacc_lanes_engine(i)); i++)
			report(engine_meets(engine, &c), &c, engine->name);
	}
	printf("1..%u\n", number);
	return !number || failed;
}
