// SPDX-License-Identifier: LGPL-2.1-or-later
/* The named states, what the kernel's refusals come to, and the report of the unsealing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unseal_report.h"

static const uint8_t root_id[DMACC_ROOT_ID_LEN] = "rootroot";

static void each_trouble_has_a_word_of_its_own(void **state)
{
	enum trouble found;
	int i;

	(void)state;
	for (i = 0; i < TROUBLE_COUNT; i++) {
		const char *word = trouble_word((enum trouble)i);

		assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz-"), strlen(word));
		assert_true(trouble_from_word(word, &found));
		assert_int_equal(found, i);
	}
	assert_false(trouble_from_word("well", &found));
	assert_string_equal(trouble_word(TROUBLE_NONE), "ok");
}

static void each_trouble_says_what_it_means_what_is_kept_and_one_way_out(void **state)
{
	char way_out[TROUBLE_TEXT_SIZE], text[TROUBLE_TEXT_SIZE], detail[512];
	int i;

	(void)state;
	memset(detail, 'x', sizeof(detail) - 1);
	detail[sizeof(detail) - 1] = '\0';
	for (i = TROUBLE_NONE + 1; i < TROUBLE_COUNT; i++) {
		enum trouble trouble = (enum trouble)i;

		assert_true(trouble_means(trouble)[0] && trouble_kept(trouble)[0]);
		assert_true(trouble_command(trouble)[0]);
		trouble_way_out(trouble, way_out, sizeof(way_out));
		assert_non_null(strstr(way_out, trouble_command(trouble)));
		trouble_explain(trouble, detail, text, sizeof(text));
		assert_true(strlen(text) < sizeof(text) - 1);
		assert_non_null(strstr(text, way_out));
		assert_non_null(strstr(text, detail));
	}
	trouble_explain(TROUBLE_NONE, NULL, text, sizeof(text));
	assert_string_equal(text, "");
}

static void what_the_kernel_says_of_its_root_has_a_trouble(void **state)
{
	static const enum trouble of_reason[] = {
		[DMACC_REASON_NONE] = TROUBLE_UNSEAL_FAILED,
		[DMACC_REASON_NO_KEY_TYPE] = TROUBLE_NO_KEY_TYPE,
		[DMACC_REASON_NO_TPM] = TROUBLE_NO_TPM,
		[DMACC_REASON_NO_PARENT] = TROUBLE_NO_PARENT,
		[DMACC_REASON_REFUSED] = TROUBLE_ROOT_REFUSED,
		[DMACC_REASON_LOCKED_OUT] = TROUBLE_TPM_LOCKED_OUT,
	};
	struct dmacc_kernel_status status = { .root_state = DMACC_ROOT_OPEN };
	size_t i;

	(void)state;
	assert_int_equal(trouble_of_status(&status), TROUBLE_NONE);
	status.root_state = DMACC_ROOT_ABSENT;
	assert_int_equal(trouble_of_status(&status), TROUBLE_NOT_UNSEALED);
	status.root_state = DMACC_ROOT_NEEDS_LOAD;
	assert_int_equal(trouble_of_status(&status), TROUBLE_NEEDS_LOAD);
	status.root_state = DMACC_ROOT_SEALED_UNAVAILABLE;
	for (i = 0; i < sizeof(of_reason) / sizeof(of_reason[0]); i++) {
		status.root_reason = (enum dmacc_root_reason)i;
		assert_int_equal(trouble_of_status(&status), of_reason[i]);
		assert_int_equal(trouble_of_root(-EIO, &status), of_reason[i]);
	}
}

static void a_refused_root_has_a_trouble(void **state)
{
	struct dmacc_kernel_status open = { .root_state = DMACC_ROOT_OPEN };
	struct dmacc_kernel_status refused = { .root_state = DMACC_ROOT_SEALED_UNAVAILABLE,
					       .root_reason = DMACC_REASON_REFUSED };

	(void)state;
	assert_int_equal(trouble_of_root(0, &open), TROUBLE_NONE);
	assert_int_equal(trouble_of_root(-EEXIST, &open), TROUBLE_OTHER_ROOT);
	assert_int_equal(trouble_of_root(-EKEYREJECTED, &refused), TROUBLE_ROOT_REFUSED);
	assert_int_equal(trouble_of_root(-EINVAL, &refused), TROUBLE_FACTORY_STORE_DAMAGED);
	assert_int_equal(trouble_of_root(-EOPNOTSUPP, &refused), TROUBLE_FORMAT_UNKNOWN);
	assert_int_equal(trouble_of_root(-EPERM, &open), TROUBLE_UNSEAL_FAILED);
}

static void a_refused_key_has_a_trouble(void **state)
{
	struct dmacc_slot_blob blob = { .name_len = 5, .name = "alpha" };

	(void)state;
	memcpy(blob.magic, DMACC_SLOT_MAGIC, sizeof(blob.magic));
	assert_int_equal(trouble_of_slot(-EKEYREJECTED, &blob, sizeof(blob), root_id),
			 TROUBLE_SLOT_OTHER_ROOT);
	memcpy(blob.root_id, root_id, sizeof(root_id));
	assert_int_equal(trouble_of_slot(-EKEYREJECTED, &blob, sizeof(blob), root_id),
			 TROUBLE_OTHER_DEVICE);
	assert_int_equal(trouble_of_slot(-EBADMSG, &blob, sizeof(blob), root_id), TROUBLE_SLOT_DAMAGED);
	assert_int_equal(trouble_of_slot(-ESTALE, &blob, sizeof(blob), root_id), TROUBLE_SLOT_OLDER);
	assert_int_equal(trouble_of_slot(0, &blob, sizeof(blob), root_id), TROUBLE_NONE);
	assert_int_equal(trouble_of_slot_file(&blob, sizeof(blob), "alpha"), TROUBLE_NONE);
	assert_int_equal(trouble_of_slot_file(&blob, sizeof(blob), "beta"), TROUBLE_SLOT_MISPLACED);
	assert_int_equal(trouble_of_slot_file(&blob, sizeof(blob) - 1, "alpha"), TROUBLE_SLOT_DAMAGED);
	blob.magic[0] ^= 1;
	assert_int_equal(trouble_of_slot_file(&blob, sizeof(blob), "beta"), TROUBLE_SLOT_DAMAGED);
}

static int setup(void **state)
{
	char *path = strdup("/tmp/test_trouble.XXXXXX");

	*state = path;
	return path && mkdtemp(path) ? 0 : -1;
}

static char *file_of(const char *folder)
{
	char *path;

	assert_true(asprintf(&path, "%s/report", folder) > 0);
	return path;
}

static int teardown(void **state)
{
	char *path = file_of(*state);

	(void)unlink(path);
	free(path);
	(void)rmdir(*state);
	free(*state);
	return 0;
}

static void a_report_reads_as_it_was_written_and_everybody_may_read_it(void **state)
{
	struct unseal_report report = { 0 }, read = { 0 };
	char *path = file_of(*state);
	struct stat st;

	unseal_report_root(&report, TROUBLE_NONE, NULL);
	assert_int_equal(unseal_report_slot(&report, "alpha", TROUBLE_NONE, ""), 0);
	assert_int_equal(unseal_report_slot(&report, "b.-_9", TROUBLE_SLOT_DAMAGED,
					    "the sealed\n\x1b[31m key was changed"), 0);
	assert_int_equal(unseal_report_write(&report, *state), 0);
	assert_int_equal(unseal_report_read(*state, &read), 0);
	assert_int_equal(read.root.trouble, TROUBLE_NONE);
	assert_string_equal(read.root.sentence, "");
	assert_int_equal(read.slots_len, 2);
	assert_string_equal(read.slots[0].name, "alpha");
	assert_int_equal(read.slots[0].verdict.trouble, TROUBLE_NONE);
	assert_string_equal(read.slots[1].name, "b.-_9");
	assert_int_equal(read.slots[1].verdict.trouble, TROUBLE_SLOT_DAMAGED);
	assert_string_equal(read.slots[1].verdict.sentence, "the sealed[31m key was changed");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	free(path);
	unseal_report_done(&report);
	unseal_report_done(&read);
}

static void every_trouble_goes_through_a_report(void **state)
{
	struct unseal_report report = { 0 }, read;
	int i;

	for (i = 0; i < TROUBLE_COUNT; i++) {
		unseal_report_root(&report, (enum trouble)i, "why");
		assert_int_equal(unseal_report_write(&report, *state), 0);
		assert_int_equal(unseal_report_read(*state, &read), 0);
		assert_int_equal(read.root.trouble, i);
		unseal_report_done(&read);
	}
}

static void write_raw(const char *folder, const char *text, size_t len)
{
	char *path = file_of(folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
	free(path);
}

static void a_report_that_is_none_is_refused(void **state)
{
	static const char * const bad[] = {
		"", "\n", "dmacc-unseal-report 2\nroot ok \n", "dmacc-unseal-report 1\n",
		"dmacc-unseal-report 1\nroot ok ", "dmacc-unseal-report 1\nroot\n",
		"dmacc-unseal-report 1\nroot ok \nroot ok \n", "dmacc-unseal-report 1\nroot ok \nslot a\n",
		"dmacc-unseal-report 1\nroot ok \nslot  ok \n", "dmacc-unseal-report 1\nslot a ok \n",
		"dmacc-unseal-report 1\nroot ok \nslot abcdefghijklmnopqrstuvwxyz0123456 ok \n",
	};
	struct unseal_report read;
	size_t i;

	assert_int_equal(unseal_report_read(*state, &read), -ENOENT);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_raw(*state, bad[i], strlen(bad[i]));
		assert_int_equal(unseal_report_read(*state, &read), -EBADMSG);
	}
	write_raw(*state, "dmacc-unseal-report 1\nroot ok \0\n", 33);
	assert_int_equal(unseal_report_read(*state, &read), -EBADMSG);
}

static void a_word_of_a_newer_version_keeps_its_sentence(void **state)
{
	static const char text[] = "dmacc-unseal-report 1\nroot tpm-melted it is hot\n";
	struct unseal_report read;

	write_raw(*state, text, sizeof(text) - 1);
	assert_int_equal(unseal_report_read(*state, &read), 0);
	assert_int_equal(read.root.trouble, TROUBLE_UNSEAL_FAILED);
	assert_string_equal(read.root.sentence, "it is hot");
	unseal_report_done(&read);
}

static void the_report_explains_a_root_that_is_not_open_and_no_other(void **state)
{
	struct dmacc_kernel_status status = { .root_state = DMACC_ROOT_OPEN };
	struct unseal_report report = { 0 };
	const char *sentence;

	(void)state;
	unseal_report_root(&report, TROUBLE_MASTER_MISSING, "no credential");
	assert_int_equal(unseal_report_judge(&report, &status, &sentence), TROUBLE_NONE);
	assert_string_equal(sentence, "");
	status.root_state = DMACC_ROOT_ABSENT;
	assert_int_equal(unseal_report_judge(&report, &status, &sentence), TROUBLE_MASTER_MISSING);
	assert_string_equal(sentence, "no credential");
	assert_int_equal(unseal_report_judge(NULL, &status, &sentence), TROUBLE_NOT_UNSEALED);
	/* it was opened, and wiped since */
	unseal_report_root(&report, TROUBLE_NONE, NULL);
	status.root_state = DMACC_ROOT_NEEDS_LOAD;
	assert_int_equal(unseal_report_judge(&report, &status, &sentence), TROUBLE_NEEDS_LOAD);
}

#define REPORT_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_trouble_has_a_word_of_its_own),
		cmocka_unit_test(each_trouble_says_what_it_means_what_is_kept_and_one_way_out),
		cmocka_unit_test(what_the_kernel_says_of_its_root_has_a_trouble),
		cmocka_unit_test(a_refused_root_has_a_trouble),
		cmocka_unit_test(a_refused_key_has_a_trouble),
		REPORT_TEST(a_report_reads_as_it_was_written_and_everybody_may_read_it),
		REPORT_TEST(every_trouble_goes_through_a_report),
		REPORT_TEST(a_report_that_is_none_is_refused),
		REPORT_TEST(a_word_of_a_newer_version_keeps_its_sentence),
		cmocka_unit_test(the_report_explains_a_root_that_is_not_open_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
