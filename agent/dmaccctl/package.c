// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <json-c/json.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "credential.h"
#include "ctl.h"
#include "kernel.h"
#include "package.h"
#include "trouble.h"

#define FORMAT "dmacc-factory-export-1"
#define TEXT_LEN(n) (((n) + 2) / 3 * 4)

void package_done(struct package *package)
{
	free(package->credential);
	free(package->slots);
	*package = (struct package){ 0 };
}

int package_set(struct package_blob *blob, const void *bytes, size_t len)
{
	if (len > DMACC_BLOB_MAX)
		return -EINVAL;
	memcpy(blob->bytes, bytes, len);
	blob->len = len;
	return 0;
}

struct package_slot *package_add(struct package *package, const char *name)
{
	struct package_slot *slots, *slot;

	slots = reallocarray(package->slots, package->slots_len + 1, sizeof(*slots));
	if (!slots)
		return NULL;
	package->slots = slots;
	slot = &slots[package->slots_len++];
	*slot = (struct package_slot){ 0 };
	snprintf(slot->name, sizeof(slot->name), "%s", name);
	return slot;
}

const struct dmacc_root_blob *package_root(const struct package *package)
{
	return (const struct dmacc_root_blob *)package->root.bytes;
}

const struct dmacc_slot_blob *package_key(const struct package_slot *slot)
{
	return (const struct dmacc_slot_blob *)slot->blob.bytes;
}

static int wrong(char reterr[256], const char *where, const char *what)
{
	snprintf(reterr, 256, "%s: %s", where, what);
	return -EINVAL;
}

static int check_key(struct package *package, const struct package_slot *slot, char reterr[256])
{
	const struct dmacc_slot_blob *key = package_key(slot);
	char devid[DMACC_DEVID_SIZE] = "", where[8 + DMACC_SLOT_NAME_MAX];
	enum trouble trouble;

	snprintf(where, sizeof(where), "slot %s", slot->name);
	trouble = trouble_of_slot_file(key, slot->blob.len, slot->name);
	if (trouble != TROUBLE_NONE)
		return wrong(reterr, where, trouble_means(trouble));
	if (memcmp(key->root_id, package_root(package)->root_id, sizeof(key->root_id)))
		return wrong(reterr, where, trouble_means(TROUBLE_SLOT_OTHER_ROOT));
	if (!key->devid_len || key->devid_len > sizeof(key->devid))
		return wrong(reterr, where, trouble_means(TROUBLE_SLOT_DAMAGED));
	memcpy(devid, key->devid, key->devid_len);
	if (dmacc_identifier_check(devid, NULL))
		return wrong(reterr, where, trouble_means(TROUBLE_SLOT_DAMAGED));
	if (!package->devid[0])
		memcpy(package->devid, devid, sizeof(devid));
	else if (strcmp(package->devid, devid))
		return wrong(reterr, where, "it is another device's than the others");
	return 0;
}

int package_check(struct package *package, char reterr[256])
{
	const struct dmacc_root_blob *root = package_root(package);
	size_t i;

	if (package->root.len < sizeof(*root) ||
	    memcmp(root->magic, DMACC_ROOT_MAGIC, sizeof(root->magic)) ||
	    package->root.len != sizeof(*root) + (size_t)(root->sealed_len[0] << 8 |
							 root->sealed_len[1]))
		return wrong(reterr, "root", "it is no sealed root");
	for (i = 0; i < package->slots_len; i++)
		if (check_key(package, &package->slots[i], reterr))
			return -EINVAL;
	return 0;
}

