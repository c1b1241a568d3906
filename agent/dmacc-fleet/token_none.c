// SPDX-License-Identifier: LGPL-2.1-or-later
/* In place of token.c where p11-kit is not there */
#include <errno.h>
#include <string.h>

#include "fleet.h"
#include "token.h"

bool token_is_uri(const char *where)
{
	return !strncmp(where, "pkcs11:", 7);
}

int token_open(const char *uri, const char *pin_file, struct token **ret)
{
	(void)uri;
	(void)pin_file;
	(void)ret;
	return complain("this dmacc-fleet was built without PKCS#11 (p11-kit)");
}

struct token *token_free(struct token *token)
{
	return token;
}

int token_session_new(struct token *token, struct token_session **ret)
{
	(void)token;
	(void)ret;
	return EXIT_NOTHING;
}

struct token_session *token_session_free(struct token_session *session)
{
	return session;
}

int token_hmac(void *session, const uint8_t *message, size_t len, uint8_t ret_mac[32])
{
	(void)session;
	(void)message;
	(void)len;
	(void)ret_mac;
	return -EIO;
}
