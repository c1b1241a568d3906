// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "transport.h"

struct dmacc_kernel {
	struct transport transport;
};

/* A request that is being built: the first attribute that did not fit is remembered */
struct request {
	struct nl_msg *msg;
	int error;
};

static const struct nla_policy slot_policy[DMACC_SLOT_A_MAX + 1] = {
	[DMACC_SLOT_A_NAME] = { .type = NLA_STRING, .maxlen = DMACC_SLOT_NAME_MAX + 1 },
	[DMACC_SLOT_A_KEY_ID] = { .minlen = DMACC_KEYID_LEN, .maxlen = DMACC_KEYID_LEN },
	[DMACC_SLOT_A_KEY_VERSION] = { .type = NLA_U32 },
};

static struct request begin(const struct dmacc_kernel *kernel, enum dmacc_cmd cmd)
{
	struct nl_msg *msg = transport_message(&kernel->transport, (uint8_t)cmd);

	return (struct request){ .msg = msg, .error = msg ? 0 : -ENOMEM };
}

static void put(struct request *request, enum dmacc_attr attr, const void *data, size_t len)
{
	/* more than any attribute of this family has: the policy of the module would refuse it */
	if (!request->error && (len > DMACC_BLOB_MAX || nla_put(request->msg, attr, (int)len, data)))
		request->error = -EMSGSIZE;
}

static void put_u8(struct request *request, enum dmacc_attr attr, uint8_t value)
{
	put(request, attr, &value, sizeof(value));
}

static void put_u32(struct request *request, enum dmacc_attr attr, uint32_t value)
{
	put(request, attr, &value, sizeof(value));
}

static void put_string(struct request *request, enum dmacc_attr attr, const char *text)
{
	put(request, attr, text, strlen(text) + 1);
}

static void put_master(struct request *request, const struct dmacc_kernel_master *master)
{
	if (!master)
		return;
	put(request, DMACC_A_MASTER, master->bytes, sizeof(master->bytes));
	put_u8(request, DMACC_A_MASTER_SOURCE, (uint8_t)master->source);
}

/* Sends it; the answer's attributes are there until forget() */
static int call(struct dmacc_kernel *kernel, struct request *request,
		struct nlattr *ret_attrs[DMACC_A_MAX + 1])
{
	struct transport *t = &kernel->transport;

	if (!request->error)
		return transport_call(t, request->msg, ret_attrs);
	if (request->msg) {
		struct nlmsghdr *header = nlmsg_hdr(request->msg);

		dmacc_wipe(nlmsg_data(header), (size_t)nlmsg_datalen(header));
		nlmsg_free(request->msg);
	}
	return transport_fail(t, request->error, strerror(-request->error));
}

static int forget(struct dmacc_kernel *kernel, int r)
{
	transport_forget(&kernel->transport);
	return r;
}

static int lacking(struct dmacc_kernel *kernel)
{
	return transport_fail(&kernel->transport, -EPROTO, "the module's answer lacks something");
}

int dmacc_kernel_open(struct dmacc_kernel **ret)
{
	struct dmacc_kernel *kernel = calloc(1, sizeof(*kernel));
	int r;

	if (!kernel)
		return -ENOMEM;
	r = transport_open(&kernel->transport);
	if (r < 0) {
		dmacc_kernel_close(kernel);
		return r;
	}
	*ret = kernel;
	return 0;
}

struct dmacc_kernel *dmacc_kernel_close(struct dmacc_kernel *kernel)
{
	if (!kernel)
		return NULL;
	transport_close(&kernel->transport);
	free(kernel);
	return NULL;
}

const char *dmacc_kernel_sentence(const struct dmacc_kernel *kernel)
{
	return kernel->transport.sentence;
}

static bool read_slot(struct nlattr *nest, struct dmacc_kernel_slot *ret)
{
	struct nlattr *attrs[DMACC_SLOT_A_MAX + 1];

	if (nla_parse_nested(attrs, DMACC_SLOT_A_MAX, nest, slot_policy) < 0 ||
	    !attrs[DMACC_SLOT_A_NAME] || !attrs[DMACC_SLOT_A_KEY_ID] ||
	    !attrs[DMACC_SLOT_A_KEY_VERSION])
		return false;
	nla_strlcpy(ret->name, attrs[DMACC_SLOT_A_NAME], sizeof(ret->name));
	memcpy(ret->key_id, nla_data(attrs[DMACC_SLOT_A_KEY_ID]), sizeof(ret->key_id));
	ret->key_version = nla_get_u32(attrs[DMACC_SLOT_A_KEY_VERSION]);
	return true;
}

