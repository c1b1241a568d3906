// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Two unkeyed algorithms that shipped on phones, for servers that still expect
 * them: uapi/derivation.md, section 8. Both are MD5 over public values, so
 * nothing here is secret. The first one's factory tool and device code disagree
 * on UserName, so it has two names.
 */
#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "core/devid.h"
#include "dmacc.h"

#define IMEI_LEN 15
#define MD5_SIZE 16
#define SERVER_MAX 135		/* what the published tool takes */
#define SEED_SIZE (IMEI_LEN + 32 + SERVER_MAX + 16)
#define WEIGHTS 15

struct request {
	const char *imei;		/* 15 digits */
	const char *server;
	int server_len;
};

static int md5(const char *text, uint8_t ret[MD5_SIZE])
{
	return EVP_Digest(text, strlen(text), ret, NULL, EVP_md5(), NULL) ? 0 : -ENOMEM;
}

/* B64(MD5(text)) */
static int hash_base64(const char *text, char *ret)
{
	uint8_t digest[MD5_SIZE];

	if (md5(text, digest))
		return -ENOMEM;
	EVP_EncodeBlock((unsigned char *)ret, digest, sizeof(digest));
	return 0;
}

static int fcs11384(const struct request *q, const char *user_name, struct dmacc_credentials *c)
{
	char seed[SEED_SIZE];
	int r;

	/* the same two nonces on every device: they authenticate nothing */
	memcpy(c->server_nonce, "14YJ55NI65RS25WA", DMACC_NONCE_SIZE);
	memcpy(c->client_nonce, "53LI62MI23HE33ST", DMACC_NONCE_SIZE);
	snprintf(seed, sizeof(seed), "%.*s:%s", q->server_len, q->server, q->imei);
	r = hash_base64(seed, c->server_pw);
	snprintf(seed, sizeof(seed), "%s:%.*s", q->imei, q->server_len, q->server);
	if (!r)
		r = hash_base64(seed, c->client_pw);
	snprintf(seed, sizeof(seed), "%s:%.*s:%s", q->imei, q->server_len, q->server, user_name);
	return r ? r : hash_base64(seed, c->user_name);
}

/* "s1-s2": two weighted sums over the ASCII codes of the IMEI from its fourth digit on */
static void weigh(const char *imei, const uint8_t weights[WEIGHTS], char *ret, size_t size)
{
	unsigned int s1 = 0, s2 = 0, i;

	/* published code runs past the end for a longer identifier */
	static_assert(IMEI_LEN - 3 <= WEIGHTS, "a weight for each digit from the fourth on");
	for (i = 0; i < IMEI_LEN - 3; i++) {
		s1 += (unsigned int)imei[i + 3] * weights[i];
		s2 += (unsigned int)imei[i + 3] * (unsigned int)imei[i + 2] * weights[i];
	}
	snprintf(ret, size, "%u-%u", s1, s2);
}

