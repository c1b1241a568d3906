/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A message of ours, written: SyncML 1.2 as XML */
#ifndef DMACC_PROBE_MESSAGE_H
#define DMACC_PROBE_MESSAGE_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dmacc.h"

#define ANSWERS_MAX 64

/**
 * struct answer - what became of a command of the server
 * @ref: its CmdID
 * @command: its name, a constant
 * @uri: what it was about
 * @code: Status
 * @format: of a Get's value; NULL for no Results
 * @value: malloc'ed; base64 if @format is bin
 */
struct answer {
	char ref[16];
	const char *command;
	char uri[256];
	int code;
	const char *format;
	char *value;
};

/* A leaf of DevInfo */
struct info {
	const char *name;
	char value[128];
};

#define INFOS 5

/**
 * struct message - one to be sent
 * @id: MsgID, from 1
 * @session: SessionID
 * @url: of the server
 * @devid: ours
 * @user_name: ours, beside it
 * @infos: of DevInfo
 * @begins: it has the Alert that a session begins with, and DevInfo
 * @more: it asks for the rest of the server's package
 * @peer_id: MsgID of the message that it answers; "" if it answers none
 * @header_code: Status of that message's header
 * @chal_type: what the server's next credential shall be; NULL for no Chal
 * @chal_nonce: and with which nonce
 */
struct message {
	unsigned int id;
	unsigned int session;
	const char *url;
	const char *devid;
	const char *user_name;
	const struct info *infos;
	bool begins;
	bool more;
	char peer_id[16];
	int header_code;
	const char *chal_type;
	uint8_t chal_nonce[DMACC_NONCE_SIZE];
	struct answer answers[ANSWERS_MAX];
	size_t answers_len;
};

/**
 * message_write() - as XML
 * @cred_type: of our credential; NULL: there is none in it
 * @cred_data: base64
 * @ret: to be given to xmlBufferFree(); written on success only
 *
 * Return: 0 or -ENOMEM.
 */
int message_write(const struct message *m, const char *cred_type, const char *cred_data,
		  xmlBuffer **ret);

/* Forgets the answers */
void message_done(struct message *m);

#endif
