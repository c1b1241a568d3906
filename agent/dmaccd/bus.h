/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.dmacc1 on the system bus: uapi/org.dmacc1.xml */
#ifndef DMACC_DMACCD_BUS_H
#define DMACC_DMACCD_BUS_H

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

struct agent;
struct bus;

/*
 * Connects and puts the objects there; the name comes with bus_take_name(), so that whoever sees it
 * finds everything. Both return 0 or a negative errno.
 */
int bus_new(struct agent *agent, sd_event *event, struct bus **ret);
int bus_take_name(struct bus *bus);
/* For who else talks on it */
sd_bus *bus_connection(struct bus *bus);
/* Returns NULL; may be given NULL */
struct bus *bus_free(struct bus *bus);

/* Signals; @bus may be NULL */
void bus_manager_changed(struct bus *bus, const char *property);
void bus_account_added(struct bus *bus, const char *name);
void bus_account_changed(struct bus *bus, const char *name);
void bus_account_removed(struct bus *bus, const char *name);

#endif
