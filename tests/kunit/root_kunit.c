// SPDX-License-Identifier: GPL-2.0-only
/* The root: made, sealed, opened, locked, forgotten; and every step of a rung that can fail. */
#include "../../kmod/root.c"

#include <linux/delay.h>
#include <linux/kthread.h>

#include "fixture.h"

static const u8 master[DMACC_MASTER_LEN] = { 1, 2, 3, [31] = 4 };
static const u8 other_master[DMACC_MASTER_LEN] = { 1, 2, 3, [31] = 5 };

/* Puts back what only a reboot does */
void kunit_reset_root(void)
{
	guard(dmacc_root)();
	dmacc_root_wipe(DMACC_ROOT_ABSENT);
	dmacc_root_bar(false);
	if (is_locked())
		module_put(THIS_MODULE);
	spin_lock(&status_lock);
	memset(&status, 0, sizeof(status));
	spin_unlock(&status_lock);
}

static struct dmacc_root_request wrapped(const struct dmacc_root_buf *blob, const u8 *with)
{
	return (struct dmacc_root_request) {
		.rung = DMACC_RUNG_WRAPPED, .blob = blob ? blob->bytes : NULL,
		.blob_len = blob ? blob->len : 0, .seal.master = with,
		.master_source = DMACC_MASTER_FILE, .agent = KUIDT_INIT(1001),
	};
}

static int open_wrapped(const struct dmacc_root_buf *blob, const u8 *with,
			struct dmacc_root_buf *ret, struct netlink_ext_ack *extack)
{
	const struct dmacc_root_request request = wrapped(blob, with);

	memset(extack, 0, sizeof(*extack));
	return dmacc_root_open(&request, ret, extack);
}

static int open_fake(const struct dmacc_root_buf *blob, struct dmacc_root_buf *ret,
		     struct netlink_ext_ack *extack)
{
	const struct dmacc_root_request request = {
		.rung = DMACC_RUNG_TRUSTED, .blob = blob ? blob->bytes : NULL,
		.blob_len = blob ? blob->len : 0, .agent = KUIDT_INIT(1001),
	};

	memset(extack, 0, sizeof(*extack));
	return dmacc_root_open(&request, ret, extack);
}

static int store_key(u8 key[DMACC_KEY_LEN])
{
	struct dmacc_root_status now;

	guard(dmacc_root)();
	return dmacc_root_derive(DMACC_OUTPUT_STORE, key, &now, NULL);
}

static void wipe(void)
{
	guard(dmacc_root)();
	dmacc_root_wipe(DMACC_ROOT_NEEDS_LOAD);
}

static void sealed_root_opens_again_and_gives_the_same_keys(struct kunit *test)
{
	struct dmacc_root_buf *blob = kunit_new_root(test);
	struct dmacc_root_buf *again = kunit_new_root(test);
	struct netlink_ext_ack extack;
	u8 before[DMACC_KEY_LEN], after[DMACC_KEY_LEN];

	KUNIT_ASSERT_EQ(test, 0, open_wrapped(NULL, master, blob, &extack));
	KUNIT_EXPECT_EQ(test, 0, store_key(before));
	wipe();
	KUNIT_EXPECT_EQ(test, -ENOKEY, store_key(after));
	KUNIT_ASSERT_EQ(test, 0, open_wrapped(blob, master, again, &extack));
	KUNIT_EXPECT_EQ(test, 0, store_key(after));
	KUNIT_EXPECT_BYTES(test, before, after, sizeof(before));
	KUNIT_EXPECT_EQ(test, blob->len, again->len);
	KUNIT_EXPECT_BYTES(test, blob->bytes, again->bytes, blob->len);
}

