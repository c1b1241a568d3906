// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unseal.h"

static void say_line(enum priority priority, const char *line)
{
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", priority, line);
	else
		fprintf(stderr, "dmacc-unseal: %s\n", line);
}

static void say_list(enum priority priority, const char *format, va_list args)
{
	char line[1024];

	vsnprintf(line, sizeof(line), format, args);
	say_line(priority, line);
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

int refuse_root(struct unseal *u, enum trouble trouble, const char *format, ...)
{
	char line[UNSEAL_REPORT_SENTENCE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	unseal_report_root(&u->report, trouble, line);
	say(ERROR, "%s (%s)", line, trouble_word(trouble));
	return -EINVAL;
}

int refuse_slot(struct unseal *u, const char *name, enum trouble trouble, const char *format, ...)
{
	char line[UNSEAL_REPORT_SENTENCE_SIZE];
	size_t len;
	va_list args;

	snprintf(line, sizeof(line), "%s/slots/%s: ", u->store_path, name);
	len = strlen(line);
	va_start(args, format);
	vsnprintf(line + len, sizeof(line) - len, format, args);
	va_end(args);
	say(ERROR, "%s (%s)", line, trouble_word(trouble));
	(void)unseal_report_slot(&u->report, name, trouble, line);
	return -EINVAL;
}
