/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_PREFIX_H
#define DMACC_FLEET_PREFIX_H

#include <stdbool.h>
#include <stddef.h>

#include "dmacc.h"

/**
 * prefix_read() - how the DevIds of a range begin, as people write it
 * @text: digits of a TAC or other beginning of an IMEI; hexadecimal digits that a MEID begins with,
 *        the first A to F; the same after IMEI:, MEID: or ESN:, or one of these alone; "*" for all
 * @len: bytes
 * @ret: a beginning of a DevId, zero-terminated; written on success only
 * @reterr_sentence: what is wrong; written on failure only
 */
bool prefix_read(const char *text, size_t len, char ret[DMACC_DEVID_SIZE],
		 const char **reterr_sentence);

#endif
