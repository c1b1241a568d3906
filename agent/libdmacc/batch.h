/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many devices in one go, over an engine of lanes.h. Internal to libdmacc.
 */
#ifndef DMACC_BATCH_H
#define DMACC_BATCH_H

#include "lanes.h"

/**
 * dmacc_lanes_engine() - the engines that this processor can run
 * @i: from 0
 *
 * Return: the fastest first, NULL past the end.
 */
const struct lanes_engine *dmacc_lanes_engine(unsigned int i);

/* The one that derivers use. NULL: libcrypto is faster than any of them. */
const struct lanes_engine *dmacc_lanes_pick(void);

/**
 * dmacc_lanes_message_set() - a message from its bytes
 * @m: written; DevId and number are nowhere in it
 * @bytes: at most DMACC_KDF_INPUT_MAX
 * @len: how many
 */
void dmacc_lanes_message_set(struct lanes_message *m, const __u8 *bytes, size_t len);

struct batch;

/* NULL if there is no memory */
struct batch *dmacc_batch_new(const struct lanes_engine *engine);
struct batch *dmacc_batch_free(struct batch *b);
void dmacc_batch_set_vendor_key(struct batch *b, const __u8 key[DMACC_KEY_SIZE]);

/* As the public functions; what they refuse is not in the requests */
void dmacc_batch_credentials(struct batch *b, const struct dmacc_server *server,
			     unsigned int flags, const struct dmacc_request *requests,
			     size_t count, struct dmacc_credentials *ret);
void dmacc_batch_device_keys(struct batch *b, const struct dmacc_request *requests, size_t count,
			     __u8 (*ret)[DMACC_KEY_SIZE]);

#endif
