// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Values that somebody changed, over those of template and derivation. What the server replaces of
 * a credential is kept beside it until the new one has worked once; the session in which it was
 * replaced goes on with the old one, as the standard has it.
 */
#include <errno.h>
#include <string.h>

#include "change.h"
#include "log.h"
#include "session_inside.h"

#define GENERATION_MAX 2147483647	/* uapi/derivation.md, section 7 */

/**
 * struct change - one value to be replaced
 * @session: the server's; NULL: the device's owner
 * @format: as it was said, "" if it was not
 */
struct change {
	struct holding *h;
	struct session *session;
	struct dmacc_place place;
	const char *format;
	const void *value;
	size_t len;
	struct complaint *reterr;
};

static enum record_source layer(const struct change *c)
{
	return c->session ? RECORD_SERVER : RECORD_LOCAL;
}

static bool is_credential(enum dmacc_node node)
{
	return node == DMACC_NODE_SERVER_PW || node == DMACC_NODE_CLIENT_PW ||
	       node == DMACC_NODE_USER_NAME;
}

/* What the session uses is what is kept: it has just worked, or the server would not be here */
static int keep(struct record *record, enum dmacc_node node, enum which which)
{
	const char *text = session_login_value(record, node, which);

	return record_set(record, RECORD_PREVIOUS, dmacc_node_word(node), text, strlen(text));
}

static int keep_server(const struct session *s, struct record *record)
{
	return keep(record, DMACC_NODE_SERVER_PW, s->server_with);
}

static int keep_client(const struct session *s, struct record *record)
{
	int r = keep(record, DMACC_NODE_CLIENT_PW, s->client_with);

	return r ? r : keep(record, DMACC_NODE_USER_NAME, s->client_with);
}

/* The session goes on with what was kept */
static void fix(struct session *s, bool server, bool client)
{
	if (server) {
		s->server_fixed = true;
		s->server_with = PREVIOUS;
	}
	if (client) {
		s->client_fixed = true;
		s->client_with = PREVIOUS;
	}
}

/* Even a failed write may have come so far that the new file counts */
static int save(struct change *c, bool server, bool client)
{
	uint64_t before = c->h->account->counter;
	int r = holding_save(c->h, c->reterr);

	if (c->session && c->h->account->counter != before)
		fix(c->session, server, client);
	return r;
}

static void log_change(const struct change *c, const char *what)
{
	if (c->session)
		log_event(LOG_SERVER_CHANGE, c->h->account->name, LOG_NOTICE, "its server has replaced %s",
			  what);
	else
		log_event(LOG_LOCAL_CHANGE, c->h->account->name, LOG_NOTICE, "%s was replaced on this "
			  "device", what);
}

static int put_server_credential(struct change *c, bool server)
{
	struct session *s = c->session;
	int r;

	session_put_proven(s, c->h->record);
	r = server ? keep_server(s, c->h->record) : keep_client(s, c->h->record);
	return r ? r : record_set(c->h->record, RECORD_SERVER, dmacc_node_word(c->place.node), c->value,
				  c->len);
}

/* It is not known what the server makes of it: nothing of before serves */
static int put_local_credential(struct change *c)
{
	const char *key = dmacc_node_word(c->place.node);
	int r;

	record_remove(c->h->record, RECORD_SERVER, key);
	record_remove(c->h->record, RECORD_PREVIOUS, key);
	r = record_set(c->h->record, RECORD_LOCAL, key, c->value, c->len);
	return r ? r : compose_burn(c->h->record);
}

static int replace_credential(struct change *c)
{
	bool server = c->place.node == DMACC_NODE_SERVER_PW;
	int r = c->session ? put_server_credential(c, server) : put_local_credential(c);

	return r ? r : save(c, server, !server);
}

