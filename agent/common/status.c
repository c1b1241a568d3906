// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "kernel.h"

const struct dmacc_kernel_slot *dmacc_kernel_find_slot(const struct dmacc_kernel_status *status,
						       const char *name)
{
	size_t i;

	for (i = 0; i < status->slots_len; i++)
		if (!strcmp(status->slots[i].name, name))
			return &status->slots[i];
	return NULL;
}
