// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who this device is: what hardware says, or what was latched once. It never changes until reboot.
 */
#define pr_fmt(fmt) "dmacc: " fmt

#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "hardware.h"
#include "identity.h"
#include "refuse.h"

static DEFINE_MUTEX(identity_lock);
static struct dmacc_identity identity;	/* under identity_lock */

static void set_locked(enum dmacc_identity_source source, const char *devid, size_t len)
{
	lockdep_assert_held(&identity_lock);
	memcpy(identity.devid, devid, len);
	identity.devid[len] = '\0';
	identity.len = len;
	identity.source = source;
}

static enum dmacc_devid_kind kind_now_locked(void)
{
	enum dmacc_devid_kind kind = DMACC_KIND_IMEI;

	while (!strstarts(identity.devid, dmacc_kind_prefix(kind)))
		kind++;
	return kind;
}

/*
 * An identifier of a worse kind than the one that was latched is another identifier that the device
 * has as well; any other that is not the same is in conflict with it.
 */
static bool consider(enum dmacc_identity_source source, enum dmacc_devid_kind kind,
		     const char *devid, bool wait)
{
	guard(mutex)(&identity_lock);
	if (identity.source == DMACC_IDENTITY_NONE) {
		if (!wait)
			set_locked(source, devid, strlen(devid));
		return !wait;
	}
	if (identity.conflict || kind > kind_now_locked() || !strcmp(devid, identity.devid))
		return false;
	identity.conflict = source;
	pr_warn("hardware names another identifier than the one that this device has, which stays\n");
	return true;
}

/**
 * dmacc_identity_look() - ask all sources of the hardware, best kind first, then best source
 * @ret_pending: one of them cannot be read yet; look again once it may be
 *
 * What is latched stays. While a better source is waited for, a worse one is not taken, or who the
 * device is would be a matter of which driver came first.
 *
 * Return: there is news: an identity or a conflict.
 */
bool dmacc_identity_look(bool *ret_pending)
{
	static const enum dmacc_identity_source sources[] = {
		DMACC_IDENTITY_NVMEM, DMACC_IDENTITY_DEVICE_TREE, DMACC_IDENTITY_SMBIOS,
	};
	bool news = false, pending = false;
	char devid[DMACC_DEVID_MAX + 1];
	enum dmacc_devid_kind kind;
	size_t i;
	int err;

	for (kind = 0; kind < DMACC_KINDS; kind++)
		for (i = 0; i < ARRAY_SIZE(sources); i++) {
			err = dmacc_hardware_read(sources[i], kind, devid);
			if (err == -EPROBE_DEFER)
				pending = true;
			else if (!err && consider(sources[i], kind, devid, pending))
				news = true;
		}
	memzero_explicit(devid, sizeof(devid));
	scoped_guard(mutex, &identity_lock)
		identity.pending = pending;
	*ret_pending = pending;
	return news;
}

void dmacc_identity_get(struct dmacc_identity *ret)
{
	guard(mutex)(&identity_lock);
	*ret = identity;
}

/**
 * dmacc_identity_latch() - set the identity, once
 * @source: who says so
 * @devid: canonical or not, need not be zero-terminated
 * @len: bytes
 * @extack: where a sentence goes
 *
 * Return: 0 if this is the identity now, or was already; -EINVAL if it is not canonical;
 * -EEXIST if the device has another.
 */
int dmacc_identity_latch(enum dmacc_identity_source source, const char *devid, size_t len,
			 struct netlink_ext_ack *extack)
{
	enum dmacc_refusal refusal = dmacc_devid_check(devid, len);

	if (refusal != DMACC_ACCEPTED)
		return dmacc_refuse(extack, -EINVAL, dmacc_devid_refusal_text(refusal));
	guard(mutex)(&identity_lock);
	if (identity.source == DMACC_IDENTITY_NONE) {
		set_locked(source, devid, len);
		return 0;
	}
	if (identity.len == len && !memcmp(identity.devid, devid, len))
		return 0;
	return dmacc_refuse(extack, -EEXIST, "this device has another identity already");
}
