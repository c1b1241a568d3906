// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "log.h"
#include "reconcile.h"

static int append_stored(struct stored_list *stored, struct store *store, const char *name)
{
	struct stored *longer = reallocarray(stored->list, stored->count + 1, sizeof(*longer));

	if (!longer)
		return -ENOMEM;
	stored->list = longer;
	longer[stored->count] = (struct stored){ .name = strdup(name) };
	if (!longer[stored->count].name)
		return -ENOMEM;
	store_load(store, name, &longer[stored->count++].loaded);
	return 0;
}

int accounts_load(const struct device *device, struct stored_list *ret)
{
	char **names;
	size_t i;
	int r;

	*ret = (struct stored_list){ 0 };
	if (!device->store)
		return 0;
	r = store_list(device->store, &names);
	if (r)
		return r;
	for (i = 0; names[i] && !r; i++)
		r = append_stored(ret, device->store, names[i]);
	store_free_list(names);
	if (r)
		accounts_unload(ret);
	return r;
}

void accounts_unload(struct stored_list *stored)
{
	size_t i;

	for (i = 0; i < stored->count; i++) {
		free(stored->list[i].name);
		record_free(stored->list[i].loaded.record);
	}
	free(stored->list);
	*stored = (struct stored_list){ 0 };
}

struct stored *accounts_stored(const struct stored_list *stored, const char *name)
{
	size_t i;

	for (i = 0; i < stored->count; i++)
		if (!strcmp(stored->list[i].name, name))
			return &stored->list[i];
	return NULL;
}

static struct account *append(struct accounts *accounts, const char *name)
{
	struct account **longer;
	struct account *account = calloc(1, sizeof(*account));

	longer = reallocarray(accounts->list, accounts->count + 1, sizeof(*longer));
	if (longer)
		accounts->list = longer;
	if (!account || !longer) {
		free(account);
		return NULL;
	}
	strcpy(account->name, name);
	longer[accounts->count++] = account;
	return account;
}

/* @record is what reconcile() and its like made of it; it goes, and its secrets with it */
static int settle(struct account *account, struct record *record)
{
	int r = account_describe(account, record);

	record_free(record);
	return r;
}

/* Nothing is derived, compared or written: it is as it was when it is enabled again */
static int disable(const struct stored *stored, struct account *account)
{
	account_tell(account, ACCOUNT_DISABLED, "it was disabled on this device; what was stored is kept, "
		     "and 'dmaccctl enable %s' has it served again", account->name);
	return account_describe(account, stored ? stored->loaded.record : NULL);
}

static int make_of_template(const struct device *device, const struct template *template,
			    const struct stored_list *stored, bool disabled,
			    struct accounts *accounts)
{
	struct account *account = append(accounts, template->name);
	struct stored *found = accounts_stored(stored, template->name);
	struct stored missing = { .loaded = { .current = STORE_MISSING,
					      .previous = STORE_MISSING } };
	struct record *record = NULL;
	int r;

	if (!account)
		return -ENOMEM;
	if (!found && device->store) {
		missing.name = account->name;
		store_load(device->store, account->name, &missing.loaded);
		found = &missing;
	}
	r = disabled ? disable(found, account) :
		       reconcile(device, template, found, account, &record);
	record_free(missing.loaded.record);
	if (!r && !disabled)
		return settle(account, record);
	record_free(record);
	return r;
}

/* Not the device's owner's doing alone: a vendor's package that goes withdraws its account, too */
static void withdraw(const struct stored *stored, struct account *account)
{
	if (stored->loaded.record)
		account_tell(account, ACCOUNT_WITHDRAWN, "its template has been removed; what was "
			     "stored is kept, and serves again when there is a template of this "
			     "name");
	else
		account_tell(account, ACCOUNT_WITHDRAWN, "its template has been removed, and its "
			     "file is %s", store_fault_word(stored->loaded.current));
}

static int make_of_stored(const struct device *device, const struct templates *templates,
			  struct stored *stored, struct accounts *accounts)
{
	const struct refusal *refusal = templates_refusal(templates, stored->name);
	struct record *record = NULL;
	struct account *account;

	if (templates_find(templates, stored->name))
		return 0;
	account = append(accounts, stored->name);
	if (!account)
		return -ENOMEM;
	if (refusal && templates_disabled(templates, stored->name))
		return disable(stored, account);
	if (refusal) {
		reconcile_without_template(device, refusal, stored, account, &record);
		return settle(account, record);
	}
	withdraw(stored, account);
	return account_describe(account, stored->loaded.record);
}

static int compare(const void *a, const void *b)
{
	return strcmp((*(struct account *const *)a)->name, (*(struct account *const *)b)->name);
}

int accounts_make(const struct device *device, const struct templates *templates,
		  struct stored_list *stored, struct accounts *ret)
{
	struct accounts accounts = { 0 };
	size_t i;
	int r = 0;

	for (i = 0; i < templates->count && !r; i++)
		r = make_of_template(device, &templates->list[i], stored,
				     templates_disabled(templates, templates->list[i].name),
				     &accounts);
	for (i = 0; i < stored->count && !r; i++)
		r = make_of_stored(device, templates, &stored->list[i], &accounts);
	if (r) {
		accounts_done(&accounts);
		return r;
	}
	if (accounts.count)
		qsort(accounts.list, accounts.count, sizeof(*accounts.list), compare);
	*ret = accounts;
	return 0;
}

void accounts_done(struct accounts *accounts)
{
	size_t i;

	for (i = 0; i < accounts->count; i++)
		account_free(accounts->list[i]);
	free(accounts->list);
	*accounts = (struct accounts){ 0 };
}

struct account *accounts_find(const struct accounts *accounts, const char *name)
{
	size_t i;

	for (i = 0; i < accounts->count; i++)
		if (!strcmp(accounts->list[i]->name, name))
			return accounts->list[i];
	return NULL;
}
