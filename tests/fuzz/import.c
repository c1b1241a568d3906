// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any bytes as a document: either a plain form that makes an account, or a sentence and nothing. */
#include <stdlib.h>
#include <string.h>

#include "dmacc.h"
#include "fuzz.h"
#include "import.h"

static void require_template(const char *plain, size_t len)
{
	struct dmacc_template *t;

	fuzz_require(!dmacc_template_new("fuzzed", &t));
	fuzz_require(!dmacc_template_read(t, plain, len, 0, NULL));
	fuzz_require(!dmacc_template_check(t, NULL));
	dmacc_template_free(t);
}

/* Lines of printable text: what a journal can take */
static void require_lines(const char *messages, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		fuzz_require((unsigned char)messages[i] >= ' ' || messages[i] == '\n');
	fuzz_require(!len || messages[len - 1] == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *plain = NULL, *messages = NULL;
	size_t plain_len = 0, messages_len = 0;
	FILE *out = open_memstream(&plain, &plain_len);
	FILE *err = open_memstream(&messages, &messages_len);
	int r;

	fuzz_require(out && err);
	r = import_document((const char *)bytes, len, out, err);
	fclose(out);
	fclose(err);
	require_lines(messages, messages_len);
	if (r) {
		fuzz_require(!plain_len && messages_len);
	} else {
		require_template(plain, plain_len);
		fuzz_accepted++;
	}
	free(plain);
	free(messages);
	return 0;
}
