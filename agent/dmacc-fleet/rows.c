// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From a record to a line of output.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet.h"
#include "rows.h"

#define MD5_SIZE 16
#define BASE64_SIZE 25		/* of 16 bytes, with the terminating zero */

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

const char *rows_header(const struct rows_settings *s)
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
static bool add_line(const struct rows_settings *s, struct buffer *out, const struct line *line)
{
	char *room = buffer_room(out, 512), *p = room;
	size_t i, len;

	if (!room)
		return false;
	for (i = 0; i < line->count; i++) {
		if (s->jsonl)
			p += sprintf(p, "%c\"%s\":\"", i ? ',' : '{', column_names[s->what][i]);
		else if (i)
			*p++ = ',';
		len = strlen(line->values[i]);
		memcpy(p, line->values[i], len);
		p += len;
		if (s->jsonl)
			*p++ = '"';
	}
	if (s->jsonl)
		*p++ = '}';
	*p++ = '\n';
	out->len += (size_t)(p - room);
	return true;
}

static void put_base64(char ret[BASE64_SIZE], const uint8_t raw[16])
{
	EVP_EncodeBlock((unsigned char *)ret, raw, 16);
}

/* B64(MD5(name:password)), what a DM server needs to keep of a password */
static int put_stored(char ret[BASE64_SIZE], const char *name, size_t name_len, const char *password)
{
	char text[256 + DMACC_CREDENTIAL_SIZE];
	uint8_t digest[MD5_SIZE];
	int len, ok;

	len = snprintf(text, sizeof(text), "%.*s:%s", (int)name_len, name, password);
	ok = EVP_Digest(text, (size_t)len, digest, NULL, EVP_md5(), NULL);
	if (ok)
		put_base64(ret, digest);
	dmacc_wipe(text, sizeof(text));
	dmacc_wipe(digest, sizeof(digest));
	return ok ? 0 : -ENOMEM;
}

static int add_stored(const struct rows_settings *s, struct buffer *out, const char *devid,
		      const struct dmacc_credentials *c)
{
	char client[BASE64_SIZE], server[BASE64_SIZE];
	const struct line line = { 4, { devid, c->user_name, client, server } };
	int r;

	r = put_stored(client, c->user_name, strlen(c->user_name), c->client_pw);
	if (!r)
		r = put_stored(server, s->server.bytes, s->server.len, c->server_pw);
	if (!r && !add_line(s, out, &line))
		r = -ENOMEM;
	dmacc_wipe(client, sizeof(client));
	dmacc_wipe(server, sizeof(server));
	return r;
}

static int add_plain(const struct rows_settings *s, struct buffer *out, const char *devid,
		     const struct dmacc_credentials *c)
{
	char server_nonce[BASE64_SIZE] = "", client_nonce[BASE64_SIZE] = "";
	const struct line line = {
		s->nonces ? 6 : 4,
		{ devid, c->user_name, c->client_pw, c->server_pw, server_nonce, client_nonce },
	};

	if (s->nonces) {
		put_base64(server_nonce, c->server_nonce);
		put_base64(client_nonce, c->client_nonce);
	}
	return add_line(s, out, &line) ? 0 : -ENOMEM;
}

