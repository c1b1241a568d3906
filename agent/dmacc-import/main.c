// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dmacc-import: a provisioning document on standard input, an account template's plain form on
 * standard output. Documents come from elsewhere and the libraries that parse them are large, so
 * it gives up what it does not need before it reads a byte.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "import.h"

static void write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			_exit(1);
		text += n;
		len -= (size_t)n;
	}
}

static int fail(const char *sentence)
{
	write_all(STDERR_FILENO, sentence, strlen(sentence));
	write_all(STDERR_FILENO, "\n", 1);
	return EXIT_FAILURE;
}

/* One byte more than a document can have, to see that there is more. Returns -1 on failure. */
static ssize_t read_all(char *bytes, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size) {
		n = read(STDIN_FILENO, bytes + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* Both texts are complete before any of them is written */
static int import(const char *bytes, size_t len)
{
	char *plain = NULL, *messages = NULL;
	size_t plain_len = 0, messages_len = 0;
	FILE *out = open_memstream(&plain, &plain_len);
	FILE *err = open_memstream(&messages, &messages_len);
	int r;

	if (!out || !err)
		return fail("out of memory");
	r = import_document(bytes, len, out, err);
	if (fclose(err) || fclose(out))
		return fail("out of memory");
	write_all(STDERR_FILENO, messages, messages_len);
	if (!r)
		write_all(STDOUT_FILENO, plain, plain_len);
	explicit_bzero(plain, plain_len);
	free(plain);
	free(messages);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static char bytes[IMPORT_MAX + 1];
	const char *sentence;
	ssize_t len;
	int r;

	(void)argv;
	if (argc != 1)
		return fail("usage: dmacc-import < DOCUMENT");
	if (import_warm_up())
		return fail("the parsers do not work");
	sentence = confine();
	if (sentence) {
		write_all(STDERR_FILENO, "not confined: ", 14);
		return fail(sentence);
	}
	len = read_all(bytes, sizeof(bytes));
	if (len < 0)
		return fail("standard input cannot be read");
	r = import(bytes, (size_t)len);
	/* it may hold a password, for which it was refused; what the parsers copied ends with us */
	explicit_bzero(bytes, (size_t)len);
	return r;
}
