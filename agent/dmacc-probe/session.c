// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The session, message by message. What is acknowledged to the server is on the disk before: the
 * agent is told to commit before each message goes out.
 */
#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "commands.h"

#define MESSAGES_MAX 40
/* A credential that does not fit is challenged with a fresh nonce, and once more, no more */
#define REFUSALS_MAX 3
#define CHALLENGES_MAX 6
#define GOES_ON VERDICT_AGREED
#define FRESH ", with a fresh nonce, too: password or name differ"

static enum verdict agent_failed(struct probe *p)
{
	return probe_fail(p, VERDICT_AGENT, "the agent: %s", dmacc_client_error(p->client));
}

static bool is_mac(const char *type)
{
	return !strcasecmp(type, "syncml:auth-MAC");
}

/**
 * struct sealed - a message with its credential
 * @hmac: the header x-syncml-hmac; NULL if the credential is in the message or there is none
 */
struct sealed {
	xmlBuffer *xml;
	char *hmac;
};

static void sealed_done(struct sealed *s)
{
	if (s->xml)
		xmlBufferFree(s->xml);
	free(s->hmac);
}

static enum verdict no_credential(struct probe *p, int r)
{
	if (r == -EPROTONOSUPPORT)
		return probe_fail(p, VERDICT_DOWNGRADE, "%s", dmacc_client_error(p->client));
	return agent_failed(p);
}

/* auth-MAC is over the message; the others are in it */
static enum verdict seal(struct probe *p, const struct message *out, struct sealed *ret)
{
	char *type = NULL, *data = NULL;
	int r;

	if (message_write(out, NULL, NULL, &ret->xml))
		return probe_fail(p, VERDICT_AGENT, "out of memory");
	if (p->client_ok && !p->mac)
		return GOES_ON;
	r = dmacc_session_credential(p->session, NULL, xmlBufferContent(ret->xml),
				     (size_t)xmlBufferLength(ret->xml), &type, &data);
	if (r)
		return no_credential(p, r);
	p->mac = is_mac(type);
	probe_say(p, "-> message %u with %s", out->id, type);
	if (p->mac) {
		ret->hmac = data;
		free(type);
		return GOES_ON;
	}
	xmlBufferFree(ret->xml);
	ret->xml = NULL;
	r = message_write(out, type, data, &ret->xml);
	free(type);
	free(data);
	return r ? probe_fail(p, VERDICT_AGENT, "out of memory") : GOES_ON;
}

static enum verdict verdict_of(enum http_trouble trouble)
{
	switch (trouble) {
	case HTTP_ADDRESS: return VERDICT_ADDRESS;
	case HTTP_NAME: return VERDICT_NAME;
	case HTTP_CONNECTION: return VERDICT_CONNECTION;
	case HTTP_TLS: return VERDICT_TLS;
	default: return VERDICT_HTTP;
	}
}

/* Once something was exchanged it is not the way to the server that is wrong */
static enum verdict transport_failed(struct probe *p, enum http_trouble trouble, const char *why)
{
	if (p->messages)
		return probe_fail(p, VERDICT_UNFINISHED, "after %u messages: %s", p->messages, why);
	return probe_fail(p, verdict_of(trouble), "%s", why);
}

static enum verdict post(struct probe *p, const struct message *out, struct http_answer *ret)
{
	struct sealed s = { 0 };
	char why[HTTP_ERROR_SIZE];
	enum http_trouble trouble;
	enum verdict v;

	v = seal(p, out, &s);
	if (!v && dmacc_session_commit(p->session, false))
		v = agent_failed(p);
	if (!v) {
		trouble = http_post(p->http, p->url, xmlBufferContent(s.xml),
				    (size_t)xmlBufferLength(s.xml), s.hmac, ret, why);
		if (trouble)
			v = transport_failed(p, trouble, why);
	}
	sealed_done(&s);
	return v;
}

static enum verdict refused_by_server(struct probe *p, const char *what)
{
	return probe_fail(p, VERDICT_CLIENT_REFUSED,
			  "the server refuses our credential%s; it was made with UserName %s, "
			  "ServerID %s, generation %u, slot %s%s%s",
			  what, p->user_name, p->server_id, p->generation, p->slot,
			  p->key_id[0] ? ", KeyId " : "", p->key_id);
}

