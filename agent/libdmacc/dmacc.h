/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libdmacc: the credentials of a DM account, computed from a device identifier
 * and a server identifier. It runs on servers as well as on the phone; it opens
 * no socket, starts no thread, keeps no global state and never logs.
 *
 * Threads: every function can be called by any number of threads at once. An
 * object, such as a struct dmacc_deriver, belongs to one thread at a time, but
 * for functions that take it as const, which any number may call while no other
 * is called. What a function returns as a constant stays as it is for good.
 *
 * Errors are negative errno values. A ret_ parameter is written on success only,
 * a reterr_ parameter on failure only.
 *
 * "Derivation" below is uapi/derivation.md of this project, installed as
 * derivation.md beside this library's documentation.
 */
#ifndef DMACC_DMACC_H
#define DMACC_DMACC_H

#include <stdbool.h>
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
 * Derivation, section 1.2.
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
 * dmacc_key_parse() - read the content of a key file that was got otherwise
 * @text: 64 hexadecimal digits and, if wanted, one line feed
 * @len: bytes
 * @ret_key: the key; written on success only
 * @reterr_sentence: what is wrong with it, a constant; written on failure only, may be NULL
 *
 * Return: 0; -EINVAL for what is no key or an all-zero one.
 */
int dmacc_key_parse(const char *text, size_t len, uint8_t ret_key[DMACC_KEY_SIZE],
		    const char **reterr_sentence);

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
 * typedef dmacc_hmac_function - HMAC-SHA-256 with a vendor key that is elsewhere
 * @data: as given to dmacc_deriver_set_vendor_hmac()
 * @message: what it is taken over
 * @len: bytes
 * @ret_mac: 32 bytes; written on success only
 *
 * Return: 0 or a negative errno, which the call that needed it returns in turn.
 */
typedef int dmacc_hmac_function(void *data, const uint8_t *message, size_t len,
				uint8_t ret_mac[32]);

/**
 * dmacc_deriver_set_vendor_hmac() - a vendor key that does not leave where it is kept
 * @deriver: from dmacc_deriver_new()
 * @hmac: computes with it, such as CKM_SHA256_HMAC of a PKCS#11 token; called by the thread that
 *        uses @deriver, and once by this function
 * @data: handed to @hmac
 *
 * In place of dmacc_deriver_set_vendor_key().
 *
 * Return: 0; -EINVAL if the key is all zero; -ENOMEM; what @hmac returned. On failure the deriver is
 * as it was.
 */
int dmacc_deriver_set_vendor_hmac(struct dmacc_deriver *deriver, dmacc_hmac_function *hmac,
				  void *data);

/**
 * dmacc_deriver_key_id() - the KeyId of the vendor key
 * @deriver: one that has a vendor key
 * @key_version: from 1
 * @ret_key_id: 16 lower-case hexadecimal digits and a zero; written on success only
 *
 * Derivation, section 4.
 *
 * Return: 0; -EINVAL for key version 0; -ENOKEY without a vendor key; -ENOMEM; what the function of
 * dmacc_deriver_set_vendor_hmac() returned.
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
 * vendor key; -ENOMEM; what the function of dmacc_deriver_set_vendor_hmac() returned.
 */
int dmacc_deriver_device_key(struct dmacc_deriver *deriver, const char *devid,
			     uint32_t key_version, uint8_t ret_device_key[DMACC_KEY_SIZE]);

/* Flags of what derives credentials; none has the value of DMACC_SPARE_DIGIT */
#define DMACC_NONCES 2		/* the nonces, too; without it they are zero */

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

/**
 * struct dmacc_device - a device as the operator of a server has it
 * @identifier: as people write it, zero-terminated
 * @key_version: from 1
 * @generation: from 0
 */
struct dmacc_device {
	const char *identifier;
	uint32_t key_version;
	uint32_t generation;
};

/**
 * dmacc_credentials_for() - one call for one device; secret
 * @vendor_key: 32 bytes
 * @device: which, at which key version and generation
 * @server: element, bytes and length
 * @flags: 0, DMACC_SPARE_DIGIT, DMACC_NONCES or both
 * @ret_devid: the canonical form of its identifier; written on success only, may be NULL
 * @ret: written on success only
 * @reterr_reason: what was refused; written on -EINVAL only, may be NULL
 *
 * All that it takes is judged. For many devices a deriver of one's own costs less.
 *
 * Return: 0; -EINVAL if identifier, key version, server or vendor key is refused; -ENOMEM;
 * -EOPNOTSUPP if libcrypto has no HMAC-SHA-256.
 */
