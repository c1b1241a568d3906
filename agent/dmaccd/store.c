// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "durable.h"
#include "store.h"

#define MAGIC "DMACCACC"
#define FORMAT 1
#define NONCE_LEN 12
#define TAG_LEN 16
#define PREVIOUS ".prev"
#define DAMAGED ".damaged"
#define DAMAGED_MAX 9

/* Authenticated as a whole. Big-endian; no padding: every member is where uapi/store.md has it. */
struct header {
	uint8_t magic[8];
	uint8_t format;
	uint8_t name_len;
	uint8_t reserved[2];
	uint32_t payload_len;
	uint8_t root_id[DMACC_ROOT_ID_LEN];
	uint64_t counter;
	uint8_t name[STORE_NAME_SIZE - 1];
	uint8_t nonce[NONCE_LEN];
} __attribute__((packed));

_Static_assert(sizeof(struct header) == 108, "the header has no padding");

#define FILE_MAX (sizeof(struct header) + RECORD_PAYLOAD_MAX + TAG_LEN)

/* The key while it is used. A page of its own, so that it can be locked and kept out of a dump. */
struct secret {
	uint8_t key[DMACC_STORE_KEY_LEN];
};

struct store {
	int folder;
	EVP_CIPHER *cipher;
	struct store_keys keys;
	struct secret *secret;
	uint8_t root_id[DMACC_ROOT_ID_LEN];
};

const char *store_fault_word(enum store_fault fault)
{
	static const char *const words[] = {
		[STORE_FINE] = "fine",
		[STORE_MISSING] = "missing",
		[STORE_TRUNCATED] = "truncated",
		[STORE_ZERO_FILLED] = "zero-filled",
		[STORE_OTHER_MAGIC] = "no store file",
		[STORE_NEWER] = "of a newer format",
		[STORE_OTHER_ACCOUNT] = "another account's",
		[STORE_OTHER_ROOT] = "another root's",
		[STORE_TAMPERED] = "tampered with",
		[STORE_UNREADABLE] = "unreadable",
	};

	return words[fault];
}

bool store_is_damage(enum store_fault fault)
{
	return fault != STORE_FINE && fault != STORE_MISSING && fault != STORE_NEWER &&
	       fault != STORE_UNREADABLE;
}

static struct secret *new_secret(void)
{
	struct secret *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED)
		return NULL;
	/* a limit of none is no reason to do without the store */
	(void)mlock(s, sizeof(*s));
	(void)madvise(s, sizeof(*s), MADV_DONTDUMP);
	(void)madvise(s, sizeof(*s), MADV_WIPEONFORK);
	return s;
}

static void free_secret(struct secret *s)
{
	if (s)
		(void)munmap(s, sizeof(*s));
}

int store_open(const char *path, const uint8_t root_id[DMACC_ROOT_ID_LEN],
	       const struct store_keys *keys, struct store **ret)
{
	struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	store->keys = *keys;
	memcpy(store->root_id, root_id, sizeof(store->root_id));
	store->folder = durable_open_folder(path, 0700);
	r = store->folder < 0 ? store->folder : 0;
	if (!r) {
		store->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
		store->secret = new_secret();
		r = !store->cipher ? -EOPNOTSUPP : !store->secret ? -ENOMEM : 0;
	}
	if (r) {
		store_close(store);
		return r;
	}
	*ret = store;
	return 0;
}

struct store *store_close(struct store *store)
{
	if (!store)
		return NULL;
	if (store->folder >= 0)
		close(store->folder);
	EVP_CIPHER_free(store->cipher);
	free_secret(store->secret);
	free(store);
	return NULL;
}

bool store_is_of(const struct store *store, const uint8_t root_id[DMACC_ROOT_ID_LEN])
{
	return !memcmp(store->root_id, root_id, sizeof(store->root_id));
}

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);

	return len >= end_len && !strcmp(s + len - end_len, end);
}

static bool is_damaged_name(const char *name)
{
	size_t len = strlen(name);

	return ends_with(name, DAMAGED) ||
	       (len > 2 && name[len - 2] == '-' && len - 2 >= strlen(DAMAGED) &&
		!memcmp(name + len - 2 - strlen(DAMAGED), DAMAGED, strlen(DAMAGED)));
}

bool store_name_valid(const char *name)
{
	size_t len = strlen(name);

	return len && len < STORE_NAME_SIZE && name[0] != '.' && !strchr(name, '/') &&
	       !ends_with(name, PREVIOUS) && !is_damaged_name(name);
}

