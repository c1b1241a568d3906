// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family "dmacc": uapi/dmacc.yaml. Requests are taken apart here and answered here;
 * what they mean is said in root.c, slot.c and identity.c.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include <net/genetlink.h>

#include "access.h"
#include "identity.h"
#include "netlink.h"
#include "refuse.h"
#include "root.h"
#include "sent.h"
#include "slot.h"

static struct genl_family dmacc_family;

/* The bytes of a secret in the request are wiped where they lie, whatever became of it */
static void wipe_attr(const struct genl_info *info, int attr)
{
	if (info->attrs[attr])
		memzero_explicit(nla_data(info->attrs[attr]), nla_len(info->attrs[attr]));
}

/* A reply that has been begun */
struct reply {
	struct sk_buff *skb;
	void *header;
};

/* @payload: bytes of the attributes with all that surrounds them */
static int reply_begin_sized(struct reply *reply, const struct genl_info *info, u8 cmd,
			     size_t payload)
{
	reply->skb = genlmsg_new(payload, GFP_KERNEL);
	if (!reply->skb)
		return -ENOMEM;
	reply->header = genlmsg_put(reply->skb, info->snd_portid, info->snd_seq, &dmacc_family, 0,
				    cmd);
	if (!reply->header) {
		nlmsg_free(reply->skb);
		return -EMSGSIZE;
	}
	return 0;
}

static int reply_begin(struct reply *reply, const struct genl_info *info, u8 cmd)
{
	return reply_begin_sized(reply, info, cmd, GENLMSG_DEFAULT_SIZE);
}

/* What was put into it may be secret */
static void reply_drop(struct reply *reply)
{
	memzero_explicit(reply->skb->data, reply->skb->len);
	nlmsg_free(reply->skb);
}

