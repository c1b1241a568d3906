// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dmacc-unseal: once a boot, hands the module what the factory sealed. The only program that reads
 * the master and the sealed blobs in the field; it keeps nothing but a report, and ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blob.h"
#include "dmacc.h"
#include "harden.h"
#include "lives.h"
#include "unseal.h"

#define AGENT_USER "dmacc"
#define RETRY_NAME "retry"

static int find_agent(struct unseal *u)
{
	const struct passwd *user;

	errno = 0;
	user = getpwnam(AGENT_USER);
	if (!user)
		return refuse_root(u, TROUBLE_NO_AGENT_USER, "there is no user '" AGENT_USER "', whose agent "
				   "may use the keys%s%s", errno ? ": " : "",
				   errno ? strerror(errno) : "");
	u->agent = user->pw_uid;
	return 0;
}

static int connect_kernel(struct unseal *u)
{
	char sentence[256];
	int r;

	r = dmacc_kernel_open(&u->kernel);
	if (r == -ENOENT) {
		dmacc_kernel_missing_sentence(sentence, sizeof(sentence));
		return refuse_root(u, TROUBLE_NO_MODULE, "%s", sentence);
	}
	return r ? refuse_root(u, TROUBLE_UNSEAL_FAILED, "the kernel cannot be asked: %s", strerror(-r)) : 0;
}

/* Whether the kernel's trusted keys are missing, or what seals them, only the TPM's absence tells */
static bool may_be_tpm(const struct unseal *u, enum trouble trouble)
{
	if (blob_rung(u->root, u->root_len) != DMACC_RUNG_TRUSTED)
		return false;
	return trouble == TROUBLE_ROOT_REFUSED || (trouble == TROUBLE_NO_KEY_TYPE && is_of_tpm(u));
}

static int refuse_open(struct unseal *u, int error, const char *sentence)
{
	struct dmacc_kernel_status status = { 0 };
	enum trouble trouble, found = TROUBLE_NONE;
	char detail[256] = "", kernel[256];

	snprintf(kernel, sizeof(kernel), "%s", sentence);
	(void)dmacc_kernel_get_status(u->kernel, &status);
	trouble = trouble_of_root(error, &status);
	if (may_be_tpm(u, trouble))
		found = ask_tpm(u, true, detail, sizeof(detail));
	/* a TPM that is there does not explain a kernel without trusted keys */
	if (found != TROUBLE_NONE && (trouble != TROUBLE_NO_KEY_TYPE || found == TROUBLE_NO_TPM))
		trouble = found;
	return refuse_root(u, trouble, "%s/root: the kernel refused it: %s%s%s", u->store_path, kernel,
			   detail[0] ? "; " : "", detail);
}

static int open_root(struct unseal *u)
{
	enum dmacc_rung rung = blob_rung(u->root, u->root_len);
	int r;

	r = find_agent(u);
	if (!r && rung == DMACC_RUNG_WRAPPED)
		r = read_master(u);
	if (!r)
		r = connect_kernel(u);
	if (r)
		return r;
	if (rung == DMACC_RUNG_TRUSTED)
		prepare_tpm(u);
	r = dmacc_kernel_open_root(u->kernel, u->root, u->root_len,
				   rung == DMACC_RUNG_WRAPPED ? &u->master : NULL, u->agent);
	if (rung == DMACC_RUNG_TRUSTED)
		settle_tpm(u);
	dmacc_wipe(&u->master, sizeof(u->master));
	return r ? refuse_open(u, r, dmacc_kernel_sentence(u->kernel)) : 0;
}

static int load_blob(struct unseal *u, const char *name, const uint8_t *blob, size_t len)
{
	enum trouble trouble = trouble_of_slot_file(blob, len, name);
	struct dmacc_kernel_status status = { 0 };
	char sentence[256];
	int r;

	if (trouble != TROUBLE_NONE)
		return refuse_slot(u, name, trouble, "it is not the sealed key of slot '%s'", name);
	r = dmacc_kernel_load_key(u->kernel, blob, len, NULL);
	if (!r)
		return unseal_report_slot(&u->report, name, TROUBLE_NONE, NULL);
	snprintf(sentence, sizeof(sentence), "%s", dmacc_kernel_sentence(u->kernel));
	(void)dmacc_kernel_get_status(u->kernel, &status);
	return refuse_slot(u, name, trouble_of_slot(r, blob, len, status.root_id),
			   "the kernel refused it: %s", sentence);
}

static int load_slot(struct unseal *u, const char *name)
{
	uint8_t *blob;
	size_t len;
	int r;

	r = factory_store_read_slot(u->store, name, &blob, &len);
	if (r)
		return refuse_slot(u, name, r == -ENOENT || r == -EFBIG ? TROUBLE_SLOT_DAMAGED :
				   trouble_of_store(r), "%s", factory_store_error(r));
	r = load_blob(u, name, blob, len);
	free(blob);
	return r;
}

