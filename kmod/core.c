// SPDX-License-Identifier: GPL-2.0-only
/* The code that both sides of the system-call line share, compiled into this module. */
#include "../uapi/core/devid.c"
#include "../uapi/core/kdf.c"
#include "../uapi/core/refusal.c"
#include "../uapi/core/server.c"
