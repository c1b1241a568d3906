// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dm-session: what a DM client has to do with its account, between its XML and its HTTP.
 *
 *     dm-session [--tls] [ACCOUNT]
 *
 * Without ACCOUNT it lists those that are ready. With one it opens a session and reads what happens,
 * a line for each event, from stdin; nonces and values are base64, as they are in the messages:
 *
 *     send [TYPE]              a message is to go out: which credential?    cred TYPE DATA
 *     challenge TYPE NONCE     the server's Status was 401 or 407           ok
 *     accepted [NONCE]         it was 212 or 200, with or without a Chal    ok
 *     server TYPE DATA         the server's own credential came             ok
 *     replace URI FORMAT VALUE and a Replace of an account's node           ok
 *     chal                     a message with a Chal is to go out           nonce NONCE
 *     get URI                  what does the account say?                   value FORMAT VALUE
 *
 * What is printed for each is on the right, or "error" and a sentence. At the end of stdin the
 * session is committed, and so it is before each "chal" is answered: a nonce is on the disk before
 * anybody hears of it.
 *
 *     cc dm-session.c $(pkg-config --cflags --libs libdmacc-client libcrypto)
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmacc/dmacc-client.h>

#define LINE_SIZE 2048
#define WORDS 4

static struct dmacc_client *client;
static struct dmacc_session *session;
static const char *account;

static int say(int r)
{
	if (r)
		printf("error %s\n", dmacc_client_error(client));
	else
		printf("ok\n");
	return r;
}

/* Raw bytes of base64, in its place; their number, or -1 */
static int decode(char *text)
{
	size_t len = strlen(text), padding = strspn(text + strcspn(text, "="), "=");
	unsigned char raw[LINE_SIZE];
	int n;

	n = len % 4 || padding > 2 ? -1 : EVP_DecodeBlock(raw, (unsigned char *)text, (int)len);
	if (n >= 0) {
		n -= (int)padding;
		memcpy(text, raw, (size_t)n);
	} else {
		printf("error that is no base64\n");
	}
	OPENSSL_cleanse(raw, sizeof(raw));
	return n;
}

static void print_base64(const char *before, const void *bytes, size_t len)
{
	unsigned char *text = malloc(len / 3 * 4 + 5);

	if (!text)
		return;
	EVP_EncodeBlock(text, bytes, (int)len);
	printf("%s%s\n", before, (char *)text);
	OPENSSL_cleanse(text, len / 3 * 4 + 5);
	free(text);
}

static int on_send(char *words[WORDS])
{
	char *type, *data;
	int r;

	/* with syncml:auth-MAC the message's body goes in here */
	r = dmacc_session_credential(session, words[1], NULL, 0, &type, &data);
	if (r)
		return say(r);
	printf("cred %s %s\n", type, data);
	OPENSSL_cleanse(data, strlen(data));
	free(data);
	free(type);
	return 0;
}

static int on_challenge(char *words[WORDS])
{
	int len = decode(words[2]);

	return len < 0 ? -EINVAL : say(dmacc_session_challenged(session, words[1], words[2],
								(size_t)len));
}

static int on_accepted(char *words[WORDS])
{
	int len = words[1] ? decode(words[1]) : 0;

	return len < 0 ? -EINVAL : say(dmacc_session_accepted(session, words[1], (size_t)len));
}

static int on_server(char *words[WORDS])
{
	return say(dmacc_session_verify_server(session, words[1], words[2], NULL, 0));
}

static int on_replace(char *words[WORDS])
{
	int len = decode(words[3]);

	return len < 0 ? -EINVAL : say(dmacc_session_replace(session, words[1], words[2], words[3],
							     (size_t)len));
}

static int on_chal(char *words[WORDS])
{
	uint8_t nonce[16];
	int r;

	(void)words;
	r = dmacc_session_server_nonce(session, nonce);
	if (!r)
		r = dmacc_session_commit(session, false);
	if (r)
		return say(r);
	print_base64("nonce ", nonce, sizeof(nonce));
	OPENSSL_cleanse(nonce, sizeof(nonce));
	return 0;
}

static int on_get(char *words[WORDS])
{
	char *format;
	void *value;
	size_t len;
	int r;

	r = dmacc_client_get(client, account, words[1], &format, &value, &len);
	if (r)
		return say(r);
	printf("value %s ", format);
	print_base64("", value, len);
	free(format);
	free(value);
	return 0;
}

static const struct {
	const char *word;
	size_t least;		/* words, this one included */
	int (*run)(char *words[WORDS]);
} events[] = {
	{ "send", 1, on_send },
	{ "challenge", 3, on_challenge },
	{ "accepted", 1, on_accepted },
	{ "server", 3, on_server },
	{ "replace", 4, on_replace },
	{ "chal", 1, on_chal },
	{ "get", 2, on_get },
};

static int on_line(char *line)
{
	char *words[WORDS + 1] = { NULL }, *rest = line;
	size_t count = 0, i;

	while (count < WORDS && (words[count] = strtok_r(rest, " \n", &rest)))
		count++;
	if (!count)
		return 0;
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (!strcmp(events[i].word, words[0]) && count >= events[i].least)
			return events[i].run(words);
	printf("error that is no event\n");
	return -EINVAL;
}

static int run_session(bool tls)
{
	char line[LINE_SIZE];
	int failed = 0, r;

	r = dmacc_session_open(client, account, tls, &session);
	if (r)
		return say(r);
	while (fgets(line, sizeof(line), stdin)) {
		if (on_line(line))
			failed = 1;
		fflush(stdout);
	}
	OPENSSL_cleanse(line, sizeof(line));
	r = dmacc_session_commit(session, false);
	if (r)
		say(r);
	session = dmacc_session_close(session);
	return r ? r : failed;
}

static int list_accounts(void)
{
	char **names;
	size_t i;
	int r;

	r = dmacc_client_accounts(client, true, &names);
	if (r)
		return say(r);
	for (i = 0; names[i]; i++)
		printf("%s\n", names[i]);
	free(names);
	return 0;
}

int main(int argc, char **argv)
{
	bool tls = argc > 1 && !strcmp(argv[1], "--tls");
	int r;

	if (argc > 2 + tls) {
		fprintf(stderr, "usage: dm-session [--tls] [ACCOUNT]\n");
		return 2;
	}
	account = argv[1 + tls];
	r = dmacc_client_new(&client);
	if (r) {
		fprintf(stderr, "dm-session: the system bus cannot be reached: %s\n", strerror(-r));
		return 2;
	}
	r = account ? run_session(tls) : list_accounts();
	dmacc_client_free(client);
	return r ? 1 : 0;
}
