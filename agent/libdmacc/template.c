// SPDX-License-Identifier: LGPL-2.1-or-later
/* Account templates in their plain form: dmacc-account.conf(5) */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node.h"
#include "plain.h"

#define TEMPLATE_MAX (64 * 1024)
#define DOCUMENT_SIZE 256

struct dmacc_template {
	char name[DMACC_TEMPLATE_NAME_SIZE];
	char slot[DMACC_SLOT_SIZE];		/* "" if there is none */
	char document[DOCUMENT_SIZE];		/* likewise */
	enum dmacc_profile profile;
	enum dmacc_element element;
	uint32_t generation;
	unsigned int minimum_rung;
	bool nonce_resync;
	struct dmacc_value values[DMACC_NODES];	/* the three secrets never have one */
	uint32_t said;				/* which of keys[] have a value: their bits */
};

/**
 * struct key - a key of the plain form
 * @take: puts a value, which is not empty, into the template; returns NULL, or a constant sentence
 *	that says why not; of [DMAcc]'s keys NULL: take_node() takes those
 */
struct key {
	const char *section;
	const char *word;
	const char *(*take)(struct dmacc_template *t, const char *value, size_t len);
	enum dmacc_node node;
};

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool has_only(const char *s, size_t len, const char *allowed)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!s[i] || !strchr(allowed, s[i]))
			return false;
	return true;
}

static bool is_template_name(const char *name)
{
	size_t len = strlen(name);

	return len && len < DMACC_TEMPLATE_NAME_SIZE && name[0] != '.' &&
	       has_only(name, len, LETTERS DIGITS "._-");
}

/* It also names a file in the factory store, hence no dot in front */
static bool is_slot(const char *s, size_t len)
{
	return len && len < DMACC_SLOT_SIZE && s[0] != '.' &&
	       has_only(s, len, "abcdefghijklmnopqrstuvwxyz" DIGITS "._-");
}

static const char *take_slot(struct dmacc_template *t, const char *value, size_t len)
{
	if (!is_slot(value, len))
		return "a slot name is 1 to 32 of a-z 0-9 . _ -, and no dot first";
	memcpy(t->slot, value, len);
	t->slot[len] = '\0';
	return NULL;
}

static const char *take_profile(struct dmacc_template *t, const char *value, size_t len)
{
	if (dmacc_is_word(value, len, "dmacc-1"))
		t->profile = DMACC_PROFILE_DMACC_1;
	else if (dmacc_is_word(value, len, "fcs11384"))
		t->profile = DMACC_PROFILE_FCS11384;
	else if (dmacc_is_word(value, len, "fcs11384-device"))
		t->profile = DMACC_PROFILE_FCS11384_DEVICE;
	else if (dmacc_is_word(value, len, "fcs14345"))
		t->profile = DMACC_PROFILE_FCS14345;
	else
		return "it is not dmacc-1, fcs11384, fcs11384-device or fcs14345";
	return NULL;
}

static const char *take_element(struct dmacc_template *t, const char *value, size_t len)
{
	if (dmacc_is_word(value, len, "server-id"))
		t->element = DMACC_ELEMENT_SERVER_ID;
	else if (dmacc_is_word(value, len, "addr"))
		t->element = DMACC_ELEMENT_ADDR;
	else
		return "it is not server-id or addr";
	return NULL;
}

static const char *take_generation(struct dmacc_template *t, const char *value, size_t len)
{
	uint64_t n = 0;
	size_t i;

	if (!has_only(value, len, DIGITS))
		return "it is not a number from 0 to 4294967295";
	for (i = 0; i < len && n <= UINT32_MAX; i++)
		n = n * 10 + (uint64_t)(value[i] - '0');
	if (n > UINT32_MAX)
		return "it is not a number from 0 to 4294967295";
	t->generation = (uint32_t)n;
	return NULL;
}

static const char *take_minimum_rung(struct dmacc_template *t, const char *value, size_t len)
{
	if (dmacc_is_word(value, len, "trusted"))
		t->minimum_rung = 1;
	else if (dmacc_is_word(value, len, "wrapped"))
		t->minimum_rung = 2;
	else
		return "it is not trusted or wrapped";
	return NULL;
}

