/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-3-Clause */
/*
 * What the module gives out sealed. Userspace keeps these blobs and may read
 * their headers for a report; only the module can open them. All of a header is
 * authenticated. Numbers are big-endian.
 */
#ifndef _UAPI_LINUX_DMACC_BLOB_H
#define _UAPI_LINUX_DMACC_BLOB_H

#include <linux/types.h>

#define DMACC_BLOB_FORMAT	1
#define DMACC_ROOT_MAGIC	"DMACCROO"
#define DMACC_SLOT_MAGIC	"DMACCSLO"

/* flags of a root blob */
#define DMACC_ROOT_FLAG_LOCKED	1

/*
 * The root R. What a rung made of it is for that rung alone to understand: for trusted the blob of
 * a kernel trusted key; for wrapped a nonce of 12 bytes, R under AES-256-GCM with the master, and
 * its tag of 16. @root_id and @tag are derived from R, so that header and sealed bytes cannot be
 * exchanged or changed: @tag stands for all of the blob, with zeros in its own place. The locked flag
 * can be set without unsealing.
 */
struct dmacc_root_blob {
	__u8 magic[8];
	__u8 format;
	__u8 rung;		/* enum dmacc_rung */
	__u8 flags;
	__u8 reserved;		/* 0 */
	__u8 root_id[8];
	__u8 sealed_len[2];
	__u8 tag[16];
	__u8 sealed[];
};

/* A device key: AES-256-GCM under a key derived from the root. Unused bytes are 0. */
struct dmacc_slot_blob {
	__u8 magic[8];
	__u8 format;
	__u8 rung;		/* of the root that it hangs on */
	__u8 name_len;
	__u8 devid_len;
	__u8 root_id[8];
	__u8 name[32];
	__u8 key_id[8];
	__u8 key_version[4];
	__u8 devid[20];
	__u8 nonce[12];
	__u8 sealed[32];
	__u8 tag[16];
};

#endif
