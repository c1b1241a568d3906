// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacc: holds a device's identity and one sealed key per server vendor, and answers derivations
 * over generic netlink. Here: coming and going, and forgetting before memory is written to disk.
 */
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/suspend.h>
#include <net/genetlink.h>

#include "identity.h"
#include "netlink.h"
#include "root.h"
#include "selftest.h"
#include "slot.h"

static bool locked;
module_param(locked, bool, 0444);
MODULE_PARM_DESC(locked, "Begin locked: no root is made and no key is sealed (production images)");

static void forget(enum dmacc_root_state state)
{
	dmacc_root_wipe(state);
	dmacc_slot_forget_all();
}

/* An image of memory must not hold keys; after resume dmacc-unseal brings them back */
static int on_pm(struct notifier_block *nb, unsigned long event, void *data)
{
	if (event == PM_HIBERNATION_PREPARE || event == PM_RESTORE_PREPARE)
		forget(DMACC_ROOT_NEEDS_LOAD);
	return NOTIFY_OK;
}

/* Neither must memory that a kernel started by kexec finds */
static int on_reboot(struct notifier_block *nb, unsigned long event, void *data)
{
	forget(DMACC_ROOT_NEEDS_LOAD);
	return NOTIFY_OK;
}

static struct notifier_block pm_notifier = { .notifier_call = on_pm };
static struct notifier_block reboot_notifier = { .notifier_call = on_reboot };

static int __init dmacc_init(void)
{
	int err = dmacc_selftest();

	if (err)
		return err;
	dmacc_identity_init();
	dmacc_root_init(locked);
	err = register_pm_notifier(&pm_notifier);
	if (err)
		return err;
	err = register_reboot_notifier(&reboot_notifier);
	if (err)
		goto err_reboot;
	err = dmacc_netlink_init();
	if (err)
		goto err_netlink;
	if (locked)
		__module_get(THIS_MODULE);
	return 0;

err_netlink:
	unregister_reboot_notifier(&reboot_notifier);
err_reboot:
	unregister_pm_notifier(&pm_notifier);
	return err;
}

static void __exit dmacc_exit(void)
{
	dmacc_netlink_exit();
	unregister_reboot_notifier(&reboot_notifier);
	unregister_pm_notifier(&pm_notifier);
	forget(DMACC_ROOT_ABSENT);
}

module_init(dmacc_init);
module_exit(dmacc_exit);

MODULE_DESCRIPTION("Computed OMA DM credentials from sealed keys");
MODULE_LICENSE("GPL");
MODULE_VERSION(DMACC_VERSION);
MODULE_ALIAS_GENL_FAMILY("dmacc");
MODULE_SOFTDEP("pre: gcm hmac sha256");
