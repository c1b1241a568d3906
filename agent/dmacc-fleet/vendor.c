// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>

#include "fleet.h"
#include "secret.h"
#include "token.h"
#include "vendor.h"

struct vendor {
	struct token *token;		/* NULL: the key is here */
	uint8_t key[DMACC_KEY_SIZE];
};

static int read_key_file(const char *where, uint8_t ret_key[DMACC_KEY_SIZE])
{
	const char *sentence;
	struct secret text;
	int r;

	r = secret_read("key file", where, &text);
	if (r)
		return r;
	if (dmacc_key_parse(text.text, text.len, ret_key, &sentence))
		r = complain("key file %s: %s", where, sentence);
	dmacc_wipe(&text, sizeof(text));
	return r;
}

int vendor_open(const char *where, const char *pin_file, struct vendor **ret)
{
	struct vendor *v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		return complain("out of memory");
	r = token_is_uri(where) ? token_open(where, pin_file, &v->token) :
				  read_key_file(where, v->key);
	if (r)
		vendor_free(v);
	else
		*ret = v;
	return r;
}

struct vendor *vendor_free(struct vendor *v)
{
	if (v) {
		token_free(v->token);
		dmacc_wipe(v, sizeof(*v));
		free(v);
	}
	return NULL;
}

int vendor_use(struct vendor *v, struct vendor_user *ret)
{
	int r;

	*ret = (struct vendor_user){ 0 };
	if (dmacc_deriver_new(&ret->deriver))
		return complain("libcrypto has no HMAC-SHA-256");
	if (!v->token)
		return dmacc_deriver_set_vendor_key(ret->deriver, v->key) ?
		       complain("the vendor key cannot be set up") : 0;
	r = token_session_new(v->token, &ret->session);
	if (r)
		return r;
	r = dmacc_deriver_set_vendor_hmac(ret->deriver, token_hmac, ret->session);
	if (r == -EINVAL)
		return complain("the key in the token is all zero");
	/* token_hmac() has said what is wrong */
	return r ? EXIT_NOTHING : 0;
}

void vendor_user_done(struct vendor_user *user)
{
	dmacc_deriver_free(user->deriver);
	token_session_free(user->session);
	*user = (struct vendor_user){ 0 };
}
