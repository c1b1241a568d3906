// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dmacc-fleet selftest: the published vectors, at a customer's site, through
 * the library that is installed there.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "dmacc.h"
#include "encode.h"
#include "fleet.h"
#include "vectors.h"

static unsigned int good, bad;

static void judge(int ok, const char *what, size_t number)
{
	if (ok) {
		good++;
	} else {
		bad++;
		complain("vector %s %zu is not met", what, number);
	}
}

static void test_identifiers(void)
{
	char devid[DMACC_DEVID_SIZE];
	struct dmacc_reason reason;
	size_t i;
	int r;

	for (i = 0; i < DMACC_VECTORS_ACCEPTED_COUNT; i++) {
		const struct dmacc_vector_accepted *v = &dmacc_vectors_accepted[i];

		r = dmacc_identifier_read((const char *)v->input, v->input_len,
					  v->spare_digit ? DMACC_SPARE_DIGIT : 0, devid, &reason);
		judge(!r && !strcmp(devid, v->devid), "identifiers.accepted", i);
	}
	for (i = 0; i < DMACC_VECTORS_REFUSED_COUNT; i++) {
		const struct dmacc_vector_refused *v = &dmacc_vectors_refused[i];

		r = dmacc_identifier_read((const char *)v->input, v->input_len,
					  v->spare_digit ? DMACC_SPARE_DIGIT : 0, devid, &reason);
		judge(r && !strcmp(reason.word, v->reason), "identifiers.refused", i);
	}
}

static void test_servers(void)
{
	struct dmacc_reason reason;
	size_t i;
	int r;

	for (i = 0; i < DMACC_VECTORS_SERVER_COUNT; i++) {
		const struct dmacc_vector_server *v = &dmacc_vectors_server[i];
		const struct dmacc_server server = { v->kind, v->server, v->server_len };

		r = dmacc_server_valid(&server, &reason);
		judge(v->reason ? r && !strcmp(reason.word, v->reason) : !r, "servers", i);
	}
}

/* As they stand in a key file, where one may have any length */
static int vendor_key_is_taken(struct dmacc_deriver *d, const struct dmacc_vector_vendor_key *v)
{
	uint8_t key[DMACC_KEY_SIZE];
	char text[2 * 64 + 1] = "";
	size_t i;

	for (i = 0; i < v->kv_len && i < 64; i++)
		sprintf(text + 2 * i, "%02x", v->kv[i]);
	return !dmacc_key_parse(text, strlen(text), key, NULL) &&
	       !dmacc_deriver_set_vendor_key(d, key);
}

static void test_vendor_keys(struct dmacc_deriver *d)
{
	size_t i;

	for (i = 0; i < DMACC_VECTORS_VENDOR_KEY_COUNT; i++)
		judge(vendor_key_is_taken(d, &dmacc_vectors_vendor_key[i]) ==
		      !dmacc_vectors_vendor_key[i].reason, "vendor_keys", i);
}

/* What a server keeps of a password. The digest of a login is for the server to compute. */
static void test_logins(void)
{
	char stored[ENCODE_BASE64_SIZE];
	size_t i;

	for (i = 0; i < DMACC_VECTORS_LOGIN_COUNT; i++) {
		const struct dmacc_vector_login *v = &dmacc_vectors_login[i];

		judge(!encode_stored(stored, v->name, strlen(v->name), v->password) &&
		      !strcmp(stored, v->stored), "logins", i);
	}
}

static void test_key_ids(struct dmacc_deriver *d)
{
	char key_id[DMACC_KEY_ID_SIZE];
	size_t i;

	for (i = 0; i < DMACC_VECTORS_KEY_ID_COUNT; i++) {
		const struct dmacc_vector_key_id *v = &dmacc_vectors_key_id[i];

		judge(!dmacc_deriver_set_vendor_key(d, v->kv) &&
		      !dmacc_deriver_key_id(d, v->key_version, key_id) &&
		      !strcmp(key_id, v->key_id), "key_ids", i);
	}
}