int dmacc_credentials_for(const uint8_t vendor_key[DMACC_KEY_SIZE],
			  const struct dmacc_device *device, const struct dmacc_server *server,
			  unsigned int flags, char ret_devid[DMACC_DEVID_SIZE],
			  struct dmacc_credentials *ret, struct dmacc_reason *reterr_reason);

/**
 * struct dmacc_request - a device of a batch
 * @devid: in canonical form, zero-terminated; not copied
 * @key_version: from 1; not looked at if there is a @device_key
 * @generation: from 0
 * @device_key: 32 bytes; NULL: it is derived from the deriver's vendor key
 */
struct dmacc_request {
	const char *devid;
	uint32_t key_version;
	uint32_t generation;
	const uint8_t *device_key;
};

/**
 * dmacc_deriver_batch() - credentials of many devices for one server; secret
 * @deriver: from dmacc_deriver_new(); it needs a vendor key unless all requests have a device key
 * @server: one that dmacc_server_valid() accepts
 * @flags: 0 or DMACC_NONCES
 * @requests: the devices, in any order
 * @count: how many; from some hundred on a batch costs least for each device
 * @ret: as many, in the order of @requests
 *
 * The same as dmacc_deriver_device_key() and dmacc_deriver_credentials() for each request, in a
 * fraction of the time where the processor has wide registers.
 *
 * Return: 0; -EINVAL if @server, a devid or a key version is refused, and then nothing was
 * derived; -ENOKEY if a vendor key is wanted and missing; -ENOMEM or what the function of
 * dmacc_deriver_set_vendor_hmac() returned, and then @ret is wiped.
 */
int dmacc_deriver_batch(struct dmacc_deriver *deriver, const struct dmacc_server *server,
			unsigned int flags, const struct dmacc_request *requests, size_t count,
			struct dmacc_credentials *ret);

/**
 * dmacc_deriver_device_keys() - device keys of many devices; secret
 * @deriver: one that has a vendor key
 * @requests: the devices; a generation is not looked at, a device key is returned as it is
 * @count: how many
 * @ret: as many, in the order of @requests
 *
 * Return: as dmacc_deriver_batch().
 */
int dmacc_deriver_device_keys(struct dmacc_deriver *deriver, const struct dmacc_request *requests,
			      size_t count, uint8_t (*ret)[DMACC_KEY_SIZE]);

/* Algorithms that shipped on phones, unkeyed: anybody who reads an IMEI off a box can compute them */
enum dmacc_legacy_profile {
	DMACC_LEGACY_FCS11384 = 1,	/* UserName as the published factory and server tool makes it */
	DMACC_LEGACY_FCS14345,
	DMACC_LEGACY_FCS11384_DEVICE,	/* UserName as the published device code makes it */
};

/**
 * dmacc_legacy_named() - the unkeyed profile of that name
 * @name: zero-terminated, such as "fcs11384-device"
 *
 * Return: the profile, or 0 if no unkeyed profile has that name.
 */
enum dmacc_legacy_profile dmacc_legacy_named(const char *name);

/**
 * dmacc_legacy_credentials() - what an unkeyed profile makes of an IMEI
 * @profile: which
 * @devid: in canonical form, zero-terminated; has to be an IMEI
 * @server: a ServerID without ':', of 135 bytes at most
 * @ret: written on success only; the nonces are zero for DMACC_LEGACY_FCS14345, which has none
 * @reterr_sentence: what was refused, a constant; written on -EINVAL only, may be NULL
 *
 * Derivation, section 8. For servers that still expect them: what these functions are is no secret,
 * and neither is what they return.
 *
 * Return: 0; -EINVAL; -ENOMEM.
 */
int dmacc_legacy_credentials(enum dmacc_legacy_profile profile, const char *devid,
			     const struct dmacc_server *server, struct dmacc_credentials *ret,
			     const char **reterr_sentence);

/*
 * The account: thirteen values, whatever the layout of the tree that shows them. Ten come from
 * the server owner's template, three are computed.
 */
