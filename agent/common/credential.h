/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The master of a wrapped root as a systemd credential, as far as that can be told while it is encrypted. */
#ifndef DMACC_COMMON_CREDENTIAL_H
#define DMACC_COMMON_CREDENTIAL_H

#include <stddef.h>

#include "linux/dmacc.h"

#define CREDENTIAL_NAME "dmacc.master"
#define CREDENTIAL_FOLDER "/etc/credstore.encrypted"
#define CREDENTIAL_PATH CREDENTIAL_FOLDER "/" CREDENTIAL_NAME

enum credential_kind {
	CREDENTIAL_ABSENT,
	CREDENTIAL_UNKNOWN,	/* none that systemd 252 to 257 make, or no credential at all */
	CREDENTIAL_HOST,
	CREDENTIAL_TPM2,	/* alone or with the host's key */
};

/* By the first bytes of the file; @len of it */
enum credential_kind credential_kind_of(const void *file, size_t len);

/**
 * credential_find() - where systemd finds the encrypted master, and of which kind that is
 * @ret_path: a constant; the place where it would be if there is none
 */
enum credential_kind credential_find(const char **ret_path);

/* What status says of it: what is not known binds to no TPM, as far as anybody can tell */
enum dmacc_master_source credential_source(enum credential_kind kind);

#endif
