// SPDX-License-Identifier: LGPL-2.1-or-later
/* libdmacc through its public header alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dmacc.h"
#include "vectors.h"

static const struct dmacc_server dm = { DMACC_ELEMENT_SERVER_ID, "com.example.dm", 14 };
static const char device[] = "IMEI:490154203237518";

static struct dmacc_deriver *new_deriver(void)
{
	struct dmacc_deriver *d;

	assert_int_equal(dmacc_deriver_new(&d), 0);
	return d;
}

static void check_credentials(struct dmacc_deriver *d, const struct dmacc_vector_credentials *v)
{
	const struct dmacc_server server = { v->kind, v->server, v->server_len };
	struct dmacc_credentials c;
	uint8_t kd[DMACC_KEY_SIZE];

	assert_int_equal(dmacc_deriver_set_vendor_key(d, v->kv), 0);
	assert_int_equal(dmacc_deriver_device_key(d, v->devid, v->key_version, kd), 0);
	assert_memory_equal(kd, v->kd, sizeof(kd));
	assert_int_equal(dmacc_deriver_credentials(d, kd, v->devid, &server, v->generation,
						   DMACC_NONCES, &c), 0);
	assert_string_equal(c.user_name, v->user_name);
	assert_string_equal(c.server_pw, v->server_pw);
	assert_string_equal(c.client_pw, v->client_pw);
	assert_memory_equal(c.server_nonce, v->server_nonce, DMACC_NONCE_SIZE);
	assert_memory_equal(c.client_nonce, v->client_nonce, DMACC_NONCE_SIZE);
}

static void one_deriver_computes_every_published_credential(void **state)
{
	struct dmacc_deriver *d = new_deriver();
	size_t i;

	(void)state;
	for (i = 0; i < DMACC_VECTORS_CREDENTIALS_COUNT; i++)
		check_credentials(d, &dmacc_vectors_credentials[i]);
	dmacc_deriver_free(d);
}

static void one_call_for_one_device_computes_the_same(void **state)
{
	struct dmacc_credentials c;
	char devid[DMACC_DEVID_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < DMACC_VECTORS_CREDENTIALS_COUNT; i++) {
		const struct dmacc_vector_credentials *v = &dmacc_vectors_credentials[i];
		const struct dmacc_device d = { v->devid, v->key_version, v->generation };
		const struct dmacc_server server = { v->kind, v->server, v->server_len };

		assert_int_equal(dmacc_credentials_for(v->kv, &d, &server, DMACC_NONCES, devid, &c,
						       NULL), 0);
		assert_string_equal(devid, v->devid);
		assert_string_equal(c.user_name, v->user_name);
		assert_string_equal(c.server_pw, v->server_pw);
		assert_string_equal(c.client_pw, v->client_pw);
		assert_memory_equal(c.server_nonce, v->server_nonce, DMACC_NONCE_SIZE);
		assert_memory_equal(c.client_nonce, v->client_nonce, DMACC_NONCE_SIZE);
	}
}

static void the_flags_of_one_call_do_not_mix(void **state)
{
	static const uint8_t key[DMACC_KEY_SIZE] = { 7 }, none[DMACC_NONCE_SIZE];
	const struct dmacc_device spare = { "49-015420-323751-0", 1, 0 };
	struct dmacc_credentials c;
	struct dmacc_reason reason;
	char devid[DMACC_DEVID_SIZE];

	(void)state;
	assert_int_equal(dmacc_credentials_for(key, &spare, &dm, DMACC_NONCES, devid, &c, &reason),
			 -EINVAL);
	assert_string_equal(reason.word, "check-digit");
	assert_int_equal(dmacc_credentials_for(key, &spare, &dm, DMACC_SPARE_DIGIT, devid, &c, NULL),
			 0);
	assert_string_equal(devid, device);
	assert_memory_equal(c.client_nonce, none, sizeof(none));
	assert_int_equal(dmacc_credentials_for(key, &spare, &dm, DMACC_SPARE_DIGIT | DMACC_NONCES,
					       NULL, &c, NULL), 0);
	assert_memory_not_equal(c.client_nonce, none, sizeof(none));
}

static void one_call_says_what_was_refused_and_writes_nothing(void **state)
{
	static const uint8_t key[DMACC_KEY_SIZE] = { 7 }, zero[DMACC_KEY_SIZE];
	const struct dmacc_server blank = { DMACC_ELEMENT_SERVER_ID, "a b", 3 };
	const struct {
		const uint8_t *key;
		struct dmacc_device device;
		const struct dmacc_server *server;
		const char *word;
	} cases[] = {
		{ key, { "", 1, 0 }, &dm, "missing" },
		{ key, { "0", 1, 0 }, &dm, "length" },
		{ key, { "00000000000000", 1, 0 }, &dm, "all-same" },
		{ key, { device, 0, 0 }, &dm, "range" },
		{ key, { device, 1, 0 }, &blank, "blank" },
		{ zero, { device, 1, 0 }, &dm, "all-zero" },
	};
	struct dmacc_credentials c, before;
	char devid[DMACC_DEVID_SIZE] = "before";
	size_t i;

	(void)state;
	memset(&c, 0x5a, sizeof(c));
	before = c;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dmacc_reason reason;

		assert_int_equal(dmacc_credentials_for(cases[i].key, &cases[i].device, cases[i].server,
						       0, devid, &c, &reason), -EINVAL);
		assert_string_equal(reason.word, cases[i].word);
		assert_int_equal(dmacc_credentials_for(cases[i].key, &cases[i].device, cases[i].server,
						       0, NULL, &c, NULL), -EINVAL);
	}
	assert_memory_equal(&c, &before, sizeof(c));
	assert_string_equal(devid, "before");
}

static void key_ids_are_the_published_ones(void **state)
{
	struct dmacc_deriver *d = new_deriver();
	char key_id[DMACC_KEY_ID_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < DMACC_VECTORS_KEY_ID_COUNT; i++) {
		const struct dmacc_vector_key_id *v = &dmacc_vectors_key_id[i];

		assert_int_equal(dmacc_deriver_set_vendor_key(d, v->kv), 0);
		assert_int_equal(dmacc_deriver_key_id(d, v->key_version, key_id), 0);
		assert_string_equal(key_id, v->key_id);
	}
	dmacc_deriver_free(d);
}

static void without_the_flag_nonces_stay_zero(void **state)
{
	static const uint8_t zero[DMACC_NONCE_SIZE];
	struct dmacc_deriver *d = new_deriver();
	struct dmacc_credentials c;
	uint8_t kd[DMACC_KEY_SIZE] = { 1 };

	(void)state;
	assert_int_equal(dmacc_deriver_credentials(d, kd, device, &dm, 0, 0, &c), 0);
	assert_memory_equal(c.server_nonce, zero, sizeof(zero));
	assert_memory_equal(c.client_nonce, zero, sizeof(zero));
	dmacc_deriver_free(d);
}

static void what_is_refused_writes_nothing(void **state)
{
	const struct dmacc_server blank = { DMACC_ELEMENT_SERVER_ID, "a b", 3 };
	struct dmacc_credentials c, before;
	struct dmacc_deriver *d = new_deriver();
	uint8_t kd[DMACC_KEY_SIZE] = { 1 };

	(void)state;
	memset(&c, 0x5a, sizeof(c));
	before = c;
	assert_int_equal(dmacc_deriver_credentials(d, kd, device, &blank, 0, 0, &c), -EINVAL);
	assert_int_equal(dmacc_deriver_credentials(d, kd, "0", &dm, 0, 0, &c), -EINVAL);
	assert_int_equal(dmacc_deriver_credentials(d, kd, "imei:490154203237518", &dm, 0, 0, &c),
			 -EINVAL);
	assert_memory_equal(&c, &before, sizeof(c));
	dmacc_deriver_free(d);
}

static void vendor_keys_are_accepted_and_refused_as_published(void **state)
{
	struct dmacc_deriver *d = new_deriver();
	uint8_t key[DMACC_KEY_SIZE];
	size_t i, n;

	(void)state;
	for (i = 0; i < DMACC_VECTORS_VENDOR_KEY_COUNT; i++) {
		const struct dmacc_vector_vendor_key *v = &dmacc_vectors_vendor_key[i];
		int wanted = v->reason ? -EINVAL : 0;
		char text[2 * 64 + 1] = "";

		for (n = 0; n < v->kv_len; n++)
			sprintf(text + 2 * n, "%02x", v->kv[n]);
		assert_int_equal(dmacc_key_parse(text, 2 * v->kv_len, key, NULL), wanted);
		if (v->kv_len == DMACC_KEY_SIZE)
			assert_int_equal(dmacc_deriver_set_vendor_key(d, v->kv), wanted);
	}
	dmacc_deriver_free(d);
}

static void vendor_key_and_versions_are_judged(void **state)
{
	static const uint8_t zero[DMACC_KEY_SIZE], good[DMACC_KEY_SIZE] = { 7 };
	struct dmacc_deriver *d = new_deriver();
	char key_id[DMACC_KEY_ID_SIZE], again[DMACC_KEY_ID_SIZE];
	uint8_t kd[DMACC_KEY_SIZE];

	(void)state;
	assert_int_equal(dmacc_deriver_key_id(d, 1, key_id), -ENOKEY);
	assert_int_equal(dmacc_deriver_device_key(d, device, 1, kd), -ENOKEY);
	assert_int_equal(dmacc_deriver_set_vendor_key(d, zero), -EINVAL);
	assert_int_equal(dmacc_deriver_key_id(d, 1, key_id), -ENOKEY);
	assert_int_equal(dmacc_deriver_set_vendor_key(d, good), 0);
	assert_int_equal(dmacc_deriver_key_id(d, 1, key_id), 0);
	assert_int_equal(dmacc_deriver_key_id(d, 0, again), -EINVAL);
	assert_int_equal(dmacc_deriver_device_key(d, device, 0, kd), -EINVAL);
	/* a refused key leaves the one before it in place */
	assert_int_equal(dmacc_deriver_set_vendor_key(d, zero), -EINVAL);
	assert_int_equal(dmacc_deriver_key_id(d, 1, again), 0);
	assert_string_equal(key_id, again);
	dmacc_deriver_free(d);
}

