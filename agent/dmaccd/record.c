// SPDX-License-Identifier: LGPL-2.1-or-later
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "dmacc.h"
#include "record.h"

/* Before each key and value: source, length of the key, length of the value */
#define ENTRY_HEADER 6
#define KEY_MAX 255

struct entry {
	uint8_t source;
	uint8_t key_len;
	uint8_t *key;		/* need not be text: a later version's */
	uint8_t *value;		/* zero-terminated besides */
	size_t len;
};

struct record {
	struct entry *entries;
	size_t count;
};

int record_new(struct record **ret)
{
	struct record *record = calloc(1, sizeof(*record));

	if (!record)
		return -ENOMEM;
	*ret = record;
	return 0;
}

static void clear(struct entry *e)
{
	if (e->value)
		dmacc_wipe(e->value, e->len);
	free(e->value);
	free(e->key);
	*e = (struct entry){ 0 };
}

struct record *record_free(struct record *record)
{
	size_t i;

	if (!record)
		return NULL;
	for (i = 0; i < record->count; i++)
		clear(&record->entries[i]);
	free(record->entries);
	free(record);
	return NULL;
}

static struct entry *find(const struct record *record, enum record_source source, const char *key)
{
	size_t len = strlen(key), i;

	for (i = 0; i < record->count; i++) {
		struct entry *e = &record->entries[i];

		if (e->source == source && e->key_len == len && !memcmp(e->key, key, len))
			return e;
	}
	return NULL;
}

