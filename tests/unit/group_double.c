// SPDX-License-Identifier: LGPL-2.1-or-later
/* For dmaccd-double: the group of DM clients that a test names by its number, in $DMACC_CLIENT_GROUP */
#include <grp.h>
#include <stdlib.h>
#include <string.h>

struct group *__real_getgrnam(const char *name);
struct group *__wrap_getgrnam(const char *name);

struct group *__wrap_getgrnam(const char *name)
{
	static struct group group = { .gr_name = (char *)"dmclient" };
	const char *number = getenv("DMACC_CLIENT_GROUP");

	if (!number || strcmp(name, group.gr_name))
		return __real_getgrnam(name);
	group.gr_gid = (gid_t)strtoul(number, NULL, 10);
	return &group;
}
