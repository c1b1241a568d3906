// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * nlfuzz [--uid N] --seed N --count N: random and mutated requests of the family "dmacc"
 *
 * Every request must be answered, by whatever. Prints how many were, and with what; fails if none
 * was accepted or none refused, for then it would have tested little. It knows slot "fuzz" only, so
 * that what others loaded stays.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "linux/dmacc.h"
#include "linux/dmacc_blob.h"
#include "nl.h"

static unsigned long long state;

/* xorshift64*: the same numbers from the same seed, everywhere */
static unsigned int draw(unsigned int below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned int)((state * 0x2545f4914f6cdd1dULL) >> 33) % below;
}

/* A good value of each attribute that a request may have */
struct value {
	int attr;
	unsigned int len;
	unsigned char bytes[512];
};

#define NUMBER(number) { (number) & 0xff, (number) >> 8 }

static struct value values[] = {
	{ DMACC_A_RUNG, 1, { DMACC_RUNG_WRAPPED } },
	{ DMACC_A_AGENT_UID, 4, NUMBER(1001) },
	{ DMACC_A_MASTER_SOURCE, 1, { DMACC_MASTER_FILE } },
	{ DMACC_A_MASTER, DMACC_MASTER_LEN, { 0 } },
	{ DMACC_A_ROOT_BLOB, 0, { 0 } },
	{ DMACC_A_SLOT_BLOB, 0, { 0 } },
	{ DMACC_A_SLOT_NAME, 5, "fuzz" },
	{ DMACC_A_KEY_ID, DMACC_KEYID_LEN, { 1 } },
	{ DMACC_A_KEY_VERSION, 4, { 1 } },
	{ DMACC_A_DEVICE_KEY, DMACC_DEVICE_KEY_LEN, { 1 } },
	{ DMACC_A_DEVID, 21, "IMEI:490154203237518" },
	{ DMACC_A_SERVER_KIND, 1, { DMACC_SERVER_ID } },
	{ DMACC_A_SERVER, 14, "com.example.dm" },
	{ DMACC_A_GENERATION, 4, { 1 } },
};

#define VALUES (sizeof(values) / sizeof(values[0]))

/* Which of them a command takes */
static const unsigned char takes[][8] = {
	[DMACC_CMD_OPEN_ROOT] = { DMACC_A_ROOT_BLOB, DMACC_A_MASTER, DMACC_A_MASTER_SOURCE,
				  DMACC_A_AGENT_UID },
	[DMACC_CMD_SEAL_KEY] = { DMACC_A_SLOT_NAME, DMACC_A_KEY_ID, DMACC_A_KEY_VERSION,
				 DMACC_A_DEVICE_KEY },
	[DMACC_CMD_LOAD_KEY] = { DMACC_A_SLOT_BLOB },
	[DMACC_CMD_FORGET_KEY] = { DMACC_A_SLOT_NAME },
	[DMACC_CMD_SET_IDENTITY] = { DMACC_A_DEVID },
	[DMACC_CMD_DERIVE] = { DMACC_A_SLOT_NAME, DMACC_A_SERVER_KIND, DMACC_A_SERVER,
			       DMACC_A_GENERATION },
	[DMACC_CMD_MAX] = { 0 },
};

static void read_value(int attr, const char *path)
{
	size_t i;
	FILE *file;

	for (i = 0; i < VALUES && values[i].attr != attr; i++)
		;
	file = fopen(path, "r");
	if (!file)
		nl_die(path);
	values[i].len = (unsigned int)fread(values[i].bytes, 1, sizeof(values[i].bytes), file);
	fclose(file);
}

static void put_value(const struct value *value, bool mutate)
{
	unsigned char bytes[2048];
	unsigned int len = value->len, i;
	int attr = value->attr;

	memcpy(bytes, value->bytes, sizeof(value->bytes));
	if (mutate && !draw(3))
		bytes[draw(len ? len : 1)] ^= (unsigned char)(1 << draw(8));
	if (mutate && !draw(6)) {
		len = draw(8) ? draw(300) : draw(sizeof(bytes));
		for (i = value->len; i < len; i++)
			bytes[i] = (unsigned char)draw(256);
	}
	if (mutate && !draw(12))
		attr = (int)(draw(4) ? draw(DMACC_A_MAX + 3) : draw(65536));
	nl_put(attr, bytes, len);
}

