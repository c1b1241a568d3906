/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The account templates that lie in the template folders */
#ifndef DMACC_DMACCD_TEMPLATES_H
#define DMACC_DMACCD_TEMPLATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dmacc.h"

#define TEMPLATE_DIGEST_SIZE 32
#define TEMPLATES_MAX 64

/**
 * struct template - a template that an account can be made of
 * @path: the file
 * @digest: SHA-256 of it
 * @plain: what dmacc-import made of its document, @plain_len bytes; NULL if it has none
 * @document_digest: of which document and by which version: uapi/store.md, DocumentDigest
 */
struct template {
	char name[DMACC_TEMPLATE_NAME_SIZE];
	char *path;
	struct dmacc_template *t;
	uint8_t digest[TEMPLATE_DIGEST_SIZE];
	char *plain;
	size_t plain_len;
	uint8_t document_digest[TEMPLATE_DIGEST_SIZE];
};

/* A template that makes no account, and why. @name is that of the account it would have made. */
struct refusal {
	char *name;
	char *path;
	char *reason;
};

/* Templates are sorted by name. @disabled: names of accounts that are not to be served. */
struct templates {
	struct template *list;
	size_t count;
	struct refusal *refusals;
	size_t refusals_count;
	char **disabled;
	size_t disabled_count;
};

/**
 * struct templates_source - where they come from
 * @folders: the one that overrides first
 * @importer: path of dmacc-import
 * @imported: gives what was made of the document with that digest, malloc'ed, if it is known; may
 *	be NULL
 * @alive: called while that takes long; may be NULL
 * @data: for @imported and @alive
 */
struct templates_source {
	const char *folders[2];
	const char *importer;
	bool (*imported)(void *data, const char *name, const uint8_t digest[TEMPLATE_DIGEST_SIZE],
			 char **ret_plain, size_t *ret_len);
	void (*alive)(void *data);
	void *data;
};

/* Always gives what could be read; logs what was refused. Only without memory is @ret NULL. */
int templates_read(const struct templates_source *source, struct templates **ret);
struct templates *templates_free(struct templates *templates);

const struct template *templates_find(const struct templates *templates, const char *name);
const struct refusal *templates_refusal(const struct templates *templates, const char *name);
bool templates_disabled(const struct templates *templates, const char *name);

#endif
