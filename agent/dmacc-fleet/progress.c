// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"

#define SECOND 1000000000ULL
#define INTERVAL (SECOND / 5)

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

void progress_start(struct progress *p, int in, int out)
{
	struct stat st;

	*p = (struct progress){ .shown = isatty(STDERR_FILENO) && !isatty(out) };
	if (!fstat(in, &st) && S_ISREG(st.st_mode))
		p->size = (uint64_t)st.st_size;
	p->started = p->last = now();
}

static void draw_left(const struct progress *p, uint64_t took)
{
	uint64_t left;

	if (!p->size || p->bytes > p->size || !p->bytes)
		return;
	left = (uint64_t)((double)took / (double)p->bytes * (double)(p->size - p->bytes)) / SECOND;
	fprintf(stderr, ", %" PRIu64 " %%, %" PRIu64 ":%02" PRIu64 ":%02" PRIu64 " left",
		p->bytes * 100 / p->size, left / 3600, left / 60 % 60, left % 60);
}

static void draw(struct progress *p, uint64_t at)
{
	uint64_t took = at - p->started;

	fprintf(stderr, "\r%" PRIu64 " devices, %.0f a second", p->records,
		(double)p->records * (double)SECOND / (double)took);
	draw_left(p, took);
	/* the rest of a longer line */
	fputs("\033[K", stderr);
	p->drawn = true;
}

void progress_add(struct progress *p, size_t bytes, uint64_t records)
{
	uint64_t at;

	p->bytes += bytes;
	p->records += records;
	if (!p->shown)
		return;
	at = now();
	if (at - p->last < INTERVAL)
		return;
	p->last = at;
	draw(p, at);
}

void progress_clear(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}
