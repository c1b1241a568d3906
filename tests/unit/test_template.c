// SPDX-License-Identifier: LGPL-2.1-or-later
/* Templates in their plain form, and what they say when they refuse one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmacc.h"

#define SERVER "[DMAcc]\nServerID=com.example.dm\nAddr=https://dm.example.com/dm\n"

static struct dmacc_template *new_template(const char *name)
{
	struct dmacc_template *t;

	assert_int_equal(dmacc_template_new(name, &t), 0);
	return t;
}

static struct dmacc_template *read_template(const char *text)
{
	struct dmacc_template *t = new_template("operator");
	struct dmacc_complaint complaint = { 0 };

	if (dmacc_template_read(t, text, strlen(text), 0, &complaint))
		fail_msg("line %u: %s", complaint.line, complaint.text);
	return t;
}

static void assert_value(const struct dmacc_template *t, enum dmacc_node node, const char *value)
{
	size_t len;
	const void *bytes = dmacc_template_get(t, node, &len);

	if (!value) {
		assert_null(bytes);
		return;
	}
	assert_non_null(bytes);
	assert_int_equal(len, strlen(value));
	assert_string_equal(bytes, value);
}

static void assert_refused_bytes(const char *text, size_t len, unsigned int line,
				 const char *sentence)
{
	struct dmacc_template *t = new_template("operator");
	struct dmacc_complaint complaint;

	if (dmacc_template_read(t, text, len, 0, &complaint) != -EINVAL)
		fail_msg("accepted: %s", text);
	if (complaint.line != line || !strstr(complaint.text, sentence))
		fail_msg("\"line %u: %s\" instead of \"line %u: %s\"", complaint.line,
			 complaint.text, line, sentence);
	dmacc_template_free(t);
	/* whoever does not ask why is told no less firmly */
	t = new_template("operator");
	assert_int_equal(dmacc_template_read(t, text, len, 0, NULL), -EINVAL);
	dmacc_template_free(t);
}

static void assert_refused(const char *text, unsigned int line, const char *sentence)
{
	assert_refused_bytes(text, strlen(text), line, sentence);
}

static void every_key_is_understood(void **state)
{
	struct dmacc_template *t = read_template(
		"# who\n[Account]\nSlot=acme.2\nProfile=dmacc-1\nElement=addr\n"
		"Generation=4294967295\nMinimumRung=trusted\nDocument=acme.w7\n\n"
		"; what\n[DMAcc]\nX=node\nAddrType=URI\nAddr=https://dm.example.com:443/dm\n"
		"PortNbr=443\nConRef=./ConMO/1\nServerID=com.example.dm\n"
		"AuthPref=syncml:auth-md5\nName=Acme; the shop\nServerNonce=AAECAw==\n"
		"ClientNonce=/+8=\nServerPW=\nClientPW=@COMPUTED@\nUserName=computed");
	struct dmacc_server server;
	size_t len;

	(void)state;
	assert_int_equal(dmacc_template_check(t, NULL), 0);
	assert_string_equal(dmacc_template_name(t), "operator");
	assert_string_equal(dmacc_template_slot(t), "acme.2");
	assert_string_equal(dmacc_template_document(t), "acme.w7");
	assert_int_equal(dmacc_template_profile(t), DMACC_PROFILE_DMACC_1);
	assert_int_equal(dmacc_template_generation(t), UINT32_MAX);
	assert_int_equal(dmacc_template_minimum_rung(t), 1);
	dmacc_template_server(t, &server);
	assert_int_equal(server.element, DMACC_ELEMENT_ADDR);
	assert_int_equal(server.len, 29);
	assert_memory_equal(server.bytes, "https://dm.example.com:443/dm", 29);
	assert_value(t, DMACC_NODE_X, "node");
	assert_value(t, DMACC_NODE_ADDR_TYPE, "URI");
	assert_value(t, DMACC_NODE_PORT_NBR, "443");
	assert_value(t, DMACC_NODE_CON_REF, "./ConMO/1");
	assert_value(t, DMACC_NODE_SERVER_ID, "com.example.dm");
	assert_value(t, DMACC_NODE_AUTH_PREF, "syncml:auth-md5");
	assert_value(t, DMACC_NODE_NAME, "Acme; the shop");
	assert_memory_equal(dmacc_template_get(t, DMACC_NODE_SERVER_NONCE, &len), "\0\1\2\3", 4);
	assert_int_equal(len, 4);
	assert_memory_equal(dmacc_template_get(t, DMACC_NODE_CLIENT_NONCE, &len), "\xff\xef", 2);
	assert_int_equal(len, 2);
	assert_value(t, DMACC_NODE_SERVER_PW, NULL);
	assert_value(t, DMACC_NODE_CLIENT_PW, NULL);
	assert_value(t, DMACC_NODE_USER_NAME, NULL);
	dmacc_template_free(t);
}

