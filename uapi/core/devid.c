// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Device identifiers in canonical form: uapi/derivation.md, section 1.2.
 */
#include "devid.h"

/* Of an upper-case digit of the base; an operator has millions of them to check */
static inline unsigned int digit_of(char c, unsigned int base)
{
	return (c & 15u) + (base == 16 && c > '9' ? 9 : 0);
}

/* What a digit that is doubled adds: the sum of the two digits, of which the first can only be 1 */
static inline unsigned int doubled(unsigned int value, unsigned int base)
{
	return 2 * value - (2 * value < base ? 0 : base - 1);
}

/* Inline, so that @base is a constant: an identifier is checked in less time than it takes to divide */
static inline char luhn_digit(const char *digits, size_t len, unsigned int base)
{
	unsigned int sum = 0;

	/* counted from the right, where the check digit will stand, every second doubles */
	for (; len >= 2; len -= 2)
		sum += doubled(digit_of(digits[len - 1], base), base) + digit_of(digits[len - 2], base);
	if (len)
		sum += doubled(digit_of(digits[0], base), base);
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

static bool all_decimal(const char *digits, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (digits[i] < '0' || digits[i] > '9')
			return false;
	return true;
}

/* Are all of them hexadecimal digits, upper case? */
static bool all_hexadecimal(const char *digits, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (dmacc_digit_value(digits[i]) < 0 || digits[i] >= 'a')
			return false;
	return true;
}

static enum dmacc_refusal check_imei(const char *digits)
{
	enum dmacc_refusal r;

	if (!all_decimal(digits, 15))
		return DMACC_REFUSED_NOT_CANONICAL;
	r = dmacc_digits_judge('I', digits);
	if (r == DMACC_ACCEPTED && digits[14] != dmacc_luhn_digit(digits, 14, 10))
		r = DMACC_REFUSED_CHECK_DIGIT;
	return r;
}

static enum dmacc_refusal check_meid(const char *digits)
{
	/* all decimal: it is an IMEI and has to be written as one */
	if (!all_hexadecimal(digits, 14) || all_decimal(digits, 14))
		return DMACC_REFUSED_NOT_CANONICAL;
	return dmacc_digits_judge('M', digits);
}

static enum dmacc_refusal check_esn(const char *digits)
{
	if (!all_hexadecimal(digits, 8))
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
