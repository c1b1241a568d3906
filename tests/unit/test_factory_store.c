// SPDX-License-Identifier: LGPL-2.1-or-later
/* The factory store: what it takes for a slot, what it does not follow, whom it does not trust. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "factory_store.h"
#include "lives.h"

static const uint8_t master[DMACC_MASTER_LEN] = { 1, 2, 3 };

static int setup(void **state)
{
	char *path = strdup("/tmp/test_factory_store.XXXXXX");

	*state = path;
	return path && mkdtemp(path) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)chmod(*state, 0700);
	(void)nftw(*state, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return 0;
}

static struct factory_store *opened(const char *path)
{
	struct factory_store *store;

	assert_int_equal(factory_store_open(path, 1, &store), 0);
	return store;
}

static char *below(const char *path, const char *name)
{
	char *whole;

	assert_true(asprintf(&whole, "%s/%s", path, name) > 0);
	return whole;
}

static void make_file(const char *path, const char *name, mode_t mode, const char *text)
{
	char *whole = below(path, name);
	int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	free(whole);
}

static void make_link(const char *path, const char *target, const char *name)
{
	char *whole = below(path, name);

	assert_int_equal(symlink(target, whole), 0);
	free(whole);
}

static mode_t mode_of(const char *path, const char *name)
{
	char *whole = below(path, name);
	struct stat st;

	assert_int_equal(lstat(whole, &st), 0);
	free(whole);
	return st.st_mode & 07777;
}

static void what_is_written_is_read_and_private(void **state)
{
	struct factory_store *store = opened(*state);
	uint8_t *blob;
	size_t len;

	assert_int_equal(factory_store_read_root(store, &blob, &len), -ENOENT);
	assert_int_equal(factory_store_read_slot(store, "alpha", &blob, &len), -ENOENT);
	assert_int_equal(factory_store_write_root(store, "root", 4), 0);
	assert_int_equal(factory_store_write_slot(store, "alpha", "slot", 4), 0);
	assert_int_equal(factory_store_read_root(store, &blob, &len), 0);
	assert_int_equal(len, 4);
	assert_memory_equal(blob, "root", 4);
	free(blob);
	assert_int_equal(factory_store_read_slot(store, "alpha", &blob, &len), 0);
	assert_memory_equal(blob, "slot", 4);
	free(blob);
	assert_int_equal(mode_of(*state, "root"), 0600);
	assert_int_equal(mode_of(*state, "slots"), 0700);
	assert_int_equal(mode_of(*state, "slots/alpha"), 0600);
	factory_store_close(store);
}

static void a_store_that_is_not_there_is_made_only_on_demand(void **state)
{
	char *path = below(*state, "store");
	struct factory_store *store;

	assert_int_equal(factory_store_open(path, 0, &store), -ENOENT);
	assert_int_equal(factory_store_open(path, 1, &store), 0);
	assert_string_equal(factory_store_path(store), path);
	assert_int_equal(mode_of(*state, "store"), 0700);
	factory_store_close(store);
	free(path);
}

static void a_store_that_others_can_write_to_is_refused(void **state)
{
	static const mode_t bad[] = { 0720, 0702, 0770, 0777, 01777 };
	struct factory_store *store;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(chmod(*state, bad[i]), 0);
		assert_int_equal(factory_store_open(*state, 0, &store), -EPERM);
		assert_int_equal(factory_store_open(*state, 1, &store), -EPERM);
	}
	assert_int_equal(chmod(*state, 0755), 0);
	factory_store_close(opened(*state));
}

static void a_store_of_another_owner_is_refused(void **state)
{
	struct factory_store *store;

	(void)state;
	if (geteuid()) {
		assert_int_equal(factory_store_open("/", 0, &store), -EPERM);
		return;
	}
	assert_int_equal(chown(*state, 12345, 0), 0);
	assert_int_equal(factory_store_open(*state, 0, &store), -EPERM);
	assert_int_equal(chown(*state, 0, 0), 0);
}

static void slots_that_others_can_write_to_are_refused(void **state)
{
	struct factory_store *store = opened(*state);
	char *slots = below(*state, "slots");
	uint8_t *blob;
	char **names;
	size_t len;

	assert_int_equal(factory_store_write_slot(store, "alpha", "slot", 4), 0);
	assert_int_equal(chmod(slots, 0777), 0);
	assert_int_equal(factory_store_list_slots(store, &names), -EPERM);
	assert_int_equal(factory_store_read_slot(store, "alpha", &blob, &len), -EPERM);
	assert_int_equal(factory_store_write_slot(store, "beta", "slot", 4), -EPERM);
	free(slots);
	factory_store_close(store);
}

static void slots_are_listed_sorted_without_what_is_none(void **state)
{
	struct factory_store *store = opened(*state);
	char **names;

	assert_int_equal(factory_store_list_slots(store, &names), 0);
	assert_null(names[0]);
	factory_store_free_slots(names);
	assert_int_equal(factory_store_write_slot(store, "beta", "slot", 4), 0);
	assert_int_equal(factory_store_write_slot(store, "alpha", "slot", 4), 0);
	assert_int_equal(factory_store_write_slot(store, "a_1.2-3", "slot", 4), 0);
	make_file(*state, "slots/Capital", 0600, "x");
	make_file(*state, "slots/.beta.abcdef", 0600, "x");
	make_file(*state, "slots/with blank", 0600, "x");
	make_file(*state, "slots/of-thirty-three-characters-------", 0600, "x");
	make_link(*state, "alpha", "slots/link");
	assert_int_equal(factory_store_list_slots(store, &names), 0);
	assert_string_equal(names[0], "a_1.2-3");
	assert_string_equal(names[1], "alpha");
	assert_string_equal(names[2], "beta");
	assert_null(names[3]);
	factory_store_free_slots(names);
	factory_store_close(store);
}

static void names_that_no_slot_has_are_refused(void **state)
{
	static const char * const bad[] = { "", ".", "..", ".a", "A", "a b", "a/b", "../root",
					    "of-thirty-three-characters-------" };
	struct factory_store *store = opened(*state);
	uint8_t *blob;
	size_t i, len;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(factory_store_slot_name(bad[i]));
		assert_int_equal(factory_store_write_slot(store, bad[i], "x", 1), -EINVAL);
		assert_int_equal(factory_store_read_slot(store, bad[i], &blob, &len), -EINVAL);
	}
	assert_true(factory_store_slot_name("of-thirty-two-characters--------"));
	factory_store_close(store);
}

static void links_are_not_followed(void **state)
{
	struct factory_store *store = opened(*state);
	const char *sentence;
	uint8_t key[32];
	uint8_t *blob;
	size_t len;

	make_file(*state, "elsewhere", 0600, "x");
	make_link(*state, "elsewhere", "root");
	make_link(*state, "elsewhere", "master");
	assert_int_equal(factory_store_read_root(store, &blob, &len), -EINVAL);
	assert_int_equal(factory_store_read_master(store, key, &sentence), -ELOOP);
	make_link(*state, ".", "slots");
	assert_true(factory_store_read_slot(store, "elsewhere", &blob, &len) < 0);
	assert_true(factory_store_write_slot(store, "elsewhere", "y", 1) < 0);
	factory_store_close(store);
}

static void a_blob_longer_than_any_is_refused(void **state)
{
	struct factory_store *store = opened(*state);
	static const uint8_t much[DMACC_BLOB_MAX + 1];
	uint8_t *blob;
	size_t len;

	assert_int_equal(factory_store_write_root(store, much, sizeof(much)), 0);
	assert_int_equal(factory_store_read_root(store, &blob, &len), -EFBIG);
	factory_store_close(store);
}

static void a_master_is_read_back_and_nobody_elses(void **state)
{
	struct factory_store *store = opened(*state);
	const char *sentence;
	uint8_t read[32];
	char *path = below(*state, "master");

	assert_int_equal(factory_store_read_master(store, read, &sentence), -ENOENT);
	assert_int_equal(factory_store_write_master(store, master), 0);
	assert_int_equal(mode_of(*state, "master"), 0600);
	assert_int_equal(factory_store_read_master(store, read, &sentence), 0);
	assert_memory_equal(read, master, sizeof(master));
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(factory_store_read_master(store, read, &sentence), -EACCES);
	free(path);
	factory_store_close(store);
}

static void what_is_noted_of_the_tpm_is_read_back_or_is_none(void **state)
{
	static const uint8_t noted[FACTORY_STORE_TPM_LEN] = { 0x01, 0xab, 0xff };
	struct factory_store *store = opened(*state);
	uint8_t found[FACTORY_STORE_TPM_LEN] = { 0 };

	assert_int_equal(factory_store_read_tpm(store, found), -ENOENT);
	assert_int_equal(factory_store_write_tpm(store, noted), 0);
	assert_int_equal(mode_of(*state, "tpm"), 0600);
	assert_int_equal(factory_store_read_tpm(store, found), 0);
	assert_memory_equal(found, noted, sizeof(noted));
	make_file(*state, "tpm", 0600, "01ab\n");
	assert_int_equal(factory_store_read_tpm(store, found), -EINVAL);
	make_file(*state, "tpm", 0600, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg\n");
	assert_int_equal(factory_store_read_tpm(store, found), -EINVAL);
	assert_memory_equal(found, noted, sizeof(noted));
	factory_store_close(store);
}

static void a_blob_of_another_slot_is_seen(void **state)
{
	struct dmacc_slot_blob blob = { .name_len = 5, .name = "alpha" };

	(void)state;
	assert_true(factory_store_is_slot(&blob, sizeof(blob), "alpha"));
	assert_false(factory_store_is_slot(&blob, sizeof(blob), "alph"));
	assert_false(factory_store_is_slot(&blob, sizeof(blob), "alpha2"));
	assert_false(factory_store_is_slot(&blob, sizeof(blob), "bravo"));
	assert_false(factory_store_is_slot(&blob, sizeof(blob) - 1, "alpha"));
	blob.name_len = 255;
	assert_false(factory_store_is_slot(&blob, sizeof(blob), "alpha"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A device: the store, the accounts' folder and the report's, below the test's */