/* They are the session's, too: a commit that follows writes the same */
static int replace_nonce(struct change *c)
{
	struct session *s = c->session;
	bool client = c->place.node == DMACC_NODE_CLIENT_NONCE;
	struct nonce *nonce;
	int r;

	if (!s)
		return complain_of(c->reterr, REFUSAL_NOT_PERMITTED, "nonces change in sessions only");
	r = session_read_nonces(s, c->h, c->reterr);
	if (r)
		return r;
	nonce = client ? &s->client : &s->server;
	r = session_take_nonce(nonce, c->value, c->len, c->reterr);
	if (r)
		return r;
	*(client ? &s->client_is_new : &s->server_is_new) = true;
	if (!client) {
		s->offered.len = 0;
		s->server_spent = s->server_used = false;
	}
	r = session_put_nonces(s, c->h->record);
	return r ? r : save(c, false, false);
}

/* Whoever asks: a password that is sent readable is for templates to allow */
static int judge_auth_pref(const struct change *c)
{
	size_t len;
	const char *furnished = record_get(c->h->record, RECORD_TEMPLATE, "AuthPref", &len);

	if (!c->len || dmacc_auth_named(c->value) != DMACC_AUTH_BASIC ||
	    (furnished && dmacc_auth_named(furnished) == DMACC_AUTH_BASIC))
		return 0;
	return complain_of(c->reterr, REFUSAL_DOWNGRADE, "syncml:auth-basic sends the password, and the "
			   "template of account %s does not allow it", c->h->account->name);
}

static int replace_value(struct change *c)
{
	const char *key = dmacc_node_word(c->place.node);
	int r = 0;

	if (c->place.node == DMACC_NODE_AUTH_PREF)
		r = judge_auth_pref(c);
	if (!r && !c->session)
		record_remove(c->h->record, RECORD_SERVER, key);
	if (!r)
		r = record_set(c->h->record, layer(c), key, c->value, c->len);
	return r ? r : save(c, false, false);
}

/* Is it what counts already, as after an answer that was lost? */
static bool is_same(const struct change *c)
{
	size_t len;
	const void *now = account_stored_value(c->h->record, c->place.node, &len);

	return now && dmacc_auth_equal(now, len, c->value, c->len);
}

static int replace_node(struct change *c)
{
	enum dmacc_node node = c->place.node;
	const char *sentence;
	int r;

	if (dmacc_place_take(&c->place, c->format, &c->value, &c->len, &sentence))
		return complain_of(c->reterr, REFUSAL_BAD_VALUE, "%s cannot be that: %s",
				   dmacc_node_word(node), sentence);
	if (account_is_nonce(node))
		return replace_nonce(c);
	if (!c->value || is_same(c))
		return 0;
	r = is_credential(node) ? replace_credential(c) : replace_value(c);
	if (!r)
		log_change(c, dmacc_node_word(node));
	return r;
}

/* Beside what there is: a node with a value has none below it */
static int judge_ext(const struct change *c)
{
	struct dmacc_account *values;
	int r;

	r = account_values(c->h->record, false, &values);
	if (r)
		return r;
	r = dmacc_account_set_ext(values, c->place.ext, c->format, c->value, c->len);
	dmacc_account_free(values);
	if (r == -EINVAL)
		return complain_of(c->reterr, REFUSAL_BAD_VALUE, "there can be no such node below Ext, or "
				   "not with that value, or not beside those that are there");
	if (r == -E2BIG)
		return complain_of(c->reterr, REFUSAL_REFUSED, "there is room for %d nodes below Ext",
				   DMACC_EXT_MAX);
	return r;
}

static int replace_ext(struct change *c)
{
	uint8_t value[16 + DMACC_EXT_VALUE_MAX];
	const char *format = c->format[0] ? c->format : "chr";
	size_t head = strlen(format) + 1;
	int r;

	r = judge_ext(c);
	if (r)
		return r;
	memcpy(value, format, head);
	if (c->len)
		memcpy(value + head, c->value, c->len);
	if (!c->session)
		record_remove(c->h->record, RECORD_SERVER, c->place.ext);
	r = record_set(c->h->record, layer(c), c->place.ext, value, head + c->len);
	if (r == -E2BIG)
		return complain_of(c->reterr, REFUSAL_REFUSED, "there is no room for it");
	if (!r)
		r = save(c, false, false);
	if (!r)
		log_change(c, "a node below Ext");
	return r;
}

