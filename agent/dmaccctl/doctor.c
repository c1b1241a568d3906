// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * doctor: what is wrong with this device, in the words of trouble.h, and the way out of each. It
 * looks and changes nothing. What it cannot look at, for want of an agent or of rights, it says.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blob.h"
#include "ctl.h"
#include "factory_store.h"
#include "findings.h"
#include "view.h"

struct doctor {
	const char *store_path;
	const char *report_folder;
	bool json;
	bool states;
	struct view view;
	struct findings *findings;
	struct factory_store *store;
	char **slots;			/* of the store; NULL if it cannot be read */
	bool has_root;
};

static void look_at_root(struct doctor *d)
{
	const char *detail;
	enum trouble trouble;

	if (!d->view.module) {
		findings_trouble(d->findings, "module", TROUBLE_NO_MODULE, d->view.module_error);
		/* dmacc-unseal may know more, such as that there is no master */
		if (d->view.reported)
			findings_trouble(d->findings, "root", d->view.report.root.trouble,
					 d->view.report.root.sentence);
		return;
	}
	trouble = view_root(&d->view, &detail);
	/* the store has been looked at, and dmacc-unseal has not run since */
	if (trouble == TROUBLE_NOT_UNSEALED && d->slots && !d->has_root)
		trouble = d->slots[0] ? TROUBLE_FACTORY_STORE_DAMAGED : TROUBLE_NOTHING_INJECTED;
	findings_trouble(d->findings, "root", trouble, detail);
}

static void look_at_identity(struct doctor *d)
{
	bool may_come = d->view.status.root_state != DMACC_ROOT_OPEN &&
			!findings_have(d->findings, TROUBLE_NOTHING_INJECTED);
	const char *detail;
	enum trouble trouble = view_identity(&d->view, &detail);

	if (trouble == TROUBLE_NONE)
		return;
	/* a sealed key brings one where hardware has none */
	if (may_come && trouble != TROUBLE_IDENTITY_CONFLICT)
		findings_note(d->findings, "identity", "hardware names none; the sealed keys may");
	else
		findings_trouble(d->findings, "identity", trouble, detail);
}

static void open_store(struct doctor *d)
{
	const char *path = d->store_path;
	uint8_t *blob;
	size_t len;
	int r;

	r = factory_store_open(path, 0, &d->store);
	if (r == -EACCES) {
		findings_note(d->findings, "factory store", "only root can look at it");
		return;
	}
	if (r == -ENOENT) {
		d->slots = calloc(1, sizeof(*d->slots));
		return;
	}
	if (!r)
		r = factory_store_list_slots(d->store, &d->slots);
	if (r) {
		findings_trouble(d->findings, "factory store", trouble_of_store(r),
				 factory_store_error(r));
		return;
	}
	r = factory_store_read_root(d->store, &blob, &len);
	d->has_root = r != -ENOENT;
	if (!r)
		free(blob);
	else if (r != -ENOENT)
		findings_trouble(d->findings, "factory store", trouble_of_store(r),
				 factory_store_error(r));
	else if (d->slots[0])
		findings_trouble(d->findings, "factory store", TROUBLE_FACTORY_STORE_DAMAGED,
				 "there are sealed keys, but no root");
}

static const struct unseal_verdict *reported(const struct doctor *d, const char *slot)
{
	size_t i;

	for (i = 0; d->view.reported && i < d->view.report.slots_len; i++)
		if (!strcmp(d->view.report.slots[i].name, slot))
			return &d->view.report.slots[i].verdict;
	return NULL;
}

static const struct dmacc_kernel_slot *loaded(const struct doctor *d, const char *name)
{
	return dmacc_kernel_find_slot(&d->view.status, name);
}

static bool is_of_device(const struct dmacc_slot_blob *blob, const char *devid)
{
	return !devid[0] || (blob->devid_len == strlen(devid) &&
			     blob->devid_len <= sizeof(blob->devid) &&
			     !memcmp(blob->devid, devid, blob->devid_len));
}

/* What the header of a stored key tells next to what the module has; it is not authenticated here */
static enum trouble judge_header(const struct doctor *d, const char *name, const void *blob,
				 size_t len)
{
	const struct dmacc_slot_blob *b = blob;
	const struct dmacc_kernel_slot *slot = loaded(d, name);
	enum trouble trouble = trouble_of_slot_file(blob, len, name);

	if (trouble != TROUBLE_NONE)
		return trouble;
	if (!is_of_device(b, d->view.devid))
		return TROUBLE_OTHER_DEVICE;
	if (d->view.status.root_state == DMACC_ROOT_OPEN && d->view.status.privileged &&
	    memcmp(b->root_id, d->view.status.root_id, sizeof(b->root_id)))
		return TROUBLE_SLOT_OTHER_ROOT;
	return slot && blob_key_version(b) < slot->key_version ? TROUBLE_SLOT_OLDER : TROUBLE_NONE;
}

