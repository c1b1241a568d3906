// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sessions of DM clients: whose credential over which nonce, and which nonces the next session
 * has
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "session_fixture.h"

#define INITIAL_CLIENT bytes(initial_client_nonce, 16)
#define INITIAL_SERVER bytes(initial_server_nonce, 16)

static void begin(struct fixture *f, const char *conf)
{
	write_file(f->usr, "op.conf", conf);
	start(f);
}

static void assert_stored(struct fixture *f, const char *key, struct bytes wanted, bool is)
{
	struct bytes found = stored_nonce(f, key);

	if (is) {
		assert_int_equal(found.len, wanted.len);
		assert_memory_equal(found.of, wanted.of, wanted.len);
	} else {
		assert_memory_not_equal(found.of, wanted.of, wanted.len);
	}
}

static void the_first_session_needs_no_challenge(void **state)
{
	struct fixture *f = *state;
	struct bytes next;
	struct session *s;

	begin(f, CONF);
	assert_false(account(f, "op")->ever_connected);
	s = open_session(f);
	assert_string_equal(credential(s, ""), digest(USER_NAME, CLIENT_PW, INITIAL_CLIENT));
	assert_false(session_server_authenticated(s));
	assert_int_equal(answer(s, SERVER_PW, INITIAL_SERVER), 0);
	assert_true(session_server_authenticated(s));
	assert_int_equal(session_accepted(s, "raw\0nonce", 9, &complaint), 0);
	assert_true(session_client_accepted(s));
	next = server_nonce(s);
	assert_int_equal(session_commit(s, false, &complaint), 0);
	session_close(s);
	start(f);
	assert_nonces(f, "op", "session");
	assert_string_equal(account(f, "op")->nonces, "session");
	assert_stored(f, "ClientNonce", bytes("raw\0nonce", 9), true);
	assert_stored(f, "ServerNonce", next, true);
	assert_true(account(f, "op")->ever_connected);
	/* 2020 to 2100 */
	assert_in_range(account(f, "op")->last_connected, 1577836800000000, 4102444800000000);
	/* and neither does the second */
	s = open_session(f);
	assert_string_equal(credential(s, ""), digest(USER_NAME, CLIENT_PW, bytes("raw\0nonce", 9)));
	assert_int_equal(answer(s, SERVER_PW, next), 0);
}

static void initial_nonces_are_marked_as_used_before_a_credential_leaves(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	s = open_session(f);
	session_close(s);
	assert_nonces(f, "op", "initial");
	s = open_session(f);
	credential(s, "");
	assert_nonces(f, "op", "burnt");
	assert_stored(f, "ClientNonce", INITIAL_CLIENT, false);
	assert_string_equal(account(f, "op")->nonces, "burnt");
	/* the session goes on with them; the next one, or one after a crash, does not */
	assert_int_equal(answer(s, SERVER_PW, INITIAL_SERVER), 0);
	start(f);
	s = open_session(f);
	assert_string_not_equal(credential(s, ""), digest(USER_NAME, CLIENT_PW, INITIAL_CLIENT));
	assert_refused(answer(s, SERVER_PW, INITIAL_SERVER), REFUSAL_WRONG_CREDENTIAL,
		       "the initial nonce, which serves once only");
	assert_false(session_server_authenticated(s));
}

static void a_templates_nonces_are_used_once_too(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF "ClientNonce=AAECAw==\n");
	s = open_session(f);
	assert_string_equal(credential(s, ""), digest(USER_NAME, CLIENT_PW, bytes("\0\1\2\3", 4)));
	start(f);
	assert_nonces(f, "op", "burnt");
	s = open_session(f);
	assert_string_not_equal(credential(s, ""),
				digest(USER_NAME, CLIENT_PW, bytes("\0\1\2\3", 4)));
}

static void new_account(struct fixture *f)
{
	char path[256];

	stop(f);
	store_path(f, "op", path);
	(void)unlink(path);
	store_path(f, "op.prev", path);
	(void)unlink(path);
	begin(f, CONF);
	(void)open_session(f);
}

static int first_credential(struct fixture *f)
{
	const char *type;
	char *data;
	int r;

	r = session_client_credential(session_find(&f->agent, "op"), "", NULL, 0, &type, &data,
				      &complaint);
	if (!r)
		free(data);
	return r;
}

