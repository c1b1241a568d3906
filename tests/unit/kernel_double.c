// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_double.h"

struct dmacc_kernel {
	const char *sentence;
};

struct kernel_double kernel_double;

/* SET_IDENTITY: stays until the process ends, as it does until a reboot */
static char latched[DMACC_DEVID_SIZE];

static struct dmacc_deriver *new_deriver(void)
{
	struct dmacc_deriver *deriver;
	uint8_t vendor_key[DMACC_KEY_SIZE];
	size_t i;

	for (i = 0; i < sizeof(vendor_key); i++)
		vendor_key[i] = (uint8_t)i;
	if (dmacc_deriver_new(&deriver) || dmacc_deriver_set_vendor_key(deriver, vendor_key))
		abort();
	return deriver;
}

void kernel_double_inject(size_t i, const char *name, uint32_t key_version)
{
	struct dmacc_deriver *deriver = new_deriver();
	struct double_slot *s = &kernel_double.slots[i];
	char key_id[DMACC_KEY_ID_SIZE];

	snprintf(s->slot.name, sizeof(s->slot.name), "%s", name);
	s->slot.key_version = key_version;
	if (dmacc_deriver_key_id(deriver, key_version, key_id) ||
	    dmacc_deriver_device_key(deriver, kernel_double.devid, key_version, s->device_key))
		abort();
	memcpy(s->slot.key_id, key_id, sizeof(s->slot.key_id));
	if (kernel_double.slots_len <= i)
		kernel_double.slots_len = i + 1;
	dmacc_deriver_free(deriver);
}

/* 01 08 0f ...; who searches the process for it finds the agent's copies only */
static void set_store_key(void)
{
	size_t i;

	for (i = 0; i < DMACC_STORE_KEY_LEN; i++)
		kernel_double.inverted_store_key[i] = (uint8_t)~(7 * i + 1);
}

void kernel_double_reset(void)
{
	kernel_double = (struct kernel_double){
		.devid = "IMEI:490154203237518",
		.source = DMACC_IDENTITY_SMBIOS,
		.rung = DMACC_RUNG_WRAPPED,
		.master_source = DMACC_MASTER_FILE,
		.root_state = DMACC_ROOT_OPEN,
		.root_id = "rootroot",
	};
	set_store_key();
	kernel_double_inject(0, "vendor", 1);
}

/*
 * For a daemon of its own process: words in the file that $DMACC_DOUBLE names, read at each
 * connect
 */
static void read_words(void)
{
	const char *path = getenv("DMACC_DOUBLE");
	FILE *file = path ? fopen(path, "re") : NULL;
	char word[64];

	if (!path)
		return;
	kernel_double_reset();
	while (file && fscanf(file, "%63s", word) == 1) {
		if (!strcmp(word, "blob"))
			kernel_double.source = DMACC_IDENTITY_BLOB;
		else if (!strcmp(word, "no-module"))
			kernel_double.no_module = true;
		else if (!strcmp(word, "no-identity"))
			kernel_double.devid = NULL;
		else if (!strcmp(word, "conflict"))
			kernel_double.conflict = DMACC_IDENTITY_NVMEM;
		else if (!strcmp(word, "pending"))
			kernel_double.pending = true;
		else if (!strcmp(word, "no-root"))
			kernel_double.root_state = DMACC_ROOT_ABSENT;
		else if (!strcmp(word, "no-slot"))
			kernel_double.slots_len = 0;
		else
			abort();
	}
	if (file)
		fclose(file);
	if (!kernel_double.devid && latched[0]) {
		kernel_double.devid = latched;
		kernel_double.source = DMACC_IDENTITY_SET;
	}
}

