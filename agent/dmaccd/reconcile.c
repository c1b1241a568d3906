// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is stored of an account, what its template says and what the kernel derives for it are made
 * one. The rules:
 *
 * - What is the same is not written.
 * - What the template says of all devices is taken over; what was derived stays.
 * - What is derived is replaced only if what goes into it was changed on purpose: a key of a higher
 *   version, or another profile, slot, server or generation in the template. What its server or its
 *   owner has put over it stays, but not over passwords that are derived anew. Anything else that
 *   makes it differ, another identifier most of all, leaves what is stored as it is, for a person
 *   to judge.
 * - A nonce that may have been used is never used again: of an account that is made anew after
 *   damage, or derived anew with what it may have had before, both are random ("burnt"), and the
 *   first session begins with a challenge.
 * - What cannot be derived now, but is stored, serves; not without the store's key, nor below the rung
 *   that is asked.
 * - What was stored under another root stays as it is: only a person can tell whether that root comes
 *   back.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compose.h"
#include "lives.h"
#include "log.h"
#include "reconcile.h"

__attribute__((format(printf, 3, 4)))
static enum verdict say(struct work *w, enum verdict verdict, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(w->why, sizeof(w->why), format, args);
	va_end(args);
	return verdict;
}

static bool holds(const struct record *record, enum record_source source, const char *key,
		  const void *bytes, size_t len)
{
	size_t stored_len;
	const void *stored = record_get(record, source, key, &stored_len);

	return stored && stored_len == len && !CRYPTO_memcmp(stored, bytes, len);
}

static bool holds_text(const struct record *record, enum record_source source, const char *key,
		       const char *text)
{
	return holds(record, source, key, text, strlen(text));
}

static bool holds_u32(const struct record *record, const char *key, uint32_t value)
{
	uint32_t stored;

	return record_get_u32(record, RECORD_STATE, key, &stored) && stored == value;
}

static bool is_other_device(const struct device *device, const struct record *record)
{
	uint8_t hash[COMPOSE_HASH_SIZE];

	if (!device->devid[0])
		return false;
	compose_hash_devid(device->devid, hash);
	return !holds(record, RECORD_STATE, "DevIdHash", hash, sizeof(hash));
}

static void take_stored(struct work *w)
{
	w->record = w->loaded->record;
	w->loaded->record = NULL;
	w->account->counter = w->loaded->counter;
}

static void take_next(struct work *w)
{
	w->record = w->next;
	w->next = NULL;
	w->account->counter = w->loaded->counter + 1;
}

static void keep(struct work *w, const char *why)
{
	account_trouble(w->account, ACCOUNT_DAMAGED, TROUBLE_ACCOUNT_DAMAGED, why);
	take_stored(w);
}

/* Of a slot that is the same as before: is its key? Else TAKE_OVER. */
static enum verdict judge_key(struct work *w, const struct record *had)
{
	uint32_t version;

	if (!w->slot || !holds_text(had, RECORD_STATE, "Slot", w->slot->name) ||
	    !record_get_u32(had, RECORD_STATE, "KeyVersion", &version))
		return TAKE_OVER;
	if (w->slot->key_version < version)
		return say(w, KEEP, "slot %s holds a key of version %u, and the account was made "
			   "with version %u", w->slot->name, w->slot->key_version, version);
	if (w->slot->key_version > version) {
		w->initial_nonces = true;
		return say(w, DERIVE_ANEW, "slot %s has a key of version %u in the place of "
			   "version %u",
			   w->slot->name, w->slot->key_version, version);
	}
	if (!holds(had, RECORD_STATE, "KeyId", w->slot->key_id, sizeof(w->slot->key_id)))
		return say(w, KEEP, "slot %s holds another key of the same version %u",
			   w->slot->name, version);
	return TAKE_OVER;
}

/* Did the template change what goes into the derivation? */
static enum verdict judge_template(struct work *w, const struct record *had)
{
	uint32_t before = 0, highest = 0;

	if (!holds_text(had, RECORD_STATE, "Profile", compose_profile(w)))
		return say(w, DERIVE_ANEW, "the template now asks for profile %s", compose_profile(w));
	if (w->slot && !holds_text(had, RECORD_STATE, "Slot", w->slot->name))
		return say(w, DERIVE_ANEW, "the template now names slot %s", w->slot->name);
	if (compose_other_server(w, had))
		return say(w, DERIVE_ANEW, "the template now names another server");
	if (holds_u32(had, "Generation", w->generation))
		return TAKE_OVER;
	(void)record_get_u32(had, RECORD_STATE, "Generation", &before);
	(void)record_get_u32(had, RECORD_STATE, "HighestGeneration", &highest);
	w->initial_nonces = w->generation > highest;
	return say(w, DERIVE_ANEW, "the template now asks for generation %u in the place of %u",
		   w->generation, before);
}

