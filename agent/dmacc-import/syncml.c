// SPDX-License-Identifier: LGPL-2.1-or-later
/* The tree is in a Data element: as elements, or as text that is a document of its own */
#include <string.h>

#include "syncml.h"
#include "tnds.h"
#include "xml.h"

/* The first element of that name below @node whose text @fits, if that is given; how many in @count */
static xmlNode *find(xmlNode *node, const char *element, bool (*fits)(xmlNode *node),
		     unsigned int *count)
{
	xmlNode *c, *below, *first = NULL;

	xml_for_each_child(c, node) {
		below = c;
		if (!xml_is(c, element) || (fits && !fits(c)))
			below = find(c, element, fits, count);
		else
			(*count)++;
		first = first ? first : below;
	}
	return first;
}

static bool has_document(xmlNode *data)
{
	xmlChar *text = xml_element(data->children) ? NULL : xmlNodeGetContent(data);
	const char *start = text ? (const char *)text : "";
	bool has;

	start += strspn(start, " \t\r\n");
	has = *start == '<' && strstr(start, "MgmtTree");
	xmlFree(text);
	return has;
}

static int read_text(struct document *d, xmlNode *data)
{
	const char *text = xml_text(d, data).value;
	xmlNode *root;
	xmlDoc *doc;
	int r;

	if (!text)
		return document_refuse(d, 0, "out of memory");
	/* its lines are not those of the message */
	d->has_lines = false;
	text += strspn(text, " \t\r\n");
	doc = xml_parse(d, text, strlen(text));
	if (!doc)
		return -1;
	root = xmlDocGetRootElement(doc);
	if (xml_is(root, "MgmtTree"))
		r = tnds_read(d, root);
	else
		r = document_refuse(d, 0, "there is no MgmtTree in its Data");
	xmlFreeDoc(doc);
	return r;
}

int syncml_read(struct document *d, xmlNode *root)
{
	unsigned int count = 0;
	xmlNode *tree = find(root, "MgmtTree", NULL, &count);
	xmlNode *data = find(root, "Data", has_document, &count);

	if (!count)
		return document_refuse(d, xml_line(root), "there is no MgmtTree in the message");
	if (count > 1)
		return document_refuse(d, xml_line(root), "there is more than one MgmtTree in the message");
	document_ignore(d, xml_line(root), "the message around the MgmtTree");
	return tree ? tnds_read(d, tree) : read_text(d, data);
}