static int read_slots(struct dmacc_kernel *kernel, struct dmacc_kernel_status *status)
{
	struct nlmsghdr *header = (struct nlmsghdr *)kernel->transport.reply;
	struct genlmsghdr *genl = genlmsg_hdr(header);
	struct nlattr *attr;
	int rest;

	nla_for_each_attr(attr, genlmsg_attrdata(genl, 0), genlmsg_attrlen(genl, 0), rest) {
		if (nla_type(attr) != DMACC_A_SLOT || status->slots_len == DMACC_KERNEL_SLOTS_MAX)
			continue;
		if (!read_slot(attr, &status->slots[status->slots_len]))
			return lacking(kernel);
		status->slots_len++;
	}
	return 0;
}

static int read_status(struct dmacc_kernel *kernel, struct nlattr **attrs,
		       struct dmacc_kernel_status *status)
{
	if (!attrs[DMACC_A_MODULE_VERSION] || !attrs[DMACC_A_IDENTITY_SOURCE] ||
	    !attrs[DMACC_A_IDENTITY_CONFLICT] || !attrs[DMACC_A_IDENTITY_PENDING] ||
	    !attrs[DMACC_A_RUNG] || !attrs[DMACC_A_ROOT_STATE] || !attrs[DMACC_A_ROOT_REASON] ||
	    !attrs[DMACC_A_MASTER_SOURCE] || !attrs[DMACC_A_LOCKED] || !attrs[DMACC_A_SLOT_COUNT])
		return lacking(kernel);
	nla_strlcpy(status->module_version, attrs[DMACC_A_MODULE_VERSION],
		    sizeof(status->module_version));
	status->identity_source = nla_get_u8(attrs[DMACC_A_IDENTITY_SOURCE]);
	status->identity_conflict = nla_get_u8(attrs[DMACC_A_IDENTITY_CONFLICT]);
	status->identity_pending = nla_get_u8(attrs[DMACC_A_IDENTITY_PENDING]);
	status->rung = nla_get_u8(attrs[DMACC_A_RUNG]);
	status->root_state = nla_get_u8(attrs[DMACC_A_ROOT_STATE]);
	status->root_reason = nla_get_u8(attrs[DMACC_A_ROOT_REASON]);
	status->master_source = nla_get_u8(attrs[DMACC_A_MASTER_SOURCE]);
	status->locked = nla_get_u8(attrs[DMACC_A_LOCKED]);
	status->slot_count = nla_get_u32(attrs[DMACC_A_SLOT_COUNT]);
	if (attrs[DMACC_A_ROOT_ID]) {
		status->privileged = true;
		memcpy(status->root_id, nla_data(attrs[DMACC_A_ROOT_ID]), sizeof(status->root_id));
	}
	if (attrs[DMACC_A_SLOT])
		status->privileged = true;
	return read_slots(kernel, status);
}

int dmacc_kernel_get_status(struct dmacc_kernel *kernel, struct dmacc_kernel_status *ret)
{
	struct request request = begin(kernel, DMACC_CMD_GET_STATUS);
	struct nlattr *attrs[DMACC_A_MAX + 1];
	struct dmacc_kernel_status status = { 0 };
	int r;

	r = call(kernel, &request, attrs);
	if (!r)
		r = read_status(kernel, attrs, &status);
	if (!r)
		*ret = status;
	return forget(kernel, r);
}

static int read_blob(struct dmacc_kernel *kernel, const struct nlattr *attr,
		     struct dmacc_kernel_blob *ret_blob)
{
	/* the policy knows its length */
	if (!attr)
		return lacking(kernel);
	ret_blob->len = (size_t)nla_len(attr);
	memcpy(ret_blob->bytes, nla_data(attr), ret_blob->len);
	return 0;
}