static int add_device_key(const struct rows_settings *s, struct buffer *out, const char *devid,
			  const uint8_t key[DMACC_KEY_SIZE])
{
	char text[2 * DMACC_KEY_SIZE + 1];
	const struct line line = { 2, { devid, text } };
	size_t i;
	int r;

	for (i = 0; i < DMACC_KEY_SIZE; i++) {
		text[2 * i] = "0123456789abcdef"[key[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[key[i] & 15];
	}
	text[2 * DMACC_KEY_SIZE] = '\0';
	r = add_line(s, out, &line) ? 0 : -ENOMEM;
	dmacc_wipe(text, sizeof(text));
	return r;
}

/* Identifiers that are derived together */
#define BATCH_SIZE 256

struct batch {
	size_t count;
	struct dmacc_request requests[BATCH_SIZE];
	char devids[BATCH_SIZE][DMACC_DEVID_SIZE];
	union {
		struct dmacc_credentials credentials[BATCH_SIZE];
		uint8_t device_keys[BATCH_SIZE][DMACC_KEY_SIZE];
	};
};

static int add_credentials(const struct rows_settings *s, struct buffer *out, const char *devid,
			   const struct dmacc_credentials *c)
{
	return s->what == ROWS_STORED ? add_stored(s, out, devid, c) : add_plain(s, out, devid, c);
}

static int derive_credentials(const struct rows_settings *s, struct dmacc_deriver *d,
			      struct batch *b, struct buffer *out)
{
	size_t i;
	int r;

	r = dmacc_deriver_batch(d, &s->server, s->nonces ? DMACC_NONCES : 0, b->requests, b->count,
				b->credentials);
	for (i = 0; i < b->count && !r; i++)
		r = add_credentials(s, out, b->devids[i], &b->credentials[i]);
	dmacc_wipe(b->credentials, b->count * sizeof(b->credentials[0]));
	return r;
}

static int derive_device_keys(const struct rows_settings *s, struct dmacc_deriver *d,
			      struct batch *b, struct buffer *out)
{
	size_t i;
	int r;

	r = dmacc_deriver_device_keys(d, b->requests, b->count, b->device_keys);
	for (i = 0; i < b->count && !r; i++)
		r = add_device_key(s, out, b->devids[i], b->device_keys[i]);
	dmacc_wipe(b->device_keys, b->count * sizeof(b->device_keys[0]));
	return r;
}

/* What has been collected becomes lines of output */
static int derive_batch(const struct rows_settings *s, struct dmacc_deriver *d, struct batch *b,
			struct buffer *out)
{
	int r = s->what == ROWS_DEVICE_KEY ? derive_device_keys(s, d, b, out) :
					     derive_credentials(s, d, b, out);

	b->count = 0;
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

/* A column that overrides an option for its row; an empty one does not */
static bool read_column(const struct record *record, int column, uint32_t min, uint32_t *value)
{
	const struct field *field;

	if (column < 0 || (size_t)column >= record->count)
		return true;
	field = &record->fields[column];
	return !field->len || parse_u32(field->text, field->len, min, value);
}

/* @devid is where ->devid goes */
static int read_request(const struct rows_settings *s, const struct record *record,
			struct dmacc_request *q, char devid[DMACC_DEVID_SIZE],
			struct dmacc_reason *reterr_reason)
{
	*q = (struct dmacc_request){ devid, s->key_version, s->generation, NULL };
	if (record->broken) {
		*reterr_reason = (struct dmacc_reason){ "quote", "a quoted field does not end" };
		return -EINVAL;
	}
	if (!read_column(record, s->columns.generation, 0, &q->generation)) {
		*reterr_reason = (struct dmacc_reason){
			"generation", "it is a number from 0 to 4294967295" };
		return -EINVAL;
	}
	if (!read_column(record, s->columns.key_version, 1, &q->key_version)) {
		*reterr_reason = (struct dmacc_reason){
			"key_version", "it is a number from 1 to 4294967295" };
		return -EINVAL;
	}
	return dmacc_identifier_read(record->fields[0].text, record->fields[0].len,
				     s->spare_digit ? DMACC_SPARE_DIGIT : 0, devid, reterr_reason);
}

/* Quoted if it has to be, RFC 4180 */
static bool add_csv_field(struct buffer *b, const struct field *field)
{
	size_t i;

	if (!memchr(field->text, ',', field->len) && !memchr(field->text, '"', field->len) &&
	    !memchr(field->text, '\n', field->len) && !memchr(field->text, '\r', field->len))
		return buffer_add(b, field->text, field->len);
	if (!buffer_add(b, "\"", 1))
		return false;
	for (i = 0; i < field->len; i++)
		if (!buffer_add(b, "\"\"", field->text[i] == '"' ? 2 : 0) ||
		    (field->text[i] != '"' && !buffer_add(b, field->text + i, 1)))
			return false;
	return buffer_add(b, "\"", 1);
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
	if (!buffer_add(&rows->rejects, text, (size_t)len) || !add_csv_field(&rows->rejects, input))
		return -ENOMEM;
	len = snprintf(text, sizeof(text), ",\"%s: %s\"\n", reason->word, reason->sentence);
	return buffer_add(&rows->rejects, text, (size_t)len) ? 0 : -ENOMEM;
}

static int process_record(const struct rows_settings *s, struct dmacc_deriver *d, struct rows *rows,
			  struct batch *b, uint64_t line, const struct record *record)
{
	char *devid = b->devids[b->count];
	struct dmacc_reason reason;
	int r;

	r = read_request(s, record, &b->requests[b->count], devid, &reason);
	if (!r && s->legacy)
		r = derive_legacy(s, devid, &rows->out, &reason);
	else if (!r && ++b->count == BATCH_SIZE)
		return derive_batch(s, d, b, &rows->out);
	if (r == -EINVAL)
		r = reject(s, rows, line, &record->fields[0], &reason);
	return r;
}

/* Length of the first record of a text, and how many lines it has */
static size_t next_record(const char *text, size_t size, size_t *ret_lines)
{
	size_t len = record_end(text, size), lines = 0;
	const char *feed;

	if (!len) {
		/* the last one, or a quote that never closes: then its line ends it */
		feed = memchr(text, '\n', size);
		len = feed ? (size_t)(feed - text) + 1 : size;
	}
	for (feed = text; (feed = memchr(feed, '\n', (size_t)(text + len - feed))); feed++)
		lines++;
	*ret_lines = lines;
	return len;
}

int rows_process(const struct rows_settings *s, struct dmacc_deriver *d, struct rows *rows)
{
	const char *text = rows->text, *end = rows->text + rows->len;
	struct batch *b = malloc(sizeof(*b));
	uint64_t line = rows->first_line;
	struct record record;
	size_t len, lines;
	int r = 0;

	if (!b)
		return -ENOMEM;
	b->count = 0;
	for (; text < end && !r; text += len, line += lines) {
		len = next_record(text, (size_t)(end - text), &lines);
		record_parse(&record, text, len - (text[len - 1] == '\n'));
		r = process_record(s, d, rows, b, line, &record);
	}
	if (!r && b->count)
		r = derive_batch(s, d, b, &rows->out);
	free(b);
	return r;
}
