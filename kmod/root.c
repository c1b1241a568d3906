// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root R: 32 random bytes, made here, sealed by a rung, on which all else hangs. R itself is
 * on the stack of who makes or opens it and nowhere else; what stays is an HMAC keyed with it.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <crypto/algapi.h>

#include "refuse.h"
#include "root.h"

/* Held over sealing and opening, which with a TPM takes long */
static DEFINE_MUTEX(root_lock);
static struct crypto_shash *root_mac;		/* under root_lock; NULL while there is no root */
static u8 root_fingerprint[DMACC_KEY_LEN];	/* under root_lock; begins with the root id */
static struct dmacc_root_buf root_buf;		/* under root_lock; as it was made or opened */
static bool root_barred;			/* under root_lock; nothing is opened now */

/* Taken for a moment only, within root_lock or alone: who asks for status never waits for a TPM */
static DEFINE_SPINLOCK(status_lock);
static struct dmacc_root_status status;		/* under status_lock */
static kuid_t agent_uid = INVALID_UID;		/* under status_lock */

void dmacc_root_hold(void)
{
	mutex_lock(&root_lock);
}

void dmacc_root_release(void)
{
	mutex_unlock(&root_lock);
}

void dmacc_root_get_status(struct dmacc_root_status *ret)
{
	spin_lock(&status_lock);
	*ret = status;
	spin_unlock(&status_lock);
}

kuid_t dmacc_root_agent(void)
{
	kuid_t uid;

	spin_lock(&status_lock);
	uid = agent_uid;
	spin_unlock(&status_lock);
	return uid;
}

static bool is_locked(void)
{
	struct dmacc_root_status now;

	dmacc_root_get_status(&now);
	return now.locked;
}

/* From here on until reboot; the module stays, or unloading it would unlock */
static int set_locked(struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&root_lock);
	if (is_locked())
		return 0;
	if (!try_module_get(THIS_MODULE))
		return dmacc_refuse(extack, -EBUSY, "the module is being unloaded");
	spin_lock(&status_lock);
	status.locked = true;
	spin_unlock(&status_lock);
	return 0;
}

void dmacc_root_init(bool locked)
{
	status.locked = locked;
}

/**
 * dmacc_root_wipe() - forget the root
 * @state: what status shows from then on
 *
 * What was locked stays locked, and the agent has to be named again. The caller holds the root.
 *
 * Return: was there one?
 */
bool dmacc_root_wipe(enum dmacc_root_state state)
{
	lockdep_assert_held(&root_lock);
	if (!root_mac)
		return false;
	dmacc_mac_free(root_mac);
	root_mac = NULL;
	memzero_explicit(root_fingerprint, sizeof(root_fingerprint));
	memzero_explicit(&root_buf, sizeof(root_buf));
	spin_lock(&status_lock);
	status.state = state;
	agent_uid = INVALID_UID;
	spin_unlock(&status_lock);
	return true;
}

/**
 * dmacc_root_bar() - may a root be opened?
 * @barred: no, because memory is about to be written to disk or handed to another kernel
 *
 * The caller holds the root.
 */
void dmacc_root_bar(bool barred)
{
	lockdep_assert_held(&root_lock);
	root_barred = barred;
}

/* The last OPEN_ROOT failed. A root that is open stays open. */
static int fail(enum dmacc_root_reason reason, struct netlink_ext_ack *extack, int err,
		const char *sentence)
{
	lockdep_assert_held(&root_lock);
	spin_lock(&status_lock);
	if (!root_mac) {
		status.state = DMACC_ROOT_SEALED_UNAVAILABLE;
		status.reason = reason;
	}
	spin_unlock(&status_lock);
	return dmacc_refuse(extack, err, sentence);
}

static int fingerprint(struct crypto_shash *mac, u8 ret[DMACC_KEY_LEN])
{
	return dmacc_kdf(mac, DMACC_OUTPUT_ROOT_ID, NULL, 0, ret);
}

