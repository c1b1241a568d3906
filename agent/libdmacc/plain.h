/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_PLAIN_H
#define DMACC_PLAIN_H

#include "dmacc.h"

/* Where the reading of a plain form stands. The text is the caller's. */
struct dmacc_plain {
	const char *at;
	size_t left;
	unsigned int line;	/* of what was read last, from 1 */
	const char *section;	/* NULL before the first one */
	size_t section_len;
};

/**
 * struct dmacc_plain_entry - a line that says something
 * @section: the one it is in, or opens
 * @key: NULL if it opens the section
 * @value: without blanks around it
 *
 * None is zero-terminated. @section and @key are letters and digits.
 */
struct dmacc_plain_entry {
	const char *section;
	size_t section_len;
	const char *key;
	size_t key_len;
	const char *value;
	size_t value_len;
};

void dmacc_plain_begin(struct dmacc_plain *p, const char *text, size_t len);

/**
 * dmacc_plain_next() - read on to the next line that says something
 * @ret: written if there is one
 * @reterr: what is wrong; written on -EINVAL only, may be NULL
 *
 * Return: 1; 0 at the end; -EINVAL.
 */
int dmacc_plain_next(struct dmacc_plain *p, struct dmacc_plain_entry *ret,
		     struct dmacc_complaint *reterr);

#endif
