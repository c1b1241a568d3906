// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleet.h"
#include "keyring.h"
#include "prefix.h"
#include "record.h"
#include "secret.h"
#include "vendor.h"

#define KEYRING_SIZE_MAX (16 * 1024 * 1024)

const struct dmacc_reason keyring_no_entry = {
	"keyring", "no prefix of the keyring is one of this device"
};

/* @prefix is how a DevId begins, such as "IMEI:35435800"; empty for all */
struct entry {
	char prefix[DMACC_DEVID_SIZE];
	size_t vendor;		/* index */
	uint32_t key_version;
	uint64_t line;		/* in the file, 0 for --key */
};

struct keyring {
	struct entry *entries;	/* sorted by prefix */
	size_t entry_count;
	uint32_t lengths;	/* bit n: there is a prefix of n characters */
	struct vendor **vendors;
	char **wheres;		/* of the vendors, so that a key that is named twice is read once */
	size_t vendor_count;
};

struct keyring_user {
	struct keyring *keyring;
	struct vendor_user vendors[];
};

/* Where a complaint is about, while the file is read */
struct reading {
	struct keyring *keyring;
	const char *path;
	const char *pin_file;
	uint64_t line;
};

int key_option(struct key_options *o, int option)
{
	switch (option) {
	case 'k': o->key = optarg; return 0;
	case 'K': o->keyring = optarg; return 0;
	case 'P': o->pin_file = optarg; return 0;
	case 'v': o->key_version_given = true;
		return option_u32("key-version", optarg, 1, &o->key_version);
	default: return EXIT_NOTHING;
	}
}

bool key_options_use_stdin(const struct key_options *o)
{
	return secret_is_stdin(o->key) || secret_is_stdin(o->keyring) || secret_is_stdin(o->pin_file);
}

static void *grown(void *array, size_t count, size_t size)
{
	/* by powers of two */
	return count & (count - 1) ? array : reallocarray(array, count ? 2 * count : 1, size);
}

static int add_vendor(struct keyring *k, const char *where, const char *pin_file, size_t *ret)
{
	size_t n = k->vendor_count, i;
	struct vendor **vendors;
	char **wheres;
	int r;

	for (i = 0; i < n; i++) {
		if (!strcmp(k->wheres[i], where)) {
			*ret = i;
			return 0;
		}
	}
	vendors = grown(k->vendors, n, sizeof(*vendors));
	k->vendors = vendors ? vendors : k->vendors;
	wheres = grown(k->wheres, n, sizeof(*wheres));
	k->wheres = wheres ? wheres : k->wheres;
	if (!vendors || !wheres)
		return complain("out of memory");
	k->wheres[n] = strdup(where);
	if (!k->wheres[n])
		return complain("out of memory");
	r = vendor_open(where, pin_file, &k->vendors[n]);
	if (r) {
		free(k->wheres[n]);
		return r;
	}
	k->vendor_count++;
	*ret = n;
	return 0;
}

static int add_entry(struct keyring *k, const struct entry *entry)
{
	struct entry *entries = grown(k->entries, k->entry_count, sizeof(*entries));

	if (!entries)
		return complain("out of memory");
	k->entries = entries;
	k->entries[k->entry_count++] = *entry;
	k->lengths |= 1U << strlen(entry->prefix);
	return 0;
}

static int complain_of_line(const struct reading *at, const char *sentence)
{
	return complain("keyring %s: line %llu: %s", at->path, (unsigned long long)at->line, sentence);
}

/* A relative path of a key is relative to the keyring's folder, wherever we are */
static char *full_where(const struct reading *at, const struct field *field)
{
	const char *slash = strrchr(at->path, '/');
	char *where = NULL;
	bool relative;

	relative = slash && *field->text != '/' && !memchr(field->text, ':', field->len);
	if (asprintf(&where, "%.*s%.*s", relative ? (int)(slash - at->path) + 1 : 0, at->path,
		     (int)field->len, field->text) < 0)
		return NULL;
	return where;
}

static int read_entry_key(const struct reading *at, const struct field *field, struct entry *entry)
{
	char *where;
	int r;

	if (!field->len)
		return complain_of_line(at, "the key is missing");
	if (field->len == 1 && *field->text == '-')
		return complain_of_line(at, "a key of a keyring cannot come from stdin");
	where = full_where(at, field);
	if (!where)
		return complain("out of memory");
	r = add_vendor(at->keyring, where, at->pin_file, &entry->vendor);
	free(where);
	return r ? complain_of_line(at, "its key cannot be had") : 0;
}

