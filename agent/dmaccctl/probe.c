// SPDX-License-Identifier: LGPL-2.1-or-later
/* probe: done by dmacc-probe, which needs more libraries than an image for the factory has */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"

int probe_main(int argc, char **argv)
{
	(void)argc;
	execv(DMACC_PROBE, argv);
	if (errno == ENOENT)
		return complain("probe is done by %s, which is not installed", DMACC_PROBE);
	return complain("%s: %s", DMACC_PROBE, strerror(errno));
}