static void put_base36(const char *imei, char ret[10])
{
	unsigned long long value = 0;
	int i;

	for (i = 0; i < IMEI_LEN; i++)
		value = value * 10 + (unsigned long long)(imei[i] - '0');
	for (i = 9; i >= 0; i--, value /= 36)
		ret[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[value % 36];
}

/* Three times: each character of the second half moves to where it mirrors itself */
static void shuffle(char *text, int len)
{
	int round, i, to;

	for (round = 0; round < 3; round++) {
		for (i = len / 2; i < len; i++) {
			char moved = text[i];

			to = len - 1 - i;
			memmove(text + to + 1, text + to, (size_t)(i - to));
			text[to] = moved;
		}
	}
}

static int fcs14345_password(const struct request *q, const uint8_t weights[WEIGHTS],
			     char *ret)
{
	static const uint8_t picked[] = { 2, 7, 8, 12, 25, 30 };
	char seed[SEED_SIZE], key[32];
	uint8_t digest[MD5_SIZE];
	size_t i;

	weigh(q->imei, weights, key, sizeof(key));
	snprintf(seed, sizeof(seed), "%s%s%.*s", q->imei, key, q->server_len, q->server);
	if (md5(seed, digest))
		return -ENOMEM;
	/* each byte is written low nibble first */
	for (i = 0; i < sizeof(picked); i++)
		ret[i] = "0123456789abcdef"[digest[picked[i] / 2] >> (picked[i] % 2 * 4) & 15];
	put_base36(q->imei, ret + sizeof(picked));
	shuffle(ret, 16);
	ret[16] = '\0';
	return 0;
}

static int fcs14345(const struct request *q, struct dmacc_credentials *c)
{
	static const uint8_t client[WEIGHTS] = { 0x0e, 0x06, 0x10, 0x0c, 0x0a, 0x0e, 0x05, 0x0c,
						 0x12, 0x0a, 0x0b, 0x06, 0x0d, 0x0e, 0x05 };
	static const uint8_t server[WEIGHTS] = { 0x0a, 0x06, 0x0e, 0x0e, 0x0a, 0x0b, 0x06, 0x0e,
						 0x0b, 0x04, 0x04, 0x07, 0x11, 0x0c, 0x0c };
	int r;

	memcpy(c->user_name, q->imei, IMEI_LEN + 1);
	r = fcs14345_password(q, client, c->client_pw);
	return r ? r : fcs14345_password(q, server, c->server_pw);
}

/* What no profile takes comes first, as section 8 has it */
static const char *refusal(const char *devid, const struct dmacc_server *server)
{
	struct dmacc_reason reason;

	if (dmacc_identifier_check(devid, &reason) || dmacc_server_valid(server, &reason))
		return reason.sentence;
	if (memcmp(devid, "IMEI:", 5))
		return "an unkeyed profile knows IMEIs only";
	if (server->element != DMACC_ELEMENT_SERVER_ID)
		return "an unkeyed profile derives from the ServerID only";
	if (memchr(server->bytes, ':', server->len))
		return "a ServerID with ':' is ambiguous in an unkeyed profile";
	if (server->len > SERVER_MAX)
		return "an unkeyed profile takes a ServerID of 135 bytes at most";
	return NULL;
}

enum dmacc_legacy_profile dmacc_legacy_named(const char *name)
{
	static const char *const names[] = {
		[DMACC_LEGACY_FCS11384] = "fcs11384",
		[DMACC_LEGACY_FCS14345] = "fcs14345",
		[DMACC_LEGACY_FCS11384_DEVICE] = "fcs11384-device",
	};
	size_t i;

	for (i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return (enum dmacc_legacy_profile)i;
	return 0;
}

static int compute(enum dmacc_legacy_profile profile, const struct request *q,
		   struct dmacc_credentials *c)
{
	switch (profile) {
	case DMACC_LEGACY_FCS11384:
		return fcs11384(q, "UserName", c);
	case DMACC_LEGACY_FCS11384_DEVICE:
		return fcs11384(q, "Name", c);
	case DMACC_LEGACY_FCS14345:
		return fcs14345(q, c);
	}
	return -EINVAL;
}

static bool known(enum dmacc_legacy_profile profile)
{
	return profile >= DMACC_LEGACY_FCS11384 && profile <= DMACC_LEGACY_FCS11384_DEVICE;
}

int dmacc_legacy_credentials(enum dmacc_legacy_profile profile, const char *devid,
			     const struct dmacc_server *server, struct dmacc_credentials *ret,
			     const char **reterr_sentence)
{
	struct dmacc_credentials c = { 0 };
	const char *sentence = known(profile) ? refusal(devid, server) : "no such unkeyed profile";
	struct request q;
	int r;

	if (sentence) {
		if (reterr_sentence)
			*reterr_sentence = sentence;
		return -EINVAL;
	}
	q = (struct request){ devid + 5, server->bytes, (int)server->len };
	r = compute(profile, &q, &c);
	if (!r)
		*ret = c;
	return r;
}
