// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "credential.h"

#define ID_LEN 16
/* Of base64, and what it makes: enough for the id */
#define HEAD_TEXT_LEN 24
#define HEAD_LEN 18

/* An encrypted credential begins with the id of its kind, see systemd's src/shared/creds-util.h */
static const struct {
	uint8_t id[ID_LEN];
	enum credential_kind kind;
} kinds[] = {
	{ { 0x5a, 0x1c, 0x6a, 0x86, 0xdf, 0x9d, 0x40, 0x96,
	    0xb1, 0xd5, 0xa6, 0x5e, 0x08, 0x62, 0xf1, 0x9a }, CREDENTIAL_HOST },
	/* the same for one user */
	{ { 0x55, 0xb9, 0xed, 0x1d, 0x38, 0x59, 0x4d, 0x43,
	    0xa8, 0x31, 0x9d, 0x2e, 0xbb, 0x33, 0x2a, 0xc6 }, CREDENTIAL_HOST },
	{ { 0x0c, 0x7c, 0xc0, 0x7b, 0x11, 0x76, 0x45, 0x91,
	    0x9c, 0x4b, 0x0b, 0xea, 0x08, 0xbc, 0x20, 0xfe }, CREDENTIAL_TPM2 },
	/* with a public key that signs PCRs */
	{ { 0xfa, 0xf7, 0xeb, 0x93, 0x41, 0xe3, 0x41, 0x2c,
	    0xa1, 0xa4, 0x36, 0xf9, 0x5a, 0x29, 0x36, 0x2f }, CREDENTIAL_TPM2 },
	/* the host's key and the TPM; for one user; with a public key; both */
	{ { 0x93, 0xa8, 0x94, 0x09, 0x48, 0x74, 0x44, 0x90,
	    0x90, 0xca, 0xf2, 0xfc, 0x93, 0xca, 0xb5, 0x53 }, CREDENTIAL_TPM2 },
	{ { 0xef, 0x4a, 0xc1, 0x36, 0x79, 0xa9, 0x48, 0x0e,
	    0xa7, 0xdb, 0x68, 0x89, 0x7f, 0x9f, 0x16, 0x5d }, CREDENTIAL_TPM2 },
	{ { 0xaf, 0x49, 0x50, 0xa8, 0x49, 0x13, 0x4e, 0xb1,
	    0xa7, 0x38, 0x46, 0x30, 0x4f, 0xf3, 0x0c, 0x05 }, CREDENTIAL_TPM2 },
	{ { 0xad, 0xbc, 0x4c, 0xa3, 0xef, 0xb6, 0x42, 0x01,
	    0xba, 0x88, 0x1b, 0x6f, 0x2e, 0x40, 0x95, 0xea }, CREDENTIAL_TPM2 },
};

/*
 * Where systemd looks, in this order. Before them it looks into /run/credentials/@encrypted, for what it was
 * handed itself, but hides that folder from units.
 */
static const char * const places[] = {
	CREDENTIAL_PATH,
	"/run/credstore.encrypted/" CREDENTIAL_NAME,
	"/usr/local/lib/credstore.encrypted/" CREDENTIAL_NAME,
	"/usr/lib/credstore.encrypted/" CREDENTIAL_NAME,
};

static bool decode_head(const char *text, size_t len, uint8_t ret[HEAD_LEN])
{
	unsigned char head[HEAD_TEXT_LEN];
	size_t i, n = 0;

	for (i = 0; i < len && n < sizeof(head); i++)
		if (!isspace((unsigned char)text[i]))
			head[n++] = (unsigned char)text[i];
	return n == sizeof(head) && EVP_DecodeBlock(ret, head, (int)n) == HEAD_LEN;
}

enum credential_kind credential_kind_of(const void *file, size_t len)
{
	uint8_t head[HEAD_LEN];
	size_t i;

	if (!decode_head(file, len, head))
		return CREDENTIAL_UNKNOWN;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!memcmp(kinds[i].id, head, ID_LEN))
			return kinds[i].kind;
	return CREDENTIAL_UNKNOWN;
}

static enum credential_kind read_kind(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char text[64];
	ssize_t n;

	/* one that cannot be looked at is there */
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? CREDENTIAL_ABSENT : CREDENTIAL_UNKNOWN;
	n = read(fd, text, sizeof(text));
	close(fd);
	return credential_kind_of(text, n > 0 ? (size_t)n : 0);
}

enum credential_kind credential_find(const char **ret_path)
{
	enum credential_kind kind = CREDENTIAL_ABSENT;
	size_t i;

	*ret_path = CREDENTIAL_PATH;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		kind = read_kind(places[i]);
		if (kind == CREDENTIAL_ABSENT)
			continue;
		*ret_path = places[i];
		break;
	}
	return kind;
}

enum dmacc_master_source credential_source(enum credential_kind kind)
{
	return kind == CREDENTIAL_TPM2 ? DMACC_MASTER_CREDENTIAL_TPM2 : DMACC_MASTER_CREDENTIAL_HOST;
}