int dmacc_kernel_make_root(struct dmacc_kernel *kernel, enum dmacc_rung rung,
			   const struct dmacc_kernel_master *master, uint32_t tpm_parent,
			   uid_t agent, struct dmacc_kernel_blob *ret_blob)
{
	struct request request = begin(kernel, DMACC_CMD_OPEN_ROOT);
	struct nlattr *attrs[DMACC_A_MAX + 1];
	int r;

	put_u8(&request, DMACC_A_RUNG, (uint8_t)rung);
	put_u32(&request, DMACC_A_AGENT_UID, agent);
	put_master(&request, master);
	if (tpm_parent)
		put_u32(&request, DMACC_A_TPM_PARENT, tpm_parent);
	r = call(kernel, &request, attrs);
	if (!r)
		r = read_blob(kernel, attrs[DMACC_A_ROOT_BLOB], ret_blob);
	return forget(kernel, r);
}

int dmacc_kernel_open_root(struct dmacc_kernel *kernel, const void *blob, size_t len,
			   const struct dmacc_kernel_master *master, uid_t agent)
{
	struct request request = begin(kernel, DMACC_CMD_OPEN_ROOT);
	struct nlattr *attrs[DMACC_A_MAX + 1];

	put(&request, DMACC_A_ROOT_BLOB, blob, len);
	put_u32(&request, DMACC_A_AGENT_UID, agent);
	put_master(&request, master);
	return forget(kernel, call(kernel, &request, attrs));
}

int dmacc_kernel_lock(struct dmacc_kernel *kernel, struct dmacc_kernel_blob *ret_blob)
{
	struct request request = begin(kernel, DMACC_CMD_LOCK);
	struct nlattr *attrs[DMACC_A_MAX + 1];
	int r;

	r = call(kernel, &request, attrs);
	if (!r)
		r = read_blob(kernel, attrs[DMACC_A_ROOT_BLOB], ret_blob);
	return forget(kernel, r);
}

int dmacc_kernel_seal_key(struct dmacc_kernel *kernel, const struct dmacc_kernel_slot *slot,
			  const uint8_t device_key[DMACC_DEVICE_KEY_LEN],
			  struct dmacc_kernel_blob *ret_blob)
{
	struct request request = begin(kernel, DMACC_CMD_SEAL_KEY);
	struct nlattr *attrs[DMACC_A_MAX + 1];
	int r;

	put_string(&request, DMACC_A_SLOT_NAME, slot->name);
	put(&request, DMACC_A_KEY_ID, slot->key_id, sizeof(slot->key_id));
	put_u32(&request, DMACC_A_KEY_VERSION, slot->key_version);
	put(&request, DMACC_A_DEVICE_KEY, device_key, DMACC_DEVICE_KEY_LEN);
	r = call(kernel, &request, attrs);
	if (!r)
		r = read_blob(kernel, attrs[DMACC_A_SLOT_BLOB], ret_blob);
	return forget(kernel, r);
}

static int read_loaded(struct dmacc_kernel *kernel, struct nlattr **attrs,
		       struct dmacc_kernel_slot *ret_slot)
{
	if (!attrs[DMACC_A_SLOT_NAME] || !attrs[DMACC_A_KEY_ID] || !attrs[DMACC_A_KEY_VERSION])
		return lacking(kernel);
	nla_strlcpy(ret_slot->name, attrs[DMACC_A_SLOT_NAME], sizeof(ret_slot->name));
	memcpy(ret_slot->key_id, nla_data(attrs[DMACC_A_KEY_ID]), sizeof(ret_slot->key_id));
	ret_slot->key_version = nla_get_u32(attrs[DMACC_A_KEY_VERSION]);
	return 0;
}

int dmacc_kernel_load_key(struct dmacc_kernel *kernel, const void *blob, size_t len,
			  struct dmacc_kernel_slot *ret_slot)
{
	struct request request = begin(kernel, DMACC_CMD_LOAD_KEY);
	struct nlattr *attrs[DMACC_A_MAX + 1];
	int r;

	put(&request, DMACC_A_SLOT_BLOB, blob, len);
	r = call(kernel, &request, attrs);
	if (!r && ret_slot)
		r = read_loaded(kernel, attrs, ret_slot);
	return forget(kernel, r);
}

int dmacc_kernel_forget_key(struct dmacc_kernel *kernel, const char *slot)
{
	struct request request = begin(kernel, DMACC_CMD_FORGET_KEY);
	struct nlattr *attrs[DMACC_A_MAX + 1];

	put_string(&request, DMACC_A_SLOT_NAME, slot);
	return forget(kernel, call(kernel, &request, attrs));
}

