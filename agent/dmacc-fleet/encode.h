/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_ENCODE_H
#define DMACC_FLEET_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "dmacc.h"

#define ENCODE_HEX_SIZE(bytes) (2 * (bytes) + 1)	/* with the terminating zero */
#define ENCODE_BASE64_SIZE 25				/* of 16 bytes, likewise */

/* Lower case */
void encode_hex(char *ret, const uint8_t *bytes, size_t len);
void encode_base64(char ret[ENCODE_BASE64_SIZE], const uint8_t raw[16]);

/**
 * encode_stored() - what a DM server needs to keep of a password
 * @ret: base64 of the MD5 of name, colon and password
 * @name: login name, at most 255 bytes
 * @name_len: bytes
 * @password: zero-terminated
 *
 * Return: 0, or -ENOMEM.
 */
int encode_stored(char ret[ENCODE_BASE64_SIZE], const char *name, size_t name_len,
		  const char *password);

#endif