static int credentials_match(struct dmacc_deriver *d, const struct dmacc_vector_credentials *v)
{
	const struct dmacc_server server = { v->kind, v->server, v->server_len };
	uint8_t kd[DMACC_KEY_SIZE];
	struct dmacc_credentials c;

	return !dmacc_deriver_set_vendor_key(d, v->kv) &&
	       !dmacc_deriver_device_key(d, v->devid, v->key_version, kd) &&
	       !memcmp(kd, v->kd, sizeof(kd)) &&
	       !dmacc_deriver_credentials(d, kd, v->devid, &server, v->generation, DMACC_NONCES,
					  &c) &&
	       !strcmp(c.user_name, v->user_name) && !strcmp(c.server_pw, v->server_pw) &&
	       !strcmp(c.client_pw, v->client_pw) &&
	       !memcmp(c.server_nonce, v->server_nonce, DMACC_NONCE_SIZE) &&
	       !memcmp(c.client_nonce, v->client_nonce, DMACC_NONCE_SIZE);
}

static void test_refused(struct dmacc_deriver *d)
{
	uint8_t kd[DMACC_KEY_SIZE];
	struct dmacc_credentials c;
	size_t i;
	int r;

	for (i = 0; i < DMACC_VECTORS_CREDENTIALS_REFUSED_COUNT; i++) {
		const struct dmacc_vector_credentials_refused *v = &dmacc_vectors_credentials_refused[i];
		const struct dmacc_server server = { v->kind, v->server, v->server_len };

		r = dmacc_deriver_set_vendor_key(d, v->kv);
		if (!r)
			r = dmacc_deriver_device_key(d, v->devid, v->key_version, kd);
		if (!r)
			r = dmacc_deriver_credentials(d, kd, v->devid, &server, v->generation, 0, &c);
		judge(r == -EINVAL, "credentials_refused", i);
	}
}

static int unkeyed_match(const struct dmacc_vector_unkeyed *v)
{
	static const uint8_t none[DMACC_NONCE_SIZE];
	const struct dmacc_server server = { DMACC_ELEMENT_SERVER_ID, v->server, v->server_len };
	const uint8_t *server_nonce = v->server_nonce ? v->server_nonce : none;
	const uint8_t *client_nonce = v->client_nonce ? v->client_nonce : none;
	struct dmacc_credentials c;

	return !dmacc_legacy_credentials(dmacc_legacy_named(v->profile), v->devid, &server, &c,
					 NULL) &&
	       !strcmp(c.user_name, v->user_name) && !strcmp(c.server_pw, v->server_pw) &&
	       !strcmp(c.client_pw, v->client_pw) &&
	       !memcmp(c.server_nonce, server_nonce, DMACC_NONCE_SIZE) &&
	       !memcmp(c.client_nonce, client_nonce, DMACC_NONCE_SIZE);
}

static void test_unkeyed(void)
{
	struct dmacc_credentials c;
	size_t i;

	for (i = 0; i < DMACC_VECTORS_UNKEYED_COUNT; i++)
		judge(unkeyed_match(&dmacc_vectors_unkeyed[i]), "unkeyed.credentials", i);
	for (i = 0; i < DMACC_VECTORS_UNKEYED_REFUSED_COUNT; i++) {
		const struct dmacc_vector_unkeyed_refused *v = &dmacc_vectors_unkeyed_refused[i];
		const struct dmacc_server server = { v->kind, v->server, v->server_len };

		judge(dmacc_legacy_credentials(dmacc_legacy_named(v->profile), v->devid, &server,
					       &c, NULL) == -EINVAL, "unkeyed.refused", i);
	}
}

int selftest_main(int argc, char **argv)
{
	struct dmacc_deriver *deriver;
	size_t i;

	if (argc > 1)
		return complain("selftest takes no argument '%s'", argv[1]);
	if (dmacc_deriver_new(&deriver))
		return complain("libcrypto has no HMAC-SHA-256");
	test_identifiers();
	test_servers();
	test_vendor_keys(deriver);
	test_key_ids(deriver);
	for (i = 0; i < DMACC_VECTORS_CREDENTIALS_COUNT; i++)
		judge(credentials_match(deriver, &dmacc_vectors_credentials[i]), "credentials", i);
	test_refused(deriver);
	test_unkeyed();
	test_logins();
	dmacc_deriver_free(deriver);
	printf("%u vectors met, %u not met\n", good, bad);
	return bad ? EXIT_SOME : EXIT_DONE;
}
