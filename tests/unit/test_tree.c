// SPDX-License-Identifier: LGPL-2.1-or-later
/* The two layouts of the DMAcc management object, node by node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dmacc.h"

struct expected {
	const char *uri, *format, *value;
	bool readable;
};

static void set(struct dmacc_account *a, enum dmacc_node node, const char *value)
{
	assert_int_equal(dmacc_account_set(a, node, value, strlen(value)), 0);
}

static struct dmacc_account *least_account(void)
{
	struct dmacc_account *a;

	assert_int_equal(dmacc_account_new(&a), 0);
	set(a, DMACC_NODE_X, "x");
	set(a, DMACC_NODE_ADDR, "https://dm.example.com/dm");
	set(a, DMACC_NODE_SERVER_ID, "com.example.dm");
	set(a, DMACC_NODE_SERVER_PW, "server secret");
	set(a, DMACC_NODE_CLIENT_PW, "client secret");
	set(a, DMACC_NODE_USER_NAME, "user");
	return a;
}

static struct dmacc_account *full_account(void)
{
	struct dmacc_account *a = least_account();

	set(a, DMACC_NODE_ADDR_TYPE, "URI");
	set(a, DMACC_NODE_PORT_NBR, "8443");
	set(a, DMACC_NODE_CON_REF, "./Inbox/NAP");
	set(a, DMACC_NODE_AUTH_PREF, "syncml:auth-MAC");
	set(a, DMACC_NODE_NAME, "Acme");
	set(a, DMACC_NODE_SERVER_NONCE, "snonce");
	assert_int_equal(dmacc_account_set(a, DMACC_NODE_CLIENT_NONCE, "c\0nonce", 7), 0);
	return a;
}

static struct dmacc_tree *new_tree(const struct dmacc_account *a, enum dmacc_layout layout)
{
	struct dmacc_tree *tree;

	assert_int_equal(dmacc_tree_new(a, layout, &tree), 0);
	return tree;
}

static void assert_tree(struct dmacc_account *a, enum dmacc_layout layout,
			const struct expected *expected, size_t count)
{
	struct dmacc_tree *tree = new_tree(a, layout);
	size_t i;

	/* the tree owns its bytes */
	dmacc_account_free(a);
	for (i = 0; i < count && i < dmacc_tree_count(tree); i++) {
		const struct dmacc_tree_node *node = dmacc_tree_node(tree, i);

		assert_string_equal(node->uri, expected[i].uri);
		assert_string_equal(node->format, expected[i].format);
		assert_int_equal(node->readable, expected[i].readable);
		if (!expected[i].value) {
			assert_null(node->value);
			assert_int_equal(node->len, 0);
			continue;
		}
		assert_non_null(node->value);
		assert_string_equal(node->value, expected[i].value);
		assert_int_equal(((const char *)node->value)[node->len], 0);
	}
	assert_int_equal(dmacc_tree_count(tree), count);
	assert_null(dmacc_tree_node(tree, count));
	dmacc_tree_free(tree);
}

#define OLD "./SyncML/DMAcc/x"
#define NEW "./DMAcc/x"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void layout_1_1_shows_every_node(void **state)
{
	static const struct expected expected[] = {
		{ OLD, "node", NULL, true },
		{ OLD "/Addr", "chr", "https://dm.example.com/dm", true },
		{ OLD "/AddrType", "chr", "1", true },
		{ OLD "/PortNbr", "int", "8443", true },
		{ OLD "/ConRef", "chr", "./Inbox/NAP", true },
		{ OLD "/ServerId", "chr", "com.example.dm", true },
		{ OLD "/ServerPW", "chr", "server secret", false },
		{ OLD "/ServerNonce", "bin", "snonce", false },
		{ OLD "/UserName", "chr", "user", true },
		{ OLD "/ClientPW", "chr", "client secret", false },
		{ OLD "/ClientNonce", "bin", "c", false },
		{ OLD "/AuthPref", "chr", "syncml:auth-MAC", true },
		{ OLD "/Name", "chr", "Acme", true },
	};

	(void)state;
	assert_tree(full_account(), DMACC_LAYOUT_1_1, expected, COUNT(expected));
}

