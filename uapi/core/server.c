// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Which bytes may name a server: uapi/derivation.md, section 2.
 */
#include "server.h"

/* Code points that an eye takes for nothing, or for a blank */
static const struct {
	__u32 first, last;
} blanks[] = {
	{ 0x0000, 0x0020 }, { 0x007f, 0x00a0 }, { 0x1680, 0x1680 }, { 0x2000, 0x200a },
	{ 0x2028, 0x2029 }, { 0x202f, 0x202f }, { 0x205f, 0x205f }, { 0x3000, 0x3000 },
	{ 0xfeff, 0xfeff },
};

static bool is_blank(__u32 c)
{
	size_t i;

	if (c > 0x20 && c < 0x7f)
		return false;
	for (i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++)
		if (c >= blanks[i].first && c <= blanks[i].last)
			return true;
	return false;
}

static bool is_acl_character(__u32 c)
{
	return c == '=' || c == '&' || c == '*' || c == '+';
}

/* Length of a UTF-8 sequence by its first byte; 0 for a byte that begins none */
static size_t sequence_len(__u8 first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	if (first >= 0xf0 && first <= 0xf4)
		return 4;
	return 0;
}

/* One code point, Unicode 15 table 3-7; returns how many bytes it took, 0 if malformed */
static size_t decode(const __u8 *s, size_t len, __u32 *ret)
{
	static const __u32 smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = sequence_len(s[0]), i;
	__u32 c;

	if (n == 1) {
		*ret = s[0];
		return 1;
	}
	if (!n || n > len)
		return 0;
	c = s[0] & (0x7fU >> n);
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fU);
	}
	if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

bool dmacc_utf8_valid(const __u8 *s, size_t len)
{
	size_t n;
	__u32 c;

	for (; len; s += n, len -= n) {
		n = decode(s, len, &c);
		if (!n)
			return false;
	}
	return true;
}

enum dmacc_refusal dmacc_server_check(unsigned int kind, const __u8 *server, size_t len)
{
	size_t n;
	__u32 c;

	if (!len)
		return DMACC_REFUSED_MISSING;
	if (len > DMACC_SERVER_MAX)
		return DMACC_REFUSED_LENGTH;
	if (!dmacc_utf8_valid(server, len))
		return DMACC_REFUSED_UTF8;
	for (; len; server += n, len -= n) {
		n = decode(server, len, &c);
		if (is_blank(c))
			return DMACC_REFUSED_BLANK;
		if (kind == DMACC_KIND_SERVER_ID && is_acl_character(c))
			return DMACC_REFUSED_ACL_CHARACTER;
	}
	return DMACC_ACCEPTED;
}
