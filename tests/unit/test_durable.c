// SPDX-License-Identifier: LGPL-2.1-or-later
/* Files that a power cut cannot spoil, with every call in turn failing or being the last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "durable.h"
#include "faults.h"

#define MAX 4096

struct folder {
	char path[64];
	int fd;
};

static int setup(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	strcpy(f->path, "/tmp/test_durable.XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	faults_arm(FAULT_NONE, 0);
	*state = f;
	return f->fd < 0;
}

/* Calls @each for every file, and returns how many there are */
static int for_each(int fd, void (*each)(int fd, const char *name))
{
	DIR *dir = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY));
	struct dirent *entry;
	int n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		n++;
		if (each)
			each(fd, entry->d_name);
	}
	closedir(dir);
	return n;
}

static void remove_entry(int fd, const char *name)
{
	if (unlinkat(fd, name, 0) < 0)
		(void)unlinkat(fd, name, AT_REMOVEDIR);
}

static int teardown(void **state)
{
	struct folder *f = *state;

	faults_arm(FAULT_NONE, 0);
	for_each(f->fd, remove_entry);
	close(f->fd);
	(void)rmdir(f->path);
	free(f);
	return 0;
}

static bool holds(int fd, const char *name, const char *text)
{
	uint8_t *data;
	size_t len;
	bool same;

	if (durable_read(fd, name, MAX, &data, &len))
		return false;
	same = len == strlen(text) && !memcmp(data, text, len);
	free(data);
	return same;
}

static void put(int fd, const char *name, const char *text)
{
	assert_int_equal(durable_write(fd, name, 0600, text, strlen(text)), 0);
}

static int replace(int fd, bool rotate, const char *text)
{
	return rotate ? durable_rotate(fd, "file", 0600, text, strlen(text)) :
			durable_write(fd, "file", 0600, text, strlen(text));
}

static void start_over(struct folder *f)
{
	faults_arm(FAULT_NONE, 0);
	for_each(f->fd, remove_entry);
	put(f->fd, "file.prev", "the oldest");
	put(f->fd, "file", "the old");
}

static void a_write_is_on_the_disk_before_the_name_is_its(void **state)
{
	struct folder *f = *state;

	start_over(f);
	faults_arm(FAULT_NONE, 0);
	assert_int_equal(replace(f->fd, false, "the new"), 0);
	assert_string_equal(faults_calls(), "write fchmod fsync close renameat fsync-folder ");
	faults_arm(FAULT_NONE, 0);
	assert_int_equal(replace(f->fd, true, "newer"), 0);
	assert_string_equal(faults_calls(),
			    "write fchmod fsync close linkat renameat renameat fsync-folder ");
}

static void fail_at(struct folder *f, bool rotate, int at, int last)
{
	int r;

	start_over(f);
	faults_arm(FAULT_FAIL, at);
	r = replace(f->fd, rotate, "the new");
	faults_arm(FAULT_NONE, 0);
	assert_int_equal(r, -EIO);
	/* only when the last fsync fails is the new one there */
	assert_true(holds(f->fd, "file", at == last ? "the new" : "the old"));
	assert_true(holds(f->fd, "file.prev", "the oldest") ||
		    (rotate && holds(f->fd, "file.prev", "the old")));
	assert_int_equal(for_each(f->fd, NULL), 2);
}

static void whatever_fails_the_old_file_stands_and_nothing_is_left(void **state)
{
	int at;

	for (at = 1; at <= 6; at++)
		fail_at(*state, false, at, 6);
}

static void whatever_fails_a_rotation_loses_neither_file(void **state)
{
	int at;

	for (at = 1; at <= 8; at++)
		fail_at(*state, true, at, 8);
}

static void die_at(struct folder *f, bool rotate, int at)
{
	int status;
	pid_t pid;

	start_over(f);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		faults_arm(FAULT_DIE, at);
		_exit(replace(f->fd, rotate, "the new") ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 77);
	assert_true(holds(f->fd, "file", "the old") || holds(f->fd, "file", "the new"));
	assert_true(holds(f->fd, "file.prev", "the oldest") || holds(f->fd, "file.prev", "the old"));
	/* the next write takes away what that left */
	assert_int_equal(replace(f->fd, rotate, "the newest"), 0);
	assert_true(holds(f->fd, "file", "the newest"));
	assert_int_equal(for_each(f->fd, NULL), 2);
}

static void wherever_it_ends_both_files_are_whole(void **state)
{
	int at;

	for (at = 1; at <= 6; at++)
		die_at(*state, false, at);
	for (at = 1; at <= 8; at++)
		die_at(*state, true, at);
}

