// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * systemd-creds as it is run: the real one, with a key that neither a TPM nor a host has, and scripts in
 * its place for what the real one does not do when it is asked.
 */
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

#include "creds.h"

static const uint8_t master[DMACC_MASTER_LEN] = "thirty-two bytes, and any others";

/* What stands in the place of systemd-creds, and a file beside it */
static char folder[32], program[64], mark[64], path[64], *real_path;

static void put_program(const char *script)
{
	FILE *file = fopen(program, "w");

	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", script);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(program, 0755), 0);
	assert_int_equal(setenv("PATH", path, 1), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test-creds-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(program, sizeof(program), "%s/systemd-creds", folder);
	snprintf(mark, sizeof(mark), "%s/mark", folder);
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", folder);
	real_path = strdup(getenv("PATH"));
	return real_path ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	setenv("PATH", real_path, 1);
	free(real_path);
	unlink(program);
	unlink(mark);
	return rmdir(folder);
}

static int decrypt(const char *script, uint8_t ret[DMACC_MASTER_LEN])
{
	const struct creds_source source = { .path = "/some/credential", .quiet = true };

	put_program(script);
	return creds_decrypt(&source, ret);
}

static void what_it_makes_it_reads(void **state)
{
	struct creds_source source = { 0 };
	uint8_t plain[DMACC_MASTER_LEN];
	static uint8_t sealed[CREDS_MAX];
	size_t len;

	(void)state;
	assert_int_equal(creds_encrypt(master, "--with-key=tpm2-absent", NULL, sealed, &len), 0);
	source.text = sealed;
	source.len = len;
	assert_int_equal(creds_decrypt(&source, plain), 0);
	assert_memory_equal(plain, master, sizeof(master));
}

static void what_was_changed_is_not_decrypted(void **state)
{
	struct creds_source source = { .quiet = true };
	uint8_t plain[DMACC_MASTER_LEN] = { 0 };
	static const uint8_t untouched[DMACC_MASTER_LEN];
	static uint8_t sealed[CREDS_MAX];
	size_t len;

	(void)state;
	assert_int_equal(creds_encrypt(master, "--with-key=tpm2-absent", NULL, sealed, &len), 0);
	sealed[len / 2] = sealed[len / 2] == 'A' ? 'B' : 'A';
	source.text = sealed;
	source.len = len;
	assert_int_equal(creds_decrypt(&source, plain), -EIO);
	assert_memory_equal(plain, untouched, sizeof(plain));
}

static void another_length_is_refused(void **state)
{
	uint8_t plain[DMACC_MASTER_LEN];

	(void)state;
	assert_int_equal(decrypt("printf %031d 0", plain), -EBADMSG);
	assert_int_equal(decrypt("printf %033d 0", plain), -EBADMSG);
	assert_int_equal(decrypt("printf %0999999d 0", plain), -EBADMSG);
	assert_int_equal(decrypt("true", plain), -EBADMSG);
	assert_int_equal(decrypt("printf %032d 0", plain), 0);
	assert_memory_equal(plain, "00000000000000000000000000000000", sizeof(plain));
}

static void what_fails_is_not_believed(void **state)
{
	uint8_t plain[DMACC_MASTER_LEN];

	(void)state;
	assert_int_equal(decrypt("printf %032d 0; exit 1", plain), -EIO);
	assert_int_equal(decrypt("printf %032d 0; kill -KILL $$", plain), -EIO);
}

static void that_there_is_none_is_told(void **state)
{
	const struct creds_source source = { .path = "/some/credential" };
	uint8_t plain[DMACC_MASTER_LEN];
	size_t len;

	(void)state;
	assert_int_equal(setenv("PATH", folder, 1), 0);
	assert_int_equal(creds_decrypt(&source, plain), -ENOENT);
	assert_int_equal(creds_encrypt(master, "--with-key=host", NULL, plain, &len), -ENOENT);
}

static void leave_mark(void *data)
{
	close(open(data, O_WRONLY | O_CREAT, 0600));
}

static void the_plain_text_is_told_of_before_it_has_ended(void **state)
{
	struct creds_source source = { .path = "/some/credential", .arrived = leave_mark, .data = mark };
	uint8_t plain[DMACC_MASTER_LEN];

	(void)state;
	/* it succeeds when it sees the mark, and gives up after a minute */
	put_program("printf %032d 0; for n in $(seq 600); do [ ! -e ${0%/*}/mark ] || exit 0; "
		    "sleep 0.1; done; exit 1");
	assert_int_equal(creds_decrypt(&source, plain), 0);
}

static void that_it_failed_is_told_of_too(void **state)
{
	struct creds_source source = { .path = "/some/credential", .arrived = leave_mark, .data = mark };
	uint8_t plain[DMACC_MASTER_LEN];

	(void)state;
	put_program("exit 1");
	assert_int_equal(creds_decrypt(&source, plain), -EIO);
	assert_int_equal(access(mark, F_OK), 0);
}

static void it_is_given_what_it_needs_and_no_more(void **state)
{
	uint8_t plain[DMACC_MASTER_LEN];
	static uint8_t sealed[CREDS_MAX];
	size_t len;

	(void)state;
	assert_int_equal(setenv("SYSTEMD_CREDENTIAL_SECRET", "/elsewhere", 1), 0);
	assert_int_equal(decrypt("[ \"$*\" = 'decrypt --name=dmacc.master /some/credential -' ] && "
				 "[ -z \"$SYSTEMD_CREDENTIAL_SECRET\" ] && printf %032d 0", plain), 0);
	unsetenv("SYSTEMD_CREDENTIAL_SECRET");
	put_program("echo \"$*\"; cat");
	assert_int_equal(creds_encrypt(master, "--with-key=tpm2", "--tpm2-pcrs=16", sealed, &len), 0);
	assert_int_equal(len, strlen("encrypt --name=dmacc.master --with-key=tpm2 --tpm2-pcrs=16 - -\n") +
			 sizeof(master));
	assert_memory_equal(sealed + len - sizeof(master), master, sizeof(master));
	assert_memory_equal(sealed, "encrypt --name=dmacc.master --with-key=tpm2 --tpm2-pcrs=16 - -\n",
			    len - sizeof(master));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_it_makes_it_reads),
		TEST(what_was_changed_is_not_decrypted),
		TEST(another_length_is_refused),
		TEST(what_fails_is_not_believed),
		TEST(that_there_is_none_is_told),
		TEST(the_plain_text_is_told_of_before_it_has_ended),
		TEST(that_it_failed_is_told_of_too),
		TEST(it_is_given_what_it_needs_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