static bool all_zero(const uint8_t *data, size_t len)
{
	while (len && !data[len - 1])
		len--;
	return !len;
}

static enum store_fault judge_length(const uint8_t *data, size_t len)
{
	const struct header *h = (const struct header *)data;
	size_t wanted;

	if (len < sizeof(*h) + TAG_LEN)
		return STORE_TRUNCATED;
	wanted = sizeof(*h) + be32toh(h->payload_len) + TAG_LEN;
	if (len < wanted)
		return STORE_TRUNCATED;
	/* what a power cut leaves on some file systems: the length is there, the content is not */
	if (all_zero(data + len - TAG_LEN, TAG_LEN))
		return STORE_ZERO_FILLED;
	return len > wanted ? STORE_TAMPERED : STORE_FINE;
}

/* What can be told without the key, the most telling first */
static enum store_fault judge(const struct store *store, const char *name, const uint8_t *data,
			      size_t len)
{
	const struct header *h = (const struct header *)data;
	enum store_fault fault;

	if (len && all_zero(data, len))
		return STORE_ZERO_FILLED;
	if (memcmp(data, MAGIC, len < sizeof(h->magic) ? len : sizeof(h->magic)))
		return STORE_OTHER_MAGIC;
	if (len <= sizeof(h->magic))
		return STORE_TRUNCATED;
	if (h->format > FORMAT)
		return STORE_NEWER;
	if (h->format < FORMAT)
		return STORE_TAMPERED;
	fault = judge_length(data, len);
	if (fault)
		return fault;
	if (memcmp(h->root_id, store->root_id, sizeof(h->root_id)))
		return STORE_OTHER_ROOT;
	if (h->name_len != strlen(name) || memcmp(h->name, name, h->name_len))
		return STORE_OTHER_ACCOUNT;
	return STORE_FINE;
}

/*
 * Asks for the key, and forgets it. @ret: under that key; what OpenSSL made of it is wiped with
 * EVP_CIPHER_CTX_free().
 */
static int begin_cipher(const struct store *store, const struct header *h, int encrypt,
			EVP_CIPHER_CTX **ret)
{
	EVP_CIPHER_CTX *ctx;
	int r;

	r = store->keys.get(store->keys.data, store->root_id, store->secret->key);
	ctx = r ? NULL : EVP_CIPHER_CTX_new();
	if (!r && (!ctx || !EVP_CipherInit_ex2(ctx, store->cipher, store->secret->key, h->nonce,
					       encrypt, NULL)))
		r = -EIO;
	dmacc_wipe(store->secret, sizeof(*store->secret));
	if (r) {
		EVP_CIPHER_CTX_free(ctx);
		return r;
	}
	*ret = ctx;
	return 0;
}

/* @ret_payload: as long as the header says; secret, and worth nothing unless 0 is returned */
static int open_payload(const struct store *store, const uint8_t *data, size_t len,
			uint8_t *ret_payload)
{
	const struct header *h = (const struct header *)data;
	uint8_t tag[TAG_LEN], rest[TAG_LEN];
	EVP_CIPHER_CTX *ctx;
	int n = 0, good, r;

	r = begin_cipher(store, h, 0, &ctx);
	if (r)
		return r;
	memcpy(tag, data + len - TAG_LEN, TAG_LEN);
	good = EVP_DecryptUpdate(ctx, NULL, &n, data, sizeof(*h)) &&
	       EVP_DecryptUpdate(ctx, ret_payload, &n, data + sizeof(*h),
				 (int)(len - sizeof(*h) - TAG_LEN)) &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) &&
	       EVP_DecryptFinal_ex(ctx, rest, &n) > 0;
	EVP_CIPHER_CTX_free(ctx);
	return good ? 0 : -EBADMSG;
}

static enum store_fault fault_of(int r, struct store_loaded *loaded)
{
	if (!r)
		return STORE_FINE;
	if (r == -EBADMSG)
		return STORE_TAMPERED;
	loaded->error = r;
	return STORE_UNREADABLE;
}

/*
 * A later format or another root, or a file of ours of whose header just those bytes are damaged?
 * With the right ones in their place the tag of ours fits.
 */
static enum store_fault judge_foreign(const struct store *store, uint8_t *data, size_t len,
				      enum store_fault fault, struct store_loaded *loaded)
{
	struct header *h = (struct header *)data;
	uint8_t *payload;
	int r;

