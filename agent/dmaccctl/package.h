/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What export writes and restore reads: all that the factory sealed for a device, as JSON, without a
 * secret in it.
 */
#ifndef DMACC_CTL_PACKAGE_H
#define DMACC_CTL_PACKAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dmacc.h"
#include "factory_store.h"

/* No credential that systemd makes of 32 bytes is as long */
#define PACKAGE_CREDENTIAL_MAX 16384
/* Of an export as it is written */
#define PACKAGE_TEXT_MAX (1 << 20)

/* Room for what base64 of as many bytes decodes to, padding included */
struct package_blob {
	uint8_t bytes[DMACC_BLOB_MAX + 2];
	size_t len;
};

struct package_slot {
	char name[DMACC_SLOT_NAME_MAX + 1];
	struct package_blob blob;
};

/**
 * struct package - what is sealed for one device
 * @devid: of the sealed keys; "" if there is none
 * @root: as it is stored
 * @has_tpm: @tpm says which TPM the root or its master needs
 * @credential: the encrypted master, a text; NULL if there is none
 * @slots: in the order of their names
 */
struct package {
	char devid[DMACC_DEVID_SIZE];
	struct package_blob root;
	bool has_tpm;
	uint8_t tpm[FACTORY_STORE_TPM_LEN];
	char *credential;
	struct package_slot *slots;
	size_t slots_len;
};

void package_done(struct package *package);

/* Return: 0, or -EINVAL if it does not fit in */
int package_set(struct package_blob *blob, const void *bytes, size_t len);

/* Return: the slot, to be filled in; NULL without memory */
struct package_slot *package_add(struct package *package, const char *name);

/* What the headers say */
const struct dmacc_root_blob *package_root(const struct package *package);
const struct dmacc_slot_blob *package_key(const struct package_slot *slot);

/**
 * package_check() - do the parts belong together, by what their headers say?
 * @package: @devid is set from them
 * @reterr: a sentence
 *
 * Return: 0 or -EINVAL.
 */
int package_check(struct package *package, char reterr[256]);

/* The text, to be freed; NULL without memory */
char *package_print(const struct package *package);

/**
 * package_parse() - read the text again
 * @text: zero-terminated
 * @ret: to be given to package_done(); written on success only
 * @reterr: a sentence: what is wrong with it and where
 *
 * Return: 0 or -EINVAL.
 */
int package_parse(const char *text, struct package *ret, char reterr[256]);

#endif
