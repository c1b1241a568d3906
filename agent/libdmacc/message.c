// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "message.h"

const struct message_output dmacc_message_outputs[MESSAGE_OUTPUTS] = {
	{ DMACC_OUTPUT_USER_NAME, true, offsetof(struct dmacc_credentials, user_name) },
	{ DMACC_OUTPUT_SERVER_PW, true, offsetof(struct dmacc_credentials, server_pw) },
	{ DMACC_OUTPUT_CLIENT_PW, true, offsetof(struct dmacc_credentials, client_pw) },
	{ DMACC_OUTPUT_SERVER_NONCE, false, offsetof(struct dmacc_credentials, server_nonce) },
	{ DMACC_OUTPUT_CLIENT_NONCE, false, offsetof(struct dmacc_credentials, client_nonce) },
};

size_t dmacc_message_bytes(uint8_t out[DMACC_KDF_INPUT_MAX], enum dmacc_output output,
			   const char *devid, size_t devid_len, const struct dmacc_server *server,
			   uint32_t number)
{
	uint8_t context[DMACC_CONTEXT_MAX];
	size_t len;

	if (output == DMACC_OUTPUT_DEVICE_KEY)
		len = dmacc_context_device_key(context, devid, devid_len, number);
	else if (output == DMACC_OUTPUT_USER_NAME)
		len = dmacc_context_device(context, devid, devid_len);
	else
		len = dmacc_context_server(context, devid, devid_len, server->element,
					   server->bytes, server->len, number);
	return dmacc_kdf_input(out, DMACC_KDF_INPUT_MAX, dmacc_kdf_spec(output), context, len);
}

static unsigned int first_difference(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (a[i] != b[i])
			return (unsigned int)i;
	return MESSAGE_NOWHERE;
}

/*
 * Where DevId and number stand is where two messages differ that differ in them: how a message is
 * laid out is known to uapi/core alone.
 */
void dmacc_message_prepare(struct message *ret, enum dmacc_output output, size_t devid_len,
			   const struct dmacc_server *server, uint32_t number)
{
	static const char zeros[DMACC_DEVID_MAX];
	uint8_t other[DMACC_KDF_INPUT_MAX];
	char ones[DMACC_DEVID_MAX];

	memset(ones, 0xff, sizeof(ones));
	ret->len = dmacc_message_bytes(ret->bytes, output, zeros, devid_len, server, number);
	dmacc_message_bytes(other, output, ones, devid_len, server, number);
	ret->devid_at = first_difference(ret->bytes, other, ret->len);
	dmacc_message_bytes(other, output, zeros, devid_len, server, ~number);
	ret->number_at = first_difference(ret->bytes, other, ret->len);
}
