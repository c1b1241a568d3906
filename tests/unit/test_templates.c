// SPDX-License-Identifier: LGPL-2.1-or-later
/* The template folders: what makes an account, what is part of another, what is refused */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent_fixture.h"

static void a_changed_document_is_imported_again(void **state)
{
	struct fixture *f = *state;

	write_file(f->usr, "doc.w7", "a document");
	set_importer(f, "cat >/dev/null\necho '[Account]'\necho Slot=vendor\necho '[DMAcc]'\n"
		     "echo ServerID=com.example.doc\necho Addr=https://doc.example.com");
	start(f);
	write_file(f->usr, "doc.w7", "another document");
	start(f);
	assert_int_equal(importer_runs(f), 2);
}

static void a_template_that_is_refused_loses_nothing(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	before = stamp(f, "op");
	write_file(f->usr, "op.conf", "[DMAcc]\nAddr=https://dm.example.com\nServerPW=Tr0ub4dor\n");
	start(f);
	assert_non_null(strstr(refused(f, "op"), "line 3: ServerPW"));
	assert_null(strstr(refused(f, "op"), "Tr0ub4dor"));
	assert_state(f, "op", "ready", "its template is refused");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_unwritten(f, "op", before);
}

static void etc_overrides_usr_by_name(void **state)
{
	struct fixture *f = *state;

	write_file(f->usr, "op.conf", CONF "Name=Vendor\n");
	write_file(f->usr, "two.conf", CONF "X=two\nName=Two\n");
	write_file(f->etc, "op.conf", CONF "Name=Owner\n");
	start(f);
	assert_int_equal(f->agent.accounts.count, 2);
	assert_value(f, "op", "Name", "Owner");
	assert_value(f, "two", "Name", "Two");
	assert_non_null(strstr(account(f, "op")->template, "/etc/op.conf"));
	/* a broken one does not fall back to what its owner did not want */
	write_file(f->etc, "two.conf", "nonsense");
	start(f);
	assert_state(f, "two", "ready", "refused");
}

static void a_document_that_a_conf_names_is_no_template(void **state)
{
	struct fixture *f = *state;

	set_importer(f, "cat >/dev/null\necho '[DMAcc]'\necho ServerID=from.document\n"
		     "echo Addr=https://doc.example.com\necho Name=Document");
	write_file(f->usr, "op.conf",
		   "[Account]\nSlot=vendor\nDocument=part.w7\n[DMAcc]\nName=Conf\n");
	write_file(f->usr, "part.w7", "x");
	write_file(f->usr, "same.conf", CONF "X=same\n");
	write_file(f->usr, "same.xml", "x");
	write_file(f->usr, "readme.txt", "x");
	start(f);
	assert_int_equal(f->agent.accounts.count, 2);
	assert_int_equal(f->agent.templates->refusals_count, 0);
	assert_value(f, "op", "ServerId", "from.document");
	assert_value(f, "op", "Name", "Conf");
	/* not even while its .conf is refused, or hidden */
	write_file(f->usr, "op.conf", "[Account]\nSlot=vendor\nDocument = part.w7 \nbroken\n");
	start(f);
	assert_null(accounts_find(&f->agent.accounts, "part"));
	write_file(f->etc, "op.conf", CONF);
	start(f);
	assert_null(accounts_find(&f->agent.accounts, "part"));
}

static void bad_templates_are_refused_with_a_sentence(void **state)
{
	struct fixture *f = *state;

	set_importer(f, "cat >/dev/null\necho 'line 3: ignored' >&2\necho 'there is no w7 in it' "
		     ">&2\nexit 1");
	write_file(f->usr, "bad.w7", "x");
	write_file(f->usr, "twice.w7", "x");
	write_file(f->usr, "twice.xml", "x");
	write_file(f->usr, "a b.conf", CONF);
	write_file(f->usr, "a.prev.conf", CONF);
	write_file(f->usr, "none.conf", "[Account]\nSlot=vendor\nDocument=gone.w7\n");
	write_file(f->usr, "empty.conf", "");
	write_file(f->usr, "op.conf", CONF);
	write_file(f->usr, "ops.conf", CONF "X=op\n");
	start(f);
	assert_string_equal(refused(f, "bad"), "document bad.w7: there is no w7 in it");
	assert_non_null(strstr(refused(f, "twice"), "twice."));
	assert_non_null(strstr(refused(f, "a b"), "cannot have that name"));
	assert_non_null(strstr(refused(f, "a.prev"), "cannot have that name"));
	assert_non_null(strstr(refused(f, "none"), "gone.w7: No such file"));
	assert_non_null(strstr(refused(f, "empty"), "ServerID"));
	assert_non_null(strstr(refused(f, "ops"), "op.conf, too"));
	assert_int_equal(f->agent.accounts.count, 1);
}

static void an_importer_that_fails_otherwise_is_named(void **state)
{
	struct fixture *f = *state;

	write_file(f->usr, "doc.w7", "x");
	start(f);
	assert_non_null(strstr(refused(f, "doc"), "cannot be run"));
	set_importer(f, "kill -SEGV $$");
	start(f);
	assert_non_null(strstr(refused(f, "doc"), "ended by signal 11"));
	set_importer(f, "while :; do echo 0123456789012345678901234567890123456789; done");
	start(f);
	assert_non_null(strstr(refused(f, "doc"), "more than an account can be"));
	set_importer(f, "exit 3");
	start(f);
	assert_non_null(strstr(refused(f, "doc"), "status 3"));
	set_importer(f, "printf 'bell \\a and \\377 byte\\n' >&2; exit 1");
	start(f);
	assert_non_null(strstr(refused(f, "doc"), "bell ? and ? byte"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_changed_document_is_imported_again),
		TEST(a_template_that_is_refused_loses_nothing),
		TEST(etc_overrides_usr_by_name),
		TEST(a_document_that_a_conf_names_is_no_template),
		TEST(bad_templates_are_refused_with_a_sentence),
		TEST(an_importer_that_fails_otherwise_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
