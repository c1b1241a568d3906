/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the values of an account's nodes can be, for templates and accounts alike */
#ifndef DMACC_NODE_H
#define DMACC_NODE_H

#include "dmacc.h"

#define DMACC_VALUE_MAX 255	/* bytes of a value, whichever node */

/**
 * struct dmacc_value - a value with its own memory
 * @bytes: NULL if there is none; zero-terminated besides
 * @len: how many, without that zero
 */
struct dmacc_value {
	uint8_t *bytes;
	size_t len;
};

/* The old value is wiped. Returns 0 or -ENOMEM, and then the old one stands. */
int dmacc_value_set(struct dmacc_value *v, const void *bytes, size_t len);
void dmacc_value_clear(struct dmacc_value *v);

/**
 * dmacc_node_judge() - can a node have this value?
 * @node: which
 * @bytes: the value; where it is one of several words, replaced by the word's canonical spelling,
 *	a constant
 * @len: its length
 *
 * Return: NULL, or a constant sentence that says why not.
 */
const char *dmacc_node_judge(enum dmacc_node node, const void **bytes, size_t *len);

/* Can an account have this node? NULL, or a constant sentence that says why not. */
const char *dmacc_ext_judge(const char *path, const char *format, const void *bytes, size_t len);

/* The format as a constant; NULL if there is no such format */
const char *dmacc_ext_format(const char *format);

/* Is @len bytes @word, where letters may be in either case? */
bool dmacc_is_word(const void *bytes, size_t len, const char *word);

/* Is it UTF-8 without a zero byte or other control character? NULL, or a constant sentence. */
const char *dmacc_text_judge(const void *bytes, size_t len);

/**
 * dmacc_base64_decode() - strict base64 of RFC 4648, section 4
 * @text: padded, without line ends
 * @ret: room for 3 bytes for each 4 of @text
 *
 * Return: how many bytes; -EINVAL.
 */
int dmacc_base64_decode(const char *text, size_t len, uint8_t *ret);

/* Fills @reterr, which may be NULL; returns -EINVAL */
__attribute__((format(printf, 3, 4)))
int dmacc_complain(struct dmacc_complaint *reterr, unsigned int line, const char *format, ...);

#endif