	if (fault == STORE_NEWER)
		h->format = FORMAT;
	else
		memcpy(h->root_id, store->root_id, sizeof(h->root_id));
	if (judge_length(data, len) != STORE_FINE)
		return fault;
	payload = malloc(be32toh(h->payload_len) + 1);
	r = payload ? open_payload(store, data, len, payload) : -ENOMEM;
	if (payload)
		dmacc_wipe(payload, be32toh(h->payload_len));
	free(payload);
	if (r == -EBADMSG)
		return fault;
	return r ? fault_of(r, loaded) : STORE_TAMPERED;
}

static enum store_fault decode(const struct store *store, const uint8_t *data, size_t len,
			       struct store_loaded *loaded)
{
	const struct header *h = (const struct header *)data;
	size_t payload_len = be32toh(h->payload_len);
	uint8_t *payload = malloc(payload_len + 1);
	int r;

	if (!payload)
		return fault_of(-ENOMEM, loaded);
	r = open_payload(store, data, len, payload);
	if (!r)
		r = record_decode(payload, payload_len, &loaded->record);
	if (!r)
		loaded->counter = be64toh(h->counter);
	dmacc_wipe(payload, payload_len);
	free(payload);
	return fault_of(r, loaded);
}

static enum store_fault load_file(const struct store *store, const char *name, const char *file,
				  struct store_loaded *loaded)
{
	enum store_fault fault;
	uint8_t *data;
	size_t len;
	int r;

	r = durable_read(store->folder, file, FILE_MAX, &data, &len);
	if (r == -ENOENT)
		return STORE_MISSING;
	if (r == -EFBIG || r == -EINVAL)
		return STORE_OTHER_MAGIC;
	if (r)
		return fault_of(r, loaded);
	fault = judge(store, name, data, len);
	if (fault == STORE_NEWER || fault == STORE_OTHER_ROOT)
		fault = judge_foreign(store, data, len, fault, loaded);
	else if (fault == STORE_FINE)
		fault = decode(store, data, len, loaded);
	free(data);
	return fault;
}

static void previous_file(const char *name, char ret[STORE_FILE_SIZE])
{
	snprintf(ret, STORE_FILE_SIZE, "%s" PREVIOUS, name);
}

static void damaged_file(const char *name, int i, char ret[STORE_FILE_SIZE])
{
	if (i == 1)
		snprintf(ret, STORE_FILE_SIZE, "%s" DAMAGED, name);
	else
		snprintf(ret, STORE_FILE_SIZE, "%s" DAMAGED "-%d", name, i);
}

void store_load(struct store *store, const char *name, struct store_loaded *ret)
{
	char file[STORE_FILE_SIZE];

	*ret = (struct store_loaded){ 0 };
	ret->current = load_file(store, name, name, ret);
	/* what is only unreadable, or a later version's, is not gone */
	if (ret->current == STORE_FINE || ret->current == STORE_UNREADABLE ||
	    ret->current == STORE_NEWER)
		return;
	previous_file(name, file);
	ret->previous = load_file(store, name, file, ret);
	damaged_file(name, 1, file);
	ret->damaged_before = !faccessat(store->folder, file, F_OK, AT_SYMLINK_NOFOLLOW);
}

static int seal(const struct store *store, const struct header *h, const uint8_t *payload,
		size_t len, uint8_t *ret_sealed)
{
	EVP_CIPHER_CTX *ctx;
	int n = 0, good, r;

	r = begin_cipher(store, h, 1, &ctx);
	if (r)
		return r;
	good = EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)h, sizeof(*h)) &&
	       EVP_EncryptUpdate(ctx, ret_sealed, &n, payload, (int)len) &&
	       EVP_EncryptFinal_ex(ctx, ret_sealed + len, &n) &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, ret_sealed + len);
	EVP_CIPHER_CTX_free(ctx);
	return good ? 0 : -EIO;
}

static int begin_header(const struct store *store, const char *name, uint64_t counter,
			size_t payload_len, struct header *h)
{
	*h = (struct header){
		.magic = MAGIC,
		.format = FORMAT,
		.name_len = (uint8_t)strlen(name),
		.payload_len = htobe32((uint32_t)payload_len),
		.counter = htobe64(counter),
	};
	memcpy(h->root_id, store->root_id, sizeof(h->root_id));
	memcpy(h->name, name, h->name_len);
	return getrandom(h->nonce, NONCE_LEN, 0) == NONCE_LEN ? 0 : -EIO;
}

