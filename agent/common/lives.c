// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "durable.h"
#include "lives.h"
#include "unseal_report.h"

#define SPENT_NAME "spent"
#define SPENT_MAX 65536
#define LIFE_LEN 16
#define LIFE_SIZE (2 * LIFE_LEN + 1)
#define HASH_LEN 32
#define NO_LIFE "00000000000000000000000000000000"

static void write_hex(const uint8_t *bytes, size_t len, char *ret)
{
	size_t i;

	for (i = 0; i < len; i++)
		sprintf(ret + 2 * i, "%02x", bytes[i]);
}

static bool is_life(const uint8_t *text, size_t len)
{
	size_t i;

	if (len != LIFE_SIZE || text[len - 1] != '\n')
		return false;
	for (i = 0; i < len - 1; i++)
		if (!memchr("0123456789abcdef", text[i], 16))
			return false;
	return true;
}

/* -EBADMSG for what is none */
static int read_life(int folder, char ret[LIFE_SIZE])
{
	uint8_t *text;
	size_t len;
	int r;

	r = durable_read(folder, LIVES_NAME, LIFE_SIZE, &text, &len);
	if (r)
		return r == -EFBIG || r == -EINVAL ? -EBADMSG : r;
	if (is_life(text, len))
		snprintf(ret, LIFE_SIZE, "%.*s", LIFE_SIZE - 1, (const char *)text);
	else
		r = -EBADMSG;
	free(text);
	return r;
}

/* In the place of what is no life, too: what came into that one is spent then */
static int begin_life(int folder, char ret[LIFE_SIZE])
{
	uint8_t random[LIFE_LEN];
	char line[LIFE_SIZE + 1];
	int r;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	write_hex(random, sizeof(random), line);
	line[LIFE_SIZE - 1] = '\n';
	/* the agent may remove it, and gains nothing by that */
	r = durable_write(folder, LIVES_NAME, 0644, line, LIFE_SIZE);
	if (!r)
		snprintf(ret, LIFE_SIZE, "%.*s", LIFE_SIZE - 1, line);
	return r;
}

static int make_life(const char *state_path, char ret[LIFE_SIZE])
{
	int folder = durable_open_folder(state_path, 0700), r;

	if (folder < 0)
		return folder;
	r = read_life(folder, ret);
	if (r == -ENOENT || r == -EBADMSG)
		r = begin_life(folder, ret);
	close(folder);
	return r;
}

static int find_life(const char *state_path, char ret[LIFE_SIZE])
{
	int folder = open(state_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (folder < 0)
		return -errno;
	r = read_life(folder, ret);
	close(folder);
	return r;
}

/* "HASH LIFE" of a sealed key */
static int make_note(struct factory_store *store, const char *slot, const char *life,
		     char ret[FACTORY_STORE_NOTE_SIZE])
{
	uint8_t *blob, hash[HASH_LEN];
	size_t len;
	int r;

	r = factory_store_read_slot(store, slot, &blob, &len);
	if (r)
		return r;
	r = EVP_Digest(blob, len, hash, NULL, EVP_sha256(), NULL) ? 0 : -ENOMEM;
	free(blob);
	if (r)
		return r;
	write_hex(hash, sizeof(hash), ret);
	snprintf(ret + 2 * HASH_LEN, FACTORY_STORE_NOTE_SIZE - 2 * HASH_LEN, " %s\n", life);
	return 0;
}

static bool is_of_life(struct factory_store *store, const char *slot, const char *life)
{
	char wanted[FACTORY_STORE_NOTE_SIZE], noted[FACTORY_STORE_NOTE_SIZE];

	return !make_note(store, slot, life, wanted) &&
	       !factory_store_read_note(store, slot, noted) && !strcmp(noted, wanted);
}

static int write_spent(const char *report_folder, const char *text, size_t len)
{
	int fd, r;

	fd = durable_open_folder(report_folder ? report_folder : UNSEAL_REPORT_FOLDER, 0755);
	if (fd < 0)
		return fd;
	r = durable_write(fd, SPENT_NAME, 0644, text, len);
	close(fd);
	return r;
}

static int list_spent(struct factory_store *store, char *const *slots, const char *life,
		      const char *report_folder)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int r;

	if (!out)
		return -errno;
	for (; *slots; slots++)
		if (!life || !is_of_life(store, *slots, life))
			fprintf(out, "%s\n", *slots);
	r = fclose(out) ? -ENOMEM : write_spent(report_folder, text, len);
	free(text);
	return r;
}

int lives_tell(struct factory_store *store, const char *state_path, const char *report_folder)
{
	char life[LIFE_SIZE], **slots;
	int r, found;

	r = factory_store_list_slots(store, &slots);
	if (r)
		return r;
	found = find_life(state_path, life);
	r = list_spent(store, slots, found ? NULL : life, report_folder);
	factory_store_free_slots(slots);
	return r;
}

static int note(struct factory_store *store, const char *slot, const char *life)
{
	char line[FACTORY_STORE_NOTE_SIZE];
	int r = make_note(store, slot, life, line);

	return r ? r : factory_store_write_note(store, slot, line);
}

int lives_injected(struct factory_store *store, const char *slot, const char *state_path)
{
	char life[LIFE_SIZE];
	int r = make_life(state_path, life);

	return r ? r : note(store, slot, life);
}

int lives_restored(struct factory_store *store, const char *slot)
{
	return note(store, slot, NO_LIFE);
}

static bool has_line(const char *text, size_t len, const char *line)
{
	const char *end;

	for (; (end = memchr(text, '\n', len)); len -= (size_t)(end + 1 - text), text = end + 1)
		if ((size_t)(end - text) == strlen(line) && !memcmp(text, line, strlen(line)))
			return true;
	return false;
}

bool lives_is_spent(const char *report_folder, const char *slot)
{
	int fd = open(report_folder ? report_folder : UNSEAL_REPORT_FOLDER,
		      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint8_t *text;
	size_t len;
	bool spent;
	int r;

	if (fd < 0)
		return false;
	r = durable_read(fd, SPENT_NAME, SPENT_MAX, &text, &len);
	close(fd);
	if (r)
		return r != -ENOENT;
	spent = has_line((const char *)text, len, slot);
	free(text);
	return spent;
}