static void two_roots_have_different_ids_and_keys(struct kunit *test)
{
	struct dmacc_root_buf *first = kunit_new_root(test);
	struct dmacc_root_buf *second = kunit_new_root(test);
	struct netlink_ext_ack extack;
	u8 a[DMACC_KEY_LEN], b[DMACC_KEY_LEN];

	KUNIT_ASSERT_EQ(test, 0, open_wrapped(NULL, master, first, &extack));
	KUNIT_EXPECT_EQ(test, 0, store_key(a));
	wipe();
	KUNIT_ASSERT_EQ(test, 0, open_wrapped(NULL, master, second, &extack));
	KUNIT_EXPECT_EQ(test, 0, store_key(b));
	KUNIT_EXPECT_NE(test, 0, memcmp(first->blob.root_id, second->blob.root_id,
					DMACC_ROOT_ID_LEN));
	KUNIT_EXPECT_NE(test, memcmp(a, b, sizeof(a)), 0);
}

static void each_changed_byte_of_a_sealed_root_is_refused_with_a_sentence(struct kunit *test)
{
	struct dmacc_root_buf *blob = kunit_new_root(test);
	struct dmacc_root_buf *again = kunit_new_root(test);
	struct netlink_ext_ack extack;
	size_t i;

	KUNIT_ASSERT_EQ(test, 0, open_wrapped(NULL, master, blob, &extack));
	wipe();
	for (i = 0; i < blob->len; i++) {
		blob->bytes[i] ^= 4;
		KUNIT_EXPECT_NE_MSG(test, 0, open_wrapped(blob, master, again, &extack),
				    "byte %zu", i);
		KUNIT_EXPECT_TRUE_MSG(test, extack._msg, "byte %zu", i);
		blob->bytes[i] ^= 4;
	}
	KUNIT_EXPECT_EQ(test, (int)status.state, (int)DMACC_ROOT_SEALED_UNAVAILABLE);
	KUNIT_EXPECT_EQ(test, (int)status.reason, (int)DMACC_REASON_REFUSED);
	KUNIT_EXPECT_EQ(test, 0, open_wrapped(blob, master, again, &extack));
	KUNIT_EXPECT_EQ(test, (int)status.reason, (int)DMACC_REASON_NONE);
}