int dmacc_kernel_open(struct dmacc_kernel **ret)
{
	read_words();
	if (kernel_double.no_module)
		return -ENOENT;
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

struct dmacc_kernel *dmacc_kernel_close(struct dmacc_kernel *kernel)
{
	free(kernel);
	return NULL;
}

const char *dmacc_kernel_sentence(const struct dmacc_kernel *kernel)
{
	return kernel->sentence;
}

static int refuse(struct dmacc_kernel *kernel, int error, const char *sentence)
{
	kernel->sentence = sentence;
	return error;
}

int dmacc_kernel_get_status(struct dmacc_kernel *kernel, struct dmacc_kernel_status *ret)
{
	struct dmacc_kernel_status status = {
		.module_version = "double",
		.identity_source = kernel_double.devid ? kernel_double.source :
							 DMACC_IDENTITY_NONE,
		.identity_conflict = kernel_double.conflict,
		.identity_pending = kernel_double.pending,
		.rung = kernel_double.rung,
		.root_state = kernel_double.root_state,
		.root_reason = kernel_double.root_reason,
		.master_source = kernel_double.master_source,
		.privileged = true,
		.slot_count = (uint32_t)kernel_double.slots_len,
		.slots_len = kernel_double.slots_len,
	};
	size_t i;

	(void)kernel;
	memcpy(status.root_id, kernel_double.root_id, sizeof(status.root_id));
	for (i = 0; i < kernel_double.slots_len; i++)
		status.slots[i] = kernel_double.slots[i].slot;
	*ret = status;
	return 0;
}

int dmacc_kernel_get_identity(struct dmacc_kernel *kernel, enum dmacc_identity_source *ret_source,
			      char ret_devid[DMACC_DEVID_SIZE])
{
	(void)kernel;
	if (ret_source)
		*ret_source = kernel_double.devid ? kernel_double.source : DMACC_IDENTITY_NONE;
	snprintf(ret_devid, DMACC_DEVID_SIZE, "%s", kernel_double.devid ? kernel_double.devid : "");
	return 0;
}

int dmacc_kernel_set_identity(struct dmacc_kernel *kernel, const char *devid)
{
	if (kernel_double.refuses_identity || kernel_double.root_state != DMACC_ROOT_OPEN)
		return refuse(kernel, -EPERM, "this is for the agent");
	if (kernel_double.devid && strcmp(kernel_double.devid, devid))
		return refuse(kernel, -EEXIST, "this device has another identity already");
	snprintf(latched, sizeof(latched), "%s", devid);
	kernel_double.devid = latched;
	kernel_double.source = DMACC_IDENTITY_SET;
	return 0;
}

int dmacc_kernel_store_key(struct dmacc_kernel *kernel, uint8_t ret_root_id[DMACC_ROOT_ID_LEN],
			   uint8_t ret_key[DMACC_STORE_KEY_LEN])
{
	size_t i;

	if (kernel_double.no_store_key)
		return refuse(kernel, -EPERM, "this is for the agent");
	memcpy(ret_root_id, kernel_double.root_id, DMACC_ROOT_ID_LEN);
	for (i = 0; i < DMACC_STORE_KEY_LEN; i++)
		ret_key[i] = (uint8_t)~kernel_double.inverted_store_key[i];
	return 0;
}

static const struct double_slot *find(const char *name)
{
	size_t i;

	for (i = 0; i < kernel_double.slots_len; i++)
		if (!strcmp(kernel_double.slots[i].slot.name, name))
			return &kernel_double.slots[i];
	return NULL;
}

int dmacc_kernel_derive(struct dmacc_kernel *kernel, const char *slot,
			const struct dmacc_server *server, uint32_t generation,
			struct dmacc_credentials *ret)
{
	const struct double_slot *found = find(slot);
	struct dmacc_deriver *deriver;
	int r;

	if (kernel_double.derive_fails || !found)
		return refuse(kernel, -ENOKEY, "no key is loaded in this slot");
	kernel_double.derived++;
	deriver = new_deriver();
	r = dmacc_deriver_credentials(deriver, found->device_key, kernel_double.devid, server,
				      generation, DMACC_NONCES, ret);
	dmacc_deriver_free(deriver);
	return r;
}
