/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-3-Clause */
/*
 * The generic netlink family "dmacc": a device's identity, its sealed vendor
 * keys and what is derived from them. uapi/dmacc.yaml is the specification that
 * this header and the module's policies are checked against.
 */
#ifndef _UAPI_LINUX_DMACC_H
#define _UAPI_LINUX_DMACC_H

#define DMACC_FAMILY_NAME	"dmacc"
#define DMACC_FAMILY_VERSION	1
#define DMACC_MCGRP_EVENTS	"events"

/* Lengths in bytes */
#define DMACC_MASTER_LEN	32
#define DMACC_DEVICE_KEY_LEN	32
#define DMACC_KEYID_LEN		8
#define DMACC_ROOT_ID_LEN	8
#define DMACC_STORE_KEY_LEN	32
#define DMACC_NONCE_BYTES	16
#define DMACC_SLOT_NAME_MAX	32
#define DMACC_SERVER_BYTES_MAX	255
#define DMACC_DEVID_BYTES_MAX	20
#define DMACC_BLOB_MAX		2048

/*
 * Who gave the identity. Hardware is asked for an IMEI, then a MEID, then an ESN, and for each in
 * this order: nvmem, device tree, SMBIOS. The first that has a valid one is latched, and stays so
 * until reboot; while one before it cannot be read yet, it is not taken. Where hardware gives none,
 * the first SET_IDENTITY or blob is latched, also while hardware is waited for. What hardware names
 * of the same or a better kind and is not the same is a conflict, which is reported and changes
 * nothing.
 */
enum dmacc_identity_source {
	DMACC_IDENTITY_NONE,
	DMACC_IDENTITY_SMBIOS,		/* type 11 OEM string, "IMEI:" and digits */
	DMACC_IDENTITY_DEVICE_TREE,	/* property: devicetree/dmacc,identity.yaml */
	DMACC_IDENTITY_NVMEM,		/* cell of a fuse or EEPROM: the same */
	DMACC_IDENTITY_SET,		/* SET_IDENTITY */
	DMACC_IDENTITY_BLOB,		/* the DevId of the first blob that was loaded */
};

/* What seals the root, best first */
enum dmacc_rung {
	DMACC_RUNG_NONE,
	DMACC_RUNG_TRUSTED,		/* a kernel trusted key */
	DMACC_RUNG_WRAPPED,		/* AES-256-GCM under a master handed over at each boot */
};

enum dmacc_root_state {
	DMACC_ROOT_ABSENT,		/* OPEN_ROOT has not been called */
	DMACC_ROOT_OPEN,
	DMACC_ROOT_NEEDS_LOAD,		/* wiped before hibernation or kexec: open it again */
	DMACC_ROOT_SEALED_UNAVAILABLE,	/* the last OPEN_ROOT failed, see the reason */
};

/* Why the last OPEN_ROOT failed */
enum dmacc_root_reason {
	DMACC_REASON_NONE,
	DMACC_REASON_NO_KEY_TYPE,
	DMACC_REASON_NO_TPM,
	DMACC_REASON_NO_PARENT,
	DMACC_REASON_REFUSED,
	DMACC_REASON_LOCKED_OUT,
};

/* Where the master of a wrapped root came from, as who handed it over says */
enum dmacc_master_source {
	DMACC_MASTER_NONE,
	DMACC_MASTER_FILE,		/* a plain file: for development */
	DMACC_MASTER_CREDENTIAL_HOST,	/* systemd credential, host key */
	DMACC_MASTER_CREDENTIAL_TPM2,	/* systemd credential, TPM2 */
};

enum dmacc_server_kind {
	DMACC_SERVER_ID = 1,
	DMACC_SERVER_ADDR,
};

enum dmacc_event {
	DMACC_EVENT_IDENTITY = 1,	/* latched, or in conflict */
	DMACC_EVENT_ROOT,		/* opened, wiped or failed */
	DMACC_EVENT_SLOTS,		/* a slot was loaded or emptied */
	DMACC_EVENT_LOCKED,
};

