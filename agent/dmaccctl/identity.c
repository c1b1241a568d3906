// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * factory identity: who the device is, where its hardware does not say. From its modem, or what a
 * person or a machine of the factory writes; never from the command line.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask_modem.h"
#include "dmacc.h"
#include "equipment.h"
#include "factory.h"

#define INPUT_MAX 255
#define WAIT_DEFAULT 60

struct identity {
	struct factory f;
	bool modem;
	const char *device;	/* NULL: any */
	const char *wait;	/* NULL: WAIT_DEFAULT */
};

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

static int read_file(const char *path, char ret[DMACC_DEVID_SIZE])
{
	struct dmacc_reason reason;
	char line[INPUT_MAX + 1];
	int r;

	r = read_line(path, line);
	if (r)
		return r;
	if (dmacc_identifier_read(line, strlen(line), 0, ret, &reason))
		return complain("the identifier is refused: %s", reason.sentence);
	return 0;
}

static int read_modem(const struct identity *i, char ret[DMACC_DEVID_SIZE])
{
	unsigned int wait = WAIT_DEFAULT;
	size_t digits;

	if (i->wait) {
		digits = strspn(i->wait, "0123456789");
		if (!digits || digits > 4 || i->wait[digits])
			return complain("--wait is a number of seconds, 0 to 9999");
		wait = (unsigned int)atoi(i->wait);
	}
	if (i->device && (!i->device[0] || strlen(i->device) >= EQUIPMENT_DEVICE_SIZE))
		return complain("--device is the 'device' of a modem, as 'mmcli -m any' shows it");
	return ask_modem(i->device ? i->device : "", wait, ret);
}

static int parse(struct identity *i, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "modem", no_argument, NULL, 'm' },
		{ "device", required_argument, NULL, 'd' },
		{ "wait", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'm')
			i->modem = true;
		else if (c == 'd')
			i->device = optarg;
		else if (c == 'w')
			i->wait = optarg;
		else if (!factory_option(&i->f, c, optarg))
			return EXIT_NOTHING;
	}
	/* not quoted: an identifier on the command line is seen by others already */
	if (argc - optind > 1)
		return complain("identity takes one FILE, which holds the identifier");
	if (i->modem && optind < argc)
		return complain("--modem asks the modem, and takes no FILE");
	if (!i->modem && (i->device || i->wait))
		return complain("--device and --wait go with --modem");
	return 0;
}

int identity_main(int argc, char **argv)
{
	struct identity i = { 0 };
	char devid[DMACC_DEVID_SIZE];
	int r;

	r = parse(&i, argc, argv);
	if (r)
		return r;
	r = i.modem ? read_modem(&i, devid) : read_file(argv[optind] ? argv[optind] : "-", devid);
	if (r)
		return r;
	r = set(&i.f, devid);
	if (!r)
		print(&i.f);
	factory_end(&i.f);
	return finish_output(r);
}
