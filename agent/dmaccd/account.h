/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One account as the bus shows it */
#ifndef DMACC_DMACCD_ACCOUNT_H
#define DMACC_DMACCD_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "dmacc.h"
#include "record.h"
#include "trouble.h"

/* Below the account's node; a Replace of it raises the generation */
#define ACCOUNT_GENERATION "Ext/dmacc/Generation"

#define ACCOUNT_REASON_SIZE TROUBLE_TEXT_SIZE

/* uapi/org.dmacc1.xml has the words */
enum account_state {
	ACCOUNT_READY,
	ACCOUNT_NO_SLOT,
	ACCOUNT_NO_SECRETS,
	ACCOUNT_RUNG_TOO_LOW,
	ACCOUNT_DAMAGED,
	ACCOUNT_WITHDRAWN,
	ACCOUNT_DISABLED,
};

/* The thirteen nodes and the generation */
#define ORIGINS_MAX (DMACC_NODES + 1)

/**
 * struct origin - where a value comes from; constants
 * @node: as templates name it, or "Generation"
 * @source: template, derived, server, local
 * @note: "" or unproven: the server made it, and until it has worked the one before is kept
 */
struct origin {
	const char *node, *source, *note;
};

/**
 * struct account - an account
 * @reason: a sentence; of a ready one what its owner should know, or ""
 * @template: path of the file that it was made from
 * @values: what is known of its nodes; of passwords and nonces only that they are there. NULL if
 *	nothing is known.
 * @guessable: a password that counts, or is still tried, is one that the IMEI gives away
 * @last_connected: when both sides were authenticated last, microseconds since 1970
 * @nonces: "initial", "burnt" or "session"; "" if there are none; a constant
 * @origins: of what comes from somebody, in the order of enum dmacc_node, and of the generation
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
	bool guessable, ever_connected;
	uint64_t last_connected;
	const char *nonces;
	struct origin origins[ORIGINS_MAX];
	size_t origins_count;
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
 * Properties and values from the record, which may be NULL; "" for what it does not say. A ready
 * account that is guessable says so, if nothing else is said. Returns 0 or -ENOMEM.
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

/* The values of a record, as they count. Secret if @with_secrets; else a "-" stands for those. */
int account_values(const struct record *record, bool with_secrets, struct dmacc_account **ret);

/* What counts of a node's values; the record's own bytes, zero-terminated; NULL if it has none */
const void *account_stored_value(const struct record *record, enum dmacc_node node,
				 size_t *ret_len);

/* Has a nonce as its value: of those the record's state has the one in use */
bool account_is_nonce(enum dmacc_node node);

const char *account_profile_word(enum dmacc_profile profile);

#endif
