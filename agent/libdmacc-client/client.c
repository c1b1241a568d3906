// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"

#define WATCHED (sizeof(((struct dmacc_client *)NULL)->watched) / sizeof(sd_bus_slot *))

int dmacc_client_new(struct dmacc_client **ret)
{
	struct dmacc_client *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	r = sd_bus_open_system_with_description(&c->bus, "libdmacc-client");
	/* what comes once it is set up, the calls find out */
	if (r < 0) {
		free(c);
		return r == -ENOMEM ? r : -ENOTCONN;
	}
	*ret = c;
	return 0;
}

static void unwatch(struct dmacc_client *c)
{
	size_t i;

	for (i = 0; i < WATCHED; i++)
		c->watched[i] = sd_bus_slot_unref(c->watched[i]);
}

struct dmacc_client *dmacc_client_free(struct dmacc_client *c)
{
	if (!c)
		return NULL;
	client_drop_sessions(c);
	unwatch(c);
	sd_bus_flush_close_unref(c->bus);
	free(c);
	return NULL;
}

const char *dmacc_client_error(const struct dmacc_client *c)
{
	return c->error;
}

static void tell_path(struct dmacc_client *c, const char *path)
{
	char *name;

	if (!c->changed || sd_bus_path_decode(path, CLIENT_ACCOUNTS, &name) <= 0)
		return;
	c->changed(c->changed_data, name);
	free(name);
}

static int on_properties(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	(void)reterr;
	tell_path(data, sd_bus_message_get_path(m));
	return 0;
}

static int on_object(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	const char *path;

	(void)reterr;
	if (sd_bus_message_read_basic(m, 'o', &path) > 0)
		tell_path(data, path);
	return 0;
}

static int on_owner(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	struct dmacc_client *c = data;

	(void)m, (void)reterr;
	if (c->changed)
		c->changed(c->changed_data, NULL);
	return 0;
}

static int watch(struct dmacc_client *c)
{
	static const char manager[] = "org.freedesktop.DBus.ObjectManager";
	sd_bus_slot **slot = c->watched;
	int r;

	r = sd_bus_match_signal(c->bus, slot++, CLIENT_NAME, CLIENT_PATH, manager,
				"InterfacesAdded", on_object, c);
	if (r >= 0)
		r = sd_bus_match_signal(c->bus, slot++, CLIENT_NAME, CLIENT_PATH, manager,
					"InterfacesRemoved", on_object, c);
	if (r >= 0)
		r = sd_bus_add_match(c->bus, slot++, "type='signal',sender='" CLIENT_NAME "',"
				     "interface='org.freedesktop.DBus.Properties',"
				     "member='PropertiesChanged',"
				     "path_namespace='" CLIENT_ACCOUNTS "'", on_properties, c);
	if (r >= 0)
		r = sd_bus_add_match(c->bus, slot, "type='signal',sender='org.freedesktop.DBus',"
				     "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
				     "arg0='" CLIENT_NAME "'", on_owner, c);
	return r;
}

int dmacc_client_set_changed(struct dmacc_client *c, dmacc_changed_function *changed, void *data)
{
	int r;

	if (changed && !c->watched[0]) {
		r = watch(c);
		if (r < 0) {
			unwatch(c);
			return client_fail_bus(c, r);
		}
	}
	c->changed = changed;
	c->changed_data = data;
	return 0;
}

int dmacc_client_fd(struct dmacc_client *c, int *ret_fd, short *ret_events,
		    uint64_t *ret_timeout_usec)
{
	int fd = sd_bus_get_fd(c->bus), events = sd_bus_get_events(c->bus), r;
	uint64_t timeout;

	if (fd < 0 || events < 0)
		return client_fail_bus(c, fd < 0 ? fd : events);
	r = sd_bus_get_timeout(c->bus, &timeout);
	if (r < 0)
		return client_fail_bus(c, r);
	*ret_fd = fd;
	*ret_events = (short)events;
	*ret_timeout_usec = timeout;
	return 0;
}

int dmacc_client_process(struct dmacc_client *c)
{
	int r;

	do {
		r = sd_bus_process(c->bus, NULL);
	} while (r > 0);
	return r < 0 ? client_fail_bus(c, r) : 0;
}
