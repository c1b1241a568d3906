// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * nlnomem MODULE.ko [TPM-PARENT]: every command of the family "dmacc", each allocation failing once
 *
 * The kernel fails the n-th allocation of a process that asks for it in /proc/self/fail-nth. A
 * command is sent with n = 1, 2, 3 and so on, until none was failed any more. What fails has to
 * fail with ENOMEM and must have changed nothing; sent once more without a failure it works. Prints
 * TAP, a test for each command. With a parent the root is a trusted key of the TPM, else wrapped.
 *
 * Two faults of the kernel's own are met on the way. When it has no memory for the command that flushes
 * a loaded key, it leaves that in the TPM (tpm2_flush_context() says so in its log). A TPM has room for
 * three, so that whoever comes after the third is refused: they are taken out before each try. When
 * tpm2_key_decode() has no memory, tpm2_load_cmd() takes the sealed key for one of another form, and
 * that is refused: EKEYREJECTED, where it should be ENOMEM. Both are counted.
 *
 * It has to be root, in a guest of its own without an identity in hardware: it unloads the module
 * again and again and locks it at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux/dmacc.h"
#include "nl.h"

#define DEVID "IMEI:490154203237518"
#define LOST (-1)
#define TOO_MANY 5000
/* It is one allocation, which comes a little earlier or later in another try */
#define MISTAKEN_MAX 3

/* Where the keys show that the kernel itself has loaded */
#define TPM_DEVICE "/dev/tpm0"
#define TPM_FIRST_TRANSIENT 0x80000000
#define TPM_HANDLES 19		/* where the handles begin in what TPM2_GetCapability answers */

static int sock, family, fail_nth;
static const char *module;
/* In a step: keys that the kernel left in the TPM, and failures that it took for a refusal */
static unsigned int left_behind, mistaken;

/* What a request may have; the blobs come from the replies */
static struct value {
	unsigned int len;
	unsigned char bytes[DMACC_BLOB_MAX];
} values[DMACC_A_MAX + 1];

/* What must be as before when a command has failed */
struct state {
	unsigned int source, open, locked, slots;
};

enum need { AS_IT_IS, FRESH, IDENTIFIED, OPENED_NAMELESS, EMPTY, LOADED };

struct step {
	const char *name;
	enum need need;
	int cmd;
	unsigned char takes[8];
};

static const struct step steps[] = {
	{ "set-identity", FRESH, DMACC_CMD_SET_IDENTITY, { DMACC_A_DEVID } },
	{ "open-root of a new root", IDENTIFIED, DMACC_CMD_OPEN_ROOT,
	  { DMACC_A_RUNG, DMACC_A_MASTER, DMACC_A_MASTER_SOURCE, DMACC_A_TPM_PARENT,
	    DMACC_A_AGENT_UID } },
	{ "open-root of a sealed root", IDENTIFIED, DMACC_CMD_OPEN_ROOT,
	  { DMACC_A_ROOT_BLOB, DMACC_A_MASTER, DMACC_A_MASTER_SOURCE, DMACC_A_AGENT_UID } },
	{ "open-root of the root that is open", AS_IT_IS, DMACC_CMD_OPEN_ROOT,
	  { DMACC_A_ROOT_BLOB, DMACC_A_MASTER, DMACC_A_MASTER_SOURCE, DMACC_A_AGENT_UID } },
	{ "seal-key", EMPTY, DMACC_CMD_SEAL_KEY,
	  { DMACC_A_SLOT_NAME, DMACC_A_KEY_ID, DMACC_A_KEY_VERSION, DMACC_A_DEVICE_KEY } },
	{ "load-key", EMPTY, DMACC_CMD_LOAD_KEY, { DMACC_A_SLOT_BLOB } },
	{ "load-key of a key that is loaded", LOADED, DMACC_CMD_LOAD_KEY, { DMACC_A_SLOT_BLOB } },
	{ "forget-key", LOADED, DMACC_CMD_FORGET_KEY, { DMACC_A_SLOT_NAME } },
	{ "load-key that brings the identity", OPENED_NAMELESS, DMACC_CMD_LOAD_KEY,
	  { DMACC_A_SLOT_BLOB } },
	{ "get-status", LOADED, DMACC_CMD_GET_STATUS, { 0 } },
	{ "get-identity", AS_IT_IS, DMACC_CMD_GET_IDENTITY, { 0 } },
	{ "derive", AS_IT_IS, DMACC_CMD_DERIVE,
	  { DMACC_A_SLOT_NAME, DMACC_A_SERVER_KIND, DMACC_A_SERVER, DMACC_A_GENERATION } },
	{ "store-key", AS_IT_IS, DMACC_CMD_STORE_KEY, { 0 } },
	{ "lock", AS_IT_IS, DMACC_CMD_LOCK, { 0 } },
};

