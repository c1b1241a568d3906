// SPDX-License-Identifier: LGPL-2.1-or-later
/* Credentials of OMA DM messages. test_digests.py compares them with the reference at random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "dmacc.h"

/* Printed in the standard, OMA-TS-DM_Security */
static const struct dmacc_login printed = { "Bruce2", "OhBehave", "Nonce", 5 };

static void the_printed_example_of_auth_basic(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(dmacc_auth_basic("Bruce2", "OhBehave", &text), 0);
	assert_string_equal(text, "QnJ1Y2UyOk9oQmVoYXZl");
	free(text);
}

static void the_printed_example_of_auth_md5(void **state)
{
	char text[DMACC_DIGEST_TEXT_SIZE];

	(void)state;
	assert_int_equal(dmacc_auth_md5(&printed, text), 0);
	assert_string_equal(text, "Zz6EivR3yeaaENcRN6lpAQ==");
}

/* python3: b64(md5(b64(md5(b"Bruce2:OhBehave")) + b":Nonce:" + b64(md5(b"<SyncML/>")))) */
static void auth_mac_and_notification_are_over_the_digest_of_the_content(void **state)
{
	static const uint8_t raw[DMACC_DIGEST_SIZE] = {
		0xba, 0xb7, 0x42, 0x79, 0x2d, 0xc9, 0x52, 0x68,
		0xc5, 0x82, 0x2f, 0x12, 0x5f, 0x7c, 0x1e, 0x6f,
	};
	char body[DMACC_DIGEST_TEXT_SIZE], text[DMACC_DIGEST_TEXT_SIZE];
	uint8_t digest[DMACC_DIGEST_SIZE];

	(void)state;
	assert_int_equal(dmacc_auth_body("<SyncML/>", 9, body), 0);
	assert_int_equal(dmacc_auth_mac(&printed, body, text), 0);
	assert_string_equal(text, "urdCeS3JUmjFgi8SX3webw==");
	assert_int_equal(dmacc_auth_notification(&printed, body, digest), 0);
	assert_memory_equal(digest, raw, sizeof(raw));
}

static void a_nonce_goes_in_as_raw_bytes_zeros_and_all(void **state)
{
	const struct dmacc_login with_zero = { "u", "p", "a\0b", 3 }, without = { "u", "p", "a", 1 };
	char one[DMACC_DIGEST_TEXT_SIZE], other[DMACC_DIGEST_TEXT_SIZE];

	(void)state;
	assert_int_equal(dmacc_auth_md5(&with_zero, one), 0);
	assert_int_equal(dmacc_auth_md5(&without, other), 0);
	assert_string_not_equal(one, other);
}

static void types_have_the_words_of_the_standard_in_every_spelling(void **state)
{
	(void)state;
	assert_int_equal(dmacc_auth_named("syncml:auth-basic"), DMACC_AUTH_BASIC);
	assert_int_equal(dmacc_auth_named("DIGEST"), DMACC_AUTH_MD5);
	assert_int_equal(dmacc_auth_named("auth-mac"), DMACC_AUTH_MAC);
	assert_int_equal(dmacc_auth_named(""), 0);
	assert_int_equal(dmacc_auth_named("syncml:auth-sha"), 0);
	assert_string_equal(dmacc_auth_word(DMACC_AUTH_MAC), "syncml:auth-MAC");
	assert_true(DMACC_AUTH_BASIC < DMACC_AUTH_MD5 && DMACC_AUTH_MD5 < DMACC_AUTH_MAC);
}

static void a_header_is_read_as_it_was_written(void **state)
{
	struct dmacc_mac_header h;
	char *text;

	(void)state;
	assert_int_equal(dmacc_mac_header_write("a \"b\" \\c", "Zz6EivR3yeaaENcRN6lpAQ==", &text), 0);
	assert_string_equal(text, "algorithm=MD5, username=\"a \\\"b\\\" \\\\c\", "
			    "mac=Zz6EivR3yeaaENcRN6lpAQ==");
	assert_int_equal(dmacc_mac_header_read(text, &h), 0);
	assert_string_equal(h.username, "a \"b\" \\c");
	assert_string_equal(h.mac, "Zz6EivR3yeaaENcRN6lpAQ==");
	free(text);
}

