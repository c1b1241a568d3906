/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SHA-256 for many devices at once: each lane of a vector register works for a device of its own.
 * Internal to libdmacc. What comes out is by design what libcrypto's HMAC-SHA-256 gives; deriver.c
 * has that one, and tests/unit/test_lanes.c compares the two.
 */
#ifndef DMACC_LANES_H
#define DMACC_LANES_H

#include "message.h"

#define LANES_BLOCK_WORDS 16
/* A KDF input with its padding: a byte 0x80 and the length in 8 bytes */
#define LANES_BLOCKS ((DMACC_KDF_INPUT_MAX + 9 + 63) / 64)
#define LANES_DEVID_WORDS ((DMACC_DEVID_MAX + 3) / 4)
/* The widest engine's devices at a time */
#define LANES_WIDTH_MAX 32

/**
 * struct lanes_message - what an HMAC is taken over, for all DevIds of one length
 * @blocks: 64-byte blocks that the hash still has to see behind the key's
 * @devid_at: byte at which DevId stands; there are zeros in @words
 * @number_at: likewise for key version or generation
 * @words: the message, padded, big-endian
 * @schedule: of the blocks behind the first, for lanes that agree in all of a block; round
 *	constants are added already
 *
 * DevId stands in the first block. Nothing of this is secret.
 */
struct lanes_message {
	unsigned int blocks;
	unsigned int devid_at, number_at;
	__u32 words[LANES_BLOCKS * LANES_BLOCK_WORDS];
	__u32 schedule[LANES_BLOCKS - 1][64];
};

/* Where an output goes and in which form */
struct lanes_output {
	struct lanes_message message;
	bool base32;
	unsigned int bytes;	/* of the output before it is encoded */
	size_t offset;		/* in struct dmacc_credentials */
};

/**
 * struct lanes_plan - what devices with DevIds of one length have in common
 * @devid_len: that length; 0 while there is no plan
 * @generation: the one that is in the schedules
 * @key: the message that makes Kd
 * @outputs: the first @count are derived
 */
struct lanes_plan {
	unsigned int devid_len;
	__u32 generation;
	struct lanes_message key;
	unsigned int count;
	struct lanes_output outputs[MESSAGE_OUTPUTS];
};

/* HMAC's two hash states once they have seen the padded key; secret */
struct lanes_key {
	__u32 inner[8], outer[8];
};

/**
 * struct lanes_chunk - the devices of one go
 * @count: from 1 to the engine's width
 * @requests: one for each
 * @device_keys: where the device keys go; all NULL if it is credentials that are wanted
 * @credentials: where those go; zeros where nothing is derived
 */
struct lanes_chunk {
	unsigned int count;
	const struct dmacc_request *requests[LANES_WIDTH_MAX];
	__u8 *device_keys[LANES_WIDTH_MAX];
	struct dmacc_credentials *credentials[LANES_WIDTH_MAX];
};

/**
 * struct lanes_engine - lanes.c, compiled for some processor
 * @name: for tests and measurements
 * @width: devices at a time
 * @scratch_size: bytes of the buffer in which all that is secret lies; it is aligned to 64
 * @set_key: keep HMAC's state for a key
 * @derive: what a chunk asks for; @vendor is NULL if all its requests have a device key
 *
 * The caller wipes the scratch buffer and the stack below his own frame, once for many calls.
 */
struct lanes_engine {
	const char *name;
	unsigned int width;
	size_t scratch_size;
	void (*set_key)(void *scratch, const __u8 key[DMACC_KEY_SIZE], struct lanes_key *ret);
	void (*derive)(void *scratch, const struct lanes_plan *plan, const struct lanes_key *vendor,
		       const struct lanes_chunk *chunk);
};

extern const struct lanes_engine dmacc_lanes_avx512, dmacc_lanes_sha, dmacc_lanes_avx2, dmacc_lanes_x4;

/* The round constants, FIPS 180-4 section 4.2.2 */
extern const __u32 dmacc_lanes_constants[64];

#endif
