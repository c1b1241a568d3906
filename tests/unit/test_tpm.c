// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The TPM's parent key, the word before a power cut, and the diagnosis, with a real TPM in software. Each
 * test starts one with an empty state, and cuts its power by killing it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tpm.h"
#include "tss.h"

struct software {
	char folder[32];
	char where[80];
	pid_t pid;
};

static struct software software;

/* Never returns */
static void run_swtpm(void)
{
	char state[64], server[96], control[96];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* it tells of each client that leaves */
	if (!freopen("/dev/null", "w", stderr) || !freopen("/dev/null", "w", stdout))
		_exit(126);
	snprintf(state, sizeof(state), "dir=%s", software.folder);
	snprintf(server, sizeof(server), "type=unixio,path=%s/socket", software.folder);
	snprintf(control, sizeof(control), "type=unixio,path=%s/socket.ctrl", software.folder);
	execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--server", server, "--ctrl",
	       control, "--flags", "not-need-init,startup-clear", NULL);
	_exit(127);
}

static void power_on(void)
{
	char socket[64];
	int i;

	software.pid = fork();
	if (!software.pid)
		run_swtpm();
	assert_true(software.pid > 0);
	snprintf(socket, sizeof(socket), "%s/socket", software.folder);
	for (i = 0; i < 600 && access(socket, F_OK); i++)
		usleep(50000);
	assert_int_equal(access(socket, F_OK), 0);
}

