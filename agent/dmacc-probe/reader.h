/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A message of the server, read: SyncML 1.2 as XML */
#ifndef DMACC_PROBE_READER_H
#define DMACC_PROBE_READER_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NONCE_MAX 255

/**
 * struct chal - what the other side wants
 * @type: "syncml:auth-md5", ...; "" if there is no Chal
 * @len: bytes of @nonce; 0 for none
 */
struct chal {
	char type[32];
	uint8_t nonce[NONCE_MAX];
	size_t len;
};

/**
 * struct package - a message; what is not there is ""
 * @cred_type: of the server's credential
 * @header_code: of its Status of our SyncHdr; 0 if there is none
 * @chal: in that Status
 * @body: whose children the commands are
 * @final: nothing of the same package follows
 */
struct package {
	xmlDoc *doc;
	char message_id[16];
	char cred_type[32];
	char cred_data[256];
	char resp_uri[1024];
	int header_code;
	struct chal chal;
	xmlNode *body;
	bool final;
};

/**
 * package_read() - read a message
 * @our_id: MsgID of the message that it answers
 * @ret: to be given to package_done(); written on success only
 * @reterr: a constant sentence, quoting nothing
 *
 * Nothing is loaded, and no entity expanded.
 *
 * Return: 0 or -1.
 */
int package_read(const char *bytes, size_t len, unsigned int our_id, struct package *ret,
		 const char **reterr);
void package_done(struct package *package);

/* Before anything else of libxml2: what it frees may have had a password in it, and is wiped */
void reader_init(void);

/* By name, whatever the namespace. NULL if there is none; may be given NULL. */
xmlNode *reader_child(const xmlNode *parent, const char *name);
xmlNode *reader_next(const xmlNode *node, const char *name);
bool reader_is(const xmlNode *node, const char *name);

/*
 * The text of an element below @node, by names with '/' between; "" if it is not there. malloc'ed,
 * to be given to reader_wipe(). NULL: out of memory.
 */
char *reader_text(const xmlNode *node, const char *path);
void reader_wipe(char *text);

/* base64, blanks ignored. @ret: room for @size. Returns how many bytes, or -1. */
int reader_base64(const char *text, uint8_t *ret, size_t size);

#endif
