// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The credentials of OMA DM messages. H is MD5, as the standard has it:
 *
 *     auth-basic    B64(name ":" password)
 *     auth-md5      B64(H(B64(H(name ":" password)) ":" nonce))
 *     auth-MAC      B64(H(B64(H(name ":" password)) ":" nonce ":" B64(H(body))))
 *     Pkg#0         H(B64(H(name ":" password)) ":" nonce ":" B64(H(trigger)))
 *
 * auth-MAC is keyed MD5 of the standard's own making and not the HMAC of RFC 2104.
 */
#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "node.h"

/* Digest, and the trigger's fixed part: version to session, length of the server's identifier */
#define TRIGGER_SIZE 8

/*
 * An MD5 computation; the first failure is kept, so that a row of calls needs one test at its end
 */
struct hash {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
	int error;
};

static struct hash hash_new(void)
{
	struct hash h = { .md = EVP_MD_fetch(NULL, "MD5", NULL) };

	if (!h.md) {
		h.error = -EOPNOTSUPP;
		return h;
	}
	h.ctx = EVP_MD_CTX_new();
	if (!h.ctx)
		h.error = -ENOMEM;
	return h;
}

static void hash_begin(struct hash *h)
{
	if (!h->error && !EVP_DigestInit_ex2(h->ctx, h->md, NULL))
		h->error = -ENOMEM;
}

static void hash_take(struct hash *h, const void *bytes, size_t len)
{
	if (!h->error && len && !EVP_DigestUpdate(h->ctx, bytes, len))
		h->error = -ENOMEM;
}

static void hash_end(struct hash *h, uint8_t ret[DMACC_DIGEST_SIZE])
{
	if (!h->error && !EVP_DigestFinal_ex(h->ctx, ret, NULL))
		h->error = -ENOMEM;
}

static void hash_end_text(struct hash *h, char ret[DMACC_DIGEST_TEXT_SIZE])
{
	uint8_t digest[DMACC_DIGEST_SIZE];

	hash_end(h, digest);
	if (!h->error)
		EVP_EncodeBlock((unsigned char *)ret, digest, sizeof(digest));
	dmacc_wipe(digest, sizeof(digest));
}

/* libcrypto wipes its states */
static int hash_free(struct hash *h)
{
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->md);
	return h->error;
}

/* What the digests have in common: B64(H(name ":" password)) ":" nonce */
static void begin_login(struct hash *h, const struct dmacc_login *login)
{
	char stored[DMACC_DIGEST_TEXT_SIZE] = "";

	hash_begin(h);
	hash_take(h, login->name, strlen(login->name));
	hash_take(h, ":", 1);
	hash_take(h, login->password, strlen(login->password));
	hash_end_text(h, stored);
	hash_begin(h);
	hash_take(h, stored, strlen(stored));
	hash_take(h, ":", 1);
	hash_take(h, login->nonce, login->nonce_len);
	dmacc_wipe(stored, sizeof(stored));
}

static void take_content(struct hash *h, const char *digest)
{
	hash_take(h, ":", 1);
	hash_take(h, digest, DMACC_DIGEST_TEXT_SIZE - 1);
}

const char *dmacc_auth_word(enum dmacc_auth auth)
{
	switch (auth) {
	case DMACC_AUTH_BASIC:
		return "syncml:auth-basic";
	case DMACC_AUTH_MD5:
		return "syncml:auth-md5";
	case DMACC_AUTH_MAC:
		return "syncml:auth-MAC";
	}
	return "unknown";
}

enum dmacc_auth dmacc_auth_named(const char *word)
{
	const void *bytes = word;
	size_t len = strlen(word);
	enum dmacc_auth auth;

	if (!len || dmacc_node_judge(DMACC_NODE_AUTH_PREF, &bytes, &len))
		return 0;
	for (auth = DMACC_AUTH_BASIC; auth < DMACC_AUTH_MAC; auth++)
		if (dmacc_is_word(bytes, len, dmacc_auth_word(auth)))
			break;
	return auth;
}

int dmacc_auth_basic(const char *name, const char *password, char **ret)
{
	size_t len = strlen(name) + strlen(password) + 1;
	char *text = malloc(len + 1), *encoded = malloc((len + 2) / 3 * 4 + 1);

	if (!text || !encoded) {
		free(text);
		free(encoded);
		return -ENOMEM;
	}
	sprintf(text, "%s:%s", name, password);
	EVP_EncodeBlock((unsigned char *)encoded, (unsigned char *)text, (int)len);
	dmacc_wipe(text, len);
	free(text);
	*ret = encoded;
	return 0;
}

int dmacc_auth_md5(const struct dmacc_login *login, char ret[DMACC_DIGEST_TEXT_SIZE])
{
	struct hash h = hash_new();

	begin_login(&h, login);
	hash_end_text(&h, ret);
	return hash_free(&h);
}