/* A vendor key that is elsewhere; @error in place of an answer once @left is used up */
struct elsewhere {
	const uint8_t *key;
	int left;
	int error;
};

static int hmac_elsewhere(void *data, const uint8_t *message, size_t len, uint8_t ret_mac[32])
{
	struct elsewhere *e = data;
	size_t n;

	if (!e->left--)
		return e->error;
	return EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, e->key, DMACC_KEY_SIZE, message, len,
			 ret_mac, 32, &n) ? 0 : -ENOMEM;
}

static void a_vendor_key_elsewhere_computes_the_same(void **state)
{
	const struct dmacc_vector_key_id *id = &dmacc_vectors_key_id[0];
	const struct dmacc_vector_credentials *v = &dmacc_vectors_credentials[0];
	struct elsewhere e = { id->kv, -1, 0 };
	struct dmacc_deriver *d = new_deriver();
	char key_id[DMACC_KEY_ID_SIZE];
	uint8_t kd[DMACC_KEY_SIZE];

	(void)state;
	assert_int_equal(dmacc_deriver_set_vendor_hmac(d, hmac_elsewhere, &e), 0);
	assert_int_equal(dmacc_deriver_key_id(d, id->key_version, key_id), 0);
	assert_string_equal(key_id, id->key_id);
	e.key = v->kv;
	assert_int_equal(dmacc_deriver_device_key(d, v->devid, v->key_version, kd), 0);
	assert_memory_equal(kd, v->kd, sizeof(kd));
	dmacc_deriver_free(d);
}