static void trim(struct field *field)
{
	while (field->len && strchr(" \t", field->text[0])) {
		field->text++;
		field->len--;
	}
	while (field->len && strchr(" \t", field->text[field->len - 1]))
		field->len--;
}

static bool is_header(const struct record *record)
{
	return record->fields[0].len == 6 && !strncasecmp(record->fields[0].text, "prefix", 6);
}

static int read_line(const struct reading *at, const char *text, size_t len)
{
	struct entry entry = { .key_version = 1, .line = at->line };
	struct record record;
	const char *sentence;
	size_t i;
	int r;

	record_parse(&record, text, len);
	for (i = 0; i < record.count; i++)
		trim(&record.fields[i]);
	if (record.count == 1 && !record.fields[0].len)
		return 0;
	if (record.fields[0].len && *record.fields[0].text == '#')
		return 0;
	if (is_header(&record))
		return 0;
	if (record.refusal || record.count < 2 || record.count > 3)
		return complain_of_line(at, "it is not PREFIX,KEY or PREFIX,KEY,KEY-VERSION");
	if (!prefix_read(record.fields[0].text, record.fields[0].len, entry.prefix, &sentence))
		return complain_of_line(at, sentence);
	if (record.count == 3 && record.fields[2].len &&
	    !parse_u32(record.fields[2].text, record.fields[2].len, 1, &entry.key_version))
		return complain_of_line(at, "the key version is no number from 1 to 4294967295");
	r = read_entry_key(at, &record.fields[1], &entry);
	return r ? r : add_entry(at->keyring, &entry);
}

static int read_lines(struct reading *at, const char *text, size_t len)
{
	const char *end = text + len, *feed;
	int r = 0;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		text += 3;
	for (at->line = 1; text < end && !r; at->line++, text = feed + 1) {
		feed = memchr(text, '\n', (size_t)(end - text));
		if (!feed)
			feed = end;
		r = read_line(at, text, (size_t)(feed - text));
	}
	return r;
}

static int by_prefix(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->prefix, ((const struct entry *)b)->prefix);
}

static int sort(struct keyring *k, const char *path)
{
	size_t i;

	if (!k->entry_count)
		return complain("keyring %s: it has no entry", path);
	qsort(k->entries, k->entry_count, sizeof(*k->entries), by_prefix);
	for (i = 1; i < k->entry_count; i++)
		if (!by_prefix(&k->entries[i - 1], &k->entries[i]))
			return complain("keyring %s: prefix %s is there twice, in lines %llu and %llu",
					path, *k->entries[i].prefix ? k->entries[i].prefix : "*",
					(unsigned long long)k->entries[i - 1].line,
					(unsigned long long)k->entries[i].line);
	return 0;
}

static const char *judge_file(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "it is no file";
	if (st->st_mode & 022)
		return "group or others can change it; make that chmod go-w";
	return st->st_size > KEYRING_SIZE_MAX ? "it is too large" : NULL;
}

/* Returns the text, to be freed; NULL after a complaint */
static char *read_file(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const char *sentence = NULL;
	struct stat st;
	char *text = NULL;
	ssize_t n = -1;

	if (fd < 0 || fstat(fd, &st) < 0)
		sentence = strerror(errno);
	if (!sentence)
		sentence = judge_file(&st);
	if (!sentence)
		text = malloc((size_t)st.st_size + 1);
	if (text)
		n = read(fd, text, (size_t)st.st_size);
	if (fd >= 0)
		close(fd);
	if (n >= 0) {
		*ret_len = (size_t)n;
		return text;
	}
	free(text);
	complain("keyring %s: %s", path, sentence ? sentence : "it cannot be read");
	return NULL;
}

static int read_keyring(struct keyring *k, const struct key_options *o)
{
	struct reading at = { k, o->keyring, o->pin_file, 0 };
	size_t len = 0;
	char *text = read_file(o->keyring, &len);
	int r;

	if (!text)
		return EXIT_NOTHING;
	r = read_lines(&at, text, len);
	free(text);
	return r ? r : sort(k, o->keyring);
}

