/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_COMPARE_H
#define DMACC_FLEET_COMPARE_H

#include "rows.h"

/* Sets of columns: bit n is column n */
struct compare_result {
	uint32_t compared;
	uint32_t differs;
};

/**
 * compare_record() - is what a device or a server reports what it should be?
 * @s: profile and server
 * @w: this thread's
 * @record: what is reported, in as many of the columns as there are
 * @request: what request_read() made of it
 * @ret: written on success only
 * @reterr_reason: why it cannot be told; written on -EINVAL only
 *
 * Values are compared in constant time.
 *
 * Return: 0; -EINVAL; -ENOMEM; -EIO after a complaint.
 */
int compare_record(const struct rows_settings *s, struct worker *w, const struct record *record,
		   struct dmacc_request *request, struct compare_result *ret,
		   struct dmacc_reason *reterr_reason);

#endif
