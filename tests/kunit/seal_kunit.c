// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rungs of these tests: the real "wrapped", and a fake "trusted" that fails where it is told.
 * This file stands where kmod/seal.c does in the module.
 */
#include "../../kmod/seal_wrapped.c"

#include "fixture.h"
#include "netlink.h"
#include "sent.h"

struct fake_seal fake_seal;
unsigned int kunit_events;

static const u8 fake_master[DMACC_MASTER_LEN] = { 0xfa, 0x4e };
static const struct dmacc_seal_input fake_input = { .master = fake_master };

/*
 * R is given out even in failure: it is the caller's to wipe. Behind what is sealed is a byte that
 * opening ignores, as the encoding of a trusted key has some.
 */
static int fake_make(const struct dmacc_seal_input *input, u8 ret_root[DMACC_KEY_LEN],
		     u8 *ret_sealed, size_t *ret_len)
{
	int err = wrapped_make(&fake_input, ret_root, ret_sealed, ret_len);

	fake_seal.makes++;
	ret_sealed[(*ret_len)++] = 0xaa;
	return fake_seal.make_err ? fake_seal.make_err : err;
}

static int fake_open(const struct dmacc_seal_input *input, const u8 *sealed, size_t len,
		     u8 ret_root[DMACC_KEY_LEN])
{
	int err = wrapped_open(&fake_input, sealed, len - 1, ret_root);

	if (fake_seal.during_open)
		fake_seal.during_open(fake_seal.test);
	if (!err && fake_seal.open_garbage)
		ret_root[0] ^= 1;
	return fake_seal.open_err ? fake_seal.open_err : err;
}

static const struct dmacc_seal seal_trusted = {
	.rung = DMACC_RUNG_TRUSTED,
	.make = fake_make,
	.open = fake_open,
};

const struct dmacc_seal *dmacc_seal_of(unsigned int rung)
{
	if (rung == DMACC_RUNG_TRUSTED)
		return &seal_trusted;
	return rung == DMACC_RUNG_WRAPPED ? &dmacc_seal_wrapped : NULL;
}

/* In place of kmod/netlink.c, which has nobody to tell */
void dmacc_netlink_notify(enum dmacc_event event)
{
	kunit_events++;
}

/* Before each case that has to do with the device */
int kunit_reset(struct kunit *test)
{
	dmacc_slot_forget_all();
	kunit_reset_root();
	kunit_reset_identity();
	dmacc_sent_init();
	fake_seal = (struct fake_seal) { .test = test };
	kunit_events = 0;
	return 0;
}

/* And after it: what the last case left would leak when the tests are unloaded */
void kunit_leave(struct kunit *test)
{
	kunit_reset(test);
}

/* Too large for a stack */
struct dmacc_root_buf *kunit_new_root(struct kunit *test)
{
	struct dmacc_root_buf *buf = kunit_kzalloc(test, sizeof(*buf), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	return buf;
}

void kunit_open_fake_root(struct kunit *test, struct dmacc_root_buf *ret)
{
	const struct dmacc_root_request request = {
		.rung = DMACC_RUNG_TRUSTED, .agent = KUIDT_INIT(1001),
	};

	KUNIT_ASSERT_EQ(test, 0, dmacc_root_open(&request, ret, NULL));
}
