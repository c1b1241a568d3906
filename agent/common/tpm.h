/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The device's TPM as userspace needs it: the parent key that a root of rung "trusted" hangs on, and
 * what has to be said to a TPM after an unsealing. What is sealed goes through the kernel, or through
 * systemd-creds, and never through here.
 */
#ifndef DMACC_COMMON_TPM_H
#define DMACC_COMMON_TPM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trouble.h"

/* Of the owner's range, and ours: the parent of the root's key */
#define TPM_PARENT_HANDLE 0x8100dacc

/* What tells one TPM, between two times that it was cleared, from any other */
#define TPM_FINGERPRINT_LEN 32

struct tpm;

enum tpm_state {
	TPM_FINE,
	TPM_MISSING,		/* there is none */
	TPM_MUTE,		/* there is one, and it cannot be asked */
	TPM_LOCKED_OUT,		/* too many failures, of whatever program */
	TPM_NO_PARENT,		/* this TPM, without our key */
	TPM_REPLACED,		/* another one, or it was cleared */
};

/**
 * tpm_open() - the device's TPM
 * @where: NULL; tests name another one, see tss_connect()
 * @ret: to be given to tpm_close(); written on success only
 * @reterr: @size bytes for a sentence; written on failure only
 *
 * Return: 0; -ENODEV if there is none; -ELIBACC if the library that speaks to it is missing; another
 * negative errno.
 */
int tpm_open(const char *where, struct tpm **ret, char *reterr, size_t size);

/* Returns NULL; @tpm may be NULL */
struct tpm *tpm_close(struct tpm *tpm);

/* Why the last of the functions below failed. Valid until the next. */
const char *tpm_sentence(const struct tpm *tpm);

/**
 * tpm_provision_parent() - have the parent key at TPM_PARENT_HANDLE
 *
 * An ECC P-256 storage key of the owner's hierarchy, outside of the protection against guessing
 * (noDA). Made of the TPM's own seed, so that the same TPM makes the same key again. What is there
 * already stays; what is there and is not such a key is never evicted.
 *
 * Return: 0; -EEXIST if the handle is taken; -EACCES if the owner has set a password; another
 * negative errno.
 */
int tpm_provision_parent(struct tpm *tpm);

/**
 * tpm_shutdown() - TPM2_Shutdown(CLEAR), straight after an unsealing
 *
 * A key that is sealed by the kernel or by systemd is under the protection against guessing. Once one
 * was used, a TPM takes it for a failed guess if it loses power without having been told before; three
 * to thirty of them lock it out, for all programs on the device. It may be told at any time, and goes
 * on to answer: only what uses such a key afterwards has to tell it again. The limits themselves are
 * the owner's, and shared with the encryption of disks: they stay as they are.
 */
int tpm_shutdown(struct tpm *tpm);

/* tpm_fingerprint() - which TPM is this? 0 or a negative errno */
int tpm_fingerprint(struct tpm *tpm, uint8_t ret[TPM_FINGERPRINT_LEN]);

/**
 * tpm_diagnose() - why may something that hangs on the TPM have been refused?
 * @where: as for tpm_open()
 * @fingerprint: of the TPM that it was sealed with; NULL if that is not known
 * @needs_parent: it hangs on our parent key
 * @ret_sentence: @size bytes for what is known beyond the state; "" if nothing
 *
 * Tells the TPM to be ready for a power cut when it is done.
 */
enum tpm_state tpm_diagnose(const char *where, const uint8_t *fingerprint, bool needs_parent,
			    char *ret_sentence, size_t size);

/* TROUBLE_NONE if the TPM is fine: then it is something else */
enum trouble tpm_trouble(enum tpm_state state);

#endif
