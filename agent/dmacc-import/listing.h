/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `dmaccctl tree` prints as JSON or text: an account's nodes, one by one */
#ifndef DMACC_IMPORT_LISTING_H
#define DMACC_IMPORT_LISTING_H

#include "document.h"

bool listing_is_json(const char *bytes, size_t len);
bool listing_is_text(const char *bytes, size_t len);

/*
 * Each makes a MgmtTree of the nodes, for tnds_read() and xmlFreeDoc(): it is the same account.
 * NULL if it was refused.
 */
xmlDoc *listing_read_json(struct document *d, const char *bytes, size_t len);
xmlDoc *listing_read_text(struct document *d, const char *bytes, size_t len);

/* A MgmtTree that grows node by node */
struct listing {
	struct document *d;
	xmlDoc *doc;
	size_t count;
};

/* Returns -1 if it was refused; listing_end() in any case */
int listing_begin(struct listing *l, struct document *d);

/**
 * listing_add() - a node
 * @line: where it stands, from 1
 * @uri: such as "./DMAcc/x/Name"
 * @format: "node", "chr", "int", "bin"
 * @value: NULL if it has none, or none that was shown
 *
 * Return: 0; -1 if it was refused.
 */
int listing_add(struct listing *l, unsigned int line, const char *uri, const char *format,
		const char *value);

/* @r: of what was done; the tree if that is 0, else NULL */
xmlDoc *listing_end(struct listing *l, int r);

#endif
