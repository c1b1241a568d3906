// SPDX-License-Identifier: LGPL-2.1-or-later
/* The agent's store: what it keeps, and that no fault of a write loses an account. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"
#include "store_fixture.h"

#define HEADER 108

static void what_is_saved_loads(void **state)
{
	struct fixture *f = *state;
	struct store_loaded loaded;
	struct stat st;

	store_load(f->store, "a", &loaded);
	assert_int_equal(loaded.current, STORE_MISSING);
	assert_int_equal(loaded.previous, STORE_MISSING);
	assert_null(loaded.record);
	assert_int_equal(save(f, "a", "one", 1), 0);
	store_load(f->store, "a", &loaded);
	assert_int_equal(loaded.counter, 1);
	assert_string_equal(password_of(&loaded), "one");
	assert_int_equal(fstatat(f->folder, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void no_value_stands_in_the_file(void **state)
{
	static uint8_t data[FILE_MAX];
	struct fixture *f = *state;
	size_t len;

	assert_int_equal(save(f, "a", "SECRETSECRET", 1), 0);
	len = slurp(f, "a", data);
	assert_null(memmem(data, len, "SECRETSECRET", 12));
	assert_null(memmem(data, len, "dm.example", 10));
	assert_null(memmem(data, len, key, sizeof(key)));
}

static void two_writes_of_the_same_differ_in_every_part_that_is_sealed(void **state)
{
	static uint8_t one[FILE_MAX], two[FILE_MAX];
	struct fixture *f = *state;
	size_t len;

	assert_int_equal(save(f, "a", "same", 1), 0);
	len = slurp(f, "a", one);
	assert_int_equal(save(f, "a", "same", 1), 0);
	assert_int_equal(slurp(f, "a", two), len);
	assert_memory_equal(one, two, 96);
	assert_memory_not_equal(one + 96, two + 96, 12);
	assert_memory_not_equal(one + HEADER, two + HEADER, 16);
	assert_memory_not_equal(one + len - 16, two + len - 16, 16);
}

static void the_previous_generation_is_kept(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(save(f, "a", "one", 1), 0);
	assert_int_equal(save(f, "a", "two", 2), 0);
	assert_loads(f, "a", STORE_FINE, STORE_FINE, "two");
	assert_int_equal(unlinkat(f->folder, "a", 0), 0);
	assert_loads(f, "a", STORE_MISSING, STORE_FINE, "one");
}

/* With the old and the new file: for every fault that a file can have */
static void a_newer_format_is_neither_read_nor_passed_over(void **state)
{
	static uint8_t data[FILE_MAX];
	struct fixture *f = *state;
	size_t len;

	assert_int_equal(save(f, "a", "one", 1), 0);
	assert_int_equal(save(f, "a", "two", 2), 0);
	len = slurp(f, "a", data);
	/* a damaged byte is told apart from a later version's file */
	data[8] = 2;
	spit(f, "a", data, len);
	assert_loads(f, "a", STORE_TAMPERED, STORE_FINE, "one");
	data[HEADER]++;
	spit(f, "a", data, len);
	assert_loads(f, "a", STORE_NEWER, STORE_FINE, "");
	assert_false(store_is_damage(STORE_NEWER));
}

static void a_damaged_root_id_is_told_from_another_root(void **state)
{
	static uint8_t data[FILE_MAX];
	struct fixture *f = *state;
	size_t len;

	assert_int_equal(save(f, "a", "one", 1), 0);
	len = slurp(f, "a", data);
	data[16] ^= 1;
	spit(f, "a", data, len);
	assert_loads(f, "a", STORE_TAMPERED, STORE_MISSING, "");
	data[HEADER] ^= 1;
	spit(f, "a", data, len);
	assert_loads(f, "a", STORE_OTHER_ROOT, STORE_MISSING, "");
}

static void another_roots_file_is_named_so(void **state)
{
	struct fixture *f = *state;
	struct store *other;
	struct store_loaded loaded;

	assert_int_equal(save(f, "a", "one", 1), 0);
	assert_int_equal(store_open(f->path, (const uint8_t *)"root-two", &keys, &other), 0);
	store_load(other, "a", &loaded);
	assert_int_equal(loaded.current, STORE_OTHER_ROOT);
	assert_null(loaded.record);
	assert_false(store_is_of(f->store, (const uint8_t *)"root-two"));
	assert_true(store_is_of(f->store, root_id));
	store_close(other);
}

