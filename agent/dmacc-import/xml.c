// SPDX-License-Identifier: LGPL-2.1-or-later
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <string.h>
#include <strings.h>

#include "xml.h"

#define DEPTH_MAX 32
#define DECLARATION_SIZE 256	/* more than <?xml ... ?> needs */

/* Why libxml2 stopped, and where: the first reason counts, others follow from it */
struct guard {
	const char *sentence;
	unsigned int line;
};

static struct guard *guard_of(void *ctx)
{
	return ((xmlParserCtxt *)ctx)->_private;
}

static void stop(void *ctx, const char *sentence)
{
	xmlParserCtxt *parser = ctx;
	struct guard *guard = guard_of(ctx);

	if (!guard->sentence) {
		guard->sentence = sentence;
		guard->line = parser->input ? (unsigned int)parser->input->line : 0;
	}
	xmlStopParser(parser);
}

static void refuse_entity_decl(void *ctx, const xmlChar *name, int type, const xmlChar *public_id,
			       const xmlChar *system_id, xmlChar *content)
{
	(void)name, (void)type, (void)public_id, (void)system_id, (void)content;
	stop(ctx, "it declares an entity, which no account needs");
}

static void refuse_attribute_decl(void *ctx, const xmlChar *element, const xmlChar *name, int type,
				  int def, const xmlChar *value, xmlEnumeration *tree)
{
	(void)element, (void)name, (void)type, (void)def, (void)value;
	xmlFreeEnumeration(tree);
	stop(ctx, "its DOCTYPE declares an attribute, which no account needs");
}

static void refuse_element_decl(void *ctx, const xmlChar *name, int type,
				xmlElementContent *content)
{
	(void)name, (void)type, (void)content;
	stop(ctx, "its DOCTYPE declares an element, which no account needs");
}

static void refuse_notation_decl(void *ctx, const xmlChar *name, const xmlChar *public_id,
				 const xmlChar *system_id)
{
	(void)name, (void)public_id, (void)system_id;
	stop(ctx, "its DOCTYPE declares a notation, which no account needs");
}

static void refuse_unparsed_decl(void *ctx, const xmlChar *name, const xmlChar *public_id,
				 const xmlChar *system_id, const xmlChar *notation)
{
	(void)name, (void)public_id, (void)system_id, (void)notation;
	stop(ctx, "it declares an entity, which no account needs");
}

/* An unknown entity would leave a hole in a value without a word if there is a DOCTYPE */
static xmlEntity *only_predefined(void *ctx, const xmlChar *name)
{
	xmlEntity *entity = xmlGetPredefinedEntity(name);

	if (!entity)
		stop(ctx, "it uses an entity other than &amp; &lt; &gt; &quot; &apos;");
	return entity;
}

static xmlEntity *no_parameter_entity(void *ctx, const xmlChar *name)
{
	(void)name;
	stop(ctx, "it uses a parameter entity");
	return NULL;
}

static void start_element(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
			  int nb_namespaces, const xmlChar **namespaces, int nb_attributes,
			  int nb_defaulted, const xmlChar **attributes)
{
	if (((xmlParserCtxt *)ctx)->nodeNr >= DEPTH_MAX) {
		stop(ctx, "its elements lie more than 32 deep");
		return;
	}
	xmlSAX2StartElementNs(ctx, name, prefix, uri, nb_namespaces, namespaces, nb_attributes,
			      nb_defaulted, attributes);
}

/* In our words: those of libxml2 quote the document, and what they quote may be a secret */
static const char *sentence_of(int code)
{
	switch (code) {
	case XML_ERR_DOCUMENT_EMPTY:
		return "there is no XML in it";
	case XML_ERR_DOCUMENT_END:
		return "there is something after the document's end";
	case XML_ERR_TAG_NAME_MISMATCH:
		return "an end tag does not fit the start tag";
	case XML_ERR_ATTRIBUTE_REDEFINED:
		return "an element has the same attribute twice";
	case XML_ERR_INVALID_CHAR:
	case XML_ERR_INVALID_CHARREF:
	case XML_ERR_INVALID_ENCODING:
		return "it has a character XML cannot have, or bytes that are not its encoding's";
	case XML_ERR_NO_MEMORY:
		return "out of memory";
	default:
		return "it is not well-formed XML";
	}
}

