// SPDX-License-Identifier: LGPL-2.1-or-later
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"
#include "listing.h"
#include "syncml.h"
#include "tnds.h"
#include "w7.h"
#include "wbxml.h"
#include "xml.h"

static int read_root(struct document *d, xmlNode *root)
{
	if (xml_is(root, "wap-provisioningdoc"))
		return w7_read(d, root);
	if (xml_is(root, "MgmtTree"))
		return tnds_read(d, root);
	if (xml_is(root, "SyncML"))
		return syncml_read(d, root);
	return document_refuse(d, xml_line(root), "it is neither a wap-provisioningdoc nor a "
			       "MgmtTree nor a message with one");
}

static int read_xml(struct document *d, const char *bytes, size_t len, FILE *out)
{
	xmlDoc *doc = xml_parse(d, bytes, len);
	int r;

	if (!doc)
		return -1;
	r = read_root(d, xmlDocGetRootElement(doc));
	if (!r)
		r = document_write(d, out);
	xmlFreeDoc(doc);
	return r;
}

static int read_wbxml(struct document *d, const char *bytes, size_t len, FILE *out)
{
	size_t xml_len;
	char *xml = wbxml_to_xml(d, bytes, len, &xml_len);
	int r;

	if (!xml)
		return -1;
	r = read_xml(d, xml, xml_len, out);
	free(xml);
	return r;
}

static int read_listing(struct document *d, xmlDoc *doc, FILE *out)
{
	int r;

	if (!doc)
		return -1;
	r = tnds_read(d, xmlDocGetRootElement(doc));
	if (!r)
		r = document_write(d, out);
	xmlFreeDoc(doc);
	return r;
}

int import_document(const char *bytes, size_t len, FILE *out, FILE *messages)
{
	struct document d;
	int r;

	document_begin(&d, messages);
	if (!len)
		r = document_refuse(&d, 0, "it is empty");
	else if (len > IMPORT_MAX)
		r = document_refuse(&d, 0, "it has more than 256 KiB");
	else if (wbxml_is(bytes, len))
		r = read_wbxml(&d, bytes, len, out);
	else if (listing_is_json(bytes, len))
		r = read_listing(&d, listing_read_json(&d, bytes, len), out);
	else if (listing_is_text(bytes, len))
		r = read_listing(&d, listing_read_text(&d, bytes, len), out);
	else
		r = read_xml(&d, bytes, len, out);
	document_done(&d);
	return r;
}

static const char sample[] =
	"<?xml version='1.0' encoding='ISO-8859-1'?><wap-provisioningdoc>"
	"<characteristic type='APPLICATION'><parm name='APPID' value='w7'/>"
	"<parm name='PROVIDER-ID' value='x'/><characteristic type='APPADDR'>"
	"<parm name='ADDR' value='1'/></characteristic></characteristic></wap-provisioningdoc>";

/* The same as WBXML 1.3, PROV 1.0, UTF-8; string table empty */
static const char sample_wbxml[] =
	"\x03\x0b\x6a\x00\x45\xc6\x00\x01\x55\x01\x87\x36\x00\x00\x06\x03w7\x00\x01"
	"\x87\x00\x01\x38\x00\x00\x06\x03x\x00\x01\xc6\x00\x01\x56\x01\x87\x34\x00\x00\x06"
	"\x03" "1\x00\x01\x01\x01\x01";

static const char sample_json[] =
	"[{\"nodes\": [{\"uri\": \"./DMAcc/x\", \"format\": \"node\"},"
	"{\"uri\": \"./DMAcc/x/ServerID\", \"format\": \"chr\", \"value\": \"x\"},"
	"{\"uri\": \"./DMAcc/x/AppAddr/1/Addr\", \"format\": \"chr\", \"value\": \"1\"}]}]";

int import_warm_up(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *sink = open_memstream(&text, &len);
	int r;

	if (!sink)
		return -1;
	xmlInitParser();
	r = import_document(sample, sizeof(sample) - 1, sink, sink);
	if (!r)
		r = import_document(sample_wbxml, sizeof(sample_wbxml) - 1, sink, sink);
	if (!r)
		r = import_document(sample_json, sizeof(sample_json) - 1, sink, sink);
	fclose(sink);
	free(text);
	return r;
}
