// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ./DMAcc: the agent's accounts in the layout of OMA DM 1.2, as libdmclient needs them: AddrType is
 * always URI, and Addr has the port in it, which it looks for nowhere else.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "mo.h"
#include "proof.h"
#include "secret.h"

#define BASE "./DMAcc"
#define URN "urn:oma:mo:oma-dm-dmacc:1.0"

/* An account that is ready */
struct account {
	char *name;
	char *uri;	/* of its node */
	char *server_id;
};

struct accounts {
	struct proof proof;
	struct account *list;
	size_t len;
};

static int status_of(int r)
{
	switch (r) {
	case 0: return MO_DONE;
	case -ENOENT: return MO_NOT_FOUND;
	case -ENOMEM: return MO_DEVICE_FULL;
	case -EPERM: return MO_NOT_ALLOWED;
	case -EACCES: return MO_NO_PERMISSION;
	default: return MO_FAILED;
	}
}

/* The leaf's text, or NULL; zero-terminated */
static char *get_text(struct accounts *a, const struct account *account, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static char *get_text(struct accounts *a, const struct account *account, const char *format, ...)
{
	char *uri = NULL, *path = NULL;
	void *value = NULL;
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&path, format, args);
	va_end(args);
	if (r >= 0 && asprintf(&uri, "%s/%s", account->uri, path) >= 0 &&
	    dmacc_client_get(a->proof.client, account->name, uri, NULL, &value, NULL))
		value = NULL;
	if (r >= 0)
		free(path);
	free(uri);
	return value;
}

/* Leaves it out if it has no node or no ServerID: that would end the client's search for all */
static int add_account(struct accounts *a, const char *name)
{
	struct account account = { 0 };
	char **nodes = NULL;
	int r;

	r = dmacc_client_list(a->proof.client, name, BASE, &nodes);
	if (r || !nodes[0]) {
		free(nodes);
		return r == -ENOMEM ? r : 0;
	}
	account.name = strdup(name);
	r = asprintf(&account.uri, BASE "/%s", nodes[0]);
	free(nodes);
	if (r < 0 || !account.name)
		return -ENOMEM;
	account.server_id = get_text(a, &account, "ServerID");
	if (account.server_id) {
		a->list[a->len++] = account;
		return 0;
	}
	mo_complain("dmacc: account %s: %s", name, dmacc_client_error(a->proof.client));
	free(account.name);
	free(account.uri);
	return 0;
}

static int add_accounts(struct accounts *a)
{
	char **names;
	size_t i;
	int r;

	r = dmacc_client_accounts(a->proof.client, true, &names);
	if (r) {
		mo_complain("dmacc: %s", dmacc_client_error(a->proof.client));
		return r;
	}
	for (i = 0; names[i]; i++)
		;
	a->list = calloc(i + 1, sizeof(*a->list));
	r = a->list ? 0 : -ENOMEM;
	for (i = 0; !r && names[i]; i++)
		r = add_account(a, names[i]);
	free(names);
	return r;
}

static void end(void *data)
{
	struct accounts *a = data;
	size_t i;

	if (!a)
		return;
	proof_end(&a->proof);
	for (i = 0; i < a->len; i++) {
		free(a->list[i].name);
		free(a->list[i].uri);
		free(a->list[i].server_id);
	}
	free(a->list);
	free(a);
}

static int begin(void **data)
{
	struct accounts *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return MO_DEVICE_FULL;
	r = proof_begin(&a->proof);
	if (!r)
		r = add_accounts(a);
	if (r) {
		end(a);
		return status_of(r);
	}
	*data = a;
	return MO_DONE;
}

/* @ret_path: below the account's node, "" for that itself. NULL if there is none. */
static const struct account *find(const struct accounts *a, const char *uri, const char **ret_path)
{
	size_t i, len;

	for (i = 0; i < a->len; i++) {
		len = strlen(a->list[i].uri);
		if (strncmp(uri, a->list[i].uri, len) || (uri[len] && uri[len] != '/'))
			continue;
		*ret_path = uri + len + (uri[len] == '/');
		return &a->list[i];
	}
	return NULL;
}

static bool is_named(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return !strncmp(path, "AppAuth/", strlen("AppAuth/")) && !strcmp(slash + 1, name);
}

static bool is_password(const char *path)
{
	return is_named(path, "AAuthSecret");
}

static bool is_nonce(const char *path)
{
	return is_named(path, "AAuthData");
}

static int find_urn(const char *urn, char ***uris, void *data)
{
	const struct accounts *a = data;
	char **list;
	size_t i;

	*uris = NULL;
	if (strcmp(urn, URN) || !a->len)
		return MO_NOT_FOUND;
	list = calloc(a->len + 1, sizeof(*list));
	for (i = 0; list && i < a->len; i++) {
		list[i] = strdup(a->list[i].uri);
		if (list[i])
			continue;
		while (i-- > 0)
			free(list[i]);
		free(list);
		list = NULL;
		break;
	}
	*uris = list;
	return list ? MO_DONE : MO_DEVICE_FULL;
}

