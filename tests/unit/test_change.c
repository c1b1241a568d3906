// SPDX-License-Identifier: LGPL-2.1-or-later
/* Values that the server or the device's owner replaced, and the way back */
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

#define CLIENT_SECRET "./DMAcc/op/AppAuth/CLCRED/AAuthSecret"
#define SERVER_SECRET "./DMAcc/op/AppAuth/SRVCRED/AAuthSecret"
#define CLIENT_NAME "./DMAcc/op/AppAuth/CLCRED/AAuthName"
#define GENERATION "./DMAcc/op/Ext/dmacc/Generation"
#define NEW_CLIENT_PW "the server's word for the client"
#define NEW_SERVER_PW "the server's word for itself"

static char *const all[] = { NULL };

/* A session in which both sides are authenticated, challenged first */
static struct session *proven_session(struct fixture *f, const char *client_pw,
				      const char *server_pw)
{
	struct session *s = open_session(f);

	challenge(s, "of this session");
	assert_string_equal(credential(s, MD5),
			    digest(USER_NAME, client_pw, bytes("of this session", 15)));
	if (answer(s, server_pw, server_nonce(s)))
		fail_msg("%s", complaint.sentence);
	assert_int_equal(session_accepted(s, "next", 4, &complaint), 0);
	return s;
}

static int replace(struct session *s, const char *uri, const char *text)
{
	return session_replace(s, uri, "", text, strlen(text), &complaint);
}

static void good(int r)
{
	if (r)
		fail_msg("%d: %s", r, complaint.sentence);
}

static void end(struct session *s)
{
	good(session_commit(s, false, &complaint));
	session_close(s);
}

static const struct origin *origin(struct fixture *f, const char *node)
{
	const struct account *a = account(f, "op");
	size_t i;

	for (i = 0; i < a->origins_count; i++)
		if (!strcmp(a->origins[i].node, node))
			return &a->origins[i];
	fail_msg("no origin of %s", node);
	return NULL;
}

static void assert_origin(struct fixture *f, const char *node, const char *source, const char *note)
{
	assert_string_equal(origin(f, node)->source, source);
	assert_string_equal(origin(f, node)->note, note);
}

static bool has_previous(struct fixture *f)
{
	return stored_has(f, RECORD_PREVIOUS, "ServerPW") ||
	       stored_has(f, RECORD_PREVIOUS, "ClientPW") ||
	       stored_has(f, RECORD_PREVIOUS, "UserName") ||
	       stored_has(f, RECORD_PREVIOUS, "Generation");
}

/* The server replaces both passwords in a session of its own */
static void replace_passwords(struct fixture *f)
{
	struct session *s = proven_session(f, CLIENT_PW, SERVER_PW);

	good(replace(s, CLIENT_SECRET, NEW_CLIENT_PW));
	good(replace(s, SERVER_SECRET, NEW_SERVER_PW));
	end(s);
}

static void new_passwords_serve_from_the_next_session_on(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	s = proven_session(f, CLIENT_PW, SERVER_PW);
	good(replace(s, CLIENT_SECRET, NEW_CLIENT_PW));
	good(replace(s, SERVER_SECRET, NEW_SERVER_PW));
	/* the old ones for the rest of this one */
	good(answer(s, SERVER_PW, server_nonce(s)));
	assert_refused(answer(s, NEW_SERVER_PW, server_nonce(s)), REFUSAL_WRONG_CREDENTIAL,
		       "the ServerPW that is for the next session");
	good(answer(s, SERVER_PW, server_nonce(s)));
	assert_string_equal(credential(s, MD5), digest(USER_NAME, CLIENT_PW, bytes("next", 4)));
	end(s);
	assert_origin(f, "ServerPW", "server", "unproven");
	assert_origin(f, "ClientPW", "server", "unproven");
	assert_origin(f, "UserName", "derived", "");
	assert_true(has_previous(f));
	start(f);
	assert_value(f, "op", "ServerPW", NEW_SERVER_PW);
	end(proven_session(f, NEW_CLIENT_PW, NEW_SERVER_PW));
	assert_origin(f, "ServerPW", "server", "");
	assert_origin(f, "ClientPW", "server", "");
	assert_false(has_previous(f));
	/* and the old one is good for nothing any more */
	s = open_session(f);
	assert_refused(answer(s, SERVER_PW, server_nonce(s)), REFUSAL_WRONG_CREDENTIAL,
		       "the ServerPW of generation 0");
}

