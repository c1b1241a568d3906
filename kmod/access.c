// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may call. The question is asked in the handlers and not by flags of the operations, which
 * refuse without a sentence and without an audit record.
 */
#include <linux/audit.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/ratelimit.h>
#include <linux/user_namespace.h>
#include <net/sock.h>

#include "access.h"
#include "refuse.h"
#include "root.h"

static bool is_agent_cred(const struct cred *cred, kuid_t agent)
{
	return cred->user_ns == &init_user_ns && uid_eq(cred->euid, agent);
}

/* Both who opened the socket and who sends: neither may lend the other what he has not */
static bool is_agent(const struct sk_buff *skb)
{
	const struct socket *sock = NETLINK_CB(skb).sk->sk_socket;
	kuid_t agent = dmacc_root_agent();

	return uid_valid(agent) && sock && sock->file &&
	       is_agent_cred(sock->file->f_cred, agent) && is_agent_cred(current_cred(), agent);
}

bool dmacc_access_granted(const struct sk_buff *skb, enum dmacc_access access)
{
	if (access == DMACC_ACCESS_AGENT && is_agent(skb))
		return true;
	/* opener and sender, in the initial user namespace */
	return netlink_capable(skb, CAP_SYS_ADMIN);
}

/**
 * dmacc_audit() - what was done, to which slot, with what result, by whom
 * @op: name of the operation
 * @slot: name of the slot, or NULL
 * @result: 0 or a negative errno
 *
 * Never an identifier and never a value. Called outside of locks: it may sleep.
 */
void dmacc_audit(const char *op, const char *slot, int result)
{
	struct audit_buffer *ab;

	if (!audit_enabled)
		return;
	ab = audit_log_start(audit_context(), GFP_KERNEL, AUDIT_KERNEL_OTHER);
	if (!ab)
		return;
	/* a name that was not found good does not come here: it could forge fields */
	audit_log_format(ab, "dmacc op=%s slot=%s errno=%d", op, slot ? slot : "?", -result);
	audit_log_task_info(ab);
	audit_log_format(ab, " res=%d", !result);
	audit_log_end(ab);
}

int dmacc_access_check(const struct sk_buff *skb, const struct genl_info *info,
		       enum dmacc_access access)
{
	static DEFINE_RATELIMIT_STATE(refusals, 5 * HZ, 10);

	if (dmacc_access_granted(skb, access))
		return 0;
	if (__ratelimit(&refusals))
		dmacc_audit("access", NULL, -EPERM);
	if (access == DMACC_ACCESS_ADMIN)
		return dmacc_refuse(info->extack, -EPERM,
				    "this needs CAP_SYS_ADMIN in the initial user namespace");
	return dmacc_refuse(info->extack, -EPERM,
			    "this is for the agent whose uid OPEN_ROOT named, or CAP_SYS_ADMIN");
}
