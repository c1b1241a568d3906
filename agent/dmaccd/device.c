// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "log.h"
#include "unseal_report.h"

static const char *const words[] = {
	[DEVICE_READY] = "ready",
	[DEVICE_NO_MODULE] = "no-module",
	[DEVICE_NO_IDENTITY] = "no-identity",
	[DEVICE_NO_ROOT] = "no-root",
	[DEVICE_NO_STORE_KEY] = "no-store-key",
};

const char *device_state_word(enum device_state state)
{
	return words[state];
}

static void lack(struct device *d, enum device_state state, enum trouble trouble,
		 const char *detail)
{
	d->state = state;
	trouble_explain(trouble, detail, d->reason, sizeof(d->reason));
}

/* A new connection each time: the module may have gone and come back under another number */
static int connect_kernel(struct device *d)
{
	char sentence[256];
	int r;

	d->kernel = dmacc_kernel_close(d->kernel);
	r = dmacc_kernel_open(&d->kernel);
	if (!r)
		return 0;
	d->kernel = NULL;
	if (r == -ENOENT) {
		dmacc_kernel_missing_sentence(sentence, sizeof(sentence));
		lack(d, DEVICE_NO_MODULE, TROUBLE_NO_MODULE, sentence);
	} else {
		lack(d, DEVICE_NO_MODULE, TROUBLE_NO_MODULE, strerror(-r));
	}
	return r;
}

/* What dmacc-unseal reported, which knows more of a master or a TPM than the kernel does */
static void lack_root(struct device *d)
{
	struct unseal_report report = { 0 };
	bool reported = !unseal_report_read(d->report_folder, &report);
	const char *sentence;
	enum trouble trouble;

	trouble = unseal_report_judge(reported ? &report : NULL, &d->status, &sentence);
	lack(d, DEVICE_NO_ROOT, trouble, sentence);
	unseal_report_done(&report);
}

/* The modem is the last that is asked, and its answer what there is to say */
static void lack_modem(struct device *d)
{
	static const enum trouble troubles[] = {
		[EQUIPMENT_REFUSED] = TROUBLE_MODEM_REFUSED,
		[EQUIPMENT_AMBIGUOUS] = TROUBLE_MODEM_AMBIGUOUS,
	};
	const struct equipment *e = &d->equipment;
	char detail[EQUIPMENT_SENTENCE_SIZE + 80];

	if (e->state == EQUIPMENT_REFUSED || e->state == EQUIPMENT_AMBIGUOUS) {
		lack(d, DEVICE_NO_IDENTITY, troubles[e->state], e->sentence);
		return;
	}
	if (d->modem_awaited) {
		lack(d, DEVICE_NO_IDENTITY, TROUBLE_MODEM_AWAITED, e->sentence);
		return;
	}
	snprintf(detail, sizeof(detail), "hardware gave none, and no sealed key brought one%s%s",
		 e->sentence[0] ? "; " : "", e->sentence);
	lack(d, DEVICE_NO_IDENTITY, TROUBLE_NO_IDENTITY, detail);
}

static void lack_identity(struct device *d)
{
	if (d->status.identity_pending)
		lack(d, DEVICE_NO_IDENTITY, TROUBLE_IDENTITY_AWAITED, NULL);
	else if (d->status.root_state == DMACC_ROOT_OPEN)
		lack_modem(d);
	else
		lack(d, DEVICE_NO_IDENTITY, TROUBLE_NO_IDENTITY, "hardware gave none, and while no "
		     "root is open no sealed key can bring one");
}

/*
 * The keys that the factory sealed go before the modem. While dmacc-unseal has opened the root and not
 * loaded them yet, its report still says why the root could not be opened before.
 */
static bool may_sealed_keys_name_one(const struct device *d)
{
	struct unseal_report report = { 0 };
	bool may;

	if (d->status.root_state != DMACC_ROOT_OPEN)
		return true;
	if (unseal_report_read(d->report_folder, &report))
		return false;
	may = report.root.trouble != TROUBLE_NONE &&
	      report.root.trouble != TROUBLE_NOTHING_INJECTED;
	unseal_report_done(&report);
	return may;
}

static bool is_modem_certain(const struct device *d)
{
	return d->equipment.state == EQUIPMENT_KNOWN && !d->status.identity_pending &&
	       !(d->equipment.waits && d->modem_awaited);
}

