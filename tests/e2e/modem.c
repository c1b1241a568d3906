// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A modem for the real ModemManager: modem NAME IMEI
 *
 * Waits at the address "\0abstract:NAME" for whoever connects, one at a time, and answers AT commands. The word before
 * the colon is part of what ModemManager's test interface takes as a port. Prints "abstract:NAME" once it waits there,
 * and each command that it is asked.
 */
#include <err.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* 27.007 and 27.005: what ModemManager asks of every modem. Anything else is an error, as it is of many. */
static const char *const answers[][2] = {
	{ "AT", "" }, { "ATE0", "" }, { "ATV1", "" }, { "ATX4", "" }, { "AT&C1", "" }, { "AT+CMEE=1", "" },
	{ "AT+GCAP", "+GCAP: +CGSM,+DS,+ES" }, { "ATI", "Example" }, { "AT+CGMI", "Example" }, { "AT+CGMM", "Example" },
	{ "AT+CGMR", "1.0" }, { "AT+CPIN?", "+CPIN: READY" }, { "AT+CFUN?", "+CFUN: 1" },
	{ "AT+CIMI", "001010123456789" }, { "AT+WS46=?", "+WS46: (12,22,25,28)" },
};

/* NULL: an error */
static const char *find(const char *command, const char *imei)
{
	size_t i;

	if (!strcmp(command, "AT+CGSN"))
		return imei;
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (!strcmp(command, answers[i][0]))
			return answers[i][1];
	return NULL;
}

static void answer(FILE *port, const char *command, const char *imei)
{
	const char *said = find(command, imei);

	if (!said)
		fprintf(port, "\r\nERROR\r\n");
	else if (*said)
		fprintf(port, "\r\n%s\r\n\r\nOK\r\n", said);
	else
		fprintf(port, "\r\nOK\r\n");
	fflush(port);
}

static void serve(FILE *in, FILE *out, const char *imei)
{
	char command[128];
	size_t len = 0;
	int c;

	while ((c = getc(in)) != EOF) {
		if (c == '\r' && len) {
			command[len] = '\0';
			puts(command);
			answer(out, command, imei);
		}
		if (c == '\r')
			len = 0;
		else if (c > ' ' && len + 1 < sizeof(command))
			command[len++] = (char)c;
	}
}

static int listen_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), len;

	/* the first byte stays zero: an address without a file */
	len = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "abstract:%s", name);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address,
			   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) < 0 ||
	    listen(fd, 1) < 0)
		err(1, "%s", name);
	puts(address.sun_path + 1);
	return fd;
}

int main(int argc, char **argv)
{
	FILE *in, *out;
	int fd, port;

	if (argc != 3)
		errx(2, "usage: modem NAME IMEI");
	setlinebuf(stdout);
	fd = listen_at(argv[1]);
	while ((port = accept(fd, NULL, NULL)) >= 0) {
		in = fdopen(port, "r");
		out = fdopen(dup(port), "w");
		if (!in || !out)
			err(1, "port");
		serve(in, out, argv[2]);
		fclose(in);
		fclose(out);
	}
	err(1, "accept");
}
