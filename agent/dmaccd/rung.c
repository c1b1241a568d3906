// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "rung.h"

/* What somebody asks for in vain, and what it takes to have it */
struct demand {
	const char *who, *what;
	bool key_type, tpm;
};

/* The numbers of rungs: the best is the lowest, and 0 is none */
static bool is_rung_too_low(const struct dmacc_kernel_status *status, enum dmacc_rung wanted,
			    const char *who, struct demand *ret)
{
	static const struct demand trusted = { NULL, "a root of rung trusted", true, true };
	static const struct demand wrapped = { NULL, "a root that is sealed", false, false };

	if (!wanted || (status->rung && status->rung <= wanted))
		return false;
	*ret = wanted == DMACC_RUNG_TRUSTED ? trusted : wrapped;
	ret->who = who;
	return true;
}

/* Of masters the best is the highest; a root of a better rung has none */
static bool is_master_too_low(const struct dmacc_kernel_status *status,
			      enum dmacc_master_source wanted, const char *who, struct demand *ret)
{
	if (status->rung != DMACC_RUNG_WRAPPED || status->master_source >= wanted)
		return false;
	ret->who = who;
	ret->key_type = false;
	ret->tpm = wanted == DMACC_MASTER_CREDENTIAL_TPM2;
	ret->what = ret->tpm ? "a master that the TPM keeps" :
		    wanted == DMACC_MASTER_CREDENTIAL_HOST ? "a master in a credential at least" :
		    "a master in a file at least";
	return true;
}

static const char *sealed_with(const struct dmacc_kernel_status *status)
{
	if (status->rung == DMACC_RUNG_TRUSTED)
		return "sealed as a trusted key of the kernel";
	if (status->rung != DMACC_RUNG_WRAPPED)
		return "not open";
	switch (status->master_source) {
	case DMACC_MASTER_CREDENTIAL_TPM2:
		return "wrapped with a master that the TPM keeps";
	case DMACC_MASTER_CREDENTIAL_HOST:
		return "wrapped with a master under the host's key, which is on the same disk";
	case DMACC_MASTER_FILE:
		return "wrapped with a master in a plain file";
	default:
		return "wrapped with a master of which nobody said where it is kept";
	}
}

static bool has_key_type(const char *sysfs)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/module/trusted", sysfs);
	return !access(path, F_OK);
}

static bool has_tpm(const char *sysfs)
{
	char path[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/class/tpm", sysfs);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir)))
		found = entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return found;
}

/* What this device lacks for it */
static const char *lacking(const struct demand *demand, const char *sysfs)
{
	bool no_key_type = demand->key_type && !has_key_type(sysfs);
	bool no_tpm = demand->tpm && !has_tpm(sysfs);

	if (no_key_type && no_tpm)
		return "this kernel has no trusted keys, and there is no TPM";
	if (no_key_type)
		return "this kernel has no trusted keys";
	if (no_tpm)
		return "there is no TPM";
	return "nothing that it takes is missing: the root was made so, and stays so until it is "
	       "wiped and the device is given its keys anew";
}

bool rung_too_low(const struct dmacc_kernel_status *status, enum dmacc_rung template_rung,
		  const struct rung_minimum *owner, const char *sysfs,
		  char ret_sentence[RUNG_SENTENCE_SIZE])
{
	struct demand demand;

	if (!is_rung_too_low(status, template_rung, "its template", &demand) &&
	    !is_rung_too_low(status, owner->rung, "dmaccd.conf", &demand) &&
	    !is_master_too_low(status, owner->master, "dmaccd.conf", &demand))
		return false;
	snprintf(ret_sentence, RUNG_SENTENCE_SIZE, "%s asks for %s, and this device's root is %s; %s",
		 demand.who, demand.what, sealed_with(status),
		 lacking(&demand, sysfs ? sysfs : "/sys"));
	return true;
}
