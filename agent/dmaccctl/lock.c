// SPDX-License-Identifier: LGPL-2.1-or-later
/* factory lock: the end of the factory phase, in the kernel and in the store */
#include "factory.h"

/* A device that is locked too early can never be given a key */
static int check_slots(struct factory *f)
{
	char **names;
	bool any;
	int r;

	r = factory_store_list_slots(f->store, &names);
	if (r)
		return complain("%s/slots: %s", f->path, factory_store_error(r));
	any = names[0];
	factory_store_free_slots(names);
	return any ? 0 : complain("nothing has been injected, and a locked device takes no key any more");
}

static int lock(struct factory *f)
{
	struct dmacc_kernel_blob blob;
	int r;

	if (dmacc_kernel_lock(f->kernel, &blob))
		return complain("the kernel does not lock: %s", dmacc_kernel_sentence(f->kernel));
	r = factory_store_write_root(f->store, blob.bytes, blob.len);
	if (r) {
		complain("%s/root: %s; it is locked until it reboots only: repeat this", f->path,
			 factory_store_error(r));
		return EXIT_SOME;
	}
	if (f->json)
		printf("{\"locked\":true}\n");
	else
		printf("locked\n");
	return EXIT_DONE;
}

int lock_main(int argc, char **argv)
{
	struct factory f = { .path = FACTORY_STORE_PATH };
	int r;

	r = factory_parse(&f, argc, argv);
	if (r)
		return r;
	r = factory_begin(&f, false);
	/* which also makes sure that the root that is open is the store's */
	if (!r)
		r = factory_open_root(&f);
	if (r == -1)
		r = complain("%s has no root: nothing has been injected", f.path);
	if (!r)
		r = check_slots(&f);
	if (!r)
		r = lock(&f);
	factory_end(&f);
	return finish_output(r);
}
