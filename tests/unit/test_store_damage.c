// SPDX-License-Identifier: LGPL-2.1-or-later
/* Files of the agent's store that are not as it wrote them: each is told apart, none is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_fixture.h"

#define HEADER 108

static void each_damage_is_told_apart_and_the_previous_generation_serves(void **state)
{
	static uint8_t data[FILE_MAX], bad[FILE_MAX];
	struct fixture *f = *state;
	size_t len;

	assert_int_equal(save(f, "a", "one", 1), 0);
	assert_int_equal(save(f, "a", "two", 2), 0);
	len = slurp(f, "a", data);

	spit(f, "a", data, 0);
	assert_loads(f, "a", STORE_TRUNCATED, STORE_FINE, "one");
	spit(f, "a", data, len - 1);
	assert_loads(f, "a", STORE_TRUNCATED, STORE_FINE, "one");
	memset(bad, 0, len);
	spit(f, "a", bad, len);
	assert_loads(f, "a", STORE_ZERO_FILLED, STORE_FINE, "one");
	memcpy(bad, data, HEADER);
	spit(f, "a", bad, len);
	assert_loads(f, "a", STORE_ZERO_FILLED, STORE_FINE, "one");
	spit(f, "a", (const uint8_t *)"[Account]\n", 10);
	assert_loads(f, "a", STORE_OTHER_MAGIC, STORE_FINE, "one");
	memcpy(bad, data, len + 1);
	spit(f, "a", bad, len + 1);
	assert_loads(f, "a", STORE_TAMPERED, STORE_FINE, "one");
	bad[HEADER] ^= 1;
	spit(f, "a", bad, len);
	assert_loads(f, "a", STORE_TAMPERED, STORE_FINE, "one");
}

static void swapped_files_are_found_out(void **state)
{
	static uint8_t a[FILE_MAX], b[FILE_MAX];
	struct fixture *f = *state;
	size_t a_len, b_len;

	assert_int_equal(save(f, "a", "of a", 1), 0);
	assert_int_equal(save(f, "b", "of b", 1), 0);
	a_len = slurp(f, "a", a);
	b_len = slurp(f, "b", b);
	spit(f, "a", b, b_len);
	spit(f, "b", a, a_len);
	assert_loads(f, "a", STORE_OTHER_ACCOUNT, STORE_MISSING, "");
	assert_loads(f, "b", STORE_OTHER_ACCOUNT, STORE_MISSING, "");
	/* and so they are when the name in the header is changed to fit */
	a[32] = 'b';
	spit(f, "b", a, a_len);
	assert_loads(f, "b", STORE_TAMPERED, STORE_MISSING, "");
}

