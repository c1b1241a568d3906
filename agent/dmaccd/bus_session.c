// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * org.dmacc1.Session. A session belongs to the connection that opened it and to no other, whoever that
 * is: to root least of all, who has GetTreeWithSecrets.
 *
 * What passes through here is wiped by sd-bus, calls and answers: their methods are sensitive.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus_inside.h"
#include "session.h"

/* Who is watched for leaving the bus; one for each session */
struct guest {
	struct guest *next;
	struct bus *bus;
	struct session *session;
	sd_bus_track *track;
};

static void free_guest(struct guest *guest)
{
	struct guest **at = &guest->bus->guests;

	while (*at != guest)
		at = &(*at)->next;
	*at = guest->next;
	sd_bus_track_unref(guest->track);
	free(guest);
}

void bus_forget_guests(struct bus *b)
{
	while (b->guests)
		free_guest(b->guests);
}

static void tell_account(struct bus *b, const char *account)
{
	char *path = bus_path(BUS_ACCOUNTS, account);

	if (path)
		(void)sd_bus_emit_properties_changed(b->bus, path, BUS_ACCOUNT, "Session", NULL);
	free(path);
}

static void close_session(struct guest *guest)
{
	struct bus *b = guest->bus;
	char *account = strdup(session_account(guest->session));
	char *path = bus_path(BUS_SESSIONS, session_account(guest->session));

	/* the bus is asked what it has: it goes after its signal */
	if (path)
		(void)sd_bus_emit_object_removed(b->bus, path);
	session_close(guest->session);
	if (account)
		tell_account(b, account);
	free(account);
	free(path);
	free_guest(guest);
}

static int on_leave(sd_bus_track *track, void *data)
{
	(void)track;
	close_session(data);
	return 0;
}

static int watch(struct guest *guest, sd_bus_message *m)
{
	int r;

	r = sd_bus_track_new(guest->bus->bus, &guest->track, on_leave, guest);
	return r < 0 ? r : sd_bus_track_add_sender(guest->track, m);
}

static int read_option(sd_bus_message *m, bool *tls, sd_bus_error *reterr)
{
	const char *key;
	int value, r;

	r = sd_bus_message_read_basic(m, 's', &key);
	if (r < 0)
		return r;
	if (strcmp(key, "tls"))
		return sd_bus_error_setf(reterr, SD_BUS_ERROR_INVALID_ARGS,
					 "there is no option %.100s", key);
	r = sd_bus_message_read(m, "v", "b", &value);
	if (r < 0)
		return sd_bus_error_set(reterr, SD_BUS_ERROR_INVALID_ARGS, "tls is a boolean");
	*tls = value;
	return 0;
}

static int read_options(sd_bus_message *m, bool *ret_tls, sd_bus_error *reterr)
{
	bool tls = false;
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{sv}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_option(m, &tls, reterr);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	*ret_tls = tls;
	return r;
}

static int add_guest(struct bus *b, sd_bus_message *m, struct session *session, struct guest **ret)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	int r;

	if (!guest)
		return -ENOMEM;
	*guest = (struct guest){ b->guests, b, session, NULL };
	b->guests = guest;
	r = watch(guest, m);
	if (r < 0) {
		free_guest(guest);
		return r;
	}
	*ret = guest;
	return 0;
}

static int tell_session(struct bus *b, sd_bus_message *m, const char *account)
{
	char *path = bus_path(BUS_SESSIONS, account);
	int r;

	if (!path)
		return -ENOMEM;
	(void)sd_bus_emit_object_added(b->bus, path);
	tell_account(b, account);
	r = sd_bus_reply_method_return(m, "o", path);
	free(path);
	return r;
}

int bus_open_session(struct bus *b, sd_bus_message *m, const char *account, sd_bus_error *reterr)
{
	struct complaint complaint;
	struct session *session;
	struct guest *guest;
	bool tls;
	int r;

	r = read_options(m, &tls, reterr);
	if (r < 0)
		return r;
	r = session_open(b->agent, account, sd_bus_message_get_sender(m), tls, &session, &complaint);
	if (r)
		return bus_complain(r, &complaint, reterr);
	r = add_guest(b, m, session, &guest);
	if (r < 0) {
		session_close(session);
		return r;
	}
	r = tell_session(b, m, account);
	if (r < 0)
		close_session(guest);
	return r;
}

