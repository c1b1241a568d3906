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
		[ACCOUNT_DAMAGED] = "damaged",
		[ACCOUNT_WITHDRAWN] = "withdrawn",
	};

	return words[state];
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

struct account *account_free(struct account *account)
{
	if (!account)
		return NULL;
	free(account->server_id);
	free(account->slot);
	free(account->profile);
	free(account->template);
	record_free(account->record);
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

static char *text_of(const struct record *record, enum record_source source, const char *key)
{
	size_t len = 0;
	const char *bytes = record ? record_get(record, source, key, &len) : NULL;

	return strndup(bytes ? bytes : "", len);
}

int account_describe(struct account *account)
{
	const struct record *record = account->record;

	account->server_id = text_of(record, RECORD_TEMPLATE, "ServerID");
	account->slot = text_of(record, RECORD_STATE, "Slot");
	account->profile = text_of(record, RECORD_STATE, "Profile");
	account->template = text_of(record, RECORD_STATE, "Template");
	if (!record || !record_get_u32(record, RECORD_STATE, "Generation", &account->generation))
		account->generation = 0;
	return account->server_id && account->slot && account->profile && account->template ?
		0 : -ENOMEM;
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
static const void *value_of(const struct record *record, enum dmacc_node node, size_t *ret_len)
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

static int fill(struct dmacc_account *values, const struct record *record)
{
	const void *bytes;
	size_t len, i;
	int r = 0;

	for (i = 0; i < DMACC_NODES && !r; i++) {
		bytes = value_of(record, (enum dmacc_node)i, &len);
		if (bytes)
			r = dmacc_account_set(values, (enum dmacc_node)i, bytes, len);
	}
	return r;
}

int account_tree(const struct account *account, enum dmacc_layout layout, struct dmacc_tree **ret)
{
	struct dmacc_account *values;
	int r;

	if (!account->record)
		return -ENODATA;
	r = dmacc_account_new(&values);
	if (r)
		return r;
	r = fill(values, account->record);
	if (!r)
		r = dmacc_tree_new(values, layout, ret);
	dmacc_account_free(values);
	return r == -EINVAL ? -ENODATA : r;
}
