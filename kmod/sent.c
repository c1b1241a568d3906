// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replies that hold a secret. Once they are read the kernel frees their buffers as they are, and
 * what was in them stays in memory until something else is written there. A clone shares a reply's
 * buffer; when it is the last that does, the buffer is wiped.
 */
#include <linux/jiffies.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "sent.h"

/* An agent reads a reply at once, unless it was stopped */
#define DELAY	(HZ / 10)

static struct sk_buff_head sent;		/* has its own lock */

/* Those that somebody has yet to read stay as they are */
void dmacc_sent_wipe(void)
{
	struct sk_buff_head unread;
	struct sk_buff *skb;

	__skb_queue_head_init(&unread);
	while ((skb = skb_dequeue(&sent))) {
		if (skb_cloned(skb)) {
			__skb_queue_tail(&unread, skb);
			continue;
		}
		memzero_explicit(skb->data, skb->len);
		consume_skb(skb);
	}
	spin_lock_irq(&sent.lock);
	skb_queue_splice(&unread, &sent);
	spin_unlock_irq(&sent.lock);
}

static void wipe_later(struct work_struct *work)
{
	dmacc_sent_wipe();
	if (!skb_queue_empty(&sent))
		schedule_delayed_work(to_delayed_work(work), DELAY);
}

static DECLARE_DELAYED_WORK(wipe_work, wipe_later);

/**
 * dmacc_sent_keep() - have a reply wiped once it was read, or thrown away unread
 * @skb: finished, about to be sent, and so small for its buffer that netlink does not copy it into
 *       another one
 *
 * Return: 0 or -ENOMEM.
 */
int dmacc_sent_keep(struct sk_buff *skb)
{
	struct sk_buff *clone = skb_clone(skb, GFP_KERNEL);

	if (!clone)
		return -ENOMEM;
	/* the one before has been read by now: there are never many */
	dmacc_sent_wipe();
	skb_queue_tail(&sent, clone);
	schedule_delayed_work(&wipe_work, DELAY);
	return 0;
}

void dmacc_sent_init(void)
{
	skb_queue_head_init(&sent);
}

/* Nothing is sent any more. What nobody has read yet will be freed by whoever has it. */
void dmacc_sent_exit(void)
{
	cancel_delayed_work_sync(&wipe_work);
	dmacc_sent_wipe();
	skb_queue_purge(&sent);
}
