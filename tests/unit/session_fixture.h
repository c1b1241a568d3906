/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Both ends of a DM session over agent_fixture.h: the client's calls, and a server that computes
 * itself
 */
#ifndef DMACC_TESTS_SESSION_FIXTURE_H
#define DMACC_TESTS_SESSION_FIXTURE_H

#include "agent_fixture.h"
#include "change.h"
#include "session.h"

#define CLIENT_PW "LX37WNX7VWGHGEZJ377UIPJCX4RCYCPK"
#define CLIENT_PW_GENERATION_1 "423OZKS4K2DFHQBQV2RAN3FDA6R6WWBE"
#define SERVER_ID "com.example.dm"
#define BODY "<SyncML>a message</SyncML>"

#define MD5 "syncml:auth-md5"
#define MAC "syncml:auth-MAC"
#define BASIC "syncml:auth-basic"

extern const uint8_t initial_client_nonce[16];

#define INITIAL_CLIENT bytes(initial_client_nonce, 16)
#define INITIAL_SERVER bytes(initial_server_nonce, 16)

/* The complaint of the last call that was refused */
extern struct complaint complaint;

/* Raw bytes of a test, zero-terminated */
struct bytes {
	uint8_t of[64];
	size_t len;
};

struct bytes bytes(const void *raw, size_t len);

/* An agent whose account "op" has this template */
void begin(struct fixture *f, const char *conf);

/* The same with CONF, whose account never had a session before */
void begin_anew(struct fixture *f);

/* One that never had a session before, with a session; and the first credential in that */
void new_account(struct fixture *f);
int first_credential(struct fixture *f);

/* A session of account "op", which has to be let in; or a refusal, which has to come */
struct session *open_session(struct fixture *f);
void assert_refused(int r, enum refusal_kind kind, const char *words);

/* What the device sends as its credential; @type may be "" */
const char *credential(struct session *s, const char *type);
/* What it would be with these */
const char *digest(const char *name, const char *password, struct bytes nonce);
const char *mac_header(const char *name, const char *password, struct bytes nonce);

/* What the store has */
struct bytes stored_nonce(struct fixture *f, const char *key);
void assert_stored(struct fixture *f, const char *key, struct bytes wanted, bool is);
bool stored_has(struct fixture *f, enum record_source source, const char *key);

/* A server with this password and nonce answers; what verify returned */
int answer(struct session *s, const char *password, struct bytes nonce);

/* A challenge for the device, and one from it for the server */
void challenge(struct session *s, const char *nonce);
struct bytes server_nonce(struct session *s);

/*
 * A whole session in which the device logs in with @client_pw and the server with @server_pw, each
 * challenged first, up to the commit
 */
void whole_session(struct fixture *f, const char *client_pw, const char *server_pw);

/*
 * Runs @step in a process that dies, or a call that fails, at each of its writes in turn, each time
 * with the files of @prepare; @check is called with the agent started again
 */
void with_each_fault(struct fixture *f, void (*prepare)(struct fixture *f),
		     int (*step)(struct fixture *f), void (*check)(struct fixture *f, bool done));

#endif
