// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From a record to a line of output.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"
#include "fleet.h"
#include "line.h"
#include "rows.h"

/* The values of one output line, in its order */
struct line {
	size_t count;
	const char *values[6];
};

static const char *const column_names[][6] = {
	[ROWS_CREDENTIALS] = { "DevId", "UserName", "ClientPW", "ServerPW", "ServerNonce",
			       "ClientNonce" },
	[ROWS_STORED] = { "DevId", "UserName", "ClientHash", "ServerHash" },
	[ROWS_DEVICE_KEY] = { "DevId", "DeviceKey" },
};

static const char *header(const struct rows_settings *s)
{
	if (s->jsonl)
		return NULL;
	if (s->what == ROWS_STORED)
		return "DevId,UserName,ClientHash,ServerHash\n";
	if (s->what == ROWS_DEVICE_KEY)
		return "DevId,DeviceKey\n";
	return s->nonces ? "DevId,UserName,ClientPW,ServerPW,ServerNonce,ClientNonce\n" :
			   "DevId,UserName,ClientPW,ServerPW\n";
}

/* None of the values has a character that CSV or JSON would want escaped */
static char *put_csv_line(char *p, const struct line *line)
{
	size_t i;

	for (i = 0; i < line->count; i++) {
		p = stpcpy(p, line->values[i]);
		*p++ = ',';
	}
	return p - 1;
}

static char *put_json_line(char *p, const struct rows_settings *s, const struct line *line)
{
	size_t i;

	for (i = 0; i < line->count; i++) {
		p = stpcpy(p, i ? ",\"" : "{\"");
		p = stpcpy(p, column_names[s->what][i]);
		p = stpcpy(p, "\":\"");
		p = stpcpy(p, line->values[i]);
		*p++ = '"';
	}
	*p++ = '}';
	return p;
}

static bool add_line(const struct rows_settings *s, struct buffer *out, const struct line *line)
{
	char *room = buffer_room(out, 512), *p;

	if (!room)
		return false;
	p = s->jsonl ? put_json_line(room, s, line) : put_csv_line(room, line);
	*p++ = '\n';
	out->len += (size_t)(p - room);
	return true;
}

static int add_stored(const struct rows_settings *s, struct buffer *out, const char *devid,
		      const struct dmacc_credentials *c)
{
	char client[ENCODE_BASE64_SIZE], server[ENCODE_BASE64_SIZE];
	const struct line line = { 4, { devid, c->user_name, client, server } };
	int r;

	r = encode_stored(client, c->user_name, strlen(c->user_name), c->client_pw);
	if (!r)
		r = encode_stored(server, s->server.bytes, s->server.len, c->server_pw);
	if (!r && !add_line(s, out, &line))
		r = -ENOMEM;
	dmacc_wipe(client, sizeof(client));
	dmacc_wipe(server, sizeof(server));
	return r;
}

static int add_plain(const struct rows_settings *s, struct buffer *out, const char *devid,
		     const struct dmacc_credentials *c)
{
	char server_nonce[ENCODE_BASE64_SIZE] = "", client_nonce[ENCODE_BASE64_SIZE] = "";
	const struct line line = {
		s->nonces ? 6 : 4,
		{ devid, c->user_name, c->client_pw, c->server_pw, server_nonce, client_nonce },
	};

	if (s->nonces) {
		encode_base64(server_nonce, c->server_nonce);
		encode_base64(client_nonce, c->client_nonce);
	}
	return add_line(s, out, &line) ? 0 : -ENOMEM;
}

static int add_device_key(const struct rows_settings *s, struct buffer *out, const char *devid,
			  const uint8_t key[DMACC_KEY_SIZE])
{
	char text[ENCODE_HEX_SIZE(DMACC_KEY_SIZE)];
	const struct line line = { 2, { devid, text } };
	int r;

	encode_hex(text, key, DMACC_KEY_SIZE);
	r = add_line(s, out, &line) ? 0 : -ENOMEM;
	dmacc_wipe(text, sizeof(text));
	return r;
}

/* Identifiers that are derived together */
#define BATCH_SIZE 256

/* @derivers: each has the vendor key of its request's device */
struct batch {
	size_t count;
	bool several_keys;
	struct dmacc_deriver *derivers[BATCH_SIZE];
	struct dmacc_request requests[BATCH_SIZE];
	char devids[BATCH_SIZE][DMACC_DEVID_SIZE];
	struct dmacc_credentials credentials[BATCH_SIZE];
	uint8_t device_keys[BATCH_SIZE][DMACC_KEY_SIZE];
};

static int add_credentials(const struct rows_settings *s, struct buffer *out, const char *devid,
			   const struct dmacc_credentials *c)
{
	return s->what == ROWS_STORED ? add_stored(s, out, devid, c) : add_plain(s, out, devid, c);
}

