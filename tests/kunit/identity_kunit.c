// SPDX-License-Identifier: GPL-2.0-only
/*
 * The identity: latched once. Hardware that says what it is told to stands where kmod/hardware.c
 * does.
 */
#include "../../kmod/identity.c"

#include "fixture.h"

#define MEID "MEID:A0000000002329"
#define ESN "ESN:E69FFFFF"

/* "later": its driver is not there yet; NULL: it names none */
static const char later[] = "later";
static const char *hardware[DMACC_IDENTITY_NVMEM + 1][DMACC_KINDS];

int dmacc_hardware_read(enum dmacc_identity_source source, enum dmacc_devid_kind kind,
			char ret[DMACC_DEVID_MAX + 1])
{
	const char *devid = hardware[source][kind];

	if (!devid)
		return -ENOENT;
	if (devid == later)
		return -EPROBE_DEFER;
	strscpy(ret, devid, DMACC_DEVID_MAX + 1);
	return 0;
}

void kunit_reset_identity(void)
{
	guard(mutex)(&identity_lock);
	memset(&identity, 0, sizeof(identity));
	memset(hardware, 0, sizeof(hardware));
}

static void expect_identity(struct kunit *test, enum dmacc_identity_source source,
			    const char *devid, enum dmacc_identity_source conflict)
{
	struct dmacc_identity now;

	dmacc_identity_get(&now);
	KUNIT_EXPECT_EQ(test, (int)now.source, (int)source);
	KUNIT_EXPECT_STREQ(test, now.devid, devid);
	KUNIT_EXPECT_EQ(test, now.len, strlen(devid));
	KUNIT_EXPECT_EQ(test, (int)now.conflict, (int)conflict);
}

static void look(struct kunit *test, bool want_news, bool want_pending)
{
	struct dmacc_identity now;
	bool pending = !want_pending;

	KUNIT_EXPECT_EQ(test, dmacc_identity_look(&pending), want_news);
	KUNIT_EXPECT_EQ(test, pending, want_pending);
	dmacc_identity_get(&now);
	KUNIT_EXPECT_EQ(test, now.pending, want_pending);
}

static int latch(const char *devid, struct netlink_ext_ack *extack)
{
	memset(extack, 0, sizeof(*extack));
	return dmacc_identity_latch(DMACC_IDENTITY_SET, devid, strlen(devid), extack);
}

static void first_value_is_latched(struct kunit *test)
{
	struct dmacc_identity now;
	struct netlink_ext_ack extack;

	dmacc_identity_get(&now);
	KUNIT_EXPECT_EQ(test, (int)now.source, (int)DMACC_IDENTITY_NONE);
	KUNIT_EXPECT_EQ(test, now.len, (size_t)0);
	KUNIT_EXPECT_EQ(test, 0, latch(KUNIT_DEVID, &extack));
	dmacc_identity_get(&now);
	KUNIT_EXPECT_EQ(test, (int)now.source, (int)DMACC_IDENTITY_SET);
	KUNIT_EXPECT_STREQ(test, now.devid, KUNIT_DEVID);
	KUNIT_EXPECT_EQ(test, now.len, strlen(KUNIT_DEVID));
}

static void same_value_again_is_fine_and_keeps_its_source(struct kunit *test)
{
	struct dmacc_identity now;
	struct netlink_ext_ack extack;

	KUNIT_EXPECT_EQ(test, 0, latch(KUNIT_DEVID, &extack));
	KUNIT_EXPECT_EQ(test, 0, dmacc_identity_latch(DMACC_IDENTITY_BLOB, KUNIT_DEVID,
						      strlen(KUNIT_DEVID), &extack));
	dmacc_identity_get(&now);
	KUNIT_EXPECT_EQ(test, (int)now.source, (int)DMACC_IDENTITY_SET);
}

static void another_value_is_refused(struct kunit *test)
{
	struct dmacc_identity now;
	struct netlink_ext_ack extack;

	KUNIT_EXPECT_EQ(test, 0, latch(KUNIT_DEVID, &extack));
	KUNIT_EXPECT_EQ(test, -EEXIST, latch(KUNIT_OTHER_DEVID, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack),
			   "this device has another identity already");
	dmacc_identity_get(&now);
	KUNIT_EXPECT_STREQ(test, now.devid, KUNIT_DEVID);
}