/* Decimal digits, no zero in front of another digit */
static bool read_generation(const struct change *c, uint32_t *ret)
{
	const char *text = c->value;
	uint64_t n = 0;
	size_t i;

	if (!c->len || c->len > 10 || (c->len > 1 && text[0] == '0'))
		return false;
	for (i = 0; i < c->len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(text[i] - '0');
	}
	*ret = (uint32_t)n;
	return n <= GENERATION_MAX;
}

/* By the same key that the account was made with: the old generation has to come out as it is */
static int derive(const struct change *c, uint32_t now, uint32_t generation,
		  struct dmacc_credentials *ret)
{
	const struct record *record = c->h->record;
	struct dmacc_kernel *kernel = c->h->agent->device.kernel;
	struct dmacc_server server = { 0 };
	const char *slot, *password;
	uint32_t element = 0;
	size_t len, slot_len;
	int r;

	slot = record_get(record, RECORD_STATE, "Slot", &slot_len);
	server.bytes = record_get(record, RECORD_STATE, "Server", &server.len);
	password = record_get(record, RECORD_DERIVED, "ServerPW", &len);
	(void)record_get_u32(record, RECORD_STATE, "Element", &element);
	server.element = (enum dmacc_element)element;
	if (!slot || !server.bytes || !password || !kernel)
		return complain_of(c->reterr, REFUSAL_NOT_READY, "the account was not derived with a key");
	r = dmacc_kernel_derive(kernel, slot, &server, now, ret);
	if (!r && !dmacc_auth_equal(password, len, ret->server_pw, strlen(ret->server_pw)))
		return complain_of(c->reterr, REFUSAL_NOT_READY, "the key in slot %s is not the one that the "
				   "account was made with", slot);
	if (!r)
		r = dmacc_kernel_derive(kernel, slot, &server, generation, ret);
	return r ? complain_of(c->reterr, REFUSAL_NOT_READY, "the kernel does not derive: %s",
			       dmacc_kernel_sentence(kernel)) : 0;
}

static int put_derived(struct record *record, enum dmacc_node node, const char *text)
{
	return record_set(record, RECORD_DERIVED, dmacc_node_word(node), text, strlen(text));
}

static int put_generation(struct record *record, uint32_t generation,
			  const struct dmacc_credentials *credentials)
{
	uint32_t highest = 0;
	int r;

	(void)record_get_u32(record, RECORD_STATE, "HighestGeneration", &highest);
	r = record_set_u32(record, RECORD_STATE, "Generation", generation);
	if (!r && generation > highest)
		r = record_set_u32(record, RECORD_STATE, "HighestGeneration", generation);
	if (!r)
		r = put_derived(record, DMACC_NODE_SERVER_PW, credentials->server_pw);
	return r ? r : put_derived(record, DMACC_NODE_CLIENT_PW, credentials->client_pw);
}

static int keep_generation(const struct session *s, struct record *record, uint32_t now)
{
	int r;

	session_put_proven(s, record);
	r = keep_server(s, record);
	if (!r)
		r = keep_client(s, record);
	return r ? r : record_set_u32(record, RECORD_PREVIOUS, "Generation", now);
}

/* The derived passwords count again, whatever was put over them */
static int put_layer(const struct change *c)
{
	static const char *const keys[] = { "ServerPW", "ClientPW", "Generation" };
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		record_remove(c->h->record, RECORD_SERVER, keys[i]);
		record_remove(c->h->record, RECORD_LOCAL, keys[i]);
	}
	return record_set(c->h->record, layer(c), "Generation", "", 0);
}

/* What is kept serves this session only: session_may_go_back() */
static int raise_generation(struct change *c, uint32_t now, uint32_t generation)
{
	struct record *record = c->h->record;
	struct dmacc_credentials credentials;
	int r;

	r = derive(c, now, generation, &credentials);
	if (!r && c->session) {
		r = keep_generation(c->session, record, now);
	} else if (!r) {
		record_remove_source(record, RECORD_PREVIOUS);
		r = compose_burn(record);
	}
	if (!r)
		r = put_layer(c);
	if (!r)
		r = put_generation(record, generation, &credentials);
	dmacc_wipe(&credentials, sizeof(credentials));
	return r ? r : save(c, true, true);
}

