/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libdmacc-client: the accounts that dmaccd keeps on this phone, for a DM client. It wraps the
 * D-Bus interface org.dmacc1 (org.dmacc1.xml, installed in dbus-1/interfaces), which has the words
 * for what each call does; who would rather talk D-Bus needs nothing of this.
 *
 * A client opens a session with an account, asks it for the credential of each message that it
 * sends, tells it what the server answered, lets it verify the server's credential, and commits
 * before it acknowledges a nonce. No password comes out of it, but by dmacc_session_secrets().
 *
 * Calls wait for the agent's answer, which may be an fsync away, 25 seconds at most. A client with a
 * loop of its own learns of changes by a descriptor to poll.
 *
 * Threads: a client and its sessions belong to one thread at a time; there is no global state. They
 * do not outlive a fork.
 *
 * Secrets: what passes through is wiped, in the messages of the bus as well. What a function returns
 * is the caller's to wipe.
 *
 * Errors are negative errno values. A ret_ parameter is written on success only. Every function that
 * fails leaves a sentence for dmacc_client_error(). What the agent answers is
 * -ENOENT for an account or node that is not there;
 * -ENOKEY for an account that has no secrets now, and a device that does not know who it is;
 * -EBUSY while another client has a session of the account;
 * -EACCES for who may not do this;
 * -EPERM for what is refused, such as Get of a secret, or a change by a server that has not proved who
 * it is;
 * -EINVAL for a value that the node cannot have;
 * -EPROTONOSUPPORT for a credential type that is weaker than the account allows;
 * -EKEYREJECTED for a server's credential, or a notification, that does not fit;
 * -EIO for what the disk did not take, and then nothing has changed;
 * -ESTALE for a session that is over, because the agent was started anew;
 * -ENOTCONN without an agent or without the bus;
 * -ETIMEDOUT, -ENOMEM.
 */
#ifndef DMACC_DMACC_CLIENT_H
#define DMACC_DMACC_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A connection to the agent, and a session of it with an account */
struct dmacc_client;
struct dmacc_session;

/**
 * dmacc_client_new() - connect to the system bus
 * @ret: the caller's, to be given to dmacc_client_free()
 *
 * There need be no agent yet: the first call starts it where D-Bus can.
 *
 * Return: 0; -ENOTCONN without a bus; -ENOMEM.
 */
int dmacc_client_new(struct dmacc_client **ret);

/**
 * dmacc_client_free() - disconnect
 * @c: may be NULL
 *
 * Its sessions end and are freed, too: what was not committed is dropped.
 *
 * Return: NULL.
 */
struct dmacc_client *dmacc_client_free(struct dmacc_client *c);

/**
 * dmacc_client_error() - why the last call failed that did
 * @c: which
 *
 * Return: a sentence without a secret, the client's own until its next call; "" if none failed.
 */
const char *dmacc_client_error(const struct dmacc_client *c);

/**
 * typedef dmacc_changed_function - an account has come, gone or changed
 * @data: as given to dmacc_client_set_changed()
 * @account: its name; NULL if the agent itself came or went, and all may be different
 *
 * Called by dmacc_client_process() only. It may call any function of this library but
 * dmacc_client_process() and dmacc_client_free().
 */
typedef void dmacc_changed_function(void *data, const char *account);

/**
 * dmacc_client_set_changed() - learn of changes
 * @c: which
 * @changed: called for each, in place of one that was set before; NULL: none
 * @data: handed to it
 *
 * Return: 0; a negative errno.
 */
int dmacc_client_set_changed(struct dmacc_client *c, dmacc_changed_function *changed, void *data);

/**
 * dmacc_client_fd() - what to wait for
 * @c: which
 * @ret_fd: a descriptor for poll(), the client's own
 * @ret_events: for which events
 * @ret_timeout_usec: and no longer than to this time of CLOCK_MONOTONIC, in microseconds;
 *	UINT64_MAX: for any time, 0: not at all
 *
 * To be asked anew before each wait. After it comes dmacc_client_process(), whatever ended it.
 *
 * Return: 0; -ENOTCONN.
 */
int dmacc_client_fd(struct dmacc_client *c, int *ret_fd, short *ret_events,
		    uint64_t *ret_timeout_usec);