static void every_flipped_bit_is_found(void **state)
{
	static uint8_t data[FILE_MAX];
	struct fixture *f = *state;
	struct store_loaded loaded;
	size_t len, i;

	assert_int_equal(save(f, "a", "one", 1), 0);
	len = slurp(f, "a", data);
	for (i = 0; i < len * 8; i++) {
		data[i / 8] ^= (uint8_t)(1 << i % 8);
		spit(f, "a", data, len);
		store_load(f->store, "a", &loaded);
		assert_int_not_equal(loaded.current, STORE_FINE);
		assert_null(loaded.record);
		data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

static void every_cut_is_found(void **state)
{
	static uint8_t data[FILE_MAX];
	struct fixture *f = *state;
	size_t len, i;

	assert_int_equal(save(f, "a", "one", 1), 0);
	len = slurp(f, "a", data);
	for (i = 0; i < len; i++) {
		spit(f, "a", data, i);
		assert_loads(f, "a", STORE_TRUNCATED, STORE_MISSING, "");
	}
}

static uint32_t pseudo_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static size_t mutate(uint8_t *data, size_t len, uint32_t *seed)
{
	uint32_t times = 1 + pseudo_random(seed) % 4;

	while (times--) {
		size_t at = len ? pseudo_random(seed) % len : 0;

		switch (pseudo_random(seed) % 4) {
		case 0:
			data[at] = (uint8_t)pseudo_random(seed);
			break;
		case 1:
			data[at] ^= (uint8_t)(1 << pseudo_random(seed) % 8);
			break;
		case 2:
			len = at;
			break;
		default:
			memset(data + len, (int)pseudo_random(seed) & 0xff, 8);
			len += pseudo_random(seed) % 8;
		}
	}
	return len;
}

static void no_mutated_file_loads(void **state)
{
	static uint8_t data[FILE_MAX], bad[FILE_MAX];
	struct fixture *f = *state;
	struct store_loaded loaded;
	size_t len, bad_len;
	uint32_t seed = 1;
	int i;

	assert_int_equal(save(f, "a", "one", 1), 0);
	len = slurp(f, "a", data);
	for (i = 0; i < 5000; i++) {
		memcpy(bad, data, len);
		bad_len = mutate(bad, len, &seed);
		spit(f, "a", bad, bad_len);
		store_load(f->store, "a", &loaded);
		if (bad_len == len && !memcmp(bad, data, len))
			assert_int_equal(loaded.current, STORE_FINE);
		else
			assert_int_not_equal(loaded.current, STORE_FINE);
		record_free(loaded.record);
	}
}

/*
 * What stands behind the tag, given that somebody has the key: it decodes to the same or not at
 * all
 */
static void mutated_payloads_decode_whole_or_not_at_all(void **state)
{
	static uint8_t bad[FILE_MAX];
	struct record *record = record_of("one"), *decoded;
	uint8_t *data, *again;
	size_t len, bad_len, again_len;
	uint32_t seed = 2;
	int i, whole = 0;

	(void)state;
	assert_int_equal(record_encode(record, &data, &len), 0);
	for (i = 0; i < 20000; i++) {
		memcpy(bad, data, len);
		bad_len = mutate(bad, len, &seed);
		if (record_decode(bad, bad_len, &decoded))
			continue;
		assert_int_equal(record_encode(decoded, &again, &again_len), 0);
		assert_int_equal(again_len, bad_len);
		assert_memory_equal(again, bad, bad_len);
		free(again);
		record_free(decoded);
		whole++;
	}
	/* the loop is worth something only if both happen */
	assert_in_range(whole, 100, 19900);
	free(data);
	record_free(record);
}

static void damaged_files_are_kept_and_never_replaced(void **state)
{
	char file[STORE_FILE_SIZE], wanted[STORE_FILE_SIZE];
	struct fixture *f = *state;
	struct store_loaded loaded;
	static uint8_t seen[FILE_MAX];
	int i;

	for (i = 1; i <= 9; i++) {
		uint8_t mark = (uint8_t)('0' + i);

		spit(f, "a", &mark, 1);
		assert_int_equal(store_set_aside(f->store, "a", false, file), 0);
		snprintf(wanted, sizeof(wanted), i == 1 ? "a.damaged" : "a.damaged-%d", i);
		assert_string_equal(file, wanted);
	}
	spit(f, "a", (const uint8_t *)"X", 1);
	assert_int_equal(store_set_aside(f->store, "a", false, file), -EEXIST);
	assert_int_equal(slurp(f, "a", seen), 1);
	assert_int_equal(slurp(f, "a.damaged", seen), 1);
	assert_int_equal(seen[0], '1');
	store_load(f->store, "a", &loaded);
	assert_true(loaded.damaged_before);
}

static void a_rotation_does_not_overwrite_a_damaged_previous_file(void **state)
{
	static uint8_t seen[FILE_MAX];
	struct fixture *f = *state;

	assert_int_equal(save(f, "a", "one", 1), 0);
	spit(f, "a.prev", (const uint8_t *)"garbage", 7);
	assert_int_equal(save(f, "a", "two", 2), 0);
	assert_loads(f, "a", STORE_FINE, STORE_FINE, "two");
	assert_int_equal(slurp(f, "a.damaged", seen), 7);
	assert_memory_equal(seen, "garbage", 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_damage_is_told_apart_and_the_previous_generation_serves),
		TEST(swapped_files_are_found_out),
		TEST(every_flipped_bit_is_found),
		TEST(every_cut_is_found),
		TEST(no_mutated_file_loads),
		TEST(mutated_payloads_decode_whole_or_not_at_all),
		TEST(damaged_files_are_kept_and_never_replaced),
		TEST(a_rotation_does_not_overwrite_a_damaged_previous_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
