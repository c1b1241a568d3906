// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fuse, of which a test says what it holds when it loads this module. Cells are where the
 * device tree has them.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/nvmem-provider.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/string.h>

static u8 content[32];
module_param_array(content, byte, NULL, 0);
MODULE_PARM_DESC(content, "Its first bytes; the others are zero");

static int read(void *priv, unsigned int offset, void *ret, size_t len)
{
	memcpy(ret, content + offset, len);
	return 0;
}

static int probe(struct platform_device *pdev)
{
	struct nvmem_config config = {
		.dev = &pdev->dev,
		.name = "dmacc-test-cells",
		.id = NVMEM_DEVID_NONE,
		.owner = THIS_MODULE,
		.read_only = true,
		.root_only = true,
		.reg_read = read,
		.size = sizeof(content),
		.word_size = 1,
		.stride = 1,
	};

	return PTR_ERR_OR_ZERO(devm_nvmem_register(&pdev->dev, &config));
}

static const struct of_device_id of_match[] = {
	{ .compatible = "dmacc,test-cells" },
	{}
};
MODULE_DEVICE_TABLE(of, of_match);

static struct platform_driver cells_driver = {
	.probe = probe,
	.driver = {
		.name = "dmacc-test-cells",
		.of_match_table = of_match,
	},
};
module_platform_driver(cells_driver);

MODULE_DESCRIPTION("An nvmem provider for tests of dmacc");
MODULE_LICENSE("GPL");
