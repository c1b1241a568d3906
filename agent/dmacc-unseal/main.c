// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dmacc-unseal: once a boot, hands the module what the factory sealed. The only program that reads
 * the master and the sealed blobs in the field; it keeps nothing, writes nothing and ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dmacc.h"
#include "durable.h"
#include "factory_store.h"
#include "harden.h"
#include "kernel.h"
#include "unseal.h"

#define AGENT_USER "dmacc"
#define CREDENTIAL "dmacc.master"

struct unseal {
	const char *store_path;
	struct factory_store *store;
	struct dmacc_kernel *kernel;
	struct dmacc_kernel_master master;
	uid_t agent;
	uint8_t *root;
	size_t root_len;
};

/* The master as a credential: 32 bytes. -ENOENT if systemd handed none over. */
static int read_credential(struct dmacc_kernel_master *master)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	uint8_t *data;
	size_t len;
	int fd, r;

	if (!folder)
		return -ENOENT;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENOENT :
			refuse("%s: %s", folder, strerror(errno));
	r = durable_read(fd, CREDENTIAL, DMACC_BLOB_MAX, &data, &len);
	close(fd);
	if (r == -ENOENT)
		return r;
	if (r)
		return refuse("credential " CREDENTIAL ": %s", factory_store_error(r));
	if (len == DMACC_MASTER_LEN)
		memcpy(master->bytes, data, len);
	else
		r = refuse("credential " CREDENTIAL ": it has %zu bytes, not %d", len,
			   DMACC_MASTER_LEN);
	dmacc_wipe(data, len);
	free(data);
	master->source = DMACC_MASTER_CREDENTIAL_HOST;
	return r;
}

static int read_file(struct unseal *u)
{
	const char *sentence;
	int r;

	r = factory_store_read_master(u->store, u->master.bytes, &sentence);
	if (r == -ENOENT)
		return r;
	if (r)
		return refuse("%s/master: %s", u->store_path, sentence);
	u->master.source = DMACC_MASTER_FILE;
	say(WARNING, "%s/master: a master in a plain file is for development: "
	    "who can read the disk has this device's keys", u->store_path);
	return 0;
}

/* A credential that is there but bad is not passed over in favour of a file */
static int read_master(struct unseal *u)
{
	int r = read_credential(&u->master);

	if (r == -ENOENT)
		r = read_file(u);
	return r;
}

/* The rung that the header names: the module judges whether that is true */
static bool needs_master(const struct unseal *u)
{
	const struct dmacc_root_blob *blob = (const struct dmacc_root_blob *)u->root;

	return u->root_len >= sizeof(*blob) && blob->rung == DMACC_RUNG_WRAPPED;
}

static int find_agent(uid_t *ret)
{
	const struct passwd *user;

	errno = 0;
	user = getpwnam(AGENT_USER);
	if (!user)
		return refuse("there is no user '" AGENT_USER "', whose agent may use the keys%s%s",
			      errno ? ": " : "", errno ? strerror(errno) : "");
	*ret = user->pw_uid;
	return 0;
}

static int connect_kernel(struct unseal *u)
{
	char sentence[256];
	int r;

	r = dmacc_kernel_open(&u->kernel);
	if (r == -ENOENT) {
		dmacc_kernel_missing_sentence(sentence, sizeof(sentence));
		return refuse("%s", sentence);
	}
	return r ? refuse("the kernel cannot be asked: %s", strerror(-r)) : 0;
}

static int open_root(struct unseal *u)
{
	const struct dmacc_kernel_master *master = NULL;
	int r;

	r = find_agent(&u->agent);
	if (!r)
		r = read_master(u);
	if (r && r != -ENOENT)
		return r;
	if (!r)
		master = &u->master;
	else if (needs_master(u))
		return refuse("%s/root: its master is missing: there is neither the credential "
			      CREDENTIAL " nor %s/master", u->store_path, u->store_path);
	r = connect_kernel(u);
	if (r)
		return r;
	r = dmacc_kernel_open_root(u->kernel, u->root, u->root_len, master, u->agent);
	dmacc_wipe(&u->master, sizeof(u->master));
	if (r)
		return refuse("%s/root: the kernel refused it: %s", u->store_path,
			      dmacc_kernel_sentence(u->kernel));
	return 0;
}

