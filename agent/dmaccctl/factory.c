// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <openssl/evp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "dmacc.h"
#include "factory.h"
#include "harden.h"
#include "lives.h"

#define AGENT_USER "dmacc"

static const struct verb verbs[] = {
	{ "inject", inject_main,
	  "--slot NAME --key-id HEX [--key-version N] [--rung trusted|wrapped]\n"
	  "                        [--master tpm2|host|file] [--factory-store DIR] [--json] "
	  "[KEYFILE|-]" },
	{ "verify", verify_main, "[--factory-store DIR] [--json]" },
	{ "lock", lock_main, "[--factory-store DIR] [--json]" },
	{ "report", report_main, "[--factory-store DIR] [--json]" },
	{ "parent", parent_main, "[--factory-store DIR] [--json]" },
	{ "export", export_main, "[--factory-store DIR] [--credential FILE] [FILE|-]" },
	{ "restore", restore_main,
	  "[--factory-store DIR] [--credential FILE] [--json] [FILE|-]" },
	{ "identity", identity_main,
	  "[--modem [--device DEVICE] [--wait SECONDS]] [--json] [FILE|-]" },
	{ NULL, NULL, NULL },
};

int factory_main(int argc, char **argv)
{
	const struct verb *v;

	if (argc < 2 || (strcmp(argv[1], "--help") && strcmp(argv[1], "-h")))
		return run_verb(verbs, "dmaccctl factory", argc, argv);
	for (v = verbs; v->name; v++)
		printf("%s dmaccctl factory %s %s\n", v == verbs ? "Usage:" : "      ", v->name,
		       v->usage);
	return finish_output(EXIT_DONE);
}

bool factory_option(struct factory *f, int option, const char *argument)
{
	if (option == 'j')
		f->json = true;
	else if (option == 's')
		f->path = argument;
	else
		return false;
	return true;
}

