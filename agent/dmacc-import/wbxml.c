// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>
#include <wbxml/wbxml.h>

#include "wbxml.h"

/* libwbxml2 goes one call deeper for each element that lies in another; a byte can open one */
#define WBXML_MAX (16 * 1024)
#define CHARSET_UTF8 106

bool wbxml_is(const char *bytes, size_t len)
{
	return len && (unsigned char)bytes[0] <= 3;
}

/* An integer of seven bits a byte; moves on; false at the end */
static bool take_integer(const char **at, const char *end, uint32_t *ret)
{
	uint32_t n = 0;
	int i;

	for (i = 0; i < 5 && *at < end; i++) {
		unsigned char byte = (unsigned char)*(*at)++;

		n = n << 7 | (byte & 0x7f);
		if (!(byte & 0x80)) {
			*ret = n;
			return true;
		}
	}
	return false;
}

/*
 * Another charset than UTF-8 would make libwbxml2 ask iconv, which loads files, and that ends a
 * confined process.
 */
static bool is_utf8(const char *bytes, size_t len)
{
	const char *at = bytes + 1, *end = bytes + len;
	uint32_t public_id, index, charset;

	if (!take_integer(&at, end, &public_id))
		return false;
	if (!public_id && !take_integer(&at, end, &index))
		return false;
	return take_integer(&at, end, &charset) && charset == CHARSET_UTF8;
}

static WBXMLError convert(const char *bytes, size_t len, WB_UTINY **ret, WB_ULONG *ret_len)
{
	WBXMLConvWBXML2XML *conv;
	WBXMLError r;

	r = wbxml_conv_wbxml2xml_create(&conv);
	if (r != WBXML_OK)
		return r;
	wbxml_conv_wbxml2xml_set_gen_type(conv, WBXML_GEN_XML_COMPACT);
	wbxml_conv_wbxml2xml_enable_preserve_whitespaces(conv);
	r = wbxml_conv_wbxml2xml_run(conv, (WB_UTINY *)bytes, (WB_ULONG)len, ret, ret_len);
	wbxml_conv_wbxml2xml_destroy(conv);
	return r;
}

char *wbxml_to_xml(struct document *d, const char *bytes, size_t len, size_t *ret_len)
{
	WB_UTINY *xml = NULL;
	WB_ULONG xml_len = 0;
	WBXMLError r;

	/* those of the text that comes of it mean nothing to who made the document */
	d->has_lines = false;
	if (len > WBXML_MAX) {
		document_refuse(d, 0, "it has more than 16 KiB, which no WBXML account needs");
		return NULL;
	}
	if (!is_utf8(bytes, len)) {
		document_refuse(d, 0, "its charset is not UTF-8, or it is cut off");
		return NULL;
	}
	r = convert(bytes, len, &xml, &xml_len);
	if (r != WBXML_OK) {
		document_refuse(d, 0, "it is no WBXML that is understood: %s",
				(const char *)wbxml_errors_string(r));
		return NULL;
	}
	*ret_len = xml_len;
	return (char *)xml;
}