struct device {
	struct factory_store *store;
	char *state, *report;
};

static struct device make_device(const char *path)
{
	struct device d = { opened(path), below(path, "state"), below(path, "run") };

	assert_int_equal(factory_store_write_slot(d.store, "alpha", "a sealed key", 12), 0);
	assert_int_equal(factory_store_write_slot(d.store, "beta", "another one", 11), 0);
	assert_int_equal(lives_injected(d.store, "alpha", d.state), 0);
	assert_int_equal(lives_injected(d.store, "beta", d.state), 0);
	return d;
}

static void assert_spent(const struct device *d, bool alpha, bool beta)
{
	assert_int_equal(lives_tell(d->store, d->state, d->report), 0);
	assert_int_equal(lives_is_spent(d->report, "alpha"), alpha);
	assert_int_equal(lives_is_spent(d->report, "beta"), beta);
	/* the whole name */
	assert_false(lives_is_spent(d->report, "alph"));
	assert_false(lives_is_spent(d->report, "a"));
}

static void drop_device(struct device *d)
{
	factory_store_close(d->store);
	free(d->state);
	free(d->report);
}

/* rm -rf of what a factory reset erases */
static void factory_reset(const struct device *d)
{
	char *life = below(d->state, LIVES_NAME);

	assert_int_equal(unlink(life), 0);
	assert_int_equal(rmdir(d->state), 0);
	free(life);
}

