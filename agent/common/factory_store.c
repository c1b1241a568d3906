// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dmacc.h"
#include "durable.h"
#include "factory_store.h"
#include "linux/dmacc.h"

#define ROOT_NAME "root"
#define MASTER_NAME "master"
#define TPM_NAME "tpm"
#define SLOTS_NAME "slots"
#define LIVES_NAME "lives"
#define MASTER_TEXT_LEN (2 * DMACC_MASTER_LEN + 1)

struct factory_store {
	char *path;
	int fd;
};

/* Who can write here can put an older, unlocked root back */
static int check_folder(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return -EPERM;
	return 0;
}

static int open_folder(const char *path, int create)
{
	int fd, r;

	if (create)
		fd = durable_open_folder(path, 0700);
	else
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return create ? fd : -errno;
	r = check_folder(fd);
	if (r) {
		close(fd);
		return r;
	}
	return fd;
}

/* Does something lie on top of this folder, or on top of what it lies in? */
static bool is_mount_point(const char *path)
{
	char parent[64];
	struct stat here, above;

	snprintf(parent, sizeof(parent), "%s/..", path);
	return !stat(path, &here) && !stat(parent, &above) && S_ISDIR(here.st_mode) &&
	       (here.st_dev != above.st_dev || here.st_ino == above.st_ino);
}

/* By what the kernel says of it: where we run confined there are no devices to look at */
static bool is_partition(int blocks, const char *name)
{
	static const char wanted[] = "\nPARTNAME=" FACTORY_STORE_PARTITION "\n";
	char path[NAME_MAX + 16], text[1024];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/uevent", name);
	fd = openat(blocks, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return strstr(text, wanted);
}

static bool has_partition(void)
{
	DIR *dir = opendir("/sys/class/block");
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir)))
		found = entry->d_name[0] != '.' && is_partition(dirfd(dir), entry->d_name);
	if (dir)
		closedir(dir);
	return found;
}

/* What lies where the partition should be mounted may be older, or nothing: -ENOMEDIUM */
static int find_place(const char **ret)
{
	*ret = FACTORY_STORE_PATH;
	if (is_mount_point(FACTORY_STORE_PATH))
		return 0;
	if (has_partition())
		return -ENOMEDIUM;
	if (is_mount_point(FACTORY_STORE_PERSIST))
		*ret = FACTORY_STORE_PERSIST "/dmacc-factory";
	return 0;
}

const char *factory_store_place(void)
{
	const char *path;

	(void)find_place(&path);
	return path;
}

int factory_store_open(const char *path, int create, struct factory_store **ret)
{
	struct factory_store *store;
	int r = 0;

	if (!path || !strcmp(path, FACTORY_STORE_PATH))
		r = find_place(&path);
	if (r)
		return r;
	store = calloc(1, sizeof(*store));
	if (!store)
		return -ENOMEM;
	store->path = strdup(path);
	store->fd = store->path ? open_folder(store->path, create) : -ENOMEM;
	if (store->fd < 0) {
		r = store->fd;
		factory_store_close(store);
		return r;
	}
	*ret = store;
	return 0;
}

struct factory_store *factory_store_close(struct factory_store *store)
{
	if (!store)
		return NULL;
	if (store->fd >= 0)
		close(store->fd);
	free(store->path);
	free(store);
	return NULL;
}

const char *factory_store_path(const struct factory_store *store)
{
	return store->path;
}

int factory_store_read_root(struct factory_store *store, uint8_t **ret_blob, size_t *ret_len)
{
	return durable_read(store->fd, ROOT_NAME, DMACC_BLOB_MAX, ret_blob, ret_len);
}

int factory_store_write_root(struct factory_store *store, const void *blob, size_t len)
{
	return durable_write(store->fd, ROOT_NAME, 0600, blob, len);
}

int factory_store_replace_root(struct factory_store *store, const void *blob, size_t len)
{
	return durable_rotate(store->fd, ROOT_NAME, 0600, blob, len);
}

