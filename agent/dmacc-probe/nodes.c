// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a server of the account can see of the management tree: DevInfo and its own account */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"
#include "reader.h"

#define VALUE_MAX 4096

/* What the server is told, by what the agent says */
static int code_of(int error)
{
	switch (error) {
	case 0: return 200;
	case -ENOENT: return 404;
	case -EPERM:
	case -EACCES: return 405;
	case -EINVAL: return 400;
	case -EIO: return 420;
	default: return 500;
	}
}

/* uapi/derivation.md, section 5.1: one that is lower than ours has a status of its own */
static bool is_generation(const char *uri)
{
	static const char end[] = "/Ext/dmacc/Generation";
	size_t len = strlen(uri);

	return len > sizeof(end) && !strcmp(uri + len - (sizeof(end) - 1), end);
}

static int code_of_replace(const char *uri, int error)
{
	return error == -EPERM && is_generation(uri) ? 403 : code_of(error);
}

static char *join(const char *const *names, size_t len)
{
	char *text = calloc(1, VALUE_MAX);
	size_t i, used = 0;

	for (i = 0; text && i < len && used < VALUE_MAX; i++)
		used += (size_t)snprintf(text + used, VALUE_MAX - used, "%s%s", i ? "/" : "",
					 names[i]);
	return text;
}

static void give_names(struct answer *a, char *joined)
{
	a->code = joined ? 200 : 500;
	a->format = joined ? "node" : NULL;
	a->value = joined;
}

/* Answers if it is one of DevInfo */
static bool get_info(const struct probe *p, struct answer *a)
{
	const char *names[INFOS];
	size_t i;

	if (strncmp(a->uri, "./DevInfo", 9) || (a->uri[9] && a->uri[9] != '/'))
		return false;
	a->code = 404;
	for (i = 0; i < INFOS; i++) {
		names[i] = p->infos[i].name;
		if (!a->uri[9] || strcmp(a->uri + 10, names[i]))
			continue;
		a->value = strdup(p->infos[i].value);
		a->format = a->value ? "chr" : NULL;
		a->code = a->value ? 200 : 500;
	}
	if (!a->uri[9])
		give_names(a, join(names, INFOS));
	return true;
}

static bool get_names(struct probe *p, struct answer *a)
{
	char **names = NULL;
	size_t len = 0;
	int r;

	r = dmacc_client_list(p->client, p->account, a->uri, &names);
	if (r)
		return false;
	while (names[len])
		len++;
	give_names(a, join((const char *const *)names, len));
	free(names);
	return true;
}

static char *encode(const void *value, size_t len)
{
	unsigned char *text = malloc(4 * (len / 3 + 1) + 1);

	if (text)
		EVP_EncodeBlock(text, value, (int)len);
	return (char *)text;
}

static const char *constant_format(const char *format)
{
	static const char *const known[] = { "chr", "int", "bin", "bool", "node" };
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i], format))
			return known[i];
	return "chr";
}

void nodes_get(struct probe *p, struct answer *a)
{
	char *format = NULL;
	void *value = NULL;
	size_t len = 0;
	int r;

	if (!strcmp(a->uri, ".")) {
		give_names(a, strdup("DMAcc/DevInfo"));
		return;
	}
	if (get_info(p, a) || get_names(p, a))
		return;
	r = dmacc_client_get(p->client, p->account, a->uri, &format, &value, &len);
	a->code = code_of(r);
	if (r)
		return;
	a->format = constant_format(format);
	a->value = strcmp(a->format, "bin") ? strdup(value) : encode(value, len);
	if (!a->value) {
		a->code = 500;
		a->format = NULL;
	}
	free(format);
	free(value);
}

static bool is_binary(const char *format)
{
	return !strcmp(format, "bin") || !strcmp(format, "b64");
}

static int replace(struct probe *p, const struct answer *a, const char *format, const char *text)
{
	uint8_t bytes[VALUE_MAX];
	int len, r;

	if (!is_binary(format))
		return dmacc_session_replace(p->session, a->uri, format[0] ? format : "chr", text,
					     strlen(text));
	len = reader_base64(text, bytes, sizeof(bytes));
	if (len < 0)
		return -EINVAL;
	r = dmacc_session_replace(p->session, a->uri, "bin", bytes, (size_t)len);
	dmacc_wipe(bytes, sizeof(bytes));
	return r;
}

void nodes_replace(struct probe *p, const xmlNode *item, const char *format, struct answer *a)
{
	char *text;

	if (reader_child(item, "MoreData")) {
		a->code = 406;
		return;
	}
	if (strncmp(a->uri, "./DMAcc/", 8) && strncmp(a->uri, "./SyncML/DMAcc/", 15)) {
		a->code = strncmp(a->uri, "./DevInfo", 9) ? 404 : 405;
		return;
	}
	text = reader_text(item, "Data");
	a->code = text ? code_of_replace(a->uri, replace(p, a, format, text)) : 500;
	reader_wipe(text);
}
