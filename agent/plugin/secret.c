// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secret.h"

#define TREE_MAX (1 << 20)

static const char *member(struct json_object *o, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(o, name, &value) ? json_object_get_string(value) : NULL;
}

/* Base64 of @text; -1 if it is none */
static int decode(const char *text, unsigned char *bytes)
{
	size_t len = strlen(text), padding = 0;
	int n;

	while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
		padding++;
	n = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len);
	return len % 4 || n < 0 ? -1 : n - (int)padding;
}

static int take(const char *format, const char *value, unsigned char **ret, size_t *ret_len)
{
	unsigned char *bytes = malloc(strlen(value) + 1);
	int n = (int)strlen(value);

	if (!bytes)
		return -ENOMEM;
	if (format && !strcmp(format, "bin"))
		n = n ? decode(value, bytes) : 0;
	else
		memcpy(bytes, value, (size_t)n);
	if (n < 0) {
		free(bytes);
		return -EBADMSG;
	}
	*ret = bytes;
	*ret_len = (size_t)n;
	return 0;
}

/* Takes one and wipes all: json-c frees what it holds without wiping it */
static int take_and_wipe(struct json_object *array, const char *uri, unsigned char **ret,
			 size_t *ret_len)
{
	const char *found, *value;
	struct json_object *o;
	int r = -ENOENT;
	size_t i;

	for (i = 0; i < json_object_array_length(array); i++) {
		o = json_object_array_get_idx(array, i);
		found = member(o, "uri");
		value = member(o, "value");
		if (!value)
			continue;
		if (r == -ENOENT && found && !strcmp(found, uri))
			r = take(member(o, "format"), value, ret, ret_len);
		OPENSSL_cleanse((char *)value, strlen(value));
	}
	return r;
}

/* Its buffer gets its full size before, so that nothing moves, and is wiped after */
static struct json_object *parse(const char *text, int len)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *array = NULL;

	if (!tokener)
		return NULL;
	if (printbuf_memset(tokener->pb, 0, 0, len) >= 0)
		array = json_tokener_parse_ex(tokener, text, len);
	OPENSSL_cleanse(tokener->pb->buf, (size_t)tokener->pb->size);
	json_tokener_free(tokener);
	return array;
}

static int read_text(const char *text, int len, const char *uri, unsigned char **ret,
		     size_t *ret_len)
{
	struct json_object *array = parse(text, len);
	int r = -EBADMSG;

	if (json_object_get_type(array) == json_type_array)
		r = take_and_wipe(array, uri, ret, ret_len);
	json_object_put(array);
	return r;
}

int secret_read(int fd, const char *uri, unsigned char **ret, size_t *ret_len)
{
	char *text = NULL;
	struct stat st;
	int r = -EBADMSG;

	if (!fstat(fd, &st) && st.st_size > 0 && st.st_size <= TREE_MAX) {
		text = malloc((size_t)st.st_size);
		if (!text)
			r = -ENOMEM;
		else if (pread(fd, text, (size_t)st.st_size, 0) == st.st_size)
			r = read_text(text, (int)st.st_size, uri, ret, ret_len);
	}
	close(fd);
	if (text)
		OPENSSL_cleanse(text, (size_t)st.st_size);
	free(text);
	return r;
}