/**
 * dmacc_client_process() - take what has come, without waiting
 * @c: which
 *
 * Return: 0; -ENOTCONN once the bus is gone, and then @c is good for dmacc_client_free() only.
 */
int dmacc_client_process(struct dmacc_client *c);

/**
 * dmacc_client_devid() - who this device is, as ./DevInfo/DevId has it
 * @c: which
 * @ret: "IMEI:" and 15 digits, say; to be given to free()
 *
 * Return: 0; -ENOKEY if it is not known; -EACCES; another negative errno.
 */
int dmacc_client_devid(struct dmacc_client *c, char **ret);

/**
 * dmacc_client_accounts() - names of the accounts
 * @c: which
 * @ready_only: only those that a session can be had of
 * @ret: sorted, NULL at the end; one piece of memory, the caller's, to be given to free()
 *
 * Return: 0; a negative errno.
 */
int dmacc_client_accounts(struct dmacc_client *c, bool ready_only, char ***ret);

/**
 * dmacc_client_get() - the value of a leaf
 * @c: which
 * @account: its name
 * @uri: absolute, of either layout: "./DMAcc/x/AppAddr/1/Addr" and "./SyncML/DMAcc/x/Addr" are one
 * @ret_format: "chr", "int", "bin"; to be given to free(); may be NULL
 * @ret_value: its bytes, zero-terminated besides; to be given to free()
 * @ret_len: how many without that zero; may be NULL
 *
 * Return: 0; -ENOENT; -EPERM for passwords and nonces, and for interior nodes; another one.
 */
int dmacc_client_get(struct dmacc_client *c, const char *account, const char *uri,
		     char **ret_format, void **ret_value, size_t *ret_len);

/**
 * dmacc_client_list() - names of the nodes below an interior one
 * @c: which
 * @account: its name
 * @uri: "./DMAcc" and "./SyncML/DMAcc" are interior nodes, too
 * @ret_names: NULL at the end; one piece of memory, the caller's, to be given to free()
 *
 * Return: 0; -ENOENT; -EPERM for a leaf; another negative errno.
 */
int dmacc_client_list(struct dmacc_client *c, const char *account, const char *uri,
		      char ***ret_names);

/**
 * dmacc_session_open() - begin a session with an account
 * @c: which
 * @account: its name
 * @tls: the transport is encrypted, and the host's name was verified
 * @ret: the caller's, to be given to dmacc_session_close(); gone with @c at the latest
 *
 * Return: 0; -ENOENT, -ENOKEY, -EBUSY, -EACCES; another negative errno.
 */
int dmacc_session_open(struct dmacc_client *c, const char *account, bool tls,
		       struct dmacc_session **ret);

/**
 * dmacc_session_close() - end it
 * @s: may be NULL
 *
 * What was not committed is dropped.
 *
 * Return: NULL.
 */
struct dmacc_session *dmacc_session_close(struct dmacc_session *s);

/**
 * dmacc_session_credential() - the client's credential for the next message
 * @s: which
 * @type: "syncml:auth-md5" or another; NULL: what the server asked for last, or else what the
 *	account prefers
 * @body: of that message, for syncml:auth-MAC; may be NULL
 * @len: bytes of it
 * @ret_type: which type it is; to be given to free(); may be NULL
 * @ret_data: the content of Cred/Data, or for syncml:auth-MAC the value of the header
 *	x-syncml-hmac; zero-terminated; to be wiped and given to free()
 *
 * Return: 0; -EPROTONOSUPPORT; another negative errno.
 */
int dmacc_session_credential(struct dmacc_session *s, const char *type, const void *body, size_t len,
			     char **ret_type, char **ret_data);

/**
 * dmacc_session_challenged() - the server's Status to SyncHdr was 401 or 407 with a Chal
 * @s: which
 * @type: of the Chal
 * @nonce: its NextNonce as raw bytes, never base64; may be NULL
 * @len: bytes of it
 *
 * Return: 0: dmacc_session_credential() has another one to try; -EPERM: nothing is left to try;
 * -EPROTONOSUPPORT; another negative errno.
 */
int dmacc_session_challenged(struct dmacc_session *s, const char *type, const void *nonce,
			     size_t len);

