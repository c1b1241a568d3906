// SPDX-License-Identifier: LGPL-2.1-or-later
/* The thirteen values of an account. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "dmacc.h"

static const struct dmacc_credentials derived = {
	.user_name = "HQU3K2QFHADCEVTNJZ4OUFUI",
	.server_pw = "VVWHHJPJY3VV7GRTDCYZB5W7PR4AZLSO",
	.client_pw = "LX37WNX7VWGHGEZJ377UIPJCX4RCYCPK",
	.server_nonce = { 0, 1, 2 },
	.client_nonce = { 9, 0, 9 },
};

static void assert_bytes(const struct dmacc_account *a, enum dmacc_node node, const void *bytes,
			 size_t expected)
{
	size_t len;
	const char *value = dmacc_account_get(a, node, &len);

	assert_non_null(value);
	assert_int_equal(len, expected);
	assert_memory_equal(value, bytes, len);
	assert_int_equal(value[len], 0);
}

static void assert_text(const struct dmacc_account *a, enum dmacc_node node, const char *text)
{
	assert_bytes(a, node, text, strlen(text));
}

static struct dmacc_account *assemble(const char *text, const struct dmacc_credentials *credentials)
{
	struct dmacc_template *t;
	struct dmacc_account *a;

	assert_int_equal(dmacc_template_new("operator", &t), 0);
	assert_int_equal(dmacc_template_read(t, text, strlen(text), 0, NULL), 0);
	assert_int_equal(dmacc_template_check(t, NULL), 0);
	assert_int_equal(dmacc_account_assemble(t, credentials, &a), 0);
	/* the account owns its bytes */
	dmacc_template_free(t);
	return a;
}

static void template_and_credentials_make_an_account(void **state)
{
	struct dmacc_account *a = assemble("[DMAcc]\nServerID=com.example.dm\nAddr=http://x/\n"
					   "PortNbr=80\nAuthPref=md5\n", &derived);
	size_t len;

	(void)state;
	assert_text(a, DMACC_NODE_X, "operator");
	assert_text(a, DMACC_NODE_SERVER_ID, "com.example.dm");
	assert_text(a, DMACC_NODE_ADDR, "http://x/");
	assert_text(a, DMACC_NODE_PORT_NBR, "80");
	assert_text(a, DMACC_NODE_AUTH_PREF, "syncml:auth-md5");
	assert_text(a, DMACC_NODE_USER_NAME, derived.user_name);
	assert_text(a, DMACC_NODE_SERVER_PW, derived.server_pw);
	assert_text(a, DMACC_NODE_CLIENT_PW, derived.client_pw);
	assert_bytes(a, DMACC_NODE_SERVER_NONCE, derived.server_nonce, DMACC_NONCE_SIZE);
	assert_bytes(a, DMACC_NODE_CLIENT_NONCE, derived.client_nonce, DMACC_NONCE_SIZE);
	assert_null(dmacc_account_get(a, DMACC_NODE_NAME, &len));
	assert_null(dmacc_account_get(a, DMACC_NODE_CON_REF, &len));
	dmacc_account_free(a);
}

static void nonces_of_the_template_come_before_the_derived_ones(void **state)
{
	struct dmacc_account *a = assemble("[DMAcc]\nServerID=x\nAddr=y\nServerNonce=AAEC\n",
					   &derived);

	(void)state;
	assert_bytes(a, DMACC_NODE_SERVER_NONCE, "\0\1\2", 3);
	assert_bytes(a, DMACC_NODE_CLIENT_NONCE, derived.client_nonce, DMACC_NONCE_SIZE);
	dmacc_account_free(a);
}

static void a_profile_without_nonces_makes_an_account_without_them(void **state)
{
	struct dmacc_credentials c = derived;
	struct dmacc_account *a;
	size_t len;

	(void)state;
	memset(c.server_nonce, 0, sizeof(c.server_nonce));
	memset(c.client_nonce, 0, sizeof(c.client_nonce));
	a = assemble("[DMAcc]\nServerID=x\nAddr=y\n", &c);
	assert_null(dmacc_account_get(a, DMACC_NODE_SERVER_NONCE, &len));
	assert_null(dmacc_account_get(a, DMACC_NODE_CLIENT_NONCE, &len));
	dmacc_account_free(a);
}

