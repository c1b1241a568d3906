// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <libxml/xmlwriter.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "message.h"

#define SYNCML "SYNCML:SYNCML1.2"
#define METINF "syncml:metinf"
#define LARGEST "65536"

/* A failure of libxml2's writer is one of an allocation: it is noted, and nothing done after it */
struct writer {
	xmlTextWriter *x;
	unsigned int command;	/* the CmdID given last */
	bool failed;
};

static const xmlChar *xml(const char *text)
{
	return (const xmlChar *)text;
}

static void begin(struct writer *w, const char *name)
{
	w->failed = w->failed || xmlTextWriterStartElement(w->x, xml(name)) < 0;
}

static void end(struct writer *w)
{
	w->failed = w->failed || xmlTextWriterEndElement(w->x) < 0;
}

static void text(struct writer *w, const char *name, const char *value)
{
	w->failed = w->failed || xmlTextWriterWriteElement(w->x, xml(name), xml(value)) < 0;
}

static void number(struct writer *w, const char *name, unsigned int value)
{
	char digits[12];

	snprintf(digits, sizeof(digits), "%u", value);
	text(w, name, digits);
}

/* Within Meta. @value: NULL for none. */
static void meta(struct writer *w, const char *name, const char *value)
{
	if (!value || w->failed)
		return;
	w->failed = xmlTextWriterWriteElementNS(w->x, NULL, xml(name), xml(METINF), xml(value)) < 0;
}

static void location(struct writer *w, const char *name, const char *uri, const char *local_name)
{
	begin(w, name);
	text(w, "LocURI", uri);
	if (local_name && local_name[0])
		text(w, "LocName", local_name);
	end(w);
}

static void begin_command(struct writer *w, const char *name)
{
	begin(w, name);
	number(w, "CmdID", ++w->command);
}

static void write_header(struct writer *w, const struct message *m, const char *cred_type,
			 const char *cred_data)
{
	begin(w, "SyncHdr");
	text(w, "VerDTD", "1.2");
	text(w, "VerProto", "DM/1.2");
	number(w, "SessionID", m->session);
	number(w, "MsgID", m->id);
	location(w, "Target", m->url, NULL);
	location(w, "Source", m->devid, m->user_name);
	if (cred_type) {
		begin(w, "Cred");
		begin(w, "Meta");
		meta(w, "Format", "b64");
		meta(w, "Type", cred_type);
		end(w);
		text(w, "Data", cred_data);
		end(w);
	}
	begin(w, "Meta");
	meta(w, "MaxMsgSize", LARGEST);
	end(w);
	end(w);
}

static void write_chal(struct writer *w, const struct message *m)
{
	unsigned char nonce[DMACC_NONCE_SIZE * 2];

	EVP_EncodeBlock(nonce, m->chal_nonce, DMACC_NONCE_SIZE);
	begin(w, "Chal");
	begin(w, "Meta");
	meta(w, "Type", m->chal_type);
	meta(w, "Format", "b64");
	meta(w, "NextNonce", (char *)nonce);
	end(w);
	end(w);
}

static void begin_status(struct writer *w, const struct message *m, const char *ref,
			 const char *command)
{
	begin_command(w, "Status");
	text(w, "MsgRef", m->peer_id);
	text(w, "CmdRef", ref);
	text(w, "Cmd", command);
}

static void write_header_status(struct writer *w, const struct message *m)
{
	begin_status(w, m, "0", "SyncHdr");
	text(w, "TargetRef", m->devid);
	text(w, "SourceRef", m->url);
	if (m->chal_type)
		write_chal(w, m);
	number(w, "Data", (unsigned int)m->header_code);
	end(w);
}

static void write_results(struct writer *w, const struct message *m, const struct answer *a)
{
	begin_command(w, "Results");
	text(w, "MsgRef", m->peer_id);
	text(w, "CmdRef", a->ref);
	begin(w, "Item");
	location(w, "Source", a->uri, NULL);
	begin(w, "Meta");
	meta(w, "Format", a->format);
	meta(w, "Type", "text/plain");
	end(w);
	text(w, "Data", a->value);
	end(w);
	end(w);
}

static void write_answer(struct writer *w, const struct message *m, const struct answer *a)
{
	begin_status(w, m, a->ref, a->command);
	if (a->uri[0])
		text(w, "TargetRef", a->uri);
	number(w, "Data", (unsigned int)a->code);
	end(w);
	if (a->format)
		write_results(w, m, a);
}

static void write_alert(struct writer *w, unsigned int code)
{
	begin_command(w, "Alert");
	number(w, "Data", code);
	end(w);
}

static void write_infos(struct writer *w, const struct message *m)
{
	char uri[64];
	size_t i;

	begin_command(w, "Replace");
	for (i = 0; i < INFOS; i++) {
		snprintf(uri, sizeof(uri), "./DevInfo/%s", m->infos[i].name);
		begin(w, "Item");
		location(w, "Source", uri, NULL);
		text(w, "Data", m->infos[i].value);
		end(w);
	}
	end(w);
}

static void write_body(struct writer *w, const struct message *m)
{
	size_t i;

	begin(w, "SyncBody");
	if (m->peer_id[0])
		write_header_status(w, m);
	for (i = 0; i < m->answers_len; i++)
		write_answer(w, m, &m->answers[i]);
	if (m->begins) {
		/* a session that the client begins */
		write_alert(w, 1201);
		write_infos(w, m);
	}
	if (m->more)
		write_alert(w, 1222);
	begin(w, "Final");
	end(w);
	end(w);
}

int message_write(const struct message *m, const char *cred_type, const char *cred_data,
		  xmlBuffer **ret)
{
	xmlBuffer *buffer = xmlBufferCreate();
	struct writer w = { 0 };

	w.x = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
	if (!w.x) {
		xmlBufferFree(buffer);
		return -ENOMEM;
	}
	w.failed = xmlTextWriterStartDocument(w.x, NULL, "UTF-8", NULL) < 0 ||
		   xmlTextWriterStartElementNS(w.x, NULL, xml("SyncML"), xml(SYNCML)) < 0;
	write_header(&w, m, cred_type, cred_data);
	write_body(&w, m);
	w.failed = w.failed || xmlTextWriterEndDocument(w.x) < 0;
	xmlFreeTextWriter(w.x);
	if (w.failed) {
		xmlBufferFree(buffer);
		return -ENOMEM;
	}
	*ret = buffer;
	return 0;
}

void message_done(struct message *m)
{
	size_t i;

	for (i = 0; i < m->answers_len; i++)
		free(m->answers[i].value);
	m->answers_len = 0;
}