static void look_at_slot(struct doctor *d, const char *name)
{
	const struct unseal_verdict *verdict = reported(d, name);
	char subject[8 + DMACC_SLOT_NAME_MAX];
	enum trouble trouble;
	const char *detail = NULL;
	uint8_t *blob;
	size_t len;
	int r;

	snprintf(subject, sizeof(subject), "slot %s", name);
	r = factory_store_read_slot(d->store, name, &blob, &len);
	if (r) {
		findings_trouble(d->findings, subject, TROUBLE_SLOT_DAMAGED, factory_store_error(r));
		return;
	}
	trouble = judge_header(d, name, blob, len);
	free(blob);
	/*
	 * The kernel's word goes before what an unauthenticated header says. A key that is loaded was in
	 * order, whatever had been wrong with it before.
	 */
	if (verdict && verdict->trouble != TROUBLE_NONE &&
	    (!loaded(d, name) || verdict->trouble == trouble)) {
		trouble = verdict->trouble;
		detail = verdict->sentence;
	}
	if (trouble == TROUBLE_NONE && !loaded(d, name) &&
	    d->view.status.root_state == DMACC_ROOT_OPEN)
		trouble = TROUBLE_NOT_UNSEALED;
	findings_trouble(d->findings, subject, trouble, detail);
}

static void look_at_store(struct doctor *d)
{
	char subject[8 + DMACC_SLOT_NAME_MAX];
	char **slot;
	size_t i;

	for (slot = d->slots; *slot; slot++)
		look_at_slot(d, *slot);
	for (i = 0; i < d->view.status.slots_len; i++) {
		const char *name = d->view.status.slots[i].name;

		snprintf(subject, sizeof(subject), "slot %s", name);
		if (!factory_store_lists(d->slots, name))
			findings_trouble(d->findings, subject, TROUBLE_FACTORY_STORE_DAMAGED,
					 "it is loaded, but its sealed key is not in the store any more");
	}
}

/* What somebody who may not see the store is told: what was reported */
static void look_at_report(struct doctor *d)
{
	char subject[8 + DMACC_SLOT_NAME_MAX];
	size_t i;

	for (i = 0; d->view.reported && i < d->view.report.slots_len; i++) {
		const struct unseal_slot *slot = &d->view.report.slots[i];

		snprintf(subject, sizeof(subject), "slot %s", slot->name);
		if (!loaded(d, slot->name))
			findings_trouble(d->findings, subject, slot->verdict.trouble,
					 slot->verdict.sentence);
	}
}

static bool has_tpm(void)
{
	return !access("/dev/tpmrm0", F_OK) || !access("/dev/tpm0", F_OK);
}

static void look_for_weakness(struct doctor *d)
{
	const struct dmacc_kernel_status *s = &d->view.status;

	if (s->root_state != DMACC_ROOT_OPEN)
		return;
	if (s->rung == DMACC_RUNG_WRAPPED && s->master_source == DMACC_MASTER_FILE)
		findings_weakness(d->findings, "root", "its master is a plain file, which is for "
				  "development: whoever can read the disk has this device's keys");
	if (s->rung == DMACC_RUNG_WRAPPED && s->master_source == DMACC_MASTER_CREDENTIAL_HOST)
		findings_weakness(d->findings, "root", has_tpm() ?
				  "its master is encrypted with the host's key, and a copy of the disk has "
				  "both; this device has a TPM, which '--master tpm2' at the factory would "
				  "have used" :
				  "its master is encrypted with the host's key, and a copy of the disk has "
				  "both");
	if (!s->locked)
		findings_weakness(d->findings, "lock", "the factory phase has not been ended with "
				  "'dmaccctl factory lock': whoever is root can give this device another "
				  "key");
}

/* One that was put aside is not made anew without a key, and nothing else is wrong with it */
static bool lacks_key(const struct doctor *d, const struct agent_account *a)
{
	const struct dmacc_kernel_status *s = &d->view.status;

	return a->state && !strcmp(a->state, "damaged") && a->slot && a->slot[0] && s->privileged &&
	       s->root_state == DMACC_ROOT_OPEN && !loaded(d, a->slot);
}

