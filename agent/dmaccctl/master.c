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

#include "credential.h"
#include "dmacc.h"
#include "durable.h"
#include "factory.h"

#define CREDENTIAL_MAX 65536

static char name_option[] = "--name=" CREDENTIAL_NAME;

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

static int spawn(char **argv, int in, int out, bool quiet, pid_t *ret)
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
	if (!r && quiet)
		r = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
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

/* Runs systemd-creds with @input, which fits into a pipe, as its standard input. @quiet: may fail */
static int run_creds(char **argv, bool quiet, const void *input, size_t input_len,
		     uint8_t *output, size_t *output_len)
{
	int in[2], out[2];
	pid_t pid;
	int r;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return complain("there is no pipe to be had: %s", strerror(errno));
	r = spawn(argv, in[0], out[1], quiet, &pid);
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
	if (ended_well(pid))
		return 0;
	return quiet ? EXIT_NOTHING : complain("systemd-creds %s failed", argv[1]);
}

/* What is in the file @from, or "-": in @sealed. @quiet: may fail. @ret: written on success only. */
static int decrypt(char *from, bool quiet, const void *sealed, size_t sealed_len,
		   uint8_t ret[DMACC_MASTER_LEN])
{
	char *argv[] = { "systemd-creds", "decrypt", name_option, from, "-", NULL };
	uint8_t plain[DMACC_MASTER_LEN + 1];
	size_t len = sizeof(plain);
	int r;

	r = run_creds(argv, quiet, sealed, sealed_len, plain, &len);
	if (!r && len == DMACC_MASTER_LEN)
		memcpy(ret, plain, DMACC_MASTER_LEN);
	else if (!r)
		r = quiet ? EXIT_NOTHING : complain("%s does not hold %d bytes", strcmp(from, "-") ? from :
						    "the credential", DMACC_MASTER_LEN);
	dmacc_wipe(plain, sizeof(plain));
	return r;
}

