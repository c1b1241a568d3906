// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "encode.h"

#define MD5_SIZE 16

void encode_hex(char *ret, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < len; i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret[2 * len] = '\0';
}

void encode_base64(char ret[ENCODE_BASE64_SIZE], const uint8_t raw[16])
{
	EVP_EncodeBlock((unsigned char *)ret, raw, 16);
}

int encode_stored(char ret[ENCODE_BASE64_SIZE], const char *name, size_t name_len,
		  const char *password)
{
	char text[256 + DMACC_CREDENTIAL_SIZE];
	uint8_t digest[MD5_SIZE];
	int len, ok;

	len = snprintf(text, sizeof(text), "%.*s:%s", (int)name_len, name, password);
	ok = EVP_Digest(text, (size_t)len, digest, NULL, EVP_md5(), NULL);
	if (ok)
		encode_base64(ret, digest);
	dmacc_wipe(text, sizeof(text));
	dmacc_wipe(digest, sizeof(digest));
	return ok ? 0 : -ENOMEM;
}