int factory_store_read_master(struct factory_store *store, uint8_t ret_master[DMACC_MASTER_LEN],
			      const char **reterr_sentence)
{
	int fd = openat(store->fd, MASTER_NAME,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int r;

	if (fd < 0) {
		r = -errno;
		*reterr_sentence = r == -ENOENT ? "it is not there" : "it cannot be opened";
		return r;
	}
	r = dmacc_key_read(fd, ret_master, reterr_sentence);
	close(fd);
	return r;
}

/* 32 bytes as a line of hexadecimal digits */
static int write_line(struct factory_store *store, const char *name,
		      const uint8_t bytes[DMACC_MASTER_LEN])
{
	char text[MASTER_TEXT_LEN];
	size_t i;
	int r;

	for (i = 0; i < DMACC_MASTER_LEN; i++) {
		text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	text[MASTER_TEXT_LEN - 1] = '\n';
	r = durable_write(store->fd, name, 0600, text, sizeof(text));
	dmacc_wipe(text, sizeof(text));
	return r;
}

int factory_store_write_master(struct factory_store *store, const uint8_t master[DMACC_MASTER_LEN])
{
	return write_line(store, MASTER_NAME, master);
}

static int read_digits(const uint8_t *text, size_t len, uint8_t ret[FACTORY_STORE_TPM_LEN])
{
	static const char digits[] = "0123456789abcdef";
	const char *high, *low;
	size_t i;

	if (len != MASTER_TEXT_LEN)
		return -EINVAL;
	for (i = 0; i < FACTORY_STORE_TPM_LEN; i++) {
		high = memchr(digits, text[2 * i], 16);
		low = memchr(digits, text[2 * i + 1], 16);
		if (!high || !low)
			return -EINVAL;
		ret[i] = (uint8_t)((high - digits) << 4 | (low - digits));
	}
	return 0;
}

int factory_store_read_tpm(struct factory_store *store, uint8_t ret[FACTORY_STORE_TPM_LEN])
{
	uint8_t *text, bytes[FACTORY_STORE_TPM_LEN];
	size_t len;
	int r;

	r = durable_read(store->fd, TPM_NAME, MASTER_TEXT_LEN, &text, &len);
	if (r)
		return r;
	r = read_digits(text, len, bytes);
	free(text);
	if (!r)
		memcpy(ret, bytes, sizeof(bytes));
	return r;
}

int factory_store_write_tpm(struct factory_store *store,
			    const uint8_t fingerprint[FACTORY_STORE_TPM_LEN])
{
	return write_line(store, TPM_NAME, fingerprint);
}

/* Those of the module but for a dot first: hidden files are none of ours */
bool factory_store_slot_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");

	return len && len <= DMACC_SLOT_NAME_MAX && !name[len] && name[0] != '.';
}

bool factory_store_is_slot(const void *blob, size_t len, const char *slot)
{
	const struct dmacc_slot_blob *b = blob;

	return len == sizeof(*b) && b->name_len == strlen(slot) &&
	       b->name_len <= sizeof(b->name) && !memcmp(b->name, slot, b->name_len);
}

/* -ENOENT if there is none */
static int open_below(struct factory_store *store, const char *name)
{
	int fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = check_folder(fd);
	if (r) {
		close(fd);
		return r;
	}
	return fd;
}

static int make_below(struct factory_store *store, const char *name)
{
	if (mkdirat(store->fd, name, 0700) < 0)
		return errno == EEXIST ? open_below(store, name) : -errno;
	if (fsync(store->fd) < 0)
		return -errno;
	return open_below(store, name);
}

struct names {
	char **names;
	size_t count;
};

static void names_free(struct names *n)
{
	size_t i;

	for (i = 0; i < n->count; i++)
		free(n->names[i]);
	free(n->names);
}

/* Keeps a NULL behind the last */
static int names_add(struct names *n, const char *name)
{
	char **names = realloc(n->names, (n->count + 2) * sizeof(*names));

	if (!names)
		return -ENOMEM;
	n->names = names;
	names[n->count] = strdup(name);
	if (!names[n->count])
		return -ENOMEM;
	names[++n->count] = NULL;
	return 0;
}

static bool is_slot_file(int fd, const char *name)
{
	struct stat st;

	return factory_store_slot_name(name) && !fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) &&
	       S_ISREG(st.st_mode);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Takes @fd */
static int collect(int fd, struct names *names)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	for (errno = 0; !r && (entry = readdir(dir)); errno = 0)
		if (is_slot_file(fd, entry->d_name))
			r = names_add(names, entry->d_name);
	if (!r && errno)
		r = -errno;
	closedir(dir);
	return r;
}

