// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "core/devid.h"
#include "core/server.h"
#include "dmacc.h"

int dmacc_identifier_read(const char *input, size_t len, unsigned int flags,
			  char ret_devid[DMACC_DEVID_SIZE], struct dmacc_reason *reterr_reason)
{
	enum dmacc_refusal r;

	r = dmacc_devid_read(input, len, flags & DMACC_SPARE_DIGIT, ret_devid);
	if (r == DMACC_ACCEPTED)
		return 0;
	if (reterr_reason)
		*reterr_reason = (struct dmacc_reason){ dmacc_refusal_word(r),
							dmacc_devid_refusal_text(r) };
	return -EINVAL;
}

int dmacc_identifier_check(const char *devid, struct dmacc_reason *reterr_reason)
{
	enum dmacc_refusal r = dmacc_devid_check(devid, strlen(devid));

	if (r == DMACC_ACCEPTED)
		return 0;
	if (reterr_reason)
		*reterr_reason = (struct dmacc_reason){ dmacc_refusal_word(r),
							dmacc_devid_refusal_text(r) };
	return -EINVAL;
}

int dmacc_server_valid(const struct dmacc_server *server, struct dmacc_reason *reterr_reason)
{
	enum dmacc_refusal r = dmacc_server_check(server->element, server->bytes, server->len);

	if (r == DMACC_ACCEPTED)
		return 0;
	if (reterr_reason)
		*reterr_reason = (struct dmacc_reason){ dmacc_refusal_word(r),
							dmacc_server_refusal_text(r) };
	return -EINVAL;
}
