// SPDX-License-Identifier: LGPL-2.1-or-later
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

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

/*
 * Whole pages only: the array shares its first and last with others. Where pages are locked the kernel
 * refuses, and they stay, zeroed.
 */
static void give_back(char *array, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)array, end = start + size;

	start = (start + page - 1) & ~(page - 1);
	end &= ~(page - 1);
	if (start < end)
		(void)madvise((void *)start, end - start, MADV_DONTNEED);
}

/*
 * The array makes the stack deeper than anything called before has been, as a rule, so that most of
 * its pages exist for the wiping only: the kernel takes them back, and gives zeros when the stack
 * comes there again. They are wiped first, since it zeroes a page when it hands it out, not when it
 * takes it. Nothing but the array lies in them: our own frame's other parts and those of our callers
 * are above it, and what is called, a signal's handler too, has its frame (and what red zone there is)
 * below it.
 */
__attribute__((noinline)) void harden_wipe_stack(void)
{
	char below[STACK];

	dmacc_wipe(below, sizeof(below));
	wipe_registers(below, 8192);
	give_back(below, sizeof(below));
}

void harden_netlink(void)
{
	(void)unshare(CLONE_NEWNET);
}
