// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A signal only says that it is time to ask again: GetManagedObjects, one question at a time. The
 * modem's signal strength changes all the time and is signalled like everything else, which would
 * wake the phone; so changes of properties are listened to only while no identifier is known. Once it is,
 * a modem that comes, goes or begins anew is heard of by its object and its state.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent.h"
#include "modem.h"

#define DBUS "org.freedesktop.DBus"
#define PROPERTIES DBUS ".Properties"
#define OBJECT_MANAGER DBUS ".ObjectManager"

#define SLOW 10		/* seconds; the bus waits for 25 */

enum { MATCH_OWNER, MATCH_ADDED, MATCH_REMOVED, MATCH_STATE, MATCHES };

struct modem {
	struct agent *agent;
	sd_bus *bus;
	sd_bus_slot *matches[MATCHES];
	sd_bus_slot *changes;		/* NULL: they are not listened to */
	sd_bus_slot *question;		/* NULL: none is asked */
	uint64_t asked;			/* when it was, in seconds of CLOCK_MONOTONIC */
	bool again;			/* something may have changed since it was asked */
	struct config_modem config;	/* that it runs with */
	sd_event_source *deadline;
};

static int ask(struct modem *m);

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec;
}

static int on_signal(sd_bus_message *message, void *data, sd_bus_error *reterr)
{
	(void)message, (void)reterr;
	(void)ask(data);
	return 0;
}

static void listen_to_changes(struct modem *m, bool listen)
{
	if (!listen)
		m->changes = sd_bus_slot_unref(m->changes);
	if (!listen || m->changes)
		return;
	(void)sd_bus_match_signal_async(m->bus, &m->changes, EQUIPMENT_SERVICE, NULL, PROPERTIES,
					"PropertiesChanged", on_signal, NULL, m);
	/* what changed between the answer and this was not heard */
	m->again = true;
}

static bool same(const struct equipment *a, const struct equipment *b)
{
	size_t i;

	if (a->state != b->state || a->waits != b->waits || a->devids_len != b->devids_len ||
	    strcmp(a->sentence, b->sentence))
		return false;
	for (i = 0; i < a->devids_len; i++)
		if (strcmp(a->devids[i], b->devids[i]))
			return false;
	return true;
}

/* A refresh tells systemd and the bus, so there is none for what changes nothing */
static bool matters(const struct device *device, const struct equipment *equipment)
{
	if (device->state == DEVICE_NO_IDENTITY)
		return !same(&device->equipment, equipment);
	return device->devid[0] && equipment_contradicts(&device->equipment, device->devid) !=
				   equipment_contradicts(equipment, device->devid);
}

static void found(struct modem *m, const struct equipment *equipment)
{
	struct device *device = &m->agent->device;
	bool told = matters(device, equipment);

	listen_to_changes(m, equipment->state == EQUIPMENT_SILENT || equipment->waits ||
			  equipment->state == EQUIPMENT_REFUSED);
	device->equipment = *equipment;
	if (told && m->agent->look_again)
		m->agent->look_again(m->agent);
}

/*
 * One that hangs is asked on: each question takes as long as the bus waits for an answer. One that
 * refuses at once would be asked without end.
 */
static bool was_slow(const struct modem *m)
{
	return now() - m->asked >= SLOW;
}

static void judge(struct modem *m, sd_bus_message *answer)
{
	const sd_bus_error *error = sd_bus_message_get_error(answer);
	struct equipment equipment;

	equipment_judge(answer, error, m->config.device, &equipment);
	if (error && was_slow(m))
		m->again = true;
	found(m, &equipment);
}

static int on_answer(sd_bus_message *answer, void *data, sd_bus_error *reterr)
{
	struct modem *m = data;

	(void)reterr;
	m->question = sd_bus_slot_unref(m->question);
	judge(m, answer);
	if (m->again)
		(void)ask(m);
	return 0;
}

static int ask(struct modem *m)
{
	sd_bus_message *call = NULL;
	int r;

	m->again = m->question;
	if (m->question || m->config.off)
		return 0;
	m->asked = now();
	r = equipment_question(m->bus, &call);
	if (r >= 0)
		r = sd_bus_call_async(m->bus, &m->question, call, on_answer, m, 0);
	sd_bus_message_unref(call);
	return r;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *data)
{
	struct modem *m = data;

	(void)source, (void)usec;
	m->agent->device.modem_awaited = false;
	if (m->agent->device.state == DEVICE_NO_IDENTITY && m->agent->look_again)
		m->agent->look_again(m->agent);
	return 0;
}

static int add_matches(struct modem *m)
{
	int r;

	r = sd_bus_match_signal_async(m->bus, &m->matches[MATCH_ADDED], EQUIPMENT_SERVICE,
				      EQUIPMENT_PATH, OBJECT_MANAGER, "InterfacesAdded", on_signal,
				      NULL, m);
	if (r >= 0)
		r = sd_bus_match_signal_async(m->bus, &m->matches[MATCH_REMOVED], EQUIPMENT_SERVICE,
					      EQUIPMENT_PATH, OBJECT_MANAGER, "InterfacesRemoved",
					      on_signal, NULL, m);
	if (r >= 0)
		r = sd_bus_match_signal_async(m->bus, &m->matches[MATCH_STATE], EQUIPMENT_SERVICE,
					      NULL, EQUIPMENT_MODEM, "StateChanged", on_signal, NULL,
					      m);
	if (r >= 0)
		r = sd_bus_add_match_async(m->bus, &m->matches[MATCH_OWNER],
					   "type='signal',sender='" DBUS "',interface='" DBUS "',"
					   "member='NameOwnerChanged',arg0='" EQUIPMENT_SERVICE "'",
					   on_signal, NULL, m);
	return r;
}

static void stop_listening(struct modem *m)
{
	size_t i;

	for (i = 0; i < MATCHES; i++)
		m->matches[i] = sd_bus_slot_unref(m->matches[i]);
	m->changes = sd_bus_slot_unref(m->changes);
	m->question = sd_bus_slot_unref(m->question);
	m->deadline = sd_event_source_disable_unref(m->deadline);
}

static int begin(struct modem *m)
{
	struct device *device = &m->agent->device;
	int r;

	m->config = m->agent->modem_config;
	device->equipment = (struct equipment){ 0 };
	device->modem_awaited = !m->config.off && m->config.wait;
	if (m->config.off)
		return 0;
	r = add_matches(m);
	if (r >= 0 && m->config.wait)
		r = sd_event_add_time_relative(sd_bus_get_event(m->bus), &m->deadline,
					       CLOCK_BOOTTIME, m->config.wait * 1000000ULL, 0,
					       on_deadline, m);
	return r < 0 ? r : ask(m);
}

int modem_watch(struct agent *agent, sd_bus *bus, struct modem **ret)
{
	struct modem *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->agent = agent;
	m->bus = bus;
	r = begin(m);
	if (r < 0) {
		modem_free(m);
		return r;
	}
	*ret = m;
	return 0;
}

void modem_reconfigure(struct modem *m)
{
	const struct config_modem *config = &m->agent->modem_config;

	if (config->off == m->config.off && config->wait == m->config.wait &&
	    !strcmp(config->device, m->config.device)) {
		(void)ask(m);
		return;
	}
	stop_listening(m);
	(void)begin(m);
}

struct modem *modem_free(struct modem *m)
{
	if (!m)
		return NULL;
	stop_listening(m);
	free(m);
	return NULL;
}
