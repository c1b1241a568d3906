// SPDX-License-Identifier: LGPL-2.1-or-later
/* Files of the store that are damaged or not ours: named, kept, made good with burnt nonces */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent_fixture.h"

static void a_damaged_file_gives_way_to_the_one_before_with_burnt_nonces(void **state)
{
	struct fixture *f = *state;
	struct timespec after;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	write_file(f->usr, "op.conf", CONF "Name=Second\n");
	start(f);
	flip(f, "op", 120);
	start(f);
	assert_state(f, "op", "ready", "tampered with");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_value(f, "op", "Name", "Second");
	assert_nonces(f, "op", "burnt");
	assert_true(stored(f, "op.damaged"));
	assert_true(stored(f, "op.prev"));
	after = stamp(f, "op");
	start(f);
	assert_state(f, "op", "ready", "");
	assert_unwritten(f, "op", after);
}

static void a_damaged_file_alone_is_derived_again_with_burnt_nonces(void **state)
{
	struct fixture *f = *state;
	char path[256];

	write_file(f->usr, "op.conf", CONF);
	start(f);
	store_path(f, "op", path);
	assert_int_equal(truncate(path, 40), 0);
	start(f);
	assert_state(f, "op", "ready", "truncated");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_nonces(f, "op", "burnt");
	assert_true(stored(f, "op.damaged"));
	/* even if that write, too, had not happened */
	assert_int_equal(unlink(path), 0);
	start(f);
	assert_nonces(f, "op", "burnt");
}

static void swapped_accounts_are_made_again(void **state)
{
	struct fixture *f = *state;
	char a[256], b[256], c[256];

	write_file(f->usr, "a.conf", CONF);
	write_file(f->usr, "b.conf", ACCOUNT "ServerID=b\n");
	start(f);
	store_path(f, "a", a);
	store_path(f, "b", b);
	store_path(f, "c", c);
	assert_int_equal(rename(a, c) | rename(b, a) | rename(c, b), 0);
	start(f);
	assert_state(f, "a", "ready", "another account's");
	assert_state(f, "b", "ready", "another account's");
	assert_value(f, "a", "ServerPW", SERVER_PW);
	assert_nonces(f, "a", "burnt");
}

static void a_damaged_file_that_cannot_be_derived_again_stays(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	flip(f, "op", 120);
	before = stamp(f, "op");
	kernel_double.slots_len = 0;
	start(f);
	assert_state(f, "op", "damaged", "cannot be derived again now: no key is loaded in slot "
		     "vendor");
	assert_unwritten(f, "op", before);
	kernel_double_reset();
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	assert_state(f, "op", "ready", "tampered with");
	assert_true(stored(f, "op.damaged"));
}

static void a_file_of_a_newer_agent_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	flip(f, "op", 120);
	flip(f, "op", 8);	/* format 0: damage of ours; 3 is not */
	flip(f, "op", 8);
	{
		char path[256];
		int fd;

		store_path(f, "op", path);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		assert_int_equal(pwrite(fd, "\3", 1, 8), 1);
		close(fd);
	}
	before = stamp(f, "op");
	start(f);
	assert_state(f, "op", "damaged", "newer dmaccd");
	assert_unwritten(f, "op", before);
}

static void another_roots_account_is_left_as_it_is_until_it_is_put_aside(void **state)
{
	struct fixture *f = *state;
	struct timespec before;
	char path[256], aside[256];

	write_file(f->usr, "op.conf", CONF);
	start(f);
	before = stamp(f, "op");
	memcpy(kernel_double.root_id, "newroot!", 8);
	kernel_double.inverted_store_key[0] ^= 1;
	/* in the same process, too: a module that was loaded anew */
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	assert_state(f, "op", "damaged", "other-store: ");
	assert_unwritten(f, "op", before);
	assert_false(stored(f, "op.damaged"));
	/* its root comes back */
	kernel_double_reset();
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	assert_state(f, "op", "ready", "");
	assert_unwritten(f, "op", before);
	/* it does not, and somebody puts the file aside */
	memcpy(kernel_double.root_id, "newroot!", 8);
	kernel_double.inverted_store_key[0] ^= 1;
	store_path(f, "op", path);
	store_path(f, "op.damaged", aside);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_nonces(f, "op", "burnt");
}

static void another_roots_file_over_one_of_ours_is_damage(void **state)
{
	struct fixture *f = *state;
	char path[256], previous[256];

	write_file(f->usr, "op.conf", CONF);
	memcpy(kernel_double.root_id, "oldroot!", 8);
	start(f);
	store_path(f, "op", path);
	store_path(f, "kept", previous);
	assert_int_equal(rename(path, previous), 0);
	kernel_double_reset();
	start(f);
	store_path(f, "op.prev", path);
	store_path(f, "op", previous);
	assert_int_equal(rename(previous, path), 0);
	store_path(f, "kept", path);
	assert_int_equal(rename(path, previous), 0);
	start(f);
	assert_state(f, "op", "ready", "another root's");
	assert_nonces(f, "op", "burnt");
	assert_true(stored(f, "op.damaged"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_damaged_file_gives_way_to_the_one_before_with_burnt_nonces),
		TEST(a_damaged_file_alone_is_derived_again_with_burnt_nonces),
		TEST(swapped_accounts_are_made_again),
		TEST(a_damaged_file_that_cannot_be_derived_again_stays),
		TEST(a_file_of_a_newer_agent_is_left_alone),
		TEST(another_roots_account_is_left_as_it_is_until_it_is_put_aside),
		TEST(another_roots_file_over_one_of_ours_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