static enum verdict challenged(struct probe *p, const struct package *in)
{
	int r;

	p->client_ok = false;
	if (!in->chal.type[0] || p->challenges == CHALLENGES_MAX)
		return refused_by_server(p, p->challenges ? FRESH :
					 " and names no nonce for another one");
	p->challenges++;
	probe_say(p, "<- the server challenges us (%d): %s", in->header_code, in->chal.type);
	r = dmacc_session_challenged(p->session, in->chal.type, in->chal.nonce, in->chal.len);
	if (r == -EPROTONOSUPPORT)
		return probe_fail(p, VERDICT_DOWNGRADE, "the server asks for %s: %s", in->chal.type,
				  dmacc_client_error(p->client));
	if (r == -EPERM)
		return refused_by_server(p, FRESH);
	return r ? agent_failed(p) : GOES_ON;
}

static enum verdict accepted(struct probe *p, const struct package *in)
{
	if (!p->client_ok)
		probe_say(p, "<- the server accepts our credential (%d)", in->header_code);
	p->client_ok = true;
	return dmacc_session_accepted(p->session, in->chal.nonce, in->chal.len) ? agent_failed(p) :
		GOES_ON;
}

/* What the server says of our credential */
static enum verdict take_header_status(struct probe *p, const struct package *in)
{
	switch (in->header_code) {
	case 401:
	case 407: return challenged(p, in);
	case 200:
	case 212: return accepted(p, in);
	case 0: return probe_fail(p, VERDICT_PROTOCOL, "the server does not say what it makes of "
				  "our credential: there is no Status of our header");
	default: return probe_fail(p, VERDICT_CLIENT_REFUSED, "the server refuses the session of "
				   "UserName %s with status %d", p->user_name, in->header_code);
	}
}

static enum verdict server_refused(struct probe *p, int r, const char *type)
{
	const char *why = dmacc_client_error(p->client);

	p->server_ok = false;
	if (r == -EPROTONOSUPPORT)
		return probe_fail(p, VERDICT_DOWNGRADE, "the server authenticates with %s: %s",
				  type, why);
	if (r != -EKEYREJECTED)
		return agent_failed(p);
	probe_say(p, "<- the server's credential does not fit (%s)", type);
	probe_fail(p, VERDICT_SERVER_REFUSED, "the server's credential: %s", why);
	return ++p->refusals < REFUSALS_MAX ? GOES_ON : VERDICT_SERVER_REFUSED;
}

/* The server's credential in this message, if there is one. @ret_there: there is. */
static enum verdict verify_server(struct probe *p, const struct package *in,
				  const struct http_answer *answer, bool *ret_there)
{
	const char *type = answer->hmac ? "syncml:auth-MAC" : in->cred_type;
	int r;

	*ret_there = type[0];
	if (!type[0]) {
		if (p->server_ok && !p->mac)
			return GOES_ON;
		p->server_ok = false;
		probe_say(p, "<- the server sends no credential");
		probe_fail(p, VERDICT_SERVER_REFUSED, "the server sends no credential");
		return ++p->refusals < REFUSALS_MAX ? GOES_ON : VERDICT_SERVER_REFUSED;
	}
	r = dmacc_session_verify_server(p->session, type,
					answer->hmac ? answer->hmac : in->cred_data,
					answer->body, answer->hmac ? answer->len : 0);
	if (r)
		return server_refused(p, r, type);
	if (!p->server_ok)
		probe_say(p, "<- the server's credential fits (%s)", type);
	p->server_ok = true;
	return GOES_ON;
}

/* What goes back to the server about its credential */
static enum verdict answer_header(struct probe *p, const struct package *in, bool there,
				  struct message *out)
{
	if (p->server_ok)
		out->header_code = p->mac ? 200 : 212;
	else
		out->header_code = there ? 401 : 407;
	memcpy(out->peer_id, in->message_id, sizeof(out->peer_id));
	if (p->server_ok && p->told && !p->mac)
		return GOES_ON;
	out->chal_type = p->mac ? "syncml:auth-MAC" : "syncml:auth-md5";
	return dmacc_session_server_nonce(p->session, out->chal_nonce) ? agent_failed(p) : GOES_ON;
}

