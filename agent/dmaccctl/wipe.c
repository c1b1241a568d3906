// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * wipe: the end of this device's keys and accounts, for new ones after a board or a TPM was changed,
 * or before it is sold.
 *
 * It puts them aside, inside of the folders where they are, under names that no program of ours reads:
 * a wipe by mistake loses nothing that way, and what lies there opens on this very device only, if at
 * all. With --destroy they are removed, and so is what was put aside before.
 *
 * The keys go first and the root after them: whatever ends it half way, nothing that is left opens less
 * than before, and it can be repeated.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "credential.h"
#include "ctl.h"
#include "factory_store.h"
#include "kernel.h"
#include "lives.h"
#include "units.h"

#define STATE_PATH "/var/lib/dmacc"
#define RETIRED "retired-"
#define NAME_SIZE 300

struct wipe {
	const char *store_path;
	const char *state_path;
	const char *credential_folder;
	const char *account;		/* one account only */
	bool accounts;			/* accounts only */
	bool destroy;
	bool yes;
	char stamp[32];
	int done;			/* how much was put aside or removed */
};

static int open_folder(const char *path, int *ret)
{
	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret >= 0)
		return 0;
	return errno == ENOENT ? -1 : complain("%s: %s", path, strerror(errno));
}

/* In the folder @from: NAME becomes TO/NAME, or is removed */
static int put_aside(struct wipe *w, int from, const char *name, int to, const char *as)
{
	int r = w->destroy ? unlinkat(from, name, 0) : renameat(from, name, to, as);

	if (r < 0 && errno == ENOENT)
		return 0;
	if (r < 0)
		return complain("%s: %s; repeat this", name, strerror(errno));
	w->done++;
	return 0;
}

static bool is_hidden(const char *name)
{
	return name[0] == '.';
}

/* Calls @each for every entry; a name at a time, since it changes the folder */
static int walk(struct wipe *w, int folder, int (*each)(struct wipe *w, int folder, const char *name))
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return complain("a folder cannot be read: %s", strerror(errno));
	}
	while (!r && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			r = each(w, folder, entry->d_name);
	closedir(dir);
	return r;
}

static int remove_entry(struct wipe *w, int folder, const char *name)
{
	int fd, r;

	if (!unlinkat(folder, name, 0))
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return complain("%s: %s; repeat this", name, strerror(errno));
	fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return complain("%s: %s; repeat this", name, strerror(errno));
	r = walk(w, fd, remove_entry);
	close(fd);
	if (!r && unlinkat(folder, name, AT_REMOVEDIR) < 0)
		r = complain("%s: %s; repeat this", name, strerror(errno));
	return r;
}

static int remove_retired(struct wipe *w, int folder, const char *name)
{
	if (strncmp(name, RETIRED, strlen(RETIRED)) && strcmp(name, "root.prev"))
		return 0;
	w->done++;
	return remove_entry(w, folder, name);
}

/* The folder RETIRED-STAMP/slots below the store, and the first of them */
static int make_retired(struct wipe *w, int store, int *ret)
{
	char name[64];

	snprintf(name, sizeof(name), RETIRED "%s", w->stamp);
	if (mkdirat(store, name, 0700) < 0 && errno != EEXIST)
		return complain("%s/%s: %s", w->store_path, name, strerror(errno));
	*ret = openat(store, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret < 0 || (mkdirat(*ret, "slots", 0700) < 0 && errno != EEXIST))
		return complain("%s/%s: %s", w->store_path, name, strerror(errno));
	return 0;
}

/* An empty folder is not left behind */
static void leave_retired(struct wipe *w, int store, int retired)
{
	char name[64];

	snprintf(name, sizeof(name), RETIRED "%s", w->stamp);
	(void)unlinkat(retired, "slots", AT_REMOVEDIR);
	(void)fsync(retired);
	close(retired);
	(void)unlinkat(store, name, AT_REMOVEDIR);
}

static int retire_slots(struct wipe *w, int store, int retired)
{
	int from = openat(store, "slots", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), to = -1;
	struct dirent *entry;
	int fd, r = 0;
	DIR *dir;

	if (from < 0)
		return errno == ENOENT ? 0 : complain("%s/slots: %s", w->store_path, strerror(errno));
	if (!w->destroy)
		to = openat(retired, "slots", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	fd = dup(from);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir || (!w->destroy && to < 0))
		r = complain("%s/slots: %s", w->store_path, strerror(errno));
	while (!r && (entry = readdir(dir)))
		if (!is_hidden(entry->d_name) || w->destroy)
			r = strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") ?
				put_aside(w, from, entry->d_name, to, entry->d_name) : 0;
	if (dir)
		closedir(dir);
	(void)fsync(from);
	if (to >= 0)
		(void)fsync(to);
	close(from);
	if (to >= 0)
		close(to);
	return r;
}