static void layout_1_1_shows_what_it_must_of_the_least_account(void **state)
{
	static const struct expected expected[] = {
		{ OLD, "node", NULL, true },
		{ OLD "/Addr", "chr", "https://dm.example.com/dm", true },
		{ OLD "/AddrType", "chr", "1", true },
		{ OLD "/PortNbr", "int", "443", true },
		{ OLD "/ConRef", "chr", "", true },
		{ OLD "/ServerId", "chr", "com.example.dm", true },
		{ OLD "/ServerPW", "chr", "server secret", false },
		{ OLD "/ServerNonce", "bin", "", false },
		{ OLD "/UserName", "chr", "user", true },
		{ OLD "/ClientPW", "chr", "client secret", false },
		{ OLD "/ClientNonce", "bin", "", false },
	};

	(void)state;
	assert_tree(least_account(), DMACC_LAYOUT_1_1, expected, COUNT(expected));
}

static void layout_1_2_shows_every_node(void **state)
{
	static const struct expected expected[] = {
		{ NEW, "node", NULL, true },
		{ NEW "/AppID", "chr", "w7", true },
		{ NEW "/ServerID", "chr", "com.example.dm", true },
		{ NEW "/Name", "chr", "Acme", true },
		{ NEW "/PrefConRef", "chr", "./Inbox/NAP", true },
		{ NEW "/ToConRef", "node", NULL, true },
		{ NEW "/ToConRef/1", "node", NULL, true },
		{ NEW "/ToConRef/1/ConRef", "chr", "./Inbox/NAP", true },
		{ NEW "/AppAddr", "node", NULL, true },
		{ NEW "/AppAddr/1", "node", NULL, true },
		{ NEW "/AppAddr/1/Addr", "chr", "https://dm.example.com/dm", true },
		{ NEW "/AppAddr/1/AddrType", "chr", "URI", true },
		{ NEW "/AppAddr/1/Port", "node", NULL, true },
		{ NEW "/AppAddr/1/Port/1", "node", NULL, true },
		{ NEW "/AppAddr/1/Port/1/PortNbr", "chr", "8443", true },
		{ NEW "/AAuthPref", "chr", "HMAC", true },
		{ NEW "/AppAuth", "node", NULL, true },
		{ NEW "/AppAuth/CLCRED", "node", NULL, true },
		{ NEW "/AppAuth/CLCRED/AAuthLevel", "chr", "CLCRED", true },
		{ NEW "/AppAuth/CLCRED/AAuthType", "chr", "HMAC", true },
		{ NEW "/AppAuth/CLCRED/AAuthName", "chr", "user", true },
		{ NEW "/AppAuth/CLCRED/AAuthSecret", "chr", "client secret", false },
		{ NEW "/AppAuth/CLCRED/AAuthData", "bin", "c", false },
		{ NEW "/AppAuth/SRVCRED", "node", NULL, true },
		{ NEW "/AppAuth/SRVCRED/AAuthLevel", "chr", "SRVCRED", true },
		{ NEW "/AppAuth/SRVCRED/AAuthType", "chr", "HMAC", true },
		{ NEW "/AppAuth/SRVCRED/AAuthName", "chr", "com.example.dm", true },
		{ NEW "/AppAuth/SRVCRED/AAuthSecret", "chr", "server secret", false },
		{ NEW "/AppAuth/SRVCRED/AAuthData", "bin", "snonce", false },
	};

	(void)state;
	assert_tree(full_account(), DMACC_LAYOUT_1_2, expected, COUNT(expected));
}