/* What stands for all of a sealed root, in which the tag is zero for this. @len: its bytes. */
static int blob_tag(struct crypto_shash *mac, const struct dmacc_root_blob *blob, size_t len,
		    u8 ret[DMACC_KEY_LEN])
{
	struct dmacc_root_blob *copy = kmemdup(blob, len, GFP_KERNEL);
	int err;

	if (!copy)
		return -ENOMEM;
	memset(copy->tag, 0, sizeof(copy->tag));
	err = dmacc_kdf_long(mac, DMACC_OUTPUT_ROOT_TAG, (const u8 *)copy, len, ret);
	kfree(copy);
	return err;
}

static int write_tag(struct crypto_shash *mac, struct dmacc_root_buf *buf)
{
	u8 tag[DMACC_KEY_LEN];
	int err = blob_tag(mac, &buf->blob, buf->len, tag);

	if (!err)
		memcpy(buf->blob.tag, tag, sizeof(buf->blob.tag));
	return err;
}

static void publish(const struct dmacc_root_request *request)
{
	lockdep_assert_held(&root_lock);
	spin_lock(&status_lock);
	status.state = DMACC_ROOT_OPEN;
	status.reason = DMACC_REASON_NONE;
	status.rung = root_buf.blob.rung;
	status.master_source = request->master_source;
	memcpy(status.id, root_buf.blob.root_id, sizeof(status.id));
	agent_uid = request->agent;
	spin_unlock(&status_lock);
}

/* R has become @mac; its header is written into root_buf, behind which the rung sealed it */
static int write_header(const struct dmacc_seal *seal, struct crypto_shash *mac, size_t sealed_len)
{
	struct dmacc_root_blob *blob = &root_buf.blob;
	__be16 len = cpu_to_be16(sealed_len);
	int err;

	err = fingerprint(mac, root_fingerprint);
	if (err)
		return err;
	memcpy(blob->magic, DMACC_ROOT_MAGIC, sizeof(blob->magic));
	blob->format = DMACC_BLOB_FORMAT;
	blob->rung = seal->rung;
	memcpy(blob->root_id, root_fingerprint, sizeof(blob->root_id));
	memcpy(blob->sealed_len, &len, sizeof(len));
	root_buf.len = sizeof(*blob) + sealed_len;
	return write_tag(mac, &root_buf);
}

/* What the rung says of why, as far as the kernel can tell */
static int fail_seal(const struct dmacc_seal *seal, struct netlink_ext_ack *extack, int err,
		     const char *sentence)
{
	switch (err) {
	case -ENODEV:
		return fail(DMACC_REASON_NO_KEY_TYPE, extack, err,
			    "this kernel has no trusted keys, or nothing here that seals them");
	case -EKEYREJECTED:
		return fail(DMACC_REASON_REFUSED, extack, err,
			    "the TPM or what else seals trusted keys refused it");
	case -EBADMSG:
		return fail(DMACC_REASON_REFUSED, extack, -EKEYREJECTED, seal->needs_master ?
			    "the master is another one, or the sealed root was changed" :
			    "the sealed root was changed");
	default:
		return fail(DMACC_REASON_REFUSED, extack, err, sentence);
	}
}

static int make(const struct dmacc_root_request *request, const struct dmacc_seal *seal,
		struct netlink_ext_ack *extack)
{
	struct crypto_shash *mac = NULL;
	u8 root[DMACC_KEY_LEN];
	size_t sealed_len;
	int err;

	memset(&root_buf, 0, sizeof(root_buf));
	err = seal->make(&request->seal, root, root_buf.blob.sealed, &sealed_len);
	if (!err) {
		mac = dmacc_mac_new(root);
		err = PTR_ERR_OR_ZERO(mac);
	}
	memzero_explicit(root, sizeof(root));
	if (!err)
		err = write_header(seal, mac, sealed_len);
	if (err) {
		dmacc_mac_free(mac);
		return fail_seal(seal, extack, err, "the root cannot be sealed");
	}
	root_mac = mac;
	publish(request);
	return 0;
}