static void look_at_account(struct doctor *d, const struct agent_account *a)
{
	const char *reason = a->reason ? a->reason : "", *state = a->state ? a->state : "", *detail;
	enum trouble trouble = view_trouble_in(reason, &detail);
	char subject[96];

	snprintf(subject, sizeof(subject), "account %s", a->name ? a->name : a->path);
	if (a->profile && !strncmp(a->profile, "fcs", 3))
		findings_weakness(d->findings, subject, "its profile has no key: whoever reads the IMEI "
				  "off the phone's box can compute its passwords");
	/* what the device lacks has been said once */
	if (trouble != TROUBLE_NONE && findings_have(d->findings, trouble))
		return;
	if (trouble == TROUBLE_NONE && (!strcmp(state, "no-slot") || lacks_key(d, a)))
		trouble = TROUBLE_SLOT_EMPTY;
	if (trouble == TROUBLE_NONE && !strcmp(state, "damaged"))
		trouble = TROUBLE_ACCOUNT_DAMAGED;
	if (trouble == TROUBLE_NONE && !strcmp(state, "no-secrets"))
		trouble = TROUBLE_ACCOUNTS_UNREADABLE;
	if (trouble != TROUBLE_NONE)
		findings_trouble(d->findings, subject, trouble, detail);
	else if (reason[0])
		findings_note(d->findings, subject, reason);
}

static void look_at_agent(struct doctor *d)
{
	const struct agent *agent = &d->view.bus;
	const char *detail;
	enum trouble trouble;
	char subject[256];
	size_t i;

	if (!d->view.agent) {
		if (agent->absent && agent_has_template() && !agent_is_disabled())
			findings_trouble(d->findings, "agent", TROUBLE_NO_AGENT, NULL);
		else
			findings_note(d->findings, "agent", d->view.agent_error);
		return;
	}
	trouble = view_trouble_in(agent->reason ? agent->reason : "", &detail);
	/* what the agent lacks has been said, but for the modem nobody else sees */
	if (!findings_have_trouble(d->findings) || trouble == TROUBLE_OTHER_MODEM)
		findings_trouble(d->findings, "agent", trouble, detail);
	for (i = 0; i < agent->accounts_len; i++)
		look_at_account(d, &agent->accounts[i]);
	for (i = 0; i < agent->refusals_len; i++) {
		snprintf(subject, sizeof(subject), "template %s", agent->refusals[i].template);
		findings_trouble(d->findings, subject, TROUBLE_TEMPLATE_REFUSED,
				 agent->refusals[i].reason);
	}
}

static int examine(struct doctor *d)
{
	int status;

	d->findings = findings_new();
	view_read(&d->view, d->report_folder);
	open_store(d);
	/* of a disabled device nothing is to be unsealed, and no module to be loaded */
	if (!agent_is_disabled() || d->view.status.root_state == DMACC_ROOT_OPEN)
		look_at_root(d);
	if (d->view.module) {
		look_at_identity(d);
		if (d->slots)
			look_at_store(d);
		else
			look_at_report(d);
		look_for_weakness(d);
	}
	look_at_agent(d);
	findings_print(d->findings, d->json);
	status = findings_have_trouble(d->findings) ? EXIT_SOME : EXIT_DONE;
	factory_store_free_slots(d->slots);
	factory_store_close(d->store);
	view_done(&d->view);
	findings_free(d->findings);
	return status;
}

/* All states that there are, for a person to read and for the manual to be checked against */
static int list_states(bool json)
{
	struct findings *all = findings_new();
	int i;

	for (i = TROUBLE_NONE + 1; i < TROUBLE_COUNT; i++)
		findings_trouble(all, trouble_word((enum trouble)i), (enum trouble)i, NULL);
	findings_print(all, json);
	findings_free(all);
	return EXIT_DONE;
}

static int parse(struct doctor *d, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "states", no_argument, NULL, 'a' },
		{ "factory-store", required_argument, NULL, 's' },
		{ "unseal-report", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'j': d->json = true; break;
		case 'a': d->states = true; break;
		case 's': d->store_path = optarg; break;
		case 'r': d->report_folder = optarg; break;
		default: return EXIT_NOTHING;
		}
	}
	return optind < argc ? complain("doctor takes no argument '%s'", argv[optind]) : 0;
}

int doctor_main(int argc, char **argv)
{
	struct doctor d = { .store_path = FACTORY_STORE_PATH };
	int r;

	r = parse(&d, argc, argv);
	if (r)
		return r;
	return finish_output(d.states ? list_states(d.json) : examine(&d));
}