static void layout_1_2_leaves_out_what_the_least_account_lacks(void **state)
{
	static const struct expected expected[] = {
		{ NEW, "node", NULL, true },
		{ NEW "/AppID", "chr", "w7", true },
		{ NEW "/ServerID", "chr", "com.example.dm", true },
		{ NEW "/AppAddr", "node", NULL, true },
		{ NEW "/AppAddr/1", "node", NULL, true },
		{ NEW "/AppAddr/1/Addr", "chr", "https://dm.example.com/dm", true },
		{ NEW "/AppAddr/1/AddrType", "chr", "URI", true },
		{ NEW "/AppAuth", "node", NULL, true },
		{ NEW "/AppAuth/CLCRED", "node", NULL, true },
		{ NEW "/AppAuth/CLCRED/AAuthLevel", "chr", "CLCRED", true },
		{ NEW "/AppAuth/CLCRED/AAuthType", "chr", "DIGEST", true },
		{ NEW "/AppAuth/SRVCRED", "node", NULL, true },
		{ NEW "/AppAuth/SRVCRED/AAuthLevel", "chr", "SRVCRED", true },
		{ NEW "/AppAuth/SRVCRED/AAuthType", "chr", "DIGEST", true },
		{ NEW "/AppAuth/SRVCRED/AAuthName", "chr", "com.example.dm", true },
	};
	struct dmacc_account *a = least_account();

	(void)state;
	set(a, DMACC_NODE_CON_REF, "");
	dmacc_account_set(a, DMACC_NODE_SERVER_PW, NULL, 0);
	dmacc_account_set(a, DMACC_NODE_CLIENT_PW, NULL, 0);
	dmacc_account_set(a, DMACC_NODE_USER_NAME, NULL, 0);
	assert_tree(a, DMACC_LAYOUT_1_2, expected, COUNT(expected));
}

static const struct dmacc_tree_node *find(const struct dmacc_tree *tree, const char *uri)
{
	size_t i;

	for (i = 0; i < dmacc_tree_count(tree); i++)
		if (!strcmp(dmacc_tree_node(tree, i)->uri, uri))
			return dmacc_tree_node(tree, i);
	fail_msg("there is no %s", uri);
	return NULL;
}

static void binary_values_keep_their_zero_bytes(void **state)
{
	struct dmacc_account *a = full_account();
	struct dmacc_tree *tree = new_tree(a, DMACC_LAYOUT_1_2);
	const struct dmacc_tree_node *node = find(tree, NEW "/AppAuth/CLCRED/AAuthData");

	(void)state;
	assert_int_equal(node->len, 7);
	assert_memory_equal(node->value, "c\0nonce", 7);
	dmacc_tree_free(tree);
	dmacc_account_free(a);
}

static void parents_come_before_their_children(void **state)
{
	struct dmacc_account *a = full_account();
	enum dmacc_layout layout;
	size_t i, k;

	(void)state;
	for (layout = DMACC_LAYOUT_1_1; layout <= DMACC_LAYOUT_1_2; layout++) {
		struct dmacc_tree *tree = new_tree(a, layout);

		for (i = 1; i < dmacc_tree_count(tree); i++) {
			const char *uri = dmacc_tree_node(tree, i)->uri;
			size_t parent = (size_t)(strrchr(uri, '/') - uri);

			for (k = 0; k < i; k++)
				if (strlen(dmacc_tree_node(tree, k)->uri) == parent &&
				    !strncmp(dmacc_tree_node(tree, k)->uri, uri, parent))
					break;
			assert_true(k < i);
		}
		dmacc_tree_free(tree);
	}
	dmacc_account_free(a);
}

