// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Why does a server's credential not fit? What goes wrong between two implementations is known: the
 * nonce taken as its base64 text, another generation, another name, one password for the other.
 * Each is tried, alone and together with the others, and what fits is named: that is what saves the
 * day of whoever commissions a server. The complaint goes to the client, who is on this device.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "proof.h"

#define GENERATIONS 4		/* above the account's own; below it, down to 0, as many */
#define CANDIDATES_MAX 16

/* A value that the server might have taken, and how to say so; NULL: it is the right one */
struct candidate {
	const char *said;
	char label[64];
	struct nonce value;	/* a text is zero-terminated */
};

struct list {
	struct candidate of[CANDIDATES_MAX];
	size_t count;
};

struct diagnosis {
	struct session *s;
	const struct record *record;
	uint32_t element, generation;	/* that the account was derived with */
	struct list names, passwords, nonces;
};

/* Long ones, those that are there twice and what there is no room for are left out */
static void add(struct list *list, const char *label, const void *bytes, size_t len)
{
	struct candidate *c = &list->of[list->count];
	size_t i;

	if (!len || len >= NONCE_MAX || list->count == CANDIDATES_MAX)
		return;
	for (i = 0; i < list->count; i++)
		if (list->of[i].value.len == len && !memcmp(list->of[i].value.bytes, bytes, len))
			return;
	*c = (struct candidate){ .value.len = len };
	memcpy(c->value.bytes, bytes, len);
	if (label) {
		snprintf(c->label, sizeof(c->label), "%s", label);
		c->said = c->label;
	}
	list->count++;
}

static void add_text(struct list *list, const char *label, const char *text)
{
	add(list, label, text, strlen(text));
}

static void add_stored(struct diagnosis *d, struct list *list, const char *label,
		       enum dmacc_node node, enum which which)
{
	add_text(list, label, session_login_value(d->record, node, which));
}

/* Also as the text that it is in XML */
static void add_nonce(struct diagnosis *d, const char *label, const struct nonce *nonce)
{
	char text[NONCE_MAX / 3 * 4 + 5], both[64];

	add(&d->nonces, label, nonce->bytes, nonce->len);
	if (!nonce->len || nonce->len > NONCE_MAX / 4 * 3)
		return;
	EVP_EncodeBlock((unsigned char *)text, nonce->bytes, (int)nonce->len);
	snprintf(both, sizeof(both), "the base64 text of %s", label ? label : "the nonce");
	add_text(&d->nonces, both, text);
}

static void add_nonces(struct diagnosis *d)
{
	static const struct nonce zeros = { .len = 4 };

	if (d->s->offered.len)
		add_nonce(d, NULL, &d->s->offered);
	add_nonce(d, d->s->server_spent ? "a nonce that was used before" :
		  d->s->offered.len ? "the nonce before the last" : NULL, &d->s->server);
	add_nonce(d, "the client's nonce", &d->s->client);
	add_nonce(d, "the resync nonce of four zero bytes", &zeros);
	add_text(&d->nonces, "the text 0x00000000", "0x00000000");
}

/* What the kernel makes of other inputs. What it does not derive now is no help. */
static void add_derived(struct diagnosis *d, const char *label, enum dmacc_element element,
			enum dmacc_node node, uint32_t generation)
{
	struct dmacc_credentials c;
	struct dmacc_server server = { .element = element };
	const char *slot;
	size_t len;

	slot = record_get(d->record, RECORD_STATE, "Slot", &len);
	server.bytes = record_get(d->record, RECORD_TEMPLATE, dmacc_node_word(node), &server.len);
	if (!slot || !server.bytes || !d->s->agent->device.kernel ||
	    dmacc_kernel_derive(d->s->agent->device.kernel, slot, &server, generation, &c))
		return;
	add_text(&d->passwords, label, c.server_pw);
	if (element == d->element && generation == d->generation)
		add(&d->nonces, "the initial nonce, which serves once only", c.server_nonce,
		    sizeof(c.server_nonce));
	dmacc_wipe(&c, sizeof(c));
}

