// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is stored and what is derived now: which of the two stands */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>

#include "agent_fixture.h"

static void a_changed_template_keeps_what_was_derived_and_the_nonces(void **state)
{
	struct fixture *f = *state;
	struct record *before, *after;
	const void *nonce;
	size_t len;

	write_file(f->usr, "op.conf", CONF "Name=Before\nConRef=internet\n");
	start(f);
	flip(f, "op", 120);
	start(f);
	before = stored_record(f, "op");
	write_file(f->usr, "op.conf",
		   CONF "Name=After\nAuthPref=syncml:auth-md5\nServerNonce=AAAAAA==\n");
	start(f);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "Name", "After");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_value(f, "op", "ConRef", "");
	after = stored_record(f, "op");
	nonce = record_get(before, RECORD_STATE, "ClientNonce", &len);
	assert_memory_equal(record_get(after, RECORD_STATE, "ClientNonce", &len), nonce, 16);
	record_free(before);
	record_free(after);
	assert_nonces(f, "op", "burnt");
}

static void a_templates_nonce_is_used_the_first_time(void **state)
{
	struct fixture *f = *state;
	struct record *record;
	const char *nonce;
	size_t len;

	write_file(f->usr, "op.conf", CONF "ServerNonce=AAECAw==\n");
	start(f);
	record = stored_record(f, "op");
	nonce = record_get(record, RECORD_STATE, "ServerNonce", &len);
	assert_int_equal(len, 4);
	assert_memory_equal(nonce, "\0\1\2\3", 4);
	record_free(record);
}

static void a_key_of_a_higher_version_derives_anew(void **state)
{
	struct fixture *f = *state;
	struct record *record;
	uint32_t version;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	kernel_double_inject(0, "vendor", 2);
	start(f);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "ServerPW", SERVER_PW_VERSION_2);
	assert_nonces(f, "op", "initial");
	record = stored_record(f, "op");
	assert_true(record_get_u32(record, RECORD_STATE, "KeyVersion", &version));
	assert_int_equal(version, 2);
	record_free(record);
}

static void a_key_of_a_lower_version_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	kernel_double_inject(0, "vendor", 2);
	write_file(f->usr, "op.conf", CONF);
	start(f);
	before = stamp(f, "op");
	kernel_double_inject(0, "vendor", 1);
	start(f);
	assert_state(f, "op", "damaged", "a key of version 1, and the account was made with "
		     "version 2");
	assert_value(f, "op", "ServerPW", SERVER_PW_VERSION_2);
	assert_unwritten(f, "op", before);
}

static void another_key_of_the_same_version_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	before = stamp(f, "op");
	kernel_double.slots[0].slot.key_id[0] ^= 1;
	start(f);
	assert_state(f, "op", "damaged", "another key of the same version");
	kernel_double.slots[0].slot.key_id[0] ^= 1;
	kernel_double.slots[0].device_key[0] ^= 1;
	start(f);
	assert_state(f, "op", "damaged", "although identifier, key and template are the same");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_unwritten(f, "op", before);
}

static void another_identifier_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	before = stamp(f, "op");
	kernel_double.devid = "IMEI:356938035643809";
	kernel_double_inject(0, "vendor", 1);
	start(f);
	assert_state(f, "op", "damaged", "another identifier");
	assert_null(strstr(account(f, "op")->reason, "356938035643809"));
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_unwritten(f, "op", before);
	/* the right one comes back */
	kernel_double_reset();
	start(f);
	assert_state(f, "op", "ready", "");
	assert_unwritten(f, "op", before);
}

static void a_generation_that_rises_derives_anew_and_one_that_falls_burns_the_nonces(void **state)
{
	struct fixture *f = *state;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	write_file(f->usr, "op.conf", CONF "[Account]\nGeneration=1\n");
	start(f);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "ServerPW", SERVER_PW_GENERATION_1);
	assert_int_equal(account(f, "op")->generation, 1);
	assert_nonces(f, "op", "initial");
	write_file(f->usr, "op.conf", CONF);
	start(f);
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_nonces(f, "op", "burnt");
	/* and so does one that was there before */
	write_file(f->usr, "op.conf", CONF "[Account]\nGeneration=1\n");
	start(f);
	assert_value(f, "op", "ServerPW", SERVER_PW_GENERATION_1);
	assert_nonces(f, "op", "burnt");
}

static void another_server_in_the_template_derives_anew(void **state)
{
	struct fixture *f = *state;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	write_file(f->usr, "op.conf", ACCOUNT "ServerID=com.example.other\n");
	start(f);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "ServerId", "com.example.other");
	assert_string_not_equal(value(f, "op", "ServerPW"), SERVER_PW);
	assert_nonces(f, "op", "burnt");
}

static void an_unkeyed_profile_is_announced_as_guessable(void **state)
{
	struct fixture *f = *state;

	kernel_double.slots_len = 0;
	write_file(f->usr, "old.conf", "[Account]\nProfile=fcs11384\n"
		   "[DMAcc]\nAddr=https://old.example\nServerID=ibm\n");
	start(f);
	assert_state(f, "old", "ready", "guessable");
	assert_string_equal(account(f, "old")->profile, "fcs11384");
	assert_string_equal(account(f, "old")->slot, "");
	assert_int_equal(kernel_double.derived, 0);
	write_file(f->usr, "old.conf", "[Account]\nProfile=fcs14345\n"
		   "[DMAcc]\nAddr=https://old.example\nServerID=a:b\n");
	start(f);
	assert_state(f, "old", "ready", "':'");
}

static void values_that_a_later_version_changed_are_kept_and_count_more(void **state)
{
	struct fixture *f = *state;
	struct record *record;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	record = stored_record(f, "op");
	assert_int_equal(record_set(record, RECORD_SERVER, "Addr", "https://moved.example", 21), 0);
	assert_int_equal(record_set(record, RECORD_SERVER, "Ext/dmacc/Thing", "x", 1), 0);
	assert_int_equal(store_save(f->agent.device.store, "op", record, 9), 0);
	record_free(record);
	write_file(f->usr, "op.conf", CONF "Name=New\n");
	start(f);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "Addr", "https://moved.example");
	assert_value(f, "op", "Name", "New");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	record = stored_record(f, "op");
	assert_non_null(record_get(record, RECORD_SERVER, "Ext/dmacc/Thing", &(size_t){ 0 }));
	record_free(record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_changed_template_keeps_what_was_derived_and_the_nonces),
		TEST(a_templates_nonce_is_used_the_first_time),
		TEST(a_key_of_a_higher_version_derives_anew),
		TEST(a_key_of_a_lower_version_changes_nothing),
		TEST(another_key_of_the_same_version_changes_nothing),
		TEST(another_identifier_changes_nothing),
		TEST(a_generation_that_rises_derives_anew_and_one_that_falls_burns_the_nonces),
		TEST(another_server_in_the_template_derives_anew),
		TEST(an_unkeyed_profile_is_announced_as_guessable),
		TEST(values_that_a_later_version_changed_are_kept_and_count_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
