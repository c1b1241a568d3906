/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What dmacc-unseal leaves when it has run: the keys are there, or back after hibernation, or one was
 * refused. Whoever runs beside it learns so from the file, and nobody has to be told.
 */
#ifndef DMACC_DMACCD_REPORT_H
#define DMACC_DMACCD_REPORT_H

#include <systemd/sd-event.h>

struct report;

/**
 * report_watch() - call @written whenever a report has been written
 * @folder: NULL for UNSEAL_REPORT_FOLDER
 *
 * Return: 0 or a negative errno.
 */
int report_watch(sd_event *event, const char *folder, void (*written)(void *data), void *data,
		 struct report **ret);

/*
 * Does nothing if the folder is watched. It is not there before dmacc-unseal has run once, and is not found
 * by itself then.
 */
void report_look(struct report *report);

/* Returns NULL */
struct report *report_free(struct report *report);

#endif