/* Each method has its guest as userdata */
static int check_owner(sd_bus_message *m, const struct guest *guest, sd_bus_error *reterr)
{
	if (!strcmp(sd_bus_message_get_sender(m), session_owner(guest->session)))
		return 0;
	return sd_bus_error_set(reterr, SD_BUS_ERROR_ACCESS_DENIED,
				"only who opened the session may use it");
}

/* Of a method without a result: what came of it */
static int reply_empty(sd_bus_message *m, int r, const struct complaint *complaint,
		       sd_bus_error *reterr)
{
	return r ? bus_complain(r, complaint, reterr) : sd_bus_reply_method_return(m, NULL);
}

/* Signals the property if it is not what it was */
static void tell_flag(struct guest *guest, const char *property, bool before, bool now)
{
	char *path = before == now ? NULL : bus_path(BUS_SESSIONS, session_account(guest->session));

	if (path)
		(void)sd_bus_emit_properties_changed(guest->bus->bus, path, BUS_SESSION, property, NULL);
	free(path);
}

static int get_client_credential(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	struct guest *guest = data;
	struct complaint complaint;
	const char *type, *word;
	const void *body;
	size_t len;
	char *text;
	int r;

	r = check_owner(m, guest, reterr);
	if (!r)
		r = sd_bus_message_read(m, "s", &type);
	if (r >= 0)
		r = bus_read_bytes(m, &body, &len);
	if (r < 0)
		return r;
	r = session_client_credential(guest->session, type, body, len, &word, &text, &complaint);
	if (r)
		return bus_complain(r, &complaint, reterr);
	r = sd_bus_reply_method_return(m, "ss", word, text);
	dmacc_wipe(text, strlen(text));
	free(text);
	return r;
}

static int challenged(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	struct guest *guest = data;
	bool before = session_client_accepted(guest->session);
	struct complaint complaint;
	const char *type;
	const void *nonce;
	size_t len;
	int r;

	r = check_owner(m, guest, reterr);
	if (!r)
		r = sd_bus_message_read(m, "s", &type);
	if (r >= 0)
		r = bus_read_bytes(m, &nonce, &len);
	if (r < 0)
		return r;
	r = session_challenged(guest->session, type, nonce, len, &complaint);
	tell_flag(guest, "ClientAccepted", before, session_client_accepted(guest->session));
	return reply_empty(m, r, &complaint, reterr);
}

static int accepted(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	struct guest *guest = data;
	bool before = session_client_accepted(guest->session);
	struct complaint complaint;
	const void *nonce;
	size_t len;
	int r;

	r = check_owner(m, guest, reterr);
	if (!r)
		r = bus_read_bytes(m, &nonce, &len);
	if (r < 0)
		return r;
	r = session_accepted(guest->session, nonce, len, &complaint);
	tell_flag(guest, "ClientAccepted", before, session_client_accepted(guest->session));
	return reply_empty(m, r, &complaint, reterr);
}

static int verify_server(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	struct guest *guest = data;
	bool before = session_server_authenticated(guest->session);
	const char *type, *text;
	struct complaint complaint;
	const void *body;
	size_t len;
	int r;

	r = check_owner(m, guest, reterr);
	if (!r)
		r = sd_bus_message_read(m, "ss", &type, &text);
	if (r >= 0)
		r = bus_read_bytes(m, &body, &len);
	if (r < 0)
		return r;
	r = session_verify_server(guest->session, type, text, body, len, &complaint);
	tell_flag(guest, "ServerAuthenticated", before, session_server_authenticated(guest->session));
	return reply_empty(m, r, &complaint, reterr);
}

