// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dmacc.h"
#include "fleet.h"
#include "secret.h"

static const char *after(const char *where, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncmp(where, scheme, len) ? NULL : where + len;
}

bool secret_is_stdin(const char *where)
{
	return where && (!strcmp(where, "-") || !strcmp(where, "fd:0"));
}

/* Not blocking, or the open of a FIFO that nobody writes to would wait for ever; reads then wait */
static int open_file(const char *what, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		complain("%s %s: %s", what, path, strerror(errno));
		return -1;
	}
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return fd;
}

static int open_descriptor(const char *what, const char *where, const char *number)
{
	uint32_t value;
	int fd = -1;

	if (!parse_u32(number, strlen(number), 0, &value) || value > INT32_MAX) {
		complain("%s %s: after fd: there is no number of a descriptor", what, where);
		return -1;
	}
	/* of its own, so that closing it is never closing the caller's */
	fd = fcntl((int)value, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		complain("%s %s: %s", what, where, strerror(errno));
	return fd;
}

static int open_credential(const char *what, const char *where, const char *name)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char path[4096];

	if (!*name || strchr(name, '/') || *name == '.') {
		complain("%s %s: that is no name of a credential", what, where);
		return -1;
	}
	if (!folder) {
		complain("%s %s: there are no credentials, $CREDENTIALS_DIRECTORY is not set", what,
			 where);
		return -1;
	}
	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path)) {
		complain("%s %s: its path is too long", what, where);
		return -1;
	}
	return open_file(what, path);
}

/* @of_systemd: who may read it is written in an ACL, whose mask looks like the group's access */
static const char *judge_file(int fd, bool of_systemd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return "it cannot be read";
	if (S_ISDIR(st.st_mode))
		return "it is a folder";
	if (S_ISREG(st.st_mode) && (st.st_mode & (of_systemd ? 007 : 077)))
		return "group or others have access to it; make that chmod 600";
	return NULL;
}

static const char *read_text(int fd, struct secret *s)
{
	ssize_t n;

	for (s->len = 0; s->len < sizeof(s->text); s->len += (size_t)n) {
		n = read(fd, s->text + s->len, sizeof(s->text) - s->len);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return "it cannot be read";
		else if (!n)
			break;
	}
	if (s->len == sizeof(s->text))
		return "it is far too long for one";
	s->text[s->len] = '\0';
	return NULL;
}

int secret_read(const char *what, const char *where, struct secret *ret)
{
	const char *number = after(where, "fd:"), *name = after(where, "credential:"), *sentence;
	struct secret s;
	int fd;

	if (!strcmp(where, "-"))
		number = "0";
	fd = number ? open_descriptor(what, where, number) :
	     name ? open_credential(what, where, name) : open_file(what, where);
	if (fd < 0)
		return EXIT_NOTHING;
	sentence = judge_file(fd, name);
	if (!sentence)
		sentence = read_text(fd, &s);
	close(fd);
	if (!sentence)
		*ret = s;
	dmacc_wipe(&s, sizeof(s));
	return sentence ? complain("%s %s: %s", what, where, sentence) : 0;
}
