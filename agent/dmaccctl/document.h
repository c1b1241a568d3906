/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An account as a provisioning document: what dmacc-import reads */
#ifndef DMACC_CTL_DOCUMENT_H
#define DMACC_CTL_DOCUMENT_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stdio.h>

#include "nodes.h"

#define DOCUMENT_SECRETS 16	/* an account has two passwords and two nonces */

/**
 * struct document - a document while it is made
 * @nodes: the account
 * @with_secrets: it shall hold them; else it is a template again, with placeholders
 * @failed: there was no memory for a part of it
 * @mark: begins what stands for a secret until it is written; occurs nowhere else
 * @secrets: whose values those are, in the order of their marks
 * @text: the last mark that was made
 *
 * libxml2 and libwbxml2 free what they worked with unwiped. So no secret goes through them: they
 * get marks, and the secrets take the place of these on the way out.
 */
struct document {
	const struct nodes *nodes;
	bool with_secrets, failed;
	char mark[32];
	const struct node *secrets[DOCUMENT_SECRETS];
	size_t secrets_len;
	char text[48];
};

/**
 * document_value() - what a document says of a node
 * @computed: UserName: it can be read, but a document is to have it computed
 *
 * Return: its value, or for a secret a mark; if it is hidden a placeholder, or NULL for a nonce.
 * Valid until the next call.
 */
const char *document_value(struct document *d, const struct node *node, bool computed);

/* That node of the account, or NULL; @path is below the account's own node */
const struct node *document_find(const struct document *d, const char *path);

/* Is @uri a child of @parent? NULL, or the child's name */
const char *document_child(const char *parent, const char *uri);

/* An element below @parent, and @text, if any, in it. NULL if there is no memory: then @d failed. */
xmlNode *document_add(struct document *d, xmlNode *parent, const char *element, const char *text);

/* Each makes a kind of document; NULL if there is no memory */
xmlDoc *document_tnds(struct document *d);
/* Says on stderr what such a document has no place for */
xmlDoc *document_w7(struct document *d);

/**
 * document_print() - write an account as a document
 * @with_secrets: @nodes have them
 * @make: document_tnds or document_w7
 * @binary: as WBXML
 *
 * Return: 0; EXIT_SOME, and it has been said why.
 */
int document_print(const struct nodes *nodes, bool with_secrets,
		   xmlDoc *(*make)(struct document *d), bool binary, FILE *out);

#endif
