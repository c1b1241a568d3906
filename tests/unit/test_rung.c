// SPDX-License-Identifier: LGPL-2.1-or-later
/* A root that is sealed worse than template or dmaccd.conf asks for: nothing under it is served */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent_fixture.h"
#include "config.h"

#define TRUSTED_CONF CONF "[Account]\nMinimumRung=trusted\n"

static void make_folder(struct fixture *f, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

/* What this device would have for a better root */
static void have(struct fixture *f, bool key_type, bool tpm)
{
	make_folder(f, "sys");
	make_folder(f, "sys/module");
	if (key_type)
		make_folder(f, "sys/module/trusted");
	make_folder(f, "sys/class");
	make_folder(f, "sys/class/tpm");
	if (tpm)
		make_folder(f, "sys/class/tpm/tpm0");
}

static void assert_too_low(struct fixture *f, const char *reason)
{
	struct dmacc_tree *tree;

	assert_state(f, "op", "rung-too-low", reason);
	assert_memory_equal(account(f, "op")->reason, "rung-too-low: ", 14);
	assert_non_null(strstr(account(f, "op")->reason, "dmaccctl wipe"));
	assert_int_equal(agent_secret_tree(&f->agent, account(f, "op"), DMACC_LAYOUT_1_2, &tree),
			 -ENODATA);
}

static void below_its_templates_rung_nothing_is_made_and_nothing_served(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	write_file(f->usr, "op.conf", TRUSTED_CONF);
	start(f);
	assert_too_low(f, "its template asks for a root of rung trusted, and this device's root is "
		       "wrapped with a master in a plain file");
	assert_false(stored(f, "op"));
	assert_int_equal(kernel_double.derived, 0);
	kernel_double.rung = DMACC_RUNG_TRUSTED;
	start(f);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	before = stamp(f, "op");
	kernel_double.rung = DMACC_RUNG_WRAPPED;
	start(f);
	assert_too_low(f, "trusted");
	assert_int_equal(account_tree(account(f, "op"), DMACC_LAYOUT_1_1,
				      &(struct dmacc_tree *){ NULL }), -ENODATA);
	/* not even by breaking its template */
	write_file(f->usr, "op.conf", "nonsense");
	start(f);
	assert_too_low(f, "trusted");
	assert_unwritten(f, "op", before);
	kernel_double.rung = DMACC_RUNG_TRUSTED;
	start(f);
	assert_state(f, "op", "ready", "as it was stored");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_unwritten(f, "op", before);
}

static void what_is_stored_is_kept_untouched_and_served_when_less_is_asked(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	before = stamp(f, "op");
	write_file(f->path, "dmaccd.conf", "[Agent]\nMinimumRung=trusted\n");
	assert_int_equal(agent_configure(&f->agent), 0);
	assert_int_equal(agent_refresh(&f->agent, true), 0);
	assert_too_low(f, "dmaccd.conf asks for a root of rung trusted");
	/* waiting does not seal it better */
	assert_false(agent_wants_retry(&f->agent));
	write_file(f->usr, "op.conf", CONF "Name=Other\n");
	start(f);
	assert_too_low(f, "dmaccd.conf");
	assert_unwritten(f, "op", before);
	remove_file(f->path, "dmaccd.conf");
	write_file(f->usr, "op.conf", CONF);
	start(f);
	assert_state(f, "op", "ready", "");
	assert_unwritten(f, "op", before);
}

static void what_this_device_lacks_is_named(void **state)
{
	struct fixture *f = *state;

	write_file(f->usr, "op.conf", TRUSTED_CONF);
	start(f);
	assert_too_low(f, "; this kernel has no trusted keys, and there is no TPM; way out");
	have(f, false, true);
	start(f);
	assert_too_low(f, "; this kernel has no trusted keys; way out");
}

static void without_a_tpm_it_is_named(void **state)
{
	struct fixture *f = *state;

	write_file(f->usr, "op.conf", TRUSTED_CONF);
	have(f, true, false);
	start(f);
	assert_too_low(f, "; there is no TPM; way out");
	write_file(f->path, "dmaccd.conf", "[Agent]\nMinimumMaster=tpm2\n");
	write_file(f->usr, "op.conf", CONF);
	start(f);
	assert_too_low(f, "; there is no TPM; way out");
}

static void where_nothing_is_missing_the_root_was_made_so(void **state)
{
	struct fixture *f = *state;

	write_file(f->usr, "op.conf", TRUSTED_CONF);
	have(f, true, true);
	start(f);
	assert_too_low(f, "nothing that it takes is missing: the root was made so");
}

static void the_master_of_a_wrapped_root_can_be_asked_for(void **state)
{
	static const struct {
		const char *minimum;
		enum dmacc_master_source good, bad;
		const char *reason;
	} cases[] = {
		{ "tpm2", DMACC_MASTER_CREDENTIAL_TPM2, DMACC_MASTER_CREDENTIAL_HOST,
		  "a master that the TPM keeps, and this device's root is wrapped with a master under "
		  "the host's key" },
		{ "tpm2", DMACC_MASTER_CREDENTIAL_TPM2, DMACC_MASTER_FILE, "in a plain file" },
		{ "host", DMACC_MASTER_CREDENTIAL_HOST, DMACC_MASTER_FILE,
		  "a master in a credential at least" },
		{ "host", DMACC_MASTER_CREDENTIAL_TPM2, DMACC_MASTER_NONE, "of which nobody said" },
		{ "file", DMACC_MASTER_FILE, DMACC_MASTER_NONE,
		  "a master in a file at least, and this device's root is wrapped with a master of "
		  "which nobody said" },
	};
	struct fixture *f = *state;
	char text[64];
	size_t i;

	write_file(f->usr, "op.conf", CONF);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "[Agent]\nMinimumMaster=%s\n", cases[i].minimum);
		write_file(f->path, "dmaccd.conf", text);
		kernel_double.rung = DMACC_RUNG_WRAPPED;
		kernel_double.master_source = cases[i].good;
		start(f);
		assert_state(f, "op", "ready", "");
		kernel_double.master_source = cases[i].bad;
		start(f);
		assert_too_low(f, cases[i].reason);
		/* a root of the better rung has no master */
		kernel_double.rung = DMACC_RUNG_TRUSTED;
		kernel_double.master_source = DMACC_MASTER_NONE;
		start(f);
		assert_state(f, "op", "ready", "");
	}
}