static void check_used_once(struct fixture *f, bool done)
{
	if (!done && !strcmp(account(f, "op")->nonces, "initial"))
		return;
	assert_nonces(f, "op", "burnt");
	assert_stored(f, "ClientNonce", INITIAL_CLIENT, false);
}

static void no_credential_leaves_before_that_is_on_the_disk(void **state)
{
	with_each_fault(*state, new_account, first_credential, check_used_once);
}

static struct bytes offered;

static void session_to_commit(struct fixture *f)
{
	struct session *s;

	new_account(f);
	s = session_find(&f->agent, "op");
	credential(s, "");
	assert_int_equal(answer(s, SERVER_PW, INITIAL_SERVER), 0);
	assert_int_equal(session_accepted(s, "next", 4, &complaint), 0);
	offered = server_nonce(s);
}

static int commit(struct fixture *f)
{
	return session_commit(session_find(&f->agent, "op"), false, &complaint);
}

static void check_committed(struct fixture *f, bool done)
{
	assert_state(f, "op", "ready", "");
	if (!done && strcmp(account(f, "op")->nonces, "session")) {
		assert_nonces(f, "op", "burnt");
		assert_stored(f, "ClientNonce", INITIAL_CLIENT, false);
		return;
	}
	assert_stored(f, "ClientNonce", bytes("next", 4), true);
	assert_stored(f, "ServerNonce", offered, true);
}

static void what_a_commit_acknowledged_is_there_whatever_ends_it(void **state)
{
	with_each_fault(*state, session_to_commit, commit, check_committed);
}

static void a_commit_that_failed_can_be_repeated(void **state)
{
	struct fixture *f = *state;
	int at;

	for (at = 1; at < 8; at++) {
		session_to_commit(f);
		faults_arm(FAULT_FAIL, at);
		(void)commit(f);
		faults_arm(FAULT_NONE, 0);
		assert_int_equal(commit(f), 0);
		check_committed(f, true);
	}
}

/* How often something was called since the faults were armed */
static int count(const char *call)
{
	const char *at = faults_calls();
	int n = 0;

	for (; (at = strstr(at, call)); at++)
		n += at == faults_calls() || at[-1] == ' ';
	return n;
}

static void a_commit_is_one_write(void **state)
{
	struct fixture *f = *state;

	session_to_commit(f);
	faults_arm(FAULT_NONE, 0);
	assert_int_equal(commit(f), 0);
	assert_int_equal(count("write "), 1);
	assert_int_equal(count("fsync "), 1);
	assert_int_equal(count("fsync-folder "), 1);
	/* and with nothing new none */
	faults_arm(FAULT_NONE, 0);
	assert_int_equal(commit(f), 0);
	assert_int_equal(count("write ") + count("fsync ") + count("renameat "), 0);
}

static void what_an_unauthenticated_server_sends_is_the_sessions_only(void **state)
{
	struct fixture *f = *state;
	struct timespec before;
	struct session *s;

	begin(f, CONF);
	whole_session(f, CLIENT_PW, SERVER_PW);
	before = stamp(f, "op");
	s = open_session(f);
	assert_string_equal(credential(s, ""), digest(USER_NAME, CLIENT_PW, bytes("the next one", 12)));
	challenge(s, "evil");
	assert_string_equal(credential(s, ""), digest(USER_NAME, CLIENT_PW, bytes("evil", 4)));
	assert_int_equal(session_accepted(s, "worse", 5, &complaint), 0);
	(void)server_nonce(s);
	assert_int_equal(session_commit(s, false, &complaint), 0);
	assert_refused(session_commit(s, true, &complaint), REFUSAL_REFUSED, "secrets");
	session_close(s);
	assert_unwritten(f, "op", before);
	s = open_session(f);
	assert_string_equal(credential(s, ""), digest(USER_NAME, CLIENT_PW, bytes("the next one", 12)));
	/* what it sent counts once it has proved who it is */
	challenge(s, "good");
	credential(s, "");
	assert_int_equal(answer(s, SERVER_PW, server_nonce(s)), 0);
	assert_int_equal(session_commit(s, false, &complaint), 0);
	assert_stored(f, "ClientNonce", bytes("good", 4), true);
}

