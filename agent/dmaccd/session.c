// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The rules for nonces:
 *
 * - The initial ones are used once, ever: before a digest that is made with one leaves, or one that
 *   was made with one is accepted, random ones stand in their place on the disk. The session goes
 *   on with those it read; if it comes to no commit, the next one begins with a challenge.
 * - The client's nonce of a session that came to no commit is used again, as the standard has it. A
 *   server's credential is not accepted again over the nonce that one was accepted over, which is
 *   noted on the disk before it is: in the next session the server is challenged.
 * - What the server sends is this session's only, until the server has proved who it is.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "session_inside.h"

#define HASH_SIZE 32	/* SHA-256 */

int session_open(struct agent *agent, const char *account, const char *owner, bool tls,
		 struct session **ret, struct complaint *reterr)
{
	struct session *s = session_find(agent, account);
	struct holding h;
	int r;

	if (s)
		return complain_of(reterr, REFUSAL_BUSY, "%s has a session of account %s", s->owner,
				   account);
	r = holding_open(agent, account, &h, reterr);
	if (r)
		return r;
	holding_close(&h);
	s = calloc(1, sizeof(*s));
	if (s)
		s->owner = strdup(owner);
	if (!s || !s->owner) {
		free(s);
		return -ENOMEM;
	}
	strcpy(s->account, h.account->name);
	s->tls = tls;
	s->agent = agent;
	s->next = agent->sessions;
	*ret = agent->sessions = s;
	return 0;
}

void session_close(struct session *s)
{
	struct session **at;

	for (at = &s->agent->sessions; *at != s; at = &(*at)->next)
		;
	*at = s->next;
	free(s->owner);
	dmacc_wipe(s, sizeof(*s));
	free(s);
}

struct session *session_find(struct agent *agent, const char *account)
{
	struct session *s;

	for (s = agent->sessions; s; s = s->next)
		if (!strcmp(s->account, account))
			return s;
	return NULL;
}

void session_owner_left(struct agent *agent, const char *owner)
{
	struct session *s, *next;

	for (s = agent->sessions; s; s = next) {
		next = s->next;
		if (!strcmp(s->owner, owner))
			session_close(s);
	}
}

void session_close_all(struct agent *agent)
{
	struct trace *next;

	while (agent->sessions)
		session_close(agent->sessions);
	for (; agent->traces; agent->traces = next) {
		next = agent->traces->next;
		free(agent->traces);
	}
}

const char *session_account(const struct session *s)
{
	return s->account;
}

const char *session_owner(const struct session *s)
{
	return s->owner;
}

bool session_server_authenticated(const struct session *s)
{
	return s->server_authenticated;
}

bool session_client_accepted(const struct session *s)
{
	return s->client_accepted;
}

struct trace *session_trace(struct session *s)
{
	struct trace *t;

	for (t = s->agent->traces; t; t = t->next)
		if (!strcmp(t->account, s->account))
			return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	strcpy(t->account, s->account);
	t->next = s->agent->traces;
	return s->agent->traces = t;
}

int session_take_nonce(struct nonce *to, const void *bytes, size_t len, struct complaint *reterr)
{
	if (len > NONCE_MAX)
		return complain_of(reterr, REFUSAL_BAD_VALUE, "a nonce has %d bytes at most, raw",
				   NONCE_MAX);
	if (len)
		memcpy(to->bytes, bytes, len);
	to->len = len;
	return 0;
}

static void read_nonce(const struct record *record, enum dmacc_node node, struct nonce *ret)
{
	size_t len = 0;
	const void *bytes = account_stored_value(record, node, &len);

	ret->len = len > NONCE_MAX ? NONCE_MAX : len;
	if (ret->len)
		memcpy(ret->bytes, bytes, ret->len);
}

void session_peek_server_nonce(const struct session *s, const struct record *record,
			       struct nonce *ret)
{
	if (s->has_nonces)
		*ret = s->server;
	else
		read_nonce(record, DMACC_NODE_SERVER_NONCE, ret);
}

static bool are_initial(const struct record *record)
{
	size_t len;
	const char *word = record_get(record, RECORD_STATE, "Nonces", &len);

	return word && !strcmp(word, "initial");
}

static bool hash_nonce(const struct nonce *nonce, uint8_t ret[HASH_SIZE])
{
	return EVP_Digest(nonce->bytes, nonce->len, ret, NULL, EVP_sha256(), NULL);
}

static bool is_spent(const struct record *record, const uint8_t hash[HASH_SIZE])
{
	size_t len;
	const void *spent = record_get(record, RECORD_STATE, "SpentServerNonce", &len);

	return spent && len == HASH_SIZE && !memcmp(spent, hash, HASH_SIZE);
}

static void judge_spent(struct session *s, const struct record *record)
{
	uint8_t hash[HASH_SIZE];

	s->server_spent = !hash_nonce(&s->server, hash) || is_spent(record, hash);
}

