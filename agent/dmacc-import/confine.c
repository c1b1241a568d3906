// SPDX-License-Identifier: LGPL-2.1-or-later
#include <seccomp.h>
#include <stddef.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "confine.h"

#define MEMORY_MAX (64 * 1024 * 1024)
#define CPU_SECONDS 5
#define OUTPUT_MAX (1024 * 1024)

static bool limit(int resource, rlim_t value)
{
	const struct rlimit l = { value, value };

	return !setrlimit(resource, &l);
}

#ifndef __SANITIZE_ADDRESS__

/* RLIMIT_DATA and not RLIMIT_AS: what the libraries map of their files is no memory of ours */
static const char *limit_all(void)
{
	if (!limit(RLIMIT_DATA, MEMORY_MAX))
		return "memory cannot be limited";
	/* descriptors that are open stay; there will be no others */
	if (!limit(RLIMIT_NOFILE, 0))
		return "files cannot be limited";
	if (!limit(RLIMIT_NPROC, 0))
		return "processes cannot be limited";
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return "dumps cannot be turned off";
	return NULL;
}

static bool allow(scmp_filter_ctx filter)
{
	/* what malloc() and stdio of glibc need besides reading and writing what is open */
	static const int calls[] = {
		SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(exit), SCMP_SYS(exit_group),
		SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
		SCMP_SYS(rt_sigreturn), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
		SCMP_SYS(time), SCMP_SYS(futex), SCMP_SYS(getrandom),
	};
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0))
			return false;
	/* memory, but none to run code in and none of a file */
	return !seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
				 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
				 SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
}

static const char *filter_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	bool loaded;

	if (!filter)
		return "the system call filter cannot be made";
	loaded = allow(filter) && !seccomp_load(filter);
	seccomp_release(filter);
	return loaded ? NULL : "the system call filter cannot be loaded";
}

#else

static const char *limit_all(void)
{
	return NULL;
}

static const char *filter_calls(void)
{
	return NULL;
}

#endif

const char *confine(void)
{
	const char *sentence;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return "new privileges cannot be given up";
	if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_CPU, CPU_SECONDS) ||
	    !limit(RLIMIT_FSIZE, OUTPUT_MAX))
		return "time and output cannot be limited";
	sentence = limit_all();
	return sentence ? sentence : filter_calls();
}
