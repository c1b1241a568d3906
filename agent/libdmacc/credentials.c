// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One call for one device: what a server that asks now and then wants.
 */
#include <errno.h>
#include <string.h>

#include "dmacc.h"

static int judge(const struct dmacc_device *device, const struct dmacc_server *server,
		 unsigned int flags, char ret_devid[DMACC_DEVID_SIZE],
		 struct dmacc_reason *reterr_reason)
{
	int r;

	r = dmacc_identifier_read(device->identifier, strlen(device->identifier),
				  flags & DMACC_SPARE_DIGIT, ret_devid, reterr_reason);
	if (!r)
		r = dmacc_server_valid(server, reterr_reason);
	if (!r && !device->key_version) {
		*reterr_reason = (struct dmacc_reason){ "range", "a key version is 1 or more" };
		r = -EINVAL;
	}
	return r;
}

static int set_key(struct dmacc_deriver *deriver, const uint8_t vendor_key[DMACC_KEY_SIZE],
		   struct dmacc_reason *reterr_reason)
{
	int r = dmacc_deriver_set_vendor_key(deriver, vendor_key);

	if (r == -EINVAL)
		*reterr_reason = (struct dmacc_reason){ "all-zero", "the vendor key is all zero" };
	return r;
}

static int derive(struct dmacc_deriver *deriver, const char *devid,
		  const struct dmacc_device *device, const struct dmacc_server *server,
		  unsigned int flags, struct dmacc_credentials *ret)
{
	uint8_t device_key[DMACC_KEY_SIZE];
	int r;

	r = dmacc_deriver_device_key(deriver, devid, device->key_version, device_key);
	if (!r)
		r = dmacc_deriver_credentials(deriver, device_key, devid, server,
					      device->generation, flags & DMACC_NONCES, ret);
	dmacc_wipe(device_key, sizeof(device_key));
	return r;
}

int dmacc_credentials_for(const uint8_t vendor_key[DMACC_KEY_SIZE],
			  const struct dmacc_device *device, const struct dmacc_server *server,
			  unsigned int flags, char ret_devid[DMACC_DEVID_SIZE],
			  struct dmacc_credentials *ret, struct dmacc_reason *reterr_reason)
{
	struct dmacc_deriver *deriver = NULL;
	char devid[DMACC_DEVID_SIZE];
	struct dmacc_reason reason;
	int r;

	r = judge(device, server, flags, devid, &reason);
	if (!r)
		r = dmacc_deriver_new(&deriver);
	if (!r)
		r = set_key(deriver, vendor_key, &reason);
	if (!r)
		r = derive(deriver, devid, device, server, flags, ret);
	dmacc_deriver_free(deriver);
	if (!r && ret_devid)
		memcpy(ret_devid, devid, sizeof(devid));
	if (r == -EINVAL && reterr_reason)
		*reterr_reason = reason;
	return r;
}
