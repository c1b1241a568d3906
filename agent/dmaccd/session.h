/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A DM client's session with the server of an account: it has its digests computed here, its peer's
 * verified, and the nonces kept. uapi/org.dmacc1.xml, org.dmacc1.Session, says what each call does.
 *
 * Passwords are read from the account's file for each call and wiped; a session holds nonces, and
 * what it knows of its peer. Whoever calls signals on the bus what has changed of the session; what
 * has changed of the account is signalled here.
 */
#ifndef DMACC_DMACCD_SESSION_H
#define DMACC_DMACCD_SESSION_H

#include "agent.h"
#include "complaint.h"

struct session;

/*
 * What takes @reterr returns 0; -EPERM with a complaint; or -ENOMEM or another negative errno
 * without.
 */

/**
 * session_open() - begin
 * @account: its name
 * @owner: the client's unique name on the bus
 * @tls: the transport is encrypted, and its host name was verified
 * @ret: the agent's; until session_close() or session_owner_left()
 *
 * An account has one session at a time.
 */
int session_open(struct agent *agent, const char *account, const char *owner, bool tls,
		 struct session **ret, struct complaint *reterr);
/* Forgets what was not committed */
void session_close(struct session *s);
/* NULL if the account has none */
struct session *session_find(struct agent *agent, const char *account);
/* Closes all of its sessions */
void session_owner_left(struct agent *agent, const char *owner);

const char *session_account(const struct session *s);
const char *session_owner(const struct session *s);
bool session_server_authenticated(const struct session *s);
bool session_client_accepted(const struct session *s);

/**
 * session_client_credential() - what proves this device to the server
 * @type: as AuthPref has them; "": what the server asked for last, else what the account prefers
 * @body: for auth-MAC, the message that it goes with
 * @ret_type: a constant
 * @ret_data: malloc'ed; for auth-basic secret
 *
 * A nonce that was never used before is marked as used on the disk before this returns.
 */
int session_client_credential(struct session *s, const char *type, const void *body, size_t len,
			      const char **ret_type, char **ret_data, struct complaint *reterr);

/* The server refused the credential, and has a nonce for another try */
int session_challenged(struct session *s, const char *type, const void *nonce, size_t len,
		       struct complaint *reterr);

/* It accepted the credential; @next_nonce for the next, empty if it gave none */
int session_accepted(struct session *s, const void *next_nonce, size_t len,
		     struct complaint *reterr);

/**
 * session_verify_server() - is it the server?
 * @data: content of Cred/Data, or for auth-MAC the value of the header x-syncml-hmac
 * @body: for auth-MAC, the message that it came with
 *
 * The complaint of a credential that does not fit says what it would fit.
 */
int session_verify_server(struct session *s, const char *type, const char *data, const void *body,
			  size_t len, struct complaint *reterr);

/* A nonce for the server's next credential */
int session_server_nonce(struct session *s, uint8_t ret[DMACC_NONCE_SIZE],
			 struct complaint *reterr);

/* A notification (Pkg#0). @ret points into @message. */
int session_verify_notification(struct session *s, const void *message, size_t len,
				struct dmacc_notification *ret, struct complaint *reterr);

/* The server, which has to be authenticated, sent a Replace or Add; it is on the disk on return */
int session_replace(struct session *s, const char *uri, const char *format, const void *value,
		    size_t len, struct complaint *reterr);

/* Everything, for a client that computes itself. @ret: secret; to be given to dmacc_tree_free(). */
int session_secret_tree(struct session *s, enum dmacc_layout layout, struct dmacc_tree **ret,
			struct complaint *reterr);

/* What such a client took from the server (@client) or gave to it (@server); empty: as it was */
int session_set_nonces(struct session *s, const void *client, size_t client_len,
		       const void *server, size_t server_len, struct complaint *reterr);

/**
 * session_commit() - put the session's nonces on the disk
 * @authenticated: the client verified the server itself, having had session_secret_tree()
 *
 * Of a server that is not authenticated nothing is kept, and 0 returned.
 */
int session_commit(struct session *s, bool authenticated, struct complaint *reterr);

/* For agent_done() */
void session_close_all(struct agent *agent);

#endif
