/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_DUPLICATES_H
#define DMACC_FLEET_DUPLICATES_H

#include <stdint.h>

/*
 * The devices that were seen. A device takes 22 to 43 bytes, half as much again while the table
 * grows; past DUPLICATES_MAX devices the run ends with an error, so that memory has a limit.
 */
#define DUPLICATES_MAX (48U * 1024 * 1024)

struct duplicates;

/* NULL if there is no memory */
struct duplicates *duplicates_new(void);
struct duplicates *duplicates_free(struct duplicates *d);

/**
 * duplicates_add() - was this device there before?
 * @d: one thread's at a time
 * @devid: in canonical form
 * @line: where it is now
 * @ret_first: where it was; written on -EEXIST only
 *
 * Return: 0 if it is new; -EEXIST; -ENOMEM; -EIO after a complaint if there are too many.
 */
int duplicates_add(struct duplicates *d, const char *devid, uint64_t line, uint64_t *ret_first);

#endif