static int check_blob(const struct dmacc_root_request *request, struct netlink_ext_ack *extack)
{
	const struct dmacc_root_blob *blob = (const struct dmacc_root_blob *)request->blob;
	__be16 len;

	if (request->blob_len < sizeof(*blob) ||
	    memcmp(blob->magic, DMACC_ROOT_MAGIC, sizeof(blob->magic)))
		return fail(DMACC_REASON_REFUSED, extack, -EINVAL, "this is not a sealed root");
	if (blob->format != DMACC_BLOB_FORMAT)
		return fail(DMACC_REASON_REFUSED, extack, -EOPNOTSUPP,
			    "the sealed root has a format that this module does not know");
	memcpy(&len, blob->sealed_len, sizeof(len));
	if (request->blob_len != sizeof(*blob) + be16_to_cpu(len))
		return fail(DMACC_REASON_REFUSED, extack, -EINVAL,
			    "the sealed root has been cut or lengthened");
	return 0;
}

/* Is this sealed root the one of this R, as it was written? */
static int check_tag(struct crypto_shash *mac, const struct dmacc_root_blob *blob, size_t len,
		     u8 ret_print[DMACC_KEY_LEN])
{
	u8 tag[DMACC_KEY_LEN];
	int err;

	err = fingerprint(mac, ret_print);
	if (!err)
		err = blob_tag(mac, blob, len, tag);
	if (err)
		return err;
	if (crypto_memneq(blob->root_id, ret_print, sizeof(blob->root_id)) ||
	    crypto_memneq(blob->tag, tag, sizeof(blob->tag)))
		return -EBADMSG;
	return 0;
}

/* Takes a root that has been opened, or finds that it is the one that is open already */
static int adopt(const struct dmacc_root_request *request, struct crypto_shash *mac,
		 const u8 print[DMACC_KEY_LEN], struct netlink_ext_ack *extack)
{
	const struct dmacc_root_blob *blob = (const struct dmacc_root_blob *)request->blob;
	int err = 0;

	if (root_mac && crypto_memneq(root_fingerprint, print, DMACC_KEY_LEN))
		err = dmacc_refuse(extack, -EEXIST, "another root is open");
	else if (blob->flags & DMACC_ROOT_FLAG_LOCKED)
		err = set_locked(extack);
	if (err) {
		dmacc_mac_free(mac);
		return err;
	}
	/* sealed before it was locked it does not unlock; sealed after, it locks */
	if (!root_mac || (blob->flags & DMACC_ROOT_FLAG_LOCKED)) {
		memcpy(root_buf.bytes, request->blob, request->blob_len);
		root_buf.len = request->blob_len;
	}
	if (root_mac) {
		dmacc_mac_free(mac);
	} else {
		root_mac = mac;
		memcpy(root_fingerprint, print, DMACC_KEY_LEN);
	}
	publish(request);
	return 0;
}

static int open(const struct dmacc_root_request *request, const struct dmacc_seal *seal,
		struct netlink_ext_ack *extack)
{
	const struct dmacc_root_blob *blob = (const struct dmacc_root_blob *)request->blob;
	u8 root[DMACC_KEY_LEN], print[DMACC_KEY_LEN];
	struct crypto_shash *mac = NULL;
	int err;

	err = seal->open(&request->seal, blob->sealed, request->blob_len - sizeof(*blob), root);
	if (!err) {
		mac = dmacc_mac_new(root);
		err = PTR_ERR_OR_ZERO(mac);
	}
	memzero_explicit(root, sizeof(root));
	if (!err)
		err = check_tag(mac, blob, request->blob_len, print);
	if (!err)
		return adopt(request, mac, print, extack);
	dmacc_mac_free(mac);
	return fail_seal(seal, extack, err, "the root cannot be opened");
}

