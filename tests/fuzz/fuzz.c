// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Drives a fuzzer for a bounded number of inputs, the same ones each time:
 *
 *     fuzz-NAME COUNT SEED FILE...
 *
 * each FILE whole, cut at every byte, and then COUNT inputs made of them by changing, moving,
 * doubling and leaving out pieces. It fails if a whole FILE was not accepted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define INPUT_MAX (16 * 1024)

struct input {
	uint8_t bytes[INPUT_MAX];
	size_t len;
};

unsigned long fuzz_accepted;
static uint64_t state;

void fuzz_fail(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s does not hold\n", file, line, condition);
	abort();
}

/* xorshift64*: the same numbers everywhere */
static size_t below(size_t limit)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (size_t)((state * 0x2545f4914f6cdd1dULL) >> 33) % limit;
}

/* In memory of its own size, so that a sanitizer sees the byte after it */
static void run(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	memcpy(copy, bytes, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void change_byte(struct input *in)
{
	static const uint8_t interesting[] = { 0, 1, '\n', '\r', ' ', '"', '<', '>', '&', ';', '=',
					       '[', '/', 0x7f, 0x80, 0xc2, 0xe9, 0xff };
	size_t at = below(in->len);

	if (below(2))
		in->bytes[at] ^= (uint8_t)(1U << below(8));
	else
		in->bytes[at] = interesting[below(sizeof(interesting))];
}

static void leave_out(struct input *in)
{
	size_t at = below(in->len), len = below(in->len - at) + 1;

	memmove(in->bytes + at, in->bytes + at + len, in->len - at - len);
	in->len -= len;
}

/* A piece of @from goes in somewhere */
static void insert(struct input *in, const struct input *from)
{
	size_t start = below(from->len), len = below(from->len - start) + 1, at = below(in->len);

	if (len > 64 && below(4))
		len = below(64) + 1;
	if (in->len + len > INPUT_MAX)
		return;
	memmove(in->bytes + at + len, in->bytes + at, in->len - at);
	memmove(in->bytes + at, from->bytes + start, len);
	in->len += len;
}

static void mutate(struct input *in, const struct input *seeds, size_t count)
{
	size_t changes = below(6) + 1;
	struct input self;

	while (changes-- && in->len) {
		switch (below(5)) {
		case 0:
			leave_out(in);
			break;
		case 1:
			insert(in, &seeds[below(count)]);
			break;
		case 2:
			self = *in;
			insert(in, &self);
			break;
		default:
			change_byte(in);
		}
	}
}

static int read_seed(const char *path, struct input *seed)
{
	FILE *file = fopen(path, "rb");

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	seed->len = fread(seed->bytes, 1, INPUT_MAX, file);
	fclose(file);
	return seed->len ? 0 : -1;
}

static int run_seed(const char *path, const struct input *seed)
{
	unsigned long before = fuzz_accepted;
	size_t len;

	run(seed->bytes, seed->len);
	if (fuzz_accepted == before) {
		fprintf(stderr, "%s: not accepted\n", path);
		return -1;
	}
	for (len = 0; len < seed->len; len++)
		run(seed->bytes, len);
	return 0;
}

int main(int argc, char **argv)
{
	size_t count = (size_t)(argc > 3 ? argc - 3 : 0), i;
	unsigned long inputs;
	struct input *seeds, input;

	if (!count) {
		fprintf(stderr, "usage: %s COUNT SEED FILE...\n", argv[0]);
		return 2;
	}
	seeds = calloc(count, sizeof(*seeds));
	if (!seeds)
		return 2;
	for (i = 0; i < count; i++)
		if (read_seed(argv[i + 3], &seeds[i]) || run_seed(argv[i + 3], &seeds[i]))
			return 1;
	inputs = strtoul(argv[1], NULL, 10);
	state = strtoul(argv[2], NULL, 10) | 1;
	for (i = 0; i < inputs; i++) {
		input = seeds[below(count)];
		mutate(&input, seeds, count);
		run(input.bytes, input.len);
	}
	free(seeds);
	printf("ok 1 - %lu mutated inputs, %lu accepted in all\n", inputs, fuzz_accepted);
	return 0;
}
