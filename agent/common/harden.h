/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_COMMON_HARDEN_H
#define DMACC_COMMON_HARDEN_H

/*
 * For a program that secrets pass through: no core dump, no ptrace by others of the same user, no
 * page that goes to swap where that can be had.
 */
void harden_process(void);

/*
 * Wipes the stack below the caller's frame, where functions of libraries have left what they worked
 * with, and the wide registers. For when a secret is done with and the process goes on.
 */
void harden_wipe_stack(void);

/*
 * What goes over netlink can be watched by whoever has CAP_NET_ADMIN in the same network namespace:
 * takes one of its own, where that can be had. Before a netlink socket is opened.
 */
void harden_netlink(void);

#endif
