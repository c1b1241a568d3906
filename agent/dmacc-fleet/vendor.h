/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_VENDOR_H
#define DMACC_FLEET_VENDOR_H

#include "dmacc.h"

/* A vendor key, wherever it is kept: its bytes from a file, or a token that computes with it */
struct vendor;

/**
 * vendor_open() - a vendor key from where its owner keeps it
 * @where: what secret_read() takes, or a pkcs11: URI
 * @pin_file: PIN of a token, NULL if that was not given
 * @ret: the caller's, to be given to vendor_free(); threads may share it
 *
 * Return: 0, or EXIT_NOTHING after a complaint.
 */
int vendor_open(const char *where, const char *pin_file, struct vendor **ret);

/* Wipes it. Returns NULL; may be given NULL. */
struct vendor *vendor_free(struct vendor *vendor);

/**
 * struct vendor_user - what one thread derives with
 * @deriver: has the vendor key
 * @session: with the token, if the key is in one
 */
struct vendor_user {
	struct dmacc_deriver *deriver;
	struct token_session *session;
};

/**
 * vendor_use() - let a thread derive with a vendor key
 * @vendor: from vendor_open(); has to outlive @ret
 * @ret: to be given to vendor_user_done(), whatever is returned
 *
 * Return: 0, or EXIT_NOTHING after a complaint.
 */
int vendor_use(struct vendor *vendor, struct vendor_user *ret);
void vendor_user_done(struct vendor_user *user);

#endif
