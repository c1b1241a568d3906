// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * factory restore: what was exported goes back into the store. First the module opens the root and
 * loads every key; then the credential is written, the keys, and the root last: whatever ends it
 * before leaves the old state or a store without a root, which it makes whole when it is repeated.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "credential.h"
#include "durable.h"
#include "export.h"
#include "trouble.h"

struct restore {
	struct factory factory;
	const char *credential;		/* where it is written */
	const char *path;
	struct package package;
	bool was_locked;
	bool replaces;			/* a root that is another, or none */
};

static int read_all(int fd, char **ret)
{
	char *text = calloc(1, PACKAGE_TEXT_MAX + 1);
	size_t len = 0;
	ssize_t n = 1;

	while (text && n && len <= PACKAGE_TEXT_MAX) {
		n = read(fd, text + len, PACKAGE_TEXT_MAX + 1 - len);
		if (n < 0 && errno != EINTR)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	if (text && !n && len <= PACKAGE_TEXT_MAX && !memchr(text, '\0', len)) {
		text[len] = '\0';
		*ret = text;
		return 0;
	}
	free(text);
	return n < 0 ? -errno : -EFBIG;
}

static int read_package(struct restore *re)
{
	bool from_stdin = !strcmp(re->path, "-");
	char *text = NULL, sentence[256];
	int fd, r;

	fd = from_stdin ? STDIN_FILENO : open(re->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	r = fd < 0 ? -errno : read_all(fd, &text);
	if (fd >= 0 && !from_stdin)
		close(fd);
	if (r)
		return complain("%s: %s", from_stdin ? "standard input" : re->path,
				r == -EFBIG ? "it is no text, or too long for an export" : strerror(-r));
	r = package_parse(text, &re->package, sentence);
	free(text);
	return r ? complain("%s: %s", from_stdin ? "standard input" : re->path, sentence) : 0;
}

static int refuse(enum trouble trouble, const char *what)
{
	return complain("%s: %s; nothing was written; '%s' is the way out of that state",
			trouble_word(trouble), what, trouble_command(trouble));
}

static int check_device(struct restore *re)
{
	char devid[DMACC_DEVID_SIZE];
	int r = 0;

	if (dmacc_kernel_get_identity(re->factory.kernel, NULL, devid))
		return complain("the kernel does not say who this device is: %s",
				dmacc_kernel_sentence(re->factory.kernel));
	if (devid[0] && re->package.devid[0] && strcmp(devid, re->package.devid))
		r = refuse(TROUBLE_OTHER_DEVICE, "the export is of a device with another identifier");
	dmacc_wipe(devid, sizeof(devid));
	return r;
}

static bool is_ours(const struct restore *re, const uint8_t root_id[8])
{
	return !memcmp(root_id, package_root(&re->package)->root_id, 8);
}

/*
 * The root of the store is never replaced by another, unless it is none, or one that does not open
 * here: then it is kept as root.prev.
 */
static int check_stored_root(struct restore *re)
{
	struct factory *f = &re->factory;
	const struct dmacc_root_blob *root;
	bool is_root;
	uint8_t *blob;
	size_t len;
	int r;

	r = factory_store_read_root(f->store, &blob, &len);
	re->replaces = r != -ENOENT;
	if (r)
		return r == -ENOENT || trouble_of_store(r) == TROUBLE_FACTORY_STORE_DAMAGED ? 0 :
			complain("%s/root: %s", f->path, factory_store_error(r));
	root = (const struct dmacc_root_blob *)blob;
	is_root = len >= sizeof(*root) &&
		!memcmp(root->magic, DMACC_ROOT_MAGIC, sizeof(root->magic));
	re->replaces = !is_root || !is_ours(re, root->root_id);
	if (!re->replaces)
		re->was_locked |= !!(root->flags & DMACC_ROOT_FLAG_LOCKED);
	else if (is_root && !factory_open_blob(f, blob, len))
		r = complain("the export is of another root than the one in %s, which opens; nothing was "
			     "written", f->path);
	free(blob);
	return r;
}

static int check_open_root(struct restore *re)
{
	const struct dmacc_kernel_status *s = &re->factory.status;

	if (s->locked)
		re->was_locked = true;
	if (s->root_state == DMACC_ROOT_OPEN && !is_ours(re, s->root_id))
		return refuse(TROUBLE_OTHER_ROOT, "the kernel has another root open than the export's");
	return 0;
}

/* The same TPM makes the same key again, where somebody removed it */
static int have_parent(struct restore *re)
{
	uint8_t fingerprint[TPM_FINGERPRINT_LEN];
	struct factory *f = &re->factory;
	bool missing;

	if (package_root(&re->package)->rung != DMACC_RUNG_TRUSTED || !re->package.has_tpm)
		return 0;
	if (chip_open(f, &missing) || missing)
		return missing ? refuse(TROUBLE_NO_TPM, trouble_means(TROUBLE_NO_TPM)) : EXIT_NOTHING;
	if (tpm_fingerprint(f->tpm, fingerprint))
		return complain("%s", tpm_sentence(f->tpm));
	if (memcmp(fingerprint, re->package.tpm, sizeof(fingerprint)))
		return refuse(TROUBLE_TPM_REPLACED, trouble_means(TROUBLE_TPM_REPLACED));
	return tpm_provision_parent(f->tpm) ? complain("%s", tpm_sentence(f->tpm)) : 0;
}

static int open_root(struct restore *re)
{
	struct factory *f = &re->factory;
	const struct package_blob *root = &re->package.root;

	f->credential = re->package.credential;
	if (factory_open_blob(f, root->bytes, root->len))
		return complain("the root of the export does not open here; nothing was written");
	return 0;
}

/* What is stored first: the module then refuses what is older */
static int load_slot(struct restore *re, const struct package_slot *slot)
{
	struct factory *f = &re->factory;
	struct slot_record record;
	char sentence[256];
	int r;

	(void)factory_load_slot(f, slot->name, &record, sentence);
	r = dmacc_kernel_load_key(f->kernel, slot->blob.bytes, slot->blob.len, NULL);
	if (!r)
		return 0;
	return complain("slot %s: %s: %s; nothing was written", slot->name,
			trouble_word(trouble_of_slot(r, slot->blob.bytes, slot->blob.len, f->status.root_id)),
			dmacc_kernel_sentence(f->kernel));
}

static int load_slots(struct restore *re)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < re->package.slots_len; i++)
		r = load_slot(re, &re->package.slots[i]);
	return r;
}