static int replace_generation(struct change *c)
{
	uint32_t now = 0, generation;
	int r;

	if ((c->format[0] && strcmp(c->format, "int") && strcmp(c->format, "chr")) ||
	    !read_generation(c, &generation))
		return complain_of(c->reterr, REFUSAL_BAD_VALUE, "a generation is a number from 0 to %d",
				   GENERATION_MAX);
	(void)record_get_u32(c->h->record, RECORD_STATE, "Generation", &now);
	if (generation == now)
		return 0;
	if (generation < now)
		return complain_of(c->reterr, REFUSAL_REFUSED, "account %s is at generation %u, and goes "
				   "back to none before it", c->h->account->name, now);
	r = raise_generation(c, now, generation);
	if (!r)
		log_change(c, "the generation: its passwords were derived anew");
	return r;
}

static int replace(struct change *c, const char *uri)
{
	size_t len;
	const char *x = account_stored_value(c->h->record, DMACC_NODE_X, &len);

	if (!x || dmacc_place_find(x, uri, &c->place))
		return complain_of(c->reterr, REFUSAL_NO_SUCH_NODE, "account %s has no such node",
				   c->h->account->name);
	if (!(c->place.access & DMACC_ACCESS_REPLACE))
		return complain_of(c->reterr, REFUSAL_NOT_PERMITTED, "that node cannot be replaced");
	if (c->place.ext && !strcmp(c->place.ext, ACCOUNT_GENERATION))
		return replace_generation(c);
	return c->place.ext ? replace_ext(c) : replace_node(c);
}

int session_replace(struct session *s, const char *uri, const char *format, const void *value,
		    size_t len, struct complaint *reterr)
{
	struct holding h;
	struct change c = { .h = &h, .session = s, .format = format, .value = value, .len = len,
			    .reterr = reterr };
	int r;

	if (!s->server_authenticated)
		return complain_of(reterr, REFUSAL_NOT_AUTHENTICATED, "the server has not proved who it "
				   "is");
	r = holding_open(s->agent, s->account, &h, reterr);
	if (r)
		return r;
	r = replace(&c, uri);
	holding_close(&h);
	return r;
}

/* A session goes on with what it has begun with */
static int open_idle(struct agent *agent, const char *account, struct holding *ret,
		     struct complaint *reterr)
{
	const struct session *s = session_find(agent, account);

	if (s)
		return complain_of(reterr, REFUSAL_BUSY, "%s has a session of account %s", s->owner,
				   account);
	return holding_open(agent, account, ret, reterr);
}

int change_replace(struct agent *agent, const char *account, const char *uri, const char *format,
		   const void *value, size_t len, struct complaint *reterr)
{
	struct holding h;
	struct change c = { .h = &h, .format = format, .value = value, .len = len,
			    .reterr = reterr };
	int r;

	r = open_idle(agent, account, &h, reterr);
	if (r)
		return r;
	r = replace(&c, uri);
	holding_close(&h);
	return r;
}

static bool is_named(char *const *nodes, const char *word)
{
	if (!nodes[0])
		return true;
	for (; *nodes; nodes++)
		if (!strcmp(*nodes, word))
			return true;
	return false;
}

/* Nonces have no other value to go back to */
static int judge_names(char *const *nodes, struct complaint *reterr)
{
	enum dmacc_node node;

	for (; *nodes; nodes++) {
		for (node = 0; node < DMACC_NODES; node++)
			if (!account_is_nonce(node) && !strcmp(*nodes, dmacc_node_word(node)))
				break;
		if (node == DMACC_NODES && strcmp(*nodes, "Generation"))
			return complain_of(reterr, REFUSAL_NO_SUCH_NODE, "there is no such node: they are "
					   "named as in templates, such as ServerPW, and Generation");
	}
	return 0;
}

