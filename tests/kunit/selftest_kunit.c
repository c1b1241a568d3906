// SPDX-License-Identifier: GPL-2.0-only
/* The known-answer test of a module that computes rightly. */
#include "../../kmod/selftest.c"

#include "fixture.h"

static void known_answers_are_given(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, dmacc_selftest());
}

static struct kunit_case cases[] = {
	KUNIT_CASE(known_answers_are_given),
	{}
};

static struct kunit_suite suite = { .name = "dmacc-selftest", .test_cases = cases };

kunit_test_suite(suite);
