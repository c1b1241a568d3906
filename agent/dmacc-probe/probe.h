/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dmacc-probe: one session of OMA DM 1.2 with the server of an account, and what came of it. It is
 * a DM client like others: the agent computes and verifies, over libdmacc-client.
 */
#ifndef DMACC_PROBE_PROBE_H
#define DMACC_PROBE_PROBE_H

#include <json-c/json.h>
#include <stdbool.h>

#include "dmacc-client.h"
#include "http.h"
#include "message.h"

/* What a probe comes to. The words of verdict_word() are a promise to scripts. */
enum verdict {
	VERDICT_AGREED,		/* each accepted the other, and the session ended well */
	VERDICT_NOT_READY,	/* there is nothing to have a session with */
	VERDICT_ADDRESS,
	VERDICT_NAME,
	VERDICT_CONNECTION,
	VERDICT_TLS,
	VERDICT_HTTP,
	VERDICT_PROTOCOL,	/* what the server sends is not understood */
	VERDICT_CLIENT_REFUSED,	/* the server refuses our credential */
	VERDICT_SERVER_REFUSED,	/* its own does not fit */
	VERDICT_DOWNGRADE,	/* it asks for less than the account allows */
	VERDICT_UNFINISHED,	/* the session broke off */
	VERDICT_AGENT,		/* the agent failed in the middle of it */
};

#define SENTENCE_SIZE 1024

/**
 * struct probe - a session and what is known of the account
 * @x: the name of the account's node
 * @key_id: "" if the kernel does not tell us
 * @json: the object that is printed at the end; NULL: text, line by line
 * @mac: our credentials are auth-MAC
 * @client_ok: the server accepted our credential
 * @server_ok: its credential fitted, in the last message for auth-MAC
 * @told: the server knows that it did
 * @challenges: how often it challenged us
 * @refusals: how often its credential did not fit
 * @sentence: why it failed, or what the agent said of the server's credential
 */
struct probe {
	struct dmacc_client *client;
	struct dmacc_session *session;
	struct http *http;
	const char *account;
	char *url;
	bool tls;
	char *x;
	char *user_name;
	char *server_id;
	char devid[DMACC_DEVID_SIZE];
	char slot[DMACC_SLOT_SIZE];
	char key_id[DMACC_KEY_ID_SIZE];
	unsigned int key_version;
	unsigned int generation;
	struct info infos[INFOS];
	struct json_object *json;
	struct json_object *steps;

	bool mac;
	bool client_ok;
	bool server_ok;
	bool told;
	unsigned int messages;
	unsigned int challenges;
	unsigned int refusals;
	char sentence[SENTENCE_SIZE];
};

/* Writes @sentence; returns the verdict */
enum verdict probe_fail(struct probe *p, enum verdict verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A step of the session, as it happens */
void probe_say(struct probe *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* describe.c: who and where, before anything is sent */
enum verdict describe(struct probe *p);
void describe_print(const struct probe *p);

/* session.c */
enum verdict session_run(struct probe *p);

/* nodes.c: carries out a command's item; fills in code, format and value of @answer */
void nodes_get(struct probe *p, struct answer *answer);
void nodes_replace(struct probe *p, const xmlNode *item, const char *format, struct answer *answer);

/* verdict.c */
const char *verdict_word(enum verdict verdict);
int verdict_print(struct probe *p, enum verdict verdict);

#endif
