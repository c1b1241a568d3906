// SPDX-License-Identifier: GPL-2.0-only
/* The identity: latched once. */
#include "../../kmod/identity.c"

#include "fixture.h"

void kunit_reset_identity(void)
{
	guard(mutex)(&identity_lock);
	memset(&identity, 0, sizeof(identity));
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

static void string_of_hardware_is_taken_only_if_it_is_an_identifier(struct kunit *test)
{
	guard(mutex)(&identity_lock);
	KUNIT_EXPECT_FALSE(test, take(DMACC_IDENTITY_SMBIOS, "SMBIOS", "490154203237518"));
	KUNIT_EXPECT_FALSE(test, take(DMACC_IDENTITY_SMBIOS, "SMBIOS",
				      "IMEI:4901542032375180000000000000000000000000000000000"));
	KUNIT_EXPECT_TRUE(test, take(DMACC_IDENTITY_SMBIOS, "SMBIOS", KUNIT_DEVID));
	KUNIT_EXPECT_STREQ(test, identity.devid, KUNIT_DEVID);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(first_value_is_latched),
	KUNIT_CASE(same_value_again_is_fine_and_keeps_its_source),
	KUNIT_CASE(another_value_is_refused),
	KUNIT_CASE(what_is_not_canonical_is_refused_with_its_reason),
	KUNIT_CASE(string_of_hardware_is_taken_only_if_it_is_an_identifier),
	{}
};

static struct kunit_suite suite = {
	.name = "dmacc-identity",
	.init = kunit_reset,
	.exit = kunit_leave,
	.test_cases = cases,
};

kunit_test_suite(suite);
