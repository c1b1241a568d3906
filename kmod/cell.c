// SPDX-License-Identifier: GPL-2.0-only
/*
 * The content of an nvmem cell as an identifier. What a fuse holds that was never written, or
 * written in another way than the device tree says, is refused: a wrong
 * identifier is worse than none.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "cell.h"

static const char another_length[] = "it has another length than its encoding";

/* Digits after the prefix, and bytes of the same as a number */
static const struct {
	const char *prefix;
	u8 digits;
	u8 number;
} kinds[DMACC_KINDS] = {
	[DMACC_KIND_IMEI] = { "IMEI:", 15, 8 },
	[DMACC_KIND_MEID] = { "MEID:", 14, 7 },
	[DMACC_KIND_ESN] = { "ESN:", 8, 4 },
};

#define IMEI_DIGITS 15
#define IMEI_END 1000000000000000ULL	/* of 15 digits */
#define PACKED_LEN 8
#define FILLER 0xf
#define TYPE_IMEI 0xa			/* odd number of digits, type of identity 2 */

const char *dmacc_kind_prefix(enum dmacc_devid_kind kind)
{
	return kinds[kind].prefix;
}

int dmacc_cell_encoding(const char *name)
{
	static const char * const names[] = {
		[DMACC_CELL_ASCII] = "ascii",
		[DMACC_CELL_BCD] = "bcd",
		[DMACC_CELL_BCD_SWAPPED] = "bcd-swapped",
		[DMACC_CELL_MOBILE_IDENTITY] = "mobile-identity",
		[DMACC_CELL_BE] = "big-endian",
		[DMACC_CELL_LE] = "little-endian",
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return i;
	return -EINVAL;
}

static bool blank(const u8 *bytes, size_t len)
{
	return !len || !memchr_inv(bytes, 0x00, len) || !memchr_inv(bytes, 0xff, len);
}

static char digit(unsigned int value)
{
	return "0123456789ABCDEF"[value & 0xf];
}

/* What is shorter than its cell is followed by zeros */
static const char *read_ascii(size_t digits, const u8 *bytes, size_t len, char *ret)
{
	if (len < digits || (len > digits && memchr_inv(bytes + digits, 0, len - digits)))
		return another_length;
	memcpy(ret, bytes, digits);
	return NULL;
}

static unsigned int nibble(const u8 *bytes, size_t i, bool swapped)
{
	return i % 2 == swapped ? bytes[i / 2] >> 4 : bytes[i / 2] & 0xf;
}

/* 15 digits in 16 nibbles; the one that is left over comes last, or first and tells the type */
static const char *read_packed(enum dmacc_cell_encoding encoding, const u8 *bytes, size_t len,
			       char *ret)
{
	bool swapped = encoding != DMACC_CELL_BCD, first = encoding == DMACC_CELL_MOBILE_IDENTITY;
	size_t i;

	if (len != PACKED_LEN)
		return another_length;
	if (first && nibble(bytes, 0, swapped) != TYPE_IMEI)
		return "its type is not that of an IMEI";
	if (!first && nibble(bytes, IMEI_DIGITS, swapped) != FILLER)
		return "its 16th nibble is not the filler F";
	for (i = 0; i < IMEI_DIGITS; i++)
		ret[i] = digit(nibble(bytes, i + first, swapped));
	return NULL;
}

/* An IMEI is a decimal number of 15 digits */
static const char *read_decimal(const u8 *bytes, size_t len, bool little, char *ret)
{
	u64 number = 0;
	u32 rest;
	size_t i;

	for (i = 0; i < len; i++)
		number = number << 8 | bytes[little ? len - 1 - i : i];
	if (number >= IMEI_END)
		return "it is a larger number than an IMEI";
	for (i = IMEI_DIGITS; i; i--) {
		number = div_u64_rem(number, 10, &rest);
		ret[i - 1] = digit(rest);
	}
	return NULL;
}

static const char *read_number(enum dmacc_devid_kind kind, bool little, const u8 *bytes, size_t len,
			       char *ret)
{
	size_t i;

	if (len != kinds[kind].number)
		return another_length;
	if (kind == DMACC_KIND_IMEI)
		return read_decimal(bytes, len, little, ret);
	for (i = 0; i < 2 * len; i++)
		ret[i] = digit(nibble(bytes, little ? 2 * len - 1 - i : i, little));
	return NULL;
}

static const char *read_digits(enum dmacc_devid_kind kind, enum dmacc_cell_encoding encoding,
			       const u8 *bytes, size_t len, char *ret)
{
	switch (encoding) {
	case DMACC_CELL_ASCII:
		return read_ascii(kinds[kind].digits, bytes, len, ret);
	case DMACC_CELL_BE:
	case DMACC_CELL_LE:
		return read_number(kind, encoding == DMACC_CELL_LE, bytes, len, ret);
	default:
		if (kind == DMACC_KIND_IMEI)
			return read_packed(encoding, bytes, len, ret);
		return "only an IMEI has this encoding";
	}
}

const char *dmacc_cell_read(enum dmacc_devid_kind kind, enum dmacc_cell_encoding encoding,
			    const u8 *bytes, size_t len, char ret[DMACC_DEVID_MAX + 1])
{
	char devid[DMACC_DEVID_MAX + 1] = {};
	enum dmacc_refusal refusal;
	const char *reason;

	if (blank(bytes, len))
		return "it is blank";
	strscpy(devid, kinds[kind].prefix, sizeof(devid));
	reason = read_digits(kind, encoding, bytes, len, devid + strlen(devid));
	if (!reason) {
		refusal = dmacc_devid_check(devid, strlen(kinds[kind].prefix) + kinds[kind].digits);
		if (refusal == DMACC_ACCEPTED)
			memcpy(ret, devid, sizeof(devid));
		else
			reason = dmacc_devid_refusal_text(refusal);
	}
	memzero_explicit(devid, sizeof(devid));
	return reason;
}
