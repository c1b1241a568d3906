// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "refusal.h"

const char *dmacc_refusal_word(enum dmacc_refusal reason)
{
	switch (reason) {
	case DMACC_ACCEPTED:			return "accepted";
	case DMACC_REFUSED_MISSING:		return "missing";
	case DMACC_REFUSED_PREFIX:		return "prefix";
	case DMACC_REFUSED_CHARACTER:		return "character";
	case DMACC_REFUSED_LENGTH:		return "length";
	case DMACC_REFUSED_ALL_SAME:		return "all-same";
	case DMACC_REFUSED_CHECK_DIGIT:		return "check-digit";
	case DMACC_REFUSED_RANGE:		return "range";
	case DMACC_REFUSED_FIRST_DIGIT:		return "first-digit";
	case DMACC_REFUSED_PESN:		return "pesn";
	case DMACC_REFUSED_NOT_CANONICAL:	return "not-canonical";
	case DMACC_REFUSED_UTF8:		return "utf-8";
	case DMACC_REFUSED_BLANK:		return "blank";
	case DMACC_REFUSED_ACL_CHARACTER:	return "acl-character";
	}
	return "unknown";
}

const char *dmacc_devid_refusal_text(enum dmacc_refusal reason)
{
	switch (reason) {
	case DMACC_REFUSED_MISSING:
		return "there is no identifier";
	case DMACC_REFUSED_PREFIX:
		return "its prefix is not IMEI:, MEID:, ESN: or urn:gsma:imei:, or an ESN has none";
	case DMACC_REFUSED_CHARACTER:
		return "it has a character that is not a digit of this kind of identifier";
	case DMACC_REFUSED_LENGTH:
		return "an IMEI has 14 to 16 digits, a MEID 14, 15 or 18, an ESN 8 or 11";
	case DMACC_REFUSED_ALL_SAME:
		return "all its digits are the same, which no device has";
	case DMACC_REFUSED_CHECK_DIGIT:
		return "its check digit is wrong";
	case DMACC_REFUSED_RANGE:
		return "a part of its decimal form is larger than that part can be";
	case DMACC_REFUSED_FIRST_DIGIT:
		return "a MEID begins with A to F unless all its digits are decimal";
	case DMACC_REFUSED_PESN:
		return "it is a pseudo-ESN, which is not unique to a device";
	case DMACC_REFUSED_NOT_CANONICAL:
		return "it is not in canonical form, such as IMEI: and 15 digits";
	default:
		return "it is not an identifier";
	}
}

const char *dmacc_server_refusal_text(enum dmacc_refusal reason)
{
	switch (reason) {
	case DMACC_REFUSED_MISSING:
		return "there is no ServerID or Addr";
	case DMACC_REFUSED_LENGTH:
		return "a ServerID or Addr has at most 255 bytes";
	case DMACC_REFUSED_UTF8:
		return "it is not well-formed UTF-8";
	case DMACC_REFUSED_BLANK:
		return "it has a blank, no-break space or control character";
	case DMACC_REFUSED_ACL_CHARACTER:
		return "a ServerID cannot have =, &, * or +, which have a meaning in an ACL";
	default:
		return "it is not a ServerID or Addr";
	}
}