static void layout_1_1_takes_a_port_from_the_addr(void **state)
{
	static const char *const cases[][2] = {
		{ "https://dm.example.com/dm", "443" }, { "HTTPS://dm.example.com", "443" },
		{ "http://dm.example.com/a:99/", "80" },
		{ "http://dm.example.com:8080/dm", "8080" },
		{ "https://u:1@dm.example.com/", "443" }, { "https://[2001:db8::1]/", "443" },
		{ "https://[2001:db8::1]:8443?x", "8443" }, { "https://h:/", "443" },
		{ "https://h:99999/", "443" }, { "10.0.0.1", "80" }, { "10.0.0.1:81", "81" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct dmacc_account *a = least_account();
		struct dmacc_tree *tree;

		set(a, DMACC_NODE_ADDR, cases[i][0]);
		tree = new_tree(a, DMACC_LAYOUT_1_1);
		assert_string_equal(find(tree, OLD "/PortNbr")->value, cases[i][1]);
		dmacc_tree_free(tree);
		dmacc_account_free(a);
	}
}

static void auth_pref_has_the_words_of_each_layout(void **state)
{
	static const char *const cases[][3] = {
		{ "syncml:auth-basic", "BASIC", "BASIC" },
		{ "syncml:auth-md5", "DIGEST", "DIGEST" },
		{ "syncml:auth-MAC", "HMAC", "HMAC" }, { "", "", "DIGEST" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct dmacc_account *a = least_account();
		struct dmacc_tree *tree;

		set(a, DMACC_NODE_AUTH_PREF, cases[i][0]);
		tree = new_tree(a, DMACC_LAYOUT_1_1);
		assert_string_equal(find(tree, OLD "/AuthPref")->value, cases[i][0]);
		dmacc_tree_free(tree);
		tree = new_tree(a, DMACC_LAYOUT_1_2);
		assert_string_equal(find(tree, NEW "/AAuthPref")->value, cases[i][1]);
		assert_string_equal(find(tree, NEW "/AppAuth/SRVCRED/AAuthType")->value,
				    cases[i][2]);
		dmacc_tree_free(tree);
		dmacc_account_free(a);
	}
}

static void an_account_that_lacks_what_must_be_shown_has_no_tree(void **state)
{
	static const struct {
		enum dmacc_node node;
		bool in_1_2;
	} cases[] = {
		{ DMACC_NODE_X, true }, { DMACC_NODE_ADDR, true }, { DMACC_NODE_SERVER_ID, true },
		{ DMACC_NODE_SERVER_PW, false }, { DMACC_NODE_CLIENT_PW, false },
		{ DMACC_NODE_USER_NAME, false },
	};
	struct dmacc_tree *tree = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct dmacc_account *a = full_account();

		assert_int_equal(dmacc_account_set(a, cases[i].node, NULL, 0), 0);
		assert_int_equal(dmacc_tree_new(a, DMACC_LAYOUT_1_1, &tree), -EINVAL);
		if (cases[i].in_1_2)
			assert_int_equal(dmacc_tree_new(a, DMACC_LAYOUT_1_2, &tree), -EINVAL);
		assert_int_equal(dmacc_tree_new(a, (enum dmacc_layout)3, &tree), -EINVAL);
		assert_null(tree);
		dmacc_account_free(a);
	}
	assert_null(dmacc_tree_free(NULL));
}

static struct dmacc_place find_place(const char *uri)
{
	struct dmacc_place place;

	if (dmacc_place_find("x", uri, &place))
		fail_msg("no place: %s", uri);
	return place;
}

/* What is read is where it is written: every leaf of both trees leads to a place of its own format */
static void every_node_of_a_tree_has_a_place(void **state)
{
	struct dmacc_account *a = full_account();
	enum dmacc_layout layout;
	size_t i, secrets;

	(void)state;
	for (layout = DMACC_LAYOUT_1_1; layout <= DMACC_LAYOUT_1_2; layout++) {
		struct dmacc_tree *tree = new_tree(a, layout);

		for (i = secrets = 0; i < dmacc_tree_count(tree); i++) {
			const struct dmacc_tree_node *node = dmacc_tree_node(tree, i);
			struct dmacc_place place = find_place(node->uri);

			assert_int_equal(place.layout, layout);
			assert_string_equal(place.format, node->format);
			assert_null(place.ext);
			assert_int_equal(!(place.access & DMACC_ACCESS_GET), !node->readable);
			secrets += !node->readable;
			if (!node->value)
				assert_int_equal(place.node, DMACC_NODES);
		}
		assert_int_equal(secrets, 4);
		dmacc_tree_free(tree);
	}
	dmacc_account_free(a);
}

static void both_layouts_lead_to_the_same_values(void **state)
{
	static const struct {
		const char *one, *two;
		enum dmacc_node node;
		unsigned int access;
	} pairs[] = {
		{ "Addr", "AppAddr/1/Addr", DMACC_NODE_ADDR, 3 },
		{ "AddrType", "AppAddr/1/AddrType", DMACC_NODE_ADDR_TYPE, 3 },
		{ "PortNbr", "AppAddr/1/Port/1/PortNbr", DMACC_NODE_PORT_NBR, 3 },
		{ "ConRef", "PrefConRef", DMACC_NODE_CON_REF, 3 },
		{ "ConRef", "ToConRef/1/ConRef", DMACC_NODE_CON_REF, 3 },
		{ "ServerId", "ServerID", DMACC_NODE_SERVER_ID, 1 },
		{ "ServerId", "AppAuth/SRVCRED/AAuthName", DMACC_NODE_SERVER_ID, 1 },
		{ "ServerPW", "AppAuth/SRVCRED/AAuthSecret", DMACC_NODE_SERVER_PW, 2 },
		{ "ServerNonce", "AppAuth/SRVCRED/AAuthData", DMACC_NODE_SERVER_NONCE, 2 },
		{ "ClientPW", "AppAuth/CLCRED/AAuthSecret", DMACC_NODE_CLIENT_PW, 2 },
		{ "ClientNonce", "AppAuth/CLCRED/AAuthData", DMACC_NODE_CLIENT_NONCE, 2 },
		{ "AuthPref", "AAuthPref", DMACC_NODE_AUTH_PREF, 3 },
		{ "Name", "Name", DMACC_NODE_NAME, 3 },
	};
	char one[80], two[80];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		snprintf(one, sizeof(one), "./SyncML/DMAcc/x/%s", pairs[i].one);
		snprintf(two, sizeof(two), "./DMAcc/x/%s", pairs[i].two);
		assert_int_equal(find_place(one).node, pairs[i].node);
		assert_int_equal(find_place(two).node, pairs[i].node);
		assert_int_equal(find_place(one).access, pairs[i].access);
		assert_int_equal(find_place(two).access, pairs[i].access);
	}
	/* the one that the tables give different rights */
	assert_int_equal(find_place("./SyncML/DMAcc/x/UserName").access, 1);
	assert_int_equal(find_place("./DMAcc/x/AppAuth/CLCRED/AAuthName").access, 3);
	assert_int_equal(find_place("./DMAcc/x/AppAuth/CLCRED/AAuthName").node, DMACC_NODE_USER_NAME);
}

