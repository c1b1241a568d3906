// SPDX-License-Identifier: LGPL-2.1-or-later
/* A plain form on standard input: does the library make a template of it? */
#include <stdio.h>
#include <string.h>

#include "dmacc.h"

int main(void)
{
	struct dmacc_complaint complaint = { 0, "out of memory" };
	struct dmacc_template *t;
	static char text[65537];
	size_t len = fread(text, 1, sizeof(text), stdin);
	int err;

	if (dmacc_template_new("document", &t))
		return 1;
	err = dmacc_template_read(t, text, len, 0, &complaint);
	if (!err)
		err = dmacc_template_check(t, &complaint);
	dmacc_template_free(t);
	if (err)
		printf("line %u: %s\n", complaint.line, complaint.text);
	return err ? 1 : 0;
}
