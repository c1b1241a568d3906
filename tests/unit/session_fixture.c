// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"
#include "session_fixture.h"

#define DIED 77		/* faults.c */

const uint8_t initial_client_nonce[16] = {
	0xa6, 0x70, 0xdd, 0x9b, 0x40, 0x67, 0x12, 0x6d,
	0x1a, 0xdd, 0xb0, 0xbc, 0xa2, 0x09, 0xf2, 0x8a,
};

struct complaint complaint;

struct bytes bytes(const void *raw, size_t len)
{
	struct bytes b = { .len = len };

	assert_true(len < sizeof(b.of));
	memcpy(b.of, raw, len);
	return b;
}

void begin(struct fixture *f, const char *conf)
{
	write_file(f->usr, "op.conf", conf);
	start(f);
}

struct session *open_session(struct fixture *f)
{
	struct session *s;

	assert_int_equal(session_open(&f->agent, "op", ":1.5", false, &s, &complaint), 0);
	return s;
}

void assert_refused(int r, enum refusal_kind kind, const char *words)
{
	assert_int_equal(r, -EPERM);
	if (complaint.kind != kind || !strstr(complaint.sentence, words))
		fail_msg("%d: %s", complaint.kind, complaint.sentence);
	assert_null(strstr(complaint.sentence, SERVER_PW));
	assert_null(strstr(complaint.sentence, CLIENT_PW));
	complaint = (struct complaint){ 0 };
}

const char *credential(struct session *s, const char *type)
{
	static char text[256];
	const char *used;
	char *data;
	int r;

	r = session_client_credential(s, type, BODY, strlen(BODY), &used, &data, &complaint);
	if (r)
		fail_msg("%d: %s", r, complaint.sentence);
	if (type[0])
		assert_string_equal(used, type);
	snprintf(text, sizeof(text), "%s", data);
	free(data);
	return text;
}

const char *digest(const char *name, const char *password, struct bytes nonce)
{
	static char text[DMACC_DIGEST_TEXT_SIZE];
	const struct dmacc_login login = { name, password, nonce.of, nonce.len };

	assert_int_equal(dmacc_auth_md5(&login, text), 0);
	return text;
}

const char *mac_header(const char *name, const char *password, struct bytes nonce)
{
	static char text[256];
	const struct dmacc_login login = { name, password, nonce.of, nonce.len };
	char body[DMACC_DIGEST_TEXT_SIZE], mac[DMACC_DIGEST_TEXT_SIZE], *header;

	assert_int_equal(dmacc_auth_body(BODY, strlen(BODY), body), 0);
	assert_int_equal(dmacc_auth_mac(&login, body, mac), 0);
	assert_int_equal(dmacc_mac_header_write(name, mac, &header), 0);
	snprintf(text, sizeof(text), "%s", header);
	free(header);
	return text;
}

struct bytes stored_nonce(struct fixture *f, const char *key)
{
	struct record *record = stored_record(f, "op");
	const void *raw;
	struct bytes b;
	size_t len;

	raw = record_get(record, RECORD_STATE, key, &len);
	assert_non_null(raw);
	b = bytes(raw, len);
	record_free(record);
	return b;
}

bool stored_has(struct fixture *f, enum record_source source, const char *key)
{
	struct record *record = stored_record(f, "op");
	size_t len;
	bool has = record_get(record, source, key, &len);

	record_free(record);
	return has;
}

void assert_stored(struct fixture *f, const char *key, struct bytes wanted, bool is)
{
	struct bytes found = stored_nonce(f, key);

	if (is) {
		assert_int_equal(found.len, wanted.len);
		assert_memory_equal(found.of, wanted.of, wanted.len);
	} else {
		assert_memory_not_equal(found.of, wanted.of, wanted.len);
	}
}

int answer(struct session *s, const char *password, struct bytes nonce)
{
	return session_verify_server(s, MD5, digest(SERVER_ID, password, nonce), NULL, 0,
				     &complaint);
}

void challenge(struct session *s, const char *nonce)
{
	if (session_challenged(s, MD5, nonce, strlen(nonce), &complaint))
		fail_msg("%s", complaint.sentence);
}

struct bytes server_nonce(struct session *s)
{
	uint8_t raw[DMACC_NONCE_SIZE];

	assert_int_equal(session_server_nonce(s, raw, &complaint), 0);
	return bytes(raw, sizeof(raw));
}

void whole_session(struct fixture *f, const char *client_pw, const char *server_pw)
{
	struct session *s = open_session(f);

	challenge(s, "from the server");
	assert_string_equal(credential(s, MD5), digest(USER_NAME, client_pw,
						       bytes("from the server", 15)));
	if (answer(s, server_pw, server_nonce(s)))
		fail_msg("%s", complaint.sentence);
	assert_int_equal(session_accepted(s, "the next one", 12, &complaint), 0);
	(void)server_nonce(s);
	assert_int_equal(session_commit(s, false, &complaint), 0);
	session_close(s);
}

void begin_anew(struct fixture *f)
{
	char path[256];

	stop(f);
	store_path(f, "op", path);
	(void)unlink(path);
	store_path(f, "op.prev", path);
	(void)unlink(path);
	begin(f, CONF);
}

void new_account(struct fixture *f)
{
	begin_anew(f);
	(void)open_session(f);
}

int first_credential(struct fixture *f)
{
	const char *type;
	char *data;
	int r;

	r = session_client_credential(session_find(&f->agent, "op"), "", NULL, 0, &type, &data,
				      &complaint);
	if (!r)
		free(data);
	return r;
}

/* Returns whether it was done; the process that tried may be dead now */
static bool try_step(struct fixture *f, int (*step)(struct fixture *f), enum fault fault, int at)
{
	int status;
	pid_t pid;

	if (fault == FAULT_FAIL) {
		faults_arm(fault, at);
		status = step(f);
		faults_arm(FAULT_NONE, 0);
		assert_true(!status || (status == -EPERM && complaint.kind == REFUSAL_UNWRITTEN));
		return !status;
	}
	pid = fork();
	if (!pid) {
		faults_arm(fault, at);
		_exit(step(f) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && (!WEXITSTATUS(status) || WEXITSTATUS(status) == DIED));
	return !WEXITSTATUS(status);
}

/* How many calls there are that can go wrong */
static int count_calls(struct fixture *f, void (*prepare)(struct fixture *f),
		       int (*step)(struct fixture *f))
{
	int n;

	prepare(f);
	faults_arm(FAULT_NONE, 0);
	assert_int_equal(step(f), 0);
	n = faults_count();
	assert_true(n > 4);
	return n;
}

void with_each_fault(struct fixture *f, void (*prepare)(struct fixture *f),
		     int (*step)(struct fixture *f), void (*check)(struct fixture *f, bool done))
{
	static const enum fault faults[] = { FAULT_FAIL, FAULT_DIE };
	int n = count_calls(f, prepare, step), at;
	bool done;
	size_t i;

	for (i = 0; i < 2; i++)
		for (at = 1; at <= n + 1; at++) {
			prepare(f);
			done = try_step(f, step, faults[i], at);
			assert_true(done || at <= n);
			start(f);
			check(f, done);
		}
}
