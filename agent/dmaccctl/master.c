// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The master of a wrapped root: a systemd credential, or a plain file for development. It goes
 * through pipes only, and what has been made is read back before anything is sealed with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dmacc.h"
#include "durable.h"
#include "factory.h"

#define CREDENTIAL "dmacc.master"
#define CREDENTIAL_FOLDER "/etc/credstore.encrypted"
#define CREDENTIAL_PATH CREDENTIAL_FOLDER "/" CREDENTIAL
#define CREDENTIAL_MAX 65536

static char name_option[] = "--name=" CREDENTIAL;

/* Reads until the end; what is longer than @size is cut */
static size_t read_pipe(int fd, uint8_t *data, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size) {
		n = read(fd, data + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return len;
}

static int spawn(char **argv, int in, int out, pid_t *ret)
{
	/* nothing of our environment: it may name another folder or key */
	static char path[] = "PATH=/usr/bin:/bin";
	char *environment[] = { path, NULL };
	posix_spawn_file_actions_t actions;
	int r;

	r = posix_spawn_file_actions_init(&actions);
	if (r)
		return r;
	r = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!r)
		r = posix_spawnp(ret, argv[0], &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

static bool ended_well(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* Runs systemd-creds with @input, which fits into a pipe, as its standard input */
static int run_creds(char **argv, const void *input, size_t input_len, uint8_t *output,
		     size_t *output_len)
{
	int in[2], out[2];
	pid_t pid;
	int r;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return complain("there is no pipe to be had: %s", strerror(errno));
	r = spawn(argv, in[0], out[1], &pid);
	close(in[0]);
	close(out[1]);
	if (!r && write(in[1], input, input_len) != (ssize_t)input_len)
		r = EPIPE;
	close(in[1]);
	if (r) {
		close(out[0]);
		return complain("systemd-creds cannot be run: %s; without systemd a master can only "
				"be a file: --master file", strerror(r));
	}
	*output_len = read_pipe(out[0], output, *output_len);
	close(out[0]);
	return ended_well(pid) ? 0 : complain("systemd-creds %s failed", argv[1]);
}

static int read_credential(struct dmacc_kernel_master *ret)
{
	char *argv[] = { "systemd-creds", "decrypt", name_option, CREDENTIAL_PATH, "-", NULL };
	uint8_t plain[DMACC_MASTER_LEN + 1];
	size_t len = sizeof(plain);
	int r;

	r = run_creds(argv, "", 0, plain, &len);
	if (r)
		r = complain("the master in " CREDENTIAL_PATH " cannot be read; it is never made anew");
	else if (len != DMACC_MASTER_LEN)
		r = complain(CREDENTIAL_PATH " does not hold %d bytes", DMACC_MASTER_LEN);
	else
		memcpy(ret->bytes, plain, DMACC_MASTER_LEN);
	ret->source = DMACC_MASTER_CREDENTIAL_HOST;
	dmacc_wipe(plain, sizeof(plain));
	return r;
}

static int read_file(struct factory *f, struct dmacc_kernel_master *ret)
{
	const char *sentence;
	int r = factory_store_read_master(f->store, ret->bytes, &sentence);

	ret->source = DMACC_MASTER_FILE;
	if (r == -ENOENT)
		return -1;
	return r ? complain("%s/master: %s", f->path, sentence) : 0;
}

static bool credential_is_there(void)
{
	/* one that cannot be looked at is there: it must not be made anew */
	return !faccessat(AT_FDCWD, CREDENTIAL_PATH, F_OK, AT_SYMLINK_NOFOLLOW) || errno != ENOENT;
}

int master_read(struct factory *f, struct dmacc_kernel_master *ret)
{
	int r;

	if (credential_is_there()) {
		if (f->place == MASTER_FILE)
			return complain("there is a master in " CREDENTIAL_PATH ", which dmacc-unseal "
					"prefers; use --master credential");
		f->place = MASTER_CREDENTIAL;
		return read_credential(ret);
	}
	r = read_file(f, ret);
	if (r == -1)
		return r;
	if (f->place == MASTER_CREDENTIAL) {
		dmacc_wipe(ret, sizeof(*ret));
		return complain("there is a master in %s/master already; use --master file", f->path);
	}
	f->place = MASTER_FILE;
	return r;
}

static int store_credential(const uint8_t *sealed, size_t len)
{
	int fd = durable_open_folder(CREDENTIAL_FOLDER, 0700);
	int r;

	if (fd < 0)
		return complain(CREDENTIAL_FOLDER ": %s", strerror(-fd));
	r = durable_write(fd, CREDENTIAL, 0600, sealed, len);
	close(fd);
	return r ? complain(CREDENTIAL_PATH ": %s", strerror(-r)) : 0;
}

static int make_credential(const struct dmacc_kernel_master *master)
{
	char *argv[] = { "systemd-creds", "encrypt", name_option, "--with-key=host", "-", "-", NULL };
	static uint8_t sealed[CREDENTIAL_MAX];
	size_t len = sizeof(sealed);
	int r;

	r = run_creds(argv, master->bytes, sizeof(master->bytes), sealed, &len);
	/* the host key, which may have been made just now, is to be on the disk before */
	sync();
	if (!r && (!len || len == sizeof(sealed)))
		r = complain("systemd-creds made no credential");
	return r ? r : store_credential(sealed, len);
}

static int make_file(struct factory *f, const struct dmacc_kernel_master *master)
{
	int r = factory_store_write_master(f->store, master->bytes);

	return r ? complain("%s/master: %s", f->path, strerror(-r)) : 0;
}

static int read_back(struct factory *f, const struct dmacc_kernel_master *made,
		     struct dmacc_kernel_master *ret)
{
	int r = master_read(f, ret);

	if (!r && CRYPTO_memcmp(made->bytes, ret->bytes, sizeof(made->bytes))) {
		dmacc_wipe(ret, sizeof(*ret));
		r = -1;
	}
	return r == -1 ? complain("the master that was made reads back as another") : r;
}

int master_make(struct factory *f, struct dmacc_kernel_master *ret)
{
	struct dmacc_kernel_master made;
	int r;

	if (f->place == MASTER_WHEREVER)
		f->place = MASTER_CREDENTIAL;
	if (getrandom(made.bytes, sizeof(made.bytes), 0) != sizeof(made.bytes))
		return complain("there is no randomness to be had");
	r = f->place == MASTER_FILE ? make_file(f, &made) : make_credential(&made);
	if (!r)
		r = read_back(f, &made, ret);
	dmacc_wipe(&made, sizeof(made));
	return r;
}