static enum verdict judge(struct work *w, const struct record *had)
{
	const struct dmacc_credentials *c = &w->credentials;
	enum verdict verdict;

	if (!had) {
		w->initial_nonces = true;
		return MAKE_NEW;
	}
	verdict = judge_key(w, had);
	if (verdict == TAKE_OVER)
		verdict = judge_template(w, had);
	if (verdict != TAKE_OVER)
		return verdict;
	if (!holds_text(had, RECORD_DERIVED, "UserName", c->user_name) ||
	    !holds_text(had, RECORD_DERIVED, "ServerPW", c->server_pw) ||
	    !holds_text(had, RECORD_DERIVED, "ClientPW", c->client_pw))
		return say(w, KEEP, "what is derived now is not what is stored, although "
			   "identifier, key and template are the same");
	return TAKE_OVER;
}

static int show_furnished(struct work *w)
{
	int r = compose_furnished(w);

	w->record = w->next;
	w->next = NULL;
	return r;
}

/* Puts away what is damaged, so that the write that follows overwrites nothing */
static int set_aside(struct work *w)
{
	char file[STORE_FILE_SIZE];
	int r = 0;

	if (store_is_damage(w->loaded->current)) {
		r = store_set_aside(w->device->store, w->account->name, false, file);
		if (!r)
			log_event(LOG_ACCOUNT_DAMAGED, w->account->name, LOG_ERR,
				  "its file was found %s and is kept as %s; %s",
				  store_fault_word(w->loaded->current), file,
				  w->loaded->record ? "the one before it takes its place" :
				  "the account is derived again");
	} else if (w->recovering) {
		log_event(LOG_ACCOUNT_DAMAGED, w->account->name, LOG_WARNING, "its file is "
			  "missing; %s",
			  w->loaded->record ? "the one before it takes its place" :
			  "a damaged one was kept earlier, and the account is derived again");
	}
	if (!r && store_is_damage(w->loaded->previous))
		r = store_set_aside(w->device->store, w->account->name, true, file);
	return r;
}

static int tell_unwritten(struct work *w, int error)
{
	const char *sentence = strerror(-error);

	if (error == -EEXIST)
		sentence = "nine damaged files of it have been kept already; remove those that "
			   "nobody needs";
	log_event(LOG_STORE_FAILED, w->account->name, LOG_ERR, "it cannot be written: %s",
		  sentence);
	w->account->retry = true;
	/* what is not on the disk is not served: a session could take its nonces twice */
	if (w->loaded->record && !w->recovering)
		account_tell(w->account, ACCOUNT_READY, "it cannot be written (%s); it is served "
			     "as it was stored before", sentence);
	else
		account_tell(w->account, ACCOUNT_NO_SECRETS, "it cannot be written: %s", sentence);
	if (!w->loaded->record)
		return show_furnished(w);
	take_stored(w);
	return 0;
}

static int write_next(struct work *w)
{
	int r = set_aside(w);

	return r ? r : store_save(w->device->store, w->account->name, w->next,
				  w->loaded->counter + 1);
}

static void tell_ready(struct work *w)
{
	if (w->recovering && w->loaded->current != STORE_MISSING)
		account_tell(w->account, ACCOUNT_READY, "its file was found %s and the account "
			     "was made anew from what was before; the damaged file is kept beside "
			     "it",
			     store_fault_word(w->loaded->current));
	else
		account_tell(w->account, ACCOUNT_READY, "%s", "");
}

static void log_written(struct work *w, enum verdict verdict)
{
	if (verdict == DERIVE_ANEW)
		log_event(LOG_ACCOUNT_DERIVED_ANEW, w->account->name, LOG_NOTICE,
			  "derived anew: %s%s", w->why,
			  w->initial_nonces ? "" : "; its nonces are burnt");
	else if (verdict == MAKE_NEW)
		log_event(LOG_ACCOUNT_NEW, w->account->name, LOG_NOTICE, "made from %s%s%s%s",
			  w->template->path, w->slot ? " with the key of slot " : "",
			  w->slot ? w->slot->name : "", w->spent ? "; its nonces are burnt, since "
			  "that key was there before a reset" : "");
	else if (!w->recovering)
		log_event(LOG_ACCOUNT_CHANGED, w->account->name, LOG_NOTICE, "taken over from %s",
			  w->template->path);
	if (compose_unkeyed(w->template))
		log_event(LOG_ACCOUNT_UNKEYED, w->account->name, LOG_WARNING, "profile %s has no "
			  "key: whoever reads the IMEI off the box can compute its passwords",
			  compose_profile(w));
}

