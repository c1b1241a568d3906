// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_tcti.h>

#include "tss.h"

/* The same name from tpm2-tss 3 on */
#define ESYS_LIBRARY "libtss2-esys.so.0"

static const char *load_error(void)
{
	const char *error = dlerror();

	return error ? error : "it cannot be loaded";
}

static int load_functions(void *library, struct tss *ret, char *reterr, size_t size)
{
	bool complete = true;

#define TSS_LOAD(name) \
	*(void **)&ret->name = dlsym(library, #name); \
	complete = complete && ret->name;
	TSS_FUNCTIONS(TSS_LOAD)
#undef TSS_LOAD
	if (complete)
		return 0;
	snprintf(reterr, size, ESYS_LIBRARY " is too old: %s", load_error());
	return -ELIBACC;
}

int tss_load(const struct tss **ret, char *reterr, size_t size)
{
	static struct tss functions;
	static bool loaded;
	void *library;
	int r;

	if (!loaded) {
		/* what went wrong we say ourselves; who looks for more sets this */
		setenv("TSS2_LOG", "all+none", 0);
		library = dlopen(ESYS_LIBRARY, RTLD_NOW | RTLD_LOCAL);
		if (!library) {
			snprintf(reterr, size, "the library that speaks to a TPM is not installed: %s",
				 load_error());
			return -ELIBACC;
		}
		r = load_functions(library, &functions, reterr, size);
		if (r) {
			dlclose(library);
			return r;
		}
		loaded = true;
	}
	*ret = &functions;
	return 0;
}

/* The library stays: it has the context's functions */
static int find_init(const char *where, TSS2_TCTI_INIT_FUNC *ret, char *reterr, size_t size)
{
	TSS2_TCTI_INFO_FUNC info = NULL;
	char name[64];
	void *library;

	snprintf(name, sizeof(name), "libtss2-tcti-%.*s.so.0", (int)strcspn(where, ":"), where);
	library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (library)
		*(void **)&info = dlsym(library, TSS2_TCTI_INFO_SYMBOL);
	if (!info) {
		snprintf(reterr, size, "the library that speaks to a TPM is not installed: %s",
			 load_error());
		if (library)
			dlclose(library);
		return -ELIBACC;
	}
	*ret = info()->init;
	return 0;
}

int tss_connect(const char *where, TSS2_TCTI_CONTEXT **ret, char *reterr, size_t size)
{
	const char *conf = strchr(where, ':');
	TSS2_TCTI_CONTEXT *tcti = NULL;
	TSS2_TCTI_INIT_FUNC init;
	size_t len = 0;
	int r;

	conf = conf ? conf + 1 : NULL;
	r = find_init(where, &init, reterr, size);
	if (r)
		return r;
	if (!init(NULL, &len, conf))
		tcti = calloc(1, len);
	errno = 0;
	if (!tcti || init(tcti, &len, conf)) {
		snprintf(reterr, size, "the TPM at %s cannot be opened%s%s", conf ? conf : where,
			 errno ? ": " : "", errno ? strerror(errno) : "");
		free(tcti);
		return -EIO;
	}
	*ret = tcti;
	return 0;
}

void tss_disconnect(TSS2_TCTI_CONTEXT *tcti)
{
	if (!tcti)
		return;
	Tss2_Tcti_Finalize(tcti);
	free(tcti);
}
