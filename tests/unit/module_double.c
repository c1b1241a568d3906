// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * In the place of agent/common/kernel.c, for a program of its own process: a module that remembers,
 * in the file $DMACC_MODULE, what it was told; removing that file is a reboot. It judges as the real
 * one does and derives with libdmacc. What it seals is authenticated, and opens with the right master
 * only, but is no secret. $DMACC_HARDWARE is the identifier that hardware names; $DMACC_MODULE_LOCKED
 * the parameter locked=1. $DMACC_FAULT is "fail N" or "die N", see faults.h. $DMACC_CONFIGURATION is in
 * the place of /etc/dmacc.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "kernel.h"

#define TAG_LEN 16
#define NONCE_LEN 12
#define WRAPPED_LEN (NONCE_LEN + 32 + TAG_LEN)

struct slot {
	struct dmacc_kernel_slot slot;
	uint8_t key[DMACC_DEVICE_KEY_LEN];
};

struct module {
	bool booted;
	bool locked;
	enum dmacc_identity_source identity_source, identity_conflict;
	bool identity_pending;
	char devid[DMACC_DEVID_SIZE];
	enum dmacc_root_state root_state;
	enum dmacc_root_reason root_reason;
	enum dmacc_master_source master_source;
	uint8_t root[32];
	struct dmacc_kernel_blob blob;
	struct slot slots[DMACC_KERNEL_SLOTS_MAX];
	size_t slots_len;
};

struct dmacc_kernel {
	const char *sentence;
	struct module m;
};

const char *__wrap_ctl_configuration(void);

const char *__wrap_ctl_configuration(void)
{
	const char *folder = getenv("DMACC_CONFIGURATION");

	return folder ? folder : "/nonexistent";
}

static int refuse(struct dmacc_kernel *k, int error, const char *sentence)
{
	k->sentence = sentence;
	return error;
}

static void mac(const uint8_t key[32], const void *data, size_t len, uint8_t *ret, size_t ret_len)
{
	uint8_t out[EVP_MAX_MD_SIZE];

	if (!HMAC(EVP_sha256(), key, 32, data, len, out, NULL))
		abort();
	memcpy(ret, out, ret_len);
}

/* 32 bytes, to and fro */
static void mask(const uint8_t key[32], const uint8_t nonce[NONCE_LEN], const uint8_t *in, uint8_t *out)
{
	uint8_t pad[32];
	size_t i;

	mac(key, nonce, NONCE_LEN, pad, sizeof(pad));
	for (i = 0; i < sizeof(pad); i++)
		out[i] = in[i] ^ pad[i];
}

/* From the program's start */
__attribute__((constructor)) static void arm(void)
{
	const char *fault = getenv("DMACC_FAULT");

	if (fault)
		faults_arm(!strncmp(fault, "die", 3) ? FAULT_DIE : FAULT_FAIL, atoi(strchr(fault, ' ')));
}

static void save(struct dmacc_kernel *k)
{
	FILE *file = fopen(getenv("DMACC_MODULE"), "we");

	if (!file || fwrite(&k->m, sizeof(k->m), 1, file) != 1 || fclose(file))
		abort();
}

static void boot(struct module *m)
{
	const char *hardware = getenv("DMACC_HARDWARE");
	const char *other = getenv("DMACC_HARDWARE_NEWS");

	*m = (struct module){ .booted = true, .locked = getenv("DMACC_MODULE_LOCKED") };
	m->identity_pending = other && !strcmp(other, "pending");
	if (other && !strcmp(other, "conflict"))
		m->identity_conflict = DMACC_IDENTITY_NVMEM;
	if (!hardware)
		return;
	m->identity_source = DMACC_IDENTITY_SMBIOS;
	snprintf(m->devid, sizeof(m->devid), "%s", hardware);
}

int dmacc_kernel_open(struct dmacc_kernel **ret)
{
	const char *path = getenv("DMACC_MODULE");
	struct dmacc_kernel *k;
	FILE *file;

	if (!path)
		return -ENOENT;
	k = calloc(1, sizeof(*k));
	file = fopen(path, "re");
	if (!k || (file && fread(&k->m, sizeof(k->m), 1, file) != 1))
		abort();
	if (file)
		fclose(file);
	if (!k->m.booted)
		boot(&k->m);
	save(k);
	*ret = k;
	return 0;
}

struct dmacc_kernel *dmacc_kernel_close(struct dmacc_kernel *k)
{
	free(k);
	return NULL;
}

const char *dmacc_kernel_sentence(const struct dmacc_kernel *k)
{
	return k->sentence ? k->sentence : "the double has no sentence for it";
}

static const struct dmacc_root_blob *root_of(const struct module *m)
{
	return (const struct dmacc_root_blob *)m->blob.bytes;
}

