// SPDX-License-Identifier: LGPL-2.1-or-later
/* The agent as a whole: what is missing, what comes back, what is served */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "agent_fixture.h"
#include "faults.h"
#include "unseal_report.h"

static void a_template_and_a_key_make_the_published_account(void **state)
{
	struct fixture *f = *state;
	struct record *record;
	const void *nonce;
	size_t len;

	write_file(f->usr, "op.conf", CONF "Name=Operator\nPortNbr=443\n");
	start(f);
	assert_int_equal(f->agent.device.state, DEVICE_READY);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_value(f, "op", "UserName", USER_NAME);
	assert_value(f, "op", "ServerId", "com.example.dm");
	assert_value(f, "op", "Name", "Operator");
	assert_string_equal(account(f, "op")->server_id, "com.example.dm");
	assert_string_equal(account(f, "op")->slot, "vendor");
	assert_string_equal(account(f, "op")->profile, "dmacc-1");
	assert_nonces(f, "op", "initial");
	record = stored_record(f, "op");
	nonce = record_get(record, RECORD_STATE, "ServerNonce", &len);
	assert_memory_equal(nonce, initial_server_nonce, sizeof(initial_server_nonce));
	record_free(record);
	assert_true(stored(f, "op"));
	assert_false(agent_wants_retry(&f->agent));
}

static void an_unchanged_start_writes_nothing_and_imports_nothing(void **state)
{
	struct fixture *f = *state;
	struct timespec conf, document;

	write_file(f->usr, "op.conf", CONF);
	write_file(f->usr, "doc.w7", "a document");
	set_importer(f, "cat >/dev/null\necho '[Account]'\necho Slot=vendor\necho '[DMAcc]'\n"
		     "echo ServerID=com.example.doc\necho Addr=https://doc.example.com");
	start(f);
	assert_state(f, "doc", "ready", "");
	assert_int_equal(importer_runs(f), 1);
	conf = stamp(f, "op");
	document = stamp(f, "doc");
	faults_arm(FAULT_NONE, 0);
	start(f);
	assert_state(f, "doc", "ready", "");
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_int_equal(importer_runs(f), 1);
	assert_unwritten(f, "op", conf);
	assert_unwritten(f, "doc", document);
	assert_null(strstr(faults_calls(), "write"));
	assert_null(strstr(faults_calls(), "rename"));
}

static void check_lack(struct fixture *f, const char *state, const char *reason)
{
	start(f);
	assert_string_equal(device_state_word(f->agent.device.state), state);
	if (!strstr(f->agent.device.reason, reason))
		fail_msg("'%s' is not in '%s'", reason, f->agent.device.reason);
	assert_state(f, "op", "no-secrets", f->agent.device.reason);
	assert_int_equal(account_tree(account(f, "op"), DMACC_LAYOUT_1_1,
				      &(struct dmacc_tree *){ NULL }), -ENODATA);
	assert_string_equal(account(f, "op")->server_id, "com.example.dm");
	assert_false(stored(f, "op"));
	assert_true(agent_wants_retry(&f->agent));
}

static void what_is_missing_is_a_state_with_a_way_out_and_comes_back(void **state)
{
	struct fixture *f = *state;

	write_file(f->usr, "op.conf", CONF);
	kernel_double.no_module = true;
	check_lack(f, "no-module", "module dmacc");
	kernel_double_reset();
	kernel_double.devid = NULL;
	check_lack(f, "no-identity", "no-identity: this device has no valid identifier");
	kernel_double_reset();
	kernel_double.root_state = DMACC_ROOT_ABSENT;
	check_lack(f, "no-root", "not-unsealed: ");
	kernel_double.root_state = DMACC_ROOT_SEALED_UNAVAILABLE;
	kernel_double.root_reason = DMACC_REASON_LOCKED_OUT;
	check_lack(f, "no-root", "tpm-locked-out: ");
	kernel_double_reset();
	kernel_double.no_store_key = true;
	check_lack(f, "no-store-key", "this is for the agent; way out: ");
	/* the same agent tries again */
	kernel_double_reset();
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_false(agent_wants_retry(&f->agent));
}

