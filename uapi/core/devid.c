// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Device identifiers in canonical form: uapi/derivation.md, section 1.2.
 */
#include "devid.h"

int dmacc_digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

char dmacc_luhn_digit(const char *digits, size_t len, unsigned int base)
{
	unsigned int sum = 0, value;
	size_t i;

	for (i = 0; i < len; i++) {
		value = (unsigned int)dmacc_digit_value(digits[i]);
		/* counted from the right, where the check digit will stand, every second doubles */
		if ((len - i) % 2)
			value = 2 * value / base + 2 * value % base;
		sum += value;
	}
	return "0123456789ABCDEF"[(base - sum % base) % base];
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

/* How many of the digits are of the base, upper case only */
static size_t count_digits(const char *digits, size_t len, int base)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++)
		if (dmacc_digit_value(digits[i]) >= 0 && dmacc_digit_value(digits[i]) < base &&
		    !(digits[i] >= 'a' && digits[i] <= 'f'))
			n++;
	return n;
}

static enum dmacc_refusal check_imei(const char *digits)
{
	enum dmacc_refusal r;

	if (count_digits(digits, 15, 10) != 15)
		return DMACC_REFUSED_NOT_CANONICAL;
	r = dmacc_digits_judge('I', digits);
	if (r == DMACC_ACCEPTED && digits[14] != dmacc_luhn_digit(digits, 14, 10))
		r = DMACC_REFUSED_CHECK_DIGIT;
	return r;
}

static enum dmacc_refusal check_meid(const char *digits)
{
	/* all decimal: it is an IMEI and has to be written as one */
	if (count_digits(digits, 14, 16) != 14 || count_digits(digits, 14, 10) == 14)
		return DMACC_REFUSED_NOT_CANONICAL;
	return dmacc_digits_judge('M', digits);
}

static enum dmacc_refusal check_esn(const char *digits)
{
	if (count_digits(digits, 8, 16) != 8)
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