static void set(int attr, const void *bytes, size_t len)
{
	values[attr].len = (unsigned int)len;
	memcpy(values[attr].bytes, bytes, len);
}

static void set_number(int attr, unsigned int number, size_t len)
{
	set(attr, &number, len);
}

static void set_file(int attr, const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		nl_die(path);
	values[attr].len = (unsigned int)fread(values[attr].bytes, 1, DMACC_BLOB_MAX, file);
	fclose(file);
}

static void set_values(const char *parent)
{
	static const unsigned char key_id[DMACC_KEYID_LEN] = { 1 };

	if (parent) {
		set_number(DMACC_A_RUNG, DMACC_RUNG_TRUSTED, 1);
		set_number(DMACC_A_TPM_PARENT, (unsigned int)strtoul(parent, NULL, 0), 4);
	} else {
		set_number(DMACC_A_RUNG, DMACC_RUNG_WRAPPED, 1);
		set_file(DMACC_A_MASTER, "/guest/master");
		set_number(DMACC_A_MASTER_SOURCE, DMACC_MASTER_FILE, 1);
	}
	set_number(DMACC_A_AGENT_UID, 1001, 4);
	set(DMACC_A_DEVID, DEVID, sizeof(DEVID));
	set(DMACC_A_SLOT_NAME, "alpha", sizeof("alpha"));
	set(DMACC_A_KEY_ID, key_id, sizeof(key_id));
	set_number(DMACC_A_KEY_VERSION, 1, 4);
	set_file(DMACC_A_DEVICE_KEY, "/guest/device-key");
	set_number(DMACC_A_SERVER_KIND, DMACC_SERVER_ID, 1);
	set(DMACC_A_SERVER, "com.example.dm", strlen("com.example.dm"));
	set_number(DMACC_A_GENERATION, 0, 4);
}

static void put_request(int cmd, const unsigned char *takes)
{
	nl_begin(family, cmd, DMACC_FAMILY_VERSION);
	for (; *takes; takes++)
		if (values[*takes].len)
			nl_put(*takes, values[*takes].bytes, values[*takes].len);
}

static void keep_blob(const struct nlattr *nla)
{
	if (nla->nla_type == DMACC_A_ROOT_BLOB || nla->nla_type == DMACC_A_SLOT_BLOB)
		set(nla->nla_type, nla + 1, nla->nla_len - NLA_HDRLEN);
}

/* Up to the ACK, which is there when send() has returned. LOST if the kernel could not tell */
static int read_answer(void)
{
	const struct nlmsgerr *error = NLMSG_DATA(&nl_reply.header);
	ssize_t n;

	while ((n = recv(sock, &nl_reply, sizeof(nl_reply), 0)) > 0)
		if (nl_reply.header.nlmsg_type == NLMSG_ERROR)
			return -error->error;
	if (errno != ENOBUFS)
		nl_die("no answer");
	return LOST;
}

