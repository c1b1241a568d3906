/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The factory store: what the factory sealed, kept where the device keeps it longest. A folder of
 * root's, 0700:
 *
 *     root            struct dmacc_root_blob and its sealed bytes
 *     slots/NAME      struct dmacc_slot_blob
 *     master          for development only: the master, 64 hexadecimal digits
 *     lives/NAME      in which life of the accounts the key was first there: lives.h
 *     tpm             which TPM sealed the root or its master, if one did: its fingerprint, 64 digits
 *
 * uapi/linux/dmacc_blob.h has the two blobs.
 */
#ifndef DMACC_COMMON_FACTORY_STORE_H
#define DMACC_COMMON_FACTORY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linux/dmacc.h"
#include "linux/dmacc_blob.h"

#define FACTORY_STORE_PATH "/var/lib/dmacc-factory"
#define FACTORY_STORE_PERSIST "/persist"
#define FACTORY_STORE_PARTITION "dmacc-factory"
#define FACTORY_STORE_TPM_LEN 32

struct factory_store;

/**
 * factory_store_place() - where this device keeps it longest
 *
 * FACTORY_STORE_PATH if the partition is mounted there or must be; else the folder in /persist if that
 * is a mount point; else FACTORY_STORE_PATH on the disk of the system.
 */
const char *factory_store_place(void);

/**
 * factory_store_open() - open it
 * @path: NULL or FACTORY_STORE_PATH: factory_store_place()
 * @create: make it if it is not there
 *
 * Return: 0; -ENOENT; -ENOMEDIUM if this device has a partition for it that is not mounted: what else
 * is at its place is not the store; -EPERM if it is not the caller's or if group or others can write to it;
 * another negative errno.
 */
int factory_store_open(const char *path, int create, struct factory_store **ret);
struct factory_store *factory_store_close(struct factory_store *store);
const char *factory_store_path(const struct factory_store *store);

/* The sealed root as it was stored, for the module to judge. -ENOENT if there is none. */
int factory_store_read_root(struct factory_store *store, uint8_t **ret_blob, size_t *ret_len);
int factory_store_write_root(struct factory_store *store, const void *blob, size_t len);
/* The same, and what stood there, which may be damaged, is root.prev afterwards */
int factory_store_replace_root(struct factory_store *store, const void *blob, size_t len);

/**
 * factory_store_read_master() - the plain file "master"
 * @ret_master: the caller wipes it; written on success only
 * @reterr_sentence: what is wrong with it, a constant; written on failure only
 *
 * Return: 0; -ENOENT; what dmacc_key_read() returns.
 */
int factory_store_read_master(struct factory_store *store, uint8_t ret_master[DMACC_MASTER_LEN],
			      const char **reterr_sentence);
int factory_store_write_master(struct factory_store *store,
			       const uint8_t master[DMACC_MASTER_LEN]);

/**
 * factory_store_read_tpm() - which TPM the root needs
 *
 * Only to tell a TPM that was replaced from other reasons: nobody opens anything with it.
 *
 * Return: 0; -ENOENT; -EINVAL if it is something else; another negative errno.
 */
int factory_store_read_tpm(struct factory_store *store, uint8_t ret[FACTORY_STORE_TPM_LEN]);
int factory_store_write_tpm(struct factory_store *store,
			    const uint8_t fingerprint[FACTORY_STORE_TPM_LEN]);

/*
 * Names of the slots, sorted: @ret is a malloc'ed array of malloc'ed strings, NULL at its end, to
 * be given to factory_store_free_slots(). Files that are no slots are left out.
 */
int factory_store_list_slots(struct factory_store *store, char ***ret);
void factory_store_free_slots(char **slots);

/* Is the name among what factory_store_list_slots() gave? */
bool factory_store_lists(char **slots, const char *name);
int factory_store_read_slot(struct factory_store *store, const char *slot, uint8_t **ret_blob,
			    size_t *ret_len);
int factory_store_write_slot(struct factory_store *store, const char *slot, const void *blob,
			     size_t len);

/* A note about a slot: a line of exactly that many characters, lives.h. -ENOENT if there is none. */
#define FACTORY_STORE_NOTE_SIZE (64 + 1 + 32 + 1 + 1)
int factory_store_read_note(struct factory_store *store, const char *slot,
			    char ret[FACTORY_STORE_NOTE_SIZE]);
int factory_store_write_note(struct factory_store *store, const char *slot,
			     const char note[FACTORY_STORE_NOTE_SIZE]);

/* Can a slot have this name in the store? [a-z0-9._-]{1,32}, no dot first */
bool factory_store_slot_name(const char *name);

/* Does the blob's header say that it is of this slot? What it says is not authenticated here. */
bool factory_store_is_slot(const void *blob, size_t len, const char *slot);

/* What an errno of the functions above means, for a person */
const char *factory_store_error(int error);

#endif