static void note_error(void *ctx, xmlError *error)
{
	const xmlParserInput *input = ((xmlParserCtxt *)ctx)->input;
	struct guard *guard = guard_of(ctx);

	if (error->level < XML_ERR_ERROR || guard->sentence)
		return;
	guard->sentence = sentence_of(error->code);
	/* whatever it was that was missing */
	if (input && input->cur >= input->end && error->code != XML_ERR_DOCUMENT_EMPTY)
		guard->sentence = "it ends before it is complete; is it cut off?";
	guard->line = error->line > 0 ? (unsigned int)error->line : 0;
}

static void set_guards(xmlParserCtxt *parser, struct guard *guard)
{
	parser->_private = guard;
	parser->sax->serror = note_error;
	parser->sax->startElementNs = start_element;
	parser->sax->getEntity = only_predefined;
	parser->sax->getParameterEntity = no_parameter_entity;
	parser->sax->entityDecl = refuse_entity_decl;
	parser->sax->unparsedEntityDecl = refuse_unparsed_decl;
	parser->sax->attributeDecl = refuse_attribute_decl;
	parser->sax->elementDecl = refuse_element_decl;
	parser->sax->notationDecl = refuse_notation_decl;
}

/* The value of encoding= in the XML declaration; "" if there is none */
static void declared_encoding(const char *bytes, size_t len, char ret[DECLARATION_SIZE])
{
	char declaration[DECLARATION_SIZE] = "";
	char *end, *value;

	ret[0] = '\0';
	memcpy(declaration, bytes, len < sizeof(declaration) ? len : sizeof(declaration) - 1);
	end = strstr(declaration, "?>");
	if (strncmp(declaration, "<?xml", 5) || !end)
		return;
	*end = '\0';
	value = strstr(declaration, "encoding");
	if (!value)
		return;
	value += strlen("encoding");
	value += strspn(value, " \t\r\n=");
	if (*value != '"' && *value != '\'')
		return;
	value++;
	value[strcspn(value, "\"'")] = '\0';
	strcpy(ret, value);
}

/*
 * The encoding by the name that libxml2 has a converter of its own for: any other would make it
 * ask iconv, which loads files, and that ends a confined process. NULL: none of those.
 */
static const char *encoding_of(const char *bytes, size_t len)
{
	static const char *const known[][2] = {
		{ "", "UTF-8" }, { "UTF-8", "UTF-8" }, { "UTF8", "UTF-8" },
		{ "US-ASCII", "UTF-8" }, { "ASCII", "UTF-8" },
		{ "ISO-8859-1", "ISO-8859-1" }, { "LATIN1", "ISO-8859-1" },
	};
	char declared[DECLARATION_SIZE];
	size_t i;

	if (len >= 2 && !memcmp(bytes, "\xff\xfe", 2))
		return "UTF-16LE";
	if (len >= 2 && !memcmp(bytes, "\xfe\xff", 2))
		return "UTF-16BE";
	declared_encoding(bytes, len, declared);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcasecmp(known[i][0], declared))
			return known[i][1];
	return NULL;
}

xmlDoc *xml_parse(struct document *d, const char *bytes, size_t len)
{
	const char *encoding = encoding_of(bytes, len);
	xmlParserCtxt *parser;
	struct guard guard = { 0 };
	xmlDoc *doc;

	if (!encoding) {
		document_refuse(d, 1, "its encoding is not UTF-8, UTF-16 or ISO-8859-1");
		return NULL;
	}
	parser = xmlNewParserCtxt();
	if (!parser) {
		document_refuse(d, 0, "out of memory");
		return NULL;
	}
	set_guards(parser, &guard);
	doc = xmlCtxtReadMemory(parser, bytes, (int)len, NULL, encoding,
				XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NOERROR |
				XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC);
	xmlFreeParserCtxt(parser);
	if (doc && !guard.sentence && xmlDocGetRootElement(doc))
		return doc;
	document_refuse(d, guard.line, "%s",
			guard.sentence ? guard.sentence : "it is not well-formed XML");
	xmlFreeDoc(doc);
	return NULL;
}

unsigned int xml_line(const xmlNode *node)
{
	long line = xmlGetLineNo(node);

	return line > 0 ? (unsigned int)line : 0;
}

bool xml_is(const xmlNode *node, const char *element)
{
	return !strcmp((const char *)node->name, element);
}

xmlNode *xml_element(xmlNode *node)
{
	while (node && node->type != XML_ELEMENT_NODE)
		node = node->next;
	return node;
}

struct field xml_attribute(struct document *d, xmlNode *node, const char *name)
{
	xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);

	return (struct field){ document_keep(d, value), xml_line(node) };
}

struct field xml_text(struct document *d, xmlNode *node)
{
	return (struct field){ document_keep(d, xmlNodeGetContent(node)), xml_line(node) };
}
