// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "factory_store.h"
#include "trouble.h"

/*
 * @before, @after: what has to be done before the command, and what it does or what follows it, so
 * that it makes a sentence; NULL if there is nothing to say.
 */
struct text {
	const char *word;
	const char *means;
	const char *kept;
	const char *before;
	const char *command;
	const char *after;
};

#define UNSEAL "systemctl start dmacc-unseal"
#define RESTORE "dmaccctl factory restore FILE"
#define INJECT "dmaccctl factory inject --slot NAME --key-id HEX --key-version N KEYFILE"
#define WIPE "dmaccctl wipe --yes"

#define ALL_KEPT "all that is stored is as it was"
#define FROM_EXPORT ", with FILE as 'dmaccctl factory export' made it of this device"
#define ENROL_ANEW ", then reboot, and give the device a key of a higher version with 'dmaccctl factory " \
		   "inject'"

static const struct text texts[] = {
	[TROUBLE_NONE] = { "ok", "", "", NULL, "", NULL },
	[TROUBLE_NO_MODULE] = {
		"no-module", "the kernel has no module dmacc", ALL_KEPT,
		"have it built for the running kernel, then ", "modprobe dmacc",
		", which says what is missing if it does not load" },
	[TROUBLE_NO_IDENTITY] = {
		"no-identity", "this device has no valid identifier, and without one it gets no credentials",
		ALL_KEPT, "if its firmware cannot name an IMEI, MEID or ESN: ",
		"dmaccctl factory identity -", " sets it once, from standard input, or with --modem as its "
		"modem has it" },
	[TROUBLE_IDENTITY_AWAITED] = {
		"identity-awaited", "the device tree names a cell that holds this device's identifier, and "
		"the driver of what the cell is in is not there yet", ALL_KEPT,
		"have that driver loaded; what waits for one: ",
		"cat /sys/kernel/debug/devices_deferred", NULL },
	[TROUBLE_IDENTITY_CONFLICT] = {
		"identity-conflict", "hardware names another identifier than the one that this device goes by",
		ALL_KEPT ", and the accounts are served", "put back the board that was changed; or, if it is "
		"to stay, and to be another device for its servers: ", WIPE, ENROL_ANEW },
	[TROUBLE_MODEM_AWAITED] = {
		"modem-awaited", "neither hardware nor a sealed key names this device, and its modem has not "
		"yet", ALL_KEPT, "wait, or see whether the modem is there: ", "mmcli -L", NULL },
	[TROUBLE_MODEM_REFUSED] = {
		"modem-refused", "only the modem names this device, and reports what cannot be an identifier",
		ALL_KEPT, "have the modem's own identifier restored, which ", "mmcli -m any",
		" shows as 'equipment id', and never type in another" },
	[TROUBLE_MODEM_AMBIGUOUS] = {
		"modem-ambiguous", "this device has more than one modem, and they name different devices",
		ALL_KEPT, "write Modem= and the 'device' of the one that counts, of those that ", "mmcli -L",
		" lists, into /etc/dmacc/dmaccd.conf" },
	[TROUBLE_OTHER_MODEM] = {
		"other-modem", "the modem in this device is another one's: its identifier is not this "
		"device's, for which the accounts were made", ALL_KEPT ", and the accounts are served",
		"put the modem back; or say Modem=none in /etc/dmacc/dmaccd.conf if it is no part of the "
		"device; or, if no hardware names the device and it is to be the modem's: ", WIPE,
		ENROL_ANEW },
	[TROUBLE_NOTHING_INJECTED] = {
		"nothing-injected", "this device has been given no key", "there is nothing to keep",
		NULL, INJECT, ", which is the factory's work" },
	[TROUBLE_NOT_UNSEALED] = {
		"not-unsealed", "nothing has been unsealed since boot", ALL_KEPT, NULL, UNSEAL, NULL },
	[TROUBLE_NEEDS_LOAD] = {
		"needs-load", "the kernel has wiped the root, for hibernation or kexec", ALL_KEPT,
		NULL, UNSEAL, " opens it again" },
	[TROUBLE_UNSEAL_FAILED] = {
		"unseal-failed", "the unsealing failed for a reason that is not a device's state",
		ALL_KEPT, "see 'journalctl -u dmacc-unseal', then ", UNSEAL, " tries it again" },
	[TROUBLE_NO_AGENT_USER] = {
		"no-agent-user", "there is no user 'dmacc', whose agent may use the keys", ALL_KEPT,
		NULL, "systemd-sysusers", " makes it; then start dmacc-unseal again" },
	[TROUBLE_FACTORY_STORE_AWAY] = {
		"factory-store-away", "this device has a partition for its factory store, which is not "
		"mounted", ALL_KEPT, NULL, "systemctl start /var/lib/dmacc-factory",
		", whose journal says why if it does not" },
	[TROUBLE_FACTORY_STORE_UNSAFE] = {
		"factory-store-unsafe", "the factory store belongs to somebody else than root, or others "
		"can write to it", ALL_KEPT, "see who wrote to it, then ",
		"chown -R root: /var/lib/dmacc-factory && chmod -R go-rwx /var/lib/dmacc-factory", NULL },
	[TROUBLE_FACTORY_STORE_DAMAGED] = {
		"factory-store-damaged", "the factory store has lost its root or holds one that is none",
		"what is left of it is as it was", NULL, RESTORE, FROM_EXPORT },
	[TROUBLE_FORMAT_UNKNOWN] = {
		"format-unknown", "what is stored was sealed by a newer version or in a way that this "
		"module does not know", ALL_KEPT,
		"install the version that sealed it, or a newer one, then ", "systemctl reboot", NULL },
	[TROUBLE_MASTER_MISSING] = {
		"master-missing", "the master of the root is not there, neither as a credential nor as a "
		"file", "the factory store is as it was", NULL, RESTORE, FROM_EXPORT },
	[TROUBLE_MASTER_UNREADABLE] = {
		"master-unreadable", "the credential with the root's master does not decrypt here",
		ALL_KEPT, NULL, RESTORE, FROM_EXPORT },
	[TROUBLE_NO_KEY_TYPE] = {
		"no-key-type", "this kernel has not the trusted keys that the root is sealed with",
		ALL_KEPT, "install a kernel that has them, then ", "systemctl reboot", NULL },
	[TROUBLE_NO_TPM] = {
		"no-tpm", "the TPM that the root is sealed with is not there", ALL_KEPT,
		"have the firmware show it to the kernel, then ", UNSEAL, " tries it again" },
	[TROUBLE_NO_PARENT] = {
		"no-parent", "the TPM has not the key that the root hangs on; somebody removed it",
		ALL_KEPT, NULL, "dmaccctl factory parent", " makes it again: the same TPM makes the same key" },
	[TROUBLE_TPM_LOCKED_OUT] = {
		"tpm-locked-out", "the TPM refuses after too many failures, of whatever program", ALL_KEPT,
		"leave the device switched on until the TPM forgives, then ", UNSEAL,
		", which is also tried by itself" },
	[TROUBLE_TPM_REPLACED] = {
		"tpm-replaced", "the TPM is not the one that the root was sealed with, or it was cleared",
		ALL_KEPT ", but does not open on this device any more", NULL, WIPE, ENROL_ANEW },
	[TROUBLE_ROOT_REFUSED] = {
		"root-refused", "the sealed root does not open with this device's master: it was changed, or "
		"the master was", ALL_KEPT, "if no export of it opens, either: ", WIPE, ENROL_ANEW },
	[TROUBLE_OTHER_ROOT] = {
		"other-root", "the kernel has another root open than the factory store has", ALL_KEPT,
		NULL, "systemctl reboot", " opens the one that is stored" },
	[TROUBLE_SLOTS_REFUSED] = {
		"slots-refused", "the root is open, but some of the sealed keys were refused",
		"the other keys are loaded, and the refused ones are as they were", NULL,
		"dmaccctl doctor", " names each and its own way out" },
	[TROUBLE_OTHER_DEVICE] = {
		"other-device", "the key was sealed for a device with another identifier: the main or modem "
		"board was changed, or the disk is another device's", ALL_KEPT, NULL, WIPE, ENROL_ANEW },
	[TROUBLE_SLOT_OTHER_ROOT] = {
		"slot-other-root", "the key was sealed under another root than this store's", ALL_KEPT, NULL,
		RESTORE, FROM_EXPORT },
	[TROUBLE_SLOT_DAMAGED] = {
		"slot-damaged", "the sealed key was changed or is damaged", ALL_KEPT, NULL, RESTORE,
		FROM_EXPORT },
	[TROUBLE_SLOT_MISPLACED] = {
		"slot-misplaced", "the file holds the sealed key of another slot", ALL_KEPT, NULL, RESTORE,
		FROM_EXPORT },
	[TROUBLE_SLOT_OLDER] = {
		"slot-older", "the sealed key is of a lower version than the one that is loaded",
		"the newer key stays loaded until reboot", NULL, RESTORE, FROM_EXPORT },
	[TROUBLE_SLOT_EMPTY] = {
		"slot-empty", "an account's template names a slot that holds no key",
		"what was stored of the account is as it was", NULL, INJECT, NULL },
	[TROUBLE_NO_AGENT] = {
		"no-agent", "there is an account template, but the agent does not run", ALL_KEPT, NULL,
		"systemctl restart dmaccd", ", and 'journalctl -u dmaccd' says why it ended" },
	[TROUBLE_NO_STORE_KEY] = {
		"no-store-key", "the kernel gives the agent no key for its files", ALL_KEPT, NULL, UNSEAL,
		" names the agent to the kernel again" },
	[TROUBLE_ACCOUNTS_UNREADABLE] = {
		"accounts-unreadable", "the agent's files cannot be opened", ALL_KEPT, NULL,
		"systemctl restart dmaccd", " gives it its folder again" },
	[TROUBLE_OTHER_STORE] = {
		"other-store", "the accounts that are stored were written under another root",
		"they are as they were, and not served", NULL, "dmaccctl wipe --accounts --yes",
		" puts them aside, and they are made anew" },
	[TROUBLE_ACCOUNT_DAMAGED] = {
		"account-damaged", "what is stored of an account is damaged or does not fit this device",
		"it is as it was, and not served", NULL, "dmaccctl wipe --account NAME --yes",
		" puts it aside, and it is made anew" },
	[TROUBLE_RUNG_TOO_LOW] = {
		"rung-too-low", "an account asks for a root that is sealed better than this device's",
		ALL_KEPT, NULL, WIPE, ", then reboot, and give the device a key of a higher version with "
		"'dmaccctl factory inject --rung trusted'" },
	[TROUBLE_TEMPLATE_REFUSED] = {
		"template-refused", "an account template is refused", "the account that was made from it "
		"before is served as it was", "correct it, then ", "systemctl reload dmaccd", NULL },
};

