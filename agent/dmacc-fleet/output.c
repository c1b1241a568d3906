// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dmacc.h"
#include "output.h"

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

int output_open(struct output *o, const char *path)
{
	int error;

	*o = (struct output){ .fd = STDOUT_FILENO };
	if (!path || !strcmp(path, "-"))
		return 0;
	if (asprintf(&o->temporary, "%s.XXXXXX", path) < 0) {
		o->temporary = NULL;
		return -ENOMEM;
	}
	o->path = path;
	o->fd = mkostemp(o->temporary, O_CLOEXEC);
	if (o->fd < 0) {
		error = -errno;
		free(o->temporary);
		*o = (struct output){ .fd = -1 };
		return error;
	}
	return 0;
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

int output_commit(struct output *o)
{
	if (!o->path)
		return 0;
	if (fsync(o->fd) < 0 || rename(o->temporary, o->path) < 0)
		return -errno;
	free(o->temporary);
	o->temporary = NULL;
	return 0;
}

void output_close(struct output *o)
{
	if (o->temporary)
		unlink(o->temporary);
	free(o->temporary);
	if (o->path && o->fd >= 0)
		close(o->fd);
	*o = (struct output){ .fd = -1 };
}
