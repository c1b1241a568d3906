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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_session_needs_no_challenge),
		TEST(what_a_commit_acknowledged_is_there_whatever_ends_it),
		TEST(a_commit_that_failed_can_be_repeated),
		TEST(a_commit_is_one_write),
		TEST(a_credential_that_does_not_fit_ends_what_another_proved),
		TEST(a_second_refusal_is_the_password_or_the_name),
		TEST(nothing_weaker_than_the_account_prefers_is_given_or_taken),
		TEST(without_a_preference_md5_is_the_least_and_mac_can_be_asked_for),
		TEST(basic_needs_the_templates_word_and_tls),
		TEST(a_credential_that_does_not_fit_is_told_what_it_would_fit),
		TEST(an_account_that_was_derived_from_its_addr_is_told_of_the_other_way),
		TEST(an_account_has_one_session_until_its_owner_leaves),
		TEST(an_account_that_is_not_ready_has_none_and_one_that_ceases_to_be_ends),
		TEST(nothing_is_accepted_that_was_not_given_and_no_nonce_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
