// SPDX-License-Identifier: LGPL-2.1-or-later
#include <endian.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"

const char *account_state_word(enum account_state state)
{
	static const char *const words[] = {
		[ACCOUNT_READY] = "ready",
		[ACCOUNT_NO_SLOT] = "no-slot",
		[ACCOUNT_NO_SECRETS] = "no-secrets",
		[ACCOUNT_RUNG_TOO_LOW] = "rung-too-low",
		[ACCOUNT_DAMAGED] = "damaged",
		[ACCOUNT_WITHDRAWN] = "withdrawn",
		[ACCOUNT_DISABLED] = "disabled",
	};

	return words[state];
}

void account_sentence(const struct account *account, char *ret, size_t size)
{
	const char *word = account_state_word(account->state);
	size_t len = strlen(word);

	if (!strncmp(account->reason, word, len) && account->reason[len] == ':')
		snprintf(ret, size, "%s", account->reason);
	else
		snprintf(ret, size, "%s: %s", word, account->reason);
}

const char *account_profile_word(enum dmacc_profile profile)
{
	switch (profile) {
	case DMACC_PROFILE_FCS11384:
		return "fcs11384";
	case DMACC_PROFILE_FCS11384_DEVICE:
		return "fcs11384-device";
	case DMACC_PROFILE_FCS14345:
		return "fcs14345";
	default:
		return "dmacc-1";
	}
}

/* What account_describe() wrote */
static void clear_description(struct account *account)
{
	free(account->server_id);
	free(account->slot);
	free(account->profile);
	free(account->template);
	dmacc_account_free(account->values);
}

struct account *account_free(struct account *account)
{
	if (!account)
		return NULL;
	clear_description(account);
	free(account);
	return NULL;
}

void account_tell(struct account *account, enum account_state state, const char *format, ...)
{
	va_list args;

	account->state = state;
	va_start(args, format);
	vsnprintf(account->reason, sizeof(account->reason), format, args);
	va_end(args);
}

void account_trouble(struct account *account, enum account_state state, enum trouble trouble,
		     const char *detail)
{
	account->state = state;
	trouble_explain(trouble, detail, account->reason, sizeof(account->reason));
}

static char *text_of(const struct record *record, enum record_source source, const char *key)
{
	size_t len = 0;
	const char *bytes = record ? record_get(record, source, key, &len) : NULL;

	return strndup(bytes ? bytes : "", len);
}

bool account_equal(const struct account *a, const struct account *b)
{
	return a->state == b->state && a->generation == b->generation &&
	       a->guessable == b->guessable && a->ever_connected == b->ever_connected &&
	       a->last_connected == b->last_connected && !strcmp(a->nonces, b->nonces) &&
	       !strcmp(a->reason, b->reason) && !strcmp(a->server_id, b->server_id) &&
	       !strcmp(a->slot, b->slot) && !strcmp(a->profile, b->profile) &&
	       !strcmp(a->template, b->template);
}

bool account_is_nonce(enum dmacc_node node)
{
	return node == DMACC_NODE_SERVER_NONCE || node == DMACC_NODE_CLIENT_NONCE;
}

/* The server's word counts most, what the template said least */
static const enum record_source order[] = {
	RECORD_SERVER, RECORD_LOCAL, RECORD_DERIVED, RECORD_TEMPLATE,
};

const void *account_stored_value(const struct record *record, enum dmacc_node node,
				 size_t *ret_len)
{
	const char *key = dmacc_node_word(node);
	const void *bytes;
	size_t i;

	if (account_is_nonce(node))
		return record_get(record, RECORD_STATE, key, ret_len);
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		bytes = record_get(record, order[i], key, ret_len);
		if (bytes)
			return bytes;
	}
	return NULL;
}

static bool is_secret(enum dmacc_node node)
{
	return account_is_nonce(node) || node == DMACC_NODE_SERVER_PW ||
	       node == DMACC_NODE_CLIENT_PW;
}

