/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What can be wrong with a device: for each trouble a word, what it means, what has been kept, and
 * one way out, which is a command. dmaccctl, dmaccd and dmacc-unseal use these words and no others;
 * dmacc-states(7) lists them.
 */
#ifndef DMACC_COMMON_TROUBLE_H
#define DMACC_COMMON_TROUBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel.h"

#define TROUBLE_TEXT_SIZE 1024

enum trouble {
	TROUBLE_NONE,

	/* the module */
	TROUBLE_NO_MODULE,
	TROUBLE_NO_IDENTITY,
	TROUBLE_IDENTITY_AWAITED,
	TROUBLE_IDENTITY_CONFLICT,
	TROUBLE_MODEM_AWAITED,
	TROUBLE_MODEM_REFUSED,
	TROUBLE_MODEM_AMBIGUOUS,
	TROUBLE_OTHER_MODEM,

	/* the root, and what has to be there before it opens */
	TROUBLE_NOTHING_INJECTED,
	TROUBLE_NOT_UNSEALED,
	TROUBLE_NEEDS_LOAD,
	TROUBLE_UNSEAL_FAILED,
	TROUBLE_NO_AGENT_USER,
	TROUBLE_FACTORY_STORE_AWAY,
	TROUBLE_FACTORY_STORE_UNSAFE,
	TROUBLE_FACTORY_STORE_DAMAGED,
	TROUBLE_FORMAT_UNKNOWN,
	TROUBLE_MASTER_MISSING,
	TROUBLE_MASTER_UNREADABLE,
	TROUBLE_NO_KEY_TYPE,
	TROUBLE_NO_TPM,
	TROUBLE_NO_PARENT,
	TROUBLE_TPM_LOCKED_OUT,
	TROUBLE_TPM_REPLACED,
	TROUBLE_ROOT_REFUSED,
	TROUBLE_OTHER_ROOT,

	/* the sealed keys */
	TROUBLE_SLOTS_REFUSED,
	TROUBLE_OTHER_DEVICE,
	TROUBLE_SLOT_OTHER_ROOT,
	TROUBLE_SLOT_DAMAGED,
	TROUBLE_SLOT_MISPLACED,
	TROUBLE_SLOT_OLDER,
	TROUBLE_SLOT_EMPTY,

	/* the agent and its accounts */
	TROUBLE_NO_AGENT,
	TROUBLE_NO_STORE_KEY,
	TROUBLE_ACCOUNTS_UNREADABLE,
	TROUBLE_OTHER_STORE,
	TROUBLE_ACCOUNT_DAMAGED,
	TROUBLE_RUNG_TOO_LOW,
	TROUBLE_TEMPLATE_REFUSED,

	TROUBLE_COUNT
};

/* "ok" for TROUBLE_NONE. A constant, like the next three. */
const char *trouble_word(enum trouble trouble);

/* A sentence without a capital and a full stop. "" for TROUBLE_NONE, like the next two. */
const char *trouble_means(enum trouble trouble);

/* What is still there, or that nothing is */
const char *trouble_kept(enum trouble trouble);

/* The way out as a line for a shell; words in capitals are for the person to fill in */
const char *trouble_command(enum trouble trouble);

/* The command in quotes, with what comes before it and after it, as a sentence */
void trouble_way_out(enum trouble trouble, char *ret, size_t size);

/**
 * trouble_explain() - "WORD: MEANS: DETAIL; way out: WAY OUT", "" for TROUBLE_NONE
 * @detail: what is known of this case, such as a file and what the kernel said; NULL or "": nothing
 * @size: TROUBLE_TEXT_SIZE is enough for any trouble with a detail of 512 bytes
 */
void trouble_explain(enum trouble trouble, const char *detail, char *ret, size_t size);

/* Return: false for a word that there is not */
bool trouble_from_word(const char *word, enum trouble *ret);

/**
 * trouble_of_status() - what the kernel's own word of the root comes to
 *
 * The kernel cannot tell why a TPM refuses; the report of the unsealing can: unseal_report.h.
 */
enum trouble trouble_of_status(const struct dmacc_kernel_status *status);

/**
 * trouble_of_root() - what a refused OPEN_ROOT of a sealed root comes to
 * @error: what dmacc_kernel_open_root() returned
 * @status: after it
 */
enum trouble trouble_of_root(int error, const struct dmacc_kernel_status *status);

/**
 * trouble_of_slot() - what a refused LOAD_KEY comes to
 * @error: what dmacc_kernel_load_key() returned
 * @blob: @len bytes that were refused
 * @root_id: of the root that is open
 */
enum trouble trouble_of_slot(int error, const void *blob, size_t len,
			     const uint8_t root_id[DMACC_ROOT_ID_LEN]);

/* What a file of the store comes to that should hold the sealed key of slot @name, by its header */
enum trouble trouble_of_slot_file(const void *blob, size_t len, const char *name);

/* What an errno of factory_store.h other than -ENOENT comes to */
enum trouble trouble_of_store(int error);

#endif
