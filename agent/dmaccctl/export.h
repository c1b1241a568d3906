/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What export and restore share */
#ifndef DMACC_CTL_EXPORT_H
#define DMACC_CTL_EXPORT_H

#include "factory.h"
#include "package.h"

/*
 * The arguments of both. @ret_path: "-" if none is given; @ret_credential: as it was if none is.
 * Returns 0, or EXIT_NOTHING after a complaint.
 */
int exchange_parse(struct factory *f, int argc, char **argv, const char **ret_credential,
		   const char **ret_path);

/* An encrypted credential as a text, to be freed. 0, -ENOENT, another negative errno. */
int credential_read(const char *path, char **ret);

#endif