static void until_they_have_worked_the_old_ones_are_tried_after_the_new_ones(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	replace_passwords(f);
	start(f);
	s = open_session(f);
	credential(s, MD5);
	challenge(s, "one");
	assert_string_equal(credential(s, ""), digest(USER_NAME, NEW_CLIENT_PW, bytes("one", 3)));
	challenge(s, "two");
	assert_string_equal(credential(s, ""), digest(USER_NAME, CLIENT_PW, bytes("two", 3)));
	good(answer(s, SERVER_PW, server_nonce(s)));
	assert_int_equal(session_accepted(s, "next", 4, &complaint), 0);
	end(s);
	/* that proves the old ones: the new ones are still to come */
	assert_origin(f, "ServerPW", "server", "unproven");
	assert_origin(f, "ClientPW", "server", "unproven");
	s = open_session(f);
	assert_string_equal(credential(s, ""), digest(USER_NAME, NEW_CLIENT_PW, bytes("next", 4)));
	challenge(s, "one");
	credential(s, "");
	challenge(s, "two");
	credential(s, "");
	assert_refused(session_challenged(s, MD5, "three", 5, &complaint), REFUSAL_REFUSED,
		       "and those that it replaced, too");
	session_close(s);
	end(proven_session(f, NEW_CLIENT_PW, NEW_SERVER_PW));
	assert_false(has_previous(f));
}

static void each_direction_is_proven_by_itself(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	replace_passwords(f);
	/* the server with the new one; of the client nothing is heard */
	s = open_session(f);
	good(answer(s, NEW_SERVER_PW, server_nonce(s)));
	end(s);
	assert_origin(f, "ServerPW", "server", "");
	assert_origin(f, "ClientPW", "server", "unproven");
	/* that it was accepted says nothing while the server is not the server */
	s = open_session(f);
	challenge(s, "n");
	credential(s, MD5);
	assert_int_equal(session_accepted(s, NULL, 0, &complaint), 0);
	assert_refused(answer(s, SERVER_PW, server_nonce(s)), REFUSAL_WRONG_CREDENTIAL, "");
	end(s);
	assert_origin(f, "ClientPW", "server", "unproven");
	end(proven_session(f, NEW_CLIENT_PW, NEW_SERVER_PW));
	assert_origin(f, "ClientPW", "server", "");
}

static void what_has_worked_is_what_is_kept(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	replace_passwords(f);
	/* in the session that proves the new ones they are replaced again, and once more */
	s = proven_session(f, NEW_CLIENT_PW, NEW_SERVER_PW);
	good(replace(s, SERVER_SECRET, "third"));
	good(replace(s, SERVER_SECRET, "fourth"));
	end(s);
	s = open_session(f);
	assert_refused(answer(s, SERVER_PW, server_nonce(s)), REFUSAL_WRONG_CREDENTIAL, "");
	assert_refused(answer(s, "third", server_nonce(s)), REFUSAL_WRONG_CREDENTIAL, "");
	good(answer(s, NEW_SERVER_PW, server_nonce(s)));
	good(answer(s, "fourth", server_nonce(s)));
	/* in one that the old one proved, the old one stays */
	session_close(s);
	s = open_session(f);
	good(answer(s, NEW_SERVER_PW, server_nonce(s)));
	good(replace(s, SERVER_SECRET, "fifth"));
	end(s);
	s = open_session(f);
	assert_refused(answer(s, "fourth", server_nonce(s)), REFUSAL_WRONG_CREDENTIAL, "");
	good(answer(s, NEW_SERVER_PW, server_nonce(s)));
	good(answer(s, "fifth", server_nonce(s)));
}

static void a_replaced_user_name_goes_with_its_password(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	s = proven_session(f, CLIENT_PW, SERVER_PW);
	good(replace(s, CLIENT_NAME, "newname"));
	good(replace(s, CLIENT_SECRET, NEW_CLIENT_PW));
	assert_refused(replace(s, "./SyncML/DMAcc/op/UserName", "other"), REFUSAL_NOT_PERMITTED, "");
	end(s);
	assert_origin(f, "UserName", "server", "unproven");
	s = open_session(f);
	challenge(s, "one");
	assert_string_equal(credential(s, MD5), digest("newname", NEW_CLIENT_PW, bytes("one", 3)));
	challenge(s, "two");
	assert_string_equal(credential(s, MD5), digest(USER_NAME, CLIENT_PW, bytes("two", 3)));
}

