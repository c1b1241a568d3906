// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>

#include "fleet.h"
#include "request.h"

/* A column that overrides an option for its record; an empty one does not */
static bool read_number(const struct request_settings *s, const struct record *record,
			enum column column, uint32_t min, uint32_t *value)
{
	const struct field *field = columns_get(&s->columns, record, column);

	return !field || parse_u32(field->text, field->len, min, value);
}

static int read_fields(const struct request_settings *s, const struct record *record,
		       char devid[DMACC_DEVID_SIZE], struct dmacc_request *q,
		       struct dmacc_reason *reterr_reason)
{
	if (record->refusal) {
		*reterr_reason = *record->refusal;
		return -EINVAL;
	}
	if (!read_number(s, record, COLUMN_GENERATION, 0, &q->generation)) {
		*reterr_reason = (struct dmacc_reason){
			"generation", "it is a number from 0 to 4294967295" };
		return -EINVAL;
	}
	if (!read_number(s, record, COLUMN_KEY_VERSION, 1, &q->key_version)) {
		*reterr_reason = (struct dmacc_reason){
			"key_version", "it is a number from 1 to 4294967295" };
		return -EINVAL;
	}
	return columns_identifier(&s->columns, record, s->spare_digit ? DMACC_SPARE_DIGIT : 0,
				  devid, reterr_reason);
}

static int judge_duplicate(const struct request_settings *s, uint64_t line, const char *devid,
			   struct dmacc_reason *reterr_reason)
{
	static _Thread_local char sentence[64];
	uint64_t first;
	int r;

	r = duplicates_add(s->duplicates, devid, line, &first);
	if (r != -EEXIST)
		return r;
	(void)snprintf(sentence, sizeof(sentence), "the device is in line %llu already",
		       (unsigned long long)first);
	if (s->refuse_duplicates) {
		*reterr_reason = (struct dmacc_reason){ "duplicate", sentence };
		return -EINVAL;
	}
	complain("warning: line %llu: duplicate: %s", (unsigned long long)line, sentence);
	return 0;
}

int request_read(const struct request_settings *s, const struct record *record, uint64_t line,
		 char devid[DMACC_DEVID_SIZE], struct dmacc_request *ret,
		 struct dmacc_reason *reterr_reason)
{
	struct dmacc_request q = { .devid = devid, .generation = s->generation };
	int r;

	r = read_fields(s, record, devid, &q, reterr_reason);
	if (!r && s->duplicates)
		r = judge_duplicate(s, line, devid, reterr_reason);
	if (!r)
		*ret = q;
	return r;
}
