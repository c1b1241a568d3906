// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which nonces serve, how often, and which the next session has */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "session_fixture.h"

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

static void assert_spent(struct session *s, struct bytes nonce)
{
	assert_refused(answer(s, SERVER_PW, nonce), REFUSAL_WRONG_CREDENTIAL,
		       "a nonce that was used before");
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
	assert_spent(s, nonce);
	assert_int_equal(answer(s, SERVER_PW, server_nonce(s)), 0);
}

static void a_servers_credential_is_good_for_one_session_whatever_ended_the_agent(void **state)
{
	struct fixture *f = *state;
	struct bytes nonce;
	struct session *s;

	begin(f, CONF);
	whole_session(f, CLIENT_PW, SERVER_PW);
	nonce = stored_nonce(f, "ServerNonce");
	s = open_session(f);
	assert_int_equal(answer(s, SERVER_PW, nonce), 0);
	start(f);
	s = open_session(f);
	assert_spent(s, nonce);
	/* the device's own goes on, and a server that answers a challenge may speak twice */
	assert_string_equal(credential(s, ""), digest(USER_NAME, CLIENT_PW, bytes("the next one", 12)));
	nonce = server_nonce(s);
	assert_int_equal(answer(s, SERVER_PW, nonce), 0);
	assert_int_equal(answer(s, SERVER_PW, nonce), 0);
	assert_int_equal(session_commit(s, false, &complaint), 0);
	/* it was committed after it had been used */
	start(f);
	s = open_session(f);
	assert_spent(s, nonce);
}

static void a_nonce_of_the_session_does_not_make_the_stored_one_new_again(void **state)
{
	struct fixture *f = *state;
	struct bytes nonce;
	struct session *s;

	begin(f, CONF);
	whole_session(f, CLIENT_PW, SERVER_PW);
	nonce = stored_nonce(f, "ServerNonce");
	s = open_session(f);
	assert_int_equal(answer(s, SERVER_PW, nonce), 0);
	assert_int_equal(answer(s, SERVER_PW, server_nonce(s)), 0);
	session_close(s);
	assert_spent(open_session(f), nonce);
}

static void session_to_acceptance(struct fixture *f)
{
	struct session *s;

	new_account(f);
	session_close(session_find(&f->agent, "op"));
	whole_session(f, CLIENT_PW, SERVER_PW);
	s = open_session(f);
	credential(s, "");
}

static int accept_server(struct fixture *f)
{
	struct session *s = session_find(&f->agent, "op");
	int r = answer(s, SERVER_PW, stored_nonce(f, "ServerNonce"));

	assert_int_equal(!r, session_server_authenticated(s));
	return r;
}

static void check_accepted(struct fixture *f, bool done)
{
	struct session *s = open_session(f);
	int r;

	assert_state(f, "op", "ready", "");
	if (done)
		assert_spent(s, stored_nonce(f, "ServerNonce"));
	else
		assert_true(!answer(s, SERVER_PW, stored_nonce(f, "ServerNonce")) ||
			    complaint.kind == REFUSAL_WRONG_CREDENTIAL);
	r = answer(s, SERVER_PW, server_nonce(s));
	assert_int_equal(r, 0);
	session_close(s);
}

static void no_server_is_accepted_before_its_nonce_is_marked_on_the_disk(void **state)
{
	with_each_fault(*state, session_to_acceptance, accept_server, check_accepted);
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
	/* each served once, the last of an agent that died, too */
	start(f);
	s = open_session(f);
	assert_refused(answer_mac(s, nonce), REFUSAL_WRONG_CREDENTIAL, "a nonce that was used before");
	assert_refused(answer_mac(s, INITIAL_SERVER), REFUSAL_WRONG_CREDENTIAL, "does not fit");
	assert_string_equal(credential(s, ""), mac_header(USER_NAME, CLIENT_PW, bytes("c", 1)));
	assert_int_equal(answer_mac(s, server_nonce(s)), 0);
}

static struct bytes in_tree(struct session *s, const char *uri)
{
	const struct dmacc_tree_node *node;
	struct dmacc_tree *tree;
	struct bytes b;
	size_t i;

	assert_int_equal(session_secret_tree(s, DMACC_LAYOUT_1_2, &tree, &complaint), 0);
	for (i = 0; (node = dmacc_tree_node(tree, i)); i++)
		if (!strcmp(node->uri, uri))
			break;
	assert_non_null(node);
	b = bytes(node->value, node->len);
	dmacc_tree_free(tree);
	return b;
}

static void assert_in_tree(struct session *s, const char *uri, struct bytes wanted)
{
	struct bytes found = in_tree(s, uri);

	assert_int_equal(found.len, wanted.len);
	assert_memory_equal(found.of, wanted.of, wanted.len);
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

static void such_a_client_gets_no_nonce_over_which_a_server_was_accepted(void **state)
{
	static const char uri[] = "./DMAcc/op/AppAuth/SRVCRED/AAuthData";
	struct fixture *f = *state;
	struct bytes nonce, other;
	struct session *s;

	begin(f, CONF);
	whole_session(f, CLIENT_PW, SERVER_PW);
	nonce = stored_nonce(f, "ServerNonce");
	s = open_session(f);
	assert_in_tree(s, uri, nonce);
	/* it says that it was the server, and has no new nonce for it */
	assert_int_equal(session_commit(s, true, &complaint), 0);
	start(f);
	s = open_session(f);
	other = in_tree(s, uri);
	assert_int_equal(other.len, 16);
	assert_memory_not_equal(other.of, nonce.of, 16);
	/* a new one it gets back, however often it commits */
	assert_int_equal(session_set_nonces(s, NULL, 0, "sixteen raw byte", 16, &complaint), 0);
	assert_int_equal(session_commit(s, true, &complaint), 0);
	assert_int_equal(session_commit(s, true, &complaint), 0);
	start(f);
	assert_in_tree(open_session(f), uri, bytes("sixteen raw byte", 16));
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
		TEST(initial_nonces_are_marked_as_used_before_a_credential_leaves),
		TEST(a_templates_nonces_are_used_once_too),
		TEST(no_credential_leaves_before_that_is_on_the_disk),
		TEST(what_an_unauthenticated_server_sends_is_the_sessions_only),
		TEST(a_servers_credential_is_good_for_one_session),
		TEST(a_servers_credential_is_good_for_one_session_whatever_ended_the_agent),
		TEST(a_nonce_of_the_session_does_not_make_the_stored_one_new_again),
		TEST(no_server_is_accepted_before_its_nonce_is_marked_on_the_disk),
		TEST(auth_mac_takes_a_new_nonce_for_each_message),
		TEST(a_client_that_computes_itself_has_the_sessions_nonces_and_sets_them),
		TEST(such_a_client_gets_no_nonce_over_which_a_server_was_accepted),
		TEST(damage_and_a_fallback_burn_what_a_session_came_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
