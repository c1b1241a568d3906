// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots: one device key each. A key is on the stack of who seals or loads it; what stays in a slot
 * is an HMAC keyed with it.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/rwsem.h>
#include <linux/string.h>

#include "identity.h"
#include "refuse.h"
#include "root.h"
#include "slot.h"

#define HEADER_LEN offsetof(struct dmacc_slot_blob, nonce)

struct slot {
	struct crypto_shash *mac;	/* NULL: free */
	struct dmacc_slot_info info;
	struct dmacc_identity identity;
	char user_name[DMACC_USER_NAME_LEN + 1];	/* hangs on key and device only */
};

/* Never held over sealing, so that DERIVE waits for nothing that a TPM does */
static DECLARE_RWSEM(slots_lock);
static struct slot slots[DMACC_SLOTS_MAX];	/* under slots_lock */

static struct slot *find(const char *name)
{
	size_t i;

	lockdep_assert_held(&slots_lock);
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		if (slots[i].mac && !strcmp(slots[i].info.name, name))
			return &slots[i];
	return NULL;
}

static struct slot *find_free(void)
{
	size_t i;

	lockdep_assert_held(&slots_lock);
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		if (!slots[i].mac)
			return &slots[i];
	return NULL;
}

static void empty(struct slot *slot)
{
	dmacc_mac_free(slot->mac);
	memset(slot, 0, sizeof(*slot));
}

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	return len && len <= DMACC_SLOT_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

/* Where hardware gave no identity, the first blob of this root does */
static int latch(const struct dmacc_identity *identity, struct netlink_ext_ack *extack)
{
	int err = dmacc_identity_latch(DMACC_IDENTITY_BLOB, identity->devid, identity->len, extack);

	if (err == -EEXIST)
		return dmacc_refuse(extack, -EKEYREJECTED, "the key was sealed for another device");
	return err;
}

static int derive_value(struct crypto_shash *device, enum dmacc_output output, const u8 *context,
			size_t context_len, char *text, u8 *raw)
{
	size_t len = dmacc_kdf_spec(output)->bits / 8;
	u8 out[DMACC_KEY_LEN];
	int err;

	err = dmacc_kdf(device, output, context, context_len, out);
	if (!err && text)
		dmacc_base32(text, out, len);
	else if (!err)
		memcpy(raw, out, len);
	memzero_explicit(out, sizeof(out));
	return err;
}

/* The same for all servers and generations */
static int derive_user_name(struct crypto_shash *device, const char *devid, size_t devid_len,
			    char ret[DMACC_USER_NAME_LEN + 1])
{
	u8 context[DMACC_CONTEXT_MAX];
	size_t len = dmacc_context_device(context, devid, devid_len);

	return derive_value(device, DMACC_OUTPUT_USER_NAME, context, len, ret, NULL);
}

/*
 * Puts a key into its slot; one of a lower version never replaces one of a higher. Latching is the
 * last thing that can fail, because it cannot be undone.
 */
static int put(const struct dmacc_slot_info *info, const struct dmacc_identity *identity,
	       const u8 key[DMACC_KEY_LEN], struct netlink_ext_ack *extack)
{
	struct crypto_shash *mac = dmacc_mac_new(key);
	char user_name[DMACC_USER_NAME_LEN + 1];
	struct slot *slot;
	int err;

	err = PTR_ERR_OR_ZERO(mac);
	if (!err)
		err = derive_user_name(mac, identity->devid, identity->len, user_name);
	if (err) {
		dmacc_mac_free(mac);
		return dmacc_refuse(extack, err, "the key cannot be used");
	}
	down_write(&slots_lock);
	slot = find(info->name);
	if (slot && slot->info.key_version > info->key_version)
		err = dmacc_refuse(extack, -ESTALE, "a key of a higher version is loaded");
	if (!slot)
		slot = find_free();
	if (!slot)
		err = dmacc_refuse(extack, -ENOSPC, "there is no free slot");
	if (!err)
		err = latch(identity, extack);
	if (!err) {
		empty(slot);
		slot->mac = mac;
		slot->info = *info;
		slot->identity = *identity;
		memcpy(slot->user_name, user_name, sizeof(user_name));
		mac = NULL;
	}
	up_write(&slots_lock);
	dmacc_mac_free(mac);
	return err;
}

static int seal_blob(struct dmacc_slot_blob *blob, const u8 device_key[DMACC_KEY_LEN],
		     struct netlink_ext_ack *extack)
{
	struct dmacc_root_status root;
	u8 key[DMACC_KEY_LEN];
	int err;

