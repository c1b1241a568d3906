// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * NIST's CAVP cases for KBKDF in counter mode through libcrypto's HMAC, fed with
 * the counter as uapi/core writes it. Reads what test_nist_kdf.py --emit prints.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kdf.h"

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

int main(void)
{
	char key_hex[256], fixed_hex[512], output_hex[256];
	unsigned char key[128], fixed[256], input[512], output[128], got[32];
	size_t key_len, len, got_len;
	unsigned int bits, number = 0, failed = 0;

	while (scanf("%255s %511s %u %255s", key_hex, fixed_hex, &bits, output_hex) == 4) {
		key_len = unhex(key_hex, key);
		len = counter_before(input, fixed, unhex(fixed_hex, fixed));
		unhex(output_hex, output);
		number++;
		if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, key_len, input, len, got,
			       sizeof(got), &got_len) || memcmp(got, output, bits / 8)) {
			failed++;
			printf("not ");
		}
		printf("ok %u - CAVP case of %u bits\n", number, bits);
	}
	printf("1..%u\n", number);
	return !number || failed;
}
