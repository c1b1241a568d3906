// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dmacc-unseal --explain: the unit failed before or without a report. Most often the credential with
 * the master did not decrypt, and systemd did not start anything. Nothing is unsealed here.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "credential.h"
#include "unseal.h"

/* What encrypts a credential with --with-key=host, see systemd-creds(1) */
#define HOST_KEY "/var/lib/systemd/credential.secret"
/* systemd.exec(5) */
#define STATUS_CREDENTIALS "243"
/* The unit's own exit status, after which there is a report */
#define STATUS_REPORTED "1"

/* What the unit that failed ended with; NULL if systemd did not tell */
static const char *failed_status(void)
{
	return getenv("MONITOR_EXIT_STATUS");
}

static void explain_tpm(struct unseal *u, const char *path)
{
	char sentence[256];
	enum trouble trouble = ask_tpm(u, false, sentence, sizeof(sentence));

	if (trouble == TROUBLE_NONE)
		refuse_root(u, TROUBLE_MASTER_UNREADABLE, "%s does not decrypt, though %s answers: the "
			    "file is damaged, or of another device", path,
			    is_of_tpm(u) ? "the TPM that it was made with" : "a TPM");
	else
		refuse_root(u, trouble, "%s does not decrypt%s%s", path, sentence[0] ? ": " : "",
			    sentence);
}

static void explain_host(struct unseal *u, const char *path)
{
	if (access(HOST_KEY, F_OK))
		refuse_root(u, TROUBLE_MASTER_UNREADABLE, "%s does not decrypt: the host's key that it was "
			    "made with, " HOST_KEY ", is not there", path);
	else
		refuse_root(u, TROUBLE_MASTER_UNREADABLE, "%s does not decrypt: " HOST_KEY " is another "
			    "host's, or the file is damaged", path);
}

static void explain_credential(struct unseal *u)
{
	const char *path;

	switch (credential_find(&path)) {
	case CREDENTIAL_TPM2:
		explain_tpm(u, path);
		break;
	case CREDENTIAL_HOST:
		explain_host(u, path);
		break;
	case CREDENTIAL_UNKNOWN:
		refuse_root(u, TROUBLE_MASTER_UNREADABLE, "%s is damaged: it is no credential that systemd "
			    "makes with a TPM or a host's key", path);
		break;
	default:
		refuse_root(u, TROUBLE_UNSEAL_FAILED, "systemd could not hand over a credential, and there "
			    "is no %s", path);
	}
}

bool is_explained(void)
{
	const char *status = failed_status();

	return status && !strcmp(status, STATUS_REPORTED);
}

int explain(struct unseal *u)
{
	const char *status = failed_status();

	if (read_root(u))
		return 0;
	if (!status || !strcmp(status, STATUS_CREDENTIALS))
		explain_credential(u);
	else
		refuse_root(u, TROUBLE_UNSEAL_FAILED, "dmacc-unseal did not come to its end: %s",
			    status);
	return 0;
}