static int take_key(struct keyring *k, const struct key_options *o)
{
	struct entry entry = { .key_version = o->key_version_given ? o->key_version : 1 };
	int r = add_vendor(k, o->key, o->pin_file, &entry.vendor);

	return r ? r : add_entry(k, &entry);
}

static int judge(const struct key_options *o)
{
	if (!o->key && !o->keyring)
		return complain("--key FILE is missing: the vendor key, 64 hexadecimal digits");
	if (o->key && o->keyring)
		return complain("give either --key or --keyring");
	if (o->keyring && o->key_version_given)
		return complain("with --keyring the key versions are the keyring's, or a column's; not --key-version");
	if (o->key && secret_is_stdin(o->key) && secret_is_stdin(o->pin_file))
		return complain("key and PIN cannot both come from stdin");
	return 0;
}

int keyring_open(const struct key_options *o, struct keyring **ret)
{
	struct keyring *k;
	int r = judge(o);

	if (r)
		return r;
	k = calloc(1, sizeof(*k));
	if (!k)
		return complain("out of memory");
	r = o->keyring ? read_keyring(k, o) : take_key(k, o);
	if (r)
		keyring_free(k);
	else
		*ret = k;
	return r;
}

struct keyring *keyring_free(struct keyring *k)
{
	size_t i;

	if (!k)
		return NULL;
	for (i = 0; i < k->vendor_count; i++) {
		vendor_free(k->vendors[i]);
		free(k->wheres[i]);
	}
	free(k->vendors);
	free(k->wheres);
	free(k->entries);
	free(k);
	return NULL;
}

int keyring_use(struct keyring *k, struct keyring_user **ret)
{
	struct keyring_user *u;
	size_t i;
	int r = 0;

	u = calloc(1, sizeof(*u) + k->vendor_count * sizeof(u->vendors[0]));
	if (!u)
		return complain("out of memory");
	u->keyring = k;
	for (i = 0; i < k->vendor_count && !r; i++)
		r = vendor_use(k->vendors[i], &u->vendors[i]);
	if (r)
		keyring_user_free(u);
	else
		*ret = u;
	return r;
}

struct keyring_user *keyring_user_free(struct keyring_user *u)
{
	size_t i;

	for (i = 0; u && i < u->keyring->vendor_count; i++)
		vendor_user_done(&u->vendors[i]);
	free(u);
	return NULL;
}

static const struct entry *longest_prefix(const struct keyring *k, const char *devid)
{
	const struct entry *entry = NULL;
	struct entry wanted;
	size_t len;

	/* the one of --key fits all */
	if (k->lengths == 1)
		return k->entries;
	for (len = DMACC_DEVID_SIZE; len-- && !entry;) {
		if (!(k->lengths & 1U << len))
			continue;
		memcpy(wanted.prefix, devid, len);
		wanted.prefix[len] = '\0';
		entry = bsearch(&wanted, k->entries, k->entry_count, sizeof(wanted), by_prefix);
	}
	return entry;
}

struct dmacc_deriver *keyring_find(struct keyring_user *u, const char *devid, uint32_t *key_version)
{
	const struct entry *entry = longest_prefix(u->keyring, devid);

	if (!entry)
		return NULL;
	if (!*key_version)
		*key_version = entry->key_version;
	return u->vendors[entry->vendor].deriver;
}

static int print_ids(const struct keyring_user *u, FILE *out)
{
	const struct keyring *k = u->keyring;
	bool one = !k->entries[0].line;
	char key_id[DMACC_KEY_ID_SIZE];
	size_t i;

	if (!one)
		fputs("prefix,key_version,KeyId\n", out);
	for (i = 0; i < k->entry_count; i++) {
		const struct entry *e = &k->entries[i];

		if (dmacc_deriver_key_id(u->vendors[e->vendor].deriver, e->key_version, key_id))
			return complain("the key id cannot be computed");
		if (one)
			fprintf(out, "%s\n", key_id);
		else
			fprintf(out, "%s,%u,%s\n", *e->prefix ? e->prefix : "*", e->key_version,
				key_id);
	}
	return ferror(out) || fflush(out) ? complain("the output cannot be written") : 0;
}

int keyring_print_ids(struct keyring *k, FILE *out)
{
	struct keyring_user *u;
	int r = keyring_use(k, &u);

	if (r)
		return r;
	r = print_ids(u, out);
	keyring_user_free(u);
	return r;
}