static void a_key_is_spent_after_a_reset_whichever_start_that_was_in(void **state)
{
	struct device d = make_device(*state);

	assert_false(lives_is_spent(d.report, "alpha"));
	assert_spent(&d, false, false);
	assert_spent(&d, false, false);
	factory_reset(&d);
	assert_spent(&d, true, true);
	assert_spent(&d, true, true);
	/* a key that comes then is new, and begins another life, which is not that of the others */
	assert_int_equal(factory_store_write_slot(d.store, "beta", "version 2", 9), 0);
	assert_int_equal(lives_injected(d.store, "beta", d.state), 0);
	assert_spent(&d, true, false);
	drop_device(&d);
}

static void what_is_not_noted_or_noted_of_another_key_is_spent(void **state)
{
	struct device d = make_device(*state);
	char *note = below(*state, "lives/alpha"), *life = below(d.state, LIVES_NAME);

	assert_int_equal(unlink(note), 0);
	assert_spent(&d, true, false);
	make_file(*state, "lives/alpha", 0600, "nonsense\n");
	assert_spent(&d, true, false);
	assert_int_equal(lives_injected(d.store, "alpha", d.state), 0);
	assert_spent(&d, false, false);
	/* put there by somebody; and nothing is noted by looking, so that the right one can come back */
	assert_int_equal(factory_store_write_slot(d.store, "alpha", "A sealed key", 12), 0);
	assert_spent(&d, true, false);
	assert_int_equal(factory_store_write_slot(d.store, "alpha", "a sealed key", 12), 0);
	assert_spent(&d, false, false);
	assert_int_equal(lives_restored(d.store, "alpha"), 0);
	assert_spent(&d, true, false);
	make_file(d.state, LIVES_NAME, 0644, "a life of something else, quite long\n");
	assert_spent(&d, true, true);
	drop_device(&d);
	free(note);
	free(life);
}

static void a_device_that_cannot_begin_a_life_says_so(void **state)
{
	struct device d = make_device(*state);

	factory_reset(&d);
	make_file(*state, "state", 0600, "no folder");
	assert_true(lives_injected(d.store, "alpha", d.state) < 0);
	assert_spent(&d, true, true);
	make_file(*state, "norun", 0600, "no folder");
	free(d.report);
	d.report = below(*state, "norun");
	assert_true(lives_tell(d.store, d.state, d.report) < 0);
	drop_device(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_read_and_private),
		TEST(a_store_that_is_not_there_is_made_only_on_demand),
		TEST(a_store_that_others_can_write_to_is_refused),
		TEST(a_store_of_another_owner_is_refused),
		TEST(slots_that_others_can_write_to_are_refused),
		TEST(slots_are_listed_sorted_without_what_is_none),
		TEST(names_that_no_slot_has_are_refused),
		TEST(links_are_not_followed),
		TEST(a_blob_longer_than_any_is_refused),
		TEST(a_master_is_read_back_and_nobody_elses),
		TEST(what_is_noted_of_the_tpm_is_read_back_or_is_none),
		TEST(a_blob_of_another_slot_is_seen),
		TEST(a_key_is_spent_after_a_reset_whichever_start_that_was_in),
		TEST(what_is_not_noted_or_noted_of_another_key_is_spent),
		TEST(a_device_that_cannot_begin_a_life_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