static bool is_unkeyed(const struct record *record)
{
	size_t len;
	const char *profile = record_get(record, RECORD_STATE, "Profile", &len);

	return profile && dmacc_legacy_named(profile);
}

static int fill(struct dmacc_account *values, const struct record *record, bool with_secrets)
{
	const void *bytes;
	size_t len, i;
	int r = 0;

	for (i = 0; i < DMACC_NODES && !r; i++) {
		bytes = account_stored_value(record, (enum dmacc_node)i, &len);
		if (!bytes)
			continue;
		if (is_secret((enum dmacc_node)i) && !with_secrets)
			r = dmacc_account_set(values, (enum dmacc_node)i, "-", 1);
		else
			r = dmacc_account_set(values, (enum dmacc_node)i, bytes, len);
	}
	return r;
}

/* A value is its format, a zero byte and the bytes. What no tree can show is left out. */
static int fill_ext(struct dmacc_account *values, const struct record *record,
		    enum record_source source)
{
	const char *key, *bytes, *format;
	size_t at = 0, len, head;
	int r = 0;

	while (r != -ENOMEM && (bytes = record_next(record, source, &at, &key, &len))) {
		if (strncmp(key, "Ext/", 4))
			continue;
		head = strnlen(bytes, len);
		format = head < len ? bytes : "chr";
		head = head < len ? head + 1 : 0;
		r = dmacc_account_set_ext(values, key, format, bytes + head, len - head);
	}
	return r == -ENOMEM ? r : 0;
}

/* Where a server finds the generation and raises it. Profiles without a key have none. */
static int fill_generation(struct dmacc_account *values, const struct record *record)
{
	uint32_t generation;
	char text[16];

	if (is_unkeyed(record) || !record_get_u32(record, RECORD_STATE, "Generation", &generation))
		return 0;
	snprintf(text, sizeof(text), "%u", generation);
	return dmacc_account_set_ext(values, ACCOUNT_GENERATION, "int", text, strlen(text));
}

int account_values(const struct record *record, bool with_secrets, struct dmacc_account **ret)
{
	struct dmacc_account *values;
	int r;

	r = dmacc_account_new(&values);
	if (r)
		return r;
	r = fill(values, record, with_secrets);
	if (!r)
		r = fill_generation(values, record);
	if (!r)
		r = fill_ext(values, record, RECORD_LOCAL);
	if (!r)
		r = fill_ext(values, record, RECORD_SERVER);
	if (r) {
		dmacc_account_free(values);
		return r;
	}
	*ret = values;
	return 0;
}

static const char *nonces_word(const struct record *record)
{
	static const char *const words[] = { "initial", "burnt", "session" };
	size_t len, i;
	const char *word = record_get(record, RECORD_STATE, "Nonces", &len);

	for (i = 0; word && i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i]))
			return words[i];
	return "";
}

static enum record_source source_of(const struct record *record, const char *key)
{
	size_t i, len;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (record_get(record, order[i], key, &len))
			return order[i];
	return 0;
}

static bool is_unproven(const struct record *record, enum dmacc_node node)
{
	size_t len, now_len = 0;
	const char *before = record_get(record, RECORD_PREVIOUS, dmacc_node_word(node), &len);
	const char *now = account_stored_value(record, node, &now_len);

	return before && (len != now_len || CRYPTO_memcmp(before, now, len));
}

static void add_origin(struct account *account, const char *node, enum record_source source,
		       bool unproven)
{
	static const char *const words[] = {
		[RECORD_TEMPLATE] = "template",
		[RECORD_DERIVED] = "derived",
		[RECORD_SERVER] = "server",
		[RECORD_LOCAL] = "local",
	};

	account->origins[account->origins_count++] = (struct origin){
		node, words[source], unproven ? "unproven" : "",
	};
}

static void describe_generation(struct account *account, const struct record *record)
{
	enum record_source source = source_of(record, "Generation");
	size_t len;

	add_origin(account, "Generation", source ? source : RECORD_TEMPLATE,
		   record_get(record, RECORD_PREVIOUS, "Generation", &len));
}

