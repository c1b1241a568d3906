// SPDX-License-Identifier: LGPL-2.1-or-later
/* Who we are and where the server is: by the account's tree, the agent's properties, the module */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "ctl.h"
#include "kernel.h"
#include "probe.h"

static enum verdict not_ready(struct probe *p)
{
	return probe_fail(p, VERDICT_NOT_READY, "%s", dmacc_client_error(p->client));
}

/* "" if the tree has no such leaf. Returns 0, or a negative errno of another kind. */
static int get_text(struct probe *p, const char *uri, char **ret)
{
	void *value = NULL;
	int r;

	r = dmacc_client_get(p->client, p->account, uri, NULL, &value, NULL);
	if (r == -ENOENT)
		value = strdup("");
	else if (r)
		return r;
	free(*ret);
	*ret = value;
	return value ? 0 : -ENOMEM;
}

__attribute__((format(printf, 3, 4)))
static int get_leaf(struct probe *p, char **ret, const char *format, ...)
{
	char *uri = NULL;
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&uri, format, args);
	va_end(args);
	if (r < 0)
		return -ENOMEM;
	r = get_text(p, uri, ret);
	free(uri);
	return r;
}

/* The first name below, malloc'ed */
__attribute__((format(printf, 3, 4)))
static int get_name(struct probe *p, char **ret, const char *format, ...)
{
	char **names = NULL, *uri = NULL;
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&uri, format, args);
	va_end(args);
	if (r < 0)
		return -ENOMEM;
	r = dmacc_client_list(p->client, p->account, uri, &names);
	free(uri);
	if (r)
		return r;
	*ret = names[0] ? strdup(names[0]) : NULL;
	free(names);
	return *ret ? 0 : -ENOENT;
}

/* The AAuthName of the credential whose AAuthLevel is CLCRED, whatever its node is called */
static int get_user_name(struct probe *p)
{
	char **names = NULL, *level = NULL, *uri = NULL;
	size_t i;
	int r;

	if (asprintf(&uri, "./DMAcc/%s/AppAuth", p->x) < 0)
		return -ENOMEM;
	r = dmacc_client_list(p->client, p->account, uri, &names);
	for (i = 0; !r && names[i] && !p->user_name; i++) {
		r = get_leaf(p, &level, "%s/%s/AAuthLevel", uri, names[i]);
		if (!r && !strcmp(level, "CLCRED"))
			r = get_leaf(p, &p->user_name, "%s/%s/AAuthName", uri, names[i]);
	}
	free(level);
	free(uri);
	free(names);
	return r;
}

static enum verdict read_tree(struct probe *p)
{
	char *addr = NULL, *port = NULL, *place = NULL;
	char why[HTTP_ERROR_SIZE];
	enum http_trouble trouble = HTTP_FINE;
	int r;

	r = get_name(p, &p->x, "./DMAcc");
	if (!r)
		r = get_leaf(p, &p->server_id, "./DMAcc/%s/ServerID", p->x);
	if (!r)
		r = get_name(p, &place, "./DMAcc/%s/AppAddr", p->x);
	if (!r)
		r = get_leaf(p, &addr, "./DMAcc/%s/AppAddr/%s/Addr", p->x, place);
	if (!r)
		r = get_leaf(p, &port, "./DMAcc/%s/AppAddr/%s/Port/1/PortNbr", p->x, place);
	if (!r)
		r = get_user_name(p);
	if (!r)
		trouble = http_url(addr, port, &p->url, why);
	free(place);
	free(addr);
	free(port);
	if (r)
		return not_ready(p);
	if (trouble)
		return probe_fail(p, VERDICT_ADDRESS, "%s", why);
	p->tls = http_is_tls(p->url);
	return VERDICT_AGREED;
}

static enum verdict take_account(struct probe *p, const struct agent_account *a)
{
	if (!a->state || strcmp(a->state, "ready"))
		return probe_fail(p, VERDICT_NOT_READY, "%s",
				  a->reason && a->reason[0] ? a->reason : "it is not ready");
	snprintf(p->slot, sizeof(p->slot), "%s", a->slot ? a->slot : "");
	p->generation = a->generation;
	return VERDICT_AGREED;
}

