/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_IMPORT_WBXML_H
#define DMACC_IMPORT_WBXML_H

#include "document.h"

/* Is it binary XML? By its first byte, the version, which no text begins with */
bool wbxml_is(const char *bytes, size_t len);

/**
 * wbxml_to_xml() - binary XML as text
 * @ret_len: bytes of it
 *
 * Return: the text, for free(); NULL if it was refused.
 */
char *wbxml_to_xml(struct document *d, const char *bytes, size_t len, size_t *ret_len);

#endif
