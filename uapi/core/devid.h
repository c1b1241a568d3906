/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#ifndef DMACC_CORE_DEVID_H
#define DMACC_CORE_DEVID_H

#include "refusal.h"
#include "types.h"

/* "IMEI:" and 15 digits; no terminating zero counted */
#define DMACC_DEVID_MAX 20
#define DMACC_DEVID_MIN 12

/* Input that dmacc_devid_read() looks at, in bytes: uapi/derivation.md 1.1 */
#define DMACC_DEVID_INPUT_MAX 128

/**
 * dmacc_devid_check() - is this a device identifier in canonical form?
 * @text: the identifier, ASCII, need not be zero-terminated
 * @len: its length in bytes
 *
 * The strict reader: uapi/derivation.md, section 1.2. What the kernel takes.
 *
 * Return: DMACC_ACCEPTED, or the reason for the refusal.
 */
enum dmacc_refusal dmacc_devid_check(const char *text, size_t len);

/**
 * dmacc_luhn_digit() - the check digit of an IMEI or MEID
 * @digits: upper-case digits of the base, ASCII
 * @len: how many
 * @base: 10 or 16
 *
 * Return: the digit that takes the Luhn sum to a multiple of @base, ASCII upper case.
 */
char dmacc_luhn_digit(const char *digits, size_t len, unsigned int base);

/**
 * dmacc_digit_value() - what a digit stands for
 * @c: any character
 *
 * Return: 0 to 15, or -1 for what is no hexadecimal digit of either case.
 */
static inline int dmacc_digit_value(char c)
{
	unsigned int decimal = (unsigned char)c - '0';
	/* without the bit in which upper and lower case differ */
	unsigned int letter = ((unsigned char)c & ~0x20u) - 'A';

	if (decimal < 10)
		return (int)decimal;
	return letter < 6 ? (int)letter + 10 : -1;
}

/**
 * dmacc_digits_judge() - are the significant digits of one kind those of a device?
 * @kind: 'I' for IMEI, 'M' for MEID, 'E' for ESN
 * @digits: the significant digits, upper case (14; of an ESN 8)
 *
 * What strict and lenient reading have in common: uapi/derivation.md 1.1, step 6.
 *
 * Return: DMACC_ACCEPTED, or FIRST_DIGIT, ALL_SAME, PESN.
 */
enum dmacc_refusal dmacc_digits_judge(char kind, const char *digits);

#ifndef __KERNEL__
/**
 * dmacc_devid_read() - read an identifier as people write it
 * @input: bytes, need not be zero-terminated; blanks, dashes, either case, prefixes
 * @len: how many
 * @spare_digit: the source writes 0 where the check digit of an IMEI belongs
 * @ret: where the canonical form goes, zero-terminated; written on success only
 *
 * The lenient reader: uapi/derivation.md, section 1.1. Userspace only.
 *
 * Return: DMACC_ACCEPTED, or the reason for the refusal.
 */
enum dmacc_refusal dmacc_devid_read(const char *input, size_t len, bool spare_digit,
				    char ret[DMACC_DEVID_MAX + 1]);
#endif

#endif