static int persist(struct work *w, enum verdict verdict)
{
	int r;

	r = compose(w, verdict);
	if (r == -ENOMEM)
		return r;
	if (!r && !w->recovering && w->loaded->record && record_equal(w->next, w->loaded->record)) {
		tell_ready(w);
		take_stored(w);
		return 0;
	}
	if (!r)
		r = write_next(w);
	if (r)
		return tell_unwritten(w, r);
	log_written(w, verdict);
	tell_ready(w);
	take_next(w);
	return 0;
}

/* Only NAME.prev is whole, and nothing can be derived: it takes its place with its nonces burnt */
static int recover(struct work *w)
{
	int r;

	r = compose_recovered(w);
	if (r == -ENOMEM)
		return r;
	if (!r)
		r = write_next(w);
	if (r)
		return tell_unwritten(w, r);
	take_next(w);
	return 0;
}

/* Another key, server or profile makes it another account, which begins at the template's generation */
static bool is_made_otherwise(const struct work *w, const struct record *had)
{
	uint32_t version = 0;

	(void)record_get_u32(had, RECORD_STATE, "KeyVersion", &version);
	return !holds_text(had, RECORD_STATE, "Profile", compose_profile(w)) ||
	       compose_other_server(w, had) ||
	       (w->slot && (!holds_text(had, RECORD_STATE, "Slot", w->slot->name) ||
			    w->slot->key_version > version));
}

/* A template that names another one than before is followed; else it stays where it was raised to */
static uint32_t find_generation(const struct work *w)
{
	uint32_t template = dmacc_template_generation(w->template->t), before, now;
	const struct record *had = w->loaded->record;

	if (!had || !record_get_u32(had, RECORD_STATE, "Generation", &now))
		return template;
	/* files of an agent that knew no other generation than the template's */
	if (!record_get_u32(had, RECORD_STATE, "TemplateGeneration", &before))
		before = now;
	return template != before || is_made_otherwise(w, had) ? template : now;
}

/* Returns NULL, or why not; @w->account has its state then */
static const char *derive_unkeyed(struct work *w)
{
	enum dmacc_legacy_profile profile = dmacc_legacy_named(compose_profile(w));
	const char *sentence = "there is no memory";

	w->account->state = ACCOUNT_NO_SECRETS;
	w->generation = dmacc_template_generation(w->template->t);
	if (!w->device->devid[0])
		return w->device->reason;
	return dmacc_legacy_credentials(profile, w->device->devid, &w->server, &w->credentials,
					&sentence) ? sentence : NULL;
}

static const char *derive_keyed(struct work *w)
{
	const char *slot = dmacc_template_slot(w->template->t);

	w->account->state = ACCOUNT_NO_SECRETS;
	if (w->device->state != DEVICE_READY)
		return w->device->reason;
	w->slot = dmacc_kernel_find_slot(&w->device->status, slot);
	if (!w->slot) {
		w->account->state = ACCOUNT_NO_SLOT;
		say(w, KEEP, "no key is loaded in slot %s: 'dmaccctl factory inject --slot %s' "
		    "seals one, and 'journalctl -u dmacc-unseal' says if one was refused", slot,
		    slot);
		return w->why;
	}
	w->generation = find_generation(w);
	if (dmacc_kernel_derive(w->device->kernel, slot, &w->server, w->generation,
				&w->credentials)) {
		say(w, KEEP, "the kernel does not derive: %s",
		    dmacc_kernel_sentence(w->device->kernel));
		return w->why;
	}
	return NULL;
}

static int serve_stored(struct work *w, const char *why)
{
	int r = 0;

	if (w->recovering)
		r = recover(w);
	else
		take_stored(w);
	if (!r && !w->account->reason[0])
		account_tell(w->account, ACCOUNT_READY, "it is served as it was stored, and "
			     "cannot be derived again now: %s", why);
	return r;
}

static int without_derivation(struct work *w, const char *why)
{
	w->account->retry = true;
	if (w->loaded && w->loaded->record)
		return serve_stored(w, why);
	if (w->loaded && w->recovering)
		account_tell(w->account, ACCOUNT_DAMAGED, "its file is %s, and it cannot be "
			     "derived again now: %s", store_fault_word(w->loaded->current), why);
	else
		account_tell(w->account, w->account->state, "%s", why);
	return show_furnished(w);
}

/*
 * The rung is a promise of the server's owner, or of the device's; an account below it has no secrets,
 * stored or not. What is stored stays, and serves again under a root of that rung.
 */
static bool below_rung(const struct device *device, unsigned int minimum, struct account *account)
{
	char sentence[RUNG_SENTENCE_SIZE];

	if (!rung_too_low(&device->status, (enum dmacc_rung)minimum, &device->minimum,
			  device->sysfs, sentence))
		return false;
	account_trouble(account, ACCOUNT_RUNG_TOO_LOW, TROUBLE_RUNG_TOO_LOW, sentence);
	return true;
}