static void add_string(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static void add_blob(struct json_object *o, const struct package_blob *blob)
{
	unsigned char text[TEXT_LEN(DMACC_BLOB_MAX) + 1];

	EVP_EncodeBlock(text, blob->bytes, (int)blob->len);
	add_string(o, "blob", (const char *)text);
}

static void add_hex(struct json_object *o, const char *key, const uint8_t *bytes, size_t len)
{
	char text[2 * FACTORY_STORE_TPM_LEN + 1];

	hex(bytes, len, text);
	add_string(o, key, text);
}

static struct json_object *root_json(const struct package *package)
{
	const struct dmacc_root_blob *root = package_root(package);
	struct json_object *o = json_object_new_object();

	add_hex(o, "root_id", root->root_id, sizeof(root->root_id));
	add_string(o, "rung", dmacc_rung_word((enum dmacc_rung)root->rung));
	json_object_object_add(o, "locked",
			       json_object_new_boolean(root->flags & DMACC_ROOT_FLAG_LOCKED));
	add_blob(o, &package->root);
	return o;
}

static struct json_object *master_json(const char *credential)
{
	enum credential_kind kind = credential_kind_of(credential, strlen(credential));
	struct json_object *o = json_object_new_object();

	add_string(o, "kind", kind == CREDENTIAL_TPM2 ? "tpm2" : "host");
	add_string(o, "credential", credential);
	return o;
}

static struct json_object *slot_json(const struct package_slot *slot)
{
	struct json_object *o = json_object_new_object();

	add_string(o, "slot", slot->name);
	add_hex(o, "key_id", package_key(slot)->key_id, DMACC_KEYID_LEN);
	json_object_object_add(o, "key_version", json_object_new_int64(blob_key_version(package_key(slot))));
	add_blob(o, &slot->blob);
	return o;
}

/* Over the object as it is written, but for this member */
static int checksum(struct json_object *o, char ret[65])
{
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							  JSON_C_TO_STRING_NOSLASHESCAPE);
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (!text || EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	hex(digest, 32, ret);
	return 0;
}

char *package_print(const struct package *package)
{
	struct json_object *o = json_object_new_object(), *slots = json_object_new_array();
	char sum[65], *text = NULL;
	size_t i;

	add_string(o, "format", FORMAT);
	add_string(o, "devid", package->devid);
	json_object_object_add(o, "root", root_json(package));
	if (package->has_tpm)
		add_hex(o, "tpm", package->tpm, sizeof(package->tpm));
	if (package->credential)
		json_object_object_add(o, "master", master_json(package->credential));
	for (i = 0; i < package->slots_len; i++)
		json_object_array_add(slots, slot_json(&package->slots[i]));
	json_object_object_add(o, "slots", slots);
	if (!checksum(o, sum)) {
		add_string(o, "sha256", sum);
		text = strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
							     JSON_C_TO_STRING_NOSLASHESCAPE));
	}
	json_object_put(o);
	return text;
}

/* NULL if there is none, or it is no string */
static const char *string_of(struct json_object *o, const char *key)
{
	struct json_object *value;

	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &value) ||
	    !json_object_is_type(value, json_type_string) ||
	    strlen(json_object_get_string(value)) != (size_t)json_object_get_string_len(value))
		return NULL;
	return json_object_get_string(value);
}

static int read_blob(struct json_object *o, const char *where, struct package_blob *ret,
		     char reterr[256])
{
	const char *text = string_of(o, "blob");
	size_t len = text ? strlen(text) : 0;
	int n;

	if (!len || len > TEXT_LEN(DMACC_BLOB_MAX))
		return wrong(reterr, where, "it has no blob");
	n = EVP_DecodeBlock(ret->bytes, (const unsigned char *)text, (int)len);
	if (n < 0)
		return wrong(reterr, where, "its blob is no base64");
	/* what stands for the bytes that are missing in the last three */
	ret->len = (size_t)n - (text[len - 1] == '=') - (len > 1 && text[len - 2] == '=');
	return ret->len <= DMACC_BLOB_MAX ? 0 : wrong(reterr, where, "its blob is too long");
}

static int read_tpm(struct json_object *o, struct package *package, char reterr[256])
{
	const char *text = string_of(o, "tpm");
	size_t i, len = 0;
	unsigned char *bytes;
	long n = 0;

	if (!text)
		return 0;
	bytes = OPENSSL_hexstr2buf(text, &n);
	len = (size_t)n;
	if (bytes && len == sizeof(package->tpm)) {
		for (i = 0; i < len; i++)
			package->tpm[i] = bytes[i];
		package->has_tpm = true;
	}
	OPENSSL_free(bytes);
	return package->has_tpm ? 0 : wrong(reterr, "tpm", "it is no fingerprint");
}

