// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "secret.h"
#include "secret_tree.h"

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

/* Takes one and wipes all */
static int take_and_wipe(struct json_object *array, const char *uri, unsigned char **ret,
			 size_t *ret_len)
{
	const char *found, *value;
	struct json_object *o;
	int r = -ENOENT;
	size_t i;

	for (i = 0; i < json_object_array_length(array) && r == -ENOENT; i++) {
		o = json_object_array_get_idx(array, i);
		found = secret_tree_member(o, "uri");
		value = secret_tree_member(o, "value");
		if (value && found && !strcmp(found, uri))
			r = take(secret_tree_member(o, "format"), value, ret, ret_len);
	}
	secret_tree_wipe(array);
	return r;
}

int secret_read(int fd, const char *uri, unsigned char **ret, size_t *ret_len)
{
	struct json_object *array;
	int r = secret_tree_read(fd, &array);

	close(fd);
	if (r)
		return r == -ENOMEM ? r : -EBADMSG;
	r = take_and_wipe(array, uri, ret, ret_len);
	json_object_put(array);
	return r;
}