static void the_higher_of_both_holds(void **state)
{
	struct fixture *f = *state;

	write_file(f->usr, "op.conf", CONF "[Account]\nMinimumRung=wrapped\n");
	write_file(f->path, "dmaccd.conf", "[Agent]\nMinimumRung=trusted\n");
	start(f);
	assert_too_low(f, "dmaccd.conf asks for a root of rung trusted");
	write_file(f->usr, "op.conf", TRUSTED_CONF);
	write_file(f->path, "dmaccd.conf", "[Agent]\nMinimumRung=wrapped\n");
	start(f);
	assert_too_low(f, "its template asks for a root of rung trusted");
}

static void assert_config(struct fixture *f, const char *text, int wanted, const char *sentence)
{
	char said[CONFIG_SENTENCE_SIZE] = "";
	struct config config;

	write_file(f->path, "dmaccd.conf", text);
	assert_int_equal(config_read(f->config, &config, said), wanted);
	assert_string_equal(said, sentence);
}

static void what_is_not_understood_in_the_configuration_is_named_with_its_line(void **state)
{
	char text[700] = "[Agent]\n# ";
	struct fixture *f = *state;

	assert_config(f, "", 0, "");
	assert_config(f, "# nothing\n; at all\n[Agent]\n", 0, "");
	assert_config(f, "[Agent]\nMinimumRung = wrapped\n\nMinimumMaster=file\n", 0, "");
	assert_config(f, "[Agent]\nMinimumRing=trusted\n", -EINVAL,
		      "line 2: there is no key MinimumRing in a section [Agent]");
	assert_config(f, "\n[Other]\nMinimumRung=trusted\n", -EINVAL,
		      "line 3: there is no key MinimumRung in a section [Other]");
	assert_config(f, "MinimumRung=trusted\n", -EINVAL,
		      "line 1: there is no key MinimumRung in a section []");
	assert_config(f, "[Agent]\nMinimumRung=best\nMinimumRing=x\n", -EINVAL,
		      "line 2: MinimumRung: it is not trusted or wrapped");
	assert_config(f, "[Agent]\nMinimumRung=\n", -EINVAL,
		      "line 2: MinimumRung: it is not trusted or wrapped");
	assert_config(f, "[Agent]\nMinimumMaster=tpm\n", -EINVAL,
		      "line 2: MinimumMaster: it is not tpm2, host or file");
	assert_config(f, "[Agent]\nMinimumRung=trusted\nMinimumRung=wrapped\n", -EINVAL,
		      "line 3: MinimumRung: it is there twice");
	assert_config(f, "[Agent]\nMinimumRung=trusted\n wrapped\n", -EINVAL,
		      "line 3: MinimumRung: it is there twice");
	assert_config(f, "[Agent]\nnonsense\nMinimumRing=x\n", -EINVAL,
		      "line 2: it is neither [Section] nor Key=Value");
	memset(text + 10, 'x', 600);
	strcpy(text + 610, "\nMinimumRing=x\n");
	assert_config(f, text, -EINVAL, "line 3: there is no key MinimumRing in a section [Agent]");
}

static void a_configuration_that_is_not_there_asks_nothing_and_one_that_is_no_file_is_an_error(void **state)
{
	struct config config = { .minimum.rung = DMACC_RUNG_TRUSTED };
	char said[CONFIG_SENTENCE_SIZE];
	struct fixture *f = *state;

	assert_int_equal(config_read(f->config, &config, said), 0);
	assert_int_equal(config.minimum.rung, DMACC_RUNG_NONE);
	assert_int_equal(config_read(f->path, &config, said), -EINVAL);
}

static void a_configuration_that_is_broken_later_leaves_in_force_what_was_asked(void **state)
{
	struct fixture *f = *state;

	write_file(f->usr, "op.conf", CONF);
	write_file(f->path, "dmaccd.conf", "[Agent]\nMinimumRung=trusted\n");
	start(f);
	write_file(f->path, "dmaccd.conf", "[Agent]\nMinimumRung=trustet\n");
	assert_int_equal(agent_configure(&f->agent), -EINVAL);
	assert_int_equal(agent_refresh(&f->agent, true), 0);
	assert_too_low(f, "dmaccd.conf asks for a root of rung trusted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(below_its_templates_rung_nothing_is_made_and_nothing_served),
		TEST(what_is_stored_is_kept_untouched_and_served_when_less_is_asked),
		TEST(what_this_device_lacks_is_named),
		TEST(without_a_tpm_it_is_named),
		TEST(where_nothing_is_missing_the_root_was_made_so),
		TEST(the_master_of_a_wrapped_root_can_be_asked_for),
		TEST(the_higher_of_both_holds),
		TEST(what_is_not_understood_in_the_configuration_is_named_with_its_line),
		TEST(a_configuration_that_is_not_there_asks_nothing_and_one_that_is_no_file_is_an_error),
		TEST(a_configuration_that_is_broken_later_leaves_in_force_what_was_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