int dmacc_kernel_get_status(struct dmacc_kernel *k, struct dmacc_kernel_status *ret)
{
	struct dmacc_kernel_status s = {
		.module_version = "double",
		.identity_source = k->m.identity_source,
		.identity_conflict = k->m.identity_conflict,
		.identity_pending = k->m.identity_pending,
		.root_state = k->m.root_state,
		.root_reason = k->m.root_reason,
		.master_source = k->m.master_source,
		.locked = k->m.locked,
		.privileged = true,
		.slot_count = (uint32_t)k->m.slots_len,
		.slots_len = k->m.slots_len,
	};
	size_t i;

	if (k->m.root_state == DMACC_ROOT_OPEN) {
		s.rung = (enum dmacc_rung)root_of(&k->m)->rung;
		memcpy(s.root_id, root_of(&k->m)->root_id, sizeof(s.root_id));
	}
	for (i = 0; i < k->m.slots_len; i++)
		s.slots[i] = k->m.slots[i].slot;
	*ret = s;
	return 0;
}

static void root_id(const uint8_t root[32], uint8_t ret[8])
{
	mac(root, "id", 2, ret, 8);
}

static void write_tag(const uint8_t root[32], struct dmacc_root_blob *blob)
{
	mac(root, blob, offsetof(struct dmacc_root_blob, tag), blob->tag, sizeof(blob->tag));
}

static void adopt(struct dmacc_kernel *k, const struct dmacc_kernel_master *master, const uint8_t root[32],
		  const void *blob, size_t len)
{
	memcpy(k->m.root, root, 32);
	memcpy(k->m.blob.bytes, blob, len);
	k->m.blob.len = len;
	k->m.root_state = DMACC_ROOT_OPEN;
	k->m.root_reason = DMACC_REASON_NONE;
	k->m.master_source = master->source;
}

static int fail(struct dmacc_kernel *k, enum dmacc_root_reason reason, int error, const char *sentence)
{
	if (k->m.root_state != DMACC_ROOT_OPEN) {
		k->m.root_state = DMACC_ROOT_SEALED_UNAVAILABLE;
		k->m.root_reason = reason;
		save(k);
	}
	return refuse(k, error, sentence);
}

int dmacc_kernel_make_root(struct dmacc_kernel *k, enum dmacc_rung rung,
			   const struct dmacc_kernel_master *master, uint32_t tpm_parent, uid_t agent,
			   struct dmacc_kernel_blob *ret_blob)
{
	struct dmacc_root_blob *blob = (struct dmacc_root_blob *)ret_blob->bytes;
	uint8_t root[32], *sealed = blob->sealed;

	(void)agent;
	(void)tpm_parent;
	if (k->m.locked)
		return refuse(k, -EPERM, "locked: no new root is made");
	if (k->m.root_state == DMACC_ROOT_OPEN)
		return refuse(k, -EEXIST, "a root is open already");
	if (rung != DMACC_RUNG_WRAPPED)
		return fail(k, DMACC_REASON_NO_KEY_TYPE, -EOPNOTSUPP,
			    "this module cannot seal with that rung here");
	*ret_blob = (struct dmacc_kernel_blob){ .len = sizeof(*blob) + WRAPPED_LEN };
	if (RAND_bytes(root, sizeof(root)) != 1 || RAND_bytes(sealed, NONCE_LEN) != 1)
		abort();
	memcpy(blob->magic, DMACC_ROOT_MAGIC, sizeof(blob->magic));
	blob->format = DMACC_BLOB_FORMAT;
	blob->rung = rung;
	root_id(root, blob->root_id);
	blob->sealed_len[1] = WRAPPED_LEN;
	write_tag(root, blob);
	mask(master->bytes, sealed, root, sealed + NONCE_LEN);
	mac(master->bytes, sealed, NONCE_LEN + 32, sealed + NONCE_LEN + 32, TAG_LEN);
	adopt(k, master, root, blob, ret_blob->len);
	save(k);
	return 0;
}