static const char *take_nonce_resync(struct dmacc_template *t, const char *value, size_t len)
{
	t->nonce_resync = dmacc_is_word(value, len, "yes");
	return t->nonce_resync || dmacc_is_word(value, len, "no") ? NULL : "it is not yes or no";
}

static const char *take_document(struct dmacc_template *t, const char *value, size_t len)
{
	if (memchr(value, '/', len))
		return "a document lies in the template's folder: give its name without any /";
	if (value[0] == '.')
		return "a document's name cannot begin with a dot";
	if (len >= DOCUMENT_SIZE)
		return "it has more than 255 bytes";
	memcpy(t->document, value, len);
	t->document[len] = '\0';
	return NULL;
}

static const struct key keys[] = {
	{ "Account", "Slot", take_slot, 0 },
	{ "Account", "Profile", take_profile, 0 },
	{ "Account", "Element", take_element, 0 },
	{ "Account", "Generation", take_generation, 0 },
	{ "Account", "MinimumRung", take_minimum_rung, 0 },
	{ "Account", "NonceResync", take_nonce_resync, 0 },
	{ "Account", "Document", take_document, 0 },
	{ "DMAcc", "X", NULL, DMACC_NODE_X },
	{ "DMAcc", "AddrType", NULL, DMACC_NODE_ADDR_TYPE },
	{ "DMAcc", "Addr", NULL, DMACC_NODE_ADDR },
	{ "DMAcc", "PortNbr", NULL, DMACC_NODE_PORT_NBR },
	{ "DMAcc", "ConRef", NULL, DMACC_NODE_CON_REF },
	{ "DMAcc", "ServerID", NULL, DMACC_NODE_SERVER_ID },
	{ "DMAcc", "AuthPref", NULL, DMACC_NODE_AUTH_PREF },
	{ "DMAcc", "Name", NULL, DMACC_NODE_NAME },
	{ "DMAcc", "ServerNonce", NULL, DMACC_NODE_SERVER_NONCE },
	{ "DMAcc", "ClientNonce", NULL, DMACC_NODE_CLIENT_NONCE },
	{ "DMAcc", "ServerPW", NULL, DMACC_NODE_SERVER_PW },
	{ "DMAcc", "ClientPW", NULL, DMACC_NODE_CLIENT_PW },
	{ "DMAcc", "UserName", NULL, DMACC_NODE_USER_NAME },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static bool is_secret(enum dmacc_node node)
{
	return node == DMACC_NODE_SERVER_PW || node == DMACC_NODE_CLIENT_PW ||
	       node == DMACC_NODE_USER_NAME;
}

static bool is_nonce(enum dmacc_node node)
{
	return node == DMACC_NODE_SERVER_NONCE || node == DMACC_NODE_CLIENT_NONCE;
}

/* NAME between marks, such as @NAME@: something that a person or a tool was to replace */
static bool is_marked(const char *s, size_t len, const char *before, const char *after)
{
	size_t around = strlen(before) + strlen(after);

	return len > around && !memcmp(s, before, strlen(before)) &&
	       !memcmp(s + len - strlen(after), after, strlen(after)) &&
	       has_only(s + strlen(before), len - around, LETTERS DIGITS "._-");
}

bool dmacc_placeholder(const char *text, size_t len)
{
	static const char *const words[] = { "computed", "derived", "placeholder" };
	static const char *const marks[][2] = {
		{ "@", "@" }, { "%", "%" }, { "${", "}" }, { "{", "}" }, { "<", ">" }, { "[", "]" },
	};
	size_t i;

	if (!len || (len >= 3 && has_only(text, len, "*")))
		return true;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (dmacc_is_word(text, len, words[i]))
			return true;
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (is_marked(text, len, marks[i][0], marks[i][1]))
			return true;
	return false;
}

int dmacc_template_new(const char *name, struct dmacc_template **ret)
{
	struct dmacc_template *t;

	if (!is_template_name(name))
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	strcpy(t->name, name);
	if (is_slot(name, strlen(name)))
		strcpy(t->slot, name);
	t->profile = DMACC_PROFILE_DMACC_1;
	t->element = DMACC_ELEMENT_SERVER_ID;
	*ret = t;
	return 0;
}

struct dmacc_template *dmacc_template_free(struct dmacc_template *t)
{
	size_t i;

	if (!t)
		return NULL;
	for (i = 0; i < DMACC_NODES; i++)
		dmacc_value_clear(&t->values[i]);
	free(t);
	return NULL;
}

/* One reading of one text into a template */
struct reading {
	struct dmacc_template *t;
	struct dmacc_plain plain;
	uint32_t locked;			/* keys whose value stands: bits as in said */
	unsigned int lines[KEYS];		/* where a key was met in this text; 0: not */
	struct dmacc_complaint *reterr;
};

static int complain(const struct reading *r, const char *word, const char *sentence)
{
	return dmacc_complain(r->reterr, r->plain.line, "%s: %s", word, sentence);
}

static int take_nonce(struct reading *r, const struct key *key, const char *text, size_t len)
{
	uint8_t raw[DMACC_VALUE_MAX / 3 * 4];
	int n, err;

	if (len > sizeof(raw))
		return complain(r, key->word, "it has more than 255 bytes");
	n = dmacc_base64_decode(text, len, raw);
	if (n < 0)
		return complain(r, key->word, "it is not base64");
	err = dmacc_value_set(&r->t->values[key->node], raw, (size_t)n);
	dmacc_wipe(raw, sizeof(raw));
	return err;
}

static int take_node(struct reading *r, const struct key *key, const char *value, size_t len)
{
	const void *bytes = value;
	const char *sentence;

	if (is_nonce(key->node))
		return take_nonce(r, key, value, len);
	sentence = dmacc_node_judge(key->node, &bytes, &len);
	return sentence ? complain(r, key->word, sentence) :
			  dmacc_value_set(&r->t->values[key->node], bytes, len);
}

static int take_value(struct reading *r, size_t i, const char *value, size_t len)
{
	const char *sentence = NULL;
	int err = 0;

	if (keys[i].take)
		sentence = keys[i].take(r->t, value, len);
	else
		err = take_node(r, &keys[i], value, len);
	if (sentence)
		return complain(r, keys[i].word, sentence);
	if (!err)
		r->t->said |= 1U << i;
	return err;
}

static int take_key(struct reading *r, size_t i, const struct dmacc_plain_entry *e)
{
	if (r->lines[i])
		return dmacc_complain(r->reterr, r->plain.line, "%s is there twice, "
				      "first in line %u", keys[i].word, r->lines[i]);
	r->lines[i] = r->plain.line;
	if (!keys[i].take && is_secret(keys[i].node)) {
		if (dmacc_placeholder(e->value, e->value_len))
			return 0;
		return complain(r, keys[i].word,
				"a template holds no credentials: they are computed, so leave it "
				"out, empty or a placeholder such as @COMPUTED@");
	}
	if (!e->value_len || (r->locked & 1U << i))
		return 0;
	return take_value(r, i, e->value, e->value_len);
}

/* A key in the wrong section or in other letters must not vanish: say what was probably meant */
static int refuse_key(const struct reading *r, const struct dmacc_plain_entry *e)
{
	size_t i;

	for (i = 0; i < KEYS; i++)
		if (dmacc_is_word(e->key, e->key_len, keys[i].word))
			return dmacc_complain(r->reterr, r->plain.line,
					      "unknown key %.*s in [%.*s]; there is %s in [%s]",
					      (int)e->key_len, e->key, (int)e->section_len,
					      e->section, keys[i].word, keys[i].section);
	return dmacc_complain(r->reterr, r->plain.line, "unknown key %.*s in [%.*s]",
			      (int)e->key_len, e->key, (int)e->section_len, e->section);
}

static bool is_exactly(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(s, word, len);
}

static int take_entry(struct reading *r, const struct dmacc_plain_entry *e)
{
	size_t i;

	if (!is_exactly(e->section, e->section_len, "Account") &&
	    !is_exactly(e->section, e->section_len, "DMAcc"))
		return dmacc_complain(r->reterr, r->plain.line,
				      "unknown section [%.*s]; there are [Account] and [DMAcc]",
				      (int)e->section_len, e->section);
	if (!e->key)
		return 0;
	for (i = 0; i < KEYS; i++)
		if (is_exactly(e->section, e->section_len, keys[i].section) &&
		    is_exactly(e->key, e->key_len, keys[i].word))
			return take_key(r, i, e);
	return refuse_key(r, e);
}

int dmacc_template_read(struct dmacc_template *t, const char *text, size_t len, unsigned int flags,
			struct dmacc_complaint *reterr)
{
	struct reading r = { .t = t, .reterr = reterr };
	struct dmacc_plain_entry entry;
	int n;

	if (len > TEMPLATE_MAX)
		return dmacc_complain(reterr, 0, "it has more than 64 KiB");
	if (flags & DMACC_TEMPLATE_FILL)
		r.locked = t->said;
	dmacc_plain_begin(&r.plain, text, len);
	while ((n = dmacc_plain_next(&r.plain, &entry, reterr)) > 0) {
		n = take_entry(&r, &entry);
		if (n < 0)
			return n;
	}
	return n;
}

/* AddrType says of what form Addr is. A URI is the server owner's business. */
static bool fits_addr_type(const struct dmacc_template *t)
{
	const struct dmacc_value *type = &t->values[DMACC_NODE_ADDR_TYPE];
	const char *addr = (const char *)t->values[DMACC_NODE_ADDR].bytes;
	uint8_t raw[sizeof(struct in6_addr)];

	if (!type->bytes || !memcmp(type->bytes, "URI", 4))
		return true;
	return inet_pton(memcmp(type->bytes, "IPv4", 5) ? AF_INET6 : AF_INET, addr, raw) == 1;
}

int dmacc_template_check(const struct dmacc_template *t, struct dmacc_complaint *reterr)
{
	/* both are One in both layouts, whichever goes into the derivation */
	if (!t->values[DMACC_NODE_SERVER_ID].bytes)
		return dmacc_complain(reterr, 0, "there is no ServerID, which every account has");
	if (!t->values[DMACC_NODE_ADDR].bytes)
		return dmacc_complain(reterr, 0, "there is no Addr, which every account has");
	if (!fits_addr_type(t))
		return dmacc_complain(reterr, 0, "AddrType is %s, and Addr is no such address",
				      (const char *)t->values[DMACC_NODE_ADDR_TYPE].bytes);
	if (t->profile == DMACC_PROFILE_DMACC_1 && !t->slot[0])
		return dmacc_complain(reterr, 0, "there is no Slot, and the template's name cannot "
				      "be that of a slot: that is 1 to 32 of a-z 0-9 . _ -");
	return 0;
}

const char *dmacc_template_name(const struct dmacc_template *t)
{
	return t->name;
}

const char *dmacc_template_document(const struct dmacc_template *t)
{
	return t->document[0] ? t->document : NULL;
}

const char *dmacc_template_slot(const struct dmacc_template *t)
{
	return t->slot[0] ? t->slot : NULL;
}

enum dmacc_profile dmacc_template_profile(const struct dmacc_template *t)
{
	return t->profile;
}

uint32_t dmacc_template_generation(const struct dmacc_template *t)
{
	return t->generation;
}

unsigned int dmacc_template_minimum_rung(const struct dmacc_template *t)
{
	return t->minimum_rung;
}

bool dmacc_template_nonce_resync(const struct dmacc_template *t)
{
	return t->nonce_resync;
}

void dmacc_template_server(const struct dmacc_template *t, struct dmacc_server *ret)
{
	const struct dmacc_value *v = &t->values[t->element == DMACC_ELEMENT_ADDR ?
						 DMACC_NODE_ADDR : DMACC_NODE_SERVER_ID];

	*ret = (struct dmacc_server){ t->element, v->bytes, v->len };
}

const void *dmacc_template_get(const struct dmacc_template *t, enum dmacc_node node,
			       size_t *ret_len)
{
	const struct dmacc_value *v = &t->values[node];

	if (node == DMACC_NODE_X && !v->bytes) {
		*ret_len = strlen(t->name);
		return t->name;
	}
	*ret_len = v->len;
	return v->bytes;
}
