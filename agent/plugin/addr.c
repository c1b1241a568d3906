// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "addr.h"

/* Of host and port, between "//" and what follows: does it end with ":" and a digit? */
static bool has_port(const char *authority, size_t len)
{
	size_t digits = 0;

	while (digits < len && authority[len - 1 - digits] >= '0' && authority[len - 1 - digits] <= '9')
		digits++;
	return digits && digits < len && authority[len - 1 - digits] == ':';
}

char *addr_whole(const char *addr, const char *type, const char *port)
{
	const char *separator = port && port[0] ? ":" : "", *authority;
	char *whole = NULL;
	size_t len;
	int r;

	if (!port)
		port = "";
	if (type && !strcmp(type, "IPv6"))
		r = asprintf(&whole, "http://[%s]%s%s", addr, separator, port);
	else if (type && !strcmp(type, "IPv4"))
		r = asprintf(&whole, "http://%s%s%s", addr, separator, port);
	else {
		authority = strstr(addr, "://");
		authority = authority ? authority + 3 : addr;
		len = strcspn(authority, "/?#");
		if (has_port(authority, len))
			separator = port = "";
		r = asprintf(&whole, "%.*s%s%s%s", (int)(authority + len - addr), addr, separator,
			     port, authority + len);
	}
	return r < 0 ? NULL : whole;
}
