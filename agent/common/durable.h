/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that a power cut cannot spoil: a write that returned 0 is there after it, and before that
 * the old file stands. Hidden names (".NAME.new", ".NAME.old") are
 * what a write needs; they are never read.
 */
#ifndef DMACC_COMMON_DURABLE_H
#define DMACC_COMMON_DURABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * durable_write() - replace a file: write, fsync, rename, fsync of the folder
 * @dirfd: the folder
 * @name: in it
 * @mode: of the file, 0600 for what holds or seals a secret
 * @data: the new content
 * @len: bytes
 *
 * Return: 0; a negative errno, and then the old file is as it was, or, if only the last fsync
 * failed, one of the two stands.
 */
int durable_write(int dirfd, const char *name, mode_t mode, const void *data, size_t len);

/**
 * durable_rotate() - the same, and what stood there is NAME.prev afterwards
 *
 * At every instant NAME or NAME.prev, or both, is whole.
 */
int durable_rotate(int dirfd, const char *name, mode_t mode, const void *data, size_t len);

/**
 * durable_read() - read a whole regular file, never following a symbolic link
 * @max: the most that is accepted
 * @ret_data: malloc'ed, the caller frees it (and wipes it if it holds a secret)
 *
 * Return: 0; -ENOENT; -EFBIG over @max; -EINVAL if it is no regular file; another negative errno.
 */
int durable_read(int dirfd, const char *name, size_t max, uint8_t **ret_data, size_t *ret_len);

/**
 * durable_open_parent() - the folder that a path lies in
 * @make: make it, 0700, if it is not there
 * @ret_name: the name in it, malloc'ed; written on success only; may be NULL
 *
 * Return: a descriptor or a negative errno.
 */
int durable_open_parent(const char *path, bool make, char **ret_name);

/* mkdir of @path with @mode if it is not there, durable; returns a descriptor of it or -errno */
int durable_open_folder(const char *path, mode_t mode);

#endif
