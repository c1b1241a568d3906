/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the factory's verbs share. Functions that return int complain, and return an exit status. */
#ifndef DMACC_CTL_FACTORY_H
#define DMACC_CTL_FACTORY_H

#include "ctl.h"
#include "factory_store.h"
#include "kernel.h"
#include "tpm.h"

enum master_place {
	MASTER_WHEREVER,	/* where there is one; a new one is a credential of the host's key */
	MASTER_TPM2,		/* a credential of the TPM */
	MASTER_HOST,		/* a credential of the host's key */
	MASTER_FILE,
};

/**
 * struct factory - the store and the module, while a verb runs
 * @path: of the store
 * @own: it is the one that this device starts with
 * @rung: that the root has to have; DMACC_RUNG_NONE: the one it has, and wrapped for a new one
 * @place: where the master is
 * @json: records are JSON, one a line
 * @tpm: once something was sealed or unsealed with it
 * @credential: the encrypted master as restore was given it, in the place of any other; or NULL
 */
struct factory {
	const char *path;
	bool own;
	enum dmacc_rung rung;
	enum master_place place;
	bool json;
	struct factory_store *store;
	struct dmacc_kernel *kernel;
	struct dmacc_kernel_status status;
	struct tpm *tpm;
	const char *credential;
};

/* What is known of a slot after it was sealed or loaded */
struct slot_record {
	struct dmacc_kernel_slot slot;
	enum dmacc_rung rung;
	char user_name[DMACC_CREDENTIAL_SIZE];
	char devid[DMACC_DEVID_SIZE];
	char sha256[65];
};

int inject_main(int argc, char **argv);
int verify_main(int argc, char **argv);
int lock_main(int argc, char **argv);
int report_main(int argc, char **argv);
int parent_main(int argc, char **argv);
int export_main(int argc, char **argv);
int restore_main(int argc, char **argv);
int identity_main(int argc, char **argv);

/* A key has come into the store, new or from before: lives.h, where that counts */
void factory_note_life(const struct factory *f, const char *slot, bool restored);

/* An option that all of them have. Returns false if it is another. */
bool factory_option(struct factory *f, int option, const char *argument);

/**
 * factory_parse() - the arguments of a verb that has these options only
 *
 * Return: 0, or EXIT_NOTHING after a complaint.
 */
int factory_parse(struct factory *f, int argc, char **argv);

/* Connects to the module and reads its status */
int factory_connect(struct factory *f);

/* Reads it again */
int factory_refresh(struct factory *f);

/* The store and the module. @create: make the store if it is not there. */
int factory_begin(struct factory *f, bool create);
void factory_end(struct factory *f);

/* Opens the sealed root of the store in the module. -1 if there is none, without a complaint. */
int factory_open_root(struct factory *f);

/* Opens this sealed root, which need not be the one of the store */
int factory_open_blob(struct factory *f, const uint8_t *blob, size_t len);

/* factory_open_root(), or makes a root, and its master before it, and has it in the store */
int factory_make_root(struct factory *f);

/* Reads the sealed key of a slot, loads it and fills in the record. @reterr: why not. */
int factory_load_slot(struct factory *f, const char *name, struct slot_record *ret,
		      char reterr[256]);

/* What DERIVE says of a slot that is loaded, and the identity. 0 or a negative errno. */
int factory_derive(struct factory *f, struct slot_record *record);

/* sha256 of what is in the store */
void factory_hash(const void *blob, size_t len, char ret[65]);

void factory_print_slot(const struct factory *f, const struct slot_record *record);

/**
 * chip_open() - the TPM, before something is sealed with it
 * @ret_missing: there is none, which is not complained of; NULL: then it is
 */
int chip_open(struct factory *f, bool *ret_missing);

/* Straight after sealing and unsealing: no power cut counts as a failed guess. No TPM: nothing. */
void chip_settle(struct factory *f);

/* Puts down in the store which TPM it is */
int chip_record(struct factory *f);

/* Was it the TPM that refused? Complains with @what before it, and of the kernel's word if not. */
int chip_complain(struct factory *f, bool needs_parent, const char *what, const char *otherwise);

/**
 * master_read() - the master that is there
 * @f: @place says where; MASTER_WHEREVER is decided
 * @ret: the caller wipes it
 *
 * Return: 0; -1 if there is none, without a complaint; EXIT_NOTHING.
 */
int master_read(struct factory *f, struct dmacc_kernel_master *ret);

/* Makes a master and has it stored before it returns 0. There is none yet. */
int master_make(struct factory *f, struct dmacc_kernel_master *ret);

#endif