enum dmacc_node {
	DMACC_NODE_X,			/* name of the account's node */
	DMACC_NODE_ADDR_TYPE,		/* "URI", "IPv4", "IPv6" */
	DMACC_NODE_ADDR,
	DMACC_NODE_PORT_NBR,		/* decimal, 0 to 65535 */
	DMACC_NODE_CON_REF,
	DMACC_NODE_SERVER_ID,
	DMACC_NODE_AUTH_PREF,		/* "syncml:auth-basic", "syncml:auth-md5", "syncml:auth-MAC" */
	DMACC_NODE_NAME,
	DMACC_NODE_SERVER_NONCE,	/* raw bytes */
	DMACC_NODE_CLIENT_NONCE,	/* raw bytes */
	DMACC_NODE_SERVER_PW,		/* secret */
	DMACC_NODE_CLIENT_PW,		/* secret */
	DMACC_NODE_USER_NAME,
	DMACC_NODES
};

/**
 * dmacc_node_word() - what templates and stores call a node
 * @node: which
 *
 * Return: a constant: the key it has in a template, such as "ServerID"; "unknown" for no node.
 */
const char *dmacc_node_word(enum dmacc_node node);

/**
 * struct dmacc_complaint - what is wrong with a text that was read, and where
 * @line: from 1; 0 if it is about the whole
 * @text: a sentence; no capital, no full stop; quotes no secret
 */
struct dmacc_complaint {
	unsigned int line;
	char text[256];
};

enum dmacc_profile {
	DMACC_PROFILE_DMACC_1 = 1,
	DMACC_PROFILE_FCS11384,
	DMACC_PROFILE_FCS14345,
	DMACC_PROFILE_FCS11384_DEVICE,
};

#define DMACC_TEMPLATE_NAME_SIZE 65	/* [A-Za-z0-9._-]{1,64} and a zero; no dot first */
#define DMACC_SLOT_SIZE 33		/* [a-z0-9._-]{1,32} and a zero; no dot first */

/**
 * dmacc_placeholder() - does it stand where a computed secret goes?
 * @text: what a template or document has as UserName, ServerPW or ClientPW
 * @len: bytes
 *
 * Return: true for nothing and for the placeholders that dmacc-account.conf(5) lists; false for
 * what has to be taken for a real secret.
 */
bool dmacc_placeholder(const char *text, size_t len);

/* An account template in its plain form, as a server owner furnishes it: dmacc-account.conf(5) */
struct dmacc_template;

/**
 * dmacc_template_new() - an empty template
 * @name: its file's name without the ending
 * @ret: the caller's, to be given to dmacc_template_free()
 *
 * Return: 0; -EINVAL if no account can have that name; -ENOMEM.
 */
int dmacc_template_new(const char *name, struct dmacc_template **ret);
struct dmacc_template *dmacc_template_free(struct dmacc_template *t);

/* Flags of dmacc_template_read() */
#define DMACC_TEMPLATE_FILL 1	/* only what is not there yet: the document that a .conf names */

/**
 * dmacc_template_read() - read a plain form into a template
 * @t: empty, or one that has been read into
 * @text: the file's content, UTF-8
 * @len: bytes, at most 65536
 * @flags: 0 or DMACC_TEMPLATE_FILL
 * @reterr: what is wrong; written on -EINVAL only, may be NULL
 *
 * An empty value is the same as none. Without DMACC_TEMPLATE_FILL a value replaces one that was
 * read before.
 *
 * Return: 0; -EINVAL or -ENOMEM, and then @t is good for dmacc_template_free() only.
 */
int dmacc_template_read(struct dmacc_template *t, const char *text, size_t len, unsigned int flags,
			struct dmacc_complaint *reterr);

/**
 * dmacc_template_check() - can an account be made of it?
 * @t: one that has been read
 * @reterr: what is missing or does not fit; written on -EINVAL only, may be NULL
 *
 * Return: 0; -EINVAL.
 */
int dmacc_template_check(const struct dmacc_template *t, struct dmacc_complaint *reterr);

/* Of a template that was checked. Strings are the template's; NULL if it does not say. */
const char *dmacc_template_name(const struct dmacc_template *t);
const char *dmacc_template_document(const struct dmacc_template *t);
const char *dmacc_template_slot(const struct dmacc_template *t);
enum dmacc_profile dmacc_template_profile(const struct dmacc_template *t);
uint32_t dmacc_template_generation(const struct dmacc_template *t);
/* 0: any; 1: trusted; 2: wrapped, as uapi/linux/dmacc.h has them: a smaller one is better */
unsigned int dmacc_template_minimum_rung(const struct dmacc_template *t);
/* Does the account accept notifications over the resync nonce of four zero bytes? */
bool dmacc_template_nonce_resync(const struct dmacc_template *t);
/* What goes into the derivation: ServerID or first Addr, as Element= says */
void dmacc_template_server(const struct dmacc_template *t, struct dmacc_server *ret);
/*
 * Bytes are the template's, zero-terminated besides; NULL if it does not say, which X never is.
 * As furnished, but for AddrType and AuthPref, whose spelling is canonical, and nonces, which are
 * raw.
 */
