// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmacc.h"
#include "fleet.h"
#include "pin.h"
#include "token.h"

#define SLOTS_MAX 256
#define ATTRIBUTES_MAX 16

struct token {
	P11KitUri *uri;
	CK_FUNCTION_LIST **modules;	/* those of p11-kit's configuration, or */
	CK_FUNCTION_LIST *own_module;	/* the one of the URI's module-path */
	CK_FUNCTION_LIST *module;	/* the one that has the token */
	CK_SLOT_ID slot;
	CK_TOKEN_INFO info;
	CK_SESSION_HANDLE session;	/* while it is open, the login lasts */
	CK_OBJECT_HANDLE key;
	char name[sizeof(((CK_TOKEN_INFO *)NULL)->label) + 1];
	atomic_bool failed;		/* one complaint is enough, whatever the number of threads */
};

struct token_session {
	struct token *token;
	CK_SESSION_HANDLE handle;
};

bool token_is_uri(const char *where)
{
	return !strncmp(where, P11_KIT_URI_SCHEME ":", P11_KIT_URI_SCHEME_LEN + 1);
}

static const char *sentence_of(CK_RV rv)
{
	switch (rv) {
	case CKR_PIN_INCORRECT:
	case CKR_PIN_INVALID:
	case CKR_PIN_LEN_RANGE:
		return "the PIN is wrong";
	case CKR_PIN_LOCKED:
		return "its PIN is locked after too many wrong ones";
	case CKR_PIN_EXPIRED:
		return "its PIN has expired";
	case CKR_USER_PIN_NOT_INITIALIZED:
		return "it has no PIN yet";
	case CKR_DEVICE_ERROR:
	case CKR_DEVICE_REMOVED:
	case CKR_TOKEN_NOT_PRESENT:
	case CKR_SESSION_CLOSED:
	case CKR_SESSION_HANDLE_INVALID:
	case CKR_CRYPTOKI_NOT_INITIALIZED:
		return "the token is gone";
	case CKR_KEY_HANDLE_INVALID:
	case CKR_OBJECT_HANDLE_INVALID:
		return "the key is gone";
	case CKR_KEY_FUNCTION_NOT_PERMITTED:
		return "the key may not sign (CKA_SIGN)";
	case CKR_USER_NOT_LOGGED_IN:
		return "the token has logged us out";
	default:
		return p11_kit_strerror(rv);
	}
}

static int complain_of(const struct token *t, const char *what, CK_RV rv)
{
	return complain("token %s: %s: %s", t->name, what, sentence_of(rv));
}

static int parse_uri(struct token *t, const char *uri)
{
	int r;

	t->uri = p11_kit_uri_new();
	if (!t->uri)
		return complain("out of memory");
	r = p11_kit_uri_parse(uri, P11_KIT_URI_FOR_ANY, t->uri);
	/* a PIN may be in it: not even a broken URI is quoted */
	if (r == P11_KIT_URI_OK ? !!p11_kit_uri_get_pin_value(t->uri) : !!strstr(uri, "pin-value"))
		return complain("the pkcs11: URI has a pin-value; others see a command line, so give --pin-file FILE or pin-source=file:FILE");
	if (r != P11_KIT_URI_OK)
		return complain("the pkcs11: URI cannot be read: %s", p11_kit_uri_message(r));
	if (p11_kit_uri_any_unrecognized(t->uri))
		return complain("the pkcs11: URI has an attribute that RFC 7512 does not know");
	return 0;
}

static int load_modules(struct token *t)
{
	const char *path = p11_kit_uri_get_module_path(t->uri);
	CK_RV rv;

	p11_kit_be_quiet();
	if (!path) {
		t->modules = p11_kit_modules_load_and_initialize(0);
		return t->modules ? 0 : complain("PKCS#11 modules cannot be loaded: %s",
						 p11_kit_message());
	}
	t->own_module = p11_kit_module_load(path, 0);
	if (!t->own_module)
		return complain("PKCS#11 module %s cannot be loaded", path);
	rv = p11_kit_module_initialize(t->own_module);
	if (rv == CKR_OK)
		return 0;
	p11_kit_module_release(t->own_module);
	t->own_module = NULL;
	return complain("PKCS#11 module %s: %s", path, sentence_of(rv));
}

