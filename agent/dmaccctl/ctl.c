// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

int run_verb(const struct verb *verbs, const char *of, int argc, char **argv)
{
	const struct verb *v;

	if (argc < 2)
		return complain("a verb is missing; %s --help lists them", of);
	for (v = verbs; v->name; v++)
		if (!strcmp(argv[1], v->name))
			return v->run(argc - 1, argv + 1);
	return complain("there is no verb '%s'; %s --help lists them", argv[1], of);
}

int complain(const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fputs("dmaccctl: ", stderr);
	print_clean(stderr, line);
	fputc('\n', stderr);
	return EXIT_NOTHING;
}

/* Control characters: C0, DEL, and C1 as UTF-8 has it */
void print_clean(FILE *out, const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	for (; *c; c++) {
		bool c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;

		fputc(c1 || *c < ' ' || *c == 0x7f ? '?' : *c, out);
		if (c1)
			c++;
	}
}

int finish_output(int status)
{
	if (fflush(stdout) || ferror(stdout))
		return complain("the output cannot be written");
	return status;
}

void hex(const uint8_t *bytes, size_t len, char *ret)
{
	size_t i;

	for (i = 0; i < len; i++) {
		ret[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		ret[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	ret[2 * len] = '\0';
}

const char *ctl_configuration(void)
{
	return "/etc/dmacc";
}