_Static_assert(sizeof(texts) / sizeof(texts[0]) == TROUBLE_COUNT, "each trouble has its text");

static const struct text *text_of(enum trouble trouble)
{
	return &texts[(unsigned int)trouble < TROUBLE_COUNT ? trouble : TROUBLE_UNSEAL_FAILED];
}

const char *trouble_word(enum trouble trouble)
{
	return text_of(trouble)->word;
}

const char *trouble_means(enum trouble trouble)
{
	return text_of(trouble)->means;
}

const char *trouble_kept(enum trouble trouble)
{
	return text_of(trouble)->kept;
}

const char *trouble_command(enum trouble trouble)
{
	return text_of(trouble)->command;
}

void trouble_way_out(enum trouble trouble, char *ret, size_t size)
{
	const struct text *text = text_of(trouble);

	if (!text->command[0]) {
		snprintf(ret, size, "%s", "");
		return;
	}
	snprintf(ret, size, "%s'%s'%s", text->before ? text->before : "", text->command,
		 text->after ? text->after : "");
}

void trouble_explain(enum trouble trouble, const char *detail, char *ret, size_t size)
{
	char way_out[TROUBLE_TEXT_SIZE];

	trouble_way_out(trouble, way_out, sizeof(way_out));
	if (trouble == TROUBLE_NONE)
		snprintf(ret, size, "%s", "");
	else
		snprintf(ret, size, "%s: %s%s%s; way out: %s", trouble_word(trouble),
			 trouble_means(trouble), detail && detail[0] ? ": " : "",
			 detail ? detail : "", way_out);
}

