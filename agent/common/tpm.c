// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tpm.h"
#include "tss.h"

/* The one that shares the TPM with others, else the one that has it alone */
static const char * const devices[] = { "/dev/tpmrm0", "/dev/tpm0" };

static const TPM2B_PUBLIC parent_template = {
	.publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
			TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
			TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT,
		.parameters.eccDetail = {
			.symmetric = {
				.algorithm = TPM2_ALG_AES,
				.keyBits.aes = 128,
				.mode.aes = TPM2_ALG_CFB,
			},
			.scheme.scheme = TPM2_ALG_NULL,
			.curveID = TPM2_ECC_NIST_P256,
			.kdf.scheme = TPM2_ALG_NULL,
		},
	},
};

struct tpm {
	const struct tss *tss;
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	char sentence[256];
};

static int fail(struct tpm *tpm, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct tpm *tpm, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(tpm->sentence, sizeof(tpm->sentence), format, args);
	va_end(args);
	return error;
}

static int fail_rc(struct tpm *tpm, const char *what, TSS2_RC rc)
{
	return fail(tpm, -EIO, "%s: TPM error 0x%x", what, rc);
}

static int find_device(char *ret, size_t size)
{
	size_t i;

	for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		if (access(devices[i], F_OK))
			continue;
		snprintf(ret, size, "device:%s", devices[i]);
		return 0;
	}
	return -ENODEV;
}