static void a_credential_that_does_not_fit_ends_what_another_proved(void **state)
{
	struct fixture *f = *state;
	struct timespec before;
	struct session *s;

	begin(f, CONF);
	s = open_session(f);
	credential(s, "");
	assert_int_equal(answer(s, SERVER_PW, INITIAL_SERVER), 0);
	before = stamp(f, "op");
	assert_int_equal(session_accepted(s, "next", 4, &complaint), 0);
	assert_refused(answer(s, "wrong", INITIAL_SERVER), REFUSAL_WRONG_CREDENTIAL, "does not fit");
	assert_int_equal(session_commit(s, false, &complaint), 0);
	assert_unwritten(f, "op", before);
}

static void a_servers_credential_is_good_for_one_session(void **state)
{
	struct fixture *f = *state;
	struct bytes nonce;
	struct session *s;

	begin(f, CONF);
	whole_session(f, CLIENT_PW, SERVER_PW);
	nonce = stored_nonce(f, "ServerNonce");
	s = open_session(f);
	assert_int_equal(answer(s, SERVER_PW, nonce), 0);
	assert_int_equal(answer(s, SERVER_PW, nonce), 0);
	/* the line is cut before the commit, and who recorded it sends it again */
	session_close(s);
	s = open_session(f);
	assert_refused(answer(s, SERVER_PW, nonce), REFUSAL_WRONG_CREDENTIAL,
		       "a nonce that was used before");
	assert_int_equal(answer(s, SERVER_PW, server_nonce(s)), 0);
}

static void a_second_refusal_is_the_password_or_the_name(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	s = open_session(f);
	credential(s, "");
	challenge(s, "one");
	assert_string_equal(credential(s, ""), digest(USER_NAME, CLIENT_PW, bytes("one", 3)));
	assert_refused(session_challenged(s, MD5, "two", 3, &complaint), REFUSAL_REFUSED,
		       "UserName or ClientPW");
	/* a challenge before any credential is no refusal */
	session_close(s);
	s = open_session(f);
	challenge(s, "one");
	challenge(s, "two");
	assert_string_equal(credential(s, ""), digest(USER_NAME, CLIENT_PW, bytes("two", 3)));
}

static void nothing_weaker_than_the_account_prefers_is_given_or_taken(void **state)
{
	struct fixture *f = *state;
	const char *type;
	struct session *s;
	char *data;

	begin(f, CONF "AuthPref=HMAC\n");
	s = open_session(f);
	assert_refused(session_client_credential(s, MD5, NULL, 0, &type, &data, &complaint),
		       REFUSAL_DOWNGRADE, "weaker than syncml:auth-MAC");
	assert_refused(session_challenged(s, MD5, "n", 1, &complaint), REFUSAL_DOWNGRADE, "weaker");
	assert_refused(session_challenged(s, BASIC, "", 0, &complaint), REFUSAL_DOWNGRADE, "weaker");
	assert_refused(answer(s, SERVER_PW, INITIAL_SERVER), REFUSAL_DOWNGRADE, "weaker");
	assert_refused(session_client_credential(s, "ROT13", NULL, 0, &type, &data, &complaint),
		       REFUSAL_BAD_VALUE, "syncml:auth-basic");
	/* none of this has used anything up */
	assert_nonces(f, "op", "initial");
	assert_string_equal(credential(s, ""), mac_header(USER_NAME, CLIENT_PW, INITIAL_CLIENT));
}

static void without_a_preference_md5_is_the_least_and_mac_can_be_asked_for(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	s = open_session(f);
	assert_refused(session_challenged(s, BASIC, "", 0, &complaint), REFUSAL_DOWNGRADE,
		       "weaker than syncml:auth-md5");
	assert_int_equal(session_challenged(s, MAC, "n", 1, &complaint), 0);
	assert_string_equal(credential(s, ""), mac_header(USER_NAME, CLIENT_PW, bytes("n", 1)));
}

static void basic_needs_the_templates_word_and_tls(void **state)
{
	struct fixture *f = *state;
	const char *type;
	struct session *s;
	char *data;

	begin(f, CONF "AuthPref=BASIC\n");
	s = open_session(f);
	assert_refused(session_client_credential(s, BASIC, NULL, 0, &type, &data, &complaint),
		       REFUSAL_DOWNGRADE, "needs TLS");
	assert_string_equal(credential(s, ""), digest(USER_NAME, CLIENT_PW, INITIAL_CLIENT));
	session_close(s);
	assert_int_equal(session_open(&f->agent, "op", ":1.5", true, &s, &complaint), 0);
	assert_int_equal(session_client_credential(s, "", NULL, 0, &type, &data, &complaint), 0);
	assert_string_equal(type, BASIC);
	free(data);
	assert_int_equal(dmacc_auth_basic(SERVER_ID, SERVER_PW, &data), 0);
	assert_int_equal(session_verify_server(s, BASIC, data, NULL, 0, &complaint), 0);
	free(data);
	assert_refused(session_verify_server(s, BASIC, "QnJ1Y2UyOk9oQmVoYXZl", NULL, 0, &complaint),
		       REFUSAL_WRONG_CREDENTIAL, "ServerID or ServerPW");
	assert_refused(session_challenged(s, BASIC, "", 0, &complaint), REFUSAL_REFUSED,
		       "UserName or ClientPW");
}