static void what_is_not_said_has_its_default(void **state)
{
	struct dmacc_template *t = read_template(SERVER "ConRef=\nX=\n"
						 "[Account]\nSlot=\nDocument=\n");
	struct dmacc_server server;

	(void)state;
	assert_int_equal(dmacc_template_check(t, NULL), 0);
	assert_string_equal(dmacc_template_slot(t), "operator");
	assert_null(dmacc_template_document(t));
	assert_int_equal(dmacc_template_profile(t), DMACC_PROFILE_DMACC_1);
	assert_int_equal(dmacc_template_generation(t), 0);
	assert_int_equal(dmacc_template_minimum_rung(t), 0);
	assert_value(t, DMACC_NODE_X, "operator");
	assert_value(t, DMACC_NODE_ADDR_TYPE, NULL);
	assert_value(t, DMACC_NODE_CON_REF, NULL);
	assert_value(t, DMACC_NODE_SERVER_NONCE, NULL);
	dmacc_template_server(t, &server);
	assert_int_equal(server.element, DMACC_ELEMENT_SERVER_ID);
	assert_memory_equal(server.bytes, "com.example.dm", server.len);
	dmacc_template_free(t);
}

static void editors_may_leave_their_marks(void **state)
{
	struct dmacc_template *t = read_template(
		"\xef\xbb\xbf[ DMAcc ]\r\n\t ServerID\t = com.example.dm \r\n"
		"  # indented\r\nAddr = http://x/?a=b;c#d\r\n\r\n"
		"[Account]\r\nGeneration = 7\t\r\n");

	(void)state;
	assert_value(t, DMACC_NODE_SERVER_ID, "com.example.dm");
	assert_value(t, DMACC_NODE_ADDR, "http://x/?a=b;c#d");
	assert_int_equal(dmacc_template_generation(t), 7);
	dmacc_template_free(t);
}

static void a_value_of_255_bytes_stays_whole_and_one_more_is_refused(void **state)
{
	static const char *const key[] = { "ServerID", "Addr", "Name", "ConRef" };
	char value[257], text[400];
	struct dmacc_template *t;
	size_t i;

	(void)state;
	memset(value, 'q', 256);
	value[256] = '\0';
	for (i = 0; i < 4; i++) {
		snprintf(text, sizeof(text), "\n[DMAcc]\n%s=%s\n", key[i], value);
		assert_refused(text, 3, "255 bytes");
	}
	value[255] = '\0';
	for (i = 0; i < 4; i++) {
		snprintf(text, sizeof(text), "[DMAcc]\n%s=%s\n", key[i], value);
		t = read_template(text);
		assert_value(t, i == 0 ? DMACC_NODE_SERVER_ID : i == 1 ? DMACC_NODE_ADDR :
				i == 2 ? DMACC_NODE_NAME : DMACC_NODE_CON_REF, value);
		dmacc_template_free(t);
	}
}

static void auth_pref_is_understood_as_people_write_it(void **state)
{
	static const char *const cases[][2] = {
		{ "syncml:auth-basic", "syncml:auth-basic" }, { "BASIC", "syncml:auth-basic" },
		{ "basic", "syncml:auth-basic" }, { "auth-basic", "syncml:auth-basic" },
		{ "syncml:auth-md5", "syncml:auth-md5" }, { "syncml:auth-MD5", "syncml:auth-md5" },
		{ "DIGEST", "syncml:auth-md5" }, { "digest", "syncml:auth-md5" },
		{ "md5", "syncml:auth-md5" }, { "MD5", "syncml:auth-md5" },
		{ "syncml:auth-MAC", "syncml:auth-MAC" }, { "syncml:auth-mac", "syncml:auth-MAC" },
		{ "HMAC", "syncml:auth-MAC" }, { "mac", "syncml:auth-MAC" },
	};
	struct dmacc_template *t;
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "[DMAcc]\nAuthPref=%s\n", cases[i][0]);
		t = read_template(text);
		assert_value(t, DMACC_NODE_AUTH_PREF, cases[i][1]);
		dmacc_template_free(t);
	}
}

