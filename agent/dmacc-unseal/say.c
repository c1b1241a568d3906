// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "unseal.h"

static void say_list(enum priority priority, const char *format, va_list args)
{
	char line[1024];

	vsnprintf(line, sizeof(line), format, args);
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", priority, line);
	else
		fprintf(stderr, "dmacc-unseal: %s\n", line);
}

void say(enum priority priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_list(priority, format, args);
	va_end(args);
}

int refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_list(ERROR, format, args);
	va_end(args);
	return -EINVAL;
}
