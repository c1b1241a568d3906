// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The master of a wrapped root: a systemd credential, or a plain file for development. What has been
 * made is read back before anything is sealed with it.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "credential.h"
#include "creds.h"
#include "dmacc.h"
#include "durable.h"
#include "factory.h"

static int complain_creds(int r, const char *what, const char *from)
{
	if (r == -EIO)
		return complain("systemd-creds %s failed", what);
	if (r == -EBADMSG)
		return complain("%s does not hold %d bytes", from, DMACC_MASTER_LEN);
	return complain("systemd-creds cannot be run: %s; without systemd a master can only be a file: "
			"--master file", strerror(-r));
}

static void settle(void *factory)
{
	chip_settle(factory);
}

/* Through the TPM, if its kind is of that, which is told as soon as it was used */
static int read_credential(struct factory *f, enum credential_kind kind,
			   const struct creds_source *from, struct dmacc_kernel_master *ret)
{
	struct creds_source source = *from;
	bool missing;
	int r;

	if (kind == CREDENTIAL_TPM2)
		(void)chip_open(f, &missing);
	source.arrived = settle;
	source.data = f;
	r = creds_decrypt(&source, ret->bytes);
	ret->source = credential_source(kind);
	return r ? complain_creds(r, "decrypt", from->path ? from->path : "the credential") : 0;
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

static int check_place(struct factory *f, enum credential_kind kind, const char *path)
{
	enum master_place found = kind == CREDENTIAL_TPM2 ? MASTER_TPM2 : MASTER_HOST;

	if (f->place != MASTER_WHEREVER && f->place != found)
		return complain("there is a master in %s already, which is never made anew; use "
				"--master %s", path, found == MASTER_TPM2 ? "tpm2" : "host");
	f->place = found;
	return 0;
}

static int read_encrypted(struct factory *f, enum credential_kind kind, const char *path,
			  struct dmacc_kernel_master *ret)
{
	const struct creds_source source = { .path = path };
	int r = check_place(f, kind, path);

	if (r)
		return r;
	r = read_credential(f, kind, &source, ret);
	if (!r)
		return 0;
	if (kind == CREDENTIAL_TPM2)
		return chip_complain(f, false, path, "it cannot be read; it is never made anew");
	return complain("the master in %s cannot be read; it is never made anew", path);
}

/* The one that restore was given */
static int read_given(struct factory *f, struct dmacc_kernel_master *ret)
{
	const struct creds_source source = { .text = f->credential, .len = strlen(f->credential) };

	return read_credential(f, credential_kind_of(source.text, source.len), &source, ret);
}

int master_read(struct factory *f, struct dmacc_kernel_master *ret)
{
	enum credential_kind kind;
	const char *path;
	int r;

	if (f->credential)
		return read_given(f, ret);
	kind = credential_find(&path);
	/* one that cannot be looked at is there: it must not be made anew */
	if (kind != CREDENTIAL_ABSENT)
		return read_encrypted(f, kind, path, ret);
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
static bool decrypts(const uint8_t *sealed, size_t len, const uint8_t *master)
{
	const struct creds_source source = { .text = sealed, .len = len, .quiet = true };
	uint8_t plain[DMACC_MASTER_LEN];
	bool same;

	same = !creds_decrypt(&source, plain) && !CRYPTO_memcmp(plain, master, DMACC_MASTER_LEN);
	dmacc_wipe(plain, sizeof(plain));
	return same;
}

/* @pcrs: an option or NULL. Returns -1 if it was made and does not decrypt. */
static int encrypt_master(const struct dmacc_kernel_master *master, const char *key,
			  const char *pcrs)
{
	static uint8_t sealed[CREDS_MAX];
	size_t len;
	int r;

	r = creds_encrypt(master->bytes, key, pcrs, sealed, &len);
	/* the host key, which may have been made just now, is to be on the disk before */
	sync();
	if (r)
		return complain_creds(r, "encrypt", NULL);
	if (!len || len == sizeof(sealed))
		return complain("systemd-creds made no credential");
	return decrypts(sealed, len, master->bytes) ? store_credential(sealed, len) : -1;
}

static int make_host(const struct dmacc_kernel_master *master)
{
	int r = encrypt_master(master, "--with-key=host", NULL);

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
		r = encrypt_master(master, "--with-key=tpm2", "--tpm2-pcrs=");
	if (r == -1)
		r = encrypt_master(master, "--with-key=tpm2", "--tpm2-pcrs=16");
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
