// SPDX-License-Identifier: LGPL-2.1-or-later
/* What of a session stays: nonces, what has worked, and that there was one */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "session_inside.h"

static int put_nonce(struct record *record, enum dmacc_node node, const struct nonce *nonce)
{
	return record_set(record, RECORD_STATE, dmacc_node_word(node), nonce->bytes, nonce->len);
}

/* For a client that verifies itself: over a spent one nothing may fit, so that it challenges */
static int put_server_nonce(const struct session *s, struct record *record)
{
	struct nonce other = { .len = DMACC_NONCE_SIZE };

	if (!s->server_spent)
		return put_nonce(record, DMACC_NODE_SERVER_NONCE, &s->server);
	if (getrandom(other.bytes, other.len, 0) != DMACC_NONCE_SIZE)
		return -EIO;
	return put_nonce(record, DMACC_NODE_SERVER_NONCE, &other);
}

/* An account's own record, in hand and not to be saved, as this session sees it */
static int put_session(struct session *s, struct record *record)
{
	static const enum dmacc_node nodes[] = {
		DMACC_NODE_USER_NAME, DMACC_NODE_CLIENT_PW, DMACC_NODE_SERVER_PW,
	};
	const char *text, *key;
	size_t i;
	int r;

	r = put_nonce(record, DMACC_NODE_CLIENT_NONCE, &s->client);
	if (!r)
		r = put_server_nonce(s, record);
	for (i = 0; i < sizeof(nodes) / sizeof(nodes[0]) && !r; i++) {
		key = dmacc_node_word(nodes[i]);
		text = session_login_value(record, nodes[i], nodes[i] == DMACC_NODE_SERVER_PW ?
					   s->server_with : s->client_with);
		r = record_set(record, RECORD_SERVER, key, text, strlen(text));
	}
	return r;
}

static int make_secret_tree(struct session *s, struct holding *h, enum dmacc_layout layout,
			    struct dmacc_tree **ret, struct complaint *reterr)
{
	int r;

	r = session_read_nonces(s, h, reterr);
	if (!r)
		r = put_session(s, h->record);
	if (!r)
		r = account_secret_tree(h->record, layout, ret);
	if (r == -ENODATA)
		return complain_of(reterr, REFUSAL_NOT_READY, "account %s has not got what the "
				   "layout must show", s->account);
	return r;
}

int session_secret_tree(struct session *s, enum dmacc_layout layout, struct dmacc_tree **ret,
			struct complaint *reterr)
{
	struct holding h;
	int r;

	r = holding_open(s->agent, s->account, &h, reterr);
	if (r)
		return r;
	r = make_secret_tree(s, &h, layout, ret, reterr);
	holding_close(&h);
	s->has_secrets |= !r;
	return r;
}

int session_set_nonces(struct session *s, const void *client, size_t client_len,
		       const void *server, size_t server_len, struct complaint *reterr)
{
	int r = 0;

	if (!s->has_secrets)
		return complain_of(reterr, REFUSAL_REFUSED, "this is for a client that has had the "
				   "account's secrets; others have their nonces kept by the session");
	if (client_len)
		r = session_take_nonce(&s->client, client, client_len, reterr);
	if (!r && server_len)
		r = session_take_nonce(&s->server, server, server_len, reterr);
	if (r)
		return r;
	s->client_is_new |= client_len > 0;
	s->server_is_new |= server_len > 0;
	if (server_len) {
		s->offered.len = 0;
		s->server_spent = s->server_used = false;
	}
	return 0;
}

static int put_new_nonces(const struct session *s, struct record *record)
{
	int r = 0;

	if (!s->client_is_new && !s->server_is_new && !s->offered.len)
		return 0;
	if (s->client_is_new)
		r = put_nonce(record, DMACC_NODE_CLIENT_NONCE, &s->client);
	if (!r && s->offered.len)
		r = put_nonce(record, DMACC_NODE_SERVER_NONCE, &s->offered);
	else if (!r && s->server_is_new)
		r = put_nonce(record, DMACC_NODE_SERVER_NONCE, &s->server);
	return r ? r : record_set(record, RECORD_STATE, "Nonces", "session", strlen("session"));
}

int session_put_nonces(const struct session *s, struct record *record)
{
	int r = put_new_nonces(s, record);

	if (!r && s->server_used)
		r = session_mark_spent(record, &s->server);
	return r < 0 ? r : 0;
}

/* That the client was accepted counts only since the server, too, has: anybody can say 212 */
void session_put_proven(const struct session *s, struct record *record)
{
	if (s->server_with == CURRENT)
		record_remove(record, RECORD_PREVIOUS, "ServerPW");
	if (s->client_accepted && s->client_with == CURRENT) {
		record_remove(record, RECORD_PREVIOUS, "ClientPW");
		record_remove(record, RECORD_PREVIOUS, "UserName");
	}
	if (!session_is_unproven(record, true) && !session_is_unproven(record, false))
		record_remove(record, RECORD_PREVIOUS, "Generation");
}

static int put_connected(struct record *record)
{
	struct timespec now;
	uint64_t big;

	clock_gettime(CLOCK_REALTIME, &now);
	big = htobe64((uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	return record_set(record, RECORD_STATE, "LastConnected", &big, sizeof(big));
}

/* Returns 1 if there is something to be written, 0 if not; -ENOMEM */
static int put_all(struct session *s, struct record *record)
{
	struct record *before;
	bool changed;
	int r;

	r = record_copy(record, &before);
	if (r)
		return r;
	r = session_put_nonces(s, record);
	if (!r)
		session_put_proven(s, record);
	changed = !r && !record_equal(before, record);
	record_free(before);
	if (!r && s->client_accepted && (changed || !s->connected)) {
		changed = true;
		r = put_connected(record);
	}
	return r ? r : changed;
}

static int commit(struct session *s, struct holding *h, struct complaint *reterr)
{
	int r;

	r = session_read_nonces(s, h, reterr);
	if (!r)
		r = put_all(s, h->record);
	if (r > 0)
		r = holding_save(h, reterr);
	if (!r)
		s->connected |= s->client_accepted;
	return r;
}

int session_commit(struct session *s, bool authenticated, struct complaint *reterr)
{
	struct holding h;
	int r;

	if (authenticated && !s->has_secrets)
		return complain_of(reterr, REFUSAL_REFUSED, "only a client that has had the account's "
				   "secrets can have verified the server itself");
	if (!authenticated && !s->server_authenticated)
		return 0;
	r = holding_open(s->agent, s->account, &h, reterr);
	if (r)
		return r;
	s->server_authenticated = true;
	if (authenticated && !s->server_is_new)
		s->server_used = true;
	r = commit(s, &h, reterr);
	holding_close(&h);
	return r;
}
