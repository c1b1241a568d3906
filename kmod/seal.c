// SPDX-License-Identifier: GPL-2.0-only
/* The rungs that this module can seal with. */
#include <linux/array_size.h>
#include <linux/stddef.h>

#include "seal.h"

static const struct dmacc_seal * const seals[] = { &dmacc_seal_trusted, &dmacc_seal_wrapped };

/**
 * dmacc_seal_of() - how a rung seals
 * @rung: enum dmacc_rung, or whatever a blob says
 *
 * Return: NULL if this module cannot.
 */
const struct dmacc_seal *dmacc_seal_of(unsigned int rung)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(seals); i++)
		if (seals[i]->rung == rung)
			return seals[i];
	return NULL;
}
