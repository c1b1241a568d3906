// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>
#include <strings.h>

#include "prefix.h"

/* @digits: how many are significant; an IMEI's check digit is none that tells ranges apart */
static const struct kind {
	const char *name;
	size_t digits;
	bool hex;
} kinds[] = {
	{ "IMEI:", 14, false },
	{ "MEID:", 14, true },
	{ "ESN:", 8, true },
};

static const struct kind *kind_of(const char **text, size_t *len)
{
	size_t i, n;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		n = strlen(kinds[i].name);
		if (*len >= n && !strncasecmp(*text, kinds[i].name, n)) {
			*text += n;
			*len -= n;
			return &kinds[i];
		}
	}
	if (memchr(*text, ':', *len))
		return NULL;
	/* as of a whole identifier: a MEID begins with A to F, else it is an IMEI */
	return &kinds[*len && strchr("ABCDEFabcdef", **text) ? 1 : 0];
}

static bool add_digit(const struct kind *kind, char c, char *out)
{
	if (c >= 'a' && c <= 'f')
		c = (char)(c - 'a' + 'A');
	*out = c;
	return (c >= '0' && c <= '9') || (kind->hex && c >= 'A' && c <= 'F');
}

bool prefix_read(const char *text, size_t len, char ret[DMACC_DEVID_SIZE],
		 const char **reterr_sentence)
{
	char prefix[DMACC_DEVID_SIZE] = "";
	const struct kind *kind;
	size_t n, i;

	*reterr_sentence = "the prefix is missing; * stands for all devices";
	if (!len)
		return false;
	if (len == 1 && *text == '*') {
		*ret = '\0';
		return true;
	}
	*reterr_sentence = "the prefix is none of IMEI:, MEID: or ESN:";
	kind = kind_of(&text, &len);
	if (!kind)
		return false;
	*reterr_sentence = "the prefix has more digits than tell devices apart (14, of an ESN 8)";
	if (len > kind->digits)
		return false;
	n = strlen(kind->name);
	memcpy(prefix, kind->name, n);
	*reterr_sentence = "the prefix has a character that is no digit of its kind";
	for (i = 0; i < len; i++)
		if (!add_digit(kind, text[i], &prefix[n++]))
			return false;
	memcpy(ret, prefix, sizeof(prefix));
	return true;
}
