// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * put-key MODULE TOKEN LABEL ID [FLAG...]: puts a secret key into a token, for tests of keys of
 * every kind. stdin: the PIN, a line feed, the key's bytes. Flags: no-sign, extractable, readable
 * (not sensitive), aes, public (seen without PIN).
 */
#include <p11-kit/p11-kit.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static char pin[64];
static unsigned char key[256];
static size_t key_len;

static int fail(const char *what, CK_RV rv)
{
	fprintf(stderr, "put-key: %s: %s\n", what, p11_kit_strerror(rv));
	return 1;
}

static bool has_flag(char **flags, const char *flag)
{
	for (; *flags; flags++)
		if (!strcmp(*flags, flag))
			return true;
	return false;
}

static bool find_slot(CK_FUNCTION_LIST *module, const char *label, CK_SLOT_ID *ret)
{
	CK_SLOT_ID slots[16];
	CK_ULONG count = 16, i;
	CK_TOKEN_INFO info;

	if (module->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
		return false;
	for (i = 0; i < count; i++) {
		if (module->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
		    !memcmp(info.label, label, strlen(label)) && info.label[strlen(label)] == ' ') {
			*ret = slots[i];
			return true;
		}
	}
	return false;
}

static CK_RV create(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session, char **argv)
{
	CK_BBOOL yes = CK_TRUE, sign = !has_flag(argv + 5, "no-sign");
	CK_BBOOL extractable = has_flag(argv + 5, "extractable");
	CK_BBOOL sensitive = !has_flag(argv + 5, "readable");
	CK_BBOOL private = !has_flag(argv + 5, "public");
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = has_flag(argv + 5, "aes") ? CKK_AES : CKK_GENERIC_SECRET;
	CK_ATTRIBUTE attributes[] = {
		{ CKA_CLASS, &class, sizeof(class) }, { CKA_KEY_TYPE, &type, sizeof(type) },
		{ CKA_TOKEN, &yes, sizeof(yes) }, { CKA_PRIVATE, &private, sizeof(private) },
		{ CKA_SENSITIVE, &sensitive, sizeof(sensitive) },
		{ CKA_EXTRACTABLE, &extractable, sizeof(extractable) },
		{ CKA_SIGN, &sign, sizeof(sign) }, { CKA_VALUE, key, key_len },
		{ CKA_LABEL, argv[3], strlen(argv[3]) }, { CKA_ID, argv[4], strlen(argv[4]) },
	};
	CK_OBJECT_HANDLE object;

	return module->C_CreateObject(session, attributes, sizeof(attributes) / sizeof(*attributes),
				      &object);
}

int main(int argc, char **argv)
{
	CK_FUNCTION_LIST *module;
	CK_SESSION_HANDLE session;
	CK_SLOT_ID slot;
	CK_RV rv;

	if (argc < 5 || !fgets(pin, sizeof(pin), stdin))
		return 2;
	pin[strcspn(pin, "\n")] = '\0';
	key_len = fread(key, 1, sizeof(key), stdin);
	module = p11_kit_module_load(argv[1], 0);
	if (!module || p11_kit_module_initialize(module) != CKR_OK)
		return fail(argv[1], CKR_GENERAL_ERROR);
	if (!find_slot(module, argv[2], &slot))
		return fail(argv[2], CKR_TOKEN_NOT_PRESENT);
	rv = module->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
	if (rv == CKR_OK)
		rv = module->C_Login(session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin));
	if (rv == CKR_OK)
		rv = create(module, session, argv);
	if (rv != CKR_OK)
		return fail(argv[3], rv);
	(void)p11_kit_module_finalize(module);
	p11_kit_module_release(module);
	return 0;
}
