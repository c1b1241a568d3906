// SPDX-License-Identifier: LGPL-2.1-or-later
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "dmacc.h"
#include "harden.h"

#define STACK (128 * 1024)

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

/*
 * A copy leaves its last bytes in registers that hardly anything else uses, and the dynamic linker
 * saves all registers on the stack when a function is called for the first time
 */
static void wipe_registers(char *zeros, size_t size)
{
	void *(*const volatile copy)(void *to, const void *from, size_t len) = memcpy;
	size_t len;

	for (len = 1; len <= size / 2; len *= 2)
		copy(zeros, zeros + size / 2, len);
}

__attribute__((noinline)) void harden_wipe_stack(void)
{
	char below[STACK];

	dmacc_wipe(below, sizeof(below));
	wipe_registers(below, 8192);
}

void harden_netlink(void)
{
	(void)unshare(CLONE_NEWNET);
}
