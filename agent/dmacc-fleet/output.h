/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_OUTPUT_H
#define DMACC_FLEET_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct buffer - text that grows; what was in it is wiped when it grows or ends
 */
struct buffer {
	char *text;
	size_t len;
	size_t size;
};

/* Room for @len more bytes, or NULL; add what was written to ->len */
char *buffer_room(struct buffer *buffer, size_t len);
bool buffer_add(struct buffer *buffer, const char *text, size_t len);
void buffer_clear(struct buffer *buffer);
void buffer_done(struct buffer *buffer);

/**
 * struct output - a file that is complete or not there, or stdout
 * @fd: where to write
 * @path: its name when it is complete, NULL for stdout
 * @temporary: its name until then, NULL for what is no regular file
 */
struct output {
	int fd;
	char *path;
	char *temporary;
};

/* Each returns 0 or a negative errno. @path NULL or "-": stdout. Files are made 0600. */
int output_open(struct output *output, const char *path);
int output_write(struct output *output, const char *text, size_t len);
int output_commit(struct output *output);
/* Without a commit the file never was */
void output_close(struct output *output);

#endif
