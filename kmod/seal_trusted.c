// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rung "trusted": the root is a kernel trusted key, sealed by a TPM, TEE, CAAM or DCP. The key type
 * is found by its name when it is wanted, so that this module neither needs it nor is kept from
 * loading by it. The key is in a ring that only this module possesses, for as long as it takes to
 * copy R out of it.
 */
#include <keys/trusted-type.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/key.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "seal.h"

/* No rights but the possessor's: neither ring nor key shows in /proc/keys */
#define PERMISSIONS (KEY_POS_ALL & ~KEY_POS_SETATTR)

static struct key *new_ring(void)
{
	struct cred *cred = prepare_kernel_cred(&init_task);
	struct key *ring;

	if (!cred)
		return ERR_PTR(-ENOMEM);
	ring = keyring_alloc(".dmacc", GLOBAL_ROOT_UID, GLOBAL_ROOT_GID, cred, PERMISSIONS,
			     KEY_ALLOC_NOT_IN_QUOTA, NULL, NULL);
	put_cred(cred);
	return ring;
}

static int copy_payload(struct key *key, u8 ret_root[DMACC_KEY_LEN], u8 *ret_sealed,
			size_t *ret_len)
{
	const struct trusted_key_payload *payload;

	lockdep_assert_held_read(&key->sem);
	payload = dereference_key_locked(key);
	/* what a TPM refused may come back as a key without content */
	if (!payload || payload->key_len != DMACC_KEY_LEN)
		return -EKEYREJECTED;
	memcpy(ret_root, payload->key, DMACC_KEY_LEN);
	if (!ret_sealed)
		return 0;
	if (payload->blob_len > DMACC_SEALED_MAX)
		return -EMSGSIZE;
	memcpy(ret_sealed, payload->blob, payload->blob_len);
	*ret_len = payload->blob_len;
	return 0;
}

static int take_payload(key_ref_t ref, u8 ret_root[DMACC_KEY_LEN], u8 *ret_sealed, size_t *ret_len)
{
	struct key *key = key_ref_to_ptr(ref);
	int err;

	down_read(&key->sem);
	err = copy_payload(key, ret_root, ret_sealed, ret_len);
	up_read(&key->sem);
	key_ref_put(ref);
	return err;
}

/* The key type's errors are many, and of each some mean a TPM that is locked out or another one */
static int error_of(key_ref_t ref)
{
	int err = PTR_ERR_OR_ZERO(ref);

	return !err || err == -ENODEV || err == -ENOMEM ? err : -EKEYREJECTED;
}

/*
 * Has the kernel make or load a trusted key as @text says, and takes out what is in it. The last
 * reference to the key goes with the ring; its content is wiped when it is freed.
 */
static int with_key(const char *text, u8 ret_root[DMACC_KEY_LEN], u8 *ret_sealed, size_t *ret_len)
{
	struct key *ring = new_ring();
	key_ref_t ref;
	int err;

	if (IS_ERR(ring))
		return PTR_ERR(ring);
	ref = key_create_or_update(make_key_ref(ring, true), "trusted", "root", text, strlen(text),
				   PERMISSIONS, KEY_ALLOC_NOT_IN_QUOTA);
	err = error_of(ref);
	if (!err)
		err = take_payload(ref, ret_root, ret_sealed, ret_len);
	keyring_clear(ring);
	key_put(ring);
	return err;
}

static int trusted_make(const struct dmacc_seal_input *input, u8 ret_root[DMACC_KEY_LEN],
			u8 *ret_sealed, size_t *ret_len)
{
	char text[sizeof("new 32 keyhandle=0x00000000")];

	if (input->tpm_parent)
		snprintf(text, sizeof(text), "new %d keyhandle=0x%08x", DMACC_KEY_LEN,
			 input->tpm_parent);
	else
		snprintf(text, sizeof(text), "new %d", DMACC_KEY_LEN);
	return with_key(text, ret_root, ret_sealed, ret_len);
}

static int trusted_open(const struct dmacc_seal_input *input, const u8 *sealed, size_t len,
			u8 ret_root[DMACC_KEY_LEN])
{
	static const char load[] = "load ";
	char *text, *end;
	int err;

	text = kmalloc(sizeof(load) + 2 * len, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	end = text + sprintf(text, "%s", load);
	while (len--)
		end += sprintf(end, "%02x", *sealed++);
	err = with_key(text, ret_root, NULL, NULL);
	kfree(text);
	return err;
}

const struct dmacc_seal dmacc_seal_trusted = {
	.rung = DMACC_RUNG_TRUSTED,
	.make = trusted_make,
	.open = trusted_open,
};
