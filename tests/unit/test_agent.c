// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The agent without a bus: templates in, accounts and files out, over a double of the kernel's
 * client. "A start" is an agent of its own over the same folders.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "faults.h"
#include "kernel_double.h"
#include "unseal_report.h"

/* Kv = 00 01 02 ... 1f, IMEI:490154203237518, com.example.dm, generation 0: uapi/derivation.md */
#define SERVER_PW "VVWHHJPJY3VV7GRTDCYZB5W7PR4AZLSO"
#define SERVER_PW_GENERATION_1 "BEPKVOS264KC7UDKZQNSV5DHVEEBN5VR"
#define SERVER_PW_VERSION_2 "G6UW3J4EMHKFXHAKHXJSUAEW6PNNAHMK"
#define USER_NAME "HQU3K2QFHADCEVTNJZ4OUFUI"

#define ACCOUNT "[Account]\nSlot=vendor\n[DMAcc]\nAddr=https://dm.example.com/dm\n"
#define CONF ACCOUNT "ServerID=com.example.dm\n"

static const uint8_t initial_server_nonce[] = {
	0x8b, 0x02, 0x2d, 0x96, 0x71, 0xdf, 0x03, 0x73,
	0xc7, 0x1c, 0x9d, 0x5a, 0xcb, 0xd5, 0x75, 0x75,
};

struct fixture {
	char path[64], usr[80], etc[80], importer[80], program[80];
	struct agent agent;
};

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(unlink(path), 0);
}

/* A dmacc-import that says this; it notes each run in the file "runs" */
static void set_importer(struct fixture *f, const char *script)
{
	char text[1024];

	snprintf(text, sizeof(text), "#!/bin/sh\necho run >> %s/runs\n%s\n", f->path, script);
	write_file(f->path, "dmacc-import", text);
	assert_int_equal(chmod(f->importer, 0755), 0);
}

