/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The module's commands as function calls: a client of the generic netlink family "dmacc"
 * (uapi/dmacc.yaml). Blocking, for one thread. What a reply holds is read from a buffer of our
 * own that is wiped, and requests that hold a secret are wiped once sent.
 *
 * Every function returns 0 or a negative errno; the errno of a refusal is the kernel's, and
 * dmacc_kernel_sentence() is what it said.
 */
#ifndef DMACC_COMMON_KERNEL_H
#define DMACC_COMMON_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dmacc.h"
#include "linux/dmacc.h"
#include "linux/dmacc_blob.h"

#define DMACC_KERNEL_SLOTS_MAX 32

struct dmacc_kernel;

/**
 * struct dmacc_kernel_slot - one server vendor's device key, without the key
 * @name: zero-terminated
 * @key_id: KeyId
 * @key_version: from 1
 */
struct dmacc_kernel_slot {
	char name[DMACC_SLOT_NAME_MAX + 1];
	uint8_t key_id[DMACC_KEYID_LEN];
	uint32_t key_version;
};

/**
 * struct dmacc_kernel_status - GET_STATUS
 * @privileged: the kernel also gave what it gives to agent and root only: @root_id and @slots
 * @identity_conflict: the source of the hardware that names another identifier, or
 *	DMACC_IDENTITY_NONE
 * @identity_pending: hardware names one that cannot be read yet
 * @slot_count: how many slots are loaded, whoever asks
 * @slots_len: how many of @slots are filled in
 */
struct dmacc_kernel_status {
	char module_version[32];
	enum dmacc_identity_source identity_source;
	enum dmacc_identity_source identity_conflict;
	bool identity_pending;
	enum dmacc_rung rung;
	enum dmacc_root_state root_state;
	enum dmacc_root_reason root_reason;
	enum dmacc_master_source master_source;
	bool locked;
	bool privileged;
	uint32_t slot_count;
	uint8_t root_id[DMACC_ROOT_ID_LEN];
	size_t slots_len;
	struct dmacc_kernel_slot slots[DMACC_KERNEL_SLOTS_MAX];
};

/**
 * dmacc_kernel_open() - connect, which makes the kernel load the module
 * @ret: the caller's, to be given to dmacc_kernel_close(); written on success only
 *
 * Return: 0; -ENOENT if there is no such family: the module is not built for this kernel, not
 * allowed, or failed to load; another negative errno.
 */
int dmacc_kernel_open(struct dmacc_kernel **ret);

/**
 * dmacc_kernel_missing_sentence() - why dmacc_kernel_open() returned -ENOENT
 * @ret: a sentence; no capital, no full stop
 * @size: bytes that there are for it, 256 are enough
 *
 * Tells a module that was not built for the running kernel from one that the kernel refused, as
 * well as that can be told from outside of the kernel.
 */
void dmacc_kernel_missing_sentence(char *ret, size_t size);

/* Returns NULL; @kernel may be NULL */
struct dmacc_kernel *dmacc_kernel_close(struct dmacc_kernel *kernel);

/**
 * dmacc_kernel_sentence() - why the last request was refused
 *
 * Return: what the kernel said, or, where it said nothing, strerror() of its errno. Valid until
 * the next request.
 */
const char *dmacc_kernel_sentence(const struct dmacc_kernel *kernel);

/**
 * struct dmacc_kernel_blob - something sealed, to be stored
 * @len: bytes of it
 */
struct dmacc_kernel_blob {
	size_t len;
	uint8_t bytes[DMACC_BLOB_MAX];
};

int dmacc_kernel_get_status(struct dmacc_kernel *kernel, struct dmacc_kernel_status *ret);

/* A slot that is loaded, by its name. NULL if there is none, or the kernel named none. */
const struct dmacc_kernel_slot *dmacc_kernel_find_slot(const struct dmacc_kernel_status *status,
						       const char *name);

/**
 * struct dmacc_kernel_master - the master of a wrapped root
 * @bytes: 32; the caller wipes them
 * @source: where they came from
 */
struct dmacc_kernel_master {
	uint8_t bytes[DMACC_MASTER_LEN];
	enum dmacc_master_source source;
};

/**
 * dmacc_kernel_make_root() - OPEN_ROOT without a blob
 * @rung: to be sealed with
 * @master: of a wrapped root; NULL for another
 * @tpm_parent: handle of the persistent key under which the TPM seals a trusted root; 0 for a
 *	wrapped one, and where it is not a TPM that seals
 * @agent: uid that may call as the agent
 * @ret_blob: the sealed root; it has to be stored
 */
int dmacc_kernel_make_root(struct dmacc_kernel *kernel, enum dmacc_rung rung,
			   const struct dmacc_kernel_master *master, uint32_t tpm_parent,
			   uid_t agent, struct dmacc_kernel_blob *ret_blob);

/* OPEN_ROOT of a sealed root. @blob: @len bytes as they were stored. */
int dmacc_kernel_open_root(struct dmacc_kernel *kernel, const void *blob, size_t len,
			   const struct dmacc_kernel_master *master, uid_t agent);

/* LOCK. @ret_blob: the root with the locked flag in it; it has to be stored. */
int dmacc_kernel_lock(struct dmacc_kernel *kernel, struct dmacc_kernel_blob *ret_blob);

int dmacc_kernel_seal_key(struct dmacc_kernel *kernel, const struct dmacc_kernel_slot *slot,
			  const uint8_t device_key[DMACC_DEVICE_KEY_LEN],
			  struct dmacc_kernel_blob *ret_blob);

/* LOAD_KEY. @ret_slot: what is in the slot now; may be NULL. */
int dmacc_kernel_load_key(struct dmacc_kernel *kernel, const void *blob, size_t len,
			  struct dmacc_kernel_slot *ret_slot);

int dmacc_kernel_forget_key(struct dmacc_kernel *kernel, const char *slot);

/**
 * dmacc_kernel_get_identity() - who this device is
 * @ret_source: may be NULL
 * @ret_devid: canonical; "" if the device has no identity
 */
int dmacc_kernel_get_identity(struct dmacc_kernel *kernel, enum dmacc_identity_source *ret_source,
			      char ret_devid[DMACC_DEVID_SIZE]);

int dmacc_kernel_set_identity(struct dmacc_kernel *kernel, const char *devid);

/**
 * dmacc_kernel_derive() - the credentials of an account, nonces included; secret
 * @slot: name of the slot
 * @server: element, bytes and length
 * @generation: from 0
 * @ret: written on success only; the caller wipes it
 */
int dmacc_kernel_derive(struct dmacc_kernel *kernel, const char *slot,
			const struct dmacc_server *server, uint32_t generation,
			struct dmacc_credentials *ret);

/* STORE_KEY. @ret_key: secret, the caller wipes it. */
int dmacc_kernel_store_key(struct dmacc_kernel *kernel, uint8_t ret_root_id[DMACC_ROOT_ID_LEN],
			   uint8_t ret_key[DMACC_STORE_KEY_LEN]);

/*
 * The words for states that status, JSON, D-Bus and reports use: the names that uapi/dmacc.yaml
 * has, such as "sealed-unavailable". Constants; "unknown" for a value of a newer module.
 */
const char *dmacc_identity_source_word(enum dmacc_identity_source source);
const char *dmacc_rung_word(enum dmacc_rung rung);
const char *dmacc_root_state_word(enum dmacc_root_state state);
const char *dmacc_root_reason_word(enum dmacc_root_reason reason);
const char *dmacc_master_source_word(enum dmacc_master_source source);

#endif
