/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Running systemd-creds(1). What is secret goes through pipes only, which are overwritten when it has
 * ended; nothing of the caller's environment reaches it.
 */
#ifndef DMACC_COMMON_CREDS_H
#define DMACC_COMMON_CREDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linux/dmacc.h"

/* A longer credential is none of ours; it fits into a pipe */
#define CREDS_MAX 65536

/**
 * creds_encrypt() - make a credential of a master
 * @with_key: an option of systemd-creds
 * @pcrs: another one, or NULL
 * @ret: CREDS_MAX bytes
 *
 * Return: 0; -EIO if systemd-creds failed, and has said why; another negative errno if it cannot be run.
 */
int creds_encrypt(const uint8_t master[DMACC_MASTER_LEN], const char *with_key, const char *pcrs,
		  uint8_t *ret, size_t *ret_len);

/**
 * struct creds_source - what is to be decrypted
 * @path: a file; NULL: it is in @text, of @len bytes
 * @quiet: it may fail, and systemd-creds does not say why
 * @arrived: called with @data as soon as the plain text is here, which is when systemd-creds has used
 *	the TPM for the last time; may be NULL
 */
struct creds_source {
	const char *path;
	const void *text;
	size_t len;
	bool quiet;
	void (*arrived)(void *data);
	void *data;
};

/**
 * creds_decrypt() - the master that a credential holds
 * @ret: the caller wipes it; written on success only
 *
 * Return: 0; -EIO if systemd-creds failed, and has said why unless it was to be quiet; -EBADMSG if the
 * credential holds something of another length; another negative errno if it cannot be run.
 */
int creds_decrypt(const struct creds_source *source, uint8_t ret[DMACC_MASTER_LEN]);

#endif
