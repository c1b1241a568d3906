// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "device.h"

/* Printable ASCII, as far as it goes, without blanks around it */
static void clean(char *text)
{
	char *from = text + strspn(text, " \t");
	size_t len = 0;

	while (from[len] >= ' ' && from[len] <= '~')
		len++;
	while (len && from[len - 1] == ' ')
		len--;
	memmove(text, from, len);
	text[len] = '\0';
}

/* The first line or string of a file, "" without one */
static void read_first(const char *root, const char *path, char ret[DEVICE_TEXT_SIZE])
{
	char whole[4096];
	FILE *file;
	size_t len = 0;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	file = fopen(whole, "re");
	if (file) {
		len = fread(ret, 1, DEVICE_TEXT_SIZE - 1, file);
		fclose(file);
	}
	ret[len] = '\0';
	clean(ret);
}

/* Whoever made the board and did not fill it in */
static bool says_nothing(const char *text)
{
	static const char *const words[] = {
		"", "To Be Filled By O.E.M.", "System manufacturer", "System Product Name",
		"Default string", "Not Specified", "None",
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcasecmp(text, words[i]))
			return true;
	return false;
}

static void read_manufacturer(const char *root, char ret[DEVICE_TEXT_SIZE])
{
	read_first(root, "/sys/class/dmi/id/sys_vendor", ret);
	if (!says_nothing(ret))
		return;
	/* "vendor,board" */
	read_first(root, "/proc/device-tree/compatible", ret);
	ret[strcspn(ret, ",")] = '\0';
	if (says_nothing(ret))
		strcpy(ret, "unknown");
}

static void read_model(const char *root, char ret[DEVICE_TEXT_SIZE])
{
	read_first(root, "/sys/class/dmi/id/product_name", ret);
	if (says_nothing(ret))
		read_first(root, "/proc/device-tree/model", ret);
	if (says_nothing(ret))
		strcpy(ret, "unknown");
}

/* "de_AT.UTF-8" is "de-AT"; "C" is no language */
static void set_language(const char *locale, char ret[DEVICE_TEXT_SIZE])
{
	size_t len = strcspn(locale, ".@\" '"), i;

	if (len < 2 || len >= DEVICE_TEXT_SIZE || !strncmp(locale, "POSIX", 5))
		return;
	for (i = 0; i < len; i++)
		ret[i] = locale[i] == '_' ? '-' : locale[i];
	ret[len] = '\0';
}

static void read_language(const char *root, char ret[DEVICE_TEXT_SIZE])
{
	char path[4096], line[DEVICE_TEXT_SIZE];
	const char *value;
	FILE *file;

	strcpy(ret, "en");
	snprintf(path, sizeof(path), "%s/etc/locale.conf", root);
	file = fopen(path, "re");
	if (!file) {
		snprintf(path, sizeof(path), "%s/etc/default/locale", root);
		file = fopen(path, "re");
	}
	while (file && fgets(line, sizeof(line), file)) {
		clean(line);
		if (strncmp(line, "LANG=", 5))
			continue;
		value = line + 5;
		set_language(value + strspn(value, "\"'"), ret);
	}
	if (file)
		fclose(file);
}

void device_read(const char *root, struct device_info *ret)
{
	read_manufacturer(root, ret->manufacturer);
	read_model(root, ret->model);
	read_language(root, ret->language);
}
