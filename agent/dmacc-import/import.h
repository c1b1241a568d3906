/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_IMPORT_IMPORT_H
#define DMACC_IMPORT_IMPORT_H

#include <stddef.h>
#include <stdio.h>

#define IMPORT_MAX (256 * 1024)

/**
 * import_document() - w7, TNDS or WBXML of either into the plain form
 * @bytes: the document
 * @len: its length
 * @out: where the plain form goes; nothing goes there of a document that is refused
 * @messages: what was ignored, and why it was refused, a line each
 *
 * What it is, the document's content tells. It touches no file and keeps no state.
 *
 * Return: 0; -1 if the document was refused.
 */
int import_document(const char *bytes, size_t len, FILE *out, FILE *messages);

/* Lets the libraries do what they do once, some of which a confined process may not */
int import_warm_up(void);

#endif
