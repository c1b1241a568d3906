/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libdmacc: the credentials of a DM account, computed from a device identifier
 * and a server identifier. It runs on servers as well as on the phone; it opens
 * no socket, starts no thread, keeps no global state and never logs.
 *
 * "Derivation" below is uapi/derivation.md of this project, installed as
 * derivation.md beside this library's documentation.
 */
#ifndef DMACC_DMACC_H
#define DMACC_DMACC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sizes in bytes. Those of strings count the terminating zero. */
#define DMACC_KEY_SIZE 32		/* vendor key Kv, device key Kd */
#define DMACC_KEY_ID_SIZE 17		/* KeyId: 16 hexadecimal digits */
#define DMACC_DEVID_SIZE 21		/* "IMEI:" and 15 digits */
#define DMACC_NONCE_SIZE 16
#define DMACC_CREDENTIAL_SIZE 33	/* UserName, ServerPW, ClientPW */

/**
 * struct dmacc_reason - why an identifier or a server was refused
 * @word: the word that Derivation has for it, such as "check-digit"
 * @sentence: the same for a person; no capital, no full stop
 *
 * Both are constants.
 */
struct dmacc_reason {
	const char *word;
	const char *sentence;
};

/* The element of the account that names the server: Derivation, section 2 */
enum dmacc_element {
	DMACC_ELEMENT_SERVER_ID = 1,
	DMACC_ELEMENT_ADDR = 2,
};

/**
 * struct dmacc_server - a server, as its owner furnishes it
 * @element: what @bytes are
 * @bytes: UTF-8, need not be zero-terminated; not copied
 * @len: how many, 1 to 255
 */
struct dmacc_server {
	enum dmacc_element element;
	const void *bytes;
	size_t len;
};

/**
 * struct dmacc_credentials - what differs from phone to phone; secret
 * @user_name: UserName
 * @server_pw: ServerPW
 * @client_pw: ClientPW
 * @server_nonce: the first ServerNonce, where the template gives none; raw
 * @client_nonce: the first ClientNonce, likewise
 *
 * Wipe it with dmacc_wipe() as soon as it has been used.
 */
struct dmacc_credentials {
	char user_name[DMACC_CREDENTIAL_SIZE];
	char server_pw[DMACC_CREDENTIAL_SIZE];
	char client_pw[DMACC_CREDENTIAL_SIZE];
	uint8_t server_nonce[DMACC_NONCE_SIZE];
	uint8_t client_nonce[DMACC_NONCE_SIZE];
};

/* Flags of dmacc_identifier_read() */
#define DMACC_SPARE_DIGIT 1	/* the source writes 0 where an IMEI has its check digit */

/**
 * dmacc_identifier_read() - the canonical form of an identifier as people write it
 * @input: the identifier, need not be zero-terminated
 * @len: its length in bytes
 * @flags: 0 or DMACC_SPARE_DIGIT
 * @ret_devid: the canonical form, zero-terminated; written on success only
 * @reterr_reason: why it was refused; written on -EINVAL only, may be NULL
 *
 * Derivation, section 1.1.
 *
 * Return: 0, or -EINVAL if it was refused.
 */
int dmacc_identifier_read(const char *input, size_t len, unsigned int flags,
			  char ret_devid[DMACC_DEVID_SIZE], struct dmacc_reason *reterr_reason);

/**
 * dmacc_identifier_check() - is this a canonical form?
 * @devid: zero-terminated
 * @reterr_reason: why not; written on -EINVAL only, may be NULL
 *
 * Derivation, section 1.
 *
 * Return: 0, or -EINVAL.
 */
int dmacc_identifier_check(const char *devid, struct dmacc_reason *reterr_reason);

/**
 * dmacc_server_valid() - may this server go into a derivation?
 * @server: element, bytes and length
 * @reterr_reason: why not; written on -EINVAL only, may be NULL
 *
 * Derivation, section 2.
 *
 * Return: 0, or -EINVAL.
 */
int dmacc_server_valid(const struct dmacc_server *server, struct dmacc_reason *reterr_reason);

/**
 * dmacc_key_read() - read a key file
 * @fd: a descriptor of the file or pipe, read to its end, not closed
 * @ret_key: the key; written on success only
 * @reterr_sentence: what is wrong with it, a constant; written on failure only, may be NULL
 *
 * A key file holds 64 hexadecimal digits and, if wanted, one line feed. Unless it is a pipe or
 * socket it has to be a regular file that group and others cannot read.
 *
 * Return: 0; -EACCES for a file that others can read; -EINVAL for one that holds no key or an
 * all-zero one; another negative errno if it cannot be read.
 */
int dmacc_key_read(int fd, uint8_t ret_key[DMACC_KEY_SIZE], const char **reterr_sentence);