/* Sends it, or drops it if an attribute did not fit */
static int reply_end(struct reply *reply, struct genl_info *info, int err)
{
	if (err) {
		reply_drop(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply->skb, reply->header);
	return genlmsg_reply(reply->skb, info);
}

/* The same of one that holds a secret; it was begun with its size, or netlink would copy it */
static int reply_end_secret(struct reply *reply, struct genl_info *info, int err)
{
	if (!err)
		genlmsg_end(reply->skb, reply->header);
	if (err || dmacc_sent_keep(reply->skb)) {
		reply_drop(reply);
		return err ? -EMSGSIZE : -ENOMEM;
	}
	return genlmsg_reply(reply->skb, info);
}

static int put_slot(struct sk_buff *skb, const struct dmacc_slot_info *slot)
{
	struct nlattr *nest = nla_nest_start(skb, DMACC_A_SLOT);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_string(skb, DMACC_SLOT_A_NAME, slot->name) ||
	    nla_put(skb, DMACC_SLOT_A_KEY_ID, sizeof(slot->key_id), slot->key_id) ||
	    nla_put_u32(skb, DMACC_SLOT_A_KEY_VERSION, slot->key_version))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_status(struct sk_buff *skb, const struct dmacc_slot_info *slots, unsigned int count,
		      bool privileged)
{
	struct dmacc_identity identity;
	struct dmacc_root_status root;
	unsigned int i;
	int err;

	dmacc_identity_get(&identity);
	dmacc_root_get_status(&root);
	err = nla_put_string(skb, DMACC_A_MODULE_VERSION, DMACC_VERSION) ||
	      nla_put_u8(skb, DMACC_A_IDENTITY_SOURCE, identity.source) ||
	      nla_put_u8(skb, DMACC_A_IDENTITY_CONFLICT, identity.conflict) ||
	      nla_put_u8(skb, DMACC_A_IDENTITY_PENDING, identity.pending) ||
	      nla_put_u8(skb, DMACC_A_RUNG, root.rung) ||
	      nla_put_u8(skb, DMACC_A_ROOT_STATE, root.state) ||
	      nla_put_u8(skb, DMACC_A_ROOT_REASON, root.reason) ||
	      nla_put_u8(skb, DMACC_A_MASTER_SOURCE, root.master_source) ||
	      nla_put_u8(skb, DMACC_A_LOCKED, root.locked) ||
	      nla_put_u32(skb, DMACC_A_SLOT_COUNT, count);
	if (!err && privileged && root.state == DMACC_ROOT_OPEN)
		err = nla_put(skb, DMACC_A_ROOT_ID, sizeof(root.id), root.id);
	for (i = 0; i < count && privileged && !err; i++)
		err = put_slot(skb, &slots[i]);
	return err;
}

static int get_status(struct sk_buff *skb, struct genl_info *info)
{
	struct dmacc_slot_info *slots;
	struct reply reply;
	unsigned int count;
	int err;

	slots = kmalloc_array(DMACC_SLOTS_MAX, sizeof(*slots), GFP_KERNEL);
	if (!slots)
		return -ENOMEM;
	count = dmacc_slot_list(slots);
	err = reply_begin(&reply, info, DMACC_CMD_GET_STATUS);
	if (!err)
		err = reply_end(&reply, info,
				put_status(reply.skb, slots, count,
					   dmacc_access_granted(skb, DMACC_ACCESS_AGENT)));
	kfree(slots);
	return err;
}

static int put_root(struct sk_buff *skb, u8 cmd, const struct dmacc_root_buf *buf)
{
	struct dmacc_root_status root;
	int err;

	dmacc_root_get_status(&root);
	err = nla_put_u8(skb, DMACC_A_LOCKED, root.locked) ||
	      nla_put(skb, DMACC_A_ROOT_BLOB, buf->len, buf->bytes);
	if (!err && cmd == DMACC_CMD_OPEN_ROOT)
		err = nla_put_u8(skb, DMACC_A_RUNG, buf->blob.rung) ||
		      nla_put(skb, DMACC_A_ROOT_ID, sizeof(buf->blob.root_id), buf->blob.root_id);
	return err;
}

/*
 * OPEN_ROOT and LOCK. The reply is there before anything is done: a root that was made, but that
 * nobody was told of, would be in the way.
 */
static int do_root(struct genl_info *info, u8 cmd, const struct dmacc_root_request *request)
{
	struct dmacc_root_buf *buf = kmalloc(sizeof(*buf), GFP_KERNEL);
	struct reply reply;
	int err;

	err = buf ? reply_begin(&reply, info, cmd) : -ENOMEM;
	if (!err) {
		err = cmd == DMACC_CMD_OPEN_ROOT ? dmacc_root_open(request, buf, info->extack) :
						   dmacc_root_lock(buf, info->extack);
		if (err)
			reply_drop(&reply);
		else
			err = reply_end(&reply, info, put_root(reply.skb, cmd, buf));
	}
	kfree(buf);
	return err;
}

static int read_open_root(struct genl_info *info, struct dmacc_root_request *request)
{
	struct nlattr **attrs = info->attrs;

	if (GENL_REQ_ATTR_CHECK(info, DMACC_A_AGENT_UID))
		return dmacc_refuse(info->extack, -EINVAL, "the uid of the agent is missing");
	request->agent = make_kuid(&init_user_ns, nla_get_u32(attrs[DMACC_A_AGENT_UID]));
	if (!uid_valid(request->agent))
		return dmacc_refuse(info->extack, -EINVAL, "the uid of the agent is not valid");
	if (!attrs[DMACC_A_ROOT_BLOB] && !attrs[DMACC_A_RUNG])
		return dmacc_refuse(info->extack, -EINVAL, "a sealed root or a rung is needed");
	if (attrs[DMACC_A_ROOT_BLOB]) {
		request->blob = nla_data(attrs[DMACC_A_ROOT_BLOB]);
		request->blob_len = nla_len(attrs[DMACC_A_ROOT_BLOB]);
	} else {
		request->rung = nla_get_u8(attrs[DMACC_A_RUNG]);
	}
	if (attrs[DMACC_A_MASTER])
		request->seal.master = nla_data(attrs[DMACC_A_MASTER]);
	if (attrs[DMACC_A_MASTER_SOURCE])
		request->master_source = nla_get_u8(attrs[DMACC_A_MASTER_SOURCE]);
	if (attrs[DMACC_A_TPM_PARENT])
		request->seal.tpm_parent = nla_get_u32(attrs[DMACC_A_TPM_PARENT]);
	if (!request->seal.master != !request->master_source)
		return dmacc_refuse(info->extack, -EINVAL, "master and its source go together");
	return 0;
}

static int open_root(struct sk_buff *skb, struct genl_info *info)
{
	struct dmacc_root_request request = {};
	int err;

	err = dmacc_access_check(skb, info, DMACC_ACCESS_ADMIN);
	if (!err) {
		err = read_open_root(info, &request);
		if (!err)
			err = do_root(info, DMACC_CMD_OPEN_ROOT, &request);
		dmacc_audit("open-root", NULL, err);
		dmacc_netlink_notify(DMACC_EVENT_ROOT);
	}
	wipe_attr(info, DMACC_A_MASTER);
	return err;
}

static int lock(struct sk_buff *skb, struct genl_info *info)
{
	int err;

	err = dmacc_access_check(skb, info, DMACC_ACCESS_ADMIN);
	if (err)
		return err;
	err = do_root(info, DMACC_CMD_LOCK, NULL);
	dmacc_audit("lock", NULL, err);
	if (!err)
		dmacc_netlink_notify(DMACC_EVENT_LOCKED);
	return err;
}

/*
 * As with a root the reply is begun before anything is done: a command that fails for want of
 * memory has changed nothing, and can be repeated.
 */
static int reply_slot(struct reply *reply, struct genl_info *info,
		      const struct dmacc_slot_info *slot, const struct dmacc_slot_blob *blob)
{
	int err = nla_put_string(reply->skb, DMACC_A_SLOT_NAME, slot->name) ||
		  nla_put(reply->skb, DMACC_A_KEY_ID, sizeof(slot->key_id), slot->key_id) ||
		  nla_put_u32(reply->skb, DMACC_A_KEY_VERSION, slot->key_version);

	if (!err && blob)
		err = nla_put(reply->skb, DMACC_A_SLOT_BLOB, sizeof(*blob), blob);
	return reply_end(reply, info, err);
}

static int read_seal_key(struct genl_info *info, struct dmacc_slot_info *slot)
{
	if (GENL_REQ_ATTR_CHECK(info, DMACC_A_SLOT_NAME) ||
	    GENL_REQ_ATTR_CHECK(info, DMACC_A_KEY_ID) ||
	    GENL_REQ_ATTR_CHECK(info, DMACC_A_KEY_VERSION) ||
	    GENL_REQ_ATTR_CHECK(info, DMACC_A_DEVICE_KEY))
		return dmacc_refuse(info->extack, -EINVAL,
				    "slot, KeyId, key version and device key are needed");
	nla_strscpy(slot->name, info->attrs[DMACC_A_SLOT_NAME], sizeof(slot->name));
	memcpy(slot->key_id, nla_data(info->attrs[DMACC_A_KEY_ID]), sizeof(slot->key_id));
	slot->key_version = nla_get_u32(info->attrs[DMACC_A_KEY_VERSION]);
	return 0;
}

static int do_seal_key(struct genl_info *info, struct dmacc_slot_info *slot)
{
	struct nlattr *key = info->attrs[DMACC_A_DEVICE_KEY];
	struct dmacc_slot_blob blob;
	struct reply reply;
	int err;

	err = read_seal_key(info, slot);
	if (!err)
		err = reply_begin(&reply, info, DMACC_CMD_SEAL_KEY);
	if (err)
		return err;
	err = dmacc_slot_seal(slot, nla_data(key), &blob, info->extack);
	if (!err)
		return reply_slot(&reply, info, slot, &blob);
	reply_drop(&reply);
	return err;
}

static int seal_key(struct sk_buff *skb, struct genl_info *info)
{
	struct dmacc_slot_info slot = {};
	int err;

	err = dmacc_access_check(skb, info, DMACC_ACCESS_ADMIN);
	if (!err) {
		err = do_seal_key(info, &slot);
		/* a name that was refused is whatever the sender liked */
		dmacc_audit("seal-key", err ? NULL : slot.name, err);
	}
	wipe_attr(info, DMACC_A_DEVICE_KEY);
	if (!err)
		dmacc_netlink_notify(DMACC_EVENT_SLOTS);
	return err;
}

static int do_load_key(struct genl_info *info, struct dmacc_slot_info *slot)
{
	struct nlattr *blob = info->attrs[DMACC_A_SLOT_BLOB];
	struct reply reply;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, DMACC_A_SLOT_BLOB))
		return dmacc_refuse(info->extack, -EINVAL, "the sealed key is missing");
	if (nla_len(blob) != sizeof(struct dmacc_slot_blob))
		return dmacc_refuse(info->extack, -EINVAL, "a sealed key has another length");
	err = reply_begin(&reply, info, DMACC_CMD_LOAD_KEY);
	if (err)
		return err;
	err = dmacc_slot_load(nla_data(blob), slot, info->extack);
	if (!err)
		return reply_slot(&reply, info, slot, NULL);
	reply_drop(&reply);
	return err;
}