static void a_vendor_key_elsewhere_may_fail_or_be_all_zero(void **state)
{
	static const uint8_t zero[DMACC_KEY_SIZE], one[DMACC_KEY_SIZE] = { 1 };
	struct elsewhere all_zero = { zero, -1, 0 }, gone = { one, 0, -EIO }, later = { one, 1, -EIO };
	struct dmacc_deriver *d = new_deriver();
	uint8_t kd[DMACC_KEY_SIZE] = { 0x5a };

	(void)state;
	assert_int_equal(dmacc_deriver_set_vendor_hmac(d, hmac_elsewhere, &all_zero), -EINVAL);
	assert_int_equal(dmacc_deriver_set_vendor_hmac(d, hmac_elsewhere, &gone), -EIO);
	assert_int_equal(dmacc_deriver_device_key(d, device, 1, kd), -ENOKEY);
	assert_int_equal(dmacc_deriver_set_vendor_hmac(d, hmac_elsewhere, &later), 0);
	assert_int_equal(dmacc_deriver_device_key(d, device, 1, kd), -EIO);
	assert_int_equal(kd[0], 0x5a);
	dmacc_deriver_free(d);
}

static void freeing_nothing_is_fine(void **state)
{
	(void)state;
	assert_null(dmacc_deriver_free(NULL));
}

