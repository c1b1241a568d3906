// SPDX-License-Identifier: LGPL-2.1-or-later
/* Who is at the other end: the server's credentials, and notifications */
#include <endian.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "proof.h"

#define RESYNC_SECONDS 3600	/* one notification over the resync nonce in as long */

int proof_fits(const struct proof *proof, const char *name, const char *password,
	       const struct nonce *nonce, struct complaint *reterr)
{
	const struct dmacc_login login = { name, password, nonce->bytes, nonce->len };
	char digest[DMACC_DIGEST_TEXT_SIZE];
	int r;

	r = session_digest(&login, proof->auth == DMACC_AUTH_MAC ? proof->body_digest : NULL,
			   digest, reterr);
	if (r)
		return r;
	r = dmacc_auth_equal(digest, strlen(digest), proof->digest, strlen(proof->digest));
	dmacc_wipe(digest, sizeof(digest));
	return r;
}

/* The nonce that it is made with, of those that it may be made with; NULL if it does not fit */
static int find_nonce(struct session *s, const struct record *record, const struct proof *proof,
		      enum which which, const struct nonce **ret, struct complaint *reterr)
{
	const char *name = session_login_value(record, DMACC_NODE_SERVER_ID, CURRENT);
	const char *password = session_login_value(record, DMACC_NODE_SERVER_PW, which);
	int r = 0;

	*ret = NULL;
	if (s->offered.len) {
		*ret = &s->offered;
		r = proof_fits(proof, name, password, *ret, reterr);
	}
	if (!r && s->server.len && !s->server_spent) {
		*ret = &s->server;
		r = proof_fits(proof, name, password, *ret, reterr);
	}
	if (r <= 0)
		*ret = NULL;
	return r < 0 ? r : 0;
}

/* Once over a nonce: who recorded it could send it again in another session, after a power cut, too */
static int spend_nonce(struct session *s, struct holding *h, const struct nonce *nonce,
		       struct complaint *reterr)
{
	int r = session_mark_spent(h->record, nonce);

	if (r > 0)
		r = holding_save(h, reterr);
	if (r)
		return r;
	if (nonce == &s->offered) {
		s->server = s->offered;
		s->offered.len = 0;
		s->server_is_new = true;
		s->server_spent = false;
	}
	s->server_used = true;
	return 0;
}

/* In the order new, old. Returns 1 or 0; an error. */
static int prove(struct session *s, struct holding *h, const struct proof *proof,
		 struct complaint *reterr)
{
	enum which which = s->server_fixed ? PREVIOUS : CURRENT;
	const struct nonce *nonce;
	int r;

	r = find_nonce(s, h->record, proof, which, &nonce, reterr);
	if (!r && !nonce && which == CURRENT && session_may_go_back(h->record, true)) {
		which = PREVIOUS;
		r = find_nonce(s, h->record, proof, which, &nonce, reterr);
	}
	if (!r && nonce)
		r = spend_nonce(s, h, nonce, reterr);
	if (r || !nonce)
		return r;
	if (!s->server_fixed)
		s->server_with = which;
	return 1;
}

static int read_mac(struct proof *proof, const char *data, const void *body, size_t len,
		    struct complaint *reterr)
{
	struct dmacc_mac_header header;
	int r = dmacc_mac_header_read(data, &header);

	if (r)
		return complain_of(reterr, REFUSAL_WRONG_CREDENTIAL, r == -EPROTONOSUPPORT ?
				   "its header x-syncml-hmac has another algorithm than MD5" :
				   "its header x-syncml-hmac cannot be read");
	snprintf(proof->digest, sizeof(proof->digest), "%s", header.mac);
	return session_body_digest(body, len, proof->body_digest, reterr);
}

