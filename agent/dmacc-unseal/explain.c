// SPDX-License-Identifier: LGPL-2.1-or-later
/* dmacc-unseal --explain: the unit failed without a report, because it was killed, or never came to run. */
#include <stdlib.h>
#include <string.h>

#include "unseal.h"

/* The unit's own exit status, after which there is a report */
#define STATUS_REPORTED "1"

/* What the unit that failed ended with, see systemd.exec(5); NULL if systemd did not tell */
static const char *failed_status(void)
{
	return getenv("MONITOR_EXIT_STATUS");
}

bool is_explained(void)
{
	const char *status = failed_status();

	return status && !strcmp(status, STATUS_REPORTED);
}

int explain(struct unseal *u)
{
	const char *status = failed_status();

	if (!read_root(u))
		refuse_root(u, TROUBLE_UNSEAL_FAILED, "dmacc-unseal did not come to its end: %s",
			    status ? status : "systemd does not say why");
	return 0;
}
