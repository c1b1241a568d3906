// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "call.h"

static const struct {
	const char *name;
	int error;
} errors[] = {
	{ "org.dmacc1.Error.NotReady", -ENOKEY },
	{ "org.dmacc1.Error.Busy", -EBUSY },
	{ "org.dmacc1.Error.NoSuchNode", -ENOENT },
	{ "org.dmacc1.Error.NotPermitted", -EPERM },
	{ "org.dmacc1.Error.BadValue", -EINVAL },
	{ "org.dmacc1.Error.Downgrade", -EPROTONOSUPPORT },
	{ "org.dmacc1.Error.WrongCredential", -EKEYREJECTED },
	{ "org.dmacc1.Error.NotAuthenticated", -EPERM },
	{ "org.dmacc1.Error.Refused", -EPERM },
	{ "org.dmacc1.Error.Unwritten", -EIO },
	{ SD_BUS_ERROR_ACCESS_DENIED, -EACCES },
	{ SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, -EACCES },
	{ SD_BUS_ERROR_SERVICE_UNKNOWN, -ENOTCONN },
	{ SD_BUS_ERROR_NAME_HAS_NO_OWNER, -ENOTCONN },
	{ SD_BUS_ERROR_NO_SERVER, -ENOTCONN },
	{ SD_BUS_ERROR_DISCONNECTED, -ENOTCONN },
	/* it went while it was asked */
	{ "org.freedesktop.DBus.Error.NoReply", -ENOTCONN },
	{ SD_BUS_ERROR_TIMEOUT, -ETIMEDOUT },
	{ SD_BUS_ERROR_NO_MEMORY, -ENOMEM },
	{ SD_BUS_ERROR_INVALID_ARGS, -EINVAL },
};

int client_fail(struct dmacc_client *c, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->error, sizeof(c->error), format, args);
	va_end(args);
	return r;
}

int client_fail_bus(struct dmacc_client *c, int r)
{
	if (r == -ECONNRESET || r == -EPIPE || r == -ESHUTDOWN)
		r = -ENOTCONN;
	return client_fail(c, r, "the bus: %s", strerror(-r));
}

/* An object that is not there: the account, or the session if the agent has forgotten it */
static int missing_object(struct dmacc_client *c, const sd_bus_message *call)
{
	if (!strcmp(sd_bus_message_get_interface((sd_bus_message *)call), CLIENT_SESSION))
		return client_fail(c, -ESTALE, "the session is over: the agent was started anew");
	return client_fail(c, -ENOENT, "there is no such account");
}

static int fail_call(struct dmacc_client *c, const sd_bus_message *call, int r,
		     const sd_bus_error *error)
{
	const char *sentence = error->message && error->message[0] ? error->message : strerror(-r);
	size_t i;

	if (sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT) ||
	    sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_METHOD))
		return missing_object(c, call);
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (sd_bus_error_has_name(error, errors[i].name))
			return client_fail(c, errors[i].error, "%s", sentence);
	return client_fail_bus(c, r);
}

int client_message(struct dmacc_client *c, const char *path, const char *interface,
		   const char *method, sd_bus_message **ret)
{
	sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_call(c->bus, &m, CLIENT_NAME, path, interface, method);
	if (r >= 0)
		r = sd_bus_message_sensitive(m);
	if (r < 0) {
		sd_bus_message_unref(m);
		return client_fail_bus(c, r);
	}
	*ret = m;
	return 0;
}

/* Bytes of a character in UTF-8; 0 if it is none */
static size_t character_length(const unsigned char *s)
{
	size_t len = *s < 0x80 ? 1 : *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : 2, i;
	uint32_t value;

	if (len == 1)
		return 1;
	if (*s < 0xc2 || *s > 0xf4)
		return 0;
	value = *s & (0x7fU >> len);
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (s[i] & 0x3f);
	}
	if ((len == 3 && value < 0x800) || (value >= 0xd800 && value < 0xe000) ||
	    (len == 4 && (value < 0x10000 || value > 0x10ffff)))
		return 0;
	return len;
}

static bool is_utf8(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len;

	for (; *s; s += len) {
		len = character_length(s);
		if (!len)
			return false;
	}
	return true;
}

int client_append_text(struct dmacc_client *c, sd_bus_message *m, const char *what,
		       const char *text)
{
	int r;

	if (text && !is_utf8(text))
		return client_fail(c, -EINVAL, "the %s is not UTF-8", what);
	r = sd_bus_message_append_basic(m, 's', text ? text : "");
	return r < 0 ? client_fail_bus(c, r) : 0;
}

int client_append_bytes(struct dmacc_client *c, sd_bus_message *m, const void *bytes, size_t len)
{
	int r = sd_bus_message_append_array(m, 'y', bytes, bytes ? len : 0);

	return r < 0 ? client_fail_bus(c, r) : 0;
}

int client_call(struct dmacc_client *c, sd_bus_message *m, int r, sd_bus_message **ret)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;

	if (r >= 0) {
		r = sd_bus_call(c->bus, m, 0, &error, &reply);
		if (r < 0)
			r = fail_call(c, m, r, &error);
	}
	sd_bus_message_unref(m);
	sd_bus_error_free(&error);
	if (r < 0)
		return r;
	(void)sd_bus_message_sensitive(reply);
	if (ret)
		*ret = reply;
	else
		sd_bus_message_unref(reply);
	return 0;
}