/* As it stands in XML: with blanks and line ends around it */
static int read_md5(struct proof *proof, const char *data, struct complaint *reterr)
{
	size_t len;

	data += strspn(data, " \t\r\n");
	len = strcspn(data, " \t\r\n");
	if (len != DMACC_DIGEST_TEXT_SIZE - 1 || data[len + strspn(data + len, " \t\r\n")])
		return complain_of(reterr, REFUSAL_WRONG_CREDENTIAL, "it is not the base64 of an MD5 "
				   "digest, which has %d characters", DMACC_DIGEST_TEXT_SIZE - 1);
	memcpy(proof->digest, data, len);
	proof->digest[len] = '\0';
	return 0;
}

static int verify_digest(struct session *s, struct holding *h, struct proof *proof,
			 const char *data, const void *body, size_t len, struct complaint *reterr)
{
	int r = proof->auth == DMACC_AUTH_MAC ? read_mac(proof, data, body, len, reterr) :
						read_md5(proof, data, reterr);

	if (!r)
		r = prove(s, h, proof, reterr);
	if (r < 0)
		return r;
	return r ? 0 : proof_diagnose(s, h->record, proof, reterr);
}

/* Returns 1 or 0; -ENOMEM */
static int basic_fits(const struct record *record, enum which which, const char *data)
{
	char *wanted;
	int r;

	r = dmacc_auth_basic(session_login_value(record, DMACC_NODE_SERVER_ID, CURRENT),
			     session_login_value(record, DMACC_NODE_SERVER_PW, which), &wanted);
	if (r)
		return r;
	r = dmacc_auth_equal(wanted, strlen(wanted), data, strcspn(data, " \t\r\n"));
	dmacc_wipe(wanted, strlen(wanted));
	free(wanted);
	return r;
}

static int verify_basic(struct session *s, const struct record *record, const char *data,
			struct complaint *reterr)
{
	enum which which = s->server_fixed ? PREVIOUS : CURRENT;
	int r;

	data += strspn(data, " \t\r\n");
	r = basic_fits(record, which, data);
	if (!r && which == CURRENT && session_may_go_back(record, true)) {
		which = PREVIOUS;
		r = basic_fits(record, which, data);
	}
	if (r < 0)
		return r;
	if (!r)
		return complain_of(reterr, REFUSAL_WRONG_CREDENTIAL, "ServerID or ServerPW is another "
				   "than account %s has", s->account);
	if (!s->server_fixed)
		s->server_with = which;
	return 0;
}

static int verify(struct session *s, struct holding *h, const char *type, const char *data,
		  const void *body, size_t len, struct complaint *reterr)
{
	struct proof proof = { 0 };
	int r;

	r = session_judge_type(s, h->record, type, &proof.auth, reterr);
	if (!r)
		r = session_read_nonces(s, h, reterr);
	if (r)
		return r;
	if (proof.auth == DMACC_AUTH_BASIC)
		return verify_basic(s, h->record, data, reterr);
	return verify_digest(s, h, &proof, data, body, len, reterr);
}

int session_verify_server(struct session *s, const char *type, const char *data, const void *body,
			  size_t len, struct complaint *reterr)
{
	struct holding h;
	int r;

	/* each message proves itself, and one that does not ends what others proved */
	s->server_authenticated = false;
	r = holding_open(s->agent, s->account, &h, reterr);
	if (r)
		return r;
	r = verify(s, &h, type, data, body, len, reterr);
	holding_close(&h);
	s->server_authenticated = !r;
	return r;
}

static uint64_t seconds(clockid_t of)
{
	struct timespec now;

	clock_gettime(of, &now);
	return (uint64_t)now.tv_sec;
}

/*
 * Was one accepted less than an hour ago? By the time since boot in this run; by the calendar for
 * what one before it accepted. Where that was set back in the meantime, the hour begins now.
 */
static bool resynced_lately(struct trace *trace, const struct record *record)
{
	uint64_t now = seconds(CLOCK_BOOTTIME), today = seconds(CLOCK_REALTIME), then;
	size_t len;
	const void *stored = record_get(record, RECORD_STATE, "LastResync", &len);

	if (!trace->resynced && stored && len == sizeof(then)) {
		memcpy(&then, stored, sizeof(then));
		then = be64toh(then);
		if (today < then)
			trace->resynced = now + 1;
		else if (today - then < RESYNC_SECONDS)
			return true;
	}
	return trace->resynced && now < trace->resynced - 1 + RESYNC_SECONDS;
}

