// SPDX-License-Identifier: LGPL-2.1-or-later
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "harden.h"

static const struct verb verbs[] = {
	{ "status", status_main, "[--json]" },
	{ "doctor", doctor_main,
	  "[--json] [--states] [--factory-store DIR] [--unseal-report DIR]" },
	{ "tree", tree_main,
	  "[--layout 1.1|1.2] [--format text|json|tnds|w7|wbxml|w7-wbxml]\n"
	  "                     [--show-secrets] [ACCOUNT]" },
	{ "account", account_main, "[--json] [NAME [set NODE=VALUE | set NODE | revert [NODE...]]]" },
	{ "reset", reset_main, "ACCOUNT" },
	{ "probe", probe_main, "[--ca-file FILE] [--json] ACCOUNT" },
	{ "disable", disable_main, "[ACCOUNT]" },
	{ "enable", enable_main, "[ACCOUNT]" },
	{ "wipe", wipe_main, "--yes [--destroy] [--accounts | --account NAME] [--factory-store DIR]\n"
	  "                      [--state DIR] [--credential-store DIR]" },
	{ "factory", factory_main, "inject|verify|lock|report|export|restore|parent|identity ..." },
	{ NULL, NULL, NULL },
};

static int print_usage(void)
{
	const struct verb *v;

	for (v = verbs; v->name; v++)
		printf("%s dmaccctl %s %s\n", v == verbs ? "Usage:" : "      ", v->name, v->usage);
	printf("       dmaccctl factory --help\n"
	       "       dmaccctl --help | --version\n");
	return finish_output(EXIT_DONE);
}

int main(int argc, char **argv)
{
	harden_process();
	/* a reader that goes away is seen as EPIPE */
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		return print_usage();
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		printf("dmaccctl %s\n", DMACC_VERSION);
		return finish_output(EXIT_DONE);
	}
	return run_verb(verbs, "dmaccctl", argc, argv);
}
