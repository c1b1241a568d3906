/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_UNSEAL_H
#define DMACC_UNSEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "credential.h"
#include "factory_store.h"
#include "kernel.h"
#include "tpm.h"
#include "unseal_report.h"

/* Priorities as the journal knows them */
enum priority {
	ERROR = 3,
	WARNING = 4,
	INFO = 6,
};

/**
 * struct unseal - one run
 * @report_path: folder of the report
 * @report: what it came to so far
 * @retry: the trouble may pass by itself
 */
struct unseal {
	const char *store_path;
	const char *report_path;
	struct factory_store *store;
	struct dmacc_kernel *kernel;
	struct dmacc_kernel_master master;
	uid_t agent;
	uint8_t *root;
	size_t root_len;
	struct tpm *tpm;
	struct unseal_report report;
	bool retry;
};

/* One line on stderr; where that is the journal, with its priority */
void say(enum priority priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for something that was refused. Returns -EINVAL, so that it can be returned. */
int refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, and it goes into the report as the trouble of the root */
int refuse_root(struct unseal *u, enum trouble trouble, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for the sealed key of a slot, whose file's name is said before it */
int refuse_slot(struct unseal *u, const char *name, enum trouble trouble, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/**
 * read_root() - the sealed root of the store
 *
 * Return: 0; 1 if there is nothing to unseal, which is said; a negative errno after a refusal.
 */
int read_root(struct unseal *u);

/**
 * read_master() - the master of a wrapped root
 *
 * Into @u->master, which the caller wipes. Return: 0, or a negative errno after a refusal.
 */
int read_master(struct unseal *u);

/* Before a TPM is used, so that settling it afterwards takes no longer than a command */
void prepare_tpm(struct unseal *u);

/* Once it was used: it is told that the power may be cut now */
void settle_tpm(struct unseal *u);

/**
 * ask_tpm() - is it the TPM's doing?
 * @needs_parent: the root hangs on our parent key
 * @ret_sentence: @size bytes; "" if there is nothing to add
 *
 * Return: TROUBLE_NONE if it is something else.
 */
enum trouble ask_tpm(struct unseal *u, bool needs_parent, char *ret_sentence, size_t size);

/* Was the root, or its master, sealed with a TPM that the store has noted? */
bool is_of_tpm(const struct unseal *u);

/* Has the run that failed left a report of its own, which knows more? */
bool is_explained(void);

/* dmacc-unseal --explain: that there is no report is one, too */
int explain(struct unseal *u);

/* Leaves the report, and a mark if it is worth while to try again */
void leave_report(struct unseal *u);

#endif