int dmacc_auth_body(const void *body, size_t len, char ret[DMACC_DIGEST_TEXT_SIZE])
{
	struct hash h = hash_new();

	hash_begin(&h);
	hash_take(&h, body, len);
	hash_end_text(&h, ret);
	return hash_free(&h);
}

int dmacc_auth_mac(const struct dmacc_login *login, const char *body_digest,
		   char ret[DMACC_DIGEST_TEXT_SIZE])
{
	struct hash h = hash_new();

	begin_login(&h, login);
	take_content(&h, body_digest);
	hash_end_text(&h, ret);
	return hash_free(&h);
}

int dmacc_auth_notification(const struct dmacc_login *login, const char *trigger_digest,
			    uint8_t ret[DMACC_DIGEST_SIZE])
{
	struct hash h = hash_new();

	begin_login(&h, login);
	take_content(&h, trigger_digest);
	hash_end(&h, ret);
	return hash_free(&h);
}

bool dmacc_auth_equal(const void *a, size_t a_len, const void *b, size_t b_len)
{
	return a_len == b_len && !CRYPTO_memcmp(a, b, a_len);
}

/* The text of a quoted-string of HTTP */
int dmacc_mac_header_write(const char *name, const char *mac, char **ret)
{
	static const char format[] = "algorithm=MD5, username=\"\", mac=";
	char *header = malloc(sizeof(format) + 2 * strlen(name) + strlen(mac)), *p = header;

	if (!header)
		return -ENOMEM;
	p = stpcpy(p, "algorithm=MD5, username=\"");
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			*p++ = '\\';
		*p++ = *name;
	}
	sprintf(p, "\", mac=%s", mac);
	*ret = header;
	return 0;
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* A token or a quoted-string. Returns what follows, NULL if it is neither or too long. */
static const char *read_parameter(const char *s, char *ret, size_t size)
{
	bool quoted = *s == '"';
	size_t len = 0;

	for (s += quoted; *s && (quoted ? *s != '"' : !strchr(", \t\"", *s)); s++) {
		if (quoted && *s == '\\' && s[1])
			s++;
		if (len + 1 >= size || iscntrl((unsigned char)*s))
			return NULL;
		ret[len++] = *s;
	}
	ret[len] = '\0';
	if (!quoted)
		return len ? s : NULL;
	return *s == '"' ? s + 1 : NULL;
}

/* "name=value"; one that is there twice is refused, an unknown one passed over */
static const char *read_pair(const char *s, struct dmacc_mac_header *h, char algorithm[16])
{
	size_t len = strcspn(s, "= \t,"), size = sizeof(h->username);
	char other[DMACC_MAC_NAME_SIZE] = "", *to = other;

	if (dmacc_is_word(s, len, "username"))
		to = h->username;
	else if (dmacc_is_word(s, len, "mac"))
		to = h->mac, size = sizeof(h->mac);
	else if (dmacc_is_word(s, len, "algorithm"))
		to = algorithm, size = 16;
	s = skip_blanks(s + len);
	if (!len || *s != '=' || *to)
		return NULL;
	s = read_parameter(skip_blanks(s + 1), to, size);
	return s ? skip_blanks(s) : NULL;
}

int dmacc_mac_header_read(const char *text, struct dmacc_mac_header *ret)
{
	struct dmacc_mac_header h = { 0 };
	char algorithm[16] = "";
	const char *s = text;

	do {
		s = read_pair(skip_blanks(s), &h, algorithm);
	} while (s && *s++ == ',');
	if (!s || s[-1] || !h.mac[0])
		return -EINVAL;
	if (algorithm[0] && strcasecmp(algorithm, "MD5"))
		return -EPROTONOSUPPORT;
	*ret = h;
	return 0;
}

int dmacc_notification_read(const void *message, size_t len, struct dmacc_notification *ret)
{
	const uint8_t *bytes = message, *t = bytes + DMACC_DIGEST_SIZE;
	struct dmacc_notification n = { .digest = bytes, .trigger = t };

	if (len < DMACC_DIGEST_SIZE + TRIGGER_SIZE)
		return -EINVAL;
	n.trigger_len = len - DMACC_DIGEST_SIZE;
	if (!t[7] || t[7] > n.trigger_len - TRIGGER_SIZE)
		return -EINVAL;
	/* 10 bits version, 2 mode, 1 initiator, 27 for later; 16 session; 8 length */
	n.version = (uint32_t)t[0] << 2 | t[1] >> 6;
	n.ui_mode = t[1] >> 4 & 3;
	n.server_initiated = t[1] >> 3 & 1;
	n.session_id = (uint32_t)t[5] << 8 | t[6];
	if (dmacc_text_judge(t + TRIGGER_SIZE, t[7]))
		return -EINVAL;
	memcpy(n.server_id, t + TRIGGER_SIZE, t[7]);
	*ret = n;
	return 0;
}
