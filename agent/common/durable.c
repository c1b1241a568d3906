// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A new content goes into a file of another name, to the disk, and over the old name. What is
 * left of a write that a power cut ended is taken away by the next write of that name.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dmacc.h"
#include "durable.h"

#define PREVIOUS ".prev"
/* Hidden: the new content until it gets its name, and the old one until it is NAME.prev */
#define NEW ".new"
#define OLD ".old"
#define SUFFIX_LEN 5

typedef char file_name[NAME_MAX + 1];

/* Room for "." before and a suffix behind; hidden names are ours */
static bool is_name(const char *name)
{
	size_t len = strlen(name);

	return len && len <= NAME_MAX - SUFFIX_LEN - 1 && name[0] != '.' && !strchr(name, '/');
}

/* Is under the folder's lock the writer's own: what is there is left of a write that never ended */
static int hidden_name(int dirfd, const char *name, const char *suffix, file_name ret)
{
	snprintf(ret, sizeof(file_name), ".%s%s", name, suffix);
	return unlinkat(dirfd, ret, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int write_all(int fd, const uint8_t *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Makes the file and has it on the disk when it returns 0; the caller unlinks it if not */
static int write_temporary(int dirfd, const char *temporary, mode_t mode, const void *data,
			   size_t len)
{
	int fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, data, len);
	if (!r && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		r = -errno;
	if (close(fd) < 0 && !r)
		r = -errno;
	return r;
}

/*
 * NAME gets the second name NAME.prev. If both are the same file already rename() does nothing,
 * and the temporary link is removed here.
 */
static int keep_previous(int dirfd, const char *name)
{
	file_name link, previous;
	int r = hidden_name(dirfd, name, OLD, link);

	if (r)
		return r;
	snprintf(previous, sizeof(previous), "%s" PREVIOUS, name);
	if (linkat(dirfd, name, dirfd, link, 0) == 0) {
		r = renameat(dirfd, link, dirfd, previous) < 0 ? -errno : 0;
		(void)unlinkat(dirfd, link, 0);
		return r;
	}
	if (errno == ENOENT)
		return 0;
	/* a file system without hard links: for a moment only NAME.prev is there */
	if (errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK)
		return renameat(dirfd, name, dirfd, previous) < 0 ? -errno : 0;
	return -errno;
}

static int replace(int dirfd, const char *name, mode_t mode, const void *data, size_t len,
		   bool rotate)
{
	file_name temporary;
	int r;

	r = hidden_name(dirfd, name, NEW, temporary);
	if (r)
		return r;
	r = write_temporary(dirfd, temporary, mode, data, len);
	if (!r && rotate)
		r = keep_previous(dirfd, name);
	if (!r && renameat(dirfd, temporary, dirfd, name) < 0)
		r = -errno;
	if (r) {
		(void)unlinkat(dirfd, temporary, 0);
		return r;
	}
	return fsync(dirfd) < 0 ? -errno : 0;
}

/* One writer at a time in a folder: the hidden names are the same for all */
static int replace_locked(int dirfd, const char *name, mode_t mode, const void *data, size_t len,
			  bool rotate)
{
	int r;

	if (!is_name(name))
		return -EINVAL;
	if (flock(dirfd, LOCK_EX))
		return -errno;
	r = replace(dirfd, name, mode, data, len, rotate);
	(void)flock(dirfd, LOCK_UN);
	return r;
}

int durable_write(int dirfd, const char *name, mode_t mode, const void *data, size_t len)
{
	return replace_locked(dirfd, name, mode, data, len, false);
}

int durable_rotate(int dirfd, const char *name, mode_t mode, const void *data, size_t len)
{
	return replace_locked(dirfd, name, mode, data, len, true);
}

/* One byte more than @size is read, to see that a file has grown */
static int read_all(int fd, uint8_t *data, size_t size, size_t *ret_len)
{
	size_t len = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, data + len, size + 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += (size_t)n;
		if (len > size)
			return -EFBIG;
	}
	*ret_len = len;
	return 0;
}

static int read_open(int fd, size_t max, uint8_t **ret_data, size_t *ret_len)
{
	struct stat st;
	uint8_t *data;
	size_t size, len = 0;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return -EFBIG;
	size = (size_t)st.st_size;
	data = malloc(size + 1);
	if (!data)
		return -ENOMEM;
	r = read_all(fd, data, size, &len);
	if (r) {
		dmacc_wipe(data, size + 1);
		free(data);
		return r;
	}
	*ret_data = data;
	*ret_len = len;
	return 0;
}

int durable_read(int dirfd, const char *name, size_t max, uint8_t **ret_data, size_t *ret_len)
{
	/* not blocking, or the open of a FIFO would wait for ever */
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? -EINVAL : -errno;
	r = read_open(fd, max, ret_data, ret_len);
	close(fd);
	return r;
}

static int open_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int durable_open_parent(const char *path, bool make, char **ret_name)
{
	char *folder = strdup(path), *copy = strdup(path), *name = NULL;
	int fd = -ENOMEM;

	/* dirname() and basename() write into what they are given */
	if (folder && copy && ret_name)
		name = strdup(basename(copy));
	if (folder && copy && (name || !ret_name))
		fd = make ? durable_open_folder(dirname(folder), 0700) :
			open_folder(dirname(folder));
	free(folder);
	free(copy);
	if (fd < 0)
		free(name);
	else if (ret_name)
		*ret_name = name;
	return fd;
}

static int sync_parent(const char *path)
{
	int fd = durable_open_parent(path, false, NULL);
	int r;

	if (fd < 0)
		return fd;
	r = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return r;
}

int durable_open_folder(const char *path, mode_t mode)
{
	bool made = !mkdir(path, mode & 0700);
	int fd, r = 0;

	if (!made && errno != EEXIST)
		return -errno;
	fd = open_folder(path);
	if (fd < 0)
		return fd;
	if (made && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		r = -errno;
	if (made && !r)
		r = sync_parent(path);
	if (r) {
		close(fd);
		return r;
	}
	return fd;
}