static int load_slot(struct unseal *u, const char *name)
{
	uint8_t *blob;
	size_t len;
	int r;

	r = factory_store_read_slot(u->store, name, &blob, &len);
	if (r)
		return refuse("%s/slots/%s: %s", u->store_path, name, factory_store_error(r));
	if (!factory_store_is_slot(blob, len, name))
		r = refuse("%s/slots/%s: it is not the sealed key of slot '%s'", u->store_path, name,
			   name);
	else if (dmacc_kernel_load_key(u->kernel, blob, len, NULL))
		r = refuse("%s/slots/%s: the kernel refused it: %s", u->store_path, name,
			   dmacc_kernel_sentence(u->kernel));
	free(blob);
	return r;
}

/* One that is refused does not keep the others out */
static int load_slots(struct unseal *u, size_t *ret_loaded)
{
	char **names;
	int r, result = 0;
	size_t i;

	r = factory_store_list_slots(u->store, &names);
	if (r)
		return refuse("%s/slots: %s", u->store_path, factory_store_error(r));
	*ret_loaded = 0;
	for (i = 0; names[i]; i++) {
		r = load_slot(u, names[i]);
		if (r)
			result = r;
		else
			++*ret_loaded;
	}
	factory_store_free_slots(names);
	return result;
}

static void report(struct unseal *u, size_t loaded)
{
	struct dmacc_kernel_status status;

	if (dmacc_kernel_get_status(u->kernel, &status))
		return;
	say(INFO, "the root is open (rung %s, master %s, %slocked), sealed keys loaded: %zu",
	    dmacc_rung_word(status.rung), dmacc_master_source_word(status.master_source),
	    status.locked ? "" : "not ", loaded);
}

/* Returns 1 if there is nothing to unseal */
static int read_root(struct unseal *u)
{
	int r = factory_store_open(u->store_path, 0, &u->store);

	if (r == -ENOENT) {
		say(INFO, "nothing to unseal: there is no %s", u->store_path);
		return 1;
	}
	if (r)
		return refuse("%s: %s", u->store_path, factory_store_error(r));
	r = factory_store_read_root(u->store, &u->root, &u->root_len);
	if (r == -ENOENT) {
		say(INFO, "nothing to unseal: there is no %s/root", u->store_path);
		return 1;
	}
	return r ? refuse("%s/root: %s", u->store_path, factory_store_error(r)) : 0;
}

static int unseal(struct unseal *u)
{
	size_t loaded = 0;
	int r;

	r = read_root(u);
	if (r)
		return r < 0 ? r : 0;
	r = open_root(u);
	if (!r) {
		r = load_slots(u, &loaded);
		report(u, loaded);
	}
	return r;
}

static int parse(int argc, char **argv, struct unseal *u)
{
	static const struct option options[] = {
		{ "factory-store", required_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'v') {
			printf("dmacc-unseal %s\n", DMACC_VERSION);
			exit(EXIT_SUCCESS);
		}
		if (c != 's')
			return -EINVAL;
		u->store_path = optarg;
	}
	return optind < argc ? refuse("it takes no argument '%s'", argv[optind]) : 0;
}

int main(int argc, char **argv)
{
	struct unseal u = { .store_path = FACTORY_STORE_PATH };
	int r;

	harden_process();
	r = parse(argc, argv, &u);
	if (r)
		return 2;
	r = unseal(&u);
	dmacc_wipe(&u.master, sizeof(u.master));
	free(u.root);
	dmacc_kernel_close(u.kernel);
	factory_store_close(u.store);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