static void nobody_but_an_authenticated_server_replaces_anything(void **state)
{
	struct fixture *f = *state;
	struct timespec before;
	struct session *s;

	begin(f, CONF "AuthPref=HMAC\n");
	s = open_session(f);
	before = stamp(f, "op");
	assert_refused(replace(s, SERVER_SECRET, "x"), REFUSAL_NOT_AUTHENTICATED, "not proved");
	assert_refused(replace(s, "./DMAcc/op/AAuthPref", "DIGEST"), REFUSAL_NOT_AUTHENTICATED, "");
	assert_refused(replace(s, GENERATION, "1"), REFUSAL_NOT_AUTHENTICATED, "");
	assert_refused(replace(s, "./DMAcc/op/Ext/Thing", "1"), REFUSAL_NOT_AUTHENTICATED, "");
	assert_unwritten(f, "op", before);
}

static void values_are_replaced_by_the_uris_of_both_layouts(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF "AddrType=URI\n");
	s = proven_session(f, CLIENT_PW, SERVER_PW);
	good(replace(s, "./DMAcc/op/AppAddr/1/Addr", "https://moved.example/"));
	good(replace(s, "./DMAcc/op/AppAddr/1/Port/1/PortNbr", "8443"));
	good(replace(s, "./SyncML/DMAcc/op/ConRef", "internet"));
	good(replace(s, "./DMAcc/op/AAuthPref", "HMAC"));
	good(session_replace(s, "./SyncML/DMAcc/op/AddrType", "chr", "1", 1, &complaint));
	good(session_replace(s, "./SyncML/DMAcc/op/Name", "chr", "New", 3, &complaint));
	assert_value(f, "op", "Addr", "https://moved.example/");
	assert_value(f, "op", "PortNbr", "8443");
	assert_value(f, "op", "ConRef", "internet");
	assert_value(f, "op", "AuthPref", "syncml:auth-MAC");
	assert_value(f, "op", "Name", "New");
	assert_origin(f, "Addr", "server", "");
	assert_origin(f, "AddrType", "template", "");
	/* over every start and what the template says later */
	begin(f, CONF "Name=Template\nConRef=other\n");
	assert_value(f, "op", "Name", "New");
	assert_value(f, "op", "ConRef", "internet");
}

static void what_cannot_be_replaced_is_refused_by_name(void **state)
{
	static const char *const fixed[] = {
		"./DMAcc/op", "./DMAcc/op/AppID", "./DMAcc/op/ServerID", "./DMAcc/op/AppAuth",
		"./DMAcc/op/AppAuth/CLCRED/AAuthLevel", "./DMAcc/op/AppAuth/CLCRED/AAuthType",
		"./DMAcc/op/AppAuth/SRVCRED/AAuthName", "./SyncML/DMAcc/op/ServerId",
		"./DMAcc/op/Ext", "./DMAcc/op/AppAddr/1/Port/1",
	};
	static const char *const none[] = {
		"", ".", "./DMAcc", "./DMAcc/", "./DMAcc/other/Addr", "./DMAcc/op/", "./DMAcc/op/addr",
		"./DMAcc/op/AppAddr/2/Addr", "./SyncML/DMAcc/op/Ext/x", "./SyncML/DMAcc/op/ServerID",
		"./DMAcc/op/Ext/", "./DMAcc/op/Ext//x", "./DMAcc/op/Ext/../x", "./DMAcc/opx",
		"/DMAcc/op/Name", "./DMAcc/op/Name/x", "./DMAcc/op/Name?list=Struct",
	};
	struct fixture *f = *state;
	struct timespec before;
	struct session *s;
	size_t i;

	begin(f, CONF);
	s = proven_session(f, CLIENT_PW, SERVER_PW);
	before = stamp(f, "op");
	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		assert_refused(replace(s, fixed[i], "x"), REFUSAL_NOT_PERMITTED, "cannot be replaced");
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_refused(replace(s, none[i], "x"), REFUSAL_NO_SUCH_NODE, "no such node");
	assert_refused(replace(s, "./DMAcc/op/AppAddr/1/Port/1/PortNbr", "65536"),
		       REFUSAL_BAD_VALUE, "PortNbr cannot be that");
	assert_refused(replace(s, SERVER_SECRET, ""), REFUSAL_BAD_VALUE, "it is empty");
	assert_refused(session_replace(s, SERVER_SECRET, "chr", "a\0b", 3, &complaint),
		       REFUSAL_BAD_VALUE, "zero byte");
	assert_refused(session_replace(s, SERVER_SECRET, "bin", "a", 1, &complaint),
		       REFUSAL_BAD_VALUE, "another format");
	assert_refused(replace(s, "./SyncML/DMAcc/op/AddrType", "2"), REFUSAL_BAD_VALUE, "1, HTTP");
	assert_unwritten(f, "op", before);
	/* nor is anything written for what is so already */
	good(replace(s, SERVER_SECRET, SERVER_PW));
	good(replace(s, "./DMAcc/op/AppAddr/1/Addr", "https://dm.example.com/dm"));
	assert_unwritten(f, "op", before);
}

