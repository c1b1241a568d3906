// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What bench-fleet has and dmacc-fleet has not: DMACC_BENCH_ENGINE= says how it derives. The linker
 * puts the function below in the place of the library's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "deriver.h"

int __real_dmacc_deriver_new(struct dmacc_deriver **ret);
int __wrap_dmacc_deriver_new(struct dmacc_deriver **ret);

static const struct lanes_engine *named_engine(const char *name)
{
	const struct lanes_engine *engine;
	unsigned int i;

	if (!strcmp(name, "libcrypto"))
		return NULL;
	for (i = 0; (engine = dmacc_lanes_engine(i)); i++)
		if (!strcmp(name, engine->name))
			return engine;
	fprintf(stderr, "bench-fleet: this processor has no engine '%s'\n", name);
	exit(2);
}

int __wrap_dmacc_deriver_new(struct dmacc_deriver **ret)
{
	const char *name = getenv("DMACC_BENCH_ENGINE");
	int r = __real_dmacc_deriver_new(ret);

	if (!r && name)
		r = dmacc_deriver_use(*ret, named_engine(name));
	return r;
}