static void what_dmacc_unseal_reported_explains_a_root_that_is_not_open(void **state)
{
	struct fixture *f = *state;
	struct unseal_report report = { 0 };

	write_file(f->usr, "op.conf", CONF);
	kernel_double.root_state = DMACC_ROOT_ABSENT;
	unseal_report_root(&report, TROUBLE_MASTER_MISSING, "no credential dmacc.master");
	assert_int_equal(unseal_report_write(&report, f->path), 0);
	check_lack(f, "no-root", "master-missing: ");
	check_lack(f, "no-root", ": no credential dmacc.master; way out: 'dmaccctl factory restore");
	/* what was in the way has gone */
	kernel_double.root_state = DMACC_ROOT_OPEN;
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	assert_state(f, "op", "ready", "");
}

static void a_key_that_was_there_before_a_reset_brings_no_initial_nonces(void **state)
{
	struct fixture *f = *state;

	write_file(f->path, "spent", "other\nvendor\n");
	write_file(f->usr, "op.conf", CONF "ServerNonce=AAECAw==\n");
	start(f);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_nonces(f, "op", "burnt");
	/* nor for a generation that the account that was lost may have had */
	write_file(f->usr, "op.conf", CONF "[Account]\nGeneration=1\n");
	start(f);
	assert_value(f, "op", "ServerPW", SERVER_PW_GENERATION_1);
	assert_nonces(f, "op", "burnt");
	/* another key in that slot is another matter */
	write_file(f->path, "spent", "other\n");
	kernel_double_inject(0, "vendor", 2);
	start(f);
	assert_nonces(f, "op", "initial");
}

static void without_the_store_key_nothing_is_overwritten_not_even_what_is_damaged(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	flip(f, "op", 120);
	before = stamp(f, "op");
	kernel_double.no_store_key = true;
	write_file(f->usr, "op.conf", CONF "Name=Changed\n");
	start(f);
	assert_state(f, "op", "no-secrets", "no-store-key: the kernel gives the agent no key");
	assert_unwritten(f, "op", before);
	assert_false(stored(f, "op.damaged"));
}

static void when_the_kernel_forgets_its_root_there_are_no_secrets_until_it_is_back(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	before = stamp(f, "op");
	kernel_double.root_state = DMACC_ROOT_NEEDS_LOAD;
	assert_int_equal(agent_refresh(&f->agent, true), 0);
	assert_string_equal(device_state_word(f->agent.device.state), "no-root");
	assert_state(f, "op", "no-secrets", f->agent.device.reason);
	assert_true(agent_wants_retry(&f->agent));
	kernel_double_reset();
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_unwritten(f, "op", before);
}

static int looked_again;

static void look_again(struct agent *agent)
{
	(void)agent;
	looked_again++;
}

static int ask(struct fixture *f)
{
	struct dmacc_tree *tree;
	int r = agent_secret_tree(&f->agent, account(f, "op"), DMACC_LAYOUT_1_2, &tree);

	if (!r)
		dmacc_tree_free(tree);
	return r;
}

static void what_is_served_is_read_when_it_is_asked_for(void **state)
{
	struct fixture *f = *state;
	char path[256];

	looked_again = 0;
	write_file(f->usr, "op.conf", CONF);
	start(f);
	f->agent.look_again = look_again;
	assert_int_equal(ask(f), 0);
	/* between two refreshes: no key, another root, a file that was replaced or is not there */
	kernel_double.no_store_key = true;
	assert_int_equal(ask(f), -ESTALE);
	kernel_double_reset();
	memcpy(kernel_double.root_id, "newroot!", 8);
	assert_int_equal(ask(f), -ESTALE);
	kernel_double_reset();
	assert_int_equal(ask(f), 0);
	assert_int_equal(looked_again, 2);
	store_path(f, "op", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ask(f), -ESTALE);
	assert_int_equal(looked_again, 3);
}

static void an_older_file_is_not_served_in_the_place_of_the_one_that_was_there(void **state)
{
	struct fixture *f = *state;
	char path[256], previous[256];

	write_file(f->usr, "op.conf", CONF);
	start(f);
	write_file(f->usr, "op.conf", CONF "Name=Second\n");
	assert_int_equal(agent_refresh(&f->agent, true), 0);
	assert_int_equal(ask(f), 0);
	store_path(f, "op", path);
	store_path(f, "op.prev", previous);
	assert_int_equal(rename(previous, path), 0);
	assert_int_equal(ask(f), -ESTALE);
}

