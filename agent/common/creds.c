// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "credential.h"
#include "creds.h"
#include "dmacc.h"

/* One run: the ends of its pipes that are ours */
struct run {
	pid_t pid;
	int in, out;
};

static int spawn(char **argv, int in, int out, bool quiet, pid_t *ret)
{
	/* nothing of our environment: it may name another folder or key */
	static char path[] = "PATH=/usr/bin:/bin";
	char *environment[] = { path, NULL };
	posix_spawn_file_actions_t actions;
	int r;

	r = posix_spawn_file_actions_init(&actions);
	if (r)
		return -r;
	r = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!r && quiet)
		r = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (!r)
		r = posix_spawnp(ret, argv[0], &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* All of @input is in the pipe before anybody reads it, so that nobody has to be waited for */
static int start(char **argv, bool quiet, const void *input, size_t len, struct run *ret)
{
	int in[2], out[2], r = 0;

	if (pipe2(in, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(out, O_CLOEXEC) < 0) {
		r = -errno;
		close(in[0]);
		close(in[1]);
		return r;
	}
	if (len && write(in[1], input, len) != (ssize_t)len)
		r = -EPIPE;
	if (!r)
		r = spawn(argv, in[0], out[1], quiet, &ret->pid);
	close(in[1]);
	close(out[1]);
	ret->in = in[0];
	ret->out = out[0];
	return r;
}

/* Up to @size bytes or the end. Returns how many. */
static size_t read_output(const struct run *run, uint8_t *data, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size) {
		n = read(run->out, data + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return len;
}

/* One that has more to say than anybody wants would wait for ever to be heard */
static void read_rest(const struct run *run)
{
	uint8_t rest[4096];

	while (read_output(run, rest, sizeof(rest)))
		;
	dmacc_wipe(rest, sizeof(rest));
}

/* A pipe keeps the page that has carried the last that was read, and writes over it next time */
static void wipe_pipe(int fd)
{
	static const uint8_t zeros[8192];
	char path[32];
	int end;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	end = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (end >= 0) {
		(void)!write(end, zeros, sizeof(zeros));
		close(end);
	}
	close(fd);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

/* @started: what start() returned */
static int end(const struct run *run, int started)
{
	int r = started;

	if (!r) {
		read_rest(run);
		r = wait_for(run->pid);
	}
	wipe_pipe(run->in);
	wipe_pipe(run->out);
	return r;
}

int creds_encrypt(const uint8_t master[DMACC_MASTER_LEN], const char *with_key, const char *pcrs,
		  uint8_t *ret, size_t *ret_len)
{
	const char *argv[] = { "systemd-creds", "encrypt", "--name=" CREDENTIAL_NAME, with_key,
		pcrs ? pcrs : "-", "-", pcrs ? "-" : NULL, NULL };
	struct run run = { .in = -1, .out = -1 };
	int r;

	r = start((char **)argv, false, master, DMACC_MASTER_LEN, &run);
	if (!r)
		*ret_len = read_output(&run, ret, CREDS_MAX);
	return end(&run, r);
}

/* Returns how much it was, of which no more than one byte too many is read */
static size_t read_plain(const struct run *run, const struct creds_source *source,
			 uint8_t plain[DMACC_MASTER_LEN + 1])
{
	size_t len = read_output(run, plain, DMACC_MASTER_LEN);

	if (source->arrived)
		source->arrived(source->data);
	return len < DMACC_MASTER_LEN ? len : len + read_output(run, plain + len, 1);
}

int creds_decrypt(const struct creds_source *source, uint8_t ret[DMACC_MASTER_LEN])
{
	const char *argv[] = { "systemd-creds", "decrypt", "--name=" CREDENTIAL_NAME,
		source->path ? source->path : "-", "-", NULL };
	struct run run = { .in = -1, .out = -1 };
	uint8_t plain[DMACC_MASTER_LEN + 1];
	size_t len = 0;
	int r;

	r = start((char **)argv, source->quiet, source->text, source->path ? 0 : source->len, &run);
	if (!r)
		len = read_plain(&run, source, plain);
	r = end(&run, r);
	if (!r && len != DMACC_MASTER_LEN)
		r = -EBADMSG;
	if (!r)
		memcpy(ret, plain, DMACC_MASTER_LEN);
	dmacc_wipe(plain, sizeof(plain));
	return r;
}
