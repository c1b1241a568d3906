// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
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
	       !strcmp(a->reason, b->reason) && !strcmp(a->server_id, b->server_id) &&
	       !strcmp(a->slot, b->slot) && !strcmp(a->profile, b->profile) &&
	       !strcmp(a->template, b->template);
}

bool account_is_nonce(enum dmacc_node node)
{
	return node == DMACC_NODE_SERVER_NONCE || node == DMACC_NODE_CLIENT_NONCE;
}

/* The server's word counts most, what the template said least */
const void *account_stored_value(const struct record *record, enum dmacc_node node,
				 size_t *ret_len)
{
	static const enum record_source order[] = {
		RECORD_SERVER, RECORD_LOCAL, RECORD_DERIVED, RECORD_TEMPLATE,
	};
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

static int values_of(const struct record *record, bool with_secrets, struct dmacc_account **ret)
{
	struct dmacc_account *values;
	int r;

	r = dmacc_account_new(&values);
	if (r)
		return r;
	r = fill(values, record, with_secrets);
	if (r) {
		dmacc_account_free(values);
		return r;
	}
	*ret = values;
	return 0;
}

int account_describe(struct account *account, const struct record *record)
{
	int r;

	account->server_id = text_of(record, RECORD_TEMPLATE, "ServerID");
	account->slot = text_of(record, RECORD_STATE, "Slot");
	account->profile = text_of(record, RECORD_STATE, "Profile");
	account->template = text_of(record, RECORD_STATE, "Template");
	if (!record || !record_get_u32(record, RECORD_STATE, "Generation", &account->generation))
		account->generation = 0;
	if (!account->server_id || !account->slot || !account->profile || !account->template)
		return -ENOMEM;
	r = record ? values_of(record, false, &account->values) : 0;
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

	r = values_of(record, true, &values);
	if (r)
		return r == -EINVAL ? -ENODATA : r;
	r = tree_of(values, layout, ret);
	dmacc_account_free(values);
	return r;
}
