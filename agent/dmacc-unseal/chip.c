// SPDX-License-Identifier: LGPL-2.1-or-later
/* The TPM's part in an unsealing */
#include <errno.h>

#include "unseal.h"

void settle_tpm(void)
{
	char sentence[256];
	struct tpm *tpm;
	int r;

	r = tpm_open(NULL, &tpm, sentence, sizeof(sentence));
	/* then it was a TEE, or whatever else seals */
	if (r == -ENODEV)
		return;
	if (r) {
		say(WARNING, "%s; a power cut now counts as a failed try", sentence);
		return;
	}
	if (tpm_shutdown(tpm))
		say(WARNING, "%s", tpm_sentence(tpm));
	tpm_close(tpm);
}

bool is_of_tpm(const struct unseal *u)
{
	uint8_t fingerprint[TPM_FINGERPRINT_LEN];

	return !factory_store_read_tpm(u->store, fingerprint);
}

enum trouble ask_tpm(struct unseal *u, bool needs_parent, char *ret_sentence, size_t size)
{
	uint8_t fingerprint[TPM_FINGERPRINT_LEN];
	bool known = !factory_store_read_tpm(u->store, fingerprint);
	enum tpm_state state;

	state = tpm_diagnose(NULL, known ? fingerprint : NULL, needs_parent, ret_sentence, size);
	u->retry = state == TPM_LOCKED_OUT || state == TPM_MUTE || state == TPM_MISSING;
	return tpm_trouble(state);
}