/* Where nothing else names the device its modem does, until the next boot: false if it does not */
static bool take_modem(struct device *d)
{
	if (!is_modem_certain(d) || may_sealed_keys_name_one(d)) {
		lack_identity(d);
		return false;
	}
	if (dmacc_kernel_set_identity(d->kernel, d->equipment.devids[0]) ||
	    dmacc_kernel_get_status(d->kernel, &d->status)) {
		lack(d, DEVICE_NO_IDENTITY, TROUBLE_NO_IDENTITY,
		     dmacc_kernel_sentence(d->kernel));
		return false;
	}
	log_event(LOG_IDENTITY_SET, NULL, LOG_NOTICE, "the identifier of this device is its modem's, "
		  "until the next boot");
	return true;
}

/* What the store calls for each file. Another root has other files. */
static int get_store_key(void *data, const uint8_t *root_id, uint8_t *ret_key)
{
	struct device *d = data;
	uint8_t root_now[DMACC_ROOT_ID_LEN];
	int r;

	r = d->kernel ? dmacc_kernel_store_key(d->kernel, root_now, ret_key) : -ENOTCONN;
	return !r && memcmp(root_now, root_id, sizeof(root_now)) ? -ESTALE : r;
}

/* The store of another root is another store */
static int open_store(struct device *d, const char *path, const uint8_t *root_id)
{
	const struct store_keys keys = { get_store_key, d };

	if (d->store && store_is_of(d->store, root_id))
		return 0;
	d->store = store_close(d->store);
	return store_open(path, root_id, &keys, &d->store);
}

static void learn_store(struct device *d, const char *path)
{
	uint8_t root_id[DMACC_ROOT_ID_LEN], key[DMACC_STORE_KEY_LEN];
	int r;

	r = dmacc_kernel_store_key(d->kernel, root_id, key);
	/* that it is given is what has to be known now */
	dmacc_wipe(key, sizeof(key));
	if (r) {
		lack(d, DEVICE_NO_STORE_KEY, TROUBLE_NO_STORE_KEY,
		     dmacc_kernel_sentence(d->kernel));
		return;
	}
	r = open_store(d, path, root_id);
	if (r)
		lack(d, DEVICE_NO_STORE_KEY, TROUBLE_ACCOUNTS_UNREADABLE, strerror(-r));
}

static void learn_identity(struct device *d, const char *path)
{
	if (dmacc_kernel_get_identity(d->kernel, NULL, d->devid)) {
		lack(d, DEVICE_NO_IDENTITY, TROUBLE_NO_IDENTITY,
		     dmacc_kernel_sentence(d->kernel));
		return;
	}
	if (!d->devid[0]) {
		lack_identity(d);
		return;
	}
	learn_store(d, path);
	/* the device is who it was: only a person can tell whether its board or modem should be */
	if (d->state == DEVICE_READY && d->status.identity_conflict != DMACC_IDENTITY_NONE)
		lack(d, DEVICE_READY, TROUBLE_IDENTITY_CONFLICT, NULL);
	else if (d->state == DEVICE_READY && equipment_contradicts(&d->equipment, d->devid))
		lack(d, DEVICE_READY, TROUBLE_OTHER_MODEM, NULL);
}

static void learn(struct device *d, const char *store_path)
{
	lack(d, DEVICE_READY, TROUBLE_NONE, NULL);
	dmacc_wipe(d->devid, sizeof(d->devid));
	d->status = (struct dmacc_kernel_status){ 0 };
	if (connect_kernel(d))
		return;
	if (dmacc_kernel_get_status(d->kernel, &d->status)) {
		lack(d, DEVICE_NO_MODULE, TROUBLE_NO_MODULE, dmacc_kernel_sentence(d->kernel));
		return;
	}
	if (d->status.identity_source == DMACC_IDENTITY_NONE && !take_modem(d))
		return;
	if (d->status.root_state != DMACC_ROOT_OPEN)
		lack_root(d);
	else
		learn_identity(d, store_path);
}

void device_learn(struct device *d, const char *store_path)
{
	learn(d, store_path);
	if (d->state != DEVICE_READY)
		d->store = store_close(d->store);
}

void device_done(struct device *d)
{
	dmacc_kernel_close(d->kernel);
	store_close(d->store);
	dmacc_wipe(d, sizeof(*d));
}