static int reply_bytes(sd_bus_message *m, const void *bytes, size_t len)
{
	sd_bus_message *reply = NULL;
	int r;

	r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = sd_bus_message_append_array(reply, 'y', bytes, len);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

static int get_server_nonce(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	struct guest *guest = data;
	uint8_t nonce[DMACC_NONCE_SIZE];
	struct complaint complaint;
	int r;

	r = check_owner(m, guest, reterr);
	if (r < 0)
		return r;
	r = session_server_nonce(guest->session, nonce, &complaint);
	if (r)
		return bus_complain(r, &complaint, reterr);
	r = reply_bytes(m, nonce, sizeof(nonce));
	dmacc_wipe(nonce, sizeof(nonce));
	return r;
}

static int verify_notification(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	struct guest *guest = data;
	struct dmacc_notification n;
	struct complaint complaint;
	const void *message;
	size_t len;
	int r;

	r = check_owner(m, guest, reterr);
	if (!r)
		r = bus_read_bytes(m, &message, &len);
	if (r < 0)
		return r;
	r = session_verify_notification(guest->session, message, len, &n, &complaint);
	if (r)
		return bus_complain(r, &complaint, reterr);
	return sd_bus_reply_method_return(m, "uubus", n.version, n.ui_mode, n.server_initiated,
					  n.session_id, n.server_id);
}

static int replace(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	struct guest *guest = data;
	const char *uri, *format;
	struct complaint complaint;
	const void *value;
	size_t len;
	int r;

	r = check_owner(m, guest, reterr);
	if (!r)
		r = sd_bus_message_read(m, "ss", &uri, &format);
	if (r >= 0)
		r = bus_read_bytes(m, &value, &len);
	if (r < 0)
		return r;
	r = session_replace(guest->session, uri, format, value, len, &complaint);
	return reply_empty(m, r, &complaint, reterr);
}

static int get_secrets(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	struct guest *guest = data;
	struct complaint complaint;
	enum dmacc_layout layout;
	struct dmacc_tree *tree;
	int r;

	r = check_owner(m, guest, reterr);
	if (!r)
		r = bus_read_layout(m, &layout, reterr);
	if (r < 0)
		return r;
	r = session_secret_tree(guest->session, layout, &tree, &complaint);
	return r ? bus_complain(r, &complaint, reterr) : bus_reply_secret_tree(m, tree);
}

static int set_nonces(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	struct guest *guest = data;
	struct complaint complaint;
	const void *client, *server;
	size_t client_len, server_len;
	int r;

	r = check_owner(m, guest, reterr);
	if (!r)
		r = bus_read_bytes(m, &client, &client_len);
	if (r >= 0)
		r = bus_read_bytes(m, &server, &server_len);
	if (r < 0)
		return r;
	r = session_set_nonces(guest->session, client, client_len, server, server_len, &complaint);
	return reply_empty(m, r, &complaint, reterr);
}

static int commit(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	struct guest *guest = data;
	bool before = session_server_authenticated(guest->session);
	struct complaint complaint;
	int authenticated, r;

	r = check_owner(m, guest, reterr);
	if (!r)
		r = sd_bus_message_read(m, "b", &authenticated);
	if (r < 0)
		return r;
	r = session_commit(guest->session, authenticated, &complaint);
	tell_flag(guest, "ServerAuthenticated", before, session_server_authenticated(guest->session));
	return reply_empty(m, r, &complaint, reterr);
}

static int close_method(sd_bus_message *m, void *data, sd_bus_error *reterr)
{
	int r;

	r = check_owner(m, data, reterr);
	if (r < 0)
		return r;
	close_session(data);
	return sd_bus_reply_method_return(m, NULL);
}

static int get_path(sd_bus *bus, const char *path, const char *interface, const char *property,
		    sd_bus_message *reply, void *data, sd_bus_error *reterr)
{
	const struct guest *guest = data;
	char *account = bus_path(BUS_ACCOUNTS, session_account(guest->session));
	int r;

	(void)bus, (void)path, (void)interface, (void)property, (void)reterr;
	r = account ? sd_bus_message_append(reply, "o", account) : -ENOMEM;
	free(account);
	return r;
}

static int get_owner(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *data, sd_bus_error *reterr)
{
	const struct guest *guest = data;

	(void)bus, (void)path, (void)interface, (void)property, (void)reterr;
	return sd_bus_message_append(reply, "s", session_owner(guest->session));
}

static int get_flag(sd_bus *bus, const char *path, const char *interface, const char *property,
		    sd_bus_message *reply, void *data, sd_bus_error *reterr)
{
	const struct session *session = ((const struct guest *)data)->session;

	(void)bus, (void)path, (void)interface, (void)reterr;
	return sd_bus_message_append(reply, "b", strcmp(property, "ClientAccepted") ?
				     session_server_authenticated(session) :
				     session_client_accepted(session));
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define SECRET (SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE)

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Account", "o", get_path, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Owner", "s", get_owner, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("ServerAuthenticated", "b", get_flag, 0, CHANGES),
	SD_BUS_PROPERTY("ClientAccepted", "b", get_flag, 0, CHANGES),
	SD_BUS_METHOD_WITH_ARGS("GetClientCredential", SD_BUS_ARGS("s", type, "ay", body),
				SD_BUS_RESULT("s", ret_type, "s", data), get_client_credential, SECRET),
	SD_BUS_METHOD_WITH_ARGS("Challenged", SD_BUS_ARGS("s", type, "ay", nonce), SD_BUS_NO_RESULT,
				challenged, SECRET),
	SD_BUS_METHOD_WITH_ARGS("Accepted", SD_BUS_ARGS("ay", next_nonce), SD_BUS_NO_RESULT,
				accepted, SECRET),
	SD_BUS_METHOD_WITH_ARGS("VerifyServer", SD_BUS_ARGS("s", type, "s", data, "ay", body),
				SD_BUS_NO_RESULT, verify_server, SECRET),
	SD_BUS_METHOD_WITH_ARGS("GetServerNonce", SD_BUS_NO_ARGS, SD_BUS_RESULT("ay", nonce),
				get_server_nonce, SECRET),
	SD_BUS_METHOD_WITH_ARGS("VerifyNotification", SD_BUS_ARGS("ay", message),
				SD_BUS_RESULT("u", version, "u", ui_mode, "b", server_initiated,
					      "u", session_id, "s", server_id),
				verify_notification, SECRET),
	SD_BUS_METHOD_WITH_ARGS("Replace", SD_BUS_ARGS("s", uri, "s", format, "ay", value),
				SD_BUS_NO_RESULT, replace, SECRET),
	SD_BUS_METHOD_WITH_ARGS("GetSecrets", SD_BUS_ARGS("s", layout), SD_BUS_RESULT("h", tree),
				get_secrets, SECRET),
	SD_BUS_METHOD_WITH_ARGS("SetNonces", SD_BUS_ARGS("ay", client_nonce, "ay", server_nonce),
				SD_BUS_NO_RESULT, set_nonces, SECRET),
	SD_BUS_METHOD_WITH_ARGS("Commit", SD_BUS_ARGS("b", authenticated), SD_BUS_NO_RESULT, commit,
				SECRET),
	SD_BUS_METHOD_WITH_ARGS("Close", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, close_method, SECRET),
	SD_BUS_VTABLE_END
};

static struct guest *find_guest(const struct bus *b, const char *account)
{
	struct guest *guest;

	for (guest = b->guests; guest; guest = guest->next)
		if (!strcmp(session_account(guest->session), account))
			return guest;
	return NULL;
}

static int find_session(sd_bus *bus, const char *path, const char *interface, void *data,
			void **ret_found, sd_bus_error *reterr)
{
	struct guest *guest;
	char *name;
	int r;

	(void)bus, (void)interface, (void)reterr;
	r = sd_bus_path_decode(path, BUS_SESSIONS, &name);
	if (r <= 0)
		return r;
	guest = find_guest(data, name);
	free(name);
	*ret_found = guest;
	return guest ? 1 : 0;
}

static int list_sessions(sd_bus *bus, const char *prefix, void *data, char ***ret_nodes,
			 sd_bus_error *reterr)
{
	const struct bus *b = data;
	const struct guest *guest;
	size_t count = 0;
	char **nodes;

	(void)bus, (void)prefix, (void)reterr;
	for (guest = b->guests; guest; guest = guest->next)
		count++;
	nodes = calloc(count + 1, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	count = 0;
	for (guest = b->guests; guest; guest = guest->next) {
		nodes[count] = bus_path(BUS_SESSIONS, session_account(guest->session));
		count += nodes[count] != NULL;
	}
	*ret_nodes = nodes;
	return 0;
}

int bus_add_sessions(struct bus *b)
{
	int r;

	r = sd_bus_add_fallback_vtable(b->bus, NULL, BUS_SESSIONS, BUS_SESSION, vtable, find_session,
				       b);
	return r < 0 ? r : sd_bus_add_node_enumerator(b->bus, NULL, BUS_SESSIONS, list_sessions, b);
}