static void rotation_keeps_the_one_before(void **state)
{
	struct folder *f = *state;

	assert_int_equal(replace(f->fd, true, "first"), 0);
	assert_int_equal(for_each(f->fd, NULL), 1);
	assert_int_equal(replace(f->fd, true, "second"), 0);
	assert_true(holds(f->fd, "file.prev", "first"));
	assert_int_equal(replace(f->fd, true, "third"), 0);
	assert_true(holds(f->fd, "file.prev", "second"));
	assert_true(holds(f->fd, "file", "third"));
	assert_int_equal(for_each(f->fd, NULL), 2);
}

static void the_mode_is_the_one_asked_for_whatever_the_umask(void **state)
{
	struct folder *f = *state;
	mode_t old = umask(0);
	struct stat st;

	put(f->fd, "private", "x");
	umask(0777);
	assert_int_equal(durable_write(f->fd, "public", 0644, "x", 1), 0);
	umask(old);
	assert_int_equal(fstatat(f->fd, "private", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fstatat(f->fd, "public", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void hidden_and_slashed_names_are_refused(void **state)
{
	static const char * const names[] = { "", ".", "..", ".hidden", "a/b", "../x", "/etc/x" };
	struct folder *f = *state;
	char longest[300];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(durable_write(f->fd, names[i], 0600, "x", 1), -EINVAL);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(durable_write(f->fd, longest, 0600, "x", 1), -EINVAL);
	assert_int_equal(for_each(f->fd, NULL), 0);
}

static void others_hidden_files_are_left_alone(void **state)
{
	struct folder *f = *state;
	static const char * const names[] = { ".file", ".file.newer", ".files.new", "file.new" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		close(openat(f->fd, names[i], O_WRONLY | O_CREAT, 0600));
	put(f->fd, "file", "x");
	assert_int_equal(for_each(f->fd, NULL), 5);
}

static void only_whole_regular_files_of_a_bounded_size_are_read(void **state)
{
	struct folder *f = *state;
	uint8_t *data;
	size_t len;

	assert_int_equal(durable_read(f->fd, "file", MAX, &data, &len), -ENOENT);
	put(f->fd, "file", "12345");
	assert_int_equal(durable_read(f->fd, "file", 4, &data, &len), -EFBIG);
	assert_int_equal(durable_read(f->fd, "file", 5, &data, &len), 0);
	free(data);
	put(f->fd, "empty", "");
	assert_int_equal(durable_read(f->fd, "empty", 0, &data, &len), 0);
	assert_int_equal(len, 0);
	free(data);
	assert_int_equal(symlinkat("file", f->fd, "link"), 0);
	assert_int_equal(durable_read(f->fd, "link", MAX, &data, &len), -EINVAL);
	assert_int_equal(mkfifoat(f->fd, "fifo", 0600), 0);
	assert_int_equal(durable_read(f->fd, "fifo", MAX, &data, &len), -EINVAL);
	assert_int_equal(mkdirat(f->fd, "folder", 0700), 0);
	assert_int_equal(durable_read(f->fd, "folder", MAX, &data, &len), -EINVAL);
}

static void a_symbolic_link_is_replaced_and_not_followed(void **state)
{
	struct folder *f = *state;

	put(f->fd, "target", "untouched");
	assert_int_equal(symlinkat("target", f->fd, "file"), 0);
	put(f->fd, "file", "new");
	assert_true(holds(f->fd, "file", "new"));
	assert_true(holds(f->fd, "target", "untouched"));
}

static void a_new_folder_is_made_durable_and_an_old_one_kept(void **state)
{
	struct folder *f = *state;
	struct stat st;
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "%s/folder", f->path);
	faults_arm(FAULT_NONE, 0);
	fd = durable_open_folder(path, 0700);
	assert_true(fd >= 0);
	assert_string_equal(faults_calls(), "fchmod fsync-folder fsync-folder ");
	assert_int_equal(fchmod(fd, 0750), 0);
	close(fd);
	fd = durable_open_folder(path, 0700);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	close(fd);
	snprintf(path, sizeof(path), "%s/nowhere/folder", f->path);
	assert_int_equal(durable_open_folder(path, 0700), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_write_is_on_the_disk_before_the_name_is_its),
		TEST(whatever_fails_the_old_file_stands_and_nothing_is_left),
		TEST(whatever_fails_a_rotation_loses_neither_file),
		TEST(wherever_it_ends_both_files_are_whole),
		TEST(rotation_keeps_the_one_before),
		TEST(the_mode_is_the_one_asked_for_whatever_the_umask),
		TEST(hidden_and_slashed_names_are_refused),
		TEST(others_hidden_files_are_left_alone),
		TEST(only_whole_regular_files_of_a_bounded_size_are_read),
		TEST(a_symbolic_link_is_replaced_and_not_followed),
		TEST(a_new_folder_is_made_durable_and_an_old_one_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