static void not_even_the_server_brings_basic_where_the_template_has_not(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF "AuthPref=DIGEST\n");
	s = proven_session(f, CLIENT_PW, SERVER_PW);
	assert_refused(replace(s, "./DMAcc/op/AAuthPref", "BASIC"), REFUSAL_DOWNGRADE, "template");
	good(replace(s, "./DMAcc/op/AAuthPref", "HMAC"));
	/* an authenticated server may go back to what the template has */
	good(replace(s, "./DMAcc/op/AAuthPref", "DIGEST"));
	good(replace(s, "./DMAcc/op/AAuthPref", ""));
	end(s);
	assert_refused(change_replace(&f->agent, "op", "./DMAcc/op/AAuthPref", "", "BASIC", 5,
				      &complaint), REFUSAL_DOWNGRADE, "template");
}

static void nonces_that_the_server_replaces_are_the_next_ones(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	s = proven_session(f, CLIENT_PW, SERVER_PW);
	good(session_replace(s, "./DMAcc/op/AppAuth/CLCRED/AAuthData", "bin", "c\0n", 3, &complaint));
	good(session_replace(s, "./SyncML/DMAcc/op/ServerNonce", "bin", "sn", 2, &complaint));
	assert_int_equal(stored_nonce(f, "ClientNonce").len, 3);
	end(s);
	start(f);
	s = open_session(f);
	assert_string_equal(credential(s, MD5), digest(USER_NAME, CLIENT_PW, bytes("c\0n", 3)));
	good(answer(s, SERVER_PW, bytes("sn", 2)));
}

static void a_higher_generation_derives_anew_and_the_session_goes_on(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	s = proven_session(f, CLIENT_PW, SERVER_PW);
	good(session_replace(s, GENERATION, "int", "1", 1, &complaint));
	assert_int_equal(account(f, "op")->generation, 1);
	good(answer(s, SERVER_PW, server_nonce(s)));
	assert_string_equal(credential(s, MD5), digest(USER_NAME, CLIENT_PW, bytes("next", 4)));
	end(s);
	assert_origin(f, "Generation", "server", "unproven");
	assert_origin(f, "ServerPW", "derived", "unproven");
	/* a start with the same template does not pull it back; the nonces go on */
	start(f);
	assert_state(f, "op", "ready", "");
	assert_nonces(f, "op", "session");
	s = open_session(f);
	assert_string_equal(credential(s, MD5),
			    digest(USER_NAME, CLIENT_PW_GENERATION_1, bytes("next", 4)));
	session_close(s);
	end(proven_session(f, CLIENT_PW_GENERATION_1, SERVER_PW_GENERATION_1));
	assert_origin(f, "Generation", "server", "");
	assert_false(has_previous(f));
	start(f);
	assert_int_equal(account(f, "op")->generation, 1);
	assert_value(f, "op", "ServerPW", SERVER_PW_GENERATION_1);
}

static void from_a_higher_generation_no_refusal_leads_back(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	s = proven_session(f, CLIENT_PW, SERVER_PW);
	good(replace(s, GENERATION, "1"));
	end(s);
	s = open_session(f);
	challenge(s, "one");
	credential(s, MD5);
	assert_refused(session_challenged(s, MD5, "two", 3, &complaint), REFUSAL_REFUSED, "nothing more");
	assert_refused(answer(s, SERVER_PW, server_nonce(s)), REFUSAL_WRONG_CREDENTIAL,
		       "the ServerPW before the last change");
}