static uint8_t *duplicate(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	if (len)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

static int append(struct record *record, uint8_t source, const void *key, size_t key_len,
		  const void *bytes, size_t len)
{
	struct entry e = { .source = source, .key_len = (uint8_t)key_len, .len = len };
	struct entry *entries;

	if (record->count == RECORD_ENTRIES_MAX || !key_len || key_len > KEY_MAX ||
	    len > RECORD_VALUE_MAX)
		return -E2BIG;
	entries = reallocarray(record->entries, record->count + 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	record->entries = entries;
	e.key = duplicate(key, key_len);
	e.value = duplicate(bytes, len);
	if (!e.key || !e.value) {
		clear(&e);
		return -ENOMEM;
	}
	entries[record->count++] = e;
	return 0;
}

const void *record_get(const struct record *record, enum record_source source, const char *key,
		       size_t *ret_len)
{
	const struct entry *e = find(record, source, key);

	if (!e)
		return NULL;
	*ret_len = e->len;
	return e->value;
}

int record_set(struct record *record, enum record_source source, const char *key,
	       const void *bytes, size_t len)
{
	struct entry *e = find(record, source, key);
	uint8_t *value;

	if (!e)
		return append(record, (uint8_t)source, key, strlen(key), bytes, len);
	if (len > RECORD_VALUE_MAX)
		return -E2BIG;
	value = duplicate(bytes, len);
	if (!value)
		return -ENOMEM;
	dmacc_wipe(e->value, e->len);
	free(e->value);
	e->value = value;
	e->len = len;
	return 0;
}

static void remove_entry(struct record *record, struct entry *e)
{
	size_t at = (size_t)(e - record->entries);

	clear(e);
	memmove(e, e + 1, (record->count - at - 1) * sizeof(*e));
	record->count--;
}

void record_remove(struct record *record, enum record_source source, const char *key)
{
	struct entry *e = find(record, source, key);

	if (e)
		remove_entry(record, e);
}

void record_remove_source(struct record *record, enum record_source source)
{
	size_t i = record->count;

	while (i--)
		if (record->entries[i].source == source)
			remove_entry(record, &record->entries[i]);
}

const void *record_next(const struct record *record, enum record_source source, size_t *at,
			const char **ret_key, size_t *ret_len)
{
	const struct entry *e;

	while (*at < record->count) {
		e = &record->entries[(*at)++];
		if (e->source != source)
			continue;
		*ret_key = (const char *)e->key;
		*ret_len = e->len;
		return e->value;
	}
	return NULL;
}

int record_set_u32(struct record *record, enum record_source source, const char *key,
		   uint32_t value)
{
	uint32_t big = htobe32(value);

	return record_set(record, source, key, &big, sizeof(big));
}

bool record_get_u32(const struct record *record, enum record_source source, const char *key,
		    uint32_t *ret)
{
	const void *bytes;
	uint32_t big;
	size_t len;

	bytes = record_get(record, source, key, &len);
	if (!bytes || len != sizeof(big))
		return false;
	memcpy(&big, bytes, sizeof(big));
	*ret = be32toh(big);
	return true;
}

int record_copy(const struct record *record, struct record **ret)
{
	struct record *copy;
	size_t i;
	int r;

	r = record_new(&copy);
	for (i = 0; !r && i < record->count; i++) {
		const struct entry *e = &record->entries[i];

		r = append(copy, e->source, e->key, e->key_len, e->value, e->len);
		if (r)
			record_free(copy);
	}
	if (!r)
		*ret = copy;
	return r;
}

static bool entry_equal(const struct entry *a, const struct entry *b)
{
	return a->source == b->source && a->key_len == b->key_len && a->len == b->len &&
	       !memcmp(a->key, b->key, a->key_len) && !memcmp(a->value, b->value, a->len);
}

bool record_equal(const struct record *a, const struct record *b)
{
	size_t i;

	if (a->count != b->count)
		return false;
	for (i = 0; i < a->count; i++)
		if (!entry_equal(&a->entries[i], &b->entries[i]))
			return false;
	return true;
}

int record_encode(const struct record *record, uint8_t **ret_data, size_t *ret_len)
{
	size_t len = 0, i;
	uint8_t *data, *p;

	for (i = 0; i < record->count; i++)
		len += ENTRY_HEADER + record->entries[i].key_len + record->entries[i].len;
	if (len > RECORD_PAYLOAD_MAX)
		return -E2BIG;
	data = p = malloc(len + 1);
	if (!data)
		return -ENOMEM;
	for (i = 0; i < record->count; i++) {
		const struct entry *e = &record->entries[i];
		uint32_t big = htobe32((uint32_t)e->len);

		*p++ = e->source;
		*p++ = e->key_len;
		p = mempcpy(p, &big, sizeof(big));
		p = mempcpy(p, e->key, e->key_len);
		p = mempcpy(p, e->value, e->len);
	}
	*ret_data = data;
	*ret_len = len;
	return 0;
}

/* Returns how many bytes the first entry took, or a negative errno */
static ssize_t decode_entry(struct record *record, const uint8_t *data, size_t len)
{
	size_t key_len, value_len;
	uint32_t big;
	int r;

	if (len < ENTRY_HEADER)
		return -EBADMSG;
	key_len = data[1];
	memcpy(&big, data + 2, sizeof(big));
	value_len = be32toh(big);
	len -= ENTRY_HEADER;
	if (!key_len || key_len > len || value_len > len - key_len)
		return -EBADMSG;
	data += ENTRY_HEADER;
	r = append(record, data[-ENTRY_HEADER], data, key_len, data + key_len, value_len);
	if (r)
		return r == -E2BIG ? -EBADMSG : r;
	return (ssize_t)(ENTRY_HEADER + key_len + value_len);
}

int record_decode(const uint8_t *data, size_t len, struct record **ret)
{
	struct record *record;
	ssize_t n = 0;
	int r;

	if (len > RECORD_PAYLOAD_MAX)
		return -EBADMSG;
	r = record_new(&record);
	if (r)
		return r;
	for (; len && n >= 0; data += n, len -= (size_t)n) {
		n = decode_entry(record, data, len);
		if (n < 0)
			break;
	}
	if (n < 0) {
		record_free(record);
		return (int)n;
	}
	*ret = record;
	return 0;
}
