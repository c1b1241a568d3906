/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_PLUGIN_SECRET_H
#define DMACC_PLUGIN_SECRET_H

#include <stddef.h>

/**
 * secret_read() - a node that nobody may read
 * @fd: of dmacc_session_secrets(), which is closed
 * @uri: which
 * @ret: raw bytes; to be wiped and given to free()
 *
 * Return: 0; -ENOENT; -EBADMSG for what is no tree; -ENOMEM.
 */
int secret_read(int fd, const char *uri, unsigned char **ret, size_t *ret_len);

#endif