/* What no client needs, but who looks for what differs */
static enum verdict read_properties(struct probe *p)
{
	enum verdict v = VERDICT_NOT_READY;
	char why[512] = "";
	struct agent agent;
	bool found = false;
	size_t i;

	if (agent_read(&agent, why))
		probe_fail(p, v, "%s", why);
	else
		probe_fail(p, v, "there is no account '%s'", p->account);
	for (i = 0; !why[0] && i < agent.accounts_len && !found; i++) {
		found = agent.accounts[i].name && !strcmp(agent.accounts[i].name, p->account);
		if (found)
			v = take_account(p, &agent.accounts[i]);
	}
	agent_done(&agent);
	return v;
}

/* Our DevId, which only root and the agent are told; and which key the slot has */
static enum verdict read_module(struct probe *p)
{
	const struct dmacc_kernel_slot *slot;
	struct dmacc_kernel_status status;
	struct dmacc_kernel *kernel;
	char sentence[256] = "";
	int r;

	r = dmacc_kernel_open(&kernel);
	if (r) {
		dmacc_kernel_missing_sentence(sentence, sizeof(sentence));
		return probe_fail(p, VERDICT_NOT_READY, "%s", sentence);
	}
	r = dmacc_kernel_get_identity(kernel, NULL, p->devid);
	if (r)
		snprintf(sentence, sizeof(sentence), "the module does not say who we are: %s",
			 dmacc_kernel_sentence(kernel));
	else if (!p->devid[0])
		snprintf(sentence, sizeof(sentence), "this device has no identifier");
	if (!r && !dmacc_kernel_get_status(kernel, &status)) {
		slot = dmacc_kernel_find_slot(&status, p->slot);
		if (slot) {
			hex(slot->key_id, sizeof(slot->key_id), p->key_id);
			p->key_version = slot->key_version;
		}
	}
	dmacc_kernel_close(kernel);
	return sentence[0] ? probe_fail(p, VERDICT_NOT_READY, "%s", sentence) : VERDICT_AGREED;
}

/* One line of a file, without what is not text; "unknown" without one */
static void read_line(const char *path, char ret[128])
{
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file || !fgets(ret, 128, file))
		ret[0] = '\0';
	if (file)
		fclose(file);
	for (len = 0; isprint((unsigned char)ret[len]); len++)
		;
	ret[len] = '\0';
	if (!ret[0])
		strcpy(ret, "unknown");
}

static void fill_infos(struct probe *p)
{
	static const char *const names[INFOS] = { "DevId", "Man", "Mod", "DmV", "Lang" };
	size_t i;

	for (i = 0; i < INFOS; i++)
		p->infos[i].name = names[i];
	strcpy(p->infos[0].value, p->devid);
	read_line("/sys/class/dmi/id/sys_vendor", p->infos[1].value);
	read_line("/sys/class/dmi/id/product_name", p->infos[2].value);
	strcpy(p->infos[3].value, "1.2");
	strcpy(p->infos[4].value, "en");
}

enum verdict describe(struct probe *p)
{
	enum verdict v;

	v = read_properties(p);
	if (!v)
		v = read_module(p);
	if (!v)
		v = read_tree(p);
	if (!v)
		fill_infos(p);
	return v;
}

void describe_print(const struct probe *p)
{
	if (p->json)
		return;
	printf("%-10s ", "server");
	print_clean(stdout, p->server_id);
	printf(" at ");
	print_clean(stdout, p->url);
	printf("\n%-10s UserName ", "device");
	print_clean(stdout, p->user_name ? p->user_name : "");
	printf(", generation %u, slot ", p->generation);
	print_clean(stdout, p->slot);
	if (p->key_id[0])
		printf(", KeyId %s, key version %u", p->key_id, p->key_version);
	putchar('\n');
	fflush(stdout);
}
