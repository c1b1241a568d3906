// SPDX-License-Identifier: LGPL-2.1-or-later
/* The words of uapi/dmacc.yaml for values of uapi/linux/dmacc.h */
#include "kernel.h"

#define WORD(words, value) \
	((size_t)(value) < sizeof(words) / sizeof((words)[0]) ? (words)[value] : "unknown")

const char *dmacc_identity_source_word(enum dmacc_identity_source source)
{
	static const char * const words[] = {
		[DMACC_IDENTITY_NONE] = "none",
		[DMACC_IDENTITY_SMBIOS] = "smbios",
		[DMACC_IDENTITY_DEVICE_TREE] = "device-tree",
		[DMACC_IDENTITY_NVMEM] = "nvmem",
		[DMACC_IDENTITY_SET] = "set",
		[DMACC_IDENTITY_BLOB] = "blob",
	};

	return WORD(words, source);
}

const char *dmacc_rung_word(enum dmacc_rung rung)
{
	static const char * const words[] = {
		[DMACC_RUNG_NONE] = "none",
		[DMACC_RUNG_TRUSTED] = "trusted",
		[DMACC_RUNG_WRAPPED] = "wrapped",
	};

	return WORD(words, rung);
}

const char *dmacc_root_state_word(enum dmacc_root_state state)
{
	static const char * const words[] = {
		[DMACC_ROOT_ABSENT] = "absent",
		[DMACC_ROOT_OPEN] = "open",
		[DMACC_ROOT_NEEDS_LOAD] = "needs-load",
		[DMACC_ROOT_SEALED_UNAVAILABLE] = "sealed-unavailable",
	};

	return WORD(words, state);
}

const char *dmacc_root_reason_word(enum dmacc_root_reason reason)
{
	static const char * const words[] = {
		[DMACC_REASON_NONE] = "none",
		[DMACC_REASON_NO_KEY_TYPE] = "no-key-type",
		[DMACC_REASON_NO_TPM] = "no-tpm",
		[DMACC_REASON_NO_PARENT] = "no-parent",
		[DMACC_REASON_REFUSED] = "refused",
		[DMACC_REASON_LOCKED_OUT] = "locked-out",
	};

	return WORD(words, reason);
}

const char *dmacc_master_source_word(enum dmacc_master_source source)
{
	static const char * const words[] = {
		[DMACC_MASTER_NONE] = "none",
		[DMACC_MASTER_FILE] = "file",
		[DMACC_MASTER_CREDENTIAL_HOST] = "credential-host",
		[DMACC_MASTER_CREDENTIAL_TPM2] = "credential-tpm2",
	};

	return WORD(words, source);
}
