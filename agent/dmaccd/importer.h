/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs dmacc-import: this process never parses a document itself */
#ifndef DMACC_DMACCD_IMPORTER_H
#define DMACC_DMACCD_IMPORTER_H

#include <stddef.h>

#define IMPORTER_PLAIN_MAX (64 * 1024)
#define IMPORTER_NOTES_SIZE 4096

/**
 * importer_run() - have a document turned into the plain form
 * @program: path of dmacc-import
 * @document: what it gets on its stdin
 * @ret_plain: malloc'ed; written on success only
 * @ret_notes: what it said on its stderr, lines; if this returns -EINVAL, one: why it refused
 *
 * It is killed after ten seconds, and when it says more than there is room for.
 *
 * Return: 0; -EINVAL if it refused; another negative errno, and @ret_notes has a sentence, too.
 */
int importer_run(const char *program, const void *document, size_t len, char **ret_plain,
		 size_t *ret_len, char ret_notes[IMPORTER_NOTES_SIZE]);

#endif