static void a_generation_that_is_not_higher_changes_nothing(void **state)
{
	static const char *const bad[] = { "", "-1", "01", "+1", " 1", "1 ", "2147483648",
					   "4294967297", "99999999999", "x", "1\n" };
	struct fixture *f = *state;
	struct timespec before;
	struct session *s;
	size_t i;

	begin(f, CONF "[Account]\nGeneration=1\n");
	s = proven_session(f, CLIENT_PW_GENERATION_1, SERVER_PW_GENERATION_1);
	before = stamp(f, "op");
	good(replace(s, GENERATION, "1"));
	assert_refused(replace(s, GENERATION, "0"), REFUSAL_REFUSED, "at generation 1");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(replace(s, GENERATION, bad[i]), REFUSAL_BAD_VALUE, "2147483647");
	assert_refused(session_replace(s, GENERATION, "bin", "2", 1, &complaint), REFUSAL_BAD_VALUE, "");
	kernel_double.derive_fails = true;
	assert_refused(replace(s, GENERATION, "2"), REFUSAL_NOT_READY, "does not derive");
	kernel_double.derive_fails = false;
	kernel_double_inject(0, "vendor", 2);
	assert_refused(replace(s, GENERATION, "2"), REFUSAL_NOT_READY, "not the one");
	assert_unwritten(f, "op", before);
	kernel_double_inject(0, "vendor", 1);
	good(replace(s, GENERATION, "2147483647"));
	assert_int_equal(account(f, "op")->generation, 2147483647);
}

static void a_template_that_names_another_generation_is_followed(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	s = proven_session(f, CLIENT_PW, SERVER_PW);
	good(replace(s, GENERATION, "5"));
	end(s);
	begin(f, CONF "Name=Other\n");
	assert_int_equal(account(f, "op")->generation, 5);
	/* lower than where it is, but another than the template named before */
	begin(f, CONF "[Account]\nGeneration=1\n");
	assert_value(f, "op", "ServerPW", SERVER_PW_GENERATION_1);
	assert_nonces(f, "op", "burnt");
	assert_origin(f, "Generation", "template", "");
	begin(f, CONF "[Account]\nGeneration=6\n");
	assert_int_equal(account(f, "op")->generation, 6);
	assert_nonces(f, "op", "initial");
}

static void files_of_an_agent_that_knew_the_templates_generation_only_are_read(void **state)
{
	struct fixture *f = *state;
	struct record *record;

	begin(f, CONF "[Account]\nGeneration=1\n");
	record = stored_record(f, "op");
	record_remove(record, RECORD_STATE, "TemplateGeneration");
	assert_int_equal(store_save(f->agent.device.store, "op", record, 2), 0);
	record_free(record);
	start(f);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "ServerPW", SERVER_PW_GENERATION_1);
	assert_nonces(f, "op", "initial");
	assert_true(stored_has(f, RECORD_STATE, "TemplateGeneration"));
}

static void the_servers_passwords_give_way_to_a_generation_and_to_another_key(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	replace_passwords(f);
	s = proven_session(f, NEW_CLIENT_PW, NEW_SERVER_PW);
	good(replace(s, GENERATION, "1"));
	good(answer(s, NEW_SERVER_PW, server_nonce(s)));
	end(s);
	end(proven_session(f, CLIENT_PW_GENERATION_1, SERVER_PW_GENERATION_1));
	s = proven_session(f, CLIENT_PW_GENERATION_1, SERVER_PW_GENERATION_1);
	good(replace(s, SERVER_SECRET, NEW_SERVER_PW));
	good(replace(s, "./DMAcc/op/Name", "Kept"));
	end(s);
	kernel_double_inject(0, "vendor", 2);
	start(f);
	assert_value(f, "op", "ServerPW", SERVER_PW_VERSION_2);
	assert_value(f, "op", "Name", "Kept");
	assert_int_equal(account(f, "op")->generation, 0);
	assert_false(has_previous(f));
	/* of another server nothing is kept */
	begin(f, ACCOUNT "ServerID=com.example.other\nName=Template\n");
	assert_value(f, "op", "Name", "Template");
}

static bool in_tree(struct fixture *f, const char *uri, const char *format, const char *text)
{
	const struct dmacc_tree_node *node;
	struct dmacc_tree *tree;
	bool found = false;
	size_t i;

	assert_int_equal(account_tree(account(f, "op"), DMACC_LAYOUT_1_2, &tree), 0);
	for (i = 0; (node = dmacc_tree_node(tree, i)); i++)
		if (!strcmp(node->uri, uri)) {
			assert_false(found);
			found = true;
			assert_string_equal(node->format, format);
			assert_true(!node->value == !text);
			if (text)
				assert_string_equal(node->value, text);
		}
	dmacc_tree_free(tree);
	return found;
}

