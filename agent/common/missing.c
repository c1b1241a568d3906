// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why there is no family "dmacc": what can be told from outside of the kernel */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kernel.h"

static bool is_module(const char *name)
{
	return !strncmp(name, "dmacc.ko", 8) && (!name[8] || name[8] == '.');
}

/* Is dmacc.ko, compressed or not, anywhere below? */
static bool folder_has_module(const char *folder)
{
	char *const paths[] = { (char *)folder, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOSTAT | FTS_NOCHDIR, NULL);
	bool found = false;
	FTSENT *entry;

	while (fts && !found && (entry = fts_read(fts)))
		found = entry->fts_info != FTS_D && entry->fts_info != FTS_DP &&
			is_module(entry->fts_name);
	if (fts)
		fts_close(fts);
	return found;
}

/* Reads the start of a small file of the kernel's; "" if it is not there */
static void read_small(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	ret[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

static bool signature_is_demanded(void)
{
	char text[128];

	read_small("/sys/module/module/parameters/sig_enforce", text, sizeof(text));
	if (text[0] == 'Y')
		return true;
	read_small("/sys/kernel/security/lockdown", text, sizeof(text));
	return text[0] && !strstr(text, "[none]");
}

static bool loading_is_disabled(void)
{
	char text[8];

	read_small("/proc/sys/kernel/modules_disabled", text, sizeof(text));
	return text[0] == '1';
}

static const char *why_not_loaded(void)
{
	if (loading_is_disabled())
		return "this system has switched the loading of modules off (kernel.modules_disabled)";
	if (signature_is_demanded())
		return "this kernel takes signed modules only (Secure Boot): sign it with a key that "
		       "the machine's owner has enrolled";
	return "the kernel refused it, or modprobe's configuration forbids it; 'modprobe dmacc' as "
	       "root and the kernel's log say why";
}

static void not_built(const char *folder, const char *release, char *ret, size_t size)
{
	char headers[sizeof(((struct utsname *)0)->release) + 32];

	snprintf(headers, sizeof(headers), "%s/build/include", folder);
	if (access(headers, F_OK) < 0 && errno == ENOENT)
		snprintf(ret, size, "the module dmacc is not built for the running kernel: there is no "
			 "dmacc.ko in %s, nor the kernel's headers to build it with, "
			 "linux-headers-%s", folder, release);
	else
		snprintf(ret, size, "the module dmacc is not built for the running kernel: there is no "
			 "dmacc.ko in %s", folder);
}

void dmacc_kernel_missing_sentence(char *ret, size_t size)
{
	char folder[sizeof(((struct utsname *)0)->release) + 16];
	struct utsname name;

	(void)uname(&name);
	snprintf(folder, sizeof(folder), "/lib/modules/%s", name.release);
	if (access(folder, R_OK | X_OK) < 0 && errno != ENOENT)
		snprintf(ret, size, "the module dmacc is not loaded, and from here it cannot be told "
			 "why: %s: %s", folder, strerror(errno));
	else if (!folder_has_module(folder))
		not_built(folder, name.release, ret, size);
	else
		snprintf(ret, size, "the module dmacc is there, in %s, but not loaded: %s", folder,
			 why_not_loaded());
}
