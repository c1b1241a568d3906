/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The accounts on the disk: a folder with a file NAME for each, encrypted under the module's
 * STORE_KEY, its last generation NAME.prev, and what was damaged and kept: NAME.damaged,
 * NAME.damaged-2 and so on. uapi/store.md is the format. Nothing here logs.
 */
#ifndef DMACC_DMACCD_STORE_H
#define DMACC_DMACCD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dmacc.h"
#include "linux/dmacc.h"
#include "record.h"

#define STORE_NAME_SIZE DMACC_TEMPLATE_NAME_SIZE
#define STORE_FILE_SIZE (STORE_NAME_SIZE + 16)		/* NAME.damaged-9 */

/* What a file turned out to be */
enum store_fault {
	STORE_FINE,
	STORE_MISSING,
	STORE_TRUNCATED,
	STORE_ZERO_FILLED,
	STORE_OTHER_MAGIC,	/* no store file at all */
	STORE_NEWER,		/* of a later version */
	STORE_OTHER_ACCOUNT,
	STORE_OTHER_ROOT,
	STORE_TAMPERED,		/* the header or a byte behind it is not what was written */
	STORE_UNREADABLE,	/* it could not be read now, which says nothing of what is in it:
				 * the disk failed, or there is no key */
};

/* The word that uapi/store.md has for it, a constant */
const char *store_fault_word(enum store_fault fault);

/* May the file be put aside and another be written in its place? */
bool store_is_damage(enum store_fault fault);

struct store;

/**
 * struct store_keys - who has the store's key
 * @get: called each time that a file is read or written: puts the key of that root into @ret_key,
 *	memory that is neither swapped nor dumped and is wiped at once. Returns 0 or a negative errno.
 * @data: for @get
 *
 * Between two calls the store holds nothing that opens a file.
 */
struct store_keys {
	int (*get)(void *data, const uint8_t root_id[DMACC_ROOT_ID_LEN],
		   uint8_t ret_key[DMACC_STORE_KEY_LEN]);
	void *data;
};

/**
 * store_open() - open the folder
 * @path: made if it is not there; what is above it has to be
 * @keys: copied; not asked yet
 *
 * Return: 0; a negative errno.
 */
int store_open(const char *path, const uint8_t root_id[DMACC_ROOT_ID_LEN],
	       const struct store_keys *keys, struct store **ret);
/* Returns NULL; may be given NULL */
struct store *store_close(struct store *store);

/* Is it the store of this root? */
bool store_is_of(const struct store *store, const uint8_t root_id[DMACC_ROOT_ID_LEN]);

/* Can an account have this name here? Not one that ends like the files that the store adds. */
bool store_name_valid(const char *name);

/**
 * struct store_loaded - an account as it was found
 * @record: what it holds; NULL unless NAME or, failing that, NAME.prev is fine
 * @counter: how often it has been written
 * @current: NAME
 * @previous: NAME.prev; STORE_FINE without having been looked at if NAME is fine
 * @error: the errno of STORE_UNREADABLE
 * @damaged_before: there is a file NAME.damaged
 */
struct store_loaded {
	struct record *record;
	uint64_t counter;
	enum store_fault current, previous;
	int error;
	bool damaged_before;
};

/* Always writes @ret; the caller frees its record. Changes nothing on the disk. */
void store_load(struct store *store, const char *name, struct store_loaded *ret);

/**
 * store_save() - write an account; when it returns 0 it is on the disk
 * @counter: one more than that of what was loaded
 *
 * What stood there becomes NAME.prev, unless a damaged NAME.prev could not be put aside.
 *
 * Return: 0; a negative errno, and then the old one stands.
 */
int store_save(struct store *store, const char *name, const struct record *record,
	       uint64_t counter);

/**
 * store_set_aside() - keep a damaged file under another name
 * @previous: NAME.prev and not NAME
 * @ret_file: the name that it has now; written on success only
 *
 * Return: 0; -EEXIST if nine have been kept already; another negative errno.
 */
int store_set_aside(struct store *store, const char *name, bool previous,
		    char ret_file[STORE_FILE_SIZE]);

/* Names of the accounts, sorted; a malloc'ed array of malloc'ed strings with NULL at its end */
int store_list(struct store *store, char ***ret);
void store_free_list(char **names);

#endif
