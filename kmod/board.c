// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device tree's node as a device. It makes udev load the module, and the driver core ask again
 * once the driver of the nvmem cell is there; where there is no node nothing is missed.
 */
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>

#include "board.h"
#include "hardware.h"
#include "identity.h"
#include "netlink.h"

static int probe(struct platform_device *pdev)
{
	bool pending;

	if (dmacc_identity_look(&pending))
		dmacc_netlink_notify(DMACC_EVENT_IDENTITY);
	if (!pending)
		return 0;
	return dev_err_probe(&pdev->dev, -EPROBE_DEFER,
			     "the nvmem cell with the identifier is not there yet\n");
}

static const struct of_device_id of_match[] = {
	{ .compatible = DMACC_COMPATIBLE },
	{}
};
MODULE_DEVICE_TABLE(of, of_match);

static struct platform_driver driver = {
	.probe = probe,
	.driver = {
		.name = "dmacc",
		.of_match_table = of_match,
		/* it holds nothing that could be given back */
		.suppress_bind_attrs = true,
	},
};

int __init dmacc_board_init(void)
{
	return platform_driver_register(&driver);
}

void dmacc_board_exit(void)
{
	platform_driver_unregister(&driver);
}
