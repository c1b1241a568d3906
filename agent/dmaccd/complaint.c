// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "complaint.h"

int complain_of(struct complaint *reterr, enum refusal_kind kind, const char *format, ...)
{
	va_list args;

	reterr->kind = kind;
	va_start(args, format);
	vsnprintf(reterr->sentence, sizeof(reterr->sentence), format, args);
	va_end(args);
	return -EPERM;
}