static int load_key(struct sk_buff *skb, struct genl_info *info)
{
	struct dmacc_slot_info slot;
	int err;

	err = dmacc_access_check(skb, info, DMACC_ACCESS_ADMIN);
	if (err)
		return err;
	err = do_load_key(info, &slot);
	dmacc_audit("load-key", err ? NULL : slot.name, err);
	if (!err)
		dmacc_netlink_notify(DMACC_EVENT_SLOTS);
	return err;
}

static int do_forget_key(struct genl_info *info, const char *name)
{
	struct reply reply;
	int err;

	err = reply_begin(&reply, info, DMACC_CMD_FORGET_KEY);
	if (err)
		return err;
	err = dmacc_slot_forget(name, info->extack);
	if (!err)
		return reply_end(&reply, info,
				 nla_put_string(reply.skb, DMACC_A_SLOT_NAME, name));
	reply_drop(&reply);
	return err;
}

static int forget_key(struct sk_buff *skb, struct genl_info *info)
{
	char name[DMACC_SLOT_NAME_MAX + 1];
	int err;

	err = dmacc_access_check(skb, info, DMACC_ACCESS_ADMIN);
	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, DMACC_A_SLOT_NAME))
		return dmacc_refuse(info->extack, -EINVAL, "the name of the slot is missing");
	nla_strscpy(name, info->attrs[DMACC_A_SLOT_NAME], sizeof(name));
	err = do_forget_key(info, name);
	dmacc_audit("forget-key", err ? NULL : name, err);
	if (!err)
		dmacc_netlink_notify(DMACC_EVENT_SLOTS);
	return err;
}