/* Takes away what was put over it. Returns whether there was anything. */
static bool uncover(struct record *record, const char *key)
{
	size_t len;
	bool had = record_get(record, RECORD_SERVER, key, &len) ||
		   record_get(record, RECORD_LOCAL, key, &len);

	record_remove(record, RECORD_SERVER, key);
	record_remove(record, RECORD_LOCAL, key);
	record_remove(record, RECORD_PREVIOUS, key);
	return had;
}

/* Returns whether that changes a credential */
static bool uncover_nodes(struct record *record, char *const *nodes)
{
	bool credential = false;
	enum dmacc_node node;

	for (node = 0; node < DMACC_NODES; node++)
		if (is_named(nodes, dmacc_node_word(node)) &&
		    uncover(record, dmacc_node_word(node)) && is_credential(node))
			credential = true;
	if (!nodes[0]) {
		record_remove_source(record, RECORD_SERVER);
		record_remove_source(record, RECORD_LOCAL);
	}
	return credential;
}

/* Returns 1 if the passwords are others now, 0 if it was at the template's; an error */
static int lower_generation(struct holding *h, struct complaint *reterr)
{
	const struct change c = { .h = h, .reterr = reterr };
	struct dmacc_credentials credentials;
	uint32_t now, template;
	int r;

	uncover(h->record, "Generation");
	if (!record_get_u32(h->record, RECORD_STATE, "Generation", &now) ||
	    !record_get_u32(h->record, RECORD_STATE, "TemplateGeneration", &template) ||
	    now == template)
		return 0;
	r = derive(&c, now, template, &credentials);
	if (r)
		return r;
	r = put_generation(h->record, template, &credentials);
	dmacc_wipe(&credentials, sizeof(credentials));
	return r ? r : 1;
}

/* @burn: also if no credential changes */
static int revert(struct holding *h, char *const *nodes, bool burn, struct complaint *reterr)
{
	int r = 0;

	burn |= uncover_nodes(h->record, nodes);
	if (is_named(nodes, "Generation"))
		r = lower_generation(h, reterr);
	if (r < 0)
		return r;
	burn |= r > 0;
	r = burn ? compose_burn(h->record) : 0;
	/* what was kept was kept beside what is gone */
	if (!r && burn)
		record_remove_source(h->record, RECORD_PREVIOUS);
	return r;
}

static int revert_and_save(struct holding *h, char *const *nodes, struct complaint *reterr)
{
	struct record *before;
	bool differs;
	int r;

	r = record_copy(h->record, &before);
	if (r)
		return r;
	r = revert(h, nodes, false, reterr);
	differs = !r && !record_equal(before, h->record);
	record_free(before);
	if (!differs)
		return r;
	r = holding_save(h, reterr);
	if (!r)
		log_event(LOG_LOCAL_CHANGE, h->account->name, LOG_NOTICE, "what was replaced is given up "
			  "for the factory's values");
	return r;
}

int change_revert(struct agent *agent, const char *account, char *const *nodes,
		  struct complaint *reterr)
{
	struct holding h;
	int r;

	r = judge_names(nodes, reterr);
	if (!r)
		r = open_idle(agent, account, &h, reterr);
	if (r)
		return r;
	r = revert_and_save(&h, nodes, reterr);
	holding_close(&h);
	return r;
}

static int reset(struct holding *h, struct complaint *reterr)
{
	static char *const all[] = { NULL };
	int r;

	r = revert(h, all, true, reterr);
	if (r)
		return r;
	record_remove(h->record, RECORD_STATE, "LastConnected");
	r = holding_save(h, reterr);
	if (!r)
		log_event(LOG_LOCAL_CHANGE, h->account->name, LOG_NOTICE, "it was reset to what the factory "
			  "made; its nonces are burnt");
	return r;
}

int change_reset(struct agent *agent, const char *account, struct complaint *reterr)
{
	struct holding h;
	int r;

	r = open_idle(agent, account, &h, reterr);
	if (r)
		return r;
	r = reset(&h, reterr);
	holding_close(&h);
	return r;
}
