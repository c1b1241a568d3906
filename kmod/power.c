// SPDX-License-Identifier: GPL-2.0-only
/* Forgetting keys before memory is written to disk, or left to another kernel. */
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/suspend.h>

#include "netlink.h"
#include "power.h"
#include "root.h"
#include "sent.h"
#include "slot.h"

/* Userspace still runs: what it opens again after this would be in the image after all */
static bool forget(enum dmacc_root_state state)
{
	bool forgot;

	guard(dmacc_root)();
	dmacc_root_bar(true);
	forgot = dmacc_root_wipe(state);
	dmacc_slot_forget_all();
	dmacc_sent_wipe();
	return forgot;
}

static void forget_and_tell(void)
{
	if (!forget(DMACC_ROOT_NEEDS_LOAD))
		return;
	dmacc_netlink_notify(DMACC_EVENT_ROOT);
	dmacc_netlink_notify(DMACC_EVENT_SLOTS);
}

/* An image of memory must not hold keys; after resume dmacc-unseal brings them back */
static int on_pm(struct notifier_block *nb, unsigned long event, void *data)
{
	switch (event) {
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		forget_and_tell();
		break;
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		dmacc_root_hold();
		dmacc_root_bar(false);
		dmacc_root_release();
		break;
	}
	return NOTIFY_OK;
}

/* Neither must memory that a kernel started by kexec finds */
static int on_reboot(struct notifier_block *nb, unsigned long event, void *data)
{
	forget_and_tell();
	return NOTIFY_OK;
}

static struct notifier_block pm_notifier = { .notifier_call = on_pm };
static struct notifier_block reboot_notifier = { .notifier_call = on_reboot };

int __init dmacc_power_init(void)
{
	int err = register_pm_notifier(&pm_notifier);

	if (err)
		return err;
	err = register_reboot_notifier(&reboot_notifier);
	if (err)
		unregister_pm_notifier(&pm_notifier);
	return err;
}

/* Before the family goes: a request that is still served finds nothing, and brings nothing in */
void dmacc_power_exit(void)
{
	unregister_reboot_notifier(&reboot_notifier);
	unregister_pm_notifier(&pm_notifier);
	forget(DMACC_ROOT_ABSENT);
}
