// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * memgrep PID...: is a secret in the memory of these processes?
 *
 * Secrets come on standard input, hexadecimal, one a line; they are searched as the bytes that they
 * are, so that who looks for a secret's hexadecimal form, too, gives that as another line. A
 * freed piece of the heap has its first sixteen bytes overwritten by the C library: give the second
 * half of a longer secret besides, to find it there.
 *
 * Prints a line for each place, "PID: secret number N at ADDRESS in MAPPING", N counting the lines
 * from 1. Exit status 0: nothing was found; 1: something was; 2: usage, or a process could not be read.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRETS_MAX 256
#define SECRET_MIN 8		/* a shorter one would be found by chance */
#define SECRET_MAX 512
#define CHUNK (1 << 20)
#define PAGE 4096
#define SHADOW (1ULL << 40)	/* what the address sanitizer keeps about memory, and no more memory */

struct secret {
	uint8_t bytes[SECRET_MAX];
	size_t len;
};

static struct secret secrets[SECRETS_MAX];
static size_t secrets_len;

/* What is searched at once: the end of what came before it, and a chunk */
static uint8_t window[SECRET_MAX + CHUNK];

struct mapping {
	uint64_t start, end;
	char name[256];
};

static int digit(char c)
{
	const char *digits = "0123456789abcdef", *found = strchr(digits, tolower((unsigned char)c));

	return c && found ? (int)(found - digits) : -1;
}

static bool read_secret(const char *line, struct secret *s)
{
	size_t len = strcspn(line, "\r\n"), i;

	if (len % 2 || len / 2 < SECRET_MIN || len / 2 > SECRET_MAX)
		return false;
	for (i = 0; i < len / 2; i++) {
		int high = digit(line[2 * i]), low = digit(line[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		s->bytes[i] = (uint8_t)(high << 4 | low);
	}
	s->len = len / 2;
	return true;
}

static bool read_secrets(void)
{
	static char line[2 * SECRET_MAX + 4];

	while (fgets(line, sizeof(line), stdin)) {
		if (secrets_len == SECRETS_MAX || !read_secret(line, &secrets[secrets_len])) {
			fprintf(stderr, "memgrep: line %zu is no secret: %d to %d bytes, hexadecimal\n",
				secrets_len + 1, SECRET_MIN, SECRET_MAX);
			return false;
		}
		secrets_len++;
	}
	if (!secrets_len)
		fprintf(stderr, "memgrep: there is no secret on standard input\n");
	return secrets_len;
}

static size_t longest_secret(void)
{
	size_t longest = 0, i;

	for (i = 0; i < secrets_len; i++)
		if (secrets[i].len > longest)
			longest = secrets[i].len;
	return longest;
}

/*
 * @base: address of the window's first byte. @old: bytes in it that were searched before: what
 * lies in them whole has been reported.
 */
static bool search(const char *pid, const struct mapping *m, uint64_t base, size_t len, size_t old)
{
	bool found = false;
	size_t i;

	for (i = 0; i < secrets_len; i++) {
		const struct secret *s = &secrets[i];
		uint8_t *from = window, *at;

		while ((at = memmem(from, (size_t)(window + len - from), s->bytes, s->len))) {
			from = at + 1;
			if ((size_t)(at - window) + s->len <= old)
				continue;
			printf("%s: secret number %zu at %#" PRIx64 " in %s\n", pid, i + 1,
			       base + (uint64_t)(at - window), m->name);
			found = true;
		}
	}
	return found;
}

/* Returns whether something was found; adds what could be read to @total */
static bool search_mapping(const char *pid, int mem, const struct mapping *m, uint64_t *total)
{
	size_t keep = longest_secret() - 1, old = 0;
	uint64_t at = m->start;
	bool found = false;

	while (at < m->end) {
		size_t want = m->end - at < CHUNK ? (size_t)(m->end - at) : CHUNK;
		ssize_t n = pread(mem, window + old, want, (off_t)at);

		if (n <= 0) {
			/* a page that nobody can read, such as one behind the end of its file */
			at = (at / PAGE + 1) * PAGE;
			old = 0;
			continue;
		}
		found |= search(pid, m, at - old, old + (size_t)n, old);
		*total += (uint64_t)n;
		at += (uint64_t)n;
		old += (size_t)n;
		if (old > keep) {
			memmove(window, window + old - keep, keep);
			old = keep;
		}
	}
	return found;
}

static bool parse_mapping(const char *line, struct mapping *m)
{
	char perms[8];
	int name = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %*s %*s %*s %n", &m->start, &m->end, perms,
		   &name) < 3 || perms[0] != 'r')
		return false;
	/* the kernel's, which not even a process itself reads as memory */
	if (strstr(line, "[vsyscall]") || m->end - m->start > SHADOW)
		return false;
	snprintf(m->name, sizeof(m->name), "%.*s", (int)strcspn(line + name, "\n"), line + name);
	if (!m->name[0])
		strcpy(m->name, "(anonymous)");
	return true;
}

static FILE *open_maps(const char *pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	return fopen(path, "re");
}

static int open_memory(const char *pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/mem", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int trouble(const char *pid)
{
	fprintf(stderr, "memgrep: process %s cannot be read: %s\n", pid, strerror(errno));
	return 2;
}

static int search_process(const char *pid)
{
	FILE *maps = open_maps(pid);
	int mem = open_memory(pid);
	char line[4096 + 128];
	struct mapping m;
	uint64_t total = 0;
	bool found = false;

	if (!maps || mem < 0)
		return trouble(pid);
	while (fgets(line, sizeof(line), maps))
		if (parse_mapping(line, &m))
			found |= search_mapping(pid, mem, &m, &total);
	fclose(maps);
	close(mem);
	/* it ended, or is a kernel's thread: nothing was looked at */
	if (!total) {
		errno = ESRCH;
		return trouble(pid);
	}
	return found;
}

int main(int argc, char **argv)
{
	int result = 0, i;

	if (argc < 2) {
		fprintf(stderr, "Usage: memgrep PID... < SECRETS\n");
		return 2;
	}
	if (!read_secrets())
		return 2;
	for (i = 1; i < argc; i++) {
		int r = search_process(argv[i]);

		if (r > result)
			result = r;
	}
	return fflush(stdout) ? 2 : result;
}