/* Whole, as far as can be told, but of a root that this device had before, or of another device's */
static bool is_of_other_root(const struct store_loaded *loaded)
{
	return !loaded->record && (loaded->current == STORE_OTHER_ROOT ||
				   (loaded->current == STORE_MISSING &&
				    loaded->previous == STORE_OTHER_ROOT));
}

/* A file that may be good, but not for us now: true, and nothing is derived or written */
static bool is_out_of_reach(const struct store_loaded *loaded, struct account *account)
{
	enum store_fault fault = loaded->current;

	if (is_of_other_root(loaded)) {
		account_trouble(account, ACCOUNT_DAMAGED, TROUBLE_OTHER_STORE, NULL);
		return true;
	}
	if (fault != STORE_NEWER && fault != STORE_UNREADABLE && !loaded->record)
		fault = loaded->previous;
	if (fault == STORE_NEWER) {
		account_tell(account, ACCOUNT_DAMAGED, "its file was written by a newer dmaccd, "
			     "and this one cannot read it: install the newer one again");
		return true;
	}
	if (fault != STORE_UNREADABLE)
		return false;
	account->retry = true;
	account_tell(account, ACCOUNT_NO_SECRETS, "its file cannot be read now: %s",
		     strerror(-loaded->error));
	return true;
}

static bool is_recovery(const struct store_loaded *loaded)
{
	if (loaded->current == STORE_FINE)
		return false;
	return loaded->record || loaded->damaged_before || store_is_damage(loaded->current) ||
	       store_is_damage(loaded->previous);
}

static int derive_and_persist(struct work *w)
{
	enum verdict verdict;
	const char *why;

	if (w->loaded->record && is_other_device(w->device, w->loaded->record)) {
		keep(w, "it was made for another identifier than this device has now");
		return 0;
	}
	why = compose_unkeyed(w->template) ? derive_unkeyed(w) : derive_keyed(w);
	if (why)
		return without_derivation(w, why);
	verdict = judge(w, w->loaded->record);
	/* an account that was lost in a factory reset does not come back with its initial nonces */
	w->spent = w->slot && lives_is_spent(w->device->report_folder, w->slot->name);
	w->initial_nonces &= !w->spent;
	if (verdict != KEEP)
		return persist(w, verdict);
	keep(w, w->why);
	return 0;
}

static int work(struct work *w)
{
	if (!w->device->store) {
		w->account->state = ACCOUNT_NO_SECRETS;
		return without_derivation(w, w->device->reason);
	}
	w->recovering = is_recovery(w->loaded);
	if (is_out_of_reach(w->loaded, w->account) ||
	    below_rung(w->device, dmacc_template_minimum_rung(w->template->t), w->account))
		return show_furnished(w);
	return derive_and_persist(w);
}

int reconcile(const struct device *device, const struct template *template, struct stored *stored,
	      struct account *account, struct record **ret_record)
{
	struct work w = {
		.device = device,
		.template = template,
		.loaded = stored ? &stored->loaded : NULL,
		.account = account,
	};
	int r;

	dmacc_template_server(template->t, &w.server);
	r = work(&w);
	dmacc_wipe(&w.credentials, sizeof(w.credentials));
	record_free(w.next);
	*ret_record = w.record;
	return r == -ENOMEM ? r : 0;
}

void reconcile_without_template(const struct device *device, const struct refusal *refusal,
				struct stored *stored, struct account *account,
				struct record **ret_record)
{
	struct work w = { .device = device, .loaded = &stored->loaded, .account = account };
	uint32_t minimum = 0;

	if (is_out_of_reach(w.loaded, account))
		return;
	w.recovering = is_recovery(w.loaded);
	if (!w.loaded->record) {
		account_tell(account, ACCOUNT_DAMAGED, "its file is %s, and its template is "
			     "refused: %s",
			     store_fault_word(w.loaded->current), refusal->reason);
		return;
	}
	(void)record_get_u32(w.loaded->record, RECORD_STATE, "MinimumRung", &minimum);
	if (is_other_device(device, w.loaded->record))
		keep(&w, "it was made for another identifier than this device has now");
	else
		take_stored(&w);
	*ret_record = w.record;
	if (account->state == ACCOUNT_DAMAGED || below_rung(device, minimum, account))
		return;
	if (w.recovering)
		/* not written: only its template makes it anew */
		account_tell(account, ACCOUNT_DAMAGED, "its file is %s, and its template is "
			     "refused: %s",
			     store_fault_word(w.loaded->current), refusal->reason);
	else
		account_tell(account, ACCOUNT_READY, "it is served as it was stored, since its "
			     "template is refused: %s", refusal->reason);
}
