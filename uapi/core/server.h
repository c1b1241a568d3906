/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#ifndef DMACC_CORE_SERVER_H
#define DMACC_CORE_SERVER_H

#include "refusal.h"
#include "types.h"

#define DMACC_SERVER_MAX 255

/* The kind byte of uapi/derivation.md, section 4; also DMACC_A_SERVER_KIND of the netlink family */
#define DMACC_KIND_SERVER_ID 1
#define DMACC_KIND_ADDR 2

/**
 * dmacc_server_check() - may this ServerID or Addr go into a derivation?
 * @kind: DMACC_KIND_SERVER_ID or DMACC_KIND_ADDR
 * @server: bytes as furnished, need not be zero-terminated
 * @len: how many
 *
 * uapi/derivation.md, section 2.
 *
 * Return: DMACC_ACCEPTED, or the reason for the refusal.
 */
enum dmacc_refusal dmacc_server_check(unsigned int kind, const __u8 *server, size_t len);

/* Is it well-formed UTF-8, Unicode 15 table 3-7? Zero bytes and nothing at all are. */
bool dmacc_utf8_valid(const __u8 *s, size_t len);

#endif
