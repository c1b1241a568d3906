// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Device identifiers in canonical form: uapi/derivation.md, section 1.2.
 */
#include "devid.h"

/* Inline, so that @base is a constant: an identifier is checked in less time than it takes to divide */
static inline char luhn_digit(const char *digits, size_t len, unsigned int base)
{
	unsigned int sum = 0, value;
	size_t i;

	for (i = 0; i < len; i++) {
		value = (unsigned int)dmacc_digit_value(digits[i]);
		/* counted from the right, where the check digit will stand, every second doubles */
		if ((len - i) % 2) {
			value *= 2;
			/* the sum of its two digits, of which the first can only be 1 */
			if (value >= base)
				value -= base - 1;
		}
		sum += value;
	}
	sum %= base;
	return "0123456789ABCDEF"[sum ? base - sum : 0];
}

char dmacc_luhn_digit(const char *digits, size_t len, unsigned int base)
{
	return base == 10 ? luhn_digit(digits, len, 10) : luhn_digit(digits, len, 16);
}

static bool all_same(const char *digits, size_t len)
{
	size_t i;

	for (i = 1; i < len; i++)
		if (digits[i] != digits[0])
			return false;
	return true;
}

enum dmacc_refusal dmacc_digits_judge(char kind, const char *digits)
{
	if (kind == 'M' && dmacc_digit_value(digits[0]) < 10)
		return DMACC_REFUSED_FIRST_DIGIT;
	if (all_same(digits, kind == 'E' ? 8 : 14))
		return DMACC_REFUSED_ALL_SAME;
	if (kind == 'E' && digits[0] == '8' && digits[1] == '0')
		return DMACC_REFUSED_PESN;
	return DMACC_ACCEPTED;
}

/* Are all digits of the base, upper case? */
static bool all_digits(const char *digits, size_t len, int base)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (dmacc_digit_value(digits[i]) < 0 || dmacc_digit_value(digits[i]) >= base ||
		    digits[i] >= 'a')
			return false;
	return true;
}

static enum dmacc_refusal check_imei(const char *digits)
{
	enum dmacc_refusal r;

	if (!all_digits(digits, 15, 10))
		return DMACC_REFUSED_NOT_CANONICAL;
	r = dmacc_digits_judge('I', digits);
	if (r == DMACC_ACCEPTED && digits[14] != dmacc_luhn_digit(digits, 14, 10))
		r = DMACC_REFUSED_CHECK_DIGIT;
	return r;
}

static enum dmacc_refusal check_meid(const char *digits)
{
	/* all decimal: it is an IMEI and has to be written as one */
	if (!all_digits(digits, 14, 16) || all_digits(digits, 14, 10))
		return DMACC_REFUSED_NOT_CANONICAL;
	return dmacc_digits_judge('M', digits);
}

static enum dmacc_refusal check_esn(const char *digits)
{
	if (!all_digits(digits, 8, 16))
		return DMACC_REFUSED_NOT_CANONICAL;
	return dmacc_digits_judge('E', digits);
}

enum dmacc_refusal dmacc_devid_check(const char *text, size_t len)
{
	if (len == 20 && !memcmp(text, "IMEI:", 5))
		return check_imei(text + 5);
	if (len == 19 && !memcmp(text, "MEID:", 5))
		return check_meid(text + 5);
	if (len == 12 && !memcmp(text, "ESN:", 4))
		return check_esn(text + 4);
	return DMACC_REFUSED_NOT_CANONICAL;
}
