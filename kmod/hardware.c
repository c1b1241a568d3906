// SPDX-License-Identifier: GPL-2.0-only
/*
 * What hardware and firmware say who the device is: nvmem cells, properties of the device tree,
 * SMBIOS.
 */
#define pr_fmt(fmt) "dmacc: " fmt

#include <linux/bits.h>
#include <linux/dmi.h>
#include <linux/err.h>
#include <linux/nvmem-consumer.h>
#include <linux/of.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "hardware.h"

/* Properties, and names of cells */
static const char * const names[DMACC_KINDS] = { "imei", "meid", "esn" };
static const char * const encodings[DMACC_KINDS] = {
	"dmacc,imei-encoding", "dmacc,meid-encoding", "dmacc,esn-encoding",
};

/* Once for each: while a driver is waited for, the others are read again and again */
static int not_used(enum dmacc_identity_source source, enum dmacc_devid_kind kind,
		    const char *what, const char *reason)
{
	static unsigned long said[DMACC_IDENTITY_NVMEM + 1];

	if (!test_and_set_bit(kind, &said[source]))
		pr_warn("the identifier in %s is not used: %s\n", what, reason);
	return -ENOENT;
}

static int check(enum dmacc_identity_source source, enum dmacc_devid_kind kind, const char *what,
		 const char *devid, char *ret)
{
	enum dmacc_refusal refusal = dmacc_devid_check(devid, strlen(devid));

	if (refusal != DMACC_ACCEPTED)
		return not_used(source, kind, what, dmacc_devid_refusal_text(refusal));
	strscpy(ret, devid, DMACC_DEVID_MAX + 1);
	return 0;
}

static struct device_node *find_node(void)
{
	struct device_node *node = of_find_compatible_node(NULL, NULL, DMACC_COMPATIBLE);

	if (!node || of_device_is_available(node))
		return node;
	of_node_put(node);
	return NULL;
}

static int get_content(const struct device_node *node, enum dmacc_devid_kind kind, u8 **ret,
		       size_t *ret_len)
{
	struct nvmem_cell *cell = of_nvmem_cell_get((struct device_node *)node, names[kind]);
	void *content;

	if (IS_ERR(cell))
		return PTR_ERR(cell);
	content = nvmem_cell_read(cell, ret_len);
	nvmem_cell_put(cell);
	if (IS_ERR(content))
		return PTR_ERR(content);
	*ret = content;
	return 0;
}

static int read_cell(const struct device_node *node, enum dmacc_devid_kind kind, char *ret)
{
	static const char what[] = "the nvmem cell";
	const char *name = "ascii", *reason;
	int encoding, err;
	u8 *content;
	size_t len;

	if (of_property_match_string(node, "nvmem-cell-names", names[kind]) < 0)
		return -ENOENT;
	of_property_read_string(node, encodings[kind], &name);
	encoding = dmacc_cell_encoding(name);
	if (encoding < 0)
		return not_used(DMACC_IDENTITY_NVMEM, kind, what, "its encoding is not known");
	err = get_content(node, kind, &content, &len);
	if (err == -EPROBE_DEFER)
		return err;
	if (err)
		return not_used(DMACC_IDENTITY_NVMEM, kind, what, "it cannot be read");
	reason = dmacc_cell_read(kind, encoding, content, len, ret);
	kfree_sensitive(content);
	return reason ? not_used(DMACC_IDENTITY_NVMEM, kind, what, reason) : 0;
}

/* The digits without the prefix */
static int read_property(const struct device_node *node, enum dmacc_devid_kind kind, char *ret)
{
	char devid[DMACC_DEVID_MAX + 2];
	const char *digits;
	int err;

	if (of_property_read_string(node, names[kind], &digits))
		return -ENOENT;
	/* one byte more than the longest, so that what is cut cannot pass for an identifier */
	snprintf(devid, sizeof(devid), "%s%s", dmacc_kind_prefix(kind), digits);
	err = check(DMACC_IDENTITY_DEVICE_TREE, kind, "the device tree", devid, ret);
	memzero_explicit(devid, sizeof(devid));
	return err;
}

static int read_node(enum dmacc_identity_source source, enum dmacc_devid_kind kind, char *ret)
{
	struct device_node *node = find_node();
	int err;

	if (!node)
		return -ENOENT;
	err = source == DMACC_IDENTITY_NVMEM ? read_cell(node, kind, ret) :
					       read_property(node, kind, ret);
	of_node_put(node);
	return err;
}

/* SMBIOS type 11: OEM strings. A bare number is no identifier, only what names its kind is. */
static int read_smbios(enum dmacc_devid_kind kind, char *ret)
{
	const struct dmi_device *dev = NULL;

	while ((dev = dmi_find_device(DMI_DEV_TYPE_OEM_STRING, NULL, dev)))
		if (dev->name && strstarts(dev->name, dmacc_kind_prefix(kind)) &&
		    !check(DMACC_IDENTITY_SMBIOS, kind, "SMBIOS", dev->name, ret))
			return 0;
	return -ENOENT;
}

int dmacc_hardware_read(enum dmacc_identity_source source, enum dmacc_devid_kind kind,
			char ret[DMACC_DEVID_MAX + 1])
{
	return source == DMACC_IDENTITY_SMBIOS ? read_smbios(kind, ret) :
						 read_node(source, kind, ret);
}
