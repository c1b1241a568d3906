// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root R: 32 random bytes, made here, sealed by a rung, on which all else hangs. R itself is
 * on the stack of who makes or opens it and nowhere else; what stays is an HMAC keyed with it.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/spinlock.h>

#include <crypto/algapi.h>

#include "refuse.h"
#include "root.h"

/* Held over sealing and opening, which with a TPM takes long */
static DEFINE_MUTEX(root_lock);
static struct crypto_shash *root_mac;		/* under root_lock; NULL while there is no root */
static u8 root_fingerprint[DMACC_KEY_LEN];	/* under root_lock; begins with the root id */
static struct dmacc_root_blob root_blob;	/* under root_lock; as it was made or opened */

/* Taken for a moment only, within root_lock or alone: who asks for status never waits for a TPM */
static DEFINE_SPINLOCK(status_lock);
static struct dmacc_root_status status;		/* under status_lock */
static kuid_t agent_uid = INVALID_UID;		/* under status_lock */

static const struct dmacc_seal *seal_of(unsigned int rung)
{
	return rung == DMACC_RUNG_WRAPPED ? &dmacc_seal_wrapped : NULL;
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
static void set_locked(void)
{
	bool was;

	spin_lock(&status_lock);
	was = status.locked;
	status.locked = true;
	spin_unlock(&status_lock);
	if (!was)
		__module_get(THIS_MODULE);
}

void dmacc_root_init(bool locked)
{
	status.locked = locked;
}

/* Forgets the root. What was locked stays locked, and the agent has to be named again. */
void dmacc_root_wipe(enum dmacc_root_state state)
{
	guard(mutex)(&root_lock);
	if (!root_mac)
		return;
	dmacc_mac_free(root_mac);
	root_mac = NULL;
	memzero_explicit(root_fingerprint, sizeof(root_fingerprint));
	memzero_explicit(&root_blob, sizeof(root_blob));
	spin_lock(&status_lock);
	status.state = state;
	agent_uid = INVALID_UID;
	spin_unlock(&status_lock);
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

static void publish(const struct dmacc_root_request *request, const struct dmacc_root_blob *blob)
{
	spin_lock(&status_lock);
	status.state = DMACC_ROOT_OPEN;
	status.reason = DMACC_REASON_NONE;
	status.rung = blob->rung;
	status.master_source = request->master_source;
	memcpy(status.id, blob->root_id, sizeof(status.id));
	agent_uid = request->agent;
	spin_unlock(&status_lock);
	if (blob->flags & DMACC_ROOT_FLAG_LOCKED)
		set_locked();
}

static int make(const struct dmacc_root_request *request, const struct dmacc_seal *seal,
		struct netlink_ext_ack *extack)
{
	struct dmacc_root_blob blob = { .format = DMACC_BLOB_FORMAT, .rung = seal->rung };
	u8 root[DMACC_KEY_LEN], print[DMACC_KEY_LEN];
	struct crypto_shash *mac = NULL;
	int err;

	memcpy(blob.magic, DMACC_ROOT_MAGIC, sizeof(blob.magic));
	err = get_random_bytes_wait(root, sizeof(root));
	if (!err) {
		mac = dmacc_mac_new(root);
		err = PTR_ERR_OR_ZERO(mac);
	}
	if (!err)
		err = fingerprint(mac, print);
	if (!err) {
		memcpy(blob.root_id, print, sizeof(blob.root_id));
		err = seal->seal(request->master, root, &blob);
	}
	memzero_explicit(root, sizeof(root));
	if (err) {
		dmacc_mac_free(mac);
		return fail(DMACC_REASON_REFUSED, extack, err, "the root cannot be sealed");
	}
	root_mac = mac;
	memcpy(root_fingerprint, print, sizeof(print));
	root_blob = blob;
	publish(request, &blob);
	return 0;
}

static int check_blob(const struct dmacc_root_blob *blob, struct netlink_ext_ack *extack)
{
	if (memcmp(blob->magic, DMACC_ROOT_MAGIC, sizeof(blob->magic)))
		return fail(DMACC_REASON_REFUSED, extack, -EINVAL, "this is not a sealed root");
	if (blob->format != DMACC_BLOB_FORMAT)
		return fail(DMACC_REASON_REFUSED, extack, -EOPNOTSUPP,
			    "the sealed root has a format that this module does not know");
	return 0;
}

/* Takes a root that has been opened, or finds that it is the one that is open already */
static int adopt(const struct dmacc_root_request *request, struct crypto_shash *mac,
		 const u8 print[DMACC_KEY_LEN], struct netlink_ext_ack *extack)
{
	if (!root_mac) {
		root_mac = mac;
		memcpy(root_fingerprint, print, DMACC_KEY_LEN);
		root_blob = *request->blob;
		publish(request, request->blob);
		return 0;
	}
	dmacc_mac_free(mac);
	if (crypto_memneq(root_fingerprint, print, DMACC_KEY_LEN))
		return dmacc_refuse(extack, -EEXIST, "another root is open");
	/* the same root sealed before it was locked does not unlock; sealed after, it locks */
	publish(request, request->blob);
	return 0;
}

static int open(const struct dmacc_root_request *request, const struct dmacc_seal *seal,
		struct netlink_ext_ack *extack)
{
	u8 root[DMACC_KEY_LEN], print[DMACC_KEY_LEN];
	struct crypto_shash *mac;
	int err;

	err = seal->open(request->master, request->blob, root);
	if (err == -EBADMSG)
		return fail(DMACC_REASON_REFUSED, extack, -EKEYREJECTED,
			    "the master is another one, or the sealed root was changed");
	if (err)
		return fail(DMACC_REASON_REFUSED, extack, err, "the root cannot be opened");
	mac = dmacc_mac_new(root);
	memzero_explicit(root, sizeof(root));
	if (IS_ERR(mac))
		return fail(DMACC_REASON_REFUSED, extack, PTR_ERR(mac), "out of memory");
	err = fingerprint(mac, print);
	if (err) {
		dmacc_mac_free(mac);
		return fail(DMACC_REASON_REFUSED, extack, err, "the root cannot be used");
	}
	return adopt(request, mac, print, extack);
}

static int check_master(const struct dmacc_seal *seal, const u8 *master,
			struct netlink_ext_ack *extack)
{
	if (!seal->needs_master)
		return 0;
	if (!master)
		return dmacc_refuse(extack, -EINVAL, "a wrapped root needs the master");
	if (!memchr_inv(master, 0, DMACC_MASTER_LEN))
		return dmacc_refuse(extack, -EINVAL, "the master is all zero");
	return 0;
}

/**
 * dmacc_root_open() - OPEN_ROOT
 * @request: what is asked for
 * @ret_blob: the sealed root, a new one or the one that was given; written on success only
 * @extack: where a sentence goes
 *
 * Return: 0 or a negative errno; then nothing has changed but the state that status shows.
 */
int dmacc_root_open(const struct dmacc_root_request *request, struct dmacc_root_blob *ret_blob,
		    struct netlink_ext_ack *extack)
{
	const struct dmacc_root_blob *blob = request->blob;
	const struct dmacc_seal *seal;
	int err;

	guard(mutex)(&root_lock);
	err = blob ? check_blob(blob, extack) : 0;
	if (err)
		return err;
	if (!blob && is_locked())
		return dmacc_refuse(extack, -EPERM, "locked: no new root is made");
	if (!blob && root_mac)
		return dmacc_refuse(extack, -EEXIST, "a root is open already");
	seal = seal_of(blob ? blob->rung : request->rung);
	if (!seal)
		return fail(DMACC_REASON_NO_KEY_TYPE, extack, -EOPNOTSUPP,
			    "this module cannot seal with that rung here");
	err = check_master(seal, request->master, extack);
	if (err)
		return err;
	err = blob ? open(request, seal, extack) : make(request, seal, extack);
	if (!err)
		*ret_blob = root_blob;
	return err;
}

/**
 * dmacc_root_lock() - LOCK
 * @master: that of a wrapped root
 * @ret_blob: the root sealed again with the locked flag; written on success only
 * @extack: where a sentence goes
 *
 * Return: 0, also if it is locked already; -ENOKEY without a root; -EKEYREJECTED for another
 * master; then it is not locked.
 */
int dmacc_root_lock(const u8 *master, struct dmacc_root_blob *ret_blob,
		    struct netlink_ext_ack *extack)
{
	const struct dmacc_seal *seal;
	struct dmacc_root_blob blob;
	u8 root[DMACC_KEY_LEN];
	int err;

	guard(mutex)(&root_lock);
	if (!root_mac)
		return dmacc_refuse(extack, -ENOKEY, "no root is open");
	seal = seal_of(root_blob.rung);
	err = check_master(seal, master, extack);
	if (err)
		return err;
	err = seal->open(master, &root_blob, root);
	if (err)
		return dmacc_refuse(extack, err == -EBADMSG ? -EKEYREJECTED : err,
				    "this is not the master that the root was sealed with");
	blob = root_blob;
	blob.flags |= DMACC_ROOT_FLAG_LOCKED;
	err = seal->seal(master, root, &blob);
	memzero_explicit(root, sizeof(root));
	if (err)
		return dmacc_refuse(extack, err, "the root cannot be sealed again");
	root_blob = blob;
	*ret_blob = blob;
	set_locked();
	return 0;
}

/**
 * dmacc_root_derive() - a key that hangs on the root
 * @output: DMACC_OUTPUT_BLOB or DMACC_OUTPUT_STORE
 * @ret_key: 32 bytes; the caller wipes them; written on success only
 * @ret_status: of this root
 * @extack: where a sentence goes
 *
 * Return: 0; -ENOKEY while no root is open.
 */
int dmacc_root_derive(enum dmacc_output output, u8 ret_key[DMACC_KEY_LEN],
		      struct dmacc_root_status *ret_status, struct netlink_ext_ack *extack)
{
	guard(mutex)(&root_lock);
	if (!root_mac)
		return dmacc_refuse(extack, -ENOKEY, "no root is open");
	dmacc_root_get_status(ret_status);
	return dmacc_kdf(root_mac, output, root_fingerprint, DMACC_ROOT_ID_LEN, ret_key);
}