/* module-name=softhsm2 is libsofthsm2.so or softhsm2.so */
static bool module_matches(const struct token *t, CK_FUNCTION_LIST *module)
{
	const char *wanted = p11_kit_uri_get_module_name(t->uri), *base;
	char *file = wanted ? p11_kit_module_get_filename(module) : NULL;
	CK_INFO info;
	bool same = !wanted;
	size_t len;

	if (file) {
		base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
		if (!strncmp(base, "lib", 3) && strncmp(wanted, "lib", 3))
			base += 3;
		len = strlen(wanted);
		same = !strncmp(base, wanted, len) && (!base[len] || base[len] == '.');
	}
	free(file);
	return same && module->C_GetInfo(&info) == CKR_OK &&
	       p11_kit_uri_match_module_info(t->uri, &info);
}

static bool slot_matches(const struct token *t, CK_FUNCTION_LIST *module, CK_SLOT_ID slot,
			 CK_TOKEN_INFO *ret_info)
{
	CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(t->uri);
	CK_SLOT_INFO info;

	return (wanted == (CK_SLOT_ID)-1 || wanted == slot) &&
	       module->C_GetSlotInfo(slot, &info) == CKR_OK &&
	       p11_kit_uri_match_slot_info(t->uri, &info) &&
	       module->C_GetTokenInfo(slot, ret_info) == CKR_OK &&
	       (ret_info->flags & CKF_TOKEN_INITIALIZED) &&
	       p11_kit_uri_match_token_info(t->uri, ret_info);
}

/* A token that two modules show is one token */
static bool is_known(const struct token *t, const CK_TOKEN_INFO *info)
{
	return t->module && !memcmp(t->info.label, info->label, sizeof(info->label)) &&
	       !memcmp(t->info.serialNumber, info->serialNumber, sizeof(info->serialNumber)) &&
	       !memcmp(t->info.manufacturerID, info->manufacturerID, sizeof(info->manufacturerID));
}

/* Tokens of one module that match; the last one found is kept */
static size_t search_module(struct token *t, CK_FUNCTION_LIST *module)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX, i;
	CK_TOKEN_INFO info;
	size_t found = 0;

	if (!module_matches(t, module) ||
	    module->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
		return 0;
	for (i = 0; i < count; i++) {
		if (!slot_matches(t, module, slots[i], &info) || is_known(t, &info))
			continue;
		t->module = module;
		t->slot = slots[i];
		t->info = info;
		found++;
	}
	return found;
}

static void keep_name(struct token *t)
{
	size_t len = sizeof(t->info.label);

	/* padded with blanks, never zero-terminated */
	while (len && t->info.label[len - 1] == ' ')
		len--;
	memcpy(t->name, t->info.label, len);
}

static int find_token(struct token *t)
{
	size_t found = 0, i;

	if (t->own_module)
		found = search_module(t, t->own_module);
	for (i = 0; t->modules && t->modules[i]; i++)
		found += search_module(t, t->modules[i]);
	if (!found)
		return complain("no token matches the pkcs11: URI");
	if (found > 1)
		return complain("%zu tokens match the pkcs11: URI; token= or serial= tells them apart",
				found);
	keep_name(t);
	return 0;
}

static bool is_logged_in(const struct token *t)
{
	CK_SESSION_INFO info;

	return t->module->C_GetSessionInfo(t->session, &info) == CKR_OK &&
	       (info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS);
}

static int log_in(struct token *t, const char *pin_file)
{
	bool by_pad = t->info.flags & CKF_PROTECTED_AUTHENTICATION_PATH;
	struct secret pin = { 0 };
	CK_RV rv;
	int r = 0;

	if (!(t->info.flags & CKF_LOGIN_REQUIRED) || is_logged_in(t))
		return 0;
	if (t->info.flags & CKF_USER_PIN_LOCKED)
		return complain_of(t, "login", CKR_PIN_LOCKED);
	if (t->info.flags & CKF_USER_PIN_FINAL_TRY)
		complain("warning: token %s: one more wrong PIN locks it", t->name);
	if (!by_pad)
		r = pin_read(t->name, pin_file, p11_kit_uri_get_pin_source(t->uri), &pin);
	if (r)
		return r;
	rv = t->module->C_Login(t->session, CKU_USER, by_pad ? NULL : (CK_UTF8CHAR *)pin.text,
				(CK_ULONG)pin.len);
	dmacc_wipe(&pin, sizeof(pin));
	return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN ? 0 : complain_of(t, "login", rv);
}