const void *dmacc_template_get(const struct dmacc_template *t, enum dmacc_node node, size_t *ret_len);

/* The thirteen values */
struct dmacc_account;

int dmacc_account_new(struct dmacc_account **ret);
/* Wipes it. Returns NULL; may be given NULL. */
struct dmacc_account *dmacc_account_free(struct dmacc_account *a);

/**
 * dmacc_account_set() - give a node a value
 * @bytes: copied; NULL takes the value away
 * @len: at most 255; only ConRef, Name and AuthPref can be empty
 *
 * AddrType and AuthPref are brought to their canonical spelling: "DIGEST" is "syncml:auth-md5".
 * The old value is wiped.
 *
 * Return: 0; -EINVAL if the node cannot have that value; -ENOMEM; then the old one stands.
 */
int dmacc_account_set(struct dmacc_account *a, enum dmacc_node node, const void *bytes, size_t len);

/* The account's own bytes, zero-terminated besides; NULL if the node has no value */
const void *dmacc_account_get(const struct dmacc_account *a, enum dmacc_node node, size_t *ret_len);

/* What a server keeps below the account's Ext, which 1.2 alone has */
#define DMACC_EXT_MAX 64	/* nodes of an account */
#define DMACC_EXT_SIZE 241	/* of a path, which begins with "Ext/" */
#define DMACC_EXT_VALUE_MAX 4096

/**
 * struct dmacc_ext_node - a node below Ext
 * @path: such as "Ext/dmacc/Generation"
 * @format: a constant: "chr", "int", "bin", "node" or another word of the standard
 * @value: its bytes, zero-terminated besides
 * @len: how many
 */
struct dmacc_ext_node {
	const char *path;
	const char *format;
	const void *value;
	size_t len;
};

/**
 * dmacc_account_set_ext() - give a node below Ext a value
 * @a: the account
 * @path: from "Ext/" on; what is between is there by itself
 * @format: as the standard has them; "" is "chr"
 * @bytes: copied
 * @len: at most DMACC_EXT_VALUE_MAX; 0 for a "node"
 *
 * Return: 0; -EINVAL if there can be no such node, or not beside those that there are; -E2BIG if
 * there are DMACC_EXT_MAX; -ENOMEM.
 */
int dmacc_account_set_ext(struct dmacc_account *a, const char *path, const char *format,
			  const void *bytes, size_t len);

/* Sorted by path. The account's own; NULL past the end. */
const struct dmacc_ext_node *dmacc_account_ext(const struct dmacc_account *a, size_t i);

/**
 * dmacc_account_assemble() - template and credentials make an account
 * @t: one that was checked
 * @credentials: what was derived for it
 * @ret: the caller's, to be given to dmacc_account_free()
 *
 * The nonces are the template's, or else the derived ones; an all-zero one is none.
 *
 * Return: 0; -ENOMEM.
 */
int dmacc_account_assemble(const struct dmacc_template *t,
			   const struct dmacc_credentials *credentials, struct dmacc_account **ret);

/* OMA DM 1.1.2, ./SyncML/DMAcc/x, and OMA DM 1.2, ./DMAcc/x (urn:oma:mo:oma-dm-dmacc:1.0) */
enum dmacc_layout {
	DMACC_LAYOUT_1_1 = 1,
	DMACC_LAYOUT_1_2,
};

/**
 * struct dmacc_tree_node - a node of the management tree
 * @uri: such as "./DMAcc/x/AppAddr/1/Addr"
 * @format: "node", "chr", "int", "bin"
 * @value: its bytes, zero-terminated besides; NULL for a "node"
 * @len: bytes of @value
 * @readable: false where the standard gives no Get: passwords and nonces
 */
struct dmacc_tree_node {
	const char *uri;
	const char *format;
	const void *value;
	size_t len;
	bool readable;
};

struct dmacc_tree;

/**
 * dmacc_tree_new() - how a layout shows an account
 * @a: copied
 * @layout: which
 * @ret: the caller's, to be given to dmacc_tree_free(), which wipes it
 *
 * The first node is the account's own. Where the standard lets the device name a node, the names
 * are "1", and "CLCRED" and "SRVCRED" below AppAuth.
 *
 * Return: 0; -EINVAL if the account lacks what the layout must show: X, ServerID, Addr, and in
 * 1.1.2 the three secrets; -ENOMEM.
 */