static int is_node(const char *uri, enum mo_kind *kind, void *data)
{
	struct accounts *a = data;
	const struct account *account;
	char **names = NULL;
	const char *path;
	int r;

	*kind = MO_INTERIOR;
	if (!strcmp(uri, BASE))
		return MO_DONE;
	*kind = MO_NOTHING;
	account = find(a, uri, &path);
	if (!account)
		return MO_DONE;
	r = dmacc_client_list(a->proof.client, account->name, uri, &names);
	free(names);
	if (!r)
		*kind = MO_INTERIOR;
	else if (r == -EPERM)
		*kind = MO_LEAF;
	return !r || r == -EPERM || r == -ENOENT ? MO_DONE : status_of(r);
}

/* Names with '/' between them */
static int give_names(struct mo_node *node, const char *const *names, size_t len)
{
	size_t size = 1, i;
	char *text, *p;
	int status;

	for (i = 0; i < len; i++)
		size += strlen(names[i]) + 1;
	text = p = malloc(size);
	if (!text)
		return MO_DEVICE_FULL;
	*p = '\0';
	for (i = 0; i < len; i++)
		p = stpcpy(stpcpy(p, i ? "/" : ""), names[i]);
	status = mo_give(node, "node", text, strlen(text));
	free(text);
	return status;
}

static int get_base(struct accounts *a, struct mo_node *node)
{
	const char **names = calloc(a->len + 1, sizeof(*names));
	size_t i;
	int status;

	if (!names)
		return MO_DEVICE_FULL;
	for (i = 0; i < a->len; i++)
		names[i] = a->list[i].uri + strlen(BASE "/");
	status = give_names(node, names, a->len);
	free(names);
	return status;
}

static int get_secret(struct accounts *a, const struct account *account, struct mo_node *node,
		      const char *format)
{
	unsigned char *bytes = NULL;
	size_t len = 0;
	int fd, r, status;

	r = proof_session(&a->proof, account->name);
	if (!r)
		r = dmacc_session_secrets(a->proof.session, "1.2", &fd);
	if (!r)
		r = secret_read(fd, node->uri, &bytes, &len);
	if (r)
		return status_of(r);
	status = mo_give(node, format, bytes, len);
	OPENSSL_cleanse(bytes, len);
	free(bytes);
	return status;
}

/* @path: AppAddr/NODE/Addr */
static int get_addr(struct accounts *a, const struct account *account, struct mo_node *node,
		    const char *path)
{
	int len = (int)(strlen(path) - strlen("/Addr")), status = MO_DEVICE_FULL;
	char *addr = get_text(a, account, "%s", path), *port, *type, *whole;
	char **ports = NULL, *uri = NULL;

	if (!addr)
		return MO_NOT_FOUND;
	type = get_text(a, account, "%.*s/AddrType", len, path);
	if (asprintf(&uri, "%s/%.*s/Port", account->uri, len, path) < 0)
		uri = NULL;
	if (!uri || dmacc_client_list(a->proof.client, account->name, uri, &ports))
		ports = NULL;
	port = ports && ports[0] ?
	       get_text(a, account, "%.*s/Port/%s/PortNbr", len, path, ports[0]) : NULL;
	whole = addr_whole(addr, type, port);
	if (whole)
		status = mo_give(node, "chr", whole, strlen(whole));
	free(whole);
	free(port);
	free(ports);
	free(uri);
	free(type);
	free(addr);
	return status;
}

static int get_leaf(struct accounts *a, const struct account *account, struct mo_node *node)
{
	char *format = NULL;
	void *value = NULL;
	size_t len = 0;
	int r, status;

	r = dmacc_client_get(a->proof.client, account->name, node->uri, &format, &value, &len);
	if (r)
		return status_of(r);
	status = mo_give(node, format, value, len);
	free(format);
	free(value);
	return status;
}

static bool is_in_address(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return !strncmp(path, "AppAddr/", strlen("AppAddr/")) && !strcmp(slash + 1, name);
}

static int get(struct mo_node *node, void *data)
{
	const struct account *account;
	struct accounts *a = data;
	char **names = NULL;
	size_t len = 0;
	const char *path;
	int r;

	node->format = node->type = node->data = NULL;
	node->size = 0;
	if (!strcmp(node->uri, BASE))
		return get_base(a, node);
	account = find(a, node->uri, &path);
	if (!account)
		return MO_NOT_FOUND;
	if (is_password(path) || is_nonce(path))
		return get_secret(a, account, node, is_nonce(path) ? "bin" : "chr");
	if (is_in_address(path, "Addr"))
		return get_addr(a, account, node, path);
	if (is_in_address(path, "AddrType"))
		return mo_give(node, "chr", "URI", strlen("URI"));
	r = dmacc_client_list(a->proof.client, account->name, node->uri, &names);
	if (r == -EPERM)
		return get_leaf(a, account, node);
	while (!r && names[len])
		len++;
	r = r ? status_of(r) : give_names(node, (const char *const *)names, len);
	free(names);
	return r;
}