int tpm_open(const char *where, struct tpm **ret, char *reterr, size_t size)
{
	struct tpm *tpm;
	char device[32];
	int r;

	if (!where && find_device(device, sizeof(device))) {
		snprintf(reterr, size, "there is no TPM: neither %s nor %s", devices[0], devices[1]);
		return -ENODEV;
	}
	tpm = calloc(1, sizeof(*tpm));
	if (!tpm) {
		snprintf(reterr, size, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	r = tss_load(&tpm->tss, reterr, size);
	if (!r)
		r = tss_connect(where ? where : device, &tpm->tcti, reterr, size);
	if (!r && tpm->tss->Esys_Initialize(&tpm->esys, tpm->tcti, NULL)) {
		snprintf(reterr, size, "the TPM cannot be asked");
		r = -EIO;
	}
	if (r) {
		tpm_close(tpm);
		return r;
	}
	*ret = tpm;
	return 0;
}

struct tpm *tpm_close(struct tpm *tpm)
{
	if (!tpm)
		return NULL;
	if (tpm->esys)
		tpm->tss->Esys_Finalize(&tpm->esys);
	tss_disconnect(tpm->tcti);
	free(tpm);
	return NULL;
}

const char *tpm_sentence(const struct tpm *tpm)
{
	return tpm->sentence;
}

static int get_capability(struct tpm *tpm, TPM2_CAP capability, UINT32 property,
			  TPMS_CAPABILITY_DATA **ret)
{
	TPMI_YES_NO more;
	TSS2_RC rc;

	rc = tpm->tss->Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					  capability, property, 1, &more, ret);
	return rc ? fail_rc(tpm, "the TPM does not answer as a TPM 2.0 does", rc) : 0;
}

/* TPMA_PERMANENT: locked out, owner's password */
static int read_permanent(struct tpm *tpm, TPMA_PERMANENT *ret)
{
	const TPML_TAGGED_TPM_PROPERTY *properties;
	TPMS_CAPABILITY_DATA *data;
	int r;

	r = get_capability(tpm, TPM2_CAP_TPM_PROPERTIES, TPM2_PT_PERMANENT, &data);
	if (r)
		return r;
	properties = &data->data.tpmProperties;
	if (properties->count && properties->tpmProperty[0].property == TPM2_PT_PERMANENT)
		*ret = properties->tpmProperty[0].value;
	else
		r = fail(tpm, -EIO, "the TPM does not tell its state");
	tpm->tss->Esys_Free(data);
	return r;
}

/* Is anything at our handle? 1, 0 or a negative errno */
static int has_parent(struct tpm *tpm)
{
	const TPML_HANDLE *handles;
	TPMS_CAPABILITY_DATA *data;
	int r;

	r = get_capability(tpm, TPM2_CAP_HANDLES, TPM_PARENT_HANDLE, &data);
	if (r)
		return r;
	handles = &data->data.handles;
	r = handles->count && handles->handle[0] == TPM_PARENT_HANDLE;
	tpm->tss->Esys_Free(data);
	return r;
}

static bool is_template(const TPMT_PUBLIC *key)
{
	const TPMT_PUBLIC *wanted = &parent_template.publicArea;
	const TPMS_ECC_PARMS *a = &key->parameters.eccDetail, *b = &wanted->parameters.eccDetail;

	return key->type == wanted->type && key->nameAlg == wanted->nameAlg &&
		key->objectAttributes == wanted->objectAttributes && !key->authPolicy.size &&
		a->symmetric.algorithm == b->symmetric.algorithm &&
		a->symmetric.keyBits.aes == b->symmetric.keyBits.aes &&
		a->symmetric.mode.aes == b->symmetric.mode.aes &&
		a->scheme.scheme == b->scheme.scheme && a->curveID == b->curveID &&
		a->kdf.scheme == b->kdf.scheme;
}

/* A primary key of the owner's is qualified by the owner's handle and its own name, and by no more */
static bool is_owners_primary(const TPM2B_NAME *name, const TPM2B_NAME *qualified)
{
	static const uint8_t owner[] = { 0x40, 0, 0, 1 }, algorithm[] = { 0, 0x0b };
	uint8_t data[sizeof(owner) + sizeof(name->name)], digest[EVP_MAX_MD_SIZE];

	if (qualified->size != sizeof(algorithm) + TPM_FINGERPRINT_LEN)
		return false;
	memcpy(data, owner, sizeof(owner));
	memcpy(data + sizeof(owner), name->name, name->size);
	return EVP_Digest(data, sizeof(owner) + name->size, digest, NULL, EVP_sha256(), NULL) == 1 &&
		!memcmp(qualified->name, algorithm, sizeof(algorithm)) &&
		!memcmp(qualified->name + sizeof(algorithm), digest, TPM_FINGERPRINT_LEN);
}

/* The digest of a key's name, which is its public part's */
static int take_name(struct tpm *tpm, const TPM2B_NAME *name, uint8_t *ret)
{
	if (name->size != sizeof(TPM2_ALG_ID) + TPM_FINGERPRINT_LEN)
		return fail(tpm, -EIO, "the TPM names a key in a way that is not known");
	memcpy(ret, name->name + sizeof(TPM2_ALG_ID), TPM_FINGERPRINT_LEN);
	return 0;
}

static int read_public(struct tpm *tpm, ESYS_TR key, bool primary, uint8_t *ret_name)
{
	TPM2B_NAME *name = NULL, *qualified = NULL;
	TPM2B_PUBLIC *public = NULL;
	TSS2_RC rc;
	int r = 0;

	rc = tpm->tss->Esys_ReadPublic(tpm->esys, key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				       &public, &name, &qualified);
	if (rc)
		return fail_rc(tpm, "the TPM does not show a key", rc);
	if (primary && !(is_template(&public->publicArea) && is_owners_primary(name, qualified)))
		r = fail(tpm, -EEXIST, "another key is at the TPM's handle 0x%x, and is not evicted; "
			 "whoever made it has to move it", TPM_PARENT_HANDLE);
	if (!r)
		r = take_name(tpm, name, ret_name);
	tpm->tss->Esys_Free(public);
	tpm->tss->Esys_Free(name);
	tpm->tss->Esys_Free(qualified);
	return r;
}

/* The key at our handle, which has to be one of ours */
static int read_parent(struct tpm *tpm, uint8_t ret_name[TPM_FINGERPRINT_LEN])
{
	ESYS_TR key;
	TSS2_RC rc;
	int r;

	rc = tpm->tss->Esys_TR_FromTPMPublic(tpm->esys, TPM_PARENT_HANDLE, ESYS_TR_NONE,
					     ESYS_TR_NONE, ESYS_TR_NONE, &key);
	if (rc)
		return fail_rc(tpm, "the TPM does not show the key at our handle", rc);
	r = read_public(tpm, key, true, ret_name);
	tpm->tss->Esys_TR_Close(tpm->esys, &key);
	return r;
}

static int check_owner(struct tpm *tpm)
{
	TPMA_PERMANENT permanent;
	int r;

	r = read_permanent(tpm, &permanent);
	if (!r && (permanent & TPMA_PERMANENT_OWNERAUTHSET))
		return fail(tpm, -EACCES, "the TPM's owner has set a password, without which no key can "
			    "be made; take it away for this, for example with 'tpm2_changeauth'");
	return r;
}

/* The parent key as a transient one; the same each time, as it is made of the owner's seed */
static int make_primary(struct tpm *tpm, ESYS_TR *ret)
{
	static const TPM2B_SENSITIVE_CREATE no_password;
	static const TPML_PCR_SELECTION no_pcr;
	static const TPM2B_DATA nothing;
	TPM2B_CREATION_DATA *data = NULL;
	TPMT_TK_CREATION *ticket = NULL;
	TPM2B_PUBLIC *public = NULL;
	TPM2B_DIGEST *hash = NULL;
	TSS2_RC rc;
	int r;

	r = check_owner(tpm);
	if (r)
		return r;
	rc = tpm->tss->Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
					  ESYS_TR_NONE, ESYS_TR_NONE, &no_password,
					  &parent_template, &nothing, &no_pcr, ret, &public, &data,
					  &hash, &ticket);
	tpm->tss->Esys_Free(public);
	tpm->tss->Esys_Free(data);
	tpm->tss->Esys_Free(hash);
	tpm->tss->Esys_Free(ticket);
	return rc ? fail_rc(tpm, "the TPM makes no parent key", rc) : 0;
}