static int read_master(struct json_object *o, struct package *package, char reterr[256])
{
	struct json_object *master;
	const char *text;

	if (!json_object_object_get_ex(o, "master", &master))
		return 0;
	text = string_of(master, "credential");
	if (!text || !text[0] || strlen(text) > PACKAGE_CREDENTIAL_MAX)
		return wrong(reterr, "master", "it has no credential");
	package->credential = strdup(text);
	return package->credential ? 0 : wrong(reterr, "master", strerror(ENOMEM));
}

static int read_slot(struct json_object *o, struct package *package, char reterr[256])
{
	const char *name = string_of(o, "slot");
	struct package_slot *slot;
	size_t i;

	if (!name || !factory_store_slot_name(name))
		return wrong(reterr, "slots", "one has no name that a slot can have");
	for (i = 0; i < package->slots_len; i++)
		if (!strcmp(package->slots[i].name, name))
			return wrong(reterr, name, "this slot is there twice");
	slot = package_add(package, name);
	return slot ? read_blob(o, name, &slot->blob, reterr) :
		wrong(reterr, name, strerror(ENOMEM));
}

static int read_slots(struct json_object *o, struct package *package, char reterr[256])
{
	struct json_object *slots;
	size_t i;
	int r = 0;

	if (!json_object_object_get_ex(o, "slots", &slots) ||
	    !json_object_is_type(slots, json_type_array))
		return wrong(reterr, "slots", "they are missing");
	for (i = 0; !r && i < json_object_array_length(slots); i++)
		r = read_slot(json_object_array_get_idx(slots, i), package, reterr);
	return r;
}

static int check_sum(struct json_object *o, char reterr[256])
{
	const char *format = string_of(o, "format"), *text = string_of(o, "sha256");
	char given[65], sum[65];

	if (!format || strncmp(format, "dmacc-factory-export-", 21))
		return wrong(reterr, "format", "this is not what 'dmaccctl factory export' writes");
	if (strcmp(format, FORMAT))
		return wrong(reterr, "format", "a newer dmaccctl wrote it, and has to restore it");
	if (!text || strlen(text) != 64)
		return wrong(reterr, "sha256", "it is missing: the file has been cut or changed");
	strcpy(given, text);
	json_object_object_del(o, "sha256");
	if (checksum(o, sum))
		return wrong(reterr, "sha256", strerror(ENOMEM));
	return strcmp(given, sum) ? wrong(reterr, "sha256", "it does not match: the file has been changed") : 0;
}

static int read_package(struct json_object *o, struct package *package, char reterr[256])
{
	const char *devid = string_of(o, "devid");
	struct json_object *root = NULL;
	int r;

	r = check_sum(o, reterr);
	if (r)
		return r;
	(void)json_object_object_get_ex(o, "root", &root);
	r = read_blob(root, "root", &package->root, reterr);
	if (!r)
		r = read_tpm(o, package, reterr);
	if (!r)
		r = read_master(o, package, reterr);
	if (!r)
		r = read_slots(o, package, reterr);
	if (!r)
		r = package_check(package, reterr);
	if (!r && (!devid || strcmp(devid, package->devid)))
		r = wrong(reterr, "devid", "it is not that of the sealed keys");
	return r;
}

int package_parse(const char *text, struct package *ret, char reterr[256])
{
	enum json_tokener_error error;
	struct json_object *o = json_tokener_parse_verbose(text, &error);
	struct package package = { 0 };
	int r;

	if (!json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		return wrong(reterr, "format", o || error == json_tokener_success ?
			     "this is not what 'dmaccctl factory export' writes" :
			     json_tokener_error_desc(error));
	}
	r = read_package(o, &package, reterr);
	json_object_put(o);
	if (r) {
		package_done(&package);
		return r;
	}
	*ret = package;
	return 0;
}