/* Sends the request while the @nth allocation fails */
static int send_with_failure(unsigned int nth, bool *ret_failed)
{
	char text[16] = "";
	int len = snprintf(text, sizeof(text), "%u", nth), err = 0;

	if (pwrite(fail_nth, text, (size_t)len, 0) != len)
		nl_die("fail-nth");
	if (send(sock, &nl_request, nl_request.header.nlmsg_len, 0) < 0)
		err = errno;
	memset(text, 0, sizeof(text));
	if (pread(fail_nth, text, sizeof(text) - 1, 0) < 0 || pwrite(fail_nth, "0", 1, 0) != 1)
		nl_die("fail-nth");
	*ret_failed = !strtoul(text, NULL, 10);
	return err ? err : read_answer();
}

static int ask(int cmd, const unsigned char *takes)
{
	const char *sentence;

	put_request(cmd, takes);
	return nl_talk(sock, keep_blob, &sentence);
}

static void must(int cmd, const unsigned char *takes)
{
	int err = ask(cmd, takes);

	if (!err)
		return;
	printf("# command %d, without a failure: error %d\n", cmd, err);
	exit(1);
}

static void reload(void)
{
	int fd = open(module, O_RDONLY | O_CLOEXEC);

	if (syscall(SYS_delete_module, "dmacc", O_NONBLOCK) && errno != ENOENT)
		nl_die("unloading the module");
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		nl_die("loading the module");
	close(fd);
	family = nl_family(sock);
}

static const unsigned char *takes_of(const char *name)
{
	size_t i;

	for (i = 0; strcmp(steps[i].name, name); i++)
		;
	return steps[i].takes;
}

static unsigned int number_at(const unsigned char *p)
{
	return (unsigned int)p[0] << 24 | (unsigned int)p[1] << 16 | (unsigned int)p[2] << 8 | p[3];
}

/* The answer is written over the command */
static ssize_t tell_tpm(int tpm, unsigned char *command, size_t len, size_t size)
{
	ssize_t n;

	if (write(tpm, command, len) != (ssize_t)len)
		nl_die("asking the TPM");
	n = read(tpm, command, size);
	if (n < 10 || number_at(command + 6))
		nl_die("an answer of the TPM");
	return n;
}

static void flush(int tpm, const unsigned char *handle)
{
	unsigned char command[64] = { 0x80, 0x01, 0, 0, 0, 14, 0, 0, 0x01, 0x65 };

	memcpy(command + 10, handle, 4);
	tell_tpm(tpm, command, 14, sizeof(command));
}

/* Takes out what the kernel has left in the TPM. Returns how many they were. */
static unsigned int flush_all(void)
{
	/* TPM2_GetCapability of the first eight handles from there on */
	unsigned char data[256] = { 0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01, 0x7a, 0, 0, 0, 1,
		TPM_FIRST_TRANSIENT >> 24, 0, 0, 0, 0, 0, 0, 8 };
	int tpm = open(TPM_DEVICE, O_RDWR | O_CLOEXEC);
	unsigned int i, count;

	if (tpm < 0)
		nl_die(TPM_DEVICE);
	if (tell_tpm(tpm, data, 22, sizeof(data)) < TPM_HANDLES)
		nl_die("the keys in the TPM");
	count = number_at(data + TPM_HANDLES - 4);
	for (i = 0; i < count; i++)
		flush(tpm, data + TPM_HANDLES + 4 * i);
	close(tpm);
	return count;
}

static void prepare(enum need need)
{
	static const unsigned char slot[] = { DMACC_A_SLOT_NAME, 0 };
	static const unsigned char blob[] = { DMACC_A_SLOT_BLOB, 0 };
	int err;

	if (values[DMACC_A_TPM_PARENT].len)
		left_behind += flush_all();
	if (need == FRESH || need == IDENTIFIED || need == OPENED_NAMELESS)
		reload();
	if (need == IDENTIFIED)
		must(DMACC_CMD_SET_IDENTITY, takes_of("set-identity"));
	if (need == OPENED_NAMELESS)
		must(DMACC_CMD_OPEN_ROOT, takes_of("open-root of a sealed root"));
	if (need == LOADED)
		must(DMACC_CMD_LOAD_KEY, blob);
	if (need == EMPTY) {
		err = ask(DMACC_CMD_FORGET_KEY, slot);
		if (err && err != ENOENT)
			must(DMACC_CMD_FORGET_KEY, slot);
	}
}

