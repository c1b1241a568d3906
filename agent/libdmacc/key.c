// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/devid.h"
#include "dmacc.h"

#define KEY_DIGITS (2 * DMACC_KEY_SIZE)
/* one byte more than the longest key file, to see that there is more */
#define KEY_TEXT_SIZE (KEY_DIGITS + 3)

void dmacc_wipe(void *secret, size_t len)
{
	if (len)
		explicit_bzero(secret, len);
}

static int refuse(int error, const char *sentence, const char **reterr_sentence)
{
	if (reterr_sentence)
		*reterr_sentence = sentence;
	return error;
}

static int check_kind(int fd, const char **reterr_sentence)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return refuse(-errno, "it cannot be read", reterr_sentence);
	if (S_ISDIR(st.st_mode))
		return refuse(-EISDIR, "it is a folder", reterr_sentence);
	if (S_ISREG(st.st_mode) && (st.st_mode & 077))
		return refuse(-EACCES, "group or others have access to it; make that chmod 600",
			      reterr_sentence);
	return 0;
}

static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size) {
		n = read(fd, text + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int decode(const char *text, size_t len, uint8_t *key, const char **reterr_sentence)
{
	unsigned int seen = 0;
	size_t i;

	if (len && text[len - 1] == '\n')
		len--;
	if (len && text[len - 1] == '\r')
		return refuse(-EINVAL, "its line ends with a carriage return", reterr_sentence);
	if (len != KEY_DIGITS)
		return refuse(-EINVAL, "it does not hold 64 hexadecimal digits (32 bytes)",
			      reterr_sentence);
	for (i = 0; i < KEY_DIGITS; i++) {
		int value = dmacc_digit_value(text[i]);

		if (value < 0)
			return refuse(-EINVAL, "it has a character that is no hexadecimal digit",
				      reterr_sentence);
		key[i / 2] = (uint8_t)(key[i / 2] << 4 | value);
		seen |= (unsigned int)value;
	}
	if (!seen)
		return refuse(-EINVAL, "the key is all zero", reterr_sentence);
	return 0;
}

int dmacc_key_parse(const char *text, size_t len, uint8_t ret_key[DMACC_KEY_SIZE],
		    const char **reterr_sentence)
{
	uint8_t key[DMACC_KEY_SIZE] = { 0 };
	int r = decode(text, len, key, reterr_sentence);

	if (!r)
		memcpy(ret_key, key, sizeof(key));
	dmacc_wipe(key, sizeof(key));
	return r;
}

int dmacc_key_read(int fd, uint8_t ret_key[DMACC_KEY_SIZE], const char **reterr_sentence)
{
	char text[KEY_TEXT_SIZE];
	ssize_t len;
	int r;

	r = check_kind(fd, reterr_sentence);
	if (r < 0)
		return r;
	len = read_all(fd, text, sizeof(text));
	if (len < 0)
		r = refuse((int)len, "it cannot be read", reterr_sentence);
	else
		r = dmacc_key_parse(text, (size_t)len, ret_key, reterr_sentence);
	dmacc_wipe(text, sizeof(text));
	return r;
}
