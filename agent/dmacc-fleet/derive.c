// SPDX-License-Identifier: LGPL-2.1-or-later
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "fleet.h"
#include "pipeline.h"

#define THREADS_MAX 64

/* What the command line said, before it is judged as a whole */
struct arguments {
	const char *key;
	const char *server_id;
	const char *addr;
	bool key_version_given;
	bool generation_given;
	struct pipeline pipeline;
};

static int set_profile(struct rows_settings *s, const char *name)
{
	s->legacy = dmacc_legacy_named(name);
	if (!s->legacy && strcmp(name, "dmacc-1"))
		return complain("--profile takes dmacc-1, fcs11384, fcs11384-device or fcs14345, not '%s'",
				name);
	return 0;
}

static int set_as(struct rows_settings *s, const char *as)
{
	if (!strcmp(as, "stored"))
		s->what = ROWS_STORED;
	else if (strcmp(as, "plain"))
		return complain("--as takes plain or stored, not '%s'", as);
	return 0;
}

static int set_format(struct rows_settings *s, const char *format)
{
	s->jsonl = !strcmp(format, "jsonl");
	if (!s->jsonl && strcmp(format, "csv"))
		return complain("--format takes csv or jsonl, not '%s'", format);
	return 0;
}

static int set_threads(struct pipeline *p, const char *text)
{
	uint32_t threads;

	if (!parse_u32(text, strlen(text), 1, &threads) || threads > THREADS_MAX)
		return complain("--threads takes a number from 1 to %d, not '%s'", THREADS_MAX,
				text);
	p->threads = threads;
	return 0;
}

static int set_option(struct arguments *a, int option)
{
	struct rows_settings *s = &a->pipeline.settings;

	switch (option) {
	case 'p': return set_profile(s, optarg);
	case 'k': a->key = optarg; return 0;
	case 'i': a->server_id = optarg; return 0;
	case 'a': a->addr = optarg; return 0;
	case 'g': a->generation_given = true; return option_u32("generation", optarg, 0, &s->generation);
	case 'v': a->key_version_given = true; return option_u32("key-version", optarg, 1, &s->key_version);
	case 'n': s->nonces = true; return 0;
	case 's': return set_as(s, optarg);
	case 'd': s->spare_digit = true; return 0;
	case 'f': return set_format(s, optarg);
	case 't': return set_threads(&a->pipeline, optarg);
	case 'r': a->pipeline.rejects = optarg; return 0;
	default: return EXIT_NOTHING;
	}
}

static int parse(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "profile", required_argument, NULL, 'p' },
		{ "key", required_argument, NULL, 'k' },
		{ "server-id", required_argument, NULL, 'i' },
		{ "addr", required_argument, NULL, 'a' },
		{ "generation", required_argument, NULL, 'g' },
		{ "key-version", required_argument, NULL, 'v' },
		{ "nonces", no_argument, NULL, 'n' },
		{ "as", required_argument, NULL, 's' },
		{ "spare-digit", no_argument, NULL, 'd' },
		{ "format", required_argument, NULL, 'f' },
		{ "threads", required_argument, NULL, 't' },
		{ "rejects", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (set_option(a, c))
			return EXIT_NOTHING;
	if (argc - optind > 1)
		return complain("derive takes one input, not also '%s'", argv[optind + 1]);
	a->pipeline.input = argv[optind];
	return 0;
}

static int judge_server(struct arguments *a)
{
	struct dmacc_server *server = &a->pipeline.settings.server;
	const char *text = a->server_id ? a->server_id : a->addr;
	struct dmacc_reason reason;

	if (!a->server_id == !a->addr)
		return complain("give either --server-id ID or --addr ADDR");
	server->element = a->server_id ? DMACC_ELEMENT_SERVER_ID : DMACC_ELEMENT_ADDR;
	server->bytes = text;
	server->len = strlen(text);
	if (dmacc_server_valid(server, &reason))
		return complain("--%s: %s: %s", a->server_id ? "server-id" : "addr", reason.word,
				reason.sentence);
	return 0;
}

static int judge_legacy(const struct arguments *a)
{
	const struct rows_settings *s = &a->pipeline.settings;

	if (a->key || a->key_version_given || a->generation_given)
		return complain("an unkeyed profile takes no --key, --key-version or --generation");
	if (a->addr)
		return complain("an unkeyed profile derives from the ServerID only");
	if (memchr(s->server.bytes, ':', s->server.len))
		return complain("--server-id: a ServerID with ':' is ambiguous in an unkeyed profile");
	if (s->server.len > 135)
		return complain("--server-id: an unkeyed profile takes 135 bytes at most");
	if (s->nonces && s->legacy == DMACC_LEGACY_FCS14345)
		return complain("profile fcs14345 has no nonces");
	complain("warning: this profile is unkeyed; whoever reads an IMEI off a box can compute these passwords");
	return 0;
}

static int judge(struct arguments *a)
{
	const struct rows_settings *s = &a->pipeline.settings;
	int r = judge_server(a);

	if (r)
		return r;
	if (s->what == ROWS_STORED && a->addr)
		return complain("--as stored needs --server-id: the server's own login name goes into its hash");
	if (s->what == ROWS_STORED && s->nonces)
		return complain("--as stored has no columns for --nonces");
	if (a->key && !strcmp(a->key, "-") &&
	    (!a->pipeline.input || !strcmp(a->pipeline.input, "-")))
		return complain("key and identifiers cannot both come from stdin");
	return s->legacy ? judge_legacy(a) : 0;
}

int derive_main(int argc, char **argv)
{
	struct arguments a = {
		.pipeline = { .threads = 1, .settings.key_version = 1 },
	};
	uint8_t key[DMACC_KEY_SIZE];
	int r;

	r = parse(&a, argc, argv);
	if (!r)
		r = judge(&a);
	if (!r && !a.pipeline.settings.legacy) {
		r = load_key(a.key, key);
		a.pipeline.vendor_key = key;
	}
	if (!r)
		r = pipeline_run(&a.pipeline);
	dmacc_wipe(key, sizeof(key));
	return r;
}
