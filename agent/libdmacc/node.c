// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/server.h"
#include "node.h"

#define X_MAX 120	/* what clients in the field take as a segment of a URI */

const char *dmacc_node_word(enum dmacc_node node)
{
	static const char *const words[DMACC_NODES] = {
		[DMACC_NODE_X] = "X",
		[DMACC_NODE_ADDR_TYPE] = "AddrType",
		[DMACC_NODE_ADDR] = "Addr",
		[DMACC_NODE_PORT_NBR] = "PortNbr",
		[DMACC_NODE_CON_REF] = "ConRef",
		[DMACC_NODE_SERVER_ID] = "ServerID",
		[DMACC_NODE_AUTH_PREF] = "AuthPref",
		[DMACC_NODE_NAME] = "Name",
		[DMACC_NODE_SERVER_NONCE] = "ServerNonce",
		[DMACC_NODE_CLIENT_NONCE] = "ClientNonce",
		[DMACC_NODE_SERVER_PW] = "ServerPW",
		[DMACC_NODE_CLIENT_PW] = "ClientPW",
		[DMACC_NODE_USER_NAME] = "UserName",
	};

	return (unsigned int)node < DMACC_NODES ? words[node] : "unknown";
}

int dmacc_complain(struct dmacc_complaint *reterr, unsigned int line, const char *format, ...)
{
	va_list args;

	if (!reterr)
		return -EINVAL;
	reterr->line = line;
	va_start(args, format);
	vsnprintf(reterr->text, sizeof(reterr->text), format, args);
	va_end(args);
	return -EINVAL;
}

void dmacc_value_clear(struct dmacc_value *v)
{
	if (v->bytes)
		dmacc_wipe(v->bytes, v->len);
	free(v->bytes);
	*v = (struct dmacc_value){ 0 };
}

int dmacc_value_set(struct dmacc_value *v, const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len + 1);

	if (!copy)
		return -ENOMEM;
	if (len)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	dmacc_value_clear(v);
	*v = (struct dmacc_value){ copy, len };
	return 0;
}

bool dmacc_is_word(const void *bytes, size_t len, const char *word)
{
	return strlen(word) == len && !strncasecmp(bytes, word, len);
}

const char *dmacc_text_judge(const void *bytes, size_t len)
{
	const uint8_t *s = bytes;
	size_t i;

	if (memchr(s, 0, len))
		return "it has a zero byte";
	if (!dmacc_utf8_valid(s, len))
		return "it is not well-formed UTF-8";
	for (i = 0; i < len; i++)
		if (s[i] < 0x20 || s[i] == 0x7f || (s[i] == 0xc2 && s[i + 1] < 0xa0))
			return "it has a control character";
	return NULL;
}

int dmacc_base64_decode(const char *text, size_t len, uint8_t *ret)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t padding = 0, i;
	int n;

	while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
		padding++;
	if (!len || len % 4)
		return -EINVAL;
	/* libcrypto is lenient: it takes blanks and line ends, too, and counts the padding */
	for (i = 0; i < len - padding; i++)
		if (!text[i] || !strchr(digits, text[i]))
			return -EINVAL;
	n = EVP_DecodeBlock(ret, (const unsigned char *)text, (int)len);
	return n < 0 ? -EINVAL : n - (int)padding;
}

/* A word that people write in several ways, and the way in which it is kept */
struct spelling {
	const char *written;
	const char *kept;
};

static bool canonical(const struct spelling *spellings, const void **bytes, size_t *len)
{
	for (; spellings->written; spellings++) {
		if (dmacc_is_word(*bytes, *len, spellings->written)) {
			*bytes = spellings->kept;
			*len = strlen(spellings->kept);
			return true;
		}
	}
	return false;
}

static const char *judge_addr_type(const void **bytes, size_t *len)
{
	static const struct spelling spellings[] = {
		{ "URI", "URI" }, { "IPv4", "IPv4" }, { "IPv6", "IPv6" }, { 0 },
	};

	return canonical(spellings, bytes, len) ? NULL : "it is not URI, IPv4 or IPv6";
}

static const char *judge_auth_pref(const void **bytes, size_t *len)
{
	static const char basic[] = "syncml:auth-basic", md5[] = "syncml:auth-md5",
			  mac[] = "syncml:auth-MAC";
	static const struct spelling spellings[] = {
		{ basic, basic }, { "auth-basic", basic }, { "BASIC", basic },
		{ md5, md5 }, { "auth-md5", md5 }, { "MD5", md5 }, { "DIGEST", md5 },
		{ mac, mac }, { "auth-MAC", mac }, { "MAC", mac }, { "HMAC", mac }, { 0 },
	};

	if (canonical(spellings, bytes, len))
		return NULL;
	return "it is not syncml:auth-basic (BASIC), -md5 (DIGEST) or -MAC (HMAC)";
}

static const char *judge_port(const char *s, size_t len)
{
	unsigned int value = 0;
	size_t i;

	for (i = 0; i < len && value <= 65535; i++) {
		if (s[i] < '0' || s[i] > '9')
			return "it is not a number from 0 to 65535";
		value = value * 10 + (unsigned int)(s[i] - '0');
	}
	if (value > 65535)
		return "it is not a number from 0 to 65535";
	return len > 1 && s[0] == '0' ? "it is written with a zero in front" : NULL;
}

static const char *judge_server(enum dmacc_element element, const void *bytes, size_t len)
{
	const struct dmacc_server server = { element, bytes, len };
	struct dmacc_reason reason;

	return dmacc_server_valid(&server, &reason) ? reason.sentence : NULL;
}

/* A node's name in a URI: '/' ends it, '?' begins what asks for a property */
static const char *judge_x(const char *s, size_t len)
{
	if (len > X_MAX)
		return "it has more than 120 bytes";
	if (memchr(s, '/', len) || memchr(s, '?', len))
		return "it has a / or ?, which no node's name can have";
	if (dmacc_is_word(s, len, ".") || dmacc_is_word(s, len, ".."))
		return "it is . or .., which no node's name can be";
	if (judge_server(DMACC_ELEMENT_ADDR, s, len))
		return "it has a blank or control character";
	return NULL;
}

static bool may_be_empty(enum dmacc_node node)
{
	return node == DMACC_NODE_CON_REF || node == DMACC_NODE_NAME ||
	       node == DMACC_NODE_AUTH_PREF;
}

static bool is_binary(enum dmacc_node node)
{
	return node == DMACC_NODE_SERVER_NONCE || node == DMACC_NODE_CLIENT_NONCE;
}

const char *dmacc_node_judge(enum dmacc_node node, const void **bytes, size_t *len)
{
	const char *sentence;

	if (node == DMACC_NODE_SERVER_ID)
		return judge_server(DMACC_ELEMENT_SERVER_ID, *bytes, *len);
	if (node == DMACC_NODE_ADDR)
		return judge_server(DMACC_ELEMENT_ADDR, *bytes, *len);
	if (!*len)
		return may_be_empty(node) ? NULL : "it is empty";
	if (*len > DMACC_VALUE_MAX)
		return "it has more than 255 bytes";
	sentence = is_binary(node) ? NULL : dmacc_text_judge(*bytes, *len);
	if (sentence)
		return sentence;
	switch (node) {
	case DMACC_NODE_X:
		return judge_x(*bytes, *len);
	case DMACC_NODE_ADDR_TYPE:
		return judge_addr_type(bytes, len);
	case DMACC_NODE_PORT_NBR:
		return judge_port(*bytes, *len);
	case DMACC_NODE_AUTH_PREF:
		return judge_auth_pref(bytes, len);
	default:
		return NULL;
	}
}
