/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_SECRET_H
#define DMACC_FLEET_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* The longest secret that is read, a key or a PIN with its line end */
#define SECRET_MAX 255

/* Whoever has one wipes it */
struct secret {
	size_t len;
	char text[SECRET_MAX + 1];	/* zero-terminated besides */
};

/**
 * secret_read() - read a secret from where its owner keeps it
 * @what: for complaints, such as "key file"
 * @where: a path, "-" for stdin, "fd:N" for a descriptor that is open already, or
 *         "credential:NAME" for a systemd credential of this service
 * @ret: written on success only
 *
 * A regular file has to be one that group and others cannot read.
 *
 * Return: 0, or EXIT_NOTHING after a complaint.
 */
int secret_read(const char *what, const char *where, struct secret *ret);

/* Is it stdin that secret_read() would read? @where may be NULL. */
bool secret_is_stdin(const char *where);

#endif
