// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why there is no family "dmacc": what can be told from outside of the kernel */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kernel.h"

static bool is_module(const char *name)
{
	return !strncmp(name, "dmacc.ko", 8) && (!name[8] || name[8] == '.');
}

/* Where dmacc.ko is, compressed or not, anywhere below; "" if nowhere */
static void find_module(const char *folder, char *ret, size_t size)
{
	char *const paths[] = { (char *)folder, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOSTAT | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	*ret = '\0';
	while (fts && !*ret && (entry = fts_read(fts)))
		if (entry->fts_info != FTS_D && entry->fts_info != FTS_DP && is_module(entry->fts_name))
			snprintf(ret, size, "%s", entry->fts_path);
	if (fts)
		fts_close(fts);
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

/* Whether modprobe can find it: depmod lists each module with the path that it has in the folder */
static bool is_listed(const char *folder)
{
	char path[PATH_MAX], *line = NULL, *end;
	bool listed = false;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/modules.dep", folder);
	file = fopen(path, "re");
	while (file && !listed && getline(&line, &size, file) >= 0) {
		end = strchrnul(line, ':');
		*end = '\0';
		end = strrchr(line, '/');
		listed = is_module(end ? end + 1 : line);
	}
	free(line);
	if (file)
		fclose(file);
	return listed;
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

/* Does the file end as the kernel's sign-file leaves it? Of a compressed one it cannot be told. */
static bool is_signed(const char *path)
{
	static const char magic[] = "~Module signature appended~\n";
	char end[sizeof(magic) - 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool found = fd >= 0 && lseek(fd, -(off_t)sizeof(end), SEEK_END) >= 0 &&
		     read(fd, end, sizeof(end)) == (ssize_t)sizeof(end) &&
		     !memcmp(end, magic, sizeof(end));

	if (fd >= 0)
		close(fd);
	return found;
}

#define ENROL "'mokutil --import /var/lib/dkms/mok.pub', then reboot"

/* NULL: it is not for want of a signature */
static const char *why_unsigned(const char *path)
{
	size_t len = strlen(path);

	if (!signature_is_demanded())
		return NULL;
	if (len < 3 || strcmp(path + len - 3, ".ko"))
		return "the module dmacc is there, but not loaded: most likely this kernel does not trust "
		       "its signature (EKEYREJECTED); if DKMS signed it, enrol its key: " ENROL;
	if (is_signed(path))
		return "the module dmacc is signed, but not loaded: most likely this kernel does not trust "
		       "the key (EKEYREJECTED); if it is DKMS's, enrol it: " ENROL;
	return "the module dmacc is not signed, and this kernel takes signed ones only (EKEYREJECTED): "
	       "have DKMS build it, which signs it, and enrol its key: " ENROL;
}

static void not_loaded(const char *folder, const char *path, char *ret, size_t size)
{
	const char *why = "the kernel refused it, or modprobe's configuration forbids it; 'modprobe "
			  "dmacc' as root and the kernel's log say why";

	if (loading_is_disabled())
		why = "this system has switched the loading of modules off (kernel.modules_disabled)";
	else if (!is_listed(folder))
		why = "modprobe does not find it, for depmod did not run since it came; run 'depmod' as root";
	else if (why_unsigned(path)) {
		snprintf(ret, size, "%s", why_unsigned(path));
		return;
	}
	snprintf(ret, size, "the module dmacc is there, in %s, but not loaded: %s", folder, why);
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
	char folder[sizeof(((struct utsname *)0)->release) + 16], path[PATH_MAX];
	struct utsname name;

	(void)uname(&name);
	snprintf(folder, sizeof(folder), "/lib/modules/%s", name.release);
	find_module(folder, path, sizeof(path));
	if (access(folder, R_OK | X_OK) < 0 && errno != ENOENT)
		snprintf(ret, size, "the module dmacc is not loaded, and from here it cannot be told "
			 "why: %s: %s", folder, strerror(errno));
	else if (!*path)
		not_built(folder, name.release, ret, size);
	else
		not_loaded(folder, path, ret, size);
}
