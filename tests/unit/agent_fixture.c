// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent_fixture.h"
#include "faults.h"

const uint8_t initial_server_nonce[16] = {
	0x8b, 0x02, 0x2d, 0x96, 0x71, 0xdf, 0x03, 0x73,
	0xc7, 0x1c, 0x9d, 0x5a, 0xcb, 0xd5, 0x75, 0x75,
};

void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

void remove_file(const char *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(unlink(path), 0);
}

void set_importer(struct fixture *f, const char *script)
{
	char text[1024];

	snprintf(text, sizeof(text), "#!/bin/sh\necho run >> %s/runs\n%s\n", f->path, script);
	write_file(f->path, "dmacc-import", text);
	assert_int_equal(chmod(f->importer, 0755), 0);
}

int importer_runs(struct fixture *f)
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

int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	strcpy(f->path, "/tmp/test_agent.XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	snprintf(f->usr, sizeof(f->usr), "%s/usr", f->path);
	snprintf(f->etc, sizeof(f->etc), "%s/etc", f->path);
	snprintf(f->sys, sizeof(f->sys), "%s/sys", f->path);
	snprintf(f->config, sizeof(f->config), "%s/dmaccd.conf", f->path);
	snprintf(f->importer, sizeof(f->importer), "%s/dmacc-import", f->path);
	faults_arm(FAULT_NONE, 0);
	kernel_double_reset();
	*state = f;
	return mkdir(f->usr, 0700) || mkdir(f->etc, 0700);
}

void stop(struct fixture *f)
{
	agent_done(&f->agent);
	f->agent = (struct agent){ 0 };
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

int teardown(void **state)
{
	struct fixture *f = *state;

	faults_arm(FAULT_NONE, 0);
	stop(f);
	(void)nftw(f->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

void start(struct fixture *f)
{
	stop(f);
	/* as dmaccd has it: an importer may end before it was told everything */
	(void)signal(SIGPIPE, SIG_IGN);
	f->agent.template_folders[0] = f->etc;
	f->agent.template_folders[1] = f->usr;
	f->agent.importer = f->importer;
	f->agent.config_path = f->config;
	f->agent.device.report_folder = f->path;
	f->agent.device.sysfs = f->sys;
	assert_true(asprintf(&f->agent.store_path, "%s/accounts", f->path) > 0);
	assert_int_equal(agent_configure(&f->agent), 0);
	assert_int_equal(agent_refresh(&f->agent, true), 0);
}

struct account *account(struct fixture *f, const char *name)
{
	struct account *found = accounts_find(&f->agent.accounts, name);

	assert_non_null(found);
	return found;
}

void assert_state(struct fixture *f, const char *name, const char *state, const char *reason)
{
	struct account *a = account(f, name);

	assert_string_equal(account_state_word(a->state), state);
	if (!reason[0])
		assert_string_equal(a->reason, "");
	else if (!strstr(a->reason, reason))
		fail_msg("'%s' is not in '%s'", reason, a->reason);
}

const char *refused(struct fixture *f, const char *name)
{
	const struct refusal *refusal = templates_refusal(f->agent.templates, name);

	assert_non_null(refusal);
	return refusal->reason;
}

struct record *stored_record(struct fixture *f, const char *name)
{
	struct store_loaded loaded;

	assert_non_null(f->agent.device.store);
	store_load(f->agent.device.store, name, &loaded);
	assert_non_null(loaded.record);
	return loaded.record;
}

/* As the account is served or, of one that is kept and not served, as it is stored */
static void full_tree(struct fixture *f, const char *name, struct dmacc_tree **ret)
{
	struct record *record;

	if (account(f, name)->state == ACCOUNT_READY) {
		assert_int_equal(agent_secret_tree(&f->agent, account(f, name), DMACC_LAYOUT_1_1,
						   ret), 0);
		return;
	}
	record = stored_record(f, name);
	assert_int_equal(account_secret_tree(record, DMACC_LAYOUT_1_1, ret), 0);
	record_free(record);
}

const char *value(struct fixture *f, const char *name, const char *leaf)
{
	static char text[256];
	const struct dmacc_tree_node *node;
	struct dmacc_tree *tree;
	char *found = NULL;
	size_t i;

	full_tree(f, name, &tree);
	for (i = 0; (node = dmacc_tree_node(tree, i)); i++)
		if (node->value && !strcmp(strrchr(node->uri, '/') + 1, leaf)) {
			assert_true(node->len < sizeof(text));
			memcpy(text, node->value, node->len + 1);
			found = text;
		}
	dmacc_tree_free(tree);
	return found;
}

void assert_value(struct fixture *f, const char *name, const char *leaf, const char *wanted)
{
	const char *found = value(f, name, leaf);

	assert_non_null(found);
	assert_string_equal(found, wanted);
}

void store_path(struct fixture *f, const char *file, char ret[256])
{
	snprintf(ret, 256, "%s/accounts/%s", f->path, file);
}

bool stored(struct fixture *f, const char *file)
{
	char path[256];

	store_path(f, file, path);
	return !access(path, F_OK);
}

struct timespec stamp(struct fixture *f, const char *file)
{
	char path[256];
	struct stat st;

	store_path(f, file, path);
	assert_int_equal(stat(path, &st), 0);
	return (struct timespec){ st.st_ctim.tv_sec + (time_t)st.st_ino, st.st_ctim.tv_nsec };
}

void assert_unwritten(struct fixture *f, const char *file, struct timespec before)
{
	struct timespec now = stamp(f, file);

	assert_memory_equal(&now, &before, sizeof(now));
}

void flip(struct fixture *f, const char *file, off_t at)
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

void assert_nonces(struct fixture *f, const char *name, const char *word)
{
	struct record *record = stored_record(f, name);
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
	record_free(record);
}
