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
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linux/dmacc.h"

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
};

static const char *const commands[] = {
	"", "get-status", "open-root", "seal-key", "load-key", "forget-key", "lock", "get-identity",
	"set-identity", "derive", "store-key",
};

static union {
	struct nlmsghdr header;
	char bytes[8192];
} message;

static void die(const char *what)
{
	fprintf(stderr, "nlprobe: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void begin(int type, int cmd, int version)
{
	struct genlmsghdr *genl = NLMSG_DATA(&message.header);

	memset(&message, 0, sizeof(message));
	message.header.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	message.header.nlmsg_type = (unsigned short)type;
	message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	genl->cmd = (unsigned char)cmd;
	genl->version = (unsigned char)version;
}

static void put(int attr, const void *data, size_t len)
{
	struct nlattr *nla = (void *)(message.bytes + NLMSG_ALIGN(message.header.nlmsg_len));

	nla->nla_type = (unsigned short)attr;
	nla->nla_len = (unsigned short)(NLA_HDRLEN + len);
	memcpy((char *)nla + NLA_HDRLEN, data, len);
	message.header.nlmsg_len = NLMSG_ALIGN(message.header.nlmsg_len) + NLA_ALIGN(nla->nla_len);
}

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
	unsigned int number = (unsigned int)strtoul(text, NULL, 10);
	FILE *file;
	size_t n;

	if (*text == '@') {
		file = fopen(text + 1, "r");
		if (!file)
			die(text + 1);
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
		put(i, data, len);
		return;
	}
	errno = EINVAL;
	die(argument);
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

static void print_error(const struct nlmsghdr *reply, const struct nlmsgerr *error)
{
	size_t at = NLMSG_HDRLEN + sizeof(*error), end = reply->nlmsg_len;
	const char *sentence = "(no sentence)";

	if (!(reply->nlmsg_flags & NLM_F_CAPPED))
		at += error->msg.nlmsg_len - NLMSG_HDRLEN;
	while (reply->nlmsg_flags & NLM_F_ACK_TLVS && at + NLA_HDRLEN <= end) {
		const struct nlattr *nla = (const void *)((const char *)reply + at);

		if (nla->nla_type == NLMSGERR_ATTR_MSG)
			sentence = (const char *)nla + NLA_HDRLEN;
		at += NLA_ALIGN(nla->nla_len);
	}
	printf("error %d: %s\n", -error->error, sentence);
	exit(1);
}

/* Sends the message, prints the reply's attributes unless @quiet; returns the family id if asked for */
static int talk(int fd, int quiet)
{
	static union {
		struct nlmsghdr header;
		char bytes[16384];
	} reply;
	int family = 0;
	ssize_t n;

	if (send(fd, &message, message.header.nlmsg_len, 0) < 0)
		die("send");
	while ((n = recv(fd, &reply, sizeof(reply), 0)) > 0) {
		const struct nlattr *nla = (void *)(reply.bytes + NLMSG_LENGTH(GENL_HDRLEN));

		if (reply.header.nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *error = NLMSG_DATA(&reply.header);

			if (error->error)
				print_error(&reply.header, error);
			return family;
		}
		while ((const char *)nla < reply.bytes + n) {
			if (quiet && nla->nla_type == CTRL_ATTR_FAMILY_ID)
				family = *(const unsigned short *)(nla + 1);
			else if (!quiet)
				print_attr(nla);
			nla = (const void *)((const char *)nla + NLA_ALIGN(nla->nla_len));
		}
	}
	die("recv");
	return 0;
}

static int open_socket(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), one = 1;
	struct timeval patience = { 20, 0 };

	if (fd < 0 || setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		die("socket");
	return fd;
}

static int find_command(const char *name)
{
	size_t i;

	for (i = 1; name && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(name, commands[i]))
			return (int)i;
	errno = EINVAL;
	die(name ? name : "no command");
	return 0;
}

static char **take_options(char **argv)
{
	for (argv++; *argv && !strncmp(*argv, "--", 2); argv++) {
		if (!strcmp(*argv, "--userns") && unshare(CLONE_NEWUSER | CLONE_NEWNET))
			die("unshare");
		if (!strcmp(*argv, "--uid") && argv[1]) {
			uid_t uid = (uid_t)strtoul(*++argv, NULL, 10);

			if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
				die("setresuid");
		}
	}
	return argv;
}

int main(int argc, char **argv)
{
	char **arguments = take_options(argv);
	int fd = open_socket(), command, family;

	(void)argc;
	command = find_command(arguments[0]);
	begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	put(CTRL_ATTR_FAMILY_NAME, DMACC_FAMILY_NAME, sizeof(DMACC_FAMILY_NAME));
	family = talk(fd, 1);
	begin(family, command, DMACC_FAMILY_VERSION);
	for (arguments++; *arguments; arguments++)
		put_argument(*arguments);
	talk(fd, 0);
	return 0;
}