static void what_is_not_canonical_is_refused_with_its_reason(struct kunit *test)
{
	struct netlink_ext_ack extack;

	KUNIT_EXPECT_EQ(test, -EINVAL, latch("IMEI:490154203237517", &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack),
			   dmacc_devid_refusal_text(DMACC_REFUSED_CHECK_DIGIT));
	KUNIT_EXPECT_EQ(test, -EINVAL, latch("490154203237518", &extack));
	KUNIT_EXPECT_EQ(test, -EINVAL, latch("", &extack));
	KUNIT_EXPECT_EQ(test, (int)identity.source, (int)DMACC_IDENTITY_NONE);
}

static void hardware_that_names_nobody_leaves_it_to_others(struct kunit *test)
{
	struct netlink_ext_ack extack;

	look(test, false, false);
	expect_identity(test, DMACC_IDENTITY_NONE, "", DMACC_IDENTITY_NONE);
	KUNIT_EXPECT_EQ(test, 0, latch(KUNIT_DEVID, &extack));
	look(test, false, false);
	expect_identity(test, DMACC_IDENTITY_SET, KUNIT_DEVID, DMACC_IDENTITY_NONE);
}

static void nvmem_comes_before_the_device_tree_and_that_before_smbios(struct kunit *test)
{
	static const enum dmacc_identity_source order[] = {
		DMACC_IDENTITY_SMBIOS, DMACC_IDENTITY_DEVICE_TREE, DMACC_IDENTITY_NVMEM,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		memset(&identity, 0, sizeof(identity));
		hardware[order[i]][DMACC_KIND_IMEI] = KUNIT_DEVID;
		look(test, true, false);
		expect_identity(test, order[i], KUNIT_DEVID, DMACC_IDENTITY_NONE);
	}
}

static void imei_of_any_source_comes_before_a_meid(struct kunit *test)
{
	hardware[DMACC_IDENTITY_NVMEM][DMACC_KIND_ESN] = ESN;
	hardware[DMACC_IDENTITY_DEVICE_TREE][DMACC_KIND_MEID] = MEID;
	hardware[DMACC_IDENTITY_SMBIOS][DMACC_KIND_IMEI] = KUNIT_DEVID;
	look(test, true, false);
	expect_identity(test, DMACC_IDENTITY_SMBIOS, KUNIT_DEVID, DMACC_IDENTITY_NONE);
}

static void sources_that_disagree_are_a_conflict_and_the_best_one_stays(struct kunit *test)
{
	hardware[DMACC_IDENTITY_NVMEM][DMACC_KIND_IMEI] = KUNIT_DEVID;
	hardware[DMACC_IDENTITY_DEVICE_TREE][DMACC_KIND_IMEI] = KUNIT_OTHER_DEVID;
	hardware[DMACC_IDENTITY_SMBIOS][DMACC_KIND_IMEI] = KUNIT_DEVID;
	look(test, true, false);
	expect_identity(test, DMACC_IDENTITY_NVMEM, KUNIT_DEVID, DMACC_IDENTITY_DEVICE_TREE);
	look(test, false, false);
	/* until reboot, whatever is said later */
	hardware[DMACC_IDENTITY_DEVICE_TREE][DMACC_KIND_IMEI] = KUNIT_DEVID;
	look(test, false, false);
	expect_identity(test, DMACC_IDENTITY_NVMEM, KUNIT_DEVID, DMACC_IDENTITY_DEVICE_TREE);
}

static void worse_source_is_not_taken_while_a_better_one_is_waited_for(struct kunit *test)
{
	hardware[DMACC_IDENTITY_NVMEM][DMACC_KIND_IMEI] = later;
	hardware[DMACC_IDENTITY_DEVICE_TREE][DMACC_KIND_IMEI] = KUNIT_OTHER_DEVID;
	hardware[DMACC_IDENTITY_SMBIOS][DMACC_KIND_MEID] = MEID;
	look(test, false, true);
	expect_identity(test, DMACC_IDENTITY_NONE, "", DMACC_IDENTITY_NONE);
	hardware[DMACC_IDENTITY_NVMEM][DMACC_KIND_IMEI] = KUNIT_DEVID;
	look(test, true, false);
	expect_identity(test, DMACC_IDENTITY_NVMEM, KUNIT_DEVID, DMACC_IDENTITY_DEVICE_TREE);
}

static void better_kind_does_not_wait_for_a_worse_one(struct kunit *test)
{
	hardware[DMACC_IDENTITY_NVMEM][DMACC_KIND_MEID] = later;
	hardware[DMACC_IDENTITY_SMBIOS][DMACC_KIND_IMEI] = KUNIT_DEVID;
	look(test, true, true);
	hardware[DMACC_IDENTITY_NVMEM][DMACC_KIND_MEID] = MEID;
	look(test, false, false);
	expect_identity(test, DMACC_IDENTITY_SMBIOS, KUNIT_DEVID, DMACC_IDENTITY_NONE);
}