static void unknown_nodes_below_ext_are_kept_and_shown(void **state)
{
	struct fixture *f = *state;
	char uri[64];
	struct session *s;
	int i;

	begin(f, CONF);
	assert_true(in_tree(f, "./DMAcc/op/Ext/dmacc/Generation", "int", "0"));
	s = proven_session(f, CLIENT_PW, SERVER_PW);
	good(session_replace(s, "./DMAcc/op/Ext/Vendor/Role", "int", "3", 1, &complaint));
	good(session_replace(s, "./DMAcc/op/Ext/Vendor/Role", "int", "4", 1, &complaint));
	good(session_replace(s, "./DMAcc/op/Ext/Vendor/Raw", "bin", "\0\1", 2, &complaint));
	good(session_replace(s, "./DMAcc/op/Ext/Vendor/Empty", "node", "", 0, &complaint));
	assert_refused(replace(s, "./DMAcc/op/Ext/Vendor", "x"), REFUSAL_BAD_VALUE, "beside");
	assert_refused(replace(s, "./DMAcc/op/Ext/Vendor/Role/x", "x"), REFUSAL_BAD_VALUE, "beside");
	assert_refused(replace(s, "./DMAcc/op/Ext/dmacc", "x"), REFUSAL_BAD_VALUE, "beside");
	assert_refused(session_replace(s, "./DMAcc/op/Ext/y", "nonsense", "x", 1, &complaint),
		       REFUSAL_BAD_VALUE, "");
	end(s);
	begin(f, CONF "Name=Other\n");
	assert_true(in_tree(f, "./DMAcc/op/Ext", "node", NULL));
	assert_true(in_tree(f, "./DMAcc/op/Ext/Vendor", "node", NULL));
	assert_true(in_tree(f, "./DMAcc/op/Ext/Vendor/Empty", "node", NULL));
	assert_true(in_tree(f, "./DMAcc/op/Ext/Vendor/Role", "int", "4"));
	assert_true(in_tree(f, "./DMAcc/op/Ext/Vendor/Raw", "bin", ""));
	assert_true(in_tree(f, "./DMAcc/op/Ext/dmacc/Generation", "int", "0"));
	/* there is an end to it */
	s = proven_session(f, CLIENT_PW, SERVER_PW);
	for (i = 4; i < DMACC_EXT_MAX; i++) {
		snprintf(uri, sizeof(uri), "./DMAcc/op/Ext/%d", i);
		good(replace(s, uri, "x"));
	}
	assert_refused(replace(s, "./DMAcc/op/Ext/one more", "x"), REFUSAL_REFUSED, "room for 64");
}

static void an_unkeyed_account_has_no_generation_and_is_guessable_until_both_are_replaced(void **state)
{
	struct fixture *f = *state;

	begin(f, "[Account]\nProfile=fcs11384\n[DMAcc]\nAddr=https://old.example\nServerID=ibm\n");
	assert_true(account(f, "op")->guessable);
	good(change_replace(&f->agent, "op", CLIENT_SECRET, "", "c", 1, &complaint));
	assert_true(account(f, "op")->guessable);
	good(change_replace(&f->agent, "op", SERVER_SECRET, "", "s", 1, &complaint));
	assert_false(account(f, "op")->guessable);
	assert_state(f, "op", "ready", "");
	start(f);
	assert_state(f, "op", "ready", "");
	assert_refused(change_replace(&f->agent, "op", GENERATION, "", "1", 1, &complaint),
		       REFUSAL_NOT_READY, "not derived with a key");
	good(change_revert(&f->agent, "op", all, &complaint));
	assert_true(account(f, "op")->guessable);
	assert_state(f, "op", "ready", "guessable: profile fcs11384 has no key");
	begin(f, CONF);
	assert_false(account(f, "op")->guessable);
}

