// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"

struct dmacc_session {
	struct dmacc_client *client;
	char *path;
	struct dmacc_session *next;
};

static int make_session(struct dmacc_client *c, const char *path, struct dmacc_session **ret)
{
	struct dmacc_session *s = calloc(1, sizeof(*s));

	if (s)
		s->path = strdup(path);
	if (!s || !s->path) {
		free(s);
		return client_fail(c, -ENOMEM, "out of memory");
	}
	s->client = c;
	s->next = c->sessions;
	c->sessions = s;
	*ret = s;
	return 0;
}

static void free_session(struct dmacc_session *s)
{
	free(s->path);
	free(s);
}

static void forget(struct dmacc_session *s)
{
	struct dmacc_session **place = &s->client->sessions;

	while (*place != s)
		place = &(*place)->next;
	*place = s->next;
	free_session(s);
}

void client_drop_sessions(struct dmacc_client *c)
{
	struct dmacc_session *s;

	while ((s = c->sessions)) {
		c->sessions = s->next;
		free_session(s);
	}
}

static int append_options(struct dmacc_client *c, sd_bus_message *m, bool tls)
{
	int r = sd_bus_message_append(m, "a{sv}", 1, "tls", "b", (int)tls);

	return r < 0 ? client_fail_bus(c, r) : 0;
}

static int call_open(struct dmacc_client *c, const char *account, bool tls, sd_bus_message **ret)
{
	sd_bus_message *m;
	char *path;
	int r;

	r = sd_bus_path_encode(CLIENT_ACCOUNTS, account, &path);
	if (r < 0)
		return client_fail_bus(c, r);
	r = client_message(c, path, CLIENT_ACCOUNT, "OpenSession", &m);
	free(path);
	return r ? r : client_call(c, m, append_options(c, m, tls), ret);
}

int dmacc_session_open(struct dmacc_client *c, const char *account, bool tls,
		       struct dmacc_session **ret)
{
	sd_bus_message *m;
	const char *path;
	int r;

	r = call_open(c, account, tls, &m);
	if (r)
		return r;
	r = sd_bus_message_read_basic(m, 'o', &path);
	r = r < 0 ? client_fail_bus(c, r) : make_session(c, path, ret);
	sd_bus_message_unref(m);
	return r;
}

static int new_call(struct dmacc_session *s, const char *method, sd_bus_message **ret)
{
	return client_message(s->client, s->path, CLIENT_SESSION, method, ret);
}

struct dmacc_session *dmacc_session_close(struct dmacc_session *s)
{
	char error[sizeof(s->client->error)];
	sd_bus_message *m;

	if (!s)
		return NULL;
	/* the sentence of what went wrong before is still to be had */
	memcpy(error, s->client->error, sizeof(error));
	if (!new_call(s, "Close", &m))
		(void)client_call(s->client, m, 0, NULL);
	memcpy(s->client->error, error, sizeof(error));
	forget(s);
	return NULL;
}

static int copy_credential(sd_bus_message *m, char **ret_type, char **ret_data)
{
	const char *type, *data;
	char *word, *copy;
	int r;

	r = sd_bus_message_read(m, "ss", &type, &data);
	if (r < 0)
		return r;
	word = strdup(type);
	copy = strdup(data);
	if (!word || !copy) {
		if (copy)
			explicit_bzero(copy, strlen(copy));
		free(word);
		free(copy);
		return -ENOMEM;
	}
	if (ret_type)
		*ret_type = word;
	else
		free(word);
	*ret_data = copy;
	return 0;
}

int dmacc_session_credential(struct dmacc_session *s, const char *type, const void *body, size_t len,
			     char **ret_type, char **ret_data)
{
	struct dmacc_client *c = s->client;
	sd_bus_message *m;
	int r;

	r = new_call(s, "GetClientCredential", &m);
	if (r)
		return r;
	r = client_append_text(c, m, "credential type", type);
	if (!r)
		r = client_append_bytes(c, m, body, len);
	r = client_call(c, m, r, &m);
	if (r)
		return r;
	r = copy_credential(m, ret_type, ret_data);
	sd_bus_message_unref(m);
	return r < 0 ? client_fail_bus(c, r) : 0;
}

int dmacc_session_challenged(struct dmacc_session *s, const char *type, const void *nonce,
			     size_t len)
{
	sd_bus_message *m;
	int r;

	r = new_call(s, "Challenged", &m);
	if (r)
		return r;
	r = client_append_text(s->client, m, "credential type", type);
	if (!r)
		r = client_append_bytes(s->client, m, nonce, len);
	return client_call(s->client, m, r, NULL);
}