bool trouble_from_word(const char *word, enum trouble *ret)
{
	int i;

	for (i = 0; i < TROUBLE_COUNT; i++) {
		if (strcmp(texts[i].word, word))
			continue;
		*ret = (enum trouble)i;
		return true;
	}
	return false;
}

static enum trouble of_reason(enum dmacc_root_reason reason)
{
	switch (reason) {
	case DMACC_REASON_NO_KEY_TYPE: return TROUBLE_NO_KEY_TYPE;
	case DMACC_REASON_NO_TPM: return TROUBLE_NO_TPM;
	case DMACC_REASON_NO_PARENT: return TROUBLE_NO_PARENT;
	case DMACC_REASON_LOCKED_OUT: return TROUBLE_TPM_LOCKED_OUT;
	case DMACC_REASON_REFUSED: return TROUBLE_ROOT_REFUSED;
	default: return TROUBLE_UNSEAL_FAILED;
	}
}

enum trouble trouble_of_status(const struct dmacc_kernel_status *status)
{
	switch (status->root_state) {
	case DMACC_ROOT_OPEN: return TROUBLE_NONE;
	case DMACC_ROOT_ABSENT: return TROUBLE_NOT_UNSEALED;
	case DMACC_ROOT_NEEDS_LOAD: return TROUBLE_NEEDS_LOAD;
	default: return of_reason(status->root_reason);
	}
}