static void a_local_change_counts_over_the_servers_and_burns_with_a_credential(void **state)
{
	struct fixture *f = *state;

	begin(f, CONF);
	replace_passwords(f);
	good(change_replace(&f->agent, "op", "./DMAcc/op/Name", "chr", "Mine", 4, &complaint));
	assert_origin(f, "Name", "local", "");
	assert_nonces(f, "op", "session");
	good(change_replace(&f->agent, "op", SERVER_SECRET, "chr", "mine", 4, &complaint));
	assert_origin(f, "ServerPW", "local", "");
	assert_nonces(f, "op", "burnt");
	start(f);
	assert_value(f, "op", "ServerPW", "mine");
	assert_value(f, "op", "Name", "Mine");
	assert_refused(change_replace(&f->agent, "op", "./SyncML/DMAcc/op/ClientNonce", "bin", "n", 1,
				      &complaint), REFUSAL_NOT_PERMITTED, "sessions only");
}

static void what_was_replaced_is_given_up_node_by_node_or_as_a_whole(void **state)
{
	static char *const server_pw[] = { (char *)"ServerPW", (char *)"Name", NULL };
	static char *const unknown[] = { (char *)"ServerNonce", NULL };
	struct fixture *f = *state;
	struct timespec before;
	struct session *s;

	begin(f, CONF "Name=Template\n");
	replace_passwords(f);
	s = proven_session(f, NEW_CLIENT_PW, NEW_SERVER_PW);
	good(replace(s, "./DMAcc/op/Name", "Server's"));
	good(replace(s, "./DMAcc/op/Ext/x", "y"));
	end(s);
	assert_refused(change_revert(&f->agent, "op", unknown, &complaint), REFUSAL_NO_SUCH_NODE, "");
	good(change_revert(&f->agent, "op", server_pw, &complaint));
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_value(f, "op", "ClientPW", NEW_CLIENT_PW);
	assert_value(f, "op", "Name", "Template");
	assert_nonces(f, "op", "burnt");
	s = proven_session(f, NEW_CLIENT_PW, SERVER_PW);
	good(replace(s, GENERATION, "1"));
	end(s);
	good(change_revert(&f->agent, "op", all, &complaint));
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_value(f, "op", "ClientPW", CLIENT_PW);
	assert_int_equal(account(f, "op")->generation, 0);
	assert_nonces(f, "op", "burnt");
	assert_false(in_tree(f, "./DMAcc/op/Ext/x", "chr", "y"));
	assert_true(account(f, "op")->ever_connected);
	/* with nothing to give up nothing is written */
	before = stamp(f, "op");
	good(change_revert(&f->agent, "op", all, &complaint));
	assert_unwritten(f, "op", before);
	start(f);
	assert_state(f, "op", "ready", "");
	whole_session(f, CLIENT_PW, SERVER_PW);
}

static void a_reset_is_the_factorys_account_with_burnt_nonces(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	/* also of one that was never used: who resets does not know */
	good(change_reset(&f->agent, "op", &complaint));
	assert_nonces(f, "op", "burnt");
	replace_passwords(f);
	s = proven_session(f, NEW_CLIENT_PW, NEW_SERVER_PW);
	good(replace(s, GENERATION, "3"));
	end(s);
	assert_true(account(f, "op")->ever_connected);
	good(change_reset(&f->agent, "op", &complaint));
	assert_false(account(f, "op")->ever_connected);
	assert_false(has_previous(f));
	assert_nonces(f, "op", "burnt");
	start(f);
	assert_state(f, "op", "ready", "");
	assert_int_equal(account(f, "op")->generation, 0);
	whole_session(f, CLIENT_PW, SERVER_PW);
	/* a generation that it had is not one that it never had */
	begin(f, CONF "[Account]\nGeneration=3\n");
	assert_nonces(f, "op", "burnt");
}

static void while_there_is_a_session_the_owner_waits(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	begin(f, CONF);
	s = open_session(f);
	assert_refused(change_replace(&f->agent, "op", "./DMAcc/op/Name", "", "x", 1, &complaint),
		       REFUSAL_BUSY, ":1.5");
	assert_refused(change_revert(&f->agent, "op", all, &complaint), REFUSAL_BUSY, "");
	assert_refused(change_reset(&f->agent, "op", &complaint), REFUSAL_BUSY, "");
	session_close(s);
	good(change_reset(&f->agent, "op", &complaint));
	assert_refused(change_reset(&f->agent, "none", &complaint), REFUSAL_NOT_READY, "");
}

static void to_replace(struct fixture *f)
{
	begin_anew(f);
	(void)proven_session(f, CLIENT_PW, SERVER_PW);
}

static int replace_server_secret(struct fixture *f)
{
	return replace(session_find(&f->agent, "op"), SERVER_SECRET, NEW_SERVER_PW);
}

