// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any text as a template: what is accepted makes an account, and trees of it. */
#include <string.h>

#include "dmacc.h"
#include "fuzz.h"

static const struct dmacc_credentials derived = {
	.user_name = "user",
	.server_pw = "server",
	.client_pw = "client",
};

static void require_sentence(const struct dmacc_complaint *complaint)
{
	size_t len = strnlen(complaint->text, sizeof(complaint->text)), i;

	fuzz_require(len && len < sizeof(complaint->text));
	for (i = 0; i < len; i++)
		fuzz_require((unsigned char)complaint->text[i] >= ' ');
}

static void require_account(const struct dmacc_template *t)
{
	enum dmacc_layout layout;
	struct dmacc_account *a;
	struct dmacc_tree *tree;
	struct dmacc_server server;

	dmacc_template_server(t, &server);
	fuzz_require(!dmacc_server_valid(&server, NULL));
	fuzz_require(!dmacc_account_assemble(t, &derived, &a));
	for (layout = DMACC_LAYOUT_1_1; layout <= DMACC_LAYOUT_1_2; layout++) {
		fuzz_require(!dmacc_tree_new(a, layout, &tree));
		fuzz_require(dmacc_tree_count(tree) > 10);
		dmacc_tree_free(tree);
	}
	dmacc_account_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct dmacc_complaint complaint;
	struct dmacc_template *t;
	int err;

	fuzz_require(!dmacc_template_new("fuzzed", &t));
	err = dmacc_template_read(t, (const char *)bytes, len, 0, &complaint);
	if (!err)
		err = dmacc_template_check(t, &complaint);
	if (err) {
		require_sentence(&complaint);
	} else {
		/* it fills in nothing that is not there already */
		fuzz_require(!dmacc_template_read(t, (const char *)bytes, len,
						  DMACC_TEMPLATE_FILL, NULL));
		require_account(t);
		fuzz_accepted++;
	}
	dmacc_template_free(t);
	return 0;
}