/* An export from before the lock does not unlock: the kernel gives the root with the flag in it */
static int lock_again(struct restore *re)
{
	struct dmacc_kernel_blob blob;

	if (!re->was_locked || (package_root(&re->package)->flags & DMACC_ROOT_FLAG_LOCKED))
		return 0;
	if (dmacc_kernel_lock(re->factory.kernel, &blob) ||
	    package_set(&re->package.root, blob.bytes, blob.len))
		return complain("the root cannot be locked again: %s; nothing was written",
				dmacc_kernel_sentence(re->factory.kernel));
	return 0;
}

static int try_all(struct restore *re)
{
	int r;

	r = check_device(re);
	if (!r)
		r = check_open_root(re);
	if (!r)
		r = check_stored_root(re);
	if (!r)
		r = have_parent(re);
	if (!r)
		r = open_root(re);
	if (!r)
		r = load_slots(re);
	return r ? r : lock_again(re);
}

static int write_credential(struct restore *re)
{
	const char *text = re->package.credential;
	char *name, *old = NULL;
	int fd, r = 0;

	fd = durable_open_parent(re->credential, true, &name);
	if (fd < 0)
		return complain("%s: %s; repeat this", re->credential, strerror(-fd));
	if (credential_read(re->credential, &old) || strcmp(old, text))
		r = durable_rotate(fd, name, 0600, text, strlen(text));
	free(old);
	free(name);
	close(fd);
	return r ? complain("%s: %s; repeat this", re->credential, strerror(-r)) : 0;
}

static int write_slot(struct restore *re, const struct package_slot *slot)
{
	struct factory *f = &re->factory;
	uint8_t *old = NULL;
	size_t len = 0;
	bool same;
	int r = 0;

	same = !factory_store_read_slot(f->store, slot->name, &old, &len) && len == slot->blob.len &&
		!memcmp(old, slot->blob.bytes, len);
	if (!same)
		r = factory_store_write_slot(f->store, slot->name, slot->blob.bytes, slot->blob.len);
	if (!same && !r)
		factory_note_life(f, slot->name, true);
	free(old);
	return r ? complain("%s/slots/%s: %s; repeat this", f->path, slot->name,
			    factory_store_error(r)) : 0;
}

static int write_root(struct restore *re)
{
	const struct package_blob *root = &re->package.root;
	struct factory *f = &re->factory;
	uint8_t *old = NULL;
	size_t len = 0;
	bool same;
	int r = 0;

	same = !factory_store_read_root(f->store, &old, &len) && len == root->len &&
		!memcmp(old, root->bytes, len);
	/* an older form of the same root is not kept: it may be from before the lock */
	if (!same && re->replaces)
		r = factory_store_replace_root(f->store, root->bytes, root->len);
	else if (!same)
		r = factory_store_write_root(f->store, root->bytes, root->len);
	free(old);
	return r ? complain("%s/root: %s; repeat this", f->path, factory_store_error(r)) : 0;
}

static int write_all(struct restore *re)
{
	struct factory *f = &re->factory;
	size_t i;
	int r = 0;

	if (re->package.credential)
		r = write_credential(re);
	if (!r && re->package.has_tpm && factory_store_write_tpm(f->store, re->package.tpm))
		r = complain("%s/tpm: it cannot be written; repeat this", f->path);
	for (i = 0; !r && i < re->package.slots_len; i++)
		r = write_slot(re, &re->package.slots[i]);
	return r ? r : write_root(re);
}

static int print_slots(struct restore *re)
{
	struct slot_record record;
	char sentence[256];
	size_t i;

	for (i = 0; i < re->package.slots_len; i++) {
		const char *name = re->package.slots[i].name;

		if (factory_load_slot(&re->factory, name, &record, sentence))
			return complain("%s/slots/%s was written, but: %s", re->factory.path, name, sentence);
		factory_print_slot(&re->factory, &record);
	}
	return EXIT_DONE;
}

int restore_main(int argc, char **argv)
{
	struct restore re = {
		.factory = { .path = FACTORY_STORE_PATH },
		.credential = CREDENTIAL_PATH,
	};
	int r;

	r = exchange_parse(&re.factory, argc, argv, &re.credential, &re.path);
	if (!r)
		r = read_package(&re);
	if (!r)
		r = factory_begin(&re.factory, true);
	if (!r)
		r = try_all(&re);
	if (!r)
		r = write_all(&re);
	if (!r)
		r = print_slots(&re);
	package_done(&re.package);
	factory_end(&re.factory);
	return finish_output(r);
}
