/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_PLUGIN_DEVICE_H
#define DMACC_PLUGIN_DEVICE_H

#define DEVICE_TEXT_SIZE 128

/**
 * struct device_info - what ./DevInfo says but for the identifier; "unknown" for what is not known
 * @manufacturer: DMI's sys_vendor, or the vendor in the device tree's compatible
 * @model: DMI's product_name, or the device tree's model
 * @language: of the system, as locale.conf has it, as a language tag; "en" without
 */
struct device_info {
	char manufacturer[DEVICE_TEXT_SIZE];
	char model[DEVICE_TEXT_SIZE];
	char language[DEVICE_TEXT_SIZE];
};

/* @root: "" but for tests */
void device_read(const char *root, struct device_info *ret);

#endif