static void mistakes_are_named_with_their_line(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *sentence;
	} cases[] = {
		{ "ServerID=x\n", 1, "ServerID stands before the first [Section]" },
		{ "[DMAcc]\n\nServerId=x\n", 3,
		  "unknown key ServerId in [DMAcc]; there is ServerID in [DMAcc]" },
		{ "[DMAcc]\nSlot=x\n", 2,
		  "unknown key Slot in [DMAcc]; there is Slot in [Account]" },
		{ "[DMAcc]\nSevrerID=x\n", 2, "unknown key SevrerID in [DMAcc]" },
		{ "[DMAcc]\n[Acount]\n", 2, "unknown section [Acount]" },
		{ "[dmacc]\n", 1, "unknown section [dmacc]" },
		{ "[DMAcc\nX=y\n", 1, "no closing ]" },
		{ "[]\n", 1, "letters and digits" },
		{ "[DMAcc]\nServer ID=x\n", 2, "letters and digits" },
		{ "[DMAcc]\nwhat\n", 2, "neither [Section] nor Key=Value" },
		{ "[DMAcc]\nX=a\n\nX=a\n", 4, "X is there twice, first in line 2" },
		{ "[DMAcc]\nX=\nX=a\n", 3, "X is there twice, first in line 2" },
		{ "[DMAcc]\nUserName=\n[DMAcc]\nUserName=\n", 4, "UserName is there twice" },
		{ "[DMAcc]\nName=caf\xe9\n", 2, "UTF-8" },
		{ "# caf\xe9\n", 1, "UTF-8" },
		{ "[DMAcc]\nName=a\x07z\n", 2, "control character" },
		{ "[DMAcc]\nName=a\xc2\x85z\n", 2, "control character" },
		{ "[DMAcc]\nName=a\rz\n", 2, "control character" },
		{ "[DMAcc]\nName=a\tz\n", 2, "Name: it has a control character" },
		{ "[DMAcc]\nServerID=com example\n", 2, "ServerID: it has a blank" },
		{ "[DMAcc]\nServerID=com\xc2\xa0" "example\n", 2, "ServerID: it has a blank" },
		{ "[DMAcc]\nServerID=a+b\n", 2, "ServerID: a ServerID cannot have =" },
		{ "[DMAcc]\nAddr=http://x y/\n", 2, "Addr: it has a blank" },
		{ "[DMAcc]\nAuthPref=syncml:auth-sha\n", 2,
		  "AuthPref: it is not syncml:auth-basic" },
		{ "[DMAcc]\nAuthPref=X509\n", 2, "AuthPref: " },
		{ "[DMAcc]\nPortNbr=65536\n", 2, "PortNbr: it is not a number from 0 to 65535" },
		{ "[DMAcc]\nPortNbr=-1\n", 2, "PortNbr: " },
		{ "[DMAcc]\nPortNbr=0x50\n", 2, "PortNbr: " },
		{ "[DMAcc]\nPortNbr=99999999999999999999\n", 2, "PortNbr: " },
		{ "[DMAcc]\nPortNbr=080\n", 2, "PortNbr: it is written with a zero in front" },
		{ "[DMAcc]\nAddrType=1\n", 2, "AddrType: it is not URI, IPv4 or IPv6" },
		{ "[DMAcc]\nServerNonce=AAE\n", 2, "ServerNonce: it is not base64" },
		{ "[DMAcc]\nServerNonce=AA=A\n", 2, "ServerNonce: it is not base64" },
		{ "[DMAcc]\nClientNonce=====\n", 2, "ClientNonce: it is not base64" },
		{ "[DMAcc]\nClientNonce=AAEC AwQF\n", 2, "ClientNonce: it is not base64" },
		{ "[DMAcc]\nX=a/b\n", 2, "X: it has a /" },
		{ "[DMAcc]\nX=a?list=b\n", 2, "X: it has a / or ?" },
		{ "[DMAcc]\nX=..\n", 2, "X: it is . or .." },
		{ "[DMAcc]\nX=a b\n", 2, "X: it has a blank" },
		{ "[Account]\nSlot=Acme\n", 2, "Slot: a slot name is" },
		{ "[Account]\nSlot=abcdefghijklmnopqrstuvwxyz0123456\n", 2,
		  "Slot: a slot name is" },
		{ "[Account]\nSlot=.\n", 2, "Slot: a slot name is" },
		{ "[Account]\nSlot=a/b\n", 2, "Slot: a slot name is" },
		{ "[Account]\nGeneration=-1\n", 2, "Generation: it is not a number" },
		{ "[Account]\nGeneration=4294967296\n", 2, "Generation: it is not a number" },
		{ "[Account]\nGeneration=1.0\n", 2, "Generation: it is not a number" },
		{ "[Account]\nMinimumRung=best\n", 2, "MinimumRung: it is not trusted or wrapped" },
		{ "[Account]\nProfile=dmacc-2\n", 2, "Profile: it is not dmacc-1" },
		{ "[Account]\nElement=ServerID\n", 2, "Element: it is not server-id or addr" },
		{ "[Account]\nDocument=../acme.w7\n", 2, "Document: a document lies in" },
		{ "[Account]\nDocument=..\n", 2, "Document: a document's name" },
		{ "[Account]\nDocument=/etc/shadow\n", 2, "Document: a document lies in" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(cases[i].text, cases[i].line, cases[i].sentence);
}

static void a_zero_byte_is_refused(void **state)
{
	(void)state;
	assert_refused_bytes("[DMAcc]\nServerID=a\0b\n", 21, 2, "zero byte");
	assert_refused_bytes("[DMAcc]\n#\0\n", 11, 2, "zero byte");
	assert_refused_bytes("\0", 1, 1, "zero byte");
}

static void more_than_64_kib_is_refused(void **state)
{
	size_t size = 65537;
	char *text = malloc(size);

	(void)state;
	memset(text, '\n', size);
	assert_refused_bytes(text, size, 0, "64 KiB");
	free(text);
}

static void a_real_secret_is_refused_and_not_quoted(void **state)
{
	static const char *const secrets[] = {
		"Tr0ub4dor&3", "0", "x", "**", "@", "@@", "@a b@", "${}", "<p&w>", "%a%b%",
		"computed1",
	};
	static const char *const keys[] = { "ServerPW", "ClientPW", "UserName" };
	struct dmacc_complaint complaint;
	struct dmacc_template *t;
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		t = new_template("operator");
		snprintf(text, sizeof(text), "[DMAcc]\n%s=%s\n", keys[i % 3], secrets[i]);
		assert_int_equal(dmacc_template_read(t, text, strlen(text), 0, &complaint),
				 -EINVAL);
		assert_int_equal(complaint.line, 2);
		assert_non_null(strstr(complaint.text, "a template holds no credentials"));
		assert_non_null(strstr(complaint.text, keys[i % 3]));
		assert_true(strlen(secrets[i]) < 4 || !strstr(complaint.text, secrets[i]));
		dmacc_template_free(t);
	}
	/* not even where the line is not understood */
	t = new_template("operator");
	assert_int_equal(dmacc_template_read(t, "[DMAcc]\nTr0ub4dor\n", 18, 0, &complaint),
			 -EINVAL);
	assert_null(strstr(complaint.text, "Tr0ub4dor"));
	dmacc_template_free(t);
}

