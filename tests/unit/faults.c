// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults.h"

#define FAULT_STATUS 77

/* What --wrap makes of the calls: __wrap_ is what is called, __real_ what would have been */
int __real_close(int fd);
int __real_fchmod(int fd, mode_t mode);
int __real_fsync(int fd);
int __real_linkat(int from, const char *old, int to, const char *new, int flags);
int __real_renameat(int from, const char *old, int to, const char *new);
ssize_t __real_write(int fd, const void *data, size_t len);
int __wrap_close(int fd);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fsync(int fd);
int __wrap_linkat(int from, const char *old, int to, const char *new, int flags);
int __wrap_renameat(int from, const char *old, int to, const char *new);
ssize_t __wrap_write(int fd, const void *data, size_t len);

static enum fault armed;
static int fault_at, count;
static char calls[1024];

void faults_arm(enum fault fault, int at)
{
	armed = fault;
	fault_at = at;
	count = 0;
	calls[0] = '\0';
}

const char *faults_calls(void)
{
	return calls;
}

int faults_count(void)
{
	return count;
}

static bool goes_wrong(const char *call)
{
	size_t len = strlen(calls);

	snprintf(calls + len, sizeof(calls) - len, "%s ", call);
	if (++count != fault_at || armed == FAULT_NONE)
		return false;
	if (armed == FAULT_DIE && strcmp(call, "write"))
		_exit(FAULT_STATUS);
	errno = EIO;
	return true;
}

static bool is_folder(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISDIR(st.st_mode);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	if (!goes_wrong("write"))
		return __real_write(fd, data, len);
	if (__real_write(fd, data, len / 2) < 0 || armed == FAULT_DIE)
		_exit(FAULT_STATUS);
	errno = EIO;
	return -1;
}

int __wrap_fchmod(int fd, mode_t mode)
{
	return goes_wrong("fchmod") ? -1 : __real_fchmod(fd, mode);
}

int __wrap_fsync(int fd)
{
	return goes_wrong(is_folder(fd) ? "fsync-folder" : "fsync") ? -1 : __real_fsync(fd);
}

/* Linux has closed the descriptor whatever close() says */
int __wrap_close(int fd)
{
	bool wrong = !is_folder(fd) && goes_wrong("close");
	int r = __real_close(fd);

	if (wrong)
		errno = EIO;
	return wrong ? -1 : r;
}

int __wrap_linkat(int from, const char *old, int to, const char *new, int flags)
{
	return goes_wrong("linkat") ? -1 : __real_linkat(from, old, to, new, flags);
}

int __wrap_renameat(int from, const char *old, int to, const char *new)
{
	return goes_wrong("renameat") ? -1 : __real_renameat(from, old, to, new);
}