static void check_replaced(struct fixture *f, bool done)
{
	const char *now = value(f, "op", "ServerPW");
	struct session *s;

	assert_state(f, "op", "ready", "");
	if (done)
		assert_string_equal(now, NEW_SERVER_PW);
	else
		assert_true(!strcmp(now, NEW_SERVER_PW) || !strcmp(now, SERVER_PW));
	/* the server may know of it or not: it gets in with the one that it has */
	s = open_session(f);
	good(answer(s, SERVER_PW, server_nonce(s)));
}

static void a_replace_that_is_cut_leaves_a_device_that_the_server_reaches(void **state)
{
	with_each_fault(*state, to_replace, replace_server_secret, check_replaced);
}

static int replace_the_generation(struct fixture *f)
{
	return replace(session_find(&f->agent, "op"), GENERATION, "1");
}

static void check_generation(struct fixture *f, bool done)
{
	uint32_t generation = account(f, "op")->generation;

	assert_state(f, "op", "ready", "");
	assert_true(generation == 1 || (!done && !generation));
	/* both passwords are of it: the server takes either until the new one has come */
	assert_value(f, "op", "ServerPW", generation ? SERVER_PW_GENERATION_1 : SERVER_PW);
	assert_value(f, "op", "ClientPW", generation ? CLIENT_PW_GENERATION_1 : CLIENT_PW);
	whole_session(f, generation ? CLIENT_PW_GENERATION_1 : CLIENT_PW,
		      generation ? SERVER_PW_GENERATION_1 : SERVER_PW);
}

static void a_generation_that_is_cut_is_the_old_or_the_new_as_a_whole(void **state)
{
	with_each_fault(*state, to_replace, replace_the_generation, check_generation);
}

static void a_replace_that_failed_is_judged_by_what_came_to_stand(void **state)
{
	struct fixture *f = *state;
	struct session *s;
	int at;

	for (at = 1; at < 12; at++) {
		to_replace(f);
		s = session_find(&f->agent, "op");
		faults_arm(FAULT_FAIL, at);
		(void)replace_server_secret(f);
		faults_arm(FAULT_NONE, 0);
		/* the same session goes on, and the server tries again */
		good(answer(s, SERVER_PW, server_nonce(s)));
		good(replace_server_secret(f));
		good(answer(s, SERVER_PW, server_nonce(s)));
		end(s);
		assert_value(f, "op", "ServerPW", NEW_SERVER_PW);
		s = open_session(f);
		good(answer(s, SERVER_PW, server_nonce(s)));
		good(answer(s, NEW_SERVER_PW, server_nonce(s)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_passwords_serve_from_the_next_session_on),
		TEST(until_they_have_worked_the_old_ones_are_tried_after_the_new_ones),
		TEST(each_direction_is_proven_by_itself),
		TEST(what_has_worked_is_what_is_kept),
		TEST(a_replaced_user_name_goes_with_its_password),
		TEST(nobody_but_an_authenticated_server_replaces_anything),
		TEST(values_are_replaced_by_the_uris_of_both_layouts),
		TEST(what_cannot_be_replaced_is_refused_by_name),
		TEST(not_even_the_server_brings_basic_where_the_template_has_not),
		TEST(nonces_that_the_server_replaces_are_the_next_ones),
		TEST(a_higher_generation_derives_anew_and_the_session_goes_on),
		TEST(from_a_higher_generation_no_refusal_leads_back),
		TEST(a_generation_that_is_not_higher_changes_nothing),
		TEST(a_template_that_names_another_generation_is_followed),
		TEST(files_of_an_agent_that_knew_the_templates_generation_only_are_read),
		TEST(the_servers_passwords_give_way_to_a_generation_and_to_another_key),
		TEST(unknown_nodes_below_ext_are_kept_and_shown),
		TEST(an_unkeyed_account_has_no_generation_and_is_guessable_until_both_are_replaced),
		TEST(a_local_change_counts_over_the_servers_and_burns_with_a_credential),
		TEST(what_was_replaced_is_given_up_node_by_node_or_as_a_whole),
		TEST(a_reset_is_the_factorys_account_with_burnt_nonces),
		TEST(while_there_is_a_session_the_owner_waits),
		TEST(a_replace_that_is_cut_leaves_a_device_that_the_server_reaches),
		TEST(a_generation_that_is_cut_is_the_old_or_the_new_as_a_whole),
		TEST(a_replace_that_failed_is_judged_by_what_came_to_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