/**
 * dmacc_wipe() - forget a secret, in a way that no compiler removes
 * @secret: where it lies, may be NULL if @len is 0
 * @len: its size in bytes
 */
void dmacc_wipe(void *secret, size_t len);

/*
 * What derives. One for each thread; it keeps the vendor key's state, so that deriving for many
 * devices costs least.
 */
struct dmacc_deriver;

/**
 * dmacc_deriver_new() - make a deriver
 * @ret: where it goes; the caller's, to be given to dmacc_deriver_free()
 *
 * Return: 0; -ENOMEM; -EOPNOTSUPP if libcrypto has no HMAC-SHA-256.
 */
int dmacc_deriver_new(struct dmacc_deriver **ret);

/**
 * dmacc_deriver_free() - wipe and free a deriver
 * @deriver: may be NULL
 *
 * Return: NULL.
 */
struct dmacc_deriver *dmacc_deriver_free(struct dmacc_deriver *deriver);

/**
 * dmacc_deriver_set_vendor_key() - the vendor key Kv that device keys and KeyIds come from
 * @deriver: from dmacc_deriver_new()
 * @vendor_key: 32 bytes; the caller can wipe them afterwards
 *
 * Return: 0; -EINVAL if they are all zero, and then the deriver is as it was; -ENOMEM.
 */
int dmacc_deriver_set_vendor_key(struct dmacc_deriver *deriver,
				 const uint8_t vendor_key[DMACC_KEY_SIZE]);

/**
 * dmacc_deriver_key_id() - the KeyId of the vendor key
 * @deriver: one that has a vendor key
 * @key_version: from 1
 * @ret_key_id: 16 lower-case hexadecimal digits and a zero; written on success only
 *
 * Derivation, section 4.
 *
 * Return: 0; -EINVAL for key version 0; -ENOKEY without a vendor key; -ENOMEM.
 */
int dmacc_deriver_key_id(struct dmacc_deriver *deriver, uint32_t key_version,
			 char ret_key_id[DMACC_KEY_ID_SIZE]);

/**
 * dmacc_deriver_device_key() - the device key Kd; secret
 * @deriver: one that has a vendor key
 * @devid: in canonical form, zero-terminated
 * @key_version: from 1
 * @ret_device_key: 32 bytes; written on success only
 *
 * Derivation, section 4.
 *
 * Return: 0; -EINVAL for key version 0 or a @devid that is not canonical; -ENOKEY without a
 * vendor key; -ENOMEM.
 */
int dmacc_deriver_device_key(struct dmacc_deriver *deriver, const char *devid,
			     uint32_t key_version, uint8_t ret_device_key[DMACC_KEY_SIZE]);

/* Flags of dmacc_deriver_credentials() */
#define DMACC_NONCES 1		/* the nonces, too; without it they are zero */

/**
 * dmacc_deriver_credentials() - UserName, ServerPW, ClientPW; secret
 * @deriver: from dmacc_deriver_new(); it needs no vendor key for this
 * @device_key: 32 bytes
 * @devid: in canonical form, zero-terminated
 * @server: one that dmacc_server_valid() accepts
 * @generation: from 0
 * @flags: 0 or DMACC_NONCES
 * @ret: written on success only
 *
 * Derivation, section 4.
 *
 * Return: 0; -EINVAL if @devid or @server is refused; -ENOMEM.
 */
int dmacc_deriver_credentials(struct dmacc_deriver *deriver,
			      const uint8_t device_key[DMACC_KEY_SIZE], const char *devid,
			      const struct dmacc_server *server, uint32_t generation,
			      unsigned int flags, struct dmacc_credentials *ret);

/* Algorithms that shipped on phones, unkeyed: anybody who reads an IMEI off a box can compute them */
enum dmacc_legacy_profile {
	DMACC_LEGACY_FCS11384 = 1,
	DMACC_LEGACY_FCS14345,
};

/**
 * dmacc_legacy_credentials() - what an unkeyed profile makes of an IMEI
 * @profile: which
 * @devid: in canonical form, zero-terminated; has to be an IMEI
 * @server: a ServerID without ':'
 * @ret: written on success only; the nonces are zero for DMACC_LEGACY_FCS14345, which has none
 * @reterr_sentence: what was refused, a constant; written on -EINVAL only, may be NULL
 *
 * For servers that still expect them: what these functions are is no secret, and neither is
 * what they return.
 *
 * Return: 0; -EINVAL; -ENOMEM.
 */
int dmacc_legacy_credentials(enum dmacc_legacy_profile profile, const char *devid,
			     const struct dmacc_server *server, struct dmacc_credentials *ret,
			     const char **reterr_sentence);

#ifdef __cplusplus
}
#endif

#endif