static int reply_identity(struct reply *reply, struct genl_info *info)
{
	struct dmacc_identity identity;
	int err;

	dmacc_identity_get(&identity);
	err = nla_put_u8(reply->skb, DMACC_A_IDENTITY_SOURCE, identity.source);
	if (!err && identity.len)
		err = nla_put_string(reply->skb, DMACC_A_DEVID, identity.devid);
	return reply_end(reply, info, err);
}

static int get_identity(struct sk_buff *skb, struct genl_info *info)
{
	struct reply reply;
	int err;

	err = dmacc_access_check(skb, info, DMACC_ACCESS_AGENT);
	if (!err)
		err = reply_begin(&reply, info, DMACC_CMD_GET_IDENTITY);
	return err ? err : reply_identity(&reply, info);
}

static int do_set_identity(struct genl_info *info)
{
	struct nlattr *devid = info->attrs[DMACC_A_DEVID];
	struct reply reply;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, DMACC_A_DEVID))
		return dmacc_refuse(info->extack, -EINVAL, "the identifier is missing");
	err = reply_begin(&reply, info, DMACC_CMD_SET_IDENTITY);
	if (err)
		return err;
	err = dmacc_identity_latch(DMACC_IDENTITY_SET, nla_data(devid),
				   strnlen(nla_data(devid), nla_len(devid)), info->extack);
	if (!err)
		return reply_identity(&reply, info);
	reply_drop(&reply);
	return err;
}

static int set_identity(struct sk_buff *skb, struct genl_info *info)
{
	struct dmacc_identity before;
	int err;

	err = dmacc_access_check(skb, info, DMACC_ACCESS_AGENT);
	if (err)
		return err;
	dmacc_identity_get(&before);
	err = do_set_identity(info);
	dmacc_audit("set-identity", NULL, err);
	if (!err && before.source == DMACC_IDENTITY_NONE)
		dmacc_netlink_notify(DMACC_EVENT_IDENTITY);
	return err;
}

static size_t derived_size(const struct dmacc_derived *d)
{
	return nla_total_size(strlen(d->user_name) + 1) + nla_total_size(strlen(d->server_pw) + 1) +
	       nla_total_size(strlen(d->client_pw) + 1) + nla_total_size(sizeof(d->server_nonce)) +
	       nla_total_size(sizeof(d->client_nonce));
}