int factory_store_list_slots(struct factory_store *store, char ***ret)
{
	struct names names = { .names = calloc(1, sizeof(char *)) };
	int fd, r = 0;

	if (!names.names)
		return -ENOMEM;
	fd = open_below(store, SLOTS_NAME);
	if (fd >= 0)
		r = collect(fd, &names);
	else if (fd != -ENOENT)
		r = fd;
	if (r) {
		names_free(&names);
		return r;
	}
	qsort(names.names, names.count, sizeof(char *), compare_names);
	*ret = names.names;
	return 0;
}

bool factory_store_lists(char **slots, const char *name)
{
	for (; *slots; slots++)
		if (!strcmp(*slots, name))
			return true;
	return false;
}

void factory_store_free_slots(char **slots)
{
	size_t i;

	for (i = 0; slots && slots[i]; i++)
		free(slots[i]);
	free(slots);
}

static int read_below(struct factory_store *store, const char *folder, const char *slot,
		      size_t max, uint8_t **ret_data, size_t *ret_len)
{
	int fd, r;

	if (!factory_store_slot_name(slot))
		return -EINVAL;
	fd = open_below(store, folder);
	if (fd < 0)
		return fd;
	r = durable_read(fd, slot, max, ret_data, ret_len);
	close(fd);
	return r;
}

static int write_below(struct factory_store *store, const char *folder, const char *slot,
		       const void *data, size_t len)
{
	int fd, r;

	if (!factory_store_slot_name(slot))
		return -EINVAL;
	fd = make_below(store, folder);
	if (fd < 0)
		return fd;
	r = durable_write(fd, slot, 0600, data, len);
	close(fd);
	return r;
}

int factory_store_read_slot(struct factory_store *store, const char *slot, uint8_t **ret_blob,
			    size_t *ret_len)
{
	return read_below(store, SLOTS_NAME, slot, DMACC_BLOB_MAX, ret_blob, ret_len);
}

int factory_store_write_slot(struct factory_store *store, const char *slot, const void *blob,
			     size_t len)
{
	return write_below(store, SLOTS_NAME, slot, blob, len);
}

int factory_store_read_note(struct factory_store *store, const char *slot,
			    char ret[FACTORY_STORE_NOTE_SIZE])
{
	uint8_t *text;
	size_t len;
	int r;

	r = read_below(store, LIVES_NAME, slot, FACTORY_STORE_NOTE_SIZE - 1, &text, &len);
	if (r)
		return r;
	if (len == FACTORY_STORE_NOTE_SIZE - 1 && !memchr(text, 0, len)) {
		memcpy(ret, text, len);
		ret[len] = '\0';
	} else {
		r = -EBADMSG;
	}
	free(text);
	return r;
}

int factory_store_write_note(struct factory_store *store, const char *slot,
			     const char note[FACTORY_STORE_NOTE_SIZE])
{
	return write_below(store, LIVES_NAME, slot, note, strlen(note));
}

const char *factory_store_error(int error)
{
	switch (-error) {
	case EPERM: return "it is somebody else's, or group or others can write to it; "
			   "make that chown root: and chmod 700";
	case ENOMEDIUM: return "this device has a partition '" FACTORY_STORE_PARTITION "' for it, which is "
			       "not mounted";
	case EFBIG: return "it is too long for what it should be";
	case EINVAL: return "it is no regular file";
	default: return strerror(-error);
	}
}