static void placeholders_mean_computed(void **state)
{
	static const char *const placeholders[] = {
		"", "computed", "COMPUTED", "Derived", "placeholder", "***", "********",
		"@COMPUTED@", "%client-pw%", "${CLIENT_PW}", "{user.name}", "<password>", "[secret]",
	};
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++) {
		assert_true(dmacc_placeholder(placeholders[i], strlen(placeholders[i])));
		snprintf(text, sizeof(text), "[DMAcc]\nClientPW=%s\n", placeholders[i]);
		dmacc_template_free(read_template(text));
	}
}

static void a_document_fills_what_the_conf_leaves_open(void **state)
{
	static const char document[] = "[DMAcc]\nX=w7\nServerID=other\n"
				       "Addr=http://x/\nPortNbr=80\n";
	struct dmacc_template *t = read_template("[Account]\nDocument=a.w7\n"
						 "[DMAcc]\nServerID=com.example.dm\nPortNbr=\n");

	(void)state;
	assert_int_equal(dmacc_template_read(t, document, strlen(document), DMACC_TEMPLATE_FILL,
					     NULL), 0);
	assert_value(t, DMACC_NODE_SERVER_ID, "com.example.dm");
	assert_value(t, DMACC_NODE_ADDR, "http://x/");
	assert_value(t, DMACC_NODE_PORT_NBR, "80");
	assert_value(t, DMACC_NODE_X, "w7");
	assert_int_equal(dmacc_template_read(t, document, strlen(document), 0, NULL), 0);
	assert_value(t, DMACC_NODE_SERVER_ID, "other");
	dmacc_template_free(t);
}