int dmacc_session_accepted(struct dmacc_session *s, const void *next_nonce, size_t len)
{
	sd_bus_message *m;
	int r;

	r = new_call(s, "Accepted", &m);
	if (r)
		return r;
	r = client_append_bytes(s->client, m, next_nonce, len);
	return client_call(s->client, m, r, NULL);
}

int dmacc_session_verify_server(struct dmacc_session *s, const char *type, const char *data,
				const void *body, size_t len)
{
	sd_bus_message *m;
	int r;

	r = new_call(s, "VerifyServer", &m);
	if (r)
		return r;
	r = client_append_text(s->client, m, "credential type", type);
	if (!r)
		r = client_append_text(s->client, m, "credential", data);
	if (!r)
		r = client_append_bytes(s->client, m, body, len);
	return client_call(s->client, m, r, NULL);
}

int dmacc_session_server_nonce(struct dmacc_session *s, uint8_t ret_nonce[16])
{
	sd_bus_message *m;
	const void *nonce;
	size_t len;
	int r;

	r = new_call(s, "GetServerNonce", &m);
	if (!r)
		r = client_call(s->client, m, 0, &m);
	if (r)
		return r;
	r = sd_bus_message_read_array(m, 'y', &nonce, &len);
	if (r < 0)
		r = client_fail_bus(s->client, r);
	else if (len != 16)
		r = client_fail(s->client, -EBADMSG, "the agent's nonce has %zu bytes, not 16", len);
	else
		memcpy(ret_nonce, nonce, len);
	sd_bus_message_unref(m);
	return r < 0 ? r : 0;
}

static int read_notification(struct dmacc_client *c, sd_bus_message *m,
			     struct dmacc_session_notification *ret)
{
	struct dmacc_session_notification n = { 0 };
	const char *server_id;
	int initiated, r;

	r = sd_bus_message_read(m, "uubus", &n.version, &n.ui_mode, &initiated, &n.session_id,
				&server_id);
	if (r < 0)
		return client_fail_bus(c, r);
	if (strlen(server_id) >= sizeof(n.server_id))
		return client_fail(c, -EBADMSG, "the notification's server ID is too long");
	strcpy(n.server_id, server_id);
	n.server_initiated = initiated;
	*ret = n;
	return 0;
}

int dmacc_session_verify_notification(struct dmacc_session *s, const void *message, size_t len,
				      struct dmacc_session_notification *ret)
{
	sd_bus_message *m;
	int r;

	r = new_call(s, "VerifyNotification", &m);
	if (r)
		return r;
	r = client_append_bytes(s->client, m, message, len);
	r = client_call(s->client, m, r, &m);
	if (r)
		return r;
	r = read_notification(s->client, m, ret);
	sd_bus_message_unref(m);
	return r;
}

int dmacc_session_replace(struct dmacc_session *s, const char *uri, const char *format,
			  const void *value, size_t len)
{
	sd_bus_message *m;
	int r;

	r = new_call(s, "Replace", &m);
	if (r)
		return r;
	r = client_append_text(s->client, m, "URI", uri);
	if (!r)
		r = client_append_text(s->client, m, "format", format);
	if (!r)
		r = client_append_bytes(s->client, m, value, len);
	return client_call(s->client, m, r, NULL);
}

int dmacc_session_secrets(struct dmacc_session *s, const char *layout, int *ret_fd)
{
	sd_bus_message *m;
	int fd, r;

	r = new_call(s, "GetSecrets", &m);
	if (r)
		return r;
	r = client_append_text(s->client, m, "layout", layout);
	r = client_call(s->client, m, r, &m);
	if (r)
		return r;
	r = sd_bus_message_read_basic(m, 'h', &fd);
	/* the message's own, which goes with it */
	fd = r < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (r >= 0 && fd < 0)
		r = -errno;
	sd_bus_message_unref(m);
	if (r < 0)
		return client_fail_bus(s->client, r);
	*ret_fd = fd;
	return 0;
}

int dmacc_session_set_nonces(struct dmacc_session *s, const void *client, size_t client_len,
			     const void *server, size_t server_len)
{
	sd_bus_message *m;
	int r;

	r = new_call(s, "SetNonces", &m);
	if (r)
		return r;
	r = client_append_bytes(s->client, m, client, client_len);
	if (!r)
		r = client_append_bytes(s->client, m, server, server_len);
	return client_call(s->client, m, r, NULL);
}

int dmacc_session_commit(struct dmacc_session *s, bool authenticated)
{
	sd_bus_message *m;
	int r;

	r = new_call(s, "Commit", &m);
	if (r)
		return r;
	r = sd_bus_message_append(m, "b", (int)authenticated);
	return client_call(s->client, m, r < 0 ? client_fail_bus(s->client, r) : 0, NULL);
}
