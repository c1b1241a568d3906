// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

#include "compose.h"

void compose_hash_devid(const char *devid, uint8_t ret[COMPOSE_HASH_SIZE])
{
	static const char label[] = "dmacc-store:DevId";
	char text[sizeof(label) + DMACC_DEVID_SIZE];

	memcpy(text, label, sizeof(label));
	memcpy(text + sizeof(label), devid, strlen(devid));
	if (!EVP_Digest(text, sizeof(label) + strlen(devid), ret, NULL, EVP_sha256(), NULL))
		memset(ret, 0, COMPOSE_HASH_SIZE);
	dmacc_wipe(text, sizeof(text));
}

bool compose_unkeyed(const struct template *template)
{
	return dmacc_template_profile(template->t) != DMACC_PROFILE_DMACC_1;
}

const char *compose_profile(const struct work *w)
{
	return account_profile_word(dmacc_template_profile(w->template->t));
}

/* Takes the first failure along, so that a row of these needs one test at its end */
static void put(struct work *w, int *r, enum record_source source, const char *key,
		const void *bytes, size_t len)
{
	if (!*r)
		*r = record_set(w->next, source, key, bytes, len);
}

static void put_text(struct work *w, int *r, enum record_source source, const char *key,
		     const char *text)
{
	put(w, r, source, key, text, strlen(text));
}

static void put_u32(struct work *w, int *r, const char *key, uint32_t value)
{
	if (!*r)
		*r = record_set_u32(w->next, RECORD_STATE, key, value);
}

static void put_template(struct work *w, int *r)
{
	const void *bytes;
	size_t len, i;

	for (i = 0; i < DMACC_NODES; i++) {
		const char *key = dmacc_node_word((enum dmacc_node)i);

		if (account_is_nonce((enum dmacc_node)i))
			continue;
		bytes = dmacc_template_get(w->template->t, (enum dmacc_node)i, &len);
		if (bytes)
			put(w, r, RECORD_TEMPLATE, key, bytes, len);
		else
			record_remove(w->next, RECORD_TEMPLATE, key);
	}
}

static void put_source(struct work *w, int *r)
{
	const struct template *t = w->template;

	put_text(w, r, RECORD_STATE, "Template", t->path);
	put(w, r, RECORD_STATE, "TemplateDigest", t->digest, sizeof(t->digest));
	put_u32(w, r, "MinimumRung", dmacc_template_minimum_rung(t->t));
	if (dmacc_template_nonce_resync(t->t))
		put(w, r, RECORD_STATE, "NonceResync", "", 0);
	else
		record_remove(w->next, RECORD_STATE, "NonceResync");
	if (t->plain) {
		put(w, r, RECORD_STATE, "DocumentDigest", t->document_digest,
		    sizeof(t->document_digest));
		put(w, r, RECORD_STATE, "DocumentPlain", t->plain, t->plain_len);
	} else {
		record_remove(w->next, RECORD_STATE, "DocumentDigest");
		record_remove(w->next, RECORD_STATE, "DocumentPlain");
	}
}

static void put_inputs(struct work *w, int *r)
{
	uint32_t highest = 0;
	uint8_t hash[COMPOSE_HASH_SIZE];

	put_text(w, r, RECORD_STATE, "Profile", compose_profile(w));
	put_u32(w, r, "Element", w->server.element);
	put(w, r, RECORD_STATE, "Server", w->server.bytes, w->server.len);
	put_u32(w, r, "Generation", w->generation);
	put_u32(w, r, "TemplateGeneration", dmacc_template_generation(w->template->t));
	(void)record_get_u32(w->next, RECORD_STATE, "HighestGeneration", &highest);
	put_u32(w, r, "HighestGeneration", w->generation > highest ? w->generation : highest);
	if (w->slot) {
		put_text(w, r, RECORD_STATE, "Slot", w->slot->name);
		put(w, r, RECORD_STATE, "KeyId", w->slot->key_id, sizeof(w->slot->key_id));
		put_u32(w, r, "KeyVersion", w->slot->key_version);
	} else {
		record_remove(w->next, RECORD_STATE, "Slot");
		record_remove(w->next, RECORD_STATE, "KeyId");
		record_remove(w->next, RECORD_STATE, "KeyVersion");
	}
	if (w->device->devid[0]) {
		compose_hash_devid(w->device->devid, hash);
		put(w, r, RECORD_STATE, "DevIdHash", hash, sizeof(hash));
	}
}

static void put_credentials(struct work *w, int *r)
{
	const struct dmacc_credentials *c = &w->credentials;

	put_text(w, r, RECORD_DERIVED, "UserName", c->user_name);
	put_text(w, r, RECORD_DERIVED, "ServerPW", c->server_pw);
	put_text(w, r, RECORD_DERIVED, "ClientPW", c->client_pw);
}

