/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#ifndef DMACC_CORE_REFUSAL_H
#define DMACC_CORE_REFUSAL_H

/*
 * Why an identifier or a server was refused: the words of uapi/derivation.md,
 * sections 1.1 and 2, in the order in which that page first has them.
 */
enum dmacc_refusal {
	DMACC_ACCEPTED,
	DMACC_REFUSED_MISSING,
	DMACC_REFUSED_PREFIX,
	DMACC_REFUSED_CHARACTER,
	DMACC_REFUSED_LENGTH,
	DMACC_REFUSED_ALL_SAME,
	DMACC_REFUSED_CHECK_DIGIT,
	DMACC_REFUSED_RANGE,
	DMACC_REFUSED_FIRST_DIGIT,
	DMACC_REFUSED_PESN,
	DMACC_REFUSED_NOT_CANONICAL,
	DMACC_REFUSED_UTF8,
	DMACC_REFUSED_BLANK,
	DMACC_REFUSED_ACL_CHARACTER,
};

/**
 * dmacc_refusal_word() - the word that uapi/derivation.md has for a reason
 * @reason: any value but DMACC_ACCEPTED
 *
 * Return: a constant string such as "check-digit".
 */
const char *dmacc_refusal_word(enum dmacc_refusal reason);

/**
 * dmacc_devid_refusal_text() - why an identifier was refused, for a person
 * @reason: any value but DMACC_ACCEPTED
 *
 * Return: a constant sentence without the word, capital or full stop.
 */
const char *dmacc_devid_refusal_text(enum dmacc_refusal reason);

/**
 * dmacc_server_refusal_text() - why a ServerID or Addr was refused, for a person
 * @reason: any value but DMACC_ACCEPTED
 *
 * Return: a constant sentence without the word, capital or full stop.
 */
const char *dmacc_server_refusal_text(enum dmacc_refusal reason);

#endif