static void power_cut(void)
{
	char path[64];

	kill(software.pid, SIGKILL);
	waitpid(software.pid, NULL, 0);
	snprintf(path, sizeof(path), "%s/socket", software.folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/socket.ctrl", software.folder);
	unlink(path);
}

static int setup(void **state)
{
	(void)state;
	strcpy(software.folder, "/tmp/test_tpm.XXXXXX");
	if (!mkdtemp(software.folder))
		return -1;
	snprintf(software.where, sizeof(software.where), "swtpm:path=%s/socket", software.folder);
	power_on();
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	power_cut();
	return nftw(software.folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static struct tpm *opened(void)
{
	char sentence[256];
	struct tpm *tpm;

	if (tpm_open(software.where, &tpm, sentence, sizeof(sentence)))
		fail_msg("%s", sentence);
	return tpm;
}

/* A second client, for what the code under test never does */
struct client {
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
};

static struct client client_open(void)
{
	struct client c = { 0 };
	char sentence[256];

	if (tss_connect(software.where, &c.tcti, sentence, sizeof(sentence)))
		fail_msg("%s", sentence);
	assert_int_equal(Esys_Initialize(&c.esys, c.tcti, NULL), 0);
	return c;
}

static void client_close(struct client *c)
{
	Esys_Finalize(&c->esys);
	tss_disconnect(c->tcti);
}

static const TPM2B_SENSITIVE_CREATE no_password;
static const TPML_PCR_SELECTION no_pcr;
static const TPM2B_DATA nothing;

/* What a parent key looks like, but for what is added or taken away */
static TPM2B_PUBLIC parent_like(TPMA_OBJECT added, TPMA_OBJECT taken)
{
	TPMA_OBJECT attributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
		TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_RESTRICTED |
		TPMA_OBJECT_NODA | TPMA_OBJECT_DECRYPT;

	return (TPM2B_PUBLIC) { .publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = (attributes | added) & ~taken,
		.parameters.eccDetail = {
			.symmetric = { TPM2_ALG_AES, { .aes = 128 }, { .aes = TPM2_ALG_CFB } },
			.scheme.scheme = TPM2_ALG_NULL,
			.curveID = TPM2_ECC_NIST_P256,
			.kdf.scheme = TPM2_ALG_NULL,
		},
	} };
}

static ESYS_TR create_primary(struct client *c, ESYS_TR hierarchy, const TPM2B_PUBLIC *public)
{
	ESYS_TR key;

	assert_int_equal(Esys_CreatePrimary(c->esys, hierarchy, ESYS_TR_PASSWORD, ESYS_TR_NONE,
		ESYS_TR_NONE, &no_password, public, &nothing, &no_pcr, &key, NULL, NULL, NULL, NULL), 0);
	return key;
}

/* Puts a key at our handle */
static void squat(const TPM2B_PUBLIC *public)
{
	struct client c = client_open();
	ESYS_TR key = create_primary(&c, ESYS_TR_RH_OWNER, public), kept;

	assert_int_equal(Esys_EvictControl(c.esys, ESYS_TR_RH_OWNER, key, ESYS_TR_PASSWORD,
		ESYS_TR_NONE, ESYS_TR_NONE, TPM_PARENT_HANDLE, &kept), 0);
	Esys_FlushContext(c.esys, key);
	client_close(&c);
}

/* Removes what is at our handle */
static void evict(void)
{
	struct client c = client_open();
	ESYS_TR key, none;

	assert_int_equal(Esys_TR_FromTPMPublic(c.esys, TPM_PARENT_HANDLE, ESYS_TR_NONE, ESYS_TR_NONE,
		ESYS_TR_NONE, &key), 0);
	assert_int_equal(Esys_EvictControl(c.esys, ESYS_TR_RH_OWNER, key, ESYS_TR_PASSWORD,
		ESYS_TR_NONE, ESYS_TR_NONE, TPM_PARENT_HANDLE, &none), 0);
	client_close(&c);
}

/* Uses a key that is under the protection against guessing, as an unsealing does */
static TSS2_RC use_protected_key(void)
{
	const TPM2B_PUBLIC protected = parent_like(0, TPMA_OBJECT_NODA);
	struct client c = client_open();
	TPM2B_PRIVATE *private = NULL;
	TPM2B_PUBLIC *public = NULL;
	ESYS_TR key = create_primary(&c, ESYS_TR_RH_OWNER, &protected);
	TSS2_RC rc;

	rc = Esys_Create(c.esys, key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &no_password,
			 &protected, &nothing, &no_pcr, &private, &public, NULL, NULL, NULL);
	Esys_Free(private);
	Esys_Free(public);
	Esys_FlushContext(c.esys, key);
	client_close(&c);
	return rc;
}

static void provision(void)
{
	struct tpm *tpm = opened();

	if (tpm_provision_parent(tpm))
		fail_msg("%s", tpm_sentence(tpm));
	tpm_close(tpm);
}

static void get_fingerprint(uint8_t ret[TPM_FINGERPRINT_LEN])
{
	struct tpm *tpm = opened();

	if (tpm_fingerprint(tpm, ret))
		fail_msg("%s", tpm_sentence(tpm));
	tpm_close(tpm);
}

static enum tpm_state diagnosis(const uint8_t *fingerprint, bool needs_parent)
{
	char sentence[256];

	return tpm_diagnose(software.where, fingerprint, needs_parent, sentence, sizeof(sentence));
}

static void parent_is_made_once_and_is_there_after_a_power_cut(void **state)
{
	(void)state;
	assert_int_equal(diagnosis(NULL, true), TPM_NO_PARENT);
	provision();
	assert_int_equal(diagnosis(NULL, true), TPM_FINE);
	provision();
	power_cut();
	power_on();
	assert_int_equal(diagnosis(NULL, true), TPM_FINE);
	provision();
}

static void fingerprint_is_the_same_with_and_without_parent(void **state)
{
	uint8_t before[TPM_FINGERPRINT_LEN], with[TPM_FINGERPRINT_LEN], after[TPM_FINGERPRINT_LEN];

	(void)state;
	get_fingerprint(before);
	provision();
	get_fingerprint(with);
	evict();
	get_fingerprint(after);
	assert_memory_equal(before, with, sizeof(before));
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(diagnosis(before, true), TPM_NO_PARENT);
	assert_int_equal(diagnosis(before, false), TPM_FINE);
}

static void other_keys_at_the_handle_are_refused_and_stay(void **state)
{
	const TPM2B_PUBLIC others[] = { parent_like(0, TPMA_OBJECT_NODA),
		parent_like(0, TPMA_OBJECT_RESTRICTED), parent_like(0, TPMA_OBJECT_FIXEDTPM |
		TPMA_OBJECT_FIXEDPARENT) };
	struct tpm *tpm;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		TPM2B_PUBLIC other = others[i];

		if (!(other.publicArea.objectAttributes & TPMA_OBJECT_RESTRICTED))
			other.publicArea.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
		squat(&other);
		tpm = opened();
		assert_int_equal(tpm_provision_parent(tpm), -EEXIST);
		assert_non_null(strstr(tpm_sentence(tpm), "is not evicted"));
		tpm_close(tpm);
		assert_int_equal(diagnosis(NULL, true), TPM_NO_PARENT);
		/* fails if it is gone */
		evict();
	}
}

static void password_of_the_owner_is_named(void **state)
{
	const TPM2B_AUTH password = { .size = 4, .buffer = "word" };
	struct client c = client_open();
	struct tpm *tpm;

	(void)state;
	assert_int_equal(Esys_HierarchyChangeAuth(c.esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
		ESYS_TR_NONE, ESYS_TR_NONE, &password), 0);
	client_close(&c);
	tpm = opened();
	assert_int_equal(tpm_provision_parent(tpm), -EACCES);
	assert_non_null(strstr(tpm_sentence(tpm), "owner has set a password"));
	tpm_close(tpm);
}

static void parent_is_found_though_the_owner_set_a_password_since(void **state)
{
	const TPM2B_AUTH password = { .size = 4, .buffer = "word" };
	struct client c;

	(void)state;
	provision();
	c = client_open();
	assert_int_equal(Esys_HierarchyChangeAuth(c.esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
		ESYS_TR_NONE, ESYS_TR_NONE, &password), 0);
	client_close(&c);
	provision();
	assert_int_equal(diagnosis(NULL, true), TPM_FINE);
}

static void cleared_tpm_is_another_one(void **state)
{
	uint8_t fingerprint[TPM_FINGERPRINT_LEN];
	struct client c;

	(void)state;
	provision();
	get_fingerprint(fingerprint);
	assert_int_equal(diagnosis(fingerprint, true), TPM_FINE);
	c = client_open();
	assert_int_equal(Esys_Clear(c.esys, ESYS_TR_RH_LOCKOUT, ESYS_TR_PASSWORD, ESYS_TR_NONE,
		ESYS_TR_NONE), 0);
	client_close(&c);
	assert_int_equal(diagnosis(fingerprint, true), TPM_REPLACED);
	provision();
	assert_int_equal(diagnosis(fingerprint, true), TPM_REPLACED);
	assert_int_equal(diagnosis(NULL, true), TPM_FINE);
}

static void power_cuts_without_a_word_lock_the_tpm_out(void **state)
{
	uint8_t fingerprint[TPM_FINGERPRINT_LEN];
	int i;

	(void)state;
	provision();
	get_fingerprint(fingerprint);
	for (i = 0; i < 6 && diagnosis(fingerprint, true) == TPM_FINE; i++) {
		(void)use_protected_key();
		power_cut();
		power_on();
	}
	assert_int_equal(diagnosis(fingerprint, true), TPM_LOCKED_OUT);
	/* which leaves the parent usable, and is not made worse by it */
	provision();
}

static void power_cuts_after_a_word_do_not(void **state)
{
	struct tpm *tpm;
	int i;

	(void)state;
	for (i = 0; i < 10; i++) {
		assert_int_equal(use_protected_key(), 0);
		tpm = opened();
		assert_int_equal(tpm_shutdown(tpm), 0);
		tpm_close(tpm);
		power_cut();
		power_on();
		assert_int_equal(diagnosis(NULL, false), TPM_FINE);
	}
}

static void what_is_not_there_is_named(void **state)
{
	char sentence[256];
	struct tpm *tpm;

	(void)state;
	assert_int_equal(tpm_open("swtpm:path=/nonexistent", &tpm, sentence, sizeof(sentence)), -EIO);
	assert_non_null(strstr(sentence, "/nonexistent cannot be opened"));
	assert_int_equal(tpm_open("pigeon:post", &tpm, sentence, sizeof(sentence)), -ELIBACC);
	assert_non_null(strstr(sentence, "libtss2-tcti-pigeon.so.0"));
	assert_int_equal(tpm_diagnose("swtpm:path=/nonexistent", NULL, true, sentence,
				      sizeof(sentence)), TPM_MUTE);
	if (access("/dev/tpm0", F_OK))
		assert_int_equal(tpm_diagnose(NULL, NULL, true, sentence, sizeof(sentence)), TPM_MISSING);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(parent_is_made_once_and_is_there_after_a_power_cut),
		TEST(fingerprint_is_the_same_with_and_without_parent),
		TEST(other_keys_at_the_handle_are_refused_and_stay),
		TEST(password_of_the_owner_is_named),
		TEST(parent_is_found_though_the_owner_set_a_password_since),
		TEST(cleared_tpm_is_another_one),
		TEST(power_cuts_without_a_word_lock_the_tpm_out),
		TEST(power_cuts_after_a_word_do_not),
		TEST(what_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
