// SPDX-License-Identifier: LGPL-2.1-or-later
/* The TPM, as far as the factory seals with it; factory parent */
#include <errno.h>
#include <string.h>

#include "factory.h"

int chip_open(struct factory *f, bool *ret_missing)
{
	char sentence[256];
	int r = 0;

	if (!f->tpm)
		r = tpm_open(NULL, &f->tpm, sentence, sizeof(sentence));
	if (ret_missing) {
		*ret_missing = r == -ENODEV;
		if (r == -ENODEV)
			return 0;
	}
	return r ? complain("%s", sentence) : 0;
}

void chip_settle(struct factory *f)
{
	if (f->tpm && tpm_shutdown(f->tpm))
		complain("%s; shut down instead of cutting the power", tpm_sentence(f->tpm));
}

int chip_record(struct factory *f)
{
	uint8_t fingerprint[TPM_FINGERPRINT_LEN];
	int r;

	if (tpm_fingerprint(f->tpm, fingerprint))
		return complain("%s", tpm_sentence(f->tpm));
	r = factory_store_write_tpm(f->store, fingerprint);
	return r ? complain("%s/tpm: %s", f->path, strerror(-r)) : 0;
}

int chip_complain(struct factory *f, bool needs_parent, const char *what, const char *otherwise)
{
	uint8_t fingerprint[TPM_FINGERPRINT_LEN];
	bool known = !factory_store_read_tpm(f->store, fingerprint);
	char sentence[256];
	enum trouble trouble;

	trouble = tpm_trouble(tpm_diagnose(NULL, known ? fingerprint : NULL, needs_parent, sentence,
					   sizeof(sentence)));
	if (trouble == TROUBLE_NONE)
		return complain("%s: %s", what, otherwise);
	return complain("%s: %s: %s%s%s", what, trouble_word(trouble), trouble_means(trouble),
			sentence[0] ? ": " : "", sentence);
}

/* The same TPM makes the same key, and another one is not given a key for nothing */
static int check_same(struct factory *f)
{
	uint8_t recorded[TPM_FINGERPRINT_LEN], found[TPM_FINGERPRINT_LEN];
	int r;

	r = factory_store_read_tpm(f->store, recorded);
	if (r == -ENOENT)
		return complain("%s has nothing that hangs on a TPM", f->path);
	if (r)
		return complain("%s/tpm: %s", f->path, factory_store_error(r));
	if (tpm_fingerprint(f->tpm, found))
		return complain("%s", tpm_sentence(f->tpm));
	if (memcmp(recorded, found, sizeof(found)))
		return complain("%s: %s", trouble_word(TROUBLE_TPM_REPLACED),
				trouble_means(TROUBLE_TPM_REPLACED));
	return 0;
}

static int make_parent(struct factory *f)
{
	int r = check_same(f);

	if (!r && tpm_provision_parent(f->tpm))
		r = complain("%s", tpm_sentence(f->tpm));
	chip_settle(f);
	if (r)
		return r;
	if (f->json)
		printf("{\"parent\":\"0x%x\"}\n", TPM_PARENT_HANDLE);
	else
		printf("the TPM has the parent key, at 0x%x\n", TPM_PARENT_HANDLE);
	return EXIT_DONE;
}

int parent_main(int argc, char **argv)
{
	struct factory f = { .path = FACTORY_STORE_PATH };
	int r;

	r = factory_parse(&f, argc, argv);
	if (r)
		return r;
	r = factory_store_open(f.path, false, &f.store);
	if (r)
		r = complain("%s: %s", f.path, factory_store_error(r));
	if (!r)
		r = chip_open(&f, NULL);
	if (!r)
		r = make_parent(&f);
	factory_end(&f);
	return finish_output(r);
}
