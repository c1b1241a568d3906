/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The factory store: what the factory sealed, kept where the device keeps it longest. A folder of
 * root's, 0700:
 *
 *     root            struct dmacc_root_blob and its sealed bytes
 *     slots/NAME      struct dmacc_slot_blob
 *     master          for development only: the master, 64 hexadecimal digits
 *
 * uapi/linux/dmacc_blob.h has the two blobs.
 */
#ifndef DMACC_COMMON_FACTORY_STORE_H
#define DMACC_COMMON_FACTORY_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "linux/dmacc_blob.h"

#define FACTORY_STORE_PATH "/var/lib/dmacc-factory"

struct factory_store;

/**
 * factory_store_open() - open it
 * @path: NULL for FACTORY_STORE_PATH
 * @create: make it if it is not there
 *
 * Return: 0; -ENOENT; another negative errno.
 */
int factory_store_open(const char *path, int create, struct factory_store **ret);
struct factory_store *factory_store_close(struct factory_store *store);
const char *factory_store_path(const struct factory_store *store);

/* The sealed root as it was stored, for the module to judge. -ENOENT if there is none. */
int factory_store_read_root(struct factory_store *store, uint8_t **ret_blob, size_t *ret_len);
int factory_store_write_root(struct factory_store *store, const void *blob, size_t len);

/* Names of the slots, sorted: @ret is a malloc'ed array of malloc'ed strings, NULL at its end */
int factory_store_list_slots(struct factory_store *store, char ***ret);
int factory_store_read_slot(struct factory_store *store, const char *slot, uint8_t **ret_blob,
			    size_t *ret_len);
int factory_store_write_slot(struct factory_store *store, const char *slot, const void *blob,
			     size_t len);

#endif
