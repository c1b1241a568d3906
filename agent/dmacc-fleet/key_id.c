// SPDX-License-Identifier: LGPL-2.1-or-later
#include <getopt.h>
#include <stdio.h>

#include "dmacc.h"
#include "fleet.h"

static int print_key_id(const uint8_t key[DMACC_KEY_SIZE], uint32_t key_version)
{
	char key_id[DMACC_KEY_ID_SIZE];
	struct dmacc_deriver *deriver;
	int r;

	if (dmacc_deriver_new(&deriver))
		return complain("libcrypto has no HMAC-SHA-256");
	r = dmacc_deriver_set_vendor_key(deriver, key);
	if (!r)
		r = dmacc_deriver_key_id(deriver, key_version, key_id);
	dmacc_deriver_free(deriver);
	if (r)
		return complain("the key id cannot be computed");
	if (printf("%s\n", key_id) < 0 || fflush(stdout))
		return complain("the output cannot be written");
	return EXIT_DONE;
}

int key_id_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "key", required_argument, NULL, 'k' },
		{ "key-version", required_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	uint8_t key[DMACC_KEY_SIZE];
	const char *path = NULL;
	uint32_t version = 1;
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'k')
			path = optarg;
		else if (c != 'v' || option_u32("key-version", optarg, 1, &version))
			return EXIT_NOTHING;
	}
	if (optind < argc)
		return complain("key-id takes no argument '%s'", argv[optind]);
	r = load_key(path, key);
	if (!r)
		r = print_key_id(key, version);
	dmacc_wipe(key, sizeof(key));
	return r;
}
