// SPDX-License-Identifier: GPL-2.0-only
/*
 * Known answers at load. A module that computes other credentials than the server would lock a
 * phone out of it, and one whose sealing lets a changed byte pass would be worse.
 */
#define pr_fmt(fmt) "dmacc: " fmt

#include <linux/err.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "selftest.h"
#include "slot.h"

/* The first row of the published table: uapi/derivation.md, Annex A */
static const u8 device_key[DMACC_KEY_LEN] = {
	0xba, 0x94, 0x61, 0x93, 0xab, 0x73, 0x6b, 0x31,
	0xb7, 0x12, 0xe4, 0xf5, 0x2e, 0x4f, 0x43, 0x96,
	0x5b, 0x55, 0x4e, 0x05, 0x57, 0xea, 0x26, 0xc8,
	0xe2, 0x8a, 0x49, 0x97, 0xba, 0xda, 0xf4, 0x99,
};

static int test_derivation(void)
{
	static const char devid[] = "IMEI:490154203237518", server[] = "com.example.dm";
	const struct dmacc_derive_request request = {
		.kind = DMACC_KIND_SERVER_ID, .server = server, .server_len = strlen(server),
	};
	struct crypto_shash *mac = dmacc_mac_new(device_key);
	struct dmacc_derived d;
	int err;

	if (IS_ERR(mac))
		return PTR_ERR(mac);
	err = dmacc_derive_with(mac, devid, strlen(devid), &request, &d);
	dmacc_mac_free(mac);
	if (err)
		return err;
	if (strcmp(d.user_name, "HQU3K2QFHADCEVTNJZ4OUFUI") ||
	    strcmp(d.server_pw, "VVWHHJPJY3VV7GRTDCYZB5W7PR4AZLSO") ||
	    strcmp(d.client_pw, "LX37WNX7VWGHGEZJ377UIPJCX4RCYCPK"))
		return -EIO;
	return 0;
}

static int test_sealing(void)
{
	static const u8 nonce[DMACC_GCM_NONCE_LEN] = { 1 };
	u8 sealed[DMACC_KEY_LEN + DMACC_GCM_TAG_LEN], opened[DMACC_KEY_LEN];
	int err;

	err = dmacc_gcm_seal(device_key, nonce, "aad", 3, device_key, DMACC_KEY_LEN, sealed);
	if (err)
		return err;
	err = dmacc_gcm_open(device_key, nonce, "aad", 3, sealed, DMACC_KEY_LEN, opened);
	if (err)
		return err;
	if (memcmp(opened, device_key, DMACC_KEY_LEN))
		return -EIO;
	if (dmacc_gcm_open(device_key, nonce, "aae", 3, sealed, DMACC_KEY_LEN, opened) != -EBADMSG)
		return -EIO;
	sealed[0] ^= 1;
	if (dmacc_gcm_open(device_key, nonce, "aad", 3, sealed, DMACC_KEY_LEN, opened) != -EBADMSG)
		return -EIO;
	return 0;
}

/**
 * dmacc_selftest() - the known-answer test
 *
 * Return: 0, or a negative errno, and then the module must not serve.
 */
int dmacc_selftest(void)
{
	int err = test_derivation();

	if (!err)
		err = test_sealing();
	if (err)
		pr_err("the known-answer test failed (%d)\n", err);
	return err;
}
