// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "device.h"

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

__attribute__((format(printf, 3, 4)))
static void lack(struct device *d, enum device_state state, const char *format, ...)
{
	va_list args;

	d->state = state;
	va_start(args, format);
	vsnprintf(d->reason, sizeof(d->reason), format, args);
	va_end(args);
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
		lack(d, DEVICE_NO_MODULE, "%s", sentence);
	} else {
		lack(d, DEVICE_NO_MODULE, "the kernel cannot be asked: %s", strerror(-r));
	}
	return r;
}

static const char *why_unavailable(enum dmacc_root_reason reason)
{
	switch (reason) {
	case DMACC_REASON_NO_KEY_TYPE:
		return "this kernel has not the key type that it is sealed with; boot one that has";
	case DMACC_REASON_NO_TPM:
		return "the TPM that it is sealed with is not there";
	case DMACC_REASON_NO_PARENT:
		return "the TPM has lost the key above it";
	case DMACC_REASON_LOCKED_OUT:
		return "the TPM is locked out after too many failures; leave it powered until it "
		       "forgives, then run 'systemctl start dmacc-unseal'";
	default:
		return "it did not open with the master that was given; 'journalctl -u "
		       "dmacc-unseal' says more";
	}
}

static void lack_root(struct device *d)
{
	switch (d->status.root_state) {
	case DMACC_ROOT_ABSENT:
		lack(d, DEVICE_NO_ROOT, "dmacc-unseal has opened no root since boot: 'journalctl "
		     "-u dmacc-unseal' says why; a device that has none yet gets it by 'dmaccctl "
		     "factory inject'");
		break;
	case DMACC_ROOT_NEEDS_LOAD:
		lack(d, DEVICE_NO_ROOT, "the kernel has wiped the root, for hibernation or kexec; "
		     "'systemctl start dmacc-unseal' opens it again");
		break;
	default:
		lack(d, DEVICE_NO_ROOT, "the sealed root cannot be opened (%s): %s",
		     dmacc_root_reason_word(d->status.root_reason),
		     why_unavailable(d->status.root_reason));
	}
}

static void lack_identity(struct device *d)
{
	lack(d, DEVICE_NO_IDENTITY, "this device has no identifier: hardware gave none that is "
	     "valid%s, and without one there are no credentials; the kernel's log says what was "
	     "refused",
	     d->status.root_state == DMACC_ROOT_OPEN ? " and no sealed key brought one" :
	     ", and while no root is open no sealed key can bring one");
}

/* The store of another root is another store */
static int open_store(struct device *d, const char *path, const uint8_t *root_id,
		      const uint8_t *key)
{
	if (d->store && store_is_of(d->store, root_id, key))
		return 0;
	d->store = store_close(d->store);
	return store_open(path, root_id, key, &d->store);
}

static void learn_store(struct device *d, const char *path)
{
	uint8_t root_id[DMACC_ROOT_ID_LEN], key[DMACC_STORE_KEY_LEN];
	int r;

	r = dmacc_kernel_store_key(d->kernel, root_id, key);
	if (r) {
		lack(d, DEVICE_NO_STORE_KEY, "the kernel gives no key for the agent's files: %s",
		     dmacc_kernel_sentence(d->kernel));
		return;
	}
	r = open_store(d, path, root_id, key);
	dmacc_wipe(key, sizeof(key));
	if (r)
		lack(d, DEVICE_NO_STORE_KEY, "the agent's files cannot be opened: %s: %s", path,
		     strerror(-r));
}

static void learn_identity(struct device *d, const char *path)
{
	if (dmacc_kernel_get_identity(d->kernel, NULL, d->devid)) {
		lack(d, DEVICE_NO_IDENTITY, "the kernel does not say who this device is: %s",
		     dmacc_kernel_sentence(d->kernel));
		return;
	}
	if (d->devid[0])
		learn_store(d, path);
	else
		lack_identity(d);
}

void device_learn(struct device *d, const char *store_path)
{
	lack(d, DEVICE_READY, "%s", "");
	dmacc_wipe(d->devid, sizeof(d->devid));
	d->status = (struct dmacc_kernel_status){ 0 };
	if (connect_kernel(d))
		return;
	if (dmacc_kernel_get_status(d->kernel, &d->status)) {
		lack(d, DEVICE_NO_MODULE, "the module does not tell its status: %s",
		     dmacc_kernel_sentence(d->kernel));
		return;
	}
	if (d->status.identity_source == DMACC_IDENTITY_NONE)
		lack_identity(d);
	else if (d->status.root_state != DMACC_ROOT_OPEN)
		lack_root(d);
	else
		learn_identity(d, store_path);
}

void device_done(struct device *d)
{
	dmacc_kernel_close(d->kernel);
	store_close(d->store);
	dmacc_wipe(d, sizeof(*d));
}

const struct dmacc_kernel_slot *device_slot(const struct device *d, const char *name)
{
	size_t i;

	for (i = 0; i < d->status.slots_len; i++)
		if (!strcmp(d->status.slots[i].name, name))
			return &d->status.slots[i];
	return NULL;
}
