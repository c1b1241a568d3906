/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the agent answers to GetTreeWithSecrets: sealed memory with JSON, an array of objects of uri,
 * format, value and protected. json-c frees what it holds without wiping it, so it is wiped in place.
 */
#ifndef DMACC_COMMON_SECRET_TREE_H
#define DMACC_COMMON_SECRET_TREE_H

#include <json-c/json.h>

/**
 * secret_tree_read() - the array in a sealed memory
 * @fd: it stays open
 * @ret: to be wiped and put by the caller
 *
 * Return: 0; -EMSGSIZE if it is empty or too long for a tree; -EIO if it cannot be read; -EBADMSG if
 * it is no JSON array; -ENOMEM.
 */
int secret_tree_read(int fd, struct json_object **ret);

/* NULL if there is no such member, or it is no string */
const char *secret_tree_member(struct json_object *node, const char *name);

/* Wipes the values in an array of nodes */
void secret_tree_wipe(struct json_object *array);

#endif
