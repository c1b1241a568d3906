// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "encode.h"
#include "fleet.h"

static int parse(struct arguments *a, const char **ret_id, int argc, char **argv)
{
	static const struct option options[] = {
		KEY_OPTIONS, STREAM_OPTIONS,
		{ "rejects", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'r')
			a->pipeline.rejects = optarg;
		else if (arguments_option(a, c))
			return EXIT_NOTHING;
	}
	if (argc - optind > 1)
		return complain("device-key takes one identifier, not also '%s'", argv[optind + 1]);
	if (!argv[optind] || !strcmp(argv[optind], "-"))
		return arguments_input(a, argv[0], argc, argv);
	*ret_id = argv[optind];
	return 0;
}

static int write_one(const char *path, const uint8_t key[DMACC_KEY_SIZE])
{
	char text[ENCODE_HEX_SIZE(DMACC_KEY_SIZE)];
	struct output output;
	int r;

	encode_hex(text, key, DMACC_KEY_SIZE);
	text[sizeof(text) - 1] = '\n';
	r = output_open(&output, path);
	if (!r)
		r = output_write(&output, text, sizeof(text));
	if (!r)
		r = output_commit(&output);
	output_close(&output);
	dmacc_wipe(text, sizeof(text));
	return r < 0 ? complain("%s: %s", path ? path : "stdout", strerror(-r)) : EXIT_DONE;
}

static int refuse(const char *id, const struct dmacc_reason *reason)
{
	complain("%s: %s: %s", id, reason->word, reason->sentence);
	return EXIT_SOME;
}

static int derive_with(struct keyring_user *keys, const char *id, const char *devid,
		       uint8_t ret_key[DMACC_KEY_SIZE])
{
	uint32_t key_version = 0;
	struct dmacc_deriver *d = keyring_find(keys, devid, &key_version);
	int r;

	if (!d)
		return refuse(id, &keyring_no_entry);
	r = dmacc_deriver_device_key(d, devid, key_version, ret_key);
	/* of -EIO a token has complained */
	return !r ? 0 : r == -EIO ? EXIT_NOTHING : complain("the device key cannot be computed");
}

static int derive_one(const struct arguments *a, const char *id)
{
	unsigned int flags = a->pipeline.settings.request.spare_digit ? DMACC_SPARE_DIGIT : 0;
	struct keyring_user *keys;
	char devid[DMACC_DEVID_SIZE];
	struct dmacc_reason reason;
	uint8_t key[DMACC_KEY_SIZE];
	int r;

	if (dmacc_identifier_read(id, strlen(id), flags, devid, &reason))
		return refuse(id, &reason);
	r = keyring_use(a->pipeline.keyring, &keys);
	if (r)
		return r;
	r = derive_with(keys, id, devid, key);
	keyring_user_free(keys);
	if (!r)
		r = write_one(a->pipeline.output, key);
	dmacc_wipe(key, sizeof(key));
	return r;
}

int device_key_main(int argc, char **argv)
{
	struct arguments a = {
		.pipeline = {
			.threads = 1,
			.work = &rows_derive,
			.settings.what = ROWS_DEVICE_KEY,
		},
	};
	const char *id = NULL;
	int r;

	r = parse(&a, &id, argc, argv);
	if (!r)
		r = arguments_keys(&a);
	if (!r)
		r = id ? derive_one(&a, id) : pipeline_run(&a.pipeline);
	arguments_done(&a);
	return r;
}
