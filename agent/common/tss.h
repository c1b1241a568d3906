/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libtss2, loaded when a TPM is there and not linked: a factory's RAM image for a device without one,
 * and a phone whose root hangs on something else, carry neither the library nor its start-up.
 */
#ifndef DMACC_COMMON_TSS_H
#define DMACC_COMMON_TSS_H

#include <stddef.h>
#include <tss2/tss2_esys.h>

/* What is used of libtss2-esys */
#define TSS_FUNCTIONS(X) \
	X(Esys_CreatePrimary) \
	X(Esys_EvictControl) \
	X(Esys_Finalize) \
	X(Esys_FlushContext) \
	X(Esys_Free) \
	X(Esys_GetCapability) \
	X(Esys_Initialize) \
	X(Esys_ReadPublic) \
	X(Esys_Shutdown) \
	X(Esys_TR_Close) \
	X(Esys_TR_FromTPMPublic)

struct tss {
#define TSS_MEMBER(name) __typeof__(name) *name;
	TSS_FUNCTIONS(TSS_MEMBER)
#undef TSS_MEMBER
};

/**
 * tss_load() - have the library there
 * @ret: a constant
 * @reterr: @size bytes for a sentence that says what is missing; written on failure only
 *
 * Return: 0 or -ELIBACC.
 */
int tss_load(const struct tss **ret, char *reterr, size_t size);

/**
 * tss_connect() - a way to a TPM
 * @where: "device:PATH"; in tests "swtpm:path=SOCKET"
 * @ret: to be given to tss_disconnect()
 *
 * Return: 0; -ELIBACC; -EIO if there is nothing that answers.
 */
int tss_connect(const char *where, TSS2_TCTI_CONTEXT **ret, char *reterr, size_t size);
void tss_disconnect(TSS2_TCTI_CONTEXT *tcti);

#endif
