// SPDX-License-Identifier: GPL-2.0-only
/* Replies that hold a secret: their bytes are gone once nobody has them any more. */
#include "../../kmod/sent.c"

#include <linux/mm.h>

#include "fixture.h"

static const char secret[] = "what the reply holds";

/* A reply in a page that the test keeps, so that it can look at it after the reply is gone */
static struct sk_buff *reply_in_page(struct kunit *test, void **ret_page)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	struct sk_buff *skb;

	KUNIT_ASSERT_NOT_NULL(test, page);
	skb = build_skb(page, PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	get_page(virt_to_page(page));
	skb_put_data(skb, secret, sizeof(secret));
	*ret_page = page;
	return skb;
}

static void *sent_reply(struct kunit *test, struct sk_buff **ret)
{
	void *page;

	*ret = reply_in_page(test, &page);
	KUNIT_ASSERT_EQ(test, 0, dmacc_sent_keep(*ret));
	return page;
}

static bool holds_secret(const void *page)
{
	return !memcmp(page, secret, sizeof(secret));
}

static bool is_wiped(const void *page)
{
	return !memchr_inv(page, 0, sizeof(secret));
}

static void a_reply_that_nobody_has_read_stays(struct kunit *test)
{
	struct sk_buff *skb;
	void *page = sent_reply(test, &skb);

	dmacc_sent_wipe();
	KUNIT_EXPECT_TRUE(test, holds_secret(page));
	KUNIT_EXPECT_EQ(test, skb_queue_len(&sent), 1u);
	consume_skb(skb);
	dmacc_sent_wipe();
	put_page(virt_to_page(page));
}

static void a_reply_that_was_read_is_wiped(struct kunit *test)
{
	struct sk_buff *skb;
	void *page = sent_reply(test, &skb);

	consume_skb(skb);
	dmacc_sent_wipe();
	KUNIT_EXPECT_TRUE(test, is_wiped(page));
	KUNIT_EXPECT_TRUE(test, skb_queue_empty(&sent));
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(page)), 1);
	put_page(virt_to_page(page));
}

static void a_reply_that_was_read_is_wiped_by_itself(struct kunit *test)
{
	struct sk_buff *skb;
	void *page = sent_reply(test, &skb);

	consume_skb(skb);
	flush_delayed_work(&wipe_work);
	KUNIT_EXPECT_TRUE(test, is_wiped(page));
	put_page(virt_to_page(page));
}

static void an_unread_reply_is_looked_after_until_it_is_read(struct kunit *test)
{
	struct sk_buff *skb;
	void *page = sent_reply(test, &skb);

	flush_delayed_work(&wipe_work);
	KUNIT_EXPECT_TRUE(test, holds_secret(page));
	consume_skb(skb);
	flush_delayed_work(&wipe_work);
	KUNIT_EXPECT_TRUE(test, is_wiped(page));
	put_page(virt_to_page(page));
}

static void the_next_reply_wipes_the_one_that_was_read(struct kunit *test)
{
	struct sk_buff *first, *second;
	void *first_page = sent_reply(test, &first), *second_page;

	consume_skb(first);
	second_page = sent_reply(test, &second);
	KUNIT_EXPECT_TRUE(test, is_wiped(first_page));
	KUNIT_EXPECT_TRUE(test, holds_secret(second_page));
	consume_skb(second);
	dmacc_sent_wipe();
	put_page(virt_to_page(first_page));
	put_page(virt_to_page(second_page));
}

static void at_the_end_what_is_unread_is_left_to_its_reader(struct kunit *test)
{
	struct sk_buff *skb;
	void *page = sent_reply(test, &skb);

	dmacc_sent_exit();
	KUNIT_EXPECT_TRUE(test, holds_secret(page));
	KUNIT_EXPECT_TRUE(test, skb_queue_empty(&sent));
	KUNIT_EXPECT_FALSE(test, skb_cloned(skb));
	consume_skb(skb);
	put_page(virt_to_page(page));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_reply_that_nobody_has_read_stays),
	KUNIT_CASE(a_reply_that_was_read_is_wiped),
	KUNIT_CASE(a_reply_that_was_read_is_wiped_by_itself),
	KUNIT_CASE(an_unread_reply_is_looked_after_until_it_is_read),
	KUNIT_CASE(the_next_reply_wipes_the_one_that_was_read),
	KUNIT_CASE(at_the_end_what_is_unread_is_left_to_its_reader),
	{}
};

static void leave(struct kunit *test)
{
	dmacc_sent_exit();
}

static struct kunit_suite suite = {
	.name = "dmacc-sent",
	.init = kunit_reset,
	.exit = leave,
	.test_cases = cases,
};

kunit_test_suite(suite);