static void assert_taken(const char *uri, const char *format, const char *written, const char *kept)
{
	struct dmacc_place place = find_place(uri);
	const void *bytes = written;
	const char *sentence;
	size_t len = strlen(written);

	if (dmacc_place_take(&place, format, &bytes, &len, &sentence))
		fail_msg("%s: %s", written, sentence);
	if (!kept) {
		assert_null(bytes);
		return;
	}
	assert_int_equal(len, strlen(kept));
	assert_memory_equal(bytes, kept, len);
}

static void assert_not_taken(const char *uri, const char *format, const char *written)
{
	struct dmacc_place place = find_place(uri);
	const void *bytes = written;
	const char *sentence = NULL;
	size_t len = strlen(written);

	assert_int_equal(dmacc_place_take(&place, format, &bytes, &len, &sentence), -EINVAL);
	assert_non_null(sentence);
}

static void what_a_layout_writes_is_taken_back(void **state)
{
	(void)state;
	assert_taken("./DMAcc/x/AAuthPref", "chr", "DIGEST", "syncml:auth-md5");
	assert_taken("./DMAcc/x/AAuthPref", "", "BASIC", "syncml:auth-basic");
	assert_taken("./DMAcc/x/AAuthPref", "", "", "");
	assert_taken("./SyncML/DMAcc/x/AuthPref", "chr", "syncml:auth-MAC", "syncml:auth-MAC");
	assert_taken("./SyncML/DMAcc/x/AddrType", "chr", "1", NULL);
	assert_not_taken("./SyncML/DMAcc/x/AddrType", "chr", "2");
	assert_not_taken("./SyncML/DMAcc/x/AddrType", "chr", "URI");
	assert_taken("./DMAcc/x/AppAddr/1/AddrType", "chr", "ipv6", "IPv6");
	assert_not_taken("./DMAcc/x/AppAddr/1/AddrType", "chr", "1");
	assert_taken("./SyncML/DMAcc/x/PortNbr", "int", "443", "443");
	assert_taken("./SyncML/DMAcc/x/PortNbr", "chr", "443", "443");
	assert_taken("./DMAcc/x/AppAddr/1/Port/1/PortNbr", "int", "443", "443");
	assert_not_taken("./SyncML/DMAcc/x/PortNbr", "int", "70000");
	assert_taken("./SyncML/DMAcc/x/ServerNonce", "b64", "n", "n");
	assert_not_taken("./SyncML/DMAcc/x/ServerNonce", "chr", "n");
	assert_not_taken("./SyncML/DMAcc/x/ServerPW", "bin", "n");
}

