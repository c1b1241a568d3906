// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"

/* Strings as they come; they are the message's */
struct names {
	const char **list;
	size_t count;
};

static int add_name(struct names *names, const char *name)
{
	const char **list = reallocarray(names->list, names->count + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	list[names->count++] = name;
	names->list = list;
	return 0;
}

/* One piece of memory: the pointers, then what they point at */
static int pack(const struct names *names, char ***ret)
{
	size_t size = (names->count + 1) * sizeof(char *), i;
	char **list, *text;

	for (i = 0; i < names->count; i++)
		size += strlen(names->list[i]) + 1;
	list = malloc(size);
	if (!list)
		return -ENOMEM;
	text = (char *)(list + names->count + 1);
	for (i = 0; i < names->count; i++) {
		list[i] = text;
		text = stpcpy(text, names->list[i]) + 1;
	}
	list[i] = NULL;
	*ret = list;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Name and State of an a{sv}; the others are skipped */
static int read_property(sd_bus_message *m, const char **ret_name, const char **ret_state)
{
	const char *key;
	int r;

	r = sd_bus_message_read_basic(m, 's', &key);
	if (r < 0)
		return r;
	if (!strcmp(key, "Name"))
		return sd_bus_message_read(m, "v", "s", ret_name);
	if (!strcmp(key, "State"))
		return sd_bus_message_read(m, "v", "s", ret_state);
	return sd_bus_message_skip(m, "v");
}

static int read_account(sd_bus_message *m, bool ready_only, struct names *names)
{
	const char *name = NULL, *state = "";
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{sv}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_property(m, &name, &state);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r >= 0 && name && (!ready_only || !strcmp(state, "ready")))
		r = add_name(names, name);
	return r;
}

static int read_interface(sd_bus_message *m, bool ready_only, struct names *names)
{
	const char *interface;
	int r;

	r = sd_bus_message_read_basic(m, 's', &interface);
	if (r < 0)
		return r;
	if (strcmp(interface, CLIENT_ACCOUNT))
		return sd_bus_message_skip(m, "a{sv}");
	return read_account(m, ready_only, names);
}

/* {oa{sa{sv}}}, entered */
static int read_object(sd_bus_message *m, bool ready_only, struct names *names)
{
	int r;

	r = sd_bus_message_skip(m, "o");
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
		r = read_interface(m, ready_only, names);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_objects(sd_bus_message *m, bool ready_only, struct names *names)
{
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
		r = read_object(m, ready_only, names);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r;
}

static int copy_devid(struct dmacc_client *c, sd_bus_message *m, char **ret)
{
	const char *devid;
	char *copy;
	int r;

	r = sd_bus_message_read(m, "v", "s", &devid);
	if (r < 0)
		return client_fail_bus(c, r);
	if (!devid[0])
		return client_fail(c, -ENOKEY, "the agent does not know who this device is");
	copy = strdup(devid);
	if (!copy)
		return client_fail_bus(c, -ENOMEM);
	*ret = copy;
	return 0;
}

int dmacc_client_devid(struct dmacc_client *c, char **ret)
{
	sd_bus_message *m;
	int r;

	r = client_message(c, CLIENT_PATH, "org.freedesktop.DBus.Properties", "Get", &m);
	if (r)
		return r;
	r = sd_bus_message_append(m, "ss", CLIENT_MANAGER, "DevId");
	r = client_call(c, m, r < 0 ? client_fail_bus(c, r) : 0, &m);
	if (r)
		return r;
	r = copy_devid(c, m, ret);
	sd_bus_message_unref(m);
	return r;
}

int dmacc_client_accounts(struct dmacc_client *c, bool ready_only, char ***ret)
{
	struct names names = { 0 };
	sd_bus_message *m;
	int r;

	r = client_message(c, CLIENT_PATH, "org.freedesktop.DBus.ObjectManager",
			   "GetManagedObjects", &m);
	if (!r)
		r = client_call(c, m, 0, &m);
	if (r)
		return r;
	r = read_objects(m, ready_only, &names);
	if (r >= 0 && names.count)
		qsort(names.list, names.count, sizeof(*names.list), compare_names);
	if (r >= 0)
		r = pack(&names, ret);
	free(names.list);
	sd_bus_message_unref(m);
	return r < 0 ? client_fail_bus(c, r) : 0;
}

/* A method of an account that takes a URI */
static int ask(struct dmacc_client *c, const char *account, const char *method, const char *uri,
	       sd_bus_message **ret)
{
	sd_bus_message *m;
	char *path;
	int r;

	r = sd_bus_path_encode(CLIENT_ACCOUNTS, account, &path);
	if (r < 0)
		return client_fail_bus(c, r);
	r = client_message(c, path, CLIENT_ACCOUNT, method, &m);
	free(path);
	return r ? r : client_call(c, m, client_append_text(c, m, "URI", uri), ret);
}

static int copy_value(sd_bus_message *m, char **ret_format, void **ret_value, size_t *ret_len)
{
	const char *format;
	const void *bytes;
	char *copy, *word;
	size_t len;
	int r;

	r = sd_bus_message_read_basic(m, 's', &format);
	if (r >= 0)
		r = sd_bus_message_read_array(m, 'y', &bytes, &len);
	if (r < 0)
		return r;
	word = strdup(format);
	copy = calloc(1, len + 1);
	if (!word || !copy) {
		free(word);
		free(copy);
		return -ENOMEM;
	}
	if (len)
		memcpy(copy, bytes, len);
	if (ret_format)
		*ret_format = word;
	else
		free(word);
	*ret_value = copy;
	if (ret_len)
		*ret_len = len;
	return 0;
}

int dmacc_client_get(struct dmacc_client *c, const char *account, const char *uri,
		     char **ret_format, void **ret_value, size_t *ret_len)
{
	sd_bus_message *m;
	int r;

	r = ask(c, account, "Get", uri, &m);
	if (r)
		return r;
	r = copy_value(m, ret_format, ret_value, ret_len);
	sd_bus_message_unref(m);
	return r < 0 ? client_fail_bus(c, r) : 0;
}

int dmacc_client_list(struct dmacc_client *c, const char *account, const char *uri,
		      char ***ret_names)
{
	struct names names = { 0 };
	sd_bus_message *m;
	const char *name;
	int r;

	r = ask(c, account, "List", uri, &m);
	if (r)
		return r;
	r = sd_bus_message_enter_container(m, 'a', "s");
	while (r >= 0 && (r = sd_bus_message_read_basic(m, 's', &name)) > 0)
		r = add_name(&names, name);
	if (r >= 0)
		r = pack(&names, ret_names);
	free(names.list);
	sd_bus_message_unref(m);
	return r < 0 ? client_fail_bus(c, r) : 0;
}
