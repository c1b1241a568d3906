// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Calls libdmacc-client as it is told, a line of stdin for each call: words, "-" for NULL. Bytes are
 * hexadecimal. Prints for each a line, "0" and what was returned, or the errno's name and the sentence.
 * test_client_library.py compiles and runs it.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <dmacc/dmacc-client.h>

#define WORDS 6

static struct dmacc_client *client;
static struct dmacc_session *session;
static char *words[WORDS];

static int say(int r)
{
	if (r)
		printf("%s %s\n", strerrorname_np(-r), dmacc_client_error(client));
	else
		printf("0\n");
	return r;
}

static size_t unhex(char *text, unsigned char **ret)
{
	size_t n = 0;

	*ret = NULL;
	if (!text || !strcmp(text, "-"))
		return 0;
	*ret = malloc(strlen(text) / 2 + 1);
	for (; text[0] && text[1]; text += 2)
		(*ret)[n++] = (unsigned char)strtoul((char[]){ text[0], text[1], 0 }, NULL, 16);
	return n;
}

static char *word(size_t i)
{
	return words[i] && strcmp(words[i], "-") ? words[i] : NULL;
}

static void print_names(char **names)
{
	size_t i;

	printf("0");
	for (i = 0; names[i]; i++)
		printf(" %s", names[i]);
	printf("\n");
	free(names);
}

static void do_get(void)
{
	char *format;
	void *value;
	size_t len, i;

	if (say(dmacc_client_get(client, words[1], words[2], &format, &value, &len)))
		return;
	printf("%s ", format);
	for (i = 0; i < len; i++)
		printf("%02x", ((unsigned char *)value)[i]);
	printf(" %zu\n", strlen(value));
	free(format);
	free(value);
	/* what nobody wants need not be taken */
	if (dmacc_client_get(client, words[1], words[2], NULL, &value, NULL))
		abort();
	free(value);
}

static void do_credential(void)
{
	unsigned char *body;
	size_t len = unhex(words[2], &body);
	char *type, *data;
	int r;

	r = dmacc_session_credential(session, word(1), body, len, &type, &data);
	free(body);
	if (r) {
		say(r);
		return;
	}
	printf("0 %s %s\n", type, data);
	free(type);
	free(data);
}

static void do_secrets(void)
{
	char text[8192];
	ssize_t n;
	int fd;

	if (say(dmacc_session_secrets(session, words[1], &fd)))
		return;
	n = pread(fd, text, sizeof(text), 0);
	printf("%.*s\n", (int)n, text);
	close(fd);
}

static void do_notification(void)
{
	struct dmacc_session_notification n;
	unsigned char *message;
	size_t len = unhex(words[1], &message);
	int r;

	r = dmacc_session_verify_notification(session, message, len, &n);
	free(message);
	if (r)
		say(r);
	else
		printf("0 %u %u %d %u %s\n", n.version, n.ui_mode, n.server_initiated, n.session_id,
		       n.server_id);
}

static void on_changed(void *data, const char *account)
{
	(*(int *)data)++;
	printf("changed %s\n", account ? account : "all");
}

static int wait_for_one(void)
{
	struct pollfd fd = { 0 };
	struct timespec now;
	uint64_t timeout;
	int ms = 20000, r;

	r = dmacc_client_fd(client, &fd.fd, &fd.events, &timeout);
	if (r)
		return r;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (timeout <= (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000)
		ms = 0;
	if (!poll(&fd, 1, ms) && ms)
		return -ETIME;
	return dmacc_client_process(client);
}

/* The callback for changes, until so many have come */
static void do_watch(void)
{
	static int seen;
	int r = 0;

	if (!words[1]) {
		say(dmacc_client_set_changed(client, on_changed, &seen));
		return;
	}
	while (!r && seen < atoi(words[1]))
		r = wait_for_one();
	seen = 0;
	say(r);
}

static void do_nonce(void)
{
	uint8_t nonce[16];
	size_t i;

	if (say(dmacc_session_server_nonce(session, nonce)))
		return;
	for (i = 0; i < sizeof(nonce); i++)
		printf("%02x", nonce[i]);
	printf("\n");
}

static int with_bytes(void)
{
	unsigned char *a, *b;
	size_t n, m;
	int r;

	if (!strcmp(words[0], "accepted")) {
		n = unhex(words[1], &a);
		m = unhex(NULL, &b);
		r = dmacc_session_accepted(session, a, n);
	} else if (!strcmp(words[0], "challenged")) {
		n = unhex(words[2], &a);
		m = unhex(NULL, &b);
		r = dmacc_session_challenged(session, word(1), a, n);
	} else if (!strcmp(words[0], "replace")) {
		n = unhex(words[3], &a);
		m = unhex(NULL, &b);
		r = dmacc_session_replace(session, words[1], words[2], a, n);
	} else if (!strcmp(words[0], "verify")) {
		n = unhex(words[3], &a);
		m = unhex(NULL, &b);
		r = dmacc_session_verify_server(session, words[1], words[2], a, n);
	} else {
		n = unhex(words[1], &a);
		m = unhex(words[2], &b);
		r = dmacc_session_set_nonces(session, a, n, b, m);
	}
	free(a);
	free(b);
	return r;
}

static void do_list(void)
{
	char **names;
	int r;

	if (!strcmp(words[0], "list"))
		r = dmacc_client_list(client, words[1], words[2], &names);
	else
		r = dmacc_client_accounts(client, !strcmp(words[0], "ready"), &names);
	if (r)
		say(r);
	else
		print_names(names);
}

static void do_devid(void)
{
	char *devid;

	if (say(dmacc_client_devid(client, &devid)))
		return;
	printf("%s\n", devid);
	free(devid);
}

static void run(void)
{
	if (!strcmp(words[0], "devid"))
		do_devid();
	else if (!strcmp(words[0], "get"))
		do_get();
	else if (!strcmp(words[0], "list") || !strcmp(words[0], "accounts") ||
		 !strcmp(words[0], "ready"))
		do_list();
	else if (!strcmp(words[0], "open"))
		say(dmacc_session_open(client, words[1], words[2], &session));
	else if (!strcmp(words[0], "close"))
		session = dmacc_session_close(session);
	else if (!strcmp(words[0], "credential"))
		do_credential();
	else if (!strcmp(words[0], "secrets"))
		do_secrets();
	else if (!strcmp(words[0], "notification"))
		do_notification();
	else if (!strcmp(words[0], "watch"))
		do_watch();
	else if (!strcmp(words[0], "nonce"))
		do_nonce();
	else if (!strcmp(words[0], "commit"))
		say(dmacc_session_commit(session, words[1]));
	else
		say(with_bytes());
}

int main(void)
{
	char line[4096], *rest;
	size_t i;

	if (dmacc_client_new(&client))
		return 2;
	while (fgets(line, sizeof(line), stdin)) {
		rest = line;
		for (i = 0; i < WORDS; i++)
			words[i] = strtok_r(rest, " \n", &rest);
		run();
		fflush(stdout);
	}
	/* and with it a session that is still open */
	dmacc_client_free(client);
	return 0;
}