static bool is_derived(const struct record *record, enum dmacc_node node)
{
	return source_of(record, dmacc_node_word(node)) == RECORD_DERIVED ||
	       is_unproven(record, node);
}

static void describe_origins(struct account *account, const struct record *record)
{
	enum record_source source;
	enum dmacc_node node;

	account->origins_count = 0;
	for (node = 0; node < DMACC_NODES; node++) {
		source = account_is_nonce(node) ? 0 : source_of(record, dmacc_node_word(node));
		if (source)
			add_origin(account, dmacc_node_word(node), source,
				   is_unproven(record, node));
	}
	if (!is_unkeyed(record))
		describe_generation(account, record);
}

static void describe_state(struct account *account, const struct record *record)
{
	const void *bytes;
	uint64_t big;
	size_t len;

	account->nonces = nonces_word(record);
	bytes = record_get(record, RECORD_STATE, "LastConnected", &len);
	account->ever_connected = bytes && len == sizeof(big);
	if (account->ever_connected) {
		memcpy(&big, bytes, sizeof(big));
		account->last_connected = be64toh(big);
	}
	account->guessable = is_unkeyed(record) && (is_derived(record, DMACC_NODE_SERVER_PW) ||
						    is_derived(record, DMACC_NODE_CLIENT_PW));
	describe_origins(account, record);
}

/* Unless something else has to be said */
static void tell_guessable(struct account *account)
{
	static const char sentence[] = "its passwords are guessable: ";

	if (account->state != ACCOUNT_READY)
		return;
	if (!strncmp(account->reason, sentence, strlen(sentence)))
		account->reason[0] = '\0';
	if (account->guessable && !account->reason[0])
		account_tell(account, ACCOUNT_READY, "%sprofile %s has no key, and whoever reads the "
			     "IMEI off the box can compute them", sentence, account->profile);
}

int account_describe(struct account *account, const struct record *record)
{
	int r;

	account->nonces = "";
	account->guessable = account->ever_connected = false;
	account->last_connected = account->origins_count = 0;
	if (!record || !record_get_u32(record, RECORD_STATE, "Generation", &account->generation))
		account->generation = 0;
	if (record)
		describe_state(account, record);

	account->server_id = text_of(record, RECORD_TEMPLATE, "ServerID");
	account->slot = text_of(record, RECORD_STATE, "Slot");
	account->profile = text_of(record, RECORD_STATE, "Profile");
	account->template = text_of(record, RECORD_STATE, "Template");
	if (!account->server_id || !account->slot || !account->profile || !account->template)
		return -ENOMEM;
	tell_guessable(account);
	r = record ? account_values(record, false, &account->values) : 0;
	/* a value that no node can have: then there is no tree of it */
	return r == -EINVAL ? 0 : r;
}

int account_redescribe(struct account *account, const struct record *record, bool *ret_differs)
{
	struct account new = *account;
	int r;

	new.server_id = new.slot = new.profile = new.template = NULL;
	new.values = NULL;
	r = account_describe(&new, record);
	if (r) {
		clear_description(&new);
		return r;
	}
	*ret_differs = !account_equal(account, &new);
	clear_description(account);
	*account = new;
	return 0;
}

static int tree_of(const struct dmacc_account *values, enum dmacc_layout layout,
		   struct dmacc_tree **ret)
{
	int r = values ? dmacc_tree_new(values, layout, ret) : -ENODATA;

	return r == -EINVAL ? -ENODATA : r;
}

int account_tree(const struct account *account, enum dmacc_layout layout, struct dmacc_tree **ret)
{
	return tree_of(account->values, layout, ret);
}

int account_secret_tree(const struct record *record, enum dmacc_layout layout,
			struct dmacc_tree **ret)
{
	struct dmacc_account *values;
	int r;

	r = account_values(record, true, &values);
	if (r)
		return r == -EINVAL ? -ENODATA : r;
	r = tree_of(values, layout, ret);
	dmacc_account_free(values);
	return r;
}