static int keep(struct tpm *tpm, ESYS_TR primary)
{
	ESYS_TR kept;
	TSS2_RC rc;

	rc = tpm->tss->Esys_EvictControl(tpm->esys, ESYS_TR_RH_OWNER, primary, ESYS_TR_PASSWORD,
					 ESYS_TR_NONE, ESYS_TR_NONE, TPM_PARENT_HANDLE, &kept);
	if (rc == TPM2_RC_NV_SPACE)
		return fail(tpm, -ENOSPC, "the TPM has no room for one more persistent key");
	if (rc)
		return fail_rc(tpm, "the TPM does not keep the parent key", rc);
	tpm->tss->Esys_TR_Close(tpm->esys, &kept);
	return 0;
}

int tpm_provision_parent(struct tpm *tpm)
{
	uint8_t name[TPM_FINGERPRINT_LEN];
	ESYS_TR primary;
	int r;

	r = has_parent(tpm);
	if (r)
		return r < 0 ? r : read_parent(tpm, name);
	r = make_primary(tpm, &primary);
	if (r)
		return r;
	r = keep(tpm, primary);
	tpm->tss->Esys_FlushContext(tpm->esys, primary);
	return r;
}

int tpm_shutdown(struct tpm *tpm)
{
	TSS2_RC rc;

	rc = tpm->tss->Esys_Shutdown(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				     TPM2_SU_CLEAR);
	return rc ? fail_rc(tpm, "the TPM cannot be told to expect a power cut", rc) : 0;
}

int tpm_fingerprint(struct tpm *tpm, uint8_t ret[TPM_FINGERPRINT_LEN])
{
	ESYS_TR primary;
	int r;

	/* where the key has been made, nothing has to be made for this */
	if (has_parent(tpm) > 0 && !read_parent(tpm, ret))
		return 0;
	r = make_primary(tpm, &primary);
	if (r)
		return r;
	r = read_public(tpm, primary, false, ret);
	tpm->tss->Esys_FlushContext(tpm->esys, primary);
	return r;
}

static enum tpm_state check_parent(struct tpm *tpm)
{
	uint8_t name[TPM_FINGERPRINT_LEN];
	int r = has_parent(tpm);

	if (r < 0)
		return TPM_MUTE;
	if (!r)
		fail(tpm, 0, "there is no key at its handle 0x%x", TPM_PARENT_HANDLE);
	return r && !read_parent(tpm, name) ? TPM_FINE : TPM_NO_PARENT;
}

static enum tpm_state diagnose(struct tpm *tpm, const uint8_t *fingerprint, bool needs_parent)
{
	uint8_t found[TPM_FINGERPRINT_LEN];
	TPMA_PERMANENT permanent;

	if (read_permanent(tpm, &permanent))
		return TPM_MUTE;
	if (fingerprint && !tpm_fingerprint(tpm, found) &&
	    memcmp(found, fingerprint, TPM_FINGERPRINT_LEN))
		return TPM_REPLACED;
	if (permanent & TPMA_PERMANENT_INLOCKOUT)
		return TPM_LOCKED_OUT;
	return needs_parent ? check_parent(tpm) : TPM_FINE;
}

enum tpm_state tpm_diagnose(const char *where, const uint8_t *fingerprint, bool needs_parent,
			    char *ret_sentence, size_t size)
{
	enum tpm_state state;
	struct tpm *tpm;
	int r;

	r = tpm_open(where, &tpm, ret_sentence, size);
	if (r)
		return r == -ENODEV ? TPM_MISSING : TPM_MUTE;
	state = diagnose(tpm, fingerprint, needs_parent);
	snprintf(ret_sentence, size, "%s",
		 state == TPM_MUTE || state == TPM_NO_PARENT ? tpm->sentence : "");
	(void)tpm_shutdown(tpm);
	tpm_close(tpm);
	return state;
}

enum trouble tpm_trouble(enum tpm_state state)
{
	switch (state) {
	case TPM_MISSING:
	case TPM_MUTE: return TROUBLE_NO_TPM;
	case TPM_LOCKED_OUT: return TROUBLE_TPM_LOCKED_OUT;
	case TPM_NO_PARENT: return TROUBLE_NO_PARENT;
	case TPM_REPLACED: return TROUBLE_TPM_REPLACED;
	default: return TROUBLE_NONE;
	}
}
