/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_PLUGIN_ADDR_H
#define DMACC_PLUGIN_ADDR_H

/*
 * Addr, AddrType and PortNbr in one URI, malloc'ed; NULL without memory. A port in @addr goes before
 * @port. An address is http, as it is for dmaccctl probe. @type and @port may be NULL.
 */
char *addr_whole(const char *addr, const char *type, const char *port);

#endif
