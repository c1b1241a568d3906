// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "kdf.h"

const struct dmacc_kdf_spec *dmacc_kdf_spec(enum dmacc_output output)
{
	static const struct dmacc_kdf_spec specs[] = {
		[DMACC_OUTPUT_DEVICE_KEY] = { "DMAcc-1:DeviceKey", 256 },
		[DMACC_OUTPUT_KEY_ID] = { "DMAcc-1:KeyId", 64 },
		[DMACC_OUTPUT_SERVER_PW] = { "DMAcc-1:ServerPW", 160 },
		[DMACC_OUTPUT_CLIENT_PW] = { "DMAcc-1:ClientPW", 160 },
		[DMACC_OUTPUT_USER_NAME] = { "DMAcc-1:UserName", 120 },
		[DMACC_OUTPUT_SERVER_NONCE] = { "DMAcc-1:ServerNonce", 128 },
		[DMACC_OUTPUT_CLIENT_NONCE] = { "DMAcc-1:ClientNonce", 128 },
		[DMACC_OUTPUT_ROOT_ID] = { "DMAcc-1:RootId", 256 },
		[DMACC_OUTPUT_ROOT_TAG] = { "DMAcc-1:RootTag", 128 },
		[DMACC_OUTPUT_BLOB] = { "DMAcc-1:Blob", 256 },
		[DMACC_OUTPUT_STORE] = { "DMAcc-1:Store", 256 },
	};

	return &specs[output];
}

static __u8 *put_be32(__u8 *out, __u32 value)
{
	out[0] = (__u8)(value >> 24);
	out[1] = (__u8)(value >> 16);
	out[2] = (__u8)(value >> 8);
	out[3] = (__u8)value;
	return out + 4;
}

static __u8 *put_bytes(__u8 *out, const void *bytes, size_t len)
{
	if (len)
		memcpy(out, bytes, len);
	return out + len;
}

static __u8 *put_lp(__u8 *out, const void *bytes, size_t len)
{
	*out = (__u8)len;
	return put_bytes(out + 1, bytes, len);
}

size_t dmacc_kdf_input(__u8 *out, size_t size, const struct dmacc_kdf_spec *spec,
		       const __u8 *context, size_t context_len)
{
	size_t label_len = strlen(spec->label);
	__u8 *p = out;

	if (size < 4 + 1 + 4 || label_len > size - 9 || context_len > size - 9 - label_len)
		return 0;
	p = put_be32(p, 1);
	p = put_bytes(p, spec->label, label_len);
	*p++ = 0;
	p = put_bytes(p, context, context_len);
	p = put_be32(p, spec->bits);
	return (size_t)(p - out);
}

size_t dmacc_context_version(__u8 out[DMACC_CONTEXT_MAX], __u32 key_version)
{
	return (size_t)(put_be32(out, key_version) - out);
}

size_t dmacc_context_device(__u8 out[DMACC_CONTEXT_MAX], const char *devid, size_t devid_len)
{
	return (size_t)(put_lp(out, devid, devid_len) - out);
}

size_t dmacc_context_device_key(__u8 out[DMACC_CONTEXT_MAX], const char *devid, size_t devid_len,
				__u32 key_version)
{
	__u8 *p = put_lp(out, devid, devid_len);

	return (size_t)(put_be32(p, key_version) - out);
}

size_t dmacc_context_server(__u8 out[DMACC_CONTEXT_MAX], const char *devid, size_t devid_len,
			    unsigned int kind, const __u8 *server, size_t server_len,
			    __u32 generation)
{
	__u8 *p = put_lp(out, devid, devid_len);

	*p++ = (__u8)kind;
	p = put_lp(p, server, server_len);
	return (size_t)(put_be32(p, generation) - out);
}

/*
 * Eight characters of 40 bits, side by side in a word. Arithmetic, not a table: the value is secret, and
 * which cache line a table is read from is not.
 */
static __u64 base32_characters(__u64 bits)
{
	__u64 values, digits;

	/* 20 bits in each half, 10 in each quarter, 5 in each byte */
	values = (bits & 0xfffff00000) << 12 | (bits & 0xfffff);
	values = (values & 0x000ffc00000ffc00) << 6 | (values & 0x000003ff000003ff);
	values = (values & 0x03e003e003e003e0) << 3 | (values & 0x001f001f001f001f);
	/* 'A' to 'Z' for 0 to 25; '2' to '7' from 26 on, which is 41 before where 'A' would lead */
	digits = (values + 0x6666666666666666) >> 7 & 0x0101010101010101;
	return values + 0x4141414141414141 - (digits << 5) - (digits << 3) - digits;
}

void dmacc_base32(char *out, const __u8 *data, size_t len)
{
	__u8 *p = (__u8 *)out;
	__u64 characters;

	for (; len >= 5; len -= 5, data += 5) {
		characters = base32_characters((__u64)data[0] << 32 | (__u32)data[1] << 24 |
					       (__u32)data[2] << 16 | (__u32)data[3] << 8 | data[4]);
		p = put_be32(p, (__u32)(characters >> 32));
		p = put_be32(p, (__u32)characters);
	}
	*p = '\0';
}