int factory_parse(struct factory *f, int argc, char **argv)
{
	static const struct option options[] = {
		{ "factory-store", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!factory_option(f, c, optarg))
			return EXIT_NOTHING;
	if (optind < argc)
		return complain("%s takes no argument '%s'", argv[0], argv[optind]);
	return 0;
}

int factory_refresh(struct factory *f)
{
	if (dmacc_kernel_get_status(f->kernel, &f->status))
		return complain("the module: %s", dmacc_kernel_sentence(f->kernel));
	return 0;
}

int factory_connect(struct factory *f)
{
	char sentence[256];
	int r;

	r = dmacc_kernel_open(&f->kernel);
	if (r == -ENOENT) {
		dmacc_kernel_missing_sentence(sentence, sizeof(sentence));
		return complain("%s", sentence);
	}
	if (r)
		return complain("the kernel cannot be asked: %s", strerror(-r));
	return factory_refresh(f);
}

void factory_note_life(const struct factory *f, const char *slot, bool restored)
{
	int r;

	if (!f->own)
		return;
	r = restored ? lives_restored(f->store, slot) :
		       lives_injected(f->store, slot, LIVES_STATE_PATH);
	if (!r)
		r = lives_tell(f->store, LIVES_STATE_PATH, NULL);
	if (r)
		fprintf(stderr, "dmaccctl: warning: it cannot be noted since when slot %s has its key: %s; "
			"its accounts will begin with a challenge\n", slot, factory_store_error(r));
}

int factory_begin(struct factory *f, bool create)
{
	int r;

	/* a device key is sent over it, and a master */
	harden_netlink();
	r = factory_connect(f);
	if (r)
		return r;
	r = factory_store_open(f->path, create, &f->store);
	if (r)
		return complain("%s: %s", f->path, factory_store_error(r));
	/* where it really is */
	f->own = !strcmp(f->path, FACTORY_STORE_PATH);
	f->path = factory_store_path(f->store);
	return 0;
}

void factory_end(struct factory *f)
{
	f->store = factory_store_close(f->store);
	f->kernel = dmacc_kernel_close(f->kernel);
	f->tpm = tpm_close(f->tpm);
}

/* Whom the root names as its agent. Where that user is not there yet, at the factory, root. */
static uid_t agent_uid(void)
{
	const struct passwd *user = getpwnam(AGENT_USER);

	return user ? user->pw_uid : 0;
}

static int check_rung(const struct factory *f, enum dmacc_rung rung)
{
	if (f->rung != DMACC_RUNG_NONE && f->rung != rung)
		return complain("%s/root: its rung is %s, not %s, and a root is never sealed anew", f->path,
				dmacc_rung_word(rung), dmacc_rung_word(f->rung));
	if (rung == DMACC_RUNG_TRUSTED && f->place != MASTER_WHEREVER)
		return complain("%s/root: its rung is trusted, and that has no master", f->path);
	return 0;
}

static int open_wrapped(struct factory *f, const uint8_t *blob, size_t len)
{
	struct dmacc_kernel_master master = { 0 };
	int r;

	r = master_read(f, &master);
	if (r == -1)
		return complain("%s/root: its master is missing, and the root is never made anew",
				f->path);
	if (r)
		return r;
	r = dmacc_kernel_open_root(f->kernel, blob, len, &master, agent_uid());
	dmacc_wipe(&master, sizeof(master));
	if (r)
		return complain("%s/root: the kernel refused it: %s%s", f->path,
				dmacc_kernel_sentence(f->kernel),
				r == -EEXIST ? "; reboot and repeat" : "");
	return 0;
}

static int open_trusted(struct factory *f, const uint8_t *blob, size_t len)
{
	char what[512];
	bool missing;
	int r;

	/* one that cannot be asked was complained of, and the kernel may still get an answer */
	(void)chip_open(f, &missing);
	r = dmacc_kernel_open_root(f->kernel, blob, len, NULL, agent_uid());
	chip_settle(f);
	if (!r)
		return 0;
	snprintf(what, sizeof(what), "%s/root: the kernel refused it", f->path);
	if (r == -EEXIST)
		return complain("%s: %s; reboot and repeat", what, dmacc_kernel_sentence(f->kernel));
	return chip_complain(f, true, what, dmacc_kernel_sentence(f->kernel));
}

int factory_open_blob(struct factory *f, const uint8_t *blob, size_t len)
{
	enum dmacc_rung rung = blob_rung(blob, len);
	int r;

	r = check_rung(f, rung);
	if (!r)
		r = rung == DMACC_RUNG_TRUSTED ? open_trusted(f, blob, len) :
			open_wrapped(f, blob, len);
	return r ? r : factory_refresh(f);
}

int factory_open_root(struct factory *f)
{
	uint8_t *blob;
	size_t len;
	int r;

	r = factory_store_read_root(f->store, &blob, &len);
	if (r == -ENOENT)
		return -1;
	if (r)
		return complain("%s/root: %s", f->path, factory_store_error(r));
	r = factory_open_blob(f, blob, len);
	free(blob);
	return r;
}

/* What a new root of rung trusted hangs on. 0: no TPM seals here, if anything does. */
static int prepare_parent(struct factory *f, uint32_t *ret)
{
	bool missing;
	int r;

	r = chip_open(f, &missing);
	if (r)
		return r;
	*ret = missing ? 0 : TPM_PARENT_HANDLE;
	if (missing)
		return 0;
	if (tpm_provision_parent(f->tpm))
		return complain("rung trusted cannot be had: %s", tpm_sentence(f->tpm));
	return chip_record(f);
}

static int prepare_master(struct factory *f, struct dmacc_kernel_master *ret)
{
	int r = master_read(f, ret);

	return r == -1 ? master_make(f, ret) : r;
}

static int complain_unmade(struct factory *f, int error, uint32_t parent)
{
	const char *sentence = dmacc_kernel_sentence(f->kernel);

	if (error == -EEXIST)
		return complain("a root is open that %s does not have; nothing hangs on it: reboot and "
				"repeat", f->path);
	if (f->rung != DMACC_RUNG_TRUSTED)
		return complain("the kernel makes no root: %s", sentence);
	if (!parent)
		return complain("the kernel makes no root: %s; and there is no TPM", sentence);
	return chip_complain(f, true, "the kernel makes no root", sentence);
}

static int seal_root(struct factory *f, const struct dmacc_kernel_master *master, uint32_t parent)
{
	struct dmacc_kernel_blob blob;
	int r;

	r = dmacc_kernel_make_root(f->kernel, f->rung, master, parent, agent_uid(), &blob);
	chip_settle(f);
	if (r)
		return complain_unmade(f, r, parent);
	r = factory_store_write_root(f->store, blob.bytes, blob.len);
	if (r)
		return complain("%s/root: %s; nothing hangs on the new root: reboot and repeat",
				f->path, strerror(-r));
	return factory_refresh(f);
}

static int make_root(struct factory *f)
{
	struct dmacc_kernel_master master = { 0 };
	uint32_t parent = 0;
	int r;

	if (f->rung == DMACC_RUNG_NONE)
		f->rung = DMACC_RUNG_WRAPPED;
	if (f->rung == DMACC_RUNG_TRUSTED)
		r = prepare_parent(f, &parent);
	else
		r = prepare_master(f, &master);
	if (!r)
		r = seal_root(f, f->rung == DMACC_RUNG_WRAPPED ? &master : NULL, parent);
	dmacc_wipe(&master, sizeof(master));
	return r;
}

int factory_make_root(struct factory *f)
{
	int r = factory_open_root(f);

	return r == -1 ? make_root(f) : r;
}

void factory_hash(const void *blob, size_t len, char ret[65])
{
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (EVP_Digest(blob, len, digest, NULL, EVP_sha256(), NULL) == 1)
		hex(digest, 32, ret);
	else
		ret[0] = '\0';
}

int factory_derive(struct factory *f, struct slot_record *record)
{
	/* the UserName does not depend on the server */
	static const struct dmacc_server any = { DMACC_ELEMENT_SERVER_ID, "dmacc", 5 };
	struct dmacc_credentials credentials;
	int r;

	r = dmacc_kernel_derive(f->kernel, record->slot.name, &any, 0, &credentials);
	if (r)
		return r;
	memcpy(record->user_name, credentials.user_name, sizeof(record->user_name));
	dmacc_wipe(&credentials, sizeof(credentials));
	record->rung = f->status.rung;
	return dmacc_kernel_get_identity(f->kernel, NULL, record->devid);
}

static int load_blob(struct factory *f, const char *name, const uint8_t *blob, size_t len,
		     struct slot_record *ret, char reterr[256])
{
	if (!factory_store_is_slot(blob, len, name)) {
		snprintf(reterr, 256, "it is not the sealed key of this slot");
		return -1;
	}
	factory_hash(blob, len, ret->sha256);
	if (dmacc_kernel_load_key(f->kernel, blob, len, &ret->slot) || factory_derive(f, ret)) {
		snprintf(reterr, 256, "the kernel refused it: %s", dmacc_kernel_sentence(f->kernel));
		return -1;
	}
	return 0;
}

int factory_load_slot(struct factory *f, const char *name, struct slot_record *ret,
		      char reterr[256])
{
	uint8_t *blob;
	size_t len;
	int r;

	*ret = (struct slot_record){ 0 };
	r = factory_store_read_slot(f->store, name, &blob, &len);
	if (r) {
		snprintf(reterr, 256, "%s", factory_store_error(r));
		return -1;
	}
	r = load_blob(f, name, blob, len, ret, reterr);
	free(blob);
	return r;
}

void factory_print_slot(const struct factory *f, const struct slot_record *record)
{
	char key_id[2 * DMACC_KEYID_LEN + 1];
	struct json_object *o;

	hex(record->slot.key_id, DMACC_KEYID_LEN, key_id);
	if (!f->json) {
		printf("slot %s: KeyId %s, key version %u, rung %s, UserName %s, DevId %s, sha256 %s\n",
		       record->slot.name, key_id, record->slot.key_version,
		       dmacc_rung_word(record->rung), record->user_name, record->devid,
		       record->sha256);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "slot", json_object_new_string(record->slot.name));
	json_object_object_add(o, "key_id", json_object_new_string(key_id));
	json_object_object_add(o, "key_version", json_object_new_int64(record->slot.key_version));
	json_object_object_add(o, "rung", json_object_new_string(dmacc_rung_word(record->rung)));
	json_object_object_add(o, "user_name", json_object_new_string(record->user_name));
	json_object_object_add(o, "devid", json_object_new_string(record->devid));
	json_object_object_add(o, "sha256", json_object_new_string(record->sha256));
	printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}
