// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fleet.h"

int complain(const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* one call, so that lines of two threads do not mix */
	fprintf(stderr, "dmacc-fleet: %s\n", line);
	return EXIT_NOTHING;
}

bool parse_u32(const char *text, size_t len, uint32_t min, uint32_t *ret)
{
	uint64_t value = 0;
	size_t i;

	if (!len || len > 10)
		return false;
	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	if (value < min || value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

int option_u32(const char *option, const char *text, uint32_t min, uint32_t *ret)
{
	if (parse_u32(text, strlen(text), min, ret))
		return 0;
	return complain("--%s takes a number from %u to %u, not '%s'", option, min, UINT32_MAX,
			text);
}
