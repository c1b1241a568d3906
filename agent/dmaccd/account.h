/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One account as the bus shows it */
#ifndef DMACC_DMACCD_ACCOUNT_H
#define DMACC_DMACCD_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "dmacc.h"
#include "record.h"
#include "trouble.h"

#define ACCOUNT_REASON_SIZE TROUBLE_TEXT_SIZE

/* uapi/org.dmacc1.xml has the words */
enum account_state {
	ACCOUNT_READY,
	ACCOUNT_NO_SLOT,
	ACCOUNT_NO_SECRETS,
	ACCOUNT_RUNG_TOO_LOW,
	ACCOUNT_DAMAGED,
	ACCOUNT_WITHDRAWN,
};

/**
 * struct account - an account
 * @reason: a sentence; of a ready one what its owner should know, or ""
 * @template: path of the file that it was made from
 * @values: what is known of its nodes; of passwords and nonces only that they are there. NULL if
 *	nothing is known.
 * @counter: of the file that it is; what has another one is another account
 * @retry: what is missing may come without anybody telling
 *
 * Nothing in it is secret.
 */
struct account {
	char name[DMACC_TEMPLATE_NAME_SIZE];
	enum account_state state;
	char reason[ACCOUNT_REASON_SIZE];
	char *server_id;
	char *slot;
	char *profile;
	uint32_t generation;
	char *template;
	struct dmacc_account *values;
	uint64_t counter;
	bool retry;
};

const char *account_state_word(enum account_state state);

/* "STATE: REASON", without the state where the reason begins with that word itself */
void account_sentence(const struct account *account, char *ret, size_t size);

struct account *account_free(struct account *account);

/* Sets state and sentence */
void account_tell(struct account *account, enum account_state state, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with the words that trouble_explain() has for it */
void account_trouble(struct account *account, enum account_state state, enum trouble trouble,
		     const char *detail);

/*
 * Properties and values from the record, which may be NULL; "" for what it does not say. Returns 0
 * or -ENOMEM.
 */
int account_describe(struct account *account, const struct record *record);

/**
 * account_redescribe() - the same anew, after its record has changed
 * @ret_differs: whether the bus shows something else now
 *
 * Return: 0; -ENOMEM, and then the account is as it was.
 */
int account_redescribe(struct account *account, const struct record *record, bool *ret_differs);

/* Does the bus show the same of both? */
bool account_equal(const struct account *a, const struct account *b);

/**
 * account_tree() - how a layout shows it
 * @ret: the caller's, to be given to dmacc_tree_free(); the value of a node that is not readable is
 *	not its own
 *
 * Return: 0; -ENODATA if it has not got what the layout must show; -ENOMEM.
 */
int account_tree(const struct account *account, enum dmacc_layout layout, struct dmacc_tree **ret);

/* The same of what is stored, with every value; secret */
int account_secret_tree(const struct record *record, enum dmacc_layout layout,
			struct dmacc_tree **ret);

/* What counts of a node's values; the record's own bytes, zero-terminated; NULL if it has none */
const void *account_stored_value(const struct record *record, enum dmacc_node node,
				 size_t *ret_len);

/* Has a nonce as its value: of those the record's state has the one in use */
bool account_is_nonce(enum dmacc_node node);

const char *account_profile_word(enum dmacc_profile profile);

#endif
