// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who calls is asked of the bus, which took user and groups of the process when it connected; nothing
 * is looked up by its process id, which may be another's by now.
 */
#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "authorize.h"
#include "bus_inside.h"

#define CLIENT_GROUP "dmclient"
#define ACTION "org.dmacc1.manage-accounts"
#define POLKIT "org.freedesktop.PolicyKit1"
#define QUESTIONS_MAX 32	/* that polkit has not answered */

/* Groups are the message's own */
struct caller {
	sd_bus_message *m;
	uint32_t uid;
	bool has_uid;
	const uint32_t *groups;
	size_t groups_size;
};

/* A call that waits for polkit's word */
struct question {
	struct question *next;
	struct bus *bus;
	sd_bus_message *m;
	sd_bus_slot *slot;
	authorized_function *then;
};

static int read_credential(sd_bus_message *m, struct caller *caller)
{
	const char *key;
	const void *groups;
	int r;

	r = sd_bus_message_read_basic(m, 's', &key);
	if (r < 0)
		return r;
	if (!strcmp(key, "UnixUserID")) {
		caller->has_uid = true;
		return sd_bus_message_read(m, "v", "u", &caller->uid);
	}
	if (strcmp(key, "UnixGroupIDs"))
		return sd_bus_message_skip(m, "v");
	r = sd_bus_message_enter_container(m, 'v', "au");
	if (r >= 0)
		r = sd_bus_message_read_array(m, 'u', &groups, &caller->groups_size);
	if (r < 0)
		return r;
	caller->groups = groups;
	return sd_bus_message_exit_container(m);
}

static int read_credentials(sd_bus_message *m, struct caller *caller)
{
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{sv}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_credential(m, caller);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : caller->has_uid ? 0 : -ENODATA;
}

/* @ret->m is to be given to sd_bus_message_unref() */
static int ask_caller(struct bus *b, sd_bus_message *m, struct caller *ret)
{
	struct caller caller = { 0 };
	int r;

	r = sd_bus_call_method(b->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
			       "org.freedesktop.DBus", "GetConnectionCredentials", NULL, &caller.m,
			       "s", sd_bus_message_get_sender(m));
	if (r >= 0)
		r = read_credentials(caller.m, &caller);
	if (r < 0) {
		sd_bus_message_unref(caller.m);
		return r;
	}
	*ret = caller;
	return 0;
}

static bool is_in_group(const struct caller *caller, const char *name)
{
	const struct group *group = getgrnam(name);
	size_t i;

	for (i = 0; group && i < caller->groups_size / sizeof(caller->groups[0]); i++)
		if (caller->groups[i] == group->gr_gid)
			return true;
	return false;
}

static int deny(sd_bus_error *reterr, const char *sentence)
{
	return sd_bus_error_set(reterr, SD_BUS_ERROR_ACCESS_DENIED, sentence);
}

static void free_question(struct question *q)
{
	struct question **at = &q->bus->questions;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	sd_bus_slot_unref(q->slot);
	sd_bus_message_unref(q->m);
	free(q);
}

/* Polkit's answer, or that there is none */
static int read_verdict(sd_bus_message *answer, sd_bus_error *reterr)
{
	int authorized, challenge, r;

	if (sd_bus_message_is_method_error(answer, NULL))
		return deny(reterr, "this is for root: there is no polkit that could let others");
	r = sd_bus_message_enter_container(answer, 'r', "bba{ss}");
	if (r >= 0)
		r = sd_bus_message_read(answer, "bb", &authorized, &challenge);
	if (r < 0)
		return r;
	if (authorized)
		return 0;
	if (challenge)
		return sd_bus_error_set(reterr, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
					"polkit would have to ask for a password first");
	return deny(reterr, "polkit does not let you change accounts");
}

static int on_verdict(sd_bus_message *answer, void *data, sd_bus_error *reterr)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct question *q = data;
	int r;

	(void)reterr;
	r = read_verdict(answer, &error);
	if (r >= 0)
		r = q->then(q->bus, q->m, sd_bus_message_get_path(q->m), &error);
	if (r < 0)
		(void)sd_bus_reply_method_errno(q->m, r, &error);
	sd_bus_error_free(&error);
	free_question(q);
	return 0;
}

static int call_polkit(struct question *q)
{
	bool interactive = sd_bus_message_get_allow_interactive_authorization(q->m) > 0;
	sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_call(q->bus->bus, &m, POLKIT,
					   "/org/freedesktop/PolicyKit1/Authority",
					   POLKIT ".Authority", "CheckAuthorization");
	if (r >= 0)
		r = sd_bus_message_append(m, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
					  sd_bus_message_get_sender(q->m), ACTION, 0,
					  (uint32_t)interactive, "");
	/* a person may have to be found who knows the password */
	if (r >= 0)
		r = sd_bus_call_async(q->bus->bus, &q->slot, m, on_verdict, q, UINT64_MAX);
	sd_bus_message_unref(m);
	return r;
}

static size_t count_questions(const struct bus *b)
{
	const struct question *q;
	size_t count = 0;

	for (q = b->questions; q; q = q->next)
		count++;
	return count;
}

static int ask_polkit(struct bus *b, sd_bus_message *m, authorized_function *then,
		      sd_bus_error *reterr)
{
	struct question *q;
	int r;

	if (count_questions(b) >= QUESTIONS_MAX)
		return sd_bus_error_set(reterr, SD_BUS_ERROR_LIMITS_EXCEEDED,
					"too many are waiting for polkit");
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	*q = (struct question){ b->questions, b, sd_bus_message_ref(m), NULL, then };
	b->questions = q;
	r = call_polkit(q);
	if (r < 0)
		free_question(q);
	return r < 0 ? r : 1;
}

/* Is it root, is it a DM client? */
static int judge_caller(struct bus *b, sd_bus_message *m, bool *ret_root, bool *ret_client)
{
	struct caller caller;
	int r;

	r = ask_caller(b, m, &caller);
	if (r < 0)
		return r;
	*ret_root = !caller.uid;
	*ret_client = is_in_group(&caller, CLIENT_GROUP);
	sd_bus_message_unref(caller.m);
	return 0;
}

int authorize_identifier(struct bus *b, sd_bus_message *m, sd_bus_error *reterr)
{
	bool root, client;
	int r;

	r = judge_caller(b, m, &root, &client);
	if (r < 0 || root || client)
		return r;
	return deny(reterr, "the identifier is for root and the group " CLIENT_GROUP);
}

int authorize(struct bus *b, sd_bus_message *m, enum authorize_what what,
	      authorized_function *then, sd_bus_error *reterr)
{
	bool root, client;
	int r;

	r = judge_caller(b, m, &root, &client);
	if (r < 0)
		return r;
	if (root || (what == AUTHORIZE_SESSION && client))
		return then(b, m, sd_bus_message_get_path(m), reterr);
	if (what == AUTHORIZE_SESSION)
		return deny(reterr, "sessions are for root and the group " CLIENT_GROUP);
	if (what == AUTHORIZE_SECRETS)
		return deny(reterr, "passwords and nonces are for root only");
	return ask_polkit(b, m, then, reterr);
}

void authorize_done(struct bus *b)
{
	while (b->questions)
		free_question(b->questions);
}