static int answer_mac(struct session *s, struct bytes nonce)
{
	return session_verify_server(s, MAC, mac_header(SERVER_ID, SERVER_PW, nonce), BODY,
				     strlen(BODY), &complaint);
}

static void auth_mac_takes_a_new_nonce_for_each_message(void **state)
{
	struct fixture *f = *state;
	struct bytes nonce = INITIAL_SERVER;
	struct session *s;
	char next[2] = "a";
	int i;

	begin(f, CONF "AuthPref=HMAC\n");
	s = open_session(f);
	assert_string_equal(credential(s, ""), mac_header(USER_NAME, CLIENT_PW, INITIAL_CLIENT));
	for (i = 0; i < 3; i++, next[0]++) {
		assert_int_equal(answer_mac(s, nonce), 0);
		assert_int_equal(session_accepted(s, next, 1, &complaint), 0);
		nonce = server_nonce(s);
		assert_int_equal(session_commit(s, false, &complaint), 0);
		assert_stored(f, "ClientNonce", bytes(next, 1), true);
		assert_stored(f, "ServerNonce", nonce, true);
		assert_string_equal(credential(s, ""), mac_header(USER_NAME, CLIENT_PW, bytes(next, 1)));
	}
	/* a changed body does not fit */
	assert_refused(session_verify_server(s, MAC, mac_header(SERVER_ID, SERVER_PW, nonce),
					     "<Exec/>", 7, &complaint),
		       REFUSAL_WRONG_CREDENTIAL, "does not fit");
	assert_refused(session_verify_server(s, MAC, "algorithm=SHA, mac=x", BODY, 1, &complaint),
		       REFUSAL_WRONG_CREDENTIAL, "another algorithm");
	assert_refused(session_verify_server(s, MAC, "no header", BODY, 1, &complaint),
		       REFUSAL_WRONG_CREDENTIAL, "cannot be read");
	assert_int_equal(answer_mac(s, nonce), 0);
}

static const char *said(struct session *s, const char *name, const char *password,
			struct bytes nonce)
{
	static char sentence[sizeof(complaint.sentence)];
	int r;

	r = session_verify_server(s, MD5, digest(name, password, nonce), NULL, 0, &complaint);
	assert_int_equal(r, -EPERM);
	snprintf(sentence, sizeof(sentence), "%s", complaint.sentence);
	assert_refused(r, REFUSAL_WRONG_CREDENTIAL, "does not fit account op");
	return sentence;
}

static void a_credential_that_does_not_fit_is_told_what_it_would_fit(void **state)
{
	struct fixture *f = *state;
	struct bytes text, nonce = INITIAL_SERVER;
	struct session *s;

	begin(f, CONF);
	s = open_session(f);
	credential(s, "");
	text.len = (size_t)EVP_EncodeBlock(text.of, nonce.of, (int)nonce.len);
	assert_non_null(strstr(said(s, SERVER_ID, SERVER_PW, text),
			       "made with the base64 text of the nonce"));
	assert_non_null(strstr(said(s, SERVER_ID, SERVER_PW, bytes("\0\0\0\0", 4)),
			       "the resync nonce of four zero bytes"));
	assert_non_null(strstr(said(s, SERVER_ID, SERVER_PW, bytes("0x00000000", 10)),
			       "the text 0x00000000"));
	assert_non_null(strstr(said(s, SERVER_ID, SERVER_PW, INITIAL_CLIENT), "the client's nonce"));
	assert_non_null(strstr(said(s, SERVER_ID, SERVER_PW_GENERATION_1, nonce),
			       "the ServerPW of generation 1"));
	assert_non_null(strstr(said(s, SERVER_ID, CLIENT_PW, nonce), "ClientPW in place of ServerPW"));
	assert_non_null(strstr(said(s, "https://dm.example.com/dm", SERVER_PW, nonce),
			       "Addr in place of ServerID"));
	assert_non_null(strstr(said(s, USER_NAME, SERVER_PW, nonce), "UserName in place of ServerID"));
	assert_non_null(strstr(said(s, "https://dm.example.com/dm", SERVER_PW_GENERATION_1, text),
			       "the ServerPW of generation 1, with Addr in place of ServerID, with "
			       "the base64 text of the nonce"));
	assert_non_null(strstr(said(s, SERVER_ID, "nobody's", nonce), "challenge it"));
	assert_refused(session_verify_server(s, MD5, "short", NULL, 0, &complaint),
		       REFUSAL_WRONG_CREDENTIAL, "24 characters");
}

