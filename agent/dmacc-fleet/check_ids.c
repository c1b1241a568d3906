// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dmacc-fleet check-ids: what is a list of identifiers worth? It needs no key.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "fleet.h"
#include "line.h"

static const char *const names[] = { "line", "input", "DevId", "kind", "result", "detail" };

#define NAMES (sizeof(names) / sizeof(names[0]))

static const char *header(const struct rows_settings *s)
{
	return s->jsonl ? NULL : "line,input,DevId,kind,result,detail\n";
}

/* @reason: why it was refused, NULL if it was not. Of a duplicate the DevId is known. */
static int add_result(const struct rows_settings *s, struct rows *rows, uint64_t line,
		      const struct field *input, const char *devid,
		      const struct dmacc_reason *reason)
{
	bool duplicate = reason && !strcmp(reason->word, "duplicate");
	const char *known = !reason || duplicate ? devid : "";
	char number[24], detail[192] = "";

	(void)snprintf(number, sizeof(number), "%" PRIu64, line);
	if (reason)
		(void)snprintf(detail, sizeof(detail), "%s: %s", reason->word, reason->sentence);
	rows->refused += reason != NULL;
	return line_add(&rows->out, s->jsonl, names, (const struct field[NAMES]){
		line_field(number), *input, line_field(known), { known, strcspn(known, ":") },
		line_field(duplicate ? "duplicate" : reason ? "refused" : "ok"),
		line_field(detail) }, NAMES);
}

static int check_record(const struct rows_settings *s, struct rows *rows, uint64_t line,
			const struct record *record)
{
	const struct field *input = columns_identifier_field(&s->request.columns, record);
	char devid[DMACC_DEVID_SIZE] = "";
	struct dmacc_request request;
	struct dmacc_reason reason;
	int r;

	rows->count++;
	r = request_read(&s->request, record, line, devid, &request, &reason);
	if (r && r != -EINVAL)
		return r;
	return add_result(s, rows, line, input, devid, r ? &reason : NULL);
}

static int process(const struct rows_settings *s, struct worker *w, struct rows *rows)
{
	struct reader reader = rows_reader(w, rows);
	struct record record;
	uint64_t line;
	int r = 0;

	while (!r && reader_next(&reader, &record, &line))
		r = check_record(s, rows, line, &record);
	return r;
}

static const struct rows_work check = { header, process };

int check_ids_main(int argc, char **argv)
{
	static const struct option options[] = { STREAM_OPTIONS, { NULL, 0, NULL, 0 } };
	struct arguments a = {
		.pipeline = { .threads = 1, .work = &check, .duplicates = DUPLICATES_REFUSE },
	};
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (arguments_option(&a, c))
			return EXIT_NOTHING;
	r = arguments_input(&a, argv[0], argc, argv);
	return r ? r : pipeline_run(&a.pipeline);
}
