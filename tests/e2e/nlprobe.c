// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * nlprobe [--uid N] [--userns] COMMAND [NAME=VALUE]...: one request of the family "dmacc", raw.
 *
 * It needs no library, so that it runs in an initramfs; and it says whatever it is told to, right or
 * wrong. Values: text for strings, a number for integers, hexadecimal digits for binary ones, @FILE
 * for the bytes of a file. Prints NAME=VALUE of the reply, or "error ERRNO: SENTENCE" and exits 1.
 * --uid drops to a user before the socket is made; --userns enters a user and network namespace of
 * its own first, where the process has every capability.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linux/dmacc.h"
#include "nl.h"

enum type { U8, U32, STRING, BINARY, NEST };

static const struct {
	const char *name;
	enum type type;
} attributes[DMACC_A_MAX + 1] = {
	[DMACC_A_MODULE_VERSION] = { "module-version", STRING },
	[DMACC_A_IDENTITY_SOURCE] = { "identity-source", U8 },
	[DMACC_A_DEVID] = { "devid", STRING },
	[DMACC_A_RUNG] = { "rung", U8 },
	[DMACC_A_ROOT_STATE] = { "root-state", U8 },
	[DMACC_A_ROOT_REASON] = { "root-reason", U8 },
	[DMACC_A_ROOT_ID] = { "root-id", BINARY },
	[DMACC_A_ROOT_BLOB] = { "root-blob", BINARY },
	[DMACC_A_MASTER] = { "master", BINARY },
	[DMACC_A_MASTER_SOURCE] = { "master-source", U8 },
	[DMACC_A_AGENT_UID] = { "agent-uid", U32 },
	[DMACC_A_LOCKED] = { "locked", U8 },
	[DMACC_A_SLOT_COUNT] = { "slot-count", U32 },
	[DMACC_A_SLOT] = { "slot", NEST },
	[DMACC_A_SLOT_NAME] = { "slot-name", STRING },
	[DMACC_A_SLOT_BLOB] = { "slot-blob", BINARY },
	[DMACC_A_DEVICE_KEY] = { "device-key", BINARY },
	[DMACC_A_KEY_ID] = { "key-id", BINARY },
	[DMACC_A_KEY_VERSION] = { "key-version", U32 },
	[DMACC_A_SERVER_KIND] = { "server-kind", U8 },
	[DMACC_A_SERVER] = { "server", STRING },
	[DMACC_A_GENERATION] = { "generation", U32 },
	[DMACC_A_USER_NAME] = { "user-name", STRING },
	[DMACC_A_SERVER_PW] = { "server-pw", STRING },
	[DMACC_A_CLIENT_PW] = { "client-pw", STRING },
	[DMACC_A_SERVER_NONCE] = { "server-nonce", BINARY },
	[DMACC_A_CLIENT_NONCE] = { "client-nonce", BINARY },
	[DMACC_A_STORE_KEY] = { "store-key", BINARY },
	[DMACC_A_EVENT] = { "event", U8 },
	[DMACC_A_TPM_PARENT] = { "tpm-parent", U32 },
	[DMACC_A_IDENTITY_CONFLICT] = { "identity-conflict", U8 },
	[DMACC_A_IDENTITY_PENDING] = { "identity-pending", U8 },
};

static const char *const commands[] = {
	"", "get-status", "open-root", "seal-key", "load-key", "forget-key", "lock", "get-identity",
	"set-identity", "derive", "store-key",
};

static size_t unhex(const char *text, unsigned char *out, size_t size)
{
	unsigned int byte;
	size_t n;

	for (n = 0; n < size && sscanf(text + 2 * n, "%2x", &byte) == 1; n++)
		out[n] = (unsigned char)byte;
	return n;
}

static size_t read_value(enum type type, const char *text, unsigned char *out, size_t size)
{
	unsigned int number = (unsigned int)strtoul(text, NULL, 0);
	FILE *file;
	size_t n;

	if (*text == '@') {
		file = fopen(text + 1, "r");
		if (!file)
			nl_die(text + 1);
		n = fread(out, 1, size, file);
		fclose(file);
		return n;
	}
	if (type == BINARY)
		return unhex(text, out, size);
	if (type == STRING) {
		snprintf((char *)out, size, "%s", text);
		return strlen(text);
	}
	memcpy(out, &number, sizeof(number));
	return type == U8 ? 1 : 4;
}

static void put_argument(char *argument)
{
	char *value = strchr(argument, '=');
	unsigned char data[4096];
	size_t len;
	int i;

	if (value)
		*value++ = '\0';
	for (i = 1; i <= DMACC_A_MAX; i++) {
		if (!value || strcmp(argument, attributes[i].name))
			continue;
		len = read_value(attributes[i].type, value, data, sizeof(data) - 1);
		if (attributes[i].type == STRING && i != DMACC_A_SERVER)
			data[len++] = '\0';
		nl_put(i, data, len);
		return;
	}
	errno = EINVAL;
	nl_die(argument);
}

static void print_attr(const struct nlattr *nla)
{
	const unsigned char *data = (const unsigned char *)nla + NLA_HDRLEN;
	int type = nla->nla_type & NLA_TYPE_MASK, len = nla->nla_len - NLA_HDRLEN, i;
	unsigned int number = 0;

	if (type > DMACC_A_MAX || !attributes[type].name)
		return;
	printf("%s=", attributes[type].name);
	if (attributes[type].type == STRING) {
		printf("%.*s", len, data);
	} else if (attributes[type].type == U8 || attributes[type].type == U32) {
		memcpy(&number, data, len < 4 ? (size_t)len : 4);
		printf("%u", number);
	} else {
		for (i = 0; i < len; i++)
			printf("%02x", data[i]);
	}
	printf("\n");
}

static int find_command(const char *name)
{
	size_t i;

	for (i = 1; name && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(name, commands[i]))
			return (int)i;
	errno = EINVAL;
	nl_die(name ? name : "no command");
}

static char **take_options(char **argv)
{
	for (argv++; *argv && !strncmp(*argv, "--", 2); argv++) {
		if (!strcmp(*argv, "--userns") && unshare(CLONE_NEWUSER | CLONE_NEWNET))
			nl_die("unshare");
		if (!strcmp(*argv, "--uid") && argv[1])
			nl_become((uid_t)strtoul(*++argv, NULL, 10));
	}
	return argv;
}

int main(int argc, char **argv)
{
	char **arguments = take_options(argv);
	int fd = nl_open(), command, err;
	const char *sentence;

	(void)argc;
	command = find_command(arguments[0]);
	nl_begin(nl_family(fd), command, DMACC_FAMILY_VERSION);
	for (arguments++; *arguments; arguments++)
		put_argument(*arguments);
	err = nl_talk(fd, print_attr, &sentence);
	if (err)
		printf("error %d: %s\n", err, sentence);
	return err ? 1 : 0;
}