static int burn_nonce(struct record *record, enum dmacc_node node)
{
	uint8_t nonce[DMACC_NONCE_SIZE];
	int r;

	if (getrandom(nonce, sizeof(nonce), 0) != sizeof(nonce))
		return -EIO;
	r = record_set(record, RECORD_STATE, dmacc_node_word(node), nonce, sizeof(nonce));
	dmacc_wipe(nonce, sizeof(nonce));
	return r;
}

int compose_burn(struct record *record)
{
	int r;

	r = burn_nonce(record, DMACC_NODE_SERVER_NONCE);
	if (!r)
		r = burn_nonce(record, DMACC_NODE_CLIENT_NONCE);
	return r ? r : record_set(record, RECORD_STATE, "Nonces", "burnt", strlen("burnt"));
}

static void burn_nonces(struct work *w, int *r)
{
	if (!*r)
		*r = compose_burn(w->next);
}

/* The template's are for the account's first life only. All zero: the profile makes none. */
static void put_initial_nonce(struct work *w, int *r, enum dmacc_node node, const uint8_t *derived)
{
	static const uint8_t none[DMACC_NONCE_SIZE];
	const void *bytes = NULL;
	size_t len;

	if (!w->loaded->record)
		bytes = dmacc_template_get(w->template->t, node, &len);
	if (bytes)
		put(w, r, RECORD_STATE, dmacc_node_word(node), bytes, len);
	else if (memcmp(derived, none, sizeof(none)))
		put(w, r, RECORD_STATE, dmacc_node_word(node), derived, DMACC_NONCE_SIZE);
	else if (!*r)
		*r = burn_nonce(w->next, node);
}

static void put_initial_nonces(struct work *w, int *r)
{
	put_initial_nonce(w, r, DMACC_NODE_SERVER_NONCE, w->credentials.server_nonce);
	put_initial_nonce(w, r, DMACC_NODE_CLIENT_NONCE, w->credentials.client_nonce);
	put_text(w, r, RECORD_STATE, "Nonces", "initial");
}

bool compose_other_server(const struct work *w, const struct record *had)
{
	uint32_t element;
	size_t len;
	const void *bytes = record_get(had, RECORD_STATE, "Server", &len);

	return !record_get_u32(had, RECORD_STATE, "Element", &element) || !bytes ||
	       element != w->server.element || len != w->server.len ||
	       memcmp(bytes, w->server.bytes, len);
}

/* What is derived anew counts: it is what the server expects. Of another server nothing is kept. */
static void uncover(struct work *w)
{
	static const char *const keys[] = { "ServerPW", "ClientPW", "UserName", "Generation" };
	size_t i;

	if (compose_other_server(w, w->next))
		record_remove_source(w->next, RECORD_SERVER);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		record_remove(w->next, RECORD_SERVER, keys[i]);
		record_remove(w->next, RECORD_LOCAL, keys[i]);
	}
	record_remove_source(w->next, RECORD_PREVIOUS);
}

static void put_damage(struct work *w, int *r)
{
	if (w->loaded->current != STORE_MISSING)
		put_text(w, r, RECORD_STATE, "Damage", store_fault_word(w->loaded->current));
}

int compose(struct work *w, enum verdict verdict)
{
	int r = w->loaded->record ? record_copy(w->loaded->record, &w->next) : record_new(&w->next);

	if (r)
		return r;
	if (verdict == DERIVE_ANEW)
		uncover(w);
	put_template(w, &r);
	put_source(w, &r);
	put_inputs(w, &r);
	put_credentials(w, &r);
	if (w->recovering) {
		burn_nonces(w, &r);
		put_damage(w, &r);
	} else if (verdict != TAKE_OVER) {
		if (w->initial_nonces)
			put_initial_nonces(w, &r);
		else
			burn_nonces(w, &r);
	}
	return r;
}

int compose_recovered(struct work *w)
{
	int r = record_copy(w->loaded->record, &w->next);

	if (r)
		return r;
	burn_nonces(w, &r);
	put_damage(w, &r);
	return r;
}

int compose_furnished(struct work *w)
{
	int r;

	w->next = record_free(w->next);
	r = record_new(&w->next);
	if (r)
		return r;
	put_template(w, &r);
	put_text(w, &r, RECORD_STATE, "Template", w->template->path);
	put_text(w, &r, RECORD_STATE, "Profile", compose_profile(w));
	put_u32(w, &r, "Generation", dmacc_template_generation(w->template->t));
	if (!compose_unkeyed(w->template))
		put_text(w, &r, RECORD_STATE, "Slot", dmacc_template_slot(w->template->t));
	return r;
}
