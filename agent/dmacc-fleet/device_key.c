// SPDX-License-Identifier: LGPL-2.1-or-later
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "fleet.h"
#include "pipeline.h"

struct arguments {
	const char *key;
	const char *id;
	struct pipeline pipeline;
};

static int set_option(struct arguments *a, int option)
{
	switch (option) {
	case 'k': a->key = optarg; return 0;
	case 'v': return option_u32("key-version", optarg, 1, &a->pipeline.settings.key_version);
	case 'd': a->pipeline.settings.spare_digit = true; return 0;
	case 'o': a->pipeline.output = optarg; return 0;
	default: return EXIT_NOTHING;
	}
}

static int parse(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "key", required_argument, NULL, 'k' },
		{ "key-version", required_argument, NULL, 'v' },
		{ "spare-digit", no_argument, NULL, 'd' },
		{ "output", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (set_option(a, c))
			return EXIT_NOTHING;
	if (argc - optind > 1)
		return complain("device-key takes one identifier, not also '%s'", argv[optind + 1]);
	if (argv[optind] && strcmp(argv[optind], "-"))
		a->id = argv[optind];
	if (!a->id && a->key && !strcmp(a->key, "-"))
		return complain("key and identifiers cannot both come from stdin");
	return 0;
}

static int write_one(const char *path, const uint8_t key[DMACC_KEY_SIZE])
{
	char text[2 * DMACC_KEY_SIZE + 1];
	struct output output;
	size_t i;
	int r;

	for (i = 0; i < DMACC_KEY_SIZE; i++) {
		text[2 * i] = "0123456789abcdef"[key[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[key[i] & 15];
	}
	text[2 * DMACC_KEY_SIZE] = '\n';
	r = output_open(&output, path);
	if (!r)
		r = output_write(&output, text, sizeof(text));
	if (!r)
		r = output_commit(&output);
	output_close(&output);
	dmacc_wipe(text, sizeof(text));
	return r < 0 ? complain("%s: %s", path ? path : "stdout", strerror(-r)) : EXIT_DONE;
}

static int derive_one(const struct arguments *a, const uint8_t vendor_key[DMACC_KEY_SIZE])
{
	const struct rows_settings *s = &a->pipeline.settings;
	struct dmacc_deriver *deriver;
	char devid[DMACC_DEVID_SIZE];
	struct dmacc_reason reason;
	uint8_t key[DMACC_KEY_SIZE];
	int r;

	if (dmacc_identifier_read(a->id, strlen(a->id), s->spare_digit ? DMACC_SPARE_DIGIT : 0,
				  devid, &reason)) {
		complain("%s: %s: %s", a->id, reason.word, reason.sentence);
		return EXIT_SOME;
	}
	if (dmacc_deriver_new(&deriver))
		return complain("libcrypto has no HMAC-SHA-256");
	r = dmacc_deriver_set_vendor_key(deriver, vendor_key);
	if (!r)
		r = dmacc_deriver_device_key(deriver, devid, s->key_version, key);
	dmacc_deriver_free(deriver);
	r = r ? complain("the device key cannot be computed") : write_one(a->pipeline.output, key);
	dmacc_wipe(key, sizeof(key));
	return r;
}

int device_key_main(int argc, char **argv)
{
	struct arguments a = {
		.pipeline = {
			.threads = 1,
			.settings = { .what = ROWS_DEVICE_KEY, .key_version = 1 },
		},
	};
	uint8_t vendor_key[DMACC_KEY_SIZE];
	int r;

	r = parse(&a, argc, argv);
	if (!r)
		r = load_key(a.key, vendor_key);
	a.pipeline.vendor_key = vendor_key;
	if (!r)
		r = a.id ? derive_one(&a, vendor_key) : pipeline_run(&a.pipeline);
	dmacc_wipe(vendor_key, sizeof(vendor_key));
	return r;
}
