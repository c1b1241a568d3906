/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The bytes that go into the key derivation function and how its output is
 * written: uapi/derivation.md, sections 3 and 4. The HMAC itself is OpenSSL's
 * or the kernel's.
 */
#ifndef DMACC_CORE_KDF_H
#define DMACC_CORE_KDF_H

#include "devid.h"
#include "server.h"
#include "types.h"

#define DMACC_KEY_LEN 32
#define DMACC_KEY_ID_LEN 8
#define DMACC_PASSWORD_LEN 32		/* characters */
#define DMACC_USER_NAME_LEN 24		/* characters */
#define DMACC_NONCE_LEN 16

/* lp(DevId) || kind || lp(Server) || [generation]_32 */
#define DMACC_CONTEXT_MAX (1 + DMACC_DEVID_MAX + 1 + 1 + DMACC_SERVER_MAX + 4)
#define DMACC_LABEL_MAX 19
/* [1]_32 || Label || 00 || Context || [L]_32 */
#define DMACC_KDF_INPUT_MAX (4 + DMACC_LABEL_MAX + 1 + DMACC_CONTEXT_MAX + 4)

/* What is derived. What hangs on the root, from ROOT_ID on, never leaves the device. */
enum dmacc_output {
	DMACC_OUTPUT_DEVICE_KEY,
	DMACC_OUTPUT_KEY_ID,
	DMACC_OUTPUT_SERVER_PW,
	DMACC_OUTPUT_CLIENT_PW,
	DMACC_OUTPUT_USER_NAME,
	DMACC_OUTPUT_SERVER_NONCE,
	DMACC_OUTPUT_CLIENT_NONCE,
	DMACC_OUTPUT_ROOT_ID,
	DMACC_OUTPUT_ROOT_TAG,
	DMACC_OUTPUT_BLOB,
	DMACC_OUTPUT_STORE,
};

/**
 * struct dmacc_kdf_spec - label and length of an output
 * @label: ASCII, at most DMACC_LABEL_MAX characters
 * @bits: L, a multiple of 8, at most 256
 */
struct dmacc_kdf_spec {
	const char *label;
	unsigned int bits;
};

/**
 * dmacc_kdf_spec() - label and length of an output
 * @output: which
 *
 * Return: a constant, never NULL.
 */
const struct dmacc_kdf_spec *dmacc_kdf_spec(enum dmacc_output output);

/**
 * dmacc_kdf_input() - what the HMAC is taken over
 * @out: where it goes
 * @size: room there, in bytes
 * @spec: label and length
 * @context: Context, may be NULL if @context_len is 0
 * @context_len: its length in bytes
 *
 * Return: the length of the input, 0 if @size is too small.
 */
size_t dmacc_kdf_input(__u8 *out, size_t size, const struct dmacc_kdf_spec *spec,
		       const __u8 *context, size_t context_len);

/*
 * The contexts of uapi/derivation.md, section 4. @devid is canonical and @server
 * has passed dmacc_server_check(): the caller's duty. Each returns the length.
 */
size_t dmacc_context_version(__u8 out[DMACC_CONTEXT_MAX], __u32 key_version);
size_t dmacc_context_device(__u8 out[DMACC_CONTEXT_MAX], const char *devid, size_t devid_len);
size_t dmacc_context_device_key(__u8 out[DMACC_CONTEXT_MAX], const char *devid, size_t devid_len,
				__u32 key_version);
size_t dmacc_context_server(__u8 out[DMACC_CONTEXT_MAX], const char *devid, size_t devid_len,
			    unsigned int kind, const __u8 *server, size_t server_len,
			    __u32 generation);

/**
 * dmacc_base32() - RFC 4648 section 6, upper case
 * @out: room for @len * 8 / 5 characters and a terminating zero
 * @data: bytes
 * @len: how many, a multiple of 5, so that there is no padding
 */
void dmacc_base32(char *out, const __u8 *data, size_t len);

#endif
