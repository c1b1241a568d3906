// SPDX-License-Identifier: LGPL-2.1-or-later
/* Built once for each management object: MO is the function that makes it */
#include "mo.h"

struct mo_interface *omadm_get_mo_interface(void);

__attribute__((visibility("default")))
struct mo_interface *omadm_get_mo_interface(void)
{
	return MO();
}