/* The server may have us talk to another place, but not in clear if it was not so before */
static enum verdict follow(struct probe *p, const struct package *in)
{
	char *url;

	if (!in->resp_uri[0] || !strcmp(in->resp_uri, p->url))
		return GOES_ON;
	if (strncasecmp(in->resp_uri, p->tls ? "https://" : "http://", p->tls ? 8 : 7))
		return probe_fail(p, VERDICT_PROTOCOL, "the server wants the next message at %s, "
				  "where this session cannot go on", in->resp_uri);
	url = strdup(in->resp_uri);
	if (!url)
		return probe_fail(p, VERDICT_AGENT, "out of memory");
	free(p->url);
	p->url = url;
	return GOES_ON;
}

/* Nothing is left that has to be said */
static bool is_over(const struct probe *p, const struct package *in)
{
	return p->told && p->client_ok && p->server_ok && in->final && !commands_count(in);
}

/* The answer to a message goes into @out, whose answers are those of before */
static enum verdict take(struct probe *p, const struct package *in,
			 const struct http_answer *answer, struct message *out, bool *ret_over)
{
	enum verdict v;
	bool there;

	v = verify_server(p, in, answer, &there);
	if (!v)
		v = take_header_status(p, in);
	*ret_over = !v && is_over(p, in);
	if (v || *ret_over)
		return v;
	message_done(out);
	commands_answer(p, in, p->server_ok && p->client_ok, out);
	out->id++;
	out->begins = !p->client_ok;
	out->more = !in->final;
	out->chal_type = NULL;
	out->url = p->url;
	v = answer_header(p, in, there, out);
	if (!v)
		v = follow(p, in);
	p->told = p->server_ok;
	return v;
}

static enum verdict exchange(struct probe *p, struct message *out, bool *ret_over)
{
	struct http_answer answer;
	struct package in;
	const char *sentence;
	enum verdict v;

	v = post(p, out, &answer);
	if (v)
		return v;
	p->messages++;
	if (package_read(answer.body, answer.len, out->id, &in, &sentence)) {
		v = probe_fail(p, VERDICT_PROTOCOL, "the server's message is not understood: %s",
			       sentence);
	} else {
		v = take(p, &in, &answer, out, ret_over);
		package_done(&in);
	}
	http_answer_done(&answer);
	return v;
}

static enum verdict converse(struct probe *p, struct message *out)
{
	enum verdict v = GOES_ON;
	bool over = false;

	while (!v && !over && p->messages < MESSAGES_MAX)
		v = exchange(p, out, &over);
	if (v)
		return v;
	if (!over)
		return probe_fail(p, VERDICT_UNFINISHED, "after %u messages the server has not "
				  "come to an end", p->messages);
	return dmacc_session_commit(p->session, false) ? agent_failed(p) : VERDICT_AGREED;
}

static enum verdict not_opened(struct probe *p, int r)
{
	return probe_fail(p, r == -ENOMEM ? VERDICT_AGENT : VERDICT_NOT_READY, "%s",
			  dmacc_client_error(p->client));
}

enum verdict session_run(struct probe *p)
{
	struct message *out = calloc(1, sizeof(*out));
	uint16_t id = 0;
	enum verdict v;
	int r;

	if (!out || RAND_bytes((unsigned char *)&id, sizeof(id)) != 1) {
		free(out);
		return probe_fail(p, VERDICT_AGENT, "out of memory");
	}
	*out = (struct message){
		.id = 1, .session = 1u + id, .url = p->url, .devid = p->devid,
		.user_name = p->user_name, .infos = p->infos, .begins = true,
	};
	r = dmacc_session_open(p->client, p->account, p->tls, &p->session);
	v = r ? not_opened(p, r) : converse(p, out);
	p->session = dmacc_session_close(p->session);
	message_done(out);
	free(out);
	return v;
}
