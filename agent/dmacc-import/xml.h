/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_IMPORT_XML_H
#define DMACC_IMPORT_XML_H

#include "document.h"

/**
 * xml_parse() - XML of people one does not know
 * @d: takes the message
 * @bytes: the document
 * @len: its length
 *
 * Nothing is loaded, no entity but the five of XML itself is known, declarations are refused, and
 * so is what lies too deep. Encodings: UTF-8, UTF-16 with its mark, ISO-8859-1, US-ASCII.
 *
 * Return: the tree, for xmlFreeDoc(); NULL if it was refused.
 */
xmlDoc *xml_parse(struct document *d, const char *bytes, size_t len);

unsigned int xml_line(const xmlNode *node);
bool xml_is(const xmlNode *node, const char *element);
/* The first element at or after @node among its siblings; NULL if there is none */
xmlNode *xml_element(xmlNode *node);
struct field xml_attribute(struct document *d, xmlNode *node, const char *name);
struct field xml_text(struct document *d, xmlNode *node);

#define xml_for_each_child(child, parent) \
	for ((child) = xml_element((parent)->children); (child); \
	     (child) = xml_element((child)->next))

#endif