int dmacc_kernel_open_root(struct dmacc_kernel *k, const void *bytes, size_t len,
			   const struct dmacc_kernel_master *master, uid_t agent)
{
	const struct dmacc_root_blob *blob = bytes;
	uint8_t tag[TAG_LEN], root[32], id[8];

	(void)agent;
	if (len < sizeof(*blob) || memcmp(blob->magic, DMACC_ROOT_MAGIC, sizeof(blob->magic)))
		return fail(k, DMACC_REASON_REFUSED, -EINVAL, "this is not a sealed root");
	if (blob->format != DMACC_BLOB_FORMAT)
		return fail(k, DMACC_REASON_REFUSED, -EOPNOTSUPP,
			    "the sealed root has a format that this module does not know");
	if (len != sizeof(*blob) + WRAPPED_LEN || blob->sealed_len[1] != WRAPPED_LEN)
		return fail(k, DMACC_REASON_REFUSED, -EINVAL,
			    "the sealed root has been cut or lengthened");
	if (!master)
		return refuse(k, -EINVAL, "a wrapped root needs the master");
	mac(master->bytes, blob->sealed, NONCE_LEN + 32, tag, sizeof(tag));
	if (memcmp(tag, blob->sealed + NONCE_LEN + 32, sizeof(tag)))
		return fail(k, DMACC_REASON_REFUSED, -EKEYREJECTED,
			    "the master is another one, or the sealed root was changed");
	mask(master->bytes, blob->sealed, blob->sealed + NONCE_LEN, root);
	root_id(root, id);
	mac(root, blob, offsetof(struct dmacc_root_blob, tag), tag, sizeof(tag));
	if (memcmp(id, blob->root_id, sizeof(id)) || memcmp(tag, blob->tag, sizeof(tag)))
		return fail(k, DMACC_REASON_REFUSED, -EKEYREJECTED,
			    "the master is another one, or the sealed root was changed");
	if (k->m.root_state == DMACC_ROOT_OPEN && memcmp(root, k->m.root, sizeof(root)))
		return refuse(k, -EEXIST, "another root is open");
	if (k->m.root_state != DMACC_ROOT_OPEN || (blob->flags & DMACC_ROOT_FLAG_LOCKED))
		adopt(k, master, root, blob, len);
	if (blob->flags & DMACC_ROOT_FLAG_LOCKED)
		k->m.locked = true;
	save(k);
	return 0;
}

int dmacc_kernel_lock(struct dmacc_kernel *k, struct dmacc_kernel_blob *ret_blob)
{
	struct dmacc_root_blob *blob = (struct dmacc_root_blob *)k->m.blob.bytes;

	if (k->m.root_state != DMACC_ROOT_OPEN)
		return refuse(k, -ENOKEY, "no root is open");
	blob->flags |= DMACC_ROOT_FLAG_LOCKED;
	write_tag(k->m.root, blob);
	k->m.locked = true;
	*ret_blob = k->m.blob;
	save(k);
	return 0;
}

static struct slot *find(struct module *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->slots_len; i++)
		if (!strcmp(m->slots[i].slot.name, name))
			return &m->slots[i];
	return NULL;
}

static int put(struct dmacc_kernel *k, const struct dmacc_kernel_slot *info, const char *devid,
	       const uint8_t key[DMACC_DEVICE_KEY_LEN])
{
	struct slot *slot = find(&k->m, info->name);

	if (slot && slot->slot.key_version > info->key_version)
		return refuse(k, -ESTALE, "a key of a higher version is loaded");
	if (!slot && k->m.slots_len == DMACC_KERNEL_SLOTS_MAX)
		return refuse(k, -ENOSPC, "there is no free slot");
	if (k->m.devid[0] && strcmp(k->m.devid, devid))
		return refuse(k, -EKEYREJECTED, "the key was sealed for another device");
	if (!k->m.devid[0]) {
		snprintf(k->m.devid, sizeof(k->m.devid), "%s", devid);
		k->m.identity_source = DMACC_IDENTITY_BLOB;
	}
	if (!slot)
		slot = &k->m.slots[k->m.slots_len++];
	slot->slot = *info;
	memcpy(slot->key, key, sizeof(slot->key));
	save(k);
	return 0;
}

int dmacc_kernel_seal_key(struct dmacc_kernel *k, const struct dmacc_kernel_slot *info,
			  const uint8_t device_key[DMACC_DEVICE_KEY_LEN],
			  struct dmacc_kernel_blob *ret_blob)
{
	struct dmacc_slot_blob *blob = (struct dmacc_slot_blob *)ret_blob->bytes;
	int i;

	if (k->m.locked)
		return refuse(k, -EPERM, "locked: no key is sealed any more");
	if (k->m.root_state != DMACC_ROOT_OPEN)
		return refuse(k, -ENOKEY, "no root is open");
	if (!k->m.devid[0])
		return refuse(k, -ENODATA, "this device has no identity");
	*ret_blob = (struct dmacc_kernel_blob){ .len = sizeof(*blob) };
	memcpy(blob->magic, DMACC_SLOT_MAGIC, sizeof(blob->magic));
	blob->format = DMACC_BLOB_FORMAT;
	blob->rung = root_of(&k->m)->rung;
	memcpy(blob->root_id, root_of(&k->m)->root_id, sizeof(blob->root_id));
	blob->name_len = (uint8_t)strlen(info->name);
	memcpy(blob->name, info->name, blob->name_len);
	memcpy(blob->key_id, info->key_id, sizeof(blob->key_id));
	for (i = 0; i < 4; i++)
		blob->key_version[i] = (uint8_t)(info->key_version >> (24 - 8 * i));
	blob->devid_len = (uint8_t)strlen(k->m.devid);
	memcpy(blob->devid, k->m.devid, blob->devid_len);
	if (RAND_bytes(blob->nonce, sizeof(blob->nonce)) != 1)
		abort();
	mask(k->m.root, blob->nonce, device_key, blob->sealed);
	mac(k->m.root, blob, offsetof(struct dmacc_slot_blob, tag), blob->tag, sizeof(blob->tag));
	return put(k, info, k->m.devid, device_key);
}

