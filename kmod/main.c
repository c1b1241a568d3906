// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmacc: holds a device's identity and one sealed key per server vendor, and answers derivations
 * over generic netlink. Here: coming and going.
 */
#include <linux/module.h>
#include <net/genetlink.h>

#include "board.h"
#include "identity.h"
#include "netlink.h"
#include "power.h"
#include "root.h"
#include "selftest.h"
#include "sent.h"

static bool locked;
module_param(locked, bool, 0444);
MODULE_PARM_DESC(locked, "Begin locked: no root is made and no key is sealed (production images)");

static int __init dmacc_init(void)
{
	int err = dmacc_selftest();
	bool pending;

	if (err)
		return err;
	dmacc_identity_look(&pending);
	dmacc_root_init(locked);
	dmacc_sent_init();
	err = dmacc_power_init();
	if (err)
		return err;
	err = dmacc_netlink_init();
	if (err)
		goto no_netlink;
	/* it announces who the device is, and so comes after the family */
	err = dmacc_board_init();
	if (err)
		goto no_board;
	if (locked)
		__module_get(THIS_MODULE);
	return 0;

no_board:
	dmacc_netlink_exit();
no_netlink:
	dmacc_power_exit();
	return err;
}

static void __exit dmacc_exit(void)
{
	dmacc_board_exit();
	dmacc_power_exit();
	dmacc_netlink_exit();
	dmacc_sent_exit();
}

module_init(dmacc_init);
module_exit(dmacc_exit);

MODULE_DESCRIPTION("Computed OMA DM credentials from sealed keys");
MODULE_LICENSE("GPL");
MODULE_VERSION(DMACC_VERSION);
MODULE_ALIAS_GENL_FAMILY("dmacc");
MODULE_SOFTDEP("pre: gcm hmac sha256 trusted");
