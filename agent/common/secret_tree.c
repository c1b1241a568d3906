// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <json-c/printbuf.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dmacc.h"
#include "secret_tree.h"

/* Larger than any account; what is longer is none */
#define TREE_MAX (1 << 20)

const char *secret_tree_member(struct json_object *node, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(node, name, &value) ||
	    json_object_get_type(value) != json_type_string)
		return NULL;
	return json_object_get_string(value);
}

static void wipe_value(struct json_object *node)
{
	struct json_object *value;

	if (json_object_object_get_ex(node, "value", &value) &&
	    json_object_get_type(value) == json_type_string)
		dmacc_wipe((char *)json_object_get_string(value),
			   (size_t)json_object_get_string_len(value));
}

void secret_tree_wipe(struct json_object *array)
{
	size_t i;

	for (i = 0; i < json_object_array_length(array); i++)
		wipe_value(json_object_array_get_idx(array, i));
}

/*
 * json-c collects each string in a buffer that it moves as it grows, and frees unwiped: it gets its
 * full size before, and is wiped after
 */
static int parse(const char *text, int len, struct json_object **ret)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *array = NULL;

	if (!tokener)
		return -ENOMEM;
	if (printbuf_memset(tokener->pb, 0, 0, len) >= 0)
		array = json_tokener_parse_ex(tokener, text, len);
	dmacc_wipe(tokener->pb->buf, (size_t)tokener->pb->size);
	json_tokener_free(tokener);
	if (json_object_get_type(array) != json_type_array) {
		json_object_put(array);
		return -EBADMSG;
	}
	*ret = array;
	return 0;
}

int secret_tree_read(int fd, struct json_object **ret)
{
	struct stat st;
	char *text;
	int r = -EIO;

	if (fstat(fd, &st) < 0)
		return -EIO;
	if (st.st_size <= 0 || st.st_size > TREE_MAX)
		return -EMSGSIZE;
	text = malloc((size_t)st.st_size);
	if (!text)
		return -ENOMEM;
	/* at once: it is memory */
	if (pread(fd, text, (size_t)st.st_size, 0) == st.st_size)
		r = parse(text, (int)st.st_size, ret);
	dmacc_wipe(text, (size_t)st.st_size);
	free(text);
	return r;
}