enum trouble trouble_of_root(int error, const struct dmacc_kernel_status *status)
{
	switch (-error) {
	case 0: return TROUBLE_NONE;
	case EEXIST: return TROUBLE_OTHER_ROOT;
	case EINVAL: return TROUBLE_FACTORY_STORE_DAMAGED;
	case EOPNOTSUPP: return TROUBLE_FORMAT_UNKNOWN;
	default: break;
	}
	if (status->root_state == DMACC_ROOT_SEALED_UNAVAILABLE)
		return of_reason(status->root_reason);
	return TROUBLE_UNSEAL_FAILED;
}

static bool is_of_root(const void *blob, size_t len, const uint8_t root_id[DMACC_ROOT_ID_LEN])
{
	const struct dmacc_slot_blob *b = blob;

	return len == sizeof(*b) && !memcmp(b->root_id, root_id, sizeof(b->root_id));
}

enum trouble trouble_of_slot(int error, const void *blob, size_t len,
			     const uint8_t root_id[DMACC_ROOT_ID_LEN])
{
	switch (-error) {
	case 0: return TROUBLE_NONE;
	case ESTALE: return TROUBLE_SLOT_OLDER;
	case EINVAL:
	case EBADMSG: return TROUBLE_SLOT_DAMAGED;
	case EOPNOTSUPP: return TROUBLE_FORMAT_UNKNOWN;
	case EKEYREJECTED:
		return is_of_root(blob, len, root_id) ? TROUBLE_OTHER_DEVICE : TROUBLE_SLOT_OTHER_ROOT;
	default: return TROUBLE_UNSEAL_FAILED;
	}
}

enum trouble trouble_of_slot_file(const void *blob, size_t len, const char *name)
{
	const struct dmacc_slot_blob *b = blob;

	if (len != sizeof(*b) || memcmp(b->magic, DMACC_SLOT_MAGIC, sizeof(b->magic)))
		return TROUBLE_SLOT_DAMAGED;
	return factory_store_is_slot(blob, len, name) ? TROUBLE_NONE : TROUBLE_SLOT_MISPLACED;
}

enum trouble trouble_of_store(int error)
{
	switch (-error) {
	case 0: return TROUBLE_NONE;
	case EPERM: return TROUBLE_FACTORY_STORE_UNSAFE;
	case ENOMEDIUM: return TROUBLE_FACTORY_STORE_AWAY;
	case EFBIG:
	case EINVAL:
	case ENOTDIR:
	case EIO: return TROUBLE_FACTORY_STORE_DAMAGED;
	default: return TROUBLE_UNSEAL_FAILED;
	}
}