static void an_account_holds_no_password_and_no_nonce(void **state)
{
	struct fixture *f = *state;
	const struct dmacc_tree_node *node;
	struct dmacc_tree *tree;
	size_t i, hidden = 0;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	assert_int_equal(account_tree(account(f, "op"), DMACC_LAYOUT_1_1, &tree), 0);
	for (i = 0; (node = dmacc_tree_node(tree, i)); i++) {
		if (node->readable)
			continue;
		hidden++;
		assert_int_equal(node->len, 1);
		assert_memory_equal(node->value, "-", 1);
	}
	assert_int_equal(hidden, 4);
	dmacc_tree_free(tree);
}

static void a_removed_template_withdraws_its_account_and_keeps_the_file(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	before = stamp(f, "op");
	remove_file(f->usr, "op.conf");
	assert_int_equal(agent_refresh(&f->agent, true), 0);
	assert_state(f, "op", "withdrawn", "kept");
	assert_false(agent_wants_retry(&f->agent));
	write_file(f->usr, "op.conf", CONF);
	assert_int_equal(agent_refresh(&f->agent, true), 0);
	assert_state(f, "op", "ready", "");
	assert_unwritten(f, "op", before);
}

static void without_a_key_in_the_slot_there_is_no_account_until_it_comes(void **state)
{
	struct fixture *f = *state;

	kernel_double.slots_len = 0;
	write_file(f->usr, "op.conf", CONF);
	start(f);
	assert_int_equal(f->agent.device.state, DEVICE_READY);
	assert_state(f, "op", "no-slot", "dmaccctl factory inject --slot vendor");
	assert_false(stored(f, "op"));
	assert_true(agent_wants_retry(&f->agent));
	kernel_double_reset();
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	assert_state(f, "op", "ready", "");
	/* and when it goes again, what is stored serves */
	kernel_double.slots_len = 0;
	start(f);
	assert_state(f, "op", "ready", "no key is loaded in slot vendor");
	assert_value(f, "op", "ServerPW", SERVER_PW);
}

/* As on a disk that is full: no file can grow */
static void refresh_without_room(struct fixture *f)
{
	struct rlimit before, none;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = (struct rlimit){ 0, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(agent_refresh(&f->agent, true), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

static void what_cannot_be_written_is_not_served(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	/* not the folder's making, the account's */
	remove_file(f->usr, "op.conf");
	write_file(f->usr, "new.conf", CONF);
	refresh_without_room(f);
	assert_state(f, "new", "no-secrets", "cannot be written");
	assert_int_equal(account_tree(account(f, "new"), DMACC_LAYOUT_1_1,
				      &(struct dmacc_tree *){ NULL }), -ENODATA);
	assert_true(agent_wants_retry(&f->agent));
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	assert_state(f, "new", "ready", "");
	before = stamp(f, "new");
	write_file(f->usr, "new.conf", CONF "Name=Later\n");
	refresh_without_room(f);
	assert_state(f, "new", "ready", "as it was stored before");
	assert_unwritten(f, "new", before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_template_and_a_key_make_the_published_account),
		TEST(an_unchanged_start_writes_nothing_and_imports_nothing),
		TEST(what_is_missing_is_a_state_with_a_way_out_and_comes_back),
		TEST(what_dmacc_unseal_reported_explains_a_root_that_is_not_open),
		TEST(a_key_that_was_there_before_a_reset_brings_no_initial_nonces),
		TEST(without_the_store_key_nothing_is_overwritten_not_even_what_is_damaged),
		TEST(when_the_kernel_forgets_its_root_there_are_no_secrets_until_it_is_back),
		TEST(what_is_served_is_read_when_it_is_asked_for),
		TEST(an_older_file_is_not_served_in_the_place_of_the_one_that_was_there),
		TEST(an_account_holds_no_password_and_no_nonce),
		TEST(a_removed_template_withdraws_its_account_and_keeps_the_file),
		TEST(without_a_key_in_the_slot_there_is_no_account_until_it_comes),
		TEST(what_cannot_be_written_is_not_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