/* A file with this text and mode, open for reading; gone from its folder already */
static int key_file(const char *text, mode_t mode)
{
	char path[] = "/tmp/dmacc-key-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	unlink(path);
	return fd;
}

#define DIGITS63 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1"
#define ZEROS64 "0000000000000000000000000000000000000000000000000000000000000000"

static void key_files_are_judged_with_a_sentence(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		int error;
		const char *sentence;
	} cases[] = {
		{ DIGITS63 "f", 0600, 0, NULL },
		{ DIGITS63 "F\n", 0400, 0, NULL },
		{ DIGITS63, 0600, -EINVAL, "64 hexadecimal digits" },
		{ DIGITS63 "\n", 0600, -EINVAL, "64 hexadecimal digits" },
		{ "", 0600, -EINVAL, "64 hexadecimal digits" },
		/* 31 bytes */
		{ "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", 0600, -EINVAL,
		  "64 hexadecimal digits" },
		{ DIGITS63 "ff", 0600, -EINVAL, "64 hexadecimal digits" },
		{ DIGITS63 "f\n\n", 0600, -EINVAL, "64 hexadecimal digits" },
		{ DIGITS63 "f\nmore text behind it", 0600, -EINVAL, "64 hexadecimal digits" },
		{ DIGITS63 "f\r\n", 0600, -EINVAL, "carriage return" },
		{ DIGITS63 "g", 0600, -EINVAL, "no hexadecimal digit" },
		{ ZEROS64, 0600, -EINVAL, "all zero" },
		{ DIGITS63 "f", 0640, -EACCES, "chmod 600" },
		{ DIGITS63 "f", 0604, -EACCES, "chmod 600" },
	};
	uint8_t key[DMACC_KEY_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *sentence = NULL;
		int fd = key_file(cases[i].text, cases[i].mode);

		memset(key, 0x5a, sizeof(key));
		assert_int_equal(dmacc_key_read(fd, key, &sentence), cases[i].error);
		if (cases[i].error) {
			assert_non_null(strstr(sentence, cases[i].sentence));
			assert_int_equal(key[0], 0x5a);
		} else {
			assert_int_equal(key[31], 0x1f);
		}
		close(fd);
	}
}

static void a_folder_is_no_key_file(void **state)
{
	const char *sentence;
	uint8_t key[DMACC_KEY_SIZE];
	int fd = open("/", O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_int_equal(dmacc_key_read(fd, key, &sentence), -EISDIR);
	close(fd);
}

static void a_key_comes_through_a_pipe(void **state)
{
	uint8_t key[DMACC_KEY_SIZE];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], DIGITS63 "f\n", 65), 65);
	close(fds[1]);
	assert_int_equal(dmacc_key_read(fds[0], key, NULL), 0);
	close(fds[0]);
}

