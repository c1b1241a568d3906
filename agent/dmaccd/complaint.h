/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why the bus refuses something that a client asked for */
#ifndef DMACC_DMACCD_COMPLAINT_H
#define DMACC_DMACCD_COMPLAINT_H

/* The errors of uapi/org.dmacc1.xml, which has the words */
enum refusal_kind {
	REFUSAL_NONE,
	REFUSAL_NOT_READY,
	REFUSAL_BUSY,
	REFUSAL_NO_SUCH_NODE,
	REFUSAL_NOT_PERMITTED,
	REFUSAL_BAD_VALUE,
	REFUSAL_DOWNGRADE,
	REFUSAL_WRONG_CREDENTIAL,
	REFUSAL_NOT_AUTHENTICATED,
	REFUSAL_REFUSED,
	REFUSAL_UNWRITTEN,
};

/**
 * struct complaint - a refusal
 * @sentence: for a person; no capital, no full stop; no secret is in it
 */
struct complaint {
	enum refusal_kind kind;
	char sentence[384];
};

/* Fills @reterr. Returns -EPERM, which says that there is a complaint. */
__attribute__((format(printf, 3, 4)))
int complain_of(struct complaint *reterr, enum refusal_kind kind, const char *format, ...);

#endif