/* One that is refused does not keep the others out */
static int load_slots(struct unseal *u, size_t *ret_loaded)
{
	char **names;
	int r, result = 0;
	size_t i;

	r = factory_store_list_slots(u->store, &names);
	if (r)
		return refuse_root(u, trouble_of_store(r), "%s/slots: %s", u->store_path,
				   factory_store_error(r));
	/* what the agent has to know before it derives */
	if (lives_tell(u->store, LIVES_STATE_PATH, u->report_path))
		say(WARNING, "%s: it cannot be said which keys were there before a reset", u->report_path);
	*ret_loaded = 0;
	for (i = 0; names[i]; i++) {
		r = load_slot(u, names[i]);
		if (r)
			result = r;
		else
			++*ret_loaded;
	}
	factory_store_free_slots(names);
	return result;
}

static void report(struct unseal *u, size_t loaded)
{
	struct dmacc_kernel_status status;

	if (dmacc_kernel_get_status(u->kernel, &status))
		return;
	say(INFO, "the root is open (rung %s, master %s, %slocked), sealed keys loaded: %zu",
	    dmacc_rung_word(status.rung), dmacc_master_source_word(status.master_source),
	    status.locked ? "" : "not ", loaded);
}

/* A store that has sealed keys once had the root that they hang on */
static int no_root(struct unseal *u)
{
	bool had_one = false;
	char **names;

	if (!factory_store_list_slots(u->store, &names)) {
		had_one = names[0];
		factory_store_free_slots(names);
	}
	if (had_one)
		return refuse_root(u, TROUBLE_FACTORY_STORE_DAMAGED, "%s has sealed keys, and not the root "
				   "that they were sealed under", u->store_path);
	unseal_report_root(&u->report, TROUBLE_NOTHING_INJECTED, NULL);
	say(INFO, "nothing to unseal: there is no %s/root", u->store_path);
	return 1;
}

/*
 * A partition that the kernel has seen is about to be mounted, and where it comes while we run nobody
 * starts us again: a while is waited for it, and then the timer tries.
 */
static int open_store(struct unseal *u)
{
	int tries, r = -ENOMEDIUM;

	for (tries = 0; tries < 100 && r == -ENOMEDIUM; tries++) {
		if (tries)
			usleep(200000);
		r = factory_store_open(u->store_path, 0, &u->store);
	}
	u->retry |= r == -ENOMEDIUM;
	return r;
}

int read_root(struct unseal *u)
{
	int r = open_store(u);

	if (r == -ENOENT) {
		unseal_report_root(&u->report, TROUBLE_NOTHING_INJECTED, NULL);
		say(INFO, "nothing to unseal: there is no %s", u->store_path);
		return 1;
	}
	if (r)
		return refuse_root(u, trouble_of_store(r), "%s: %s", u->store_path,
				   factory_store_error(r));
	r = factory_store_read_root(u->store, &u->root, &u->root_len);
	if (r == -ENOENT)
		return no_root(u);
	return r ? refuse_root(u, trouble_of_store(r), "%s/root: %s", u->store_path,
			       factory_store_error(r)) : 0;
}

/* What the retry's timer looks for */
static int mark_retry(const char *path, bool retry)
{
	int folder, fd;

	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	if (retry) {
		fd = openat(folder, RETRY_NAME, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd >= 0)
			close(fd);
	} else {
		(void)unlinkat(folder, RETRY_NAME, 0);
	}
	close(folder);
	return 0;
}

void leave_report(struct unseal *u)
{
	int r = unseal_report_write(&u->report, u->report_path);

	if (!r)
		r = mark_retry(u->report_path, u->retry);
	if (r)
		say(WARNING, "what this run came to cannot be left in %s: %s", u->report_path,
		    strerror(-r));
	unseal_report_done(&u->report);
}

static int unseal(struct unseal *u)
{
	size_t loaded = 0;
	int r;

	r = read_root(u);
	if (r)
		return r < 0 ? r : 0;
	r = open_root(u);
	if (!r) {
		r = load_slots(u, &loaded);
		report(u, loaded);
	}
	return r;
}

static int parse(int argc, char **argv, struct unseal *u, bool *ret_explain)
{
	static const struct option options[] = {
		{ "explain", no_argument, NULL, 'e' },
		{ "factory-store", required_argument, NULL, 's' },
		{ "report", required_argument, NULL, 'r' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'v':
			printf("dmacc-unseal %s\n", DMACC_VERSION);
			exit(EXIT_SUCCESS);
		case 'e':
			*ret_explain = true;
			break;
		case 'r':
			u->report_path = optarg;
			break;
		case 's':
			u->store_path = optarg;
			break;
		default:
			return -EINVAL;
		}
	}
	return optind < argc ? refuse("it takes no argument '%s'", argv[optind]) : 0;
}

int main(int argc, char **argv)
{
	struct unseal u = {
		.store_path = FACTORY_STORE_PATH,
		.report_path = UNSEAL_REPORT_FOLDER,
	};
	bool explaining = false;
	int r;

	harden_process();
	r = parse(argc, argv, &u, &explaining);
	if (r)
		return 2;
	if (explaining && is_explained())
		return EXIT_SUCCESS;
	r = explaining ? explain(&u) : unseal(&u);
	leave_report(&u);
	dmacc_wipe(&u.master, sizeof(u.master));
	free(u.root);
	dmacc_kernel_close(u.kernel);
	tpm_close(u.tpm);
	factory_store_close(u.store);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