/* The whole file; malloc'ed */
static int encode(const struct store *store, const char *name, const struct record *record,
		  uint64_t counter, uint8_t **ret_data, size_t *ret_len)
{
	uint8_t *payload, *data;
	size_t len;
	int r;

	r = record_encode(record, &payload, &len);
	if (r)
		return r;
	data = malloc(sizeof(struct header) + len + TAG_LEN);
	r = data ? begin_header(store, name, counter, len, (struct header *)data) : -ENOMEM;
	if (!r)
		r = seal(store, (struct header *)data, payload, len, data + sizeof(struct header));
	dmacc_wipe(payload, len);
	free(payload);
	if (r) {
		free(data);
		return r;
	}
	*ret_data = data;
	*ret_len = sizeof(struct header) + len + TAG_LEN;
	return 0;
}

/* Not opened with the key, which would cost every write a turn to the kernel */
static bool seems_damaged(struct store *store, const char *name, const char *file)
{
	enum store_fault fault;
	uint8_t *data;
	size_t len;
	int r;

	r = durable_read(store->folder, file, FILE_MAX, &data, &len);
	if (r)
		return r == -EFBIG || r == -EINVAL;
	fault = judge(store, name, data, len);
	free(data);
	return store_is_damage(fault);
}

/* A rotation overwrites NAME.prev: if one can see that it is damaged it is kept first */
static void keep_damaged_previous(struct store *store, const char *name)
{
	char file[STORE_FILE_SIZE];

	previous_file(name, file);
	if (seems_damaged(store, name, file))
		(void)store_set_aside(store, name, true, file);
}

int store_save(struct store *store, const char *name, const struct record *record,
	       uint64_t counter)
{
	uint8_t *data;
	size_t len;
	int r;

	if (!store_name_valid(name))
		return -EINVAL;
	r = encode(store, name, record, counter, &data, &len);
	if (r)
		return r;
	keep_damaged_previous(store, name);
	r = durable_rotate(store->folder, name, 0600, data, len);
	free(data);
	return r;
}

/*
 * rename() that replaces nothing. Not every file system can do that in one step, and not every C library
 * has a function for it.
 */
static int rename_new(int folder, const char *from, const char *to)
{
	if (!syscall(SYS_renameat2, folder, from, folder, to, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (!faccessat(folder, to, F_OK, AT_SYMLINK_NOFOLLOW))
		return -EEXIST;
	return renameat(folder, from, folder, to) < 0 ? -errno : 0;
}

int store_set_aside(struct store *store, const char *name, bool previous,
		    char ret_file[STORE_FILE_SIZE])
{
	char from[STORE_FILE_SIZE], to[STORE_FILE_SIZE];
	int i, r = -EEXIST;

	if (previous)
		previous_file(name, from);
	else
		snprintf(from, sizeof(from), "%s", name);
	for (i = 1; i <= DAMAGED_MAX && r == -EEXIST; i++) {
		damaged_file(name, i, to);
		r = rename_new(store->folder, from, to);
	}
	if (r)
		return r;
	memcpy(ret_file, to, STORE_FILE_SIZE);
	return fsync(store->folder) < 0 ? -errno : 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_listed(char **names, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* The account that a file belongs to, if it is one that makes an account */
static bool account_of(const char *file, char ret_name[STORE_NAME_SIZE])
{
	size_t len = strlen(file);

	if (ends_with(file, PREVIOUS))
		len -= strlen(PREVIOUS);
	if (len >= STORE_NAME_SIZE)
		return false;
	snprintf(ret_name, STORE_NAME_SIZE, "%.*s", (int)len, file);
	return store_name_valid(ret_name);
}

static int add_name(char ***names, size_t *count, const char *name)
{
	char **longer = reallocarray(*names, *count + 2, sizeof(*longer));

	if (!longer)
		return -ENOMEM;
	*names = longer;
	longer[*count] = strdup(name);
	if (!longer[*count])
		return -ENOMEM;
	longer[++*count] = NULL;
	return 0;
}

static int list(DIR *dir, char ***names, size_t *count)
{
	char name[STORE_NAME_SIZE];
	struct dirent *entry;
	int r = 0;

	while (!r && (entry = readdir(dir)))
		if (account_of(entry->d_name, name) && !is_listed(*names, *count, name))
			r = add_name(names, count, name);
	return r;
}

int store_list(struct store *store, char ***ret)
{
	int fd = openat(store->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char **names = calloc(1, sizeof(*names));
	size_t count = 0;

	if (!dir && fd >= 0)
		close(fd);
	r = !dir ? -errno : !names ? -ENOMEM : list(dir, &names, &count);
	if (dir)
		closedir(dir);
	if (r) {
		store_free_list(names);
		return r;
	}
	qsort(names, count, sizeof(*names), compare);
	*ret = names;
	return 0;
}

void store_free_list(char **names)
{
	size_t i;

	for (i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}
