/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_REQUEST_H
#define DMACC_FLEET_REQUEST_H

#include "columns.h"
#include "duplicates.h"

/**
 * struct request_settings - what holds for all records; threads share it and only read
 * @columns: of the input
 * @generation: for records without a column for it
 * @spare_digit: an IMEI may have a 0 in place of its check digit
 * @duplicates: NULL if nobody asked; then one thread reads
 * @refuse_duplicates: else they are only told
 */
struct request_settings {
	struct columns columns;
	uint32_t generation;
	bool spare_digit;
	struct duplicates *duplicates;
	bool refuse_duplicates;
};

/**
 * request_read() - what a record asks for
 * @s: settings
 * @record: read already
 * @line: its number
 * @devid: where its DevId goes, in canonical form; @ret points to it
 * @ret: key version 0 if it does not say, and then that of the key counts; written on success only
 * @reterr_reason: written on -EINVAL only; good until the next call of this thread
 *
 * Return: 0; -EINVAL if it is refused; -ENOMEM; -EIO after a complaint.
 */
int request_read(const struct request_settings *s, const struct record *record, uint64_t line,
		 char devid[DMACC_DEVID_SIZE], struct dmacc_request *ret,
		 struct dmacc_reason *reterr_reason);

#endif
