// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dmacc-fleet verify: the command line and the lines that it prints. What is compared is in
 * compare.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "compare.h"
#include "fleet.h"
#include "line.h"

static const char *const names[] = { "line", "DevId", "result", "detail" };

#define NAMES (sizeof(names) / sizeof(names[0]))

static const char *header(const struct rows_settings *s)
{
	return s->jsonl ? NULL : "line,DevId,result,detail\n";
}

static int add_result(const struct rows_settings *s, struct rows *rows, uint64_t line,
		      const char *devid, const char *result, const char *detail)
{
	char number[24];

	(void)snprintf(number, sizeof(number), "%" PRIu64, line);
	return line_add(&rows->out, s->jsonl, names, (const struct field[NAMES]){
		line_field(number), line_field(devid), line_field(result), line_field(detail) },
		NAMES);
}

static int add_refusal(const struct rows_settings *s, struct rows *rows, uint64_t line,
		       const char *devid, const struct dmacc_reason *reason)
{
	char detail[192];

	rows->refused++;
	(void)snprintf(detail, sizeof(detail), "%s: %s", reason->word, reason->sentence);
	return add_result(s, rows, line, devid, "refused", detail);
}

/* "UserName ClientPW": which fields these are, never what is in them */
static void list(uint32_t columns, char *ret, size_t size)
{
	size_t len = 0;
	int i;

	*ret = '\0';
	for (i = 0; i < COLUMNS; i++)
		if (columns & 1U << i)
			len += (size_t)snprintf(ret + len, size - len, "%s%s", len ? " " : "",
						column_word((enum column)i));
}

static int verify_record(const struct rows_settings *s, struct worker *w, struct rows *rows,
			 uint64_t line, const struct record *record)
{
	char devid[DMACC_DEVID_SIZE] = "", detail[192];
	struct compare_result result;
	struct dmacc_request request;
	struct dmacc_reason reason;
	int r;

	r = request_read(&s->request, record, line, devid, &request, &reason);
	if (r == -EINVAL)
		return add_refusal(s, rows, line, "", &reason);
	if (!r)
		r = compare_record(s, w, record, &request, &result, &reason);
	if (r == -EINVAL)
		return add_refusal(s, rows, line, devid, &reason);
	if (r)
		return r;
	rows->refused += result.differs != 0;
	list(result.differs ? result.differs : result.compared, detail, sizeof(detail));
	return add_result(s, rows, line, devid, result.differs ? "differs" : "match", detail);
}

/* A record of another server's slot is none of ours; one that does not say is */
static bool is_wanted(const struct rows_settings *s, const struct record *record)
{
	const struct field *slot = columns_get(&s->request.columns, record, COLUMN_SLOT);

	return !s->slot || !slot ||
	       (slot->len == strlen(s->slot) && !memcmp(slot->text, s->slot, slot->len));
}

static int process(const struct rows_settings *s, struct worker *w, struct rows *rows)
{
	struct reader reader = rows_reader(w, rows);
	struct record record;
	uint64_t line;
	int r = 0;

	while (!r && reader_next(&reader, &record, &line)) {
		if (!is_wanted(s, &record))
			continue;
		rows->count++;
		r = verify_record(s, w, rows, line, &record);
	}
	dmacc_wipe(&record, sizeof(record));
	return r;
}

static const struct rows_work verify = { header, process };

/* One device, of which the command line says what is no password */
struct device {
	const char *id;
	const char *user_name;
	const char *key_id;
};

static int parse(struct arguments *a, struct device *d, int argc, char **argv)
{
	static const struct option options[] = {
		KEY_OPTIONS, SERVER_OPTIONS, STREAM_OPTIONS,
		{ "slot", required_argument, NULL, 'S' },
		{ "id", required_argument, NULL, 'I' },
		{ "user-name", required_argument, NULL, 'U' },
		{ "key-id", required_argument, NULL, 'E' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'S': a->pipeline.settings.slot = optarg; break;
		case 'I': d->id = optarg; break;
		case 'U': d->user_name = optarg; break;
		case 'E': d->key_id = optarg; break;
		default:
			if (arguments_option(a, c))
				return EXIT_NOTHING;
		}
	}
	return 0;
}

static int judge_device(const struct device *d, int argc, char **argv)
{
	if (!d->id && (d->user_name || d->key_id))
		return complain("--user-name and --key-id are those of the device that --id ID names");
	if (!d->id)
		return 0;
	if (!d->user_name && !d->key_id)
		return complain("--id: say with --user-name or --key-id what the device reports; a password goes through INPUT");
	if (optind < argc)
		return complain("with --id there is no input '%s'", argv[optind]);
	return 0;
}

/* The record that the command line makes; columns in the order of the fields */
static void make_record(const struct device *d, struct columns *columns, struct record *record)
{
	const struct {
		enum column column;
		const char *text;
	} given[] = {
		{ COLUMN_DEVID, d->id }, { COLUMN_USER_NAME, d->user_name },
		{ COLUMN_KEY_ID, d->key_id },
	};
	size_t i;

	columns_of_objects(columns);
	*record = (struct record){ .count = COLUMNS };
	for (i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		if (given[i].text)
			record->fields[given[i].column] = line_field(given[i].text);
}

static int print(const struct arguments *a, const struct buffer *text)
{
	const struct rows_settings *s = &a->pipeline.settings;
	struct output out;
	int r;

	r = output_open(&out, a->pipeline.output);
	if (!r && header(s))
		r = output_write(&out, header(s), strlen(header(s)));
	if (!r)
		r = output_write(&out, text->text, text->len);
	if (!r)
		r = output_commit(&out);
	output_close(&out);
	return r ? complain("the output cannot be written: %s", strerror(-r)) : 0;
}

static int verify_one(struct arguments *a, const struct device *d)
{
	struct rows rows = { 0 };
	struct record record;
	struct worker w;
	int r;

	make_record(d, &a->pipeline.settings.request.columns, &record);
	r = worker_init(&w, &a->pipeline.settings, a->pipeline.keyring);
	if (!r) {
		r = verify_record(&a->pipeline.settings, &w, &rows, 1, &record);
		r = r ? EXIT_NOTHING : print(a, &rows.out);
	}
	worker_done(&w);
	buffer_done(&rows.out);
	return r ? r : rows.refused ? EXIT_SOME : EXIT_DONE;
}

static int verify_many(struct pipeline *p)
{
	int r = pipeline_run(p);

	if (r == EXIT_DONE && !p->count)
		return complain("there is nothing to verify in the input");
	return r;
}

int verify_main(int argc, char **argv)
{
	struct arguments a = { .pipeline = { .threads = 1, .work = &verify } };
	struct device device = { 0 };
	int r;

	r = parse(&a, &device, argc, argv);
	if (!r)
		r = judge_device(&device, argc, argv);
	if (!r)
		r = arguments_server(&a, false);
	if (!r && !device.id)
		r = arguments_input(&a, argv[0], argc, argv);
	if (!r)
		r = arguments_keys(&a);
	if (!r)
		r = device.id ? verify_one(&a, &device) : verify_many(&a.pipeline);
	arguments_done(&a);
	return r;
}