static void master_for_a_rung_without_one_is_refused(struct kunit *test)
{
	struct dmacc_root_buf *blob = kunit_new_root(test);
	struct netlink_ext_ack extack = {};
	const struct dmacc_root_request request = {
		.rung = DMACC_RUNG_TRUSTED, .seal.master = master,
		.master_source = DMACC_MASTER_FILE, .agent = KUIDT_INIT(1001),
	};

	KUNIT_EXPECT_EQ(test, -EINVAL, dmacc_root_open(&request, blob, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "a trusted root has no master");
	KUNIT_EXPECT_EQ(test, fake_seal.makes, 0u);
}

static void changed_byte_that_the_rung_overlooks_is_refused(struct kunit *test)
{
	struct dmacc_root_buf *blob = kunit_new_root(test);
	struct dmacc_root_buf *again = kunit_new_root(test);
	struct netlink_ext_ack extack;

	KUNIT_ASSERT_EQ(test, 0, open_fake(NULL, blob, &extack));
	wipe();
	blob->bytes[blob->len - 1] ^= 1;
	KUNIT_EXPECT_EQ(test, -EKEYREJECTED, open_fake(blob, again, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "the sealed root was changed");
	blob->bytes[blob->len - 1] ^= 1;
	KUNIT_EXPECT_EQ(test, 0, open_fake(blob, again, &extack));
}

static void what_is_wrong_with_a_sealed_root_is_said(struct kunit *test)
{
	struct dmacc_root_buf *blob = kunit_new_root(test);
	struct dmacc_root_buf *bad = kunit_new_root(test);
	struct dmacc_root_buf *again = kunit_new_root(test);
	struct netlink_ext_ack extack;

	KUNIT_ASSERT_EQ(test, 0, open_wrapped(NULL, master, blob, &extack));
	wipe();
	KUNIT_EXPECT_EQ(test, -EKEYREJECTED, open_wrapped(blob, other_master, again, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack),
			   "the master is another one, or the sealed root was changed");
	KUNIT_EXPECT_EQ(test, -EINVAL, open_wrapped(blob, NULL, again, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "a wrapped root needs the master");
	*bad = *blob;
	bad->blob.magic[0]++;
	KUNIT_EXPECT_EQ(test, -EINVAL, open_wrapped(bad, master, again, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "this is not a sealed root");
	*bad = *blob;
	bad->blob.format++;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, open_wrapped(bad, master, again, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack),
			   "the sealed root has a format that this module does not know");
	*bad = *blob;
	bad->blob.rung = 99;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, open_wrapped(bad, master, again, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack),
			   "this module cannot seal with that rung here");
	KUNIT_EXPECT_EQ(test, (int)status.reason, (int)DMACC_REASON_NO_KEY_TYPE);
	*bad = *blob;
	bad->len--;
	KUNIT_EXPECT_EQ(test, -EINVAL, open_wrapped(bad, master, again, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack),
			   "the sealed root has been cut or lengthened");
	bad->len = sizeof(bad->blob) - 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, open_wrapped(bad, master, again, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "this is not a sealed root");
}

static void rung_that_seals_another_root_under_the_same_name_is_refused(struct kunit *test)
{
	struct dmacc_root_buf *blob = kunit_new_root(test);
	struct dmacc_root_buf *again = kunit_new_root(test);
	struct netlink_ext_ack extack;

	KUNIT_ASSERT_EQ(test, 0, open_fake(NULL, blob, &extack));
	wipe();
	fake_seal.open_garbage = true;
	KUNIT_EXPECT_EQ(test, -EKEYREJECTED, open_fake(blob, again, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "the sealed root was changed");
	KUNIT_EXPECT_TRUE(test, !root_mac);
}

static void second_root_is_refused_and_the_first_stays(struct kunit *test)
{
	struct dmacc_root_buf *first = kunit_new_root(test);
	struct dmacc_root_buf *second = kunit_new_root(test);
	struct dmacc_root_buf *again = kunit_new_root(test);
	struct netlink_ext_ack extack;

	KUNIT_ASSERT_EQ(test, 0, open_wrapped(NULL, master, second, &extack));
	wipe();
	KUNIT_ASSERT_EQ(test, 0, open_wrapped(NULL, master, first, &extack));
	KUNIT_EXPECT_EQ(test, -EEXIST, open_wrapped(NULL, master, again, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack),
			   "a root is open already: if its sealed form was lost, unload the module");
	KUNIT_EXPECT_EQ(test, -EEXIST, open_wrapped(second, master, again, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "another root is open");
	KUNIT_EXPECT_EQ(test, 0, open_wrapped(first, master, again, &extack));
	KUNIT_EXPECT_EQ(test, (int)status.state, (int)DMACC_ROOT_OPEN);
	KUNIT_EXPECT_BYTES(test, status.id, first->blob.root_id, DMACC_ROOT_ID_LEN);
}

/* What becomes of a rung's error; without a @sentence of its own it is one that names the step */
static const struct failure {
	int of_rung, err;
	enum dmacc_root_reason reason;
	const char *sentence;
} failures[] = {
	{ -EIO, -EIO, DMACC_REASON_REFUSED, NULL },
	{ -ENOMEM, -ENOMEM, DMACC_REASON_REFUSED, NULL },
	{ -ENODEV, -ENODEV, DMACC_REASON_NO_KEY_TYPE,
	  "this kernel has no trusted keys, or nothing here that seals them" },
	{ -EKEYREJECTED, -EKEYREJECTED, DMACC_REASON_REFUSED,
	  "the TPM or what else seals trusted keys refused it" },
	{ -EBADMSG, -EKEYREJECTED, DMACC_REASON_REFUSED, "the sealed root was changed" },
};

static void expect_failure(struct kunit *test, const struct failure *failure, int err,
			   const struct netlink_ext_ack *extack, const char *sentence)
{
	KUNIT_EXPECT_EQ(test, failure->err, err);
	KUNIT_EXPECT_STREQ(test, kunit_sentence(extack), failure->sentence ?: sentence);
	KUNIT_EXPECT_EQ(test, (int)status.state, (int)DMACC_ROOT_SEALED_UNAVAILABLE);
	KUNIT_EXPECT_EQ(test, (int)status.reason, (int)failure->reason);
}

static void failure_to_seal_leaves_no_root_and_can_be_retried(struct kunit *test)
{
	struct dmacc_root_buf *blob = kunit_new_root(test);
	struct netlink_ext_ack extack;
	u8 key[DMACC_KEY_LEN];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(failures); i++) {
		fake_seal.make_err = failures[i].of_rung;
		expect_failure(test, &failures[i], open_fake(NULL, blob, &extack), &extack,
			       "the root cannot be sealed");
		KUNIT_EXPECT_EQ(test, -ENOKEY, store_key(key));
	}
	fake_seal.make_err = 0;
	KUNIT_EXPECT_EQ(test, 0, open_fake(NULL, blob, &extack));
	KUNIT_EXPECT_EQ(test, (int)status.rung, (int)DMACC_RUNG_TRUSTED);
	KUNIT_EXPECT_EQ(test, (int)status.state, (int)DMACC_ROOT_OPEN);
}

static void failure_to_open_is_a_state_and_can_be_retried(struct kunit *test)
{
	struct dmacc_root_buf *blob = kunit_new_root(test);
	struct dmacc_root_buf *again = kunit_new_root(test);
	struct netlink_ext_ack extack;
	size_t i;

	KUNIT_ASSERT_EQ(test, 0, open_fake(NULL, blob, &extack));
	wipe();
	for (i = 0; i < ARRAY_SIZE(failures); i++) {
		fake_seal.open_err = failures[i].of_rung;
		expect_failure(test, &failures[i], open_fake(blob, again, &extack), &extack,
			       "the root cannot be opened");
	}
	KUNIT_EXPECT_EQ(test, fake_seal.makes, 1u);
	fake_seal.open_err = 0;
	KUNIT_EXPECT_EQ(test, 0, open_fake(blob, again, &extack));
	KUNIT_EXPECT_EQ(test, (int)status.state, (int)DMACC_ROOT_OPEN);
}

static void failure_to_open_again_leaves_the_open_root_alone(struct kunit *test)
{
	struct dmacc_root_buf *blob = kunit_new_root(test);
	struct dmacc_root_buf *again = kunit_new_root(test);
	struct netlink_ext_ack extack;
	u8 key[DMACC_KEY_LEN];

	KUNIT_ASSERT_EQ(test, 0, open_fake(NULL, blob, &extack));
	fake_seal.open_err = -EIO;
	KUNIT_EXPECT_EQ(test, -EIO, open_fake(blob, again, &extack));
	KUNIT_EXPECT_EQ(test, (int)status.state, (int)DMACC_ROOT_OPEN);
	KUNIT_EXPECT_EQ(test, 0, store_key(key));
}

static void lock_needs_a_root_and_can_be_repeated(struct kunit *test)
{
	struct dmacc_root_buf *blob = kunit_new_root(test);
	struct dmacc_root_buf *locked = kunit_new_root(test);
	struct netlink_ext_ack extack = {};

	KUNIT_EXPECT_EQ(test, -ENOKEY, dmacc_root_lock(locked, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "no root is open");
	KUNIT_EXPECT_FALSE(test, is_locked());
	KUNIT_ASSERT_EQ(test, 0, open_fake(NULL, blob, &extack));
	KUNIT_EXPECT_EQ(test, 0, dmacc_root_lock(locked, &extack));
	KUNIT_EXPECT_EQ(test, 0, dmacc_root_lock(blob, &extack));
	KUNIT_EXPECT_TRUE(test, is_locked());
	KUNIT_EXPECT_EQ(test, locked->blob.flags, DMACC_ROOT_FLAG_LOCKED);
	KUNIT_EXPECT_BYTES(test, blob->bytes, locked->bytes, blob->len);
}

static void locked_root_locks_and_the_unlocked_does_not_unlock(struct kunit *test)
{
	struct dmacc_root_buf *blob = kunit_new_root(test);
	struct dmacc_root_buf *locked = kunit_new_root(test);
	struct dmacc_root_buf *again = kunit_new_root(test);
	struct netlink_ext_ack extack;

	KUNIT_ASSERT_EQ(test, 0, open_wrapped(NULL, master, blob, &extack));
	KUNIT_EXPECT_EQ(test, 0, dmacc_root_lock(locked, &extack));
	KUNIT_EXPECT_EQ(test, locked->blob.flags, DMACC_ROOT_FLAG_LOCKED);
	KUNIT_EXPECT_EQ(test, 0, dmacc_root_lock(again, &extack));
	kunit_reset_root();
	KUNIT_EXPECT_EQ(test, 0, open_wrapped(locked, master, again, &extack));
	KUNIT_EXPECT_TRUE(test, is_locked());
	KUNIT_EXPECT_EQ(test, 0, open_wrapped(blob, master, again, &extack));
	KUNIT_EXPECT_TRUE(test, is_locked());
	KUNIT_EXPECT_BYTES(test, again->bytes, locked->bytes, locked->len);
	wipe();
	KUNIT_EXPECT_TRUE(test, is_locked());
	KUNIT_EXPECT_EQ(test, -EPERM, open_wrapped(NULL, master, again, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "locked: no new root is made");
}

static void locked_form_of_the_open_root_takes_the_place_of_the_unlocked(struct kunit *test)
{
	struct dmacc_root_buf *blob = kunit_new_root(test);
	struct dmacc_root_buf *locked = kunit_new_root(test);
	struct dmacc_root_buf *again = kunit_new_root(test);
	struct netlink_ext_ack extack;

	KUNIT_ASSERT_EQ(test, 0, open_wrapped(NULL, master, blob, &extack));
	KUNIT_EXPECT_EQ(test, 0, dmacc_root_lock(locked, &extack));
	kunit_reset_root();
	KUNIT_EXPECT_EQ(test, 0, open_wrapped(blob, master, again, &extack));
	KUNIT_EXPECT_FALSE(test, is_locked());
	KUNIT_EXPECT_EQ(test, 0, open_wrapped(locked, master, again, &extack));
	KUNIT_EXPECT_TRUE(test, is_locked());
	KUNIT_EXPECT_EQ(test, again->blob.flags, DMACC_ROOT_FLAG_LOCKED);
}

static void module_that_begins_locked_makes_no_root(struct kunit *test)
{
	struct dmacc_root_buf *blob = kunit_new_root(test);
	struct netlink_ext_ack extack;

	dmacc_root_init(true);
	KUNIT_EXPECT_EQ(test, -EPERM, open_wrapped(NULL, master, blob, &extack));
	dmacc_root_init(false);
}

static void wipe_leaves_nothing_of_the_root(struct kunit *test)
{
	struct dmacc_root_buf *blob = kunit_new_root(test);
	struct netlink_ext_ack extack;

	KUNIT_ASSERT_EQ(test, 0, open_wrapped(NULL, master, blob, &extack));
	KUNIT_EXPECT_TRUE(test, uid_eq(dmacc_root_agent(), KUIDT_INIT(1001)));
	wipe();
	KUNIT_EXPECT_TRUE(test, !root_mac);
	KUNIT_EXPECT_TRUE(test, !memchr_inv(root_fingerprint, 0, sizeof(root_fingerprint)));
	KUNIT_EXPECT_TRUE(test, !memchr_inv(&root_buf, 0, sizeof(root_buf)));
	KUNIT_EXPECT_FALSE(test, uid_valid(dmacc_root_agent()));
	KUNIT_EXPECT_EQ(test, (int)status.state, (int)DMACC_ROOT_NEEDS_LOAD);
}

static int seal_a_key(void *data)
{
	static const u8 device_key[DMACC_KEY_LEN] = { 1 };
	const struct dmacc_slot_info info = { .name = "late", .key_version = 1 };
	struct dmacc_slot_blob blob;
	int *ret = data;

	*ret = dmacc_slot_seal(&info, device_key, &blob, NULL);
	return *ret;
}

static int late_result;
static struct task_struct *late;

/* While a root that was locked is being opened, somebody asks to seal a key */
static void start_sealing(struct kunit *test)
{
	late = kthread_create(seal_a_key, &late_result, "dmacc-kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, late);
	get_task_struct(late);
	wake_up_process(late);
	msleep(100);
}

static void key_that_is_to_be_sealed_while_the_root_locks_is_refused(struct kunit *test)
{
	struct dmacc_root_buf *unlocked = kunit_new_root(test);
	struct dmacc_root_buf *locked = kunit_new_root(test);
	struct dmacc_root_buf *again = kunit_new_root(test);
	struct netlink_ext_ack extack;

	KUNIT_ASSERT_EQ(test, 0, dmacc_identity_latch(DMACC_IDENTITY_SET, KUNIT_DEVID,
						      strlen(KUNIT_DEVID), NULL));
	KUNIT_ASSERT_EQ(test, 0, open_fake(NULL, unlocked, &extack));
	KUNIT_ASSERT_EQ(test, 0, dmacc_root_lock(locked, &extack));
	kunit_reset_root();
	KUNIT_ASSERT_EQ(test, 0, open_fake(unlocked, again, &extack));
	late_result = 1;
	fake_seal.during_open = start_sealing;
	KUNIT_EXPECT_EQ(test, 0, open_fake(locked, again, &extack));
	kthread_stop(late);
	put_task_struct(late);
	KUNIT_EXPECT_EQ(test, -EPERM, late_result);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(sealed_root_opens_again_and_gives_the_same_keys),
	KUNIT_CASE(two_roots_have_different_ids_and_keys),
	KUNIT_CASE(each_changed_byte_of_a_sealed_root_is_refused_with_a_sentence),
	KUNIT_CASE(what_is_wrong_with_a_sealed_root_is_said),
	KUNIT_CASE(master_for_a_rung_without_one_is_refused),
	KUNIT_CASE(changed_byte_that_the_rung_overlooks_is_refused),
	KUNIT_CASE(rung_that_seals_another_root_under_the_same_name_is_refused),
	KUNIT_CASE(second_root_is_refused_and_the_first_stays),
	KUNIT_CASE(failure_to_seal_leaves_no_root_and_can_be_retried),
	KUNIT_CASE(failure_to_open_is_a_state_and_can_be_retried),
	KUNIT_CASE(failure_to_open_again_leaves_the_open_root_alone),
	KUNIT_CASE(lock_needs_a_root_and_can_be_repeated),
	KUNIT_CASE(locked_root_locks_and_the_unlocked_does_not_unlock),
	KUNIT_CASE(locked_form_of_the_open_root_takes_the_place_of_the_unlocked),
	KUNIT_CASE(module_that_begins_locked_makes_no_root),
	KUNIT_CASE(wipe_leaves_nothing_of_the_root),
	KUNIT_CASE(key_that_is_to_be_sealed_while_the_root_locks_is_refused),
	{}
};

static struct kunit_suite suite = {
	.name = "dmacc-root",
	.init = kunit_reset,
	.exit = kunit_leave,
	.test_cases = cases,
};

kunit_test_suite(suite);
