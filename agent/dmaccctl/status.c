// SPDX-License-Identifier: LGPL-2.1-or-later
/* status: the module over netlink, then the agent over D-Bus; each without the other */
#include <getopt.h>
#include <json-c/json.h>
#include <string.h>

#include "ctl.h"
#include "view.h"

/* "" if nothing is wrong with the root, or the identity */
static void advise_root(const struct view *view, char ret[TROUBLE_TEXT_SIZE])
{
	enum trouble trouble;
	const char *detail;

	trouble = view_root(view, &detail);
	trouble_explain(trouble, detail, ret, TROUBLE_TEXT_SIZE);
}

static void advise_identity(const struct view *view, char ret[TROUBLE_TEXT_SIZE])
{
	const char *detail;

	/* the agent's own words come further down */
	trouble_explain(view_identity(view, &detail), NULL, ret, TROUBLE_TEXT_SIZE);
}

static void print_field(const char *label, const char *value)
{
	printf("%-10s ", label);
	print_clean(stdout, value);
	putchar('\n');
}

static void print_advice(const char *advice)
{
	if (advice[0])
		print_field("", advice);
}

static void print_root(const struct view *view)
{
	const struct dmacc_kernel_status *s = &view->status;
	char advice[TROUBLE_TEXT_SIZE];

	printf("%-10s %s", "root", dmacc_root_state_word(s->root_state));
	if (s->root_state == DMACC_ROOT_SEALED_UNAVAILABLE)
		printf(", %s", dmacc_root_reason_word(s->root_reason));
	if (s->root_state == DMACC_ROOT_OPEN)
		printf(", rung %s, master %s", dmacc_rung_word(s->rung),
		       dmacc_master_source_word(s->master_source));
	putchar('\n');
	advise_root(view, advice);
	print_advice(advice);
}

static void print_refused_slots(const struct view *view)
{
	const struct unseal_slot *slot = view->report.slots;
	size_t i;

	for (i = 0; view->reported && i < view->report.slots_len; i++, slot++)
		if (slot->verdict.trouble != TROUBLE_NONE)
			printf("%-10s %s: %s when it was unsealed; see 'dmaccctl doctor'\n", "",
			       slot->name, trouble_word(slot->verdict.trouble));
}

static void print_slots(const struct dmacc_kernel_status *s)
{
	char key_id[2 * DMACC_KEYID_LEN + 1];
	size_t i;

	printf("%-10s %u\n", "slots", s->slot_count);
	for (i = 0; i < s->slots_len; i++) {
		hex(s->slots[i].key_id, DMACC_KEYID_LEN, key_id);
		printf("%-10s %s: KeyId %s, key version %u\n", "", s->slots[i].name, key_id,
		       s->slots[i].key_version);
	}
}

static void print_module(const struct view *view)
{
	const struct dmacc_kernel_status *s = &view->status;
	char advice[TROUBLE_TEXT_SIZE];

	if (!view->module) {
		print_field("module", view->module_error);
		return;
	}
	print_field("module", s->module_version);
	printf("%-10s %s%s%s", "identity", dmacc_identity_source_word(s->identity_source),
	       view_tail(view)[0] ? ", ends in " : "", view_tail(view));
	if (s->identity_conflict != DMACC_IDENTITY_NONE)
		printf(", another one in %s", dmacc_identity_source_word(s->identity_conflict));
	putchar('\n');
	advise_identity(view, advice);
	print_advice(advice);
	print_root(view);
	print_field("locked", s->locked ? "yes" : "no");
	print_slots(s);
	print_refused_slots(view);
}

/* "LABEL NAME: STATE, REASON" of an account, and what it is made of */
static void print_account(const struct agent_account *a)
{
	printf("%-10s ", "account");
	print_clean(stdout, a->name ? a->name : a->path);
	printf(": ");
	print_clean(stdout, a->state ? a->state : "unknown");
	if (a->reason && a->reason[0]) {
		printf(", ");
		print_clean(stdout, a->reason);
	}
	if (a->guessable)
		printf("\n%-10s guessable: whoever reads the IMEI off the box can compute its passwords", "");
	printf("\n%-10s ServerID ", "");
	print_clean(stdout, a->server_id ? a->server_id : "");
	printf(", slot ");
	print_clean(stdout, a->slot ? a->slot : "");
	printf(", template ");
	print_clean(stdout, a->template ? a->template : "");
	putchar('\n');
}

