// SPDX-License-Identifier: LGPL-2.1-or-later
/* factory verify and factory report: what the store has, opened and loaded by the module */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "dmacc.h"
#include "factory.h"

/* One line of verify. @why: NULL if it is as it should be. */
static void print_verdict(const struct factory *f, const char *what, const char *name,
			  const char *user_name, const char *why)
{
	struct json_object *o;

	if (!f->json) {
		printf("%s%s%s: %s%s", what, name ? " " : "", name ? name : "", why ? "not ok: " : "ok",
		       why ? why : "");
		printf("%s%s\n", user_name ? ", UserName " : "", user_name ? user_name : "");
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "what", json_object_new_string(what));
	if (name)
		json_object_object_add(o, "slot", json_object_new_string(name));
	json_object_object_add(o, "ok", json_object_new_boolean(!why));
	if (user_name)
		json_object_object_add(o, "user_name", json_object_new_string(user_name));
	if (why)
		json_object_object_add(o, "reason", json_object_new_string(why));
	printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

/* Does the sealed key that is stored say the same as the key that was loaded before? */
static const char *compare(const struct slot_record *stored, const struct slot_record *loaded)
{
	if (memcmp(stored->slot.key_id, loaded->slot.key_id, DMACC_KEYID_LEN) ||
	    stored->slot.key_version != loaded->slot.key_version)
		return "another key or version was loaded than the one that is stored";
	if (strcmp(stored->user_name, loaded->user_name))
		return "another key was loaded than the one that is stored";
	return NULL;
}

static int verify_slot(struct factory *f, const char *name)
{
	const struct dmacc_kernel_slot *slot = dmacc_kernel_find_slot(&f->status, name);
	struct slot_record loaded = { 0 }, stored;
	const char *why = NULL;
	char sentence[256];

	if (slot)
		loaded.slot = *slot;
	if (slot && factory_derive(f, &loaded))
		why = "what is loaded derives nothing";
	else if (factory_load_slot(f, name, &stored, sentence))
		why = sentence;
	else if (slot)
		why = compare(&stored, &loaded);
	print_verdict(f, "slot", name, why ? NULL : stored.user_name, why);
	return why ? EXIT_SOME : EXIT_DONE;
}

static int verify_slots(struct factory *f, char **names)
{
	int result = EXIT_DONE;
	size_t i;

	for (i = 0; names[i]; i++)
		if (verify_slot(f, names[i]))
			result = EXIT_SOME;
	for (i = 0; i < f->status.slots_len; i++) {
		if (factory_store_lists(names, f->status.slots[i].name))
			continue;
		print_verdict(f, "slot", f->status.slots[i].name, NULL,
			      "it is loaded, but not in the store");
		result = EXIT_SOME;
	}
	return result;
}

static int report_slots(struct factory *f, char **names)
{
	struct slot_record record;
	int result = EXIT_DONE;
	char sentence[256];

	for (; *names; names++) {
		if (!factory_load_slot(f, *names, &record, sentence)) {
			factory_print_slot(f, &record);
			continue;
		}
		complain("%s/slots/%s: %s", f->path, *names, sentence);
		result = EXIT_SOME;
	}
	return result;
}

static int with_slots(struct factory *f, int (*what)(struct factory *f, char **names))
{
	char **names;
	int r;

	r = factory_store_list_slots(f->store, &names);
	if (r)
		return complain("%s/slots: %s", f->path, factory_store_error(r));
	r = what(f, names);
	if (!names[0]) {
		complain("%s has no slot: nothing has been injected", f->path);
		r = EXIT_SOME;
	}
	factory_store_free_slots(names);
	return r;
}

/* EXIT_SOME if there is a root that cannot be opened */
static int open_store(struct factory *f)
{
	int r;

	r = factory_begin(f, false);
	if (r)
		return r;
	r = factory_open_root(f);
	if (r == -1)
		return complain("%s has no root: nothing has been injected", f->path);
	return r ? EXIT_SOME : EXIT_DONE;
}

int verify_main(int argc, char **argv)
{
	struct factory f = { .path = FACTORY_STORE_PATH };
	int r;

	r = factory_parse(&f, argc, argv);
	if (r)
		return r;
	r = open_store(&f);
	if (r != EXIT_NOTHING)
		print_verdict(&f, "root", NULL, NULL, r ? "the module does not open it" : NULL);
	if (!r)
		r = with_slots(&f, verify_slots);
	factory_end(&f);
	return finish_output(r);
}

int report_main(int argc, char **argv)
{
	struct factory f = { .path = FACTORY_STORE_PATH };
	int r;

	r = factory_parse(&f, argc, argv);
	if (r)
		return r;
	r = open_store(&f);
	if (!r)
		r = with_slots(&f, report_slots);
	factory_end(&f);
	return finish_output(r);
}