static void put_good(int cmd)
{
	size_t i, k;

	for (k = 0; cmd <= DMACC_CMD_MAX && k < sizeof(takes[0]); k++)
		for (i = 0; i < VALUES; i++)
			if (values[i].attr == takes[cmd][k])
				put_value(&values[i], false);
}

static void put_mutated(int cmd)
{
	size_t i, k;

	for (k = 0; cmd <= DMACC_CMD_MAX && k < sizeof(takes[0]); k++)
		for (i = 0; i < VALUES; i++)
			if (values[i].attr == takes[cmd][k] && draw(10))
				put_value(&values[i], true);
	while (!draw(4))
		put_value(&values[draw(VALUES)], true);
}

/* Header fields and lengths that no library would write */
static void spoil(void)
{
	struct genlmsghdr *genl = NLMSG_DATA(&nl_request.header);
	unsigned int len = nl_request.header.nlmsg_len;

	if (!draw(20))
		genl->version = (unsigned char)draw(256);
	if (!draw(20))
		genl->reserved = (unsigned short)draw(65536);
	if (!draw(20))
		nl_request.header.nlmsg_flags |= (unsigned short)(draw(65536) & ~NLM_F_MULTI);
	if (!draw(20) && len > NLMSG_LENGTH(GENL_HDRLEN))
		nl_request.bytes[NLMSG_LENGTH(GENL_HDRLEN) + draw(4)] = (char)draw(256);
	if (!draw(20))
		nl_request.header.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN) +
					      draw(len - NLMSG_LENGTH(GENL_HDRLEN) + 1);
}

static unsigned int accepted, refused;

/* A dump has no ACK: an answer of any kind ends it. What cannot be sent was not sent. */
static void exchange(int fd)
{
	const struct nlmsgerr *error = NLMSG_DATA(&nl_reply.header);
	static unsigned int seq;

	nl_request.header.nlmsg_seq = ++seq;
	if (send(fd, &nl_request, nl_request.header.nlmsg_len, 0) < 0) {
		refused++;
		return;
	}
	while (recv(fd, &nl_reply, sizeof(nl_reply), 0) > 0) {
		int type = nl_reply.header.nlmsg_type;

		if (nl_reply.header.nlmsg_seq != seq || (type != NLMSG_ERROR && type != NLMSG_DONE))
			continue;
		if (type == NLMSG_ERROR && error->error)
			refused++;
		else
			accepted++;
		return;
	}
	nl_die("no answer");
}

static void fuzz(int fd, int family, unsigned int count)
{
	unsigned int i;
	int cmd;

	for (i = 0; i < count; i++) {
		cmd = (int)draw(DMACC_CMD_MAX + 2);
		/* only once the rest has been seen unlocked */
		if (cmd == DMACC_CMD_LOCK && i < count / 2)
			cmd = DMACC_CMD_DERIVE;
		nl_begin(family, cmd, DMACC_FAMILY_VERSION);
		if (draw(4))
			put_mutated(cmd);
		else
			put_good(cmd);
		spoil();
		exchange(fd);
	}
}

int main(int argc, char **argv)
{
	unsigned int count = 0;
	int i, fd, family;

	for (i = 1; i < argc; i++) {
		if (i + 1 < argc && !strcmp(argv[i], "--seed"))
			state = strtoull(argv[++i], NULL, 10) + 0x9e3779b97f4a7c15ULL;
		else if (i + 1 < argc && !strcmp(argv[i], "--count"))
			count = (unsigned int)strtoul(argv[++i], NULL, 10);
	}
	read_value(DMACC_A_MASTER, "/guest/master");
	read_value(DMACC_A_ROOT_BLOB, "/guest/root");
	read_value(DMACC_A_SLOT_BLOB, "/guest/slot");
	for (i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], "--uid"))
			nl_become((uid_t)strtoul(argv[i + 1], NULL, 10));
	fd = nl_open();
	family = nl_family(fd);
	fuzz(fd, family, count);
	printf("# %u accepted, %u refused\n", accepted, refused);
	return accepted && refused ? 0 : 1;
}