/**
 * dmacc_session_accepted() - it was 212 or 200
 * @s: which
 * @next_nonce: the NextNonce in its Chal, raw; NULL: there was none
 * @len: bytes of it
 *
 * Return: 0; a negative errno.
 */
int dmacc_session_accepted(struct dmacc_session *s, const void *next_nonce, size_t len);

/**
 * dmacc_session_verify_server() - is it the server?
 * @s: which
 * @type: of its credential
 * @data: its Cred/Data, or for syncml:auth-MAC the value of its header x-syncml-hmac
 * @body: of the message that it came with, for syncml:auth-MAC; may be NULL
 * @len: bytes of it
 *
 * Return: 0: it is; -EKEYREJECTED: it does not fit, and the sentence says what it would fit, if
 * anything; -EPROTONOSUPPORT; another negative errno.
 */
int dmacc_session_verify_server(struct dmacc_session *s, const char *type, const char *data,
				const void *body, size_t len);

/**
 * dmacc_session_server_nonce() - a new nonce for the server's next credential
 * @s: which
 * @ret_nonce: goes into the Chal that the client sends; dmacc_session_commit() before it does
 *
 * Return: 0; a negative errno.
 */
int dmacc_session_server_nonce(struct dmacc_session *s, uint8_t ret_nonce[16]);

/**
 * struct dmacc_session_notification - what a notification asks for
 * @version: of the protocol, as the trigger has it
 * @ui_mode: as the trigger has it
 * @session_id: to begin the session with
 * @server_initiated: the server asks for it, not the user
 * @server_id: who asks
 */
struct dmacc_session_notification {
	unsigned int version;
	unsigned int ui_mode;
	unsigned int session_id;
	bool server_initiated;
	char server_id[256];
};

/**
 * dmacc_session_verify_notification() - is this notification (Pkg#0) the server's?
 * @s: which
 * @message: all of it: digest and trigger
 * @len: bytes
 * @ret: what it says
 *
 * Return: 0; -EKEYREJECTED; another negative errno.
 */
int dmacc_session_verify_notification(struct dmacc_session *s, const void *message, size_t len,
				      struct dmacc_session_notification *ret);

/**
 * dmacc_session_replace() - a Replace that the server sent
 * @s: which
 * @uri: absolute, of either layout
 * @format: "chr", "int", "bin"
 * @value: raw bytes
 * @len: how many
 *
 * On the disk when it returns.
 *
 * Return: 0; -EPERM before dmacc_session_verify_server(); -ENOENT, -EINVAL, -EIO; another one.
 */
int dmacc_session_replace(struct dmacc_session *s, const char *uri, const char *format,
			  const void *value, size_t len);

/**
 * dmacc_session_secrets() - passwords and nonces, for a client that computes and verifies itself
 * @s: which
 * @layout: "1.1" or "1.2"
 * @ret_fd: a sealed memfd with a JSON array of {"uri", "format", "value", "protected"}; the caller's
 *
 * Such a client says with dmacc_session_set_nonces() what it took, and with dmacc_session_commit()
 * whether it verified the server.
 *
 * Return: 0; a negative errno.
 */
int dmacc_session_secrets(struct dmacc_session *s, const char *layout, int *ret_fd);

/**
 * dmacc_session_set_nonces() - nonces that such a client took from the server or gave to it
 * @s: which
 * @client: for the client's next credential, raw; NULL: as it was
 * @client_len: bytes of it
 * @server: for the server's next one, raw; NULL: as it was
 * @server_len: bytes of it
 *
 * Return: 0; a negative errno.
 */
int dmacc_session_set_nonces(struct dmacc_session *s, const void *client, size_t client_len,
			     const void *server, size_t server_len);

/**
 * dmacc_session_commit() - this session's nonces onto the disk, so that they may be acknowledged
 * @s: which
 * @authenticated: true from a client that verified the server itself; else
 *	dmacc_session_verify_server() tells
 *
 * What an unauthenticated server sent is dropped.
 *
 * Return: 0; -EIO; another negative errno.
 */
int dmacc_session_commit(struct dmacc_session *s, bool authenticated);

#ifdef __cplusplus
}
#endif

#endif
