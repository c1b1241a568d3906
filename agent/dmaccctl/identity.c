// SPDX-License-Identifier: LGPL-2.1-or-later
/* factory identity: who the device is, where its hardware does not say. Never from the command line. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "dmacc.h"
#include "factory.h"

#define INPUT_MAX 255

/* One line */
static int read_line(const char *path, char ret[INPUT_MAX + 1])
{
	bool from_stdin = !strcmp(path, "-");
	size_t len = 0;
	ssize_t n = 0;
	int fd;

	fd = from_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return complain("the file of the identifier: %s", strerror(errno));
	while (len < INPUT_MAX && (n = read(fd, ret + len, INPUT_MAX - len)) > 0)
		len += (size_t)n;
	if (!from_stdin)
		close(fd);
	if (n < 0)
		return complain("the identifier cannot be read: %s", strerror(errno));
	ret[len] = '\0';
	ret[strcspn(ret, "\r\n")] = '\0';
	return 0;
}

static int set(struct factory *f, const char *devid)
{
	int r = factory_connect(f);

	if (r)
		return r;
	if (dmacc_kernel_set_identity(f->kernel, devid))
		return complain("the kernel refused it: %s", dmacc_kernel_sentence(f->kernel));
	return factory_refresh(f);
}

static void print(const struct factory *f)
{
	const char *source = dmacc_identity_source_word(f->status.identity_source);

	if (f->json)
		printf("{\"identity_source\":\"%s\"}\n", source);
	else if (f->status.identity_source == DMACC_IDENTITY_SET)
		printf("identity set until reboot; a key that is injected now brings it back\n");
	else
		printf("identity %s\n", source);
}

int identity_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	char line[INPUT_MAX + 1], devid[DMACC_DEVID_SIZE];
	struct dmacc_reason reason;
	struct factory f = { 0 };
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!factory_option(&f, c, optarg))
			return EXIT_NOTHING;
	/* not quoted: an identifier on the command line is seen by others already */
	if (argc - optind > 1)
		return complain("identity takes one FILE, which holds the identifier");
	r = read_line(argv[optind] ? argv[optind] : "-", line);
	if (r)
		return r;
	if (dmacc_identifier_read(line, strlen(line), 0, devid, &reason))
		return complain("the identifier is refused: %s", reason.sentence);
	r = set(&f, devid);
	if (!r)
		print(&f);
	factory_end(&f);
	return finish_output(r);
}