enum dmacc_cmd {
	DMACC_CMD_GET_STATUS = 1,
	DMACC_CMD_OPEN_ROOT,
	DMACC_CMD_SEAL_KEY,
	DMACC_CMD_LOAD_KEY,
	DMACC_CMD_FORGET_KEY,
	DMACC_CMD_LOCK,
	DMACC_CMD_GET_IDENTITY,
	DMACC_CMD_SET_IDENTITY,
	DMACC_CMD_DERIVE,
	DMACC_CMD_STORE_KEY,
	DMACC_CMD_EVENT,		/* notification only */

	__DMACC_CMD_MAX,
	DMACC_CMD_MAX = (__DMACC_CMD_MAX - 1)
};

enum dmacc_attr {
	DMACC_A_MODULE_VERSION = 1,	/* string */
	DMACC_A_IDENTITY_SOURCE,	/* u8, enum dmacc_identity_source */
	DMACC_A_DEVID,			/* string, canonical */
	DMACC_A_RUNG,			/* u8, enum dmacc_rung */
	DMACC_A_ROOT_STATE,		/* u8, enum dmacc_root_state */
	DMACC_A_ROOT_REASON,		/* u8, enum dmacc_root_reason */
	DMACC_A_ROOT_ID,		/* binary, 8: names R, tells nothing of it */
	DMACC_A_ROOT_BLOB,		/* binary */
	DMACC_A_MASTER,			/* binary, 32; secret */
	DMACC_A_MASTER_SOURCE,		/* u8, enum dmacc_master_source */
	DMACC_A_AGENT_UID,		/* u32, of the initial user namespace */
	DMACC_A_LOCKED,			/* u8, 0 or 1 */
	DMACC_A_SLOT_COUNT,		/* u32 */
	DMACC_A_SLOT,			/* nest, once for each slot: enum dmacc_slot_attr */
	DMACC_A_SLOT_NAME,		/* string, [a-z0-9._-]{1,32} */
	DMACC_A_SLOT_BLOB,		/* binary */
	DMACC_A_DEVICE_KEY,		/* binary, 32; secret */
	DMACC_A_KEY_ID,			/* binary, 8 */
	DMACC_A_KEY_VERSION,		/* u32, from 1 */
	DMACC_A_SERVER_KIND,		/* u8, enum dmacc_server_kind */
	DMACC_A_SERVER,			/* binary, UTF-8, 1 to 255 */
	DMACC_A_GENERATION,		/* u32 */
	DMACC_A_USER_NAME,		/* string */
	DMACC_A_SERVER_PW,		/* string; secret */
	DMACC_A_CLIENT_PW,		/* string; secret */
	DMACC_A_SERVER_NONCE,		/* binary, 16 */
	DMACC_A_CLIENT_NONCE,		/* binary, 16 */
	DMACC_A_STORE_KEY,		/* binary, 32; secret */
	DMACC_A_EVENT,			/* u8, enum dmacc_event */
	DMACC_A_TPM_PARENT,		/* u32, handle of a persistent key */
	DMACC_A_IDENTITY_CONFLICT,	/* u8, enum dmacc_identity_source: who names another */
	DMACC_A_IDENTITY_PENDING,	/* u8, 0 or 1: hardware's cannot be read yet */

	__DMACC_A_MAX,
	DMACC_A_MAX = (__DMACC_A_MAX - 1)
};

enum dmacc_slot_attr {
	DMACC_SLOT_A_NAME = 1,		/* string */
	DMACC_SLOT_A_KEY_ID,		/* binary, 8 */
	DMACC_SLOT_A_KEY_VERSION,	/* u32 */

	__DMACC_SLOT_A_MAX,
	DMACC_SLOT_A_MAX = (__DMACC_SLOT_A_MAX - 1)
};

#endif
