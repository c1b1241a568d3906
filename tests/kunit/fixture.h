/* SPDX-License-Identifier: GPL-2.0-only */
/* What the suites share: a device that can be put back to how it was before anything was done. */
#ifndef _DMACC_KUNIT_FIXTURE_H
#define _DMACC_KUNIT_FIXTURE_H

#include <kunit/test.h>

#include "identity.h"
#include "root.h"
#include "slot.h"

/* The published vector's */
#define KUNIT_DEVID "IMEI:490154203237518"
#define KUNIT_OTHER_DEVID "IMEI:354358001352586"

/**
 * struct fake_seal - a rung "trusted" whose every step can be made to fail
 * @make_err: what make() returns, or 0 to make
 * @open_err: what open() returns, or 0 to open
 * @open_garbage: open() gives another root than was sealed
 * @makes: how often make() was called
 * @during_open: called within open(), for races
 */
struct fake_seal {
	int make_err;
	int open_err;
	bool open_garbage;
	unsigned int makes;
	void (*during_open)(struct kunit *test);
	struct kunit *test;
};

extern struct fake_seal fake_seal;
extern unsigned int kunit_events;	/* how many were announced */

/* Each in the file that has the state of which it is */
void kunit_reset_identity(void);
void kunit_reset_root(void);
int kunit_reset(struct kunit *test);
void kunit_leave(struct kunit *test);
struct dmacc_root_buf *kunit_new_root(struct kunit *test);
void kunit_open_fake_root(struct kunit *test, struct dmacc_root_buf *ret);

/* The sentence of a refusal, for KUNIT_EXPECT_STREQ() */
static inline const char *kunit_sentence(const struct netlink_ext_ack *extack)
{
	return extack->_msg ? extack->_msg : "(no sentence)";
}

#define KUNIT_EXPECT_BYTES(test, a, b, len) KUNIT_EXPECT_EQ(test, memcmp((a), (b), (len)), 0)

#endif