static void an_account_that_was_derived_from_its_addr_is_told_of_the_other_way(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, "[Account]\nSlot=vendor\nElement=addr\n[DMAcc]\nAddr=https://dm.example.com/dm\n"
	      "ServerID=com.example.dm\n");
	s = open_session(f);
	credential(s, "");
	assert_non_null(strstr(said(s, SERVER_ID, SERVER_PW, stored_nonce(f, "ServerNonce")),
			       "challenge it"));
	assert_non_null(strstr(said(s, SERVER_ID, SERVER_PW, bytes("\0\0\0\0", 4)),
			       "derived from ServerID in place of Addr"));
}

static void an_account_has_one_session_until_its_owner_leaves(void **state)
{
	struct fixture *f = *state;
	struct session *s, *other;

	write_file(f->usr, "zz.conf", ACCOUNT "ServerID=zz\n");
	begin(f, CONF);
	s = open_session(f);
	assert_string_equal(session_account(s), "op");
	assert_string_equal(session_owner(s), ":1.5");
	assert_refused(session_open(&f->agent, "op", ":1.6", false, &other, &complaint), REFUSAL_BUSY,
		       ":1.5 has a session");
	assert_int_equal(session_open(&f->agent, "zz", ":1.6", false, &other, &complaint), 0);
	assert_ptr_equal(session_find(&f->agent, "op"), s);
	session_owner_left(&f->agent, ":1.5");
	assert_null(session_find(&f->agent, "op"));
	assert_ptr_equal(session_find(&f->agent, "zz"), other);
	(void)open_session(f);
	assert_refused(session_open(&f->agent, "none", ":1.6", false, &other, &complaint),
		       REFUSAL_NOT_READY, "no account");
}

static void an_account_that_is_not_ready_has_none_and_one_that_ceases_to_be_ends(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	s = open_session(f);
	kernel_double.no_store_key = true;
	assert_refused(first_credential(f), REFUSAL_NOT_READY, "cannot be read now");
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	assert_refused(first_credential(f), REFUSAL_NOT_READY, "no-store-key");
	session_close(s);
	assert_refused(session_open(&f->agent, "op", ":1.5", false, &s, &complaint),
		       REFUSAL_NOT_READY, "no-store-key");
	kernel_double_reset();
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	s = open_session(f);
	assert_string_equal(credential(s, ""), digest(USER_NAME, CLIENT_PW, INITIAL_CLIENT));
	/* its template goes while it lasts */
	remove_file(f->usr, "op.conf");
	assert_int_equal(agent_refresh(&f->agent, true), 0);
	assert_refused(first_credential(f), REFUSAL_NOT_READY, "withdrawn");
}

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

static void assert_in_tree(struct session *s, const char *uri, struct bytes wanted)
{
	const struct dmacc_tree_node *node;
	struct dmacc_tree *tree;
	size_t i;

	assert_int_equal(session_secret_tree(s, DMACC_LAYOUT_1_2, &tree, &complaint), 0);
	for (i = 0; (node = dmacc_tree_node(tree, i)); i++)
		if (!strcmp(node->uri, uri))
			break;
	assert_non_null(node);
	assert_int_equal(node->len, wanted.len);
	assert_memory_equal(node->value, wanted.of, wanted.len);
	dmacc_tree_free(tree);
}