int dmacc_kernel_get_identity(struct dmacc_kernel *kernel, enum dmacc_identity_source *ret_source,
			      char ret_devid[DMACC_DEVID_SIZE])
{
	struct request request = begin(kernel, DMACC_CMD_GET_IDENTITY);
	struct nlattr *attrs[DMACC_A_MAX + 1];
	int r;

	r = call(kernel, &request, attrs);
	if (!r && !attrs[DMACC_A_IDENTITY_SOURCE])
		r = lacking(kernel);
	if (r)
		return forget(kernel, r);
	if (ret_source)
		*ret_source = nla_get_u8(attrs[DMACC_A_IDENTITY_SOURCE]);
	ret_devid[0] = '\0';
	if (attrs[DMACC_A_DEVID])
		nla_strlcpy(ret_devid, attrs[DMACC_A_DEVID], DMACC_DEVID_SIZE);
	return forget(kernel, 0);
}

int dmacc_kernel_set_identity(struct dmacc_kernel *kernel, const char *devid)
{
	struct request request = begin(kernel, DMACC_CMD_SET_IDENTITY);
	struct nlattr *attrs[DMACC_A_MAX + 1];

	put_string(&request, DMACC_A_DEVID, devid);
	return forget(kernel, call(kernel, &request, attrs));
}

static int read_credentials(struct dmacc_kernel *kernel, struct nlattr **attrs,
			    struct dmacc_credentials *ret)
{
	if (!attrs[DMACC_A_USER_NAME] || !attrs[DMACC_A_SERVER_PW] || !attrs[DMACC_A_CLIENT_PW] ||
	    !attrs[DMACC_A_SERVER_NONCE] || !attrs[DMACC_A_CLIENT_NONCE])
		return lacking(kernel);
	nla_strlcpy(ret->user_name, attrs[DMACC_A_USER_NAME], sizeof(ret->user_name));
	nla_strlcpy(ret->server_pw, attrs[DMACC_A_SERVER_PW], sizeof(ret->server_pw));
	nla_strlcpy(ret->client_pw, attrs[DMACC_A_CLIENT_PW], sizeof(ret->client_pw));
	memcpy(ret->server_nonce, nla_data(attrs[DMACC_A_SERVER_NONCE]), DMACC_NONCE_SIZE);
	memcpy(ret->client_nonce, nla_data(attrs[DMACC_A_CLIENT_NONCE]), DMACC_NONCE_SIZE);
	return 0;
}

int dmacc_kernel_derive(struct dmacc_kernel *kernel, const char *slot,
			const struct dmacc_server *server, uint32_t generation,
			struct dmacc_credentials *ret)
{
	struct request request = begin(kernel, DMACC_CMD_DERIVE);
	struct nlattr *attrs[DMACC_A_MAX + 1];
	int r;

	put_string(&request, DMACC_A_SLOT_NAME, slot);
	put_u8(&request, DMACC_A_SERVER_KIND, (uint8_t)server->element);
	put(&request, DMACC_A_SERVER, server->bytes, server->len);
	put_u32(&request, DMACC_A_GENERATION, generation);
	r = call(kernel, &request, attrs);
	if (!r)
		r = read_credentials(kernel, attrs, ret);
	return forget(kernel, r);
}

int dmacc_kernel_store_key(struct dmacc_kernel *kernel, uint8_t ret_root_id[DMACC_ROOT_ID_LEN],
			   uint8_t ret_key[DMACC_STORE_KEY_LEN])
{
	struct request request = begin(kernel, DMACC_CMD_STORE_KEY);
	struct nlattr *attrs[DMACC_A_MAX + 1];
	int r;

	r = call(kernel, &request, attrs);
	if (!r && (!attrs[DMACC_A_ROOT_ID] || !attrs[DMACC_A_STORE_KEY]))
		r = lacking(kernel);
	if (!r) {
		memcpy(ret_root_id, nla_data(attrs[DMACC_A_ROOT_ID]), DMACC_ROOT_ID_LEN);
		memcpy(ret_key, nla_data(attrs[DMACC_A_STORE_KEY]), DMACC_STORE_KEY_LEN);
	}
	return forget(kernel, r);
}
