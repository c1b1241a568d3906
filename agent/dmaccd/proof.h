/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a credential that does not fit would fit: diagnosis.c, for proof.c */
#ifndef DMACC_DMACCD_PROOF_H
#define DMACC_DMACCD_PROOF_H

#include "session_inside.h"

/**
 * struct proof - what a server gave as its credential
 * @auth: DMACC_AUTH_MD5 or DMACC_AUTH_MAC; of a notification DMACC_AUTH_MAC
 * @digest: base64, zero-terminated
 * @body_digest: "" for DMACC_AUTH_MD5
 */
struct proof {
	enum dmacc_auth auth;
	char digest[2 * DMACC_DIGEST_TEXT_SIZE];
	char body_digest[DMACC_DIGEST_TEXT_SIZE];
};

/**
 * proof_fits() - is it made with these?
 *
 * Return: 1 or 0; -EPERM with a complaint; -ENOMEM.
 */
int proof_fits(const struct proof *proof, const char *name, const char *password,
	       const struct nonce *nonce, struct complaint *reterr);

/**
 * proof_diagnose() - a complaint that says what it would fit
 *
 * It names what differs, and no value of it.
 *
 * Return: -EPERM with a complaint; -ENOMEM.
 */
int proof_diagnose(struct session *s, const struct record *record, const struct proof *proof,
		   struct complaint *reterr);

#endif