	err = dmacc_root_derive(DMACC_OUTPUT_BLOB, key, &root, extack);
	if (err)
		return err;
	blob->rung = root.rung;
	memcpy(blob->root_id, root.id, sizeof(blob->root_id));
	err = dmacc_random(blob->nonce, sizeof(blob->nonce));
	if (!err)
		err = dmacc_gcm_seal(key, blob->nonce, (const u8 *)blob, HEADER_LEN, device_key,
				     DMACC_KEY_LEN, blob->sealed);
	memzero_explicit(key, sizeof(key));
	return err ? dmacc_refuse(extack, err, "the key cannot be sealed") : 0;
}

/**
 * dmacc_slot_seal() - SEAL_KEY
 * @info: name, KeyId, key version
 * @device_key: 32 bytes; the caller wipes them
 * @ret_blob: the sealed key; written on success only
 * @extack: where a sentence goes
 *
 * Return: 0, and the slot is loaded; a negative errno, and nothing has changed.
 */
int dmacc_slot_seal(const struct dmacc_slot_info *info, const u8 device_key[DMACC_KEY_LEN],
		    struct dmacc_slot_blob *ret_blob, struct netlink_ext_ack *extack)
{
	struct dmacc_slot_blob blob = { .format = DMACC_BLOB_FORMAT };
	struct dmacc_identity identity;
	struct dmacc_root_status root;
	__be32 version;
	int err;

	guard(dmacc_root)();
	dmacc_root_get_status(&root);
	if (root.locked)
		return dmacc_refuse(extack, -EPERM, "locked: no key is sealed any more");
	if (!is_name(info->name))
		return dmacc_refuse(extack, -EINVAL, "a slot name is 1 to 32 of a-z 0-9 . _ -");
	if (!memchr_inv(device_key, 0, DMACC_KEY_LEN))
		return dmacc_refuse(extack, -EINVAL, "the device key is all zero");
	dmacc_identity_get(&identity);
	if (!identity.len)
		return dmacc_refuse(extack, -ENODATA, "this device has no identity");
	memcpy(blob.magic, DMACC_SLOT_MAGIC, sizeof(blob.magic));
	blob.name_len = strlen(info->name);
	memcpy(blob.name, info->name, blob.name_len);
	blob.devid_len = identity.len;
	memcpy(blob.devid, identity.devid, identity.len);
	memcpy(blob.key_id, info->key_id, sizeof(blob.key_id));
	version = cpu_to_be32(info->key_version);
	memcpy(blob.key_version, &version, sizeof(version));
	err = seal_blob(&blob, device_key, extack);
	if (!err)
		err = put(info, &identity, device_key, extack);
	if (!err)
		*ret_blob = blob;
	return err;
}

static int check_blob(const struct dmacc_slot_blob *blob, const struct dmacc_root_status *root,
		      struct netlink_ext_ack *extack)
{
	if (memcmp(blob->magic, DMACC_SLOT_MAGIC, sizeof(blob->magic)))
		return dmacc_refuse(extack, -EINVAL, "this is not a sealed key");
	if (blob->format != DMACC_BLOB_FORMAT)
		return dmacc_refuse(extack, -EOPNOTSUPP,
				    "the sealed key has a format that this module does not know");
	if (memcmp(blob->root_id, root->id, sizeof(blob->root_id)))
		return dmacc_refuse(extack, -EKEYREJECTED, "the key was sealed under another root");
	return 0;
}

/* The header has been authenticated: this only keeps a bug elsewhere from becoming one here */
static int read_header(const struct dmacc_slot_blob *blob, struct dmacc_slot_info *info,
		       struct dmacc_identity *identity, struct netlink_ext_ack *extack)
{
	__be32 version;

	memset(info, 0, sizeof(*info));
	memset(identity, 0, sizeof(*identity));
	if (blob->name_len > sizeof(blob->name) || blob->devid_len > sizeof(blob->devid))
		return dmacc_refuse(extack, -EINVAL, "the sealed key names no slot or device");
	memcpy(info->name, blob->name, blob->name_len);
	memcpy(info->key_id, blob->key_id, sizeof(info->key_id));
	memcpy(&version, blob->key_version, sizeof(version));
	info->key_version = be32_to_cpu(version);
	identity->len = blob->devid_len;
	memcpy(identity->devid, blob->devid, blob->devid_len);
	if (!is_name(info->name) || !info->key_version)
		return dmacc_refuse(extack, -EINVAL, "the sealed key names no slot or version");
	return 0;
}

/**
 * dmacc_slot_load() - LOAD_KEY
 * @blob: a sealed key
 * @ret_info: what is in the slot now; written on success only
 * @extack: where a sentence goes
 *
 * Return: 0, or a negative errno, and nothing has changed.
 */
