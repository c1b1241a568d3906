// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "encode.h"
#include "fleet.h"

#define TEXT_SIZE ENCODE_HEX_SIZE(DMACC_KEY_SIZE)

static int random_key_text(char text[TEXT_SIZE])
{
	uint8_t key[DMACC_KEY_SIZE];

	if (RAND_priv_bytes(key, sizeof(key)) != 1)
		return complain("there is no randomness to be had");
	encode_hex(text, key, sizeof(key));
	text[TEXT_SIZE - 1] = '\n';
	dmacc_wipe(key, sizeof(key));
	return 0;
}

/* An existing file is never replaced: it may hold the only copy of a vendor key */
static int write_new_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n;

	if (fd < 0)
		return complain("%s: %s", path, errno == EEXIST ?
				"it exists, and a key is never overwritten" : strerror(errno));
	n = write(fd, text, len);
	if (n != (ssize_t)len || fsync(fd) < 0) {
		int error = n >= 0 && n != (ssize_t)len ? ENOSPC : errno;

		close(fd);
		unlink(path);
		return complain("%s: %s", path, strerror(error));
	}
	if (close(fd) < 0)
		return complain("%s: %s", path, strerror(errno));
	return 0;
}

int keygen_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	char text[TEXT_SIZE];
	const char *output = NULL;
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'o')
			return EXIT_NOTHING;
		output = optarg;
	}
	if (optind < argc)
		return complain("keygen takes no argument '%s'", argv[optind]);
	if (!output)
		return complain("--output FILE is missing: where the new vendor key goes");
	r = random_key_text(text);
	if (!r)
		r = write_new_file(output, text, sizeof(text));
	dmacc_wipe(text, sizeof(text));
	return r;
}