static void assert_unfit(const char *name, const char *text, const char *sentence)
{
	struct dmacc_template *t = new_template(name);
	struct dmacc_complaint complaint;

	assert_int_equal(dmacc_template_read(t, text, strlen(text), 0, NULL), 0);
	assert_int_equal(dmacc_template_check(t, &complaint), -EINVAL);
	assert_int_equal(complaint.line, 0);
	if (!strstr(complaint.text, sentence))
		fail_msg("%s", complaint.text);
	assert_int_equal(dmacc_template_check(t, NULL), -EINVAL);
	dmacc_template_free(t);
}

static void what_no_account_can_be_made_of_is_named(void **state)
{
	(void)state;
	assert_unfit("operator", "", "no ServerID");
	assert_unfit("operator", "[DMAcc]\nAddr=http://x/\n[Account]\nElement=addr\n",
		     "no ServerID");
	assert_unfit("operator", "[DMAcc]\nServerID=x\n", "no Addr");
	assert_unfit("operator", SERVER "AddrType=ipv4\n", "AddrType is IPv4");
	assert_unfit("operator", "[DMAcc]\nServerID=x\nAddr=10.0.0.1\nAddrType=IPv6\n",
		     "AddrType is IPv6");
	assert_unfit("Operator", SERVER, "no Slot");
}

static void addresses_fit_their_type(void **state)
{
	struct dmacc_template *t;

	(void)state;
	t = read_template("[DMAcc]\nServerID=x\nAddr=10.0.0.1\nAddrType=ipv4\n");
	assert_int_equal(dmacc_template_check(t, NULL), 0);
	assert_value(t, DMACC_NODE_ADDR_TYPE, "IPv4");
	dmacc_template_free(t);
	t = read_template("[DMAcc]\nServerID=x\nAddr=2001:db8::1\nAddrType=IPv6\n");
	assert_int_equal(dmacc_template_check(t, NULL), 0);
	dmacc_template_free(t);
}

static void an_unkeyed_profile_needs_no_slot(void **state)
{
	struct dmacc_template *t = new_template("Operator");
	static const char text[] = SERVER "[Account]\nProfile=fcs11384\n";

	(void)state;
	assert_int_equal(dmacc_template_read(t, text, strlen(text), 0, NULL), 0);
	assert_int_equal(dmacc_template_check(t, NULL), 0);
	assert_int_equal(dmacc_template_profile(t), DMACC_PROFILE_FCS11384);
	assert_null(dmacc_template_slot(t));
	dmacc_template_free(t);
}

static void names_of_templates_are_judged(void **state)
{
	static const char *const bad[] = { "", ".hidden", "a b", "a/b", "caf\xc3\xa9", "..",
		"01234567890123456789012345678901234567890123456789012345678901234" };
	struct dmacc_template *t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(dmacc_template_new(bad[i], &t), -EINVAL);
	dmacc_template_free(new_template(bad[6] + 1));
	assert_null(dmacc_template_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_understood),
		cmocka_unit_test(what_is_not_said_has_its_default),
		cmocka_unit_test(editors_may_leave_their_marks),
		cmocka_unit_test(a_value_of_255_bytes_stays_whole_and_one_more_is_refused),
		cmocka_unit_test(auth_pref_is_understood_as_people_write_it),
		cmocka_unit_test(mistakes_are_named_with_their_line),
		cmocka_unit_test(a_zero_byte_is_refused),
		cmocka_unit_test(more_than_64_kib_is_refused),
		cmocka_unit_test(a_real_secret_is_refused_and_not_quoted),
		cmocka_unit_test(placeholders_mean_computed),
		cmocka_unit_test(a_document_fills_what_the_conf_leaves_open),
		cmocka_unit_test(what_no_account_can_be_made_of_is_named),
		cmocka_unit_test(addresses_fit_their_type),
		cmocka_unit_test(an_unkeyed_profile_needs_no_slot),
		cmocka_unit_test(names_of_templates_are_judged),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
