// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * factory inject: master, root, sealed key, in this order and each stored before the next is made,
 * so that whatever ends it, it can be repeated.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dmacc.h"
#include "factory.h"

struct arguments {
	struct factory factory;
	struct dmacc_kernel_slot slot;
	const char *slot_name;
	const char *key_id;
	const char *key_file;
};

static int read_version(const char *text, uint32_t *ret)
{
	size_t len = strspn(text, "0123456789");
	unsigned long long value = len && len <= 10 && !text[len] ? strtoull(text, NULL, 10) : 0;

	if (!value || value > UINT32_MAX)
		return complain("--key-version takes a number from 1 to %u, not '%s'", UINT32_MAX, text);
	*ret = (uint32_t)value;
	return 0;
}

static int read_place(const char *text, enum master_place *ret)
{
	if (!strcmp(text, "tpm2"))
		*ret = MASTER_TPM2;
	else if (!strcmp(text, "host"))
		*ret = MASTER_HOST;
	else if (!strcmp(text, "file"))
		*ret = MASTER_FILE;
	else
		return complain("--master takes 'tpm2', 'host' or 'file', not '%s'", text);
	return 0;
}

static int read_rung(const char *text, enum dmacc_rung *ret)
{
	if (!strcmp(text, "trusted"))
		*ret = DMACC_RUNG_TRUSTED;
	else if (!strcmp(text, "wrapped"))
		*ret = DMACC_RUNG_WRAPPED;
	else
		return complain("--rung takes 'trusted' or 'wrapped', not '%s'", text);
	return 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_key_id(const char *text, uint8_t ret[DMACC_KEYID_LEN])
{
	uint8_t id[DMACC_KEYID_LEN] = { 0 };
	size_t i;

	if (!text)
		return complain("--key-id HEX is missing: what 'dmacc-fleet key-id' prints");
	for (i = 0; i < 2 * DMACC_KEYID_LEN && digit(text[i]) >= 0; i++)
		id[i / 2] = (uint8_t)(id[i / 2] << 4 | digit(text[i]));
	if (i < 2 * DMACC_KEYID_LEN || text[i])
		/* not quoted: it may be a key that got there by mistake */
		return complain("--key-id takes 16 hexadecimal digits, what 'dmacc-fleet key-id' prints");
	memcpy(ret, id, sizeof(id));
	return 0;
}

static int set_option(struct arguments *a, int option)
{
	switch (option) {
	case 'n': a->slot_name = optarg; return 0;
	case 'k': a->key_id = optarg; return 0;
	case 'v': return read_version(optarg, &a->slot.key_version);
	case 'm': return read_place(optarg, &a->factory.place);
	case 'r': return read_rung(optarg, &a->factory.rung);
	default: return factory_option(&a->factory, option, optarg) ? 0 : EXIT_NOTHING;
	}
}

static int check(struct arguments *a)
{
	if (!a->slot_name)
		return complain("--slot NAME is missing");
	if (!factory_store_slot_name(a->slot_name))
		return complain("a slot name is 1 to 32 of a-z 0-9 . _ - and has no dot first, unlike "
				"'%s'", a->slot_name);
	if (a->factory.rung == DMACC_RUNG_TRUSTED && a->factory.place != MASTER_WHEREVER)
		return complain("rung trusted has no master: --master is for --rung wrapped");
	strcpy(a->slot.name, a->slot_name);
	return read_key_id(a->key_id, a->slot.key_id);
}

static int parse(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "slot", required_argument, NULL, 'n' },
		{ "key-id", required_argument, NULL, 'k' },
		{ "key-version", required_argument, NULL, 'v' },
		{ "rung", required_argument, NULL, 'r' },
		{ "master", required_argument, NULL, 'm' },
		{ "factory-store", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (set_option(a, c))
			return EXIT_NOTHING;
	/* not quoted: it may be a key */
	if (argc - optind > 1)
		return complain("inject takes one KEYFILE, which holds the device key");
	if (argv[optind])
		a->key_file = argv[optind];
	return check(a);
}

static int read_key(const char *path, uint8_t ret_key[DMACC_KEY_SIZE])
{
	bool from_stdin = !strcmp(path, "-");
	const char *sentence = "it cannot be read";
	int fd, r;

	fd = from_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	/* a name that is not there may be a key that was typed in its place */
	if (fd < 0)
		return complain("the file of the device key: %s", strerror(errno));
	r = dmacc_key_read(fd, ret_key, &sentence);
	if (!from_stdin)
		close(fd);
	if (r < 0)
		return complain("the device key in %s: %s", from_stdin ? "standard input" : path,
				sentence);
	return 0;
}

/* Before anything is made: what would be refused in the end */
static int check_device(const struct factory *f)
{
	if (f->status.locked)
		return complain("this device is locked: it takes no key any more");
	if (f->status.identity_source == DMACC_IDENTITY_NONE)
		return complain("this device has no identity, and gets no key; its firmware has to name "
				"an IMEI, MEID or ESN");
	return 0;
}

/* A key that could not be stored is not kept loaded; what the store has is */
static int undo(struct factory *f, const char *name, int error)
{
	struct slot_record record;
	char sentence[256];

	(void)dmacc_kernel_forget_key(f->kernel, name);
	(void)factory_load_slot(f, name, &record, sentence);
	return complain("%s/slots/%s: %s; repeat this", f->path, name, factory_store_error(error));
}

static int seal(struct arguments *a, const uint8_t key[DMACC_KEY_SIZE])
{
	struct factory *f = &a->factory;
	struct slot_record record = { .slot = a->slot };
	struct dmacc_kernel_blob blob;
	char sentence[256];
	int r;

	/* what is in the store may be of a higher version, and then the kernel refuses */
	(void)factory_load_slot(f, a->slot.name, &record, sentence);
	record = (struct slot_record){ .slot = a->slot };
	if (dmacc_kernel_seal_key(f->kernel, &a->slot, key, &blob))
		return complain("slot %s: the kernel refused it: %s", a->slot.name,
				dmacc_kernel_sentence(f->kernel));
	r = factory_store_write_slot(f->store, a->slot.name, blob.bytes, blob.len);
	if (r)
		return undo(f, a->slot.name, r);
	factory_note_life(f, a->slot.name, false);
	factory_hash(blob.bytes, blob.len, record.sha256);
	if (factory_derive(f, &record))
		return complain("slot %s is sealed and stored, but derives nothing: %s", a->slot.name,
				dmacc_kernel_sentence(f->kernel));
	factory_print_slot(f, &record);
	return EXIT_DONE;
}

static int inject(struct arguments *a, const uint8_t key[DMACC_KEY_SIZE])
{
	int r;

	r = factory_begin(&a->factory, true);
	if (!r)
		r = check_device(&a->factory);
	if (!r)
		r = factory_make_root(&a->factory);
	if (!r)
		r = check_device(&a->factory);
	if (!r)
		r = seal(a, key);
	factory_end(&a->factory);
	return r;
}

int inject_main(int argc, char **argv)
{
	struct arguments a = {
		.factory = { .path = FACTORY_STORE_PATH },
		.slot = { .key_version = 1 },
		.key_file = "-",
	};
	uint8_t key[DMACC_KEY_SIZE];
	int r;

	r = parse(&a, argc, argv);
	if (!r)
		r = read_key(a.key_file, key);
	if (!r)
		r = inject(&a, key);
	dmacc_wipe(key, sizeof(key));
	return finish_output(r);
}