static int check_master(const struct dmacc_seal *seal, const u8 *master,
			struct netlink_ext_ack *extack)
{
	/* status would name a source of a master that this root does not have */
	if (!seal->needs_master)
		return master ? dmacc_refuse(extack, -EINVAL, "a trusted root has no master") : 0;
	if (!master)
		return dmacc_refuse(extack, -EINVAL, "a wrapped root needs the master");
	if (!memchr_inv(master, 0, DMACC_MASTER_LEN))
		return dmacc_refuse(extack, -EINVAL, "the master is all zero");
	return 0;
}

/**
 * dmacc_root_open() - OPEN_ROOT
 * @request: what is asked for
 * @ret: the sealed root, a new one or the one that is open; written on success only
 * @extack: where a sentence goes
 *
 * Return: 0 or a negative errno; then nothing has changed but the state that status shows.
 */
int dmacc_root_open(const struct dmacc_root_request *request, struct dmacc_root_buf *ret,
		    struct netlink_ext_ack *extack)
{
	const struct dmacc_root_blob *blob = (const struct dmacc_root_blob *)request->blob;
	const struct dmacc_seal *seal;
	int err;

	guard(dmacc_root)();
	if (root_barred)
		return dmacc_refuse(extack, -EBUSY,
				    "the system goes to sleep or restarts: no root is opened now");
	err = blob ? check_blob(request, extack) : 0;
	if (err)
		return err;
	if (!blob && is_locked())
		return dmacc_refuse(extack, -EPERM, "locked: no new root is made");
	if (!blob && root_mac)
		return dmacc_refuse(extack, -EEXIST,
				    "a root is open already: if its sealed form was lost, unload the module");
	seal = dmacc_seal_of(blob ? blob->rung : request->rung);
	if (!seal)
		return fail(DMACC_REASON_NO_KEY_TYPE, extack, -EOPNOTSUPP,
			    "this module cannot seal with that rung here");
	err = check_master(seal, request->seal.master, extack);
	if (err)
		return err;
	err = blob ? open(request, seal, extack) : make(request, seal, extack);
	if (!err)
		*ret = root_buf;
	return err;
}

/**
 * dmacc_root_lock() - LOCK
 * @ret: the root with the locked flag in it; garbage on failure
 * @extack: where a sentence goes
 *
 * Nothing is unsealed for it.
 *
 * Return: 0, also if it is locked already; -ENOKEY without a root; another negative errno, and
 * then it is not locked.
 */
int dmacc_root_lock(struct dmacc_root_buf *ret, struct netlink_ext_ack *extack)
{
	int err;

	guard(dmacc_root)();
	if (!root_mac)
		return dmacc_refuse(extack, -ENOKEY, "no root is open");
	*ret = root_buf;
	ret->blob.flags |= DMACC_ROOT_FLAG_LOCKED;
	err = write_tag(root_mac, ret);
	if (err)
		return dmacc_refuse(extack, err, "the locked flag cannot be written");
	err = set_locked(extack);
	if (!err)
		root_buf = *ret;
	return err;
}

/**
 * dmacc_root_derive() - a key that hangs on the root
 * @output: DMACC_OUTPUT_BLOB or DMACC_OUTPUT_STORE
 * @ret_key: 32 bytes; the caller wipes them; written on success only
 * @ret_status: of this root
 * @extack: where a sentence goes
 *
 * The caller holds the root.
 *
 * Return: 0; -ENOKEY while no root is open.
 */
int dmacc_root_derive(enum dmacc_output output, u8 ret_key[DMACC_KEY_LEN],
		      struct dmacc_root_status *ret_status, struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&root_lock);
	if (!root_mac)
		return dmacc_refuse(extack, -ENOKEY, "no root is open");
	dmacc_root_get_status(ret_status);
	return dmacc_kdf(root_mac, output, root_fingerprint, DMACC_ROOT_ID_LEN, ret_key);
}
