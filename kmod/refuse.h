/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DMACC_REFUSE_H
#define _DMACC_REFUSE_H

#include <linux/netlink.h>

/*
 * A refusal with its sentence. NL_SET_ERR_MSG() takes literals only, and some sentences come from
 * uapi/core; all are constants, so that a pointer to one can be kept.
 */
static inline int dmacc_refuse(struct netlink_ext_ack *extack, int err, const char *sentence)
{
	if (extack)
		extack->_msg = sentence;
	return err;
}

#endif
