/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tree in the text that leaves the agent */
#ifndef DMACC_DMACCD_TREE_TEXT_H
#define DMACC_DMACCD_TREE_TEXT_H

#include "dmacc.h"

/*
 * A node's value: "" for an interior one, base64 for a "bin". Puts it into @ret, malloc'ed, and
 * returns it; NULL without memory.
 */
char *tree_text_value(const struct dmacc_tree_node *node, char **ret);

/**
 * tree_text_memfd() - all of a tree, secrets and all, as JSON in a sealed memfd
 *
 * An array of {"uri", "format", "value", "protected"}. Nothing of it is left in memory of ours.
 *
 * Return: the descriptor, at its beginning; a negative errno.
 */
int tree_text_memfd(const struct dmacc_tree *tree);

#endif
