// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node.h"

struct dmacc_account {
	struct dmacc_value values[DMACC_NODES];
	struct dmacc_ext_node ext[DMACC_EXT_MAX];	/* sorted by path */
	size_t ext_count;
};

int dmacc_account_new(struct dmacc_account **ret)
{
	struct dmacc_account *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	*ret = a;
	return 0;
}

static void clear_ext(struct dmacc_ext_node *n)
{
	struct dmacc_value value = { (uint8_t *)n->value, n->len };

	dmacc_value_clear(&value);
	free((char *)n->path);
	*n = (struct dmacc_ext_node){ 0 };
}

struct dmacc_account *dmacc_account_free(struct dmacc_account *a)
{
	size_t i;

	if (!a)
		return NULL;
	for (i = 0; i < DMACC_NODES; i++)
		dmacc_value_clear(&a->values[i]);
	while (a->ext_count)
		clear_ext(&a->ext[--a->ext_count]);
	free(a);
	return NULL;
}

int dmacc_account_set(struct dmacc_account *a, enum dmacc_node node, const void *bytes, size_t len)
{
	if ((unsigned int)node >= DMACC_NODES)
		return -EINVAL;
	if (!bytes) {
		dmacc_value_clear(&a->values[node]);
		return 0;
	}
	if (dmacc_node_judge(node, &bytes, &len))
		return -EINVAL;
	return dmacc_value_set(&a->values[node], bytes, len);
}

const void *dmacc_account_get(const struct dmacc_account *a, enum dmacc_node node, size_t *ret_len)
{
	if ((unsigned int)node >= DMACC_NODES)
		return NULL;
	*ret_len = a->values[node].len;
	return a->values[node].bytes;
}

/* Is @path below @above? */
static bool is_below(const char *path, const char *above)
{
	size_t len = strlen(above);

	return !strncmp(path, above, len) && path[len] == '/';
}

/* A node with a value has none below it */
static bool fits_among(const struct dmacc_account *a, const char *path, const char *format)
{
	bool leaf = strcmp(format, "node");
	size_t i;

	for (i = 0; i < a->ext_count; i++)
		if ((leaf && is_below(a->ext[i].path, path)) ||
		    (strcmp(a->ext[i].format, "node") && is_below(path, a->ext[i].path)))
			return false;
	return true;
}

static int make_ext(struct dmacc_ext_node *n, const char *path, const char *format,
		    const void *bytes, size_t len)
{
	struct dmacc_value value = { 0 };
	char *copy = strdup(path);

	if (!copy || dmacc_value_set(&value, bytes, len)) {
		free(copy);
		return -ENOMEM;
	}
	*n = (struct dmacc_ext_node){ copy, dmacc_ext_format(format), value.bytes, len };
	return 0;
}

int dmacc_account_set_ext(struct dmacc_account *a, const char *path, const char *format,
			  const void *bytes, size_t len)
{
	struct dmacc_ext_node new;
	size_t at = 0;
	bool there;

	if (dmacc_ext_judge(path, format, bytes, len) || !fits_among(a, path, format))
		return -EINVAL;
	while (at < a->ext_count && strcmp(a->ext[at].path, path) < 0)
		at++;
	there = at < a->ext_count && !strcmp(a->ext[at].path, path);
	if (!there && a->ext_count == DMACC_EXT_MAX)
		return -E2BIG;
	if (make_ext(&new, path, format, bytes, len))
		return -ENOMEM;
	if (there) {
		clear_ext(&a->ext[at]);
	} else {
		memmove(&a->ext[at + 1], &a->ext[at],
			(a->ext_count - at) * sizeof(a->ext[at]));
		a->ext_count++;
	}
	a->ext[at] = new;
	return 0;
}

const struct dmacc_ext_node *dmacc_account_ext(const struct dmacc_account *a, size_t i)
{
	return i < a->ext_count ? &a->ext[i] : NULL;
}

static int set_furnished(struct dmacc_account *a, const struct dmacc_template *t)
{
	const void *bytes;
	size_t len, i;
	int err;

	for (i = 0; i < DMACC_NODES; i++) {
		bytes = dmacc_template_get(t, (enum dmacc_node)i, &len);
		if (!bytes)
			continue;
		err = dmacc_account_set(a, (enum dmacc_node)i, bytes, len);
		if (err)
			return err;
	}
	return 0;
}

/* All zero where a profile makes no nonces: then the account has none, and a challenge must come */
static int set_nonce(struct dmacc_account *a, enum dmacc_node node, const uint8_t *nonce)
{
	static const uint8_t none[DMACC_NONCE_SIZE];

	if (a->values[node].bytes || !memcmp(nonce, none, sizeof(none)))
		return 0;
	return dmacc_account_set(a, node, nonce, DMACC_NONCE_SIZE);
}

static int set_text(struct dmacc_account *a, enum dmacc_node node, const char *text)
{
	return dmacc_account_set(a, node, text, strlen(text));
}

static int set_derived(struct dmacc_account *a, const struct dmacc_credentials *c)
{
	int err;

	err = set_text(a, DMACC_NODE_USER_NAME, c->user_name);
	if (!err)
		err = set_text(a, DMACC_NODE_SERVER_PW, c->server_pw);
	if (!err)
		err = set_text(a, DMACC_NODE_CLIENT_PW, c->client_pw);
	if (!err)
		err = set_nonce(a, DMACC_NODE_SERVER_NONCE, c->server_nonce);
	return err ? err : set_nonce(a, DMACC_NODE_CLIENT_NONCE, c->client_nonce);
}

int dmacc_account_assemble(const struct dmacc_template *t,
			   const struct dmacc_credentials *credentials, struct dmacc_account **ret)
{
	struct dmacc_account *a;
	int err;

	err = dmacc_account_new(&a);
	if (err)
		return err;
	err = set_furnished(a, t);
	if (!err)
		err = set_derived(a, credentials);
	if (err) {
		dmacc_account_free(a);
		return err;
	}
	*ret = a;
	return 0;
}