static void a_value_that_a_node_cannot_have_leaves_the_old_one(void **state)
{
	static const struct {
		enum dmacc_node node;
		const char *good, *kept, *bad;
	} cases[] = {
		{ DMACC_NODE_X, "x", "x", "a/b" },
		{ DMACC_NODE_X, "x", "x", "" },
		{ DMACC_NODE_ADDR_TYPE, "IPV4", "IPv4", "WSP" },
		{ DMACC_NODE_ADDR, "http://x/", "http://x/", "" },
		{ DMACC_NODE_PORT_NBR, "0", "0", "65536" },
		{ DMACC_NODE_SERVER_ID, "com.example", "com.example", "a*b" },
		{ DMACC_NODE_AUTH_PREF, "DIGEST", "syncml:auth-md5", "SECURID" },
		{ DMACC_NODE_NAME, "", "", "a\nb" },
		{ DMACC_NODE_CON_REF, "", "", "\xff" },
		{ DMACC_NODE_SERVER_PW, "pass word", "pass word", "" },
		{ DMACC_NODE_CLIENT_PW, "=&*+", "=&*+", "a\x7f" },
		{ DMACC_NODE_USER_NAME, "a", "a", "" },
	};
	struct dmacc_account *a;
	size_t i, len;

	(void)state;
	assert_int_equal(dmacc_account_new(&a), 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(dmacc_account_set(a, cases[i].node, cases[i].good,
						   strlen(cases[i].good)), 0);
		assert_int_equal(dmacc_account_set(a, cases[i].node, cases[i].bad,
						   strlen(cases[i].bad)), -EINVAL);
		assert_text(a, cases[i].node, cases[i].kept);
		assert_int_equal(dmacc_account_set(a, cases[i].node, NULL, 0), 0);
		assert_null(dmacc_account_get(a, cases[i].node, &len));
	}
	dmacc_account_free(a);
}

static void nonces_are_any_bytes_up_to_255(void **state)
{
	uint8_t bytes[256];
	struct dmacc_account *a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(dmacc_account_new(&a), 0);
	assert_int_equal(dmacc_account_set(a, DMACC_NODE_CLIENT_NONCE, bytes, 255), 0);
	assert_int_equal(dmacc_account_set(a, DMACC_NODE_CLIENT_NONCE, bytes, 256), -EINVAL);
	assert_int_equal(dmacc_account_set(a, DMACC_NODE_CLIENT_NONCE, bytes, 0), -EINVAL);
	assert_bytes(a, DMACC_NODE_CLIENT_NONCE, bytes, 255);
	dmacc_account_free(a);
}

static void no_node_has_no_value_and_no_word(void **state)
{
	struct dmacc_account *a;
	size_t len, i, k;

	(void)state;
	assert_int_equal(dmacc_account_new(&a), 0);
	assert_int_equal(dmacc_account_set(a, DMACC_NODES, "x", 1), -EINVAL);
	assert_null(dmacc_account_get(a, DMACC_NODES, &len));
	assert_string_equal(dmacc_node_word(DMACC_NODES), "unknown");
	for (i = 0; i < DMACC_NODES; i++)
		for (k = 0; k <= i; k++)
			assert_true(i == k || strcmp(dmacc_node_word((enum dmacc_node)i),
						     dmacc_node_word((enum dmacc_node)k)));
	dmacc_account_free(a);
	assert_null(dmacc_account_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(template_and_credentials_make_an_account),
		cmocka_unit_test(nonces_of_the_template_come_before_the_derived_ones),
		cmocka_unit_test(a_profile_without_nonces_makes_an_account_without_them),
		cmocka_unit_test(a_value_that_a_node_cannot_have_leaves_the_old_one),
		cmocka_unit_test(nonces_are_any_bytes_up_to_255),
		cmocka_unit_test(no_node_has_no_value_and_no_word),
	};

	return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