int dmacc_kernel_load_key(struct dmacc_kernel *k, const void *bytes, size_t len,
			  struct dmacc_kernel_slot *ret_slot)
{
	const struct dmacc_slot_blob *blob = bytes;
	uint8_t tag[TAG_LEN], key[DMACC_DEVICE_KEY_LEN];
	struct dmacc_kernel_slot info = { 0 };
	char devid[DMACC_DEVID_SIZE] = "";
	int i, r;

	if (k->m.root_state != DMACC_ROOT_OPEN)
		return refuse(k, -ENOKEY, "no root is open");
	if (len != sizeof(*blob))
		return refuse(k, -EINVAL, "a sealed key has another length");
	if (memcmp(blob->magic, DMACC_SLOT_MAGIC, sizeof(blob->magic)))
		return refuse(k, -EINVAL, "this is not a sealed key");
	if (blob->format != DMACC_BLOB_FORMAT)
		return refuse(k, -EOPNOTSUPP,
			      "the sealed key has a format that this module does not know");
	if (memcmp(blob->root_id, root_of(&k->m)->root_id, sizeof(blob->root_id)))
		return refuse(k, -EKEYREJECTED, "the key was sealed under another root");
	mac(k->m.root, blob, offsetof(struct dmacc_slot_blob, tag), tag, sizeof(tag));
	if (memcmp(tag, blob->tag, sizeof(tag)))
		return refuse(k, -EBADMSG, "the sealed key was changed");
	memcpy(info.name, blob->name, blob->name_len);
	memcpy(info.key_id, blob->key_id, sizeof(info.key_id));
	for (i = 0; i < 4; i++)
		info.key_version = info.key_version << 8 | blob->key_version[i];
	memcpy(devid, blob->devid, blob->devid_len);
	mask(k->m.root, blob->nonce, blob->sealed, key);
	r = put(k, &info, devid, key);
	if (!r && ret_slot)
		*ret_slot = info;
	return r;
}

int dmacc_kernel_forget_key(struct dmacc_kernel *k, const char *name)
{
	struct slot *slot = find(&k->m, name);

	if (!slot)
		return refuse(k, -ENOENT, "there is no such slot");
	*slot = k->m.slots[--k->m.slots_len];
	save(k);
	return 0;
}

int dmacc_kernel_get_identity(struct dmacc_kernel *k, enum dmacc_identity_source *ret_source,
			      char ret_devid[DMACC_DEVID_SIZE])
{
	if (ret_source)
		*ret_source = k->m.identity_source;
	memcpy(ret_devid, k->m.devid, DMACC_DEVID_SIZE);
	return 0;
}

int dmacc_kernel_set_identity(struct dmacc_kernel *k, const char *devid)
{
	if (k->m.devid[0] && strcmp(k->m.devid, devid))
		return refuse(k, -EEXIST, "this device has another identity already");
	if (!k->m.devid[0])
		k->m.identity_source = DMACC_IDENTITY_SET;
	snprintf(k->m.devid, sizeof(k->m.devid), "%s", devid);
	save(k);
	return 0;
}

int dmacc_kernel_derive(struct dmacc_kernel *k, const char *name, const struct dmacc_server *server,
			uint32_t generation, struct dmacc_credentials *ret)
{
	const struct slot *slot = find(&k->m, name);
	struct dmacc_deriver *deriver;
	int r;

	if (!slot)
		return refuse(k, -ENOENT, "there is no such slot");
	if (dmacc_deriver_new(&deriver))
		abort();
	r = dmacc_deriver_credentials(deriver, slot->key, k->m.devid, server, generation, DMACC_NONCES,
				      ret);
	dmacc_deriver_free(deriver);
	return r;
}

int dmacc_kernel_store_key(struct dmacc_kernel *k, uint8_t ret_root_id[DMACC_ROOT_ID_LEN],
			   uint8_t ret_key[DMACC_STORE_KEY_LEN])
{
	if (k->m.root_state != DMACC_ROOT_OPEN)
		return refuse(k, -ENOKEY, "no root is open");
	memcpy(ret_root_id, root_of(&k->m)->root_id, DMACC_ROOT_ID_LEN);
	mac(k->m.root, "store", 5, ret_key, DMACC_STORE_KEY_LEN);
	return 0;
}
