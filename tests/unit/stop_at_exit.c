// SPDX-License-Identifier: LGPL-2.1-or-later
/* Preloaded: a program that is done stops, so that what it leaves in its memory can be searched */
#include <signal.h>

__attribute__((destructor)) static void stop(void)
{
	(void)raise(SIGSTOP);
}
