// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mo.h"

int mo_give_uri(const char *uri, char ***uris)
{
	char **list = calloc(2, sizeof(*list));

	if (list)
		list[0] = strdup(uri);
	if (!list || !list[0]) {
		free(list);
		return MO_DEVICE_FULL;
	}
	*uris = list;
	return MO_DONE;
}

/* There is always memory behind @data, as the client compares without looking */
int mo_give(struct mo_node *node, const char *format, const void *data, unsigned long size)
{
	bool interior = !strcmp(format, "node");

	node->format = strdup(format);
	node->type = interior ? NULL : strdup(strcmp(format, "bin") ? "text/plain" :
								     "application/octet-stream");
	node->data = malloc(size + 1);
	if (!node->format || (!interior && !node->type) || !node->data) {
		free(node->format);
		free(node->type);
		free(node->data);
		node->format = node->type = node->data = NULL;
		return MO_DEVICE_FULL;
	}
	memcpy(node->data, data, size);
	node->data[size] = '\0';
	node->size = (unsigned int)size;
	return MO_DONE;
}