int session_mark_spent(struct record *record, const struct nonce *nonce)
{
	uint8_t hash[HASH_SIZE];
	size_t len;
	const void *bytes = account_stored_value(record, DMACC_NODE_SERVER_NONCE, &len);
	int r;

	if (!bytes || len != nonce->len || memcmp(bytes, nonce->bytes, len))
		return 0;
	if (!hash_nonce(nonce, hash))
		return -EIO;
	if (is_spent(record, hash))
		return 0;
	r = record_set(record, RECORD_STATE, "SpentServerNonce", hash, sizeof(hash));
	return r ? r : 1;
}

int session_read_nonces(struct session *s, struct holding *h, struct complaint *reterr)
{
	struct nonce client, server;
	int r = 0;

	if (s->has_nonces)
		return 0;
	read_nonce(h->record, DMACC_NODE_CLIENT_NONCE, &client);
	read_nonce(h->record, DMACC_NODE_SERVER_NONCE, &server);
	if (are_initial(h->record)) {
		r = compose_burn(h->record);
		if (!r)
			r = holding_save(h, reterr);
	}
	if (!r) {
		s->client = client;
		s->server = server;
		s->has_nonces = true;
		judge_spent(s, h->record);
	}
	dmacc_wipe(&client, sizeof(client));
	dmacc_wipe(&server, sizeof(server));
	return r;
}

const char *session_login_value(const struct record *record, enum dmacc_node node,
				enum which which)
{
	const char *text = NULL;
	size_t len;

	if (which == PREVIOUS)
		text = record_get(record, RECORD_PREVIOUS, dmacc_node_word(node), &len);
	if (!text)
		text = account_stored_value(record, node, &len);
	return text ? text : "";
}

static bool has_previous(const struct record *record, const char *key)
{
	size_t len;

	return record_get(record, RECORD_PREVIOUS, key, &len);
}

bool session_is_unproven(const struct record *record, bool server)
{
	if (server)
		return has_previous(record, "ServerPW");
	return has_previous(record, "ClientPW") || has_previous(record, "UserName");
}

/*
 * uapi/derivation.md, section 5.1: who learnt the old ones would only have to refuse the new ones
 */
bool session_may_go_back(const struct record *record, bool server)
{
	return session_is_unproven(record, server) && !has_previous(record, "Generation");
}

static enum dmacc_auth auth_of(const struct record *record, enum record_source source)
{
	size_t len;
	const char *word = source ? record_get(record, source, "AuthPref", &len) :
				    account_stored_value(record, DMACC_NODE_AUTH_PREF, &len);

	return word ? dmacc_auth_named(word) : 0;
}

/* What the account prefers, and nothing weaker will do */
static enum dmacc_auth least_type(const struct session *s, const struct record *record)
{
	enum dmacc_auth least = auth_of(record, 0);

	if (!least)
		return DMACC_AUTH_MD5;
	if (least == DMACC_AUTH_BASIC &&
	    (!s->tls || auth_of(record, RECORD_TEMPLATE) != DMACC_AUTH_BASIC))
		return DMACC_AUTH_MD5;
	return least;
}

int session_judge_type(const struct session *s, const struct record *record, const char *type,
		       enum dmacc_auth *ret, struct complaint *reterr)
{
	enum dmacc_auth auth = dmacc_auth_named(type), least = least_type(s, record);

	if (!auth)
		return complain_of(reterr, REFUSAL_BAD_VALUE, "there are syncml:auth-basic, "
				   "syncml:auth-md5 and syncml:auth-MAC");
	if (auth >= least) {
		*ret = auth;
		return 0;
	}
	if (auth == DMACC_AUTH_BASIC && auth_of(record, 0) == DMACC_AUTH_BASIC)
		return complain_of(reterr, REFUSAL_DOWNGRADE, "syncml:auth-basic sends the password: %s",
				   s->tls ? "the account's template does not allow it" :
				   "it needs TLS with the host name verified");
	return complain_of(reterr, REFUSAL_DOWNGRADE, "%s is weaker than %s, which is the least that "
			   "account %s allows", dmacc_auth_word(auth), dmacc_auth_word(least),
			   s->account);
}

static int complain_digest(int error, struct complaint *reterr)
{
	if (error != -EOPNOTSUPP)
		return error;
	return complain_of(reterr, REFUSAL_REFUSED, "OpenSSL has no MD5 here, as in FIPS mode, and "
			   "the digests of OMA DM are made with it");
}

int session_digest(const struct dmacc_login *login, const char *body_digest,
		   char ret[DMACC_DIGEST_TEXT_SIZE], struct complaint *reterr)
{
	int r = body_digest ? dmacc_auth_mac(login, body_digest, ret) : dmacc_auth_md5(login, ret);

	return complain_digest(r, reterr);
}

