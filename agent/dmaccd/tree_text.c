// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tree_text.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

static size_t value_size(const struct dmacc_tree_node *node)
{
	return (node->len + 2) / 3 * 4 + 1;
}

static void write_value(const struct dmacc_tree_node *node, char *to)
{
	if (!strcmp(node->format, "bin"))
		EVP_EncodeBlock((uint8_t *)to, node->value, (int)node->len);
	else if (node->value)
		memcpy(to, node->value, node->len + 1);
	else
		to[0] = '\0';
}

char *tree_text_value(const struct dmacc_tree_node *node, char **ret)
{
	*ret = malloc(value_size(node));
	if (*ret)
		write_value(node, *ret);
	return *ret;
}

/* As long as it can get: every byte escaped */
static size_t json_size(const struct dmacc_tree *tree)
{
	const struct dmacc_tree_node *node;
	size_t size = sizeof("[\n]\n"), i;

	for (i = 0; (node = dmacc_tree_node(tree, i)); i++)
		size += 6 * (strlen(node->uri) + strlen(node->format) + value_size(node)) + 80;
	return size;
}

static char *put(char *p, const char *text)
{
	return stpcpy(p, text);
}

/* What is not ASCII stays UTF-8, as which it was judged when it came */
static char *put_string(char *p, const char *text)
{
	*p++ = '"';
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			*p++ = '\\';
		if ((unsigned char)*text < ' ')
			p += sprintf(p, "\\u%04x", (unsigned char)*text);
		else
			*p++ = *text;
	}
	*p++ = '"';
	return p;
}

static char *put_node(char *p, const struct dmacc_tree_node *node, char *value)
{
	write_value(node, value);
	p = put_string(put(p, "{\"uri\": "), node->uri);
	p = put_string(put(p, ", \"format\": "), node->format);
	p = put_string(put(p, ", \"value\": "), value);
	return put(put(p, ", \"protected\": "), node->readable ? "false}" : "true}");
}

static size_t longest_value(const struct dmacc_tree *tree)
{
	const struct dmacc_tree_node *node;
	size_t size = 1, i;

	for (i = 0; (node = dmacc_tree_node(tree, i)); i++)
		if (value_size(node) > size)
			size = value_size(node);
	return size;
}

/* Returns how long it is */
static size_t write_json(const struct dmacc_tree *tree, char *json, char *value)
{
	const struct dmacc_tree_node *node;
	char *p = put(json, "[");
	size_t i;

	for (i = 0; (node = dmacc_tree_node(tree, i)); i++)
		p = put_node(put(p, i ? ",\n" : "\n"), node, value);
	return (size_t)(put(p, "\n]\n") - json);
}

static int seal(int fd)
{
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return 0;
}

static int fill_memfd(const char *json, size_t len)
{
	int fd, r;

	fd = memfd_create("dmacc-tree", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	/* a kernel before 6.3 */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("dmacc-tree", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	r = write(fd, json, len) == (ssize_t)len ? seal(fd) : -EIO;
	if (!r)
		return fd;
	close(fd);
	return r;
}

int tree_text_memfd(const struct dmacc_tree *tree)
{
	size_t size = json_size(tree), value_len = longest_value(tree);
	char *json = malloc(size), *value = malloc(value_len);
	int r = -ENOMEM;

	if (json && value)
		r = fill_memfd(json, write_json(tree, json, value));
	if (json)
		dmacc_wipe(json, size);
	if (value)
		dmacc_wipe(value, value_len);
	free(json);
	free(value);
	return r;
}
