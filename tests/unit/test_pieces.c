// SPDX-License-Identifier: LGPL-2.1-or-later
/* The order of dmacc-fleet's pieces: they leave as they came, and nobody waits for the one before */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>

#include "pieces.h"

#define THREADS 2

static int setup(void **state)
{
	static struct pieces pieces;

	*state = &pieces;
	return pieces_init(&pieces, THREADS);
}

static int teardown(void **state)
{
	pieces_done(*state);
	return 0;
}

static struct piece *take(struct pieces *p, uint64_t number)
{
	struct piece *piece = pieces_take(p);

	assert_non_null(piece);
	piece->number = number;
	return piece;
}

static void *take_in_thread(void *pieces)
{
	return pieces_take(pieces);
}

static void test_who_is_early_gets_another_piece_and_the_order_is_kept(void **state)
{
	struct pieces *p = *state;
	struct piece *first = take(p, 0), *second = take(p, 1), *third;

	pieces_worked(p, second);
	assert_null(pieces_turn(p));
	third = take(p, 2);
	pieces_worked(p, third);
	assert_null(pieces_turn(p));
	pieces_worked(p, first);
	assert_ptr_equal(pieces_turn(p), first);
	pieces_written(p, first);
	assert_ptr_equal(pieces_turn(p), second);
	pieces_written(p, second);
	assert_ptr_equal(pieces_turn(p), third);
	pieces_written(p, third);
	assert_null(pieces_turn(p));
}

static void test_one_at_a_time_writes(void **state)
{
	struct pieces *p = *state;
	struct piece *first = take(p, 0), *second = take(p, 1);

	pieces_worked(p, first);
	pieces_worked(p, second);
	assert_ptr_equal(pieces_turn(p), first);
	assert_null(pieces_turn(p));
}

static void test_the_numbers_go_on_beyond_the_pieces_that_there_are(void **state)
{
	struct pieces *p = *state;
	uint64_t number;

	for (number = 0; number < 5 * p->count; number += 2) {
		struct piece *first = take(p, number), *second = take(p, number + 1);

		pieces_worked(p, second);
		assert_null(pieces_turn(p));
		pieces_worked(p, first);
		assert_ptr_equal(pieces_turn(p), first);
		pieces_written(p, first);
		assert_ptr_equal(pieces_turn(p), second);
		pieces_written(p, second);
	}
}

/* All are taken and worked on, the first one last, and a thread wants one more. Returns the first. */
static struct piece *take_all(struct pieces *p, pthread_t *ret_thread)
{
	struct piece *first = take(p, 0);
	unsigned int i;

	for (i = 1; i < p->count; i++)
		pieces_worked(p, take(p, i));
	assert_int_equal(pthread_create(ret_thread, NULL, take_in_thread, p), 0);
	pieces_worked(p, first);
	return first;
}

static void test_who_finds_none_free_waits_for_the_next_that_is_written(void **state)
{
	struct pieces *p = *state;
	pthread_t thread;
	struct piece *first = take_all(p, &thread);
	void *taken;

	assert_ptr_equal(pieces_turn(p), first);
	pieces_written(p, first);
	assert_int_equal(pthread_join(thread, &taken), 0);
	assert_ptr_equal(taken, first);
}

static void test_after_a_failure_nobody_waits_nor_writes_and_the_first_error_remains(void **state)
{
	struct pieces *p = *state;
	pthread_t thread;
	void *taken;

	take_all(p, &thread);
	pieces_fail(p, 3);
	pieces_fail(p, 4);
	assert_int_equal(pthread_join(thread, &taken), 0);
	assert_null(taken);
	assert_null(pieces_turn(p));
	assert_int_equal(pieces_error(p), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_who_is_early_gets_another_piece_and_the_order_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_at_a_time_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_numbers_go_on_beyond_the_pieces_that_there_are, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_finds_none_free_waits_for_the_next_that_is_written, setup, teardown),
		cmocka_unit_test_setup_teardown(test_after_a_failure_nobody_waits_nor_writes_and_the_first_error_remains, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