static void print_agent(const struct view *view)
{
	const struct agent *agent = &view->bus;
	size_t i;

	if (!view->agent) {
		print_field("agent", view->agent_error);
		return;
	}
	print_field("agent", agent->state ? agent->state : "unknown");
	if (agent->reason && agent->reason[0])
		print_field("", agent->reason);
	for (i = 0; i < agent->accounts_len; i++)
		print_account(&agent->accounts[i]);
	for (i = 0; i < agent->refusals_len; i++) {
		printf("%-10s ", "refused");
		print_clean(stdout, agent->refusals[i].template);
		printf(": ");
		print_clean(stdout, agent->refusals[i].reason);
		putchar('\n');
	}
}

static void add_string(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text ? text : ""));
}

static struct json_object *slots_json(const struct dmacc_kernel_status *s)
{
	struct json_object *array = json_object_new_array();
	char key_id[2 * DMACC_KEYID_LEN + 1];
	struct json_object *o;
	size_t i;

	for (i = 0; i < s->slots_len; i++) {
		o = json_object_new_object();
		hex(s->slots[i].key_id, DMACC_KEYID_LEN, key_id);
		add_string(o, "name", s->slots[i].name);
		add_string(o, "key_id", key_id);
		json_object_object_add(o, "key_version",
				       json_object_new_int64(s->slots[i].key_version));
		json_object_array_add(array, o);
	}
	return array;
}

static struct json_object *module_json(const struct view *view)
{
	const struct dmacc_kernel_status *s = &view->status;
	struct json_object *o = json_object_new_object();
	char advice[TROUBLE_TEXT_SIZE];

	if (!view->module) {
		add_string(o, "error", view->module_error);
		return o;
	}
	add_string(o, "version", s->module_version);
	add_string(o, "identity_source", dmacc_identity_source_word(s->identity_source));
	if (view_tail(view)[0])
		add_string(o, "identity_tail", view_tail(view));
	if (s->identity_conflict != DMACC_IDENTITY_NONE)
		add_string(o, "identity_conflict", dmacc_identity_source_word(s->identity_conflict));
	add_string(o, "root_state", dmacc_root_state_word(s->root_state));
	add_string(o, "root_reason", dmacc_root_reason_word(s->root_reason));
	if (s->identity_source == DMACC_IDENTITY_NONE ||
	    s->identity_conflict != DMACC_IDENTITY_NONE)
		advise_identity(view, advice);
	else
		advise_root(view, advice);
	add_string(o, "advice", advice);
	add_string(o, "rung", dmacc_rung_word(s->rung));
	add_string(o, "master_source", dmacc_master_source_word(s->master_source));
	json_object_object_add(o, "locked", json_object_new_boolean(s->locked));
	json_object_object_add(o, "slot_count", json_object_new_int64(s->slot_count));
	if (s->privileged)
		json_object_object_add(o, "slots", slots_json(s));
	return o;
}

static struct json_object *account_json(const struct agent_account *a)
{
	struct json_object *o = json_object_new_object();

	add_string(o, "name", a->name);
	add_string(o, "state", a->state);
	add_string(o, "reason", a->reason);
	add_string(o, "server_id", a->server_id);
	add_string(o, "slot", a->slot);
	add_string(o, "profile", a->profile);
	json_object_object_add(o, "generation", json_object_new_int64(a->generation));
	add_string(o, "template", a->template);
	json_object_object_add(o, "guessable", json_object_new_boolean(a->guessable));
	return o;
}

static struct json_object *agent_json(const struct view *view)
{
	struct json_object *o = json_object_new_object(), *accounts, *refusals, *refusal;
	const struct agent *agent = &view->bus;
	size_t i;

	if (!view->agent) {
		add_string(o, "error", view->agent_error);
		return o;
	}
	add_string(o, "version", agent->version);
	add_string(o, "state", agent->state);
	add_string(o, "reason", agent->reason);
	accounts = json_object_new_array();
	for (i = 0; i < agent->accounts_len; i++)
		json_object_array_add(accounts, account_json(&agent->accounts[i]));
	json_object_object_add(o, "accounts", accounts);
	refusals = json_object_new_array();
	for (i = 0; i < agent->refusals_len; i++) {
		refusal = json_object_new_object();
		add_string(refusal, "template", agent->refusals[i].template);
		add_string(refusal, "reason", agent->refusals[i].reason);
		json_object_array_add(refusals, refusal);
	}
	json_object_object_add(o, "refused_templates", refusals);
	return o;
}

static void print_json(const struct view *view)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "module", module_json(view));
	json_object_object_add(o, "agent", agent_json(view));
	printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

int status_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	static struct view view;
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'j')
			return EXIT_NOTHING;
		json = true;
	}
	if (optind < argc)
		return complain("status takes no argument '%s'", argv[optind]);
	view_read(&view, NULL);
	if (json) {
		print_json(&view);
	} else {
		print_module(&view);
		print_agent(&view);
	}
	view_done(&view);
	return finish_output(view.module ? EXIT_DONE : EXIT_SOME);
}
