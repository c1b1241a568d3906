/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks ModemManager who the device is, and hears of what changes; never starts it */
#ifndef DMACC_DMACCD_MODEM_H
#define DMACC_DMACCD_MODEM_H

#include <systemd/sd-bus.h>

struct agent;
struct modem;

/**
 * modem_watch() - begin
 * @agent: its device's equipment is set from now on, and look_again() called when it has changed
 * @ret: to be given to modem_free()
 *
 * Returns at once, before anything is known.
 *
 * Return: 0; a negative errno.
 */
int modem_watch(struct agent *agent, sd_bus *bus, struct modem **ret);

/* dmaccd.conf has been read again */
void modem_reconfigure(struct modem *modem);

/* Returns NULL; may be given NULL */
struct modem *modem_free(struct modem *modem);

#endif