static int note_resync(struct trace *trace, struct holding *h, struct complaint *reterr)
{
	uint64_t big = htobe64(seconds(CLOCK_REALTIME));
	int r = record_set(h->record, RECORD_STATE, "LastResync", &big, sizeof(big));

	if (!r)
		r = holding_save(h, reterr);
	if (!r)
		trace->resynced = seconds(CLOCK_BOOTTIME) + 1;
	return r;
}

/*
 * Whoever has recorded one notification over it can send it again for good: it is for accounts
 * whose template asks for it, and for one session an hour
 */
static int judge_resync(struct session *s, struct holding *h, struct complaint *reterr)
{
	struct trace *trace = session_trace(s);
	size_t len;
	int r;

	if (!trace)
		return -ENOMEM;
	if (!record_get(h->record, RECORD_STATE, "NonceResync", &len))
		return 0;
	if (resynced_lately(trace, h->record))
		return complain_of(reterr, REFUSAL_WRONG_CREDENTIAL, "it fits the resync nonce, and one "
				   "that did was accepted less than an hour ago");
	r = note_resync(trace, h, reterr);
	if (r)
		return r;
	log_event(LOG_ACCOUNT_RESYNC, s->account, LOG_NOTICE, "a notification over the resync nonce is "
		  "accepted, as its template allows once an hour");
	return 1;
}

/* Returns 1 or 0; an error */
static int prove_notification(struct session *s, struct holding *h, const struct proof *proof,
			      enum which which, struct complaint *reterr)
{
	static const struct nonce zeros = { .len = 4 };
	const char *name = session_login_value(h->record, DMACC_NODE_SERVER_ID, CURRENT);
	const char *password = session_login_value(h->record, DMACC_NODE_SERVER_PW, which);
	struct nonce nonce;
	int r;

	session_peek_server_nonce(s, h->record, &nonce);
	r = proof_fits(proof, name, password, &nonce, reterr);
	dmacc_wipe(&nonce, sizeof(nonce));
	if (r)
		return r;
	r = proof_fits(proof, name, password, &zeros, reterr);
	return r <= 0 ? r : judge_resync(s, h, reterr);
}

static int verify_notification(struct session *s, struct holding *h,
			       const struct dmacc_notification *n, struct complaint *reterr)
{
	struct proof proof = { .auth = DMACC_AUTH_MAC };
	int r;

	if (strcmp(n->server_id, session_login_value(h->record, DMACC_NODE_SERVER_ID, CURRENT)))
		return complain_of(reterr, REFUSAL_WRONG_CREDENTIAL, "it names another server than "
				   "account %s has", s->account);
	EVP_EncodeBlock((unsigned char *)proof.digest, n->digest, DMACC_DIGEST_SIZE);
	r = session_body_digest(n->trigger, n->trigger_len, proof.body_digest, reterr);
	if (!r)
		r = prove_notification(s, h, &proof, CURRENT, reterr);
	if (!r && session_may_go_back(h->record, true))
		r = prove_notification(s, h, &proof, PREVIOUS, reterr);
	if (r < 0)
		return r;
	/* only now: anybody can send one, and what fits nothing uses no nonce up */
	return r ? session_read_nonces(s, h, reterr) : proof_diagnose(s, h->record, &proof, reterr);
}

int session_verify_notification(struct session *s, const void *message, size_t len,
				struct dmacc_notification *ret, struct complaint *reterr)
{
	struct dmacc_notification n;
	struct holding h;
	int r;

	if (dmacc_notification_read(message, len, &n))
		return complain_of(reterr, REFUSAL_BAD_VALUE, "it is no notification: that is a digest of "
				   "%d bytes and a trigger that names its server", DMACC_DIGEST_SIZE);
	r = holding_open(s->agent, s->account, &h, reterr);
	if (r)
		return r;
	r = verify_notification(s, &h, &n, reterr);
	holding_close(&h);
	if (!r)
		*ret = n;
	return r;
}
