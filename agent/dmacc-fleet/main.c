// SPDX-License-Identifier: LGPL-2.1-or-later
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "fleet.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
} verbs[] = {
	{ "keygen", keygen_main, "--output FILE" },
	{ "key-id", key_id_main, "(--key KEY | --keyring FILE) [--key-version N] [--pin-file FILE]" },
	{ "device-key", device_key_main,
	  "(--key KEY | --keyring FILE) [--key-version N] [--pin-file FILE]\n"
	  "                    [--spare-digit] [--duplicates ignore|report|refuse] [--format csv|jsonl]\n"
	  "                    [--output FILE] [--rejects FILE] [--threads N] [ID|-]" },
	{ "derive", derive_main,
	  "[--profile dmacc-1|fcs11384|fcs11384-device|fcs14345]\n"
	  "                    [--key KEY | --keyring FILE] [--key-version N] [--pin-file FILE]\n"
	  "                    (--server-id ID | --addr ADDR) [--generation N] [--nonces]\n"
	  "                    [--as plain|stored] [--spare-digit] [--duplicates ignore|report|refuse]\n"
	  "                    [--format csv|jsonl] [--output FILE] [--rejects FILE] [--threads N]\n"
	  "                    [INPUT]" },
	{ "verify", verify_main,
	  "[--profile ...] [--key KEY | --keyring FILE] [--key-version N] [--pin-file FILE]\n"
	  "                    [--server-id ID | --addr ADDR] [--generation N] [--slot NAME]\n"
	  "                    [--spare-digit] [--duplicates ...] [--format csv|jsonl] [--output FILE]\n"
	  "                    [--threads N] [INPUT | --id ID [--user-name NAME] [--key-id HEX]]" },
	{ "check-ids", check_ids_main,
	  "[--spare-digit] [--duplicates ignore|report|refuse] [--format csv|jsonl]\n"
	  "                    [--output FILE] [--threads N] [INPUT]" },
	{ "selftest", selftest_main, "" },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void print_usage(FILE *out)
{
	size_t i;

	for (i = 0; i < VERBS; i++)
		fprintf(out, "%s dmacc-fleet %s %s\n", i ? "      " : "Usage:", verbs[i].name,
			verbs[i].usage);
	fprintf(out, "       dmacc-fleet --help | --version\n");
}

/* Vendor and device keys pass through: no core dump, no ptrace by others of the same user */
static void harden(void)
{
	const struct rlimit none = { 0, 0 };

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	/* a reader that goes away is seen as EPIPE */
	(void)signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
	size_t i;

	harden();
	if (argc < 2)
		return complain("a verb is missing; dmacc-fleet --help lists them");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_usage(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("dmacc-fleet %s\n", DMACC_VERSION);
		return EXIT_DONE;
	}
	for (i = 0; i < VERBS; i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	return complain("there is no verb '%s'; dmacc-fleet --help lists them", argv[1]);
}
