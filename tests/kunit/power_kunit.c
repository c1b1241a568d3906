// SPDX-License-Identifier: GPL-2.0-only
/* Forgetting before hibernation and restart, also while somebody keeps loading keys. */
#include "../../kmod/power.c"

#include <linux/kthread.h>
#include <linux/slab.h>

#include "fixture.h"

static const u8 device_key[DMACC_KEY_LEN] = { 0x4b };
static const struct dmacc_slot_info info = { .name = "alpha", .key_version = 1 };

struct sealed {
	struct dmacc_root_buf *root;
	struct dmacc_slot_blob slot;
};

static void provision(struct kunit *test, struct sealed *ret)
{
	KUNIT_ASSERT_EQ(test, 0, dmacc_identity_latch(DMACC_IDENTITY_SET, KUNIT_DEVID,
						      strlen(KUNIT_DEVID), NULL));
	ret->root = kunit_new_root(test);
	kunit_open_fake_root(test, ret->root);
	KUNIT_ASSERT_EQ(test, 0, dmacc_slot_seal(&info, device_key, &ret->slot, NULL));
}

static int open_and_load(const struct sealed *sealed, struct netlink_ext_ack *extack)
{
	const struct dmacc_root_request request = {
		.blob = sealed->root->bytes, .blob_len = sealed->root->len,
	};
	struct dmacc_root_buf *again = kmalloc(sizeof(*again), GFP_KERNEL);
	struct dmacc_slot_info got;
	int err = again ? dmacc_root_open(&request, again, extack) : -ENOMEM;

	kfree(again);
	return err ? err : dmacc_slot_load(&sealed->slot, &got, extack);
}

static bool is_empty(struct kunit *test)
{
	struct dmacc_slot_info *list = kunit_kcalloc(test, DMACC_SLOTS_MAX, sizeof(*list),
						     GFP_KERNEL);
	struct dmacc_root_status now;
	bool empty;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, list);
	dmacc_root_get_status(&now);
	empty = now.state != DMACC_ROOT_OPEN && !dmacc_slot_list(list);
	kunit_kfree(test, list);
	return empty;
}

static void expect_forgotten_until(struct kunit *test, int (*prepare)(void), int (*post)(void))
{
	struct netlink_ext_ack extack = {};
	struct dmacc_root_status now;
	struct sealed sealed;

	provision(test, &sealed);
	KUNIT_EXPECT_EQ(test, NOTIFY_OK, prepare());
	KUNIT_EXPECT_TRUE(test, is_empty(test));
	dmacc_root_get_status(&now);
	KUNIT_EXPECT_EQ(test, (int)now.state, (int)DMACC_ROOT_NEEDS_LOAD);
	KUNIT_EXPECT_EQ(test, kunit_events, 2u);
	KUNIT_EXPECT_EQ(test, -EBUSY, open_and_load(&sealed, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack),
			   "the system goes to sleep or restarts: no root is opened now");
	KUNIT_EXPECT_TRUE(test, is_empty(test));
	if (!post)
		return;
	KUNIT_EXPECT_EQ(test, NOTIFY_OK, post());
	KUNIT_EXPECT_EQ(test, 0, open_and_load(&sealed, &extack));
	KUNIT_EXPECT_FALSE(test, is_empty(test));
}

static int begin_hibernation(void)
{
	return on_pm(&pm_notifier, PM_HIBERNATION_PREPARE, NULL);
}

static int end_hibernation(void)
{
	return on_pm(&pm_notifier, PM_POST_HIBERNATION, NULL);
}

static int begin_restore(void)
{
	return on_pm(&pm_notifier, PM_RESTORE_PREPARE, NULL);
}

static int end_restore(void)
{
	return on_pm(&pm_notifier, PM_POST_RESTORE, NULL);
}

static int restart(void)
{
	return on_reboot(&reboot_notifier, SYS_RESTART, NULL);
}

static void nothing_is_there_or_comes_in_while_the_system_hibernates(struct kunit *test)
{
	expect_forgotten_until(test, begin_hibernation, end_hibernation);
}

static void nothing_is_there_or_comes_in_while_an_image_is_restored(struct kunit *test)
{
	expect_forgotten_until(test, begin_restore, end_restore);
}

static void nothing_is_there_or_comes_in_once_the_system_restarts(struct kunit *test)
{
	expect_forgotten_until(test, restart, NULL);
}

static void suspend_to_memory_keeps_what_is_loaded(struct kunit *test)
{
	struct sealed sealed;

	provision(test, &sealed);
	on_pm(&pm_notifier, PM_SUSPEND_PREPARE, NULL);
	on_pm(&pm_notifier, PM_POST_SUSPEND, NULL);
	KUNIT_EXPECT_FALSE(test, is_empty(test));
	KUNIT_EXPECT_EQ(test, kunit_events, 0u);
}

static int keep_loading(void *data)
{
	while (!kthread_should_stop()) {
		open_and_load(data, NULL);
		cond_resched();
	}
	return 0;
}

static void no_key_comes_in_behind_a_wipe_while_somebody_keeps_loading(struct kunit *test)
{
	unsigned int round, seen = 0, left = 0;
	struct task_struct *loader;
	struct sealed sealed;

	provision(test, &sealed);
	loader = kthread_run(keep_loading, &sealed, "dmacc-kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, loader);
	for (round = 0; round < 300; round++) {
		seen += !is_empty(test);
		begin_hibernation();
		left += !is_empty(test);
		schedule_timeout_uninterruptible(1);
		left += !is_empty(test);
		end_hibernation();
		schedule_timeout_uninterruptible(1);
	}
	kthread_stop(loader);
	KUNIT_EXPECT_EQ(test, left, 0u);
	KUNIT_EXPECT_GT(test, seen, 10u);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(nothing_is_there_or_comes_in_while_the_system_hibernates),
	KUNIT_CASE(nothing_is_there_or_comes_in_while_an_image_is_restored),
	KUNIT_CASE(nothing_is_there_or_comes_in_once_the_system_restarts),
	KUNIT_CASE(suspend_to_memory_keeps_what_is_loaded),
	KUNIT_CASE(no_key_comes_in_behind_a_wipe_while_somebody_keeps_loading),
	{}
};

static struct kunit_suite suite = {
	.name = "dmacc-power",
	.init = kunit_reset,
	.exit = kunit_leave,
	.test_cases = cases,
};

kunit_test_suite(suite);