static int reply_derived(struct genl_info *info, const struct dmacc_derived *d)
{
	struct reply reply;
	int err;

	err = reply_begin_sized(&reply, info, DMACC_CMD_DERIVE, derived_size(d));
	if (err)
		return err;
	err = nla_put_string(reply.skb, DMACC_A_USER_NAME, d->user_name) ||
	      nla_put_string(reply.skb, DMACC_A_SERVER_PW, d->server_pw) ||
	      nla_put_string(reply.skb, DMACC_A_CLIENT_PW, d->client_pw) ||
	      nla_put(reply.skb, DMACC_A_SERVER_NONCE, sizeof(d->server_nonce), d->server_nonce) ||
	      nla_put(reply.skb, DMACC_A_CLIENT_NONCE, sizeof(d->client_nonce), d->client_nonce);
	return reply_end_secret(&reply, info, err);
}

static int derive(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct dmacc_derive_request request;
	char name[DMACC_SLOT_NAME_MAX + 1];
	struct dmacc_root_status root;
	struct dmacc_derived derived;
	int err;

	err = dmacc_access_check(skb, info, DMACC_ACCESS_AGENT);
	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, DMACC_A_SLOT_NAME) ||
	    GENL_REQ_ATTR_CHECK(info, DMACC_A_SERVER_KIND) ||
	    GENL_REQ_ATTR_CHECK(info, DMACC_A_SERVER))
		return dmacc_refuse(info->extack, -EINVAL, "slot, server and its kind are needed");
	dmacc_root_get_status(&root);
	if (root.state != DMACC_ROOT_OPEN)
		return dmacc_refuse(info->extack, -ENOKEY, "no root is open");
	nla_strscpy(name, attrs[DMACC_A_SLOT_NAME], sizeof(name));
	request = (struct dmacc_derive_request) {
		.slot = name,
		.kind = nla_get_u8(attrs[DMACC_A_SERVER_KIND]),
		.server = nla_data(attrs[DMACC_A_SERVER]),
		.server_len = nla_len(attrs[DMACC_A_SERVER]),
	};
	if (attrs[DMACC_A_GENERATION])
		request.generation = nla_get_u32(attrs[DMACC_A_GENERATION]);
	err = dmacc_slot_derive(&request, &derived, info->extack);
	dmacc_audit("derive", err ? NULL : name, err);
	if (!err)
		err = reply_derived(info, &derived);
	memzero_explicit(&derived, sizeof(derived));
	return err;
}

static int store_key(struct sk_buff *skb, struct genl_info *info)
{
	struct dmacc_root_status root;
	u8 key[DMACC_KEY_LEN];
	struct reply reply;
	int err;

	err = dmacc_access_check(skb, info, DMACC_ACCESS_AGENT);
	if (err)
		return err;
	scoped_guard(dmacc_root)
		err = dmacc_root_derive(DMACC_OUTPUT_STORE, key, &root, info->extack);
	dmacc_audit("store-key", NULL, err);
	if (!err)
		err = reply_begin_sized(&reply, info, DMACC_CMD_STORE_KEY,
					nla_total_size(sizeof(root.id)) +
					nla_total_size(sizeof(key)));
	if (!err)
		err = reply_end_secret(&reply, info,
				       nla_put(reply.skb, DMACC_A_ROOT_ID, sizeof(root.id),
					       root.id) ||
				       nla_put(reply.skb, DMACC_A_STORE_KEY, sizeof(key), key));
	memzero_explicit(key, sizeof(key));
	return err;
}

static const struct nla_policy open_root_policy[DMACC_A_MAX + 1] = {
	[DMACC_A_RUNG] = NLA_POLICY_RANGE(NLA_U8, 1, 2),
	[DMACC_A_ROOT_BLOB] = NLA_POLICY_RANGE(NLA_BINARY, 0, DMACC_BLOB_MAX),
	[DMACC_A_MASTER] = NLA_POLICY_EXACT_LEN(DMACC_MASTER_LEN),
	[DMACC_A_MASTER_SOURCE] = NLA_POLICY_RANGE(NLA_U8, 1, 3),
	[DMACC_A_AGENT_UID] = { .type = NLA_U32 },
	[DMACC_A_TPM_PARENT] = { .type = NLA_U32 },
};

static const struct nla_policy seal_key_policy[DMACC_A_MAX + 1] = {
	[DMACC_A_SLOT_NAME] = { .type = NLA_NUL_STRING, .len = DMACC_SLOT_NAME_MAX },
	[DMACC_A_KEY_ID] = NLA_POLICY_EXACT_LEN(DMACC_KEYID_LEN),
	[DMACC_A_KEY_VERSION] = NLA_POLICY_MIN(NLA_U32, 1),
	[DMACC_A_DEVICE_KEY] = NLA_POLICY_EXACT_LEN(DMACC_DEVICE_KEY_LEN),
};

