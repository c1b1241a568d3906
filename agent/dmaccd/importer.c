// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dmacc.h"
#include "importer.h"

#define SECONDS 10

/* One end of a pipe to the child, and the bytes that pass it */
struct stream {
	int fd;			/* -1: closed */
	char *bytes;
	size_t len, size;	/* done; in all, or the room that there is */
};

enum { IN, OUT, ERR, STREAMS };

struct run {
	struct stream streams[STREAMS];
	int child_ends[STREAMS];
	pid_t child;
	bool too_much, too_long;
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int open_pipes(struct run *run)
{
	int ends[2], i;

	for (i = 0; i < STREAMS; i++)
		run->streams[i].fd = run->child_ends[i] = -1;
	for (i = 0; i < STREAMS; i++) {
		if (pipe2(ends, O_CLOEXEC) < 0)
			return -errno;
		run->streams[i].fd = ends[i == IN];
		run->child_ends[i] = ends[i != IN];
		if (fcntl(run->streams[i].fd, F_SETFL, O_NONBLOCK) < 0)
			return -errno;
	}
	return 0;
}

/* An empty environment, no signal blocked or ignored, nothing open but the three pipes */
static int spawn(struct run *run, const char *program)
{
	char *argv[] = { (char *)"dmacc-import", NULL }, *envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int i, r;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	for (i = 0; i < STREAMS; i++)
		posix_spawn_file_actions_adddup2(&actions, run->child_ends[i], i);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = posix_spawn(&run->child, program, &actions, &attributes, argv, envp);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	for (i = 0; i < STREAMS; i++)
		close_end(&run->child_ends[i]);
	return -r;
}

/* A child that does not read on is no fault of ours: what it says decides */
static void feed(struct stream *s)
{
	ssize_t n = write(s->fd, s->bytes + s->len, s->size - s->len);

	if (n > 0)
		s->len += (size_t)n;
	if ((n < 0 && errno != EAGAIN && errno != EINTR) || s->len == s->size)
		close_end(&s->fd);
}

static void collect(struct run *run, struct stream *s)
{
	ssize_t n = read(s->fd, s->bytes + s->len, s->size - s->len);

	if (n > 0)
		s->len += (size_t)n;
	else if (!n || (errno != EAGAIN && errno != EINTR))
		close_end(&s->fd);
	if (s->len == s->size)
		run->too_much = true;
}

static int milliseconds_left(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int)((start->tv_sec + SECONDS - now.tv_sec) * 1000 +
		     (start->tv_nsec - now.tv_nsec) / 1000000);
}

/* Until it has closed both of its ends */
static void talk(struct run *run)
{
	struct pollfd fds[STREAMS];
	struct timespec start;
	int i, left;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!run->too_much && (run->streams[OUT].fd >= 0 || run->streams[ERR].fd >= 0)) {
		left = milliseconds_left(&start);
		run->too_long = left <= 0;
		if (run->too_long)
			return;
		for (i = 0; i < STREAMS; i++)
			fds[i] = (struct pollfd){ .fd = run->streams[i].fd,
						  .events = i == IN ? POLLOUT : POLLIN };
		if (poll(fds, STREAMS, left) <= 0)
			continue;
		for (i = 0; i < STREAMS; i++)
			if (fds[i].revents && i == IN)
				feed(&run->streams[i]);
			else if (fds[i].revents)
				collect(run, &run->streams[i]);
	}
}

/* Bytes of a program that read what somebody furnished: only what any log and bus can take */
static void clean(char *text)
{
	for (; *text; text++)
		if (*text != '\n' && (*text < ' ' || *text > '~'))
			*text = '?';
}

/* The last line is why it gave up; what stands before it are notes */
static void keep_last_line(char *notes)
{
	size_t len = strlen(notes);
	char *last;

	while (len && notes[len - 1] == '\n')
		notes[--len] = '\0';
	last = strrchr(notes, '\n');
	if (last)
		memmove(notes, last + 1, strlen(last + 1) + 1);
}

static int judge(struct run *run, int status, char *notes)
{
	if (run->too_long) {
		snprintf(notes, IMPORTER_NOTES_SIZE, "dmacc-import took longer than %d s", SECONDS);
		return -ETIMEDOUT;
	}
	if (run->too_much) {
		snprintf(notes, IMPORTER_NOTES_SIZE, "dmacc-import says more than an account can "
			 "be");
		return -EFBIG;
	}
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1 && notes[0]) {
		keep_last_line(notes);
		return -EINVAL;
	}
	snprintf(notes, IMPORTER_NOTES_SIZE, "dmacc-import was ended by %s %d",
		 WIFSIGNALED(status) ? "signal" : "itself with status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return -ECHILD;
}

static int run_child(struct run *run, const char *program, char *notes)
{
	int status = 0, r;

	r = open_pipes(run);
	if (!r)
		r = spawn(run, program);
	if (r) {
		snprintf(notes, IMPORTER_NOTES_SIZE, "%s cannot be run: %s", program, strerror(-r));
		return r;
	}
	talk(run);
	if (run->too_long || run->too_much)
		(void)kill(run->child, SIGKILL);
	while (waitpid(run->child, &status, 0) < 0 && errno == EINTR)
		;
	notes[run->streams[ERR].len] = '\0';
	clean(notes);
	return judge(run, status, notes);
}

/* It is kept as long as its template is: in a piece of memory that is as large as it */
static int keep(const char *plain, size_t len, char **ret)
{
	*ret = malloc(len ? len : 1);
	if (*ret)
		memcpy(*ret, plain, len);
	return *ret ? 0 : -ENOMEM;
}

int importer_run(const char *program, const void *document, size_t len, char **ret_plain,
		 size_t *ret_len, char ret_notes[IMPORTER_NOTES_SIZE])
{
	char *plain = malloc(IMPORTER_PLAIN_MAX + 1);
	struct run run = {
		.streams = {
			[IN] = { .bytes = (char *)document, .size = len },
			[OUT] = { .bytes = plain, .size = IMPORTER_PLAIN_MAX + 1 },
			[ERR] = { .bytes = ret_notes, .size = IMPORTER_NOTES_SIZE - 1 },
		},
	};
	int i, r;

	if (!plain) {
		snprintf(ret_notes, IMPORTER_NOTES_SIZE, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	r = run_child(&run, program, ret_notes);
	for (i = 0; i < STREAMS; i++) {
		close_end(&run.streams[i].fd);
		close_end(&run.child_ends[i]);
	}
	if (!r) {
		*ret_len = run.streams[OUT].len;
		r = keep(plain, *ret_len, ret_plain);
		if (r)
			snprintf(ret_notes, IMPORTER_NOTES_SIZE, "%s", strerror(-r));
	}
	dmacc_wipe(plain, IMPORTER_PLAIN_MAX + 1);
	free(plain);
	return r;
}