/* The same, through the TPM if its kind is of that */
static int read_credential(struct factory *f, enum credential_kind kind, char *from,
			   const char *sealed, struct dmacc_kernel_master *ret)
{
	bool missing;
	int r;

	if (kind == CREDENTIAL_TPM2)
		(void)chip_open(f, &missing);
	r = decrypt(from, false, sealed, strlen(sealed), ret->bytes);
	ret->source = credential_source(kind);
	chip_settle(f);
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

static enum credential_kind find_credential(void)
{
	const char *path;
	enum credential_kind kind = credential_find(&path);

	/* systemd would hand over another one, but what is read and made here is in /etc */
	return strcmp(path, CREDENTIAL_PATH) ? CREDENTIAL_ABSENT : kind;
}

static int check_place(struct factory *f, enum credential_kind kind)
{
	enum master_place found = kind == CREDENTIAL_TPM2 ? MASTER_TPM2 : MASTER_HOST;

	if (f->place != MASTER_WHEREVER && f->place != found)
		return complain("there is a master in " CREDENTIAL_PATH " already, which is never made "
				"anew; use --master %s", found == MASTER_TPM2 ? "tpm2" : "host");
	f->place = found;
	return 0;
}

static int read_encrypted(struct factory *f, enum credential_kind kind,
			  struct dmacc_kernel_master *ret)
{
	int r = check_place(f, kind);

	if (r)
		return r;
	r = read_credential(f, kind, CREDENTIAL_PATH, "", ret);
	if (!r)
		return 0;
	if (kind == CREDENTIAL_TPM2)
		return chip_complain(f, false, CREDENTIAL_PATH, "it cannot be read; it is never made anew");
	return complain("the master in " CREDENTIAL_PATH " cannot be read; it is never made anew");
}

int master_read(struct factory *f, struct dmacc_kernel_master *ret)
{
	enum credential_kind kind;
	int r;

	/* the one that restore was given */
	if (f->credential)
		return read_credential(f, credential_kind_of(f->credential, strlen(f->credential)), "-",
				       f->credential, ret);
	kind = find_credential();
	/* one that cannot be looked at is there: it must not be made anew */
	if (kind != CREDENTIAL_ABSENT)
		return read_encrypted(f, kind, ret);
	r = read_file(f, ret);
	if (r == -1)
		return r;
	if (f->place == MASTER_HOST || f->place == MASTER_TPM2) {
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
	r = durable_write(fd, CREDENTIAL_NAME, 0600, sealed, len);
	close(fd);
	return r ? complain(CREDENTIAL_PATH ": %s", strerror(-r)) : 0;
}

/* Does it decrypt? systemd 252 makes some that it does not read. */
static bool decrypts(const uint8_t *sealed, size_t len, const struct dmacc_kernel_master *master)
{
	uint8_t plain[DMACC_MASTER_LEN];
	bool same;

	same = !decrypt("-", true, sealed, len, plain) &&
		!CRYPTO_memcmp(plain, master->bytes, DMACC_MASTER_LEN);
	dmacc_wipe(plain, sizeof(plain));
	return same;
}

/* @pcrs: an option or NULL. Returns -1 if it was made and does not decrypt. */
static int encrypt(const struct dmacc_kernel_master *master, char *key, char *pcrs)
{
	char *argv[] = { "systemd-creds", "encrypt", name_option, key, pcrs ? pcrs : "-", "-",
		pcrs ? "-" : NULL, NULL };
	static uint8_t sealed[CREDENTIAL_MAX];
	size_t len = sizeof(sealed);
	int r;

	r = run_creds(argv, false, master->bytes, sizeof(master->bytes), sealed, &len);
	/* the host key, which may have been made just now, is to be on the disk before */
	sync();
	if (r)
		return r;
	if (!len || len == sizeof(sealed))
		return complain("systemd-creds made no credential");
	return decrypts(sealed, len, master) ? store_credential(sealed, len) : -1;
}

static int make_host(const struct dmacc_kernel_master *master)
{
	int r = encrypt(master, "--with-key=host", NULL);

	return r == -1 ? complain("systemd-creds makes a credential that it does not decrypt") : r;
}

/*
 * Bound to the TPM and to no PCR, or each update of firmware would take the keys away. systemd 252
 * does not read what it makes so; there it is PCR 16, which is 0 after each start.
 */
static int make_sealed(struct factory *f, const struct dmacc_kernel_master *master)
{
	int r;

	r = chip_open(f, NULL);
	if (r)
		return complain("--master tpm2 cannot be had");
	r = chip_record(f);
	if (!r)
		r = encrypt(master, "--with-key=tpm2", "--tpm2-pcrs=");
	if (r == -1)
		r = encrypt(master, "--with-key=tpm2", "--tpm2-pcrs=16");
	chip_settle(f);
	return r == -1 ? complain("systemd-creds makes a credential that it does not decrypt") : r;
}

static void advise(void)
{
	if (!access("/dev/tpmrm0", F_OK))
		complain("the master is encrypted with the host's key, which is on the same disk; this "
			 "device has a TPM, and --master tpm2 would bind the keys to the device");
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

static int make(struct factory *f, const struct dmacc_kernel_master *master)
{
	switch (f->place) {
	case MASTER_FILE: return make_file(f, master);
	case MASTER_TPM2: return make_sealed(f, master);
	default: return make_host(master);
	}
}

int master_make(struct factory *f, struct dmacc_kernel_master *ret)
{
	struct dmacc_kernel_master made;
	int r;

	if (f->place == MASTER_WHEREVER) {
		f->place = MASTER_HOST;
		advise();
	}
	if (getrandom(made.bytes, sizeof(made.bytes), 0) != sizeof(made.bytes))
		return complain("there is no randomness to be had");
	r = make(f, &made);
	if (!r)
		r = read_back(f, &made, ret);
	dmacc_wipe(&made, sizeof(made));
	return r;
}
