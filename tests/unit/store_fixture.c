// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "store_fixture.h"

const uint8_t root_id[DMACC_ROOT_ID_LEN] = "root-one";
const uint8_t key[DMACC_STORE_KEY_LEN] = "thirty-two bytes of a store key.";

int key_given, key_error;

int get_key(void *data, const uint8_t *root, uint8_t *ret_key)
{
	assert_true(!memcmp(root, root_id, sizeof(root_id)) || !memcmp(root, "root-two", 8));
	key_given++;
	memcpy(ret_key, data, DMACC_STORE_KEY_LEN);
	return key_error;
}

const struct store_keys keys = { get_key, (void *)key };

int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	strcpy(f->path, "/tmp/test_store.XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	faults_arm(FAULT_NONE, 0);
	key_error = 0;
	f->folder = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return f->folder < 0 || store_open(f->path, root_id, &keys, &f->store);
}

void empty(struct fixture *f)
{
	DIR *dir = fdopendir(openat(f->folder, ".", O_RDONLY | O_DIRECTORY));
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			(void)unlinkat(f->folder, entry->d_name, 0);
	closedir(dir);
}

int teardown(void **state)
{
	struct fixture *f = *state;

	faults_arm(FAULT_NONE, 0);
	empty(f);
	store_close(f->store);
	close(f->folder);
	(void)rmdir(f->path);
	free(f);
	return 0;
}

struct record *record_of(const char *password)
{
	struct record *record;

	assert_int_equal(record_new(&record), 0);
	assert_int_equal(record_set(record, RECORD_TEMPLATE, "Addr", "https://dm.example", 18), 0);
	assert_int_equal(record_set(record, RECORD_DERIVED, "ClientPW", password,
				    strlen(password)), 0);
	assert_int_equal(record_set_u32(record, RECORD_STATE, "Generation", 7), 0);
	return record;
}

int save(struct fixture *f, const char *name, const char *password, uint64_t counter)
{
	struct record *record = record_of(password);
	int r = store_save(f->store, name, record, counter);

	record_free(record);
	return r;
}

const char *password_of(struct store_loaded *loaded)
{
	static char password[64];
	struct record *whole;
	const void *bytes;
	size_t len;

	password[0] = '\0';
	if (!loaded->record)
		return password;
	bytes = record_get(loaded->record, RECORD_DERIVED, "ClientPW", &len);
	assert_non_null(bytes);
	assert_true(len < sizeof(password));
	memcpy(password, bytes, len + 1);
	whole = record_of(password);
	assert_true(record_equal(whole, loaded->record));
	record_free(whole);
	loaded->record = record_free(loaded->record);
	return password;
}

size_t slurp(struct fixture *f, const char *file, uint8_t *data)
{
	int fd = openat(f->folder, file, O_RDONLY);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, data, FILE_MAX);
	close(fd);
	assert_true(n >= 0);
	return (size_t)n;
}

void spit(struct fixture *f, const char *file, const uint8_t *data, size_t len)
{
	int fd = openat(f->folder, file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

void assert_loads(struct fixture *f, const char *name, enum store_fault current,
		  enum store_fault previous, const char *password)
{
	struct store_loaded loaded;

	store_load(f->store, name, &loaded);
	assert_string_equal(store_fault_word(loaded.current), store_fault_word(current));
	assert_string_equal(store_fault_word(loaded.previous), store_fault_word(previous));
	assert_string_equal(password_of(&loaded), password);
}