static const struct nla_policy load_key_policy[DMACC_A_MAX + 1] = {
	[DMACC_A_SLOT_BLOB] = NLA_POLICY_RANGE(NLA_BINARY, 0, DMACC_BLOB_MAX),
};

static const struct nla_policy forget_key_policy[DMACC_A_MAX + 1] = {
	[DMACC_A_SLOT_NAME] = { .type = NLA_NUL_STRING, .len = DMACC_SLOT_NAME_MAX },
};

static const struct nla_policy set_identity_policy[DMACC_A_MAX + 1] = {
	[DMACC_A_DEVID] = { .type = NLA_NUL_STRING, .len = DMACC_DEVID_BYTES_MAX },
};

static const struct nla_policy derive_policy[DMACC_A_MAX + 1] = {
	[DMACC_A_SLOT_NAME] = { .type = NLA_NUL_STRING, .len = DMACC_SLOT_NAME_MAX },
	[DMACC_A_SERVER_KIND] = NLA_POLICY_RANGE(NLA_U8, 1, 2),
	[DMACC_A_SERVER] = NLA_POLICY_RANGE(NLA_BINARY, 1, DMACC_SERVER_BYTES_MAX),
	[DMACC_A_GENERATION] = { .type = NLA_U32 },
};

/* Takes no attribute: what is given is refused, not passed over */
static const struct nla_policy no_policy[DMACC_A_MAX + 1] = {};

/* All tables are of full length: to generic netlink a maxattr of 0 means that of the family */
#define OP(_cmd, _doit, _policy)				\
	{							\
		.cmd = (_cmd),					\
		.doit = (_doit),				\
		.policy = (_policy),				\
		.maxattr = DMACC_A_MAX,				\
	}

static const struct genl_ops dmacc_ops[] = {
	OP(DMACC_CMD_GET_STATUS, get_status, no_policy),
	OP(DMACC_CMD_OPEN_ROOT, open_root, open_root_policy),
	OP(DMACC_CMD_SEAL_KEY, seal_key, seal_key_policy),
	OP(DMACC_CMD_LOAD_KEY, load_key, load_key_policy),
	OP(DMACC_CMD_FORGET_KEY, forget_key, forget_key_policy),
	OP(DMACC_CMD_LOCK, lock, no_policy),
	OP(DMACC_CMD_GET_IDENTITY, get_identity, no_policy),
	OP(DMACC_CMD_SET_IDENTITY, set_identity, set_identity_policy),
	OP(DMACC_CMD_DERIVE, derive, derive_policy),
	OP(DMACC_CMD_STORE_KEY, store_key, no_policy),
};

static const struct genl_multicast_group dmacc_groups[] = {
	{ .name = DMACC_MCGRP_EVENTS, .flags = GENL_MCAST_CAP_NET_ADMIN },
};

static struct genl_family dmacc_family __ro_after_init = {
	.name = DMACC_FAMILY_NAME,
	.version = DMACC_FAMILY_VERSION,
	.maxattr = DMACC_A_MAX,
	.module = THIS_MODULE,
	.ops = dmacc_ops,
	.n_ops = ARRAY_SIZE(dmacc_ops),
	.mcgrps = dmacc_groups,
	.n_mcgrps = ARRAY_SIZE(dmacc_groups),
	/* the agent lives in a network namespace of its own */
	.netnsok = true,
	/* a TPM takes long; other families and DERIVE do not wait for it */
	.parallel_ops = true,
};

/* A hint for a monitor. That it cannot be sent, or that nobody listens, is no error. */
void dmacc_netlink_notify(enum dmacc_event event)
{
	struct sk_buff *skb = genlmsg_new(nla_total_size(sizeof(u8)), GFP_KERNEL);
	void *header;

	if (!skb)
		return;
	header = genlmsg_put(skb, 0, 0, &dmacc_family, 0, DMACC_CMD_EVENT);
	if (!header || nla_put_u8(skb, DMACC_A_EVENT, event)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, header);
	genlmsg_multicast_netns(&dmacc_family, &init_net, skb, 0, 0, GFP_KERNEL);
}

int __init dmacc_netlink_init(void)
{
	return genl_register_family(&dmacc_family);
}

void dmacc_netlink_exit(void)
{
	genl_unregister_family(&dmacc_family);
}