static int importer_runs(struct fixture *f)
{
	char path[96], line[16];
	FILE *file;
	int n = 0;

	snprintf(path, sizeof(path), "%s/runs", f->path);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		n++;
	if (file)
		fclose(file);
	return n;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	strcpy(f->path, "/tmp/test_agent.XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	snprintf(f->usr, sizeof(f->usr), "%s/usr", f->path);
	snprintf(f->etc, sizeof(f->etc), "%s/etc", f->path);
	snprintf(f->importer, sizeof(f->importer), "%s/dmacc-import", f->path);
	faults_arm(FAULT_NONE, 0);
	kernel_double_reset();
	*state = f;
	return mkdir(f->usr, 0700) || mkdir(f->etc, 0700);
}

static void stop(struct fixture *f)
{
	agent_done(&f->agent);
	f->agent = (struct agent){ 0 };
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	faults_arm(FAULT_NONE, 0);
	stop(f);
	(void)nftw(f->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static void start(struct fixture *f)
{
	stop(f);
	f->agent.template_folders[0] = f->etc;
	f->agent.template_folders[1] = f->usr;
	f->agent.importer = f->importer;
	f->agent.device.report_folder = f->path;
	assert_true(asprintf(&f->agent.store_path, "%s/accounts", f->path) > 0);
	assert_int_equal(agent_refresh(&f->agent, true), 0);
}

static struct account *account(struct fixture *f, const char *name)
{
	struct account *found = accounts_find(&f->agent.accounts, name);

	assert_non_null(found);
	return found;
}

static void assert_state(struct fixture *f, const char *name, const char *state, const char *reason)
{
	struct account *a = account(f, name);

	assert_string_equal(account_state_word(a->state), state);
	if (!reason[0])
		assert_string_equal(a->reason, "");
	else if (!strstr(a->reason, reason))
		fail_msg("'%s' is not in '%s'", reason, a->reason);
}

static const char *refused(struct fixture *f, const char *name)
{
	const struct refusal *refusal = templates_refusal(f->agent.templates, name);

	assert_non_null(refusal);
	return refusal->reason;
}

/* The value that the 1.1 layout shows below the account's node; NULL if it has none */
static const char *value(struct fixture *f, const char *name, const char *leaf)
{
	static char text[256];
	const struct dmacc_tree_node *node;
	struct dmacc_tree *tree;
	char *found = NULL;
	size_t i;

	assert_int_equal(account_tree(account(f, name), DMACC_LAYOUT_1_1, &tree), 0);
	for (i = 0; (node = dmacc_tree_node(tree, i)); i++)
		if (node->value && !strcmp(strrchr(node->uri, '/') + 1, leaf)) {
			assert_true(node->len < sizeof(text));
			memcpy(text, node->value, node->len + 1);
			found = text;
		}
	dmacc_tree_free(tree);
	return found;
}

static void assert_value(struct fixture *f, const char *name, const char *leaf, const char *wanted)
{
	const char *found = value(f, name, leaf);

	assert_non_null(found);
	assert_string_equal(found, wanted);
}

static void store_path(struct fixture *f, const char *file, char ret[256])
{
	snprintf(ret, 256, "%s/accounts/%s", f->path, file);
}

static bool stored(struct fixture *f, const char *file)
{
	char path[256];

	store_path(f, file, path);
	return !access(path, F_OK);
}

/* Changes with every write */
static struct timespec stamp(struct fixture *f, const char *file)
{
	char path[256];
	struct stat st;

	store_path(f, file, path);
	assert_int_equal(stat(path, &st), 0);
	return (struct timespec){ st.st_ctim.tv_sec + (time_t)st.st_ino, st.st_ctim.tv_nsec };
}

static void assert_unwritten(struct fixture *f, const char *file, struct timespec before)
{
	struct timespec now = stamp(f, file);

	assert_memory_equal(&now, &before, sizeof(now));
}

static void flip(struct fixture *f, const char *file, off_t at)
{
	char path[256];
	uint8_t byte;
	int fd;

	store_path(f, file, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void assert_nonces(struct fixture *f, const char *name, const char *word)
{
	const struct record *record = account(f, name)->record;
	const char *is;
	const void *nonce;
	size_t len;

	is = record_get(record, RECORD_STATE, "Nonces", &len);
	assert_non_null(is);
	assert_string_equal(is, word);
	nonce = record_get(record, RECORD_STATE, "ServerNonce", &len);
	assert_non_null(nonce);
	assert_int_equal(len, 16);
	if (!strcmp(word, "burnt"))
		assert_memory_not_equal(nonce, initial_server_nonce, 16);
}

static void a_template_and_a_key_make_the_published_account(void **state)
{
	struct fixture *f = *state;
	const void *nonce;
	size_t len;

	write_file(f->usr, "op.conf", CONF "Name=Operator\nPortNbr=443\n");
	start(f);
	assert_int_equal(f->agent.device.state, DEVICE_READY);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_value(f, "op", "UserName", USER_NAME);
	assert_value(f, "op", "ServerId", "com.example.dm");
	assert_value(f, "op", "Name", "Operator");
	assert_string_equal(account(f, "op")->server_id, "com.example.dm");
	assert_string_equal(account(f, "op")->slot, "vendor");
	assert_string_equal(account(f, "op")->profile, "dmacc-1");
	assert_nonces(f, "op", "initial");
	nonce = record_get(account(f, "op")->record, RECORD_STATE, "ServerNonce", &len);
	assert_memory_equal(nonce, initial_server_nonce, sizeof(initial_server_nonce));
	assert_true(stored(f, "op"));
	assert_false(agent_wants_retry(&f->agent));
}

static void an_unchanged_start_writes_nothing_and_imports_nothing(void **state)
{
	struct fixture *f = *state;
	struct timespec conf, document;

	write_file(f->usr, "op.conf", CONF);
	write_file(f->usr, "doc.w7", "a document");
	set_importer(f, "cat >/dev/null\necho '[Account]'\necho Slot=vendor\necho '[DMAcc]'\n"
		     "echo ServerID=com.example.doc\necho Addr=https://doc.example.com");
	start(f);
	assert_state(f, "doc", "ready", "");
	assert_int_equal(importer_runs(f), 1);
	conf = stamp(f, "op");
	document = stamp(f, "doc");
	faults_arm(FAULT_NONE, 0);
	start(f);
	assert_state(f, "doc", "ready", "");
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_int_equal(importer_runs(f), 1);
	assert_unwritten(f, "op", conf);
	assert_unwritten(f, "doc", document);
	assert_null(strstr(faults_calls(), "write"));
	assert_null(strstr(faults_calls(), "rename"));
}

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

static void check_lack(struct fixture *f, const char *state, const char *reason)
{
	start(f);
	assert_string_equal(device_state_word(f->agent.device.state), state);
	if (!strstr(f->agent.device.reason, reason))
		fail_msg("'%s' is not in '%s'", reason, f->agent.device.reason);
	assert_state(f, "op", "no-secrets", f->agent.device.reason);
	assert_int_equal(account_tree(account(f, "op"), DMACC_LAYOUT_1_1,
				      &(struct dmacc_tree *){ NULL }), -ENODATA);
	assert_string_equal(account(f, "op")->server_id, "com.example.dm");
	assert_false(stored(f, "op"));
	assert_true(agent_wants_retry(&f->agent));
}

static void what_is_missing_is_a_state_with_a_way_out_and_comes_back(void **state)
{
	struct fixture *f = *state;

	write_file(f->usr, "op.conf", CONF);
	kernel_double.no_module = true;
	check_lack(f, "no-module", "module dmacc");
	kernel_double_reset();
	kernel_double.devid = NULL;
	check_lack(f, "no-identity", "no-identity: this device has no valid identifier");
	kernel_double_reset();
	kernel_double.root_state = DMACC_ROOT_ABSENT;
	check_lack(f, "no-root", "not-unsealed: ");
	kernel_double.root_state = DMACC_ROOT_SEALED_UNAVAILABLE;
	kernel_double.root_reason = DMACC_REASON_LOCKED_OUT;
	check_lack(f, "no-root", "tpm-locked-out: ");
	kernel_double_reset();
	kernel_double.no_store_key = true;
	check_lack(f, "no-store-key", "this is for the agent; way out: ");
	/* the same agent tries again */
	kernel_double_reset();
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_false(agent_wants_retry(&f->agent));
}

static void what_dmacc_unseal_reported_explains_a_root_that_is_not_open(void **state)
{
	struct fixture *f = *state;
	struct unseal_report report = { 0 };

	write_file(f->usr, "op.conf", CONF);
	kernel_double.root_state = DMACC_ROOT_ABSENT;
	unseal_report_root(&report, TROUBLE_MASTER_MISSING, "no credential dmacc.master");
	assert_int_equal(unseal_report_write(&report, f->path), 0);
	check_lack(f, "no-root", "master-missing: ");
	check_lack(f, "no-root", ": no credential dmacc.master; way out: 'dmaccctl factory restore");
	/* what was in the way has gone */
	kernel_double.root_state = DMACC_ROOT_OPEN;
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	assert_state(f, "op", "ready", "");
}

static void without_the_store_key_nothing_is_overwritten_not_even_what_is_damaged(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	flip(f, "op", 120);
	before = stamp(f, "op");
	kernel_double.no_store_key = true;
	write_file(f->usr, "op.conf", CONF "Name=Changed\n");
	start(f);
	assert_state(f, "op", "no-secrets", "no-store-key: the kernel gives the agent no key");
	assert_unwritten(f, "op", before);
	assert_false(stored(f, "op.damaged"));
}

static void when_the_kernel_forgets_its_root_what_is_stored_serves(void **state)
{
	struct fixture *f = *state;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	kernel_double.root_state = DMACC_ROOT_NEEDS_LOAD;
	assert_int_equal(agent_refresh(&f->agent, true), 0);
	assert_string_equal(device_state_word(f->agent.device.state), "no-root");
	assert_state(f, "op", "ready", "hibernation");
	assert_value(f, "op", "ServerPW", SERVER_PW);
}

static void a_changed_template_keeps_what_was_derived_and_the_nonces(void **state)
{
	struct fixture *f = *state;
	char nonce[17] = "";
	size_t len;

	write_file(f->usr, "op.conf", CONF "Name=Before\nConRef=internet\n");
	start(f);
	flip(f, "op", 120);
	start(f);
	memcpy(nonce, record_get(account(f, "op")->record, RECORD_STATE, "ClientNonce", &len), 16);
	write_file(f->usr, "op.conf",
		   CONF "Name=After\nAuthPref=syncml:auth-md5\nServerNonce=AAAAAA==\n");
	start(f);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "Name", "After");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_value(f, "op", "ConRef", "");
	assert_memory_equal(record_get(account(f, "op")->record, RECORD_STATE, "ClientNonce", &len),
			    nonce, 16);
	assert_nonces(f, "op", "burnt");
}

static void a_templates_nonce_is_used_the_first_time(void **state)
{
	struct fixture *f = *state;
	const char *nonce;
	size_t len;

	write_file(f->usr, "op.conf", CONF "ServerNonce=AAECAw==\n");
	start(f);
	nonce = record_get(account(f, "op")->record, RECORD_STATE, "ServerNonce", &len);
	assert_int_equal(len, 4);
	assert_memory_equal(nonce, "\0\1\2\3", 4);
}

static void a_key_of_a_higher_version_derives_anew(void **state)
{
	struct fixture *f = *state;
	uint32_t version;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	kernel_double_inject(0, "vendor", 2);
	start(f);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "ServerPW", SERVER_PW_VERSION_2);
	assert_nonces(f, "op", "initial");
	assert_true(record_get_u32(account(f, "op")->record, RECORD_STATE, "KeyVersion", &version));
	assert_int_equal(version, 2);
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

static void a_damaged_file_gives_way_to_the_one_before_with_burnt_nonces(void **state)
{
	struct fixture *f = *state;
	struct timespec after;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	write_file(f->usr, "op.conf", CONF "Name=Second\n");
	start(f);
	flip(f, "op", 120);
	start(f);
	assert_state(f, "op", "ready", "tampered with");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_value(f, "op", "Name", "Second");
	assert_nonces(f, "op", "burnt");
	assert_true(stored(f, "op.damaged"));
	assert_true(stored(f, "op.prev"));
	after = stamp(f, "op");
	start(f);
	assert_state(f, "op", "ready", "");
	assert_unwritten(f, "op", after);
}

static void a_damaged_file_alone_is_derived_again_with_burnt_nonces(void **state)
{
	struct fixture *f = *state;
	char path[256];

	write_file(f->usr, "op.conf", CONF);
	start(f);
	store_path(f, "op", path);
	assert_int_equal(truncate(path, 40), 0);
	start(f);
	assert_state(f, "op", "ready", "truncated");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_nonces(f, "op", "burnt");
	assert_true(stored(f, "op.damaged"));
	/* even if that write, too, had not happened */
	assert_int_equal(unlink(path), 0);
	start(f);
	assert_nonces(f, "op", "burnt");
}

static void swapped_accounts_are_made_again(void **state)
{
	struct fixture *f = *state;
	char a[256], b[256], c[256];

	write_file(f->usr, "a.conf", CONF);
	write_file(f->usr, "b.conf", ACCOUNT "ServerID=b\n");
	start(f);
	store_path(f, "a", a);
	store_path(f, "b", b);
	store_path(f, "c", c);
	assert_int_equal(rename(a, c) | rename(b, a) | rename(c, b), 0);
	start(f);
	assert_state(f, "a", "ready", "another account's");
	assert_state(f, "b", "ready", "another account's");
	assert_value(f, "a", "ServerPW", SERVER_PW);
	assert_nonces(f, "a", "burnt");
}

static void a_damaged_file_that_cannot_be_derived_again_stays(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	flip(f, "op", 120);
	before = stamp(f, "op");
	kernel_double.slots_len = 0;
	start(f);
	assert_state(f, "op", "damaged", "cannot be derived again now: no key is loaded in slot "
		     "vendor");
	assert_unwritten(f, "op", before);
	kernel_double_reset();
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	assert_state(f, "op", "ready", "tampered with");
	assert_true(stored(f, "op.damaged"));
}

static void a_file_of_a_newer_agent_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	flip(f, "op", 120);
	flip(f, "op", 8);	/* format 0: damage of ours; 3 is not */
	flip(f, "op", 8);
	{
		char path[256];
		int fd;

		store_path(f, "op", path);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		assert_int_equal(pwrite(fd, "\3", 1, 8), 1);
		close(fd);
	}
	before = stamp(f, "op");
	start(f);
	assert_state(f, "op", "damaged", "newer dmaccd");
	assert_unwritten(f, "op", before);
}

static void a_removed_template_withdraws_its_account_and_keeps_the_file(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	before = stamp(f, "op");
	remove_file(f->usr, "op.conf");
	assert_int_equal(agent_refresh(&f->agent, true), 0);
	assert_state(f, "op", "withdrawn", "kept");
	assert_false(agent_wants_retry(&f->agent));
	write_file(f->usr, "op.conf", CONF);
	assert_int_equal(agent_refresh(&f->agent, true), 0);
	assert_state(f, "op", "ready", "");
	assert_unwritten(f, "op", before);
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

static void without_a_key_in_the_slot_there_is_no_account_until_it_comes(void **state)
{
	struct fixture *f = *state;

	kernel_double.slots_len = 0;
	write_file(f->usr, "op.conf", CONF);
	start(f);
	assert_int_equal(f->agent.device.state, DEVICE_READY);
	assert_state(f, "op", "no-slot", "dmaccctl factory inject --slot vendor");
	assert_false(stored(f, "op"));
	assert_true(agent_wants_retry(&f->agent));
	kernel_double_reset();
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	assert_state(f, "op", "ready", "");
	/* and when it goes again, what is stored serves */
	kernel_double.slots_len = 0;
	start(f);
	assert_state(f, "op", "ready", "no key is loaded in slot vendor");
	assert_value(f, "op", "ServerPW", SERVER_PW);
}

static void below_its_rung_an_account_has_no_secrets(void **state)
{
	struct fixture *f = *state;

	write_file(f->usr, "op.conf", CONF "[Account]\nMinimumRung=trusted\n");
	start(f);
	assert_state(f, "op", "no-secrets", "rung trusted at least, and this device's is wrapped");
	assert_false(stored(f, "op"));
	kernel_double.rung = DMACC_RUNG_TRUSTED;
	start(f);
	assert_state(f, "op", "ready", "");
	kernel_double.rung = DMACC_RUNG_WRAPPED;
	start(f);
	assert_state(f, "op", "no-secrets", "rung trusted");
	assert_int_equal(account_tree(account(f, "op"), DMACC_LAYOUT_1_1,
				      &(struct dmacc_tree *){ NULL }), -ENODATA);
	/* not even by breaking its template */
	write_file(f->usr, "op.conf", "nonsense");
	start(f);
	assert_state(f, "op", "no-secrets", "rung trusted");
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

/* As on a disk that is full: no file can grow */
static void refresh_without_room(struct fixture *f)
{
	struct rlimit before, none;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = (struct rlimit){ 0, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(agent_refresh(&f->agent, true), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

static void what_cannot_be_written_is_not_served(void **state)
{
	struct fixture *f = *state;
	struct timespec before;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	/* not the folder's making, the account's */
	remove_file(f->usr, "op.conf");
	write_file(f->usr, "new.conf", CONF);
	refresh_without_room(f);
	assert_state(f, "new", "no-secrets", "cannot be written");
	assert_int_equal(account_tree(account(f, "new"), DMACC_LAYOUT_1_1,
				      &(struct dmacc_tree *){ NULL }), -ENODATA);
	assert_true(agent_wants_retry(&f->agent));
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	assert_state(f, "new", "ready", "");
	before = stamp(f, "new");
	write_file(f->usr, "new.conf", CONF "Name=Later\n");
	refresh_without_room(f);
	assert_state(f, "new", "ready", "as it was stored before");
	assert_unwritten(f, "new", before);
}

static void another_roots_accounts_are_kept_aside(void **state)
{
	struct fixture *f = *state;

	write_file(f->usr, "op.conf", CONF);
	start(f);
	memcpy(kernel_double.root_id, "newroot!", 8);
	kernel_double.store_key[0] ^= 1;
	/* in the same process, too: a module that was loaded anew */
	assert_int_equal(agent_refresh(&f->agent, false), 0);
	assert_state(f, "op", "ready", "another root's");
	assert_nonces(f, "op", "burnt");
	assert_true(stored(f, "op.damaged"));
}

static void values_that_a_later_version_changed_are_kept_and_count_more(void **state)
{
	struct fixture *f = *state;
	struct store_loaded loaded;
	struct store *store;
	char path[256];

	write_file(f->usr, "op.conf", CONF);
	start(f);
	store_path(f, "", path);
	assert_int_equal(store_open(path, kernel_double.root_id, kernel_double.store_key, &store),
			 0);
	store_load(store, "op", &loaded);
	assert_int_equal(record_set(loaded.record, RECORD_SERVER, "Addr", "https://moved.example",
				    21), 0);
	assert_int_equal(record_set(loaded.record, RECORD_SERVER, "Ext/dmacc/Thing", "x", 1), 0);
	assert_int_equal(store_save(store, "op", loaded.record, 9), 0);
	record_free(loaded.record);
	store_close(store);
	write_file(f->usr, "op.conf", CONF "Name=New\n");
	start(f);
	assert_state(f, "op", "ready", "");
	assert_value(f, "op", "Addr", "https://moved.example");
	assert_value(f, "op", "Name", "New");
	assert_value(f, "op", "ServerPW", SERVER_PW);
	assert_non_null(record_get(account(f, "op")->record, RECORD_SERVER, "Ext/dmacc/Thing",
				   &(size_t){ 0 }));
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_template_and_a_key_make_the_published_account),
		TEST(an_unchanged_start_writes_nothing_and_imports_nothing),
		TEST(a_changed_document_is_imported_again),
		TEST(what_is_missing_is_a_state_with_a_way_out_and_comes_back),
		TEST(what_dmacc_unseal_reported_explains_a_root_that_is_not_open),
		TEST(without_the_store_key_nothing_is_overwritten_not_even_what_is_damaged),
		TEST(when_the_kernel_forgets_its_root_what_is_stored_serves),
		TEST(a_changed_template_keeps_what_was_derived_and_the_nonces),
		TEST(a_templates_nonce_is_used_the_first_time),
		TEST(a_key_of_a_higher_version_derives_anew),
		TEST(a_key_of_a_lower_version_changes_nothing),
		TEST(another_key_of_the_same_version_changes_nothing),
		TEST(another_identifier_changes_nothing),
		TEST(a_generation_that_rises_derives_anew_and_one_that_falls_burns_the_nonces),
		TEST(another_server_in_the_template_derives_anew),
		TEST(a_damaged_file_gives_way_to_the_one_before_with_burnt_nonces),
		TEST(a_damaged_file_alone_is_derived_again_with_burnt_nonces),
		TEST(swapped_accounts_are_made_again),
		TEST(a_damaged_file_that_cannot_be_derived_again_stays),
		TEST(a_file_of_a_newer_agent_is_left_alone),
		TEST(a_removed_template_withdraws_its_account_and_keeps_the_file),
		TEST(a_template_that_is_refused_loses_nothing),
		TEST(without_a_key_in_the_slot_there_is_no_account_until_it_comes),
		TEST(below_its_rung_an_account_has_no_secrets),
		TEST(an_unkeyed_profile_is_announced_as_guessable),
		TEST(what_cannot_be_written_is_not_served),
		TEST(another_roots_accounts_are_kept_aside),
		TEST(values_that_a_later_version_changed_are_kept_and_count_more),
		TEST(etc_overrides_usr_by_name),
		TEST(a_document_that_a_conf_names_is_no_template),
		TEST(bad_templates_are_refused_with_a_sentence),
		TEST(an_importer_that_fails_otherwise_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
