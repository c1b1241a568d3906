// SPDX-License-Identifier: LGPL-2.1-or-later
/* ./DevInfo: who the device is, which goes out with the first message of each session */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "dmacc-client.h"
#include "dmacc.h"
#include "kernel.h"
#include "mo.h"
#include "proof.h"

#define BASE "./DevInfo"
#define URN "urn:oma:mo:oma-dm-devinfo:1.0"

struct devinfo {
	char devid[DMACC_DEVID_SIZE];
	struct device_info info;
};

struct leaf {
	const char *name;
	const char *value;
};

#define LEAVES 5

static void list_leaves(const struct devinfo *d, struct leaf ret[LEAVES])
{
	const struct leaf leaves[LEAVES] = {
		{ "DevId", d->devid }, { "Man", d->info.manufacturer }, { "Mod", d->info.model },
		{ "DmV", DMACC_VERSION }, { "Lang", d->info.language },
	};

	memcpy(ret, leaves, sizeof(leaves));
}

/* From the agent; it tells root and the DM client */
static bool ask_agent(char ret[DMACC_DEVID_SIZE])
{
	struct dmacc_client *client = NULL;
	char *devid = NULL;
	bool found;

	found = !dmacc_client_new(&client) && !dmacc_client_devid(client, &devid) &&
		!dmacc_identifier_check(devid, NULL);
	if (found)
		strcpy(ret, devid);
	free(devid);
	dmacc_client_free(client);
	return found;
}

/* From the module, which tells root */
static bool ask_module(char ret[DMACC_DEVID_SIZE])
{
	struct dmacc_kernel *kernel;
	bool found;

	if (dmacc_kernel_open(&kernel))
		return false;
	found = !dmacc_kernel_get_identity(kernel, NULL, ret) && ret[0];
	dmacc_kernel_close(kernel);
	return found;
}

/* A device that does not know who it is is nobody: it must not be taken for another */
static int begin(void **data)
{
	struct devinfo *d = calloc(1, sizeof(*d));

	if (!d)
		return MO_DEVICE_FULL;
	if (!ask_agent(d->devid) && !ask_module(d->devid)) {
		mo_complain("dmacc: neither agent nor module says who this device is");
		free(d);
		return MO_FAILED;
	}
	device_read("", &d->info);
	*data = d;
	return MO_DONE;
}

/* NULL if there is no such leaf */
static const char *find(const struct devinfo *d, const char *uri)
{
	struct leaf leaves[LEAVES];
	size_t i;

	if (strncmp(uri, BASE "/", strlen(BASE "/")))
		return NULL;
	list_leaves(d, leaves);
	for (i = 0; i < LEAVES; i++)
		if (!strcmp(uri + strlen(BASE "/"), leaves[i].name))
			return leaves[i].value;
	return NULL;
}

static int is_node(const char *uri, enum mo_kind *kind, void *data)
{
	if (!strcmp(uri, BASE))
		*kind = MO_INTERIOR;
	else
		*kind = find(data, uri) ? MO_LEAF : MO_NOTHING;
	return MO_DONE;
}

static int find_urn(const char *urn, char ***uris, void *data)
{
	(void)data;
	*uris = NULL;
	return strcmp(urn, URN) ? MO_NOT_FOUND : mo_give_uri(BASE, uris);
}

static int get(struct mo_node *node, void *data)
{
	static const char names[] = "DevId/Man/Mod/DmV/Lang";
	const char *value;

	node->format = node->type = node->data = NULL;
	node->size = 0;
	if (!strcmp(node->uri, BASE))
		return mo_give(node, "node", names, strlen(names));
	value = find(data, node->uri);
	return value ? mo_give(node, "chr", value, strlen(value)) : MO_NOT_FOUND;
}

/* Before a server was heard it is the client itself that reads */
static int get_acl(const char *uri, char **acl, void *data)
{
	*acl = NULL;
	if (proof_found_elsewhere())
		return MO_FAILED;
	if (strcmp(uri, BASE))
		return find(data, uri) ? MO_DONE : MO_NOT_FOUND;
	*acl = strdup("Get=*");
	return *acl ? MO_DONE : MO_DEVICE_FULL;
}

__attribute__((visibility("default")))
struct mo_interface *dmacc_mo_device(void)
{
	struct mo_interface *mo = calloc(1, sizeof(*mo));

	if (!mo)
		return NULL;
	*mo = (struct mo_interface){
		.base_uri = strdup(BASE), .init = begin, .close = free, .is_node = is_node,
		.find_urn = find_urn, .get = get, .get_acl = get_acl,
	};
	if (mo->base_uri)
		return mo;
	free(mo);
	return NULL;
}
