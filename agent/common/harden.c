// SPDX-License-Identifier: LGPL-2.1-or-later
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "harden.h"

void harden_process(void)
{
	const struct rlimit none = { 0, 0 };
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit now;

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	/* with a limit, a later allocation would fail: then rather not at all */
	if ((!getrlimit(RLIMIT_MEMLOCK, &now) && now.rlim_cur == RLIM_INFINITY) ||
	    !setrlimit(RLIMIT_MEMLOCK, &all))
		(void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}