static void add_generations(struct diagnosis *d)
{
	bool by_addr = d->element == DMACC_ELEMENT_ADDR;
	uint32_t below = d->generation < GENERATIONS ? d->generation : GENERATIONS, i;
	char label[64];

	for (i = 0; i <= below + GENERATIONS; i++) {
		snprintf(label, sizeof(label), "the ServerPW of generation %u",
			 d->generation - below + i);
		add_derived(d, label, (enum dmacc_element)d->element,
			    by_addr ? DMACC_NODE_ADDR : DMACC_NODE_SERVER_ID,
			    d->generation - below + i);
	}
	if (by_addr)
		add_derived(d, "the ServerPW derived from ServerID in place of Addr",
			    DMACC_ELEMENT_SERVER_ID, DMACC_NODE_SERVER_ID, d->generation);
	else
		add_derived(d, "the ServerPW derived from Addr in place of ServerID",
			    DMACC_ELEMENT_ADDR, DMACC_NODE_ADDR, d->generation);
}

static void gather(struct diagnosis *d)
{
	add_stored(d, &d->names, NULL, DMACC_NODE_SERVER_ID, CURRENT);
	add_stored(d, &d->names, "Addr in place of ServerID", DMACC_NODE_ADDR, CURRENT);
	add_stored(d, &d->names, "UserName in place of ServerID", DMACC_NODE_USER_NAME, CURRENT);
	add_stored(d, &d->passwords, d->s->server_fixed ? "the ServerPW that is for the next session" :
		   NULL, DMACC_NODE_SERVER_PW, CURRENT);
	add_stored(d, &d->passwords, d->s->server_fixed ? NULL : "the ServerPW before the last change",
		   DMACC_NODE_SERVER_PW, PREVIOUS);
	add_stored(d, &d->passwords, "ClientPW in place of ServerPW", DMACC_NODE_CLIENT_PW, CURRENT);
	add_nonces(d);
	add_generations(d);
}

static void append(char *text, size_t size, const struct candidate *c)
{
	size_t len = strlen(text);

	if (c->said)
		snprintf(text + len, size - len, "%s%s", len ? ", with " : "", c->said);
}

static int tell(const struct diagnosis *d, const struct candidate *name,
		const struct candidate *password, const struct candidate *nonce,
		struct complaint *reterr)
{
	char text[256] = "";

	append(text, sizeof(text), password);
	append(text, sizeof(text), name);
	append(text, sizeof(text), nonce);
	return complain_of(reterr, REFUSAL_WRONG_CREDENTIAL, "it does not fit account %s; it would fit "
			   "if it were made with %s", d->s->account, text);
}

/* Returns 0 if nothing fits */
static int search(struct diagnosis *d, const struct proof *proof, struct complaint *reterr)
{
	const struct candidate *name, *password, *nonce;
	size_t i, j, k;
	int r;

	for (i = 0; i < d->passwords.count; i++)
		for (j = 0; j < d->names.count; j++)
			for (k = 0; k < d->nonces.count; k++) {
				password = &d->passwords.of[i];
				name = &d->names.of[j];
				nonce = &d->nonces.of[k];
				r = proof_fits(proof, (const char *)name->value.bytes,
					       (const char *)password->value.bytes,
					       &nonce->value, reterr);
				if (r < 0)
					return r;
				if (r)
					return tell(d, name, password, nonce, reterr);
			}
	return 0;
}

int proof_diagnose(struct session *s, const struct record *record, const struct proof *proof,
		   struct complaint *reterr)
{
	struct diagnosis d = { .s = s, .record = record, .element = DMACC_ELEMENT_SERVER_ID };
	int r;

	(void)record_get_u32(record, RECORD_STATE, "Element", &d.element);
	(void)record_get_u32(record, RECORD_STATE, "Generation", &d.generation);
	gather(&d);
	r = search(&d, proof, reterr);
	dmacc_wipe(&d, sizeof(d));
	if (r)
		return r;
	return complain_of(reterr, REFUSAL_WRONG_CREDENTIAL, "it does not fit account %s, nor any nonce, "
			   "password or name of a known mistake; the server may have lost the nonce: "
			   "challenge it", s->account);
}
