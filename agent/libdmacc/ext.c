// SPDX-License-Identifier: LGPL-2.1-or-later
/* What can be below the Ext of an account */
#include <string.h>

#include "core/server.h"
#include "node.h"

#define SEGMENT_MAX 120		/* what clients in the field take */

const char *dmacc_ext_format(const char *format)
{
	static const char *const formats[] = {
		"chr", "int", "bin", "b64", "bool", "node", "null", "xml", "date", "time", "float",
	};
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(format[0] ? format : "chr", formats[i]))
			return formats[i];
	return NULL;
}

static bool is_segment(const char *s, size_t len)
{
	return len && len <= SEGMENT_MAX && !memchr(s, '?', len) && !dmacc_text_judge(s, len) &&
	       !dmacc_is_word(s, len, ".") && !dmacc_is_word(s, len, "..");
}

static bool is_path(const char *path)
{
	size_t len;

	if (strlen(path) >= DMACC_EXT_SIZE || strncmp(path, "Ext/", 4))
		return false;
	for (path += 3; *path == '/'; path += len) {
		len = strcspn(++path, "/");
		if (!is_segment(path, len))
			return false;
	}
	return true;
}

const char *dmacc_ext_judge(const char *path, const char *format, const void *bytes, size_t len)
{
	const char *known = dmacc_ext_format(format);

	if (!is_path(path))
		return "it is no path below Ext that a node can have";
	if (!known)
		return "there is no such format";
	if (len > DMACC_EXT_VALUE_MAX)
		return "it has more than 4096 bytes";
	if (!strcmp(known, "node") || !strcmp(known, "null"))
		return len ? "a node of this format has no value" : NULL;
	if (!strcmp(known, "bin") || !strcmp(known, "b64"))
		return NULL;
	if (len && (memchr(bytes, 0, len) || !dmacc_utf8_valid(bytes, len)))
		return "it is not well-formed UTF-8 without a zero byte";
	return NULL;
}
