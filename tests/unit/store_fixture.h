/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A store in a folder of its own, over a key that stands in the test, and its files byte by byte */
#ifndef DMACC_TESTS_STORE_FIXTURE_H
#define DMACC_TESTS_STORE_FIXTURE_H

#include "store.h"

#define FILE_MAX (1 << 20)

struct fixture {
	char path[64];
	int folder;
	struct store *store;
};

extern const uint8_t root_id[DMACC_ROOT_ID_LEN], key[DMACC_STORE_KEY_LEN];
/* As the module gives @data, the key, or does not: how often it was asked, what it answers */
extern int key_given, key_error;
int get_key(void *data, const uint8_t *root, uint8_t *ret_key);
extern const struct store_keys keys;

int setup(void **state);
int teardown(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Removes all files */
void empty(struct fixture *f);

struct record *record_of(const char *password);
/* A record of it, under a name */
int save(struct fixture *f, const char *name, const char *password, uint64_t counter);
/* The password of what was loaded, whose record is freed; "" if there is none; static */
const char *password_of(struct store_loaded *loaded);
void assert_loads(struct fixture *f, const char *name, enum store_fault current,
		  enum store_fault previous, const char *password);

/* @data has FILE_MAX bytes */
size_t slurp(struct fixture *f, const char *file, uint8_t *data);
void spit(struct fixture *f, const char *file, const uint8_t *data, size_t len);

#endif
