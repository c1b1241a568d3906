/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who ModemManager says that this device is, once; never starts it */
#ifndef DMACC_CTL_ASK_MODEM_H
#define DMACC_CTL_ASK_MODEM_H

#include "dmacc.h"

/**
 * ask_modem() - ask until it is known, or the wait is over
 * @device: property Device of the modem that counts; "": any
 * @wait: seconds; 0: asked once
 * @ret: canonical
 *
 * Return: 0, or EXIT_NOTHING after a complaint.
 */
int ask_modem(const char *device, unsigned int wait, char ret[DMACC_DEVID_SIZE]);

#endif