static int retire_store(struct wipe *w)
{
	static const char * const names[] = { "root", "tpm", "master" };
	int store, retired = -1, r;
	size_t i;

	r = open_folder(w->store_path, &store);
	if (r)
		return r == -1 ? 0 : r;
	if (!w->destroy)
		r = make_retired(w, store, &retired);
	if (!r)
		r = retire_slots(w, store, retired);
	for (i = 0; !r && i < sizeof(names) / sizeof(names[0]); i++)
		r = put_aside(w, store, names[i], retired, names[i]);
	if (!r && w->destroy)
		r = walk(w, store, remove_retired);
	if (retired >= 0)
		leave_retired(w, store, retired);
	(void)fsync(store);
	close(store);
	return r;
}

static int remove_old_credential(struct wipe *w, int folder, const char *name)
{
	size_t len = strlen(CREDENTIAL_NAME);

	if (strncmp(name, CREDENTIAL_NAME ".", len + 1))
		return 0;
	return put_aside(w, folder, name, -1, NULL);
}

static int retire_credential(struct wipe *w)
{
	char as[NAME_SIZE];
	int folder, r;

	r = open_folder(w->credential_folder, &folder);
	if (r)
		return r == -1 ? 0 : r;
	snprintf(as, sizeof(as), CREDENTIAL_NAME "." RETIRED "%s", w->stamp);
	r = put_aside(w, folder, CREDENTIAL_NAME, folder, as);
	if (!r && w->destroy)
		r = walk(w, folder, remove_old_credential);
	(void)fsync(folder);
	close(folder);
	return r;
}

static bool has_ending(const char *name, const char *ending)
{
	size_t len = strlen(name), end = strlen(ending);

	return len > end && !strcmp(name + len - end, ending);
}

