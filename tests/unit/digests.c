// SPDX-License-Identifier: LGPL-2.1-or-later
/* For test_digests.py: lines "NAME PASSWORD NONCE CONTENT", each hexadecimal, in; four credentials out */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmacc.h"

#define FIELD 1024

static size_t read_hex(const char *text, char *ret)
{
	unsigned int byte;
	size_t len = 0;

	/* "-" stands for nothing */
	for (; sscanf(text, "%2x", &byte) == 1; text += 2)
		ret[len++] = (char)byte;
	ret[len] = '\0';
	return len;
}

int main(void)
{
	char in[4][2 * FIELD + 1], out[4][FIELD + 1], body[DMACC_DIGEST_TEXT_SIZE];
	char md5[DMACC_DIGEST_TEXT_SIZE], mac[DMACC_DIGEST_TEXT_SIZE], *basic;
	uint8_t raw[DMACC_DIGEST_SIZE];
	struct dmacc_login login;
	size_t len[4], i;

	while (scanf("%2048s %2048s %2048s %2048s", in[0], in[1], in[2], in[3]) == 4) {
		for (i = 0; i < 4; i++)
			len[i] = read_hex(in[i], out[i]);
		login = (struct dmacc_login){ out[0], out[1], out[2], len[2] };
		if (dmacc_auth_basic(out[0], out[1], &basic) || dmacc_auth_md5(&login, md5) ||
		    dmacc_auth_body(out[3], len[3], body) || dmacc_auth_mac(&login, body, mac) ||
		    dmacc_auth_notification(&login, body, raw))
			return EXIT_FAILURE;
		printf("%s %s %s ", basic, md5, mac);
		for (i = 0; i < sizeof(raw); i++)
			printf("%02x", raw[i]);
		printf("\n");
		free(basic);
	}
	return EXIT_SUCCESS;
}
