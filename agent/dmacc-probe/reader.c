// SPDX-License-Identifier: LGPL-2.1-or-later
#include <libxml/parser.h>
#include <libxml/xmlmemory.h>
#include <malloc.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "dmacc.h"
#include "reader.h"

static void wiping_free(void *memory)
{
	if (memory)
		dmacc_wipe(memory, malloc_usable_size(memory));
	free(memory);
}

static void *wiping_realloc(void *memory, size_t size)
{
	size_t had = memory ? malloc_usable_size(memory) : 0;
	void *more = malloc(size);

	if (!more)
		return NULL;
	if (memory)
		memcpy(more, memory, had < size ? had : size);
	wiping_free(memory);
	return more;
}

void reader_init(void)
{
	(void)xmlMemSetup(wiping_free, malloc, wiping_realloc, strdup);
	xmlInitParser();
}

/* Without declarations there is nothing to expand, and with them it is no message of a DM server */
static void refuse_entity(void *ctx, const xmlChar *name, int type, const xmlChar *public_id,
			  const xmlChar *system_id, xmlChar *content)
{
	xmlParserCtxt *parser = ctx;

	(void)name, (void)type, (void)public_id, (void)system_id, (void)content;
	*(const char **)parser->_private = "it declares an entity";
	xmlStopParser(parser);
}

static xmlEntity *no_parameter_entity(void *ctx, const xmlChar *name)
{
	(void)name;
	*(const char **)((xmlParserCtxt *)ctx)->_private = "it uses a parameter entity";
	xmlStopParser(ctx);
	return NULL;
}

