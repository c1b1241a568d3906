/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What systemd is asked to do */
#ifndef DMACC_CTL_UNITS_H
#define DMACC_CTL_UNITS_H

/* 'systemctl VERB UNIT', whose complaints are its own. Where systemd does not run, nothing. */
void units_call(const char *verb, const char *unit);

#endif
