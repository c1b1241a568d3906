// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "arguments.h"
#include "fleet.h"

static int set_profile(struct rows_settings *s, const char *name)
{
	s->legacy = dmacc_legacy_named(name);
	if (!s->legacy && strcmp(name, "dmacc-1"))
		return complain("--profile takes dmacc-1, fcs11384, fcs11384-device or fcs14345, not '%s'",
				name);
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

	if (!parse_u32(text, strlen(text), 1, &threads) || threads > PIPELINE_THREADS_MAX)
		return complain("--threads takes a number from 1 to %d, not '%s'", PIPELINE_THREADS_MAX,
				text);
	p->threads = threads;
	return 0;
}

static int set_duplicates(struct pipeline *p, const char *text)
{
	if (!strcmp(text, "ignore"))
		p->duplicates = DUPLICATES_IGNORE;
	else if (!strcmp(text, "report"))
		p->duplicates = DUPLICATES_REPORT;
	else if (!strcmp(text, "refuse"))
		p->duplicates = DUPLICATES_REFUSE;
	else
		return complain("--duplicates takes ignore, report or refuse, not '%s'", text);
	return 0;
}

int arguments_option(struct arguments *a, int option)
{
	struct rows_settings *s = &a->pipeline.settings;

	switch (option) {
	case 'p': return set_profile(s, optarg);
	case 'i': a->server_id = optarg; return 0;
	case 'a': a->addr = optarg; return 0;
	case 'g': a->generation_given = true;
		return option_u32("generation", optarg, 0, &s->request.generation);
	case 'd': s->request.spare_digit = true; return 0;
	case 'D': return set_duplicates(&a->pipeline, optarg);
	case 'f': return set_format(s, optarg);
	case 'o': a->pipeline.output = optarg; return 0;
	case 't': return set_threads(&a->pipeline, optarg);
	default: return key_option(&a->keys, option);
	}
}

int arguments_input(struct arguments *a, const char *verb, int argc, char **argv)
{
	if (argc - optind > 1)
		return complain("%s takes one input, not also '%s'", verb, argv[optind + 1]);
	a->pipeline.input = argv[optind];
	if (key_options_use_stdin(&a->keys) &&
	    (!a->pipeline.input || !strcmp(a->pipeline.input, "-")))
		return complain("key and identifiers cannot both come from stdin");
	return 0;
}

static int judge_legacy(const struct arguments *a)
{
	const struct rows_settings *s = &a->pipeline.settings;

	if (a->keys.key || a->keys.keyring || a->keys.key_version_given || a->generation_given)
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

int arguments_server(struct arguments *a, bool needed)
{
	struct dmacc_server *server = &a->pipeline.settings.server;
	const char *text = a->server_id ? a->server_id : a->addr;
	struct dmacc_reason reason;

	if (!text && !needed && !a->pipeline.settings.legacy)
		return 0;
	if (!a->server_id == !a->addr)
		return complain("give either --server-id ID or --addr ADDR");
	server->element = a->server_id ? DMACC_ELEMENT_SERVER_ID : DMACC_ELEMENT_ADDR;
	server->bytes = text;
	server->len = strlen(text);
	if (dmacc_server_valid(server, &reason))
		return complain("--%s: %s: %s", a->server_id ? "server-id" : "addr", reason.word,
				reason.sentence);
	return a->pipeline.settings.legacy ? judge_legacy(a) : 0;
}

int arguments_keys(struct arguments *a)
{
	return a->pipeline.settings.legacy ? 0 : keyring_open(&a->keys, &a->pipeline.keyring);
}

void arguments_done(struct arguments *a)
{
	a->pipeline.keyring = keyring_free(a->pipeline.keyring);
}
