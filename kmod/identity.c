// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who this device is: what hardware says, or what was latched once. It never changes until reboot.
 */
#define pr_fmt(fmt) "dmacc: " fmt

#include <linux/cleanup.h>
#include <linux/dmi.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "identity.h"
#include "refuse.h"

/* Best first: uapi/derivation.md, section 1.3 */
static const char * const prefixes[] = { "IMEI:", "MEID:", "ESN:" };

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

/* Takes what hardware says if it is an identifier; says why not, but never what it was */
static bool take(enum dmacc_identity_source source, const char *what, const char *devid)
{
	enum dmacc_refusal refusal = dmacc_devid_check(devid, strlen(devid));

	if (refusal != DMACC_ACCEPTED) {
		pr_warn("the identifier in %s is not used: %s\n", what,
			dmacc_devid_refusal_text(refusal));
		return false;
	}
	set_locked(source, devid, strlen(devid));
	return true;
}

/* Property "imei", "meid" or "esn" of /firmware/dmacc: the digits without the prefix */
static bool take_property(const struct device_node *node, const char *name, const char *prefix)
{
	char devid[DMACC_DEVID_MAX + 2];
	const char *digits;

	if (of_property_read_string(node, name, &digits))
		return false;
	/* one byte more than the longest, so that what is cut cannot pass for an identifier */
	snprintf(devid, sizeof(devid), "%s%s", prefix, digits);
	return take(DMACC_IDENTITY_DEVICE_TREE, "the device tree", devid);
}

static bool from_device_tree(void)
{
	static const char * const names[] = { "imei", "meid", "esn" };
	struct device_node *node = of_find_node_by_path("/firmware/dmacc");
	bool found = false;
	size_t i;

	for (i = 0; node && i < ARRAY_SIZE(names) && !found; i++)
		found = take_property(node, names[i], prefixes[i]);
	of_node_put(node);
	return found;
}

/* SMBIOS type 11: OEM strings. A bare number is no identifier, only what names its kind is. */
static bool from_smbios(void)
{
	const struct dmi_device *dev;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(prefixes); i++) {
		dev = NULL;
		while ((dev = dmi_find_device(DMI_DEV_TYPE_OEM_STRING, NULL, dev)))
			if (dev->name && strstarts(dev->name, prefixes[i]) &&
			    take(DMACC_IDENTITY_SMBIOS, "SMBIOS", dev->name))
				return true;
	}
	return false;
}

void dmacc_identity_init(void)
{
	guard(mutex)(&identity_lock);
	if (!from_device_tree())
		from_smbios();
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