static void a_client_that_computes_itself_has_the_sessions_nonces_and_sets_them(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	s = open_session(f);
	assert_refused(session_set_nonces(s, "c", 1, "s", 1, &complaint), REFUSAL_REFUSED, "secrets");
	assert_in_tree(s, "./DMAcc/op/AppAuth/CLCRED/AAuthData", INITIAL_CLIENT);
	assert_nonces(f, "op", "burnt");
	assert_in_tree(s, "./DMAcc/op/AppAuth/SRVCRED/AAuthData", INITIAL_SERVER);
	assert_in_tree(s, "./DMAcc/op/AppAuth/CLCRED/AAuthSecret", bytes(CLIENT_PW, 32));
	assert_int_equal(session_set_nonces(s, "client\0n", 8, NULL, 0, &complaint), 0);
	assert_int_equal(session_commit(s, false, &complaint), 0);
	assert_nonces(f, "op", "burnt");
	assert_int_equal(session_set_nonces(s, NULL, 0, "sixteen raw byte", 16, &complaint), 0);
	assert_int_equal(session_commit(s, true, &complaint), 0);
	start(f);
	assert_nonces(f, "op", "session");
	assert_stored(f, "ClientNonce", bytes("client\0n", 8), true);
	assert_stored(f, "ServerNonce", bytes("sixteen raw byte", 16), true);
}

static void nothing_is_accepted_that_was_not_given_and_no_nonce_is_too_long(void **state)
{
	struct fixture *f = *state;
	char longest[300] = "";
	struct session *s;

	begin(f, CONF);
	s = open_session(f);
	assert_refused(session_accepted(s, NULL, 0, &complaint), REFUSAL_REFUSED, "no credential");
	credential(s, "");
	assert_refused(session_accepted(s, longest, 256, &complaint), REFUSAL_BAD_VALUE, "255 bytes");
	assert_false(session_client_accepted(s));
	assert_refused(session_challenged(s, MD5, longest, 256, &complaint), REFUSAL_BAD_VALUE,
		       "255 bytes");
	assert_int_equal(session_accepted(s, longest, 255, &complaint), 0);
	assert_true(session_client_accepted(s));
}

static void damage_and_a_fallback_burn_what_a_session_came_to(void **state)
{
	struct fixture *f = *state;
	struct session *s;
	struct bytes nonce;

	begin(f, CONF);
	whole_session(f, CLIENT_PW, SERVER_PW);
	nonce = stored_nonce(f, "ServerNonce");
	flip(f, "op", 120);
	start(f);
	assert_nonces(f, "op", "burnt");
	s = open_session(f);
	assert_string_not_equal(credential(s, ""), digest(USER_NAME, CLIENT_PW, INITIAL_CLIENT));
	assert_refused(answer(s, SERVER_PW, nonce), REFUSAL_WRONG_CREDENTIAL, "does not fit");
	session_close(s);
	whole_session(f, CLIENT_PW, SERVER_PW);
	assert_nonces(f, "op", "session");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_session_needs_no_challenge),
		TEST(initial_nonces_are_marked_as_used_before_a_credential_leaves),
		TEST(a_templates_nonces_are_used_once_too),
		TEST(no_credential_leaves_before_that_is_on_the_disk),
		TEST(what_a_commit_acknowledged_is_there_whatever_ends_it),
		TEST(a_commit_that_failed_can_be_repeated),
		TEST(a_commit_is_one_write),
		TEST(what_an_unauthenticated_server_sends_is_the_sessions_only),
		TEST(a_credential_that_does_not_fit_ends_what_another_proved),
		TEST(a_servers_credential_is_good_for_one_session),
		TEST(a_second_refusal_is_the_password_or_the_name),
		TEST(nothing_weaker_than_the_account_prefers_is_given_or_taken),
		TEST(without_a_preference_md5_is_the_least_and_mac_can_be_asked_for),
		TEST(basic_needs_the_templates_word_and_tls),
		TEST(auth_mac_takes_a_new_nonce_for_each_message),
		TEST(a_credential_that_does_not_fit_is_told_what_it_would_fit),
		TEST(an_account_that_was_derived_from_its_addr_is_told_of_the_other_way),
		TEST(an_account_has_one_session_until_its_owner_leaves),
		TEST(an_account_that_is_not_ready_has_none_and_one_that_ceases_to_be_ends),
		TEST(a_notification_is_verified_and_only_a_good_one_uses_a_nonce_up),
		TEST(the_resync_nonce_is_refused_unless_the_template_allows_it),
		TEST(a_client_that_computes_itself_has_the_sessions_nonces_and_sets_them),
		TEST(nothing_is_accepted_that_was_not_given_and_no_nonce_is_too_long),
		TEST(damage_and_a_fallback_burn_what_a_session_came_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