static void what_leads_nowhere_is_no_place(void **state)
{
	static const char *const nowhere[] = {
		"", ".", "./", "./DMAcc", "./DMAcc/", "./DMAcc/y", "./DMAcc/x/", "./DMAcc/xx",
		"./DMAcc/x/ServerId", "./SyncML/DMAcc/x/ServerID", "./DMAcc/x//ServerID",
		"./SyncML/DMAcc/x/Ext", "DMAcc/x/ServerID", "./DMAcc/x/Ext/", "./DMAcc/x/Ext/a//b",
		"./DMAcc/x/Ext/a?b", "./DMAcc/x/Extra", "./DMAcc/x/Name?prop=ACL",
	};
	struct dmacc_place place;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		if (dmacc_place_find("x", nowhere[i], &place) != -ENOENT)
			fail_msg("a place: %s", nowhere[i]);
	assert_string_equal(find_place("./DMAcc/x/Ext/a/b c").ext, "Ext/a/b c");
	assert_null(find_place("./DMAcc/x/Ext").ext);
}

static int set_ext(struct dmacc_account *a, const char *path, const char *format, const char *text)
{
	return dmacc_account_set_ext(a, path, format, text, strlen(text));
}

static void nodes_below_ext_are_shown_with_what_is_above_them(void **state)
{
	static const struct expected rows[] = {
		{ "./DMAcc/x/Ext", "node", NULL, true },
		{ "./DMAcc/x/Ext/a", "node", NULL, true },
		{ "./DMAcc/x/Ext/a/b", "int", "7", true },
		{ "./DMAcc/x/Ext/a/c", "chr", "line\nline", true },
		{ "./DMAcc/x/Ext/e", "node", NULL, true },
	};
	struct dmacc_account *a = full_account();
	struct dmacc_tree *tree;
	size_t i, before;

	(void)state;
	tree = new_tree(a, DMACC_LAYOUT_1_2);
	before = dmacc_tree_count(tree);
	dmacc_tree_free(tree);
	assert_int_equal(set_ext(a, "Ext/e", "node", ""), 0);
	assert_int_equal(set_ext(a, "Ext/a/c", "", "line\nline"), 0);
	assert_int_equal(set_ext(a, "Ext/a/b", "int", "6"), 0);
	assert_int_equal(set_ext(a, "Ext/a/b", "int", "7"), 0);
	tree = new_tree(a, DMACC_LAYOUT_1_2);
	assert_int_equal(dmacc_tree_count(tree), before + 5);
	for (i = 0; i < 5; i++) {
		const struct dmacc_tree_node *node = dmacc_tree_node(tree, before + i);

		assert_string_equal(node->uri, rows[i].uri);
		assert_string_equal(node->format, rows[i].format);
		if (rows[i].value)
			assert_string_equal(node->value, rows[i].value);
		else
			assert_null(node->value);
	}
	dmacc_tree_free(tree);
	/* 1.1.2 has no such place */
	tree = new_tree(a, DMACC_LAYOUT_1_1);
	assert_int_equal(dmacc_tree_count(tree), 13);
	dmacc_tree_free(tree);
	dmacc_account_free(a);
}