/* NAME.damaged, NAME.damaged-2 ... -9: the agent reads none of them, uses no nonce of theirs twice */
static int find_place(int folder, const char *name, char ret[NAME_SIZE])
{
	int i;

	for (i = 1; i <= 9; i++) {
		if (i == 1)
			snprintf(ret, NAME_SIZE, "%s.damaged", name);
		else
			snprintf(ret, NAME_SIZE, "%s.damaged-%d", name, i);
		if (faccessat(folder, ret, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
			return 0;
	}
	return complain("account %s: nine files of it have been put aside already; remove those that "
			"nobody needs", name);
}

static int retire_account(struct wipe *w, int folder, const char *name)
{
	char as[NAME_SIZE], previous[NAME_SIZE];
	int r;

	if (w->destroy)
		return put_aside(w, folder, name, -1, NULL);
	if (is_hidden(name) || has_ending(name, ".prev") || strstr(name, ".damaged"))
		return 0;
	r = find_place(folder, name, as);
	if (!r)
		r = put_aside(w, folder, name, folder, as);
	/* what it was before the last write of the agent tells nothing that the other does not */
	snprintf(previous, sizeof(previous), "%s.prev", name);
	if (!r && unlinkat(folder, previous, 0) < 0 && errno != ENOENT)
		r = complain("%s: %s; repeat this", previous, strerror(errno));
	return r;
}

/* One whose file is gone may still have what it was before */
static int retire_previous(struct wipe *w, int folder, const char *name)
{
	if (!has_ending(name, ".prev"))
		return 0;
	w->done++;
	return unlinkat(folder, name, 0) < 0 ? complain("%s: %s", name, strerror(errno)) : 0;
}

/* Whatever the agent, or a power cut, may have left of the account: uapi/store.md */
static bool is_of_account(const char *file, const char *account)
{
	size_t len = strlen(account);
	const char *rest;

	file += is_hidden(file);
	if (strncmp(file, account, len))
		return false;
	rest = file + len;
	return !*rest || !strcmp(rest, ".prev") || !strcmp(rest, ".new") || !strcmp(rest, ".old") ||
	       !strcmp(rest, ".damaged") || !strncmp(rest, ".damaged-", 9);
}

static int destroy_file(struct wipe *w, int folder, const char *name)
{
	return is_of_account(name, w->account) ? put_aside(w, folder, name, -1, NULL) : 0;
}

static int retire_one(struct wipe *w, int folder)
{
	int before = w->done, r;

	if (strchr(w->account, '/') || is_hidden(w->account) || strlen(w->account) > 64)
		return complain("an account cannot have that name");
	r = w->destroy ? walk(w, folder, destroy_file) : retire_account(w, folder, w->account);
	if (!r && w->done == before)
		r = complain("there is nothing stored of an account '%s'", w->account);
	return r;
}

static int retire_accounts(struct wipe *w)
{
	char path[4096];
	int folder, r;

	snprintf(path, sizeof(path), "%s/accounts", w->state_path);
	r = open_folder(path, &folder);
	if (r)
		return r == -1 && w->account ?
			complain("there is nothing stored of an account '%s'", w->account) :
			r == -1 ? 0 : r;
	if (w->account) {
		r = retire_one(w, folder);
	} else {
		r = walk(w, folder, retire_account);
		if (!r && !w->destroy)
			r = walk(w, folder, retire_previous);
	}
	(void)fsync(folder);
	close(folder);
	return r;
}

/* Accounts of which nothing is left may have used their initial nonces: their life ends here */
static void end_life(const struct wipe *w)
{
	struct factory_store *store;

	if (!w->destroy || strcmp(w->state_path, STATE_PATH))
		return;
	(void)unlink(STATE_PATH "/" LIVES_NAME);
	if (factory_store_open(w->store_path, 0, &store))
		return;
	(void)lives_tell(store, STATE_PATH, NULL);
	factory_store_close(store);
}

/* So that nothing derives with them until the reboot. The root itself cannot be given back. */
static void forget_keys(void)
{
	struct dmacc_kernel_status status;
	struct dmacc_kernel *kernel;
	size_t i;

	if (dmacc_kernel_open(&kernel))
		return;
	if (!dmacc_kernel_get_status(kernel, &status))
		for (i = 0; i < status.slots_len; i++)
			(void)dmacc_kernel_forget_key(kernel, status.slots[i].name);
	dmacc_kernel_close(kernel);
}

static bool begins_locked(void)
{
	int fd = open("/sys/module/dmacc/parameters/locked", O_RDONLY | O_CLOEXEC);
	char c = 'N';

	if (fd < 0)
		return false;
	if (read(fd, &c, 1) != 1)
		c = 'N';
	close(fd);
	return c == 'Y';
}

static int wipe(struct wipe *w)
{
	time_t now = time(NULL);
	struct tm tm;
	int r = 0;

	(void)strftime(w->stamp, sizeof(w->stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	if (!w->accounts && !w->account) {
		r = retire_store(w);
		if (!r)
			r = retire_credential(w);
		if (!r)
			forget_keys();
	}
	if (!r)
		r = retire_accounts(w);
	if (!r)
		end_life(w);
	/* one that runs would go on with what it has open */
	units_call("try-reload-or-restart", "dmaccd.service");
	return r;
}

static void print(const struct wipe *w)
{
	bool keys = !w->accounts && !w->account;

	printf("%s %s: %d files\n", keys ? "keys and accounts" : "accounts",
	       w->destroy ? "removed" : "put aside", w->done);
	if (!keys)
		return;
	printf("reboot: until then the kernel has its root open, and what was locked stays locked\n");
	if (begins_locked())
		printf("this image loads the module with locked=1, and takes no new key: give it one from "
		       "the factory's image\n");
	if (w->destroy)
		printf("removed does not mean overwritten: what flash memory keeps is sealed, as it was\n");
}

static int check(const struct wipe *w)
{
	if (w->accounts && w->account)
		return complain("--accounts is all of them, --account NAME is one");
	if (w->yes)
		return 0;
	return complain("wipe %s %s; say --yes if that is meant", w->destroy ? "removes" : "puts aside",
			w->account ? "what is stored of that account" : w->accounts ?
			"what is stored of all accounts" :
			"the sealed keys, the root, its master and all accounts: this device then needs new "
			"keys from the factory");
}

static int set_option(struct wipe *w, int option)
{
	switch (option) {
	case 'y': w->yes = true; return 0;
	case 'd': w->destroy = true; return 0;
	case 'A': w->accounts = true; return 0;
	case 'a': w->account = optarg; return 0;
	case 's': w->store_path = optarg; return 0;
	case 't': w->state_path = optarg; return 0;
	case 'c': w->credential_folder = optarg; return 0;
	default: return EXIT_NOTHING;
	}
}

int wipe_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "yes", no_argument, NULL, 'y' },
		{ "destroy", no_argument, NULL, 'd' },
		{ "accounts", no_argument, NULL, 'A' },
		{ "account", required_argument, NULL, 'a' },
		{ "factory-store", required_argument, NULL, 's' },
		{ "state", required_argument, NULL, 't' },
		{ "credential-store", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	struct wipe w = {
		.store_path = factory_store_place(),
		.state_path = STATE_PATH,
		.credential_folder = CREDENTIAL_FOLDER,
	};
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (set_option(&w, c))
			return EXIT_NOTHING;
	if (optind < argc)
		return complain("wipe takes no argument '%s'", argv[optind]);
	r = check(&w);
	if (!r)
		r = wipe(&w);
	if (!r)
		print(&w);
	return finish_output(r);
}