static struct state seen;

static void take_status(const struct nlattr *nla)
{
	unsigned int number = 0, len = nla->nla_len - NLA_HDRLEN;

	memcpy(&number, nla + 1, len < 4 ? len : 4);
	if (nla->nla_type == DMACC_A_IDENTITY_SOURCE)
		seen.source = number;
	if (nla->nla_type == DMACC_A_ROOT_STATE)
		seen.open = number == DMACC_ROOT_OPEN;
	if (nla->nla_type == DMACC_A_LOCKED)
		seen.locked = number;
	if (nla->nla_type == DMACC_A_SLOT_COUNT)
		seen.slots = number;
}

static struct state look(void)
{
	const char *sentence;

	nl_begin(family, DMACC_CMD_GET_STATUS, DMACC_FAMILY_VERSION);
	if (nl_talk(sock, take_status, &sentence))
		nl_die("status");
	return seen;
}

static bool complain(const struct step *step, unsigned int nth, const char *what, int err)
{
	printf("# %s, allocation %u: %s (%d)\n", step->name, nth, what, err);
	return false;
}

static bool is_for_want_of_memory(const struct step *step, int err)
{
	if (err == EKEYREJECTED && values[DMACC_A_TPM_PARENT].len && step->takes[0] == DMACC_A_ROOT_BLOB)
		return ++mistaken <= MISTAKEN_MAX;
	return err == ENOMEM || err == ENOBUFS;
}

/* One allocation fails. Was all well? *ret_failed is false when there was none left */
static bool fail_one(const struct step *step, unsigned int nth, bool *ret_failed)
{
	struct state before, after;
	bool fine = true;
	int err;

	prepare(step->need);
	before = look();
	put_request(step->cmd, step->takes);
	err = send_with_failure(nth, ret_failed);
	if (err == LOST || !err)
		return true;
	if (!*ret_failed)
		return complain(step, nth, "fails without a failure", err);
	if (!is_for_want_of_memory(step, err))
		fine = complain(step, nth, "fails with another error", err);
	after = look();
	if (memcmp(&before, &after, sizeof(before)))
		fine = complain(step, nth, "failed, and has changed something", err);
	err = ask(step->cmd, step->takes);
	if (err)
		fine = complain(step, nth, "does not work afterwards", err);
	return fine;
}

static bool fail_each(const struct step *step)
{
	bool fine = true, failed = true;
	unsigned int nth;

	left_behind = mistaken = 0;
	for (nth = 1; failed && nth < TOO_MANY; nth++)
		fine = fail_one(step, nth, &failed) && fine;
	printf("# %s: %u allocations\n", step->name, nth - 2);
	if (left_behind || mistaken)
		printf("# the kernel left %u keys in the TPM, and took %u failures for a refusal\n",
		       left_behind, mistaken);
	return fine && !failed && nth > 2;
}

static bool run_steps(void)
{
	bool fine, all = true;
	unsigned int i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		fine = fail_each(&steps[i]);
		printf("%s %u - %s: each of its allocations may fail\n", fine ? "ok" : "not ok",
		       i + 1, steps[i].name);
		fflush(stdout);
		all = all && fine;
	}
	return all;
}

/* The blobs that the steps are given */
static void make_blobs(void)
{
	prepare(IDENTIFIED);
	must(DMACC_CMD_OPEN_ROOT, takes_of("open-root of a new root"));
	must(DMACC_CMD_SEAL_KEY, takes_of("seal-key"));
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: nlnomem MODULE.ko [TPM-PARENT]\n");
		return 2;
	}
	module = argv[1];
	set_values(argv[2]);
	sock = nl_open();
	fail_nth = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0 || mlockall(MCL_CURRENT | MCL_FUTURE))
		nl_die("fail-nth");
	make_blobs();
	return run_steps() ? 0 : 1;
}
