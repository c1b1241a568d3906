// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Device identifiers as people write them: uapi/derivation.md, section 1.1.
 * Never compiled into the kernel, which takes canonical forms only.
 */
#include "devid.h"

#ifdef __KERNEL__
#error "the lenient reader stays outside the kernel"
#endif

/* What is left of the input once prefix, blanks and dashes are gone */
struct reading {
	char kind;		/* 'I', 'M', 'E'; 'U' for a URN, 0 while nothing said */
	bool spare_digit;	/* a 15th digit of 0 is no check digit */
	size_t len;
	bool letters;
	char digits[DMACC_DEVID_INPUT_MAX];	/* upper case */
};

static const struct {
	const char *text;
	size_t len;
	char kind;
} prefixes[] = {
	{ "IMEI:", 5, 'I' },
	{ "MEID:", 5, 'M' },
	{ "ESN:", 4, 'E' },
	{ "URN:GSMA:IMEI:", 14, 'U' },
};

static bool is_separator(char c)
{
	return c == ' ' || c == '\t';
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool has_prefix(const char *input, size_t len, const char *prefix, size_t prefix_len)
{
	size_t i;

	if (len < prefix_len)
		return false;
	for (i = 0; i < prefix_len; i++)
		if (upper(input[i]) != prefix[i])
			return false;
	return true;
}

/* Step 2: returns the length of the prefix, the kind in *ret */
static enum dmacc_refusal read_prefix(const char *input, size_t len, char *ret_kind,
				      size_t *ret_len)
{
	size_t i;

	*ret_kind = 0;
	*ret_len = 0;
	if (!memchr(input, ':', len))
		return DMACC_ACCEPTED;
	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (has_prefix(input, len, prefixes[i].text, prefixes[i].len)) {
			*ret_kind = prefixes[i].kind;
			*ret_len = prefixes[i].len;
			return DMACC_ACCEPTED;
		}
	}
	return DMACC_REFUSED_PREFIX;
}

/* Steps 3 and 4 */
static enum dmacc_refusal read_digits(struct reading *r, const char *input, size_t len)
{
	int highest = r->kind == 'I' || r->kind == 'U' ? 9 : 15;
	enum dmacc_refusal refusal = DMACC_ACCEPTED;
	size_t i;

	for (i = 0; i < len; i++) {
		int value = dmacc_digit_value(input[i]);

		if (value >= 0 && value <= highest) {
			r->letters |= value > 9;
			r->digits[r->len++] = upper(input[i]);
		} else if (!is_separator(input[i]) && input[i] != '-') {
			refusal = DMACC_REFUSED_CHARACTER;
		}
	}
	return r->len || refusal != DMACC_ACCEPTED ? refusal : DMACC_REFUSED_MISSING;
}

/* Step 5 */
static enum dmacc_refusal guess_kind(struct reading *r)
{
	if (!r->letters && r->len >= 14 && r->len <= 16)
		r->kind = 'I';
	else if (r->letters ? r->len == 14 || r->len == 15 : r->len == 18)
		r->kind = 'M';
	else if (r->len == 8 || (r->len == 11 && !r->letters))
		return DMACC_REFUSED_PREFIX;
	else
		return DMACC_REFUSED_LENGTH;
	return DMACC_ACCEPTED;
}

static __u32 decimal(const char *digits, size_t len, bool *ret_fits)
{
	__u32 value = 0, digit;
	size_t i;

	for (i = 0; i < len; i++) {
		digit = (__u32)dmacc_digit_value(digits[i]);
		if (value > (0xffffffffU - digit) / 10)
			*ret_fits = false;
		value = value * 10 + digit;
	}
	return value;
}

static void put_hex(char *out, __u32 value, size_t len)
{
	while (len--) {
		out[len] = "0123456789ABCDEF"[value & 15];
		value >>= 4;
	}
}

/*
 * The decimal form of a MEID (10 + 8 digits) or ESN (3 + 8): two numbers, the second of 24 bits.
 * Replaces it by the hexadecimal form.
 */
static enum dmacc_refusal from_decimal(struct reading *r, size_t head_hex)
{
	size_t head_len = r->len - 8;
	bool fits = true;
	__u32 head, tail;

	if (r->letters)
		return DMACC_REFUSED_CHARACTER;
	head = decimal(r->digits, head_len, &fits);
	tail = decimal(r->digits + head_len, 8, &fits);
	if (!fits || tail > 0xffffff || (head_hex == 2 && head > 0xff))
		return DMACC_REFUSED_RANGE;
	put_hex(r->digits, head, head_hex);
	put_hex(r->digits + head_hex, tail, 6);
	r->len = head_hex + 6;
	return DMACC_ACCEPTED;
}