/* What libdmclient takes for the nonce of a resynchronisation, and what it is: never one to keep */
static bool is_resync(const struct mo_node *node)
{
	static const char text[] = "0x00000000", raw[4];

	return (node->size == strlen(text) && !memcmp(node->data, text, node->size)) ||
	       (node->size == sizeof(raw) && !memcmp(node->data, raw, sizeof(raw)));
}

/*
 * Bytes, whatever they look like: what libdmclient made itself looks like base64, and it is those
 * letters that both sides go on with. The format is NULL. An empty one comes with a credential type
 * that has none.
 */
static int set_nonce(struct accounts *a, const struct account *account, const char *path,
		     const struct mo_node *node)
{
	int len = (int)(strlen(path) - strlen("/AAuthData")), r;
	char *level = get_text(a, account, "%.*s/AAuthLevel", len, path);
	bool server = level && !strcmp(level, "SRVCRED");
	bool client = level && !strcmp(level, "CLCRED");

	free(level);
	if (!server && !client)
		return MO_NOT_FOUND;
	if (!a->proof.session || strcmp(a->proof.account, account->name))
		return MO_NOT_ALLOWED;
	a->proof.heard |= server;
	if (!node->data || !node->size || is_resync(node))
		return MO_DONE;
	r = dmacc_session_set_nonces(a->proof.session, client ? node->data : NULL,
				     client ? node->size : 0, server ? node->data : NULL,
				     server ? node->size : 0);
	if (r)
		mo_complain("dmacc: account %s: %s", account->name,
			    dmacc_client_error(a->proof.client));
	return status_of(r);
}

/* The format of a leaf where the client gives none, as servers need not */
static char *format_of(struct accounts *a, const struct account *account, const struct mo_node *node)
{
	char *format = NULL;
	void *value = NULL;

	if (node->format && node->format[0])
		return strdup(node->format);
	if (dmacc_client_get(a->proof.client, account->name, node->uri, &format, &value, NULL))
		return strdup("chr");
	free(value);
	return format;
}

static int set(const struct mo_node *node, void *data)
{
	const struct account *account;
	struct accounts *a = data;
	const char *path;
	char *format;
	int r;

	account = find(a, node->uri, &path);
	if (!account)
		return strcmp(node->uri, BASE) ? MO_NOT_FOUND : MO_NOT_ALLOWED;
	if (is_nonce(path))
		return set_nonce(a, account, path, node);
	if (!a->proof.session || strcmp(a->proof.account, account->name))
		return MO_NOT_ALLOWED;
	format = format_of(a, account, node);
	if (!format)
		return MO_DEVICE_FULL;
	r = dmacc_session_replace(a->proof.session, node->uri, format, node->data ? node->data : "",
				  node->size);
	if (r)
		mo_complain("dmacc: account %s: %s", account->name,
			    dmacc_client_error(a->proof.client));
	free(format);
	return status_of(r);
}

/*
 * An account is its server's. A password it may replace and nobody read; a nonce is the client's
 * business only. The client asks for rights when it executes a server's command, and only then.
 */
static int get_acl(const char *uri, char **acl, void *data)
{
	const struct account *account;
	struct accounts *a = data;
	const char *path;
	int r;

	*acl = NULL;
	r = proof_found(&a->proof);
	if (r)
		return status_of(r);
	account = find(a, uri, &path);
	if (!account && strcmp(uri, BASE))
		return MO_NOT_FOUND;
	if (!account)
		r = asprintf(acl, "Get=*");
	else if (!path[0])
		r = asprintf(acl, "Delete=%s&Get=%s&Replace=%s", account->server_id,
			     account->server_id, account->server_id);
	else if (is_password(path))
		r = asprintf(acl, "Replace=%s", account->server_id);
	else if (is_nonce(path))
		r = asprintf(acl, "%s", "");
	if (r >= 0)
		return MO_DONE;
	*acl = NULL;
	return MO_DEVICE_FULL;
}

__attribute__((visibility("default")))
struct mo_interface *dmacc_mo_accounts(void)
{
	struct mo_interface *mo = calloc(1, sizeof(*mo));

	if (!mo)
		return NULL;
	*mo = (struct mo_interface){
		.base_uri = strdup(BASE), .init = begin, .close = end, .is_node = is_node,
		.find_urn = find_urn, .get = get, .set = set, .get_acl = get_acl,
	};
	if (mo->base_uri)
		return mo;
	free(mo);
	return NULL;
}
