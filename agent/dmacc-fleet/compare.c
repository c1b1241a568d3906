// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include "compare.h"
#include "encode.h"

#define BIT(column) (1U << (column))

#define OF_KEY BIT(COLUMN_KEY_ID)
#define OF_DEVICE (BIT(COLUMN_DEVICE_KEY) | BIT(COLUMN_USER_NAME))
#define OF_STORED (BIT(COLUMN_CLIENT_HASH) | BIT(COLUMN_SERVER_HASH))
#define OF_SERVER (BIT(COLUMN_CLIENT_PW) | BIT(COLUMN_SERVER_PW) | BIT(COLUMN_CLIENT_NONCE) | \
		   BIT(COLUMN_SERVER_NONCE) | OF_STORED)
#define OF_CREDENTIALS (BIT(COLUMN_USER_NAME) | OF_SERVER)
#define IN_HEX (BIT(COLUMN_KEY_ID) | BIT(COLUMN_DEVICE_KEY))

#define VALUE_SIZE ENCODE_HEX_SIZE(DMACC_KEY_SIZE)	/* of the longest */

/* What the values are; secret */
struct truth {
	char values[COLUMNS][VALUE_SIZE];
};

/* The columns that a record reports */
static uint32_t reported(const struct rows_settings *s, const struct record *record)
{
	uint32_t columns = 0;
	int i;

	for (i = 0; i < COLUMNS; i++)
		if (BIT(i) & (OF_KEY | OF_DEVICE | OF_SERVER) &&
		    columns_get(&s->request.columns, record, (enum column)i))
			columns |= BIT(i);
	return columns;
}

static int judge(const struct rows_settings *s, uint32_t columns,
		 struct dmacc_reason *reterr_reason)
{
	if (!columns)
		*reterr_reason = (struct dmacc_reason){
			"nothing", "it reports no value that could be compared" };
	else if (columns & OF_SERVER && !s->server.len)
		*reterr_reason = (struct dmacc_reason){
			"server", "what it reports is a server's; give --server-id or --addr" };
	else if (columns & OF_STORED && s->server.element != DMACC_ELEMENT_SERVER_ID)
		*reterr_reason = (struct dmacc_reason){
			"server", "the server's login name is in its hash; give --server-id" };
	else if (s->legacy && columns & IN_HEX)
		*reterr_reason = (struct dmacc_reason){
			"profile", "an unkeyed profile has neither KeyId nor DeviceKey" };
	else
		return 0;
	return -EINVAL;
}

static int put_credentials(const struct rows_settings *s, const struct dmacc_credentials *c,
			   uint32_t columns, struct truth *t)
{
	int r = 0;

	strcpy(t->values[COLUMN_USER_NAME], c->user_name);
	strcpy(t->values[COLUMN_CLIENT_PW], c->client_pw);
	strcpy(t->values[COLUMN_SERVER_PW], c->server_pw);
	encode_base64(t->values[COLUMN_CLIENT_NONCE], c->client_nonce);
	encode_base64(t->values[COLUMN_SERVER_NONCE], c->server_nonce);
	if (columns & OF_STORED)
		r = encode_stored(t->values[COLUMN_CLIENT_HASH], c->user_name,
				  strlen(c->user_name), c->client_pw);
	if (columns & OF_STORED && !r)
		r = encode_stored(t->values[COLUMN_SERVER_HASH], s->server.bytes, s->server.len,
				  c->server_pw);
	return r;
}

static int learn_legacy(const struct rows_settings *s, const char *devid, uint32_t columns,
			struct truth *t, struct dmacc_reason *reterr_reason)
{
	struct dmacc_credentials c;
	int r;

	reterr_reason->word = "profile";
	r = dmacc_legacy_credentials(s->legacy, devid, &s->server, &c, &reterr_reason->sentence);
	return r ? r : put_credentials(s, &c, columns, t);
}

static int learn_credentials(const struct rows_settings *s, struct dmacc_deriver *d,
			     const uint8_t key[DMACC_KEY_SIZE], const struct dmacc_request *q,
			     uint32_t columns, struct truth *t)
{
	/* a UserName is the same for all servers; where none was given, nothing else is asked for */
	static const struct dmacc_server any = { DMACC_ELEMENT_SERVER_ID, "any", 3 };
	struct dmacc_credentials c;
	int r;

	r = dmacc_deriver_credentials(d, key, q->devid, s->server.len ? &s->server : &any,
				      q->generation, DMACC_NONCES, &c);
	if (!r)
		r = put_credentials(s, &c, columns, t);
	dmacc_wipe(&c, sizeof(c));
	return r;
}

static int learn_keyed(const struct rows_settings *s, struct dmacc_deriver *d,
		       const struct dmacc_request *q, uint32_t columns, struct truth *t)
{
	uint8_t key[DMACC_KEY_SIZE];
	int r = 0;

	if (columns & OF_KEY)
		r = dmacc_deriver_key_id(d, q->key_version, t->values[COLUMN_KEY_ID]);
	if (r || !(columns & ~OF_KEY))
		return r;
	r = dmacc_deriver_device_key(d, q->devid, q->key_version, key);
	if (!r)
		encode_hex(t->values[COLUMN_DEVICE_KEY], key, sizeof(key));
	if (!r && columns & OF_CREDENTIALS)
		r = learn_credentials(s, d, key, q, columns, t);
	dmacc_wipe(key, sizeof(key));
	return r;
}

static int learn(const struct rows_settings *s, struct worker *w, struct dmacc_request *q,
		 uint32_t columns, struct truth *t, struct dmacc_reason *reterr_reason)
{
	struct dmacc_deriver *d;

	if (s->legacy)
		return learn_legacy(s, q->devid, columns, t, reterr_reason);
	d = keyring_find(w->keys, q->devid, &q->key_version);
	if (!d) {
		*reterr_reason = keyring_no_entry;
		return -EINVAL;
	}
	return learn_keyed(s, d, q, columns, t);
}

/* Hexadecimal digits may be in either case */
static bool same(const struct field *field, const char *value, bool in_hex)
{
	char text[VALUE_SIZE];
	bool equal;
	size_t i;

	if (field->len != strlen(value) || field->len >= sizeof(text))
		return false;
	for (i = 0; i < field->len; i++)
		text[i] = in_hex ? (char)tolower((unsigned char)field->text[i]) : field->text[i];
	equal = !CRYPTO_memcmp(text, value, field->len);
	dmacc_wipe(text, sizeof(text));
	return equal;
}

static uint32_t differing(const struct rows_settings *s, const struct record *record,
			  uint32_t columns, const struct truth *t)
{
	uint32_t differs = 0;
	int i;

	for (i = 0; i < COLUMNS; i++)
		if (columns & BIT(i) &&
		    !same(columns_get(&s->request.columns, record, (enum column)i), t->values[i],
			  IN_HEX & BIT(i)))
			differs |= BIT(i);
	return differs;
}

int compare_record(const struct rows_settings *s, struct worker *w, const struct record *record,
		   struct dmacc_request *q, struct compare_result *ret,
		   struct dmacc_reason *reterr_reason)
{
	uint32_t columns = reported(s, record);
	struct truth t = { 0 };
	int r;

	r = judge(s, columns, reterr_reason);
	if (!r)
		r = learn(s, w, q, columns, &t, reterr_reason);
	if (!r)
		*ret = (struct compare_result){ columns, differing(s, record, columns, &t) };
	dmacc_wipe(&t, sizeof(t));
	return r;
}