static void what_cannot_be_below_ext_is_refused(void **state)
{
	struct dmacc_account *a = least_account();
	char path[300] = "Ext/", value[DMACC_EXT_VALUE_MAX + 1];
	int i;

	(void)state;
	assert_int_equal(set_ext(a, "Ext", "node", ""), -EINVAL);
	assert_int_equal(set_ext(a, "Other/a", "", ""), -EINVAL);
	assert_int_equal(set_ext(a, "Ext/./a", "", ""), -EINVAL);
	assert_int_equal(set_ext(a, "Ext/a", "word", ""), -EINVAL);
	assert_int_equal(set_ext(a, "Ext/a", "node", "x"), -EINVAL);
	assert_int_equal(set_ext(a, "Ext/a", "chr", "\xff"), -EINVAL);
	assert_int_equal(dmacc_account_set_ext(a, "Ext/a", "chr", "\0", 1), -EINVAL);
	assert_int_equal(dmacc_account_set_ext(a, "Ext/a", "bin", "\0\xff", 2), 0);
	assert_int_equal(set_ext(a, "Ext/a/b", "", ""), -EINVAL);
	memset(value, 'v', sizeof(value));
	assert_int_equal(dmacc_account_set_ext(a, "Ext/v", "", value, sizeof(value)), -EINVAL);
	assert_int_equal(dmacc_account_set_ext(a, "Ext/v", "", value, sizeof(value) - 1), 0);
	memset(path + 4, 'p', 121);
	assert_int_equal(set_ext(a, path, "", ""), -EINVAL);
	path[4 + 60] = '/';
	assert_int_equal(set_ext(a, path, "", ""), 0);
	assert_null(dmacc_account_ext(a, 3));
	for (i = 3; i < DMACC_EXT_MAX; i++) {
		snprintf(path, sizeof(path), "Ext/n%d", i);
		assert_int_equal(set_ext(a, path, "", ""), 0);
	}
	assert_int_equal(set_ext(a, "Ext/full", "", ""), -E2BIG);
	assert_int_equal(set_ext(a, "Ext/a", "chr", "again"), 0);
	dmacc_account_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout_1_1_shows_every_node),
		cmocka_unit_test(layout_1_1_shows_what_it_must_of_the_least_account),
		cmocka_unit_test(layout_1_2_shows_every_node),
		cmocka_unit_test(layout_1_2_leaves_out_what_the_least_account_lacks),
		cmocka_unit_test(binary_values_keep_their_zero_bytes),
		cmocka_unit_test(parents_come_before_their_children),
		cmocka_unit_test(layout_1_1_takes_a_port_from_the_addr),
		cmocka_unit_test(auth_pref_has_the_words_of_each_layout),
		cmocka_unit_test(an_account_that_lacks_what_must_be_shown_has_no_tree),
		cmocka_unit_test(every_node_of_a_tree_has_a_place),
		cmocka_unit_test(both_layouts_lead_to_the_same_values),
		cmocka_unit_test(what_a_layout_writes_is_taken_back),
		cmocka_unit_test(what_leads_nowhere_is_no_place),
		cmocka_unit_test(nodes_below_ext_are_shown_with_what_is_above_them),
		cmocka_unit_test(what_cannot_be_below_ext_is_refused),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