/* At most two of the handles that match are of interest */
static CK_RV find_objects(struct token *t, CK_ATTRIBUTE *attributes, CK_ULONG count,
			  CK_OBJECT_HANDLE ret[2], CK_ULONG *ret_found)
{
	CK_RV rv = t->module->C_FindObjectsInit(t->session, attributes, count);

	*ret_found = 0;
	if (rv != CKR_OK)
		return rv;
	rv = t->module->C_FindObjects(t->session, ret, 2, ret_found);
	(void)t->module->C_FindObjectsFinal(t->session);
	return rv;
}

/* A URI that names neither object nor id would take whatever key is there */
static int judge_uri(const struct token *t)
{
	CK_ATTRIBUTE *class = p11_kit_uri_get_attribute(t->uri, CKA_CLASS);

	if (class && *(CK_OBJECT_CLASS *)class->pValue != CKO_SECRET_KEY)
		return complain("the pkcs11: URI names no secret key; it is type=secret-key");
	if (!p11_kit_uri_get_attribute(t->uri, CKA_LABEL) &&
	    !p11_kit_uri_get_attribute(t->uri, CKA_ID))
		return complain("the pkcs11: URI names no key; object= or id= does");
	return 0;
}

static int find_key(struct token *t)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_ATTRIBUTE attributes[ATTRIBUTES_MAX], *of_uri;
	CK_ULONG count, found;
	CK_OBJECT_HANDLE keys[2];
	CK_RV rv;

	of_uri = p11_kit_uri_get_attributes(t->uri, &count);
	if (count > ATTRIBUTES_MAX - 1)
		return complain("the pkcs11: URI has too many attributes");
	memcpy(attributes, of_uri, count * sizeof(*of_uri));
	if (!p11_kit_uri_get_attribute(t->uri, CKA_CLASS))
		attributes[count++] = (CK_ATTRIBUTE){ CKA_CLASS, &class, sizeof(class) };
	rv = find_objects(t, attributes, count, keys, &found);
	if (rv != CKR_OK)
		return complain_of(t, "search for the key", rv);
	if (!found)
		return complain("token %s: it has no such key", t->name);
	if (found > 1)
		return complain("token %s: several keys match; id= tells them apart", t->name);
	t->key = keys[0];
	return 0;
}

/* A boolean attribute; @otherwise if the token does not say */
static bool is(const struct token *t, CK_ATTRIBUTE_TYPE type, bool otherwise)
{
	CK_BBOOL value = CK_FALSE;
	CK_ATTRIBUTE a = { type, &value, sizeof(value) };

	if (t->module->C_GetAttributeValue(t->session, t->key, &a, 1) != CKR_OK ||
	    a.ulValueLen != sizeof(value))
		return otherwise;
	return value != CK_FALSE;
}

static CK_ULONG number(const struct token *t, CK_ATTRIBUTE_TYPE type, CK_ULONG otherwise)
{
	CK_ULONG value;
	CK_ATTRIBUTE a = { type, &value, sizeof(value) };

	if (t->module->C_GetAttributeValue(t->session, t->key, &a, 1) != CKR_OK ||
	    a.ulValueLen != sizeof(value))
		return otherwise;
	return value;
}

