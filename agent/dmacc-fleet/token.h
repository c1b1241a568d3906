/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A vendor key in a PKCS#11 token: it stays there, the token computes with it.
 */
#ifndef DMACC_FLEET_TOKEN_H
#define DMACC_FLEET_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct token;

/**
 * token_is_uri() - is it a token's key that is meant?
 * @where: what --key gave
 */
bool token_is_uri(const char *where);

/**
 * token_open() - find the key that a pkcs11: URI names, log in, and judge the key
 * @uri: RFC 7512; names one secret key
 * @pin_file: as --pin-file gave it, or NULL
 * @ret: the caller's, to be given to token_free(); threads may share it
 *
 * Warns of a key that the token would give out.
 *
 * Return: 0, or EXIT_NOTHING after a complaint.
 */
int token_open(const char *uri, const char *pin_file, struct token **ret);
struct token *token_free(struct token *token);

/* What one thread computes with */
struct token_session;

int token_session_new(struct token *token, struct token_session **ret);
struct token_session *token_session_free(struct token_session *session);

/**
 * token_hmac() - a dmacc_hmac_function; @session is a struct token_session
 *
 * Return: 0, or -EIO after a complaint.
 */
int token_hmac(void *session, const uint8_t *message, size_t len, uint8_t ret_mac[32]);

#endif
