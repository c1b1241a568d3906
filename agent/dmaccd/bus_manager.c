// SPDX-License-Identifier: LGPL-2.1-or-later
/* org.dmacc1.Manager */
#include "authorize.h"
#include "bus_inside.h"

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *data, sd_bus_error *reterr)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)data, (void)reterr;
	return sd_bus_message_append(reply, "s", DMACC_VERSION);
}

static int get_state(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *data, sd_bus_error *reterr)
{
	const struct bus *b = data;

	(void)bus, (void)path, (void)interface, (void)property, (void)reterr;
	return sd_bus_message_append(reply, "s", device_state_word(b->agent->device.state));
}

static int get_reason(sd_bus *bus, const char *path, const char *interface, const char *property,
		      sd_bus_message *reply, void *data, sd_bus_error *reterr)
{
	const struct bus *b = data;

	(void)bus, (void)path, (void)interface, (void)property, (void)reterr;
	return sd_bus_message_append(reply, "s", b->agent->device.reason);
}

static int get_refused(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *data, sd_bus_error *reterr)
{
	const struct templates *templates = ((const struct bus *)data)->agent->templates;
	size_t i;
	int r;

	(void)bus, (void)path, (void)interface, (void)property, (void)reterr;
	r = sd_bus_message_open_container(reply, 'a', "(ss)");
	for (i = 0; r >= 0 && templates && i < templates->refusals_count; i++)
		r = sd_bus_message_append(reply, "(ss)", templates->refusals[i].path,
					  templates->refusals[i].reason);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_devid(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *data, sd_bus_error *reterr)
{
	struct bus *b = data;
	int r;

	(void)path, (void)interface, (void)property;
	r = authorize_identifier(b, sd_bus_get_current_message(bus), reterr);
	return r < 0 ? r : sd_bus_message_append(reply, "s", b->agent->device.devid);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("State", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Reason", "s", get_reason, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("RefusedTemplates", "a(ss)", get_refused, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	/* not among all properties, which anybody reads */
	SD_BUS_PROPERTY("DevId", "s", get_devid, 0,
			SD_BUS_VTABLE_PROPERTY_EXPLICIT | SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
	SD_BUS_VTABLE_END
};

int bus_add_manager(struct bus *b)
{
	return sd_bus_add_object_vtable(b->bus, NULL, BUS_PATH, BUS_MANAGER, vtable, b);
}

void bus_manager_changed(struct bus *b, const char *property)
{
	if (b)
		(void)sd_bus_emit_properties_changed(b->bus, BUS_PATH, BUS_MANAGER, property, NULL);
}