static const char *judge_key(const struct token *t)
{
	CK_ULONG type = number(t, CKA_KEY_TYPE, CKK_GENERIC_SECRET);
	CK_MECHANISM_INFO info;

	if (type != CKK_GENERIC_SECRET && type != CKK_SHA256_HMAC)
		return "it is neither a generic secret nor an HMAC key (CKK_GENERIC_SECRET, CKK_SHA256_HMAC)";
	if (number(t, CKA_VALUE_LEN, DMACC_KEY_SIZE) != DMACC_KEY_SIZE)
		return "it is not 32 bytes long";
	if (!is(t, CKA_SIGN, true))
		return "it may not sign (CKA_SIGN)";
	if (is(t, CKA_ALWAYS_AUTHENTICATE, false))
		return "it wants the PIN for each use (CKA_ALWAYS_AUTHENTICATE)";
	if (t->module->C_GetMechanismInfo(t->slot, CKM_SHA256_HMAC, &info) != CKR_OK ||
	    !(info.flags & CKF_SIGN))
		return "the token cannot compute CKM_SHA256_HMAC";
	return NULL;
}

static int check_key(const struct token *t)
{
	const char *sentence = judge_key(t);

	if (sentence)
		return complain("token %s: the key cannot be used: %s", t->name, sentence);
	if (number(t, CKA_VALUE_LEN, 0) != DMACC_KEY_SIZE)
		complain("warning: token %s: it does not tell whether the key has 32 bytes; compare its key-id",
			 t->name);
	if (is(t, CKA_EXTRACTABLE, false) || !is(t, CKA_SENSITIVE, true))
		complain("warning: token %s: the key can be read out of it (CKA_EXTRACTABLE, or not CKA_SENSITIVE)",
			 t->name);
	return 0;
}

static int open_session(struct token *t, CK_SESSION_HANDLE *ret)
{
	CK_RV rv = t->module->C_OpenSession(t->slot, CKF_SERIAL_SESSION, NULL, NULL, ret);

	return rv == CKR_OK ? 0 : complain_of(t, "session", rv);
}

int token_open(const char *uri, const char *pin_file, struct token **ret)
{
	struct token *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return complain("out of memory");
	t->session = CK_INVALID_HANDLE;
	r = parse_uri(t, uri);
	if (!r)
		r = judge_uri(t);
	if (!r)
		r = load_modules(t);
	if (!r)
		r = find_token(t);
	if (!r)
		r = open_session(t, &t->session);
	if (!r)
		r = log_in(t, pin_file);
	if (!r)
		r = find_key(t);
	if (!r)
		r = check_key(t);
	if (r)
		token_free(t);
	else
		*ret = t;
	return r;
}

struct token *token_free(struct token *t)
{
	if (!t)
		return NULL;
	if (t->session != CK_INVALID_HANDLE)
		(void)t->module->C_CloseSession(t->session);
	if (t->own_module) {
		(void)p11_kit_module_finalize(t->own_module);
		p11_kit_module_release(t->own_module);
	}
	if (t->modules)
		p11_kit_modules_finalize_and_release(t->modules);
	p11_kit_uri_free(t->uri);
	free(t);
	return NULL;
}

int token_session_new(struct token *t, struct token_session **ret)
{
	struct token_session *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return complain("out of memory");
	s->token = t;
	r = open_session(t, &s->handle);
	if (r)
		free(s);
	else
		*ret = s;
	return r;
}

struct token_session *token_session_free(struct token_session *s)
{
	if (s)
		(void)s->token->module->C_CloseSession(s->handle);
	free(s);
	return NULL;
}

int token_hmac(void *session, const uint8_t *message, size_t len, uint8_t ret_mac[32])
{
	struct token_session *s = session;
	struct token *t = s->token;
	CK_MECHANISM mechanism = { CKM_SHA256_HMAC, NULL, 0 };
	CK_ULONG mac_len = 32;
	CK_RV rv;

	rv = t->module->C_SignInit(s->handle, &mechanism, t->key);
	if (rv == CKR_OK)
		rv = t->module->C_Sign(s->handle, (CK_BYTE *)message, (CK_ULONG)len, ret_mac,
				       &mac_len);
	if (rv == CKR_OK && mac_len != 32)
		rv = CKR_GENERAL_ERROR;
	if (rv == CKR_OK)
		return 0;
	if (!atomic_exchange(&t->failed, true))
		complain_of(t, "the device key cannot be computed", rv);
	return -EIO;
}