static void a_key_comes_as_text(void **state)
{
	uint8_t key[DMACC_KEY_SIZE] = { 0x5a };
	const char *sentence = NULL;

	(void)state;
	assert_int_equal(dmacc_key_parse(DIGITS63, 63, key, &sentence), -EINVAL);
	assert_non_null(strstr(sentence, "64 hexadecimal digits"));
	assert_int_equal(key[0], 0x5a);
	assert_int_equal(dmacc_key_parse(DIGITS63 "f\n", 65, key, NULL), 0);
	assert_int_equal(key[31], 0x1f);
}

static void legacy_profiles_have_the_published_values(void **state)
{
	const struct dmacc_server ibm = { DMACC_ELEMENT_SERVER_ID, "ibm", 3 };
	const struct dmacc_server motorola = { DMACC_ELEMENT_SERVER_ID, "motorola", 8 };
	struct dmacc_credentials c;

	(void)state;
	assert_int_equal(dmacc_legacy_credentials(DMACC_LEGACY_FCS11384, "IMEI:354358001352586", &ibm,
						  &c, NULL), 0);
	assert_string_equal(c.server_pw, "EtYTmcmXUPjteHV8i+4f1g==");
	assert_string_equal(c.client_pw, "6DEU6GduEznJfqD08puMyA==");
	assert_string_equal(c.user_name, "LXgpyGcdtADjNX9EsgBwpg==");
	assert_memory_equal(c.server_nonce, "14YJ55NI65RS25WA", DMACC_NONCE_SIZE);
	assert_int_equal(dmacc_legacy_credentials(DMACC_LEGACY_FCS14345, "IMEI:000000011234564",
						  &motorola, &c, NULL), 0);
	assert_string_equal(c.client_pw, "e068o0d4000ns003");
	assert_string_equal(c.server_pw, "4068o0f7100ns02f");
	assert_string_equal(c.user_name, "000000011234564");
}

static void unkeyed_profiles_meet_every_vector(void **state)
{
	static const uint8_t none[DMACC_NONCE_SIZE];
	struct dmacc_credentials c;
	size_t i;

	(void)state;
	for (i = 0; i < DMACC_VECTORS_UNKEYED_COUNT; i++) {
		const struct dmacc_vector_unkeyed *v = &dmacc_vectors_unkeyed[i];
		const struct dmacc_server server = {
			DMACC_ELEMENT_SERVER_ID, v->server, v->server_len,
		};

		memset(&c, 0x5a, sizeof(c));
		assert_int_equal(dmacc_legacy_credentials(dmacc_legacy_named(v->profile), v->devid,
							  &server, &c, NULL), 0);
		assert_string_equal(c.user_name, v->user_name);
		assert_string_equal(c.server_pw, v->server_pw);
		assert_string_equal(c.client_pw, v->client_pw);
		assert_memory_equal(c.server_nonce, v->server_nonce ? v->server_nonce : none,
				    DMACC_NONCE_SIZE);
		assert_memory_equal(c.client_nonce, v->client_nonce ? v->client_nonce : none,
				    DMACC_NONCE_SIZE);
	}
}

/* An unkeyed profile says why in a sentence; of what no profile takes it is that of the reader */
static void check_unkeyed_sentence(const struct dmacc_vector_unkeyed_refused *v,
				   const struct dmacc_server *server, const char *sentence)
{
	struct dmacc_reason reason = { "profile", NULL };

	if (!dmacc_legacy_named(v->profile))
		reason.sentence = "no such unkeyed profile";
	else if (!dmacc_identifier_check(v->devid, &reason))
		dmacc_server_valid(server, &reason);
	assert_string_equal(reason.word, v->reason);
	if (reason.sentence)
		assert_string_equal(sentence, reason.sentence);
}

