// SPDX-License-Identifier: LGPL-2.1-or-later
/* Notifications: whose, over which nonce, and how often over the one for resynchronisation */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "holding.h"
#include "session_fixture.h"

static size_t make_notification(const char *server, const char *password, struct bytes nonce,
				uint8_t *ret)
{
	const struct dmacc_login login = { SERVER_ID, password, nonce.of, nonce.len };
	char trigger_digest[DMACC_DIGEST_TEXT_SIZE];
	uint8_t *trigger = ret + 16;
	size_t len = 8 + strlen(server);

	memcpy(trigger, "\x03\x18\0\0\0\0\x07", 7);
	trigger[7] = (uint8_t)strlen(server);
	memcpy(trigger + 8, server, strlen(server));
	assert_int_equal(dmacc_auth_body(trigger, len, trigger_digest), 0);
	assert_int_equal(dmacc_auth_notification(&login, trigger_digest, ret), 0);
	return 16 + len;
}

static int notify(struct session *s, const char *password, struct bytes nonce)
{
	struct dmacc_notification n;
	uint8_t message[256];
	size_t len = make_notification(SERVER_ID, password, nonce, message);
	int r = session_verify_notification(s, message, len, &n, &complaint);

	if (!r) {
		assert_int_equal(n.version, 12);
		assert_int_equal(n.ui_mode, 1);
		assert_true(n.server_initiated);
		assert_int_equal(n.session_id, 7);
		assert_string_equal(n.server_id, SERVER_ID);
	}
	return r;
}

static void a_notification_is_verified_and_only_a_good_one_uses_a_nonce_up(void **state)
{
	struct fixture *f = *state;
	struct dmacc_notification n;
	uint8_t message[256];
	struct session *s;
	size_t len;

	begin(f, CONF);
	s = open_session(f);
	assert_refused(notify(s, "wrong", INITIAL_SERVER), REFUSAL_WRONG_CREDENTIAL, "does not fit");
	assert_refused(notify(s, SERVER_PW_GENERATION_1, INITIAL_SERVER), REFUSAL_WRONG_CREDENTIAL,
		       "generation 1");
	len = make_notification("com.example.other", SERVER_PW, INITIAL_SERVER, message);
	assert_refused(session_verify_notification(s, message, len, &n, &complaint),
		       REFUSAL_WRONG_CREDENTIAL, "another server");
	assert_refused(session_verify_notification(s, message, 20, &n, &complaint),
		       REFUSAL_BAD_VALUE, "no notification");
	assert_nonces(f, "op", "initial");
	assert_int_equal(notify(s, SERVER_PW, INITIAL_SERVER), 0);
	assert_nonces(f, "op", "burnt");
	assert_false(session_server_authenticated(s));
	/* the session that it asks for goes on over the same nonces */
	assert_string_equal(credential(s, ""), digest(USER_NAME, CLIENT_PW, INITIAL_CLIENT));
	assert_int_equal(answer(s, SERVER_PW, INITIAL_SERVER), 0);
}

static void the_resync_nonce_is_refused_unless_the_template_allows_it(void **state)
{
	struct fixture *f = *state;
	const struct bytes zeros = { .len = 4 };
	struct session *s;

	begin(f, CONF);
	s = open_session(f);
	assert_refused(notify(s, SERVER_PW, zeros), REFUSAL_WRONG_CREDENTIAL,
		       "the resync nonce of four zero bytes");
	begin(f, CONF "[Account]\nNonceResync=yes\n");
	s = open_session(f);
	assert_int_equal(notify(s, SERVER_PW, zeros), 0);
	/* recorded, and sent again at once; in another session, too */
	assert_refused(notify(s, SERVER_PW, zeros), REFUSAL_WRONG_CREDENTIAL, "an hour ago");
	session_close(s);
	s = open_session(f);
	assert_refused(notify(s, SERVER_PW, zeros), REFUSAL_WRONG_CREDENTIAL, "an hour ago");
	/* no credential is ever accepted over it */
	assert_refused(answer(s, SERVER_PW, zeros), REFUSAL_WRONG_CREDENTIAL, "resync nonce");
	begin(f, CONF "[Account]\nNonceResync=no\n");
	s = open_session(f);
	assert_refused(notify(s, SERVER_PW, zeros), REFUSAL_WRONG_CREDENTIAL, "resync nonce");
}

/* As if it had been so many seconds ago that one was accepted, by an agent before this one */
static void resynced_ago(struct fixture *f, int64_t ago)
{
	uint64_t big = htobe64((uint64_t)(time(NULL) - ago));
	struct holding h;

	assert_int_equal(holding_open(&f->agent, "op", &h, &complaint), 0);
	assert_int_equal(record_set(h.record, RECORD_STATE, "LastResync", &big, sizeof(big)), 0);
	assert_int_equal(holding_save(&h, &complaint), 0);
	holding_close(&h);
	start(f);
}

static void the_resync_nonce_serves_once_an_hour_however_often_the_agent_starts(void **state)
{
	struct fixture *f = *state;
	const struct bytes zeros = { .len = 4 };

	begin(f, CONF "[Account]\nNonceResync=yes\n");
	assert_int_equal(notify(open_session(f), SERVER_PW, zeros), 0);
	start(f);
	assert_refused(notify(open_session(f), SERVER_PW, zeros), REFUSAL_WRONG_CREDENTIAL,
		       "an hour ago");
	resynced_ago(f, 3500);
	assert_refused(notify(open_session(f), SERVER_PW, zeros), REFUSAL_WRONG_CREDENTIAL,
		       "an hour ago");
	resynced_ago(f, 3600);
	assert_int_equal(notify(open_session(f), SERVER_PW, zeros), 0);
	/* the clock was set back: who can do that gains nothing */
	resynced_ago(f, -86400);
	assert_refused(notify(open_session(f), SERVER_PW, zeros), REFUSAL_WRONG_CREDENTIAL,
		       "an hour ago");
}

static void session_for_resync(struct fixture *f)
{
	new_account(f);
	begin(f, CONF "[Account]\nNonceResync=yes\n");
	(void)open_session(f);
}

static int resync(struct fixture *f)
{
	return notify(session_find(&f->agent, "op"), SERVER_PW, (struct bytes){ .len = 4 });
}

static void check_resynced(struct fixture *f, bool done)
{
	(void)open_session(f);
	if (done)
		assert_refused(resync(f), REFUSAL_WRONG_CREDENTIAL, "an hour ago");
	assert_state(f, "op", "ready", "");
}

static void no_such_notification_is_accepted_before_that_is_on_the_disk(void **state)
{
	with_each_fault(*state, session_for_resync, resync, check_resynced);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_notification_is_verified_and_only_a_good_one_uses_a_nonce_up),
		TEST(the_resync_nonce_is_refused_unless_the_template_allows_it),
		TEST(the_resync_nonce_serves_once_an_hour_however_often_the_agent_starts),
		TEST(no_such_notification_is_accepted_before_that_is_on_the_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