int session_body_digest(const void *body, size_t len, char ret[DMACC_DIGEST_TEXT_SIZE],
			struct complaint *reterr)
{
	return complain_digest(dmacc_auth_body(body, len, ret), reterr);
}

static int make_mac(const struct dmacc_login *login, const void *body, size_t len, char **ret,
		    struct complaint *reterr)
{
	char body_digest[DMACC_DIGEST_TEXT_SIZE], mac[DMACC_DIGEST_TEXT_SIZE];
	int r;

	r = session_body_digest(body, len, body_digest, reterr);
	if (!r)
		r = session_digest(login, body_digest, mac, reterr);
	return r ? r : dmacc_mac_header_write(login->name, mac, ret);
}

static int make_md5(const struct dmacc_login *login, char **ret, struct complaint *reterr)
{
	char digest[DMACC_DIGEST_TEXT_SIZE];
	int r;

	r = session_digest(login, NULL, digest, reterr);
	if (r)
		return r;
	*ret = strdup(digest);
	return *ret ? 0 : -ENOMEM;
}

static int give_credential(struct session *s, struct holding *h, enum dmacc_auth auth,
			   const void *body, size_t len, char **ret_data, struct complaint *reterr)
{
	const struct dmacc_login login = {
		session_login_value(h->record, DMACC_NODE_USER_NAME, s->client_with),
		session_login_value(h->record, DMACC_NODE_CLIENT_PW, s->client_with),
		s->client.bytes, s->client.len,
	};
	int r;

	if (auth == DMACC_AUTH_BASIC)
		r = dmacc_auth_basic(login.name, login.password, ret_data);
	else if (auth == DMACC_AUTH_MD5)
		r = make_md5(&login, ret_data, reterr);
	else
		r = make_mac(&login, body, len, ret_data, reterr);
	if (r)
		return r;
	s->given = true;
	s->given_fresh = s->client_is_new || auth == DMACC_AUTH_BASIC;
	return 0;
}

int session_client_credential(struct session *s, const char *type, const void *body, size_t len,
			      const char **ret_type, char **ret_data, struct complaint *reterr)
{
	enum dmacc_auth auth;
	struct holding h;
	int r;

	r = holding_open(s->agent, s->account, &h, reterr);
	if (r)
		return r;
	auth = s->asked ? s->asked : least_type(s, h.record);
	if (type[0])
		r = session_judge_type(s, h.record, type, &auth, reterr);
	if (!r)
		r = session_read_nonces(s, &h, reterr);
	if (!r)
		r = give_credential(s, &h, auth, body, len, ret_data, reterr);
	holding_close(&h);
	if (!r)
		*ret_type = dmacc_auth_word(auth);
	return r;
}

/* The server says no to a credential over its own nonce: it must be the password or the name */
static int go_back(struct session *s, const struct record *record, struct complaint *reterr)
{
	if (s->client_with == CURRENT && session_may_go_back(record, false)) {
		s->client_with = PREVIOUS;
		return 0;
	}
	return complain_of(reterr, REFUSAL_REFUSED, "the server refuses UserName or ClientPW of account "
			   "%s%s, and there is nothing more to try", s->account,
			   s->client_with == PREVIOUS && !s->client_fixed ?
			   ", and those that it replaced, too" : "");
}

int session_challenged(struct session *s, const char *type, const void *nonce, size_t len,
		       struct complaint *reterr)
{
	enum dmacc_auth auth;
	struct holding h;
	int r;

	r = holding_open(s->agent, s->account, &h, reterr);
	if (r)
		return r;
	r = session_judge_type(s, h.record, type, &auth, reterr);
	if (!r)
		r = session_read_nonces(s, &h, reterr);
	if (!r && s->given && s->given_fresh)
		r = go_back(s, h.record, reterr);
	holding_close(&h);
	if (!r && len)
		r = session_take_nonce(&s->client, nonce, len, reterr);
	if (r)
		return r;
	s->client_is_new = true;
	s->client_accepted = s->given = false;
	s->asked = auth;
	return 0;
}

int session_accepted(struct session *s, const void *next_nonce, size_t len,
		     struct complaint *reterr)
{
	int r = 0;

	if (!s->given && !s->has_secrets)
		return complain_of(reterr, REFUSAL_REFUSED, "no credential has been given out that "
				   "the server could accept");
	if (len)
		r = session_take_nonce(&s->client, next_nonce, len, reterr);
	if (r)
		return r;
	s->client_is_new |= len > 0;
	s->client_accepted = true;
	return 0;
}

int session_server_nonce(struct session *s, uint8_t ret[DMACC_NONCE_SIZE],
			 struct complaint *reterr)
{
	(void)reterr;
	if (getrandom(ret, DMACC_NONCE_SIZE, 0) != DMACC_NONCE_SIZE)
		return -EIO;
	memcpy(s->offered.bytes, ret, DMACC_NONCE_SIZE);
	s->offered.len = DMACC_NONCE_SIZE;
	return 0;
}
