// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dmacc.h"
#include "fleet.h"
#include "pin.h"

/* libcrypto's prompt reads stdin where there is no terminal; there the identifiers are */
static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int ask(const char *token, struct secret *s)
{
	char prompt[128];

	if (!has_terminal())
		return complain("token %s: it wants a PIN: give --pin-file FILE, or pin-source=file:FILE in the URI",
				token);
	(void)snprintf(prompt, sizeof(prompt), "PIN of token %s: ", token);
	if (EVP_read_pw_string(s->text, SECRET_MAX, prompt, 0))
		return complain("token %s: no PIN was entered", token);
	s->len = strlen(s->text);
	return 0;
}

/* RFC 7512: a file: URI, or a command after a bar */
static int path_of_source(const char *token, const char *source, const char **ret_path)
{
	if (*source == '|')
		return complain("token %s: pin-source names a program, and none is run for a PIN", token);
	if (!strncmp(source, "file:", 5)) {
		source += 5;
		if (!strncmp(source, "//", 2))
			source += 2;
	}
	*ret_path = source;
	return 0;
}

static void cut_line_end(struct secret *s)
{
	if (s->len && s->text[s->len - 1] == '\n')
		s->len--;
	if (s->len && s->text[s->len - 1] == '\r')
		s->len--;
	s->text[s->len] = '\0';
}

int pin_read(const char *token, const char *pin_file, const char *pin_source, struct secret *ret)
{
	struct secret s = { 0 };
	int r = 0;

	if (!pin_file && pin_source)
		r = path_of_source(token, pin_source, &pin_file);
	if (!r)
		r = pin_file ? secret_read("PIN file", pin_file, &s) : ask(token, &s);
	if (!r)
		cut_line_end(&s);
	if (!r && !s.len)
		r = complain("token %s: the PIN is empty", token);
	if (!r)
		*ret = s;
	dmacc_wipe(&s, sizeof(s));
	return r;
}
