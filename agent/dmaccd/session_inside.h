/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of a session, for the files that make it: session.c, proof.c and change.c */
#ifndef DMACC_DMACCD_SESSION_INSIDE_H
#define DMACC_DMACCD_SESSION_INSIDE_H

#include "compose.h"
#include "holding.h"
#include "session.h"

#define NONCE_MAX 255	/* bytes that a node can hold */

struct nonce {
	uint8_t bytes[NONCE_MAX];
	size_t len;
};

/* Which of a credential's values: those that count, or what the server replaced */
enum which {
	CURRENT,
	PREVIOUS,
};

/**
 * struct session - a client's session
 * @has_nonces: @client and @server have been read from the account's file
 * @client: for the client's next credential
 * @server: of the server's next credential
 * @server_spent: a server was verified with @server in an earlier session: then it is no proof
 * @server_used: one was in this session
 * @offered: a newer one that the client has been given for the server; empty if none
 * @client_is_new: @client came from the server in this session
 * @server_is_new: @server was given to the server in this session
 * @asked: type of the last challenge, 0 if there was none
 * @given: a credential was given out since the last challenge
 * @given_fresh: and the nonce in it, if any, was the server's of this session
 * @client_with: which UserName and ClientPW are given out
 * @client_fixed: they were replaced in this session, and the old ones serve to its end
 * @server_with: which ServerPW proved the server
 * @server_fixed: it was replaced in this session
 * @has_secrets: the client has had the passwords
 * @connected: a commit has noted that both sides were authenticated
 */
struct session {
	struct session *next;
	struct agent *agent;
	char account[DMACC_TEMPLATE_NAME_SIZE];
	char *owner;
	bool tls;
	bool has_nonces;
	struct nonce client, server, offered;
	bool server_spent, server_used, client_is_new, server_is_new;
	enum dmacc_auth asked;
	bool given, given_fresh;
	enum which client_with, server_with;
	bool client_fixed, server_fixed;
	bool server_authenticated, client_accepted;
	bool has_secrets, connected;
};

/**
 * struct trace - what sessions of an account leave behind, as long as the agent runs
 * @resynced: when the resync nonce was accepted last: seconds since boot, and 1 more; 0 for never
 */
struct trace {
	struct trace *next;
	char account[DMACC_TEMPLATE_NAME_SIZE];
	uint64_t resynced;
};

/* Made if it is not there; NULL without memory */
struct trace *session_trace(struct session *s);

/* A nonce of @len bytes, or a complaint */
int session_take_nonce(struct nonce *to, const void *bytes, size_t len, struct complaint *reterr);

/**
 * session_read_nonces() - the account's nonces become the session's
 *
 * Those that were never used before are marked as used, on the disk, before this returns.
 *
 * Return: 0; -EPERM with a complaint; -ENOMEM.
 */
int session_read_nonces(struct session *s, struct holding *h, struct complaint *reterr);

/**
 * session_mark_spent() - no later session takes a server's credential over this nonce
 *
 * The record's state has "SpentServerNonce" then. Of a nonce that the record has not got, which no
 * later session has, either, nothing is noted.
 *
 * Return: 1 if the record is another now and is to be saved, 0 if not; -ENOMEM or -EIO.
 */
int session_mark_spent(struct record *record, const struct nonce *nonce);

/* The nonces that this session came to, for the next one */
int session_put_nonces(const struct session *s, struct record *record);

/* What has worked needs nothing beside it any more. The server has to be authenticated. */
void session_put_proven(const struct session *s, struct record *record);

/* The server's nonce, without the account's being marked as used */
void session_peek_server_nonce(const struct session *s, const struct record *record,
			       struct nonce *ret);

/* Text of a node that makes a credential: the record's own, "" if it has none */
const char *session_login_value(const struct record *record, enum dmacc_node node,
				enum which which);

/* Was any of the client's or of the server's credential replaced, and has not worked since? */
bool session_is_unproven(const struct record *record, bool server);

/* May what was replaced still be tried? After a new generation it may not. */
bool session_may_go_back(const struct record *record, bool server);

/**
 * session_judge_type() - may this type of credential be used?
 * @type: words of AuthPref
 * @ret: written on success only
 *
 * Not one that is weaker than AuthPref; auth-basic only if the template furnishes it as AuthPref,
 * and over TLS.
 *
 * Return: 0; -EPERM with a complaint.
 */
int session_judge_type(const struct session *s, const struct record *record, const char *type,
		       enum dmacc_auth *ret, struct complaint *reterr);

/**
 * session_digest() - auth-md5 or auth-MAC
 * @body_digest: for auth-MAC, else NULL
 *
 * Return: 0; -EPERM with a complaint if there is no MD5; -ENOMEM.
 */
int session_digest(const struct dmacc_login *login, const char *body_digest,
		   char ret[DMACC_DIGEST_TEXT_SIZE], struct complaint *reterr);
int session_body_digest(const void *body, size_t len, char ret[DMACC_DIGEST_TEXT_SIZE],
			struct complaint *reterr);

#endif
