// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The master of a wrapped root. systemd could decrypt its credential for the unit, but does so long before
 * the program runs: a TPM that loses power meanwhile takes it for a failed guess. Here it is told
 * as soon as the plain text has come.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "creds.h"
#include "dmacc.h"
#include "durable.h"
#include "unseal.h"

/* What encrypts a credential with --with-key=host, see systemd-creds(1) */
#define HOST_KEY "/var/lib/systemd/credential.secret"

static int take_credential(struct unseal *u, enum credential_kind kind, const uint8_t *data, size_t len)
{
	if (len != DMACC_MASTER_LEN)
		return refuse_root(u, TROUBLE_MASTER_UNREADABLE, "credential " CREDENTIAL_NAME ": it has %zu "
				   "bytes, not %d", len, DMACC_MASTER_LEN);
	memcpy(u->master.bytes, data, len);
	u->master.source = credential_source(kind);
	return 0;
}

/* What an administrator has systemd hand over, which may have used the TPM for it. -ENOENT if nothing is. */
static int read_handed_over(struct unseal *u)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY"), *path;
	enum credential_kind kind;
	uint8_t *data;
	size_t len;
	int fd, r;

	if (!folder)
		return -ENOENT;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENOENT :
			refuse_root(u, TROUBLE_MASTER_UNREADABLE, "%s: %s", folder, strerror(errno));
	r = durable_read(fd, CREDENTIAL_NAME, DMACC_BLOB_MAX, &data, &len);
	close(fd);
	if (r == -ENOENT)
		return r;
	kind = credential_find(&path);
	if (kind != CREDENTIAL_HOST) {
		prepare_tpm(u);
		settle_tpm(u);
	}
	if (r)
		return refuse_root(u, TROUBLE_MASTER_UNREADABLE, "credential " CREDENTIAL_NAME ": %s",
				   factory_store_error(r));
	r = take_credential(u, kind, data, len);
	dmacc_wipe(data, len);
	free(data);
	return r;
}

static int refuse_tpms(struct unseal *u, const char *path)
{
	char sentence[256];
	enum trouble trouble = ask_tpm(u, false, sentence, sizeof(sentence));

	if (trouble == TROUBLE_NONE)
		return refuse_root(u, TROUBLE_MASTER_UNREADABLE, "%s does not decrypt, though %s answers: "
				   "the file is damaged, or of another device", path,
				   is_of_tpm(u) ? "the TPM that it was made with" : "a TPM");
	return refuse_root(u, trouble, "%s does not decrypt%s%s", path, sentence[0] ? ": " : "",
			   sentence);
}

static int refuse_hosts(struct unseal *u, const char *path)
{
	if (access(HOST_KEY, F_OK))
		return refuse_root(u, TROUBLE_MASTER_UNREADABLE, "%s does not decrypt: the host's key that "
				   "it was made with, " HOST_KEY ", is not there", path);
	return refuse_root(u, TROUBLE_MASTER_UNREADABLE, "%s does not decrypt: " HOST_KEY " is another "
			   "host's, or the file is damaged", path);
}

/* @error: of creds_decrypt() */
static int refuse_credential(struct unseal *u, enum credential_kind kind, const char *path, int error)
{
	if (error == -EBADMSG)
		return refuse_root(u, TROUBLE_MASTER_UNREADABLE, "%s: it does not hold %d bytes", path,
				   DMACC_MASTER_LEN);
	if (error != -EIO)
		return refuse_root(u, TROUBLE_MASTER_UNREADABLE, "%s: systemd-creds, which decrypts it, cannot "
				   "be run: %s", path, strerror(-error));
	if (kind == CREDENTIAL_TPM2)
		return refuse_tpms(u, path);
	if (kind == CREDENTIAL_HOST)
		return refuse_hosts(u, path);
	return refuse_root(u, TROUBLE_MASTER_UNREADABLE, "%s is damaged: it is no credential that systemd "
			   "makes with a TPM or a host's key", path);
}

static void settle(void *unseal)
{
	settle_tpm(unseal);
}

/* -ENOENT if there is none */
static int read_encrypted(struct unseal *u)
{
	struct creds_source source = { .arrived = settle, .data = u };
	enum credential_kind kind = credential_find(&source.path);
	int r;

	if (kind == CREDENTIAL_ABSENT)
		return -ENOENT;
	if (kind != CREDENTIAL_HOST)
		prepare_tpm(u);
	r = creds_decrypt(&source, u->master.bytes);
	if (r)
		return refuse_credential(u, kind, source.path, r);
	u->master.source = credential_source(kind);
	return 0;
}

static int read_file(struct unseal *u)
{
	const char *sentence;
	int r;

	r = factory_store_read_master(u->store, u->master.bytes, &sentence);
	if (r == -ENOENT)
		return r;
	if (r)
		return refuse_root(u, TROUBLE_MASTER_UNREADABLE, "%s/master: %s", u->store_path, sentence);
	u->master.source = DMACC_MASTER_FILE;
	say(WARNING, "%s/master: a master in a plain file is for development: "
	    "who can read the disk has this device's keys", u->store_path);
	return 0;
}

/* A credential that is there but bad is not passed over in favour of a file */
int read_master(struct unseal *u)
{
	int r = read_handed_over(u);

	if (r == -ENOENT)
		r = read_encrypted(u);
	if (r == -ENOENT)
		r = read_file(u);
	if (r == -ENOENT)
		r = refuse_root(u, TROUBLE_MASTER_MISSING, "%s/root: its master is missing: there is neither "
				"the credential " CREDENTIAL_NAME " nor %s/master", u->store_path,
				u->store_path);
	return r;
}
