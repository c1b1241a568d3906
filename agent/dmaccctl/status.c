// SPDX-License-Identifier: LGPL-2.1-or-later
/* status: the module over netlink, then the agent over D-Bus; each without the other */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <string.h>

#include "agent.h"
#include "ctl.h"
#include "dmacc.h"
#include "kernel.h"

struct view {
	bool module;
	char module_error[256];
	struct dmacc_kernel_status status;
	char tail[5];		/* of the identifier; "" if it is not for the caller */
	bool agent;
	char agent_error[512];
	struct agent bus;
};

static const char *root_advice(const struct dmacc_kernel_status *s)
{
	static const char * const reasons[] = {
		[DMACC_REASON_NO_KEY_TYPE] = "this kernel cannot open what the root was sealed with; "
					     "boot the kernel that could",
		[DMACC_REASON_NO_TPM] = "the TPM that sealed the root is not there; see that firmware "
					"shows it to the kernel, then run dmacc-unseal",
		[DMACC_REASON_NO_PARENT] = "the TPM has no longer the key that the root hangs on; "
					   "somebody cleared it",
		[DMACC_REASON_REFUSED] = "the master is another one or the sealed root was changed; "
					 "'journalctl -u dmacc-unseal' has the details, and nothing "
					 "was overwritten",
		[DMACC_REASON_LOCKED_OUT] = "the TPM refuses after too many failures; leave it powered "
					    "until it forgives, then run dmacc-unseal",
	};

	switch (s->root_state) {
	case DMACC_ROOT_OPEN: return "";
	case DMACC_ROOT_ABSENT:
		return "nothing was unsealed since boot; 'systemctl start dmacc-unseal', or at the "
		       "factory 'dmaccctl factory inject'";
	case DMACC_ROOT_NEEDS_LOAD:
		return "the root was wiped for hibernation; 'systemctl start dmacc-unseal'";
	default: break;
	}
	if ((size_t)s->root_reason < sizeof(reasons) / sizeof(reasons[0]) && reasons[s->root_reason])
		return reasons[s->root_reason];
	return "'journalctl -u dmacc-unseal' has the details";
}

static const char *identity_advice(const struct dmacc_kernel_status *s)
{
	return s->identity_source == DMACC_IDENTITY_NONE ?
		"this device has no identifier, and gets no credentials" : "";
}

/* Only for agent and root; others see no digit */
static void read_tail(struct dmacc_kernel *kernel, char tail[5])
{
	char devid[DMACC_DEVID_SIZE];
	size_t len;

	tail[0] = '\0';
	if (dmacc_kernel_get_identity(kernel, NULL, devid))
		return;
	len = strlen(devid);
	if (len > 8)
		memcpy(tail, devid + len - 4, 5);
	dmacc_wipe(devid, sizeof(devid));
}

static void read_module(struct view *view)
{
	struct dmacc_kernel *kernel;
	int r;

	r = dmacc_kernel_open(&kernel);
	if (r == -ENOENT)
		dmacc_kernel_missing_sentence(view->module_error, sizeof(view->module_error));
	else if (r)
		snprintf(view->module_error, sizeof(view->module_error), "the kernel cannot be asked: %s",
			 strerror(-r));
	if (r)
		return;
	view->module = !dmacc_kernel_get_status(kernel, &view->status);
	if (view->module)
		read_tail(kernel, view->tail);
	else
		snprintf(view->module_error, sizeof(view->module_error), "%s",
			 dmacc_kernel_sentence(kernel));
	dmacc_kernel_close(kernel);
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
		printf("%-10s %s\n", "", advice);
}

static void print_root(const struct dmacc_kernel_status *s)
{
	printf("%-10s %s", "root", dmacc_root_state_word(s->root_state));
	if (s->root_state == DMACC_ROOT_SEALED_UNAVAILABLE)
		printf(", %s", dmacc_root_reason_word(s->root_reason));
	if (s->root_state == DMACC_ROOT_OPEN)
		printf(", rung %s, master %s", dmacc_rung_word(s->rung),
		       dmacc_master_source_word(s->master_source));
	putchar('\n');
	print_advice(root_advice(s));
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

	if (!view->module) {
		print_field("module", view->module_error);
		return;
	}
	print_field("module", s->module_version);
	printf("%-10s %s%s%s\n", "identity", dmacc_identity_source_word(s->identity_source),
	       view->tail[0] ? ", ends in " : "", view->tail);
	print_advice(identity_advice(s));
	print_root(s);
	print_field("locked", s->locked ? "yes" : "no");
	print_slots(s);
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

	if (!view->module) {
		add_string(o, "error", view->module_error);
		return o;
	}
	add_string(o, "version", s->module_version);
	add_string(o, "identity_source", dmacc_identity_source_word(s->identity_source));
	if (view->tail[0])
		add_string(o, "identity_tail", view->tail);
	add_string(o, "root_state", dmacc_root_state_word(s->root_state));
	add_string(o, "root_reason", dmacc_root_reason_word(s->root_reason));
	add_string(o, "advice", s->identity_source ? root_advice(s) : identity_advice(s));
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
	read_module(&view);
	view.agent = !agent_read(&view.bus, view.agent_error);
	if (json) {
		print_json(&view);
	} else {
		print_module(&view);
		print_agent(&view);
	}
	agent_done(&view.bus);
	return finish_output(view.module ? EXIT_DONE : EXIT_SOME);
}