static void with_another_key_nothing_opens(void **state)
{
	static uint8_t wrong[DMACC_STORE_KEY_LEN] = { 1 };
	const struct store_keys wrong_keys = { get_key, wrong };
	struct fixture *f = *state;
	struct store *other;
	struct store_loaded loaded;

	assert_int_equal(save(f, "a", "one", 1), 0);
	assert_int_equal(store_open(f->path, root_id, &wrong_keys, &other), 0);
	store_load(other, "a", &loaded);
	assert_int_equal(loaded.current, STORE_TAMPERED);
	assert_null(loaded.record);
	store_close(other);
}

static void the_key_is_asked_for_at_each_file_and_not_kept(void **state)
{
	struct fixture *f = *state;

	key_given = 0;
	assert_int_equal(save(f, "a", "one", 1), 0);
	assert_int_equal(key_given, 1);
	assert_loads(f, "a", STORE_FINE, STORE_FINE, "one");
	assert_int_equal(key_given, 2);
	/* what is judged without it */
	assert_loads(f, "b", STORE_MISSING, STORE_MISSING, "");
	assert_int_equal(key_given, 2);
}

static void without_the_key_what_is_stored_is_unreadable_and_stays(void **state)
{
	static uint8_t before[FILE_MAX], after[FILE_MAX];
	struct fixture *f = *state;
	struct store_loaded loaded;
	size_t len;

	assert_int_equal(save(f, "a", "one", 1), 0);
	assert_int_equal(save(f, "a", "two", 2), 0);
	len = slurp(f, "a", before);
	key_error = -EPERM;
	store_load(f->store, "a", &loaded);
	assert_int_equal(loaded.current, STORE_UNREADABLE);
	assert_int_equal(loaded.error, -EPERM);
	assert_null(loaded.record);
	assert_int_equal(save(f, "a", "three", 3), -EPERM);
	assert_int_equal(slurp(f, "a", after), len);
	assert_memory_equal(before, after, len);
	/* nor is a file taken for a newer agent's that only the key could tell from one of ours */
	after[8]++;
	spit(f, "a", after, len);
	store_load(f->store, "a", &loaded);
	assert_int_equal(loaded.current, STORE_UNREADABLE);
	key_error = 0;
	assert_loads(f, "a", STORE_TAMPERED, STORE_FINE, "one");
}

static void what_a_later_version_wrote_is_kept(void **state)
{
	static const uint8_t later[] = {
		9, 3, 0, 0, 0, 2, 'n', 0xff, 'w', 1, 2,			/* a source of its own */
		RECORD_SERVER, 8, 0, 0, 0, 3, 'C', 'l', 'i', 'e', 'n', 't', 'P', 'W', 'x', 'y', 'z',
		RECORD_STATE, 3, 0, 0, 0, 0, 'E', 'x', 't',
		/* twice: nothing we forbid */
		9, 3, 0, 0, 0, 1, 'n', 0xff, 'w', 3,
	};
	struct fixture *f = *state;
	struct store_loaded loaded;
	struct record *record;
	uint8_t *data;
	size_t len;

	assert_int_equal(record_decode(later, sizeof(later), &record), 0);
	assert_int_equal(record_set(record, RECORD_DERIVED, "UserName", "me", 2), 0);
	assert_int_equal(store_save(f->store, "a", record, 1), 0);
	record_free(record);
	store_load(f->store, "a", &loaded);
	record_remove(loaded.record, RECORD_DERIVED, "UserName");
	assert_int_equal(record_encode(loaded.record, &data, &len), 0);
	assert_int_equal(len, sizeof(later));
	assert_memory_equal(data, later, len);
	free(data);
	record_free(loaded.record);
}

static void a_record_has_bounds(void **state)
{
	static uint8_t big[RECORD_VALUE_MAX + 1];
	struct record *record;
	uint8_t *data;
	char name[16];
	size_t len;
	int i;

	(void)state;
	assert_int_equal(record_new(&record), 0);
	assert_int_equal(record_set(record, RECORD_STATE, "k", big, sizeof(big)), -E2BIG);
	for (i = 0; i < RECORD_ENTRIES_MAX; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		assert_int_equal(record_set(record, RECORD_STATE, name, big, 1), 0);
	}
	assert_int_equal(record_set(record, RECORD_STATE, "more", big, 1), -E2BIG);
	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		assert_int_equal(record_set(record, RECORD_STATE, name, big, RECORD_VALUE_MAX), 0);
	}
	assert_int_equal(record_encode(record, &data, &len), -E2BIG);
	record_free(record);
}