int dmacc_slot_load(const struct dmacc_slot_blob *blob, struct dmacc_slot_info *ret_info,
		    struct netlink_ext_ack *extack)
{
	u8 key[DMACC_KEY_LEN], device_key[DMACC_KEY_LEN];
	struct dmacc_identity identity;
	struct dmacc_root_status root;
	struct dmacc_slot_info info;
	int err;

	guard(dmacc_root)();
	err = dmacc_root_derive(DMACC_OUTPUT_BLOB, key, &root, extack);
	if (err)
		return err;
	err = check_blob(blob, &root, extack);
	if (!err) {
		err = dmacc_gcm_open(key, blob->nonce, (const u8 *)blob, HEADER_LEN, blob->sealed,
				     DMACC_KEY_LEN, device_key);
		if (err == -EBADMSG)
			err = dmacc_refuse(extack, -EBADMSG, "the sealed key was changed");
		else if (err)
			err = dmacc_refuse(extack, err, "the sealed key cannot be opened");
	}
	memzero_explicit(key, sizeof(key));
	if (err)
		return err;
	err = read_header(blob, &info, &identity, extack);
	if (!err)
		err = put(&info, &identity, device_key, extack);
	memzero_explicit(device_key, sizeof(device_key));
	if (!err)
		*ret_info = info;
	return err;
}

int dmacc_slot_forget(const char *name, struct netlink_ext_ack *extack)
{
	struct slot *slot;

	guard(rwsem_write)(&slots_lock);
	slot = find(name);
	if (!slot)
		return dmacc_refuse(extack, -ENOENT, "there is no such slot");
	empty(slot);
	return 0;
}

void dmacc_slot_forget_all(void)
{
	size_t i;

	guard(rwsem_write)(&slots_lock);
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		empty(&slots[i]);
}

unsigned int dmacc_slot_list(struct dmacc_slot_info ret[DMACC_SLOTS_MAX])
{
	unsigned int count = 0;
	size_t i;

	guard(rwsem_read)(&slots_lock);
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		if (slots[i].mac)
			ret[count++] = slots[i].info;
	return count;
}

static int derive_for_server(struct crypto_shash *device, const char *devid, size_t devid_len,
			     const struct dmacc_derive_request *request, struct dmacc_derived *ret)
{
	u8 context[DMACC_CONTEXT_MAX];
	size_t len;
	int err;

	len = dmacc_context_server(context, devid, devid_len, request->kind, request->server,
				   request->server_len, request->generation);
	err = derive_value(device, DMACC_OUTPUT_SERVER_PW, context, len, ret->server_pw, NULL);
	if (!err)
		err = derive_value(device, DMACC_OUTPUT_CLIENT_PW, context, len, ret->client_pw,
				   NULL);
	if (!err)
		err = derive_value(device, DMACC_OUTPUT_SERVER_NONCE, context, len, NULL,
				   ret->server_nonce);
	if (!err)
		err = derive_value(device, DMACC_OUTPUT_CLIENT_NONCE, context, len, NULL,
				   ret->client_nonce);
	return err;
}

/**
 * dmacc_derive_with() - uapi/derivation.md, section 4
 * @device: an HMAC keyed with Kd
 * @devid: canonical
 * @devid_len: bytes
 * @request: its server has been judged; its slot is not looked at
 * @ret: the values; garbage on failure, and to be wiped in any case
 *
 * Return: 0 or a negative errno.
 */
int dmacc_derive_with(struct crypto_shash *device, const char *devid, size_t devid_len,
		      const struct dmacc_derive_request *request, struct dmacc_derived *ret)
{
	int err = derive_user_name(device, devid, devid_len, ret->user_name);

	return err ? err : derive_for_server(device, devid, devid_len, request, ret);
}

/**
 * dmacc_slot_derive() - DERIVE
 * @request: slot, server, generation
 * @ret: the values; the caller wipes them
 * @extack: where a sentence goes
 *
 * Return: 0; -EINVAL for a server that is refused; -ENOENT if there is no such slot; another
 * negative errno.
 */
int dmacc_slot_derive(const struct dmacc_derive_request *request, struct dmacc_derived *ret,
		      struct netlink_ext_ack *extack)
{
	enum dmacc_refusal refusal;
	const struct slot *slot;

	refusal = dmacc_server_check(request->kind, request->server, request->server_len);
	if (refusal != DMACC_ACCEPTED)
		return dmacc_refuse(extack, -EINVAL, dmacc_server_refusal_text(refusal));
	guard(rwsem_read)(&slots_lock);
	slot = find(request->slot);
	if (!slot)
		return dmacc_refuse(extack, -ENOENT, "there is no such slot");
	memcpy(ret->user_name, slot->user_name, sizeof(ret->user_name));
	return derive_for_server(slot->mac, slot->identity.devid, slot->identity.len, request, ret);
}
