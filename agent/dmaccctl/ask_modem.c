// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ask_modem.h"
#include "ctl.h"
#include "equipment.h"

#define ANSWER_USEC 10000000ULL		/* one that hangs is asked again after that */

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void ask_once(sd_bus *bus, const char *device, struct equipment *ret)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *call = NULL, *answer = NULL;
	int r;

	r = equipment_question(bus, &call);
	if (r >= 0)
		r = sd_bus_call(bus, call, ANSWER_USEC, &error, &answer);
	if (r < 0 && !sd_bus_error_is_set(&error))
		(void)sd_bus_error_set_errno(&error, r);
	equipment_judge(answer, &error, device, ret);
	sd_bus_error_free(&error);
	sd_bus_message_unref(call);
	sd_bus_message_unref(answer);
}

/* A second modem may be another device's, and one that says 0 may only have begun */
static bool is_settled(const struct equipment *e)
{
	return e->state == EQUIPMENT_AMBIGUOUS || (e->state == EQUIPMENT_KNOWN && !e->waits);
}

int ask_modem(const char *device, unsigned int wait, char ret[DMACC_DEVID_SIZE])
{
	time_t deadline = now() + (time_t)wait;
	struct equipment equipment;
	sd_bus *bus = NULL;
	int r;

	r = sd_bus_open_system(&bus);
	if (r < 0)
		return complain("the system bus: %s", strerror(-r));
	ask_once(bus, device, &equipment);
	while (!is_settled(&equipment) && now() < deadline) {
		sleep(1);
		ask_once(bus, device, &equipment);
	}
	sd_bus_flush_close_unref(bus);
	if (equipment.state != EQUIPMENT_KNOWN)
		return complain("the modem names no device: %s", equipment.sentence);
	strcpy(ret, equipment.devids[0]);
	dmacc_wipe(&equipment, sizeof(equipment));
	return 0;
}