int dmacc_tree_new(const struct dmacc_account *a, enum dmacc_layout layout, struct dmacc_tree **ret);
struct dmacc_tree *dmacc_tree_free(struct dmacc_tree *tree);
size_t dmacc_tree_count(const struct dmacc_tree *tree);
/* Parents come before their children. NULL past the end. */
const struct dmacc_tree_node *dmacc_tree_node(const struct dmacc_tree *tree, size_t i);

/* What may be done with a node: by a DM server, or by who speaks for the device's owner */
#define DMACC_ACCESS_GET 1
#define DMACC_ACCESS_REPLACE 2

/**
 * struct dmacc_place - what a URI means
 * @layout: whose URI it is
 * @node: whose value is there; DMACC_NODES if none's: a constant, an interior node, one below Ext
 * @ext: the part from "Ext/" on, in the URI; NULL if it is not below Ext
 * @format: "node", "chr", "int", "bin"; of a node below Ext NULL
 * @access: DMACC_ACCESS_GET, DMACC_ACCESS_REPLACE or both. Passwords and nonces have no Get. What
 *	names the account, its node and ServerID, has no Replace, and in 1.1.2 neither has UserName.
 */
struct dmacc_place {
	enum dmacc_layout layout;
	enum dmacc_node node;
	const char *ext;
	const char *format;
	unsigned int access;
};

/**
 * dmacc_place_find() - what does a URI mean?
 * @x: name of the account's node
 * @uri: absolute, such as "./DMAcc/x/AppAddr/1/Addr" or "./SyncML/DMAcc/x/Addr"; not copied
 * @ret: written on success only
 *
 * Whether the account has a value for it is another question.
 *
 * Return: 0; -ENOENT if no layout has such a node in that account.
 */
int dmacc_place_find(const char *x, const char *uri, struct dmacc_place *ret);

/**
 * dmacc_place_take() - a value that was written there, as the account keeps it
 * @place: one that has a @node
 * @format: of what was written; "" if it was not said
 * @bytes: the value; replaced by a constant where the account spells it in another way, and by NULL
 *	where it keeps nothing of it
 * @len: its length
 * @reterr_sentence: why not, a constant; written on -EINVAL only
 *
 * What dmacc_tree_new() writes is taken back to what it was written from: "DIGEST" is
 * "syncml:auth-md5", and AddrType "1" of 1.1.2, which is HTTP, says nothing.
 *
 * Return: 0; -EINVAL.
 */
int dmacc_place_take(const struct dmacc_place *place, const char *format, const void **bytes,
		     size_t *len, const char **reterr_sentence);

/*
 * Credentials of OMA DM messages, in both directions. The weakest first: a peer that is not
 * authenticated yet must not have a client answer with a weaker one.
 */
enum dmacc_auth {
	DMACC_AUTH_BASIC = 1,		/* syncml:auth-basic: the password, readable */
	DMACC_AUTH_MD5,			/* syncml:auth-md5 */
	DMACC_AUTH_MAC,			/* syncml:auth-MAC, in a header beside the message */
};

#define DMACC_DIGEST_SIZE 16		/* raw */
#define DMACC_DIGEST_TEXT_SIZE 25	/* in base64, with a zero */
#define DMACC_MAC_NAME_SIZE 256

/**
 * dmacc_auth_word() - what the standard calls a type of credential
 * @auth: which
 *
 * Return: a constant, such as "syncml:auth-md5"; "unknown" for no type.
 */
const char *dmacc_auth_word(enum dmacc_auth auth);

/**
 * dmacc_auth_named() - the type of that name
 * @word: zero-terminated, in any spelling that AuthPref of a template has
 *
 * Return: the type, or 0.
 */
enum dmacc_auth dmacc_auth_named(const char *word);

/**
 * struct dmacc_login - who logs in; secret
 * @name: UserName of a client, ServerID of a server; zero-terminated
 * @password: ClientPW or ServerPW; zero-terminated
 * @nonce: raw bytes, of the one that the digest is for
 * @nonce_len: how many
 */
struct dmacc_login {
	const char *name;
	const char *password;
	const void *nonce;
	size_t nonce_len;
};

/**
 * dmacc_auth_basic() - the credential of syncml:auth-basic; secret
 * @name: zero-terminated
 * @password: zero-terminated
 * @ret: base64, malloc'ed; the caller wipes and frees it
 *
 * Return: 0; -ENOMEM.
 */
