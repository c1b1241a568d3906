// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dmacc.h"
#include "output.h"

#define PARTIAL ".partial"

char *buffer_room(struct buffer *b, size_t len)
{
	size_t size = b->size ? b->size : 4096;
	char *text;

	while (size - b->len < len)
		size *= 2;
	if (size > b->size) {
		text = malloc(size);
		if (!text)
			return NULL;
		if (b->len)
			memcpy(text, b->text, b->len);
		dmacc_wipe(b->text, b->len);
		free(b->text);
		b->text = text;
		b->size = size;
	}
	return b->text + b->len;
}

bool buffer_add(struct buffer *b, const char *text, size_t len)
{
	char *room = buffer_room(b, len);

	if (!room)
		return false;
	memcpy(room, text, len);
	b->len += len;
	return true;
}

void buffer_clear(struct buffer *b)
{
	dmacc_wipe(b->text, b->len);
	b->len = 0;
}

void buffer_done(struct buffer *b)
{
	buffer_clear(b);
	free(b->text);
	*b = (struct buffer){ 0 };
}

/* As much as the kernel gives to anybody, fs.pipe-max-size */
#define PIPE_SIZE (1024 * 1024)

/* What a signal that ends us has to take away; at most two outputs are open */
static char *volatile temporaries[2];

static void take_away(int signal)
{
	size_t i;

	for (i = 0; i < sizeof(temporaries) / sizeof(temporaries[0]); i++)
		if (temporaries[i])
			(void)unlink(temporaries[i]);
	/* the handler was reset: this ends us as if it had never been */
	(void)raise(signal);
}

static void remember(char *temporary)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	const struct sigaction action = { .sa_handler = take_away, .sa_flags = (int)SA_RESETHAND };
	struct sigaction old;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		/* nohup's choice is respected */
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &action, NULL);
	for (i = 0; i < sizeof(temporaries) / sizeof(temporaries[0]) - 1; i++)
		if (!temporaries[i])
			break;
	temporaries[i] = temporary;
}

static void forget(const char *temporary)
{
	size_t i;

	for (i = 0; i < sizeof(temporaries) / sizeof(temporaries[0]); i++)
		if (temporaries[i] == temporary)
			temporaries[i] = NULL;
}

/* /dev/null, a FIFO: nothing that could be replaced by a file */
static int open_special(struct output *o, const char *path)
{
	o->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return o->fd < 0 ? -errno : 0;
}

static int open_temporary(struct output *o)
{
	if (asprintf(&o->temporary, "%s.XXXXXX" PARTIAL, o->path) < 0) {
		o->temporary = NULL;
		return -ENOMEM;
	}
	o->fd = mkostemps(o->temporary, sizeof(PARTIAL) - 1, O_CLOEXEC);
	if (o->fd < 0) {
		int error = -errno;

		free(o->temporary);
		o->temporary = NULL;
		return error;
	}
	remember(o->temporary);
	return 0;
}

/*
 * A pipe that takes what a thread has made of a piece of input: else threads wait while one of them
 * and the reader take turns. What is no pipe, or has as much already, is left as it is.
 */
static void widen_pipe(int fd)
{
	if (fcntl(fd, F_GETPIPE_SZ) < PIPE_SIZE)
		(void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
}

int output_open(struct output *o, const char *path)
{
	struct stat st;

	*o = (struct output){ .fd = STDOUT_FILENO };
	if (!path || !strcmp(path, "-")) {
		widen_pipe(o->fd);
		return 0;
	}
	*o = (struct output){ .fd = -1 };
	/* of a link, what it points to is replaced */
	o->path = realpath(path, NULL);
	if (!o->path && errno == ENOENT)
		o->path = strdup(path);
	if (!o->path)
		return -errno;
	if (!stat(o->path, &st) && S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!stat(o->path, &st) && !S_ISREG(st.st_mode))
		return open_special(o, path);
	return open_temporary(o);
}

int output_write(struct output *o, const char *text, size_t len)
{
	ssize_t n;

	while (len) {
		/* larger writes than a pipe holds are slow: the reader and we take turns */
		n = write(o->fd, text, len < 65536 ? len : 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* So that the new name is there after a power cut */
static int sync_folder(const char *path)
{
	char *copy = strdup(path);
	int fd, error = 0;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0)
		return -errno;
	/* some file systems have no such thing */
	if (fsync(fd) < 0 && errno != EINVAL)
		error = -errno;
	close(fd);
	return error;
}

int output_commit(struct output *o)
{
	if (!o->temporary)
		return 0;
	if (fsync(o->fd) < 0 || rename(o->temporary, o->path) < 0)
		return -errno;
	forget(o->temporary);
	free(o->temporary);
	o->temporary = NULL;
	return sync_folder(o->path);
}

void output_close(struct output *o)
{
	if (o->temporary) {
		unlink(o->temporary);
		forget(o->temporary);
	}
	free(o->temporary);
	if (o->path && o->fd >= 0)
		close(o->fd);
	free(o->path);
	*o = (struct output){ .fd = -1 };
}