static void accounts_are_listed_once_and_without_what_the_store_adds(void **state)
{
	struct fixture *f = *state;
	char **names;

	assert_int_equal(save(f, "zeta", "one", 1), 0);
	assert_int_equal(save(f, "zeta", "two", 2), 0);
	spit(f, "beta.prev", (const uint8_t *)"x", 1);
	spit(f, "beta.damaged", (const uint8_t *)"x", 1);
	spit(f, "beta.damaged-4", (const uint8_t *)"x", 1);
	spit(f, ".beta.abcdef", (const uint8_t *)"x", 1);
	assert_int_equal(store_list(f->store, &names), 0);
	assert_string_equal(names[0], "beta");
	assert_string_equal(names[1], "zeta");
	assert_null(names[2]);
	store_free_list(names);
	assert_false(store_name_valid("a.prev"));
	assert_false(store_name_valid("a.damaged"));
	assert_false(store_name_valid("a.damaged-2"));
	assert_false(store_name_valid(".a"));
	assert_false(store_name_valid(""));
	assert_true(store_name_valid("a.damage"));
	assert_true(store_name_valid("com.example-2"));
}

static void start_over(struct fixture *f)
{
	faults_arm(FAULT_NONE, 0);
	empty(f);
	assert_int_equal(save(f, "a", "one", 1), 0);
	assert_int_equal(save(f, "a", "two", 2), 0);
}

/* The account that stands is one of the two, whole; a failed save says so */
static void assert_one_of_two_stands(struct fixture *f, int r)
{
	struct store_loaded loaded;
	const char *password;

	store_load(f->store, "a", &loaded);
	password = password_of(&loaded);
	assert_true(!strcmp(password, "two") || !strcmp(password, "three"));
	if (!r)
		assert_string_equal(password, "three");
	/* the next save is not in the way of what is left of this one */
	assert_int_equal(save(f, "a", "four", 4), 0);
	assert_loads(f, "a", STORE_FINE, STORE_FINE, "four");
}

static void after_any_failed_call_of_a_save_the_old_or_the_new_account_loads(void **state)
{
	struct fixture *f = *state;
	int calls, at, r;

	start_over(f);
	faults_arm(FAULT_NONE, 0);
	assert_int_equal(save(f, "a", "three", 3), 0);
	calls = faults_count();
	assert_in_range(calls, 8, 12);
	for (at = 1; at <= calls; at++) {
		start_over(f);
		faults_arm(FAULT_FAIL, at);
		r = save(f, "a", "three", 3);
		faults_arm(FAULT_NONE, 0);
		assert_one_of_two_stands(f, r);
	}
}

static void after_a_cut_before_any_call_of_a_save_the_old_or_the_new_account_loads(void **state)
{
	struct fixture *f = *state;
	int calls, at, status;
	pid_t child;

	start_over(f);
	faults_arm(FAULT_NONE, 0);
	assert_int_equal(save(f, "a", "three", 3), 0);
	calls = faults_count();
	for (at = 1; at <= calls; at++) {
		start_over(f);
		child = fork();
		assert_true(child >= 0);
		if (!child) {
			/* the key does not survive a fork: a store of its own */
			struct store *store;

			faults_arm(FAULT_NONE, 0);
			if (store_open(f->path, root_id, &keys, &store))
				_exit(1);
			f->store = store;
			faults_arm(FAULT_DIE, at);
			_exit(save(f, "a", "three", 3) ? 2 : 0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 77);
		assert_one_of_two_stands(f, -EIO);
	}
}

static void without_a_folder_above_it_a_store_does_not_open(void **state)
{
	struct store *store;

	(void)state;
	assert_int_equal(store_open("/nowhere/at/all", root_id, &keys, &store), -ENOENT);
	assert_null(store_close(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_saved_loads),
		TEST(no_value_stands_in_the_file),
		TEST(two_writes_of_the_same_differ_in_every_part_that_is_sealed),
		TEST(the_previous_generation_is_kept),
		TEST(a_newer_format_is_neither_read_nor_passed_over),
		TEST(a_damaged_root_id_is_told_from_another_root),
		TEST(another_roots_file_is_named_so),
		TEST(with_another_key_nothing_opens),
		TEST(the_key_is_asked_for_at_each_file_and_not_kept),
		TEST(without_the_key_what_is_stored_is_unreadable_and_stays),
		TEST(what_a_later_version_wrote_is_kept),
		TEST(a_record_has_bounds),
		TEST(accounts_are_listed_once_and_without_what_the_store_adds),
		TEST(after_any_failed_call_of_a_save_the_old_or_the_new_account_loads),
		TEST(after_a_cut_before_any_call_of_a_save_the_old_or_the_new_account_loads),
		TEST(without_a_folder_above_it_a_store_does_not_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
