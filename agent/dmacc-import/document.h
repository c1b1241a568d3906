/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is gathered from a document, whatever its format, until it is written in the plain form */
#ifndef DMACC_IMPORT_DOCUMENT_H
#define DMACC_IMPORT_DOCUMENT_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stdio.h>

#include "dmacc.h"

/**
 * struct field - a text in the document
 * @value: zero-terminated; NULL if the document has none
 * @line: where it stands
 */
struct field {
	const char *value;
	unsigned int line;
};

/**
 * struct document - a document as far as it has been read
 * @has_lines: lines can be named; those of a WBXML document cannot
 * @is_listing: dmaccctl printed it, which shows the UserName that was computed
 * @has_no_preference: it says that no type of authentication is preferred
 * @messages: where what is ignored and why it is refused goes, a line each
 * @ignored: how many were ignored
 * @line: where the account begins
 * @nodes: what the account has
 * @kept: memory that the fields are in
 */
struct document {
	bool has_lines, is_listing, has_no_preference;
	FILE *messages;
	unsigned int ignored;
	unsigned int line;
	struct field nodes[DMACC_NODES];
	xmlChar **kept;
	size_t kept_count, kept_room;
};

/* One APPAUTH or AppAuth/x. @line: 0 if there is none. */
struct credential {
	unsigned int line;
	struct field type, name, secret, data;
};

void document_begin(struct document *d, FILE *messages);
void document_done(struct document *d);

/* Says why the document is refused; returns -1 */
__attribute__((format(printf, 3, 4)))
int document_refuse(struct document *d, unsigned int line, const char *format, ...);

/* Says what has no place in an account and is left out */
__attribute__((format(printf, 3, 4)))
void document_ignore(struct document *d, unsigned int line, const char *format, ...);

/* Keeps memory of libxml2's until document_done(); returns it, NULL if there is none */
const char *document_keep(struct document *d, xmlChar *text);

/* A name that the document has, for a message: as it is if it is short and harmless */
const char *document_quote(const char *name);

/**
 * document_take() - a field becomes a node of the account
 * @word: what the document calls it
 *
 * An empty field is none.
 *
 * Return: 0; -1 if it was refused.
 */
int document_take(struct document *d, enum dmacc_node node, const char *word, struct field f);

/**
 * document_sort_credential() - whose a credential is
 * @level: what it says of that
 * @levels: what it says if it is the client's, the server's
 * @word: what the document calls a credential
 * @found: of the client, of the server; written
 *
 * One of another level is ignored.
 *
 * Return: 0; -1 if it was refused.
 */
int document_sort_credential(struct document *d, const struct credential *c, const char *level,
			     const char *const levels[2], const char *word,
			     struct credential found[2]);

/* document_take() for both credentials; the ServerID has to be known by then */
int document_take_credentials(struct document *d, const struct credential found[2]);

/* Refuses what is no placeholder where a computed value goes; does not quote it */
int document_refuse_secret(struct document *d, struct field f, const char *what);

/* The same for UserName, which is no secret: that of a listing is ignored */
int document_refuse_user_name(struct document *d, struct field f, const char *what);

/* Is there a value in it? */
bool field_is_set(struct field f);

/**
 * document_write() - the plain form, judged by the library that will read it
 * @out: where it goes
 *
 * Return: 0; -1 if it was refused.
 */
int document_write(struct document *d, FILE *out);

#endif