static int derive_credentials(const struct rows_settings *s, struct batch *b, struct buffer *out)
{
	size_t i;
	int r;

	r = dmacc_deriver_batch(b->derivers[0], &s->server, s->nonces ? DMACC_NONCES : 0,
				b->requests, b->count, b->credentials);
	for (i = 0; i < b->count && !r; i++)
		r = add_credentials(s, out, b->devids[i], &b->credentials[i]);
	dmacc_wipe(b->credentials, b->count * sizeof(b->credentials[0]));
	return r;
}

/* What a device key was derived with does not matter any more: then one deriver does the rest */
static int derive_device_keys(struct batch *b)
{
	size_t i;
	int r = 0;

	if (!b->several_keys)
		return dmacc_deriver_device_keys(b->derivers[0], b->requests, b->count,
						 b->device_keys);
	for (i = 0; i < b->count && !r; i++)
		r = dmacc_deriver_device_key(b->derivers[i], b->requests[i].devid,
					     b->requests[i].key_version, b->device_keys[i]);
	for (i = 0; i < b->count; i++)
		b->requests[i].device_key = b->device_keys[i];
	return r;
}

static int put_device_keys(const struct rows_settings *s, struct batch *b, struct buffer *out)
{
	size_t i;
	int r;

	r = derive_device_keys(b);
	for (i = 0; i < b->count && !r; i++)
		r = add_device_key(s, out, b->devids[i], b->device_keys[i]);
	return r;
}

/* What has been collected becomes lines of output */
static int derive_batch(const struct rows_settings *s, struct batch *b, struct buffer *out)
{
	int r = 0;

	if (s->what == ROWS_DEVICE_KEY) {
		r = put_device_keys(s, b, out);
	} else {
		if (b->several_keys)
			r = derive_device_keys(b);
		if (!r)
			r = derive_credentials(s, b, out);
	}
	dmacc_wipe(b->device_keys, b->count * sizeof(b->device_keys[0]));
	b->count = 0;
	b->several_keys = false;
	return r;
}

static int derive_legacy(const struct rows_settings *s, const char *devid, struct buffer *out,
			 struct dmacc_reason *reterr_reason)
{
	struct dmacc_credentials c;
	int r;

	r = dmacc_legacy_credentials(s->legacy, devid, &s->server, &c, &reterr_reason->sentence);
	if (r) {
		reterr_reason->word = "profile";
		return r;
	}
	return add_credentials(s, out, devid, &c);
}

static int reject(const struct rows_settings *s, struct rows *rows, uint64_t line,
		  const struct field *input, const struct dmacc_reason *reason)
{
	char text[256];
	int len;

	rows->refused++;
	if (!s->rejects_as_csv) {
		len = snprintf(text, sizeof(text), "dmacc-fleet: line %llu: %s: %s\n",
			       (unsigned long long)line, reason->word, reason->sentence);
		return buffer_add(&rows->rejects, text, (size_t)len) ? 0 : -ENOMEM;
	}
	len = snprintf(text, sizeof(text), "%llu,", (unsigned long long)line);
	if (!buffer_add(&rows->rejects, text, (size_t)len) || !line_add_csv(&rows->rejects, input))
		return -ENOMEM;
	len = snprintf(text, sizeof(text), ",\"%s: %s\"\n", reason->word, reason->sentence);
	return buffer_add(&rows->rejects, text, (size_t)len) ? 0 : -ENOMEM;
}

/* Its vendor key, and a place in the batch */
static int collect(struct worker *w, struct batch *b, struct dmacc_reason *reterr_reason)
{
	struct dmacc_request *q = &b->requests[b->count];
	struct dmacc_deriver *d = keyring_find(w->keys, q->devid, &q->key_version);

	if (!d) {
		*reterr_reason = keyring_no_entry;
		return -EINVAL;
	}
	b->derivers[b->count++] = d;
	b->several_keys |= d != b->derivers[0];
	return 0;
}

static int process_record(const struct rows_settings *s, struct worker *w, struct rows *rows,
			  struct batch *b, uint64_t line, const struct record *record)
{
	char *devid = b->devids[b->count];
	struct dmacc_reason reason;
	int r;

	rows->count++;
	r = request_read(&s->request, record, line, devid, &b->requests[b->count], &reason);
	if (!r)
		r = s->legacy ? derive_legacy(s, devid, &rows->out, &reason) :
				collect(w, b, &reason);
	if (r == -EINVAL)
		r = reject(s, rows, line, columns_identifier_field(&s->request.columns, record),
			   &reason);
	if (!r && b->count == BATCH_SIZE)
		r = derive_batch(s, b, &rows->out);
	return r;
}

static int process(const struct rows_settings *s, struct worker *w, struct rows *rows)
{
	struct reader reader = rows_reader(w, rows);
	struct batch *b = malloc(sizeof(*b));
	struct record record;
	uint64_t line;
	int r = 0;

	if (!b)
		return -ENOMEM;
	b->count = 0;
	b->several_keys = false;
	while (!r && reader_next(&reader, &record, &line))
		r = process_record(s, w, rows, b, line, &record);
	if (!r && b->count)
		r = derive_batch(s, b, &rows->out);
	free(b);
	return r;
}

const struct rows_work rows_derive = { header, process };
