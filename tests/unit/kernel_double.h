/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In the place of agent/common/kernel.c: a module whose state a test sets. It derives with
 * libdmacc, so that what it answers is what a real one would.
 */
#ifndef DMACC_TESTS_KERNEL_DOUBLE_H
#define DMACC_TESTS_KERNEL_DOUBLE_H

#include "kernel.h"

struct double_slot {
	struct dmacc_kernel_slot slot;
	uint8_t device_key[DMACC_DEVICE_KEY_LEN];
};

struct kernel_double {
	bool no_module;
	const char *devid;		/* NULL: none */
	enum dmacc_identity_source source;	/* of @devid */
	enum dmacc_identity_source conflict;
	bool pending;
	bool refuses_identity;
	enum dmacc_rung rung;
	enum dmacc_root_state root_state;
	enum dmacc_root_reason root_reason;
	enum dmacc_master_source master_source;
	bool no_store_key;
	uint8_t root_id[DMACC_ROOT_ID_LEN];
	uint8_t inverted_store_key[DMACC_STORE_KEY_LEN];
	struct double_slot slots[4];
	size_t slots_len;
	bool derive_fails;
	int derived;			/* how often */
};

extern struct kernel_double kernel_double;

/*
 * A device with everything, and slot "vendor" with key version 1 of the vendor key 00 01 02 ... 1f
 */
void kernel_double_reset(void);

/* Puts into slot @i the key of the device that is @devid now */
void kernel_double_inject(size_t i, const char *name, uint32_t key_version);

#endif
