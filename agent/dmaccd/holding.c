// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <string.h>

#include "bus.h"
#include "harden.h"
#include "holding.h"
#include "log.h"

static int complain_not_ready(const struct account *account, const char *name,
			      struct complaint *reterr)
{
	char sentence[ACCOUNT_REASON_SIZE + 32];

	if (!account)
		return complain_of(reterr, REFUSAL_NOT_READY, "there is no account %s any more",
				   name);
	account_sentence(account, sentence, sizeof(sentence));
	return complain_of(reterr, REFUSAL_NOT_READY, "account %s is %s", name, sentence);
}

int holding_open(struct agent *agent, const char *name, struct holding *ret,
		 struct complaint *reterr)
{
	struct account *account = accounts_find(&agent->accounts, name);
	struct store_loaded loaded;

	if (!account || account->state != ACCOUNT_READY || !agent->device.store)
		return complain_not_ready(account, name, reterr);
	store_load(agent->device.store, name, &loaded);
	if (!loaded.record || loaded.counter != account->counter) {
		record_free(loaded.record);
		if (agent->look_again)
			agent->look_again(agent);
		return complain_of(reterr, REFUSAL_NOT_READY, "what is stored of account %s cannot "
				   "be read now; its Reason says why in a moment", name);
	}
	*ret = (struct holding){ agent, account, loaded.record };
	return 0;
}

void holding_close(struct holding *h)
{
	h->record = record_free(h->record);
	harden_wipe_stack();
}

/*
 * The account is the same object: who lists it keeps it. Without memory it shows what was before,
 * and that the file was written is true all the same.
 */
static void show(struct holding *h)
{
	bool differs;

	if (!account_redescribe(h->account, h->record, &differs) && differs)
		bus_account_changed(h->agent->bus, h->account->name);
}

/* If only the folder's fsync failed the new file is there, and is the one that counts */
static void find_what_counts(struct holding *h)
{
	struct store_loaded loaded;

	store_load(h->agent->device.store, h->account->name, &loaded);
	if (loaded.record && loaded.counter == h->account->counter + 1) {
		h->account->counter = loaded.counter;
		show(h);
	}
	record_free(loaded.record);
}

int holding_save(struct holding *h, struct complaint *reterr)
{
	int r;

	r = store_save(h->agent->device.store, h->account->name, h->record,
		       h->account->counter + 1);
	if (!r) {
		h->account->counter++;
		show(h);
		return 0;
	}
	if (r == -ENOMEM)
		return r;
	find_what_counts(h);
	log_event(LOG_STORE_FAILED, h->account->name, LOG_ERR, "it cannot be written: %s",
		  strerror(-r));
	return complain_of(reterr, REFUSAL_UNWRITTEN, "account %s cannot be written: %s",
			   h->account->name, strerror(-r));
}