static void cell_that_turns_out_bad_gives_way_to_the_next_source(struct kunit *test)
{
	hardware[DMACC_IDENTITY_NVMEM][DMACC_KIND_IMEI] = later;
	hardware[DMACC_IDENTITY_DEVICE_TREE][DMACC_KIND_IMEI] = KUNIT_DEVID;
	look(test, false, true);
	hardware[DMACC_IDENTITY_NVMEM][DMACC_KIND_IMEI] = NULL;
	look(test, true, false);
	expect_identity(test, DMACC_IDENTITY_DEVICE_TREE, KUNIT_DEVID, DMACC_IDENTITY_NONE);
}

static void late_hardware_that_says_the_same_is_fine(struct kunit *test)
{
	struct netlink_ext_ack extack;

	hardware[DMACC_IDENTITY_NVMEM][DMACC_KIND_IMEI] = later;
	look(test, false, true);
	KUNIT_EXPECT_EQ(test, 0, latch(KUNIT_DEVID, &extack));
	hardware[DMACC_IDENTITY_NVMEM][DMACC_KIND_IMEI] = KUNIT_DEVID;
	look(test, false, false);
	expect_identity(test, DMACC_IDENTITY_SET, KUNIT_DEVID, DMACC_IDENTITY_NONE);
}

static void late_hardware_that_says_another_is_a_conflict_and_changes_nothing(struct kunit *test)
{
	hardware[DMACC_IDENTITY_NVMEM][DMACC_KIND_IMEI] = later;
	look(test, false, true);
	KUNIT_EXPECT_EQ(test, 0, dmacc_identity_latch(DMACC_IDENTITY_BLOB, KUNIT_DEVID,
						      strlen(KUNIT_DEVID), NULL));
	look(test, false, true);
	hardware[DMACC_IDENTITY_NVMEM][DMACC_KIND_IMEI] = KUNIT_OTHER_DEVID;
	look(test, true, false);
	expect_identity(test, DMACC_IDENTITY_BLOB, KUNIT_DEVID, DMACC_IDENTITY_NVMEM);
}

static void late_imei_is_in_conflict_with_a_latched_meid_and_not_the_reverse(struct kunit *test)
{
	struct netlink_ext_ack extack;

	KUNIT_EXPECT_EQ(test, 0, latch(MEID, &extack));
	hardware[DMACC_IDENTITY_SMBIOS][DMACC_KIND_ESN] = ESN;
	look(test, false, false);
	expect_identity(test, DMACC_IDENTITY_SET, MEID, DMACC_IDENTITY_NONE);
	hardware[DMACC_IDENTITY_NVMEM][DMACC_KIND_IMEI] = KUNIT_DEVID;
	look(test, true, false);
	expect_identity(test, DMACC_IDENTITY_SET, MEID, DMACC_IDENTITY_NVMEM);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(first_value_is_latched),
	KUNIT_CASE(same_value_again_is_fine_and_keeps_its_source),
	KUNIT_CASE(another_value_is_refused),
	KUNIT_CASE(what_is_not_canonical_is_refused_with_its_reason),
	KUNIT_CASE(hardware_that_names_nobody_leaves_it_to_others),
	KUNIT_CASE(nvmem_comes_before_the_device_tree_and_that_before_smbios),
	KUNIT_CASE(imei_of_any_source_comes_before_a_meid),
	KUNIT_CASE(sources_that_disagree_are_a_conflict_and_the_best_one_stays),
	KUNIT_CASE(worse_source_is_not_taken_while_a_better_one_is_waited_for),
	KUNIT_CASE(better_kind_does_not_wait_for_a_worse_one),
	KUNIT_CASE(cell_that_turns_out_bad_gives_way_to_the_next_source),
	KUNIT_CASE(late_hardware_that_says_the_same_is_fine),
	KUNIT_CASE(late_hardware_that_says_another_is_a_conflict_and_changes_nothing),
	KUNIT_CASE(late_imei_is_in_conflict_with_a_latched_meid_and_not_the_reverse),
	{}
};

static struct kunit_suite suite = {
	.name = "dmacc-identity",
	.init = kunit_reset,
	.exit = kunit_leave,
	.test_cases = cases,
};

kunit_test_suite(suite);