int dmacc_auth_basic(const char *name, const char *password, char **ret);

/**
 * dmacc_auth_md5() - the credential of syncml:auth-md5
 * @login: name, password and nonce
 * @ret: base64; written on success only
 *
 * Derivation, section 6.2.
 *
 * Return: 0; -EOPNOTSUPP if libcrypto has no MD5, as in FIPS mode; -ENOMEM.
 */
int dmacc_auth_md5(const struct dmacc_login *login, char ret[DMACC_DIGEST_TEXT_SIZE]);

/**
 * dmacc_auth_body() - the digest of a message, for dmacc_auth_mac() and dmacc_auth_notification()
 * @body: the message as it is sent
 * @len: bytes
 * @ret: base64; written on success only
 *
 * Return: 0; -EOPNOTSUPP; -ENOMEM.
 */
int dmacc_auth_body(const void *body, size_t len, char ret[DMACC_DIGEST_TEXT_SIZE]);

/**
 * dmacc_auth_mac() - the credential of syncml:auth-MAC
 * @login: name, password and nonce
 * @body_digest: from dmacc_auth_body()
 * @ret: base64; written on success only
 *
 * It is not the HMAC of RFC 2104.
 *
 * Return: 0; -EOPNOTSUPP; -ENOMEM.
 */
int dmacc_auth_mac(const struct dmacc_login *login, const char *body_digest,
		   char ret[DMACC_DIGEST_TEXT_SIZE]);

/**
 * dmacc_auth_notification() - the digest of a notification (Pkg#0)
 * @login: ServerID, ServerPW and the server's nonce
 * @trigger_digest: dmacc_auth_body() of all that follows the digest
 * @ret: raw; written on success only
 *
 * Return: 0; -EOPNOTSUPP; -ENOMEM.
 */
int dmacc_auth_notification(const struct dmacc_login *login, const char *trigger_digest,
			    uint8_t ret[DMACC_DIGEST_SIZE]);

/**
 * dmacc_auth_equal() - are two credentials the same?
 * @a: one
 * @a_len: its bytes
 * @b: the other
 * @b_len: its bytes
 *
 * Takes as long wherever they differ.
 *
 * Return: true if they are.
 */
bool dmacc_auth_equal(const void *a, size_t a_len, const void *b, size_t b_len);

/**
 * struct dmacc_mac_header - what the header x-syncml-hmac says
 * @username: "" if it does not say
 * @mac: base64, not judged
 */
struct dmacc_mac_header {
	char username[DMACC_MAC_NAME_SIZE];
	char mac[2 * DMACC_DIGEST_TEXT_SIZE];
};

/**
 * dmacc_mac_header_write() - the value of the header x-syncml-hmac
 * @name: who logs in
 * @mac: from dmacc_auth_mac()
 * @ret: malloc'ed
 *
 * Return: 0; -ENOMEM.
 */
int dmacc_mac_header_write(const char *name, const char *mac, char **ret);

/**
 * dmacc_mac_header_read() - read such a value
 * @text: zero-terminated
 * @ret: written on success only
 *
 * Return: 0; -EINVAL; -EPROTONOSUPPORT if its algorithm is not MD5.
 */
int dmacc_mac_header_read(const char *text, struct dmacc_mac_header *ret);

/**
 * struct dmacc_notification - a notification (Pkg#0) of OMA DM 1.2
 * @digest: DMACC_DIGEST_SIZE bytes, in the message
 * @trigger: what the digest is over, in the message
 * @trigger_len: its bytes
 * @version: 12 for 1.2
 * @ui_mode: 0 not specified, 1 background, 2 informative, 3 user interaction
 * @server_initiated: whether the server or the user was first
 * @session_id: of the session that it asks for
 * @server_id: who asks
 */
struct dmacc_notification {
	const uint8_t *digest;
	const uint8_t *trigger;
	size_t trigger_len;
	uint32_t version;
	uint32_t ui_mode;
	bool server_initiated;
	uint32_t session_id;
	char server_id[256];
};

/**
 * dmacc_notification_read() - take a notification apart; nothing of it is verified
 * @message: digest and trigger
 * @len: bytes
 * @ret: points into @message; written on success only
 *
 * Return: 0; -EINVAL if it is none.
 */
int dmacc_notification_read(const void *message, size_t len, struct dmacc_notification *ret);

#ifdef __cplusplus
}
#endif

#endif