static void a_header_is_read_as_others_write_it(void **state)
{
	static const char *const good[] = {
		"mac=abc", "MAC=abc", "mac=\"abc\"", "algorithm=md5,mac=abc,username=\"x\"",
		" algorithm = MD5 ,\tusername=x , mac=abc ", "realm=\"r, s\", mac=abc", "mac=abc, qop=1",
	};
	struct dmacc_mac_header h;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (dmacc_mac_header_read(good[i], &h))
			fail_msg("refused: %s", good[i]);
		assert_string_equal(h.mac, "abc");
	}
}

static void what_is_no_header_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "mac", "mac=", "username=\"x\"", "mac=abc,", "mac=abc mac=abc", "mac=a, mac=b",
		"username=\"x, mac=abc", "mac=\"abc\"x", "=abc", ",mac=abc", "mac=a\nb",
		"mac=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	struct dmacc_mac_header h = { .mac = "untouched" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (dmacc_mac_header_read(bad[i], &h) != -EINVAL)
			fail_msg("not refused: %s", bad[i]);
	assert_int_equal(dmacc_mac_header_read("algorithm=SHA, mac=abc", &h), -EPROTONOSUPPORT);
	assert_string_equal(h.mac, "untouched");
}

/* 10 bits version, 2 mode, 1 initiator, 27 for later; 16 session; 8 length; server; the rest */
static const uint8_t message[] = "0123456789abcdef"
	"\x03\x28\x00\x00\x00\x12\x34\x0e" "com.example.dm" "more";

static void a_notification_is_taken_apart(void **state)
{
	struct dmacc_notification n;

	(void)state;
	assert_int_equal(dmacc_notification_read(message, sizeof(message) - 1, &n), 0);
	assert_ptr_equal(n.digest, message);
	assert_ptr_equal(n.trigger, message + 16);
	assert_int_equal(n.trigger_len, sizeof(message) - 1 - 16);
	assert_int_equal(n.version, 12);
	assert_int_equal(n.ui_mode, 2);
	assert_true(n.server_initiated);
	assert_int_equal(n.session_id, 0x1234);
	assert_string_equal(n.server_id, "com.example.dm");
}

static void what_is_no_notification_is_refused(void **state)
{
	struct dmacc_notification n;
	uint8_t copy[sizeof(message)];
	size_t len;

	(void)state;
	for (len = 0; len < 16 + 8 + 14; len++)
		assert_int_equal(dmacc_notification_read(message, len, &n), -EINVAL);
	memcpy(copy, message, sizeof(copy));
	copy[23] = 0;
	assert_int_equal(dmacc_notification_read(copy, sizeof(copy) - 1, &n), -EINVAL);
	copy[23] = 14;
	copy[25] = '\0';
	assert_int_equal(dmacc_notification_read(copy, sizeof(copy) - 1, &n), -EINVAL);
}

static void credentials_are_equal_only_whole(void **state)
{
	(void)state;
	assert_true(dmacc_auth_equal("abc", 3, "abc", 3));
	assert_false(dmacc_auth_equal("abc", 3, "abd", 3));
	assert_false(dmacc_auth_equal("abc", 3, "ab", 2));
	assert_true(dmacc_auth_equal("", 0, "", 0));
}

/* As where only what FIPS allows is fetched */
static void without_md5_it_is_said(void **state)
{
	char text[DMACC_DIGEST_TEXT_SIZE] = "untouched";

	(void)state;
	assert_int_equal(EVP_set_default_properties(NULL, "fips=yes"), 1);
	assert_int_equal(dmacc_auth_md5(&printed, text), -EOPNOTSUPP);
	assert_int_equal(dmacc_auth_body("", 0, text), -EOPNOTSUPP);
	assert_string_equal(text, "untouched");
	assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
	assert_int_equal(dmacc_auth_md5(&printed, text), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_printed_example_of_auth_basic),
		cmocka_unit_test(the_printed_example_of_auth_md5),
		cmocka_unit_test(auth_mac_and_notification_are_over_the_digest_of_the_content),
		cmocka_unit_test(a_nonce_goes_in_as_raw_bytes_zeros_and_all),
		cmocka_unit_test(types_have_the_words_of_the_standard_in_every_spelling),
		cmocka_unit_test(a_header_is_read_as_it_was_written),
		cmocka_unit_test(a_header_is_read_as_others_write_it),
		cmocka_unit_test(what_is_no_header_is_refused),
		cmocka_unit_test(a_notification_is_taken_apart),
		cmocka_unit_test(what_is_no_notification_is_refused),
		cmocka_unit_test(credentials_are_equal_only_whole),
		cmocka_unit_test(without_md5_it_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