static void unkeyed_profiles_refuse_every_vector_that_says_so(void **state)
{
	struct dmacc_credentials c, before;
	size_t i;

	(void)state;
	memset(&c, 0x5a, sizeof(c));
	before = c;
	for (i = 0; i < DMACC_VECTORS_UNKEYED_REFUSED_COUNT; i++) {
		const struct dmacc_vector_unkeyed_refused *v = &dmacc_vectors_unkeyed_refused[i];
		const struct dmacc_server server = { v->kind, v->server, v->server_len };
		const char *sentence = NULL;

		assert_int_equal(dmacc_legacy_credentials(dmacc_legacy_named(v->profile), v->devid,
							  &server, &c, &sentence), -EINVAL);
		assert_non_null(sentence);
		check_unkeyed_sentence(v, &server, sentence);
	}
	assert_memory_equal(&c, &before, sizeof(c));
}

static void unkeyed_profiles_are_known_by_name_only(void **state)
{
	const struct dmacc_server ibm = { DMACC_ELEMENT_SERVER_ID, "ibm", 3 };
	struct dmacc_credentials c;
	const char *sentence;

	(void)state;
	assert_int_equal(dmacc_legacy_named("fcs11384"), DMACC_LEGACY_FCS11384);
	assert_int_equal(dmacc_legacy_named("fcs11384-device"), DMACC_LEGACY_FCS11384_DEVICE);
	assert_int_equal(dmacc_legacy_named("fcs14345"), DMACC_LEGACY_FCS14345);
	assert_int_equal(dmacc_legacy_named("dmacc-1"), 0);
	assert_int_equal(dmacc_legacy_named(""), 0);
	assert_int_equal(dmacc_legacy_credentials(0, device, &ibm, &c, &sentence), -EINVAL);
	assert_int_equal(dmacc_legacy_credentials(4, device, &ibm, &c, &sentence), -EINVAL);
	assert_string_equal(sentence, "no such unkeyed profile");
}

/* Moves a shuffled character back to where it came from, as anybody can */
static void unshuffle(char *text, size_t len)
{
	size_t round, i;

	for (round = 0; round < 3; round++)
		for (i = len; i-- > len / 2;) {
			char moved = text[len - 1 - i];

			memmove(text + len - 1 - i, text + len - i, 2 * i + 1 - len);
			text[i] = moved;
		}
}

static void an_fcs14345_password_gives_the_imei_away(void **state)
{
	static const struct dmacc_server servers[] = {
		{ DMACC_ELEMENT_SERVER_ID, "motorola", 8 },
		{ DMACC_ELEMENT_SERVER_ID, "com.example.dm", 14 },
	};
	struct dmacc_credentials c;
	char imei[16];
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(dmacc_legacy_credentials(DMACC_LEGACY_FCS14345, device, &servers[i],
							  &c, NULL), 0);
		unshuffle(c.client_pw, 16);
		snprintf(imei, sizeof(imei), "%015llu", strtoull(c.client_pw + 6, NULL, 36));
		assert_string_equal(imei, device + 5);
		unshuffle(c.server_pw, 16);
		assert_string_equal(c.server_pw + 6, c.client_pw + 6);
	}
}

static void six_digits_of_an_fcs14345_password_depend_on_the_server(void **state)
{
	char first[17] = "", id[8];
	struct dmacc_credentials c;
	int i, differing = 0;

	(void)state;
	for (i = 0; i < 500; i++) {
		const struct dmacc_server server = {
			DMACC_ELEMENT_SERVER_ID, id, (size_t)snprintf(id, sizeof(id), "s%d", i),
		};

		assert_int_equal(dmacc_legacy_credentials(DMACC_LEGACY_FCS14345, device, &server, &c,
							  NULL), 0);
		unshuffle(c.client_pw, 16);
		if (!i)
			strcpy(first, c.client_pw);
		assert_int_equal(strspn(c.client_pw, "0123456789abcdef") >= 6, 1);
		assert_string_equal(c.client_pw + 6, first + 6);
		differing += strcmp(c.client_pw, first) != 0;
	}
	assert_true(differing > 490);
}

