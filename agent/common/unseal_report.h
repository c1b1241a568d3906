/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the last run of dmacc-unseal came to, for those who ask later: the kernel cannot know that
 * there is no master or that a TPM is locked out. No secret is in it, and everybody may read it.
 *
 *     dmacc-unseal-report 1
 *     root WORD SENTENCE
 *     slot NAME WORD SENTENCE
 *
 * The words are those of trouble.h. The sentence, which may be empty, is of this case: a file, and
 * what the kernel said.
 */
#ifndef DMACC_COMMON_UNSEAL_REPORT_H
#define DMACC_COMMON_UNSEAL_REPORT_H

#include <stddef.h>

#include "trouble.h"

#define UNSEAL_REPORT_FOLDER "/run/dmacc-unseal"
/* In the folder; it comes there by being renamed */
#define UNSEAL_REPORT_NAME "report"
#define UNSEAL_REPORT_SENTENCE_SIZE 512

struct unseal_verdict {
	enum trouble trouble;
	char sentence[UNSEAL_REPORT_SENTENCE_SIZE];
};

struct unseal_slot {
	char name[DMACC_SLOT_NAME_MAX + 1];
	struct unseal_verdict verdict;
};

/**
 * struct unseal_report - what is in the file
 * @root: TROUBLE_NONE if it was opened
 * @slots: of each sealed key that was tried, in the order of their names
 */
struct unseal_report {
	struct unseal_verdict root;
	struct unseal_slot *slots;
	size_t slots_len;
};

/* Control characters in @sentence, or NULL, are left out */
void unseal_report_root(struct unseal_report *report, enum trouble trouble, const char *sentence);

/* Return: 0 or -ENOMEM */
int unseal_report_slot(struct unseal_report *report, const char *name, enum trouble trouble,
		       const char *sentence);

/**
 * unseal_report_write() - replace the report
 * @folder: NULL for UNSEAL_REPORT_FOLDER; made if it is not there
 *
 * Return: 0 or a negative errno; then the old one stands.
 */
int unseal_report_write(const struct unseal_report *report, const char *folder);

/**
 * unseal_report_read() - read it
 * @folder: NULL for UNSEAL_REPORT_FOLDER
 * @ret: to be given to unseal_report_done(); written on success only
 *
 * A word of a newer version is taken as TROUBLE_UNSEAL_FAILED, with its sentence.
 *
 * Return: 0; -ENOENT if dmacc-unseal has not run since boot; -EBADMSG; another negative errno.
 */
int unseal_report_read(const char *folder, struct unseal_report *ret);

void unseal_report_done(struct unseal_report *report);

/**
 * unseal_report_judge() - what is wrong with the root, by what the kernel and the report say
 * @report: NULL if there is none
 * @status: of the kernel
 * @ret_sentence: what the report says of this case, which lies in @report; "" if nothing
 *
 * A root that is open is in order, whatever was reported before. One that is not is explained by
 * the report, unless that says that it was opened: then something closed it since.
 */
enum trouble unseal_report_judge(const struct unseal_report *report,
				 const struct dmacc_kernel_status *status,
				 const char **ret_sentence);

#endif
