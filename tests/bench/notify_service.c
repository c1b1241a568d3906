// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The yardstick of the agent's start: the least that a service on the system bus does before it is
 * ready. It connects, asks for a name, says READY=1 and waits.
 */
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	sd_bus *bus = NULL;
	int r;

	if (argc != 2)
		return 2;
	r = sd_bus_open_system(&bus);
	if (r >= 0)
		r = sd_bus_request_name(bus, argv[1], 0);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-r));
		return 1;
	}
	sd_notify(0, "READY=1");
	for (;;)
		pause();
}
