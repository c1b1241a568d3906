// SPDX-License-Identifier: LGPL-2.1-or-later
/* The TPM's part in an unsealing */
#include <errno.h>

#include "unseal.h"

void prepare_tpm(struct unseal *u)
{
	char sentence[256];
	int r = 0;

	if (!u->tpm)
		r = tpm_open(NULL, &u->tpm, sentence, sizeof(sentence));
	/* without one it is a TEE, or whatever else seals */
	if (r && r != -ENODEV)
		say(WARNING, "%s; a power cut now counts as a failed try", sentence);
}

void settle_tpm(struct unseal *u)
{
	if (u->tpm && tpm_shutdown(u->tpm))
		say(WARNING, "%s", tpm_sentence(u->tpm));
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
