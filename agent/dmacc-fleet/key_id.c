// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fleet.h"
#include "keyring.h"

int key_id_main(int argc, char **argv)
{
	static const struct option options[] = { KEY_OPTIONS, { NULL, 0, NULL, 0 } };
	struct key_options keys = { 0 };
	struct keyring *keyring;
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (key_option(&keys, c))
			return EXIT_NOTHING;
	if (optind < argc)
		return complain("key-id takes no argument '%s'", argv[optind]);
	r = keyring_open(&keys, &keyring);
	if (r)
		return r;
	r = keyring_print_ids(keyring, stdout);
	keyring_free(keyring);
	return r;
}
