// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "fleet.h"

static int set_as(struct rows_settings *s, const char *as)
{
	if (!strcmp(as, "stored"))
		s->what = ROWS_STORED;
	else if (strcmp(as, "plain"))
		return complain("--as takes plain or stored, not '%s'", as);
	return 0;
}

static int set_option(struct arguments *a, int option)
{
	switch (option) {
	case 'n': a->pipeline.settings.nonces = true; return 0;
	case 's': return set_as(&a->pipeline.settings, optarg);
	case 'r': a->pipeline.rejects = optarg; return 0;
	default: return arguments_option(a, option);
	}
}

static int parse(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {
		KEY_OPTIONS, SERVER_OPTIONS, STREAM_OPTIONS,
		{ "nonces", no_argument, NULL, 'n' },
		{ "as", required_argument, NULL, 's' },
		{ "rejects", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (set_option(a, c))
			return EXIT_NOTHING;
	return 0;
}

static int judge(struct arguments *a)
{
	const struct rows_settings *s = &a->pipeline.settings;

	if (s->what == ROWS_STORED && a->addr)
		return complain("--as stored needs --server-id: the server's own login name goes into its hash");
	if (s->what == ROWS_STORED && s->nonces)
		return complain("--as stored has no columns for --nonces");
	return 0;
}

int derive_main(int argc, char **argv)
{
	struct arguments a = { .pipeline = { .threads = 1, .work = &rows_derive } };
	int r;

	r = parse(&a, argc, argv);
	if (!r)
		r = arguments_server(&a, true);
	if (!r)
		r = judge(&a);
	if (!r)
		r = arguments_input(&a, argv[0], argc, argv);
	if (!r)
		r = arguments_keys(&a);
	if (!r)
		r = pipeline_run(&a.pipeline);
	arguments_done(&a);
	return r;
}