static xmlDoc *parse(const char *bytes, size_t len, const char **reterr)
{
	xmlParserCtxt *parser = xmlNewParserCtxt();
	const char *sentence = NULL;
	xmlDoc *doc;

	if (!parser) {
		*reterr = "out of memory";
		return NULL;
	}
	parser->_private = &sentence;
	parser->sax->entityDecl = refuse_entity;
	parser->sax->getParameterEntity = no_parameter_entity;
	doc = xmlCtxtReadMemory(parser, bytes, (int)len, NULL, NULL, XML_PARSE_NONET |
				XML_PARSE_NOCDATA | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlFreeParserCtxt(parser);
	if (doc && !sentence)
		return doc;
	xmlFreeDoc(doc);
	*reterr = sentence ? sentence : "it is not well-formed XML";
	return NULL;
}

bool reader_is(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && !strcmp((const char *)node->name, name);
}

static xmlNode *first_named(xmlNode *node, const char *name)
{
	while (node && !reader_is(node, name))
		node = node->next;
	return node;
}

xmlNode *reader_child(const xmlNode *parent, const char *name)
{
	return parent ? first_named(parent->children, name) : NULL;
}

xmlNode *reader_next(const xmlNode *node, const char *name)
{
	return first_named(node->next, name);
}

static const xmlNode *descend(const xmlNode *node, const char *path)
{
	char name[32];
	size_t len;

	while (node && *path) {
		len = strcspn(path, "/");
		memcpy(name, path, len);
		name[len] = '\0';
		node = reader_child(node, name);
		path += path[len] ? len + 1 : len;
	}
	return node;
}

char *reader_text(const xmlNode *node, const char *path)
{
	const xmlNode *found = descend(node, path);

	return found ? (char *)xmlNodeGetContent(found) : strdup("");
}

void reader_wipe(char *text)
{
	wiping_free(text);
}

/* Without the blanks around it; "" if it is longer than @ret, which nothing fits then */
static int copy_text(const xmlNode *node, const char *path, char *ret, size_t size)
{
	char *text = reader_text(node, path), *from;
	size_t len;

	if (!text)
		return -1;
	from = text + strspn(text, " \t\r\n");
	len = strlen(from);
	while (len && strchr(" \t\r\n", from[len - 1]))
		len--;
	if (len >= size)
		len = 0;
	memcpy(ret, from, len);
	ret[len] = '\0';
	reader_wipe(text);
	return 0;
}

int reader_base64(const char *text, uint8_t *ret, size_t size)
{
	size_t len = strlen(text);
	EVP_ENCODE_CTX *ctx;
	int n = 0, rest = 0;
	bool good;

	/* what OpenSSL may write of it */
	if (len / 4 * 3 + 3 > size)
		return -1;
	ctx = EVP_ENCODE_CTX_new();
	if (!ctx)
		return -1;
	EVP_DecodeInit(ctx);
	good = EVP_DecodeUpdate(ctx, ret, &n, (const unsigned char *)text, (int)len) >= 0 &&
	       EVP_DecodeFinal(ctx, ret + n, &rest) > 0;
	EVP_ENCODE_CTX_free(ctx);
	return good ? n + rest : -1;
}

static int read_chal(const xmlNode *status, struct chal *ret)
{
	uint8_t nonce[NONCE_MAX + 8];
	char text[352], type[32];
	int len;

	*ret = (struct chal){ 0 };
	if (!reader_child(status, "Chal"))
		return 0;
	if (copy_text(status, "Chal/Meta/Type", type, sizeof(type)) ||
	    copy_text(status, "Chal/Meta/NextNonce", text, sizeof(text)))
		return -1;
	len = text[0] ? reader_base64(text, nonce, sizeof(nonce)) : 0;
	if (len < 0 || len > NONCE_MAX)
		return -1;
	memcpy(ret->type, type, sizeof(type));
	memcpy(ret->nonce, nonce, (size_t)len);
	ret->len = (size_t)len;
	return 0;
}

static int read_number(const xmlNode *node, const char *path)
{
	char text[12];

	if (copy_text(node, path, text, sizeof(text)) || !text[0] ||
	    strspn(text, "0123456789") != strlen(text) || strlen(text) > 8)
		return -1;
	return atoi(text);
}

/* Its Status of our SyncHdr */
static int read_header_status(struct package *p, unsigned int our_id)
{
	const xmlNode *status = reader_child(p->body, "Status");

	for (; status; status = reader_next(status, "Status")) {
		if (read_number(status, "CmdRef") != 0 ||
		    read_number(status, "MsgRef") != (int)our_id)
			continue;
		p->header_code = read_number(status, "Data");
		return p->header_code < 0 ? -1 : read_chal(status, &p->chal);
	}
	return 0;
}

static int read_header(struct package *p, const xmlNode *header)
{
	char version[16];

	if (copy_text(header, "VerProto", version, sizeof(version)) || strcmp(version, "DM/1.2"))
		return -1;
	return copy_text(header, "MsgID", p->message_id, sizeof(p->message_id)) ||
	       copy_text(header, "RespURI", p->resp_uri, sizeof(p->resp_uri)) ||
	       copy_text(header, "Cred/Meta/Type", p->cred_type, sizeof(p->cred_type)) ||
	       copy_text(header, "Cred/Data", p->cred_data, sizeof(p->cred_data)) ? -1 : 0;
}

int package_read(const char *bytes, size_t len, unsigned int our_id, struct package *ret,
		 const char **reterr)
{
	struct package p = { 0 };
	const xmlNode *root, *header;
	const char *sentence = NULL;

	p.doc = parse(bytes, len, reterr);
	if (!p.doc)
		return -1;
	root = xmlDocGetRootElement(p.doc);
	header = root && reader_is(root, "SyncML") ? reader_child(root, "SyncHdr") : NULL;
	p.body = header ? reader_child(root, "SyncBody") : NULL;
	if (!p.body)
		sentence = "it is no message of SyncML";
	else if (read_header(&p, header))
		sentence = "it is no message of OMA DM 1.2";
	else if (read_header_status(&p, our_id))
		sentence = "its Status of our header is not understood";
	p.final = p.body && reader_child(p.body, "Final");
	if (sentence) {
		package_done(&p);
		*reterr = sentence;
		return -1;
	}
	*ret = p;
	return 0;
}

void package_done(struct package *package)
{
	xmlFreeDoc(package->doc);
	*package = (struct package){ 0 };
}