static void refused_derivations_are_refused(void **state)
{
	struct dmacc_deriver *d = new_deriver();
	uint8_t kd[DMACC_KEY_SIZE];
	struct dmacc_credentials c;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < DMACC_VECTORS_CREDENTIALS_REFUSED_COUNT; i++) {
		const struct dmacc_vector_credentials_refused *v = &dmacc_vectors_credentials_refused[i];
		const struct dmacc_server server = { v->kind, v->server, v->server_len };

		assert_int_equal(dmacc_deriver_set_vendor_key(d, v->kv), 0);
		r = dmacc_deriver_device_key(d, v->devid, v->key_version, kd);
		if (!r)
			r = dmacc_deriver_credentials(d, kd, v->devid, &server, v->generation, 0, &c);
		assert_int_equal(r, -EINVAL);
	}
	dmacc_deriver_free(d);
}

static void legacy_profiles_refuse_what_they_cannot_do(void **state)
{
	const struct dmacc_server colon = { DMACC_ELEMENT_SERVER_ID, "a:b", 3 };
	const struct dmacc_server addr = { DMACC_ELEMENT_ADDR, "http://x/", 9 };
	struct dmacc_credentials c;
	const char *sentence;

	(void)state;
	assert_int_equal(dmacc_legacy_credentials(DMACC_LEGACY_FCS14345, "MEID:A0000000002329", &dm,
						  &c, &sentence), -EINVAL);
	assert_non_null(strstr(sentence, "IMEI"));
	assert_int_equal(dmacc_legacy_credentials(DMACC_LEGACY_FCS11384, device, &colon, &c,
						  &sentence), -EINVAL);
	assert_non_null(strstr(sentence, "':'"));
	assert_int_equal(dmacc_legacy_credentials(DMACC_LEGACY_FCS11384, device, &addr, &c,
						  &sentence), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_deriver_computes_every_published_credential),
		cmocka_unit_test(one_call_for_one_device_computes_the_same),
		cmocka_unit_test(the_flags_of_one_call_do_not_mix),
		cmocka_unit_test(one_call_says_what_was_refused_and_writes_nothing),
		cmocka_unit_test(key_ids_are_the_published_ones),
		cmocka_unit_test(without_the_flag_nonces_stay_zero),
		cmocka_unit_test(what_is_refused_writes_nothing),
		cmocka_unit_test(vendor_keys_are_accepted_and_refused_as_published),
		cmocka_unit_test(vendor_key_and_versions_are_judged),
		cmocka_unit_test(a_vendor_key_elsewhere_computes_the_same),
		cmocka_unit_test(a_vendor_key_elsewhere_may_fail_or_be_all_zero),
		cmocka_unit_test(freeing_nothing_is_fine),
		cmocka_unit_test(key_files_are_judged_with_a_sentence),
		cmocka_unit_test(a_folder_is_no_key_file),
		cmocka_unit_test(a_key_comes_through_a_pipe),
		cmocka_unit_test(a_key_comes_as_text),
		cmocka_unit_test(legacy_profiles_have_the_published_values),
		cmocka_unit_test(legacy_profiles_refuse_what_they_cannot_do),
		cmocka_unit_test(unkeyed_profiles_meet_every_vector),
		cmocka_unit_test(unkeyed_profiles_refuse_every_vector_that_says_so),
		cmocka_unit_test(unkeyed_profiles_are_known_by_name_only),
		cmocka_unit_test(an_fcs14345_password_gives_the_imei_away),
		cmocka_unit_test(six_digits_of_an_fcs14345_password_depend_on_the_server),
		cmocka_unit_test(refused_derivations_are_refused),
	};

	return cmocka_run_group_tests_name("libdmacc", tests, NULL, NULL);
}
