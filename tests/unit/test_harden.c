// SPDX-License-Identifier: LGPL-2.1-or-later
/* What harden_wipe_stack() leaves of the stack below its caller: no byte of what was there, and no page of it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harden.h"

#define LEFT 0xa7
#define LEFT_LEN (96 * 1024)
/* Below the frame that asks: where those of the system calls are that look */
#define NEAR (8 * 1024)
#define FAR (64 * 1024)

static uint8_t seen[FAR - NEAR];

/* As a function of a library does, that a secret has gone through */
static __attribute__((noinline)) void leave(void)
{
	volatile uint8_t secret[LEFT_LEN];
	size_t i;

	for (i = 0; i < sizeof(secret); i++)
		secret[i] = LEFT;
}

/* How many bytes of what leave() has left are below @frame; by the kernel, which no compiler optimises */
static size_t count_left(const void *frame)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	size_t count = 0, i;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, seen, sizeof(seen), (off_t)((uintptr_t)frame - FAR)), sizeof(seen));
	close(fd);
	for (i = 0; i < sizeof(seen); i++)
		count += seen[i] == LEFT;
	return count;
}

/* How many pages there are below @frame */
static size_t count_pages(const void *frame)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = ((uintptr_t)frame - FAR) & ~(page - 1);
	unsigned char there[FAR / 4096] = { 0 };
	size_t count = 0, i;

	assert_int_equal(mincore((void *)start, FAR - NEAR, there), 0);
	for (i = 0; i < sizeof(there); i++)
		count += there[i] & 1;
	return count;
}

static void test_nothing_that_a_callee_left_is_there_afterwards(void **state)
{
	const void *frame = __builtin_frame_address(0);

	(void)state;
	leave();
	assert_true(count_left(frame) > sizeof(seen) / 2);
	harden_wipe_stack();
	assert_int_equal(count_left(frame), 0);
}

static void test_the_pages_are_the_kernels_again(void **state)
{
	const void *frame = __builtin_frame_address(0);

	(void)state;
	leave();
	assert_true(count_pages(frame) > 0);
	harden_wipe_stack();
	assert_int_equal(count_pages(frame), 0);
}

static void test_the_callers_own_are_not_touched(void **state)
{
	volatile uint8_t mine[3 * 4096];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(mine); i++)
		mine[i] = LEFT;
	harden_wipe_stack();
	for (i = 0; i < sizeof(mine); i++)
		assert_int_equal(mine[i], LEFT);
}

/* Of locked pages the kernel takes none back; they are wiped all the same */
static void test_locked_pages_are_wiped(void **state)
{
	const void *frame = __builtin_frame_address(0);
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = ((uintptr_t)frame - FAR) & ~(page - 1);

	(void)state;
	leave();
	if (mlock((void *)start, page))
		skip();
	assert_true(count_left(frame) > sizeof(seen) / 2);
	harden_wipe_stack();
	assert_int_equal(count_left(frame), 0);
	assert_int_equal(munlock((void *)start, page), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_that_a_callee_left_is_there_afterwards),
		cmocka_unit_test(test_the_pages_are_the_kernels_again),
		cmocka_unit_test(test_the_callers_own_are_not_touched),
		cmocka_unit_test(test_locked_pages_are_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
