/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an HMAC is taken over, for one device and one output, and prepared for many devices that
 * differ in nothing but their DevId. Internal to libdmacc.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "core/kdf.h"
#include "dmacc.h"

/* The outputs that a server's credentials are made of; without nonces the first three */
#define MESSAGE_OUTPUTS 5
#define MESSAGE_PASSWORDS 3

/**
 * struct message_output - one of them
 * @output: which
 * @base32: written in base32, else raw
 * @offset: where in struct dmacc_credentials it goes
 */
struct message_output {
	enum dmacc_output output;
	bool base32;
	size_t offset;
};

extern const struct message_output dmacc_message_outputs[MESSAGE_OUTPUTS];

/* Of a message in which DevId or number is nowhere; larger than any message */
#define MESSAGE_NOWHERE 0x40000000U

/**
 * struct message - what is hashed
 * @bytes: all of it, @len of them
 * @devid_at: where DevId begins
 * @number_at: where key version or generation begins, four bytes
 */
struct message {
	uint8_t bytes[DMACC_KDF_INPUT_MAX];
	size_t len;
	unsigned int devid_at, number_at;
};

/**
 * dmacc_message_bytes() - the bytes of a message, from uapi/core
 * @out: where they go
 * @output: DeviceKey or one of dmacc_message_outputs
 * @devid: @devid_len bytes
 * @devid_len: at most DMACC_DEVID_MAX
 * @server: not looked at where the output has none
 * @number: key version, generation, or nothing
 *
 * Return: how many.
 */
size_t dmacc_message_bytes(uint8_t out[DMACC_KDF_INPUT_MAX], enum dmacc_output output,
			   const char *devid, size_t devid_len, const struct dmacc_server *server,
			   uint32_t number);

/* The same into @ret, with a DevId of that length that is all zeros, and where what is in it */
void dmacc_message_prepare(struct message *ret, enum dmacc_output output, size_t devid_len,
			   const struct dmacc_server *server, uint32_t number);

#endif
