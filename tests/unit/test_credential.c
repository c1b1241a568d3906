// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is told of an encrypted credential. The texts are the beginnings of credentials that systemd made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "credential.h"

static enum credential_kind kind_of(const char *text)
{
	return credential_kind_of(text, strlen(text));
}

static void kinds_are_told_by_their_first_bytes(void **state)
{
	(void)state;
	assert_int_equal(kind_of("Whxqht+dQJax1aZeCGLxmiAAAAABAAAADAAAABAAAAC"), CREDENTIAL_HOST);
	assert_int_equal(kind_of("DHzAexF2RZGcSwvqCLwg/iAAAAABAAAADAAAABAAAAC"), CREDENTIAL_TPM2);
	assert_int_equal(kind_of("k6iUCUh0RJCQyvL8k8q1UyAAAAABAAAADAAAABAAAAC"), CREDENTIAL_TPM2);
	/* a key of zeros, for where there is no TPM */
	assert_int_equal(kind_of("BYRp2vb1QySABUnaD46i+yAAAAABAAAADAAAABAAAAC"), CREDENTIAL_UNKNOWN);
}

static void line_ends_do_not_matter(void **state)
{
	(void)state;
	assert_int_equal(kind_of("\nWhxqht+dQJ\nax1aZeCGLxmiAAAAABAAAADAAAABAAAAC\n"), CREDENTIAL_HOST);
}

static void damage_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(kind_of(""), CREDENTIAL_UNKNOWN);
	assert_int_equal(kind_of("Whxqht+dQJax1aZeCGLxmi"), CREDENTIAL_UNKNOWN);
	assert_int_equal(kind_of("Xhxqht+dQJax1aZeCGLxmiAAAAABAAAADAAAABAAAAC"), CREDENTIAL_UNKNOWN);
	assert_int_equal(kind_of("!hxqht+dQJax1aZeCGLxmiAAAAABAAAADAAAABAAAAC"), CREDENTIAL_UNKNOWN);
	assert_int_equal(kind_of("the whole file is another thing"), CREDENTIAL_UNKNOWN);
}

static void unknown_counts_as_the_hosts(void **state)
{
	(void)state;
	assert_int_equal(credential_source(CREDENTIAL_UNKNOWN), DMACC_MASTER_CREDENTIAL_HOST);
	assert_int_equal(credential_source(CREDENTIAL_HOST), DMACC_MASTER_CREDENTIAL_HOST);
	assert_int_equal(credential_source(CREDENTIAL_TPM2), DMACC_MASTER_CREDENTIAL_TPM2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_told_by_their_first_bytes),
		cmocka_unit_test(line_ends_do_not_matter),
		cmocka_unit_test(damage_is_unknown),
		cmocka_unit_test(unknown_counts_as_the_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