static void put_canonical(char *ret, const char *prefix, const char *digits, size_t len)
{
	size_t n = 0;

	for (; *prefix; prefix++)
		ret[n++] = *prefix;
	memcpy(ret + n, digits, len);
	ret[n + len] = '\0';
}

static enum dmacc_refusal read_imei(struct reading *r, char *ret)
{
	enum dmacc_refusal refusal;
	char check;

	if (r->len < 14 || r->len > 16 || (r->kind == 'U' && r->len != 15))
		return DMACC_REFUSED_LENGTH;
	refusal = dmacc_digits_judge('I', r->digits);
	if (refusal != DMACC_ACCEPTED)
		return refusal;
	check = dmacc_luhn_digit(r->digits, 14, 10);
	if (r->len == 15 && r->kind != 'U' && r->digits[14] != check &&
	    !(r->spare_digit && r->digits[14] == '0'))
		return DMACC_REFUSED_CHECK_DIGIT;
	r->digits[14] = check;
	put_canonical(ret, "IMEI:", r->digits, 15);
	return DMACC_ACCEPTED;
}

static bool all_decimal(const char *digits, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (dmacc_digit_value(digits[i]) > 9)
			return false;
	return true;
}

static enum dmacc_refusal read_meid(struct reading *r, char *ret)
{
	enum dmacc_refusal refusal = DMACC_ACCEPTED;

	if (r->len != 14 && r->len != 15 && r->len != 18)
		return DMACC_REFUSED_LENGTH;
	if (r->len == 18)
		refusal = from_decimal(r, 8);
	if (refusal != DMACC_ACCEPTED)
		return refusal;
	if (all_decimal(r->digits, 14)) {
		r->kind = 'I';
		return read_imei(r, ret);
	}
	refusal = dmacc_digits_judge('M', r->digits);
	if (refusal != DMACC_ACCEPTED)
		return refusal;
	if (r->len == 15 && r->digits[14] != dmacc_luhn_digit(r->digits, 14, 16))
		return DMACC_REFUSED_CHECK_DIGIT;
	put_canonical(ret, "MEID:", r->digits, 14);
	return DMACC_ACCEPTED;
}

static enum dmacc_refusal read_esn(struct reading *r, char *ret)
{
	enum dmacc_refusal refusal = DMACC_ACCEPTED;

	if (r->len != 8 && r->len != 11)
		return DMACC_REFUSED_LENGTH;
	if (r->len == 11)
		refusal = from_decimal(r, 2);
	if (refusal == DMACC_ACCEPTED)
		refusal = dmacc_digits_judge('E', r->digits);
	if (refusal == DMACC_ACCEPTED)
		put_canonical(ret, "ESN:", r->digits, 8);
	return refusal;
}

static enum dmacc_refusal read_kind(struct reading *r, char *ret)
{
	switch (r->kind) {
	case 'M':
		return read_meid(r, ret);
	case 'E':
		return read_esn(r, ret);
	default:
		return read_imei(r, ret);
	}
}

static void trim(const char **input, size_t *len)
{
	while (*len && is_separator(**input)) {
		(*input)++;
		(*len)--;
	}
	while (*len && is_separator((*input)[*len - 1]))
		(*len)--;
}

enum dmacc_refusal dmacc_devid_read(const char *input, size_t len, bool spare_digit,
				    char ret[DMACC_DEVID_MAX + 1])
{
	struct reading r;
	enum dmacc_refusal refusal;
	const char *parameters;
	size_t prefix_len;

	if (len > DMACC_DEVID_INPUT_MAX)
		return DMACC_REFUSED_LENGTH;
	/* all but the digits, most of which will never be looked at */
	r.kind = 0;
	r.spare_digit = spare_digit;
	r.len = 0;
	r.letters = false;
	trim(&input, &len);
	if (!len)
		return DMACC_REFUSED_MISSING;
	refusal = read_prefix(input, len, &r.kind, &prefix_len);
	if (refusal != DMACC_ACCEPTED)
		return refusal;
	input += prefix_len;
	len -= prefix_len;
	parameters = r.kind == 'U' ? memchr(input, ';', len) : NULL;
	if (parameters)
		len = (size_t)(parameters - input);
	refusal = read_digits(&r, input, len);
	if (refusal == DMACC_ACCEPTED && !r.kind)
		refusal = guess_kind(&r);
	return refusal == DMACC_ACCEPTED ? read_kind(&r, ret) : refusal;
}
